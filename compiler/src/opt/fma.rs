//! Multiply and add as one op, where the target has it: `a·b + c` with one rounding instead of two. It changes the
//! last bit, and is therefore part of what the target means: it is done once, before anything is planned, and the
//! interpreter sees the same.
//!
//! Only a product that is used once, and computed as often as the sum.

use super::{Context, rebuild};
use crate::ir::{Body, Imm, Op, Scalar, Value};

pub(super) fn run(old: &Body, cx: Context) -> Body {
    if cx.target.fma { doubled(&fused(old)) } else { old.clone() }
}

/// A product with 2 that is left is an addition: processors have more room for those.
fn doubled(old: &Body) -> Body {
    rebuild::body(old, |new, _, inst| {
        let two = |v: Value| new.as_const(v) == Some(Imm::F32(2.0));
        match *inst.args.as_slice() {
            [a, b] if inst.op == Op::Mul && two(b) => new.op(Op::Add, &[a, a]),
            [a, b] if inst.op == Op::Mul && two(a) => new.op(Op::Add, &[b, b]),
            _ => new.insts.add(inst),
        }
    })
}

fn fused(old: &Body) -> Body {
    let (rates, uses) = (old.rates(), old.uses());
    let product =
        |v: Value| old.insts[v].op == Op::Mul && old.ty(v).scalar == Scalar::F32 && uses[v.index()] == 1;
    rebuild::body(old, |new, value, inst| {
        let &[a, b] = inst.args.as_slice() else { return new.insts.add(inst) };
        let fits = |i: usize| {
            let operand = old.insts[value].args.as_slice()[i];
            product(operand) && rates[operand.index()] == rates[value.index()]
        };
        // A product has been copied as it was: its factors are the operands of the copy.
        let factors = |new: &Body, product: Value| {
            let args = new.insts[product].args;
            (args.as_slice()[0], args.as_slice()[1])
        };
        match inst.op {
            Op::Add if fits(1) => {
                let (x, y) = factors(new, b);
                new.op(Op::Fma, &[x, y, a])
            }
            Op::Add if fits(0) => {
                let (x, y) = factors(new, a);
                new.op(Op::Fma, &[x, y, b])
            }
            Op::Sub if fits(1) => {
                let (x, y) = factors(new, b);
                let negative = new.op(Op::Neg, &[x]);
                new.op(Op::Fma, &[negative, y, a])
            }
            Op::Sub if fits(0) => {
                let (x, y) = factors(new, a);
                let negative = new.op(Op::Neg, &[b]);
                new.op(Op::Fma, &[x, y, negative])
            }
            _ => new.insts.add(inst),
        }
    })
}
