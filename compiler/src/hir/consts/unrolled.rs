//! Constants that are lists or made of loops: tables, choices, `sum` and its kind.

use super::{
    Evaluator, Found, Missing, Numbers, Signal, Slot, Value, binary, common, done, each, mono, plain,
};
use crate::arithmetic::{Operations, function, table_at};
use crate::dimension::Dimension;
use crate::files::Files;
use crate::hir::ScopeId;
use crate::hir::builtins::Arithmetic;
use crate::hir::parts::Parts;
use crate::hir::resolve::resolved;
use crate::ir::Imm;
use mam_grammar::ast::{BinaryOp, Body, Expr, ExprId, Over, Reduction};

impl Evaluator<'_> {
    pub(super) fn table(&mut self, frame: usize, given: &[ExprId]) -> Found<Value> {
        let &[values, position] = given else { return Err(Missing::Wrong) };
        let written = &self.files.file(self.frames[frame].file).ast.exprs[values];
        // A list that is written there may be longer than one that is a value.
        let list: Parts<Found<Value>> = match written {
            Expr::List(list) if list.len() <= self.files.limits.table => {
                list.iter().map(|number| self.eval(frame, *number)).collect()
            }
            _ => self.list(frame, values)?,
        };
        if list.is_empty() {
            return Err(Missing::Wrong);
        }
        let (mut numbers, mut dimension) = (vec![], None);
        for number in list.iter() {
            let Value::Signal(signal) = number.clone()? else { return Err(Missing::Wrong) };
            dimension = Some(common(dimension.unwrap_or(signal.dimension), signal.dimension)?);
            match &signal.channels[..] {
                &[x] => numbers.extend(Numbers.known(x)),
                _ => return Err(Missing::Wrong),
            }
        }
        numbers.push(numbers[0]);
        let position = self.signal(frame, position)?;
        plain(&position)?;
        each(&[&position], dimension.unwrap_or_default(), |v| {
            let at = Numbers.known(v[0]).unwrap_or_default();
            Imm::F64(table_at(&numbers, at))
        })
    }

    pub(super) fn select(&mut self, frame: usize, given: &[ExprId]) -> Found<Value> {
        let &[list, index] = given else { return Err(Missing::Wrong) };
        let (list, index) = (self.list(frame, list)?, self.signal(frame, index)?);
        let [x] = index.channels[..] else { return Err(Missing::Wrong) };
        let last = list.len().checked_sub(1).ok_or(Missing::Wrong)?;
        let at = Numbers.known(x).ok_or(Missing::Wrong)?.floor().clamp(0.0, last as f64);
        list[at as usize].clone()
    }

    pub(super) fn reduce(
        &mut self,
        frame: usize,
        expr: ExprId,
        reduction: Reduction,
        over: Over,
        body: &Body,
    ) -> Found<Value> {
        let turns = self.turns(frame, over)?;
        if reduction == Reduction::List {
            let all = turns
                .into_iter()
                .map(|iteration| self.iteration(frame, expr, iteration, None, body))
                .collect();
            return self.listed(all);
        }
        // A buffer is not a constant.
        if reduction == Reduction::Table {
            return Err(Missing::Wrong);
        }
        let mut total: Option<Signal> = None;
        for iteration in turns {
            let Value::Signal(term) = self.iteration(frame, expr, iteration, None, body)? else {
                return Err(Missing::Wrong);
            };
            total = Some(match total {
                None => term,
                Some(before) => match reduced(reduction, &before, &term)? {
                    Value::Signal(sum) => sum,
                    Value::Record(_) | Value::List(_) => return Err(Missing::Wrong),
                },
            });
        }
        let none = match reduction {
            Reduction::Product => Ok(mono(Imm::F64(1.0), Dimension::PLAIN)),
            Reduction::Max | Reduction::Min => Err(Missing::Wrong),
            Reduction::Sum | Reduction::List | Reduction::Table => Ok(mono(Imm::F64(0.0), Dimension::PLAIN)),
        };
        total.map_or(none, |total| Ok(Value::Signal(total)))
    }

    /// What the first name of each iteration of a loop is.
    pub(super) fn turns(&mut self, frame: usize, over: Over) -> Found<Vec<Slot>> {
        match over {
            Over::Range(from, to) => {
                Ok(self.bounds(frame, (from, to))?.map(|counter| done(counter as f64)).collect())
            }
            Over::List(list) => {
                let elements = self.list(frame, list)?;
                Ok(elements.iter().map(|element| Slot::Done(element.clone())).collect())
            }
        }
    }

    pub(super) fn bounds(
        &mut self,
        frame: usize,
        (from, to): (ExprId, ExprId),
    ) -> Found<std::ops::RangeInclusive<i64>> {
        let [from, to] = [from, to].map(|bound| match self.signal(frame, bound)? {
            Signal { channels, dimension: Dimension::PLAIN } if channels.len() == 1 => Numbers
                .known(channels[0])
                .filter(|x| x.fract() == 0.0 && x.abs() < 1e9)
                .map(|x| x as i64)
                .ok_or(Missing::Wrong),
            _ => Err(Missing::Wrong),
        });
        let (from, to) = (from?, to?);
        if to.saturating_sub(from) >= self.files.limits.turns as i64 {
            Err(Missing::Wrong)
        } else {
            Ok(from..=to)
        }
    }

    pub(super) fn iteration(
        &mut self,
        around: usize,
        expr: ExprId,
        slot: Slot,
        value: Option<Value>,
        body: &Body,
    ) -> Found<Value> {
        let file = self.frames[around].file;
        let scope = resolved(self.files, file).loop_scope(expr);
        let frame = self.frame(file, scope, Some(around));
        self.frames[frame].slots.insert(0, slot);
        if let Some(value) = value {
            self.frames[frame].slots.insert(1, Slot::Done(Ok(value)));
        }
        self.body(frame, body)
    }
}

/// The list that a loop of a file goes through, if it does not count.
pub(super) fn looped_list(files: &Files, file: usize, scope: ScopeId) -> Option<ExprId> {
    let expr = resolved(files, file).loop_of(scope)?;
    match files.file(file).ast.exprs[expr] {
        Expr::Reduce { over: Over::List(list), .. } | Expr::Chain { over: Over::List(list), .. } => {
            Some(list)
        }
        _ => None,
    }
}

/// Two values of iterations as one.
fn reduced(reduction: Reduction, a: &Signal, b: &Signal) -> Found<Value> {
    let arithmetic = match reduction {
        Reduction::Product => return binary(BinaryOp::Mul, a, b),
        Reduction::Max => Arithmetic::Max,
        Reduction::Min => Arithmetic::Min,
        Reduction::Sum | Reduction::List | Reduction::Table => return binary(BinaryOp::Add, a, b),
    };
    let dimension = common(a.dimension, b.dimension)?;
    each(&[a, b], dimension, |v| function(&mut Numbers, arithmetic, v))
}
