//! From the score of a song to exact data.
//!
//! A `.mam` file's `play` blocks, sections, tempo and the rest become a runtime [`Score`]: patterns of the notation and
//! drum tabs are built into trees once, modifiers wrap them, sections are laid out flat in bars. What can be played
//! is asked of [`Targets`], which the resolver implements; nothing here knows an instrument. JSON makes the same data
//! without coming through here.

mod amount;
mod codes;
mod mini;
pub mod show;
mod words;

pub use amount::Dimension;
pub use codes::CODES;
pub use words::note_number;

use mam_grammar::{Problem, Problems, Span};
use mam_runtime::score::pattern::mix;
use mam_runtime::score::{Pattern, QueryError, Rational, Score, TimeSpan};

/// What the names of a score mean. The resolver's part of the bargain.
pub trait Targets {
    /// What `path` (`bd`, `bd.gain`, `bright`) is.
    fn find(&self, path: &[&str]) -> Meaning;
    /// Every name that a line may begin with, for "did you mean".
    fn names(&self) -> Vec<String>;
    /// Indices of all instruments, which a song without a `play` plays once.
    fn all(&self) -> Vec<usize>;
}

/// What a name of a score means.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// An instrument: it plays notes.
    Instrument(Instrument),
    /// A parameter or a knob: it takes values.
    Parameter(Parameter),
    /// Something else; the words say what, as in "`mix` is a signal".
    Other(String),
    /// Nothing of this name.
    Unknown,
}

/// An instrument as the score sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Instrument {
    /// Index into the program's targets.
    pub index: usize,
    /// As it is written.
    pub name: String,
    /// Whether its sound depends on the note (its `freq` or `note`). Without that, any word is a hit.
    pub pitched: bool,
    /// How many notes it can play at once.
    pub voices: usize,
}

/// A parameter or a knob as the score sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Index into the program's parameters.
    pub index: usize,
    /// As it is written: `bd.gain`.
    pub name: String,
    /// What it measures.
    pub dimension: Dimension,
    /// What a number without a unit is multiplied by to be in base units: 0.001 where the default is in ms.
    pub scale: f64,
    /// Least and greatest value in base units; infinite where it has no range.
    pub range: (f64, f64),
}

/// The pattern of a text of the notation by itself, its words as written. `place` covers `text`.
pub fn notation(text: &str, place: Span, seed: u64, problems: &mut Problems) -> Pattern {
    read(text, place, seed, words::Words::AsWritten, problems)
}

fn read(text: &str, place: Span, seed: u64, words: words::Words, problems: &mut Problems) -> Pattern {
    match mam_grammar::mini::parse(text, place) {
        Ok(group) => mini::Builder::new(seed, problems).group(&group, words),
        Err(problem) => {
            problems.add(problem);
            Pattern::silence()
        }
    }
}

/// Cycles that are tried when a pattern is checked.
const TRIED_CYCLES: i64 = 16;

/// Adds a problem when the first cycles of a pattern cannot be played.
fn check_cost(pattern: &Pattern, place: Span, problems: &mut Problems) {
    let cycles = pattern.period().map_or(TRIED_CYCLES, |p| (p.ceil() as i64).clamp(1, TRIED_CYCLES));
    let failed = (0..cycles).find_map(|c| pattern.query(TimeSpan::cycle(c)).err());
    if let Some(error) = failed {
        problems.add(query_problem(error, place));
    }
}

/// What a failed query says to a person.
pub fn query_problem(error: QueryError, place: Span) -> Problem {
    match error {
        QueryError::TooMuch => {
            Problem::new(&codes::PATTERN_TOO_MUCH, place, "one cycle of this pattern holds too many events")
                .help("a factor, a range or a number of steps is probably far larger than was meant")
        }
        QueryError::Overflow => Problem::new(
            &codes::PATTERN_TOO_FINE,
            place,
            "this pattern divides time more finely than exact fractions can hold",
        ),
    }
}
