//! `oversample(4) { … }`: a region at a multiple of the sample rate. What moves is filtered on its border.

use super::names::{Frame, FrameId, Path};
use super::value::Value;
use super::{At, Checker};
use crate::codes;
use mam_grammar::Problem;
use mam_grammar::ast::{Body, ExprId};

impl Checker<'_> {
    /// Frames a second where something is evaluated.
    pub(super) fn rate(&self, frame: FrameId) -> f64 {
        let Frame { factor, hop, .. } = self.frames[frame];
        self.input.rate * factor as f64 / hop.unwrap_or(1) as f64
    }

    /// `oversample(factor) { body }`
    pub(super) fn oversample(&mut self, at: &At, expr: ExprId, factor: ExprId, body: &Body) -> Value {
        let span = self.span(at, factor);
        if self.frames[at.frame].hop.is_some() {
            let message = "a spectral region has bins, and no samples of which there could be more";
            let help = "oversample what flows into the region, or what comes out of it";
            return self.problem(Problem::new(&codes::BAD_SPECTRUM, span, message).help(help));
        }
        let found = self.constant(at, factor, "how often a region is oversampled");
        let Some((number, dimension)) = found else { return Value::Broken };
        let written = number.map_or_else(|| self.files().slice(span).to_owned(), |x| x.to_string());
        let message = format!("a region is oversampled 2, 4, 8 or 16 times, not {written}");
        const FACTORS: [f64; 4] = [2.0, 4.0, 8.0, 16.0];
        let asked = number.unwrap_or(FACTORS[0]);
        let nearest = FACTORS.into_iter().find(|&factor| factor >= asked).unwrap_or(FACTORS[3]).to_string();
        let wrong = Problem::new(&codes::BAD_FACTOR, span, message);
        let wrong = wrong.help(format!("write `{nearest}`")).guess(span, nearest);
        if !self.plain(&dimension, span, |_| wrong.clone()) {
            return Value::Broken;
        }
        let factor = match number {
            Some(x) if FACTORS.contains(&x) => x as usize,
            Some(_) => return self.problem(wrong),
            None => 2, // It depends on an argument of which nothing is known.
        };
        let scope = self.hir(at).loop_scope(expr);
        let path = Path::Inside(at.clone(), "oversample".into());
        let frame = self.inner_frame(at.frame, scope, path);
        self.frames[frame].factor *= factor;
        let value = self.body(frame, body);
        self.lowered(value, at, expr)
    }

    /// What a region gives: signals, and lists and records of them.
    fn lowered(&mut self, value: Value, at: &At, expr: ExprId) -> Value {
        match value {
            Value::Buffer(_) | Value::Recording(_) | Value::Text(_) => {
                let span = self.span(at, expr);
                self.signal(value, span).map_or(Value::Broken, Value::Signal)
            }
            value => value.filtered(),
        }
    }

    /// A value of one frame as it is seen in another: across the border of a region, what moves is filtered.
    pub(super) fn seen_from(&self, value: Value, from: FrameId, to: FrameId) -> Value {
        let rate = |frame: FrameId| (self.frames[frame].factor, self.frames[frame].hop);
        if rate(from) == rate(to) { value } else { value.filtered() }
    }
}
