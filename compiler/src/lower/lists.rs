//! Lists: values of the compiler, of constants, signals, records or lists. The IR never sees one.

use super::value::{Signal, Val};
use super::{At, Lower};
use crate::codes;
use crate::dimension::Dimension;
use crate::ir::Op;
use mam_grammar::ast::ExprId;
use mam_grammar::{Problem, Span};
use std::rc::Rc;

impl Lower<'_, '_> {
    /// `[a, b, c]`
    pub(super) fn list(&mut self, at: &At, elements: &[ExprId]) -> Val {
        let all: Vec<Val> = elements.iter().map(|element| self.eval(at, *element)).collect();
        let span = elements.first().map_or_else(Span::default, |first| self.span(at, *first));
        self.listed(all, span)
    }

    /// Values as a list, if they are not too many.
    pub(super) fn listed(&mut self, elements: Vec<Val>, span: Span) -> Val {
        let limits = self.files().limits;
        self.song.terms += elements.len();
        if elements.len() > limits.elements {
            let message = format!(
                "this list has {} elements, more than {}, the limit `elements`",
                elements.len(),
                limits.elements
            );
            return self.problem(Problem::new(&codes::TOO_LARGE, span, message));
        }
        Val::List(elements.into())
    }

    /// The elements of a list; none where nothing is known of an argument. Says so where it is none, or broken.
    #[expect(clippy::option_option, reason = "what is unknown is not what is broken")]
    pub(super) fn elements(&mut self, val: Val, span: Span) -> Option<Option<Rc<[Val]>>> {
        match val {
            Val::List(elements) => Some(Some(elements)),
            Val::Any => Some(None),
            Val::Signal(signal) if self.is_unknown(signal.channels[0]) => Some(None),
            Val::Broken => None,
            Val::Signal(_) | Val::Record(_) => {
                let what = if matches!(val, Val::Record(_)) { "a record" } else { "a signal" };
                let message = format!("a list is wanted, and this is {what}");
                let text = self.files().slice(span);
                let problem = Problem::new(&codes::NOT_A_LIST, span, message);
                self.problem(problem.help(format!("a list of one is written `[{text}]`")));
                None
            }
        }
    }

    /// `xs[i]`
    pub(super) fn index(&mut self, at: &At, of: ExprId, index: ExprId) -> Val {
        let (span, place) = (self.span(at, of), self.span(at, index));
        let val = self.eval(at, of);
        let elements = self.elements(val, span);
        let index_val = self.eval(at, index);
        let Some((index, _)) = self.mono(index_val, place) else { return Val::Broken };
        let Some(elements) = elements else { return Val::Broken };
        let Some(elements) = elements else { return Val::Any };
        match self.b.constant(index) {
            Some(i) if i.fract() == 0.0 && (0.0..elements.len() as f64).contains(&i) => {
                elements[i as usize].clone()
            }
            Some(i) => {
                let message = format!("there is no element {i} in a list of {}", elements.len());
                let problem = Problem::new(&codes::NO_ELEMENT, place, message);
                let help = match elements.len() {
                    0 => "the list is empty".to_owned(),
                    count => format!("its elements are numbered from 0 to {}", count - 1),
                };
                self.problem(problem.help(help))
            }
            None if self.is_unknown(index) => elements.first().cloned().unwrap_or(Val::Any),
            None => {
                let message = "which element is meant must be known before the song starts";
                let (list, moving) = (self.files().slice(span), self.files().slice(place));
                let problem = Problem::new(&codes::NOT_CONSTANT, place, message);
                self.problem(problem.help(format!("to choose while it plays: `select({list}, {moving})`")))
            }
        }
    }

    /// An element of a list that is known to have so many.
    pub(super) fn element(&mut self, at: &At, list: ExprId, index: i64) -> Val {
        let span = self.span(at, list);
        let val = self.eval(at, list);
        match self.elements(val, span) {
            Some(Some(elements)) => elements.get(index as usize).cloned().unwrap_or(Val::Broken),
            Some(None) => Val::Any,
            None => Val::Broken,
        }
    }

    /// `xs ++ ys`
    pub(super) fn concat(&mut self, at: &At, a: ExprId, b: ExprId) -> Val {
        let sides = [a, b].map(|side| (self.eval(at, side), self.span(at, side)));
        let span = sides[0].1.to(sides[1].1);
        let [left, right] = sides.map(|(val, span)| self.elements(val, span));
        match (left, right) {
            (Some(Some(left)), Some(Some(right))) => {
                self.listed(left.iter().chain(right.iter()).cloned().collect(), span)
            }
            (None, _) | (_, None) => Val::Broken,
            _ => Val::Any,
        }
    }

    /// `len(xs)`
    pub(super) fn len(&mut self, at: &At, list: ExprId) -> Val {
        let span = self.span(at, list);
        let val = self.eval(at, list);
        match self.elements(val, span) {
            Some(Some(elements)) => Val::plain(self.b.f64(elements.len() as f64)),
            Some(None) => self.unknown.map_or(Val::Any, Val::plain),
            None => Val::Broken,
        }
    }

    /// `select(xs, i)`: the last element whose number is not above i, else the first.
    pub(super) fn select(&mut self, at: &At, list: ExprId, index: Option<ExprId>) -> Val {
        let Some(index) = index else { return Val::Broken };
        let (span, place) = (self.span(at, list), self.span(at, index));
        let val = self.eval(at, list);
        let elements = self.elements(val, span);
        let index_val = self.eval(at, index);
        let Some((i, dimension)) = self.mono(index_val, place) else { return Val::Broken };
        if !dimension.can_be(Dimension::PLAIN) {
            let message = format!("an index is a plain number, but this is {dimension}");
            return self.problem(Problem::new(&codes::DIMENSION, place, message));
        }
        let Some(elements) = elements else { return Val::Broken };
        let Some(elements) = elements else { return Val::Any };
        let mut chosen: Option<Signal> = None;
        for (number, element) in elements.iter().enumerate() {
            let Some(signal) = self.signal(element.clone(), span) else { return Val::Broken };
            chosen = Some(match chosen {
                None => signal,
                Some(before) => {
                    let Some(dimension) =
                        self.common((&before, span), (&signal, span), "elements of one list")
                    else {
                        return Val::Broken;
                    };
                    let number = self.b.f64(number as f64);
                    let reached = self.b.compare(Op::Le, number, i);
                    let choice =
                        self.each(&[&before, &signal], dimension, |b, v| b.select(reached, v[1], v[0]));
                    let Val::Signal(choice) = choice else { return Val::Broken };
                    choice
                }
            });
        }
        chosen.map_or_else(
            || {
                let problem =
                    Problem::new(&codes::NO_ELEMENT, span, "an empty list has no element to choose");
                self.problem(problem)
            },
            Val::Signal,
        )
    }
}
