//! `mamc pattern`: what a pattern of the notation does, as a picture or as exact events.

use crate::compiling::tell;
use crate::console::Console;
use crate::failure::Failure;
use crate::json;
use clap::Args;
use mam_compiler::score::{notation, query_problem, show};
use mam_grammar::{Problems, Sources, Span};
use mam_runtime::score::{Rational, TimeSpan};
use std::str::FromStr;

/// Show what a pattern does
#[derive(Args, Debug)]
#[command(after_help = "Example: mamc pattern 'x ~ [x x] x(3,8)' --cycles 0..2")]
pub struct Pattern {
    /// The pattern, as it stands between the quotes of a song
    #[arg(allow_hyphen_values = true)]
    pattern: String,
    /// Which cycles: from, and up to but not including
    #[arg(long, value_name = "FROM..TO", default_value = "0..4")]
    cycles: Cycles,
    /// The random seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Exact events as one JSON document
    #[arg(long)]
    json: bool,
}

/// A range of cycles, not empty.
#[derive(Clone, Copy, Debug)]
struct Cycles {
    from: i64,
    to: i64,
}

impl FromStr for Cycles {
    type Err = String;

    fn from_str(text: &str) -> Result<Cycles, String> {
        const MOST: i64 = 100_000;
        let wrong = || "it is written FROM..TO, such as 0..4".to_string();
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        let number = |s: &str| s.trim().parse::<i64>().ok().filter(|n| n.abs() <= MOST).ok_or_else(wrong);
        let (from, to) = (number(from)?, number(to)?);
        if from < to { Ok(Cycles { from, to }) } else { Err("it must hold at least one cycle".into()) }
    }
}

impl Pattern {
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let mut sources = Sources::default();
        let id = sources.add("<pattern>", self.pattern.as_str());
        let place = Span::new(id, 0, self.pattern.len());
        let mut problems = Problems::default();
        let pattern = notation(&self.pattern, place, self.seed, &mut problems);
        let whole = |n| Rational::new(i128::from(n), 1).unwrap_or(Rational::ZERO);
        let span = TimeSpan::new(whole(self.cycles.from), whole(self.cycles.to));
        let events = show::events(&pattern, span).map_err(|e| problems.add(query_problem(e, place)));
        let failed = problems.has_errors();
        tell(&problems.into_sorted(), &sources, console);
        match events {
            Ok(events) if !failed && self.json => console.result(&json::pretty(&show::json(&events))),
            Ok(events) if !failed => console.result(&show::picture(&events, span, console.width())),
            _ => Err(Failure::Input),
        }
    }
}
