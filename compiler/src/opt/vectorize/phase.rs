//! Phases in lanes: `s + step` in i32, which wraps.
//!
//! A slow step is taken four times an iteration, from lanes that are four frames back at the call's start: what is carried
//! from iteration to iteration is then the lanes themselves, of which the last is the state. A phase of two words is
//! recognised by its upper word's step, `whole − carry`, where the carry is −1 in the frames in which the lower word's
//! sum wraps. A step that moves is summed up over the lanes.

use super::build::Widen;
use super::recurrence::Phase;
use crate::ir::lanes::is_mask;
use crate::ir::{Imm, Op, Value};

/// A phase that a slow step advances.
#[derive(Clone, Copy)]
pub(super) struct LowerWord {
    /// What is added in each frame: a value of the old body, and of the new one.
    step: (Value, Value),
    /// The state at the call's start, in all lanes.
    entry: Value,
    /// The states after each frame.
    after: Value,
}

impl Widen<'_> {
    /// A phase, in the form that its step allows.
    pub(super) fn phase(&mut self, phase: &Phase) {
        if let Some(step) = self.wide[phase.step.index()].slow {
            self.steady_phase(phase, step);
        } else if let Some((whole, lower)) = self.carried_step(phase.step) {
            self.upper_word(phase, whole, lower);
        } else {
            self.summed_phase(phase);
        }
    }

    fn steady_phase(&mut self, phase: &Phase, step: Value) {
        let entry = self.entry(phase.state);
        let each = self.new.op(Op::Splat, &[step]);
        let (count, two) = (self.count(-3, 1), self.new.constant(Imm::I32(2), 4));
        let steps = self.new.op(Op::Mul, &[each, count]);
        let four = self.new.op(Op::Shl, &[each, two]);
        let first = self.new.op(Op::Add, &[entry, steps]);
        let before = self.carry(first);
        let after = self.new.op(Op::Add, &[before, four]);
        self.new.back_edges.push((before, after));
        self.wide[phase.sum.index()].lanes = Some(after);
        self.wide[phase.get.index()].lanes = Some(self.new.op(Op::Sub, &[after, each]));
        self.lower_words.insert(phase.sum, LowerWord { step: (phase.step, step), entry, after });
    }

    /// The upper word's own step and its lower word, where a step is that of an upper word.
    fn carried_step(&self, step: Value) -> Option<(Value, LowerWord)> {
        let of = |value: Value, op: Op| {
            let inst = &self.old.insts[value];
            if inst.op == op { Some(inst.args.as_slice()) } else { None }
        };
        let &[whole, carry] = of(step, Op::Sub)? else { return None };
        let &[carries, ..] = of(carry, Op::Select)? else { return None };
        let &[sum, bound] = of(carries, Op::Lt)? else { return None };
        let lower = self.lower_words.get(&sum)?;
        let whole = self.wide[whole.index()].slow.filter(|_| is_mask(self.old, carry))?;
        let step = lower.step.0;
        let flipped = match (self.old.as_const(bound), self.old.as_const(step), of(bound, Op::Xor)) {
            (Some(Imm::I32(bound)), Some(Imm::I32(step)), _) => bound == step ^ i32::MIN,
            (_, _, Some(&[a, b])) => {
                let least = |value: Value| self.old.as_const(value) == Some(Imm::I32(i32::MIN));
                a == step && least(b) || b == step && least(a)
            }
            _ => false,
        };
        flipped.then_some((whole, *lower))
    }

    /// The upper word of a phase whose lower one is `lower`.
    fn upper_word(&mut self, phase: &Phase, whole: Value, lower: LowerWord) {
        // One to four steps: their lower words, those less 2³¹, and their upper words.
        let least = self.new.i32(i32::MIN);
        let bound = self.new.op(Op::Xor, &[lower.step.1, least]);
        let (mut lows, mut highs) = (vec![lower.step.1], vec![whole]);
        for k in 0..3 {
            let low = self.new.op(Op::Add, &[lows[k], lower.step.1]);
            let flipped = self.new.op(Op::Xor, &[low, least]);
            let carry = self.carry_of(flipped, bound);
            let high = self.new.op(Op::Add, &[highs[k], whole]);
            highs.push(self.new.op(Op::Sub, &[high, carry]));
            lows.push(low);
        }
        let zero = self.new.i32(0);
        let back = self.new.op(Op::Pack, &[lows[2], lows[1], lows[0], zero]);
        let least_lanes = self.new.constant(Imm::I32(i32::MIN), 4);
        let back = self.new.op(Op::Xor, &[back, least_lanes]);
        let borrow = self.carry_of(lower.entry, back);
        let back = self.new.op(Op::Pack, &[highs[2], highs[1], highs[0], zero]);
        let entry = self.entry(phase.state);
        let first = self.new.op(Op::Sub, &[entry, back]);
        let first = self.new.op(Op::Add, &[first, borrow]);

        let before = self.carry(first);
        let four = self.new.op(Op::Splat, &[highs[3]]);
        let bound = self.new.op(Op::Xor, &[lows[3], least]);
        let bound = self.new.op(Op::Splat, &[bound]);
        let carry = self.carry_of(lower.after, bound);
        let after = self.new.op(Op::Add, &[before, four]);
        let after = self.new.op(Op::Sub, &[after, carry]);
        self.new.back_edges.push((before, after));
        let step = self.lanes(phase.step);
        self.wide[phase.sum.index()].lanes = Some(after);
        self.wide[phase.get.index()].lanes = Some(self.new.op(Op::Sub, &[after, step]));
    }

    /// −1 where a < b, else 0.
    fn carry_of(&mut self, a: Value, b: Value) -> Value {
        let carries = self.new.op(Op::Lt, &[a, b]);
        let lanes = self.new.ty(carries).lanes;
        let (minus, zero) = (self.new.constant(Imm::I32(-1), lanes), self.new.constant(Imm::I32(0), lanes));
        self.new.op(Op::Select, &[carries, minus, zero])
    }

    fn summed_phase(&mut self, phase: &Phase) {
        let entry = self.entry(phase.state);
        let steps = self.lanes(phase.step);
        let zero = self.new.i32(0);
        let slid = self.new.op(Op::Slide, &[steps, zero]);
        let pairs = self.new.op(Op::Add, &[steps, slid]);
        let slid = self.new.op(Op::Slide, &[pairs, zero]);
        let slid = self.new.op(Op::Slide, &[slid, zero]);
        let sums = self.new.op(Op::Add, &[pairs, slid]);
        let before = self.carry(entry);
        let after = self.new.op(Op::Add, &[before, sums]);
        self.settle(phase.get, phase.sum, before, after);
    }
}
