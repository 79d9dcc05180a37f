//! Bounds of what moves, as conditions of the body: see [`crate::opt::vectorize::bounds`].

use super::Builder;
use crate::ir::{Op, Scalar, Type, Value};
use crate::opt::vectorize::bounds::{MOST, Source, source};

/// The least and the greatest that a value can be in a call, as loop-invariant f64s, and how large what they are made of is.
#[derive(Clone, Copy)]
struct Bounds {
    low: Value,
    high: Value,
    size: Value,
}

impl Builder<'_> {
    /// Makes it a condition of the body that a value is never below `least`.
    pub(super) fn only_if_at_least(&mut self, value: Value, least: f64) {
        let bounds = self.bounds(value);
        let (least, most) = (self.b.new.f64(least), self.b.new.f64(MOST));
        for (below, above) in [(least, bounds.low), (bounds.size, most)] {
            let fits = self.b.op(Op::Le, &[below, above]);
            self.only_if(fits);
        }
    }

    fn bounds(&mut self, value: Value) -> Bounds {
        match source(self.a, value).expect("the recogniser has seen that it has bounds") {
            Source::Invariant => {
                let wide = self.wide(value);
                self.sized(wide, wide, &[])
            }
            Source::Known(low, high) => {
                let [low, high] = [low, high].map(|x| self.b.new.f64(x));
                self.sized(low, high, &[])
            }
            Source::Operands => {
                let inst = self.a.body.insts[value].clone();
                let of: Vec<Bounds> = inst.args.as_slice().iter().map(|arg| self.bounds(*arg)).collect();
                let (low, high) = self.combined(inst.op, &of);
                self.sized(low, high, &of)
            }
        }
    }

    fn combined(&mut self, op: Op, of: &[Bounds]) -> (Value, Value) {
        match (op, of) {
            (Op::Add | Op::Min | Op::Max, [x, y]) => {
                (self.b.op(op, &[x.low, y.low]), self.b.op(op, &[x.high, y.high]))
            }
            (Op::Sub, [x, y]) => (self.b.op(op, &[x.low, y.high]), self.b.op(op, &[x.high, y.low])),
            (Op::Neg, [x]) => (self.b.op(op, &[x.high]), self.b.op(op, &[x.low])),
            (Op::Floor, [x]) => (self.b.op(op, &[x.low]), self.b.op(op, &[x.high])),
            // Toward 0: a whole number more at most.
            (Op::ToInt, [x]) => {
                let one = self.b.new.f64(1.0);
                let low = self.b.op(Op::Floor, &[x.low]);
                (low, self.b.op(Op::Add, &[x.high, one]))
            }
            (Op::Mul, [x, y]) => self.product(x, y),
            (Op::Fma, [x, y, z]) => {
                let (low, high) = self.product(x, y);
                (self.b.op(Op::Add, &[low, z.low]), self.b.op(Op::Add, &[high, z.high]))
            }
            _ => unreachable!("the recogniser asks for these alone"),
        }
    }

    fn product(&mut self, x: &Bounds, y: &Bounds) -> (Value, Value) {
        let corners = [(x.low, y.low), (x.low, y.high), (x.high, y.low), (x.high, y.high)];
        let [a, b, c, d] = corners.map(|(x, y)| self.b.op(Op::Mul, &[x, y]));
        let [low, high] = [Op::Min, Op::Max].map(|op| {
            let (one, other) = (self.b.op(op, &[a, b]), self.b.op(op, &[c, d]));
            self.b.op(op, &[one, other])
        });
        (low, high)
    }

    fn sized(&mut self, low: Value, high: Value, of: &[Bounds]) -> Bounds {
        let [one, other] = [low, high].map(|x| self.b.op(Op::Abs, &[x]));
        let own = self.b.op(Op::Max, &[one, other]);
        let size = of.iter().fold(own, |size, bounds| self.b.op(Op::Max, &[size, bounds.size]));
        Bounds { low, high, size }
    }

    /// A loop-invariant number as an f64.
    fn wide(&mut self, value: Value) -> Value {
        let uniform = self.b.uniform(value).expect("it is loop-invariant");
        match self.a.body.ty(value).scalar {
            Scalar::F32 => self.b.op(Op::Promote, &[uniform]),
            Scalar::I32 => self.b.new.add(Op::ToFloat, Type::F64, &[uniform]),
            _ => uniform,
        }
    }
}
