//! Geometric series: a power of two whose exponent is a line over the frames, `2^(a·count + b)` with a and b slow. That
//! is what an exponential envelope is between two triggers.
//!
//! The lanes of the first turn are computed as they stand, from the counter at the call's start; each further turn
//! multiplies them by 2^(a·c), where c is what the counter gains in a turn: one multiplication instead of a polynomial.
//! A call has sixteen turns at most, so no more than sixteen roundings add up (10⁻⁶ of the value at most) before the
//! series is anchored anew.

use super::linear::{self, Slope};
use super::widen::Widen;
use crate::ir::{Body, Op, Rate, Type, Value};

/// A counter in lanes.
#[derive(Clone, Copy)]
pub(super) struct Count {
    /// Its lanes in the first turn of a call.
    pub(super) first: Value,
    /// What it gains in a turn.
    pub(super) turn: i32,
}

/// A line over the frames of a call: the counter that it follows, and what it gains with each count.
pub(super) struct Line {
    pub(super) counter: Value,
    pub(super) slope: Slope,
}

/// Finds lines in a body.
pub(super) struct Lines<'a> {
    pub(super) body: &'a Body,
    pub(super) rates: &'a [Rate],
    /// Which values are counters.
    pub(super) counts: &'a dyn Fn(Value) -> bool,
}

/// How deep a line is followed.
const DEPTH: usize = 8;

impl Lines<'_> {
    /// The exponent of a power of two, where it is a line.
    pub(super) fn exponent(&self, value: Value) -> Option<Line> {
        self.line(self.body.insts[value].args.as_slice()[0], DEPTH)
    }

    fn line(&self, value: Value, depth: usize) -> Option<Line> {
        let inst = &self.body.insts[value];
        let args = inst.args.as_slice();
        if inst.op == Op::ToFloat && (self.counts)(args[0]) {
            return Some(Line { counter: args[0], slope: Slope::One });
        }
        if depth == 0 || inst.ty != Type::F32 {
            return None;
        }
        let moving = args.iter().filter(|arg| self.rates[arg.index()] == Rate::Sample);
        let lines: Vec<(Value, Line)> =
            moving.map(|arg| Some((*arg, self.line(*arg, depth - 1)?))).collect::<Option<_>>()?;
        let counter = lines.first()?.1.counter;
        if lines.iter().any(|(_, line)| line.counter != counter) {
            return None;
        }
        let known = lines.into_iter().map(|(arg, line)| (arg, line.slope)).collect();
        let slope = linear::slope(self.body, self.rates, &known, value)?;
        Some(Line { counter, slope })
    }
}

impl Widen<'_> {
    /// The exponent of a power of two, where it is a line.
    pub(super) fn geometric(&self, value: Value) -> Option<Line> {
        let inst = &self.old.insts[value];
        let power = self.linear && inst.op == Op::Exp2 && inst.ty == Type::F32;
        let counts = |value| self.counters.contains_key(&value);
        let lines = Lines { body: self.old, rates: &self.rates, counts: &counts };
        if power { lines.exponent(value) } else { None }
    }

    /// The power in lanes.
    pub(super) fn series(&mut self, value: Value, line: &Line) {
        let exponent = self.old.insts[value].args.as_slice()[0];
        let first = self.first(exponent);
        let start = self.new.op(Op::Exp2, &[first]);
        let slope = self.factor(&line.slope);
        let turn = self.new.f64(f64::from(self.counters[&line.counter].turn));
        let gain = self.new.op(Op::Mul, &[slope, turn]);
        // Never infinite: of a series that has come to 0 nothing else becomes.
        let most = self.new.f64(127.0);
        let gain = self.new.op(Op::Min, &[gain, most]);
        let ratio = self.new.op(Op::Exp2, &[gain]);
        let ratio = self.new.op(Op::Demote, &[ratio]);
        let ratio = self.new.op(Op::Splat, &[ratio]);
        let now = self.carry(start);
        let next = self.new.op(Op::Mul, &[now, ratio]);
        self.new.nexts.push((now, next));
        self.wide[value.index()].lanes = Some(now);
        self.reasons.push(format!("v{}: a geometric series", value.index()));
    }

    /// A line in the first turn of a call.
    fn first(&mut self, value: Value) -> Value {
        let inst = &self.old.insts[value];
        if self.rates[value.index()] != Rate::Sample {
            return self.lanes(value);
        }
        let args: Vec<Value> = match inst.op {
            Op::ToFloat => vec![self.counters[&inst.args.as_slice()[0]].first],
            _ => inst.args.as_slice().iter().map(|arg| self.first(*arg)).collect(),
        };
        self.new.add(inst.op, inst.ty.with_lanes(4), &args)
    }
}
