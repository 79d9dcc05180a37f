//! About how long instructions take, by which loops are cut and ways to compute a body are chosen.

use super::lanes::{Half, halves, taken};
use super::{Body, Op, Rate, Scalar, Type, Value};
use mam_runtime::sort::Sort;
use rustc_hash::FxHashMap;

/// About how many cycles each instruction takes until its result is there; 0 where there is none to be done.
pub fn cycles(body: &Body, rates: &[Rate]) -> Vec<u32> {
    let taken = taken(body, rates);
    let of = |value: Value| if taken[value.index()] { 0 } else { inst_cycles(body, rates, value) };
    body.insts.handles().map(of).collect()
}

fn inst_cycles(body: &Body, rates: &[Rate], value: Value) -> u32 {
    let inst = &body.insts[value];
    let float = inst.ty.scalar != Scalar::I32;
    match inst.op {
        Op::Const(_)
        | Op::Get(_)
        | Op::LiveIn(_)
        | Op::CallFrame
        | Op::CallFrames
        | Op::LoopCarried
        | Op::Param(_)
        | Op::Port(..) => 0,
        Op::Div | Op::Sqrt => 12,
        Op::Fma | Op::Add | Op::Sub | Op::Mul | Op::Round | Op::Floor | Op::Ceil | Op::Trunc if float => 4,
        Op::ToInt | Op::ToFloat | Op::Input(_) | Op::Frame => 4,
        Op::Pack => {
            let halves = halves(body, rates, inst.args.as_slice());
            match halves.iter().filter(|half| matches!(half, Half::Separate(_))).count() {
                0 => 3,
                2 if halves[0] != halves[1] => 8,
                _ => 5,
            }
        }
        Op::Read(_) | Op::Table(_) | Op::Neighbours(_) | Op::Totals => 8,
        Op::Mul if inst.ty == Type::I32.with_lanes(4) => 8,
        _ => 2,
    }
}

/// About how many cycles a recurrence takes for one iteration.
pub fn recurrence_latency(body: &Body, cycles: &[u32], recurrence: impl Iterator<Item = Value>) -> u32 {
    let mut members: Vec<Value> = recurrence.collect();
    members.put_in_order();
    let mut ends: FxHashMap<Value, u32> = FxHashMap::default();
    for member in members {
        let args = body.insts[member].args;
        let start = args.as_slice().iter().filter_map(|arg| ends.get(arg)).max().copied();
        ends.insert(member, start.unwrap_or(0) + cycles[member.index()]);
    }
    ends.into_values().max().unwrap_or(0)
}
