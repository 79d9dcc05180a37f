//! Sums of states one frame ahead: where a function in a recurrence waits for a sum of states, and these for the function's last
//! value, the sum is kept as a state of its own. In
//!
//! ```text
//! u  = tanh(x - (a1*s1 + a2*s2))     s1' = b1*u + c1*s1     s2' = b2*u + s1
//! ```
//!
//! the next frame needs a1·s1' + a2·s2', which is (a1·b1 + a2·b2)·u + (a1·c1 + a2)·s1: all but one multiplication with an addition is
//! there before u is. What u waits for is shorter by the way from u to the states and from these to the sum. The states are computed
//! as before, so nothing adds up: the sum comes anew from them in each frame.
//!
//! Factors are constants, gathered in f64. It changes last bits, and costs some more instructions than it waits for less.

use super::cost::latency;
use super::vectorize::component::{Component, components_with_back_edges};
use super::{Context, rebuild};
use crate::ir::{Body, Imm, Kernel, Op, StateSlot, Type, Value};
use mam_grammar::Handle;
use mam_runtime::sort::Sort;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// The most terms of a sum.
const TERMS: usize = 12;

pub(super) fn run(kernel: &Kernel, cx: Context) -> Kernel {
    let body = &kernel.steady;
    let is_first_form = kernel.tail.is_none() && body.step == 1 && kernel.block.is_none();
    let has_states = body.sets.iter().any(|(_, value)| body.ty(*value) == Type::F32);
    if !is_first_form || !has_states || !cx.target.fma {
        return kernel.clone();
    }
    let components = components_with_back_edges(body, &body.rates());
    let sets: FxHashMap<Handle<StateSlot>, Value> = body.sets.iter().copied().collect();
    let recurrences = components.iter().filter(|component| component.is_recurrence && component.len() > 2);
    let ahead: Vec<Ahead> =
        recurrences.filter_map(|component| Recurrence::new(body, component, &sets).ahead()).collect();
    let states = ahead.iter().flat_map(|ahead| &ahead.states).map(|(state, _)| *state);
    if ahead.is_empty() || !may_follow(kernel, states) { kernel.clone() } else { with_sums(kernel, &ahead) }
}

/// Whether states behind all others may be made of these: of a voice they are its own, and begin anew with it.
fn may_follow(kernel: &Kernel, mut of: impl Iterator<Item = Handle<StateSlot>>) -> bool {
    match kernel.voices.as_slice() {
        [] => true,
        [voice] => {
            let is_last = voice.every == 1 && voice.states.end as usize == kernel.states.len();
            is_last && of.all(|state| voice.states.contains(&(state.index() as u32)))
        }
        _ => false,
    }
}

/// A sum of values, each times a constant.
type Sum = BTreeMap<Value, f64>;

/// A sum that is kept as a state.
struct Ahead {
    /// What it is in a frame, as a value of the steady body, with what else is added to the states there.
    root: Value,
    /// Of that, the states.
    states: Vec<(Handle<StateSlot>, f64)>,
    /// The rest, which waits for nothing.
    early: Sum,
    /// What the sum of the states is in the next frame, of this frame's values: those that wait last.
    next: Vec<(Value, f64)>,
}

/// A recurrence of a body, with its linear values as sums.
struct Recurrence<'a> {
    body: &'a Body,
    component: &'a Component,
    sets: &'a FxHashMap<Handle<StateSlot>, Value>,
    members: FxHashSet<Value>,
    /// By member: what it is a sum of; none where it is linear in nothing.
    sums: FxHashMap<Value, Sum>,
}

impl<'a> Recurrence<'a> {
    fn new(
        body: &'a Body,
        component: &'a Component,
        sets: &'a FxHashMap<Handle<StateSlot>, Value>,
    ) -> Recurrence<'a> {
        let members = component.iter().copied().collect();
        let mut recurrence = Recurrence { body, component, sets, members, sums: FxHashMap::default() };
        for &value in component.iter() {
            if let Some(sum) = recurrence.sum_of(value) {
                recurrence.sums.insert(value, sum);
            }
        }
        recurrence
    }

    /// What a member is a sum of, if it is one of few terms.
    fn sum_of(&self, value: Value) -> Option<Sum> {
        let inst = &self.body.insts[value];
        if inst.ty != Type::F32 {
            return None;
        }
        let args = inst.args.as_slice();
        let mut sum = Sum::default();
        let mut add = |of: Value, factor: f64| {
            for (term, by) in self.terms(of) {
                *sum.entry(term).or_default() += factor * by;
            }
        };
        match (inst.op, args) {
            (Op::Get(_), _) => add(value, 1.0),
            (Op::Add, &[a, b]) => [a, b].into_iter().for_each(|arg| add(arg, 1.0)),
            (Op::Sub, &[a, b]) => [(a, 1.0), (b, -1.0)].into_iter().for_each(|(arg, by)| add(arg, by)),
            (Op::Neg, &[a]) => add(a, -1.0),
            (Op::Mul, &[a, b]) => match (self.factor(a), self.factor(b)) {
                (Some(by), None) => add(b, by),
                (None, Some(by)) => add(a, by),
                _ => return None,
            },
            _ => return None,
        }
        (sum.len() <= TERMS && sum.values().all(|by| by.is_finite())).then_some(sum)
    }

    /// A value as a sum: itself where it is none.
    fn terms(&self, value: Value) -> Sum {
        self.sums.get(&value).cloned().unwrap_or_else(|| Sum::from([(value, 1.0)]))
    }

    /// A constant: one that was gathered in f64 is not rounded yet.
    fn factor(&self, value: Value) -> Option<f64> {
        let inst = &self.body.insts[value];
        match (inst.op, inst.args.as_slice()) {
            (Op::Const(Imm::F32(x)), _) => Some(f64::from(x)),
            (Op::Demote, &[of]) => match self.body.as_const(of) {
                Some(Imm::F64(x)) => Some(x),
                _ => None,
            },
            _ => None,
        }
    }

    /// The state that a member shows, as it was left by the frame before.
    fn state(&self, value: Value) -> Option<Handle<StateSlot>> {
        match self.body.insts[value].op {
            Op::Get(state) if self.members.contains(&value) => Some(state),
            _ => None,
        }
    }

    /// Whether a member is no sum: what waits for it waits long.
    fn is_late(&self, value: Value) -> bool {
        self.members.contains(&value) && !self.sums.contains_key(&value)
    }

    /// The sum for which the rest of the recurrence waits, if less would have to be waited for were it kept.
    fn ahead(&self) -> Option<Ahead> {
        let late = self.component.iter().filter(|value| self.is_late(**value));
        let read: FxHashSet<Value> =
            late.flat_map(|reader| self.body.insts[*reader].args.as_slice()).copied().collect();
        let root =
            self.component.iter().copied().find(|value| read.contains(value) && self.is_root(*value))?;
        let (mut states, mut early, mut next) = (vec![], Sum::default(), Sum::default());
        for (&term, &by) in &self.sums[&root] {
            let Some(state) = self.state(term) else {
                early.insert(term, by);
                continue;
            };
            states.push((state, by));
            for (of, factor) in self.terms(*self.sets.get(&state)?) {
                *next.entry(of).or_default() += by * factor;
            }
        }
        let mut next: Vec<(Value, f64)> = next.into_iter().filter(|(_, by)| *by != 0.0).collect();
        // Those that wait stand last, in the order of the body.
        next.put_in_order_by(|(a, _), (b, _)| (self.is_late(*a), *a).cmp(&(self.is_late(*b), *b)));
        let late = next.iter().filter(|(value, _)| self.is_late(*value)).count();
        let ahead = Ahead { root, states, early, next };
        let of_states = ahead.states.iter().map(|(_, by)| by);
        let factors = of_states.chain(ahead.early.values()).chain(ahead.next.iter().map(|(_, by)| by));
        // As constants of f32, which are never subnormal.
        let are_normal = factors.copied().all(|by| (by as f32).is_normal());
        let is_bounded = late > 0 && ahead.next.len() <= TERMS && are_normal;
        (is_bounded && self.wait_after(&ahead, late) < self.wait(root)).then_some(ahead)
    }

    /// Whether a member is a sum of states, and of what does not wait.
    fn is_root(&self, value: Value) -> bool {
        let Some(sum) = self.sums.get(&value) else { return false };
        let of_states = sum.keys().filter(|term| self.state(**term).is_some()).count();
        let waits = sum.keys().any(|term| self.is_late(*term));
        self.state(value).is_none() && of_states > 0 && !waits
    }

    /// How many cycles pass from the last of what is no sum to the root, through the states.
    fn wait(&self, root: Value) -> f64 {
        let within = |start: &dyn Fn(Value) -> f64| {
            let mut times: FxHashMap<Value, f64> = FxHashMap::default();
            for &value in self.component.iter() {
                let args = self.body.insts[value].args.as_slice();
                let time = match self.sums.contains_key(&value) {
                    _ if self.state(value).is_some() => start(value),
                    true => args
                        .iter()
                        .filter_map(|arg| times.get(arg))
                        .copied()
                        .fold(f64::NEG_INFINITY, f64::max),
                    false => 0.0,
                };
                let own = if self.is_late(value) { 0.0 } else { latency(self.body, value) };
                times.insert(value, time + own);
            }
            times
        };
        let first = within(&|_| f64::NEG_INFINITY);
        let carried = |value: Value| {
            let next = self.state(value).and_then(|state| self.sets.get(&state));
            next.and_then(|next| first.get(next)).copied().unwrap_or(f64::NEG_INFINITY)
        };
        within(&carried)[&root]
    }

    /// The same once the sum is kept: a multiplication and an addition for each of so many that are late, and an addition of what
    /// else there is.
    fn wait_after(&self, ahead: &Ahead, late: usize) -> f64 {
        let one = latency(self.body, ahead.root);
        one * (1 + late + usize::from(!ahead.early.is_empty())) as f64
    }
}

/// The kernel with the sums as states, behind all others.
fn with_sums(kernel: &Kernel, sums: &[Ahead]) -> Kernel {
    let mut new = kernel.clone();
    let states: Vec<Handle<StateSlot>> =
        sums.iter().map(|ahead| new.states.add(slot(kernel, ahead))).collect();
    new.voices.iter_mut().for_each(|voice| voice.states.end += sums.len() as u32);
    let roots: FxHashMap<Value, usize> = sums.iter().enumerate().map(|(i, ahead)| (ahead.root, i)).collect();
    let mut map: Vec<Value> = Vec::with_capacity(kernel.steady.insts.len());
    new.steady = rebuild::body(&kernel.steady, |new, value, inst| {
        let now = match roots.get(&value) {
            Some(&index) => {
                let early = sums[index].early.iter().map(|(value, by)| (map[value.index()], *by));
                let early = total(new, early);
                let carried = new.add(Op::Get(states[index]), Type::F32, &[]);
                early.map_or(carried, |early| new.op(Op::Add, &[early, carried]))
            }
            None => new.insts.add(inst),
        };
        map.push(now);
        now
    });
    let sets: FxHashMap<Handle<StateSlot>, Value> = new.general.sets.iter().copied().collect();
    for (ahead, state) in sums.iter().zip(&states) {
        let next = ahead.next.iter().map(|(value, by)| (map[value.index()], *by));
        let next = total(&mut new.steady, next).expect("the sum has terms");
        new.steady.sets.push((*state, next));
        let general = &mut new.general;
        let left = |(of, by): &(Handle<StateSlot>, f64)| {
            let next = sets.get(of).copied();
            (next.unwrap_or_else(|| general.add(Op::Get(*of), Type::F32, &[])), *by)
        };
        let terms: Vec<(Value, f64)> = ahead.states.iter().map(left).collect();
        let next = total(general, terms.into_iter()).expect("the sum has states");
        general.sets.push((*state, next));
    }
    new
}

/// The state that a sum is kept in.
fn slot(kernel: &Kernel, ahead: &Ahead) -> StateSlot {
    let init = |(state, by): &(Handle<StateSlot>, f64)| match kernel.states[*state].init {
        Imm::F32(x) => by * f64::from(x),
        _ => 0.0,
    };
    let sum = ahead.states.iter().map(init).sum::<f64>() as f32;
    let sum = if sum.is_normal() { sum } else { 0.0 };
    let first = &kernel.states[ahead.states[0].0].name;
    StateSlot::word(format!("{first}.ahead"), Imm::F32(sum))
}

/// Adds up terms, one after the other; none where there are none.
fn total(body: &mut Body, terms: impl Iterator<Item = (Value, f64)>) -> Option<Value> {
    let mut sum = None;
    for (value, by) in terms {
        let term = if by == 1.0 {
            value
        } else {
            let by = body.f32(by as f32);
            body.op(Op::Mul, &[value, by])
        };
        sum = Some(sum.map_or(term, |sum| body.op(Op::Add, &[sum, term])));
    }
    sum
}
