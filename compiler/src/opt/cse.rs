//! Common subexpressions: equal instructions become one. All ops are without effect, so two that are equal, with
//! equal operands, give one value in an iteration.

use super::{Context, rebuild};
use crate::ir::{Args, Body, Op, Type, Value};
use rustc_hash::FxHashMap;

pub(super) fn run(old: &Body, _: Context) -> Body {
    let mut seen: FxHashMap<(Op, Type, Args), Value> = FxHashMap::default();
    seen.reserve(old.insts.len());
    rebuild::body(old, |new, _, mut inst| {
        if let &[a, b] = inst.args.as_slice()
            && b < a
            && commutes(inst.op)
        {
            inst.args = [b, a].into_iter().collect();
        }
        // Two that start alike may go different ways.
        if inst.op == Op::LoopCarried {
            return new.insts.add(inst);
        }
        *seen.entry((inst.op, inst.ty, inst.args)).or_insert_with(|| new.insts.add(inst))
    })
}

/// Whether the operands can be swapped. (Of two NaNs either may win.)
fn commutes(op: Op) -> bool {
    matches!(op, Op::Add | Op::Mul | Op::And | Op::Or | Op::Xor | Op::Eq | Op::Ne)
}
