//! Parameters that hold still where others move.
//!
//! A general body reads every parameter frame by frame, as any may move. Most never do: the score says which are led from
//! value to value. The others are read once a call, and what depends on them alone is computed once a call, with the same
//! bits. Should a hand move one of them, the engine calls frame by frame.

use super::Lowered;
use crate::ir::{Body, Inst, Kernel, Op, Type};

impl Lowered {
    /// Holds the parameters of all kernels in whose calls the score moves none of them. `moves` says which it moves.
    pub fn hold(&mut self, moves: &[bool]) {
        for handle in self.module.kernels.handles().collect::<Vec<_>>() {
            let mut own = vec![false; self.module.kernels[handle].params.len()];
            for call in self.calls.iter().filter(|call| call.kernel == handle) {
                own.iter_mut().zip(&call.params).for_each(|(own, slot)| *own |= moves[*slot]);
            }
            hold(&mut self.module.kernels[handle], &own);
        }
    }
}

fn hold(kernel: &mut Kernel, moves: &[bool]) {
    let held = |inst: &Inst| matches!(inst.op, Op::Param(i) if inst.ty == Type::F32 && !moves[i as usize]);
    if !kernel.general.insts.values().any(held) {
        return;
    }
    kernel.general = crate::passes::rewrite::body(&kernel.general, |new: &mut Body, _, inst| {
        if !held(&inst) {
            return new.insts.add(inst);
        }
        let exact = new.add(inst.op, Type::F64, &[]);
        new.add(Op::Demote, Type::F32, &[exact])
    });
}
