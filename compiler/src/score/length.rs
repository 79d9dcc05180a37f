//! Lengths in bars: of a song, and of its sections.

use super::amount::{Amount, exact, not_so};
use super::codes::SCORE_UNREACHED;
use super::tempo::{Meter, twice};
use crate::dimension::Dimension;
use mam_grammar::ast::{Ast, ExprId, Item, ItemKind};
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::score::{Overflow, Rational};

/// A length in bars: a number of them, or beats or bars.
pub(super) fn bars(ast: &Ast, expr: ExprId, meter: &Meter, what: &str) -> Result<Rational, Problem> {
    let fail = || {
        not_so(ast.span(expr), format!("{what} is so many bars long, such as `8 bars`"))
            .help("write a number of bars or beats: `8 bars`")
            .guess(ast.span(expr), "8 bars")
    };
    let bars = match exact(ast, expr)? {
        Amount::Number(Dimension::PLAIN, x) | Amount::Bars(x) => x,
        Amount::Beats(x) => (x / meter.beats_per_bar).map_err(|Overflow| fail())?,
        _ => return Err(fail()),
    };
    let fine = bars >= Rational::ratio(1, 64) && bars <= Rational::whole(100_000);
    let message = format!("{what} is at least a 64th of a bar long, and at most 100000 bars");
    fine.then_some(bars).ok_or_else(|| {
        let problem = not_so(ast.span(expr), message).help("write a number of bars or beats: `8 bars`");
        problem.guess(ast.span(expr), "8 bars")
    })
}

/// The `length` of a song, with its place.
pub(super) fn length(
    ast: &Ast,
    items: &[Item],
    meter: &Meter,
    arranged: bool,
    problems: &mut Problems,
) -> Option<Rational> {
    let mut found: Option<(Rational, Span)> = None;
    for item in items {
        let ItemKind::Length(expr) = item.kind else { continue };
        twice(found.map(|f| f.1), item.span, "length", problems);
        match bars(ast, expr, meter, "a song") {
            Ok(bars) => found = Some((bars, item.span)),
            Err(problem) => problems.add(problem),
        }
        if arranged {
            let message = "the arrangement says how long the song is, so this `length` has no effect";
            let problem = Problem::new(&SCORE_UNREACHED, item.span, message);
            problems.add(problem.help("take the `length` out").guess(item.span, ""));
        }
    }
    found.map(|f| f.0)
}
