//! `mamc build`: a song as something that other programs are made of. The ending of the output says which kind; each kind has
//! a file here and a row in [`KINDS`].

mod c;
mod object;

use crate::args::SongArgs;
use crate::compiling::{Compiled, compile_without_code, compiled_by};
use crate::console::Console;
use crate::failure::Failure;
use crate::input;
use crate::offline::{ENDLESS_SECONDS, Job, Span};
use crate::output::{Inputs, Output};
use crate::values::Length;
use clap::Args;
use mam_compiler::emit::c::Score;
use mam_compiler::emit::object::System;
use mam_runtime::Program;
use mam_runtime::score::{Extent, Sequencer};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Build a song into something that other programs use
///
/// The ending of the output says what is built: `.c` is a C source with its header, which needs no library and no operating
/// system; `.o` is an object file with its header, to be linked with the engine.c beside it (docs/c.md). Sounds are those of `mamc render --portable`, to the bit.
#[derive(Args, Debug)]
pub struct Build {
    #[command(flatten)]
    pub song: SongArgs,
    /// Write to this file, whose ending says what is built
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Bars of the score that are built in, which repeat [default: the song once]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub bars: Option<u32>,
    /// The system that an object file is for, such as aarch64-linux [default: this one]
    #[arg(long, value_name = "SYSTEM")]
    pub target: Option<System>,
}

/// What can be built.
struct Kind {
    /// The endings of its file, without the dot.
    endings: &'static [&'static str],
    /// What it is, for messages: `a plug-in`.
    what: &'static str,
    /// Whether it is for one system, which `--target` names.
    has_target: bool,
    /// Builds it.
    build: fn(Build, Console) -> Result<(), Failure>,
}

/// All kinds, each found by its endings.
const KINDS: &[Kind] = &[
    Kind { endings: &["c"], what: "C", has_target: false, build: c::build },
    Kind { endings: &["o", "obj"], what: "an object file", has_target: true, build: object::build },
];

impl Build {
    /// Runs the command, and writes what is built.
    ///
    /// # Errors
    /// When the input has errors, the ending is not known, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        if self.song.how.interp {
            return Err(Failure::Usage("what is built has no interpreter: leave out --interp".into()));
        }
        let kind = kind(&self.output)?;
        if self.target.is_some() && !kind.has_target {
            return Err(Failure::Usage(format!(
                "{} is the same for every system: leave out --target",
                kind.what
            )));
        }
        (kind.build)(self, console)
    }

    /// Compiles the song for any machine, without code, and tells its problems.
    fn compile(&mut self, console: Console) -> Result<(Compiled, Arc<Program>), Failure> {
        self.song.how.portable = true;
        let how = &self.song.how;
        let mut compiled = compiled_by(&self.song, console, |song| compile_without_code(song, how))?;
        let program = compiled.take_program()?;
        Ok((compiled, program))
    }

    /// The files that are read, which are not written.
    fn inputs(&self, compiled: &Compiled) -> Inputs {
        Inputs::new(compiled.read_from(&self.song.input))
    }

    /// How much of the score is built in.
    fn score(&self, program: &Arc<Program>, console: Console) -> Result<Score, Failure> {
        if let Some(bars) = self.bars {
            let duration = format!("{bars}bars").parse::<Length>().map_err(Failure::Usage)?;
            let span = Span { duration: Some(duration), ..Span::default() };
            return Ok(Score { frames: Job::new(program.clone(), span)?.end(), once: false });
        }
        match Sequencer::for_program(program, Extent::Once).song_end() {
            Some(frames) => Ok(Score { frames, once: true }),
            None => {
                console.say(&format!(
                    "note: this song has no end of its own; {ENDLESS_SECONDS} s of its score are built in (--bars says otherwise)\n"
                ));
                Ok(Score { frames: ENDLESS_SECONDS * u64::from(program.rate), once: false })
            }
        }
    }
}

/// A file to be written.
struct Written<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    /// Whether the command line names it; others only replace what mamc wrote.
    is_named: bool,
}

/// How the text files begin that mamc writes here.
const MADE_BY_MAMC: &str = "/* Made by mamc ";

/// Writes files: each is given its name when all of them are on the disk.
fn write_all(files: &[Written<'_>], inputs: &Inputs) -> Result<(), Failure> {
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

/// The kind that the ending of a file stands for.
fn kind(output: &Path) -> Result<&'static Kind, Failure> {
    if input::is_stdin(output) {
        return Err(Failure::Usage("what is built is not for standard output: -o names a file".into()));
    }
    let ending = output.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    let is_meant = |kind: &&Kind| kind.endings.iter().any(|known| Some(*known) == ending.as_deref());
    KINDS.iter().find(is_meant).ok_or_else(|| {
        let known = |kind: &Kind| format!("`.{}` for {}", kind.endings.join("` or `."), kind.what);
        let known: Vec<String> = KINDS.iter().map(known).collect();
        let (output, known) = (output.display(), known.join(", "));
        Failure::Usage(format!("the ending of `{output}` does not say what to build: {known}"))
    })
}
