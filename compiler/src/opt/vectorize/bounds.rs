//! Bounds of what moves that a call knows: a delay that a parameter spreads, such as `8ms + depth * sine(rate)`, is never
//! short where the parameter is small enough, which is a condition of the body.
//!
//! Between which numbers an instruction lies follows from those of its operands, by interval arithmetic on loop-invariant
//! values. That is done in f64 and the instructions are f32, so nothing may be larger than [`MOST`], and what has to be at least
//! four frames has to be five by its bounds.

use crate::ir::{Op, Scalar, Value};
use crate::opt::analysis::Analysis;

/// How large anything between the bounds may be: of f32 at this size the roundings are far below a frame.
pub(super) const MOST: f64 = 65536.0;
/// How many operands are followed in all.
const FOLLOWED: usize = 64;

/// What the bounds of a value come from.
pub(super) enum Source {
    /// The value itself, which is loop-invariant.
    Invariant,
    /// Numbers that are known.
    Known(f64, f64),
    /// The bounds of its operands.
    Operands,
}

/// What the bounds of a value come from; none where it has none.
pub(super) fn source(a: &Analysis, value: Value) -> Option<Source> {
    if a.is_invariant(value) {
        return Some(Source::Invariant);
    }
    match (follows_call(a, value, &mut { FOLLOWED })?, known(a, value)) {
        (false, Some((low, high))) => Some(Source::Known(low, high)),
        _ => Some(Source::Operands),
    }
}

/// Whether a value has bounds that a call may know better than the compiler does.
pub(super) fn has_bounds(a: &Analysis, value: Value) -> bool {
    follows_call(a, value, &mut { FOLLOWED }) == Some(true)
}

/// Between which numbers a value is known to lie.
fn known(a: &Analysis, value: Value) -> Option<(f64, f64)> {
    a.interval(value).filter(|(low, high)| low.abs() <= MOST && high.abs() <= MOST)
}

/// Whether the bounds of a value depend on what a call knows, though it may lie between known numbers as well; none where it
/// has no bounds.
fn follows_call(a: &Analysis, value: Value, left: &mut usize) -> Option<bool> {
    *left = left.checked_sub(1)?;
    let inst = &a.body.insts[value];
    if a.is_invariant(value) {
        return (inst.ty.scalar != Scalar::Bool).then(|| a.body.as_const(value).is_none());
    }
    let combines = matches!(
        inst.op,
        Op::Add | Op::Sub | Op::Mul | Op::Fma | Op::Neg | Op::Min | Op::Max | Op::Floor | Op::ToInt
    );
    let of_operands = || {
        let each = inst.args.as_slice().iter().map(|arg| follows_call(a, *arg, left));
        Some(each.collect::<Option<Vec<bool>>>()?.contains(&true))
    };
    let of_operands = combines.then(of_operands).flatten();
    of_operands.or(known(a, value).map(|_| false))
}
