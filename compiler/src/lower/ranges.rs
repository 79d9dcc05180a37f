//! The least and the greatest that a value can have, as far as it can be seen from constants and the ranges of parameters.

use super::Lower;
use crate::interval::{ALL, Range, monotone, product, sum};
use crate::ir::{Op, Scalar, Value};
use rustc_hash::FxHashMap;
use std::f64::consts::FRAC_PI_2;

/// All words of 32 bits.
const WORDS: Range = (i32::MIN as f64, i32::MAX as f64);

impl Lower<'_, '_> {
    /// What a value is never above, where that is known.
    pub(super) fn at_most(&self, value: Value) -> Option<f64> {
        Some(self.range(value, &mut FxHashMap::default()).1).filter(|most| most.is_finite())
    }

    /// The range of a value: a constant's, a parameter's, or what arithmetic makes of those.
    fn range(&self, value: Value, known: &mut FxHashMap<Value, Range>) -> Range {
        if let Some(&range) = known.get(&value) {
            return range;
        }
        let inst = self.b.inst(value);
        let args = inst.args.as_slice();
        let mut of = |i: usize| stacker::maybe_grow(32 << 10, 1 << 20, || self.range(args[i], known));
        let wraps = inst.ty.scalar == Scalar::I32;
        let range = match inst.op {
            // A constant of f32 stands for the number that it was rounded from, so that both forms see the same.
            Op::Const(_) => self
                .b
                .exact
                .get(&value)
                .copied()
                .or_else(|| self.b.constant(value))
                .filter(|x| x.is_finite())
                .map_or(ALL, |x| (x, x)),
            Op::Param(i) => {
                let info = self.song.slots.info(self.params[i.index()]);
                (info.min, info.max)
            }
            Op::Demote | Op::Promote | Op::ToFloat => of(0),
            Op::Neg if !wraps => {
                let (low, high) = of(0);
                (-high, -low)
            }
            Op::Abs => match of(0) {
                (low, high) if low >= 0.0 => (low, high),
                (low, high) => (0.0, high.max(-low)),
            },
            Op::Add if !wraps => sum(of(0), of(1)),
            Op::Sub if !wraps => {
                let (low, high) = of(1);
                sum(of(0), (-high, -low))
            }
            Op::Mul if !wraps && args[0] == args[1] => {
                let (low, high) = product(of(0), of(0));
                (low.max(0.0), high)
            }
            Op::Mul if !wraps => product(of(0), of(1)),
            Op::Div => match of(1) {
                (low, high) if low > 0.0 || high < 0.0 => product(of(0), (1.0 / high, 1.0 / low)),
                _ => ALL,
            },
            Op::Min => {
                let ((a, b), (c, d)) = (of(0), of(1));
                (a.min(c), b.min(d))
            }
            Op::Max => {
                let ((a, b), (c, d)) = (of(0), of(1));
                (a.max(c), b.max(d))
            }
            Op::Select => {
                let ((a, b), (c, d)) = (of(1), of(2));
                (a.min(c), b.max(d))
            }
            Op::Floor => monotone(of(0), f64::floor),
            Op::Ceil => monotone(of(0), f64::ceil),
            Op::Round => monotone(of(0), f64::round_ties_even),
            Op::Trunc => monotone(of(0), f64::trunc),
            Op::Exp2 => monotone(of(0), f64::exp2),
            Op::Sqrt => monotone(of(0), |x| x.max(0.0).sqrt()),
            Op::Ushr => match of(1) {
                (by, also) if by == also && (1.0..32.0).contains(&by) => {
                    (0.0, f64::from(u32::MAX >> by as u32))
                }
                _ => WORDS,
            },
            Op::SinTurn | Op::CosTurn | Op::Tanh => (-1.0, 1.0),
            Op::Atan => (-FRAC_PI_2, FRAC_PI_2),
            _ if inst.ty.scalar == Scalar::I32 => WORDS,
            _ if inst.ty.scalar == Scalar::Bool => (0.0, 1.0),
            _ => ALL,
        };
        known.insert(value, range);
        range
    }
}
