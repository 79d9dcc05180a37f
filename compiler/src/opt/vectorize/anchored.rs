//! Geometric series in iterations of one frame, for lanes that are calls or channels: the power of two of a line over the
//! frames of a call (see [`super::induction`]) is computed once, at the call's start, and then gains `2^a − 1` of itself
//! each frame.
//!
//! Of the gain, which is nearly 0, more digits are kept than of a factor, which would be nearly 1; so of the 64
//! roundings of a call at most few add up (3·10⁻⁷ of the value in the mean) before the series is anchored anew.

use super::component;
use super::induction::{self, Counter, Line};
use super::scan;
use crate::ir::{Body, Imm, Kernel, Op, Type, Value};
use crate::opt::analysis::Analysis;
use crate::opt::rebuild;
use rustc_hash::FxHashMap;

/// The kernel with exponential envelopes of its steady body as series.
pub(in crate::opt) fn anchored(kernel: &Kernel) -> Kernel {
    let a = Analysis::steady(kernel);
    let mut counters: FxHashMap<Value, Counter> = FxHashMap::default();
    let components = component::components(&a);
    for component in components.iter().filter(|component| component.is_recurrence) {
        if let Some(counter) = induction::counter(&a, component) {
            counters.insert(counter.least, counter);
        }
    }
    let mut series = Series { a: &a, counters: &counters, map: vec![], back_edges: vec![] };
    let mut steady = rebuild::body(a.body, |new, value, inst| {
        let now = match induction::exponent(&a, &|value| counters.contains_key(&value), value) {
            Some(line) => series.start(new, value, &line),
            None => new.insts.add(inst),
        };
        series.map.push(now);
        now
    });
    steady.back_edges.extend(series.back_edges);
    Kernel { steady, ..kernel.clone() }
}

struct Series<'a> {
    a: &'a Analysis<'a>,
    counters: &'a FxHashMap<Value, Counter>,
    /// The new values so far.
    map: Vec<Value>,
    back_edges: Vec<(Value, Value)>,
}

impl Series<'_> {
    /// The power `value`, whose exponent is a line.
    fn start(&mut self, new: &mut Body, value: Value, line: &Line) -> Value {
        let first = self.first(new, self.a.body.insts[value].args.as_slice()[0]);
        let start = new.op(Op::Exp2, &[first]);
        let slope = scan::formula(&line.slope, new, &mut |value| self.map[value.index()]);
        let ratio = ratio(new, slope, self.counters[&line.counter].step);
        let one = new.f64(1.0);
        let gain = new.op(Op::Sub, &[ratio, one]);
        let gain = new.op(Op::Demote, &[gain]);
        let now = new.op(Op::LoopCarried, &[start]);
        let gained = new.op(Op::Mul, &[now, gain]);
        let next = new.op(Op::Add, &[gained, now]);
        self.back_edges.push((now, next));
        now
    }

    /// A line in the first frame of a call.
    fn first(&self, new: &mut Body, value: Value) -> Value {
        let inst = &self.a.body.insts[value];
        let args = inst.args.as_slice();
        if self.a.is_invariant(value) {
            return self.map[value.index()];
        }
        let args: Vec<Value> = match self.counters.get(&args[0]).filter(|_| inst.op == Op::ToFloat) {
            Some(counter) => {
                let (step, most) = (new.i32(counter.step), new.constant(Imm::I32(counter.most), 1));
                let start = new.add(Op::LiveIn(counter.state), Type::I32, &[]);
                let count = new.op(Op::Add, &[start, step]);
                vec![new.op(Op::Min, &[count, most])]
            }
            None => args.iter().map(|arg| self.first(new, *arg)).collect(),
        };
        new.add(inst.op, inst.ty, &args)
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
