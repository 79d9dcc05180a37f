//! `spectral(x, size: 1024, overlap: 4) { … }`: a region that is computed once for each bin of a spectrum, in each hop.

use super::names::{Frame, Path, Slot};
use super::value::{AT_LEAST_0, Kind, Signal, Value};
use super::{At, Checker};
use crate::codes;
use crate::dimension::Dimension;
use crate::hir::Callee;
use crate::hir::builtins::{BIN, Builtin, Function};
use mam_grammar::ast::{Body, Expr, ExprId, Ident};
use mam_grammar::{Problem, Span};
use mam_runtime::block::Frames;

impl Checker<'_> {
    /// `spectral(x, size, overlap) { body }`
    pub(super) fn spectral(&mut self, at: &At, expr: ExprId, head: ExprId, body: &Body) -> Value {
        let place = self.span(at, head);
        let Some(call) = self.hir(at).call(head) else { return Value::Broken };
        let function = match call.callee {
            Callee::Builtin(builtin) => builtin.row().function,
            Callee::Broken => return Value::Broken,
            Callee::Definition(_) | Callee::Local(_) => return self.no_region(place),
        };
        let (Function::Spectral, &[Some(x), size, overlap]) = (function, &call.args[..]) else {
            return self.no_region(place);
        };
        let Frame { hop, factor, .. } = &self.frames[at.frame];
        if hop.is_some() || *factor > 1 {
            let message = "a spectral region cannot stand in another region";
            let help = "write it outside, under a name, and use that in the region";
            return self.problem(Problem::new(&codes::BAD_SPECTRUM, place, message).help(help));
        }
        let value = self.eval(at, x);
        let Some(frames) = self.frames_of(at, size, overlap) else { return Value::Broken };
        let span = self.span(at, x);
        let (Some(mag), Some(phase)) = (self.seen_in_bins(&value, span), self.seen_in_bins(&value, span))
        else {
            return Value::Broken;
        };
        self.has_state = true;
        let scope = self.hir(at).loop_scope(expr);
        let frame = self.inner_frame(at.frame, scope, Path::Inside(at.clone(), "spectral".into()));
        self.frames[frame].hop = Some(frames.hop());
        let bin = Value::plain(self.within(Kind::Fast, (0.0, (frames.size() / 2) as f64)));
        for (slot, value) in [mag, phase, bin].into_iter().enumerate() {
            self.frames[frame].slots[slot] = Slot::Done(value);
        }
        let result = self.body(frame, body);
        self.resynthesized(result, matches!(value, Value::List(_) | Value::Record(_)), self.span(at, expr))
    }

    /// `size` and `overlap`, which are constants. Where they depend on an argument of which nothing is known, the ones that are
    /// there by default.
    fn frames_of(&mut self, at: &At, size: Option<ExprId>, overlap: Option<ExprId>) -> Option<Frames> {
        let mut given = |expr: Option<ExprId>, default: usize, what: &str| match expr {
            Some(expr) => {
                let (number, dimension) = self.constant(at, expr, what)?;
                let span = self.span(at, expr);
                let is_plain = self.plain(&dimension, span, |dimension| {
                    let message = format!("{what} is a plain number, but this is {dimension}");
                    Problem::new(&codes::DIMENSION, span, message).help("write it without a unit")
                });
                is_plain.then(|| (number.unwrap_or(default as f64), Some(span)))
            }
            None => Some((default as f64, None)),
        };
        let (size, written) = given(size, Frames::SIZE, "the size of a spectral region")?;
        let (overlap, other) = given(overlap, Frames::OVERLAP, "the overlap of a spectral region")?;
        let frames = Frames::new(size, overlap);
        if frames.is_none() {
            let span = written.or(other).unwrap_or_default();
            let message =
                format!("a spectrum of {size} samples, {overlap} times overlapped, cannot be taken");
            let problem = Problem::new(&codes::BAD_SPECTRUM, span, message);
            self.problem(problem.help(
                "write a `size` that is a power of two from 256 to 32768, and an `overlap` of 2, 4 or 8 by which \
                 a hop is at least 64 samples, such as `size: 1024, overlap: 4`",
            ));
        }
        frames
    }

    /// The level or the angle of each signal of a value.
    fn seen_in_bins(&mut self, value: &Value, span: Span) -> Option<Value> {
        match value {
            Value::List(elements) => {
                let all: Option<Vec<Value>> =
                    elements.iter().map(|value| self.seen_in_bins(value, span)).collect();
                all.map(|all| Value::List(all.into()))
            }
            Value::Record(fields) => {
                let mut parts = vec![];
                for (name, value) in fields.iter() {
                    parts.push((name.clone(), self.seen_in_bins(value, span)?));
                }
                Some(Value::Record(parts.into()))
            }
            value => {
                let signal = self.signal(value.clone(), span)?;
                Some(Value::Signal(
                    self.each(&[&signal], Dimension::PLAIN, |o, _| o.varying(Kind::Fast, AT_LEAST_0)),
                ))
            }
        }
    }

    /// What a region gives: a signal of `{ mag: …, phase: … }`, or of a `mag` alone.
    fn resynthesized(&mut self, value: Value, of_several: bool, span: Span) -> Value {
        let parts: Vec<(&str, Value)> = match &value {
            Value::Broken => return Value::Broken,
            Value::Record(fields) => {
                let unknown = fields.iter().find(|(name, _)| !BIN[..2].contains(&&**name));
                if let Some((name, _)) = unknown {
                    let message = format!("a bin has a `mag` and a `phase`, and no `{name}`");
                    return self.bad_result(span, message);
                }
                let part = |word: &'static str| {
                    fields.iter().find(|(name, _)| **name == *word).map(|(_, value)| (word, value.clone()))
                };
                BIN[..2].iter().filter_map(|&word| part(word)).collect()
            }
            value => vec![(BIN[0], value.clone())],
        };
        if parts.first().is_none_or(|(name, _)| *name != BIN[0]) {
            return self.bad_result(span, "these braces do not say the `mag` of a bin".into());
        }
        if of_several && parts.len() == 1 {
            let message = "these braces do not say the `phase` of a bin, and several signals flow in".into();
            return self.bad_result(span, message);
        }
        let mut stereo = false;
        for (name, value) in parts {
            let Some(signal) = self.signal(value, span) else { return Value::Broken };
            stereo |= signal.stereo;
            let is_plain = self.plain(&signal.dimension, span, |dimension| {
                let message = format!("the `{name}` of a bin is a plain number, but this is {dimension}");
                Problem::new(&codes::DIMENSION, span, message)
                    .help("divide it by a unit: `x / 1Hz`, `x / 1s`")
            });
            if !is_plain {
                return Value::Broken;
            }
        }
        let [left, right] = [self.varying(Kind::Fast), self.varying(Kind::Fast)];
        Value::Signal(match stereo {
            true => Signal::stereo(left, right, Dimension::PLAIN),
            false => Signal::mono(left, Dimension::PLAIN),
        })
    }

    fn bad_result(&mut self, span: Span, message: String) -> Value {
        let problem = Problem::new(&codes::BAD_SPECTRUM, span, message);
        self.problem(problem.help("write `out = { mag: mag, phase: phase }`, each as it is to be heard"))
    }

    /// Braces behind a call of something else.
    fn no_region(&mut self, span: Span) -> Value {
        let problem =
            Problem::new(&codes::BAD_SPECTRUM, span, "braces stand behind the function `spectral` alone");
        self.problem(
            problem.help("give your own definition of that name another one, or take the braces away"),
        )
    }

    /// A call without braces.
    pub(super) fn spectrum_without_body(&mut self, callee: &Ident) -> Value {
        let message = "`spectral` computes what stands in the braces behind it, and there are none";
        let problem = Problem::new(&codes::BAD_SPECTRUM, callee.span, message);
        self.problem(
            problem.help("write what becomes of a bin: `spectral(x) { { mag: 0.5 * mag, phase: phase } }`"),
        )
    }

    /// Whether the order of a `tap` has a state of its own, where there are bins.
    pub(super) fn is_allpass_of_bins(&self, at: &At, order: ExprId) -> bool {
        let is_allpass = matches!(&self.ast(at).exprs[order], Expr::Name(word) if *word.name == *"allpass");
        is_allpass && self.frames[at.frame].hop.is_some()
    }

    /// Reports a function that goes on from sample to sample where there are bins.
    pub(super) fn is_out_of_time(&mut self, at: &At, callee: &Ident, builtin: Builtin) -> bool {
        if self.frames[at.frame].hop.is_none() || !builtin.row().function.counts_samples() {
            return false;
        }
        let message = format!("`{callee}` goes on from sample to sample, and a spectral region has bins");
        let help = "write it outside, under a name: the region sees its value once in each hop";
        self.problem(Problem::new(&codes::BAD_SPECTRUM, callee.span, message).help(help));
        true
    }
}
