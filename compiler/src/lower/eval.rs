//! Expressions.

use super::names::{Scope, ScopeId, Slot};
use super::value::{Signal, Val};
use super::{At, Lower};
use crate::arithmetic::operator;
use crate::codes;
use crate::dimension::{Dimension, base_value};
use crate::graph::NodeId;
use crate::hir::LocalKind;
use crate::hir::resolve::resolved;
use crate::ir::{Args, Op, Type, Value};
use mam_grammar::ast::{Ast, BinaryOp, Body, Expr, ExprId, MusicalUnit, UnaryOp};
use mam_grammar::foreign;
use mam_grammar::syntax::is_name;
use mam_grammar::{Problem, Span};
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
            self.reference = None;
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
        self.finite(at, expr, val)
    }

    /// Says so where something that the user computes is a constant that is no number.
    fn finite(&mut self, at: &At, expr: ExprId, val: Val) -> Val {
        let Val::Signal(signal) = &val else { return val };
        let constant = signal.channels.iter().find_map(|&v| self.b.constant(v).filter(|x| !x.is_finite()));
        let Some(x) = constant else { return val };
        // A written number that is too large has been told.
        let written = matches!(self.ast(at).exprs[expr], Expr::Number(_));
        if written || self.files().is_prelude(self.scopes[at.scope].file) {
            return val;
        }
        let span = self.span(at, expr);
        let what = if x.is_nan() { "not a number" } else { "infinite" };
        let problem = Problem::new(&codes::NOT_FINITE, span, format!("this is {what}"));
        self.problem(
            problem.help("something is divided by zero, or is the root or logarithm of what has none"),
        )
    }

    fn eval_in(&mut self, at: &At, expr: ExprId) -> Val {
        let ast = self.ast(at);
        let span = ast.span(expr);
        self.evaluations += 1;
        self.song.evaluations += 1;
        if self.too_large(span) {
            return Val::Broken;
        }
        match &ast.exprs[expr] {
            Expr::Number(number) => {
                let value = self.b.f64(base_value(number.value(), number.unit));
                Val::mono(value, number.unit.map_or(Dimension::PLAIN, Dimension::from_unit))
            }
            Expr::Length { amount, unit } => {
                let name = if *unit == MusicalUnit::Beat { "beat" } else { "bar" };
                let length = self.musical(name);
                let amount = self.eval(at, *amount);
                self.binary(BinaryOp::Mul, (amount, span), (length, span))
            }
            Expr::Name(_) => self.name(at, expr),
            Expr::Field { of, field } => self.field(at, expr, *of, field),
            Expr::Call { callee, .. } => self.call(at, expr, callee),
            // Stands in the arguments of modifiers alone.
            Expr::Method { .. } => Val::Broken,
            Expr::Pipe { right, .. } => self.pipe(at, *right),
            Expr::Unary { op, x } => {
                let val = self.eval(at, *x);
                self.unary(*op, val, ast.span(*x))
            }
            Expr::Binary { op: BinaryOp::Concat, a, b } => self.concat(at, *a, *b),
            Expr::Binary { op, a, b } => {
                let left = (self.eval(at, *a), ast.span(*a));
                let right = (self.eval(at, *b), ast.span(*b));
                self.binary(*op, left, right)
            }
            Expr::If { condition, then, otherwise } => self.choice(at, *condition, *then, *otherwise),
            Expr::Reduce { reduction, over, body, .. } => self.reduce(at, expr, *reduction, *over, body),
            Expr::Chain { start, over, body, .. } => self.chain(at, expr, *start, *over, body),
            Expr::Oversample { factor, body, .. } => self.oversample(at, expr, *factor, body),
            Expr::Index { of, index } => self.index(at, *of, *index),
            Expr::List(elements) => self.list(at, elements),
            Expr::Tuple(parts) => self.tuple(at, parts, span),
            Expr::Paren(x) => self.eval(at, *x),
            Expr::Record(fields) => {
                let mut record: Vec<(Arc<str>, Val)> = vec![];
                for (name, e) in fields {
                    let val = self.eval(at, *e);
                    record.push((name.name.clone(), val));
                }
                Val::Record(record.into())
            }
            Expr::Text(text) => {
                let problem = Problem::new(&codes::NOT_A_SIGNAL, span, "a text is not a signal");
                if let Some(hertz) = foreign::note_frequency(text) {
                    let help = format!("for the note's frequency write `{hertz}`");
                    return self.problem(problem.help(help).fix(span, hertz));
                }
                self.problem(problem.help("texts are patterns, in the lines of a score"))
            }
        }
    }

    /// The value as a signal; says what is wrong where it is none.
    pub(super) fn signal(&mut self, val: Val, span: Span) -> Option<Signal> {
        match val {
            Val::Signal(signal) => Some(signal),
            Val::Any => self.any_signal(),
            Val::Broken => None,
            Val::Buffer(_) => {
                let message = "this is a buffer, where a signal is wanted";
                let problem = Problem::new(&codes::NOT_A_SIGNAL, span, message);
                self.problem(problem.help("play it: `playback(…, trig)`"));
                None
            }
            Val::Record(fields) => {
                let names: Vec<String> = fields.iter().map(|(n, _)| format!(".{n}")).collect();
                let message = "this has several parts, where one signal is wanted";
                let problem = Problem::new(&codes::NOT_A_SIGNAL, span, message);
                let problem = problem.help(format!("choose one: {}", names.join(", ")));
                self.problem(match names.first() {
                    Some(first) => problem.guess(Span { start: span.end, ..span }, first.as_str()),
                    None => problem,
                });
                None
            }
            Val::List(elements) => {
                let message = format!("this is a list of {}, where one signal is wanted", elements.len());
                let text = self.files().slice(span);
                let help = match is_name(text) {
                    true => format!("choose one, `{text}[0]`, or add them: `sum x in {text} {{ x }}`"),
                    false => {
                        "give it a name, and choose one, `xs[0]`, or add them: `sum x in xs { x }`".to_owned()
                    }
                };
                self.problem(Problem::new(&codes::NOT_A_SIGNAL, span, message).help(help));
                None
            }
        }
    }

    /// The value as a mono signal.
    pub(super) fn mono(&mut self, val: Val, span: Span) -> Option<(Value, Dimension)> {
        let signal = self.signal(val, span)?;
        if signal.channels.len() > 1 {
            let problem =
                Problem::new(&codes::CHANNELS, span, "this is stereo, where a mono signal is wanted");
            let problem = problem.help("take one side, `.left` or `.right`, or add them");
            self.problem(problem.guess(Span { start: span.end, ..span }, ".left"));
            return None;
        }
        Some((signal.channels[0], signal.dimension))
    }

    fn unary(&mut self, op: UnaryOp, val: Val, span: Span) -> Val {
        let Some(x) = self.signal(val, span) else { return Val::Broken };
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
                f(&mut self.b, values.as_slice())
            })
            .collect();
        Val::Signal(Signal { channels, dimension })
    }

    /// The common dimension of two values that are added or compared: a plain number goes with anything.
    pub(super) fn common(&mut self, a: (&Signal, Span), b: (&Signal, Span), what: &str) -> Option<Dimension> {
        let (x, y) = (a.0.dimension, b.0.dimension);
        if let Some(common) = x.common(y) {
            return Some(common);
        }
        let message = format!("{x} and {y} cannot be {what}");
        let problem = Problem::new(&codes::DIMENSION, a.1, message).here(format!("this is {x}"));
        self.problem(
            problem.label(b.1, format!("this is {y}")).help("1/time is a frequency, 1/frequency a time"),
        );
        None
    }

    pub(super) fn binary(&mut self, op: BinaryOp, a: (Val, Span), b: (Val, Span)) -> Val {
        let (left, right) = (self.signal(a.0, a.1), self.signal(b.0, b.1));
        let (Some(x), Some(y)) = (left, right) else { return Val::Broken };
        let dimension = match op {
            BinaryOp::Mul => x.dimension.times(y.dimension),
            BinaryOp::Div => x.dimension.over(y.dimension),
            BinaryOp::Pow => match self.power(&x, &y, a.1, b.1) {
                Some(dimension) => dimension,
                None => return Val::Broken,
            },
            BinaryOp::And | BinaryOp::Or => Dimension::PLAIN,
            _ => {
                let adds = matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mod);
                let what = if adds { "added or subtracted" } else { "compared" };
                match self.common((&x, a.1), (&y, b.1), what) {
                    Some(common) if adds => common,
                    Some(_) => Dimension::PLAIN,
                    None => return Val::Broken,
                }
            }
        };
        self.each(&[&x, &y], dimension, |b, v| operator(b, op, v[0], v[1]))
    }

    /// The dimension of a power: what has one takes constant whole exponents only.
    fn power(&mut self, x: &Signal, y: &Signal, at: Span, exponent: Span) -> Option<Dimension> {
        if !y.dimension.can_be(Dimension::PLAIN) {
            let message = format!("an exponent is a plain number, but this is {}", y.dimension);
            self.problem(Problem::new(&codes::DIMENSION, exponent, message));
            return None;
        }
        match x.dimension.power(self.b.constant(y.channels[0]).unwrap_or(f64::NAN)) {
            Some(dimension) => Some(dimension),
            None if self.is_unknown(y.channels[0]) => Some(Dimension::ANY),
            None => {
                let message = format!("{} can be raised to a constant whole power only", x.dimension);
                let problem = Problem::new(&codes::DIMENSION, at, message);
                self.problem(
                    problem.label(exponent, "the exponent").help("divide it by its unit first: `x / 1Hz`"),
                );
                None
            }
        }
    }

    fn choice(&mut self, at: &At, condition: ExprId, then: ExprId, otherwise: ExprId) -> Val {
        let ast = self.ast(at);
        let vals = [condition, then, otherwise].map(|e| (self.eval(at, e), ast.span(e)));
        let [c, t, o] = vals.map(|(val, span)| self.signal(val, span));
        let (Some(c), Some(t), Some(o)) = (c, t, o) else { return Val::Broken };
        if !c.dimension.can_be(Dimension::PLAIN) {
            let message =
                format!("an `if` asks for a plain number or a comparison, but this is {}", c.dimension);
            let problem = Problem::new(&codes::DIMENSION, ast.span(condition), message);
            return self.problem(problem.help("compare it, such as `x > 10ms` or `x > 0Hz`"));
        }
        let (then_at, else_at) = (ast.span(then), ast.span(otherwise));
        let Some(dimension) = self.common((&t, then_at), (&o, else_at), "the two values of one `if`") else {
            return Val::Broken;
        };
        self.each(&[&c, &t, &o], dimension, |b, v| b.select(v[0], v[1], v[2]))
    }

    fn tuple(&mut self, at: &At, parts: &[ExprId], span: Span) -> Val {
        let ast = self.ast(at);
        if parts.len() != 2 {
            let message = format!("a signal has one channel or two, not {}", parts.len());
            return self
                .problem(Problem::new(&codes::CHANNELS, span, message).help("stereo is `(left, right)`"));
        }
        let vals = [parts[0], parts[1]].map(|e| (self.eval(at, e), ast.span(e)));
        let [l, r] = vals.map(|(val, span)| self.mono(val, span));
        let (Some((l, x)), Some((r, y))) = (l, r) else { return Val::Broken };
        let signal = |v, d| Signal { channels: [v].into_iter().collect(), dimension: d };
        let (left, right) = (signal(l, x), signal(r, y));
        let places = ((&left, ast.span(parts[0])), (&right, ast.span(parts[1])));
        match self.common(places.0, places.1, "the two sides of one signal") {
            Some(dimension) => Val::Signal(Signal { channels: [l, r].into_iter().collect(), dimension }),
            None => Val::Broken,
        }
    }

    /// The value of a body in a scope made for it.
    pub(super) fn body(&mut self, scope: ScopeId, path: &Arc<str>, body: &Body) -> Val {
        match body {
            Body::Expr(expr) => self.eval(&At { scope, path: path.clone() }, *expr),
            Body::Items(_) => {
                self.add_equations(scope, path);
                self.out(scope)
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
                let span = local.span.unwrap_or_default();
                self.scopes[scope].slots[local.index] = Slot::Equation { at, expr, span };
            }
        }
    }

    /// The value of the `out` of a scope; the other equations of a user's body are evaluated later, for their problems.
    pub(super) fn out(&mut self, scope: ScopeId) -> Val {
        let Scope { file, of, .. } = self.scopes[scope];
        let hir = resolved(self.files(), file);
        self.reference = None;
        let out = hir.in_scope(of, "out").map(|id| self.slot(scope, hir.local(id).index));
        if !self.files().is_prelude(file) {
            for local in hir.scope(of).locals.iter().map(|&id| hir.local(id)) {
                if matches!(local.kind, LocalKind::Equation(_)) {
                    self.unused.push_back((scope, local.index));
                }
            }
        }
        out.unwrap_or(Val::Broken) // That there is none has been said.
    }
}
