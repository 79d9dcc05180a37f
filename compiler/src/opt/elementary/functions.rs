//! The functions, each with its formula and its largest error.

#![expect(
    clippy::excessive_precision,
    clippy::approx_constant,
    reason = "coefficients are fits, which happen to lie near constants"
)]

use super::Ops;
use super::quotients::Quotient;
use crate::ir::{Imm, Op, Value};
use crate::opt::intervals::Interval;

/// 1.5·2²³: adding it rounds to a whole number, which then stands in the low bits.
const ROUNDER: f32 = 12_582_912.0;
/// The bits of 1.0.
const ONE_BITS: i32 = 0x3f80_0000;

impl Ops<'_> {
    /// sin(2πx) = r·(¼ − r²)·P(r²), where r is x less its nearest whole number, in [−½, ½].
    ///
    /// Error at most 3·10⁻⁷ for |x| ≤ 2¹⁵ (beyond, x itself has few digits of its turn left), −138 dB of a sine. Exactly 0 at
    /// 0 and ±½, and odd.
    pub(super) fn sin_turn(&mut self, x: Value) -> Value {
        const P: [f32; 5] = [25.132_73, -64.834_69, 67.043_976, -38.123_646, 12.234_177];
        let r = self.fraction_of_cycle(x);
        let z = self.mul(r, r);
        let quarter = self.f(0.25);
        let zeros = self.sub(quarter, z);
        let p = self.polynomial(z, &P);
        let rz = self.mul(r, zeros);
        self.mul(rz, p)
    }

    /// cos(2πx) = w·P(w²) with w = ¼ − |r|, r as for the sine: cosine is the sine of what is missing to a quarter.
    ///
    /// Error at most 2·10⁻⁷ for |x| ≤ 2¹⁵.
    pub(super) fn cos_turn(&mut self, x: Value) -> Value {
        const P: [f32; 5] = [6.283_185, -41.341_618, 81.598_648, -76.496_048, 39.134_11];
        let r = self.fraction_of_cycle(x);
        let away = self.op(Op::Abs, &[r]);
        let quarter = self.f(0.25);
        let w = self.sub(quarter, away);
        let z = self.mul(w, w);
        let p = self.polynomial(z, &P);
        self.mul(w, p)
    }

    /// tan(2πx) = r·P(r²) / ((¼ − r)·(¼ + r)), where r is x less its nearest half, in [−¼, ¼]: x itself, where it is
    /// known to lie there.
    ///
    /// Relative error at most 4·10⁻⁷ for |x| < ¼, which is where filters use it (x = ½·cutoff/rate).
    pub(super) fn tan_turn(&mut self, x: Value, interval: Interval) -> Quotient {
        const P: [f32; 6] =
            [0.392_699_1, -1.115_481_3, -1.077_028_3, -1.736_124_5, -1.880_891_9, -12.516_236];
        let r = match interval {
            Some((low, high)) if low > -0.25 && high < 0.25 => x,
            _ => {
                let twice = self.add(x, x);
                let halves = self.op(Op::Round, &[twice]);
                let half = self.f(0.5);
                let nearest = self.mul(halves, half);
                self.sub(x, nearest)
            }
        };
        let z = self.mul(r, r);
        let p = self.polynomial(z, &P);
        let above = self.mul(r, p);
        let quarter = self.f(0.25);
        let (below, beyond) = (self.sub(quarter, r), self.add(quarter, r));
        let below = self.mul(below, beyond);
        Quotient { above, below }
    }

    /// x less its nearest whole number. Of a phase, `tofloat(p ushr 8)·2⁻²⁴`, that is the phase read with its sign.
    fn fraction_of_cycle(&mut self, x: Value) -> Value {
        if let Some(phase) = self.phase(x) {
            let (ty, per_cycle) = (self.body.ty(x), self.f(1.0 / 4_294_967_296.0));
            let signed = self.body.add(Op::ToFloat, ty, &[phase]);
            return self.mul(signed, per_cycle);
        }
        let whole = self.op(Op::Round, &[x]);
        self.sub(x, whole)
    }

    /// The 32-bit phase that x was made from, if it was.
    fn phase(&self, x: Value) -> Option<Value> {
        let inst = |v: Value| (self.body.insts[v].op, self.body.insts[v].args);
        let (Op::Mul, product) = inst(x) else { return None };
        let &[a, b] = product.as_slice() else { return None };
        let (float, scale) = if self.body.as_const(a).is_some() { (b, a) } else { (a, b) };
        let (Op::ToFloat, top) = inst(float) else { return None };
        let (Op::Ushr, shift) = inst(top.as_slice()[0]) else { return None };
        let &[phase, by] = shift.as_slice() else { return None };
        let per_cycle = Some(Imm::F32(1.0 / 16_777_216.0));
        let whole = self.body.as_const(scale) == per_cycle && self.body.as_const(by) == Some(Imm::I32(8));
        whole.then_some(phase)
    }

    /// 2ˣ = (1 + f·P(f))·2ⁿ, where n is the whole number nearest to x and f what is left; 2ⁿ is made from its bits.
    ///
    /// Relative error at most 2.2·10⁻⁷. Exact where x is whole; 0 below −126.5, infinite from 127.5 on; a NaN stays.
    pub(super) fn exp2(&mut self, x: Value, interval: Interval) -> Value {
        const P: [f32; 5] = [0.693_147, 0.240_222_25, 0.055_506_51, 0.009_672_649, 0.001_330_359];
        let x = self.clamp(x, interval, -127.0, 128.0);
        let rounder = self.f(ROUNDER);
        let shifted = self.add(x, rounder);
        let whole = self.sub(shifted, rounder);
        let f = self.sub(x, whole);
        let p = self.polynomial(f, &P);
        let one = self.f(1.0);
        let fraction = self.mad(p, f, one);
        // The rounder's own bits leave the word.
        let bits = self.op(Op::Bits, &[shifted]);
        let (places, bias) = (self.i(23), self.i(ONE_BITS));
        let exponent = self.op(Op::Shl, &[bits, places]);
        let power = self.add(exponent, bias);
        let power = self.op(Op::Bits, &[power]);
        self.mul(fraction, power)
    }

    /// log₂ x = e + s·P(s²) with x = 2ᵉ·m, m in [√½, √2), s = (m − 1)/(m + 1).
    ///
    /// Error at most 1.5·10⁻⁷ times the larger of |log₂ x| and its distance from 0 at m = 1 (so it is relative near
    /// 1 too): 3·10⁻⁷ relative. −∞ at 0, NaN below, +∞ at +∞: each is asked for only where x is not known to be another.
    pub(super) fn log2(&mut self, x: Value, interval: Interval) -> Value {
        let (least, most) = interval.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let mut log = self.log2_positive(x);
        if most > f64::from(f32::MAX) {
            let infinite = self.f(f32::INFINITY);
            let finite = self.lt(x, infinite);
            log = self.select(finite, log, x);
        }
        if least >= f64::from(f32::MIN_POSITIVE) {
            return log;
        }
        let zero = self.f(0.0);
        let positive = self.lt(zero, x);
        let mut other = self.f(f32::NEG_INFINITY);
        if least < 0.0 {
            let (at_zero, none) = (self.op(Op::Eq, &[x, zero]), self.f(f32::NAN));
            other = self.select(at_zero, other, none);
        }
        self.select(positive, log, other)
    }

    /// log₂ of a positive finite x.
    fn log2_positive(&mut self, x: Value) -> Value {
        const P: [f32; 4] = [2.885_39, 0.961_821_85, 0.574_598_3, 0.480_094_73];
        const ROOT_HALF_BITS: i32 = 0x3f35_04f3;
        let bits = self.op(Op::Bits, &[x]);
        let (root, places, mask) = (self.i(ROOT_HALF_BITS), self.i(23), self.i((1 << 23) - 1));
        let above = self.sub(bits, root);
        let exponent = self.op(Op::Sshr, &[above, places]);
        let fraction = self.op(Op::And, &[above, mask]);
        let mantissa = self.add(fraction, root);
        let m = self.op(Op::Bits, &[mantissa]);
        let one = self.f(1.0);
        let (below, beyond) = (self.sub(m, one), self.add(m, one));
        let s = self.div(below, beyond);
        let z = self.mul(s, s);
        let p = self.polynomial(z, &P);
        let ty = self.body.ty(x);
        let e = self.body.add(Op::ToFloat, ty, &[exponent]);
        self.mad(s, p, e)
    }

    /// xʸ. Where y is a whole constant up to 16, by multiplication; ½ and −½ by the root. Else |x|ʸ = 2^(y·log₂|x|),
    /// with the sign of an odd power of a negative x, and NaN for another power of one.
    ///
    /// Relative error at most 2.5·10⁻⁷·(1 + |y·log₂ x|) where the result is a normal number. x⁰ is 1, 0ʸ is 0 or
    /// infinite.
    pub(super) fn pow(&mut self, x: Value, y: Value) -> Value {
        match self.body.as_const(y) {
            Some(Imm::F32(k)) if k == k.round() && k.abs() <= 16.0 => self.whole_power(x, k as i32),
            Some(Imm::F32(0.5)) => self.op(Op::Sqrt, &[x]),
            Some(Imm::F32(-0.5)) => {
                let (root, one) = (self.op(Op::Sqrt, &[x]), self.f(1.0));
                self.div(one, root)
            }
            _ => self.any_power(x, y),
        }
    }

    fn any_power(&mut self, x: Value, y: Value) -> Value {
        let away = self.op(Op::Abs, &[x]);
        let log = self.log2(away, None);
        let exponent = self.mul(y, log);
        let size = self.exp2(exponent, None);
        let (zero, one, half) = (self.f(0.0), self.f(1.0), self.f(0.5));
        let whole = self.op(Op::Round, &[y]);
        let is_whole = self.op(Op::Eq, &[whole, y]);
        let halved = self.mul(y, half);
        let even = self.op(Op::Round, &[halved]);
        let is_even = self.op(Op::Eq, &[even, halved]);
        let negative = self.op(Op::Neg, &[size]);
        let signed = self.select(is_even, size, negative);
        let none = self.f(f32::NAN);
        let signed = self.select(is_whole, signed, none);
        let below = self.lt(x, zero);
        let power = self.select(below, signed, size);
        let nothing = self.op(Op::Eq, &[y, zero]);
        self.select(nothing, one, power)
    }

    /// xᵏ by squaring.
    fn whole_power(&mut self, x: Value, k: i32) -> Value {
        let mut result = None;
        let mut square = x;
        let mut left = k.unsigned_abs();
        while left > 0 {
            if left & 1 == 1 {
                result = Some(result.map_or(square, |product| self.mul(product, square)));
            }
            left >>= 1;
            if left > 0 {
                square = self.mul(square, square);
            }
        }
        let one = self.f(1.0);
        match (result, k < 0) {
            (None, _) => one,
            (Some(product), false) => product,
            (Some(product), true) => self.div(one, product),
        }
    }

    /// tanh x = (x + x³·P(x²))/Q(x²), x kept within ±7 (where 1.7·10⁻⁶ is missing to 1).
    ///
    /// Relative error at most 1.5·10⁻⁶. Odd; x itself where x is small; never above 1. What is divided by is in 1..92, and numerator
    /// and denominator are there at the same time: four operations after x².
    pub(super) fn tanh(&mut self, x: Value, interval: Interval) -> Quotient {
        const P: [f32; 3] = [0.123_301_305, 0.002_299_696_4, 4.023_168_46e-6];
        const Q: [f32; 4] = [1.0, 0.456_629_395, 0.021_184_049_5, 0.000_144_658_319];
        let x = self.clamp(x, interval, -7.0, 7.0);
        let z = self.mul(x, x);
        let (p, below) = (self.polynomial(z, &P), self.polynomial(z, &Q));
        let cube = self.mul(x, z);
        let above = self.mad(cube, p, x);
        Quotient { above, below }
    }

    /// arctan x = base + t + t³·P(t²): |x| itself up to tan(π/8), else (|x| − 1)/(|x| + 1) beside π/4, from tan(3π/8) on
    /// −1/|x| beside π/2.
    ///
    /// Relative error at most 2·10⁻⁷. Odd.
    pub(super) fn atan(&mut self, x: Value) -> Value {
        use std::f32::consts::{FRAC_PI_2, FRAC_PI_4};
        const P: [f32; 4] = [-0.333_332_87, 0.199_912_35, -0.140_240_97, 0.085_202_776];
        let (zero, one, minus) = (self.f(0.0), self.f(1.0), self.f(-1.0));
        let away = self.op(Op::Abs, &[x]);
        let (eighth, three) = (self.f(0.414_213_56), self.f(2.414_213_7));
        let (beyond, far) = (self.lt(eighth, away), self.lt(three, away));
        let (less, more) = (self.sub(away, one), self.add(away, one));
        let (middle, last) = (self.f(FRAC_PI_4), self.f(FRAC_PI_2));
        let mut one_of = |[first, middle, last]: [Value; 3]| {
            let outer = self.select(far, last, middle);
            self.select(beyond, outer, first)
        };
        let (above, below) = (one_of([away, less, minus]), one_of([one, more, away]));
        let base = one_of([zero, middle, last]);
        let t = self.div(above, below);
        let z = self.mul(t, t);
        let p = self.polynomial(z, &P);
        let zt = self.mul(z, t);
        let angle = self.mad(zt, p, t);
        let angle = self.add(base, angle);
        let negative = self.op(Op::Neg, &[angle]);
        let is_below = self.lt(x, zero);
        self.select(is_below, negative, angle)
    }
}
