//! Rewriting a body instruction by instruction.

use crate::ir::{Body, Inst, Kernel, Value};

/// A copy of `kernel` with each body rewritten.
pub(super) fn bodies(kernel: &Kernel, rewrite: impl Fn(&Body) -> Body) -> Kernel {
    Kernel {
        general: rewrite(&kernel.general),
        steady: rewrite(&kernel.steady),
        tail: kernel.tail.as_ref().map(&rewrite),
        ..kernel.without_bodies()
    }
}

/// A copy of `body` in which each instruction is what `rewrite` makes of it: it is given the new body so far, the
/// old value, and the instruction with its operands already those of the new body.
pub(super) fn body(body: &Body, mut rewrite: impl FnMut(&mut Body, Value, Inst) -> Value) -> Body {
    let mut new = Body { step: body.step, ..Body::default() };
    new.insts.reserve(body.insts.len());
    let mut map: Vec<Value> = Vec::with_capacity(body.insts.len());
    for (value, inst) in body.insts.iter() {
        let args = inst.args.map(|arg| map[arg.index()]);
        let moved = rewrite(&mut new, value, Inst { args, ..inst.clone() });
        map.push(moved);
    }
    let moved = |value: &Value| map[value.index()];
    new.sets = body.sets.iter().map(|(state, value)| (*state, moved(value))).collect();
    new.back_edges = body.back_edges.iter().map(|(carry, value)| (moved(carry), moved(value))).collect();
    new.writes = body.writes.iter().map(|(line, value)| (*line, moved(value))).collect();
    new.outs = body.outs.iter().map(moved).collect();
    new.only_if = body.only_if.as_ref().map(moved);
    new
}
