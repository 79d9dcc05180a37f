//! How delay lines are addressed.
//!
//! In the steady form, a call goes through a long line ([`LONG`]) with linear addressing: from one address on, without
//! wrapping at its end. Behind the line stands a guard copy of what a call may read beyond it, and there is room for what
//! it writes beyond it. Everywhere else each frame's address wraps by itself.

use super::{Access, LinearRead, LinearWrite, Uniform};
use crate::ir::{Body, DelayLine, Imm, Kernel, Op, Rate, Value};
use mam_grammar::Handle;
use mam_runtime::sort::Sort;
use mam_runtime::{LONG, QUANTUM};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

pub(super) struct DelayLines<'a> {
    kernel: &'a Kernel,
    body: &'a Body,
    rates: &'a [Rate],
    known: &'a [Option<Imm>],
    /// True in the steady form.
    is_steady: bool,
    /// The lines whose guard copies are written after the loops: the call reads nothing that it writes.
    guarded_later: Vec<Handle<DelayLine>>,
}

impl<'a> DelayLines<'a> {
    pub(super) fn new(
        kernel: &'a Kernel,
        body: &'a Body,
        rates: &'a [Rate],
        known: &'a [Option<Imm>],
        is_steady: bool,
    ) -> DelayLines<'a> {
        let mut lines = DelayLines { kernel, body, rates, known, is_steady, guarded_later: vec![] };
        let is_far = |ago: &Value| matches!(known[ago.index()], Some(Imm::I32(ago)) if ago >= QUANTUM as i32);
        let close = body.insts.values().filter(|inst| !inst.args.as_slice().iter().all(is_far));
        let close: FxHashSet<Op> = close.map(|inst| inst.op).collect();
        let later = |line: &Handle<DelayLine>| {
            body.step == 4 && lines.is_long(*line) && !close.contains(&Op::Read(*line))
        };
        lines.guarded_later = body.writes.iter().map(|(line, _)| *line).filter(later).collect();
        lines
    }

    /// Whether a line is long enough for linear addressing.
    pub(super) fn is_long(&self, line: Handle<DelayLine>) -> bool {
        self.is_steady && self.kernel.delays[line].frames as usize >= LONG
    }

    /// Whether reads of a line, so many frames back, need its first address in the loop.
    pub(super) fn wraps(&self, line: Handle<DelayLine>, ago: Value) -> bool {
        !self.is_long(line) || self.rates[ago.index()] == Rate::Sample
    }

    /// Those of some values that are reads with linear addressing.
    pub(super) fn linear_reads(&self, order: &[Value]) -> Vec<LinearRead> {
        let linear = |&value: &Value| {
            let inst = &self.body.insts[value];
            let (Op::Read(line), &[ago]) = (inst.op, inst.args.as_slice()) else { return None };
            if self.wraps(line, ago) {
                return None;
            }
            let ago = match self.body.ty(ago).lanes {
                1 => Uniform::Scalar(ago),
                _ => self.uniform(ago)?,
            };
            Some(LinearRead { value, line, ago, after: None })
        };
        let mut reads: Vec<LinearRead> = order.iter().filter_map(linear).collect();
        let after = frames_after(self.body, reads.iter().map(|read| read.value));
        reads.iter_mut().for_each(|read| read.after = after.get(&read.value).copied());
        reads
    }

    /// The lines among those written that are written with linear addressing.
    pub(super) fn linear_writes(&self, writes: &[(Handle<DelayLine>, Value)]) -> Vec<LinearWrite> {
        let lines = writes.iter().map(|(line, _)| *line).filter(|line| self.is_long(*line));
        lines.map(|line| LinearWrite { line, with_guard: !self.guarded_later.contains(&line) }).collect()
    }

    /// How a read without linear addressing finds its frames.
    pub(super) fn access(&self, value: Value, line: Handle<DelayLine>) -> Access {
        let ago = self.body.insts[value].args.as_slice()[0];
        match self.uniform(ago) {
            Some(ago) if has_neighbours(self.kernel, line) => Access::Contiguous(ago),
            _ => Access::Gather,
        }
    }

    /// The lines whose guard copies are written after the loops, by their length.
    pub(super) fn guard_copies(&self) -> Vec<Vec<Handle<DelayLine>>> {
        let mut of_length: BTreeMap<u32, Vec<Handle<DelayLine>>> = BTreeMap::new();
        for &line in &self.guarded_later {
            of_length.entry(self.kernel.delays[line].frames).or_default().push(line);
        }
        of_length.into_values().collect()
    }

    /// The scalar that is the same in all lanes of a vector, where it is at hand.
    fn uniform(&self, vector: Value) -> Option<Uniform> {
        let inst = &self.body.insts[vector];
        match (inst.op, self.known[vector.index()]) {
            _ if inst.ty.lanes == 1 => None,
            (_, Some(imm)) => Some(Uniform::Constant(imm)),
            (Op::Splat, None) => Some(Uniform::FirstLane(vector)),
            _ => None,
        }
    }
}

/// Those of some reads that read a line one frame after where another one does that is none of them, each with that other.
pub(super) fn frames_after(body: &Body, reads: impl Iterator<Item = Value>) -> FxHashMap<Value, Value> {
    let place = |value: Value| match (body.insts[value].op, body.insts[value].args.as_slice()) {
        (Op::Read(line), &[ago]) => {
            let (base, frames) = distance(body, ago);
            Some((line, base, frames))
        }
        _ => None,
    };
    let mut placed: Vec<(Handle<DelayLine>, Option<Value>, i32, Value)> = reads
        .filter_map(|value| place(value).map(|(line, base, frames)| (line, base, frames, value)))
        .collect();
    placed.put_in_order();
    let mut after = FxHashMap::default();
    // From the one that is furthest back on.
    for pair in placed.windows(2).rev() {
        let [(line, base, frames, value), (far_line, far_base, far_frames, far)] = *pair else { continue };
        let is_next = (line, base) == (far_line, far_base) && frames.checked_add(1) == Some(far_frames);
        if is_next && !after.contains_key(&far) {
            after.insert(value, far);
        }
    }
    after
}

/// A number of frames as a constant more than a value, or than 0.
fn distance(body: &Body, frames: Value) -> (Option<Value>, i32) {
    let constant = |value: Value| match body.as_const(value) {
        Some(Imm::I32(frames)) => Some(frames),
        _ => None,
    };
    if let Some(frames) = constant(frames) {
        return (None, frames);
    }
    let inst = &body.insts[frames];
    match (inst.op, inst.args.as_slice()) {
        (Op::Splat, &[scalar]) => distance(body, scalar),
        (Op::Add, &[a, b]) => match (constant(a), constant(b)) {
            (None, Some(more)) => (Some(a), more),
            (Some(more), None) => (Some(b), more),
            _ => (Some(frames), 0),
        },
        _ => (Some(frames), 0),
    }
}

/// Whether neighbours of a line are read and written at once: a vector is no longer than half of it.
pub(in crate::emit) fn has_neighbours(kernel: &Kernel, line: Handle<DelayLine>) -> bool {
    kernel.delays[line].frames >= DelayLine::LANES
}
