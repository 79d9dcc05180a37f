//! Lists the files of the studio's page that there are, for `mamc studio` to serve: what `studio/build` makes may be missing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let from = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("studio/dist");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", from.display());
    let mut files: Vec<PathBuf> =
        fs::read_dir(&from).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    let mut list = String::from("&[\n");
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        println!("cargo:rerun-if-changed={}", path.display());
        writeln!(list, "    ({name:?}, include_bytes!({:?})),", path.display().to_string())
            .expect("memory takes it");
    }
    list.push(']');
    let to = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("studio_files.rs");
    fs::write(to, list).expect("cargo's folder can be written");
}
