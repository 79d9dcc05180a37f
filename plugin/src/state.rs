//! What a host saves with its project: all parameters, as text.
//!
//! ```text
//! mam 1 <hash of the song>
//! <path> <the bits of its value in base units, 16 hexadecimal digits>
//! ```
//! What stands there of parameters that the song no longer has is passed over; a text of another form is refused as a whole.

use crate::plugin::Plugin;
use crate::song::Song;
use clap_sys::ext::params::{CLAP_EXT_PARAMS, CLAP_PARAM_RESCAN_VALUES, clap_host_params};
use clap_sys::ext::state::clap_plugin_state;
use clap_sys::plugin::clap_plugin;
use clap_sys::stream::{clap_istream, clap_ostream};
use std::ffi::c_void;
use std::fmt::Write;

/// What a host calls.
pub(crate) static STATE: clap_plugin_state = clap_plugin_state { save: Some(save), load: Some(load) };

/// Bytes that a state may have at most.
const MOST_BYTES: usize = 16 << 20;
/// How the first line begins: the form and its version.
const FORM: &str = "mam 1 ";

/// The values of a song as text; `value` gives those of its parameters.
fn text(song: &Song, value: impl Fn(usize) -> f64) -> String {
    let mut text = format!("{FORM}{}\n", song.hash);
    for (index, param) in song.manifest.params.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{} {:016x}", param.path, value(index).to_bits());
    }
    text
}

/// The parameters of a song that a text has, with their values in base units; `None` for what is no state.
fn read(song: &Song, text: &str) -> Option<Vec<(usize, f64)>> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    let hash = lines.next()?.strip_prefix(FORM)?;
    if hash.len() != song.hash.len() || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut values = vec![];
    for line in lines {
        let (path, bits) = line.rsplit_once(' ')?;
        if path.is_empty() || bits.len() != 16 || !bits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let value = f64::from_bits(u64::from_str_radix(bits, 16).ok()?);
        if !value.is_finite() {
            return None;
        }
        if let Some(index) = song.manifest.params.iter().position(|param| param.path == path) {
            let param = &song.manifest.params[index];
            values.push((index, value.clamp(param.min, param.max)));
        }
    }
    Some(values)
}

unsafe extern "C" fn save(plugin: *const clap_plugin, stream: *const clap_ostream) -> bool {
    let save = |plugin: &Plugin| {
        let text = text(&plugin.shared.song, |index| plugin.shared.values.get(index));
        let mut rest = text.as_bytes();
        // SAFETY: null, or the host's for as long as the call; it takes at most as many bytes as there are.
        unsafe {
            let Some(write) = stream.as_ref().and_then(|stream| stream.write) else { return false };
            while !rest.is_empty() {
                let written = write(stream, rest.as_ptr().cast(), rest.len() as u64);
                match usize::try_from(written) {
                    Ok(written) if written > 0 && written <= rest.len() => rest = &rest[written..],
                    _ => return false,
                }
            }
        }
        true
    };
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, false, save) }
}

/// All bytes of a stream; `None` where it fails, or has more than a state can have.
///
/// # Safety
/// The stream is null, or the host's for as long as the call.
unsafe fn read_all(stream: *const clap_istream) -> Option<Vec<u8>> {
    let (mut all, mut part) = (vec![], [0_u8; 4096]);
    // SAFETY: as this function's; the part has so much room.
    unsafe {
        let read = stream.as_ref()?.read?;
        loop {
            let count = read(stream, part.as_mut_ptr().cast::<c_void>(), part.len() as u64);
            match usize::try_from(count) {
                Ok(0) => return Some(all),
                Ok(count) if count <= part.len() && all.len() + count <= MOST_BYTES => {
                    all.extend_from_slice(&part[..count]);
                }
                _ => return None,
            }
        }
    }
}

unsafe extern "C" fn load(plugin: *const clap_plugin, stream: *const clap_istream) -> bool {
    let load = |plugin: &Plugin| {
        // SAFETY: the host's stream.
        let text = unsafe { read_all(stream) }.and_then(|all| String::from_utf8(all).ok());
        let Some(values) = text.and_then(|text| read(&plugin.shared.song, &text)) else { return false };
        plugin.shared.values.load(&values);
        // SAFETY: the type is that of the extension.
        unsafe {
            if let Some((host, params)) = plugin.host.extension::<clap_host_params>(CLAP_EXT_PARAMS)
                && let Some(rescan) = params.rescan
            {
                rescan(host, CLAP_PARAM_RESCAN_VALUES);
            }
        }
        true
    };
    // SAFETY: the host's instance.
    unsafe { Plugin::with(plugin, false, load) }
}
