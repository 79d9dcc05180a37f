//! What is known of a value before there is sound: its parts, its channels, what it measures, and its number where it is constant.

use super::unknowns::Form;
use crate::arithmetic::Operations;
use crate::dimension::Dimension;
use crate::hir::Type;
use crate::hir::consts::Numbers;
use crate::ir::{Imm, Op};
use std::rc::Rc;
use std::sync::Arc;

/// The value of an expression.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A signal.
    Signal(Signal),
    /// `{ low: …, band: … }`
    Record(Rc<[(Arc<str>, Value)]>),
    /// An argument of which nothing was known: an index into the checker's shapes, which say what has been found out.
    Unknown(usize),
    /// Something is wrong with it, which has been reported.
    Broken,
}

/// What has been found out about the shape of an argument.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Nothing.
    Free,
    /// It is a signal.
    Signal(Signal),
    /// It has these parts, and perhaps others.
    Parts(Vec<(Arc<str>, Value)>),
}

/// A signal: mono or stereo.
#[derive(Clone, Debug)]
pub(super) struct Signal {
    /// Its channels; of a mono signal, the first one twice.
    channels: [Number; 2],
    /// Whether it has two channels.
    pub(super) stereo: bool,
    /// What it measures.
    pub(super) dimension: Form,
}

/// One channel of a signal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    /// What is known of it.
    pub(super) kind: Kind,
    /// What it is never above, in base units; infinite where that is not known.
    pub(super) most: f64,
}

/// How much is known of a channel, the least at the end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// The number itself.
    Known(Imm),
    /// It depends on arguments of which nothing is known, so it may be any constant.
    Open,
    /// It is known while the song plays, and changes only between frames that are rendered together.
    Slow,
    /// It may change in every frame.
    Fast,
}

impl Kind {
    fn rank(self) -> u8 {
        match self {
            Kind::Known(_) => 0,
            Kind::Open => 1,
            Kind::Slow => 2,
            Kind::Fast => 3,
        }
    }
}

impl Number {
    /// A constant.
    pub(super) fn known(imm: Imm) -> Number {
        let most = Some(f64_of(imm)).filter(|x| x.is_finite()).unwrap_or(f64::INFINITY);
        Number { kind: Kind::Known(imm), most }
    }

    /// A real constant.
    pub(super) fn real(x: f64) -> Number {
        Number::known(Imm::F64(x))
    }

    /// Of what is not a constant.
    pub(super) fn varying(kind: Kind) -> Number {
        Number { kind, most: f64::INFINITY }
    }

    /// The number, if it is a constant.
    pub(super) fn constant(self) -> Option<f64> {
        match self.kind {
            Kind::Known(imm) => Some(f64_of(imm)),
            _ => None,
        }
    }

    /// Whether it may be any constant.
    pub(super) fn is_open(self) -> bool {
        matches!(self.kind, Kind::Open)
    }

    /// Whether it cannot change in every frame.
    pub(super) fn is_slow(self) -> bool {
        matches!(self.kind, Kind::Known(_) | Kind::Slow)
    }
}

fn f64_of(imm: Imm) -> f64 {
    Numbers.known(imm).unwrap_or(f64::NAN)
}

/// Arithmetic on numbers that may be known.
pub(super) struct Partial;

impl Partial {
    /// What is known of a result: the number where all operands are known, else as much as of the least known operand.
    fn combine<const N: usize>(args: [Number; N], compute: impl FnOnce([Imm; N]) -> Imm) -> Number {
        let known = args.map(|arg| match arg.kind {
            Kind::Known(imm) => imm,
            _ => Imm::F64(0.0),
        });
        let least = args.iter().map(|arg| arg.kind).max_by_key(|kind| kind.rank());
        match least {
            Some(Kind::Known(_)) | None => Number::known(compute(known)),
            Some(kind) => Number::varying(kind),
        }
    }
}

impl Operations for Partial {
    type Value = Number;

    fn number(&mut self, x: f64) -> Number {
        Number::real(x)
    }

    fn known(&self, value: Number) -> Option<f64> {
        value.constant()
    }

    fn real<const N: usize>(&mut self, op: Op, args: [Number; N]) -> Number {
        let result = Partial::combine(args, |args| Numbers.real(op, args));
        let most = match (op, &args[..]) {
            _ if result.constant().is_some() => result.most,
            (Op::Min, [a, b]) => a.most.min(b.most),
            (Op::Max, [a, b]) => a.most.max(b.most),
            _ => f64::INFINITY,
        };
        Number { most, ..result }
    }

    fn compare(&mut self, op: Op, a: Number, b: Number) -> Number {
        Partial::combine([a, b], |[a, b]| Numbers.compare(op, a, b))
    }

    fn logic<const N: usize>(&mut self, op: Op, args: [Number; N]) -> Number {
        Partial::combine(args, |args| Numbers.logic(op, args))
    }

    fn select(&mut self, condition: Number, a: Number, b: Number) -> Number {
        Partial::combine([condition, a, b], |[condition, a, b]| Numbers.select(condition, a, b))
    }
}

impl Signal {
    pub(super) fn mono(number: Number, dimension: impl Into<Form>) -> Signal {
        Signal { channels: [number; 2], stereo: false, dimension: dimension.into() }
    }

    pub(super) fn stereo(left: Number, right: Number, dimension: impl Into<Form>) -> Signal {
        Signal { channels: [left, right], stereo: true, dimension: dimension.into() }
    }

    /// The channels that it has.
    pub(super) fn channels(&self) -> &[Number] {
        &self.channels[..=usize::from(self.stereo)]
    }

    /// Channel 0 or 1; a mono signal is the same on both.
    pub(super) fn channel(&self, index: usize) -> Number {
        self.channels[index.min(1)]
    }

    /// What `f` makes of each channel of these signals; mono signals go to both.
    pub(super) fn each(
        signals: &[&Signal],
        dimension: impl Into<Form>,
        mut f: impl FnMut(&mut Partial, &[Number]) -> Number,
    ) -> Signal {
        let mut channel = |index: usize| {
            let values: Vec<Number> = signals.iter().map(|signal| signal.channels[index]).collect();
            f(&mut Partial, &values)
        };
        let left = channel(0);
        match signals.iter().any(|signal| signal.stereo) {
            true => Signal::stereo(left, channel(1), dimension),
            false => Signal::mono(left, dimension),
        }
    }

    /// The same signal, of which only this is known of each channel.
    pub(super) fn but(&self, kind: Kind, dimension: impl Into<Form>) -> Signal {
        let number = Number::varying(kind);
        Signal { channels: [number; 2], stereo: self.stereo, dimension: dimension.into() }
    }

    fn is_constant(&self) -> bool {
        self.channels().iter().all(|number| number.constant().is_some())
    }
}

impl Value {
    pub(super) fn mono(number: Number, dimension: impl Into<Form>) -> Value {
        Value::Signal(Signal::mono(number, dimension))
    }

    /// A mono plain number.
    pub(super) fn plain(number: Number) -> Value {
        Value::mono(number, Dimension::PLAIN)
    }

    /// True when no part of the value changes in every frame.
    pub(super) fn is_slow(&self) -> bool {
        match self {
            Value::Signal(signal) => signal.channels().iter().all(|number| number.is_slow()),
            Value::Record(fields) => fields.iter().all(|(_, value)| value.is_slow()),
            Value::Unknown(_) | Value::Broken => false,
        }
    }

    /// True for a signal that is a number on each channel.
    pub(super) fn is_constant(&self) -> bool {
        matches!(self, Value::Signal(signal) if signal.is_constant())
    }

    /// The value as others read it from a buffer: only its channels and dimensions are known.
    pub(super) fn in_buffers(&self) -> Value {
        match self {
            Value::Signal(signal) => Value::Signal(signal.but(Kind::Fast, signal.dimension.clone())),
            Value::Record(fields) => {
                Value::Record(fields.iter().map(|(name, value)| (name.clone(), value.in_buffers())).collect())
            }
            other => other.clone(),
        }
    }

    /// Its type; nothing where that is not known. `resolve` says what is known of dimensions.
    pub(super) fn ty(&self, resolve: &dyn Fn(&Form) -> Option<Dimension>) -> Option<Type> {
        match self {
            Value::Signal(signal) => {
                let (channels, dimension) = (signal.channels().len(), resolve(&signal.dimension));
                Some(Type::Signal { channels, dimension })
            }
            Value::Record(fields) => {
                let part = |(name, value): &(Arc<str>, Value)| Some((name.clone(), value.ty(resolve)?));
                fields.iter().map(part).collect::<Option<_>>().map(Type::Record)
            }
            Value::Unknown(_) | Value::Broken => None,
        }
    }
}
