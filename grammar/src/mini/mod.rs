//! The mini-notation: the syntax tree of what stands between the quotes of a score line.
//!
//! The tree says what was written, with exact places; what it means in time is the compiler's to say. Words stay
//! words: whether `c4` is a note or `80%` a number depends on what the line plays.

pub mod codes;
mod notations;
mod parse;

pub use notations::Notations;
pub use parse::{MOST_DEPTH, parse};

use crate::float;
use crate::source::Span;
use std::sync::Arc;

/// Sequences that sound together, one of which is chosen, or that follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// How the sequences are joined. [`Joined::Stack`] where there is only one.
    pub joined: Joined,
    /// The sequences of the group, at least one.
    pub parts: Vec<Sequence>,
}

/// How the sequences of a [`Group`] are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// `a , b`: all at once.
    Stack,
    /// `a | b`: one of them in each cycle.
    Choice,
    /// `a . b`: after one another, equally long.
    Feet,
}

/// Steps after one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// `^` before it: its steps define those of the group. Without effect on the sound.
    pub marked: bool,
    /// The steps of the sequence, at least one.
    pub items: Vec<Item>,
}

/// A step with its operators.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The step before its operators are applied.
    pub base: Base,
    /// The operators after the step, in the order in which they are written.
    pub ops: Vec<Op>,
    /// The bytes of the step with its operators.
    pub span: Span,
}

impl Eq for Item {}

/// A step, or the argument of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// A maximal run of word characters, with a `%` where it is a percentage.
    Word(Word),
    /// `[ … ]`: in one step.
    Fast(Group),
    /// `< …, … >`: one step a cycle.
    Slow(Vec<Sequence>),
    /// `{ …, … }%n`: so many steps a cycle.
    Poly {
        /// The sequences that are stacked.
        layers: Vec<Sequence>,
        /// Steps a cycle; those of the first layer where `None`.
        steps: Option<Box<(Base, Span)>>,
    },
}

/// A word with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word as it is written.
    pub text: Arc<str>,
    /// The bytes that it takes up.
    pub span: Span,
}

impl Word {
    /// True for `~` and `-`.
    pub fn is_rest(&self) -> bool {
        matches!(&*self.text, "~" | "-")
    }

    /// The number that it is, if it is a decimal number.
    pub fn number(&self) -> Option<f64> {
        let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'e' | b'E');
        let number = self.text.bytes().all(plain).then(|| float::parse(&self.text)).flatten();
        number.filter(|x| x.is_finite())
    }
}

/// An operator after a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// Which, with its argument.
    pub kind: OpKind,
    /// The bytes that it takes up.
    pub span: Span,
}

/// The operators that may follow a step.
#[derive(Clone, Debug, PartialEq)]
pub enum OpKind {
    /// `@n`, `_n`: the weight grows by n − 1.
    Weight(f64),
    /// `!n`: the repetitions grow by n − 1.
    Replicate(f64),
    /// `?n`: dropped with this chance.
    Degrade(f64),
    /// `(pulses, steps, rotation)`
    Euclid {
        /// Number of onsets, spread as evenly as can be.
        pulses: Box<Item>,
        /// Steps over which they are spread.
        steps: Box<Item>,
        /// How many steps later.
        rotation: Option<Box<Item>>,
    },
    /// `*n`
    Fast(Base),
    /// `/n`
    Slow(Base),
    /// `:x`
    Tail(Base),
    /// `.. x`
    Range(Base),
}
