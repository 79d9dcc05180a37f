//! Constant folding, by the meanings of the ops, and identities that keep every bit: signed zeros, infinities and
//! flushed results included. Only the bits of a NaN may change. A state that is set to itself is not set, and a condition
//! that always holds is none.

use super::{Context, rebuild};
use crate::ir::{Args, Body, Imm, Inst, Op, Scalar, Type, Value};

pub(super) fn run(old: &Body, cx: Context) -> Body {
    let mut new = rebuild::body(old, |new, _, inst| fold(new, inst));
    let always = |new: &Body, value| new.as_const(value) == Some(Imm::Bool(true));
    new.only_if = new.only_if.filter(|value| !always(&new, *value));
    // A state that is set to itself keeps its value, and is then as constant as the call; but a tail sets what its steady
    // body sets.
    if !cx.has_tail {
        let insts = &new.insts;
        new.sets.retain(|(state, value)| insts[*value].op != Op::Get(*state));
    }
    new
}

/// Whether a body sets a state to itself.
pub(super) fn sets_to_itself(body: &Body) -> bool {
    body.sets.iter().any(|(state, value)| body.insts[*value].op == Op::Get(*state))
}

/// The value of `inst` in `body`: an older one, a constant, or a new instruction.
fn fold(body: &mut Body, inst: Inst) -> Value {
    if let Some(imm) = constant(body, &inst) {
        return body.constant(imm, inst.ty.lanes);
    }
    match identity(body, &inst) {
        Some(Same::Value(value)) => value,
        Some(Same::Imm(imm)) => body.constant(imm, inst.ty.lanes),
        Some(Same::Op(op, args)) => {
            let args = args.into_iter().collect();
            fold(body, Inst { op, ty: inst.ty, args })
        }
        None => body.insts.add(inst),
    }
}

/// What an instruction is, when its operands are constants. (A NaN has no bits to speak of.)
fn constant(body: &Body, inst: &Inst) -> Option<Imm> {
    let mut args = [Imm::F32(0.0); Args::MOST];
    for (value, arg) in args.iter_mut().zip(inst.args.as_slice()) {
        *value = body.as_const(*arg)?;
    }
    match (inst.op, &args[..inst.args.as_slice().len()]) {
        (Op::Bits, [Imm::F32(x)]) if x.is_nan() => None,
        (Op::HighBits, [Imm::F64(x)]) if x.is_nan() => None,
        (Op::Splat | Op::Extract(_), [one]) => Some(*one),
        (Op::Pack, [one, others @ ..]) => others.iter().all(|other| other == one).then_some(*one),
        (op, args) => op.row().meaning.map(|meaning| meaning(args, inst.ty.scalar)),
    }
}

/// A simpler way to say an instruction, of the same type.
enum Same {
    Value(Value),
    Imm(Imm),
    Op(Op, Vec<Value>),
}

fn identity(body: &Body, inst: &Inst) -> Option<Same> {
    let of = |v: Value| (body.insts[v].op, body.insts[v].args);
    let scalar = inst.ty.scalar;
    match *inst.args.as_slice() {
        [a] => {
            let (op, inner) = of(a);
            unary(inst.op, body.ty(a), op, inner.as_slice())
        }
        [a, b] if matches!(inst.op, Op::Lt | Op::Le | Op::Eq | Op::Ne) => {
            binary(body, inst.op, scalar, a, b).or_else(|| chosen(body, inst))
        }
        [a, b] => binary(body, inst.op, scalar, a, b).or_else(|| match inst.op {
            // Constants on the right, where the order does not matter.
            Op::Add | Op::Mul | Op::And | Op::Or | Op::Xor if body.as_const(a).is_some() => {
                binary(body, inst.op, scalar, b, a)
            }
            _ => None,
        }),
        [c, a, b] if inst.op == Op::Select => select(body, scalar, c, a, b),
        [a, b, c] if inst.op == Op::Fma => fma(body, a, b, c),
        [a, b, c, d] if inst.op == Op::Pack && a == b && b == c && c == d => {
            Some(Same::Op(Op::Splat, vec![a]))
        }
        _ => None,
    }
}

fn same(when: bool, value: Value) -> Option<Same> {
    when.then_some(Same::Value(value))
}

/// `op` of what `inner_op` made of `inner`, which has the type `through`.
fn unary(op: Op, through: Type, inner_op: Op, inner: &[Value]) -> Option<Same> {
    match (op, inner_op, inner) {
        (Op::Neg, Op::Neg, &[x]) | (Op::Not, Op::Not, &[x]) => same(true, x),
        (Op::Abs, Op::Neg | Op::Abs, &[x]) => Some(Same::Op(Op::Abs, vec![x])),
        (Op::Not, Op::Eq, &[x, y]) => Some(Same::Op(Op::Ne, vec![x, y])),
        (Op::Not, Op::Ne, &[x, y]) => Some(Same::Op(Op::Eq, vec![x, y])),
        (Op::Demote, Op::Promote, &[x]) => same(true, x),
        // From i32 and back would lose a pattern that was flushed.
        (Op::Bits, Op::Bits, &[x]) => same(through.scalar == Scalar::I32, x),
        // An f64 holds every i32.
        (Op::ToInt, Op::ToFloat, &[x]) => same(through.scalar == Scalar::F64, x),
        (Op::Extract(_), Op::Splat, &[x]) => same(true, x),
        (Op::Extract(lane), Op::Pack, lanes) => lanes.get(lane as usize).map(|x| Same::Value(*x)),
        _ => None,
    }
}

fn binary(body: &Body, op: Op, scalar: Scalar, a: Value, b: Value) -> Option<Same> {
    let k = body.as_const(b);
    let (op_a, op_b) = (&body.insts[a], &body.insts[b]);
    let negated =
        |inst: &Inst| (inst.op == Op::Neg && scalar != Scalar::I32).then(|| inst.args.as_slice()[0]);
    match op {
        Op::Add if is(k, -0.0, 0) => same(true, a),
        Op::Add => negated(op_b).map(|b| Same::Op(Op::Sub, vec![a, b])),
        Op::Sub if is(k, 0.0, 0) => same(true, a),
        Op::Sub if a == b && scalar == Scalar::I32 => Some(Same::Imm(Imm::I32(0))),
        Op::Sub => negated(op_b).map(|b| Same::Op(Op::Add, vec![a, b])),
        Op::Mul | Op::Div if is(k, 1.0, 1) => same(true, a),
        Op::Mul | Op::Div if is(k, -1.0, -1) => Some(Same::Op(Op::Neg, vec![a])),
        Op::Mul if k == Some(Imm::I32(0)) => Some(Same::Imm(Imm::I32(0))),
        Op::Mul | Op::Div => match (negated(op_a), negated(op_b)) {
            (Some(a), Some(b)) => Some(Same::Op(op, vec![a, b])),
            _ => None,
        },
        Op::Min | Op::Max => same(a == b, a),
        Op::Lt | Op::Ne if a == b && (op == Op::Lt || body.ty(a).scalar == Scalar::I32) => {
            Some(Same::Imm(Imm::Bool(false)))
        }
        Op::Le | Op::Eq if a == b && body.ty(a).scalar == Scalar::I32 => Some(Same::Imm(Imm::Bool(true))),
        Op::And | Op::Or if a == b => same(true, a),
        Op::Xor if a == b => Some(Same::Imm(Imm::zero(scalar))),
        Op::And | Op::Or | Op::Xor => logic(op, a, k?),
        Op::Shl | Op::Ushr | Op::Sshr => same(matches!(k, Some(Imm::I32(by)) if by & 31 == 0), a),
        _ => None,
    }
}

/// A comparison of a constant with a choice between two of them: the condition of the choice, its opposite, or a constant.
fn chosen(body: &Body, inst: &Inst) -> Option<Same> {
    let &[a, b] = inst.args.as_slice() else { return None };
    let meaning = inst.op.row().meaning?;
    let compare = |a: Value, b: Value| match meaning(&[body.as_const(a)?, body.as_const(b)?], inst.ty.scalar)
    {
        Imm::Bool(holds) => Some(holds),
        _ => None,
    };
    let arms = |value: Value| match (body.insts[value].op, body.insts[value].args.as_slice()) {
        (Op::Select, &[c, yes, no]) if body.ty(c) == inst.ty => Some((c, yes, no)),
        _ => None,
    };
    let (c, yes, no) = match (arms(a), arms(b)) {
        (Some((c, yes, no)), _) => (c, compare(yes, b)?, compare(no, b)?),
        (_, Some((c, yes, no))) => (c, compare(a, yes)?, compare(a, no)?),
        _ => return None,
    };
    Some(match (yes, no) {
        (true, false) => Same::Value(c),
        (false, true) => Same::Op(Op::Not, vec![c]),
        (holds, _) => Same::Imm(Imm::Bool(holds)),
    })
}

/// Whether a constant is this float, with its sign, or this whole number.
fn is(k: Option<Imm>, float: f64, int: i32) -> bool {
    [Imm::F32(float as f32), Imm::F64(float), Imm::I32(int)].iter().any(|wanted| k == Some(*wanted))
}

/// A bit operation with a constant that is all zeros or all ones.
fn logic(op: Op, a: Value, k: Imm) -> Option<Same> {
    let (zeros, ones) = (k.bits() == 0, matches!(k, Imm::Bool(true) | Imm::I32(-1)));
    match op {
        Op::And if zeros => Some(Same::Imm(k)),
        Op::And if ones => same(true, a),
        Op::Or | Op::Xor if zeros => same(true, a),
        Op::Or if ones => Some(Same::Imm(k)),
        Op::Xor if ones => Some(Same::Op(Op::Not, vec![a])),
        _ => None,
    }
}

fn select(body: &Body, scalar: Scalar, c: Value, a: Value, b: Value) -> Option<Same> {
    if a == b {
        return same(true, a);
    }
    let arms = (body.as_const(a), body.as_const(b));
    match (body.as_const(c), &body.insts[c]) {
        (Some(Imm::Bool(c)), _) => same(true, if c { a } else { b }),
        (_, inst) if inst.op == Op::Not => Some(Same::Op(Op::Select, vec![inst.args.as_slice()[0], b, a])),
        _ if scalar != Scalar::Bool => None,
        _ => match arms {
            (Some(Imm::Bool(true)), Some(Imm::Bool(false))) => same(true, c),
            (Some(Imm::Bool(false)), Some(Imm::Bool(true))) => Some(Same::Op(Op::Not, vec![c])),
            (Some(Imm::Bool(true)), _) => Some(Same::Op(Op::Or, vec![c, b])),
            (_, Some(Imm::Bool(false))) => Some(Same::Op(Op::And, vec![c, a])),
            _ => None,
        },
    }
}

fn fma(body: &Body, a: Value, b: Value, c: Value) -> Option<Same> {
    let k = |v| body.as_const(v);
    match (is(k(a), 1.0, 1), is(k(b), 1.0, 1), is(k(c), -0.0, 0)) {
        (true, _, _) => Some(Same::Op(Op::Add, vec![b, c])),
        (_, true, _) => Some(Same::Op(Op::Add, vec![a, c])),
        (_, _, true) => Some(Same::Op(Op::Mul, vec![a, b])),
        _ => None,
    }
}
