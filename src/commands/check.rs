//! `mamc check`: every problem of every file, then one line on what each song is.

use crate::args::HowArgs;
use crate::compiling::{Compiled, compile_song};
use crate::console::Console;
use crate::failure::Failure;
use crate::input::Song;
use crate::report::human::{Look, draw};
use crate::report::{self, Form, Found, number_of, tally};
use crate::summary::Summary;
use clap::{Args, ValueEnum};
use mam_grammar::{Problem, Severity};
use std::path::PathBuf;

/// Show every problem of a song, and what the song is
///
/// Exits with 0 when there are no errors, with 1 when there are.
#[derive(Args, Debug)]
pub struct Check {
    /// Files, `-` for standard input, or names of prelude instruments
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// The form of the report; json and sarif go to standard output
    #[arg(long, value_name = "FORM", default_value = "human")]
    format: Form,
    /// What else counts as an error
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    #[command(flatten)]
    how: HowArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Deny {
    /// Warnings
    Warnings,
}

impl Check {
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let mut worst = Ok(());
        let mut all: Vec<Compiled> = Vec::new();
        for input in &self.inputs {
            match Song::read(input, self.how.stdin_name.as_deref()) {
                Ok(song) => all.push(compile_song(song, &self.how)),
                // The others are checked all the same.
                Err(failure) => {
                    console.insist(&format!("error: {failure}\n"));
                    worst = Err(if failure.code() == 1 { Failure::Input } else { Failure::Unread });
                }
            }
        }
        self.report(&all, console)?;
        let fails = |c: &Compiled| self.fails(&c.problems) || c.compilation.program.is_none();
        if all.iter().any(fails) && worst.is_ok() {
            worst = Err(Failure::Input);
        }
        worst
    }

    fn fails(&self, problems: &[Problem]) -> bool {
        let denied = self.deny == Some(Deny::Warnings) && number_of(problems, Severity::Warning) > 0;
        denied || number_of(problems, Severity::Error) > 0
    }

    fn report(&self, all: &[Compiled], console: Console) -> Result<(), Failure> {
        let found: Vec<Found> = all.iter().map(Compiled::found).collect();
        match self.format {
            Form::Json => console.result(&report::json(&found, all.iter().filter_map(Summary::of).collect())),
            Form::Sarif => console.result(&report::sarif(&found)),
            Form::Short => {
                all.iter().for_each(|c| console.insist(&report::short(&c.problems, &c.sources)));
                Ok(())
            }
            Form::Human => all.iter().try_for_each(|c| human(c, console)),
        }
    }
}

fn human(compiled: &Compiled, console: Console) -> Result<(), Failure> {
    let Compiled { sources, problems, .. } = compiled;
    let look = Look { colour: console.colour, width: console.width() };
    console.styled(&draw(problems, sources, look));
    if let Some(tally) = tally(problems) {
        console.insist(&format!("{}: {tally}\n", compiled.name()));
    }
    match Summary::of(compiled) {
        Some(summary) if !console.quiet => console.result(&format!("{summary}\n")),
        _ => Ok(()),
    }
}
