//! Dead code: instructions that neither an output, nor a voice's `until`, nor who borrows a delay line needs, through however many states
//! and delay lines, and the sets and writes of states and delay lines that nothing needs. The slots themselves stay: indices
//! are the interface.

use super::rebuild::{self, Needed};
use crate::ir::{Body, Kernel, Op, Sharing, Value};
use rustc_hash::FxHashMap;
use std::mem::take;

/// The kernel without it.
pub(super) fn run(kernel: &Kernel) -> Kernel {
    let Live { states, delays, needed } = Search::run(kernel);
    let mut needed = needed.iter();
    let mut sweep = |body: &Body| {
        let insts = needed.next().map_or(&[][..], |needed| needed);
        rebuild::needed(body, &Needed { insts, states: &states, delays: &delays })
    };
    Kernel {
        general: sweep(&kernel.general),
        steady: sweep(&kernel.steady),
        tail: kernel.tail.as_ref().map(sweep),
        ..kernel.without_bodies()
    }
}

/// What something needs: states and delay lines in any body, instructions of each body.
struct Live {
    states: Vec<bool>,
    delays: Vec<bool>,
    needed: Vec<Vec<bool>>,
}

/// A search for it, which looks at everything once.
struct Search<'k> {
    bodies: Vec<&'k Body>,
    live: Live,
    /// What the bodies set each state to and write into each delay line, by body.
    sets: Vec<Vec<(usize, Value)>>,
    writes: Vec<Vec<(usize, Value)>>,
    /// The next value of each loop-carried value of a body.
    back_edges: Vec<FxHashMap<Value, Value>>,
    /// Needed instructions whose operands are still to be marked.
    open: Vec<(usize, Value)>,
}

impl Search<'_> {
    fn run(kernel: &Kernel) -> Live {
        let bodies: Vec<&Body> = [Some(&kernel.general), Some(&kernel.steady), kernel.tail.as_ref()]
            .into_iter()
            .flatten()
            .collect();
        let (states, delays) = (kernel.states.len(), kernel.delays.len());
        let (mut sets, mut writes) = (vec![vec![]; states], vec![vec![]; delays]);
        for (index, body) in bodies.iter().enumerate() {
            body.sets.iter().for_each(|(state, value)| sets[state.index()].push((index, *value)));
            body.writes.iter().for_each(|(line, value)| writes[line.index()].push((index, *value)));
        }
        let live = Live {
            states: vec![false; states],
            delays: vec![false; delays],
            needed: bodies.iter().map(|body| vec![false; body.insts.len()]).collect(),
        };
        let back_edges = bodies.iter().map(|body| body.back_edges.iter().copied().collect()).collect();
        let mut search = Search { bodies, live, sets, writes, back_edges, open: vec![] };
        kernel.voices.iter().for_each(|voice| search.state(voice.until.index()));
        let lent = kernel.delays.iter().filter(|(_, line)| line.sharing == Sharing::Lent);
        lent.for_each(|(line, _)| search.delay(line.index()));
        for index in 0..search.bodies.len() {
            let body = search.bodies[index];
            body.outs.iter().chain(&body.only_if).for_each(|value| search.mark(index, *value));
        }
        while let Some((index, value)) = search.open.pop() {
            search.operands(index, value);
        }
        search.live
    }

    fn mark(&mut self, body: usize, value: Value) {
        if !std::mem::replace(&mut self.live.needed[body][value.index()], true) {
            self.open.push((body, value));
        }
    }

    fn state(&mut self, state: usize) {
        if !std::mem::replace(&mut self.live.states[state], true) {
            take(&mut self.sets[state]).into_iter().for_each(|(body, value)| self.mark(body, value));
        }
    }

    fn delay(&mut self, line: usize) {
        if !std::mem::replace(&mut self.live.delays[line], true) {
            take(&mut self.writes[line]).into_iter().for_each(|(body, value)| self.mark(body, value));
        }
    }

    /// Marks what an instruction needs.
    fn operands(&mut self, body: usize, value: Value) {
        let inst = &self.bodies[body].insts[value];
        inst.args.as_slice().iter().for_each(|arg| self.mark(body, *arg));
        match inst.op {
            Op::Get(state) | Op::LiveIn(state) => self.state(state.index()),
            Op::Read(line) => self.delay(line.index()),
            _ => {}
        }
        if let Some(&next) = self.back_edges[body].get(&value) {
            self.mark(body, next);
        }
    }
}
