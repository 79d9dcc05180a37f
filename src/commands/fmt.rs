//! `mamc fmt`: formats songs in place, or turns the language and JSON into each other.

use crate::args::HowArgs;
use crate::compiling::{compile_song, tell};
use crate::console::Console;
use crate::failure::Failure;
use crate::input::{self, Song, songs_of};
use crate::output::{Inputs, write_text};
use clap::{Args, ValueEnum};
use mam_compiler::json;
use mam_grammar::{Limits, Problems, Sources, fmt, syntax};
use std::path::{Path, PathBuf};

/// Format songs, or convert between .mam and JSON
#[derive(Args, Debug)]
#[command(after_help = "\
With --check --json: { \"unformatted\": [files], \"unread\": [files with errors] }.")]
pub struct Fmt {
    /// .mam files, which are formatted in place, or folders, of which all are; `-` formats standard input to standard output
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// Change nothing; fail if something is not formatted
    #[arg(long, conflicts_with = "to")]
    check: bool,
    /// With --check: print the result as one JSON document
    #[arg(long, requires = "check")]
    json: bool,
    /// Convert one song to this form instead, to standard output or the file of -o
    #[arg(long, value_name = "FORM")]
    to: Option<To>,
    /// Write the result to this file
    #[arg(short, long, value_name = "FILE", requires = "to")]
    output: Option<PathBuf>,
    /// With --to: allow the song to use files outside its own folder
    #[arg(long, requires = "to")]
    allow_outside: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    /// The language
    Mam,
    /// The JSON graph, version 2, as far as it can say the same
    Json,
}

impl Fmt {
    /// Runs the command and writes its result to standard output or into files.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        if let Some(to) = self.to {
            return self.convert(to, console);
        }
        // One document says of all files what is to be said.
        let console = Console { json: false, ..console };
        let mut result = Ok(());
        let (mut unformatted, mut unread) = (vec![], vec![]);
        let mut all = vec![];
        for input in &self.inputs {
            match input.is_dir() {
                true => all.extend(texts_of(input)?),
                false => all.push(input.clone()),
            }
        }
        for input in &all {
            match self.format_one(input, &mut unformatted, console) {
                Err(failure @ (Failure::ClosedPipe | Failure::Usage(_))) => return Err(failure),
                Err(failure) => {
                    if !failure.to_string().is_empty() {
                        console.insist(&format!("error: {failure}\n"));
                    }
                    unread.push(input.display().to_string());
                    result = Err(if failure.code() == 3 { Failure::Unread } else { Failure::Input });
                }
                Ok(()) => {}
            }
        }
        if self.json {
            let document = serde_json::json!({ "unformatted": unformatted, "unread": unread });
            console.result(&crate::json::pretty(&document))?;
        }
        let differs = !unformatted.is_empty() && result.is_ok();
        if differs { Err(Failure::Input) } else { result }
    }

    /// Formats one file, or, where it is only to be checked, adds it to those that are not formatted.
    fn format_one(
        &self,
        path: &Path,
        unformatted: &mut Vec<String>,
        console: Console,
    ) -> Result<(), Failure> {
        let input = path.display().to_string();
        if path.extension().is_some_and(|e| e == "json") {
            let words =
                format!("`{input}` is JSON, which is not formatted; --to mam turns it into the language");
            return Err(Failure::Usage(words));
        }
        let text = input::any_text(path)?;
        let mut sources = Sources::default();
        let id = sources.add(input.as_str(), text.as_str());
        let (ast, problems) = syntax::parse(&sources, id, &Limits::default());
        let failed = problems.has_errors();
        tell(&problems.into_sorted(), &sources, console);
        if failed {
            return Err(Failure::Input);
        }
        let formatted = fmt::format(&ast, &text);
        match (self.check, input::is_stdin(path)) {
            (true, _) if formatted != text => {
                let line = format!("{input}\n");
                unformatted.push(input);
                if self.json { Ok(()) } else { console.result(&line) }
            }
            (true, _) => Ok(()),
            (false, true) => console.exact(&formatted),
            // What is read is written again: that is what it is for.
            (false, false) if formatted != text => write_text(path, &formatted, &Inputs::default()),
            (false, false) => Ok(()),
        }
    }

    fn convert(&self, to: To, console: Console) -> Result<(), Failure> {
        let [input] = &self.inputs[..] else {
            return Err(Failure::Usage("--to turns one song at a time".into()));
        };
        let song = Song::read(input, None)?;
        let how = HowArgs { allow_outside: self.allow_outside, ..HowArgs::default() };
        let compiled = compile_song(song, &how);
        tell(&compiled.problems, &compiled.sources, console);
        let Some(program) = &compiled.compilation.program else { return Err(Failure::Input) };
        let is_mono = program.outputs.windows(2).all(|pair| pair[0] == pair[1]);
        let mut problems = Problems::default();
        let text = match (to, &compiled.compilation.stages.json) {
            (To::Mam, Some(song)) => Some(song.to_mam(is_mono, &mut problems)),
            (To::Json, None) => json::from_mam(&compiled.compilation, &mut problems),
            (To::Mam, None) => return Err(Failure::Usage(format!("`{}` is .mam already", input.display()))),
            (To::Json, Some(_)) => {
                return Err(Failure::Usage(format!("`{}` is JSON already", input.display())));
            }
        };
        tell(&problems.into_sorted(), &compiled.sources, console);
        let text = text.ok_or(Failure::Input)?;
        match self.output.as_deref() {
            None => console.exact(&text),
            Some(path) if input::is_stdin(path) => console.exact(&text),
            Some(path) => write_text(path, &text, &Inputs::new(compiled.read_from(input))),
        }
    }
}

/// The songs of a folder that are in the language.
fn texts_of(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut songs = songs_of(folder)?;
    songs.retain(|song| song.extension().is_some_and(|ending| ending == "mam"));
    match songs.is_empty() {
        true => Err(Failure::Io(format!("cannot format `{}`: all songs in it are JSON", folder.display()))),
        false => Ok(songs),
    }
}
