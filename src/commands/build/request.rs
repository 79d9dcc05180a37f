//! What C and object files are built of: the song, compiled for any machine, and how much of its score.

use crate::args::SongArgs;
use crate::compiling::{Compiled, compile_without_code, compiled_by};
use crate::console::Console;
use crate::failure::Failure;
use crate::offline::ENDLESS_SECONDS;
use crate::output::{Inputs, Output};
use crate::timing::Time;
use clap::Args;
use mam_compiler::emit::c::Score;
use mam_compiler::emit::object::System;
use mam_runtime::Program;
use mam_runtime::score::{Extent, Frames, Sequencer};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is said of C and object files.
#[derive(Args, Debug, Default)]
pub(super) struct SourceArgs {
    /// Bars of the score that are built in, which repeat (.c, .o) [default: the song once]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub bars: Option<u32>,
    /// The system that an object file is for, such as aarch64-linux (.o) [default: this one]
    #[arg(long, value_name = "SYSTEM")]
    pub target: Option<System>,
}

impl SourceArgs {
    /// Refuses the flags for what does not take them.
    ///
    /// # Errors
    /// When one was given that is not for this kind.
    pub(super) fn refuse(&self, what: &str, takes_bars: bool, takes_target: bool) -> Result<(), Failure> {
        let given = [
            ("--bars", self.bars.is_some() && !takes_bars),
            ("--target", self.target.is_some() && !takes_target),
        ];
        match given.iter().find(|(_, refused)| *refused) {
            Some((flag, _)) => Err(Failure::Usage(format!("{flag} is not for {what}: leave out {flag}"))),
            None => Ok(()),
        }
    }
}

/// What the command line asks for.
pub(super) struct Request {
    pub(super) song: SongArgs,
    pub(super) output: PathBuf,
    pub(super) args: SourceArgs,
}

impl Request {
    /// Compiles the song for any machine, without code, and tells its problems.
    ///
    /// # Errors
    /// When it cannot be read or has errors.
    pub(super) fn compile(&mut self, console: Console) -> Result<(Compiled, Arc<Program>), Failure> {
        self.song.how.portable = true;
        let how = &self.song.how;
        let mut compiled = compiled_by(&self.song, console, |song| compile_without_code(song, how))?;
        let program = compiled.take_program()?;
        Ok((compiled, program))
    }

    /// The files that are read, which are not written.
    pub(super) fn inputs(&self, compiled: &Compiled) -> Inputs {
        Inputs::new(compiled.read_from(&self.song.input))
    }

    /// How much of the score is built in.
    ///
    /// # Errors
    /// When it is longer than can be counted.
    pub(super) fn score(&self, program: &Arc<Program>, console: Console) -> Result<Score, Failure> {
        if let Some(bars) = self.args.bars {
            return Ok(Score { length: Time::new(program).bars(bars)?, once: false });
        }
        match Sequencer::for_program(program, Extent::Once).song_length() {
            Some(length) => Ok(Score { length, once: true }),
            None => {
                console.say(&format!(
                    "note: this song has no end of its own; {ENDLESS_SECONDS} s of its score are built in (--bars says otherwise)\n"
                ));
                let length = Frames::whole(ENDLESS_SECONDS * u64::from(program.rate));
                Ok(Score { length, once: false })
            }
        }
    }
}

/// A file to be written.
pub(super) struct Written<'a> {
    pub(super) path: &'a Path,
    pub(super) bytes: &'a [u8],
    /// Whether the command line names it; others only replace what mamc wrote.
    pub(super) is_named: bool,
}

/// How the text files begin that mamc writes here.
const MADE_BY_MAMC: &str = "/* Made by mamc ";

/// Writes files: each is given its name when all of them are on the disk.
///
/// # Errors
/// When one is an input, or cannot be written.
pub(super) fn write_all(files: &[Written<'_>], inputs: &Inputs) -> Result<(), Failure> {
    for file in files.iter().filter(|file| !file.is_named) {
        let before = std::fs::read(file.path).ok();
        if before.is_some_and(|text| !text.starts_with(MADE_BY_MAMC.as_bytes())) {
            let path = file.path.display();
            let why =
                format!("`{path}` would be written too, and was not made by mamc: -o names another place");
            return Err(Failure::Usage(why));
        }
    }
    let mut outputs = vec![];
    for file in files {
        let mut output = Output::create(file.path, inputs)?;
        output.write_all(file.bytes).map_err(|e| Failure::write(file.path, &e))?;
        outputs.push(output);
    }
    outputs.into_iter().try_for_each(Output::finish)
}
