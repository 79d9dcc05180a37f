//! Rotations: the sine or cosine of a held phase, of which each iteration turns by the same angle.
//!
//! What is asked for is a line over the phase in cycles, `times·phase + b` with a whole `times` and a loop-invariant b: where the
//! phase wraps, such a line does by whole cycles.

use super::induction::Inductions;
use crate::ir::{Body, Imm, Op, Type, Value};
use crate::opt::analysis::Analysis;

/// The sine or cosine of a line over a held phase.
pub(super) struct Rotation {
    pub(super) value: Value,
    pub(super) line: CycleLine,
}

/// A number of cycles that gains as much as a held phase in each frame, or some times as much.
#[derive(Clone, Copy)]
pub(super) struct CycleLine {
    /// The number of cycles.
    pub(super) value: Value,
    /// What the phase's state is set to.
    pub(super) phase: Value,
    /// How many times as much it gains. Never 0.
    pub(super) times: i32,
}

/// Most cycles in one of the phase's.
const TIMES: f64 = 64.0;
/// How far a factor may be from a whole number of cycles, relatively: that of `tau * phasor(f)`, rounded once, is.
const ROUNDED: f64 = 3e-8;
/// How deep a line is followed.
const DEPTH: usize = 8;

/// A sine or cosine of f32 as a rotation.
pub(super) fn recognise(a: &Analysis, inductions: &Inductions, value: Value) -> Option<Rotation> {
    let inst = &a.body.insts[value];
    let turns = matches!(inst.op, Op::SinTurn | Op::CosTurn) && inst.ty == Type::F32;
    let cycles = turns.then(|| inst.args.as_slice()[0])?;
    let (phase, times) = line(a, inductions, cycles, DEPTH)?;
    Some(Rotation { value, line: CycleLine { value: cycles, phase, times } })
}

/// A value as a line in cycles: its phase, and how many times as much it gains.
fn line(a: &Analysis, inductions: &Inductions, value: Value, depth: usize) -> Option<(Value, i32)> {
    let inst = &a.body.insts[value];
    if depth == 0 || inst.ty != Type::F32 {
        return None;
    }
    let follow = |x: Value| line(a, inductions, x, depth - 1);
    match (inst.op, inst.args.as_slice()) {
        (Op::Neg, &[x]) => follow(x).map(|(phase, times)| (phase, -times)),
        (Op::Add | Op::Sub, &[x, y]) if a.is_invariant(y) => follow(x),
        (Op::Add, &[x, y]) if a.is_invariant(x) => follow(y),
        (Op::Sub, &[x, y]) if a.is_invariant(x) => follow(y).map(|(phase, times)| (phase, -times)),
        (Op::Mul, &[x, y]) => {
            let (moving, factor) = if a.is_invariant(y) { (x, y) } else { (y, x) };
            let factor = number(a.body, factor)?;
            // The upper 24 bits of a phase, as a number, are 2²⁴ of a cycle.
            let (phase, per_cycle) = match upper_bits(a, inductions, moving) {
                Some(phase) => (phase, factor * f64::from(1 << 24)),
                None => follow(moving).map(|(phase, times)| (phase, factor * f64::from(times)))?,
            };
            let times = per_cycle.round();
            let is_whole = (per_cycle - times).abs() <= ROUNDED * times.abs();
            (is_whole && (1.0..=TIMES).contains(&times.abs())).then_some((phase, times as i32))
        }
        _ => None,
    }
}

/// The held phase of which a value is the upper 24 bits.
fn upper_bits(a: &Analysis, inductions: &Inductions, value: Value) -> Option<Value> {
    let operands = |value: Value, op: Op| {
        let inst = &a.body.insts[value];
        (inst.op == op).then_some(inst.args.as_slice())
    };
    let &[bits] = operands(value, Op::ToFloat)? else { return None };
    let &[phase, by] = operands(bits, Op::Ushr)? else { return None };
    (inductions.is_held_phase(phase) && a.body.as_const(by) == Some(Imm::I32(8))).then_some(phase)
}

/// A constant, as it is or rounded from an f64.
fn number(body: &Body, value: Value) -> Option<f64> {
    match (body.as_const(value), body.insts[value].op) {
        (Some(Imm::F32(x)), _) => Some(f64::from(x)),
        (Some(Imm::F64(x)), _) => Some(x),
        (None, Op::Demote) => number(body, body.insts[value].args.as_slice()[0]),
        _ => None,
    }
}
