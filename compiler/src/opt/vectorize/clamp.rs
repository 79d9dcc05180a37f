//! The bounded form: `max(c, a·s + x)` or `min(c, a·s + x)` in f32, through one state, with a slow a: what holds a peak and
//! lets it fall.
//!
//! With a ≥ 0 two frames in a row are of that form again: `max(c₂, a·max(c₁, a·s + x₁) + x₂)` is `max(p, a²·s + q)` with
//! `p = max(c₂, a·c₁ + x₂)` and `q = a·x₁ + x₂`. So two steps of a scan give the bound and the sum for each lane, and
//! only one multiplication, an addition and a comparison a turn wait for the turn before. That a is not negative is a
//! condition of the body.

use super::build::Widen;
use super::recurrence::{Circle, next_of};
use super::scan::{self, Slope};
use crate::ir::{Body, Imm, Op, Rate, StateSlot, Type, Value};
use mam_grammar::Handle;

/// A bounded circle.
pub(super) struct Bounded {
    pub(super) state: Handle<StateSlot>,
    get: Value,
    /// The bounded value, which the state is set to; its op is `Max` or `Min`.
    next: Value,
    /// What bounds it.
    bound: Value,
    /// What is bounded, and how much of the state is in it.
    inner: Value,
    slope: Slope,
}

/// How large a circle may be.
const MEMBERS: usize = 24;
/// A bound that is none.
const FAR: f32 = 1e30;

/// The circle as a bounded one.
pub(super) fn bounded(body: &Body, rates: &[Rate], circle: &Circle) -> Option<Bounded> {
    let mut gets = circle.iter().filter(|value| matches!(body.insts[**value].op, Op::Get(_)));
    let (&get, None) = (gets.next()?, gets.next()) else { return None };
    let Op::Get(state) = body.insts[get].op else { return None };
    let next = next_of(body, Op::Get(state))?;
    let f32s = circle.iter().all(|value| body.ty(*value) == Type::F32);
    if circle.len() > MEMBERS || !f32s || !matches!(body.insts[next].op, Op::Max | Op::Min) {
        return None;
    }
    let (inner, bound) = match *body.insts[next].args.as_slice() {
        [a, b] if circle.contains(&a) && !circle.contains(&b) => (a, b),
        [a, b] if circle.contains(&b) && !circle.contains(&a) => (b, a),
        _ => return None,
    };
    let within = circle.iter().copied().filter(|value| *value != next).collect();
    let slope = scan::slopes(body, rates, &within, |_| true, true)?.remove(&inner)?;
    Some(Bounded { state, get, next, bound, inner, slope })
}

impl Widen<'_> {
    /// A bounded circle in lanes.
    pub(super) fn bounded(&mut self, of: &Bounded, circle: &Circle) {
        let op = self.old.insts[of.next].op;
        let one = self.factor(&of.slope);
        let two = self.new.op(Op::Mul, &[one, one]);
        let three = self.new.op(Op::Mul, &[two, one]);
        let four = self.new.op(Op::Mul, &[two, two]);
        let none = self.new.f64(0.0);
        let falls = self.new.op(Op::Le, &[none, one]);
        self.only_if(falls);
        let within: Circle = circle.iter().copied().filter(|value| *value != of.next).collect();
        let zero = self.new.constant(Imm::F32(0.0), 4);
        let mut sums = self.alone(&[of.get], &within)[&of.inner].unwrap_or(zero);
        let mut bounds = self.lanes(of.bound);
        let far = self.new.f32(if op == Op::Max { -FAR } else { FAR });
        for (factor, frames) in [(one, 1), (two, 2)] {
            let from = self.lanes_since(factor, frames);
            let factor = self.new.op(Op::Demote, &[factor]);
            let factor = self.new.op(Op::Splat, &[factor]);
            let earlier = (0..frames).fold(bounds, |x, _| self.new.op(Op::Slide, &[x, far]));
            let bound = self.mad(factor, earlier, sums);
            bounds = self.new.op(op, &[bounds, bound]);
            let sum = self.slid(sums, frames);
            sums = self.mad(from, sum, sums);
        }
        let entry = self.entry(of.state);
        let before = self.carry(entry);
        let lanes = self.missing([one, two, three, four], true);
        let change = self.mad(lanes, before, sums);
        let sum = self.new.op(Op::Add, &[before, change]);
        let after = self.new.op(op, &[bounds, sum]);
        // And the members with the states as they are.
        self.wide[of.get.index()].lanes = Some(self.later(after, before));
        self.members(&[of.get], &within);
        self.settle(of.get, of.next, before, after);
    }
}
