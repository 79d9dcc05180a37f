//! Elementary functions, expanded into ops: sine, cosine and tangent of turns, 2ˣ, log₂, powers, tanh.
//!
//! Written once, in ops, so that the interpreter, scalar and vector code agree to the bit, and no back end needs a library of
//! functions. Those of f64 are their formulas ([`crate::ir::expand`]), to the bit. Those of f32 are shorter: their
//! coefficients are minimax fits of our own (Remez' exchange, then rounded to f32 one by one and refitted); each states its
//! largest error, which a test holds against f64.

mod functions;
mod quotients;

use super::intervals::Interval;
use super::{Context, rebuild};
use crate::ir::{Body, Formula, Imm, Inst, Kernel, Op, Scalar, Type, Value, expand, is_elementary};
use quotients::Quotients;

pub(super) fn run(old: &Body, cx: Context) -> Body {
    let intervals = cx.intervals.within(old);
    let mut quotients = Quotients::new(old);
    rebuild::body(old, |body, value, inst| {
        let now = match inst.ty.scalar {
            Scalar::F64 if is_elementary(inst.op) => expand(body, inst.op, inst.args.as_slice()),
            Scalar::F32 => {
                let interval =
                    old.insts[value].args.as_slice().first().and_then(|arg| intervals[arg.index()]);
                let mut ops = Ops { body, lanes: inst.ty.lanes, fma: cx.target.fma };
                ops.written_out(value, inst, interval, &mut quotients)
            }
            _ => body.insts.add(inst),
        };
        quotients.is_now(now);
        now
    })
}

/// An elementary function that a kernel still has: no back end encodes one.
pub fn elementary(kernel: &Kernel) -> Option<Op> {
    let bodies = [Some(&kernel.general), Some(&kernel.steady), kernel.tail.as_ref()];
    let mut insts = bodies.into_iter().flatten().flat_map(|body| body.insts.values());
    insts.find(|inst| is_elementary(inst.op)).map(|inst| inst.op)
}

/// A kernel that has not gone through the passes, as a back end can encode it: elementary functions become the formulas that
/// they mean, lane by lane. Every bit stays; places in state memory do not.
pub fn legalize(kernel: &Kernel) -> Kernel {
    let exact = |body: &Body| {
        rebuild::body(body, |body, _, inst| match is_elementary(inst.op) {
            true => exactly(body, inst),
            false => body.insts.add(inst),
        })
    };
    Kernel {
        general: exact(&kernel.general),
        steady: exact(&kernel.steady),
        tail: kernel.tail.as_ref().map(exact),
        ..kernel.without_bodies()
    }
}

/// What an elementary function means, of any type.
fn exactly(body: &mut Body, inst: Inst) -> Value {
    if inst.ty.scalar == Scalar::F64 {
        return expand(body, inst.op, inst.args.as_slice());
    }
    let lanes: Vec<Value> = (0..inst.ty.lanes)
        .map(|lane| {
            let lane_of = |body: &mut Body, x: Value| {
                let x = if inst.ty.lanes == 1 { x } else { body.op(Op::Extract(lane), &[x]) };
                body.op(Op::Promote, &[x])
            };
            let args: Vec<Value> = inst.args.as_slice().iter().map(|x| lane_of(body, *x)).collect();
            let result = expand(body, inst.op, &args);
            body.op(Op::Demote, &[result])
        })
        .collect();
    if lanes.len() == 1 { lanes[0] } else { body.op(Op::Pack, &lanes) }
}

impl Formula for Body {
    type Value = Value;

    fn constant(&mut self, imm: Imm) -> Value {
        Body::constant(self, imm, 1)
    }

    fn apply(&mut self, op: Op, ty: Type, args: &[Value]) -> Value {
        self.add(op, ty, args)
    }
}

/// Ops on values of so many lanes, written as formulas.
struct Ops<'a> {
    body: &'a mut Body,
    lanes: u8,
    fma: bool,
}

impl Ops<'_> {
    /// What an f32 instruction becomes, whose operands are those of the new body.
    fn written_out(
        &mut self,
        value: Value,
        inst: Inst,
        interval: Interval,
        quotients: &mut Quotients,
    ) -> Value {
        match (inst.op, inst.args.as_slice()) {
            (Op::SinTurn, &[x]) => self.sin_turn(x),
            (Op::CosTurn, &[x]) => self.cos_turn(x),
            (Op::TanTurn, &[x]) => {
                let quotient = self.tan_turn(x, interval);
                quotients.divided(self, value, quotient)
            }
            (Op::Exp2, &[x]) => self.exp2(x, interval),
            (Op::Log2, &[x]) => self.log2(x, interval),
            (Op::Pow, &[x, y]) => self.pow(x, y),
            (Op::Tanh, &[x]) => {
                let quotient = self.tanh(x, interval);
                quotients.divided(self, value, quotient)
            }
            (Op::Atan, &[x]) => self.atan(x),
            (Op::Div, &[a, b]) => {
                let (a, b) = quotients.cleared(self, value).unwrap_or((a, b));
                self.div(a, b)
            }
            _ => self.body.insts.add(inst),
        }
    }

    fn f(&mut self, x: f32) -> Value {
        self.body.constant(Imm::F32(x), self.lanes)
    }

    fn i(&mut self, x: i32) -> Value {
        self.body.constant(Imm::I32(x), self.lanes)
    }

    fn op(&mut self, op: Op, args: &[Value]) -> Value {
        self.body.op(op, args)
    }

    fn add(&mut self, a: Value, b: Value) -> Value {
        self.op(Op::Add, &[a, b])
    }

    fn sub(&mut self, a: Value, b: Value) -> Value {
        self.op(Op::Sub, &[a, b])
    }

    fn mul(&mut self, a: Value, b: Value) -> Value {
        self.op(Op::Mul, &[a, b])
    }

    fn div(&mut self, a: Value, b: Value) -> Value {
        self.op(Op::Div, &[a, b])
    }

    fn lt(&mut self, a: Value, b: Value) -> Value {
        self.op(Op::Lt, &[a, b])
    }

    fn select(&mut self, c: Value, a: Value, b: Value) -> Value {
        self.op(Op::Select, &[c, a, b])
    }

    /// a·b + c
    fn mad(&mut self, a: Value, b: Value, c: Value) -> Value {
        if self.fma {
            return self.op(Op::Fma, &[a, b, c]);
        }
        let product = self.mul(a, b);
        self.add(product, c)
    }

    /// c₀ + c₁·z + c₂·z² + …
    fn polynomial(&mut self, z: Value, coefficients: &[f32]) -> Value {
        let (last, rest) = coefficients.split_last().expect("a polynomial has coefficients");
        let last = self.f(*last);
        rest.iter().rev().fold(last, |sum, c| {
            let c = self.f(*c);
            self.mad(sum, z, c)
        })
    }

    /// x, kept between `low` and `high` where its interval goes beyond; a NaN stays one.
    fn clamp(&mut self, x: Value, interval: Interval, low: f32, high: f32) -> Value {
        let (least, most) = interval.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let mut x = x;
        for (op, limit, beyond) in
            [(Op::Min, high, most > f64::from(high)), (Op::Max, low, least < f64::from(low))]
        {
            if beyond {
                let limit = self.f(limit);
                x = self.op(op, &[limit, x]);
            }
        }
        x
    }
}
