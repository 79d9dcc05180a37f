//! What is known of a body: computed once, and passed on to all that ask.

use super::intervals::{Interval, Intervals};
use super::lanes::LANES;
use crate::ir::{Body, Imm, Kernel, Op, Rate, StateSlot, Value};
use mam_grammar::Handle;
use rustc_hash::FxHashMap;
use std::cell::OnceCell;

/// The analyses of one body of a kernel.
pub(super) struct Analysis<'a> {
    pub(super) kernel: &'a Kernel,
    pub(super) body: &'a Body,
    /// How often each value changes.
    pub(super) rates: Vec<Rate>,
    sets: FxHashMap<Handle<StateSlot>, Value>,
    short_reads: FxHashMap<Value, ShortRead>,
    intervals: OnceCell<Vec<Interval>>,
}

/// A read of what was written one to three frames ago: in lanes, a part of it is written in the same iteration.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShortRead {
    /// How many frames ago.
    pub(super) ago: usize,
    /// What is written into the line.
    pub(super) written: Value,
}

impl<'a> Analysis<'a> {
    /// The analyses of a kernel's steady body.
    pub(super) fn steady(kernel: &'a Kernel) -> Analysis<'a> {
        Analysis::new(kernel, &kernel.steady)
    }

    /// The analyses of a body that has the interface of a kernel.
    pub(super) fn new(kernel: &'a Kernel, body: &'a Body) -> Analysis<'a> {
        Analysis {
            kernel,
            body,
            rates: body.rates(),
            sets: body.sets.iter().copied().collect(),
            short_reads: short_reads(body),
            intervals: OnceCell::new(),
        }
    }

    /// What is known of a value's range; nothing of states of f32.
    pub(super) fn interval(&self, value: Value) -> Interval {
        self.intervals.get_or_init(|| Intervals::analyse(self.kernel).within(self.body))[value.index()]
    }

    /// A value as a read of less than four frames.
    pub(super) fn short_read(&self, value: Value) -> Option<ShortRead> {
        self.short_reads.get(&value).copied()
    }

    /// What a value of this frame may be made of in the frame before: what its state is set to, or what is written into
    /// the line that it reads less than four frames ago.
    pub(super) fn earlier(&self, value: Value) -> Option<Value> {
        let next = self.next_of(self.body.insts[value].op);
        next.or(self.short_read(value).map(|read| read.written))
    }

    /// Whether a value is the same in all frames of a call.
    pub(super) fn is_invariant(&self, value: Value) -> bool {
        self.rates[value.index()] != Rate::Sample
    }

    /// What the state that an op reads is set to.
    pub(super) fn next_of(&self, op: Op) -> Option<Value> {
        let Op::Get(state) = op else { return None };
        self.sets.get(&state).copied()
    }

    /// The name of a state.
    pub(super) fn name_of(&self, state: Handle<StateSlot>) -> &'a str {
        &self.kernel.states[state].name
    }
}

fn short_reads(body: &Body) -> FxHashMap<Value, ShortRead> {
    let written: FxHashMap<_, Value> = body.writes.iter().copied().collect();
    let short = |(value, inst): (Value, &crate::ir::Inst)| {
        let (Op::Read(line), Some(Imm::I32(ago))) = (inst.op, body.as_const(*inst.args.as_slice().first()?))
        else {
            return None;
        };
        let ago = usize::try_from(ago).ok().filter(|ago| (1..LANES).contains(ago))?;
        Some((value, ShortRead { ago, written: *written.get(&line)? }))
    };
    body.insts.iter().filter_map(short).collect()
}
