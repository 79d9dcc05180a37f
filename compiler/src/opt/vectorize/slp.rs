//! Channel lanes, by superword-level parallelism (SLP): the steady body rewritten so that what left and right have alike is computed for both at once, one
//! frame an iteration, in two lanes of four (the other two repeat them). Filters in a chain, which wait for themselves from
//! frame to frame, take both channels in the time of one.
//!
//! From the two outputs backwards, instructions of one kind whose operands pair are a pair; states are paired where first
//! they meet, and are carried in lanes from iteration to iteration. What does not pair is computed by itself and put into lanes.
//! Every bit stays.

use crate::ir::{Kernel, Op, StateSlot, Value};
use crate::opt::analysis::Analysis;
use crate::opt::lanes::{LANES, LaneBuilder};
use mam_grammar::Handle;
use rustc_hash::FxHashMap;

/// The kernel with channel lanes in its steady body; none where it has not two outputs, or no state is paired.
pub fn channel_lanes(kernel: &Kernel) -> Option<Kernel> {
    let a = Analysis::steady(kernel);
    let old = a.body;
    let &[left, right] = old.outs.as_slice() else { return None };
    if old.step != 1 || left == right {
        return None;
    }
    let mut pairs = Pairs {
        a: &a,
        b: LaneBuilder::new(old, 1),
        back_edges: old.back_edges.iter().copied().collect(),
        paired: FxHashMap::default(),
        wide: FxHashMap::default(),
        open: vec![],
    };
    let out = pairs.wide(left, right);
    pairs.b.new.outs = [0, 1].map(|lane| pairs.b.op(Op::Extract(lane), &[out])).to_vec();
    pairs.close_all();
    if pairs.paired.is_empty() {
        return None;
    }
    for &(state, value) in &old.sets {
        if !pairs.paired.contains_key(&state) {
            let value = pairs.single(value);
            pairs.b.new.sets.push((state, value));
        }
    }
    for &(line, value) in &old.writes {
        let value = pairs.single(value);
        pairs.b.new.writes.push((line, value));
    }
    // What is put into lanes may have asked for more states.
    pairs.close_all();
    let mut left: Vec<(Value, Value)> = old.back_edges.clone();
    while let Some(index) = left.iter().position(|(carried, _)| pairs.b.uniform(*carried).is_some()) {
        let (carried, next) = left.swap_remove(index);
        let (now, next) = (pairs.single(carried), pairs.single(next));
        pairs.b.new.back_edges.push((now, next));
    }
    pairs.open.is_empty().then(|| Kernel { steady: pairs.b.new, ..kernel.clone() })
}

/// What goes from iteration to iteration in lanes, of which the next value is to be computed: of two states, or of two
/// loop-carried values.
#[derive(Clone, Copy)]
enum Open {
    States { left: Handle<StateSlot>, right: Handle<StateSlot>, lanes: Value },
    Carried { left: Value, right: Value, lanes: Value },
}

struct Pairs<'a> {
    a: &'a Analysis<'a>,
    /// The values by themselves are uniform in it.
    b: LaneBuilder<'a>,
    back_edges: FxHashMap<Value, Value>,
    /// The states that are paired: in which lane, and the loop-carried lanes.
    paired: FxHashMap<Handle<StateSlot>, (u8, Value)>,
    /// The vector of each pair of values that are lanes of one.
    wide: FxHashMap<(Value, Value), Value>,
    open: Vec<Open>,
}

impl Pairs<'_> {
    /// A value by itself.
    fn single(&mut self, value: Value) -> Value {
        if let Some(known) = self.b.uniform(value) {
            return known;
        }
        let inst = &self.a.body.insts[value];
        let now = match inst.op {
            Op::Get(state) if self.paired.contains_key(&state) => {
                let (lane, carried) = self.paired[&state];
                self.b.op(Op::Extract(lane), &[carried])
            }
            _ => stacker::maybe_grow(64 << 10, 1 << 20, || {
                let args: Vec<Value> = inst.args.as_slice().iter().map(|arg| self.single(*arg)).collect();
                self.b.new.add(inst.op, inst.ty, &args)
            }),
        };
        self.b.define_uniform(value, now);
        now
    }

    /// Two values in lanes.
    fn wide(&mut self, left: Value, right: Value) -> Value {
        if let Some(known) = self.wide.get(&(left, right)) {
            return *known;
        }
        let now = stacker::maybe_grow(64 << 10, 1 << 20, || self.paired_or_packed(left, right));
        self.wide.insert((left, right), now);
        now
    }

    fn paired_or_packed(&mut self, left: Value, right: Value) -> Value {
        let (x, y) = (&self.a.body.insts[left], &self.a.body.insts[right]);
        let invariant = self.a.is_invariant(left) && self.a.is_invariant(right);
        if invariant || left == right || x.ty != y.ty {
            return self.packed(left, right);
        }
        match (x.op, y.op) {
            (Op::Get(one), Op::Get(other)) => self.states([left, right], [one, other]),
            (Op::LoopCarried, Op::LoopCarried) => {
                let start = self.wide(x.args.as_slice()[0], y.args.as_slice()[0]);
                let lanes = self.b.op(Op::LoopCarried, &[start]);
                self.open.push(Open::Carried { left, right, lanes });
                lanes
            }
            (one, other) if one == other && self.widens(left) && self.widens(right) => {
                let args = x.args.as_slice().iter().zip(y.args.as_slice());
                let args: Vec<Value> = args.map(|(x, y)| self.wide(*x, *y)).collect();
                self.b.new.add(one, x.ty.with_lanes(LANES as u8), &args)
            }
            _ => self.packed(left, right),
        }
    }

    fn states(&mut self, gets: [Value; 2], states: [Handle<StateSlot>; 2]) -> Value {
        let [left, right] = states;
        let free = |state| !self.paired.contains_key(&state) && self.a.next_of(Op::Get(state)).is_some();
        let unread = gets.iter().all(|get| self.b.uniform(*get).is_none());
        let ty = self.a.body.ty(gets[0]);
        if left == right || !free(left) || !free(right) || !unread || !ty.is_packable() {
            return self.packed(gets[0], gets[1]);
        }
        let [a, b] = states.map(|state| self.b.new.add(Op::LiveIn(state), ty, &[]));
        let start = self.b.op(Op::Pack, &[a, b, a, b]);
        let lanes = self.b.op(Op::LoopCarried, &[start]);
        self.paired.insert(left, (0, lanes));
        self.paired.insert(right, (1, lanes));
        self.open.push(Open::States { left, right, lanes });
        lanes
    }

    /// Computes what is open in the next iteration, until nothing is.
    fn close_all(&mut self) {
        while let Some(open) = self.open.pop() {
            self.close(open);
        }
    }

    fn close(&mut self, open: Open) {
        match open {
            Open::States { left, right, lanes } => {
                let [x, y] = [left, right].map(|state| self.a.next_of(Op::Get(state)).expect("it is set"));
                let next = self.wide(x, y);
                self.b.new.back_edges.push((lanes, next));
                for (lane, state) in [(0, left), (1, right)] {
                    let value = self.b.op(Op::Extract(lane), &[next]);
                    self.b.new.sets.push((state, value));
                }
            }
            Open::Carried { left, right, lanes } => {
                let next = self.wide(self.back_edges[&left], self.back_edges[&right]);
                self.b.new.back_edges.push((lanes, next));
            }
        }
    }

    /// Two values, each computed by itself, in lanes.
    fn packed(&mut self, left: Value, right: Value) -> Value {
        let a = self.single(left);
        if left == right {
            return self.b.splat(a);
        }
        let b = self.single(right);
        self.b.op(Op::Pack, &[a, b, a, b])
    }

    /// Whether an instruction can be done in lanes.
    fn widens(&self, value: Value) -> bool {
        let inst = &self.a.body.insts[value];
        // What has no meaning by itself is a source.
        inst.op.row().meaning.is_some()
            && inst.ty.is_packable()
            && inst.args.as_slice().iter().all(|arg| self.a.body.ty(*arg).is_packable())
    }
}
