//! `mamc fmt`: formats songs in place, or turns JSON into the language.

use crate::compiling::tell;
use crate::console::Console;
use crate::failure::Failure;
use crate::input;
use crate::output::write_text;
use clap::{Args, ValueEnum};
use mam_compiler::files::Files;
use mam_compiler::json;
use mam_compiler::library::Library;
use mam_grammar::{Limits, Problems, Sources, fmt, syntax};
use std::path::{Path, PathBuf};

/// Format songs, or turn JSON into .mam
#[derive(Args, Debug)]
pub struct Fmt {
    /// .mam files, which are formatted in place; `-` formats standard input to standard output
    #[arg(required = true)]
    inputs: Vec<String>,
    /// Change nothing; fail if something is not formatted
    #[arg(long, conflicts_with = "to")]
    check: bool,
    /// Turn one JSON song into this form instead, on standard output or into -o
    #[arg(long, value_name = "FORM")]
    to: Option<To>,
    /// Where that goes
    #[arg(short, long, value_name = "FILE", requires = "to")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    /// The language
    Mam,
}

impl Fmt {
    pub fn run(self, console: Console) -> Result<(), Failure> {
        if self.to == Some(To::Mam) {
            return self.to_mam(console);
        }
        let mut result = Ok(());
        for input in &self.inputs {
            match self.format_one(input, console) {
                Err(failure @ (Failure::ClosedPipe | Failure::Usage(_))) => return Err(failure),
                Err(failure) => {
                    if !failure.to_string().is_empty() {
                        console.insist(&format!("error: {failure}\n"));
                    }
                    result = Err(if failure.code() == 3 { Failure::Unread } else { Failure::Input });
                }
                Ok(()) => {}
            }
        }
        result
    }

    fn format_one(&self, input: &str, console: Console) -> Result<(), Failure> {
        if Path::new(input).extension().is_some_and(|e| e == "json") {
            let words =
                format!("`{input}` is JSON, which is not formatted; --to mam turns it into the language");
            return Err(Failure::Usage(words));
        }
        let text = input::any_text(input)?;
        let mut sources = Sources::default();
        let id = sources.add(input, text.as_str());
        let (ast, problems) = syntax::parse(&sources, id, &Limits::default());
        let failed = problems.has_errors();
        tell(&problems.into_sorted(), &sources, console);
        if failed {
            return Err(Failure::Input);
        }
        let formatted = fmt::format(&ast, &text);
        match (self.check, input) {
            (true, _) if formatted != text => {
                console.result(&format!("{input}\n"))?;
                Err(Failure::Input)
            }
            (true, _) => Ok(()),
            (false, "-") => console.result(&formatted),
            (false, _) if formatted != text => write_text(Path::new(input), &formatted),
            (false, _) => Ok(()),
        }
    }

    fn to_mam(&self, console: Console) -> Result<(), Failure> {
        let [input] = &self.inputs[..] else {
            return Err(Failure::Usage("--to turns one song at a time".into()));
        };
        let mut sources = Sources::default();
        let id = sources.add(input.as_str(), input::any_text(input)?);
        let (limits, mut problems) = (Limits::default(), Problems::default());
        let files = Files::prelude(&mut sources, limits);
        let song = json::load(&sources, id, &files, &Library::default(), &mut problems);
        let text = song.map(|song| song.to_mam(&mut problems));
        tell(&problems.into_sorted(), &sources, console);
        let text = text.ok_or(Failure::Input)?;
        match self.output.as_deref() {
            None => console.result(&text),
            Some(path) if path == Path::new("-") => console.result(&text),
            Some(path) => write_text(path, &text),
        }
    }
}
