//! The functions on units: a default output unit that checks what it is given and calls back from its own thread.
#![expect(non_snake_case, non_upper_case_globals, reason = "the names are Apple's")]

use super::types::*;
use super::world::World;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;

/// A unit, in one of the states that a real one goes through.
#[derive(Debug)]
pub(in super::super) struct FakeUnit {
    world: World,
    hal: bool,
    device: Option<u32>,
    format: Option<AudioStreamBasicDescription>,
    render: Option<Render>,
    most_frames: u32,
    initialised: bool,
    running: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

/// The callback, on its way to the unit's thread.
#[derive(Clone, Copy, Debug)]
struct Render(AURenderCallbackStruct);

// SAFETY: the backend's callback is made for another thread.
unsafe impl Send for Render {}

/// Returns the status of a call that the test lets fail.
macro_rules! enter {
    ($world:expr, $call:literal) => {
        if let Err(status) = $world.enter($call) {
            return status;
        }
    };
}

pub(in super::super) unsafe extern "C" fn AudioComponentFindNext(
    _: AudioComponent,
    description: *const AudioComponentDescription,
) -> AudioComponent {
    // SAFETY: the caller's pointer is good.
    let wanted = unsafe { *description };
    let found = World::here().enter("AudioComponentFindNext").is_ok()
        && wanted.componentType == kAudioUnitType_Output
        && wanted.componentManufacturer == kAudioUnitManufacturer_Apple;
    match wanted.componentSubType {
        kAudioUnitSubType_DefaultOutput if found => std::ptr::without_provenance_mut(1),
        kAudioUnitSubType_HALOutput if found => std::ptr::without_provenance_mut(2),
        _ => std::ptr::null_mut(),
    }
}

pub(in super::super) unsafe extern "C" fn AudioComponentInstanceNew(
    component: AudioComponent,
    out: *mut AudioComponentInstance,
) -> OSStatus {
    let world = World::here();
    enter!(world, "AudioComponentInstanceNew");
    assert!(!component.is_null());
    world.lock().units += 1;
    let unit = FakeUnit {
        world,
        hal: component.addr() == 2,
        device: None,
        format: None,
        render: None,
        most_frames: 512,
        initialised: false,
        running: None,
    };
    // SAFETY: the caller's pointer is good.
    unsafe { *out = Box::into_raw(Box::new(unit)) };
    0
}

pub(in super::super) unsafe extern "C" fn AudioComponentInstanceDispose(
    unit: AudioComponentInstance,
) -> OSStatus {
    // SAFETY: made by `AudioComponentInstanceNew`.
    let unit = unsafe { Box::from_raw(unit) };
    enter!(unit.world, "AudioComponentInstanceDispose");
    assert!(unit.running.is_none() && !unit.initialised, "thrown away while it is in use");
    unit.world.lock().units -= 1;
    0
}

pub(in super::super) unsafe extern "C" fn AudioUnitInitialize(unit: AudioUnit) -> OSStatus {
    // SAFETY: the unit exists, and its thread does not use it.
    let unit = unsafe { &mut *unit };
    enter!(unit.world, "AudioUnitInitialize");
    assert_eq!(unit.hal, unit.device.is_some(), "a HAL unit has a device, a default one has none");
    unit.initialised = true;
    0
}

pub(in super::super) unsafe extern "C" fn AudioUnitUninitialize(unit: AudioUnit) -> OSStatus {
    // SAFETY: as above.
    let unit = unsafe { &mut *unit };
    enter!(unit.world, "AudioUnitUninitialize");
    assert!(unit.running.is_none(), "taken down while it runs");
    unit.initialised = false;
    0
}

pub(in super::super) unsafe extern "C" fn AudioUnitSetProperty(
    unit: AudioUnit,
    property: u32,
    scope: u32,
    element: u32,
    data: *const c_void,
    size: u32,
) -> OSStatus {
    // SAFETY: as above.
    let unit = unsafe { &mut *unit };
    enter!(unit.world, "AudioUnitSetProperty");
    assert_eq!(element, 0);
    let (expected, place) = match property {
        kAudioUnitProperty_StreamFormat => (size_of::<AudioStreamBasicDescription>(), kAudioUnitScope_Input),
        kAudioUnitProperty_SetRenderCallback => (size_of::<AURenderCallbackStruct>(), kAudioUnitScope_Input),
        kAudioUnitProperty_MaximumFramesPerSlice => (4, kAudioUnitScope_Global),
        kAudioOutputUnitProperty_CurrentDevice => (4, kAudioUnitScope_Global),
        _ => return kAudioUnitErr_InvalidProperty,
    };
    assert_eq!(size as usize, expected, "the size of property {property}");
    if scope != place {
        return kAudioUnitErr_InvalidScope;
    }
    if unit.initialised {
        return kAudioUnitErr_Initialized;
    }
    // SAFETY: the size is right.
    unsafe {
        match property {
            kAudioUnitProperty_StreamFormat => return unit.take_format(*data.cast()),
            kAudioUnitProperty_SetRenderCallback => unit.render = Some(Render(*data.cast())),
            kAudioUnitProperty_MaximumFramesPerSlice => unit.most_frames = *data.cast(),
            _ => unit.device = Some(*data.cast()),
        }
    }
    0
}

impl FakeUnit {
    fn take_format(&mut self, format: AudioStreamBasicDescription) -> OSStatus {
        let flags = kAudioFormatFlagIsFloat | kAudioFormatFlagIsPacked | kAudioFormatFlagIsNonInterleaved;
        let right = format.mFormatID == kAudioFormatLinearPCM
            && format.mFormatFlags == flags
            && (format.mBytesPerFrame, format.mBytesPerPacket, format.mFramesPerPacket) == (4, 4, 1)
            && format.mBitsPerChannel == 32
            && (1..=8).contains(&format.mChannelsPerFrame);
        if !right {
            return kAudioUnitErr_FormatNotSupported;
        }
        self.format = Some(format);
        0
    }
}

pub(in super::super) unsafe extern "C" fn AudioOutputUnitStart(unit: AudioUnit) -> OSStatus {
    // SAFETY: as above.
    let unit = unsafe { &mut *unit };
    enter!(unit.world, "AudioOutputUnitStart");
    if !unit.initialised {
        return kAudioUnitErr_Uninitialized;
    }
    let channels = unit.format.expect("a format was set").mChannelsPerFrame as usize;
    let render = unit.render.expect("a callback was set");
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, world, most) = (stop.clone(), unit.world.clone(), unit.most_frames);
    let thread = std::thread::spawn(move || {
        world.lock().threads += 1;
        let mut blocks = world.lock().blocks.clone().into_iter().cycle();
        let mut time = 0;
        while !stopped.load(Relaxed) {
            let frames = blocks.next().unwrap_or(512).min(most);
            call_back(&world, render, channels, frames, time);
            time += u64::from(frames);
            std::thread::yield_now();
        }
        world.lock().threads -= 1;
    });
    unit.running = Some((stop, thread));
    0
}

/// One callback, into buffers full of NaN.
fn call_back(world: &World, render: Render, channels: usize, frames: u32, time: u64) {
    let Render(render) = render;
    let mut sound = vec![vec![f32::NAN; frames as usize]; channels];
    let buffer = |channel: &mut Vec<f32>| AudioBuffer {
        mNumberChannels: 1,
        mDataByteSize: 4 * frames,
        mData: channel.as_mut_ptr().cast(),
    };
    // A list of any length: the header, then the buffers.
    let header = std::mem::offset_of!(AudioBufferList, mBuffers);
    let mut memory = vec![0_u64; (header + channels * size_of::<AudioBuffer>()) / 8];
    let list = memory.as_mut_ptr().cast::<AudioBufferList>();
    // SAFETY: the memory has room for the header and as many buffers, and is aligned for them.
    unsafe {
        (&raw mut (*list).mNumberBuffers).write(channels as u32);
        let first = (&raw mut (*list).mBuffers).cast::<AudioBuffer>();
        sound.iter_mut().enumerate().for_each(|(i, channel)| first.add(i).write(buffer(channel)));
    }
    let stamp = AudioTimeStamp { mSampleTime: time as f64, mFlags: 1, ..AudioTimeStamp::default() };
    let mut flags = 0;
    let procedure = render.inputProc.expect("a callback was set");
    // SAFETY: everything is as a unit gives it.
    let status = unsafe { procedure(render.inputProcRefCon, &mut flags, &stamp, 0, frames, list) };
    let mut hardware = world.lock();
    if status != 0 {
        hardware.refusals.push(status);
    }
    hardware.played.resize(channels, vec![]);
    hardware.played.iter_mut().zip(sound).for_each(|(played, channel)| played.extend(channel));
}

pub(in super::super) unsafe extern "C" fn AudioOutputUnitStop(unit: AudioUnit) -> OSStatus {
    // SAFETY: as above.
    let unit = unsafe { &mut *unit };
    enter!(unit.world, "AudioOutputUnitStop");
    if let Some((stop, thread)) = unit.running.take() {
        stop.store(true, Relaxed);
        thread.join().expect("the callback does not panic");
    }
    0
}
