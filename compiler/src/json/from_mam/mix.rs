//! Sums of nodes with constant gains: what flows into effects, and what is heard.

use super::Song;
use crate::graph::{Given, NodeId, NodeKind};
use crate::hir::Iterations;
use mam_grammar::Span;
use mam_grammar::ast::{BinaryOp, Expr, ExprId, UnaryOp};

/// Nodes with their gains, each once, in the order in which they are said.
type Terms = Vec<(NodeId, f64)>;

/// The mixer of a JSON song, as far as `out` is one.
pub(super) struct Mixer {
    pub(super) master: f64,
    pub(super) soft_clip: bool,
    pub(super) terms: Terms,
}

/// The value of an expression, as far as JSON can say it.
enum Value {
    Constant(f64),
    Mix(Terms),
}

impl Song<'_> {
    /// Takes the expression of `out` apart into gains of nodes.
    pub(super) fn mixer(&mut self) -> Mixer {
        let mut mixer = Mixer { master: 1.0, soft_clip: false, terms: vec![] };
        let Some(out) = self.graph.out else { return mixer };
        let NodeKind::Glue { expr, .. } = self.graph.nodes[out].kind else {
            mixer.terms = vec![(out, 1.0)];
            return mixer;
        };
        let named = self.named(expr);
        let clipped = match &self.ast.exprs[named] {
            Expr::Call { callee, args } if &*callee.name == "softclip" && args.len() == 1 => {
                Some(args[0].value)
            }
            _ => None,
        };
        let found = clipped.and_then(|arg| Some((self.gains(arg)?, true)));
        if let Some(((master, terms), soft_clip)) = found.or_else(|| Some((self.gains(expr)?, false))) {
            return Mixer { master, soft_clip, terms };
        }
        // What is not a sum is a signal of its own.
        mixer.terms = vec![(out, 1.0)];
        mixer
    }

    /// A gain, and the sum that is multiplied by it.
    fn gains(&self, expr: ExprId) -> Option<(f64, Terms)> {
        if let Expr::Binary { op: BinaryOp::Mul, a, b } = self.ast.exprs[self.named(expr)] {
            for (factor, other) in [(a, b), (b, a)] {
                if let (Some(Value::Constant(x)), Some(Value::Mix(terms))) =
                    (self.value(factor), self.value(other))
                {
                    return Some((x, terms));
                }
            }
        }
        match self.value(expr) {
            Some(Value::Mix(terms)) => Some((1.0, terms)),
            _ => None,
        }
    }

    /// An expression without parentheses and without the name of an equation around it.
    fn named(&self, expr: ExprId) -> ExprId {
        match &self.ast.exprs[expr] {
            Expr::Paren(inner) => self.named(*inner),
            Expr::Name(name) => {
                match self.graph.names.get(&name.name).map(|&node| &self.graph.nodes[node].kind) {
                    Some(NodeKind::Glue { expr: value, .. }) if *value != expr => self.named(*value),
                    _ => expr,
                }
            }
            _ => expr,
        }
    }

    /// What flows into an input.
    pub(super) fn terms(&mut self, given: Given, span: Span) -> Terms {
        match self.given(given) {
            Some(Value::Mix(terms)) => terms,
            Some(Value::Constant(0.0)) => vec![],
            _ => {
                self.refuse_mix(span);
                vec![]
            }
        }
    }

    fn refuse_mix(&mut self, span: Span) {
        self.refuse(span, "anything but a sum of instruments and effects with constant gains");
    }

    fn given(&self, given: Given) -> Option<Value> {
        match given {
            Given::Number(expr) => self.value(expr),
            Given::Node(node) => self.node_value(node),
            Given::Voice(_) => None,
        }
    }

    /// What is given, if it is a constant.
    pub(super) fn constant(&self, given: Given) -> Option<f64> {
        match self.given(given) {
            Some(Value::Constant(x)) => Some(x),
            _ => None,
        }
    }

    fn node_value(&self, node: NodeId) -> Option<Value> {
        match &self.graph.nodes[node].kind {
            NodeKind::Instance(_) => Some(Value::Mix(vec![(node, 1.0)])),
            // What is not a sum is a signal of its own.
            NodeKind::Glue { expr, iterations } if iterations.is_empty() => {
                Some(self.value(*expr).unwrap_or_else(|| Value::Mix(vec![(node, 1.0)])))
            }
            _ => None,
        }
    }

    fn value(&self, expr: ExprId) -> Option<Value> {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.value_in(expr))
    }

    fn value_in(&self, expr: ExprId) -> Option<Value> {
        if let Some(&node) = self.graph.calls.get(&(expr, Iterations::new())) {
            return Some(Value::Mix(vec![(node, 1.0)]));
        }
        match &self.ast.exprs[expr] {
            Expr::Paren(inner) => self.value(*inner),
            Expr::Name(name) if self.graph.names.contains_key(&name.name) => {
                self.node_value(self.graph.names[&name.name])
            }
            Expr::Pipe { right, .. } => {
                self.graph.calls.get(&(*right, Iterations::new())).map(|&node| Value::Mix(vec![(node, 1.0)]))
            }
            Expr::Unary { op: UnaryOp::Neg, x } => Some(scale(self.value(*x)?, -1.0)),
            Expr::Binary { op, a, b } => combine(*op, self.value(*a)?, self.value(*b)?),
            _ => {
                let (x, _) = self.library.consts.number(self.files, self.file, expr, &[]).ok()?;
                Some(Value::Constant(x))
            }
        }
    }
}

fn combine(op: BinaryOp, a: Value, b: Value) -> Option<Value> {
    use Value::{Constant, Mix};
    Some(match (op, a, b) {
        (BinaryOp::Add, Constant(x), Constant(y)) => Constant(x + y),
        (BinaryOp::Sub, Constant(x), Constant(y)) => Constant(x - y),
        (BinaryOp::Mul, Constant(x), other) | (BinaryOp::Mul, other, Constant(x)) => scale(other, x),
        (BinaryOp::Div, other, Constant(x)) if x != 0.0 => scale(other, 1.0 / x),
        (BinaryOp::Pow, Constant(x), Constant(y)) => Constant(x.powf(y)),
        (BinaryOp::Add, Mix(a), Mix(b)) => Mix(joined(a, b, 1.0)),
        (BinaryOp::Sub, Mix(a), Mix(b)) => Mix(joined(a, b, -1.0)),
        (BinaryOp::Add | BinaryOp::Sub, Mix(a), Constant(0.0)) | (BinaryOp::Add, Constant(0.0), Mix(a)) => {
            Mix(a)
        }
        _ => return None,
    })
}

fn scale(value: Value, by: f64) -> Value {
    match value {
        Value::Constant(x) => Value::Constant(x * by),
        Value::Mix(terms) => Value::Mix(terms.into_iter().map(|(node, gain)| (node, gain * by)).collect()),
    }
}

fn joined(mut all: Terms, more: Terms, by: f64) -> Terms {
    for (node, gain) in more {
        match all.iter_mut().find(|term| term.0 == node) {
            Some(term) => term.1 += gain * by,
            None => all.push((node, gain * by)),
        }
    }
    all
}
