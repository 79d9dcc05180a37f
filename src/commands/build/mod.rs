//! `mamc build`: a song as something that other programs are made of. The ending of the output says which kind; each kind has
//! a file here and a row in [`KINDS`].

mod c;
mod object;
mod plugin;
mod request;

use crate::args::SongArgs;
use crate::console::Console;
use crate::failure::Failure;
use crate::input;
use clap::Args;
use request::Request;
use std::path::{Path, PathBuf};

/// Build a song into something that other programs use
///
/// The ending of the output says what is built: `.c` is a C source with its header, which needs no library and no operating
/// system; `.o` is an object file with its header, to be linked with the engine.c beside it (docs/c.md); `.clap` is a plug-in.
/// Sounds are those of `mamc render --portable`, to the bit; those of a plug-in are those of `mamc render` with the same flags.
#[derive(Args, Debug)]
pub struct Build {
    #[command(flatten)]
    pub song: SongArgs,
    /// Write to this file, whose ending says what is built
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    #[command(flatten)]
    plugin: plugin::PluginArgs,
    #[command(flatten)]
    source: request::SourceArgs,
}

/// What can be built.
struct Kind {
    /// The endings of its file, without the dot.
    endings: &'static [&'static str],
    /// What it is, for messages: `a plug-in`.
    what: &'static str,
    /// Whether it takes the flags of plug-ins.
    is_plugin: bool,
    /// Whether it holds so many bars of the score, and whether it is for one system.
    takes: Takes,
    /// Builds it.
    build: fn(Build, Console) -> Result<(), Failure>,
}

/// Which of the flags of [`request::SourceArgs`] a kind takes.
#[derive(Clone, Copy)]
struct Takes {
    bars: bool,
    target: bool,
}

/// All kinds, each found by its endings.
const KINDS: &[Kind] = &[
    Kind {
        endings: &["c"],
        what: "C",
        is_plugin: false,
        takes: Takes { bars: true, target: false },
        build: |build, console| c::build(build.request(), console),
    },
    Kind {
        endings: &["o", "obj"],
        what: "an object file",
        is_plugin: false,
        takes: Takes { bars: true, target: true },
        build: |build, console| object::build(build.request(), console),
    },
    Kind {
        endings: &["clap"],
        what: "a plug-in",
        is_plugin: true,
        takes: Takes { bars: false, target: false },
        build: plugin::build,
    },
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
        if !kind.is_plugin {
            self.plugin.refuse(kind.what)?;
        }
        self.source.refuse(kind.what, kind.takes.bars, kind.takes.target)?;
        (kind.build)(self, console)
    }

    fn request(self) -> Request {
        Request { song: self.song, output: self.output, args: self.source }
    }
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
