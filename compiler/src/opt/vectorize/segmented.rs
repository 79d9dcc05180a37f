//! Segmented recurrences: one state that a condition sets to a value, and that else goes on by itself. Sample-and-hold keeps
//! what it has; `since` counts up to a bound.
//!
//! Two frames in a row are of the same form again: a later condition wins, else the earlier one's value has gone on by a frame.
//! So two steps of a scan give for each lane whether a condition has held in the iteration so far, and what has become of
//! its value; where none has, the state goes on from the iteration before. For a bounded count that begins anew with a constant which
//! the state is never below, the least of all counts is the latest, so that a minimum is the scan.
//!
//! Every bit stays.

use super::component::Component;
use crate::ir::{Imm, Op, Scalar, StateSlot, Value};
use crate::opt::analysis::Analysis;
use mam_grammar::Handle;

/// A segmented recurrence.
pub(super) struct Segmented {
    pub(super) state: Handle<StateSlot>,
    pub(super) get: Value,
    /// What the state is set to.
    pub(super) next: Value,
    /// The outermost choice first, which wins.
    pub(super) resets: Vec<Reset>,
    pub(super) advance: Advance,
    /// The instructions, in the order of the body.
    pub(super) members: Vec<Value>,
}

/// A choice of a value in place of what the state goes on to.
#[derive(Clone, Copy)]
pub(super) struct Reset {
    /// Where the value is chosen: where this is `when`.
    pub(super) condition: Value,
    pub(super) when: bool,
    pub(super) value: Value,
}

/// How the state goes on where no condition holds.
#[derive(Clone, Copy)]
pub(super) enum Advance {
    /// It keeps its value.
    Held,
    /// `min(s + step, most)` in i32; each reset is to `from`, below which it never is.
    Counted { step: i32, most: i32, from: i32 },
}

/// A recurrence as a segmented one.
pub(super) fn recognise(a: &Analysis, component: &Component) -> Option<Segmented> {
    let body = a.body;
    let mut gets = component.iter().filter(|value| matches!(body.insts[**value].op, Op::Get(_)));
    let (&get, None) = (gets.next()?, gets.next()) else { return None };
    let Op::Get(state) = body.insts[get].op else { return None };
    let next = a.next_of(Op::Get(state))?;
    let is_number = matches!(body.ty(get).scalar, Scalar::F32 | Scalar::I32);
    if !is_number || body.ty(get).lanes != 1 {
        return None;
    }
    let inside = |value: Value| component.binary_search(&value).is_ok();
    let (mut resets, mut at) = (vec![], next);
    while let (Op::Select, &[condition, yes, no]) = (body.insts[at].op, body.insts[at].args.as_slice()) {
        let (when, value, rest) = match (inside(yes), inside(no)) {
            (false, true) => (true, yes, no),
            (true, false) => (false, no, yes),
            _ => return None,
        };
        if inside(condition) {
            return None;
        }
        resets.push(Reset { condition, when, value });
        at = rest;
    }
    let rest = component.len() - 1 - resets.len();
    let advance = match rest {
        0 if at == get => Advance::Held,
        2 => counted(a, get, at, &resets)?,
        _ => return None,
    };
    let members = component;
    (!resets.is_empty()).then_some(Segmented { state, get, next, resets, advance, members: members.to_vec() })
}

/// What is chosen where no condition holds, as a bounded count.
fn counted(a: &Analysis, get: Value, bounded: Value, resets: &[Reset]) -> Option<Advance> {
    let int = |value: Value| match a.body.as_const(value) {
        Some(Imm::I32(x)) => Some(x),
        _ => None,
    };
    let with_constant = |value: Value, op: Op| {
        let inst = &a.body.insts[value];
        match *inst.args.as_slice() {
            [x, y] if inst.op == op => int(y).map(|y| (x, y)).or_else(|| int(x).map(|x| (y, x))),
            _ => None,
        }
    };
    let (sum, most) = with_constant(bounded, Op::Min)?;
    let (of, step) = with_constant(sum, Op::Add)?;
    let from = int(resets.first()?.value)?;
    let same = resets.iter().all(|reset| int(reset.value) == Some(from));
    let (least, _) = a.interval(get)?;
    // Nothing overflows in the frames of an iteration.
    let fits = (1..1 << 20).contains(&step)
        && most < i32::MAX - (1 << 23)
        && from.checked_add(3 * step).is_some_and(|reached| reached <= most);
    (of == get && same && fits && least >= f64::from(from)).then_some(Advance::Counted { step, most, from })
}
