//! The default input: a unit of its own that says when sound has come, and is then asked for it.
//!
//! A unit that hears does not change the rate: the device has to run at that of the output. Without permission to use
//! the microphone macOS gives silence, and no error.

use super::ca;
use super::object::{Object, RATE_CHANGE_MEANWHILE, Watch};
use super::unit::{BYTES, Lent, MOST_FRAMES, PARAM_ERROR, Unit, description};
use crate::output::backend::{Format, Heard, Input, State};
use crate::output::error::OutputError;
use crate::output::input::{Ear, ring};
use std::ffi::c_void;

/// The element of a unit through which sound comes, and that through which it goes.
const COMING: u32 = 1;
const GOING: u32 = 0;

/// Begins to listen at the rate of an output.
pub(super) fn listen(output: &Format) -> Result<Heard, OutputError> {
    let none = || OutputError::Unavailable { what: "this Mac has no audio input".into() };
    let device = Object::default_device(true)?.ok_or_else(none)?;
    device.ask_for_rate(output.rate, RATE_CHANGE_MEANWHILE)?;
    let rate = device.rate()?;
    if rate != output.rate {
        let what = format!(
            "\"{}\" hears at {rate} Hz, and the output plays at {}; give them one rate in Audio MIDI Setup",
            device.name()?,
            output.rate
        );
        return Err(OutputError::Unavailable { what });
    }
    let watch = Watch::new(device, Some(true))?;
    let channels = device.channels(true)?.clamp(1, 2);
    let mut unit = Unit::new(ca::kAudioUnitSubType_HALOutput)?;
    let (ear, ring) = ring(2 * output.buffer as usize);
    let hearing = Lent::new(Hearing::new(unit.unit, ear, channels));
    set_up(&mut unit, device, rate, channels, &hearing)?;
    Ok(Heard { ring, input: Box::new(Listening { _unit: unit, _hearing: hearing, watch, device, rate }) })
}

fn set_up(
    unit: &mut Unit,
    Object(id): Object,
    rate: u32,
    channels: usize,
    hearing: &Lent<Hearing>,
) -> Result<(), OutputError> {
    let global = (ca::kAudioUnitScope_Global, 0);
    // Which way sound goes is said before the device is chosen.
    let (enable, on, off) = (ca::kAudioOutputUnitProperty_EnableIO, 1_u32, 0_u32);
    unit.set("turning the input on", enable, (ca::kAudioUnitScope_Input, COMING), &on)?;
    unit.set("turning the output off", enable, (ca::kAudioUnitScope_Output, GOING), &off)?;
    unit.set("choosing the input", ca::kAudioOutputUnitProperty_CurrentDevice, global, &id)?;
    let (format, place) = (description(rate, channels), (ca::kAudioUnitScope_Output, COMING));
    unit.set("setting the input's format", ca::kAudioUnitProperty_StreamFormat, place, &format)?;
    let property = ca::kAudioUnitProperty_MaximumFramesPerSlice;
    unit.set("setting the input's largest buffer", property, global, &MOST_FRAMES)?;
    let hear = ca::AURenderCallbackStruct { inputProc: Some(hear), inputProcRefCon: hearing.pointer() };
    let property = ca::kAudioOutputUnitProperty_SetInputCallback;
    unit.set("setting the input's callback", property, global, &hear)?;
    unit.start()
}

struct Listening {
    // Before what its thread uses.
    _unit: Unit,
    _hearing: Lent<Hearing>,
    watch: Watch,
    device: Object,
    rate: u32,
}

impl Input for Listening {
    fn state(&self) -> State {
        self.watch.state(|| match Object::default_device(true)? {
            Some(device) if device == self.device && device.rate()? == self.rate => Ok(State::Running),
            Some(_) => Ok(State::Changed),
            None => Ok(State::Lost(OutputError::Gone { why: "there is no input any more".into() })),
        })
    }
}

/// What the unit's thread is given.
struct Hearing {
    unit: ca::AudioUnit,
    ear: Ear,
    /// The channels, one after the other.
    sound: Vec<f32>,
    channels: usize,
    /// An `AudioBufferList`, with room for a buffer a channel; in words, so that it is aligned.
    list: Vec<u64>,
}

impl Hearing {
    fn new(unit: ca::AudioUnit, ear: Ear, channels: usize) -> Hearing {
        let header = std::mem::offset_of!(ca::AudioBufferList, mBuffers);
        let bytes = header + channels * size_of::<ca::AudioBuffer>();
        let list = vec![0; bytes.div_ceil(size_of::<u64>())];
        Hearing { unit, ear, sound: vec![0.0; channels * MOST_FRAMES as usize], channels, list }
    }

    /// Lets the list point to our buffers, at so many frames of each; the unit may have written into it. \[audio\]
    fn list(&mut self, frames: u32) -> *mut ca::AudioBufferList {
        let list = self.list.as_mut_ptr().cast::<ca::AudioBufferList>();
        // SAFETY: there is room for the header and a buffer a channel.
        unsafe {
            (&raw mut (*list).mNumberBuffers).write(self.channels as u32);
            let buffers = (&raw mut (*list).mBuffers).cast::<ca::AudioBuffer>();
            for (index, channel) in self.sound.chunks_exact_mut(MOST_FRAMES as usize).enumerate() {
                buffers.add(index).write(ca::AudioBuffer {
                    mNumberChannels: 1,
                    mDataByteSize: frames * BYTES,
                    mData: channel.as_mut_ptr().cast(),
                });
            }
        }
        list
    }
}

/// The input callback: sound has come, and is asked for. \[audio\]
unsafe extern "C" fn hear(
    hearing: *mut c_void,
    flags: *mut ca::AudioUnitRenderActionFlags,
    time: *const ca::AudioTimeStamp,
    bus: u32,
    frames: u32,
    _: *mut ca::AudioBufferList,
) -> ca::OSStatus {
    // SAFETY: the unit gives back the pointer that it was given, which lives longer than the unit.
    let hearing = unsafe { &mut *hearing.cast::<Hearing>() };
    if frames > MOST_FRAMES {
        return PARAM_ERROR;
    }
    let list = hearing.list(frames);
    // SAFETY: the unit is the one that calls; the list has a buffer of that many frames for each channel of its format.
    let status = unsafe { ca::AudioUnitRender(hearing.unit, flags, time, bus, frames, list) };
    let Hearing { ear, sound, channels, .. } = hearing;
    // What could not be had is silence, so that what comes after it is not early.
    ear.hear(frames as usize, *channels, |frame, channel| match status {
        0 => sound[channel * MOST_FRAMES as usize + frame],
        _ => 0.0,
    });
    status
}
