//! `mamc pattern`: what a pattern of the notation does, as a picture or as exact events.

use crate::compiling::tell;
use crate::console::Console;
use crate::failure::Failure;
use crate::json;
use clap::Args;
use mam_compiler::score::{SOURCES, line, modifiers, notation, query_problem, show};
use mam_grammar::{Problems, Sources, Span};
use mam_runtime::score::{Rational, TimeSpan};
use std::str::FromStr;

/// Show what a pattern does
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  mamc pattern 'x ~ [x x] x(3,8)' --cycles 0..2
  mamc pattern '\"bd sd\".every(2, rev)'        with modifiers, as in a score's line
  mamc pattern '|x...x..x|.fast(2)'             a drum tab
  mamc pattern 'saw.range(60, 72).segment(4)'   a signal
With --json: { \"events\": [{ \"value\", \"whole\", \"part\", \"onset\" }] }; whole and part are
[begin, end] in cycles, as exact fractions \"n/d\"; onset is false for a fragment, which
does not sound. A value is a word, a number, a list, or { \"note\": MIDI number, \"vel\" }; the note of a hit is null.
A note has \"length\" too, the share of its event for which it is held, where that is not 1, \"delay\", in seconds, where it is
played later or earlier, and \"set\" where it sets parameters.")]
pub struct Pattern {
    /// The pattern, as it stands between the quotes of a song; or in its quotes (or bar lines), with modifiers behind
    #[arg(allow_hyphen_values = true)]
    pattern: String,
    /// Cycles to show, the last excluded
    #[arg(long, value_name = "FROM..TO", default_value = "0..4", allow_hyphen_values = true)]
    cycles: Cycles,
    /// Random seed of the pattern
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Print the exact events as one JSON document
    #[arg(long)]
    json: bool,
}

/// A range of cycles, not empty.
#[derive(Clone, Copy, Debug)]
struct Cycles {
    from: i64,
    to: i64,
}

/// Cycles that can be shown at once.
const MOST_CYCLES: i64 = 100_000;

/// The last cycle there is, either way: a hundred thousand years of bars at 120.
const LAST_CYCLE: i64 = 2_000_000_000_000;

impl FromStr for Cycles {
    type Err = String;

    fn from_str(text: &str) -> Result<Cycles, String> {
        let (from, to) = text.split_once("..").ok_or("it is written FROM..TO, such as 0..4")?;
        let number = |s: &str| {
            let number = s.trim().parse::<i64>().ok().filter(|n| n.abs() <= LAST_CYCLE);
            number.ok_or_else(|| {
                format!("`{}` is not the number of a cycle: write FROM..TO, such as 0..4", s.trim())
            })
        };
        let (from, to) = (number(from)?, number(to)?);
        match to - from {
            ..1 => Err("it must hold at least one cycle".into()),
            1..=MOST_CYCLES => Ok(Cycles { from, to }),
            n => Err(format!("{n} cycles are more than the {MOST_CYCLES} that can be shown at once")),
        }
    }
}

/// Whether a text is a pattern with its modifiers, as a line has it, and not what stands in quotes: no pattern of the notation
/// begins so.
fn is_line(text: &str) -> bool {
    let text = text.trim_start();
    let made = |name: &str| {
        let rest = text.strip_prefix(name)?.trim_start();
        let modifier = rest.strip_prefix('.').map(str::trim_start);
        let named = |rest: &str| modifiers().any(|entry| rest.starts_with(entry.name));
        let argument = rest.strip_prefix('(').map(str::trim_start);
        let quoted =
            |rest: &str| rest.starts_with('"') || SOURCES.iter().any(|source| rest.starts_with(source.0));
        Some(modifier.is_some_and(named) || argument.is_some_and(quoted))
    };
    text.starts_with(['"', '|']) || SOURCES.iter().any(|source| made(source.0) == Some(true))
}

/// The pattern that is meant by a text that is a part of a song, with what stands before it: `lead "c4 e4".rev` and `s("bd*4")` have
/// what is played, `'x x'` other quotes.
fn without_target(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(inside) = text.strip_prefix(['\'', '`']).and_then(|text| text.strip_suffix(['\'', '`'])) {
        return Some(format!("\"{inside}\""));
    }
    let target = |before: &str| {
        let letter = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        !before.is_empty() && before.chars().all(letter)
    };
    // A tab ends with a bar line, as no pattern of the notation does.
    if let Some((before, bars)) = text.split_once(" |").filter(|_| text.ends_with('|') || text.contains("|."))
    {
        return target(before.trim()).then(|| format!("|{bars}"));
    }
    let (before, rest) = text.split_once('"')?;
    let (inside, behind) = rest.split_once('"')?;
    let call = before.trim_end().strip_suffix('(');
    match call {
        Some(_) => Some(format!("\"{inside}\"{}", behind.trim_start().strip_prefix(')').unwrap_or(behind))),
        None => Some(format!("\"{inside}\"{behind}")),
    }
}

/// A text that is not a pattern, but the name of a file or a part of a song, with what is meant.
fn mistaken(text: &str) -> Option<Failure> {
    const SONGS: [&str; 4] = [".mam", ".json", ".mid", ".midi"];
    let name = text.trim();
    if !name.contains(char::is_whitespace) && SONGS.iter().any(|ending| name.to_lowercase().ends_with(ending))
    {
        let words = format!(
            "`{name}` is the name of a file, and this shows a pattern; `mamc list notes {name}` shows what a song plays"
        );
        return Some(Failure::Usage(words));
    }
    let meant = without_target(text).filter(|_| !is_line(text))?;
    Some(Failure::Usage(format!(
        "a pattern stands alone, in double quotes or between bar lines: mamc pattern '{meant}'"
    )))
}

impl Pattern {
    /// Runs the command and writes its result to standard output or into files.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        if let Some(failure) = mistaken(&self.pattern) {
            return Err(failure);
        }
        let mut sources = Sources::default();
        let id = sources.add("<pattern>", self.pattern.as_str());
        let place = Span::new(id, 0, self.pattern.len());
        let mut problems = Problems::default();
        let (pattern, names) = match is_line(&self.pattern) {
            true => line(&self.pattern, place, self.seed, &mut problems),
            false => (notation(&self.pattern, place, self.seed, &mut problems), show::SetNames::default()),
        };
        let span = TimeSpan::new(Rational::whole(self.cycles.from), Rational::whole(self.cycles.to));
        let events = show::events(&pattern, span).map_err(|e| problems.add(query_problem(e, place)));
        let failed = problems.has_errors();
        tell(&problems.into_sorted(), &sources, console);
        match events {
            Ok(events) if !failed && self.json => console.result(&json::pretty(&show::json(&events, &names))),
            Ok(events) if !failed => console.result(&show::picture(&events, span, console.width(), &names)),
            _ => Err(Failure::Input),
        }
    }
}
