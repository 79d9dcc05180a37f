//! After how many cycles a pattern is back at its start.

use super::{Node, Pattern};
use crate::score::{Overflow, Rational};

impl Pattern {
    /// The number of cycles after which the pattern repeats, random draws left aside. Factors that are themselves
    /// patterns are taken for whole numbers.
    pub fn period(&self) -> Result<Rational, Overflow> {
        let one = Rational::ONE;
        match self.node() {
            Node::Silence | Node::Pure(_) => Ok(one),
            Node::Table(table) => Ok(table.length),
            Node::Sequence(slots) => all(slots.iter().map(|s| &s.pattern))?.common_multiple(one),
            Node::Stack(parts) => all(parts.iter()),
            Node::Choose(_, parts) => all(parts.iter())?.common_multiple(one),
            Node::Fast(factor, of) => of.period()? / *factor,
            Node::Repeat(n, of) => of.period()?.common_multiple(one)? * Rational::whole((*n).into()),
            Node::FastBy { by, of, .. } => all([by, of].into_iter())?.common_multiple(one),
            Node::Euclid(_, of) | Node::Reverse(of) => of.period()?.common_multiple(one),
            Node::EuclidBy { pulses, steps, rotation, of } => {
                all([pulses, steps, rotation, of].into_iter())?.common_multiple(one)
            }
            Node::Tail(a, b) | Node::Range(a, b) | Node::Apply(_, a, b) => all([a, b].into_iter()),
            Node::Every(n, a, b) => {
                all([a, b].into_iter())?.common_multiple(one)?.common_multiple(Rational::whole((*n).into()))
            }
            Node::Iter(n, of) => of.period()?.common_multiple(Rational::whole((*n).into())),
            Node::Keep { of, .. } | Node::Late(_, of) | Node::Ply(_, of) | Node::Map(_, of) => of.period(),
        }
    }
}

fn all<'a>(mut parts: impl Iterator<Item = &'a Pattern>) -> Result<Rational, Overflow> {
    parts.try_fold(Rational::ONE, |sum, p| sum.common_multiple(p.period()?))
}
