//! What is known of a body: computed once, and passed on to all that ask.

use crate::ir::{Body, Kernel, Op, Rate, StateSlot, Value};
use mam_grammar::Handle;
use rustc_hash::FxHashMap;

/// The analyses of one body of a kernel.
pub(super) struct Analysis<'a> {
    pub(super) kernel: &'a Kernel,
    pub(super) body: &'a Body,
    /// How often each value changes.
    pub(super) rates: Vec<Rate>,
    sets: FxHashMap<Handle<StateSlot>, Value>,
}

impl<'a> Analysis<'a> {
    /// The analyses of a kernel's steady body.
    pub(super) fn steady(kernel: &'a Kernel) -> Analysis<'a> {
        Analysis::new(kernel, &kernel.steady)
    }

    /// The analyses of a body that has the interface of a kernel.
    pub(super) fn new(kernel: &'a Kernel, body: &'a Body) -> Analysis<'a> {
        Analysis { kernel, body, rates: body.rates(), sets: body.sets.iter().copied().collect() }
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
