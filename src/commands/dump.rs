//! `mamc dump`: a stage of the compilation as text.

use crate::args::SongArgs;
use crate::compiling::{compile_song, tell};
use crate::console::Console;
use crate::failure::Failure;
use crate::input::Song;
use crate::offline::{Job, Span};
use crate::stages::{names, played, stage};
use crate::values::Length;
use clap::Args;
use mam_runtime::score::Extent;
use std::sync::Arc;

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
    /// With `events`: how much of them, such as 2.5s or 8bars [default: the song once]
    #[arg(short, long, value_name = "LENGTH")]
    duration: Option<Length>,
}

impl Dump {
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let song = Song::read(&self.song.input, self.song.how.stdin_name.as_deref())?;
        let mut compiled = compile_song(song, &self.song.how);
        if self.stage != "problems" {
            tell(&compiled.problems, &compiled.sources, console);
        }
        match (self.duration, compiled.compilation.program.take()) {
            (Some(_), _) if self.stage != "events" => {
                Err(Failure::Usage("--duration says how many events; other stages have no length".into()))
            }
            (Some(duration), Some(program)) => {
                let span = Span { duration: Some(duration), ..Span::default() };
                let job = Job::new(Arc::new(program), span)?;
                let end = job.expected();
                console.result(&played(&job.program, Extent::Forever, end))
            }
            (_, program) => {
                compiled.compilation.program = program;
                let text = stage(&self.stage, &compiled, self.song.how.target()).unwrap_or_default();
                console.result(&text)?;
                if compiled.compilation.program.is_none() { Err(Failure::Input) } else { Ok(()) }
            }
        }
    }
}
