//! Flags that several commands share: which song, how it is compiled, on how many threads.

use crate::values::{self, Assignment, LimitChange, Rate};
use clap::Args;
use std::path::PathBuf;

/// Which song, and how it is compiled: the same for every command that compiles one.
#[derive(Args, Debug, Clone)]
pub struct SongArgs {
    /// A .mam or .json file, `-` for standard input, or the name of a prelude instrument
    pub input: PathBuf,
    // How it is compiled.
    #[command(flatten)]
    pub how: HowArgs,
}

/// How a song is compiled.
#[derive(Args, Debug, Clone, Default)]
pub struct HowArgs {
    /// Set a parameter or knob, such as `bd.f0=120Hz`; repeatable
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub sets: Vec<Assignment>,
    /// Random seed of the song
    #[arg(long, value_name = "N", value_parser = values::seed, allow_hyphen_values = true)]
    pub seed: Option<u64>,
    /// Sample rate, such as 44.1k or 48000 [default: the song's, or 48000]
    #[arg(short, long)]
    pub rate: Option<Rate>,
    /// Run the song in the reference interpreter instead of machine code
    #[arg(long)]
    pub interp: bool,
    /// Produce the same bits on every machine, without fused multiply-add
    #[arg(long)]
    pub portable: bool,
    /// Name of standard input in messages
    #[arg(long, value_name = "NAME")]
    pub stdin_name: Option<String>,
    /// Change a limit on what a song may ask for, such as `nodes=100000`; repeatable
    #[arg(long = "limit", value_name = "NAME=N")]
    pub limits: Vec<LimitChange>,
    /// Allow the song to use files outside its own folder
    #[arg(long)]
    pub allow_outside: bool,
    /// Output channels; 0 for what the song says, else 2. A flag of some commands.
    #[arg(skip)]
    pub channels: usize,
    /// Instruments whose voices are bent and pressed from outside. A flag of some commands.
    #[arg(skip)]
    pub played_outside: Vec<String>,
}

/// On how many threads an offline render runs.
#[derive(Args, Debug, Clone, Copy, Default)]
pub struct ThreadArgs {
    /// Threads to render on; the sound is the same for any number [default: one for each core]
    #[arg(short = 't', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

impl ThreadArgs {
    /// Whether the flag is given.
    pub fn is_given(self) -> bool {
        self.threads.is_some()
    }

    /// The number of threads: that of the flag, or one for each core.
    pub fn count(self) -> usize {
        self.threads.map_or_else(mam_runtime::all_threads, usize::from)
    }
}
