//! What the ops compute: the functions that the constant folder and the interpreter run. Machine code gives the
//! same bits; only the bits of a NaN are left open.
//!
//! A float that would be subnormal is 0 with its sign. Whether it would be is decided as x86-64 does, after
//! rounding to the full precision; aarch64 decides before (it differs for results within 2⁻²⁵ of the least normal
//! number, seen from below).

use super::{Op, elementary};
use crate::ir::{Imm, Scalar};
use mam_runtime::machine::{self, flush32, flush64};

/// The operands' type does not fit the op: the checker says so before.
#[cold]
fn mistyped(args: &[Imm]) -> ! {
    panic!("an op met operands of other types than it takes: {args:?}")
}

fn unary(args: &[Imm], single: fn(f32) -> f32, double: fn(f64) -> f64) -> Imm {
    match *args {
        [Imm::F32(a)] => Imm::F32(flush32(single(a))),
        [Imm::F64(a)] => Imm::F64(flush64(double(a))),
        _ => mistyped(args),
    }
}

fn number(
    args: &[Imm],
    single: fn(f32, f32) -> f32,
    double: fn(f64, f64) -> f64,
    int: fn(i32, i32) -> i32,
) -> Imm {
    match *args {
        [Imm::F32(a), Imm::F32(b)] => Imm::F32(flush32(single(a, b))),
        [Imm::F64(a), Imm::F64(b)] => Imm::F64(flush64(double(a, b))),
        [Imm::I32(a), Imm::I32(b)] => Imm::I32(int(a, b)),
        _ => mistyped(args),
    }
}

fn compare(
    args: &[Imm],
    single: fn(&f32, &f32) -> bool,
    double: fn(&f64, &f64) -> bool,
    int: fn(&i32, &i32) -> bool,
) -> Imm {
    Imm::Bool(match args {
        [Imm::F32(a), Imm::F32(b)] => single(a, b),
        [Imm::F64(a), Imm::F64(b)] => double(a, b),
        [Imm::I32(a), Imm::I32(b)] => int(a, b),
        _ => mistyped(args),
    })
}

fn bitwise(args: &[Imm], int: fn(i32, i32) -> i32) -> Imm {
    match *args {
        [Imm::I32(a), Imm::I32(b)] => Imm::I32(int(a, b)),
        [Imm::Bool(a), Imm::Bool(b)] => Imm::Bool(int(i32::from(a), i32::from(b)) != 0),
        _ => mistyped(args),
    }
}

pub(super) fn add(args: &[Imm], _: Scalar) -> Imm {
    number(args, |a, b| a + b, |a, b| a + b, i32::wrapping_add)
}

pub(super) fn sub(args: &[Imm], _: Scalar) -> Imm {
    number(args, |a, b| a - b, |a, b| a - b, i32::wrapping_sub)
}

pub(super) fn mul(args: &[Imm], _: Scalar) -> Imm {
    number(args, mul32, mul64, i32::wrapping_mul)
}

/// What rounds to the least normal number may have been below it; the scaled product tells.
fn mul32(a: f32, b: f32) -> f32 {
    let product = a * b;
    let tiny = product.abs() == f32::MIN_POSITIVE && (f64::from(a) * f64::from(b)).abs() < LEAST_NORMAL;
    if tiny { 0f32.copysign(product) } else { product }
}

fn mul64(a: f64, b: f64) -> f64 {
    let product = a * b;
    if product.abs() != f64::MIN_POSITIVE {
        return product;
    }
    let scale = 2f64.powi(80);
    let (least, most) = if a.abs() < b.abs() { (a, b) } else { (b, a) };
    let tiny = (least * scale * most).abs() < f64::MIN_POSITIVE * scale;
    if tiny { 0f64.copysign(product) } else { product }
}

/// What is below it is below the least normal f32 after rounding to 24 bits.
const LEAST_NORMAL: f64 = f32::MIN_POSITIVE as f64 * (1.0 - 1.0 / (1 << 25) as f64);

pub(super) fn div(args: &[Imm], _: Scalar) -> Imm {
    match *args {
        [Imm::F32(a), Imm::F32(b)] => Imm::F32(flush32(div32(a, b))),
        [Imm::F64(a), Imm::F64(b)] => Imm::F64(flush64(div64(a, b))),
        _ => mistyped(args),
    }
}

fn div32(a: f32, b: f32) -> f32 {
    let quotient = a / b;
    let tiny = quotient.abs() == f32::MIN_POSITIVE && (f64::from(a) / f64::from(b)).abs() < LEAST_NORMAL;
    if tiny { 0f32.copysign(quotient) } else { quotient }
}

fn div64(a: f64, b: f64) -> f64 {
    let quotient = a / b;
    let scale = 2f64.powi(80);
    let tiny = quotient.abs() == f64::MIN_POSITIVE && (a * scale / b).abs() < f64::MIN_POSITIVE * scale;
    if tiny { 0f64.copysign(quotient) } else { quotient }
}

pub(super) fn neg(args: &[Imm], _: Scalar) -> Imm {
    match *args {
        [Imm::I32(a)] => Imm::I32(a.wrapping_neg()),
        _ => unary(args, |a| -a, |a| -a),
    }
}

pub(super) fn min(args: &[Imm], _: Scalar) -> Imm {
    number(args, |a, b| if a < b { a } else { b }, |a, b| if a < b { a } else { b }, i32::min)
}

pub(super) fn max(args: &[Imm], _: Scalar) -> Imm {
    number(args, |a, b| if b < a { a } else { b }, |a, b| if b < a { a } else { b }, i32::max)
}

pub(super) fn fma(args: &[Imm], _: Scalar) -> Imm {
    match *args {
        [Imm::F32(a), Imm::F32(b), Imm::F32(c)] => Imm::F32(machine::fma32(a, b, c)),
        [Imm::F64(a), Imm::F64(b), Imm::F64(c)] => Imm::F64(machine::fma64(a, b, c)),
        _ => mistyped(args),
    }
}

pub(super) fn abs(args: &[Imm], _: Scalar) -> Imm {
    unary(args, f32::abs, f64::abs)
}

pub(super) fn sqrt(args: &[Imm], _: Scalar) -> Imm {
    unary(args, f32::sqrt, f64::sqrt)
}

pub(super) fn floor(args: &[Imm], _: Scalar) -> Imm {
    unary(args, f32::floor, f64::floor)
}

pub(super) fn ceil(args: &[Imm], _: Scalar) -> Imm {
    unary(args, f32::ceil, f64::ceil)
}

pub(super) fn trunc(args: &[Imm], _: Scalar) -> Imm {
    unary(args, f32::trunc, f64::trunc)
}

pub(super) fn round(args: &[Imm], _: Scalar) -> Imm {
    unary(args, f32::round_ties_even, f64::round_ties_even)
}

pub(super) fn lt(args: &[Imm], _: Scalar) -> Imm {
    compare(args, f32::lt, f64::lt, i32::lt)
}

pub(super) fn le(args: &[Imm], _: Scalar) -> Imm {
    compare(args, f32::le, f64::le, i32::le)
}

pub(super) fn eq(args: &[Imm], _: Scalar) -> Imm {
    compare(args, f32::eq, f64::eq, i32::eq)
}

pub(super) fn ne(args: &[Imm], _: Scalar) -> Imm {
    compare(args, f32::ne, f64::ne, i32::ne)
}

pub(super) fn select(args: &[Imm], _: Scalar) -> Imm {
    match *args {
        [Imm::Bool(c), a, b] => {
            if c {
                a
            } else {
                b
            }
        }
        _ => mistyped(args),
    }
}

pub(super) fn and(args: &[Imm], _: Scalar) -> Imm {
    bitwise(args, |a, b| a & b)
}

pub(super) fn or(args: &[Imm], _: Scalar) -> Imm {
    bitwise(args, |a, b| a | b)
}

pub(super) fn xor(args: &[Imm], _: Scalar) -> Imm {
    bitwise(args, |a, b| a ^ b)
}

pub(super) fn not(args: &[Imm], _: Scalar) -> Imm {
    match *args {
        [Imm::I32(a)] => Imm::I32(!a),
        [Imm::Bool(a)] => Imm::Bool(!a),
        _ => mistyped(args),
    }
}

pub(super) fn shl(args: &[Imm], _: Scalar) -> Imm {
    bitwise(args, |a, b| a.wrapping_shl(b as u32))
}

pub(super) fn ushr(args: &[Imm], _: Scalar) -> Imm {
    bitwise(args, |a, b| (a as u32).wrapping_shr(b as u32) as i32)
}

pub(super) fn sshr(args: &[Imm], _: Scalar) -> Imm {
    bitwise(args, |a, b| a.wrapping_shr(b as u32))
}

pub(super) fn demote(args: &[Imm], _: Scalar) -> Imm {
    match *args {
        [Imm::F64(a)] => {
            let normal = a.abs() >= LEAST_NORMAL || a == 0.0 || a.is_nan();
            Imm::F32(if normal { flush32(a as f32) } else { 0f32.copysign(a as f32) })
        }
        _ => mistyped(args),
    }
}

pub(super) fn promote(args: &[Imm], _: Scalar) -> Imm {
    match *args {
        [Imm::F32(a)] => Imm::F64(f64::from(a)),
        _ => mistyped(args),
    }
}

pub(super) fn to_float(args: &[Imm], ty: Scalar) -> Imm {
    match *args {
        [Imm::I32(a)] if ty == Scalar::F32 => Imm::F32(a as f32),
        [Imm::I32(a)] => Imm::F64(f64::from(a)),
        _ => mistyped(args),
    }
}

pub(super) fn to_int(args: &[Imm], _: Scalar) -> Imm {
    match *args {
        [Imm::F32(a)] => Imm::I32(a as i32),
        [Imm::F64(a)] => Imm::I32(a as i32),
        _ => mistyped(args),
    }
}

pub(super) fn bits(args: &[Imm], _: Scalar) -> Imm {
    match *args {
        [Imm::F32(a)] => Imm::I32(a.to_bits() as i32),
        [Imm::I32(a)] => Imm::F32(flush32(f32::from_bits(a as u32))),
        _ => mistyped(args),
    }
}

pub(super) fn high_bits(args: &[Imm], _: Scalar) -> Imm {
    match *args {
        [Imm::F64(a)] => Imm::I32((a.to_bits() >> 32) as i32),
        _ => mistyped(args),
    }
}

pub(super) fn from_high_bits(args: &[Imm], _: Scalar) -> Imm {
    match *args {
        [Imm::I32(a)] => Imm::F64(flush64(f64::from_bits(u64::from(a as u32) << 32))),
        _ => mistyped(args),
    }
}

macro_rules! elementary {
    ($($name:ident $op:ident),+) => {
        $(pub(super) fn $name(args: &[Imm], ty: Scalar) -> Imm {
            elementary::meaning(Op::$op, args, ty)
        })+
    };
}

elementary! {
    sin_turn SinTurn, cos_turn CosTurn, tan_turn TanTurn, exp2 Exp2, log2 Log2, pow Pow, tanh Tanh
}
