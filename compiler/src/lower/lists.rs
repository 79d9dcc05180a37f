//! Lists: values of the compiler, of constants, signals, records or lists. The IR never sees one.

use super::builder::Builder;
use super::value::{Signal, Val};
use super::{At, Lower};
use crate::dimension::Dimension;
use crate::ir::{Op, Value};
use mam_grammar::Span;
use mam_grammar::ast::ExprId;

impl Lower<'_, '_> {
    /// `[a, b, c]`
    pub(super) fn list(&mut self, at: &At, elements: &[ExprId]) -> Val {
        let all: Vec<Val> = elements.iter().map(|element| self.eval(at, *element)).collect();
        let span = elements.first().map_or_else(Span::default, |first| self.span(at, *first));
        self.listed(all, span)
    }

    /// Values as a list.
    pub(super) fn listed(&mut self, elements: Vec<Val>, span: Span) -> Val {
        match self.too_many_iterations(elements.len(), span) {
            true => Val::Broken,
            false => Val::List(elements.into()),
        }
    }

    /// `xs[i]`
    pub(super) fn index(&mut self, at: &At, of: ExprId, index: ExprId) -> Val {
        let (elements, index) = (self.eval(at, of).elements(), self.eval(at, index).mono());
        let (Some(elements), Some((index, _))) = (elements, index) else { return Val::Broken };
        let index = self.b.constant(index).unwrap_or(-1.0);
        elements.get(index as usize).filter(|_| index >= 0.0).cloned().unwrap_or(Val::Broken)
    }

    /// An element of a list that is known to have so many.
    pub(super) fn element(&mut self, at: &At, list: ExprId, index: i64) -> Val {
        let elements = self.eval(at, list).elements();
        elements.and_then(|elements| elements.get(index as usize).cloned()).unwrap_or(Val::Broken)
    }

    /// `xs ++ ys`
    pub(super) fn concat(&mut self, at: &At, a: ExprId, b: ExprId) -> Val {
        let span = self.span(at, a).to(self.span(at, b));
        match [a, b].map(|side| self.eval(at, side).elements()) {
            [Some(left), Some(right)] => {
                self.listed(left.iter().chain(right.iter()).cloned().collect(), span)
            }
            _ => Val::Broken,
        }
    }

    /// `len(xs)`
    pub(super) fn len(&mut self, at: &At, list: ExprId) -> Val {
        let elements = self.eval(at, list).elements();
        elements.map_or(Val::Broken, |elements| Val::plain(self.b.f64(elements.len() as f64)))
    }

    /// `select(xs, i)`: the last element whose number is not above i, else the first.
    pub(super) fn select(&mut self, at: &At, list: ExprId, index: Option<ExprId>) -> Val {
        let Some(index) = index else { return Val::Broken };
        let (elements, index) = (self.eval(at, list).elements(), self.eval(at, index).mono());
        let (Some(elements), Some((i, _))) = (elements, index) else { return Val::Broken };
        let mut chosen: Option<Signal> = None;
        for (number, element) in elements.iter().enumerate() {
            let Some(signal) = element.clone().signal() else { return Val::Broken };
            let choice = match chosen {
                None => Some(signal),
                Some(before) => {
                    let Some(dimension) = before.dimension.common(signal.dimension) else {
                        return Val::Broken;
                    };
                    let number = self.b.f64(number as f64);
                    let i = Signal { channels: [i].into_iter().collect(), dimension: Dimension::PLAIN };
                    let choose = |b: &mut Builder, v: &[Value]| {
                        let reached = b.compare(Op::Le, number, v[2]);
                        b.select(reached, v[1], v[0])
                    };
                    self.each(&[&before, &signal, &i], dimension, choose).signal()
                }
            };
            chosen = choice;
        }
        chosen.map_or(Val::Broken, Val::Signal)
    }
}
