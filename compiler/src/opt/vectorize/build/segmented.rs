//! Segmented recurrences in lanes: see [`crate::opt::vectorize::segmented`].

use super::Builder;
use crate::ir::{Imm, Op, Value};
use crate::opt::vectorize::segmented::{Advance, Reset, Segmented};

impl Builder<'_> {
    /// A segmented recurrence.
    pub(super) fn segmented(&mut self, segmented: &Segmented) {
        let start = self.live_in(segmented.state);
        let before = self.loop_carried(start);
        let after = match segmented.advance {
            Advance::Held => self.latest(&segmented.resets, before),
            Advance::Counted { step, most, from } => {
                let reset = self.mask_of(&segmented.resets);
                self.counted(reset, before, [step, most, from])
            }
        };
        self.define_next(segmented.get, segmented.next, before, after);
        let others =
            segmented.members.iter().filter(|value| ![segmented.get, segmented.next].contains(value));
        for &member in others {
            let lanes = self.b.widened(member);
            self.b.define_lanes(member, lanes);
        }
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
