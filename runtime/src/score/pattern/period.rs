//! After how many cycles a pattern is back at its start.

use super::{Node, Pattern};
use crate::score::rational::{Overflow, Rational};
use rustc_hash::FxHashMap;
use std::sync::Arc;

impl Pattern {
    /// The number of cycles after which the pattern repeats, random draws left aside. Factors that are themselves
    /// patterns are taken for whole numbers.
    ///
    /// # Errors
    /// When the number does not fit.
    pub fn period(&self) -> Result<Rational, Overflow> {
        Periods::default().period(self)
    }
}

/// The periods of parts that stand in several places, each computed once.
#[derive(Default)]
struct Periods(FxHashMap<*const Node, Rational>);

impl Periods {
    fn period(&mut self, pattern: &Pattern) -> Result<Rational, Overflow> {
        if Arc::strong_count(&pattern.0) == 1 {
            return self.compute(pattern);
        }
        let key = Arc::as_ptr(&pattern.0);
        if let Some(&known) = self.0.get(&key) {
            return Ok(known);
        }
        let period = self.compute(pattern)?;
        self.0.insert(key, period);
        Ok(period)
    }

    fn compute(&mut self, pattern: &Pattern) -> Result<Rational, Overflow> {
        let one = Rational::ONE;
        let count = |n: u32| Rational::whole(n.into());
        match pattern.node() {
            Node::Silence | Node::Pure(..) | Node::Signal(_) => Ok(one),
            Node::Table(table) => Ok(table.length),
            Node::Sequence(slots) => self.all(slots.iter().map(|s| &s.pattern))?.common_multiple(one),
            Node::Stack(parts) => self.all(parts),
            Node::Choose(_, parts) => self.all(parts)?.common_multiple(one),
            Node::Fast(factor, of) => self.period(of)? / *factor,
            Node::Repeat(n, of) | Node::Iter { n, of, .. } => {
                self.period(of)?.common_multiple(one)? * count(*n)
            }
            Node::FastBy { by, of, .. } => self.all([by, of])?.common_multiple(one),
            Node::Euclid(_, of) | Node::Reverse(of) => self.period(of)?.common_multiple(one),
            Node::EuclidBy { pulses, steps, rotation, of } => {
                self.all([pulses, steps, rotation, of])?.common_multiple(one)
            }
            Node::Tail(a, b) | Node::Range(a, b) | Node::Apply(_, a, b) => self.all([a, b]),
            Node::Every { n, then, otherwise, .. } => {
                self.all([then, otherwise])?.common_multiple(one)?.common_multiple(count(*n))
            }
            Node::Keep { of, .. }
            | Node::Late(_, of)
            | Node::Ply(_, _, of)
            | Node::Fit(_, of)
            | Node::Map(_, of)
            | Node::Echo { of, .. }
            | Node::Humanize { of, .. }
            | Node::Chords(_, of) => self.period(of),
            Node::ApplyTo(_, a, b) | Node::Struct(a, b) | Node::Mask(a, b) | Node::Pick(a, b) => {
                self.all([a, b])
            }
            Node::Switch { by, then, otherwise } => self.all([by, then, otherwise]),
            Node::Within { of, .. } | Node::Zoom { of, .. } | Node::Loop { each_cycle: true, of, .. } => {
                self.period(of)?.common_multiple(one)
            }
            Node::Loop { length, .. } => Ok(*length),
            Node::Varied(change, of) => self.all(change.patterns().chain([of]))?.common_multiple(one),
        }
    }

    /// The period of several patterns together.
    fn all<'a>(&mut self, parts: impl IntoIterator<Item = &'a Pattern>) -> Result<Rational, Overflow> {
        parts.into_iter().try_fold(Rational::ONE, |sum, part| sum.common_multiple(self.period(part)?))
    }
}
