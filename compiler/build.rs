//! Says which texts of the prelude are taken in: for WebAssembly, which is sent over a network, those without what only tests need.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[path = "src/prelude/brief.rs"]
mod brief;

fn main() -> io::Result<()> {
    let of = |name: &str| env::var(name).expect("cargo sets it");
    let whole = Path::new(&of("CARGO_MANIFEST_DIR")).join("prelude");
    for changed in ["build.rs", "src/prelude/brief.rs", "prelude"] {
        println!("cargo:rerun-if-changed={changed}");
    }
    let taken = if of("CARGO_CFG_TARGET_FAMILY").contains("wasm") {
        let to = PathBuf::from(of("OUT_DIR")).join("prelude");
        shorten(&whole, &to)?;
        to
    } else {
        whole
    };
    println!("cargo:rustc-env=MAM_PRELUDE={}", taken.display());
    Ok(())
}

/// Writes the brief form of each text in a folder, and in the folders inside it.
fn shorten(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let from = entry?.path();
        let to = to.join(from.file_name().unwrap_or_default());
        if from.is_dir() {
            shorten(&from, &to)?;
        } else {
            fs::write(to, brief::brief(&fs::read_to_string(from)?))?;
        }
    }
    Ok(())
}
