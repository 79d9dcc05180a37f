//! What a host does with an instance, as C functions; and which extensions there are.

use crate::controls::Values;
use crate::ffi::{Host, guarded, text};
use crate::plugin::Plugin;
use crate::processor::Shared;
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

/// A new instance of a song for a host, which destroys it by its own function.
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
    // SAFETY: as this function's.
    Plugin::create(clap, unsafe { Host::new(host) }, Shared { song, values })
}

unsafe extern "C" fn init(_: *const clap_plugin) -> bool {
    true
}

unsafe extern "C" fn destroy(plugin: *const clap_plugin) {
    // SAFETY: the host destroys what was created, once.
    guarded((), || unsafe { Plugin::destroy(plugin) });
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
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, (), Plugin::deactivate) }
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
    unsafe { Plugin::with(plugin, 0, Plugin::tail) }
}

static LATENCY: clap_plugin_latency = clap_plugin_latency { get: Some(latency) };

/// What the song declares; blocks are rendered when they are asked for. A host asks again each time it has activated it.
unsafe extern "C" fn latency(plugin: *const clap_plugin) -> u32 {
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, 0, Plugin::latency) }
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
