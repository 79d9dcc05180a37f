//! `mamc import`: the notes of a MIDI file as a song.

use crate::console::Console;
use crate::failure::Failure;
use crate::input;
use crate::output::{Inputs, write_text};
use clap::Args;
use mam_compiler::score::import::import;
use std::path::PathBuf;

/// Convert a MIDI file to a song
#[derive(Args, Debug)]
pub struct Import {
    /// The MIDI file
    file: PathBuf,
    /// Write the song to this file [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Import {
    /// Runs the command and writes its result to standard output or into files.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let bytes = input::file_bytes(&self.file)?;
        let name = self.file.display();
        let song = import(&bytes).map_err(|why| Failure::WrongInput(format!("`{name}`: {why}")))?;
        for remark in &song.remarks {
            console.say(&format!("warning: `{name}`: {remark}\n"));
        }
        match self.output.as_deref() {
            None => console.exact(&song.text),
            Some(path) if input::is_stdin(path) => console.exact(&song.text),
            Some(path) => write_text(path, &song.text, &Inputs::new([self.file.as_path()])),
        }
    }
}
