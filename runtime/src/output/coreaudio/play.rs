//! A unit that plays: it calls back for sound.

use super::ca;
use super::object::Object;
use super::unit::{BYTES, Lent, MOST_FRAMES, PARAM_ERROR, Unit, description};
use crate::control::MOST_CHANNELS;
use crate::frames::Frames;
use crate::output::backend::{Callback, Format};
use crate::output::error::OutputError;
use std::ffi::c_void;

/// A unit that plays, with the callback.
pub(super) struct Player {
    unit: Unit,
    callback: Lent<Callback>,
}

impl Player {
    /// Plays through a device, or through the system's default output.
    pub(super) fn start(
        device: Option<Object>,
        format: &Format,
        callback: Callback,
    ) -> Result<Player, (OutputError, Callback)> {
        let kind = match device {
            Some(_) => ca::kAudioUnitSubType_HALOutput,
            None => ca::kAudioUnitSubType_DefaultOutput,
        };
        let unit = match Unit::new(kind) {
            Ok(unit) => unit,
            Err(error) => return Err((error, callback)),
        };
        let mut player = Player { unit, callback: Lent::new(callback) };
        match player.set_up(device, format) {
            Ok(()) => Ok(player),
            Err(error) => Err((error, player.stop())),
        }
    }

    fn set_up(&mut self, device: Option<Object>, format: &Format) -> Result<(), OutputError> {
        let (global, input) = ((ca::kAudioUnitScope_Global, 0), (ca::kAudioUnitScope_Input, 0));
        if let Some(Object(id)) = device {
            self.unit.set("choosing the device", ca::kAudioOutputUnitProperty_CurrentDevice, global, &id)?;
        }
        let description = description(format.rate, format.channels);
        self.unit.set("setting the format", ca::kAudioUnitProperty_StreamFormat, input, &description)?;
        let property = ca::kAudioUnitProperty_MaximumFramesPerSlice;
        self.unit.set("setting the largest buffer", property, global, &MOST_FRAMES)?;
        let render =
            ca::AURenderCallbackStruct { inputProc: Some(render), inputProcRefCon: self.callback.pointer() };
        self.unit.set("setting the callback", ca::kAudioUnitProperty_SetRenderCallback, input, &render)?;
        self.unit.start()
    }

    /// Ends it and takes the callback back.
    pub(super) fn stop(self) -> Callback {
        let Player { unit, callback } = self;
        drop(unit);
        callback.back()
    }
}

/// The render callback. \[audio\]
unsafe extern "C" fn render(
    callback: *mut c_void,
    _flags: *mut ca::AudioUnitRenderActionFlags,
    _time: *const ca::AudioTimeStamp,
    _bus: u32,
    frames: u32,
    list: *mut ca::AudioBufferList,
) -> ca::OSStatus {
    // SAFETY: the unit gives back the pointer that it was given, which lives longer than the unit.
    let callback = unsafe { &mut *callback.cast::<Callback>() };
    // SAFETY: the unit gives a list of that many buffers; the array is longer than its type says.
    let (count, buffers) =
        unsafe { ((*list).mNumberBuffers as usize, (&raw mut (*list).mBuffers).cast::<ca::AudioBuffer>()) };
    if count > MOST_CHANNELS {
        return PARAM_ERROR;
    }
    let mut channels: [&mut [f32]; MOST_CHANNELS] = Default::default();
    for (i, channel) in channels[..count].iter_mut().enumerate() {
        // SAFETY: i is below the count.
        let buffer = unsafe { &*buffers.add(i) };
        if buffer.mData.is_null() || buffer.mDataByteSize < frames * BYTES {
            return PARAM_ERROR;
        }
        // SAFETY: the buffer has at least `frames` floats, and is ours for this call.
        *channel = unsafe { std::slice::from_raw_parts_mut(buffer.mData.cast(), frames as usize) };
    }
    callback(&mut Frames::Planar(&mut channels[..count]));
    0
}
