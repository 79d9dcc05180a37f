//! Trains of pulses: a state that counts down by one a frame, and that begins anew with a period when it comes to 0. What a period
//! has beyond whole frames is summed up in a second state, at each pulse, and its carry makes the period a frame longer.
//!
//! A period of four frames and more is over at most once in an iteration: the lanes count down from what is left, and from where
//! they come to 0 the period is added. That the period is as long, and none of the frames is beyond all counting, is a condition
//! of the body. Every bit stays.

use super::block_filter::Users;
use super::component::Component;
use crate::ir::lanes::is_mask;
use crate::ir::{Body, Imm, Op, StateSlot, Value};
use crate::opt::analysis::Analysis;
use mam_grammar::Handle;
use mam_runtime::sort::Sort;

/// A train of pulses.
pub(super) struct Pulses {
    pub(super) left: Countdown,
    /// What becomes of the fractions; none where the periods are whole.
    pub(super) late: Option<Lateness>,
    /// Where a pulse comes.
    pub(super) hit: Value,
    /// The whole frames of a period, without the carry.
    pub(super) period: Value,
    /// Frames from which on nothing counts down, where that is looked at.
    pub(super) never: Option<i32>,
}

/// The frames that are left.
#[derive(Clone, Copy)]
pub(super) struct Countdown {
    pub(super) state: Handle<StateSlot>,
    pub(super) get: Value,
    /// What is left in this frame, before the period begins anew.
    pub(super) here: Value,
    pub(super) next: Value,
    pub(super) first: Option<First>,
}

/// What is taken in a state's place where it has a start value that it never has again.
#[derive(Clone, Copy)]
pub(super) struct First {
    /// The start value.
    pub(super) before: i32,
    /// The value in the first frame, loop-invariant.
    pub(super) value: Value,
}

/// The fractions that were summed up until the last pulse, in 2⁻³² of a frame.
#[derive(Clone, Copy)]
pub(super) struct Lateness {
    pub(super) state: Handle<StateSlot>,
    pub(super) get: Value,
    /// What it is before the pulse of this frame: the state, but for its start value.
    pub(super) here: Value,
    pub(super) next: Value,
    /// What a period adds.
    pub(super) part: Value,
    /// Its value in the frame in which the countdown has its start value, where that is another.
    pub(super) first: Option<Value>,
}

/// Reads a body as patterns.
struct Pattern<'a> {
    a: &'a Analysis<'a>,
    /// The instructions that have been met.
    seen: Vec<Value>,
}

/// A recurrence as a train of pulses.
pub(super) fn recognise(a: &Analysis, users: &Users, component: &Component) -> Option<Pulses> {
    let is_get = |value: &&Value| matches!(a.body.insts[**value].op, Op::Get(_));
    component.iter().filter(is_get).find_map(|get| {
        let mut pattern = Pattern { a, seen: vec![] };
        let pulses = pattern.pulses(*get)?;
        pattern.seen.put_in_order();
        pattern.seen.dedup();
        let late = pulses.late.map(|late| [late.here, late.next]);
        let known = [pulses.left.here, pulses.left.next, pulses.hit];
        let known: Vec<Value> = known.into_iter().chain(late.into_iter().flatten()).collect();
        let inner =
            |value: &Value| known.contains(value) || !users.is_heard_outside(a.body, *value, component);
        (*pattern.seen == **component && component.iter().all(inner)).then_some(pulses)
    })
}

impl Pattern<'_> {
    fn pulses(&mut self, get: Value) -> Option<Pulses> {
        let Op::Get(state) = self.a.body.insts[get].op else { return None };
        let next = self.a.next_of(Op::Get(state))?;
        self.seen.push(get);
        let [hit, gap, here] = self.operands(next, Op::Select)?;
        let [counted, zero] = self.operands(hit, Op::Le)?;
        if counted != here || self.int(zero) != Some(0) {
            return None;
        }
        let (less, begun, first) = self.begun(get, here);
        let [one, other] = self.operands(less, Op::Add)?;
        let by = if one == get { other } else { one };
        if one != get && other != get {
            return None;
        }
        let never = match self.int(by) {
            Some(-1) => None,
            Some(_) => return None,
            None => Some(self.below(by, get)?),
        };
        let left = Countdown { state, get, here, next, first };
        if self.a.is_invariant(gap) {
            return Some(Pulses { left, late: None, hit, period: gap, never });
        }
        let (period, late) = self.late(gap, hit, begun)?;
        Some(Pulses { left, late: Some(late), hit, period, never })
    }

    /// What is taken from a state but for its start value, the comparison with that, and the start.
    fn begun(&mut self, get: Value, here: Value) -> (Value, Option<Value>, Option<First>) {
        let seen = self.seen.len();
        match self.first(get, here) {
            Some((rest, begun, first)) => (rest, Some(begun), Some(first)),
            None => {
                self.seen.truncate(seen);
                (here, None, None)
            }
        }
    }

    fn first(&mut self, get: Value, here: Value) -> Option<(Value, Value, First)> {
        let [begun, rest, value] = self.operands(here, Op::Select)?;
        let [one, other] = self.operands(begun, Op::Ne)?;
        let before = self.int(if one == get { other } else { one })?;
        let known = (one == get || other == get) && self.a.is_invariant(value);
        known.then_some((rest, begun, First { before, value }))
    }

    /// The period and the lateness of a gap that is a frame longer where the fractions carry.
    fn late(&mut self, gap: Value, hit: Value, begun: Option<Value>) -> Option<(Value, Lateness)> {
        let [period, wraps] = self.operands(gap, Op::Sub)?;
        let carries = self.mask(wraps)?;
        let [later, here] = self.operands(carries, Op::Lt)?;
        let [one, other] = self.operands(later, Op::Add)?;
        let part = if one == here { other } else { one };
        let (get, first) = match (begun, self.a.body.insts[here].op) {
            (_, Op::Get(_)) => (here, None),
            (Some(begun), Op::Select) => {
                let [condition, get, first] = self.operands(here, Op::Select)?;
                let known = condition == begun && self.a.is_invariant(first);
                (get, known.then_some(Some(first))?)
            }
            _ => return None,
        };
        let Op::Get(state) = self.a.body.insts[get].op else { return None };
        self.seen.push(get);
        let next = self.a.next_of(Op::Get(state))?;
        let known = self.operands(next, Op::Select)? == [hit, later, here];
        let invariant = self.a.is_invariant(period) && self.a.is_invariant(part);
        let sums = one == here || other == here;
        (known && invariant && sums).then_some((period, Lateness { state, get, here, next, part, first }))
    }

    /// The bound of `−1 where the state is below it, else 0`.
    fn below(&mut self, by: Value, get: Value) -> Option<i32> {
        let less = self.mask(by)?;
        let [state, bound] = self.operands(less, Op::Lt)?;
        self.int(bound).filter(|_| state == get)
    }

    /// The condition of a mask.
    fn mask(&mut self, value: Value) -> Option<Value> {
        let [condition, ..]: [Value; 3] = self.operands(value, Op::Select)?;
        is_mask(self.a.body, value).then_some(condition)
    }

    /// The operands of an instruction of a kind.
    fn operands<const N: usize>(&mut self, value: Value, op: Op) -> Option<[Value; N]> {
        let inst = &self.a.body.insts[value];
        if inst.op != op {
            return None;
        }
        self.seen.push(value);
        inst.args.as_slice().try_into().ok()
    }

    fn int(&self, value: Value) -> Option<i32> {
        int(self.a.body, value)
    }
}

fn int(body: &Body, value: Value) -> Option<i32> {
    match body.as_const(value) {
        Some(Imm::I32(x)) => Some(x),
        _ => None,
    }
}
