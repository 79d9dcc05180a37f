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
