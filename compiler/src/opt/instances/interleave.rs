//! Calls of one kernel side by side in one loop: bodies that wait for their own recurrences wait together.
//!
//! A resonator in four lanes is a dozen instructions of which two wait for the frame before: a processor that begins four a cycle is idle
//! most of the time. Two or more such bodies in one loop fill it. Each computes what it computes by itself, instruction by instruction,
//! so every bit stays.

use crate::ir::{Body, Inst, Kernel, Op, StateSlot, Value};
use crate::opt::cost::{Cost, waiting};
use crate::opt::{Context, cse, sweep};
use mam_grammar::Handle;

/// Instructions that a processor begins in a cycle, if they wait for nothing.
const ISSUED: f64 = 4.0;
/// Most calls side by side: what they keep has to find registers, and the instructions of some iterations room in the processor.
const MOST: usize = 4;

/// How many calls of a kernel side by side keep a processor busy: one where it waits for nothing.
pub(super) fn wanted(kernel: &Kernel) -> usize {
    let work = Cost::unweighted(&kernel.steady).cycles(&kernel.steady, ISSUED);
    let calls = (waiting(&kernel.steady) / work).min(MOST as f64);
    // Less would not pay for the longer loop.
    if calls >= 1.5 { calls.ceil() as usize } else { 1 }
}

/// Whether something keeps calls of a kernel from standing side by side; each has so many parts.
fn has_obstacle(kernel: &Kernel, parts: usize) -> bool {
    let bodies = [Some(&kernel.general), Some(&kernel.steady), kernel.tail.as_ref()];
    let is_conditional = bodies.into_iter().flatten().any(|body| body.only_if.is_some());
    // Voices wake by themselves.
    is_conditional || !kernel.voices.is_empty() || kernel.block.is_some() || groups(kernel, parts).is_none()
}

/// The states of a kernel, group by group: those of one group are the same state of each part.
fn groups(kernel: &Kernel, parts: usize) -> Option<Vec<Vec<Handle<StateSlot>>>> {
    let mut all: Vec<Vec<Handle<StateSlot>>> = vec![];
    let mut words = parts;
    for (handle, state) in kernel.states.iter() {
        if words == parts {
            all.push(vec![]);
            words = 0;
        }
        words += usize::from(state.lanes);
        all.last_mut()?.push(handle);
        if words > parts {
            return None;
        }
    }
    (words == parts).then_some(all)
}

/// So many calls of `kernel` as one, all with the same parameters, inputs and ports; each has so many parts. The i-th state of the
/// calls stand together, call after call; delay lines and outputs of a call do.
pub(super) fn interleaved(kernel: &Kernel, parts: usize, calls: usize, cx: Context) -> Option<Kernel> {
    if has_obstacle(kernel, parts) {
        return None;
    }
    let name_of =
        |name: &str, call: usize| if call == 0 { name.to_string() } else { format!("{name}+{call}") };
    let mut new = Kernel {
        name: format!("{}.{calls}", kernel.name),
        states: Default::default(),
        delays: Default::default(),
        outputs: vec![],
        ..kernel.without_bodies()
    };
    let mut states: Vec<Vec<Handle<StateSlot>>> = vec![vec![]; calls];
    for group in groups(kernel, parts)? {
        for (call, states) in states.iter_mut().enumerate() {
            for &handle in &group {
                let state = &kernel.states[handle];
                states.push(new.states.add(StateSlot { name: name_of(&state.name, call), ..state.clone() }));
            }
        }
    }
    for call in 0..calls {
        for line in kernel.delays.values() {
            let mut line = line.clone();
            line.name = name_of(&line.name, call);
            new.delays.add(line);
        }
        new.outputs.extend(kernel.outputs.iter().map(|output| name_of(output, call)));
    }
    let body = |old: &Body| {
        let mut body = Body { step: old.step, ..Body::default() };
        for (call, states) in states.iter().enumerate() {
            append(&mut body, old, states, call * kernel.delays.len());
        }
        cse::run(&body, cx)
    };
    new.general = body(&kernel.general);
    new.steady = body(&kernel.steady);
    new.tail = kernel.tail.as_ref().map(body);
    Some(sweep(&new))
}

/// Adds a body with states and delay lines of its own.
fn append(new: &mut Body, old: &Body, states: &[Handle<StateSlot>], first_line: usize) {
    let mut map: Vec<Value> = Vec::with_capacity(old.insts.len());
    for inst in old.insts.values() {
        let op = match inst.op {
            Op::Get(state) => Op::Get(states[state.index()]),
            Op::LiveIn(state) => Op::LiveIn(states[state.index()]),
            Op::Read(line) => Op::Read(Handle::new(first_line + line.index())),
            op => op,
        };
        map.push(new.insts.add(Inst { op, args: inst.args.map(|arg| map[arg.index()]), ..inst.clone() }));
    }
    let at = |value: &Value| map[value.index()];
    new.sets.extend(old.sets.iter().map(|(state, value)| (states[state.index()], at(value))));
    new.back_edges.extend(old.back_edges.iter().map(|(carried, next)| (at(carried), at(next))));
    let writes = old.writes.iter().map(|(line, value)| (Handle::new(first_line + line.index()), at(value)));
    new.writes.extend(writes);
    new.outs.extend(old.outs.iter().map(at));
}
