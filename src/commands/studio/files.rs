//! What the page is made of.

use crate::console::Console;
use crate::failure::Failure;
use crate::output::{Inputs, Output, create_folder};
use std::io::Write;
use std::path::Path;

/// The files of `studio/dist`, as they were when `mamc` was built.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/studio_files.rs"));

/// The last of what `studio/build` makes: without it the page has no compiler and no engine of its own.
const WASM: &str = "operands.wasm";

/// A file of the page's, by its name.
pub(super) fn find(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}

/// The media type of a file, by the end of its name.
pub(super) fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

/// Writes the page into a folder.
pub(super) fn export(folder: &Path, console: Console) -> Result<(), Failure> {
    if find(WASM).is_none() {
        return Err(Failure::Io(format!(
            "this mamc was built without the page's WebAssembly (`{WASM}`): `bash studio/build` in mam's source makes it, \
             and the next `cargo build` takes it in"
        )));
    }
    create_folder(folder)?;
    for (name, bytes) in FILES {
        let path = folder.join(name);
        let mut output = Output::create(&path, &Inputs::default())?;
        output.write_all(bytes).map_err(|e| Failure::write(&path, &e))?;
        output.finish()?;
    }
    console.result(&format!("{} files in {}\n", FILES.len(), folder.display()))
}
