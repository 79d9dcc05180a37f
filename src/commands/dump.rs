//! `mamc dump`: a stage of the compilation as text.

use crate::args::SongArgs;
use crate::compiling::{compile_song, tell};
use crate::console::Console;
use crate::failure::Failure;
use crate::input::Song;
use crate::stages::{names, stage};
use clap::Args;

/// Show a stage of the compilation
///
/// A song with errors is shown as far as it came.
#[derive(Args, Debug)]
pub struct Dump {
    /// ast, graph, ir, opt, plan, events, clif, asm, problems; or a pass: the kernels after it
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(names()))]
    stage: String,
    #[command(flatten)]
    song: SongArgs,
}

impl Dump {
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let song = Song::read(&self.song.input, self.song.how.stdin_name.as_deref())?;
        let compiled = compile_song(song, &self.song.how);
        if self.stage != "problems" {
            tell(&compiled.problems, &compiled.sources, console);
        }
        let text = stage(&self.stage, &compiled, self.song.how.target()).unwrap_or_default();
        console.result(&text)?;
        if compiled.compilation.program.is_none() { Err(Failure::Input) } else { Ok(()) }
    }
}
