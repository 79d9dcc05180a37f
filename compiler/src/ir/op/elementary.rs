//! The elementary functions of f64, each as a formula in other ops: what they mean, to the bit.
//!
//! A formula is written once, over [`Formula`]: of numbers it is what the constant folder and the interpreter compute, of
//! instructions what the optimiser makes of an op ([`crate::opt`]). So no back end needs a mathematical library, and all of
//! them have the same bits: nothing is contracted, and `fma` is not used. The coefficients are near-minimax fits of our own
//! (Chebyshev's expansion in 60 digits, rounded once). Errors are in units in the last place (ulp) of the true result.

use super::Op;
use crate::ir::{Imm, Scalar, Type};

/// What stands for an exponent of 0.
const BIAS: i32 = 1023;
/// Where the exponent stands in the upper half of an f64.
const EXPONENT_PLACE: i32 = 20;
/// The upper half of √½.
const ROOT_HALF_HIGH: i32 = 0x3fe6_a09e;
/// 2²⁷ + 1: what an f64 is multiplied by to be split into two halves of its digits (T. Dekker, 1971).
const SPLITTER: f64 = 134_217_729.0;

/// What formulas are made of: numbers, or instructions.
pub(crate) trait Formula {
    /// A number or an instruction.
    type Value: Copy;

    /// A constant.
    fn constant(&mut self, imm: Imm) -> Self::Value;
    /// An op that has a meaning; the result's type is that of the operands, or what it converts to.
    fn apply(&mut self, op: Op, ty: Type, args: &[Self::Value]) -> Self::Value;
}

/// An elementary function, whose operands are f64.
pub(crate) fn expand<F: Formula>(f: &mut F, op: Op, args: &[F::Value]) -> F::Value {
    let mut f = Writer(f);
    match (op, args) {
        (Op::SinTurn, &[x]) => f.sin_turn(x),
        (Op::CosTurn, &[x]) => f.cos_turn(x),
        (Op::TanTurn, &[x]) => f.tan_turn(x),
        (Op::Exp2, &[x]) => f.exp2(x),
        (Op::Log2, &[x]) => f.log2(x),
        (Op::Pow, &[x, y]) => f.pow(x, y),
        (Op::Tanh, &[x]) => f.tanh(x),
        _ => unreachable!("{op:?} is not an elementary function"),
    }
}

/// Whether an op is an elementary function.
pub(crate) fn is_elementary(op: Op) -> bool {
    use Op::{CosTurn, Exp2, Log2, Pow, SinTurn, TanTurn, Tanh};
    matches!(op, SinTurn | CosTurn | TanTurn | Exp2 | Log2 | Pow | Tanh)
}

/// A number as the unrounded sum of two, of which the second is below half a unit in the last place of the first.
struct Double<V> {
    high: V,
    low: V,
}

struct Writer<'f, F>(&'f mut F);

impl<F: Formula> Writer<'_, F> {
    fn f(&mut self, x: f64) -> F::Value {
        self.0.constant(Imm::F64(x))
    }

    fn i(&mut self, x: i32) -> F::Value {
        self.0.constant(Imm::I32(x))
    }

    fn real(&mut self, op: Op, args: &[F::Value]) -> F::Value {
        self.0.apply(op, Type::F64, args)
    }

    fn int(&mut self, op: Op, args: &[F::Value]) -> F::Value {
        self.0.apply(op, Type::I32, args)
    }

    fn truth(&mut self, op: Op, a: F::Value, b: F::Value) -> F::Value {
        self.0.apply(op, Type::BOOL, &[a, b])
    }

    fn add(&mut self, a: F::Value, b: F::Value) -> F::Value {
        self.real(Op::Add, &[a, b])
    }

    fn sub(&mut self, a: F::Value, b: F::Value) -> F::Value {
        self.real(Op::Sub, &[a, b])
    }

    fn mul(&mut self, a: F::Value, b: F::Value) -> F::Value {
        self.real(Op::Mul, &[a, b])
    }

    fn div(&mut self, a: F::Value, b: F::Value) -> F::Value {
        self.real(Op::Div, &[a, b])
    }

    fn select(&mut self, c: F::Value, a: F::Value, b: F::Value) -> F::Value {
        self.real(Op::Select, &[c, a, b])
    }

    /// c₀ + c₁·z + c₂·z² + …
    fn polynomial(&mut self, z: F::Value, coefficients: &[f64]) -> F::Value {
        let (last, rest) = coefficients.split_last().expect("a polynomial has coefficients");
        let last = self.f(*last);
        rest.iter().rev().fold(last, |sum, c| {
            let product = self.mul(sum, z);
            let c = self.f(*c);
            self.add(product, c)
        })
    }

    /// sin(2πr) for r in [−¼, ¼]: r·2π + r·(what 2π was rounded by + r²·P(r²)). Odd, 0 at 0.
    fn sin_of_quarter(&mut self, r: F::Value) -> F::Value {
        const TAU_LOW: f64 = 2.449_293_598_294_706_4e-16;
        const P: [f64; 9] = [
            -41.341_702_240_399_76,
            81.605_249_276_075_06,
            -76.705_859_753_061_25,
            42.058_693_944_875_33,
            -15.094_642_574_985_086,
            3.819_952_499_833_195_5,
            -0.718_119_990_742_281_5,
            0.104_192_516_411_123_87,
            -0.011_717_551_625_442_718,
        ];
        let z = self.mul(r, r);
        let p = self.polynomial(z, &P);
        let p = self.mul(z, p);
        let low = self.f(TAU_LOW);
        let rest = self.add(low, p);
        let rest = self.mul(r, rest);
        let tau = self.f(std::f64::consts::TAU);
        let first = self.mul(r, tau);
        self.add(first, rest)
    }

    /// ¼ − |r|, whose sine is the cosine of r.
    fn complement(&mut self, r: F::Value) -> F::Value {
        let away = self.real(Op::Abs, &[r]);
        let quarter = self.f(0.25);
        self.sub(quarter, away)
    }

    /// sin(2πx), x less its nearest whole number and mirrored at a quarter, which is exact. Error at most 1.5 ulp; exactly 0
    /// at halves, and odd.
    fn sin_turn(&mut self, x: F::Value) -> F::Value {
        let whole = self.real(Op::Round, &[x]);
        let r = self.sub(x, whole);
        let (half, quarter, zero) = (self.f(0.5), self.f(0.25), self.f(0.0));
        let away = self.real(Op::Abs, &[r]);
        let mirrored = self.sub(half, away);
        let back = self.real(Op::Neg, &[mirrored]);
        let below = self.truth(Op::Lt, r, zero);
        let mirrored = self.select(below, back, mirrored);
        let beyond = self.truth(Op::Lt, quarter, away);
        let r = self.select(beyond, mirrored, r);
        self.sin_of_quarter(r)
    }

    /// cos(2πx) as the sine of what is missing to a quarter. Error at most 1.5 ulp; exactly 0 at odd quarters.
    fn cos_turn(&mut self, x: F::Value) -> F::Value {
        let whole = self.real(Op::Round, &[x]);
        let r = self.sub(x, whole);
        let w = self.complement(r);
        self.sin_of_quarter(w)
    }

    /// tan(2πx): sine by cosine of x less its nearest half. Error at most 3 ulp; infinite at odd quarters.
    fn tan_turn(&mut self, x: F::Value) -> F::Value {
        let half = self.f(0.5);
        let twice = self.add(x, x);
        let halves = self.real(Op::Round, &[twice]);
        let nearest = self.mul(halves, half);
        let r = self.sub(x, nearest);
        let sine = self.sin_of_quarter(r);
        let w = self.complement(r);
        let cosine = self.sin_of_quarter(w);
        self.div(sine, cosine)
    }

    /// 2ⁿ of an i32 n, from its bits; for n in −1022..1023.
    fn power_of_two(&mut self, n: F::Value) -> F::Value {
        let (bias, place) = (self.i(BIAS), self.i(EXPONENT_PLACE));
        let biased = self.int(Op::Add, &[n, bias]);
        let bits = self.int(Op::Shl, &[biased, place]);
        self.real(Op::FromHighBits, &[bits])
    }

    /// x·2ⁿ of an i32 n, in two steps, so that neither factor is out of range; n within ±2000.
    fn scaled(&mut self, x: F::Value, n: F::Value) -> F::Value {
        let one = self.i(1);
        let half = self.int(Op::Sshr, &[n, one]);
        let rest = self.int(Op::Sub, &[n, half]);
        let (first, second) = (self.power_of_two(half), self.power_of_two(rest));
        let x = self.mul(x, first);
        self.mul(x, second)
    }

    /// 2^f − 1 for f in [−½, ½]: f·P(f).
    fn exp2_less_one(&mut self, f: F::Value) -> F::Value {
        const P: [f64; 12] = [
            0.693_147_180_559_945_3,
            0.240_226_506_959_100_72,
            0.055_504_108_664_821_625,
            0.009_618_129_107_628_48,
            0.001_333_355_814_640_647,
            0.000_154_035_303_933_707_34,
            1.525_273_384_155_677_3e-5,
            1.321_548_680_870_556_3e-6,
            1.017_805_708_773_394_1e-7,
            7.054_897_304_155_499_5e-9,
            4.455_817_908_336_064_5e-10,
            2.572_932_417_736_230_5e-11,
        ];
        let p = self.polynomial(f, &P);
        self.mul(f, p)
    }

    /// Limits a power of two to what may be scaled; beyond, it is 0 or infinite anyway. A NaN stays one.
    fn within_exponents(&mut self, x: F::Value) -> F::Value {
        let (most, least) = (self.f(1100.0), self.f(-1100.0));
        let x = self.real(Op::Min, &[most, x]);
        self.real(Op::Max, &[least, x])
    }

    /// 2^(x + low), where `low` is small: (1 + f·P(f))·2ⁿ, n the whole number nearest to x, f what is left. Error at most
    /// 1 ulp, with an exact `low`; exact where x is whole. 0 where the result would be subnormal.
    fn exp2_of(&mut self, x: Double<F::Value>) -> F::Value {
        let high = self.within_exponents(x.high);
        let whole = self.real(Op::Round, &[high]);
        let f = self.sub(high, whole);
        let f = self.add(f, x.low);
        let above = self.exp2_less_one(f);
        let one = self.f(1.0);
        let fraction = self.add(one, above);
        let n = self.int(Op::ToInt, &[whole]);
        self.scaled(fraction, n)
    }

    fn exp2(&mut self, x: F::Value) -> F::Value {
        let low = self.f(0.0);
        self.exp2_of(Double { high: x, low })
    }

    /// The halves of the digits of a number.
    fn split(&mut self, a: F::Value) -> (F::Value, F::Value) {
        let splitter = self.f(SPLITTER);
        let c = self.mul(a, splitter);
        let beyond = self.sub(c, a);
        let high = self.sub(c, beyond);
        let low = self.sub(a, high);
        (high, low)
    }

    /// a·b without rounding (T. Dekker, Numerische Mathematik 18, 1971).
    fn product(&mut self, a: F::Value, b: F::Value) -> Double<F::Value> {
        let high = self.mul(a, b);
        let ((a, a_low), (b, b_low)) = (self.split(a), self.split(b));
        let first = self.mul(a, b);
        let mut low = self.sub(first, high);
        for (x, y) in [(a, b_low), (a_low, b), (a_low, b_low)] {
            let part = self.mul(x, y);
            low = self.add(low, part);
        }
        Double { high, low }
    }

    /// a + b without rounding (D. Knuth, TAOCP 2, 4.2.2).
    fn sum(&mut self, a: F::Value, b: F::Value) -> Double<F::Value> {
        let high = self.add(a, b);
        let of_b = self.sub(high, a);
        let of_a = self.sub(high, of_b);
        let (rest_a, rest_b) = (self.sub(a, of_a), self.sub(b, of_b));
        let low = self.add(rest_a, rest_b);
        Double { high, low }
    }

    /// log₂ of a positive finite x, to about 2⁻⁵⁸ of the part that is not whole: e + (2/ln 2)·(s + s³/3 + …) with x = 2ᵉ·m,
    /// m in [√½, √2), s = (m − 1)/(m + 1); s and its product are unrounded sums of two.
    fn log2_positive(&mut self, x: F::Value) -> Double<F::Value> {
        const SCALE: f64 = 2.885_390_081_777_926_8;
        const SCALE_LOW: f64 = 4.071_054_748_186_206_6e-17;
        const P: [f64; 8] = [
            0.961_796_693_925_975_6,
            0.577_078_016_355_598_1,
            0.412_198_583_102_060_9,
            0.320_598_900_433_083_5,
            0.262_307_862_708_657_8,
            0.221_976_589_808_706_88,
            0.191_425_987_746_902_7,
            0.188_820_429_744_151_06,
        ];
        let (root, place, one) = (self.i(ROOT_HALF_HIGH), self.i(EXPONENT_PLACE), self.f(1.0));
        let bits = self.int(Op::HighBits, &[x]);
        let above = self.int(Op::Sub, &[bits, root]);
        let e = self.int(Op::Sshr, &[above, place]);
        let down = self.int(Op::Neg, &[e]);
        let m = self.scaled(x, down);
        let (below, beyond) = (self.sub(m, one), self.sum(m, one));
        let s = self.div(below, beyond.high);
        let back = self.product(s, beyond.high);
        let rest = self.sub(below, back.high);
        let rest = self.sub(rest, back.low);
        let lost = self.mul(s, beyond.low);
        let rest = self.sub(rest, lost);
        let s_low = self.div(rest, beyond.high);
        let (scale, scale_low) = (self.f(SCALE), self.f(SCALE_LOW));
        let main = self.product(scale, s);
        let z = self.mul(s, s);
        let p = self.polynomial(z, &P);
        let zs = self.mul(z, s);
        let series = self.mul(zs, p);
        let (by_low, of_low) = (self.mul(scale_low, s), self.mul(scale, s_low));
        let low = self.add(by_low, of_low);
        let low = self.add(low, main.low);
        let low = self.add(low, series);
        let e = self.real(Op::ToFloat, &[e]);
        let total = self.sum(e, main.high);
        let low = self.add(total.low, low);
        self.sum(total.high, low)
    }

    /// log₂ x where x is not a positive finite number: −∞ at 0, NaN below, +∞ at +∞; else `log`.
    fn log2_at_edges(&mut self, x: F::Value, log: F::Value) -> F::Value {
        let (zero, infinite) = (self.f(0.0), self.f(f64::INFINITY));
        let finite = self.truth(Op::Lt, x, infinite);
        let log = self.select(finite, log, x);
        let positive = self.truth(Op::Lt, zero, x);
        let at_zero = self.truth(Op::Eq, x, zero);
        let (least, none) = (self.f(f64::NEG_INFINITY), self.f(f64::NAN));
        let other = self.select(at_zero, least, none);
        self.select(positive, log, other)
    }

    /// log₂ x. Error at most 0.6 ulp; exact for powers of two.
    fn log2(&mut self, x: F::Value) -> F::Value {
        let log = self.log2_positive(x);
        self.log2_at_edges(x, log.high)
    }

    /// xʸ = 2^(y·log₂|x|), with the sign of an odd power of a negative x, and NaN for another power of one. Error at most
    /// 1 ulp where the result is within 2^±64, 8 ulp elsewhere. x⁰ is 1, 0ʸ is 0 or infinite.
    fn pow(&mut self, x: F::Value, y: F::Value) -> F::Value {
        let away = self.real(Op::Abs, &[x]);
        let log = self.log2_positive(away);
        let high = self.log2_at_edges(away, log.high);
        let exponent = self.product(y, high);
        let of_low = self.mul(y, log.low);
        let low = self.add(exponent.low, of_low);
        // Of what is infinite or far too large there is no rest.
        let (zero, one, half) = (self.f(0.0), self.f(1.0), self.f(0.5));
        let size = self.real(Op::Abs, &[low]);
        let small = self.truth(Op::Lt, size, one);
        let low = self.select(small, low, zero);
        let size = self.exp2_of(Double { high: exponent.high, low });
        let whole = self.real(Op::Round, &[y]);
        let is_whole = self.truth(Op::Eq, whole, y);
        let halved = self.mul(y, half);
        let even = self.real(Op::Round, &[halved]);
        let is_even = self.truth(Op::Eq, even, halved);
        let negative = self.real(Op::Neg, &[size]);
        let signed = self.select(is_even, size, negative);
        let none = self.f(f64::NAN);
        let signed = self.select(is_whole, signed, none);
        let below = self.truth(Op::Lt, x, zero);
        let power = self.select(below, signed, size);
        let nothing = self.truth(Op::Eq, y, zero);
        self.select(nothing, one, power)
    }

    /// tanh x = (E − 1)/(E + 1) with E = e^(2|x|) = 2ⁿ·(1 + q), written so that nothing cancels where x is small. Error at
    /// most 4 ulp. Odd; ±1 from 22 on.
    fn tanh(&mut self, x: F::Value) -> F::Value {
        const MOST: f64 = 22.0;
        let (zero, one) = (self.f(0.0), self.f(1.0));
        let (most, scale) = (self.f(MOST), self.f(2.0 * std::f64::consts::LOG2_E));
        let away = self.real(Op::Abs, &[x]);
        let away = self.real(Op::Min, &[most, away]);
        let t = self.mul(away, scale);
        let whole = self.real(Op::Round, &[t]);
        let f = self.sub(t, whole);
        let q = self.exp2_less_one(f);
        let n = self.int(Op::ToInt, &[whole]);
        let p = self.power_of_two(n);
        let q = self.mul(p, q);
        let (below, beyond) = (self.sub(p, one), self.add(p, one));
        let (above, below) = (self.add(q, below), self.add(q, beyond));
        let size = self.div(above, below);
        let negative = self.real(Op::Neg, &[size]);
        let is_below = self.truth(Op::Lt, x, zero);
        self.select(is_below, negative, size)
    }
}

/// Formulas of numbers: computed at once.
struct Numbers;

impl Formula for Numbers {
    type Value = Imm;

    fn constant(&mut self, imm: Imm) -> Imm {
        imm
    }

    fn apply(&mut self, op: Op, ty: Type, args: &[Imm]) -> Imm {
        let meaning = op.row().meaning.expect("formulas are made of ops that have a meaning");
        meaning(args, ty.scalar)
    }
}

/// What an elementary function computes: f64 by its formula; f32 by that of f64, rounded once.
pub(super) fn meaning(op: Op, args: &[Imm], scalar: Scalar) -> Imm {
    if scalar == Scalar::F64 {
        return expand(&mut Numbers, op, args);
    }
    let precise: Vec<Imm> = args.iter().map(|x| Numbers.apply(Op::Promote, Type::F64, &[*x])).collect();
    let result = expand(&mut Numbers, op, &precise);
    Numbers.apply(Op::Demote, Type::F32, &[result])
}
