//! `mamc fmt`: formats songs in place.

use crate::compiling::tell;
use crate::console::Console;
use crate::failure::Failure;
use crate::input;
use crate::output::write_text;
use clap::Args;
use mam_grammar::{Limits, Sources, fmt, syntax};
use std::path::Path;

/// Format songs
#[derive(Args, Debug)]
pub struct Fmt {
    /// .mam files, which are formatted in place; `-` formats standard input to standard output
    #[arg(required = true)]
    inputs: Vec<String>,
    /// Change nothing; fail if something is not formatted
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub fn run(self, console: Console) -> Result<(), Failure> {
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
            let words = format!("`{input}` is JSON, which is not formatted");
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
}
