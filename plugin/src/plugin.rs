//! An instance of the plug-in: what it consists of, and how C functions get at it.

use crate::exclusive::Exclusive;
use crate::ffi::{Host, guarded};
use crate::processor::{Processor, Shared};
use clap_sys::plugin::clap_plugin;
use std::sync::atomic::{AtomicU32, Ordering};

/// Frames a second that a song is compiled for.
const RATES: std::ops::RangeInclusive<f64> = 1_000.0..=1_000_000.0;

/// An instance.
pub(crate) struct Plugin {
    /// What the host was given; its data is this struct.
    clap: clap_plugin,
    /// Who made it.
    pub(crate) host: Host,
    /// What both threads know.
    pub(crate) shared: Shared,
    /// What the audio thread uses, while the instance is active.
    pub(crate) processor: Exclusive<Option<Processor>>,
    /// Frames that it sounds after its last note; 0 while it is not active.
    tail: AtomicU32,
    /// Frames by which it is late; 0 while it is not active.
    latency: AtomicU32,
}

// SAFETY: `clap` is never written after it was made, and the rest is.
unsafe impl Sync for Plugin {}

impl Plugin {
    /// An instance whose functions are those of `clap`, and which [`Plugin::destroy`] frees.
    pub(crate) fn create(clap: clap_plugin, host: Host, shared: Shared) -> *const clap_plugin {
        let processor = Exclusive::default();
        let [tail, latency] = [0, 0].map(AtomicU32::new);
        let plugin = Box::into_raw(Box::new(Plugin { clap, host, shared, processor, tail, latency }));
        // SAFETY: it was made a moment ago, and nothing else has it yet.
        unsafe {
            (*plugin).clap.plugin_data = plugin.cast();
            &raw const (*plugin).clap
        }
    }

    /// Frees an instance.
    ///
    /// # Safety
    /// The pointer is null, or one of [`Plugin::create`] that is not used any more.
    pub(crate) unsafe fn destroy(plugin: *const clap_plugin) {
        // SAFETY: as this function's.
        unsafe {
            if let Some(clap) = plugin.as_ref() {
                drop(Box::from_raw(clap.plugin_data.cast::<Plugin>()));
            }
        }
    }

    /// Uses the instance behind a pointer of the host. What panics gives `failed`.
    ///
    /// # Safety
    /// The pointer is null, or one of [`Plugin::create`] that was not destroyed.
    pub(crate) unsafe fn with<R>(plugin: *const clap_plugin, failed: R, call: impl FnOnce(&Plugin) -> R) -> R
    where
        R: Copy,
    {
        guarded(failed, || {
            // SAFETY: as this function's.
            let plugin =
                unsafe { plugin.as_ref().and_then(|plugin| plugin.plugin_data.cast::<Plugin>().as_ref()) };
            plugin.map_or(failed, call)
        })
    }

    /// Compiles the song for a rate, and gets ready to play. \[main\]
    pub(crate) fn activate(&self, rate: f64) -> Result<(), String> {
        if !RATES.contains(&rate) {
            return Err(format!("a rate of {rate} frames a second is not between 1 kHz and 1 MHz"));
        }
        let ready = self.shared.song.ready(rate.round() as u32)?;
        let processor = Processor::new(&ready, &self.shared)?;
        self.tail.store(processor.tail(), Ordering::Relaxed);
        self.latency.store(processor.latency(), Ordering::Relaxed);
        self.processor
            .with(|active| *active = Some(processor))
            .ok_or_else(|| "the host activates it while it is processing".into())
    }

    /// Frees what the audio thread used. \[main\]
    pub(crate) fn deactivate(&self) {
        self.tail.store(0, Ordering::Relaxed);
        self.latency.store(0, Ordering::Relaxed);
        drop(self.processor.with(Option::take));
    }

    /// Frames that it sounds after its last note; 0 while it is not active.
    pub(crate) fn tail(&self) -> u32 {
        self.tail.load(Ordering::Relaxed)
    }

    /// Frames by which what it plays is late; 0 while it is not active.
    pub(crate) fn latency(&self) -> u32 {
        self.latency.load(Ordering::Relaxed)
    }

    /// What the audio thread does, if the instance is active and no other thread uses it. \[audio\]
    pub(crate) fn on_audio_thread<R>(&self, call: impl FnOnce(&mut Processor) -> R) -> Option<R> {
        self.processor.with(|active| active.as_mut().map(call)).flatten()
    }
}
