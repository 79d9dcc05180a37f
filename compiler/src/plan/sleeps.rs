//! Whether a kernel's step can sleep while its inputs are silent.
//!
//! It can when nothing in it runs on its own: it computes nothing from the frame's number, it counts nothing, and each of
//! its states follows the inputs, if only through delay lines and other states. Whether its tail is over, the engine
//! detects.

use crate::ir::{Body, Kernel, Op, Scalar, Sharing, StateSlot};
use mam_grammar::Handle;
use rustc_hash::FxHashSet;

/// Whether a step of the kernel can sleep.
pub(super) fn can_sleep(kernel: &Kernel) -> bool {
    let bodies = || [Some(&kernel.general), Some(&kernel.steady), kernel.tail.as_ref()].into_iter().flatten();
    let free = |body: &Body| body.insts.values().any(|inst| matches!(inst.op, Op::Frame));
    // What it lends or borrows is heard whatever flows into it.
    let shares = kernel.delays.values().any(|line| line.sharing != Sharing::Own);
    if shares || kernel.inputs.is_empty() || !kernel.voices.is_empty() || bodies().any(free) {
        return false;
    }
    let set: FxHashSet<Handle<StateSlot>> = bodies().flat_map(|body| body.sets.iter().map(|s| s.0)).collect();
    let counts =
        |state: &Handle<StateSlot>| !matches!(kernel.states[*state].init.scalar(), Scalar::F32 | Scalar::F64);
    if set.iter().any(counts) {
        return false;
    }
    let mut following: FxHashSet<Handle<StateSlot>> = FxHashSet::default();
    loop {
        let follows = |state: &Handle<StateSlot>| bodies().all(|body| follows(body, *state, &following));
        let now: FxHashSet<_> = set.iter().copied().filter(follows).collect();
        if now.len() == following.len() {
            return now.len() == set.len();
        }
        following = now;
    }
}

/// Whether the new value of a state depends on an input. A state that the body does not set does.
fn follows(body: &Body, state: Handle<StateSlot>, following: &FxHashSet<Handle<StateSlot>>) -> bool {
    let mut depends = vec![];
    for inst in body.insts.values() {
        let direct = match inst.op {
            Op::Input(_) | Op::Read(_) => true,
            Op::Get(state) => following.contains(&state),
            _ => false,
        };
        depends.push(direct || inst.args.as_slice().iter().any(|arg| depends[arg.index()]));
    }
    body.sets.iter().filter(|set| set.0 == state).all(|set| depends[set.1.index()])
}
