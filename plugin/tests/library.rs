//! The library itself, as a host finds it: as a file with a song behind it, with none, and with a damaged one.

use clap_sys::entry::clap_plugin_entry;
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use libloading::Library;
use mam_package::{Package, Settings};
use mamc::output::Inputs;
use mamc::packing::{Identity, pack, shell, write_bundle, write_plugin};
use std::ffi::{CStr, CString};
use std::fs;
use std::path::Path;

/// What a scan sees: the names of the plug-ins, or nothing where the library refuses.
fn scan(library: &Path, path: &Path) -> Option<Vec<String>> {
    // SAFETY: the library is this project's, and its entry is of this type.
    unsafe {
        let library = Library::new(library).expect("it can be loaded");
        let entry = *library.get::<*const clap_plugin_entry>(b"clap_entry").expect("it has an entry");
        let path = CString::new(path.to_str().unwrap()).unwrap();
        if !(*entry).init.unwrap()(path.as_ptr()) {
            return None;
        }
        let factory =
            (*entry).get_factory.unwrap()(CLAP_PLUGIN_FACTORY_ID.as_ptr()).cast::<clap_plugin_factory>();
        assert!((*entry).get_factory.unwrap()(c"another".as_ptr()).is_null());
        let count = (*factory).get_plugin_count.unwrap()(factory);
        let name = |index| {
            let descriptor = (*factory).get_plugin_descriptor.unwrap()(factory, index);
            let text = |text| CStr::from_ptr(text).to_str().unwrap().to_string();
            format!("{} {}", text((*descriptor).id), text((*descriptor).name))
        };
        let names = (0..count).map(name).collect();
        (*entry).deinit.unwrap()();
        // It stays loaded: what a test process has loaded once it keeps.
        std::mem::forget(library);
        Some(names)
    }
}

fn package(text: &str) -> Package {
    let song = mamc::input::Song::of_text("test.mam", text);
    let identity = Identity { name: "Deep Pad".into(), ..Identity::default() };
    pack(&song, false, Settings::default(), identity).unwrap()
}

#[test]
fn a_library_offers_the_song_behind_it_and_refuses_what_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let shell = shell().expect("the library is built with this test");
    let package = package("pad = sub()\nout = pad\n");
    let path = |name: &str| folder.path().join(name);
    write_plugin(&path("whole.clap"), &shell, &package, &Inputs::default()).unwrap();
    // The code does not matter to what is found behind it, so a few bytes stand for it.
    let bytes = [&b"code"[..], &package.to_bytes()].concat();
    let refused = |name: &str, bytes: &[u8]| {
        fs::write(path(name), bytes).unwrap();
        assert_eq!(scan(&path("whole.clap"), &path(name)), None, "{name}");
    };
    refused("empty.clap", b"");
    refused("code alone.clap", b"code");
    refused("cut.clap", &bytes[..bytes.len() - 100]);
    for at in [4, 20, bytes.len() - 30, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        refused(&format!("damaged at {at}.clap"), &damaged);
    }
    assert_eq!(scan(&path("whole.clap"), &path("nowhere.clap")), None);
    assert_eq!(scan(&path("whole.clap"), &path("whole.clap")).unwrap(), ["mam.deep-pad Deep Pad"]);
}

#[test]
fn a_bundle_has_its_song_among_its_resources() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("Pad.clap");
    let code = fs::read(shell().unwrap()).unwrap();
    write_bundle(&bundle, &code, &package("pad = sub()\nout = pad\n"), &Inputs::default()).unwrap();
    let list = fs::read_to_string(bundle.join("Contents/Info.plist")).unwrap();
    assert!(list.contains("<string>mam.deep-pad</string>"), "{list}");
    // A host of macOS gives the bundle's path.
    assert_eq!(scan(&bundle.join("Contents/MacOS/plugin"), &bundle).unwrap(), ["mam.deep-pad Deep Pad"]);
}

/// All bytes of the code stay as they were built, so that a signature of them holds.
#[test]
fn the_code_is_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let (shell, target) = (shell().unwrap(), folder.path().join("x.clap"));
    write_plugin(&target, &shell, &package("out = 0\n"), &Inputs::default()).unwrap();
    assert!(fs::read(&target).unwrap().starts_with(&fs::read(&shell).unwrap()));
    let protected = Inputs::new([shell.as_path()]);
    assert!(write_plugin(&shell, &shell, &package("out = 0\n"), &protected).is_err(), "never over the shell");
}
