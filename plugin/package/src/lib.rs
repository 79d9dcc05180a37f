//! A song as one block of bytes, for programs that are built without a toolchain: a prebuilt plug-in with a song behind it.
//!
//! * [`Manifest`]: what a host asks before anything is compiled: name, parameters, ports. It stands first and is checked by
//!   itself, so that a scan reads a few kilobytes and compiles nothing;
//! * [`Package`]: the manifest with all files that the song names; how it is appended to a file and found there;
//! * [`PackedFiles`]: the files as a [`Loader`](mam_compiler::files::Loader) of the compiler;
//! * [`sound`]: samples of a sound file, as a song may name it.
//!
//! Whatever the bytes are, reading them ends in a package or in a [`Damage`], with memory bounded by their number.

#![forbid(unsafe_code)]

mod files;
mod manifest;
mod package;
pub mod sound;

pub use files::{PackedFiles, listing};
pub use manifest::{MOST_CHANNELS, Manifest, NotePort, Param, ParamClash, Scale, Settings};
pub use package::{Damage, Opened, Package, RESOURCE};
