//! CoreAudio's objects: devices, their properties, and notifications of their changes.

use super::ca;
use super::status::check;
use crate::output::backend::State;
use crate::output::error::OutputError;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How long a device may take to change its rate, before it plays.
pub(super) const RATE_CHANGE: Duration = Duration::from_millis(500);
/// The same while another one plays, which is not looked after meanwhile.
pub(super) const RATE_CHANGE_MEANWHILE: Duration = Duration::from_millis(50);

/// An object of the audio system: a device, or the system itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Object(pub(super) ca::AudioObjectID);

/// The system, which has the devices.
const SYSTEM: Object = Object(ca::kAudioObjectSystemObject as ca::AudioObjectID);

fn address(selector: u32, scope: u32) -> ca::AudioObjectPropertyAddress {
    ca::AudioObjectPropertyAddress {
        mSelector: selector,
        mScope: scope,
        mElement: ca::kAudioObjectPropertyElementMain,
    }
}

fn global(selector: u32) -> ca::AudioObjectPropertyAddress {
    address(selector, ca::kAudioObjectPropertyScopeGlobal)
}

fn scope(is_input: bool) -> u32 {
    if is_input { ca::kAudioObjectPropertyScopeInput } else { ca::kAudioObjectPropertyScopeOutput }
}

/// The system's property that is its default device.
fn default_of(is_input: bool) -> u32 {
    match is_input {
        true => ca::kAudioHardwarePropertyDefaultInputDevice,
        false => ca::kAudioHardwarePropertyDefaultOutputDevice,
    }
}

impl Object {
    /// The device that the system uses, if there is one.
    pub(super) fn default_device(is_input: bool) -> Result<Option<Object>, OutputError> {
        let id: u32 = SYSTEM.get("asking for the default device", &global(default_of(is_input)), 0)?;
        Ok((id != ca::kAudioObjectUnknown).then_some(Object(id)))
    }

    /// All audio devices of the machine.
    pub(super) fn devices() -> Result<Vec<Object>, OutputError> {
        let bytes = SYSTEM.bytes("listing the devices", &global(ca::kAudioHardwarePropertyDevices))?;
        let ids = bytes.chunks_exact(4).map(|id| u32::from_ne_bytes([id[0], id[1], id[2], id[3]]));
        Ok(ids.map(Object).collect())
    }

    /// What people call it.
    pub(super) fn name(self) -> Result<String, OutputError> {
        let bytes = self.bytes("asking for a device's name", &global(ca::kAudioDevicePropertyDeviceName))?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        Ok(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }

    /// Its channels in one direction.
    pub(super) fn channels(self, is_input: bool) -> Result<usize, OutputError> {
        let configuration = address(ca::kAudioDevicePropertyStreamConfiguration, scope(is_input));
        let bytes = self.bytes("asking for a device's channels", &configuration)?;
        // An AudioBufferList: a count, then as many buffers, of which only the number of channels is filled in.
        let list = std::mem::offset_of!(ca::AudioBufferList, mBuffers);
        let Some(buffers) = bytes.get(list..) else { return Ok(0) };
        let channels =
            |buffer: &[u8]| u32::from_ne_bytes([buffer[0], buffer[1], buffer[2], buffer[3]]) as usize;
        Ok(buffers.chunks_exact(size_of::<ca::AudioBuffer>()).map(channels).sum())
    }

    /// Its rate, in whole frames a second.
    pub(super) fn rate(self) -> Result<u32, OutputError> {
        let rate = global(ca::kAudioDevicePropertyNominalSampleRate);
        Ok(self.get("asking for the device's rate", &rate, 0.0_f64)?.round() as u32)
    }

    /// Asks for a rate and waits for the device to take it. A device that refuses keeps its own.
    pub(super) fn ask_for_rate(self, rate: u32, patience: Duration) -> Result<(), OutputError> {
        if self.rate()? == rate {
            return Ok(());
        }
        let property = global(ca::kAudioDevicePropertyNominalSampleRate);
        if self.set("setting the device's rate", &property, &f64::from(rate)).is_err() {
            return Ok(());
        }
        let since = Instant::now();
        while self.rate()? != rate && since.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Frames that it asks for at a time.
    pub(super) fn buffer(self) -> Result<u32, OutputError> {
        self.get("asking for the device's buffer", &global(ca::kAudioDevicePropertyBufferFrameSize), 0)
    }

    /// Asks for another number.
    pub(super) fn set_buffer(self, frames: u32) -> Result<(), OutputError> {
        self.set("setting the device's buffer", &global(ca::kAudioDevicePropertyBufferFrameSize), &frames)
    }

    /// Frames from a callback's buffer to the ear, beyond the buffer: of the system, and of the device. One that does not
    /// say has none.
    pub(super) fn latency(self) -> u32 {
        let output = |selector| {
            let property = address(selector, ca::kAudioObjectPropertyScopeOutput);
            self.get("asking for the device's latency", &property, 0_u32).unwrap_or(0)
        };
        output(ca::kAudioDevicePropertySafetyOffset) + output(ca::kAudioDevicePropertyLatency)
    }

    /// A property of a fixed size. `T` is a plain number.
    fn get<T: Copy>(
        self,
        call: &'static str,
        address: &ca::AudioObjectPropertyAddress,
        mut value: T,
    ) -> Result<T, OutputError> {
        let mut size = size_of::<T>() as u32;
        // SAFETY: `value` has room for `size` bytes and is a plain number.
        let status = unsafe {
            ca::AudioObjectGetPropertyData(
                self.0,
                address,
                0,
                std::ptr::null(),
                &mut size,
                (&raw mut value).cast(),
            )
        };
        check(call, status).map(|()| value)
    }

    /// A property of any size, as bytes.
    fn bytes(
        self,
        call: &'static str,
        address: &ca::AudioObjectPropertyAddress,
    ) -> Result<Vec<u8>, OutputError> {
        let mut size = 0;
        // SAFETY: only the size is written.
        let status =
            unsafe { ca::AudioObjectGetPropertyDataSize(self.0, address, 0, std::ptr::null(), &mut size) };
        check(call, status)?;
        // Aligned for what the properties hold: numbers and pointers.
        let mut words = vec![0_u64; (size as usize).div_ceil(8)];
        // SAFETY: there is room for `size` bytes.
        let status = unsafe {
            let data = words.as_mut_ptr().cast::<c_void>();
            ca::AudioObjectGetPropertyData(self.0, address, 0, std::ptr::null(), &mut size, data)
        };
        check(call, status)?;
        Ok(words.iter().flat_map(|word| word.to_ne_bytes()).take(size as usize).collect())
    }

    fn set<T: Copy>(
        self,
        call: &'static str,
        address: &ca::AudioObjectPropertyAddress,
        value: &T,
    ) -> Result<(), OutputError> {
        let size = size_of::<T>() as u32;
        // SAFETY: `value` has `size` bytes.
        let status = unsafe {
            ca::AudioObjectSetPropertyData(
                self.0,
                address,
                0,
                std::ptr::null(),
                size,
                std::ptr::from_ref(value).cast(),
            )
        };
        check(call, status)
    }
}

/// What the listeners write down.
#[derive(Debug, Default)]
struct Seen {
    changed: AtomicBool,
    dead: AtomicBool,
    overloads: AtomicU64,
}

/// Listens to a device, and to the system's choice of one, for as long as it lives.
pub(super) struct Watch {
    seen: *const Seen,
    listening: Vec<(Object, ca::AudioObjectPropertyAddress)>,
}

impl Watch {
    /// Listens to `device`; to the system as well, if its default output is followed, or (`true`) its default input.
    pub(super) fn new(device: Object, follow_default: Option<bool>) -> Result<Watch, OutputError> {
        let seen = Box::into_raw(Box::<Seen>::default()).cast_const();
        let mut watch = Watch { seen, listening: vec![] };
        let of_device = [
            ca::kAudioDevicePropertyNominalSampleRate,
            ca::kAudioDevicePropertyDeviceIsAlive,
            ca::kAudioDeviceProcessorOverload,
        ];
        let of_device = of_device.map(|selector| (device, global(selector)));
        let of_system = follow_default.map(|is_input| (SYSTEM, global(default_of(is_input))));
        for (object, address) in of_device.into_iter().chain(of_system) {
            // SAFETY: `seen` lives until the listeners are removed, in `drop`.
            let status = unsafe {
                ca::AudioObjectAddPropertyListener(object.0, &address, Some(hear), seen.cast_mut().cast())
            };
            check("listening to the device", status)?;
            watch.listening.push((object, address));
        }
        Ok(watch)
    }

    fn seen(&self) -> &Seen {
        // SAFETY: made by `Box::into_raw`, and freed in `drop`.
        unsafe { &*self.seen }
    }

    /// The state that `look` finds, after something has changed; what it finds is found again.
    pub(super) fn state(&self, look: impl FnOnce() -> Result<State, OutputError>) -> State {
        if !self.seen().changed.swap(false, Relaxed) {
            return State::Running;
        }
        let state = look().unwrap_or_else(State::Lost);
        if state != State::Running {
            self.seen().changed.store(true, Relaxed);
        }
        state
    }

    /// Whether the device is gone. The default device's death is a change: the system chooses another.
    pub(super) fn is_dead(&self) -> bool {
        let follows_default = self.listening.iter().any(|(object, _)| *object == SYSTEM);
        self.seen().dead.load(Relaxed) && !follows_default
    }

    /// How often the device was not given its sound in time.
    pub(super) fn overloads(&self) -> u64 {
        self.seen().overloads.load(Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for (object, address) in &self.listening {
            // SAFETY: it was added with the same arguments. A device that is gone refuses, and does not call either.
            unsafe {
                ca::AudioObjectRemovePropertyListener(
                    object.0,
                    address,
                    Some(hear),
                    self.seen.cast_mut().cast(),
                );
            }
        }
        // SAFETY: made by `Box::into_raw`; no listener is left.
        drop(unsafe { Box::from_raw(self.seen.cast_mut()) });
    }
}

/// Called by the system, on a thread of its own.
unsafe extern "C" fn hear(
    _object: ca::AudioObjectID,
    count: u32,
    addresses: *const ca::AudioObjectPropertyAddress,
    seen: *mut c_void,
) -> ca::OSStatus {
    // SAFETY: the system gives back the pointer that it was given, which lives until the listener is removed.
    let seen = unsafe { &*seen.cast::<Seen>() };
    for i in 0..count as usize {
        // SAFETY: there are `count` addresses.
        match unsafe { (*addresses.add(i)).mSelector } {
            ca::kAudioDeviceProcessorOverload => {
                seen.overloads.fetch_add(1, Relaxed);
            }
            ca::kAudioDevicePropertyDeviceIsAlive => {
                seen.dead.store(true, Relaxed);
                seen.changed.store(true, Relaxed);
            }
            _ => seen.changed.store(true, Relaxed),
        }
    }
    0
}
