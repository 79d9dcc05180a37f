//! Where sound and notes go in and out.

use crate::ffi::put;
use crate::plugin::Plugin;
use clap_sys::ext::audio_ports::{
    CLAP_AUDIO_PORT_IS_MAIN, CLAP_PORT_MONO, CLAP_PORT_STEREO, clap_audio_port_info, clap_plugin_audio_ports,
};
use clap_sys::ext::note_ports::{
    CLAP_NOTE_DIALECT_CLAP, CLAP_NOTE_DIALECT_MIDI, clap_note_port_info, clap_plugin_note_ports,
};
use clap_sys::id::CLAP_INVALID_ID;
use clap_sys::plugin::clap_plugin;
use std::ptr;

/// One output, and one input where the song uses `in`.
pub(crate) static AUDIO: clap_plugin_audio_ports =
    clap_plugin_audio_ports { count: Some(audio_count), get: Some(audio_get) };

/// An input for each instrument of the song.
pub(crate) static NOTES: clap_plugin_note_ports =
    clap_plugin_note_ports { count: Some(note_count), get: Some(note_get) };

/// The ids of the audio ports.
const OUTPUT: u32 = 0;
const INPUT: u32 = 1;

fn channels(plugin: &Plugin, is_input: bool) -> usize {
    let manifest = &plugin.shared.song.manifest;
    if is_input { manifest.inputs } else { manifest.channels }
}

unsafe extern "C" fn audio_count(plugin: *const clap_plugin, is_input: bool) -> u32 {
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, 0, |plugin| u32::from(channels(plugin, is_input) > 0)) }
}

unsafe extern "C" fn audio_get(
    plugin: *const clap_plugin,
    index: u32,
    is_input: bool,
    into: *mut clap_audio_port_info,
) -> bool {
    let get = |plugin: &Plugin| {
        let channels = channels(plugin, is_input);
        if index > 0 || channels == 0 {
            return false;
        }
        let mut info = clap_audio_port_info {
            id: if is_input { INPUT } else { OUTPUT },
            name: [0; _],
            flags: CLAP_AUDIO_PORT_IS_MAIN,
            channel_count: channels as u32,
            port_type: match channels {
                1 => CLAP_PORT_MONO.as_ptr(),
                2 => CLAP_PORT_STEREO.as_ptr(),
                _ => ptr::null(),
            },
            in_place_pair: CLAP_INVALID_ID,
        };
        put(&mut info.name, if is_input { "in" } else { "out" });
        // SAFETY: the host's, to be written.
        unsafe { into.write(info) };
        true
    };
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, false, get) }
}

unsafe extern "C" fn note_count(plugin: *const clap_plugin, is_input: bool) -> u32 {
    let count = |plugin: &Plugin| plugin.shared.song.manifest.note_ports.len() as u32;
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, 0, |plugin| if is_input { count(plugin) } else { 0 }) }
}

unsafe extern "C" fn note_get(
    plugin: *const clap_plugin,
    index: u32,
    is_input: bool,
    into: *mut clap_note_port_info,
) -> bool {
    let get = |plugin: &Plugin| {
        let port = plugin.shared.song.manifest.note_ports.get(index as usize).filter(|_| is_input);
        let Some(port) = port else { return false };
        let mut info = clap_note_port_info {
            id: port.id,
            supported_dialects: CLAP_NOTE_DIALECT_CLAP | CLAP_NOTE_DIALECT_MIDI,
            preferred_dialect: CLAP_NOTE_DIALECT_CLAP,
            name: [0; _],
        };
        put(&mut info.name, &port.name);
        // SAFETY: the host's, to be written.
        unsafe { into.write(info) };
        true
    };
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, false, get) }
}
