//! What is known of a value before there is sound: its parts, its channels, what it measures, and its number where it is constant.

use super::place::Expectation;
use super::unknowns::Form;
use crate::arithmetic::Operations;
use crate::dimension::Dimension;
use crate::hir::consts::Numbers;
use crate::hir::parts::{Part, Parts};
pub(super) use crate::interval::{ALL, Range};
use crate::interval::{monotone, negated, product, sum};
use crate::ir::{Imm, Op};
use crate::samples::Samples;
use mam_grammar::Span;
use mam_runtime::stream::Stream;
use std::f64::consts::FRAC_PI_2;
use std::sync::Arc;

/// The value of an expression.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A signal.
    Signal(Signal),
    /// `{ low: …, band: … }`
    Record(Parts<(Arc<str>, Value)>),
    /// `[a, b, c]`
    List(Parts<Value>),
    /// A sound file in memory.
    Buffer(Arc<Samples>),
    /// A buffer that is written while the song plays, of so many channels.
    Recording(usize),
    /// A text, which names something outside.
    Text(Arc<str>),
    /// An argument of which nothing was known: an index into the checker's shapes, which say what has been found out.
    Unknown(usize),
    /// Something is wrong with it, which has been reported.
    Broken,
}

impl Part for Value {
    fn values(&self) -> usize {
        match self {
            Value::Record(fields) => fields.values(),
            Value::List(elements) => elements.values(),
            Value::Signal(_)
            | Value::Buffer(_)
            | Value::Recording(_)
            | Value::Text(_)
            | Value::Unknown(_)
            | Value::Broken => 1,
        }
    }
}

/// What has been found out about the shape of an argument.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Nothing.
    Free,
    /// Nothing but what it measures, or its elements where it is a list.
    Measured(Dimension),
    /// That of an argument, brought into this place; the span is where that is written.
    Fitted(usize, Box<Expectation>, Span),
    /// It is a signal.
    Signal(Signal),
    /// It is a list. Its elements are like this value, where there is one.
    List(Option<Value>),
    /// It is a buffer.
    Buffer,
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
    /// From the least to the greatest that it can be, in base units; infinite where that is not known.
    pub(super) range: Range,
    /// The same for numbers that are one value.
    id: u32,
}

/// The range of a length.
pub(super) const AT_LEAST_0: Range = (0.0, f64::INFINITY);

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
        let x = f64_of(imm);
        let range = if x.is_finite() { (x, x) } else { ALL };
        Number { kind: Kind::Known(imm), range, id: 0 }
    }

    /// A real constant.
    pub(super) fn real(x: f64) -> Number {
        Number::known(Imm::F64(x))
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

    /// The same for numbers that are one value; 0 for constants.
    pub(super) fn id(self) -> u32 {
        self.id
    }

    /// A number of which this is known, and that is another one's value.
    pub(super) fn with_id(self, id: u32) -> Number {
        Number { id, ..self }
    }

    /// The number as it is read from memory: where it may change in every frame, nothing is known of its range.
    fn stored(self) -> Number {
        match self.kind {
            Kind::Fast => Number { range: ALL, ..self },
            _ => self,
        }
    }
}

fn f64_of(imm: Imm) -> f64 {
    Numbers.known(imm).unwrap_or(f64::NAN)
}

/// Arithmetic on numbers that may be known.
#[derive(Default)]
pub(super) struct Partial {
    /// How many numbers were made.
    made: u32,
}

impl Partial {
    /// A number that is not a constant.
    pub(super) fn varying(&mut self, kind: Kind, range: Range) -> Number {
        self.made = self.made.wrapping_add(1);
        Number { kind, range, id: self.made }
    }

    /// What is known of a result: the number where all operands are known, else as much as of the least known operand.
    fn combine<const N: usize>(
        &mut self,
        args: [Number; N],
        range: Range,
        compute: impl FnOnce([Imm; N]) -> Imm,
    ) -> Number {
        let known = args.map(|arg| match arg.kind {
            Kind::Known(imm) => imm,
            _ => Imm::F64(0.0),
        });
        let least = args.iter().map(|arg| arg.kind).max_by_key(|kind| kind.rank());
        match least {
            Some(Kind::Known(_)) | None => Number::known(compute(known)),
            Some(kind) => self.varying(kind, range),
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
        let range = range_of(op, &args);
        self.combine(args, range, |args| Numbers.real(op, args))
    }

    fn compare(&mut self, op: Op, a: Number, b: Number) -> Number {
        self.combine([a, b], TRUTH, |[a, b]| Numbers.compare(op, a, b))
    }

    fn logic<const N: usize>(&mut self, op: Op, args: [Number; N]) -> Number {
        self.combine(args, TRUTH, |args| Numbers.logic(op, args))
    }

    fn select(&mut self, condition: Number, a: Number, b: Number) -> Number {
        let range = (a.range.0.min(b.range.0), a.range.1.max(b.range.1));
        self.combine([condition, a, b], range, |[condition, a, b]| Numbers.select(condition, a, b))
    }
}

/// The range of a truth.
const TRUTH: Range = (0.0, 1.0);

/// The range of what an op makes of real numbers.
fn range_of(op: Op, args: &[Number]) -> Range {
    let of = |i: usize| args[i].range;
    match op {
        Op::Neg => negated(of(0)),
        Op::Abs => match of(0) {
            (low, high) if low >= 0.0 => (low, high),
            (low, high) => (0.0, high.max(-low)),
        },
        Op::Add => sum(of(0), of(1)),
        Op::Sub => sum(of(0), negated(of(1))),
        Op::Mul if args[0].id != 0 && args[0].id == args[1].id => {
            let (low, high) = product(of(0), of(0));
            (low.max(0.0), high)
        }
        Op::Mul => product(of(0), of(1)),
        Op::Div => match of(1) {
            (low, high) if low > 0.0 || high < 0.0 => product(of(0), (1.0 / high, 1.0 / low)),
            _ => ALL,
        },
        Op::Min => (of(0).0.min(of(1).0), of(0).1.min(of(1).1)),
        Op::Max => (of(0).0.max(of(1).0), of(0).1.max(of(1).1)),
        Op::Floor => monotone(of(0), f64::floor),
        Op::Ceil => monotone(of(0), f64::ceil),
        Op::Round => monotone(of(0), f64::round_ties_even),
        Op::Trunc => monotone(of(0), f64::trunc),
        Op::Exp2 => monotone(of(0), f64::exp2),
        Op::Sqrt => monotone(of(0), |x| x.max(0.0).sqrt()),
        Op::SinTurn | Op::CosTurn | Op::Tanh => (-1.0, 1.0),
        Op::Atan => (-FRAC_PI_2, FRAC_PI_2),
        _ => ALL,
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

    /// What `f` makes of each channel; mono signals go to both.
    pub(super) fn map(&self, mut f: impl FnMut(Number) -> Number, dimension: impl Into<Form>) -> Signal {
        let [left, right] = self.channels;
        match self.stereo {
            true => Signal::stereo(f(left), f(right), dimension),
            false => Signal::mono(f(left), dimension),
        }
    }

    pub(super) fn is_constant(&self) -> bool {
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

    /// What reads it while it plays, where it is a sound that is streamed, or a list with one.
    pub(super) fn stream(&self) -> Option<&Stream> {
        match self {
            Value::Buffer(samples) => samples.stream.as_deref(),
            Value::List(elements) => elements.iter().find_map(Value::stream),
            _ => None,
        }
    }

    /// True when no part of the value changes in every frame.
    pub(super) fn is_slow(&self) -> bool {
        match self {
            Value::Signal(signal) => signal.channels().iter().all(|number| number.is_slow()),
            Value::Record(fields) => fields.iter().all(|(_, value)| value.is_slow()),
            Value::List(elements) => elements.iter().all(Value::is_slow),
            Value::Buffer(_) | Value::Text(_) => true,
            Value::Recording(_) | Value::Unknown(_) | Value::Broken => false,
        }
    }

    /// True for a signal that is a number on each channel.
    pub(super) fn is_constant(&self) -> bool {
        matches!(self, Value::Signal(signal) if signal.is_constant())
    }

    /// True when all of it is known before the song starts: of a recording where it is, not what it will hold.
    pub(super) fn is_fixed(&self) -> bool {
        match self {
            Value::Signal(signal) => signal.is_constant(),
            Value::Record(fields) => fields.iter().all(|(_, value)| value.is_fixed()),
            Value::List(elements) => elements.iter().all(Value::is_fixed),
            Value::Buffer(_) | Value::Recording(_) | Value::Text(_) | Value::Broken => true,
            Value::Unknown(_) => false,
        }
    }

    /// What `f` makes of each signal of it.
    pub(super) fn map(&self, f: &mut impl FnMut(&Signal) -> Signal) -> Value {
        match self {
            Value::Signal(signal) => Value::Signal(f(signal)),
            Value::Record(fields) => {
                Value::Record(fields.iter().map(|(name, value)| (name.clone(), value.map(f))).collect())
            }
            Value::List(elements) => Value::List(elements.iter().map(|value| value.map(f)).collect()),
            other => other.clone(),
        }
    }

    /// The value as it is seen across the border of a region: what moves is filtered.
    pub(super) fn filtered(&self) -> Value {
        self.map(&mut |signal| signal.map(Number::stored, signal.dimension.clone()))
    }
}
