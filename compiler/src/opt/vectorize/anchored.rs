//! Geometric series in turns of one frame, for lanes that are calls: the power of two of a line over the frames of a
//! call (see [`super::series`]) is computed once, at the call's start, and then gains `2^a − 1` of itself each frame.
//!
//! Of the gain, which is nearly 0, more digits are kept than of a factor, which would be nearly 1; so of the 64
//! roundings of a call at most few add up (3·10⁻⁷ of the value in the mean) before the series is anchored anew.

use super::recurrence::{self, Counter};
use super::scan;
use super::series::{Line, Lines, ratio};
use crate::ir::{Body, Imm, Kernel, Op, Rate, Type, Value};
use crate::opt::rebuild;
use rustc_hash::FxHashMap;

/// The kernel with exponential envelopes of its steady body as series.
pub(in crate::opt) fn anchored(kernel: &Kernel) -> Kernel {
    let old = &kernel.steady;
    let rates = old.rates();
    let mut counters: FxHashMap<Value, Counter> = FxHashMap::default();
    for circle in recurrence::circles(old, &rates).iter().filter(|circle| recurrence::is_circle(old, circle))
    {
        if let Some(counter) = recurrence::counter(kernel, old, circle) {
            counters.insert(counter.least, counter);
        }
    }
    let lines = Lines { body: old, rates: &rates, counts: &|value| counters.contains_key(&value) };
    let mut series = Series { old, rates: &rates, counters: &counters, map: vec![], back_edges: vec![] };
    let mut steady = rebuild::body(old, |new, value, inst| {
        let line = if inst.op == Op::Exp2 && inst.ty == Type::F32 { lines.exponent(value) } else { None };
        let now = match line {
            Some(line) => series.begin(new, value, &line),
            None => new.insts.add(inst),
        };
        series.map.push(now);
        now
    });
    steady.back_edges.extend(series.back_edges);
    Kernel { steady, ..kernel.clone() }
}

struct Series<'a> {
    old: &'a Body,
    rates: &'a [Rate],
    counters: &'a FxHashMap<Value, Counter>,
    /// The new values so far.
    map: Vec<Value>,
    back_edges: Vec<(Value, Value)>,
}

impl Series<'_> {
    /// The power `value`, whose exponent is a line.
    fn begin(&mut self, new: &mut Body, value: Value, line: &Line) -> Value {
        let first = self.first(new, self.old.insts[value].args.as_slice()[0]);
        let start = new.op(Op::Exp2, &[first]);
        let slope = scan::formula(&line.slope, new, &mut |value| self.map[value.index()]);
        let ratio = ratio(new, slope, self.counters[&line.counter].step);
        let one = new.f64(1.0);
        let gain = new.op(Op::Sub, &[ratio, one]);
        let gain = new.op(Op::Demote, &[gain]);
        let now = new.op(Op::LoopCarried, &[start]);
        let more = new.op(Op::Mul, &[now, gain]);
        let next = new.op(Op::Add, &[more, now]);
        self.back_edges.push((now, next));
        now
    }

    /// A line in the first frame of a call.
    fn first(&self, new: &mut Body, value: Value) -> Value {
        let inst = &self.old.insts[value];
        let args = inst.args.as_slice();
        if self.rates[value.index()] != Rate::Sample {
            return self.map[value.index()];
        }
        let args: Vec<Value> = match self.counters.get(&args[0]).filter(|_| inst.op == Op::ToFloat) {
            Some(counter) => {
                let (step, most) = (new.i32(counter.step), new.constant(Imm::I32(counter.most), 1));
                let entry = new.add(Op::LiveIn(counter.state), Type::I32, &[]);
                let count = new.op(Op::Add, &[entry, step]);
                vec![new.op(Op::Min, &[count, most])]
            }
            None => args.iter().map(|arg| self.first(new, *arg)).collect(),
        };
        new.add(inst.op, inst.ty, &args)
    }
}
