//! Operations on signals that are known.

use super::{Found, Missing, Numbers, Signal, Value};
use crate::arithmetic::{Operations, operator};
use crate::dimension::Dimension;
use crate::ir::Imm;
use mam_grammar::ast::BinaryOp;

/// The dimension of two values that are added or compared: a plain number goes with anything.
pub(super) fn common(x: Dimension, y: Dimension) -> Found<Dimension> {
    x.common(y).ok_or(Missing::Wrong)
}

pub(super) fn plain(signal: &Signal) -> Found<()> {
    if signal.dimension == Dimension::PLAIN { Ok(()) } else { Err(Missing::Wrong) }
}

pub(super) fn binary(op: BinaryOp, x: &Signal, y: &Signal) -> Found<Value> {
    let dimension = match op {
        BinaryOp::Concat => return Err(Missing::Wrong),
        BinaryOp::Mul => x.dimension.times(y.dimension),
        BinaryOp::Div => x.dimension.over(y.dimension),
        BinaryOp::Pow => {
            plain(y)?;
            let exponent = Numbers.known(y.channels[0]).unwrap_or(f64::NAN);
            x.dimension.power(exponent).ok_or(Missing::Wrong)?
        }
        BinaryOp::And | BinaryOp::Or => Dimension::PLAIN,
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mod => common(x.dimension, y.dimension)?,
        _ => common(x.dimension, y.dimension).map(|_| Dimension::PLAIN)?,
    };
    each(&[x, y], dimension, |v| operator(&mut Numbers, op, v[0], v[1]))
}

/// Applies `f` to each channel; mono signals go to every channel.
pub(super) fn each(signals: &[&Signal], dimension: Dimension, f: impl Fn(&[Imm]) -> Imm) -> Found<Value> {
    let count = signals.iter().map(|signal| signal.channels.len()).max().unwrap_or(1);
    let of = |i: usize| {
        let values: Vec<Imm> = signals.iter().map(|s| s.channels[i.min(s.channels.len() - 1)]).collect();
        f(&values)
    };
    Ok(Value::Signal(Signal { channels: (0..count).map(of).collect(), dimension }))
}
