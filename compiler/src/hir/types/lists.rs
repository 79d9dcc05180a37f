//! Lists: values of the compiler, of constants, signals, records or lists.

use super::value::{Kind, Number, Shape, Signal, Value};
use super::wanted::Elements;
use super::{At, Checker};
use crate::arithmetic::Operations;
use crate::codes;
use crate::hir::parts::Parts;
use mam_grammar::ast::ExprId;
use mam_grammar::{Problem, Span};
use std::sync::Arc;

impl Checker<'_> {
    /// `[a, b, c]`
    pub(super) fn list(&mut self, at: &At, elements: &[ExprId]) -> Value {
        let all: Vec<Value> = elements.iter().map(|element| self.eval(at, *element)).collect();
        let span = elements.first().map_or_else(Span::default, |first| self.span(at, *first));
        self.listed(all, span)
    }

    /// Values as a list, if they are not too many.
    pub(super) fn listed(&mut self, elements: Vec<Value>, span: Span) -> Value {
        let (count, most) = (elements.len(), self.files().limits.elements);
        if count <= most {
            self.turns += count;
            let elements = Parts::from(elements);
            return self.sized(Value::List(elements.clone()), elements.values(), span);
        }
        let message = format!("this list has {count} elements, more than {most}, the limit `elements`");
        self.problem(Problem::new(&codes::TOO_LARGE, span, message))
    }

    /// `{ low: a, high: b }`
    pub(super) fn record(&mut self, fields: Parts<(Arc<str>, Value)>, span: Span) -> Value {
        self.sized(Value::Record(fields.clone()), fields.values(), span)
    }

    /// A list or a record, if it does not come to too many values.
    fn sized(&mut self, value: Value, values: usize, span: Span) -> Value {
        let most = self.files().limits.values;
        if values <= most {
            return value;
        }
        let message = format!("this comes to more than {most} values, the limit `values`");
        let problem = Problem::new(&codes::TOO_LARGE, span, message);
        self.problem(problem.help("lists and records within it count with all that is in them"))
    }

    /// `xs[i]`
    pub(super) fn index(&mut self, at: &At, of: ExprId, index: ExprId) -> Value {
        let (span, place) = (self.span(at, of), self.span(at, index));
        let value = self.eval(at, of);
        let elements = self.elements(value, span);
        let index_value = self.eval(at, index);
        let Some((index, _)) = self.mono(index_value, place) else { return Value::Broken };
        let elements = match elements {
            None => return Value::Broken,
            Some(Elements::Like(element)) => return element,
            Some(Elements::Known(elements)) => elements,
        };
        match index.constant() {
            Some(i) if i.fract() == 0.0 && (0.0..elements.len() as f64).contains(&i) => {
                elements[i as usize].clone()
            }
            Some(i) if i.fract() != 0.0 => {
                let message = format!("elements are counted by whole numbers, and this is {i}");
                let problem = Problem::new(&codes::NO_ELEMENT, place, message);
                let whole = i.floor().to_string();
                let help = format!("write `{whole}`, or for what lies between two numbers a `table`");
                self.problem(problem.help(help).guess(place, whole))
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
            // It may be any of them.
            None if index.is_open() => self.unknown(),
            None => {
                let message = "which element is meant must be known before the song starts";
                let (list, moving) = (self.files().slice(span), self.files().slice(place));
                let problem = Problem::new(&codes::NOT_CONSTANT, place, message);
                self.problem(problem.help(format!("to choose while it plays: `select({list}, {moving})`")))
            }
        }
    }

    /// An element of a list that is known to have so many.
    pub(super) fn element(&mut self, at: &At, list: ExprId, index: i64) -> Value {
        let value = self.eval(at, list);
        match self.elements(value, self.span(at, list)) {
            Some(Elements::Known(elements)) => elements.get(index as usize).cloned().unwrap_or(Value::Broken),
            Some(Elements::Like(element)) => element,
            None => Value::Broken,
        }
    }

    /// `xs ++ ys`
    pub(super) fn concat(&mut self, at: &At, a: ExprId, b: ExprId) -> Value {
        let sides = [a, b].map(|side| (self.eval(at, side), self.span(at, side)));
        let span = sides[0].1.to(sides[1].1);
        let [left, right] = sides.map(|(value, span)| self.elements(value, span));
        match (left, right) {
            (Some(Elements::Known(left)), Some(Elements::Known(right))) => {
                self.listed(left.iter().chain(right.iter()).cloned().collect(), span)
            }
            (None, _) | (_, None) => Value::Broken,
            _ => self.shaped(Shape::List(None)),
        }
    }

    /// `len(xs)`
    pub(super) fn len(&mut self, at: &At, list: ExprId) -> Value {
        let value = self.eval(at, list);
        match self.elements(value, self.span(at, list)) {
            Some(Elements::Known(elements)) => Value::plain(Number::real(elements.len() as f64)),
            Some(Elements::Like(_)) => Value::plain(self.varying(Kind::Open)),
            None => Value::Broken,
        }
    }

    /// `select(xs, i)`: the last element whose number is not above i, else the first.
    pub(super) fn select(&mut self, at: &At, list: ExprId, index: Option<ExprId>) -> Value {
        let Some(index) = index else { return Value::Broken };
        let (span, place) = (self.span(at, list), self.span(at, index));
        let value = self.eval(at, list);
        let elements = self.elements(value, span);
        let index_value = self.eval(at, index);
        let Some((i, dimension)) = self.mono(index_value, place) else { return Value::Broken };
        let plain = self.plain(&dimension, place, |dimension| {
            let message = format!("an index is a plain number, but this is {dimension}");
            Problem::new(&codes::DIMENSION, place, message)
        });
        if !plain {
            return Value::Broken;
        }
        let elements = match elements {
            None => return Value::Broken,
            Some(Elements::Like(element)) => return element,
            Some(Elements::Known(elements)) => elements,
        };
        let mut chosen: Option<Signal> = None;
        for (number, element) in elements.iter().enumerate() {
            let Some(signal) = self.signal(element.clone(), span) else { return Value::Broken };
            chosen = Some(match chosen {
                None => signal,
                Some(before) => {
                    let places = ((&before.dimension, span), (&signal.dimension, span));
                    let Some(dimension) = self.common(places.0, places.1, "elements of one list") else {
                        return Value::Broken;
                    };
                    self.each(&[&before, &signal], dimension, |o, v| {
                        let reached = o.compare(crate::ir::Op::Le, Number::real(number as f64), i);
                        o.select(reached, v[1], v[0])
                    })
                }
            });
        }
        chosen.map_or_else(
            || {
                let message = "an empty list has no element to choose";
                self.problem(Problem::new(&codes::NO_ELEMENT, span, message))
            },
            Value::Signal,
        )
    }
}
