//! Late operands last: a sum in a recurrence adds what is there first, and last what waits for the frame before. In
//! `y = x + a·y₁ − b·y₂` with y₁ and y₂ what y was one and two frames ago, only a·y₁ has to wait, and stands last: a frame
//! takes one multiplication with an addition, and not two of them in a row.
//!
//! Terms that are there at the same time keep their order. It changes last bits.

use super::cost::latency;
use super::vectorize::component::{Component, components_with_back_edges};
use super::{Context, rebuild};
use crate::ir::{Body, Op, Type, Value};
use mam_runtime::sort::Sort;
use rustc_hash::FxHashMap;

pub(super) fn run(old: &Body, _: Context) -> Body {
    let chains = Chains::all(old);
    if !chains.are_any() {
        return old.clone();
    }
    let mut orders: FxHashMap<Value, Vec<Term>> = FxHashMap::default();
    for component in components_with_back_edges(old, &old.rates()).iter().filter(|c| c.is_recurrence) {
        let ready = ready(old, component);
        for &root in component.iter().filter(|value| chains.is_root(**value)) {
            let terms = chains.terms(root, |value| ready.contains_key(&value));
            let integrates = terms.iter().any(|term| {
                matches!(old.insts[term.value].op, Op::Get(_)) && ready.get(&term.value) == Some(&0.0)
            });
            // What is added to the last state is small beside it: its digits are kept.
            let order = if integrates { None } else { reordered(&terms, &ready) };
            orders.extend(order.map(|order| (root, order)));
        }
    }
    if orders.is_empty() {
        return old.clone();
    }
    let mut map: Vec<Value> = Vec::with_capacity(old.insts.len());
    rebuild::body(old, |new, value, inst| {
        let now = match orders.get(&value) {
            Some(order) => order[1..].iter().fold(map[order[0].value.index()], |sum, term| {
                let op = if term.is_negative { Op::Sub } else { Op::Add };
                new.op(op, &[sum, map[term.value.index()]])
            }),
            None => new.insts.add(inst),
        };
        map.push(now);
        now
    })
}

/// What is added, or subtracted.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Term {
    value: Value,
    is_negative: bool,
}

/// Additions and subtractions of f32 of which one is the first operand of the next, and of nothing else. What stands in brackets is one
/// term: of `y₁ + (x − a·y₁)` the bracket is small, and keeps digits that would be lost if x were added to y₁.
struct Chains<'a> {
    body: &'a Body,
    /// Those that are the first operand of another one only.
    inner: Vec<bool>,
}

impl<'a> Chains<'a> {
    fn all(body: &'a Body) -> Chains<'a> {
        let uses = body.uses();
        let mut inner = vec![false; body.insts.len()];
        for (_, inst) in body.insts.iter().filter(|(value, _)| adds(body, *value)) {
            let once = |arg: &&Value| adds(body, **arg) && uses[arg.index()] == 1;
            inst.args.as_slice().iter().take(1).filter(once).for_each(|arg| inner[arg.index()] = true);
        }
        Chains { body, inner }
    }

    /// Whether there are any of three terms, in a body in which something waits for the frame before.
    fn are_any(&self) -> bool {
        !self.body.sets.is_empty() && self.inner.contains(&true)
    }

    fn is_root(&self, value: Value) -> bool {
        adds(self.body, value) && !self.inner[value.index()]
    }

    /// The terms of a chain, in the order in which they are written. What `is_open` says no of is one term.
    fn terms(&self, root: Value, is_open: impl Fn(Value) -> bool) -> Vec<Term> {
        let (mut terms, mut value) = (vec![], root);
        while value == root || self.inner[value.index()] && is_open(value) {
            let inst = &self.body.insts[value];
            let args = inst.args.as_slice();
            terms.push(Term { value: args[1], is_negative: inst.op == Op::Sub });
            value = args[0];
        }
        terms.push(Term { value, is_negative: false });
        terms.reverse();
        terms
    }
}

fn adds(body: &Body, value: Value) -> bool {
    matches!(body.insts[value].op, Op::Add | Op::Sub) && body.ty(value) == Type::F32
}

/// When each member of a recurrence is there, in cycles from when the last of what comes from the frame before is.
fn ready(body: &Body, component: &Component) -> FxHashMap<Value, f64> {
    let from_nothing = times(body, component, |_| 0.0);
    let next = |state| body.sets.iter().find(|(set, _)| *set == state).map(|(_, next)| *next);
    let carried = |value: Value| {
        let next = match body.insts[value].op {
            Op::Get(state) => next(state),
            _ => None,
        };
        next.and_then(|next| from_nothing.get(&next).copied()).unwrap_or(0.0)
    };
    let period = component.iter().map(|value| carried(*value)).fold(0.0, f64::max);
    times(body, component, |value| carried(value) - period)
}

/// When each member is there, where what comes from the frame before is there at `start`.
fn times(body: &Body, component: &Component, start: impl Fn(Value) -> f64) -> FxHashMap<Value, f64> {
    let mut times: FxHashMap<Value, f64> = FxHashMap::default();
    // A member stands behind its operands.
    for &value in component.iter() {
        let args = body.insts[value].args.as_slice();
        let last = args.iter().filter_map(|arg| times.get(arg).copied()).reduce(f64::max);
        times.insert(value, last.unwrap_or_else(|| start(value)) + latency(body, value));
    }
    times
}

/// Terms in the order in which they are there, with a positive one first; none where that is the order that they have.
fn reordered(terms: &[Term], ready: &FxHashMap<Value, f64>) -> Option<Vec<Term>> {
    let time = |term: &Term| ready.get(&term.value).copied().unwrap_or(f64::NEG_INFINITY);
    let mut order = terms.to_vec();
    order.put_in_order_by(|a, b| time(a).total_cmp(&time(b)));
    let first = order.iter().position(|term| !term.is_negative)?;
    order[..=first].rotate_right(1);
    let is_last_moved = order.len() > 2 && order.last() != terms.last();
    is_last_moved.then_some(order)
}
