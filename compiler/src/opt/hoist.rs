//! Hoisting: parameters that hold still where others move are read once a call.
//!
//! A general body reads every parameter frame by frame, as any may move. Most never do: the score says which are led from
//! value to value. The others are read once a call, and what depends on them alone is computed once a call, with the same
//! bits. Should a hand move one of them, the engine calls frame by frame.
//!
//! Frequencies of phases, which are f64, are lowered the other way round: of parameters that are read once a call.
//! Where the score moves one of those, it is read frame by frame.

use super::rebuild;
use crate::ir::{Body, Inst, Kernel, Op, ParamId, Type};
use crate::lower::Lowered;

/// Holds the parameters of all kernels in whose calls the score moves none of them. `moves` says of each slot, as far as
/// it goes, whether the score moves it.
pub fn hoist(lowered: &mut Lowered, moves: &[bool]) {
    let kernels = &mut lowered.module.kernels;
    let mut own: Vec<Vec<bool>> = kernels.values().map(|kernel| vec![false; kernel.params.len()]).collect();
    for call in &lowered.calls {
        let own = own[call.kernel.index()].iter_mut().zip(&call.params);
        own.for_each(|(own, slot)| *own |= moved(moves, *slot));
    }
    for handle in kernels.handles().collect::<Vec<_>>() {
        hoist_in(&mut kernels[handle], &own[handle.index()]);
    }
}

/// The kernel as [`hoist`] leaves it where all its calls have such parameters.
pub fn hoisted(kernel: &Kernel, params: &[usize], moves: &[bool]) -> Kernel {
    let mut kernel = kernel.clone();
    hoist_in(&mut kernel, &params.iter().map(|&slot| moved(moves, slot)).collect::<Vec<_>>());
    kernel
}

fn moved(moves: &[bool], slot: usize) -> bool {
    moves.get(slot).copied().unwrap_or(false)
}

fn hoist_in(kernel: &mut Kernel, moves: &[bool]) {
    let moves = |param: ParamId| moves.get(param.index()).copied().unwrap_or(false);
    let differs = |inst: &Inst| match inst.op {
        Op::Param(i) => moves(i) == (inst.ty == Type::F64),
        _ => false,
    };
    if !kernel.general.insts.values().any(differs) {
        return;
    }
    kernel.general = rebuild::body(&kernel.general, |new: &mut Body, _, inst| {
        if !differs(&inst) {
            return new.insts.add(inst);
        }
        let (other, conversion) = match inst.ty {
            Type::F64 => (Type::F32, Op::Promote),
            _ => (Type::F64, Op::Demote),
        };
        let read = new.add(inst.op, other, &[]);
        new.add(conversion, inst.ty, &[read])
    });
}
