//! Expressions.

use super::names::FrameId;
use super::unknowns::Form;
use super::value::{AT_LEAST_0, Kind, Number, Signal, Value};
use super::wanted::text_as_signal;
use super::{At, Checker};
use crate::arithmetic::{Operations, operator};
use crate::codes;
use crate::dimension::{Dimension, base_value};
use crate::graph::NodeId;
use crate::hir::LocalKind;
use crate::hir::resolve::resolved;
use crate::ir::Op;
use mam_grammar::ast::{BinaryOp, Body, Expr, ExprId, Operation, UnaryOp};
use mam_grammar::{Problem, Span};

/// Stack that expressions may need between two looks at it, and by how much it grows where there is less.
const STACK_RED_ZONE: usize = 256 << 10;
const STACK_GROWTH: usize = 2 << 20;
/// How many expressions are entered, one inside the other, between two looks at the stack.
const DEPTH_BETWEEN_LOOKS: usize = 8;

impl Checker<'_> {
    /// The value of an expression.
    pub(super) fn eval(&mut self, at: &At, expr: ExprId) -> Value {
        match self.part_node(at, expr) {
            Some(node) => {
                self.reference = None;
                self.node_value(node)
            }
            None => self.eval_whole(at, expr),
        }
    }

    /// The node of a part that was cut off a large expression of the song.
    fn part_node(&self, at: &At, expr: ExprId) -> Option<NodeId> {
        let graph = self.input.graph;
        if graph.parts.is_empty() {
            return None;
        }
        let in_song = self.frames[at.frame].iterations.as_ref().is_some_and(Vec::is_empty);
        graph.parts.get(&expr).copied().filter(|_| in_song)
    }

    /// The value of an expression, even if it is a part with a node of its own.
    pub(super) fn eval_whole(&mut self, at: &At, expr: ExprId) -> Value {
        self.depth += 1;
        let value = if self.depth.is_multiple_of(DEPTH_BETWEEN_LOOKS) {
            stacker::maybe_grow(STACK_RED_ZONE, STACK_GROWTH, || self.eval_in(at, expr))
        } else {
            self.eval_in(at, expr)
        };
        self.depth -= 1;
        self.finite(at, expr, value)
    }

    /// Reports a constant that the user computes and that is not a number.
    fn finite(&mut self, at: &At, expr: ExprId, value: Value) -> Value {
        let Value::Signal(signal) = &value else { return value };
        let mut constants = signal.channels().iter().filter_map(|number| number.constant());
        let Some(x) = constants.find(|x| !x.is_finite()) else { return value };
        // A written number that is too large has been reported.
        let written = matches!(self.ast(at).exprs[expr], Expr::Number(_));
        if written || self.files().is_prelude(self.file(at)) {
            return value;
        }
        let what = if x.is_nan() { "not a number" } else { "infinite" };
        let problem = Problem::new(&codes::NOT_FINITE, self.span(at, expr), format!("this is {what}"));
        self.problem(
            problem.help("something is divided by zero, or is the root or logarithm of what has none"),
        )
    }

    fn eval_in(&mut self, at: &At, expr: ExprId) -> Value {
        let ast = self.ast(at);
        let span = ast.span(expr);
        self.evaluations += 1;
        self.all_evaluations += 1;
        if self.is_too_much(span) {
            return Value::Broken;
        }
        match &ast.exprs[expr] {
            Expr::Number(number) => {
                let value = Number::real(base_value(number.value(), number.unit));
                Value::mono(value, number.unit.map_or(Dimension::PLAIN, Dimension::from_unit))
            }
            Expr::Length { amount, .. } => {
                let amount = self.eval(at, *amount);
                // None of it is 0 at every tempo.
                if matches!(&amount, Value::Signal(none) if none.channel(0).constant() == Some(0.0)) {
                    return Value::mono(Number::real(0.0), Dimension::TIME);
                }
                let length = Value::mono(self.within(Kind::Slow, AT_LEAST_0), Dimension::TIME);
                self.binary(BinaryOp::Mul, (amount, span), (length, span))
            }
            Expr::Name(_) => self.name(at, expr),
            Expr::Field { of, field } => self.field(at, expr, *of, field),
            Expr::Call { callee, .. } => self.call(at, expr, callee),
            // Stands in the arguments of modifiers alone.
            Expr::Method { .. } => Value::Broken,
            Expr::Pipe { right, .. } => self.pipe(at, *right),
            Expr::Unary { op, x } => {
                let value = self.eval(at, *x);
                self.unary(*op, value, ast.span(*x))
            }
            Expr::Binary { op: BinaryOp::Concat, a, b } => self.concat(at, *a, *b),
            Expr::Binary { .. } => self.operators(at, expr),
            Expr::If { condition, then, otherwise } => self.choice(at, *condition, *then, *otherwise),
            Expr::Reduce { reduction, over, body, .. } => self.reduce(at, expr, *reduction, *over, body),
            Expr::Chain { start, over, body, .. } => self.chain(at, expr, *start, *over, body),
            Expr::Oversample { factor, body, .. } => self.oversample(at, expr, *factor, body),
            Expr::Spectral { head, body } => self.spectral(at, expr, *head, body),
            Expr::Index { of, index } => self.index(at, *of, *index),
            Expr::List(elements) => self.list(at, elements),
            Expr::Tuple(parts) => self.tuple(at, parts, span),
            Expr::Paren(x) => self.eval(at, *x),
            Expr::Record(fields) => {
                let fields = fields.iter().map(|(name, x)| (name.name.clone(), self.eval(at, *x)));
                let fields = fields.collect();
                self.record(fields, span)
            }
            Expr::Text(text) => self.problem(text_as_signal(text, span)),
        }
    }

    /// Operators one after the other, `a + b - c`: a tree as deep to the left as they are many, gone through without
    /// recursion.
    fn operators(&mut self, at: &At, expr: ExprId) -> Value {
        let ast = self.ast(at);
        let is_first =
            |inner, op| op == BinaryOp::Concat || inner != expr && self.part_node(at, inner).is_some();
        let (first, operations) = ast.row(expr, is_first);
        // The outermost is counted already.
        self.evaluations += operations.len() - 1;
        self.all_evaluations += operations.len() - 1;
        let mut value = self.eval(at, first);
        for Operation { whole, op, left, right } in operations {
            let operand = (self.eval(at, right), ast.span(right));
            value = self.binary(op, (value, ast.span(left)), operand);
            if whole != expr {
                value = self.finite(at, whole, value);
            }
        }
        value
    }

    fn unary(&mut self, op: UnaryOp, value: Value, span: Span) -> Value {
        let Some(x) = self.signal(value, span) else { return Value::Broken };
        Value::Signal(match op {
            UnaryOp::Neg => self.each(&[&x], x.dimension.clone(), |o, v| o.real(Op::Neg, [v[0]])),
            UnaryOp::Not => self.each(&[&x], Dimension::PLAIN, |o, v| o.logic(Op::Not, [v[0]])),
        })
    }

    /// The common dimension of two values that are added or compared: a plain number goes with anything.
    pub(super) fn common(&mut self, a: (&Form, Span), b: (&Form, Span), what: &str) -> Option<Form> {
        let known = (self.known(a.0), self.known(b.0));
        if let Ok(common) = self.unknowns.common(a.0, b.0) {
            return Some(common);
        }
        let (Some(x), Some(y)) = known else {
            self.no_dimension(a.1.to(b.1));
            return None;
        };
        let message = format!("{x} and {y} cannot be {what}");
        let problem = Problem::new(&codes::DIMENSION, a.1, message).here(format!("this is {x}"));
        self.problem(
            problem.label(b.1, format!("this is {y}")).help("1/time is a frequency, 1/frequency a time"),
        );
        None
    }

    /// Requires that a value is a plain number; where it is not, `problem` makes one of the dimension that it has.
    pub(super) fn plain(
        &mut self,
        dimension: &Form,
        span: Span,
        problem: impl FnOnce(Dimension) -> Problem,
    ) -> bool {
        let known = self.known(dimension);
        if self.unknowns.require(dimension, Dimension::PLAIN).is_ok() {
            return true;
        }
        match known {
            Some(dimension) => _ = self.problem(problem(dimension)),
            None => self.no_dimension(span),
        }
        false
    }

    /// Reports that no dimension of a definition's arguments is right.
    pub(super) fn no_dimension(&mut self, span: Span) {
        let message = "whatever its arguments measure, this does not go with the rest of the definition";
        let help = "one argument is used as a plain number and with a unit, or with two units";
        self.problem(Problem::new(&codes::DIMENSION, span, message).help(help));
    }

    pub(super) fn binary(&mut self, op: BinaryOp, a: (Value, Span), b: (Value, Span)) -> Value {
        let (left, right) = (self.signal(a.0, a.1), self.signal(b.0, b.1));
        let (Some(x), Some(y)) = (left, right) else { return Value::Broken };
        let dimension = match op {
            BinaryOp::Mul => Some(self.times(&x.dimension, 1, &y.dimension)),
            BinaryOp::Div => Some(self.times(&x.dimension, -1, &y.dimension)),
            BinaryOp::Pow => self.power(&x, &y, a.1, b.1),
            BinaryOp::And | BinaryOp::Or => Some(Dimension::PLAIN.into()),
            _ => {
                let adds = matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mod);
                let what = if adds { "added or subtracted" } else { "compared" };
                let common = self.common((&x.dimension, a.1), (&y.dimension, b.1), what);
                common.map(|common| if adds { common } else { Dimension::PLAIN.into() })
            }
        };
        let Some(dimension) = dimension else { return Value::Broken };
        Value::Signal(self.each(&[&x, &y], dimension, |o, v| operator(o, op, v[0], v[1])))
    }

    /// The dimension of a product, or of a quotient with the factor −1.
    fn times(&self, x: &Form, factor: i32, y: &Form) -> Form {
        match (x.known(), y.known()) {
            (Some(x), Some(y)) if factor > 0 => x.times(y).into(),
            (Some(x), Some(y)) => x.over(y).into(),
            _ => x.plus(factor, y),
        }
    }

    /// The dimension of a power: what has one takes constant whole exponents only.
    fn power(&mut self, x: &Signal, y: &Signal, at: Span, exponent_at: Span) -> Option<Form> {
        let plain = self.plain(&y.dimension, exponent_at, |dimension| {
            let message = format!("an exponent is a plain number, but this is {dimension}");
            Problem::new(&codes::DIMENSION, exponent_at, message)
        });
        if !plain {
            return None;
        }
        let exponent = y.channel(0);
        let base = self.unknowns.resolve(&x.dimension);
        let whole = |n: &f64| n.fract() == 0.0 && n.abs() <= 8.0;
        match (base.known(), exponent.constant().filter(whole)) {
            (Some(Dimension::PLAIN), _) => Some(base),
            (Some(known), Some(n)) => known.power(n).map(Form::from),
            (None, Some(n)) => Some(Form::default().plus(n as i32, &base)),
            (_, None) if exponent.is_open() => Some(self.unknowns.fresh()),
            (_, None) => {
                let plain = self.plain(&base, at, |dimension| {
                    let message = format!("{dimension} can be raised to a constant whole power only");
                    let problem = Problem::new(&codes::DIMENSION, at, message);
                    problem.label(exponent_at, "the exponent").help("divide it by its unit first: `x / 1Hz`")
                });
                plain.then(|| Dimension::PLAIN.into())
            }
        }
    }

    fn choice(&mut self, at: &At, condition: ExprId, then: ExprId, otherwise: ExprId) -> Value {
        let ast = self.ast(at);
        let values = [condition, then, otherwise].map(|e| (self.eval(at, e), ast.span(e)));
        let [c, t, o] = values.map(|(value, span)| self.signal(value, span));
        let (Some(c), Some(t), Some(o)) = (c, t, o) else { return Value::Broken };
        let span = ast.span(condition);
        let plain = self.plain(&c.dimension, span, |dimension| {
            let message = format!("an `if` asks for a plain number or a comparison, but this is {dimension}");
            let problem = Problem::new(&codes::DIMENSION, span, message);
            problem.help("compare it, such as `x > 10ms` or `x > 0Hz`")
        });
        let places = ((&t.dimension, ast.span(then)), (&o.dimension, ast.span(otherwise)));
        let common = plain.then(|| self.common(places.0, places.1, "the two values of one `if`")).flatten();
        let Some(dimension) = common else { return Value::Broken };
        Value::Signal(self.each(&[&c, &t, &o], dimension, |p, v| p.select(v[0], v[1], v[2])))
    }

    fn tuple(&mut self, at: &At, parts: &[ExprId], span: Span) -> Value {
        let ast = self.ast(at);
        let &[left, right] = parts else {
            let message = format!("a signal has one channel or two, not {}", parts.len());
            return self
                .problem(Problem::new(&codes::CHANNELS, span, message).help("stereo is `(left, right)`"));
        };
        let values = [left, right].map(|e| (self.eval(at, e), ast.span(e)));
        let [l, r] = values.map(|(value, span)| self.mono(value, span));
        let (Some((l, x)), Some((r, y))) = (l, r) else { return Value::Broken };
        let places = ((&x, ast.span(left)), (&y, ast.span(right)));
        match self.common(places.0, places.1, "the two sides of one signal") {
            Some(dimension) => Value::Signal(Signal::stereo(l, r, dimension)),
            None => Value::Broken,
        }
    }

    /// The value of a body in a frame made for it.
    pub(super) fn body(&mut self, frame: FrameId, body: &Body) -> Value {
        match body {
            Body::Expr(expr) => self.eval(&At { frame, equation: None }, *expr),
            Body::Items(items) => {
                self.add_equations(frame);
                let value = self.out(frame);
                self.latency(frame, items);
                value
            }
        }
    }

    /// The value of the `out` of a frame; the other equations of a user's body are evaluated later, for their problems.
    fn out(&mut self, frame: FrameId) -> Value {
        let (file, scope) = (self.frames[frame].file, self.frames[frame].scope);
        let hir = resolved(self.files(), file);
        self.reference = None;
        let out = hir.in_scope(scope, "out").map(|id| self.slot(frame, hir.local(id).index));
        if !self.files().is_prelude(file) {
            for local in hir.scope(scope).locals.iter().map(|&id| hir.local(id)) {
                if matches!(local.kind, LocalKind::Equation(_)) {
                    self.unused.push_back((frame, local.index));
                }
            }
        }
        out.unwrap_or(Value::Broken) // That there is none has been reported.
    }
}
