//! Where lanes come from: a scalar that was taken from a vector needs not be a scalar to become a lane again.

use super::{Body, Imm, Op, Rate, Value};

/// The vector and the lane that a scalar is taken from in a call: who puts it into lanes again takes it from there.
pub fn lane_of(body: &Body, rates: &[Rate], value: Value) -> Option<(Value, u8)> {
    match (body.insts[value].op, body.insts[value].args.as_slice()) {
        (Op::Extract(lane), &[vector]) if rates[value.index()] >= Rate::Call => Some((vector, lane)),
        _ => None,
    }
}

/// Two neighbours of the four that a `pack` puts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Two lanes of a vector.
    Of(Value, [u8; 2]),
    /// Two scalars.
    Separate([Value; 2]),
}

/// What a `pack` of four puts together.
pub fn halves(body: &Body, rates: &[Rate], lanes: &[Value]) -> [Half; 2] {
    [&lanes[..2], &lanes[2..]].map(|pair| {
        let (one, other) = (lane_of(body, rates, pair[0]), lane_of(body, rates, pair[1]));
        match (one, other) {
            (Some((vector, a)), Some((same, b))) if vector == same => Half::Of(vector, [a, b]),
            _ => Half::Separate([pair[0], pair[1]]),
        }
    })
}

/// Which scalars are lanes that only shuffles take, each from their vector: they cost nothing.
pub fn taken(body: &Body, rates: &[Rate]) -> Vec<bool> {
    let mut used = vec![false; body.insts.len()];
    let takes = |op: Op| matches!(op, Op::Pack | Op::Splat | Op::Slide);
    let users = body.insts.values().filter(|inst| !takes(inst.op));
    users.flat_map(|inst| inst.args.as_slice()).for_each(|value| used[value.index()] = true);
    let leaves = body.outs.iter().chain(body.writes.iter().map(|(_, value)| value));
    leaves.for_each(|value| used[value.index()] = true);
    let free = |value: Value| !used[value.index()] && lane_of(body, rates, value).is_some();
    body.insts.handles().map(free).collect()
}

/// Whether a value is −1 where a condition holds and 0 elsewhere: in lanes, that is the condition's own bits.
pub fn is_mask(body: &Body, value: Value) -> bool {
    match (body.insts[value].op, body.insts[value].args.as_slice()) {
        (Op::Select, &[_, a, b]) => [a, b].map(|x| body.as_const(x)) == [-1, 0].map(|x| Some(Imm::I32(x))),
        _ => false,
    }
}
