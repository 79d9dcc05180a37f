//! Cycles of a score that could not be played, in words: which line, where in the music, why.

use super::finite::place;
use mam_runtime::Program;
use mam_runtime::score::{Played, QueryError, Unplayed};

/// What could not be played and where, as a sentence without its end: "a cycle of `bd` holds too many events at bar 18, beat
/// 1 (34.000 s)".
pub fn sentence(unplayed: &Unplayed, program: &Program) -> String {
    let name = match unplayed.line {
        Played::Target(target) => program.targets.get(target).map(|target| &*target.name),
        Played::Param(param) => program.params.get(param).map(|slot| &*slot.name),
    };
    let why = match unplayed.error {
        QueryError::TooMuch => "holds too many events",
        QueryError::Overflow => "divides time more finely than exact fractions can hold",
    };
    let place = place(unplayed.frame, program);
    format!("the cycle of `{}` that begins at {place} {why}", name.unwrap_or("a line"))
}

/// What a command says of cycles that could not be played; nothing where all were.
pub fn report(all: &[Unplayed], program: &Program) -> Option<String> {
    let lines: Vec<String> =
        all.iter().map(|unplayed| sentence(unplayed, program) + ", and is silent").collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
