//! `mamc new`: a song to begin with.

use crate::console::Console;
use crate::failure::Failure;
use clap::Args;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A whole song: drums, a bass line, chords, sections, an effect.
const STARTER: &str = include_str!("starter.mam");

/// Write a song to begin with
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
        let file = match self.file.extension().and_then(|ending| ending.to_str()) {
            Some("mam") => self.file,
            None if self.file.file_name().is_some() => self.file.with_extension("mam"),
            _ => {
                let words =
                    format!("`{}` is not the name of a .mam file, such as beat.mam", self.file.display());
                return Err(Failure::Usage(words));
            }
        };
        write_new(&file)?;
        console.say(&format!("wrote {0}; `mamc play {0}` plays it\n", file.display()));
        Ok(())
    }
}

/// Writes the starter into a file that was not there.
fn write_new(path: &Path) -> Result<(), Failure> {
    let mut file = File::create_new(path).map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => Failure::Usage(format!(
            "`{}` is there already, and is left as it is: give the new song another name",
            path.display()
        )),
        _ => Failure::write(path, &e),
    })?;
    let text = STARTER.replace("THIS_FILE", &path.file_name().unwrap_or_default().to_string_lossy());
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| {
        // It is ours, and not whole.
        let _ = fs::remove_file(path);
        Failure::write(path, &e)
    })
}
