//! Subnormals become 0 with their sign.

use super::Subnormals;
use super::body::{Emitter, Source};
use super::encoding::plain;
use super::function::{Function, Local};
use super::lanes::{immediate, vector};
use super::memory::local_type;
use crate::ir::{Imm, Op, Rate, Scalar, Type, Value};
use wasm_encoder::Instruction;

/// The bits of an f32 that are not its sign.
const MAGNITUDE: Imm = Imm::I32(0x7fff_ffff);

impl Source<'_> {
    /// Which values stay: the new values of states, what delay lines and other kernels are given, what is carried, and what is
    /// computed more rarely than each frame.
    pub(super) fn staying(&self) -> Vec<bool> {
        let mut stays: Vec<bool> = self.plan.rates.iter().map(|rate| *rate < Rate::Sample).collect();
        let body = self.body;
        let sets = body.sets.iter().map(|(_, value)| value);
        let all = sets.chain(body.writes.iter().map(|(_, value)| value));
        let all = all.chain(body.back_edges.iter().map(|(_, value)| value)).chain(&body.outs);
        all.for_each(|value| stays[value.index()] = true);
        stays
    }
}

impl Emitter<'_> {
    /// Flushes the value that is on the stack, where its op can make a subnormal or lets one through that others made.
    pub(super) fn flush(&mut self, f: &mut Function, value: Value) {
        let (op, ty) = (self.from.body.insts[value].op, self.ty(value));
        if !matches!(ty.scalar, Scalar::F32 | Scalar::F64) {
            return;
        }
        let all = self.from.subnormals == Subnormals::FlushAll;
        let flushes = match op {
            // What memory and constants hold is not subnormal, and these give numbers that are whole, or far from 0.
            Op::Const(_) | Op::Get(_) | Op::LiveIn(_) | Op::LoopCarried => false,
            Op::Read(_) | Op::Table(_) | Op::Neighbours(_) => false,
            Op::Param(_) | Op::Input(_) | Op::Port(..) | Op::ToFloat | Op::Sqrt => false,
            Op::Floor | Op::Ceil | Op::Trunc | Op::Round => false,
            Op::FromHighBits | Op::Demote => true,
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Bits | Op::Total | Op::Totals => {
                all || self.stays[value.index()]
            }
            // The rest passes on what it is given.
            _ => !all && self.stays[value.index()],
        };
        if flushes {
            let x = f.pop(local_type(ty));
            zero_where(f, ty, x, |f| if all { self.is_tiny(f, value, x) } else { is_subnormal(f, ty, x) });
        }
    }

    /// Pushes whether a result that is in `x` would be subnormal: decided after rounding to the full precision, as on x86-64, so
    /// what rounds to the least normal number is computed once more, scaled.
    fn is_tiny(&mut self, f: &mut Function, value: Value, x: Local) {
        let (inst, ty) = (self.from.body.insts[value].clone(), self.ty(value));
        let (scale, least) = match ty.scalar {
            Scalar::F64 => (Imm::F64(SCALE_F64), Imm::F64(f64::MIN_POSITIVE * SCALE_F64)),
            _ => (Imm::F32(SCALE_F32), Imm::F32(f32::MIN_POSITIVE * SCALE_F32)),
        };
        match (inst.op, inst.args.as_slice()) {
            (Op::Mul, &[a, b]) => {
                // The one that is nearer to 0 is scaled: nothing overflows that is not far from tiny.
                self.push_nearer(f, a, b, true);
                immediate(f, scale, ty.lanes);
                float(f, Op::Mul, ty);
                self.push_nearer(f, a, b, false);
                float(f, Op::Mul, ty);
            }
            (Op::Div, &[a, b]) => {
                self.push(f, a);
                immediate(f, scale, ty.lanes);
                float(f, Op::Mul, ty);
                self.push(f, b);
                float(f, Op::Div, ty);
            }
            (Op::Demote, &[a]) => {
                self.push(f, a);
                f.op(Instruction::F64Abs);
                immediate(f, Imm::F64(LEAST_DEMOTED), 1);
                return f.op(Instruction::F64Lt);
            }
            _ => return is_subnormal(f, ty, x),
        }
        float(f, Op::Abs, ty);
        immediate(f, least, ty.lanes);
        float(f, Op::Lt, ty);
    }

    /// Pushes the one of two floats that is nearer to 0, or the other.
    fn push_nearer(&mut self, f: &mut Function, a: Value, b: Value, nearer: bool) {
        let ty = self.ty(a);
        let (first, second) = if nearer { (a, b) } else { (b, a) };
        self.push(f, first);
        self.push(f, second);
        for value in [a, b] {
            self.push(f, value);
            float(f, Op::Abs, ty);
        }
        float(f, Op::Lt, ty);
        f.op(if ty.lanes > 1 { Instruction::V128Bitselect } else { Instruction::Select });
    }
}

/// By which a product or quotient is scaled: far from the least normal number.
const SCALE_F32: f32 = (1u64 << 40) as f32;
/// See [`SCALE_F32`].
const SCALE_F64: f64 = (1u128 << 80) as f64;

/// What is nearer to 0 is below the least normal f32 after rounding to 24 bits.
const LEAST_DEMOTED: f64 = f32::MIN_POSITIVE as f64 * (1.0 - 1.0 / (1 << 25) as f64);

fn float(f: &mut Function, op: Op, ty: Type) {
    f.op(plain(op, ty).expect("it is one instruction"));
}

/// Flushes a float that is on the stack.
pub(super) fn flush(f: &mut Function, ty: Type) {
    let x = f.pop(local_type(ty));
    zero_where(f, ty, x, |f| is_subnormal(f, ty, x));
}

/// Pushes whether a float is less than the least normal number.
fn is_subnormal(f: &mut Function, ty: Type, x: Local) {
    let least = match ty.scalar {
        Scalar::F64 => Imm::F64(f64::MIN_POSITIVE),
        _ => Imm::F32(f32::MIN_POSITIVE),
    };
    f.get(x);
    float(f, Op::Abs, ty);
    immediate(f, least, ty.lanes);
    float(f, Op::Lt, ty);
}

/// Pushes a float, or 0 with its sign where `condition` pushes true.
fn zero_where(f: &mut Function, ty: Type, x: Local, condition: impl FnOnce(&mut Function)) {
    if ty.lanes > 1 {
        f.get(x);
        condition(f);
        f.ops([Instruction::V128Const(vector([MAGNITUDE; 4])), Instruction::V128And]);
        return f.op(Instruction::V128AndNot);
    }
    let (zero, with_sign) = match ty.scalar {
        Scalar::F64 => (Imm::F64(0.0), Instruction::F64Copysign),
        _ => (Imm::F32(0.0), Instruction::F32Copysign),
    };
    immediate(f, zero, 1);
    f.get(x);
    f.op(with_sign);
    f.get(x);
    condition(f);
    f.op(Instruction::Select);
}
