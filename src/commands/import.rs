//! `mamc import`: a MIDI file as a song.

use crate::console::Console;
use crate::failure::Failure;
use crate::input;
use clap::Args;
use mam_compiler::score::import::import;
use std::path::PathBuf;

/// Print a song with the notes of a MIDI file
///
/// Notes keep their exact places, lengths and velocities. Instruments of the prelude stand in for the file's own.
#[derive(Args, Debug)]
pub struct Import {
    /// A standard MIDI file
    #[arg(value_name = "FILE.mid")]
    file: PathBuf,
}

impl Import {
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let bytes = input::sound_bytes(&self.file)?;
        let song = import(&bytes);
        console.result(&song.map_err(|e| Failure::NotText(format!("`{}`: {e}", self.file.display())))?)
    }
}
