//! `latency 5ms`: how much later than what flows in the value of a body is heard. It is known before the song starts.

use super::names::FrameId;
use super::place::Expectation;
use super::{At, Checker};
use crate::codes;
use mam_grammar::Problem;
use mam_grammar::ast::{Ident, Item, ItemKind, Unit};
use mam_grammar::float;

impl Checker<'_> {
    /// Checks the latency that a body declares, where it does.
    pub(super) fn latency(&mut self, frame: FrameId, items: &[Item]) {
        let declared = items.iter().find_map(|item| match item.kind {
            ItemKind::Latency(expr) => Some(expr),
            _ => None,
        });
        let Some(expr) = declared else { return };
        self.reference = None;
        let at = At { frame, equation: Some("latency".into()) };
        let span = self.span(&at, expr);
        let value = self.eval(&at, expr);
        let place = Expectation::of_unit(&Ident::new("latency", span), &"a body".into(), Unit::S);
        let value = self.fit(value, span, &place);
        let Some((number, _)) = self.mono(value, span) else { return };
        let most = self.files().limits.tap_seconds;
        match number.constant() {
            None if number.is_open() => {}
            None => {
                let message = "a latency must be known before the song starts: what it is late against is delayed by as much";
                let problem = Problem::new(&codes::NOT_CONSTANT, span, message);
                let help =
                    "write a time, such as `latency 5ms`; let what moves within it be a part of that time";
                self.problem(problem.help(help).guess(span, "5ms"));
            }
            Some(seconds) if (0.0..=most).contains(&seconds) => {}
            Some(seconds) => {
                let message = format!("a latency is 0 s to {most} s long, and this is {seconds} s");
                let help = match float::parse(self.files().slice(span)) {
                    Some(number) if number > 0.0 => format!(
                        "a number without a unit is in seconds; for {number} samples write `{number} / sr`"
                    ),
                    _ => "write a time within this range, such as `5ms`".into(),
                };
                self.problem(Problem::new(&codes::TOO_LARGE, span, message).help(help));
            }
        }
    }
}
