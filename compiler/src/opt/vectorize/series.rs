//! What follows the frames of a call in a known way.
//!
//! A **ramp** rises by the same in each frame: the index of the frame itself, and what is made of it by adding and
//! multiplying whole numbers. A turn adds four times as much.
//!
//! A geometric **series**: a power of two whose exponent is a line over the frames, `2^(a·count + b)` with a and b slow. That
//! is what an exponential envelope is between two triggers.
//!
//! The lanes of the first turn are computed as they stand, from the counter at the call's start; each further turn
//! multiplies them by 2^(a·c), where c is what the counter gains in a turn: one multiplication instead of a polynomial.
//! A call has sixteen turns at most, so no more than sixteen roundings add up (10⁻⁶ of the value at most) before the
//! series is anchored anew.

use super::build::Widen;
use super::scan::{self, Slope};
use crate::ir::{Body, Imm, Op, Rate, Type, Value};

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

/// A whole number that rises by the same in each frame, and wraps: the frame's index, times and plus what is slow.
#[derive(Clone, Copy)]
pub(super) struct Ramp {
    /// Its lanes in the first turn of a call.
    first: Value,
    /// What it gains in a turn, in all lanes.
    turn: Value,
}

/// A geometric series.
#[derive(Clone, Copy)]
pub(super) struct Series {
    /// Its lanes in the first turn of a call.
    first: Value,
    /// By what each turn multiplies them, in all lanes.
    ratio: Value,
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
        let slope = scan::slope(self.body, self.rates, &known, value)?;
        Some(Line { counter, slope })
    }
}

/// By what a series is multiplied in so many counts, as an f64. Never infinite: of a series that has come to 0 nothing
/// else becomes.
pub(super) fn ratio(new: &mut Body, slope: Value, counts: i32) -> Value {
    let counts = new.f64(f64::from(counts));
    let gain = new.op(Op::Mul, &[slope, counts]);
    let most = new.f64(127.0);
    let gain = new.op(Op::Min, &[gain, most]);
    new.op(Op::Exp2, &[gain])
}

impl Widen<'_> {
    /// An instruction as a ramp, if it is one. Exact: whole numbers wrap.
    pub(super) fn ramp(&mut self, value: Value) -> Option<Ramp> {
        let inst = &self.old.insts[value];
        if inst.op == Op::Frame {
            let began = self.new.add(Op::CallFrame, Type::I32, &[]);
            let (began, count) = (self.new.op(Op::Splat, &[began]), self.count(0, 1));
            let first = self.new.op(Op::Add, &[began, count]);
            return Some(Ramp { first, turn: self.new.constant(Imm::I32(4), 4) });
        }
        let &[a, b] = inst.args.as_slice() else { return None };
        let slow = |v: Value| self.rates[v.index()] != Rate::Sample;
        let (ramp, by) = match (self.ramps.get(&a), self.ramps.get(&b)) {
            (Some(ramp), None) if slow(b) => (*ramp, b),
            (None, Some(ramp)) if slow(a) && matches!(inst.op, Op::Add | Op::Mul) => (*ramp, a),
            _ => return None,
        };
        let op = inst.op;
        let by = self.lanes(by);
        match op {
            Op::Add | Op::Sub => Some(Ramp { first: self.new.op(op, &[ramp.first, by]), ..ramp }),
            Op::Mul => Some(Ramp {
                first: self.new.op(op, &[ramp.first, by]),
                turn: self.new.op(op, &[ramp.turn, by]),
            }),
            _ => None,
        }
    }

    /// A ramp in lanes.
    pub(super) fn along(&mut self, value: Value, ramp: Ramp) {
        self.proceed(value, ramp.first, Op::Add, ramp.turn);
        self.ramps.insert(value, ramp);
    }

    /// Lanes that begin as `first`, and of which each turn makes the next ones by `op` and the same lanes.
    fn proceed(&mut self, value: Value, first: Value, op: Op, by: Value) {
        let now = self.carry(first);
        let next = self.new.op(op, &[now, by]);
        self.new.back_edges.push((now, next));
        self.wide[value.index()].lanes = Some(now);
    }

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
        let ratio = ratio(&mut self.new, slope, self.counters[&line.counter].turn);
        let ratio = self.new.op(Op::Demote, &[ratio]);
        let ratio = self.new.op(Op::Splat, &[ratio]);
        self.reasons.push(format!("v{}: a geometric series", value.index()));
        self.go(value, Series { first: start, ratio });
    }

    /// A series times something slow: a series.
    pub(super) fn scaled(&mut self, value: Value) -> Option<Series> {
        let inst = &self.old.insts[value];
        let (Op::Mul, &[a, b]) = (inst.op, inst.args.as_slice()) else { return None };
        let slow = |v: Value| self.rates[v.index()] != Rate::Sample;
        let (series, by) = match (self.powers.get(&a), self.powers.get(&b)) {
            (Some(series), None) if slow(b) => (*series, b),
            (None, Some(series)) if slow(a) => (*series, a),
            _ => return None,
        };
        let by = self.lanes(by);
        Some(Series { first: self.new.op(Op::Mul, &[series.first, by]), ..series })
    }

    /// A series in lanes.
    pub(super) fn go(&mut self, value: Value, series: Series) {
        self.proceed(value, series.first, Op::Mul, series.ratio);
        self.powers.insert(value, series);
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
