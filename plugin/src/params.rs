//! Parameters, as a host asks for them on its main thread.

use crate::events::{HostEvents, Request};
use crate::ffi::{put, text};
use crate::plugin::Plugin;
use clap_sys::events::{clap_input_events, clap_output_events};
use clap_sys::ext::params::{
    CLAP_PARAM_IS_AUTOMATABLE, CLAP_PARAM_IS_MODULATABLE, CLAP_PARAM_IS_STEPPED, clap_param_info,
    clap_plugin_params,
};
use clap_sys::id::clap_id;
use clap_sys::plugin::clap_plugin;
use mam_package::{Param, Scale};
use std::ffi::c_char;

/// What a host calls.
pub(crate) static PARAMS: clap_plugin_params = clap_plugin_params {
    count: Some(count),
    get_info: Some(info),
    get_value: Some(value),
    value_to_text: Some(value_to_text),
    text_to_value: Some(text_to_value),
    flush: Some(flush),
};

/// What is said of a parameter: its module is the path before the last dot, its name what follows.
fn describe(param: &Param) -> clap_param_info {
    let steps = if param.scale == Scale::Steps { CLAP_PARAM_IS_STEPPED } else { 0 };
    let [min_value, max_value, default_value] = param.host_range();
    let mut info = clap_param_info {
        id: param.id,
        flags: CLAP_PARAM_IS_AUTOMATABLE | CLAP_PARAM_IS_MODULATABLE | steps,
        cookie: std::ptr::null_mut(),
        name: [0; _],
        module: [0; _],
        min_value,
        max_value,
        default_value,
    };
    let (module, name) = param.path.rsplit_once('.').unwrap_or(("", &param.path));
    put(&mut info.name, name);
    put(&mut info.module, &module.replace('.', "/"));
    info
}

impl Plugin {
    /// The parameter with an id, and its index.
    fn param(&self, id: clap_id) -> Option<(usize, &Param)> {
        let song = &self.shared.song;
        song.param(id).map(|index| (index, &song.manifest.params[index]))
    }
}

unsafe extern "C" fn count(plugin: *const clap_plugin) -> u32 {
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, 0, |plugin| plugin.shared.song.manifest.params.len() as u32) }
}

unsafe extern "C" fn info(plugin: *const clap_plugin, index: u32, into: *mut clap_param_info) -> bool {
    let get = |plugin: &Plugin| {
        let Some(param) = plugin.shared.song.manifest.params.get(index as usize) else { return false };
        // SAFETY: the host's, to be written.
        unsafe { into.write(describe(param)) };
        true
    };
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, false, get) }
}

unsafe extern "C" fn value(plugin: *const clap_plugin, id: clap_id, into: *mut f64) -> bool {
    let get = |plugin: &Plugin| {
        let Some((index, param)) = plugin.param(id) else { return false };
        // SAFETY: the host's, to be written.
        unsafe { into.write(param.to_host(plugin.shared.values.get(index))) };
        true
    };
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, false, get) }
}

unsafe extern "C" fn value_to_text(
    plugin: *const clap_plugin,
    id: clap_id,
    value: f64,
    into: *mut c_char,
    room: u32,
) -> bool {
    let show = |plugin: &Plugin| {
        let Some((_, param)) = plugin.param(id) else { return false };
        let Some(value) = param.from_host(value).filter(|_| room > 0 && !into.is_null()) else {
            return false;
        };
        // SAFETY: the host's, with so much room.
        put(unsafe { std::slice::from_raw_parts_mut(into, room as usize) }, &param.show(value));
        true
    };
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, false, show) }
}

unsafe extern "C" fn text_to_value(
    plugin: *const clap_plugin,
    id: clap_id,
    written: *const c_char,
    into: *mut f64,
) -> bool {
    let read = |plugin: &Plugin| {
        // SAFETY: null, or a text of the host.
        let written = unsafe { text(written) }.and_then(|written| written.to_str().ok());
        let value = written
            .zip(plugin.param(id))
            .and_then(|(written, (_, param))| param.read(written).map(|value| param.to_host(value)));
        let Some(value) = value else { return false };
        // SAFETY: the host's, to be written.
        unsafe { into.write(value) };
        true
    };
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, false, read) }
}

/// On the audio thread while the instance is active, else on the main thread.
unsafe extern "C" fn flush(
    plugin: *const clap_plugin,
    events: *const clap_input_events,
    out: *const clap_output_events,
) {
    let flush = |plugin: &Plugin| {
        let shared = &plugin.shared;
        plugin.processor.with(|active| match active {
            // SAFETY: the lists are the host's for as long as the call.
            Some(processor) => unsafe { processor.flush(shared, events, out) },
            None => {
                // SAFETY: as above.
                for event in unsafe { HostEvents::new(events) }.iter() {
                    if let Some(Request::Set(id, value)) = event.request()
                        && let Some((index, _)) = plugin.param(id)
                    {
                        shared.values.set_by_host(&shared.song, index, value);
                    }
                }
            }
        });
    };
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, (), flush) }
}
