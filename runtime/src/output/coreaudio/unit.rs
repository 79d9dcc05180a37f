//! An output unit: made, set up, started, stopped, thrown away, in the order that CoreAudio wants.

use super::ca;
use super::object::Object;
use super::status::check;
use crate::control::MOST_CHANNELS;
use crate::output::{Callback, Format, Frames, OutputError};
use std::ffi::c_void;

/// Frames that a callback can have at most. macOS asks for 4096 when the screen is off.
const MOST_FRAMES: u32 = 4096;
/// `kAudio_ParamError`
const PARAM_ERROR: ca::OSStatus = -50;
const BYTES: u32 = size_of::<f32>() as u32;

/// A unit that exists; whatever it has become is undone in the right order when it is dropped.
pub(super) struct Unit {
    unit: ca::AudioUnit,
    /// Owned; null when it has been taken back.
    callback: *mut Callback,
    initialised: bool,
    running: bool,
}

impl Unit {
    /// Makes a unit for a device, or for the system's default output, and starts it.
    pub(super) fn start(
        device: Option<Object>,
        format: &Format,
        callback: Callback,
    ) -> Result<Unit, (OutputError, Callback)> {
        let unit = match make(device.is_some()) {
            Ok(unit) => unit,
            Err(error) => return Err((error, callback)),
        };
        let callback = Box::into_raw(Box::new(callback));
        let mut unit = Unit { unit, callback, initialised: false, running: false };
        match unit.set_up(device, format) {
            Ok(()) => Ok(unit),
            Err(error) => Err((error, unit.stop())),
        }
    }

    fn set_up(&mut self, device: Option<Object>, format: &Format) -> Result<(), OutputError> {
        if let Some(Object(id)) = device {
            let property = ca::kAudioOutputUnitProperty_CurrentDevice;
            self.set("choosing the device", property, ca::kAudioUnitScope_Global, &id)?;
        }
        let property = ca::kAudioUnitProperty_StreamFormat;
        self.set("setting the format", property, ca::kAudioUnitScope_Input, &description(format))?;
        let property = ca::kAudioUnitProperty_MaximumFramesPerSlice;
        self.set("setting the largest buffer", property, ca::kAudioUnitScope_Global, &MOST_FRAMES)?;
        let render =
            ca::AURenderCallbackStruct { inputProc: Some(render), inputProcRefCon: self.callback.cast() };
        let property = ca::kAudioUnitProperty_SetRenderCallback;
        self.set("setting the callback", property, ca::kAudioUnitScope_Input, &render)?;
        // SAFETY: the unit exists and is set up.
        check("initialising the unit", unsafe { ca::AudioUnitInitialize(self.unit) })?;
        self.initialised = true;
        // SAFETY: the unit is initialised.
        check("starting the unit", unsafe { ca::AudioOutputUnitStart(self.unit) })?;
        self.running = true;
        Ok(())
    }

    fn set<T>(&self, call: &'static str, property: u32, scope: u32, value: &T) -> Result<(), OutputError> {
        let (value, size) = (std::ptr::from_ref(value).cast(), size_of::<T>() as u32);
        // SAFETY: the unit exists; `value` has `size` bytes, and is what the property holds.
        check(call, unsafe { ca::AudioUnitSetProperty(self.unit, property, scope, 0, value, size) })
    }

    /// Ends it and takes the callback back. Starting to end is not refused by any unit, and what one said would change
    /// nothing, so the answers are not looked at.
    pub(super) fn stop(mut self) -> Callback {
        let callback = std::mem::replace(&mut self.callback, std::ptr::null_mut());
        drop(self);
        // SAFETY: made by `Box::into_raw`; the unit that called it is gone.
        *unsafe { Box::from_raw(callback) }
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        // SAFETY: the unit exists; stopping waits for a callback that runs.
        unsafe {
            if self.running {
                ca::AudioOutputUnitStop(self.unit);
            }
            if self.initialised {
                ca::AudioUnitUninitialize(self.unit);
            }
            ca::AudioComponentInstanceDispose(self.unit);
        }
        if !self.callback.is_null() {
            // SAFETY: made by `Box::into_raw`; the unit that called it is gone.
            drop(unsafe { Box::from_raw(self.callback) });
        }
    }
}

fn make(for_a_device: bool) -> Result<ca::AudioUnit, OutputError> {
    let kind = match for_a_device {
        true => ca::kAudioUnitSubType_HALOutput,
        false => ca::kAudioUnitSubType_DefaultOutput,
    };
    let description = ca::AudioComponentDescription {
        componentType: ca::kAudioUnitType_Output,
        componentSubType: kind,
        componentManufacturer: ca::kAudioUnitManufacturer_Apple,
        componentFlags: 0,
        componentFlagsMask: 0,
    };
    // SAFETY: the description is whole; a null component begins the search.
    let component = unsafe { ca::AudioComponentFindNext(std::ptr::null_mut(), &description) };
    if component.is_null() {
        return Err(OutputError::Unavailable { what: "this Mac has no output unit".into() });
    }
    let mut unit: ca::AudioUnit = std::ptr::null_mut();
    // SAFETY: the component exists.
    check("making the output unit", unsafe { ca::AudioComponentInstanceNew(component, &mut unit) })?;
    Ok(unit)
}

/// float32, one buffer a channel.
fn description(format: &Format) -> ca::AudioStreamBasicDescription {
    ca::AudioStreamBasicDescription {
        mSampleRate: f64::from(format.rate),
        mFormatID: ca::kAudioFormatLinearPCM,
        mFormatFlags: ca::kAudioFormatFlagIsFloat
            | ca::kAudioFormatFlagIsPacked
            | ca::kAudioFormatFlagIsNonInterleaved,
        mBytesPerPacket: BYTES,
        mFramesPerPacket: 1,
        mBytesPerFrame: BYTES,
        mChannelsPerFrame: format.channels as u32,
        mBitsPerChannel: 8 * BYTES,
        mReserved: 0,
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
