//! The command line as a whole: the global flags and the list of commands. Each command's own flags stand in its file.

use crate::commands::{
    batch, bench, build, check, completions, devices, doc, dump, explain, fmt, graph, import, list, lsp, man,
    mcp, migrate, new, pattern, play, plot, render, studio, test,
};
use crate::console::{Console, When};
use crate::failure::Failure;
use clap::{CommandFactory, Parser, Subcommand};

/// Songs and sounds, compiled to machine code
#[derive(Debug, Parser)]
#[command(name = "mamc", version, max_term_width = 100, infer_subcommands = false)]
#[command(
    after_help = "`mamc song.mam` is `mamc play song.mam`. `mamc help COMMAND` says more of each; where a
command has --json, its help says what the document holds."
)]
pub struct Cli {
    /// When to use colour in messages
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: When,
    /// Print errors only
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print notes, times and sizes, too
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// The command to run
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// One file a command, in `commands/`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a song to start from
    New(new::New),
    /// Show every problem of songs, and what each song is
    Check(check::Check),
    /// Measure what the `expect`s of songs say
    Test(test::Test),
    /// Render a song to a sound file
    Render(Box<render::Render>),
    /// Render a song many times, each time with other values
    Batch(Box<batch::Batch>),
    /// Build a song into something that other programs use
    Build(Box<build::Build>),
    /// Play a song live, following the edits of its files
    Play(Box<play::Play>),
    /// Write a song in a page of the browser, and hear it meanwhile
    Studio(studio::Studio),
    /// Format songs, or convert between .mam and JSON
    Fmt(fmt::Fmt),
    /// Bring JSON songs to the newest version of the format
    Migrate(migrate::Migrate),
    /// List what exists: definitions, statements, units; a song's nodes
    List(list::List),
    /// Show what a name means: definition, statement, modifier, unit
    Doc(doc::Doc),
    /// Explain a problem's code
    Explain(explain::Explain),
    /// Show what a pattern does
    Pattern(pattern::Pattern),
    /// Convert a MIDI file to a song
    Import(import::Import),
    /// Draw a sound, a score, a filter or an effect
    Plot(Box<plot::Plot>),
    /// Serve an editor by the Language Server Protocol
    Lsp(lsp::Lsp),
    /// Draw a song's graph as SVG, DOT or Mermaid
    Graph(graph::Graph),
    /// Show a stage of the compilation
    Dump(dump::Dump),
    /// Measure how fast a song compiles and renders
    Bench(bench::Bench),
    /// Serve agents by the Model Context Protocol
    Mcp(mcp::Mcp),
    /// List outputs and inputs
    Devices(devices::Devices),
    /// Print completions for a shell
    Completions(completions::Completions),
    /// Print the manual page, or write all of them into a folder
    Man(man::Man),
}

impl Command {
    /// Runs the command that was given.
    ///
    /// # Errors
    /// As the command says: when the input has errors, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        match self {
            Command::New(c) => c.run(console),
            Command::Check(c) => c.run(console),
            Command::Render(c) => c.run(console),
            Command::Test(c) => c.run(console),
            Command::Batch(c) => c.run(console),
            Command::Build(c) => c.run(console),
            Command::Play(c) => c.run(console),
            Command::Studio(c) => c.run(console),
            Command::Mcp(c) => c.run(console),
            Command::Devices(c) => c.run(console),
            Command::Fmt(c) => c.run(console),
            Command::Migrate(c) => c.run(console),
            Command::List(c) => c.run(console),
            Command::Doc(c) => c.run(console),
            Command::Explain(c) => c.run(console),
            Command::Pattern(c) => c.run(console),
            Command::Import(c) => c.run(console),
            Command::Plot(c) => c.run(console),
            Command::Lsp(c) => c.run(console),
            Command::Graph(c) => c.run(console),
            Command::Dump(c) => c.run(console),
            Command::Bench(c) => c.run(console),
            Command::Completions(c) => c.run(Cli::command(), console),
            Command::Man(c) => c.run(Cli::command(), console),
        }
    }
}
