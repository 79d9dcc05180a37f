//! The linear form: a circle through one f32 state that is `a·s + x` as a whole, with a slow.
//!
//! With s the state before the turn and xₖ what the k-th frame adds, the states after the frames are
//! `aᵏ⁺¹·s + Qₖ`, where `Qₖ = Σⱼ aᵏ⁻ʲ·xⱼ`: two steps of a scan, `P = x + a·slide(x)`, `Q = P + a²·slide²(P)`. So only
//! one multiplication and two additions a turn wait for the turn before.
//!
//! It is computed as `s + ((aᵏ⁺¹ − 1)·s + Qₖ)`: for a slow filter a is nearly 1, and what is missing to 1 would lose
//! most of its digits in an f32, and the filter its gain.

use super::circles::{Circle, next_of};
use crate::ir::{Body, Imm, Op, Rate, Scalar, StateSlot, Type, Value};
use mam_grammar::Handle;
use std::collections::HashMap;

/// A linear circle.
pub(super) struct Linear {
    pub(super) state: Handle<StateSlot>,
    pub(super) get: Value,
    pub(super) next: Value,
    /// How much of the state is in what it is set to.
    pub(super) slope: Slope,
}

/// How much of the state is in a value, as a formula of slow values of the old body.
#[derive(Clone, Debug)]
pub(super) enum Slope {
    One,
    Neg(Box<Slope>),
    Add(Box<Slope>, Box<Slope>),
    Mul(Box<Slope>, Value),
    Div(Box<Slope>, Value),
}

/// How large a slope may grow: each member is followed once for each of its users.
const MEMBERS: usize = 12;

/// The circle as a linear one.
pub(super) fn linear(body: &Body, rates: &[Rate], circle: &Circle) -> Option<Linear> {
    let mut gets = circle.iter().filter(|v| matches!(body.insts[**v].op, Op::Get(_)));
    let (get, None) = (*gets.next()?, gets.next()) else { return None };
    let Op::Get(state) = body.insts[get].op else { return None };
    if circle.len() > MEMBERS || circle.iter().any(|v| body.ty(*v) != Type::F32) {
        return None;
    }
    let mut slopes: HashMap<Value, Slope> = HashMap::new();
    for value in circle {
        let slope = slope(body, rates, &slopes, *value)?;
        slopes.insert(*value, slope);
    }
    let next = next_of(body, Op::Get(state))?;
    Some(Linear { state, get, next, slope: slopes.remove(&next)? })
}

/// The slope of a member whose operands are known; none where it is not linear.
pub(super) fn slope(
    body: &Body,
    rates: &[Rate],
    known: &HashMap<Value, Slope>,
    value: Value,
) -> Option<Slope> {
    use Slope::{Add, Div, Mul, Neg, One};
    let of = |v: Value| known.get(&v).cloned();
    let slow = |v: Value| rates[v.index()] != Rate::Sample;
    let sum = |a: Option<Slope>, b: Option<Slope>| match (a, b) {
        (Some(a), Some(b)) => Some(Add(a.into(), b.into())),
        (one, None) | (None, one) => one,
    };
    let times = |a: Value, b: Value| match (of(a), of(b)) {
        (Some(slope), None) if slow(b) => Some(Mul(slope.into(), b)),
        (None, Some(slope)) if slow(a) => Some(Mul(slope.into(), a)),
        _ => None,
    };
    let inst = &body.insts[value];
    match (inst.op, inst.args.as_slice()) {
        (Op::Get(_), _) => Some(One),
        (Op::Neg, &[a]) => Some(Neg(of(a)?.into())),
        (Op::Add, &[a, b]) => sum(of(a), of(b)),
        (Op::Sub, &[a, b]) => sum(of(a), of(b).map(|b| Neg(b.into()))),
        (Op::Mul, &[a, b]) => times(a, b),
        (Op::Div, &[a, b]) if slow(b) => Some(Div(of(a)?.into(), b)),
        // A product outside the circle is what is added.
        (Op::Fma, &[a, b, c]) => match (of(a).or(of(b)), times(a, b)) {
            (None, _) => of(c),
            (Some(_), product) => sum(Some(product?), of(c)),
        },
        _ => None,
    }
}

/// A slope as an f64. `slow` gives the new value of an old slow one.
pub(super) fn formula(slope: &Slope, new: &mut Body, slow: &mut impl FnMut(Value) -> Value) -> Value {
    let wide = |new: &mut Body, slow: &mut dyn FnMut(Value) -> Value, value: Value| {
        let value = slow(value);
        match (new.insts[value].op, new.insts[value].args.as_slice()) {
            (Op::Demote, &[x]) => x,
            (Op::Const(Imm::F32(x)), _) => new.f64(f64::from(x)),
            _ => new.op(Op::Promote, &[value]),
        }
    };
    match slope {
        Slope::One => new.f64(1.0),
        Slope::Neg(a) => {
            let a = formula(a, new, slow);
            new.op(Op::Neg, &[a])
        }
        Slope::Add(a, b) => {
            let (a, b) = (formula(a, new, slow), formula(b, new, slow));
            new.op(Op::Add, &[a, b])
        }
        Slope::Mul(a, by) => {
            let (a, by) = (formula(a, new, slow), wide(new, slow, *by));
            new.op(Op::Mul, &[a, by])
        }
        Slope::Div(a, by) => {
            let (a, by) = (formula(a, new, slow), wide(new, slow, *by));
            new.op(Op::Div, &[a, by])
        }
    }
}

/// Powers of the factor a, as the scan needs them: a and a² in all lanes, and aᵏ − 1 in the lanes, from k = 1.
pub(super) struct Powers {
    pub(super) one: Value,
    pub(super) two: Value,
    pub(super) each: Value,
}

pub(super) fn powers(new: &mut Body, a: Value) -> Powers {
    debug_assert_eq!(new.ty(a).scalar, Scalar::F64);
    let two = new.op(Op::Mul, &[a, a]);
    let three = new.op(Op::Mul, &[two, a]);
    let four = new.op(Op::Mul, &[two, two]);
    let (first, second) = (new.op(Op::Demote, &[a]), new.op(Op::Demote, &[two]));
    let one = new.f64(1.0);
    let lanes = [a, two, three, four].map(|x| {
        let less = new.op(Op::Sub, &[x, one]);
        new.op(Op::Demote, &[less])
    });
    Powers {
        one: new.op(Op::Splat, &[first]),
        two: new.op(Op::Splat, &[second]),
        each: new.op(Op::Pack, &lanes),
    }
}
