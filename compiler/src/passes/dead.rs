//! Dead code: instructions that neither an output nor a voice's `until` needs, through however many states and delay
//! lines, and the sets and writes of states and delay lines that nothing needs. The slots themselves stay: indices
//! are the interface.

use crate::ir::{Body, Kernel, Op, Value};
use crate::target::Target;

pub(super) fn run(kernel: &Kernel, _: &Target) -> Kernel {
    let live = live(kernel);
    let sweep = |body: &Body| sweep(body, &live);
    Kernel {
        general: sweep(&kernel.general),
        steady: sweep(&kernel.steady),
        tail: kernel.tail.as_ref().map(sweep),
        ..kernel.without_bodies()
    }
}

/// Which states and delay lines something needs, in any body.
struct Live {
    states: Vec<bool>,
    delays: Vec<bool>,
}

fn live(kernel: &Kernel) -> Live {
    let mut live =
        Live { states: vec![false; kernel.states.len()], delays: vec![false; kernel.delays.len()] };
    kernel.voices.iter().for_each(|voice| live.states[voice.until.index()] = true);
    let bodies = [Some(&kernel.general), Some(&kernel.steady), kernel.tail.as_ref()];
    loop {
        let mut more = false;
        for body in bodies.into_iter().flatten() {
            let needed = needed(body, &live);
            for (inst, _) in body.insts.values().zip(&needed).filter(|(_, needed)| **needed) {
                let known = match inst.op {
                    Op::Get(state) | Op::Entry(state) => &mut live.states[state.index()],
                    Op::Read(line) => &mut live.delays[line.index()],
                    _ => continue,
                };
                more |= !std::mem::replace(known, true);
            }
        }
        if !more {
            return live;
        }
    }
}

/// Which instructions of a body are needed.
fn needed(body: &Body, live: &Live) -> Vec<bool> {
    let mut needed = vec![false; body.insts.len()];
    let sets = body.sets.iter().filter(|(state, _)| live.states[state.index()]).map(|(_, value)| value);
    let writes = body.writes.iter().filter(|(line, _)| live.delays[line.index()]).map(|(_, value)| value);
    sets.chain(writes).chain(&body.outs).chain(&body.only_if).for_each(|value| needed[value.index()] = true);
    loop {
        for (value, inst) in body.insts.iter().rev() {
            if needed[value.index()] {
                inst.args.as_slice().iter().for_each(|arg| needed[arg.index()] = true);
            }
        }
        let more = |(carry, value): &&(Value, Value)| needed[carry.index()] && !needed[value.index()];
        let more: Vec<Value> = body.nexts.iter().filter(more).map(|(_, value)| *value).collect();
        if more.is_empty() {
            return needed;
        }
        more.into_iter().for_each(|value| needed[value.index()] = true);
    }
}

fn sweep(body: &Body, live: &Live) -> Body {
    let needed = needed(body, live);
    let mut new = Body { step: body.step, ..Body::default() };
    new.insts.reserve(body.insts.len());
    let mut map: Vec<Option<Value>> = vec![None; body.insts.len()];
    let moved = |map: &[Option<Value>], value: &Value| map[value.index()].expect("what is needed stays");
    for (value, inst) in body.insts.iter().filter(|(value, _)| needed[value.index()]) {
        let mut inst = inst.clone();
        inst.args = inst.args.map(|arg| moved(&map, arg));
        map[value.index()] = Some(new.insts.add(inst));
    }
    let sets = body.sets.iter().filter(|(state, _)| live.states[state.index()]);
    new.sets = sets.map(|(state, value)| (*state, moved(&map, value))).collect();
    let nexts = body.nexts.iter().filter(|(carry, _)| needed[carry.index()]);
    new.nexts = nexts.map(|(carry, value)| (moved(&map, carry), moved(&map, value))).collect();
    let writes = body.writes.iter().filter(|(line, _)| live.delays[line.index()]);
    new.writes = writes.map(|(line, value)| (*line, moved(&map, value))).collect();
    new.outs = body.outs.iter().map(|value| moved(&map, value)).collect();
    new.only_if = body.only_if.as_ref().map(|value| moved(&map, value));
    new
}
