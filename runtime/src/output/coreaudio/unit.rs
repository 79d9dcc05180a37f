//! An output unit: made, set up, started, stopped, thrown away, in the order that CoreAudio wants.

use super::ca;
use super::status::check;
use crate::output::error::OutputError;

/// Frames that a callback can have at most. macOS asks for 4096 when the screen is off.
pub(super) const MOST_FRAMES: u32 = 4096;
/// `kAudio_ParamError`: a parameter of a call is wrong.
pub(super) const PARAM_ERROR: ca::OSStatus = -50;
pub(super) const BYTES: u32 = size_of::<f32>() as u32;

/// A unit that exists; whatever it has become is undone in the right order when it is dropped.
pub(super) struct Unit {
    pub(super) unit: ca::AudioUnit,
    initialised: bool,
    running: bool,
}

/// What a unit's thread is given. It has to outlive the unit, so it stands behind it where both are held.
pub(super) struct Lent<T>(*mut T);

impl<T> Lent<T> {
    pub(super) fn new(value: T) -> Lent<T> {
        Lent(Box::into_raw(Box::new(value)))
    }

    pub(super) fn pointer(&self) -> *mut std::ffi::c_void {
        self.0.cast()
    }

    /// Takes it back. The unit that used it is gone.
    pub(super) fn back(mut self) -> T {
        let pointer = std::mem::replace(&mut self.0, std::ptr::null_mut());
        // SAFETY: made by `Box::into_raw`; it is taken back once.
        *unsafe { Box::from_raw(pointer) }
    }
}

impl<T> Drop for Lent<T> {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: made by `Box::into_raw`; the unit that used it is gone.
            drop(unsafe { Box::from_raw(self.0) });
        }
    }
}

impl Unit {
    /// A unit of a kind, such as `kAudioUnitSubType_HALOutput`, which is to be set up.
    pub(super) fn new(kind: u32) -> Result<Unit, OutputError> {
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
        Ok(Unit { unit, initialised: false, running: false })
    }

    /// Sets a property; `place` is its scope and element.
    pub(super) fn set<T>(
        &self,
        call: &'static str,
        property: u32,
        place: (u32, u32),
        value: &T,
    ) -> Result<(), OutputError> {
        let (value, size) = (std::ptr::from_ref(value).cast(), size_of::<T>() as u32);
        // SAFETY: the unit exists; `value` has `size` bytes, and is what the property holds.
        check(call, unsafe { ca::AudioUnitSetProperty(self.unit, property, place.0, place.1, value, size) })
    }

    /// Starts it, when it is set up.
    pub(super) fn start(&mut self) -> Result<(), OutputError> {
        // SAFETY: the unit exists and is set up.
        check("initialising the unit", unsafe { ca::AudioUnitInitialize(self.unit) })?;
        self.initialised = true;
        // SAFETY: the unit is initialised.
        check("starting the unit", unsafe { ca::AudioOutputUnitStart(self.unit) })?;
        self.running = true;
        Ok(())
    }
}

/// Starting to end is not refused by any unit, and what one said would change nothing, so the answers are not looked at.
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
    }
}

/// float32, one buffer a channel.
pub(super) fn description(rate: u32, channels: usize) -> ca::AudioStreamBasicDescription {
    ca::AudioStreamBasicDescription {
        mSampleRate: f64::from(rate),
        mFormatID: ca::kAudioFormatLinearPCM,
        mFormatFlags: ca::kAudioFormatFlagIsFloat
            | ca::kAudioFormatFlagIsPacked
            | ca::kAudioFormatFlagIsNonInterleaved,
        mBytesPerPacket: BYTES,
        mFramesPerPacket: 1,
        mBytesPerFrame: BYTES,
        mChannelsPerFrame: channels as u32,
        mBitsPerChannel: 8 * BYTES,
        mReserved: 0,
    }
}
