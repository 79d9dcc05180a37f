//! In which order a loop computes what it computes.
//!
//! The code generator keeps our order, and so the order says how many values there are at a time. A turn goes from what
//! leaves it (an output, a delay line's frame) to what that needs, the operand that needs most registers first; and what
//! is the last to use a value comes as soon as it can, since it takes no register more than it frees. So a state gets its
//! next value where its present one has been used.

use super::stages::Stages;
use crate::ir::{Body, Op, Rate, Value};
use std::collections::{BTreeSet, HashMap};

/// The instructions of a loop, as they stand in the body.
pub(super) fn own(
    body: &Body,
    rates: &[Rate],
    stages: &Stages,
    stage: usize,
    left_out: &BTreeSet<Value>,
) -> Vec<Value> {
    let here = |value: &Value| {
        rates[value.index()] == Rate::Sample && stages.stage(*value) == stage && !left_out.contains(value)
    };
    body.insts.handles().filter(here).collect()
}

/// They, ordered.
pub(super) fn ordered(body: &Body, own: Vec<Value>) -> Vec<Value> {
    let mut order = Order {
        body,
        open: vec![false; body.insts.len()],
        users: vec![vec![]; body.insts.len()],
        left: vec![0; body.insts.len()],
        wanted: vec![0; body.insts.len()],
        closes: HashMap::new(),
        done: Vec::with_capacity(own.len()),
    };
    // Which delay lines each value hears, by their last digits.
    let mut lines: Vec<u64> = vec![0; body.insts.len()];
    for &value in &own {
        order.open[value.index()] = true;
        let args = operands(body, value);
        if let Op::Read(line) = body.insts[value].op {
            lines[value.index()] = 1 << (line.index() % 64);
        }
        for arg in &args {
            order.users[arg.index()].push(value);
            order.left[arg.index()] += 1;
            lines[value.index()] |= lines[arg.index()];
        }
        // How many registers it takes, as if nothing was shared.
        let mut wanted: Vec<usize> = args.iter().map(|arg| order.wanted[arg.index()]).collect();
        wanted.sort_by_key(|wanted| std::cmp::Reverse(*wanted));
        let most = wanted.iter().enumerate().map(|(i, wanted)| wanted + i).max();
        order.wanted[value.index()] = most.unwrap_or(0).max(1);
    }
    // A line that hears no other is written as soon as it is read.
    for (line, value) in &body.writes {
        if lines[value.index()] == 1 << (line.index() % 64) {
            order.closes.insert(Op::Read(*line), *value);
        }
    }
    let ends = body.outs.iter().copied().chain(body.writes.iter().map(|(_, value)| *value));
    ends.for_each(|value| order.reach(value));
    own.into_iter().for_each(|value| order.reach(value));
    order.done
}

/// The operands of an instruction, each once.
fn operands(body: &Body, value: Value) -> Vec<Value> {
    let mut args = body.insts[value].args.as_slice().to_vec();
    args.sort();
    args.dedup();
    args
}

struct Order<'a> {
    body: &'a Body,
    /// What is still to be computed.
    open: Vec<bool>,
    /// Who uses each value, and how many of them are still to be computed.
    users: Vec<Vec<Value>>,
    left: Vec<usize>,
    /// About how many registers it takes to compute each.
    wanted: Vec<usize>,
    /// What is written where a delay line is read, if that hears no other line.
    closes: HashMap<Op, Value>,
    done: Vec<Value>,
}

impl Order<'_> {
    /// Computes a value, and before it what it needs.
    fn reach(&mut self, value: Value) {
        if !self.open[value.index()] {
            return;
        }
        let mut args = operands(self.body, value);
        args.sort_by_key(|arg| std::cmp::Reverse(self.wanted[arg.index()]));
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
            let operands = operands(self.body, value);
            operands.iter().for_each(|arg| self.left[arg.index()] -= 1);
            if let Some(close) = self.closes.remove(&self.body.insts[value].op) {
                stacker::maybe_grow(64 << 10, 1 << 20, || self.reach(close));
            }
            next.extend(operands.into_iter().chain([value]).filter_map(|of| self.last(of)));
        }
    }

    /// The only one that is still to use a value, if all its operands are there.
    fn last(&self, of: Value) -> Option<Value> {
        if self.left[of.index()] != 1 {
            return None;
        }
        let user = *self.users[of.index()].iter().find(|user| self.open[user.index()])?;
        operands(self.body, user).iter().all(|arg| !self.open[arg.index()]).then_some(user)
    }
}
