//! Between which numbers a value lies, as far as its own formula says: bounds that somebody has written.

use crate::ir::{Body, Imm, Op, Value};

/// How deep a formula is followed.
const DEPTH: usize = 4;

/// The least and the greatest that an f32 can be, where both are known; then it is no NaN.
pub(super) fn bounds(body: &Body, value: Value) -> Option<(f32, f32)> {
    let (low, high) = limits(body, value, DEPTH)?;
    (low.is_finite() && high.is_finite()).then_some((low, high))
}

/// The same, infinite where one is not known. None for what may be a NaN.
fn limits(body: &Body, value: Value, depth: usize) -> Option<(f32, f32)> {
    let inst = &body.insts[value];
    let number = |value: Value| match body.as_const(value) {
        Some(Imm::F32(x)) if !x.is_nan() => Some(x),
        _ => None,
    };
    if let Some(x) = number(value) {
        return Some((x, x));
    }
    let &[a, b] = inst.args.as_slice() else { return None };
    let by = number(b).filter(|_| depth > 0)?;
    let of = || limits(body, a, depth - 1);
    // Least and greatest give their second operand where the first is a NaN.
    let any = (f32::NEG_INFINITY, f32::INFINITY);
    match inst.op {
        Op::Min => of().or(Some(any)).map(|(low, high)| (low.min(by), high.min(by))),
        Op::Max => of().or(Some(any)).map(|(low, high)| (low.max(by), high.max(by))),
        Op::Mul if by > 0.0 && by <= 1.0 => of().map(|(low, high)| (low * by, high * by)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Type;

    #[test]
    fn bounds_are_what_was_written() {
        let mut body = Body::default();
        let x = body.add(Op::Input(0), Type::F32, &[]);
        let [least, most, half] = [0.125, 0.5, 0.5].map(|x| body.f32(x));
        assert_eq!(bounds(&body, x), None);
        let below = body.op(Op::Min, &[x, most]);
        assert_eq!(bounds(&body, below), None);
        let between = body.op(Op::Max, &[below, least]);
        assert_eq!(bounds(&body, between), Some((0.125, 0.5)));
        let scaled = body.op(Op::Mul, &[between, half]);
        assert_eq!(bounds(&body, scaled), Some((0.0625, 0.25)));
        // A NaN stays one where it is the second operand.
        let perhaps = body.op(Op::Min, &[most, x]);
        let perhaps = body.op(Op::Mul, &[perhaps, half]);
        assert_eq!(bounds(&body, perhaps), None);
    }
}
