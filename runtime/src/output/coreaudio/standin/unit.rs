//! The functions on units: units that check what they are given and call back from threads of their own, for sound or
//! with it.
#![expect(non_snake_case, non_upper_case_globals, reason = "the names are Apple's")]

use super::types::*;
use super::world::World;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;

pub(in super::super) type AudioComponentInstance = *mut FakeUnit;
pub(in super::super) type AudioUnit = AudioComponentInstance;

/// A unit, in one of the states that a real one goes through.
#[derive(Debug)]
pub(in super::super) struct FakeUnit {
    world: World,
    hal: bool,
    /// Whether it plays, and whether it hears.
    plays: bool,
    hears: bool,
    device: Option<u32>,
    format: Option<AudioStreamBasicDescription>,
    /// What it calls: for sound, or when sound has come.
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
        plays: true,
        hears: false,
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
    assert_ne!(unit.plays, unit.hears, "one unit goes one way");
    let hardware = unit.world.lock();
    let heard = hardware.devices.iter().find(|device| unit.hears && Some(device.id) == unit.device);
    let rate = unit.format.expect("a format was set").mSampleRate;
    if heard.is_some_and(|device| device.inputs == 0 || device.rate != rate) {
        return kAudioUnitErr_FailedInitialization;
    }
    drop(hardware);
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
    // Sound for the device comes in at element 0, what the device hears goes out at element 1.
    let (global, played, heard) =
        ((kAudioUnitScope_Global, 0), (kAudioUnitScope_Input, 0), (kAudioUnitScope_Output, 1));
    let (format, callback) = (size_of::<AudioStreamBasicDescription>(), size_of::<AURenderCallbackStruct>());
    let (expected, places) = match property {
        kAudioUnitProperty_StreamFormat => (format, [if unit.hears { heard } else { played }; 2]),
        kAudioUnitProperty_SetRenderCallback if unit.plays => (callback, [played; 2]),
        kAudioOutputUnitProperty_SetInputCallback if unit.hears => (callback, [global; 2]),
        kAudioUnitProperty_MaximumFramesPerSlice => (4, [global; 2]),
        kAudioOutputUnitProperty_CurrentDevice if unit.hal => (4, [global; 2]),
        kAudioOutputUnitProperty_EnableIO if unit.hal && unit.device.is_none() => {
            (4, [(kAudioUnitScope_Input, 1), (kAudioUnitScope_Output, 0)])
        }
        _ => return kAudioUnitErr_InvalidProperty,
    };
    assert_eq!(size as usize, expected, "the size of property {property}");
    if !places.contains(&(scope, element)) {
        return kAudioUnitErr_InvalidScope;
    }
    if unit.initialised {
        return kAudioUnitErr_Initialized;
    }
    // SAFETY: the size is right.
    unsafe {
        match property {
            kAudioUnitProperty_StreamFormat => return unit.take_format(*data.cast()),
            kAudioUnitProperty_SetRenderCallback | kAudioOutputUnitProperty_SetInputCallback => {
                unit.render = Some(Render(*data.cast()));
            }
            kAudioOutputUnitProperty_EnableIO if element == 1 => unit.hears = *data.cast::<u32>() != 0,
            kAudioOutputUnitProperty_EnableIO => unit.plays = *data.cast::<u32>() != 0,
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
    let (stopped, world, most, hears) = (stop.clone(), unit.world.clone(), unit.most_frames, unit.hears);
    let thread = std::thread::spawn(move || {
        world.lock().threads += 1;
        let mut blocks = world.lock().blocks.clone().into_iter().cycle();
        let mut time = 0;
        while !stopped.load(Relaxed) {
            let frames = blocks.next().unwrap_or(512).min(most);
            if hears {
                while !stopped.load(Relaxed) && world.lock().come < time + u64::from(frames) {
                    std::thread::yield_now();
                }
                call_with(&world, render, frames, time);
            } else {
                call_back(&world, render, channels, frames, time);
            }
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

/// Says that sound has come: with no buffers, as they are to be asked for.
fn call_with(world: &World, Render(hear): Render, frames: u32, time: u64) {
    let stamp = AudioTimeStamp { mSampleTime: time as f64, mFlags: 1, ..AudioTimeStamp::default() };
    let (mut flags, procedure) = (0, hear.inputProc.expect("a callback was set"));
    // SAFETY: everything is as a unit gives it.
    let status =
        unsafe { procedure(hear.inputProcRefCon, &mut flags, &stamp, 1, frames, std::ptr::null_mut()) };
    let mut hardware = world.lock();
    hardware.heard = time + u64::from(frames);
    if status != 0 {
        hardware.refusals.push(status);
    }
}

/// Sound that has come: frame i of channel c is i + c/2 + 1, or nothing where the microphone may not be used.
pub(in super::super) unsafe extern "C" fn AudioUnitRender(
    unit: AudioUnit,
    _: *mut AudioUnitRenderActionFlags,
    time: *const AudioTimeStamp,
    element: u32,
    frames: u32,
    list: *mut AudioBufferList,
) -> OSStatus {
    // SAFETY: the unit exists while its thread runs, and these do not change meanwhile.
    let (world, format, most) = unsafe { (&(*unit).world, (*unit).format, (*unit).most_frames) };
    assert_eq!(element, 1, "sound comes at element 1");
    assert!(frames <= most, "more than was announced");
    let channels = format.expect("a format was set").mChannelsPerFrame;
    // SAFETY: the caller's pointers are good: a list of as many buffers as it says, of the sizes that they say.
    unsafe {
        assert_eq!((*list).mNumberBuffers, channels, "a buffer a channel");
        let (first, start) = ((&raw mut (*list).mBuffers).cast::<AudioBuffer>(), (*time).mSampleTime as f32);
        let sounds: Vec<&mut [f32]> = (0..channels as usize)
            .map(|channel| {
                let buffer = &*first.add(channel);
                assert_eq!((buffer.mNumberChannels, buffer.mDataByteSize), (1, 4 * frames));
                std::slice::from_raw_parts_mut(buffer.mData.cast(), frames as usize)
            })
            .collect();
        let allowed = world.lock().allowed;
        let failed = world.enter("AudioUnitRender");
        for (channel, sound) in sounds.into_iter().enumerate() {
            for (i, sample) in sound.iter_mut().enumerate() {
                *sample = match (&failed, allowed) {
                    (Err(_), _) => f32::NAN,
                    (Ok(()), false) => 0.0,
                    (Ok(()), true) => start + i as f32 + 0.5 * channel as f32 + 1.0,
                };
            }
        }
        failed.err().unwrap_or(0)
    }
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
