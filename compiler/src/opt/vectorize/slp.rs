//! Channel lanes: the steady body rewritten so that what left and right have alike is computed for both at once, one
//! frame a turn, in two lanes of four (the other two repeat them). Filters in a chain, which wait for themselves from
//! frame to frame, take both channels in the time of one.
//!
//! From the two outputs backwards, instructions of one kind whose operands pair are a pair; states are paired where first
//! they meet, and are carried in lanes from turn to turn. What does not pair is computed by itself and put into lanes.
//! Every bit stays.

use crate::ir::{Body, Kernel, Op, Rate, StateSlot, Value};
use mam_grammar::Handle;
use rustc_hash::FxHashMap;

/// Lanes of a value.
const LANES: u8 = 4;

/// The kernel with pairs in its steady body; none where it has not two outputs, or no state is paired.
pub fn paired(kernel: &Kernel) -> Option<Kernel> {
    let old = &kernel.steady;
    let &[left, right] = old.outs.as_slice() else { return None };
    if old.step != 1 || left == right {
        return None;
    }
    let mut pairs = Pairs {
        old,
        rates: old.rates(),
        sets: old.sets.iter().copied().collect(),
        back_edges: old.back_edges.iter().copied().collect(),
        paired: FxHashMap::default(),
        new: Body::default(),
        single: vec![None; old.insts.len()],
        wide: FxHashMap::default(),
        open: vec![],
    };
    let out = pairs.wide(left, right);
    pairs.new.outs = [0, 1].map(|lane| pairs.new.op(Op::Extract(lane), &[out])).to_vec();
    while let Some(circle) = pairs.open.pop() {
        pairs.close(circle);
    }
    if pairs.paired.is_empty() {
        return None;
    }
    for &(state, value) in &old.sets {
        if !pairs.paired.contains_key(&state) {
            let value = pairs.one(value);
            pairs.new.sets.push((state, value));
        }
    }
    for &(line, value) in &old.writes {
        let value = pairs.one(value);
        pairs.new.writes.push((line, value));
    }
    // What is put into lanes may have asked for more states.
    while let Some(circle) = pairs.open.pop() {
        pairs.close(circle);
    }
    let mut left: Vec<(Value, Value)> = old.back_edges.clone();
    while let Some(index) = left.iter().position(|(carry, _)| pairs.single[carry.index()].is_some()) {
        let (carry, next) = left.swap_remove(index);
        let (now, next) = (pairs.one(carry), pairs.one(next));
        pairs.new.back_edges.push((now, next));
    }
    pairs.open.is_empty().then(|| Kernel { steady: pairs.new, ..kernel.clone() })
}

/// What goes from turn to turn in lanes: of two states, or of two carried values.
#[derive(Clone, Copy)]
enum Circle {
    States(Handle<StateSlot>, Handle<StateSlot>, Value),
    Carries(Value, Value, Value),
}

struct Pairs<'a> {
    old: &'a Body,
    rates: Vec<Rate>,
    sets: FxHashMap<Handle<StateSlot>, Value>,
    back_edges: FxHashMap<Value, Value>,
    /// The states that are paired: in which lane, and the carried lanes.
    paired: FxHashMap<Handle<StateSlot>, (u8, Value)>,
    new: Body,
    /// The values by themselves.
    single: Vec<Option<Value>>,
    /// Pairs in lanes.
    wide: FxHashMap<(Value, Value), Value>,
    /// Circles whose end is to be computed.
    open: Vec<Circle>,
}

impl Pairs<'_> {
    /// A value by itself.
    fn one(&mut self, value: Value) -> Value {
        if let Some(known) = self.single[value.index()] {
            return known;
        }
        let inst = &self.old.insts[value];
        let now = match inst.op {
            Op::Get(state) if self.paired.contains_key(&state) => {
                let (lane, carried) = self.paired[&state];
                self.new.op(Op::Extract(lane), &[carried])
            }
            _ => stacker::maybe_grow(64 << 10, 1 << 20, || {
                let args: Vec<Value> = inst.args.as_slice().iter().map(|arg| self.one(*arg)).collect();
                self.new.add(inst.op, inst.ty, &args)
            }),
        };
        self.single[value.index()] = Some(now);
        now
    }

    /// Two values in lanes.
    fn wide(&mut self, left: Value, right: Value) -> Value {
        if let Some(known) = self.wide.get(&(left, right)) {
            return *known;
        }
        let now = stacker::maybe_grow(64 << 10, 1 << 20, || self.made(left, right));
        self.wide.insert((left, right), now);
        now
    }

    fn made(&mut self, left: Value, right: Value) -> Value {
        let (a, b) = (&self.old.insts[left], &self.old.insts[right]);
        let sample = |value: Value| self.rates[value.index()] == Rate::Sample;
        if !sample(left) && !sample(right) || left == right || a.ty != b.ty {
            return self.together(left, right);
        }
        match (a.op, b.op) {
            (Op::Get(one), Op::Get(other)) => self.states(left, right, one, other),
            (Op::LoopCarried, Op::LoopCarried) => {
                let start = self.wide(a.args.as_slice()[0], b.args.as_slice()[0]);
                let carried = self.new.op(Op::LoopCarried, &[start]);
                self.open.push(Circle::Carries(left, right, carried));
                carried
            }
            (x, y) if x == y && self.widens(left) && self.widens(right) => {
                let args: Vec<(Value, Value)> =
                    a.args.as_slice().iter().copied().zip(b.args.as_slice().iter().copied()).collect();
                let args: Vec<Value> = args.into_iter().map(|(x, y)| self.wide(x, y)).collect();
                self.new.add(a.op, a.ty.with_lanes(LANES), &args)
            }
            _ => self.together(left, right),
        }
    }

    fn states(
        &mut self,
        left: Value,
        right: Value,
        one: Handle<StateSlot>,
        other: Handle<StateSlot>,
    ) -> Value {
        let free = |state| !self.paired.contains_key(&state) && self.sets.contains_key(&state);
        let unread = self.single[left.index()].is_none() && self.single[right.index()].is_none();
        let ty = self.old.ty(left);
        if one == other || !free(one) || !free(other) || !unread || !ty.is_packable() {
            return self.together(left, right);
        }
        let [a, b] = [one, other].map(|state| self.new.add(Op::LiveIn(state), ty, &[]));
        let start = self.new.op(Op::Pack, &[a, b, a, b]);
        let carried = self.new.op(Op::LoopCarried, &[start]);
        self.paired.insert(one, (0, carried));
        self.paired.insert(other, (1, carried));
        self.open.push(Circle::States(one, other, carried));
        carried
    }

    /// Computes what a circle is in the next turn.
    fn close(&mut self, circle: Circle) {
        match circle {
            Circle::States(one, other, carried) => {
                let next = self.wide(self.sets[&one], self.sets[&other]);
                self.new.back_edges.push((carried, next));
                for (lane, state) in [(0, one), (1, other)] {
                    let value = self.new.op(Op::Extract(lane), &[next]);
                    self.new.sets.push((state, value));
                }
            }
            Circle::Carries(left, right, carried) => {
                let next = self.wide(self.back_edges[&left], self.back_edges[&right]);
                self.new.back_edges.push((carried, next));
            }
        }
    }

    /// Two values, each computed by itself, in lanes.
    fn together(&mut self, left: Value, right: Value) -> Value {
        let a = self.one(left);
        if left == right {
            return match self.new.as_const(a) {
                Some(imm) => self.new.constant(imm, LANES),
                None => self.new.op(Op::Splat, &[a]),
            };
        }
        let b = self.one(right);
        self.new.op(Op::Pack, &[a, b, a, b])
    }

    /// Whether an instruction can be done in lanes.
    fn widens(&self, value: Value) -> bool {
        let inst = &self.old.insts[value];
        let args = inst.args.as_slice();
        // What has no meaning by itself is a source.
        inst.op.row().meaning.is_some()
            && inst.ty.is_packable()
            && args.iter().all(|arg| self.old.ty(*arg).is_packable())
    }
}
