//! Rotations in lanes.
//!
//! Sine and cosine of the first frames are computed as they stand, at the call's start; what comes later is turned from there,
//! `s + ((cos θ − 1)·s + sin θ·c)`: of cos θ, which may be nearly 1, more digits are kept so. A call has sixteen iterations, so of a
//! sine at most 1.5·10⁻⁶ is lost before it is anchored anew.
//!
//! The frames of an iteration are turned from those of the iteration before the last where few rotations are in the loop, by twice the
//! angle: an iteration would wait for the one before.

use super::{Builder, SineCosine};
use crate::ir::{Op, Type, Value};
use crate::opt::vectorize::rotation::{CycleLine, Rotation};

/// Fewer rotations than these in a loop wait for themselves.
const BUSY: usize = 4;

/// What a sine and a cosine are turned by, in all lanes: sin θ and cos θ − 1.
#[derive(Clone, Copy)]
struct Angle {
    sin: Value,
    less_cos: Value,
}

impl Builder<'_> {
    /// A sine or cosine as a rotation.
    pub(super) fn rotation(&mut self, rotation: &Rotation) {
        let known = self.rotations.get(&rotation.line.value).copied();
        let turned = known.unwrap_or_else(|| self.turned(rotation.line));
        self.rotations.insert(rotation.line.value, turned);
        let lanes = if self.b.old.insts[rotation.value].op == Op::SinTurn { turned.sin } else { turned.cos };
        self.b.define_lanes(rotation.value, lanes);
    }

    fn turned(&mut self, line: CycleLine) -> SineCosine {
        let cycles = self.first(line.value);
        let first =
            SineCosine { sin: self.b.op(Op::SinTurn, &[cycles]), cos: self.b.op(Op::CosTurn, &[cycles]) };
        // Sine and cosine of half the angle, in f64.
        let gain = self.held_phases[&line.phase].gain;
        let times = self.b.new.i32(line.times);
        let gain = self.b.op(Op::Mul, &[gain, times]);
        let gain = self.b.new.add(Op::ToFloat, Type::F64, &[gain]);
        let half_a_cycle = self.b.new.f64(1.0 / 8_589_934_592.0);
        let half = self.b.op(Op::Mul, &[gain, half_a_cycle]);
        let (sin, cos) = (self.b.op(Op::SinTurn, &[half]), self.b.op(Op::CosTurn, &[half]));
        let (sin, less_cos) = self.doubled(sin, cos);
        let angle = self.angle(sin, less_cos);
        let now = SineCosine { sin: self.loop_carried(first.sin), cos: self.loop_carried(first.cos) };
        if self.lines_in_loop >= BUSY {
            let next = self.rotated(now, angle);
            self.b.new.back_edges.extend([(now.sin, next.sin), (now.cos, next.cos)]);
            return now;
        }
        let second = self.rotated(first, angle);
        let one = self.b.new.f64(1.0);
        let cos = self.b.op(Op::Add, &[less_cos, one]);
        let (sin, less_cos) = self.doubled(sin, cos);
        let angle = self.angle(sin, less_cos);
        let next = SineCosine { sin: self.loop_carried(second.sin), cos: self.loop_carried(second.cos) };
        let later = self.rotated(now, angle);
        self.b.new.back_edges.extend([(now.sin, next.sin), (now.cos, next.cos)]);
        self.b.new.back_edges.extend([(next.sin, later.sin), (next.cos, later.cos)]);
        now
    }

    /// sin 2x and cos 2x − 1, of sin x and cos x in f64.
    fn doubled(&mut self, sin: Value, cos: Value) -> (Value, Value) {
        let twice = self.b.op(Op::Add, &[sin, sin]);
        let product = self.b.op(Op::Mul, &[twice, sin]);
        (self.b.op(Op::Mul, &[twice, cos]), self.b.op(Op::Neg, &[product]))
    }

    fn angle(&mut self, sin: Value, less_cos: Value) -> Angle {
        let [sin, less_cos] = [sin, less_cos].map(|x| {
            let x = self.b.op(Op::Demote, &[x]);
            self.b.op(Op::Splat, &[x])
        });
        Angle { sin, less_cos }
    }

    fn rotated(&mut self, from: SineCosine, by: Angle) -> SineCosine {
        let back = self.b.op(Op::Neg, &[from.sin]);
        let sin = self.mad(by.less_cos, from.sin, from.sin);
        let cos = self.mad(by.less_cos, from.cos, from.cos);
        SineCosine { sin: self.mad(by.sin, from.cos, sin), cos: self.mad(back, by.sin, cos) }
    }
}
