//! The work that looking through a score may take, and what a pattern that takes too much says.

use super::codes;
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::score::{Overflow, Pattern, PatternEvent, QueryError, Rational, TimeSpan};

/// Cycles that are tried when a pattern is checked.
pub(super) const TRIED_CYCLES: i64 = 16;

/// What the first cycle of a pattern takes, and whether it sounds.
#[derive(Clone, Copy)]
pub(super) struct FirstCycle {
    pub(super) steps: u64,
    pub(super) sounds: bool,
}

/// Whether something begins in what a query found; what cannot be played may be anything.
pub(super) fn sounds(found: &Result<Vec<PatternEvent>, QueryError>) -> bool {
    found.as_ref().map_or(true, |events| events.iter().any(PatternEvent::has_onset))
}

/// The work that the lines of a score may take while they are tried.
pub(super) struct Work {
    most: u64,
    left: u64,
}

impl Work {
    pub(super) fn new(most: u64) -> Work {
        Work { most, left: most }
    }

    /// What is left of it.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Takes the work of a line that need not be tried again. Nothing is taken where that is all that is left, or more.
    pub(super) fn spend(&mut self, steps: u64) -> bool {
        let is_enough = self.left > steps;
        self.left -= if is_enough { steps } else { 0 };
        is_enough
    }

    /// Adds a problem when the first cycles of a pattern cannot be played, or those of all lines so far take too much work.
    /// Returns what was found of the first, unless the work ran out. The pattern comes again after `period` cycles.
    pub(super) fn try_line(
        &mut self,
        pattern: &Pattern,
        period: Result<Rational, Overflow>,
        place: Span,
        problems: &mut Problems,
    ) -> Option<FirstCycle> {
        if self.left == 0 {
            return None; // That has been said.
        }
        let cycles = period.map_or(TRIED_CYCLES, |p| (p.ceil() as i64).clamp(1, TRIED_CYCLES));
        let before = self.left;
        let found = pattern.query_within(TimeSpan::cycle(0), &mut self.left);
        let first = FirstCycle { steps: before - self.left, sounds: sounds(&found) };
        let mut later = (1..cycles).map(|c| pattern.query_within(TimeSpan::cycle(c), &mut self.left));
        let failed = found.err().or_else(|| later.find_map(Result::err));
        if self.left == 0 {
            let message = format!(
                "the lines of the score take more than {} steps to be looked through, the limit `score_work`",
                self.most
            );
            let help = "write fewer lines, or fewer events in them";
            problems.add(Problem::new(&crate::codes::TOO_LARGE, place, message).help(help));
        } else if let Some(error) = failed {
            problems.add(query_problem(error, place));
        }
        (self.left > 0).then_some(first)
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
