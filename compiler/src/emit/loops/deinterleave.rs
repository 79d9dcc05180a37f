//! Outputs that are the four lanes of one vector: the loops leave the vector in scratch memory, and after them four frames
//! at a time are transposed, so that each output gets them in one store. That is less than a store for each lane and frame.

use super::Transpose;
use crate::ir::{Body, Op, Rate, Type, Value};
use std::collections::BTreeSet;

/// The vectors of a body whose lanes are outputs, all four.
pub(super) fn transposes(body: &Body, rates: &[Rate]) -> Vec<Transpose> {
    let lane_of = |out: &Value| match (body.insts[*out].op, body.insts[*out].args.as_slice()) {
        (Op::Extract(lane), &[value]) => Some((value, lane)),
        _ => None,
    };
    let lanes: Vec<Option<(Value, u8)>> = body.outs.iter().map(lane_of).collect();
    let values: BTreeSet<Value> = lanes.iter().flatten().map(|(value, _)| *value).collect();
    let all = values.into_iter().filter_map(|value| {
        let output = |lane: usize| lanes.iter().position(|of| *of == Some((value, lane as u8)));
        let [Some(a), Some(b), Some(c), Some(d)] = std::array::from_fn(output) else { return None };
        Some(Transpose { value, outputs: [a, b, c, d] })
    });
    let fits = |transpose: &Transpose| {
        body.step == 1
            && body.ty(transpose.value) == Type::F32.with_lanes(4)
            && rates[transpose.value.index()] == Rate::Sample
    };
    all.filter(fits).collect()
}

/// Instructions that only the outputs need that are stored so.
pub(super) fn transposed_only(body: &Body, all: &[Transpose]) -> BTreeSet<Value> {
    let stored: BTreeSet<usize> = all.iter().flat_map(|transpose| transpose.outputs).collect();
    let mut only: BTreeSet<Value> = stored.iter().map(|output| body.outs[*output]).collect();
    let others =
        body.outs.iter().enumerate().filter(|(output, _)| !stored.contains(output)).map(|(_, out)| *out);
    let operands = body.insts.values().flat_map(|inst| inst.args.as_slice().iter().copied());
    let ends = body.sets.iter().map(|set| set.1).chain(body.writes.iter().map(|write| write.1));
    let nexts = body.back_edges.iter().map(|next| next.1);
    others.chain(operands).chain(ends).chain(nexts).for_each(|used| _ = only.remove(&used));
    only
}
