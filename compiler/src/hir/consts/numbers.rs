//! Arithmetic on numbers that are known, by the meaning of the ops.

use crate::arithmetic::Operations;
use crate::ir::{Imm, Op, Scalar};

/// Arithmetic on numbers that are known, without a program.
pub(in crate::hir) struct Numbers;

impl Numbers {
    fn compute(op: Op, args: &[Imm], scalar: Scalar) -> Imm {
        let meaning = op.row().meaning.expect("arithmetic ops have a meaning");
        meaning(args, scalar)
    }

    fn precise(x: Imm) -> Imm {
        Imm::F64(Numbers.known(x).unwrap_or_default())
    }

    fn truth(x: Imm) -> Imm {
        match x {
            Imm::Bool(_) => x,
            _ => Numbers::compute(Op::Ne, &[Numbers::precise(x), Imm::F64(0.0)], Scalar::Bool),
        }
    }
}

impl Operations for Numbers {
    type Value = Imm;

    fn number(&mut self, x: f64) -> Imm {
        Imm::F64(x)
    }

    fn known(&self, value: Imm) -> Option<f64> {
        Some(match value {
            Imm::F32(x) => f64::from(x),
            Imm::F64(x) => x,
            Imm::I32(x) => f64::from(x),
            Imm::Bool(x) => f64::from(u8::from(x)),
        })
    }

    fn real<const N: usize>(&mut self, op: Op, args: [Imm; N]) -> Imm {
        Numbers::compute(op, &args.map(Numbers::precise), Scalar::F64)
    }

    fn compare(&mut self, op: Op, a: Imm, b: Imm) -> Imm {
        Numbers::compute(op, &[a, b].map(Numbers::precise), Scalar::Bool)
    }

    fn logic<const N: usize>(&mut self, op: Op, args: [Imm; N]) -> Imm {
        Numbers::compute(op, &args.map(Numbers::truth), Scalar::Bool)
    }

    fn select(&mut self, condition: Imm, a: Imm, b: Imm) -> Imm {
        match (Numbers::truth(condition), a, b) {
            (Imm::Bool(true), Imm::Bool(_), Imm::Bool(_)) => a,
            (_, Imm::Bool(_), Imm::Bool(_)) => b,
            (Imm::Bool(true), ..) => Numbers::precise(a),
            _ => Numbers::precise(b),
        }
    }
}
