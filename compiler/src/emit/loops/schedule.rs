//! The instruction schedule of a loop.
//!
//! A back end keeps this order, and so it says how many values are live at a time. It goes from what leaves an iteration
//! (an output, a delay line's frame) to what that needs, the operand that needs most registers first; and what is the last
//! to use a value comes as soon as it can, since it takes no register more than it frees. So a state gets its next value
//! where its present one has been used.

use crate::ir::lanes::{Half, halves, lane_of};
use crate::ir::{Body, Op, Rate, Value};
use mam_runtime::sort::Sort;
use rustc_hash::FxHashMap;

/// What the code of an instruction reads, each once: its operands; or the vectors that it takes them from itself.
pub(super) fn reads(body: &Body, rates: &[Rate], value: Value) -> Vec<Value> {
    let inst = &body.insts[value];
    let from = |arg: Value| lane_of(body, rates, arg);
    let mut reads = match (inst.op, inst.args.as_slice()) {
        (Op::Splat, &[x]) => vec![from(x).map_or(x, |(vector, _)| vector)],
        (Op::Pack, lanes) => {
            let read = |half: Half| match half {
                Half::Of(vector, _) => [vector; 2],
                Half::Separate(lanes) => lanes,
            };
            halves(body, rates, lanes).into_iter().flat_map(read).collect()
        }
        (Op::Slide, &[x, first]) => {
            // Two slides are one instruction, where they can be.
            let inner = match (body.insts[x].op, body.insts[x].args.as_slice()) {
                (Op::Slide, &[inner, before]) => Some((inner, before)),
                _ => None,
            };
            let first = match from(first) {
                Some((vector, 3)) => vector,
                Some((vector, 0)) if vector == x || inner == Some((vector, first)) => vector,
                _ => first,
            };
            [x, first].into_iter().chain(inner.map(|(inner, _)| inner)).collect()
        }
        (_, args) => args.to_vec(),
    };
    reads.put_in_order();
    reads.dedup();
    reads
}

/// The members of a loop in the order of its schedule.
pub(super) fn scheduled(body: &Body, rates: &[Rate], members: Vec<Value>) -> Vec<Value> {
    let mut schedule = Schedule {
        body,
        reads: vec![vec![]; body.insts.len()],
        open: vec![false; body.insts.len()],
        users: vec![vec![]; body.insts.len()],
        left: vec![0; body.insts.len()],
        wanted: vec![0; body.insts.len()],
        closes: FxHashMap::default(),
        lanes: FxHashMap::default(),
        carries: body.back_edges.iter().map(|(carry, next)| (*next, *carry)).collect(),
        done: Vec::with_capacity(members.len()),
    };
    // Which delay lines each value hears, by their last digits.
    let mut lines: Vec<u64> = vec![0; body.insts.len()];
    for &value in &members {
        schedule.open[value.index()] = true;
        let args = reads(body, rates, value);
        if let Op::Read(line) = body.insts[value].op {
            lines[value.index()] = 1 << (line.index() % 64);
        }
        for arg in &args {
            schedule.users[arg.index()].push(value);
            schedule.left[arg.index()] += 1;
            lines[value.index()] |= lines[arg.index()];
        }
        // How many registers it takes, as if nothing was shared.
        let mut wanted: Vec<usize> = args.iter().map(|arg| schedule.wanted[arg.index()]).collect();
        wanted.put_in_order_by_key(|wanted| std::cmp::Reverse(*wanted));
        let most = wanted.iter().enumerate().map(|(i, wanted)| wanted + i).max();
        schedule.wanted[value.index()] = most.unwrap_or(0).max(1);
        schedule.reads[value.index()] = args;
    }
    // A line that hears no other is written as soon as it is read.
    for (line, value) in &body.writes {
        if lines[value.index()] == 1 << (line.index() % 64) {
            schedule.closes.insert(Op::Read(*line), *value);
        }
    }
    // A lane that no instruction reads comes with its vector.
    let unread = members.iter().copied().filter(|value| schedule.users[value.index()].is_empty());
    let (lanes, unread): (Vec<Value>, Vec<Value>) =
        unread.partition(|value| lane_of(body, rates, *value).is_some());
    lanes
        .into_iter()
        .for_each(|lane| schedule.lanes.entry(schedule.reads[lane.index()][0]).or_default().push(lane));
    // What goes to another loop first: it may be a sum over all there is.
    let ends: Vec<Value> = body.outs.iter().copied().chain(unread).collect();
    ends.into_iter().for_each(|value| schedule.reach(value));
    // Lanes whose vector another loop computes.
    members.into_iter().for_each(|value| schedule.reach(value));
    schedule.done
}

struct Schedule<'a> {
    body: &'a Body,
    /// What each instruction reads.
    reads: Vec<Vec<Value>>,
    /// What is still to be computed.
    open: Vec<bool>,
    /// Who uses each value, and how many of them are still to be computed.
    users: Vec<Vec<Value>>,
    left: Vec<usize>,
    /// About how many registers it takes to compute each.
    wanted: Vec<usize>,
    /// What is written where a delay line is read, if that hears no other line.
    closes: FxHashMap<Op, Value>,
    /// Lanes that no instruction reads, by their vectors.
    lanes: FxHashMap<Value, Vec<Value>>,
    /// What each `loop_carried` will be in the next iteration: the carry by that.
    carries: FxHashMap<Value, Value>,
    done: Vec<Value>,
}

impl Schedule<'_> {
    /// Computes a value, and before it what it needs.
    fn reach(&mut self, value: Value) {
        if !self.open[value.index()] {
            return;
        }
        let mut args = self.reads[value.index()].clone();
        args.put_in_order_by_key(|arg| std::cmp::Reverse(self.wanted[arg.index()]));
        stacker::maybe_grow(64 << 10, 1 << 20, || args.into_iter().for_each(|arg| self.reach(arg)));
        self.compute(value);
    }

    /// Computes a value whose operands are there, and then those that are the last to use one of them.
    fn compute(&mut self, value: Value) {
        let mut next = vec![value];
        while let Some(value) = next.pop() {
            if !std::mem::take(&mut self.open[value.index()]) {
                continue;
            }
            self.done.push(value);
            for lane in self.lanes.remove(&value).unwrap_or_default() {
                self.open[lane.index()] = false;
                self.left[value.index()] -= 1;
                self.done.push(lane);
            }
            let operands = std::mem::take(&mut self.reads[value.index()]);
            operands.iter().for_each(|arg| self.left[arg.index()] -= 1);
            if let Some(close) = self.closes.remove(&self.body.insts[value].op) {
                stacker::maybe_grow(64 << 10, 1 << 20, || self.reach(close));
            }
            next.extend(operands.into_iter().chain([value]).filter_map(|of| self.last(of)));
            next.extend(self.succeeding(value));
        }
    }

    /// What a `loop_carried` that has been used will be in the next iteration, if it is made of a value and all its operands are
    /// there: it takes the register that the carry has, and so the value may be gone with its next use.
    fn succeeding(&self, of: Value) -> Vec<Value> {
        let users = self.users[of.index()].iter().copied();
        let used = |user: &Value| self.carries.get(user).is_some_and(|carry| self.left[carry.index()] == 0);
        users.filter(|user| self.open[user.index()] && used(user) && self.is_ready(*user)).collect()
    }

    /// Whether all that a value reads is there.
    fn is_ready(&self, value: Value) -> bool {
        self.reads[value.index()].iter().all(|arg| !self.open[arg.index()])
    }

    /// The only one that is still to use a value, if all its operands are there.
    fn last(&self, of: Value) -> Option<Value> {
        if self.left[of.index()] != 1 {
            return None;
        }
        let user = *self.users[of.index()].iter().find(|user| self.open[user.index()])?;
        self.is_ready(user).then_some(user)
    }
}
