//! Filters of second order in blocks of four frames: a linear recurrence through two states whose one input is x.
//!
//! With s the states before the iteration, `s' = A·s + B·x` in each frame, and an output `y = C·s + D·x`, the k-th frame
//! gives `C·Aᵏ·s + D·xₖ + Σⱼ C·Aᵏ⁻¹⁻ʲ·B·xⱼ` (j < k): two products with the states, and the filter's response to a pulse,
//! convolved with the four frames of x. The states after the iteration are `A⁴·s + Σⱼ A³⁻ʲ·B·xⱼ`, and those of two filters that
//! do not hear each other, such as left and right, are the four lanes of one value. What is made of the states, of x and
//! of loop-invariant numbers alone is an output too, so a filter's mix costs nothing. (All powers are computed in f64, once a segment.
//! As in [`super::scan`] it is `s + (A⁴ − 1)·s`, so that a slow filter keeps its gain.)
//!
//! It takes about half as many instructions as the scan of [`super::scan`] would for a filter and its mix.

use super::component::Component;
use super::scan;
use crate::ir::{Body, Op, StateSlot, Type, Value};
use crate::opt::analysis::Analysis;
use mam_grammar::Handle;
use mam_runtime::sort::Sort;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;

/// A filter in blocks.
pub(super) struct BlockFilter {
    pub(super) states: [Handle<StateSlot>; 2],
    pub(super) gets: [Value; 2],
    pub(super) nexts: [Value; 2],
    /// The signal that is filtered.
    pub(super) input: Value,
    /// The recurrence, and what is made of it and the input, in the order of the body.
    pub(super) members: Vec<Value>,
    /// Those that others hear.
    pub(super) outputs: Vec<Value>,
}

/// Most outputs: each is a convolution.
const OUTPUTS: usize = 2;
/// How much a recurrence may take in.
const MEMBERS: usize = 40;

/// Who uses each value of a body every frame: instructions, and whether it leaves the iteration in another way.
pub(super) struct Users {
    insts: Vec<Vec<Value>>,
    leaves: FxHashSet<Value>,
    sets: FxHashMap<Value, Vec<Handle<StateSlot>>>,
}

impl Users {
    pub(super) fn new(body: &Body) -> Users {
        let nexts: FxHashMap<Handle<StateSlot>, Value> = body.sets.iter().copied().collect();
        let mut insts: Vec<Vec<Value>> = vec![vec![]; body.insts.len()];
        for (user, inst) in body.insts.iter() {
            let next = if let Op::Get(state) = inst.op { nexts.get(&state).copied() } else { None };
            let before = inst.args.as_slice().iter().copied().chain(next);
            before.for_each(|value| insts[value.index()].push(user));
        }
        let mut sets: FxHashMap<Value, Vec<Handle<StateSlot>>> = FxHashMap::default();
        body.sets.iter().for_each(|(state, value)| sets.entry(*value).or_default().push(*state));
        let leaves = body.outs.iter().copied().chain(body.writes.iter().map(|(_, value)| *value)).collect();
        Users { insts, leaves, sets }
    }

    /// Whether what is not of a component needs a value of it.
    pub(super) fn is_heard_outside(&self, body: &Body, value: Value, component: &[Value]) -> bool {
        let outside = |user: &Value| !component.contains(user);
        let own =
            |state: &Handle<StateSlot>| component.iter().any(|get| body.insts[*get].op == Op::Get(*state));
        self.leaves.contains(&value)
            || self.insts[value.index()].iter().any(outside)
            || self.sets.get(&value).is_some_and(|states| !states.iter().all(own))
    }
}

impl BlockFilter {
    /// Its states and its form.
    pub(super) fn describe(&self, a: &Analysis) -> String {
        let names = self.states.map(|state| a.name_of(state));
        format!("{}: linear, in blocks of four frames", names.join(", "))
    }
}

/// A linear recurrence as a filter in blocks.
pub(super) fn recognise(a: &Analysis, users: &Users, component: &Component) -> Option<BlockFilter> {
    let body = a.body;
    let linear = scan::recognise(a, component).filter(|linear| !linear.creeps(body))?;
    let (&[one, other], &[first, second]) = (linear.states.as_slice(), linear.gets.as_slice()) else {
        return None;
    };
    let &[next, after] = linear.nexts.as_slice() else { return None };
    let sample = |value: &&Value| !a.is_invariant(**value);
    let operands = component.iter().flat_map(|value| body.insts[*value].args.as_slice());
    let mut heard = operands.filter(sample).filter(|value| !component.contains(value));
    let input = *heard.next()?;
    if heard.any(|value| *value != input) || body.ty(input) != Type::F32 {
        return None;
    }
    let mut inside: FxHashSet<Value> = component.iter().copied().collect();
    let known = |inside: &FxHashSet<Value>, value: Value| value == input || inside.contains(&value);
    let own = |value: &Value| {
        matches!(body.insts[*value].op, Op::Get(_)) || adds(a, *value, &|v| known(&inside, v))
    };
    if !component.iter().all(own) {
        return None;
    }
    // Whether one that is inside is heard elsewhere.
    let states = [one, other];
    let is_heard = |inside: &FxHashSet<Value>, value: Value, but: Option<Value>| {
        let user = |user: &Value| !inside.contains(user) && Some(*user) != but;
        let set = |state: &Handle<StateSlot>| !states.contains(state);
        users.leaves.contains(&value)
            || users.insts[value.index()].iter().any(user)
            || users.sets.get(&value).is_some_and(|all| all.iter().any(set))
    };
    let mut open: BTreeSet<Value> =
        component.iter().flat_map(|value| &users.insts[value.index()]).copied().collect();
    while let Some(value) = open.pop_first() {
        // It takes the place of what only it hears.
        let instead = |arg: &Value| inside.contains(arg) && !is_heard(&inside, *arg, Some(value));
        if !inside.contains(&value)
            && inside.len() < MEMBERS
            && body.ty(value) == Type::F32
            && adds(a, value, &|v| known(&inside, v))
            && body.insts[value].args.as_slice().iter().any(instead)
        {
            inside.insert(value);
            open.extend(&users.insts[value.index()]);
        }
    }
    let mut members: Vec<Value> = inside.iter().copied().collect();
    members.put_in_order();
    let outputs: Vec<Value> =
        members.iter().copied().filter(|value| is_heard(&inside, *value, None)).collect();
    let (gets, nexts) = ([first, second], [next, after]);
    (outputs.len() <= OUTPUTS).then_some(BlockFilter { states, gets, nexts, input, members, outputs })
}

/// Whether a value is a sum of loop-invariant multiples of known ones.
fn adds(a: &Analysis, value: Value, known: &dyn Fn(Value) -> bool) -> bool {
    let invariant = |value: Value| a.is_invariant(value);
    let inst = &a.body.insts[value];
    let shape = match (inst.op, inst.args.as_slice()) {
        (Op::Neg, _) => true,
        (Op::Add | Op::Sub, &[x, y]) => !invariant(x) && !invariant(y),
        (Op::Mul, &[x, y]) => invariant(x) != invariant(y),
        (Op::Div, &[x, y]) => !invariant(x) && invariant(y),
        (Op::Fma, &[x, y, z]) => invariant(x) != invariant(y) && !invariant(z),
        _ => false,
    };
    shape && inst.args.as_slice().iter().all(|arg| invariant(*arg) || known(*arg))
}
