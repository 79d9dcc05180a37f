//! Expressions.

use super::names::{Scope, ScopeId, Slot};
use super::value::{Signal, Val};
use super::{At, Lower};
use crate::arithmetic::operator;
use crate::dimension::{Dimension, base_value};
use crate::graph::NodeId;
use crate::hir::LocalKind;
use crate::hir::resolve::resolved;
use crate::ir::{Args, Op, Type, Value};
use mam_grammar::ast::{Ast, BinaryOp, Body, Expr, ExprId, MusicalUnit, Operation, UnaryOp};
use std::sync::Arc;

/// Stack that expressions [`LOOK`] deep may need, and by how much the stack grows where there is less.
const STACK_RED_ZONE: usize = 256 << 10;
const STACK_GROWTH: usize = 2 << 20;
/// How many expressions are entered, one inside the other, between two looks at the stack.
const LOOK: usize = 8;

impl<'a> Lower<'_, 'a> {
    pub(super) fn ast(&self, at: &At) -> &'a Ast {
        &self.files().file(self.scopes[at.scope].file).ast
    }

    /// The value of an expression.
    pub(super) fn eval(&mut self, at: &At, expr: ExprId) -> Val {
        if let Some(node) = self.part_node(at, expr) {
            let val = self.node_value(node);
            self.hear(at, expr, &val);
            return val;
        }
        self.eval_whole(at, expr)
    }

    /// The node of a part that was cut off a large expression of the song.
    fn part_node(&self, at: &At, expr: ExprId) -> Option<NodeId> {
        let graph = self.song.graph;
        if graph.parts.is_empty() {
            return None;
        }
        let scope = &self.scopes[at.scope];
        let in_song = scope.iterations.as_ref().is_some_and(Vec::is_empty);
        graph.parts.get(&expr).copied().filter(|_| in_song)
    }

    /// The value of an expression, even if it is a part with a node of its own.
    pub(super) fn eval_whole(&mut self, at: &At, expr: ExprId) -> Val {
        self.depth += 1;
        let val = if self.depth.is_multiple_of(LOOK) {
            stacker::maybe_grow(STACK_RED_ZONE, STACK_GROWTH, || self.eval_in(at, expr))
        } else {
            self.eval_in(at, expr)
        };
        self.depth -= 1;
        self.hear(at, expr, &val);
        val
    }

    fn eval_in(&mut self, at: &At, expr: ExprId) -> Val {
        let ast = self.ast(at);
        self.evaluations += 1;
        self.song.evaluations += 1;
        if self.too_large(ast.span(expr)) {
            return Val::Broken;
        }
        match &ast.exprs[expr] {
            Expr::Number(number) => {
                let value = self.b.f64(base_value(number.value(), number.unit));
                Val::signal_of(value, number.unit.map_or(Dimension::PLAIN, Dimension::from_unit))
            }
            Expr::Length { amount, unit } => {
                let name = if *unit == MusicalUnit::Beat { "beat" } else { "bar" };
                let length = self.musical(name);
                let amount = self.eval(at, *amount);
                if amount.clone().mono().is_some_and(|(none, _)| self.b.constant(none) == Some(0.0)) {
                    return Val::signal_of(self.b.f64(0.0), Dimension::TIME);
                }
                self.binary(BinaryOp::Mul, amount, length)
            }
            Expr::Name(_) => self.name(at, expr),
            Expr::Field { of, field } => self.field(at, *of, field),
            Expr::Call { callee, .. } => self.call(at, expr, callee),
            Expr::Pipe { right, .. } => self.pipe(at, *right),
            Expr::Unary { op, x } => {
                let val = self.eval(at, *x);
                self.unary(*op, val)
            }
            Expr::Binary { op: BinaryOp::Concat, a, b } => self.concat(at, *a, *b),
            Expr::Binary { .. } => self.operators(at, expr),
            Expr::If { condition, then, otherwise } => self.choice(at, *condition, *then, *otherwise),
            Expr::Reduce { reduction, over, body, .. } => self.reduce(at, expr, *reduction, *over, body),
            Expr::Chain { start, over, body, .. } => self.chain(at, expr, *start, *over, body),
            Expr::Oversample { factor, border, body } => {
                self.oversample(at, expr, (*factor, border.as_ref()), body)
            }
            Expr::Spectral { head, body } => self.spectral(at, expr, *head, body),
            Expr::Index { of, index } => self.index(at, *of, *index),
            Expr::List(elements) => self.list(at, elements),
            Expr::Tuple(parts) => self.tuple(at, parts),
            Expr::Paren(x) => self.eval(at, *x),
            Expr::Record(fields) => {
                let mut record: Vec<(Arc<str>, Val)> = vec![];
                for (name, e) in fields {
                    let val = self.eval(at, *e);
                    record.push((name.name.clone(), val));
                }
                Val::Record(record.into())
            }
            // Texts name samples, and stand in the lines of a score; methods stand in the arguments of modifiers.
            Expr::Text(_) | Expr::Method { .. } => Val::Broken,
        }
    }

    /// Operators one after the other, `a + b - c`: a tree as deep to the left as they are many, gone through without
    /// recursion.
    fn operators(&mut self, at: &At, expr: ExprId) -> Val {
        let ast = self.ast(at);
        let is_first =
            |inner, op| op == BinaryOp::Concat || inner != expr && self.part_node(at, inner).is_some();
        let (first, operations) = ast.row(expr, is_first);
        // The outermost is counted already.
        self.evaluations += operations.len() - 1;
        self.song.evaluations += operations.len() - 1;
        let mut val = self.eval(at, first);
        for Operation { whole, op, right, .. } in operations {
            let operand = self.eval(at, right);
            val = self.binary(op, val, operand);
            if whole != expr {
                self.hear(at, whole, &val);
            }
        }
        val
    }

    fn unary(&mut self, op: UnaryOp, val: Val) -> Val {
        let Some(x) = val.signal() else { return Val::Broken };
        match op {
            UnaryOp::Neg => self.each(&[&x], x.dimension, |b, v| b.real(Op::Neg, [v[0]])),
            UnaryOp::Not => self.each(&[&x], Dimension::PLAIN, |b, v| {
                let truth = b.truth(v[0]);
                b.push(Op::Not, Type::BOOL, &[truth])
            }),
        }
    }

    /// Applies `f` to each channel; mono signals go to every channel.
    pub(super) fn each(
        &mut self,
        signals: &[&Signal],
        dimension: Dimension,
        mut f: impl FnMut(&mut super::builder::Builder, &[Value]) -> Value,
    ) -> Val {
        let n = signals.iter().map(|s| s.channels.len()).max().unwrap_or(1);
        let channels = (0..n)
            .map(|i| {
                let values: Args = signals.iter().map(|s| s.channel(i)).collect();
                let values = self.b.aligned(values);
                f(&mut self.b, values.as_slice())
            })
            .collect();
        Val::Signal(Signal { channels, dimension })
    }

    pub(super) fn binary(&mut self, op: BinaryOp, a: Val, b: Val) -> Val {
        let (Some(x), Some(y)) = (a.signal(), b.signal()) else { return Val::Broken };
        let dimension = match op {
            BinaryOp::Mul => Some(x.dimension.times(y.dimension)),
            BinaryOp::Div => Some(x.dimension.over(y.dimension)),
            BinaryOp::Pow => x.dimension.power(self.b.constant(y.channels[0]).unwrap_or(f64::NAN)),
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mod => x.dimension.common(y.dimension),
            _ => Some(Dimension::PLAIN),
        };
        let Some(dimension) = dimension else { return Val::Broken };
        self.each(&[&x, &y], dimension, |b, v| operator(b, op, v[0], v[1]))
    }

    fn choice(&mut self, at: &At, condition: ExprId, then: ExprId, otherwise: ExprId) -> Val {
        let [c, t, o] = [condition, then, otherwise].map(|expr| self.eval(at, expr).signal());
        let (Some(c), Some(t), Some(o)) = (c, t, o) else { return Val::Broken };
        let Some(dimension) = t.dimension.common(o.dimension) else { return Val::Broken };
        self.each(&[&c, &t, &o], dimension, |b, v| b.select(v[0], v[1], v[2]))
    }

    fn tuple(&mut self, at: &At, parts: &[ExprId]) -> Val {
        let &[left, right] = parts else { return Val::Broken };
        let [left, right] = [left, right].map(|expr| self.eval(at, expr).mono());
        let (Some((left, x)), Some((right, y))) = (left, right) else { return Val::Broken };
        let Some(dimension) = x.common(y) else { return Val::Broken };
        Val::Signal(Signal { channels: [left, right].into_iter().collect(), dimension })
    }

    /// The value of a body in a scope made for it.
    pub(super) fn body(&mut self, scope: ScopeId, path: &Arc<str>, body: &Body) -> Val {
        match body {
            Body::Expr(expr) => self.eval(&At { scope, path: path.clone() }, *expr),
            Body::Items(items) => {
                self.add_equations(scope, path);
                let val = self.out(scope);
                self.with_latency(&At { scope, path: path.clone() }, items, val)
            }
        }
    }

    /// Makes the equations of a scope known, which are named by `path`.
    pub(super) fn add_equations(&mut self, scope: ScopeId, path: &Arc<str>) {
        let hir = resolved(self.files(), self.scopes[scope].file);
        for &id in &hir.scope(self.scopes[scope].of).locals {
            let local = hir.local(id);
            if let LocalKind::Equation(expr) = local.kind {
                let at = At { scope, path: format!("{path}.{}", local.name).into() };
                self.scopes[scope].slots[local.index] = Slot::Equation { at, expr };
            }
        }
    }

    /// The value of the `out` of a scope.
    pub(super) fn out(&mut self, scope: ScopeId) -> Val {
        let Scope { file, of, .. } = self.scopes[scope];
        let hir = resolved(self.files(), file);
        let out = hir.in_scope(of, "out").map(|id| self.slot(scope, hir.local(id).index));
        out.unwrap_or(Val::Broken)
    }
}
