//! Whether a kernel's step can sleep while its inputs are silent.
//!
//! It can when nothing in it runs on its own: it computes nothing from the frame's number, it counts nothing, and each of
//! its states follows the inputs, if only through delay lines and other states. Whether its tail is over, the engine
//! detects.

use crate::ir::{Body, Kernel, Op, Scalar, Sharing, StateSlot};
use mam_grammar::Handle;
use rustc_hash::{FxHashMap, FxHashSet};

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
    all_follow(&bodies().collect::<Vec<_>>(), &set)
}

/// A value that was found to depend on an input: the body, and its index.
type Found = (usize, usize);

/// Whether all of some states follow the inputs: in each body what each of them is set to depends on an input, on a delay line or on a state
/// that does.
fn all_follow(bodies: &[&Body], states: &FxHashSet<Handle<StateSlot>>) -> bool {
    // What becomes known with a value, by its place, and with a state.
    let mut users: Vec<Vec<Vec<usize>>> = vec![];
    let mut sets: FxHashMap<Found, Vec<Handle<StateSlot>>> = FxHashMap::default();
    let mut gets: FxHashMap<Handle<StateSlot>, Vec<Found>> = FxHashMap::default();
    let mut left: FxHashMap<Handle<StateSlot>, usize> = states.iter().map(|&state| (state, 0)).collect();
    let mut open: Vec<Found> = vec![];
    for (b, body) in bodies.iter().enumerate() {
        let mut used = vec![vec![]; body.insts.len()];
        for (value, inst) in body.insts.iter() {
            inst.args.as_slice().iter().for_each(|arg| used[arg.index()].push(value.index()));
            match inst.op {
                Op::Input(_) | Op::Read(_) => open.push((b, value.index())),
                Op::Get(state) => gets.entry(state).or_default().push((b, value.index())),
                _ => {}
            }
        }
        users.push(used);
        for (state, value) in body.sets.iter().map(|set| (set.0, set.1)) {
            sets.entry((b, value.index())).or_default().push(state);
            *left.entry(state).or_default() += 1;
        }
    }
    let mut depends: Vec<Vec<bool>> = bodies.iter().map(|body| vec![false; body.insts.len()]).collect();
    let mut waiting = left.len();
    while let Some((b, value)) = open.pop() {
        if std::mem::replace(&mut depends[b][value], true) {
            continue;
        }
        open.extend(users[b][value].iter().map(|&user| (b, user)));
        for state in sets.get(&(b, value)).into_iter().flatten() {
            let Some(left) = left.get_mut(state) else { continue };
            *left -= 1;
            if *left == 0 {
                waiting -= 1;
                open.extend(gets.get(state).into_iter().flatten());
            }
        }
    }
    waiting == 0
}
