//! What to say of a command line that clap cannot read: the flag that was meant, and the command that has it. What flags
//! there are is asked of clap's own definitions; only what other programs call them stands here.

use crate::cli::Cli;
use crate::definitions::Prelude;
use crate::input::{is_definition, is_song};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory, Error};
use mam_grammar::problem::nearest;
use std::ffi::OsString;
use std::path::Path;

/// What other programs call a flag.
struct Synonyms {
    /// The flag, without its dashes.
    flag: &'static str,
    names: &'static [&'static str],
    /// How it is used, where that is not to be guessed.
    example: &'static str,
}

const SYNONYMS: &[Synonyms] = &[
    Synonyms {
        flag: "rate",
        names: &["sr", "samplerate", "sample-rate", "sampling-rate", "fs", "hz", "ar", "freq"],
        example: "--rate 44.1k",
    },
    Synonyms {
        flag: "duration",
        names: &["length", "len", "dur", "time", "seconds", "secs", "sec", "bars", "beats", "end"],
        example: "--duration 8bars",
    },
    Synonyms {
        flag: "bits",
        names: &["bitdepth", "bit-depth", "depth", "bit", "bps", "bits-per-sample", "width", "precision"],
        example: "--bits 16",
    },
    Synonyms {
        flag: "output",
        names: &[
            "out",
            "outfile",
            "out-file",
            "output-file",
            "dest",
            "destination",
            "file",
            "to-file",
            "save",
        ],
        example: "--output song.wav",
    },
    Synonyms { flag: "bpm", names: &["tempo", "beats-per-minute", "speed"], example: "--bpm 130" },
    Synonyms {
        flag: "from",
        names: &["start", "begin", "offset", "seek", "skip", "position", "bar"],
        example: "--from 5",
    },
    Synonyms {
        flag: "format",
        names: &["type", "filetype", "file-format", "container", "codec", "encoding"],
        example: "",
    },
    Synonyms {
        flag: "buffer",
        names: &["buffer-size", "buffersize", "blocksize", "period", "latency", "frames", "bufsize"],
        example: "--buffer 512",
    },
    Synonyms { flag: "block", names: &["block-size"], example: "--block 512" },
    Synonyms {
        flag: "quit-after",
        names: &["stop-after", "exit-after", "timeout", "for", "run-time"],
        example: "--quit-after 10s",
    },
    Synonyms {
        flag: "set",
        names: &["param", "parameter", "params", "value", "knob", "override", "define", "var"],
        example: "--set bd.f0=120Hz",
    },
    Synonyms {
        flag: "threads",
        names: &["jobs", "cores", "cpus", "parallel", "nproc"],
        example: "--threads 4",
    },
    Synonyms {
        flag: "normalize",
        names: &["normalise", "norm", "lufs", "loudness", "peak", "gain"],
        example: "--normalize -1dBTP",
    },
    Synonyms { flag: "stems", names: &["stem", "tracks", "split", "multitrack"], example: "--stems FOLDER" },
    Synonyms { flag: "tap", names: &["node", "probe"], example: "--tap bd=kick.wav" },
    Synonyms {
        flag: "input",
        names: &["in", "infile", "audio", "source", "wav"],
        example: "--input guitar.wav",
    },
    Synonyms {
        flag: "backend",
        names: &["driver", "api", "host", "audio-backend"],
        example: "--backend pulse",
    },
    Synonyms { flag: "device", names: &["dev", "card", "sink", "soundcard", "output-device"], example: "" },
    Synonyms { flag: "record", names: &["rec", "capture"], example: "--record take.wav" },
    Synonyms { flag: "plain", names: &["no-tui", "no-ui", "headless", "text", "no-display"], example: "" },
    Synonyms {
        flag: "color",
        names: &["colour", "colors", "no-color", "no-colour"],
        example: "--color never",
    },
    Synonyms { flag: "quiet", names: &["silent", "no-output"], example: "" },
    Synonyms { flag: "verbose", names: &["debug", "loud", "trace"], example: "" },
    Synonyms { flag: "cycles", names: &["cycle", "span", "range", "count"], example: "--cycles 0..4" },
    Synonyms {
        flag: "deny",
        names: &["werror", "strict", "deny-warnings", "fail-on-warnings"],
        example: "--deny warnings",
    },
    Synonyms { flag: "seed", names: &["random", "random-seed", "rand"], example: "--seed 7" },
    Synonyms { flag: "osc", names: &["osc-port", "port", "listen"], example: "--osc 9000" },
    Synonyms { flag: "rounds", names: &["iterations", "runs", "repeat"], example: "--rounds 5" },
];

/// What is said where no command has what is asked for, or not this one, and the song has it.
const OF_THE_SONG: &[(&str, &str)] = &[("bpm", "the tempo is the song's: write `tempo 130` in it")];

/// Reads the command line. A song without a command is played.
///
/// # Errors
/// What clap says, with our hints.
pub fn read(args: Vec<OsString>, command: Command) -> Result<clap::ArgMatches, Error> {
    let error = match command.clone().try_get_matches_from(&args) {
        Ok(matches) => return Ok(matches),
        Err(error) => error,
    };
    if let Some(place) = bare_song(&args, &error) {
        let mut args = args;
        args.insert(place, "play".into());
        return command.clone().try_get_matches_from(&args).map_err(|e| hinted(e, &args));
    }
    Err(hinted(error, &args))
}

/// Where a song stands in the place of a command.
fn bare_song(args: &[OsString], error: &Error) -> Option<usize> {
    if !matches!(error.kind(), ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument) {
        return None;
    }
    let (place, name) = first_word(args)?;
    let names_song = is_song(Path::new(name));
    let is_command = Cli::command().find_subcommand(name).is_some() || name == "help";
    (!is_command && (name == "-" || names_song || is_definition(Path::new(name)))).then_some(place)
}

/// The first argument that is neither a global flag nor a global flag's value.
fn first_word(args: &[OsString]) -> Option<(usize, &str)> {
    let mut words = args.iter().enumerate().skip(1).filter_map(|(i, arg)| Some((i, arg.to_str()?)));
    while let Some((place, word)) = words.next() {
        match word {
            "--color" => drop(words.next()),
            "-" => return Some((place, word)),
            _ if word.starts_with('-') => {}
            _ => return Some((place, word)),
        }
    }
    None
}

/// The error, with what to do.
fn hinted(mut error: Error, args: &[OsString]) -> Error {
    let hint = match error.kind() {
        ErrorKind::UnknownArgument => of_flag(&error, args),
        ErrorKind::InvalidSubcommand => of_command(&error),
        _ => one_dash(args),
    };
    // What is meant as a flag is not meant as a value.
    error.remove(ContextKind::TrailingArg);
    // The usage of the command as it is, not with the flags of this call.
    if let (_, Some(mut command)) = commands(args)
        && error.get(ContextKind::Usage).is_some()
    {
        error.insert(ContextKind::Usage, ContextValue::StyledStr(command.render_usage()));
    }
    // What clap finds similar is often not alike.
    error.remove(ContextKind::SuggestedArg);
    if let Some(hint) = hint {
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
    }
    error
}

/// The command that an error is of, and all of them.
fn commands(args: &[OsString]) -> (Command, Option<Command>) {
    let mut all = Cli::command();
    all.build();
    let named = first_word(args).and_then(|(_, word)| all.find_subcommand(word).cloned());
    (all, named)
}

/// Whether a command has a long flag.
fn has(command: &Command, flag: &str) -> bool {
    command.get_arguments().any(|arg| {
        arg.get_long() == Some(flag) || arg.get_all_aliases().is_some_and(|names| names.contains(&flag))
    })
}

fn of_flag(error: &Error, args: &[OsString]) -> Option<String> {
    let Some(ContextValue::String(written)) = error.get(ContextKind::InvalidArg) else { return None };
    let (all, command) = commands(args);
    let command = command?;
    let written = written.split('=').next().unwrap_or(written);
    if !written.starts_with('-') {
        let is_file = Path::new(written).extension().is_some();
        return (is_file && has(&command, "output"))
            .then(|| format!("the file to write is named by `-o {written}`"));
    }
    // clap reports `-sr` as `-s`.
    let clustered = one_dashed(args).find(|word| written.len() == 2 && word.starts_with(written));
    if clustered.is_none() && written.len() == 2 {
        return of_letter(written.chars().nth(1)?, &command, &all);
    }
    let name = clustered.map_or_else(|| written.trim_start_matches('-'), |word| word.trim_start_matches('-'));
    let name = name.to_lowercase().replace('_', "-");
    meant(&name, &command, &all)
}

/// What to say of a letter that is a flag of other commands.
fn of_letter(letter: char, command: &Command, all: &Command) -> Option<String> {
    let mut of_others = all.get_subcommands().flat_map(|other| other.get_arguments());
    let flag = of_others.find(|arg| arg.get_short() == Some(letter))?.get_long()?;
    let example = SYNONYMS.iter().find(|s| s.flag == flag).map_or("", |s| s.example);
    Some(said(flag, example, command, all))
}

/// What to say of a flag that a command does not have.
fn meant(name: &str, command: &Command, all: &Command) -> Option<String> {
    if has(command, name) {
        return Some(format!("it has two dashes: `--{name}`"));
    }
    if let Some(found) = SYNONYMS.iter().find(|s| s.names.contains(&name)) {
        return Some(said(found.flag, found.example, command, all));
    }
    if all.get_subcommands().any(|other| has(other, name)) {
        let example = SYNONYMS.iter().find(|s| s.flag == name).map_or("", |s| s.example);
        return Some(said(name, example, command, all));
    }
    // Neither ours nor another program's, but nearly so: this command's first.
    let flags = |command: &Command| {
        command.get_arguments().filter_map(|arg| arg.get_long().map(String::from)).collect::<Vec<_>>()
    };
    let own = flags(command);
    let others = SYNONYMS.iter().flat_map(|s| s.names).map(ToString::to_string);
    let others: Vec<String> = others.chain(all.get_subcommands().flat_map(flags)).collect();
    // Of three letters one other makes another word, and there are many.
    let of_others = || nearest(name, &others).filter(|_| name.len() > 3);
    let near = nearest(name, &own).or_else(of_others)?;
    let found = SYNONYMS.iter().find(|s| s.flag == near || s.names.contains(&near));
    Some(said(found.map_or(near, |s| s.flag), found.map_or("", |s| s.example), command, all))
}

/// The flag that is meant: this command's, else the song's own statement, else that of other commands.
fn said(flag: &str, example: &str, command: &Command, all: &Command) -> String {
    let such_as = if example.is_empty() { String::new() } else { format!(", such as `{example}`") };
    if has(command, flag) {
        return format!("the flag is `--{flag}`{such_as}");
    }
    let others: Vec<String> = all
        .get_subcommands()
        .filter(|other| has(other, flag))
        .map(|other| format!("`mamc {}`", other.get_name()))
        .collect();
    let others = format!("`--{flag}` is a flag of {}{such_as}", others.join(", "));
    match OF_THE_SONG.iter().find(|(of, _)| *of == flag) {
        Some((_, words)) => format!("{words}; {others}"),
        None => format!("`mamc {}` has no such flag; {others}", command.get_name()),
    }
}

/// Words behind one dash, which clap reads letter by letter.
fn one_dashed(args: &[OsString]) -> impl Iterator<Item = &str> {
    let words = args.iter().skip(1).filter_map(|arg| arg.to_str());
    words.filter(|word| {
        let name = word.strip_prefix('-').unwrap_or_default();
        name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c == '-')
    })
}

/// `-duration` where `--duration` was meant.
fn one_dash(args: &[OsString]) -> Option<String> {
    let (all, command) = commands(args);
    let command = command?;
    one_dashed(args).find_map(|word| {
        let name = word.trim_start_matches('-');
        let known = has(&command, name) || SYNONYMS.iter().any(|s| s.names.contains(&name));
        if known { meant(name, &command, &all) } else { None }
    })
}

/// What stands where a command should, and is none.
fn of_command(error: &Error) -> Option<String> {
    let Some(ContextValue::String(written)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    let path = Path::new(written);
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "mid" | "midi" => Some(format!("`mamc import {written}` makes a song of a MIDI file")),
        _ if path.is_dir() => Some(format!("`mamc check {written}` checks all songs of a folder")),
        _ if path.is_file() => Some("a song is a .mam or .json file: `mamc play song.mam`".into()),
        _ => {
            const OTHERS: &[(&str, &[&str])] = &[
                ("new", &["init", "create", "start", "template"]),
                ("render", &["build", "compile", "bounce", "export", "export-wav", "mixdown"]),
                ("play", &["run", "live", "watch", "listen"]),
                ("check", &["lint", "validate", "verify", "test"]),
                ("fmt", &["format"]),
                ("doc", &["docs", "man-page", "info", "describe"]),
                ("list", &["ls", "search", "find", "instruments", "effects"]),
            ];
            if let Some((command, _)) = OTHERS.iter().find(|(_, names)| names.contains(&&**written)) {
                return Some(format!("the command is `mamc {command}`"));
            }
            let song = path.with_extension("mam");
            if song.is_file() {
                return Some(format!("`mamc {}` plays that file", song.display()));
            }
            let near =
                error.get(ContextKind::SuggestedSubcommand).is_none().then(|| instrument_like(written));
            near.flatten().map(|name| format!("`mamc {name}` plays that instrument"))
        }
    }
}

/// The prelude's instrument whose name is most like this one.
fn instrument_like(name: &str) -> Option<String> {
    let prelude = Prelude::default();
    let instruments = prelude.all().filter(|entry| entry.kind() == "instrument");
    let names: Vec<&str> = instruments.map(|entry| entry.name()).collect();
    nearest(name, &names).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hint_leads_to_a_flag_that_there_is() {
        let all = Cli::command();
        let known = |flag: &str| has(&all, flag) || all.get_subcommands().any(|command| has(command, flag));
        for synonyms in SYNONYMS {
            assert!(known(synonyms.flag), "--{}", synonyms.flag);
            let example = synonyms.example;
            assert!(example.is_empty() || example.starts_with(&format!("--{} ", synonyms.flag)), "{example}");
        }
        assert!(OF_THE_SONG.iter().all(|(flag, _)| known(flag)));
    }

    #[test]
    fn each_other_name_has_one_meaning() {
        let mut names: Vec<&str> = SYNONYMS.iter().flat_map(|s| s.names.iter().copied()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
