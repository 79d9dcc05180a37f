//! The command line: what can be said, as clap reads it. Each command's own flags stand in its file.

use crate::commands::{
    bench, check, completions, devices, doc, dump, explain, fmt, graph, import, list, man, new, pattern,
    play, render,
};
use crate::console::When;
use crate::values::{Assignment, LimitChange, Rate};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Songs and sounds, compiled to machine code
#[derive(Debug, Parser)]
#[command(name = "mamc", version, max_term_width = 100, infer_subcommands = false)]
#[command(
    after_help = "`mamc song.mam` is `mamc play song.mam`. `mamc help COMMAND` says more of each; where a
command has --json, its help says what the document holds."
)]
pub struct Cli {
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: When,
    /// Say only what went wrong
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more: times, sizes
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// One file a command, in `commands/`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a song to begin with
    New(new::New),
    /// Show every problem of songs, and what each song is
    Check(check::Check),
    /// Render a song to a sound file
    Render(Box<render::Render>),
    /// Play a song live, following the edits of its files
    Play(Box<play::Play>),
    /// Format songs, or turn .mam and JSON into each other
    Fmt(fmt::Fmt),
    /// List what exists: definitions, statements, units; a song's nodes
    List(list::List),
    /// Show what a name means: definition, statement, modifier, unit
    Doc(doc::Doc),
    /// Explain a problem's code
    Explain(explain::Explain),
    /// Show what a pattern does
    Pattern(pattern::Pattern),
    /// Turn a MIDI file into a song
    Import(import::Import),
    /// Draw a song's graph
    Graph(graph::Graph),
    /// Show a stage of the compilation
    Dump(dump::Dump),
    /// Measure how fast a song compiles and renders
    Bench(bench::Bench),
    /// List outputs and inputs
    Devices(devices::Devices),
    /// Print completions for a shell
    Completions(completions::Completions),
    /// Print the manual page, or write all of them into a folder
    Man(man::Man),
}

/// Which song, and how it is compiled: the same for every command that compiles one.
#[derive(Args, Debug, Clone)]
pub struct SongArgs {
    /// A .mam or .json file, `-` for standard input, or the name of a prelude instrument
    pub input: PathBuf,
    #[command(flatten)]
    pub how: HowArgs,
}

/// How a song is compiled.
#[derive(Args, Debug, Clone, Default)]
pub struct HowArgs {
    /// Set a parameter or knob, such as `bd.f0=120Hz`; repeatable
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub sets: Vec<Assignment>,
    /// The song's random seed
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Sample rate, such as 44.1k or 48000 [default: the song's, or 48000]
    #[arg(short, long)]
    pub rate: Option<Rate>,
    /// Run it in the reference interpreter instead of machine code
    #[arg(long)]
    pub interp: bool,
    /// Make the same bits as on every machine, without fused multiplication and addition
    #[arg(long)]
    pub portable: bool,
    /// What to call standard input in messages
    #[arg(long, value_name = "NAME")]
    pub stdin_name: Option<String>,
    /// Change what a song may ask for at most, such as `nodes=100000`; repeatable
    #[arg(long = "limit", value_name = "NAME=N")]
    pub limits: Vec<LimitChange>,
    /// Let the song name files outside its own folder
    #[arg(long)]
    pub allow_outside: bool,
}

/// On how many threads an offline render runs.
#[derive(Args, Debug, Clone, Copy, Default)]
pub struct ThreadArgs {
    /// Threads to render on; the sound is the same for any number [default: one for each core]
    #[arg(short = 't', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

impl ThreadArgs {
    /// How many.
    pub fn count(self) -> usize {
        self.threads.map_or_else(mam_runtime::all_threads, usize::from)
    }
}
