//! What operators and functions compute, said once: for constants, of numbers, and for lowering, of instructions. So what
//! is known before the song starts has the bits that it would have in a kernel.

use crate::hir::builtins::Arithmetic;
use crate::ir::Op;
use mam_grammar::ast::BinaryOp;

/// What values are made of: numbers, or the instructions of a kernel.
pub(crate) trait Operations {
    /// A value: a real number or a truth.
    type Value: Copy;

    /// A constant.
    fn number(&mut self, x: f64) -> Self::Value;
    /// The number that a value is, if that is known.
    fn known(&self, value: Self::Value) -> Option<f64>;
    /// An op on real numbers.
    fn real<const N: usize>(&mut self, op: Op, args: [Self::Value; N]) -> Self::Value;
    /// A comparison of real numbers.
    fn compare(&mut self, op: Op, a: Self::Value, b: Self::Value) -> Self::Value;
    /// An op on truths; what is not 0 is true.
    fn logic<const N: usize>(&mut self, op: Op, args: [Self::Value; N]) -> Self::Value;
    /// The first where the condition is true, else the second.
    fn select(&mut self, condition: Self::Value, a: Self::Value, b: Self::Value) -> Self::Value;
    /// A value that is a product with a known factor, as the factor and the rest.
    fn factor(&self, _value: Self::Value) -> Option<(f64, Self::Value)> {
        None
    }
    /// `a · x` with a constant.
    fn scale(&mut self, a: f64, x: Self::Value) -> Self::Value {
        let a = self.number(a);
        self.real(Op::Mul, [a, x])
    }
}

/// An operator on one channel.
pub(crate) fn operator<O: Operations>(o: &mut O, op: BinaryOp, x: O::Value, y: O::Value) -> O::Value {
    match op {
        BinaryOp::Or => o.logic(Op::Or, [x, y]),
        BinaryOp::And => o.logic(Op::And, [x, y]),
        BinaryOp::Lt => o.compare(Op::Lt, x, y),
        BinaryOp::Le => o.compare(Op::Le, x, y),
        BinaryOp::Gt => o.compare(Op::Lt, y, x),
        BinaryOp::Ge => o.compare(Op::Le, y, x),
        BinaryOp::Eq => o.compare(Op::Eq, x, y),
        BinaryOp::Ne => o.compare(Op::Ne, x, y),
        BinaryOp::Add => o.real(Op::Add, [x, y]),
        BinaryOp::Sub => o.real(Op::Sub, [x, y]),
        BinaryOp::Mul => o.real(Op::Mul, [x, y]),
        BinaryOp::Div => o.real(Op::Div, [x, y]),
        BinaryOp::Mod => {
            let quotient = o.real(Op::Div, [x, y]);
            let whole = o.real(Op::Floor, [quotient]);
            let rest = o.real(Op::Mul, [whole, y]);
            o.real(Op::Sub, [x, rest])
        }
        BinaryOp::Pow => power(o, x, y),
        BinaryOp::Concat => unreachable!("lists are joined, not computed"),
    }
}

/// A small whole power is a few products; everything else is `pow`.
fn power<O: Operations>(o: &mut O, x: O::Value, y: O::Value) -> O::Value {
    let Some(n) = o.known(y).filter(|n| n.fract() == 0.0 && n.abs() <= 8.0) else {
        return o.real(Op::Pow, [x, y]);
    };
    let mut product = o.number(1.0);
    let mut square = x;
    let mut left = n.abs() as u32;
    while left > 0 {
        if left & 1 == 1 {
            product = if o.known(product) == Some(1.0) { square } else { o.real(Op::Mul, [product, square]) };
        }
        left >>= 1;
        if left > 0 {
            square = o.real(Op::Mul, [square, square]);
        }
    }
    if n < 0.0 {
        let one = o.number(1.0);
        return o.real(Op::Div, [one, product]);
    }
    product
}

/// A function of the language on one channel of each argument.
pub(crate) fn function<O: Operations>(o: &mut O, function: Arithmetic, v: &[O::Value]) -> O::Value {
    let x = v[0];
    match function {
        Arithmetic::Sin => of_angle(o, Op::SinTurn, x),
        Arithmetic::Cos => of_angle(o, Op::CosTurn, x),
        Arithmetic::Tan => of_angle(o, Op::TanTurn, x),
        Arithmetic::Exp => {
            let octaves = o.scale(std::f64::consts::LOG2_E, x);
            o.real(Op::Exp2, [octaves])
        }
        Arithmetic::Log => {
            let log2 = o.real(Op::Log2, [x]);
            o.scale(std::f64::consts::LN_2, log2)
        }
        Arithmetic::Exp2 => o.real(Op::Exp2, [x]),
        Arithmetic::Log2 => o.real(Op::Log2, [x]),
        Arithmetic::Tanh => o.real(Op::Tanh, [x]),
        Arithmetic::Sqrt => o.real(Op::Sqrt, [x]),
        Arithmetic::Atan => o.real(Op::Atan, [x]),
        Arithmetic::Atan2 => atan2(o, x, v[1]),
        Arithmetic::Asin => asin(o, x),
        Arithmetic::Acos => acos(o, x),
        Arithmetic::Sinh => sinh(o, x),
        Arithmetic::Cosh => cosh(o, x),
        Arithmetic::Log10 => {
            let log2 = o.real(Op::Log2, [x]);
            o.scale(std::f64::consts::LOG10_2, log2)
        }
        Arithmetic::Cbrt => cbrt(o, x),
        Arithmetic::Hypot => hypot(o, x, v[1]),
        Arithmetic::Sign => sign(o, x),
        Arithmetic::Abs => o.real(Op::Abs, [x]),
        Arithmetic::Min => o.real(Op::Min, [x, v[1]]),
        Arithmetic::Max => o.real(Op::Max, [x, v[1]]),
        Arithmetic::Clamp => {
            let top = o.real(Op::Min, [x, v[2]]);
            o.real(Op::Max, [top, v[1]])
        }
        Arithmetic::Floor => o.real(Op::Floor, [x]),
        Arithmetic::Ceil => o.real(Op::Ceil, [x]),
        Arithmetic::Round => {
            let half = o.number(0.5);
            let moved = o.real(Op::Add, [x, half]);
            o.real(Op::Floor, [moved])
        }
        Arithmetic::Fract => {
            let whole = o.real(Op::Floor, [x]);
            o.real(Op::Sub, [x, whole])
        }
        Arithmetic::Hz => {
            let a4 = o.number(-69.0);
            let above = o.real(Op::Add, [x, a4]);
            let octaves = o.scale(1.0 / 12.0, above);
            let ratio = o.real(Op::Exp2, [octaves]);
            o.scale(440.0, ratio)
        }
    }
}

/// A function of an angle in radians, whose op takes cycles. `sin(tau · x)` needs no product at all.
fn of_angle<O: Operations>(o: &mut O, op: Op, x: O::Value) -> O::Value {
    const PER_RADIAN: f64 = 1.0 / std::f64::consts::TAU;
    if let Some((factor, y)) = o.factor(x) {
        // An f32 constant is the rounded tau: within its rounding, the cycles are exact.
        let cycles = factor * PER_RADIAN;
        let cycles = if (cycles - cycles.round()).abs() < 1e-7 { cycles.round() } else { cycles };
        let y = if cycles == 1.0 { y } else { o.scale(cycles, y) };
        return o.real(op, [y]);
    }
    let cycles = o.scale(PER_RADIAN, x);
    o.real(op, [cycles])
}

/// The angle of the point (x, y) from the first axis, in −π..π; 0 at the origin.
fn atan2<O: Operations>(o: &mut O, y: O::Value, x: O::Value) -> O::Value {
    let (zero, half_turn) = (o.number(0.0), o.number(std::f64::consts::PI));
    let slope = o.real(Op::Div, [y, x]);
    let angle = o.real(Op::Atan, [slope]);
    let (behind, below) = (o.compare(Op::Lt, x, zero), o.compare(Op::Lt, y, zero));
    let back = o.real(Op::Neg, [half_turn]);
    let turn = o.select(below, back, half_turn);
    let turn = o.select(behind, turn, zero);
    let angle = o.real(Op::Add, [angle, turn]);
    let (no_y, no_x) = (o.compare(Op::Eq, y, zero), o.compare(Op::Eq, x, zero));
    let origin = o.logic(Op::And, [no_y, no_x]);
    o.select(origin, zero, angle)
}

/// arctan(x/√(1 − x²)), with the root of a product in which nothing cancels.
fn asin<O: Operations>(o: &mut O, x: O::Value) -> O::Value {
    let one = o.number(1.0);
    let (below, above) = (o.real(Op::Sub, [one, x]), o.real(Op::Add, [one, x]));
    let product = o.real(Op::Mul, [below, above]);
    let root = o.real(Op::Sqrt, [product]);
    let slope = o.real(Op::Div, [x, root]);
    o.real(Op::Atan, [slope])
}

/// 2·arctan √((1 − x)/(1 + x))
fn acos<O: Operations>(o: &mut O, x: O::Value) -> O::Value {
    let one = o.number(1.0);
    let (below, above) = (o.real(Op::Sub, [one, x]), o.real(Op::Add, [one, x]));
    let quotient = o.real(Op::Div, [below, above]);
    let root = o.real(Op::Sqrt, [quotient]);
    let half = o.real(Op::Atan, [root]);
    o.scale(2.0, half)
}

/// eˣ and e⁻ˣ.
fn exponentials<O: Operations>(o: &mut O, x: O::Value) -> (O::Value, O::Value) {
    let octaves = o.scale(std::f64::consts::LOG2_E, x);
    let down = o.real(Op::Neg, [octaves]);
    (o.real(Op::Exp2, [octaves]), o.real(Op::Exp2, [down]))
}

/// Half the difference of eˣ and e⁻ˣ; where that would cancel, 2t/(1 − t²) of t = tanh(x/2).
fn sinh<O: Operations>(o: &mut O, x: O::Value) -> O::Value {
    let one = o.number(1.0);
    let (up, down) = exponentials(o, x);
    let difference = o.real(Op::Sub, [up, down]);
    let large = o.scale(0.5, difference);
    let half = o.scale(0.5, x);
    let t = o.real(Op::Tanh, [half]);
    let square = o.real(Op::Mul, [t, t]);
    let (twice, rest) = (o.scale(2.0, t), o.real(Op::Sub, [one, square]));
    let small = o.real(Op::Div, [twice, rest]);
    let away = o.real(Op::Abs, [x]);
    let is_small = o.compare(Op::Lt, away, one);
    o.select(is_small, small, large)
}

fn cosh<O: Operations>(o: &mut O, x: O::Value) -> O::Value {
    let (up, down) = exponentials(o, x);
    let sum = o.real(Op::Add, [up, down]);
    o.scale(0.5, sum)
}

/// The root of |x| with the sign of x.
fn cbrt<O: Operations>(o: &mut O, x: O::Value) -> O::Value {
    let (zero, third) = (o.number(0.0), o.number(1.0 / 3.0));
    let away = o.real(Op::Abs, [x]);
    let root = o.real(Op::Pow, [away, third]);
    let back = o.real(Op::Neg, [root]);
    let below = o.compare(Op::Lt, x, zero);
    o.select(below, back, root)
}

/// √(a² + b²), scaled by the greater one, so that no square overflows.
fn hypot<O: Operations>(o: &mut O, a: O::Value, b: O::Value) -> O::Value {
    let (zero, one) = (o.number(0.0), o.number(1.0));
    let (a, b) = (o.real(Op::Abs, [a]), o.real(Op::Abs, [b]));
    let (most, least) = (o.real(Op::Max, [a, b]), o.real(Op::Min, [a, b]));
    let none = o.compare(Op::Eq, most, zero);
    let by = o.select(none, one, most);
    let ratio = o.real(Op::Div, [least, by]);
    let square = o.real(Op::Mul, [ratio, ratio]);
    let sum = o.real(Op::Add, [one, square]);
    let root = o.real(Op::Sqrt, [sum]);
    o.real(Op::Mul, [most, root])
}

fn sign<O: Operations>(o: &mut O, x: O::Value) -> O::Value {
    let (zero, one, minus) = (o.number(0.0), o.number(1.0), o.number(-1.0));
    let (above, below) = (o.compare(Op::Lt, zero, x), o.compare(Op::Lt, x, zero));
    let down = o.select(below, minus, zero);
    o.select(above, one, down)
}

/// A table, whose last number is its first again, at a constant position in cycles.
pub(crate) fn table_at(numbers: &[f64], position: f64) -> f64 {
    let place = (position - position.floor()) * (numbers.len() - 1) as f64;
    let index = (place as usize).min(numbers.len() - 2);
    numbers[index] + (place - index as f64) * (numbers[index + 1] - numbers[index])
}
