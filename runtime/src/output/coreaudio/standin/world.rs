//! The hardware of a test, and what happened to it.

use super::types::{
    AudioObjectPropertyAddress, AudioObjectPropertyListenerProc, OSStatus, kAudioDeviceProcessorOverload,
    kAudioDevicePropertyDeviceIsAlive, kAudioDevicePropertyNominalSampleRate,
    kAudioHardwarePropertyDefaultInputDevice, kAudioHardwarePropertyDefaultOutputDevice,
    kAudioObjectPropertyElementMain, kAudioObjectPropertyScopeGlobal, kAudioObjectSystemObject,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Arc, Mutex, MutexGuard};

/// A device of the stand-in, as a test describes it.
#[derive(Clone, Debug)]
pub(in super::super) struct FakeDevice {
    pub(in super::super) id: u32,
    pub(in super::super) name: &'static str,
    pub(in super::super) rate: f64,
    /// Whether it takes another rate when it is asked to.
    pub(in super::super) flexible: bool,
    pub(in super::super) outputs: u32,
    pub(in super::super) inputs: u32,
    pub(in super::super) buffer: u32,
    /// Frames of latency, and of the system's distance from the device.
    pub(in super::super) latency: u32,
    pub(in super::super) safety: u32,
}

/// The state of the stand-in: its devices, units and listeners.
#[derive(Debug, Default)]
pub(in super::super) struct Hardware {
    pub(in super::super) devices: Vec<FakeDevice>,
    pub(in super::super) default_output: u32,
    pub(in super::super) default_input: u32,
    /// Sizes of the callbacks, again and again.
    pub(in super::super) blocks: Vec<u32>,
    /// Calls that fail, with what.
    pub(in super::super) failing: HashMap<&'static str, OSStatus>,
    /// Names of the functions that were called, in order.
    pub(in super::super) calls: Vec<&'static str>,
    /// What was played: one vector a channel.
    pub(in super::super) played: Vec<Vec<f32>>,
    /// Frames that have come from the microphone, and those that were reported.
    pub(in super::super) come: u64,
    pub(in super::super) heard: u64,
    /// Whether the microphone may be used.
    pub(in super::super) allowed: bool,
    /// What the callbacks answered, where that was not 0.
    pub(in super::super) refusals: Vec<OSStatus>,
    pub(in super::super) units: i32,
    pub(in super::super) threads: i32,
    pub(super) listeners: Vec<Listener>,
}

impl Hardware {
    /// Whether all listeners have been removed.
    pub(in super::super) fn listens_to_nothing(&self) -> bool {
        self.listeners.is_empty()
    }
}

/// A listener for a property's changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listener {
    pub(super) object: u32,
    pub(super) address: AudioObjectPropertyAddress,
    pub(super) procedure: AudioObjectPropertyListenerProc,
    pub(super) context: *mut c_void,
}

// SAFETY: the context is only handed back to the procedure, which is made for any thread.
unsafe impl Send for Listener {}

/// The hardware of this thread's test; shared with the units' threads.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct World(Arc<Mutex<Hardware>>);

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

impl World {
    /// The world of the calls from this thread.
    pub(super) fn here() -> World {
        WORLD.with_borrow(World::clone)
    }

    /// A new one, with one stereo device at 48 kHz; calls from this thread work on it.
    pub(in super::super) fn begin() -> World {
        let speakers = FakeDevice {
            id: 42,
            name: "Speakers",
            rate: 48_000.0,
            flexible: true,
            outputs: 2,
            inputs: 0,
            buffer: 512,
            latency: 100,
            safety: 23,
        };
        let hardware = Hardware {
            devices: vec![speakers],
            default_output: 42,
            allowed: true,
            blocks: vec![512, 470, 1, 511],
            ..Hardware::default()
        };
        let world = World(Arc::new(Mutex::new(hardware)));
        WORLD.set(world.clone());
        world
    }

    pub(in super::super) fn lock(&self) -> MutexGuard<'_, Hardware> {
        self.0.lock().expect("no test fails while it holds the lock")
    }

    /// Writes down a call; fails where the test wants it.
    pub(super) fn enter(&self, call: &'static str) -> Result<(), OSStatus> {
        let mut hardware = self.lock();
        hardware.calls.push(call);
        hardware.failing.get(call).map_or(Ok(()), |status| Err(*status))
    }

    /// The device changes its rate by itself.
    pub(in super::super) fn change_rate(&self, id: u32, rate: f64) {
        self.lock().devices.iter_mut().filter(|device| device.id == id).for_each(|device| device.rate = rate);
        self.tell(id, kAudioDevicePropertyNominalSampleRate);
    }

    /// Another device becomes the default.
    pub(in super::super) fn choose(&self, id: u32) {
        self.lock().default_output = id;
        self.tell(kAudioObjectSystemObject, kAudioHardwarePropertyDefaultOutputDevice);
    }

    /// A microphone with so many channels is plugged in, and becomes the default input.
    pub(in super::super) fn plug_in(&self, id: u32, inputs: u32) {
        let speakers = self.lock().devices[0].clone();
        let microphone = FakeDevice { id, name: "Microphone", outputs: 0, inputs, ..speakers };
        self.lock().devices.push(microphone);
        self.lock().default_input = id;
        self.tell(kAudioObjectSystemObject, kAudioHardwarePropertyDefaultInputDevice);
    }

    /// A device is unplugged.
    pub(in super::super) fn unplug(&self, id: u32) {
        self.lock().devices.retain(|device| device.id != id);
        self.tell(id, kAudioDevicePropertyDeviceIsAlive);
    }

    /// A device was not given its sound in time.
    pub(in super::super) fn overload(&self, id: u32) {
        self.tell(id, kAudioDeviceProcessorOverload);
    }

    fn tell(&self, object: u32, selector: u32) {
        let address = AudioObjectPropertyAddress {
            mSelector: selector,
            mScope: kAudioObjectPropertyScopeGlobal,
            mElement: kAudioObjectPropertyElementMain,
        };
        let listeners = self.lock().listeners.clone();
        for listener in
            listeners.iter().filter(|listener| listener.object == object && listener.address == address)
        {
            if let Some(procedure) = listener.procedure {
                // SAFETY: the listener has not been removed, so its context is alive.
                unsafe { procedure(object, 1, &address, listener.context) };
            }
        }
    }
}
