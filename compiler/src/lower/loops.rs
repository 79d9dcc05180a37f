//! What is unrolled: `sum`, `product`, `max`, `min`, `list` and `chain`, over whole numbers or the elements of a list.

use super::names::Slot;
use super::value::Val;
use super::{At, Lower};
use crate::arithmetic::function;
use crate::codes;
use crate::dimension::Dimension;
use crate::hir::Iteration;
use crate::hir::builtins::Arithmetic;
use mam_grammar::ast::{BinaryOp, Body, ExprId, Over, Reduction};
use mam_grammar::{Problem, Span};

/// A bound, or what is counted.
#[derive(Clone, Copy, PartialEq)]
enum Bound {
    Known(i64),
    /// It depends on an argument of which nothing is known.
    Unknown,
}

/// What one iteration has of its own.
enum Turn {
    /// A number, which also names what the iteration remembers.
    Number(Bound),
    /// An element of a list, with its index.
    Element(i64, Val),
}

impl Lower<'_, '_> {
    /// A whole constant number, or a problem.
    fn bound(&mut self, at: &At, expr: ExprId) -> Option<Bound> {
        let span = self.span(at, expr);
        let val = self.eval(at, expr);
        let (value, dimension) = self.mono(val, span)?;
        if !dimension.can_be(Dimension::PLAIN) {
            let message = format!("a bound must be a plain number, but this is {dimension}");
            self.problem(Problem::new(&codes::DIMENSION, span, message).help("leave out the unit"));
            return None;
        }
        match self.b.constant(value) {
            Some(x) if x.fract() == 0.0 && x.abs() < 1e9 => Some(Bound::Known(x as i64)),
            Some(x) => {
                let message = format!("a bound must be a whole number, and this is {x}");
                self.problem(Problem::new(&codes::BAD_BOUNDS, span, message));
                None
            }
            None if self.is_unknown(value) => Some(Bound::Unknown),
            None => {
                let message = "how often this is repeated must be known before the song starts";
                self.problem(Problem::new(&codes::NOT_CONSTANT, span, message).help("write a whole number"));
                None
            }
        }
    }

    /// The iterations of a loop; a single unknown one where a bound or the list is not known.
    fn turns(&mut self, at: &At, over: Over) -> Option<Vec<Turn>> {
        let span = self.over_span(at, over);
        if self.too_many_loops(span) {
            return None;
        }
        match over {
            Over::Range(from, to) => {
                let (low, high) = (self.bound(at, from), self.bound(at, to));
                let (Bound::Known(low), Bound::Known(high)) = (low?, high?) else {
                    return Some(vec![Turn::Number(Bound::Unknown)]);
                };
                self.counted((high - low).max(-1) + 1, span)?;
                Some((low..=high).map(|i| Turn::Number(Bound::Known(i))).collect())
            }
            Over::List(list) => {
                let val = self.eval(at, list);
                let Some(elements) = self.elements(val, span)? else {
                    return Some(vec![Turn::Element(0, Val::Any)]);
                };
                self.counted(elements.len() as i64, span)?;
                Some(
                    (0..)
                        .zip(elements.iter())
                        .map(|(i, element)| Turn::Element(i, element.clone()))
                        .collect(),
                )
            }
        }
    }

    fn over_span(&self, at: &At, over: Over) -> Span {
        let parts = over.operands();
        self.span(at, parts[0]).to(self.span(at, parts[parts.len() - 1]))
    }

    /// Counts so many iterations; says so where they are too many.
    fn counted(&mut self, count: i64, span: Span) -> Option<()> {
        self.song.terms += count as usize;
        let limits = self.files().limits;
        if count > limits.turns as i64 || self.song.terms > limits.all_turns {
            let (most, name) = match count > limits.turns as i64 {
                true => (limits.turns, "turns"),
                false => (limits.all_turns, "all_turns"),
            };
            let message = format!("this unrolls into more than {most} iterations, the limit `{name}`");
            let problem = Problem::new(&codes::TOO_LARGE, span, message);
            self.problem(problem.help("`sum`, `list` and `chain` are unrolled before the song starts"));
            return None;
        }
        Some(())
    }

    /// One iteration of a loop.
    fn iteration(&mut self, at: &At, expr: ExprId, iteration: Turn, value: Option<Val>, body: &Body) -> Val {
        let of = self.hir(at).loop_scope(expr);
        let index = match iteration {
            Turn::Number(Bound::Known(index)) | Turn::Element(index, _) => index,
            Turn::Number(Bound::Unknown) => 0,
        };
        let path = self.path(at, index);
        let scope = self.loop_scope(at.scope, of, index);
        match (iteration, self.unknown) {
            (Turn::Element(_, element), _) => self.scopes[scope].slots[0] = Slot::Done(element),
            (Turn::Number(Bound::Unknown), Some(unknown)) => {
                self.scopes[scope].slots[0] = Slot::Done(Val::plain(unknown));
            }
            _ => {}
        }
        if let Some(value) = value {
            self.scopes[scope].slots[1] = Slot::Done(value);
        }
        self.scopes[scope].iterations = self.scopes[at.scope].iterations.clone().map(|mut iterations| {
            iterations.push(Iteration { scope: of, counter: index });
            iterations
        });
        self.loops += 1;
        let val = self.body(scope, &path, body);
        self.loops -= 1;
        val
    }

    /// A `sum`, `product`, `max`, `min` or `list`.
    pub(super) fn reduce(
        &mut self,
        at: &At,
        expr: ExprId,
        reduction: Reduction,
        over: Over,
        body: &Body,
    ) -> Val {
        let Some(turns) = self.turns(at, over) else { return Val::Broken };
        let span = self.over_span(at, over);
        if reduction == Reduction::List {
            let unknown = matches!(turns[..], [Turn::Number(Bound::Unknown) | Turn::Element(_, Val::Any)]);
            let elements: Vec<Val> =
                turns.into_iter().map(|iteration| self.iteration(at, expr, iteration, None, body)).collect();
            return if unknown && self.is_generic() { Val::Any } else { self.listed(elements, span) };
        }
        let mut total: Option<Val> = None;
        for iteration in turns {
            let term = self.iteration(at, expr, iteration, None, body);
            total = Some(match total {
                None => term,
                Some(before) => self.reduced(reduction, (before, span), (term, span)),
            });
        }
        match (total, reduction) {
            (Some(total), _) => total,
            (None, Reduction::Product) => Val::plain(self.b.f64(1.0)),
            (None, Reduction::Max | Reduction::Min) => {
                let message = format!("there is no `{}` of nothing", reduction.text());
                let problem = Problem::new(&codes::BAD_BOUNDS, span, message);
                self.problem(problem.help("let it have one iteration or more"))
            }
            (None, _) => Val::plain(self.b.f64(0.0)),
        }
    }

    /// Two values of iterations as one.
    fn reduced(&mut self, reduction: Reduction, a: (Val, Span), b: (Val, Span)) -> Val {
        let arithmetic = match reduction {
            Reduction::Product => return self.binary(BinaryOp::Mul, a, b),
            Reduction::Max => Arithmetic::Max,
            Reduction::Min => Arithmetic::Min,
            Reduction::Sum | Reduction::List => return self.binary(BinaryOp::Add, a, b),
        };
        let (left, right) = (self.signal(a.0, a.1), self.signal(b.0, b.1));
        let (Some(x), Some(y)) = (left, right) else { return Val::Broken };
        match self.common((&x, a.1), (&y, b.1), "compared") {
            Some(dimension) => self.each(&[&x, &y], dimension, |b, v| function(b, arithmetic, v)),
            None => Val::Broken,
        }
    }

    pub(super) fn chain(&mut self, at: &At, expr: ExprId, start: ExprId, over: Over, body: &Body) -> Val {
        let mut val = self.eval(at, start);
        let Some(turns) = self.turns(at, over) else { return Val::Broken };
        for iteration in turns {
            val = self.iteration(at, expr, iteration, Some(val), body);
        }
        val
    }
}
