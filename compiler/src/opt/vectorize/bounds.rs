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
/// How deep an expression is followed.
const DEPTH: usize = 16;

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
    let inst = &a.body.insts[value];
    let is_number = inst.ty.scalar != Scalar::Bool;
    match a.interval(value) {
        _ if a.is_invariant(value) => is_number.then_some(Source::Invariant),
        Some((low, high)) if low.abs() <= MOST && high.abs() <= MOST => Some(Source::Known(low, high)),
        _ => match inst.op {
            Op::Add | Op::Sub | Op::Mul | Op::Fma | Op::Neg | Op::Min | Op::Max | Op::Floor | Op::ToInt => {
                Some(Source::Operands)
            }
            _ => None,
        },
    }
}

/// Whether a value has bounds that a call may know better than the compiler does.
pub(super) fn has_bounds(a: &Analysis, value: Value) -> bool {
    follows_call(a, value, DEPTH) == Some(true)
}

/// Whether the bounds of a value depend on what a call knows; none where it has none.
fn follows_call(a: &Analysis, value: Value, depth: usize) -> Option<bool> {
    match source(a, value)? {
        Source::Invariant => Some(a.body.as_const(value).is_none()),
        Source::Known(..) => Some(false),
        Source::Operands if depth == 0 => None,
        Source::Operands => {
            let args = a.body.insts[value].args.as_slice();
            let each = args.iter().map(|arg| follows_call(a, *arg, depth - 1));
            Some(each.collect::<Option<Vec<bool>>>()?.contains(&true))
        }
    }
}
