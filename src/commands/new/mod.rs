//! `mamc new`: a song to begin with.

use crate::console::Console;
use crate::failure::Failure;
use crate::output::write_new;
use clap::Args;
use std::path::{Path, PathBuf};

/// A whole song: drums, a bass line, chords, sections, an effect.
const STARTER: &str = include_str!("starter.mam");

/// Write a song to start from
#[derive(Args, Debug)]
#[command(after_help = "Example: mamc new beat.mam && mamc play beat.mam")]
pub struct New {
    /// The file, which must not be there yet; without an ending it becomes a .mam file. `-`: standard output
    file: PathBuf,
}

impl New {
    /// Runs the command and writes its result to standard output or into files.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        if self.file == Path::new("-") {
            return console.result(STARTER);
        }
        let is_folder = self.file.as_os_str().to_string_lossy().ends_with(std::path::is_separator);
        let named = !is_folder && self.file.file_stem().is_some_and(|stem| stem != ".mam");
        let file = match self.file.extension().and_then(|ending| ending.to_str()) {
            Some("mam") if named => self.file,
            None if named => self.file.with_extension("mam"),
            _ => {
                let words =
                    format!("`{}` is not the name of a .mam file, such as beat.mam", self.file.display());
                return Err(Failure::Usage(words));
            }
        };
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        write_new(&file, &STARTER.replace("THIS_FILE", &name))?;
        console.say(&format!("wrote {0}; `mamc play {0}` plays it\n", file.display()));
        Ok(())
    }
}
