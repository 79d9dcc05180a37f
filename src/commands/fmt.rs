//! `mamc fmt`: formats songs in place, or turns one front end's text into the other's.

use crate::compiling::tell;
use crate::console::Console;
use crate::failure::Failure;
use crate::input;
use crate::output::write_text;
use clap::{Args, ValueEnum};
use mam_compiler::convert;
use mam_grammar::{Limits, Problems, Sources, fmt, syntax};
use std::path::{Path, PathBuf};

/// Format songs, or turn JSON into .mam and back
#[derive(Args, Debug)]
pub struct Fmt {
    /// .mam files, which are formatted in place; `-` formats standard input to standard output
    #[arg(required = true)]
    inputs: Vec<String>,
    /// Change nothing; fail if something is not formatted
    #[arg(long, conflicts_with = "to")]
    check: bool,
    /// Convert one song to this form instead, on standard output or into -o
    #[arg(long, value_name = "FORM")]
    to: Option<To>,
    /// Where the converted song goes
    #[arg(short, long, value_name = "FILE", requires = "to")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    /// The language
    Mam,
    /// The JSON graph, version 1
    Json,
}

impl Fmt {
    pub fn run(self, console: Console) -> Result<(), Failure> {
        match self.to {
            Some(to) => self.convert(to, console),
            None => self.format(console),
        }
    }

    fn format(&self, console: Console) -> Result<(), Failure> {
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
            let words = format!("`{input}` is JSON, which is not formatted; --to mam converts it");
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

    fn convert(&self, to: To, console: Console) -> Result<(), Failure> {
        let [input] = &self.inputs[..] else {
            return Err(Failure::Usage("--to converts one song at a time".into()));
        };
        let mut sources = Sources::default();
        let id = sources.add(input.as_str(), input::any_text(input)?);
        let mut problems = Problems::default();
        let converted = match to {
            To::Mam => convert::to_mam(&mut sources, id, &mut problems),
            To::Json => convert::to_json(&mut sources, id, &mut problems),
        };
        tell(&problems.into_sorted(), &sources, console);
        let text = converted.ok_or(Failure::Input)?;
        match self.output.as_deref() {
            None => console.result(&text),
            Some(path) if path == Path::new("-") => console.result(&text),
            Some(path) => write_text(path, &text),
        }
    }
}
