//! Induction variables in lanes.
//!
//! The lanes of the first iteration are computed as they stand, from what the call begins with; each further one adds what
//! four frames gain, or multiplies by it. What goes from iteration to iteration is then the lanes themselves, of which the
//! last is the state.
//!
//! A call has sixteen iterations at most, so no more than sixteen roundings of a series add up (10⁻⁶ of the value at most)
//! before it is anchored anew.

use super::Builder;
use crate::ir::{Imm, Op, StateSlot, Type, Value};
use crate::opt::vectorize::anchored::ratio;
use crate::opt::vectorize::induction::{Counter, Phase, PhaseKind, Ramp, RampStart, ScaledSeries, Series};
use mam_grammar::Handle;

/// A held phase in lanes, or a word of one.
#[derive(Clone, Copy)]
pub(super) struct HeldPhase {
    state: Handle<StateSlot>,
    /// What is added in each frame, of an upper word without the carry.
    step: Value,
    /// What four frames add, with the carry of four steps.
    pub(super) gain: Value,
    /// The state at the call's start, in all lanes.
    start: Value,
    /// The states after each of the first four frames.
    first: Value,
    /// The states after each frame.
    pub(super) after: Value,
    /// Of an upper word, what the state of the lower one is set to.
    lower: Option<Value>,
}

/// A counter in lanes.
#[derive(Clone, Copy)]
pub(super) struct Count {
    /// Its lanes in the first iteration of a call.
    first: Value,
    /// What it gains in an iteration.
    gain: i32,
}

/// What goes on by the same in each iteration: a ramp adds, a series multiplies.
#[derive(Clone, Copy)]
pub(super) struct Progression {
    /// Its lanes in the first iteration of a call.
    pub(super) first: Value,
    /// What each iteration adds or multiplies, in all lanes.
    pub(super) by: Value,
}

impl Builder<'_> {
    /// A phase, in the form that its step allows.
    pub(super) fn phase(&mut self, phase: &Phase) {
        match phase.kind {
            PhaseKind::Held => self.held_phase(phase),
            PhaseKind::UpperWord { whole, lower } => {
                let whole = self.b.uniform(whole).expect("it is loop-invariant");
                self.upper_word(phase, whole, lower);
            }
            PhaseKind::Moving => self.summed_phase(phase),
        }
    }

    fn held_phase(&mut self, phase: &Phase) {
        let step = self.b.uniform(phase.step).expect("it is loop-invariant");
        let start = self.live_in(phase.state);
        let each = self.b.op(Op::Splat, &[step]);
        let (count, two) = (self.count(-3, 1), self.b.new.constant(Imm::I32(2), 4));
        let steps = self.b.op(Op::Mul, &[each, count]);
        let four = self.b.op(Op::Shl, &[each, two]);
        let first = self.b.op(Op::Add, &[start, steps]);
        let before = self.loop_carried(first);
        let after = self.b.op(Op::Add, &[before, four]);
        self.b.new.back_edges.push((before, after));
        self.b.define_lanes(phase.sum, after);
        let get = self.b.op(Op::Sub, &[after, each]);
        self.b.define_lanes(phase.get, get);
        let two = self.b.new.i32(2);
        let gain = self.b.op(Op::Shl, &[step, two]);
        let first = self.b.op(Op::Add, &[first, four]);
        let lanes = HeldPhase { state: phase.state, step, gain, start, first, after, lower: None };
        self.held_phases.insert(phase.sum, lanes);
    }

    /// The upper word of a phase; the state of whose lower one is set to `lower_sum`.
    fn upper_word(&mut self, phase: &Phase, whole: Value, lower_sum: Value) {
        let lower = self.held_phases[&lower_sum];
        // One to four steps: their lower words, those less 2³¹, and their upper words.
        let least = self.b.new.i32(i32::MIN);
        let bound = self.b.op(Op::Xor, &[lower.step, least]);
        let (mut lows, mut highs) = (vec![lower.step], vec![whole]);
        for k in 0..3 {
            let low = self.b.op(Op::Add, &[lows[k], lower.step]);
            let flipped = self.b.op(Op::Xor, &[low, least]);
            let carry = self.carry_of(flipped, bound);
            let high = self.b.op(Op::Add, &[highs[k], whole]);
            highs.push(self.b.op(Op::Sub, &[high, carry]));
            lows.push(low);
        }
        let zero = self.b.new.i32(0);
        let back = self.b.op(Op::Pack, &[lows[2], lows[1], lows[0], zero]);
        let least_lanes = self.b.new.constant(Imm::I32(i32::MIN), 4);
        let back = self.b.op(Op::Xor, &[back, least_lanes]);
        let borrow = self.carry_of(lower.start, back);
        let back = self.b.op(Op::Pack, &[highs[2], highs[1], highs[0], zero]);
        let start = self.live_in(phase.state);
        let first = self.b.op(Op::Sub, &[start, back]);
        let first = self.b.op(Op::Add, &[first, borrow]);

        let before = self.loop_carried(first);
        let four = self.b.op(Op::Splat, &[highs[3]]);
        let bound = self.b.op(Op::Xor, &[lows[3], least]);
        let bound = self.b.op(Op::Splat, &[bound]);
        let [after, first] = [(before, lower.after), (first, lower.first)].map(|(before, lower)| {
            let carry = self.carry_of(lower, bound);
            let after = self.b.op(Op::Add, &[before, four]);
            self.b.op(Op::Sub, &[after, carry])
        });
        self.b.new.back_edges.push((before, after));
        let step = self.b.lanes(phase.step);
        self.b.define_lanes(phase.sum, after);
        let get = self.b.op(Op::Sub, &[after, step]);
        self.b.define_lanes(phase.get, get);
        let (gain, lower) = (highs[3], Some(lower_sum));
        let lanes = HeldPhase { state: phase.state, step: whole, gain, start, first, after, lower };
        self.held_phases.insert(phase.sum, lanes);
    }

    /// A held phase after all frames of the call, from where it began: `sum` is what its state is set to.
    pub(super) fn end_of_phase(&mut self, sum: Value) -> Value {
        let HeldPhase { state, step, lower, .. } = self.held_phases[&sum];
        let frames = self.b.new.add(Op::CallFrames, Type::I32, &[]);
        let start = self.state_at_start(state);
        let gain = self.b.op(Op::Mul, &[frames, step]);
        let end = self.b.op(Op::Add, &[start, gain]);
        let Some(lower) = lower else { return end };
        let carries = self.carries(frames, lower);
        self.b.op(Op::Add, &[end, carries])
    }

    /// How often the lower word of a phase wraps in so many frames, of which there are few: by halves of its words, as nothing has
    /// more bits. A lower word stands less 2³¹.
    fn carries(&mut self, frames: Value, lower: Value) -> Value {
        let HeldPhase { state, step, .. } = self.held_phases[&lower];
        let start = self.state_at_start(state);
        let least = self.b.new.i32(i32::MIN);
        let start = self.b.op(Op::Xor, &[start, least]);
        let (mask, half) = (self.b.new.i32(0xffff), self.b.new.i32(16));
        let [low, high] = [(Op::And, mask), (Op::Ushr, half)].map(|(op, by)| {
            let [start, step] = [start, step].map(|x| self.b.op(op, &[x, by]));
            let gain = self.b.op(Op::Mul, &[frames, step]);
            self.b.op(Op::Add, &[gain, start])
        });
        let carry = self.b.op(Op::Ushr, &[low, half]);
        let high = self.b.op(Op::Add, &[high, carry]);
        self.b.op(Op::Ushr, &[high, half])
    }

    /// −1 where a < b, else 0.
    pub(super) fn carry_of(&mut self, a: Value, b: Value) -> Value {
        let carries = self.b.op(Op::Lt, &[a, b]);
        let lanes = self.b.new.ty(carries).lanes;
        let (minus, zero) =
            (self.b.new.constant(Imm::I32(-1), lanes), self.b.new.constant(Imm::I32(0), lanes));
        self.b.op(Op::Select, &[carries, minus, zero])
    }

    /// A phase whose step moves: prefix sums over the lanes.
    fn summed_phase(&mut self, phase: &Phase) {
        let start = self.live_in(phase.state);
        let steps = self.b.lanes(phase.step);
        let zero = self.b.new.i32(0);
        let slid = self.b.op(Op::Slide, &[steps, zero]);
        let pairs = self.b.op(Op::Add, &[steps, slid]);
        let slid = self.b.op(Op::Slide, &[pairs, zero]);
        let slid = self.b.op(Op::Slide, &[slid, zero]);
        let sums = self.b.op(Op::Add, &[pairs, slid]);
        let before = self.loop_carried(start);
        let after = self.b.op(Op::Add, &[before, sums]);
        self.define_next(phase.get, phase.sum, before, after);
    }

    /// A counter in lanes.
    pub(super) fn counter(&mut self, counter: &Counter) {
        let Counter { state, get, sum, least, step, most } = *counter;
        let (start, steps) = (self.live_in(state), self.count(1, step));
        let (bound, gain) =
            (self.b.new.constant(Imm::I32(most), 4), self.b.new.constant(Imm::I32(4 * step), 4));
        let first = self.b.op(Op::Add, &[start, steps]);
        let first = self.b.op(Op::Min, &[first, bound]);
        let after = self.loop_carried(first);
        let next = self.b.op(Op::Add, &[after, gain]);
        let next = self.b.op(Op::Min, &[next, bound]);
        self.b.new.back_edges.push((after, next));
        self.counters.insert(least, Count { first, gain: 4 * step });
        let before = self.loop_carried(start);
        self.define_next(get, least, before, after);
        let (before, gain, bound) =
            (self.b.new.add(Op::Get(state), Type::I32, &[]), self.b.new.i32(4 * step), self.b.new.i32(most));
        let last = self.b.op(Op::Add, &[before, gain]);
        let last = self.b.op(Op::Min, &[last, bound]);
        self.last.insert(state, last);
        // The sum before it is bounded, in case it is used.
        let lanes = self.b.widened(sum);
        self.b.define_lanes(sum, lanes);
    }

    /// k·step in the lanes, from k = `from`.
    pub(super) fn count(&mut self, from: i32, step: i32) -> Value {
        let lanes: Vec<Value> = (from..from + 4).map(|k| self.b.new.i32(k * step)).collect();
        self.b.op(Op::Pack, &lanes)
    }

    /// A ramp in lanes. Exact: whole numbers wrap.
    pub(super) fn ramp(&mut self, ramp: &Ramp) {
        let op = self.b.old.insts[ramp.value].op;
        let ramp_lanes = match ramp.start {
            RampStart::Frame => {
                let start = self.b.new.add(Op::CallFrame, Type::I32, &[]);
                let (start, count) = (self.b.op(Op::Splat, &[start]), self.count(0, 1));
                let first = self.b.op(Op::Add, &[start, count]);
                Progression { first, by: self.b.new.constant(Imm::I32(4), 4) }
            }
            RampStart::Of { ramp, by } => {
                let (ramp, by) = (self.ramps[&ramp], self.b.lanes(by));
                let first = self.b.op(op, &[ramp.first, by]);
                let gain = if op == Op::Mul { self.b.op(op, &[ramp.by, by]) } else { ramp.by };
                Progression { first, by: gain }
            }
        };
        self.step_by(ramp.value, ramp_lanes, Op::Add);
        self.ramps.insert(ramp.value, ramp_lanes);
    }

    fn step_by(&mut self, value: Value, progression: Progression, op: Op) {
        let now = self.stepped(progression, op);
        self.b.define_lanes(value, now);
    }

    /// Lanes that each iteration makes anew of the same lanes by `op`.
    pub(super) fn stepped(&mut self, progression: Progression, op: Op) -> Value {
        let now = self.loop_carried(progression.first);
        let next = self.b.op(op, &[now, progression.by]);
        self.b.new.back_edges.push((now, next));
        now
    }

    /// A power of two whose exponent is a line.
    pub(super) fn series(&mut self, series: &Series) {
        let exponent = self.b.old.insts[series.value].args.as_slice()[0];
        let first = self.first(exponent);
        let first = self.b.op(Op::Exp2, &[first]);
        let slope = self.factor(&series.line.slope);
        let ratio = ratio(&mut self.b.new, slope, self.counters[&series.line.counter].gain);
        let ratio = self.b.op(Op::Demote, &[ratio]);
        let by = self.b.op(Op::Splat, &[ratio]);
        self.define_series(series.value, Progression { first, by });
    }

    /// A series times something loop-invariant.
    pub(super) fn scaled_series(&mut self, scaled: &ScaledSeries) {
        let (series, by) = (self.series[&scaled.series], self.b.lanes(scaled.by));
        let first = self.b.op(Op::Mul, &[series.first, by]);
        self.define_series(scaled.value, Progression { first, ..series });
    }

    fn define_series(&mut self, value: Value, series: Progression) {
        self.step_by(value, series, Op::Mul);
        self.series.insert(value, series);
    }

    /// A line in the first iteration of a call.
    pub(super) fn first(&mut self, value: Value) -> Value {
        let inst = &self.b.old.insts[value];
        if self.a.is_invariant(value) {
            return self.b.lanes(value);
        }
        let counter = self.counters.get(&value).map(|counter| counter.first);
        if let Some(first) = counter.or(self.held_phases.get(&value).map(|phase| phase.first)) {
            return first;
        }
        let args: Vec<Value> = inst.args.as_slice().iter().map(|arg| self.first(*arg)).collect();
        self.b.new.add(inst.op, inst.ty.with_lanes(4), &args)
    }
}
