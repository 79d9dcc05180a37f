//! The bounded form: `max(c, a·s + x)` or `min(c, a·s + x)` in f32, through one state, with a loop-invariant a: what holds a peak and
//! lets it fall.
//!
//! With a ≥ 0 two frames in a row are of that form again: `max(c₂, a·max(c₁, a·s + x₁) + x₂)` is `max(p, a²·s + q)` with
//! `p = max(c₂, a·c₁ + x₂)` and `q = a·x₁ + x₂`. So two steps of a scan give the bound and the sum for each lane, and
//! only one multiplication, an addition and a comparison an iteration wait for the iteration before. That a is not negative is a
//! condition of the body.

use super::component::Component;
use super::scan::{self, Slope};
use crate::ir::{Op, StateSlot, Type, Value};
use crate::opt::analysis::Analysis;
use mam_grammar::Handle;

/// A recurrence within a bound.
pub(super) struct Clamp {
    pub(super) state: Handle<StateSlot>,
    pub(super) get: Value,
    /// The bounded value, which the state is set to; its op is `Max` or `Min`.
    pub(super) next: Value,
    /// The bound, the other operand of `next`.
    pub(super) bound: Value,
    /// What is bounded, and how much of the state is in it.
    pub(super) inner: Value,
    pub(super) slope: Slope,
    /// The instructions without the bounded value, in the order of the body.
    pub(super) inner_members: Vec<Value>,
}

/// How large a recurrence may be.
const MEMBERS: usize = 24;

/// A recurrence as one within a bound.
pub(super) fn recognise(a: &Analysis, component: &Component) -> Option<Clamp> {
    let body = a.body;
    let mut gets = component.iter().filter(|value| matches!(body.insts[**value].op, Op::Get(_)));
    let (&get, None) = (gets.next()?, gets.next()) else { return None };
    let Op::Get(state) = body.insts[get].op else { return None };
    let next = a.next_of(Op::Get(state))?;
    let f32s = component.iter().all(|value| body.ty(*value) == Type::F32);
    if component.len() > MEMBERS || !f32s || !matches!(body.insts[next].op, Op::Max | Op::Min) {
        return None;
    }
    let (inner, bound) = match *body.insts[next].args.as_slice() {
        [x, y] if component.contains(&x) && !component.contains(&y) => (x, y),
        [x, y] if component.contains(&y) && !component.contains(&x) => (y, x),
        _ => return None,
    };
    let inner_members: Vec<Value> = component.iter().copied().filter(|value| *value != next).collect();
    let slope = scan::slopes(a, &inner_members, |_| true, true)?.remove(&inner)?;
    Some(Clamp { state, get, next, bound, inner, slope, inner_members })
}
