//! `phasor`: a phase of 64 bits in two words, whose overflow is the wrap.
//!
//! The state `phase` is the upper word. The lower one, `phase_low`, is stored less 2³¹, so that a signed comparison tells
//! whether a sum has carried. An invariant frequency f adds round(fract(f/sr)·2⁶⁴) in each frame, computed in f64: the upper word
//! is exact in every frame, however the frames are computed. What moves adds a multiple of 2⁻³² of a cycle, rounded to
//! nearest; where a sum has an invariant part and a moving one (`440Hz + 5Hz * sine(6Hz)`), each is added in its own way.

use super::builder::{Builder, FormKind};
use super::names::Expectation;
use super::value::{Signal, Val};
use super::{At, Lower};
use crate::dimension::Dimension;
use crate::ir::{Imm, Op, Rate, Scalar, Type, Value};
use mam_grammar::ast::ExprId;

/// 2³²: the upper word counts in these parts of a cycle.
const WORD: f64 = 4_294_967_296.0;
/// Half of it: the greatest i32, and one.
const HALF_WORD: f64 = 2_147_483_648.0;
/// The greatest f32 below 2³¹.
const MOST_PARTS: f64 = 2_147_483_520.0;
/// How deep the terms of a frequency are followed.
const DEPTH: usize = 8;

/// A frequency as the sum of what is invariant and what moves; at least one of them is there.
#[derive(Clone, Copy)]
struct Parts {
    /// An f64 that is no faster than a segment.
    invariant: Option<Value>,
    /// An f32 that may change in every frame.
    moving: Option<Value>,
}

impl Lower<'_, '_> {
    /// `phasor(freq, reset)`. The phase is advanced before it is read: the first sample, and that of a reset, is f/sr.
    pub(super) fn phasor(&mut self, at: &At, freq: ExprId, reset: Option<ExprId>) -> Val {
        let val = self.eval(at, freq);
        let val = self.fit(val, &Expectation::of_dimension(Dimension::FREQUENCY));
        let Some(freq) = val.signal() else { return Val::Broken };
        let reset = match reset {
            Some(expr) => match self.eval(at, expr).mono() {
                Some((value, _)) => self.b.truth(value),
                None => return Val::Broken,
            },
            None => self.b.bool(false),
        };
        let phase = |&freq: &Value| {
            self.place(at);
            let mut given = [freq, reset];
            self.b.align(&mut given);
            self.phase(at, given[0], given[1])
        };
        let channels = freq.channels.iter().map(phase).collect();
        Val::Signal(Signal { channels, dimension: Dimension::PLAIN })
    }

    fn phase(&mut self, at: &At, freq: Value, reset: Value) -> Value {
        self.place(at);
        let rate = self.rate(at);
        let b = &mut self.b;
        let parts = b.parts(freq, DEPTH);
        let (upper_state, upper) = b.state(&format!("{}.phase", at.path), Imm::I32(0));
        let (lower_state, lower) = b.state(&format!("{}.phase_low", at.path), Imm::I32(i32::MIN));
        let moving = parts.moving.map(|freq| b.moving_step(rate, freq, parts.invariant.is_some()));
        let step = match parts.invariant {
            Some(freq) => {
                let [whole, part] = b.invariant_step(rate, freq);
                let step = moving.map_or(whole, |moving| b.push(Op::Add, Type::I32, &[moving, whole]));
                if b.imm(part) == Some(Imm::I32(0)) {
                    step
                } else {
                    let zero = b.i32(i32::MIN);
                    let from = b.push(Op::Select, Type::I32, &[reset, zero, lower]);
                    let lower = b.push(Op::Add, Type::I32, &[from, part]);
                    b.set(lower_state, lower);
                    let bound = b.push(Op::Xor, Type::I32, &[part, zero]);
                    let carry = b.mask(lower, bound);
                    b.push(Op::Sub, Type::I32, &[step, carry])
                }
            }
            None => moving.expect("a frequency is invariant or moves"),
        };
        let zero = b.i32(0);
        let from = b.push(Op::Select, Type::I32, &[reset, zero, upper]);
        let phase = b.push(Op::Add, Type::I32, &[from, step]);
        b.set(upper_state, phase);
        // The upper 24 bits are exact in f32.
        let eight = b.i32(8);
        let read = b.push(Op::Ushr, Type::I32, &[phase, eight]);
        let read = b.push(Op::ToFloat, Type::F32, &[read]);
        b.scale(1.0 / 16_777_216.0, read)
    }
}

impl Builder {
    /// What an invariant frequency adds in each frame: the upper and the lower word of round(fract(f/sr)·2⁶⁴).
    fn invariant_step(&mut self, rate: f64, freq: Value) -> [Value; 2] {
        let rate = self.f64(rate);
        let cycles = self.real(Op::Div, [freq, rate]);
        let nearest = self.real(Op::Round, [cycles]);
        let cycles = self.real(Op::Sub, [cycles, nearest]);
        let all = self.scale(WORD * WORD, cycles);
        let all = self.real(Op::Round, [all]);
        let [whole, part] = self.words(all);
        // Half a cycle up is half a cycle down; what is not a number stays one, and adds 0.
        let (half, minus) = (self.f64(HALF_WORD), self.f64(-HALF_WORD));
        let beyond = self.compare(Op::Le, half, whole);
        let whole = self.select(beyond, minus, whole);
        [self.push(Op::ToInt, Type::I32, &[whole]), part]
    }

    /// A whole f64 as its floor in units of 2³², an f64, and the word that is left, an i32.
    pub(super) fn words(&mut self, all: Value) -> [Value; 2] {
        let whole = self.scale(1.0 / WORD, all);
        let whole = self.real(Op::Floor, [whole]);
        let below = self.scale(WORD, whole);
        let part = self.real(Op::Sub, [all, below]);
        let (half, word) = (self.f64(HALF_WORD), self.f64(WORD));
        let small = self.compare(Op::Lt, part, half);
        let wrapped = self.real(Op::Sub, [part, word]);
        let part = self.select(small, part, wrapped);
        [whole, self.push(Op::ToInt, Type::I32, &[part])]
    }

    /// What a frequency that moves adds in a frame, in units of 2⁻³² of a cycle. A constant factor of f32 would be off by
    /// the same in every frame: where nothing else is added, it is two, of which the first has so few digits that the
    /// second is not lost when their products are added and rounded.
    fn moving_step(&mut self, rate: f64, freq: Value, beside_invariant: bool) -> Value {
        let (freq, scale) = self.unscaled(freq);
        let rate = self.f64(rate);
        let scale = self.real(Op::Div, [scale, rate]);
        let cycles = match beside_invariant {
            true => self.real(Op::Mul, [scale, freq]),
            false => {
                let high = self.few_digits(scale);
                let rounded = self.precise(high);
                let rest = self.real(Op::Sub, [scale, rounded]);
                let low = self.real(Op::Mul, [rest, freq]);
                let product = self.real(Op::Mul, [high, freq]);
                if self.constant(rest) == Some(0.0) { product } else { self.real(Op::Add, [low, product]) }
            }
        };
        let half = self.f64(0.5);
        let nearest = self.real(Op::Add, [cycles, half]);
        let nearest = self.real(Op::Floor, [nearest]);
        let cycles = self.real(Op::Sub, [cycles, nearest]);
        let parts = self.scale(WORD, cycles);
        let parts = self.real(Op::Round, [parts]);
        // The conversion is cheap where it can't overflow.
        let most = self.f64(MOST_PARTS);
        let parts = self.real(Op::Min, [parts, most]);
        self.push(Op::ToInt, Type::I32, &[parts])
    }

    /// The upper twelve digits of a value, as an f32.
    fn few_digits(&mut self, value: Value) -> Value {
        const UPPER: i32 = !0xfff;
        let rounded = self.audio(value);
        let bits = self.push(Op::Bits, Type::I32, &[rounded]);
        let mask = self.i32(UPPER);
        let bits = self.push(Op::And, Type::I32, &[bits, mask]);
        self.push(Op::Bits, Type::F32, &[bits])
    }

    /// A value that moves without its slow factors, and their product, an f64.
    fn unscaled(&mut self, value: Value) -> (Value, Value) {
        let (mut value, mut scale) = (value, self.f64(1.0));
        for _ in 0..DEPTH {
            let inst = self.inst(value).clone();
            let (op, x, by) = match (inst.op, inst.args.as_slice()) {
                (Op::Mul, &[x, by]) if self.rate(x) == Rate::Sample => (Op::Mul, x, by),
                (Op::Mul, &[by, x]) => (Op::Mul, x, by),
                (Op::Div, &[x, by]) => (Op::Div, x, by),
                _ => break,
            };
            if self.rate(x) != Rate::Sample {
                break;
            }
            let Some(by) = self.invariant(by) else { break };
            scale = self.real(op, [scale, by]);
            value = x;
        }
        (value, scale)
    }

    /// A frequency's parts.
    fn parts(&mut self, value: Value, depth: usize) -> Parts {
        if let Some(invariant) = self.invariant(value) {
            return Parts { invariant: Some(invariant), moving: None };
        }
        let whole = Parts { invariant: None, moving: Some(value) };
        let inst = self.inst(value).clone();
        let args = inst.args.as_slice();
        if depth == 0 || inst.ty != Type::F32 {
            return whole;
        }
        let parts = match (inst.op, args) {
            (op @ (Op::Add | Op::Sub), &[a, b]) => {
                let (a, b) = (self.parts(a, depth - 1), self.parts(b, depth - 1));
                Parts {
                    invariant: self.term(op, a.invariant, b.invariant),
                    moving: self.term(op, a.moving, b.moving),
                }
            }
            (Op::Mul, &[a, b]) => match (self.invariant(a), self.invariant(b)) {
                (Some(by), _) => self.times(Op::Mul, b, by, depth),
                (_, Some(by)) => self.times(Op::Mul, a, by, depth),
                _ => whole,
            },
            (Op::Div, &[a, b]) => match self.invariant(b) {
                Some(by) => self.times(Op::Div, a, by, depth),
                None => whole,
            },
            _ => whole,
        };
        if parts.invariant.is_some() { parts } else { whole }
    }

    /// a + b or a − b, of which either may be absent.
    fn term(&mut self, op: Op, a: Option<Value>, b: Option<Value>) -> Option<Value> {
        match (a, b) {
            (Some(a), Some(b)) => Some(self.real(op, [a, b])),
            (None, Some(b)) if op == Op::Sub => Some(self.real(Op::Neg, [b])),
            (one, other) => one.or(other),
        }
    }

    /// The parts of x·by or x/by.
    fn times(&mut self, op: Op, x: Value, by: Value, depth: usize) -> Parts {
        let parts = self.parts(x, depth - 1);
        Parts {
            invariant: parts.invariant.map(|invariant| self.real(op, [invariant, by])),
            moving: parts.moving.map(|moving| self.real(op, [moving, by])),
        }
    }

    /// The value that does not move, as an f64 (a bool or an i32 as it is), with the bits that it has in the steady body;
    /// none where it may change in every frame. In a general body, of parameters alone: they are read once a call, until
    /// [`crate::opt::hoist`] finds that one of them moves.
    pub(super) fn invariant(&mut self, value: Value) -> Option<Value> {
        if let Some(&known) = self.invariant.get(&value) {
            return known;
        }
        let invariant = stacker::maybe_grow(64 << 10, 1 << 20, || self.find_invariant(value));
        self.invariant.insert(value, invariant);
        invariant
    }

    fn find_invariant(&mut self, value: Value) -> Option<Value> {
        let inst = self.inst(value).clone();
        let args = inst.args.as_slice();
        if self.rate(value) != Rate::Sample {
            return Some(match (inst.op, inst.ty.scalar) {
                (Op::Demote, _) => args[0],
                (Op::Const(_), Scalar::F32) => match self.exact.get(&value) {
                    Some(&x) => self.f64(x),
                    None => self.precise(value),
                },
                (_, Scalar::F32) => self.precise(value),
                _ => value,
            });
        }
        if self.form() == FormKind::Steady || self.is_declared_late(value) {
            return None;
        }
        match inst.op {
            Op::Param(i) => Some(self.push(Op::Param(i), Type::F64, &[])),
            Op::Demote | Op::Promote => self.invariant(args[0]),
            op if op.row().meaning.is_some() && !matches!(op, Op::Bits | Op::HighBits | Op::FromHighBits) => {
                let args: Vec<Value> = args.iter().map(|&arg| self.invariant(arg)).collect::<Option<_>>()?;
                let ty = if inst.ty == Type::F32 { Type::F64 } else { inst.ty };
                Some(self.push(op, ty, &args))
            }
            _ => None,
        }
    }
}
