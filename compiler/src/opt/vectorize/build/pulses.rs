//! Trains of pulses in lanes: see [`crate::opt::vectorize::pulses`].
//!
//! Where a period is known to be longer than a call there is one pulse in it at most. Then the frames that are left are a ramp, which is
//! negative behind the pulse, and what the states are in the end follows from where they began.

use super::induction::Progression;
use super::{Builder, OnlyPulse};
use crate::ir::{Imm, Op, Type, Value};
use crate::opt::vectorize::pulses::{First, Lateness, Pulses};
use mam_runtime::QUANTUM;

impl Builder<'_> {
    /// A train of pulses.
    pub(super) fn pulses(&mut self, pulses: &Pulses) {
        self.periods_fit(pulses);
        let state = self.state_at_start(pulses.left.state);
        let begun = pulses.left.first.map(|first| {
            let before = self.b.new.i32(first.before);
            self.b.op(Op::Ne, &[state, before])
        });
        let left = self.frames_left(state, begun, pulses.left.first);
        match self.a.body.as_const(pulses.period) {
            Some(Imm::I32(period)) if period >= QUANTUM as i32 => self.only_pulse(pulses, left, begun),
            _ => self.each_pulse(pulses, left, begun),
        }
    }

    /// A train of which a call has one pulse at most. `left`: the frames that are left before the first one.
    fn only_pulse(&mut self, pulses: &Pulses, left: Value, begun: Option<Value>) {
        let zero = self.b.new.constant(Imm::I32(0), 4);
        let (start, steps) = (self.b.op(Op::Splat, &[left]), self.count(1, -1));
        let first = self.b.op(Op::Add, &[start, steps]);
        let by = self.b.new.constant(Imm::I32(-4), 4);
        let away = self.stepped(Progression { first, by }, Op::Add);
        let over = self.b.op(Op::Le, &[away, zero]);
        let past = self.b.op(Op::Lt, &[away, zero]);
        let hit = self.b.op(Op::Eq, &[away, zero]);
        self.b.define_lanes(pulses.hit, hit);

        let frames = self.b.new.add(Op::CallFrames, Type::I32, &[]);
        let away_at_end = self.b.op(Op::Sub, &[left, frames]);
        let none = self.b.new.i32(0);
        let is_over = self.b.op(Op::Le, &[away_at_end, none]);
        self.only_pulses.insert(pulses.hit, OnlyPulse { away, away_at_end, frames, is_over });

        let mut period = self.b.uniform(pulses.period).expect("it is loop-invariant");
        if let Some(late) = &pulses.late {
            let before = self.lateness(late, begun);
            let part = self.b.uniform(late.part).expect("it is loop-invariant");
            let later = self.b.op(Op::Add, &[before, part]);
            let carry = self.carry_of(later, before);
            period = self.b.op(Op::Sub, &[period, carry]);
            let last = self.b.op(Op::Select, &[is_over, later, before]);
            self.last.insert(late.state, last);
            let [before, later] = [before, later].map(|x| self.b.op(Op::Splat, &[x]));
            for (value, changed) in [(late.here, past), (late.next, over)] {
                let lanes = self.b.op(Op::Select, &[changed, later, before]);
                self.b.define_lanes(value, lanes);
            }
        }
        let anew = self.b.op(Op::Add, &[away_at_end, period]);
        let last = self.b.op(Op::Select, &[is_over, anew, away_at_end]);
        self.last.insert(pulses.left.state, last);
        let period = self.b.op(Op::Splat, &[period]);
        let anew = self.b.op(Op::Add, &[away, period]);
        for (value, changed) in [(pulses.left.here, past), (pulses.left.next, over)] {
            let lanes = self.b.op(Op::Select, &[changed, anew, away]);
            self.b.define_lanes(value, lanes);
        }
    }

    /// A train of which an iteration has one pulse at most.
    fn each_pulse(&mut self, pulses: &Pulses, left: Value, begun: Option<Value>) {
        let zero = self.b.new.constant(Imm::I32(0), 4);
        let start = self.b.op(Op::Splat, &[left]);
        let before = self.loop_carried(start);
        let steps = self.count(1, -1);
        let here = self.b.op(Op::Add, &[before, steps]);
        let over = self.b.op(Op::Le, &[here, zero]);
        let hit = self.b.op(Op::Eq, &[here, zero]);
        self.b.define_lanes(pulses.hit, hit);
        let period = self.b.lanes(pulses.period);
        let period = match &pulses.late {
            Some(late) => self.late(late, begun, over, period),
            None => period,
        };
        let anew = self.b.op(Op::Add, &[here, period]);
        let after = self.b.op(Op::Select, &[over, anew, here]);
        // After the pulse, what is left is what it was a frame ago but one.
        let past = self.b.op(Op::Lt, &[here, zero]);
        let here = self.b.op(Op::Select, &[past, anew, here]);
        self.b.define_lanes(pulses.left.here, here);
        self.define_next(pulses.left.get, pulses.left.next, before, after);
    }

    /// Conditions of the body: a period is at least four frames, and all frames are counted.
    fn periods_fit(&mut self, pulses: &Pulses) {
        let period = self.b.uniform(pulses.period).expect("it is loop-invariant");
        let three = self.b.new.i32(3);
        let long = self.b.op(Op::Lt, &[three, period]);
        self.only_if(long);
        let Some(never) = pulses.never else { return };
        let never = self.b.new.i32(never - 1);
        let first = pulses.left.first.map(|first| self.b.uniform(first.value).expect("it is loop-invariant"));
        for frames in [Some(period), first].into_iter().flatten() {
            let counted = self.b.op(Op::Lt, &[frames, never]);
            self.only_if(counted);
        }
    }

    /// The frames that are left before the first frame of a call; at least one. `begun`: whether it has not its
    /// start value.
    fn frames_left(&mut self, mut state: Value, begun: Option<Value>, first: Option<First>) -> Value {
        let one = self.b.new.i32(1);
        if let (Some(begun), Some(first)) = (begun, first) {
            let value = self.b.uniform(first.value).expect("it is loop-invariant");
            let value = self.b.op(Op::Add, &[value, one]);
            state = self.b.op(Op::Select, &[begun, state, value]);
        }
        self.b.op(Op::Max, &[state, one])
    }

    /// The fractions before the first frame of a call.
    fn lateness(&mut self, late: &Lateness, begun: Option<Value>) -> Value {
        let start = self.state_at_start(late.state);
        match (begun, late.first) {
            (Some(begun), Some(first)) => {
                let first = self.b.uniform(first).expect("it is loop-invariant");
                self.b.op(Op::Select, &[begun, start, first])
            }
            _ => start,
        }
    }

    /// The fractions; the result is the period with its carry. `over` is set from the pulse on.
    fn late(&mut self, late: &Lateness, begun: Option<Value>, over: Value, period: Value) -> Value {
        let start = self.lateness(late, begun);
        let start = self.b.op(Op::Splat, &[start]);
        let before = self.loop_carried(start);
        let part = self.b.lanes(late.part);
        let later = self.b.op(Op::Add, &[before, part]);
        let carry = self.carry_of(later, before);
        let after = self.b.op(Op::Select, &[over, later, before]);
        self.define_next(late.get, late.next, before, after);
        let here = self.b.lanes(late.get);
        self.b.define_lanes(late.here, here);
        self.b.op(Op::Sub, &[period, carry])
    }
}
