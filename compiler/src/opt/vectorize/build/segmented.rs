//! Segmented recurrences in lanes: see [`crate::opt::vectorize::segmented`].

use super::induction::Progression;
use super::{Builder, OnlyPulse};
use crate::ir::{Imm, Op, StateSlot, Value};
use crate::opt::vectorize::segmented::{Advance, Reset, Segmented};
use mam_grammar::Handle;

/// The largest step with which a count stays below an overflow throughout a call: its bound is as far from one.
const FAR: i32 = (1 << 23) / mam_runtime::QUANTUM as i32;

impl Builder<'_> {
    /// A segmented recurrence.
    pub(super) fn segmented(&mut self, segmented: &Segmented) {
        let start = self.live_in(segmented.state);
        let before = self.loop_carried(start);
        let after = match segmented.advance {
            Advance::Held => self.latest(&segmented.resets, before),
            Advance::Counted { step, most, from } => match self.only_reset(segmented) {
                Some(pulse) if step <= FAR => self.counted_from(pulse, segmented.state, [step, most, from]),
                _ => {
                    let reset = self.mask_of(&segmented.resets);
                    self.counted(reset, before, [step, most, from])
                }
            },
        };
        self.define_next(segmented.get, segmented.next, before, after);
        let others =
            segmented.members.iter().filter(|value| ![segmented.get, segmented.next].contains(value));
        for &member in others {
            let lanes = self.b.widened(member);
            self.b.define_lanes(member, lanes);
        }
    }

    /// The one pulse of a call that sets it, if nothing else does.
    fn only_reset(&self, segmented: &Segmented) -> Option<OnlyPulse> {
        match segmented.resets.as_slice() {
            [reset] if reset.when => self.only_pulses.get(&reset.condition).copied(),
            _ => None,
        }
    }

    /// The counts after each frame, which begin anew at the one pulse of a call.
    fn counted_from(
        &mut self,
        pulse: OnlyPulse,
        state: Handle<StateSlot>,
        [step, most, from]: [i32; 3],
    ) -> Value {
        let start = self.state_at_start(state);
        let (first, steps) = (self.b.op(Op::Splat, &[start]), self.count(1, step));
        let first = self.b.op(Op::Add, &[first, steps]);
        let by = self.b.new.constant(Imm::I32(4 * step), 4);
        let on = self.stepped(Progression { first, by }, Op::Add);
        let zero = self.b.new.constant(Imm::I32(0), 4);
        let is_over = self.b.op(Op::Le, &[pulse.away, zero]);
        let after = self.count_at(is_over, pulse.away, on, [step, most, from]);

        let each = self.b.new.i32(step);
        let gain = self.b.op(Op::Mul, &[pulse.frames, each]);
        let on = self.b.op(Op::Add, &[start, gain]);
        let last = self.count_at(pulse.is_over, pulse.away_at_end, on, [step, most, from]);
        self.last.insert(state, last);
        after
    }

    /// The count where a pulse is so far away: what it would be without it, or counted from there.
    fn count_at(&mut self, is_over: Value, away: Value, on: Value, [step, most, from]: [i32; 3]) -> Value {
        let lanes = self.b.new.ty(away).lanes;
        let [step, most, from] = [step, most, from].map(|x| self.b.new.constant(Imm::I32(x), lanes));
        let gone = self.b.op(Op::Mul, &[away, step]);
        let anew = self.b.op(Op::Sub, &[from, gone]);
        let count = self.b.op(Op::Select, &[is_over, anew, on]);
        self.b.op(Op::Min, &[count, most])
    }

    /// The latest value that was chosen, or what was before the iteration.
    fn latest(&mut self, resets: &[Reset], before: Value) -> Value {
        let mut value = self.b.lanes(resets[resets.len() - 1].value);
        for reset in resets.iter().rev().skip(1) {
            let (condition, chosen) = (self.b.lanes(reset.condition), self.b.lanes(reset.value));
            let (yes, no) = if reset.when { (chosen, value) } else { (value, chosen) };
            value = self.b.op(Op::Select, &[condition, yes, no]);
        }
        let mut mask = self.mask_of(resets);
        for frames in [1, 2] {
            let (earlier, was) = (self.slid(value, frames), self.slid(mask, frames));
            let chosen = self.is_set(mask);
            value = self.b.op(Op::Select, &[chosen, value, earlier]);
            mask = self.b.op(Op::Or, &[mask, was]);
        }
        let chosen = self.is_set(mask);
        self.b.op(Op::Select, &[chosen, value, before])
    }

    /// The counts after each frame, which begin anew where the mask is set.
    fn counted(&mut self, reset: Value, before: Value, [step, most, from]: [i32; 3]) -> Value {
        let [anew, bound] = [from, most].map(|x| self.b.new.constant(Imm::I32(x), 4));
        let chosen = self.is_set(reset);
        let mut count = self.b.op(Op::Select, &[chosen, anew, bound]);
        for frames in [1, 2] {
            let earlier = self.slid(count, frames as usize);
            let gain = self.b.new.constant(Imm::I32(frames * step), 4);
            let further = self.b.op(Op::Add, &[earlier, gain]);
            count = self.b.op(Op::Min, &[count, further]);
        }
        let steps = self.count(1, step);
        let on = self.b.op(Op::Add, &[before, steps]);
        self.b.op(Op::Min, &[on, count])
    }

    /// −1 where one of the conditions holds, else 0.
    fn mask_of(&mut self, resets: &[Reset]) -> Value {
        let masks: Vec<Value> = resets.iter().map(|reset| self.mask(reset)).collect();
        masks.into_iter().reduce(|one, other| self.b.op(Op::Or, &[one, other])).expect("there is a condition")
    }

    fn mask(&mut self, reset: &Reset) -> Value {
        let condition = self.b.lanes(reset.condition);
        let [all, none] = [-1, 0].map(|x| self.b.new.constant(Imm::I32(x), 4));
        let (yes, no) = if reset.when { (all, none) } else { (none, all) };
        self.b.op(Op::Select, &[condition, yes, no])
    }

    /// The lanes in which a mask is set.
    pub(super) fn is_set(&mut self, mask: Value) -> Value {
        let zero = self.b.new.constant(Imm::I32(0), 4);
        self.b.op(Op::Lt, &[mask, zero])
    }
}
