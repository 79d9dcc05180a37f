//! The library's one symbol, and what it offers: one plug-in, the song that stands behind it.

use crate::ffi::{c_string, guarded, text};
use crate::lifecycle;
use crate::song::Song;
use clap_sys::entry::clap_plugin_entry;
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::host::clap_host;
use clap_sys::plugin::{clap_plugin, clap_plugin_descriptor};
use clap_sys::version::{CLAP_VERSION, clap_version_is_compatible};
use std::ffi::{CString, c_char, c_void};
use std::path::Path;
use std::ptr;
use std::sync::{Arc, OnceLock};

/// What a host looks for in the library.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "CLAP's name")]
#[allow(unreachable_pub, reason = "hosts find it by its symbol")]
pub static clap_entry: clap_plugin_entry = clap_plugin_entry {
    clap_version: CLAP_VERSION,
    init: Some(init),
    deinit: Some(deinit),
    get_factory: Some(get_factory),
};

/// The song, once it was found.
static LOADED: OnceLock<Loaded> = OnceLock::new();

/// A song with its descriptor, whose pointers lead into the texts beside it.
struct Loaded {
    song: Arc<Song>,
    descriptor: clap_plugin_descriptor,
    _texts: Vec<CString>,
    _features: Vec<*const c_char>,
}

// SAFETY: nothing that the pointers lead to is written after it was made.
unsafe impl Send for Loaded {}
// SAFETY: as for Send.
unsafe impl Sync for Loaded {}

impl Loaded {
    fn new(song: Song) -> Loaded {
        let manifest = &song.manifest;
        let description = format!("{}, a song compiled by mamc", manifest.name);
        let [id, name, vendor, version, description, none] =
            [&manifest.id, &manifest.name, "mam", &manifest.version, &description, ""].map(c_string);
        let features: Vec<CString> = manifest.features.iter().map(|feature| c_string(feature)).collect();
        let feature_list: Vec<_> = features.iter().map(|f| f.as_ptr()).chain([ptr::null()]).collect();
        let descriptor = clap_plugin_descriptor {
            clap_version: CLAP_VERSION,
            id: id.as_ptr(),
            name: name.as_ptr(),
            vendor: vendor.as_ptr(),
            url: none.as_ptr(),
            manual_url: none.as_ptr(),
            support_url: none.as_ptr(),
            version: version.as_ptr(),
            description: description.as_ptr(),
            features: feature_list.as_ptr(),
        };
        // Moved, not cloned: the pointers lead to these very bytes.
        let texts = [id, name, vendor, version, description, none].into_iter().chain(features).collect();
        Loaded { song: Arc::new(song), descriptor, _texts: texts, _features: feature_list }
    }
}

/// Finds the song; false where there is none or it is damaged, which is told on standard error, as a host's scan shows that.
unsafe extern "C" fn init(path: *const c_char) -> bool {
    guarded(false, || {
        if LOADED.get().is_some() {
            return true;
        }
        // SAFETY: null, or a text of the host.
        let Some(path) = (unsafe { text(path) }).and_then(|path| path.to_str().ok()) else { return false };
        match Song::open(Path::new(path)) {
            Ok(song) => {
                LOADED.get_or_init(|| Loaded::new(song));
                true
            }
            Err(damage) => {
                report(&format!("{path}: {damage}"));
                false
            }
        }
    })
}

#[allow(clippy::print_stderr, reason = "CLAP gives no other way to say why a library cannot be used")]
fn report(message: &str) {
    eprintln!("{message}");
}

/// Frees what compiling has made. The descriptor stays, as a host may call `init` again.
unsafe extern "C" fn deinit() {
    guarded((), || {
        if let Some(loaded) = LOADED.get() {
            loaded.song.forget_program();
        }
    });
}

unsafe extern "C" fn get_factory(id: *const c_char) -> *const c_void {
    guarded(ptr::null(), || {
        // SAFETY: null, or a text of the host.
        match unsafe { text(id) } {
            Some(id) if id == CLAP_PLUGIN_FACTORY_ID && LOADED.get().is_some() => (&raw const FACTORY).cast(),
            _ => ptr::null(),
        }
    })
}

static FACTORY: clap_plugin_factory = clap_plugin_factory {
    get_plugin_count: Some(plugin_count),
    get_plugin_descriptor: Some(descriptor),
    create_plugin: Some(create_plugin),
};

unsafe extern "C" fn plugin_count(_: *const clap_plugin_factory) -> u32 {
    u32::from(LOADED.get().is_some())
}

unsafe extern "C" fn descriptor(_: *const clap_plugin_factory, index: u32) -> *const clap_plugin_descriptor {
    match LOADED.get() {
        Some(loaded) if index == 0 => &raw const loaded.descriptor,
        _ => ptr::null(),
    }
}

unsafe extern "C" fn create_plugin(
    _: *const clap_plugin_factory,
    host: *const clap_host,
    id: *const c_char,
) -> *const clap_plugin {
    guarded(ptr::null(), || {
        // SAFETY: null, or the host's.
        let (Some(host), Some(id)) = (unsafe { (host.as_ref(), text(id)) }) else { return ptr::null() };
        let Some(loaded) = LOADED.get() else { return ptr::null() };
        if id.to_str() != Ok(&loaded.song.manifest.id) || !clap_version_is_compatible(host.clap_version) {
            return ptr::null();
        }
        // SAFETY: a host outlives its instances.
        unsafe { lifecycle::create(loaded.song.clone(), &raw const loaded.descriptor, host) }
    })
}
