//! `mamc studio`: the page in which a song is written and heard.
//!
//! * [`files`]: what the page is made of, embedded when `mamc` was built;
//! * [`midi`]: what listens to MIDI;
//! * [`server`]: requests of the browser, and which of them are refused;
//! * [`session`]: the song on disk, its program, the device;
//! * [`sound`]: what the device has played, for the page's pictures.

mod files;
mod midi;
mod server;
mod session;
mod sound;

use crate::console::Console;
use crate::failure::Failure;
use crate::output;
use clap::Args;
use std::path::PathBuf;

/// Write a song in a page of the browser, and hear it meanwhile
///
/// The page is served to this machine alone, at the address that is printed. The sound is the native engine's. What is
/// written in the page is written to the song's file, and edits of the file by another program show in the page.
/// docs/studio.md says more.
#[derive(Args, Debug)]
pub struct Studio {
    /// The song; it is made if it is not there
    #[arg(value_name = "SONG", required_unless_present = "export")]
    song: Option<PathBuf>,
    /// Write the page as a folder that any web server can serve, with compiler and engine as WebAssembly
    #[arg(long, value_name = "DIR", conflicts_with_all = ["song", "port", "backend", "midi", "midi_to", "record"])]
    export: Option<PathBuf>,
    /// Listen on this port of 127.0.0.1 [default: one that is free]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Use this backend; `mamc devices` lists those that work [default: the best of them]
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
    /// Listen to MIDI: to all ports, or to those whose name contains this. Knobs with a `cc` are turned by that
    /// controller
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    midi: Option<String>,
    /// Play this instrument with the notes that MIDI sends
    #[arg(long, value_name = "INSTRUMENT")]
    midi_to: Option<String>,
    /// Also record what is played into a new file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

impl Studio {
    /// Serves until Ctrl-C, or writes the page into a folder.
    ///
    /// # Errors
    /// When the song cannot be read or made, the port is taken, or the folder cannot be written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        if let Some(folder) = self.export {
            return files::export(&folder, console);
        }
        let Some(song) = self.song else { return Err(Failure::Usage("which song?".into())) };
        output::stop_gently_on_interrupt();
        let midi = midi::MidiInput::open(midi::Asked { listen: self.midi, to: self.midi_to })?;
        let session = session::Session::open(song, self.backend.as_deref(), midi, self.record)?;
        server::serve(session, self.port.unwrap_or(0), console)
    }
}
