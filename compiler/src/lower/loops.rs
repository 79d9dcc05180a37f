//! What is unrolled: `sum`, `product`, `max`, `min`, `list`, `table` and `chain`, over whole numbers or the elements of a list.

use super::names::Slot;
use super::value::Val;
use super::{At, Lower};
use crate::arithmetic::function;
use crate::hir::Iteration;
use crate::hir::builtins::Arithmetic;
use mam_grammar::Span;
use mam_grammar::ast::{BinaryOp, Body, ExprId, Over, Reduction};

/// What one iteration has of its own.
struct Turn {
    /// The number that it counts, or the index of its element; names what the iteration remembers.
    index: i64,
    /// Its element, where it goes through a list.
    element: Option<Val>,
}

impl Lower<'_, '_> {
    fn bound(&mut self, at: &At, expr: ExprId) -> Option<i64> {
        let (value, _) = self.eval(at, expr).mono()?;
        self.b.constant(value).map(|x| x as i64)
    }

    /// The iterations of a loop; none where the song becomes too large.
    fn turns(&mut self, at: &At, over: Over) -> Option<Vec<Turn>> {
        let span = self.over_span(at, over);
        match over {
            Over::Range(from, to) => {
                let (low, high) = (self.bound(at, from), self.bound(at, to));
                let (low, high) = (low?, high?);
                let count = (high - low).max(-1) + 1;
                let turns = || (low..=high).map(|index| Turn { index, element: None }).collect();
                (!self.too_many_iterations(count as usize, span)).then(turns)
            }
            Over::List(list) => {
                let elements = self.eval(at, list).elements()?;
                let iteration =
                    |(index, element): (i64, &Val)| Turn { index, element: Some(element.clone()) };
                let turns = || (0..).zip(elements.iter()).map(iteration).collect();
                (!self.too_many_iterations(elements.len(), span)).then(turns)
            }
        }
    }

    fn over_span(&self, at: &At, over: Over) -> Span {
        let parts = over.operands();
        self.span(at, parts[0]).to(self.span(at, parts[parts.len() - 1]))
    }

    /// One iteration of a loop.
    fn iteration(&mut self, at: &At, expr: ExprId, iteration: Turn, value: Option<Val>, body: &Body) -> Val {
        let of = self.hir(at).loop_scope(expr);
        let path = self.path(at, iteration.index);
        let scope = self.loop_scope(at.scope, of, iteration.index);
        if let Some(element) = iteration.element {
            self.scopes[scope].slots[0] = Slot::Done(element);
        }
        if let Some(value) = value {
            self.scopes[scope].slots[1] = Slot::Done(value);
        }
        self.scopes[scope].iterations = self.scopes[at.scope].iterations.clone().map(|mut iterations| {
            iterations.push(Iteration { scope: of, counter: iteration.index });
            iterations
        });
        self.body(scope, &path, body)
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
        if reduction == Reduction::List {
            let elements =
                turns.into_iter().map(|iteration| self.iteration(at, expr, iteration, None, body)).collect();
            return self.listed(elements, self.over_span(at, over));
        }
        if reduction == Reduction::Table {
            let sample = |iteration| {
                let (value, _) = self.iteration(at, expr, iteration, None, body).mono()?;
                self.b.constant(value)
            };
            let samples = turns.into_iter().map(sample).collect::<Option<Vec<f64>>>();
            return samples.map_or(Val::Broken, |samples| self.buffer_of(&samples));
        }
        let mut total: Option<Val> = None;
        for iteration in turns {
            let term = self.iteration(at, expr, iteration, None, body);
            total = Some(match total {
                None => term,
                Some(before) => self.reduced(reduction, before, term),
            });
        }
        total.unwrap_or_else(|| {
            Val::plain(self.b.f64(if reduction == Reduction::Product { 1.0 } else { 0.0 }))
        })
    }

    /// Two values of iterations as one.
    fn reduced(&mut self, reduction: Reduction, a: Val, b: Val) -> Val {
        let arithmetic = match reduction {
            Reduction::Product => return self.binary(BinaryOp::Mul, a, b),
            Reduction::Max => Arithmetic::Max,
            Reduction::Min => Arithmetic::Min,
            Reduction::Sum | Reduction::List | Reduction::Table => return self.binary(BinaryOp::Add, a, b),
        };
        let (Some(x), Some(y)) = (a.signal(), b.signal()) else { return Val::Broken };
        let Some(dimension) = x.dimension.common(y.dimension) else { return Val::Broken };
        self.each(&[&x, &y], dimension, |b, v| function(b, arithmetic, v))
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
