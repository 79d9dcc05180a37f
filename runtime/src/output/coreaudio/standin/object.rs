//! The functions on objects: properties and listeners.
#![expect(non_snake_case, non_upper_case_globals, reason = "the names are Apple's")]

use super::types::*;
use super::world::{FakeDevice, Hardware, Listener, World};
use std::ffi::c_void;

/// A property as bytes; `None` where there is no such object or property.
fn property(
    hardware: &Hardware,
    object: u32,
    address: &AudioObjectPropertyAddress,
) -> Result<Vec<u8>, OSStatus> {
    if object == kAudioObjectSystemObject {
        let ids = hardware.devices.iter().flat_map(|device| device.id.to_ne_bytes());
        return match address.mSelector {
            kAudioHardwarePropertyDevices => Ok(ids.collect()),
            kAudioHardwarePropertyDefaultOutputDevice => Ok(hardware.default_output.to_ne_bytes().into()),
            kAudioHardwarePropertyDefaultInputDevice => Ok(hardware.default_input.to_ne_bytes().into()),
            _ => Err(kAudioHardwareUnknownPropertyError),
        };
    }
    let device = hardware.devices.iter().find(|device| device.id == object);
    let device = device.ok_or(kAudioHardwareBadObjectError)?;
    match address.mSelector {
        kAudioDevicePropertyDeviceName => Ok([device.name.as_bytes(), b"\0"].concat()),
        kAudioDevicePropertyNominalSampleRate => Ok(device.rate.to_ne_bytes().into()),
        kAudioDevicePropertyBufferFrameSize => Ok(device.buffer.to_ne_bytes().into()),
        kAudioDevicePropertyLatency if address.mScope == kAudioObjectPropertyScopeOutput => {
            Ok(device.latency.to_ne_bytes().into())
        }
        kAudioDevicePropertySafetyOffset if address.mScope == kAudioObjectPropertyScopeOutput => {
            Ok(device.safety.to_ne_bytes().into())
        }
        kAudioDevicePropertyStreamConfiguration => Ok(configuration(device, address.mScope)),
        _ => Err(kAudioHardwareUnknownPropertyError),
    }
}

/// An AudioBufferList with one buffer of all channels; without a buffer where there are none.
fn configuration(device: &FakeDevice, scope: u32) -> Vec<u8> {
    let channels = if scope == kAudioObjectPropertyScopeInput { device.inputs } else { device.outputs };
    let mut bytes = vec![0; std::mem::offset_of!(AudioBufferList, mBuffers)];
    bytes[..4].copy_from_slice(&u32::from(channels > 0).to_ne_bytes());
    if channels > 0 {
        bytes.extend(channels.to_ne_bytes());
        bytes.resize(size_of::<AudioBufferList>(), 0);
    }
    bytes
}

pub(in super::super) unsafe extern "C" fn AudioObjectGetPropertyDataSize(
    object: AudioObjectID,
    address: *const AudioObjectPropertyAddress,
    _: u32,
    _: *const c_void,
    size: *mut u32,
) -> OSStatus {
    let world = World::here();
    if let Err(status) = world.enter("AudioObjectGetPropertyDataSize") {
        return status;
    }
    // SAFETY: the caller's pointers are good.
    unsafe {
        match property(&world.lock(), object, &*address) {
            Ok(bytes) => *size = bytes.len() as u32,
            Err(status) => return status,
        }
    }
    0
}

pub(in super::super) unsafe extern "C" fn AudioObjectGetPropertyData(
    object: AudioObjectID,
    address: *const AudioObjectPropertyAddress,
    _: u32,
    _: *const c_void,
    size: *mut u32,
    data: *mut c_void,
) -> OSStatus {
    let world = World::here();
    if let Err(status) = world.enter("AudioObjectGetPropertyData") {
        return status;
    }
    // SAFETY: the caller's pointers are good.
    unsafe {
        match property(&world.lock(), object, &*address) {
            Ok(bytes) => {
                assert_eq!(*size as usize, bytes.len(), "the size of property {:#x}", (*address).mSelector);
                data.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            }
            Err(status) => return status,
        }
    }
    0
}

pub(in super::super) unsafe extern "C" fn AudioObjectSetPropertyData(
    object: AudioObjectID,
    address: *const AudioObjectPropertyAddress,
    _: u32,
    _: *const c_void,
    size: u32,
    data: *const c_void,
) -> OSStatus {
    let world = World::here();
    if let Err(status) = world.enter("AudioObjectSetPropertyData") {
        return status;
    }
    let mut hardware = world.lock();
    let Some(device) = hardware.devices.iter_mut().find(|device| device.id == object) else {
        return kAudioHardwareBadObjectError;
    };
    // SAFETY: the caller's pointers are good.
    unsafe {
        match (*address).mSelector {
            kAudioDevicePropertyNominalSampleRate => {
                assert_eq!(size, 8);
                if device.flexible {
                    device.rate = data.cast::<f64>().read();
                }
            }
            kAudioDevicePropertyBufferFrameSize => {
                assert_eq!(size, 4);
                device.buffer = data.cast::<u32>().read();
            }
            _ => return kAudioHardwareUnknownPropertyError,
        }
    }
    0
}

pub(in super::super) unsafe extern "C" fn AudioObjectAddPropertyListener(
    object: AudioObjectID,
    address: *const AudioObjectPropertyAddress,
    procedure: AudioObjectPropertyListenerProc,
    context: *mut c_void,
) -> OSStatus {
    let world = World::here();
    if let Err(status) = world.enter("AudioObjectAddPropertyListener") {
        return status;
    }
    // SAFETY: the caller's pointer is good.
    let address = unsafe { *address };
    world.lock().listeners.push(Listener { object, address, procedure, context });
    0
}

pub(in super::super) unsafe extern "C" fn AudioObjectRemovePropertyListener(
    object: AudioObjectID,
    address: *const AudioObjectPropertyAddress,
    _: AudioObjectPropertyListenerProc,
    context: *mut c_void,
) -> OSStatus {
    let world = World::here();
    if let Err(status) = world.enter("AudioObjectRemovePropertyListener") {
        return status;
    }
    // SAFETY: the caller's pointer is good.
    let address = unsafe { *address };
    let mut hardware = world.lock();
    let same = |l: &Listener| l.object == object && l.address == address && l.context == context;
    let place = hardware.listeners.iter().position(same).expect("what is removed was added");
    hardware.listeners.remove(place);
    0
}
