//! An instance of the plug-in, and what a host does with it.

use crate::controls::Values;
use crate::exclusive::Exclusive;
use crate::ffi::{Host, guarded, text};
use crate::processor::{Processor, Shared};
use crate::song::Song;
use crate::{params, ports, state};
use clap_sys::ext::latency::{CLAP_EXT_LATENCY, clap_plugin_latency};
use clap_sys::ext::render::{CLAP_EXT_RENDER, clap_plugin_render, clap_plugin_render_mode};
use clap_sys::ext::tail::{CLAP_EXT_TAIL, clap_plugin_tail};
use clap_sys::ext::{audio_ports, note_ports, params as clap_params, state as clap_state};
use clap_sys::host::clap_host;
use clap_sys::plugin::{clap_plugin, clap_plugin_descriptor};
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process, clap_process_status};
use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;
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
}

// SAFETY: `clap` is never written after it was made, and the rest is.
unsafe impl Sync for Plugin {}

impl Plugin {
    /// A new instance for a host, which [`destroy`] frees.
    ///
    /// # Safety
    /// The host outlives the instance.
    pub(crate) unsafe fn create(
        song: Arc<Song>,
        desc: *const clap_plugin_descriptor,
        host: *const clap_host,
    ) -> *const clap_plugin {
        let clap = clap_plugin {
            desc,
            plugin_data: ptr::null_mut(),
            init: Some(init),
            destroy: Some(destroy),
            activate: Some(activate),
            deactivate: Some(deactivate),
            start_processing: Some(start_processing),
            stop_processing: Some(stop_processing),
            reset: Some(reset),
            process: Some(process),
            get_extension: Some(get_extension),
            on_main_thread: Some(on_main_thread),
        };
        let values = Values::new(&song);
        let plugin = Box::into_raw(Box::new(Plugin {
            clap,
            // SAFETY: as this function's.
            host: unsafe { Host::new(host) },
            shared: Shared { song, values },
            processor: Exclusive::default(),
            tail: AtomicU32::new(0),
        }));
        // SAFETY: it was made a moment ago, and nothing else has it yet.
        unsafe {
            (*plugin).clap.plugin_data = plugin.cast();
            &raw const (*plugin).clap
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
    fn activate(&self, rate: f64) -> Result<(), String> {
        if !RATES.contains(&rate) {
            return Err(format!("a rate of {rate} frames a second is not between 1 kHz and 1 MHz"));
        }
        let program = self.shared.song.program(rate.round() as u32)?;
        let processor = Processor::new(program, &self.shared)?;
        self.tail.store(processor.tail(), Ordering::Relaxed);
        self.processor
            .with(|active| *active = Some(processor))
            .ok_or_else(|| "the host activates it while it is processing".into())
    }

    /// What the audio thread does, if the instance is active and no other thread uses it. \[audio\]
    fn on_audio_thread<R>(&self, call: impl FnOnce(&mut Processor) -> R) -> Option<R> {
        self.processor.with(|active| active.as_mut().map(call)).flatten()
    }
}

unsafe extern "C" fn init(_: *const clap_plugin) -> bool {
    true
}

unsafe extern "C" fn destroy(plugin: *const clap_plugin) {
    guarded((), || {
        // SAFETY: the host destroys what was created, once.
        unsafe {
            if let Some(clap) = plugin.as_ref() {
                drop(Box::from_raw(clap.plugin_data.cast::<Plugin>()));
            }
        }
    });
}

unsafe extern "C" fn activate(plugin: *const clap_plugin, rate: f64, _: u32, _: u32) -> bool {
    let activate = |plugin: &Plugin| match plugin.activate(rate) {
        Ok(()) => true,
        Err(why) => {
            plugin.host.report(&why);
            false
        }
    };
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, false, activate) }
}

unsafe extern "C" fn deactivate(plugin: *const clap_plugin) {
    let deactivate = |plugin: &Plugin| {
        plugin.tail.store(0, Ordering::Relaxed);
        let active = plugin.processor.with(Option::take);
        drop(active);
    };
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, (), deactivate) }
}

unsafe extern "C" fn start_processing(plugin: *const clap_plugin) -> bool {
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, false, |plugin| plugin.on_audio_thread(|_| ()).is_some()) }
}

unsafe extern "C" fn stop_processing(_: *const clap_plugin) {}

unsafe extern "C" fn reset(plugin: *const clap_plugin) {
    // SAFETY: the host's instance.
    unsafe {
        Plugin::with(plugin, (), |plugin| {
            plugin.on_audio_thread(|processor| processor.reset(&plugin.shared));
        });
    }
}

unsafe extern "C" fn process(
    plugin: *const clap_plugin,
    process: *const clap_process,
) -> clap_process_status {
    let render = |plugin: &Plugin| {
        // SAFETY: null, or the host's for as long as the call.
        let rendered = unsafe { process.as_ref() }.and_then(|process| {
            // SAFETY: all that it leads to is the host's for as long as the call.
            plugin.on_audio_thread(|processor| unsafe { processor.process(&plugin.shared, process) })
        });
        rendered.unwrap_or(CLAP_PROCESS_ERROR)
    };
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, CLAP_PROCESS_ERROR, render) }
}

unsafe extern "C" fn get_extension(_: *const clap_plugin, id: *const c_char) -> *const c_void {
    guarded(ptr::null(), || {
        // SAFETY: null, or a text of the host.
        let Some(id) = (unsafe { text(id) }) else { return ptr::null() };
        let all: [(_, *const c_void); 7] = [
            (clap_params::CLAP_EXT_PARAMS, (&raw const params::PARAMS).cast()),
            (audio_ports::CLAP_EXT_AUDIO_PORTS, (&raw const ports::AUDIO).cast()),
            (note_ports::CLAP_EXT_NOTE_PORTS, (&raw const ports::NOTES).cast()),
            (clap_state::CLAP_EXT_STATE, (&raw const state::STATE).cast()),
            (CLAP_EXT_TAIL, (&raw const TAIL).cast()),
            (CLAP_EXT_LATENCY, (&raw const LATENCY).cast()),
            (CLAP_EXT_RENDER, (&raw const RENDER).cast()),
        ];
        all.iter().find(|(known, _)| *known == id).map_or(ptr::null(), |(_, table)| *table)
    })
}

unsafe extern "C" fn on_main_thread(_: *const clap_plugin) {}

static TAIL: clap_plugin_tail = clap_plugin_tail { get: Some(tail) };

unsafe extern "C" fn tail(plugin: *const clap_plugin) -> u32 {
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, 0, |plugin| plugin.tail.load(Ordering::Relaxed)) }
}

static LATENCY: clap_plugin_latency = clap_plugin_latency { get: Some(latency) };

/// Blocks are rendered when they are asked for, and a song's own delays are part of its sound.
unsafe extern "C" fn latency(_: *const clap_plugin) -> u32 {
    0
}

static RENDER: clap_plugin_render =
    clap_plugin_render { has_hard_realtime_requirement: Some(needs_real_time), set: Some(set_render_mode) };

unsafe extern "C" fn needs_real_time(_: *const clap_plugin) -> bool {
    false
}

/// Both ways have the same bits.
unsafe extern "C" fn set_render_mode(_: *const clap_plugin, _: clap_plugin_render_mode) -> bool {
    true
}
