//! `wave_at`: what a wavetable may be.

use super::value::{ALL, Kind, Value};
use super::{At, Checker};
use crate::codes;
use crate::dimension::Dimension;
use crate::samples::Samples;
use crate::waves::{CYCLE, HARMONICS, LONGEST_CYCLE, MOST_CYCLES};
use mam_grammar::ast::ExprId;
use mam_grammar::{Problem, Span};

impl Checker<'_> {
    /// `wave_at(waves, phase, freq, morph)`
    pub(super) fn wave_at(&mut self, at: &At, args: &[Option<ExprId>]) -> Value {
        let arg = |i: usize| args.get(i).copied().flatten();
        let (Some(waves), Some(phase), Some(freq)) = (arg(0), arg(1), arg(2)) else { return Value::Broken };
        let span = self.span(at, waves);
        let value = self.eval(at, waves);
        if matches!(value, Value::Recording(_)) {
            return self.is_recorded("wave_at", span);
        }
        if let Some(problem) = self.streamed("wave_at", &value, span) {
            return self.problem(problem);
        }
        if let Some(problem) = self.wrong_waves(&value, span) {
            return self.problem(problem);
        }
        let places = [Some((phase, Dimension::PLAIN)), Some((freq, Dimension::FREQUENCY)), {
            arg(3).map(|morph| (morph, Dimension::PLAIN))
        }];
        let mut kind = Kind::Slow;
        for (expr, wanted) in places.into_iter().flatten() {
            let Some(number) = self.measured_by(at, "wave_at", expr, wanted) else { return Value::Broken };
            kind = match (kind, number.kind) {
                (Kind::Open, _) | (_, Kind::Open) => Kind::Open,
                (Kind::Fast, _) | (_, Kind::Fast) => Kind::Fast,
                _ => Kind::Slow,
            };
        }
        if matches!(value, Value::Broken) {
            return Value::Broken;
        }
        Value::plain(self.within(kind, ALL))
    }

    /// What is wrong with a value as a wavetable.
    fn wrong_waves(&self, value: &Value, span: Span) -> Option<Problem> {
        let count = |message: String| Some(Problem::new(&codes::TOO_LARGE, span, message));
        match value {
            Value::Recording(_) | Value::Unknown(_) | Value::Broken => None,
            Value::Text(_) => Some(not_waves(span)),
            Value::Buffer(samples) => match cycles(samples) {
                Some(_) => None,
                None => count(format!(
                    "a wavetable is one cycle of at most {LONGEST_CYCLE} samples, or 1 to {MOST_CYCLES} cycles of {CYCLE}, \
                     and this has {}",
                    samples.frames()
                )),
            },
            Value::List(elements) if elements.len() > MOST_CYCLES.max(HARMONICS) => {
                count(format!("a wavetable has at most {MOST_CYCLES} cycles and {HARMONICS} harmonics"))
            }
            Value::List(elements) => {
                let level = |value: &Value| match value {
                    Value::Signal(signal) => !signal.stereo && signal.is_constant(),
                    _ => matches!(value, Value::Broken | Value::Unknown(_)),
                };
                let cycles = |value: &Value| match value {
                    Value::List(levels) => (!levels.is_empty() && levels.iter().all(level)).then_some(1),
                    Value::Buffer(samples) => cycles(samples),
                    _ => matches!(value, Value::Broken | Value::Unknown(_)).then_some(1),
                };
                let is_one = !elements.is_empty() && elements.iter().all(level);
                let all = elements.iter().map(cycles).sum::<Option<usize>>();
                match all.filter(|_| !is_one) {
                    _ if is_one => None,
                    Some(1..=MOST_CYCLES) => None,
                    Some(1..) => count(format!("a wavetable has at most {MOST_CYCLES} cycles")),
                    _ => Some(not_waves(span)),
                }
            }
            Value::Signal(_) | Value::Record(_) => Some(not_waves(span)),
        }
    }
}

/// How many cycles a buffer is as a part of a wavetable; none where it has too many samples.
fn cycles(samples: &Samples) -> Option<usize> {
    match samples.frames() {
        n if n.is_multiple_of(CYCLE) && n <= MOST_CYCLES * CYCLE => Some(n / CYCLE),
        n if n <= LONGEST_CYCLE => Some(1),
        _ => None,
    }
}

fn not_waves(span: Span) -> Problem {
    Problem::new(&codes::NOT_A_SIGNAL, span, "a wavetable is a buffer, or a list of constants").help(
        "give the levels of harmonics, `[1, 0.5, 0.25]`, samples, `table i in 0..2047 { … }` or `sample(\"wave.wav\")`, \
         or a list of such",
    )
}
