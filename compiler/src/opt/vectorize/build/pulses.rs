//! Trains of pulses in lanes: see [`crate::opt::vectorize::pulses`].

use super::Builder;
use crate::ir::{Imm, Op, Value};
use crate::opt::vectorize::pulses::{First, Lateness, Pulses};

impl Builder<'_> {
    /// A train of pulses.
    pub(super) fn pulses(&mut self, pulses: &Pulses) {
        self.periods_fit(pulses);
        let zero = self.b.new.constant(Imm::I32(0), 4);
        let state = self.state_at_start(pulses.left.state);
        let begun = pulses.left.first.map(|first| {
            let before = self.b.new.i32(first.before);
            self.b.op(Op::Ne, &[state, before])
        });
        let start = self.frames_left(state, begun, pulses.left.first);
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

    /// The frames that are left before the first frame of a call, in all lanes; at least one. `begun`: whether it has not its
    /// start value.
    fn frames_left(&mut self, mut state: Value, begun: Option<Value>, first: Option<First>) -> Value {
        let one = self.b.new.i32(1);
        if let (Some(begun), Some(first)) = (begun, first) {
            let value = self.b.uniform(first.value).expect("it is loop-invariant");
            let value = self.b.op(Op::Add, &[value, one]);
            state = self.b.op(Op::Select, &[begun, state, value]);
        }
        let state = self.b.op(Op::Max, &[state, one]);
        self.b.op(Op::Splat, &[state])
    }

    /// The fractions; the result is the period with its carry. `over` is set from the pulse on.
    fn late(&mut self, late: &Lateness, begun: Option<Value>, over: Value, period: Value) -> Value {
        let mut start = self.state_at_start(late.state);
        if let (Some(begun), Some(first)) = (begun, late.first) {
            let first = self.b.uniform(first).expect("it is loop-invariant");
            start = self.b.op(Op::Select, &[begun, start, first]);
        }
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
