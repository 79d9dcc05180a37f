//! The `mamc` command: one file a subcommand, and the only printing, file reading and exit codes of mam.
//!
//! * [`cli`]: the command line; [`args`]: flags that commands share; [`values`]: the values of flags, read exactly;
//!   [`hints`]: help with a command line that cannot be read;
//! * [`commands`]: what each command does;
//! * [`compiling`]: a song through the compiler, its problems reported; [`host`]: the clock and the threads that it does that
//!   with; [`stages`]: what the compiler made, as text;
//! * [`input`]: songs from files, standard input or the prelude; [`output`]: files written whole or not at all;
//!   [`beside`]: sound files, while they are rendered; [`rendered`]: what is said of them; [`normalizing`]: the gain that
//!   brings them to a level;
//!   [`reach`]: which files a song may name;
//! * [`mod@reference`] and [`definitions`]: all that a song can say, to be looked up;
//! * [`report`]: problems for the terminal, as JSON, as SARIF;
//! * [`batch`]: many renders of one song, into shards; what the Python package is made of, too;
//! * [`packing`]: a song with all its files, for a plug-in to carry;
//! * [`plot`]: pictures of sounds and scores; [`drawing`]: of graphs;
//! * [`offline`] and [`live`]: renders and playing; [`stems`], [`looping`] and [`timing`]: what is rendered, of which passes,
//!   from where;
//! * [`console`]: the three streams and colour; [`visible`]: text of others, made harmless for a terminal;
//!   [`failure`]: how a command ends when it does not end well.
//!
//! It is a library so that tests draw problems exactly as the terminal does.

#![deny(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]
#![allow(missing_docs, reason = "a flag's doc is its help; everything else has one")]

pub mod args;
pub mod batch;
pub mod beside;
pub mod cli;
pub mod commands;
pub mod compiling;
#[allow(clippy::disallowed_methods, reason = "the streams and the environment are read here")]
pub mod console;
pub mod definitions;
pub mod drawing;
pub mod failure;
pub mod files;
pub mod hints;
pub mod host;
pub mod input;
pub mod json;
#[allow(clippy::disallowed_methods, reason = "the display and its keys are a terminal's")]
pub mod live;
pub mod looping;
pub mod measure;
pub mod names;
pub mod normalizing;
pub mod offline;
#[allow(clippy::disallowed_methods, reason = "all files are written here")]
pub mod output;
pub mod packing;
pub mod plot;
pub mod progress;
pub mod reach;
pub mod reference;
pub mod rendered;
pub mod report;
pub mod sounds;
pub mod stages;
pub mod stems;
pub mod summary;
pub mod table;
pub mod take;
pub mod timing;
pub mod values;
pub mod visible;

use clap::{ColorChoice, CommandFactory, FromArgMatches};
use cli::Cli;
use console::Console;
use failure::Failure;
use std::ffi::OsString;
use std::process::ExitCode;

/// Does what the command line says and returns the exit code.
#[allow(clippy::disallowed_methods, reason = "the command line is read here")]
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(report_bug));
    output::clean_up_on_interrupt(live::restore_terminal);
    let args: Vec<OsString> = std::env::args_os().collect();
    let read = hints::read(args.clone(), Cli::command().color(help_colour(&args)));
    let (cli, json) =
        match read.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, wants_json(&matches)))) {
            Ok(read) => read,
            Err(e) => e.exit(),
        };
    let console = Console { json, ..Console::new(cli.color, cli.quiet, cli.verbose) };
    match cli.command.map_or_else(|| greet(console), |command| command.run(console)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.to_string().is_empty() {
                if console.json {
                    let _ = console.result(&report::json_failure(&failure));
                }
                console.styled(error_word(console));
                console.insist(&format!(" {failure}\n"));
            }
            ExitCode::from(failure.code())
        }
    }
}

/// Whether the command is given its flag `--json`, if it has one.
fn wants_json(matches: &clap::ArgMatches) -> bool {
    let command = matches.subcommand().map(|(_, command)| command);
    command.is_some_and(|command| matches!(command.try_get_one::<bool>("json"), Ok(Some(true))))
}

/// Three lines that lead to sound, then the commands.
fn greet(console: Console) -> Result<(), Failure> {
    let lines = "\
mam: songs and sounds, compiled to machine code. Three lines that lead to sound:

  mamc new song.mam
  mamc play song.mam
  mamc render song.mam -o song.wav
";
    console.result(&format!("{lines}\n{}", Cli::command().render_help()))
}

/// clap draws its help before the flags are read, so `--color` is looked for by hand; NO_COLOR and the like clap
/// sees itself.
fn help_colour(args: &[OsString]) -> ColorChoice {
    let args: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let after = |i: usize| args.get(i + 1).map(String::as_str);
    let said = args.iter().enumerate().find_map(|(i, arg)| match arg.as_str() {
        "--color" => after(i),
        _ => arg.strip_prefix("--color="),
    });
    match said {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

/// A panic is a bug of mamc, but for that of a decoder at a broken file. It is reported as one, without a backtrace.
fn report_bug(panic: &std::panic::PanicHookInfo) {
    if mam_runtime::file::is_decoding() {
        return;
    }
    live::restore_terminal();
    let what = panic.payload_as_str().unwrap_or("no message");
    let place = panic.location().map_or(String::new(), |l| format!(" at {}:{}", l.file(), l.line()));
    Console::default().insist(&format!(
        "error: mamc has a bug: {what}{place}\nThis is not your fault. Please report it, with the song and the command.\n"
    ));
}

fn error_word(console: Console) -> &'static str {
    if console.colour { "\x1b[1;31merror:\x1b[0m" } else { "error:" }
}
