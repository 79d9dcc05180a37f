//! Sums in a body: which additions are part of a longer one, and what is added.

use super::{Body, Op, Type, Value};

impl Body {
    /// How often each value is used.
    pub fn uses(&self) -> Vec<u32> {
        let mut uses = vec![0; self.insts.len()];
        let operands = self.insts.values().flat_map(|inst| inst.args.as_slice().iter().copied());
        operands.chain(self.results()).for_each(|value| uses[value.index()] += 1);
        uses
    }
}

/// The sums of f32 in a body.
pub struct Sums<'a> {
    body: &'a Body,
    /// Additions that are a term of another one, and of nothing else.
    inner: Vec<bool>,
}

impl<'a> Sums<'a> {
    /// Finds them, whatever the brackets.
    pub fn all(body: &'a Body) -> Sums<'a> {
        Sums::through(body, 2)
    }

    /// Finds them as they are written, from left to right: what stands in brackets is one term.
    pub fn as_written(body: &'a Body) -> Sums<'a> {
        Sums::through(body, 1)
    }

    /// Finds those that go on through the first so many operands.
    fn through(body: &'a Body, operands: usize) -> Sums<'a> {
        let uses = body.uses();
        let mut inner = vec![false; body.insts.len()];
        for (_, inst) in body.insts.iter().filter(|(value, _)| adds(body, *value)) {
            let once = |arg: &&Value| adds(body, **arg) && uses[arg.index()] == 1;
            inst.args.as_slice().iter().take(operands).filter(once).for_each(|arg| inner[arg.index()] = true);
        }
        Sums { body, inner }
    }

    /// Whether a value is a sum, and no part of a longer one.
    pub fn is_whole(&self, value: Value) -> bool {
        adds(self.body, value) && !self.inner[value.index()]
    }

    /// The terms of a whole sum, in the order in which they are written.
    pub fn terms(&self, sum: Value) -> Vec<Value> {
        let (mut terms, mut open) = (vec![], vec![sum]);
        while let Some(value) = open.pop() {
            if value == sum || self.inner[value.index()] {
                open.extend(self.body.insts[value].args.as_slice().iter().rev());
            } else {
                terms.push(value);
            }
        }
        terms
    }
}

fn adds(body: &Body, value: Value) -> bool {
    body.insts[value].op == Op::Add && body.ty(value) == Type::F32
}
