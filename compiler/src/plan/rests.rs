//! Whether a kernel can be left alone while it hears silence.
//!
//! It can when nothing in it goes on by itself: it draws nothing from the frame's number, it counts nothing, and each of
//! its states follows what it hears, if only through delay lines and other states. Whether it is then silent, and what
//! is still in it, the engine finds out.

use crate::ir::{Body, Kernel, Op, Scalar, StateSlot};
use mam_grammar::Handle;
use rustc_hash::FxHashSet;

pub(super) fn rests(kernel: &Kernel) -> bool {
    let bodies = || [Some(&kernel.general), Some(&kernel.steady), kernel.tail.as_ref()].into_iter().flatten();
    let free = |body: &Body| body.insts.values().any(|inst| matches!(inst.op, Op::Frame));
    if kernel.inputs.is_empty() || !kernel.voices.is_empty() || bodies().any(free) {
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

/// Whether what a body makes of a state comes from what is heard; so does a state that it leaves as it is.
fn follows(body: &Body, state: Handle<StateSlot>, following: &FxHashSet<Handle<StateSlot>>) -> bool {
    let mut heard = vec![];
    for inst in body.insts.values() {
        let own = match inst.op {
            Op::Input(_) | Op::Read(_) => true,
            Op::Get(state) => following.contains(&state),
            _ => false,
        };
        heard.push(own || inst.args.as_slice().iter().any(|arg| heard[arg.index()]));
    }
    body.sets.iter().filter(|set| set.0 == state).all(|set| heard[set.1.index()])
}
