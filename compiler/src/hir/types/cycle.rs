//! Cycles of equations that no delay breaks: the way round, and the reference at which a `prev` breaks it.

use super::names::{OpenName, Opened, Reference};
use super::value::Value;
use super::{At, Checker};
use crate::codes;
use crate::graph::NodeId;
use crate::hir::resolve::resolved;
use crate::hir::{Callee, LocalKind, Name};
use mam_grammar::ast::{Body, Expr, ExprId, equation};
use mam_grammar::{Problem, Span};
use std::sync::Arc;

/// An equation on the way round, and where the next one is read.
struct Edge {
    name: Arc<str>,
    span: Span,
    next: Option<Reference>,
}

/// Names that are shown at most: somewhere on the way something must change, anywhere.
const MOST_NAMED: usize = 12;

impl Checker<'_> {
    /// Reports a name that is needed while it is being evaluated: every equation on the way, and where it is broken.
    pub(super) fn cycle(&mut self, name: &str, key: Opened) -> Value {
        let first = self.open.iter().position(|o| &*o.name == name && o.key == key).unwrap_or(0);
        let edges = self.edges(first);
        // One cycle of a group is enough; one within the prelude is not the user's.
        if edges.is_empty() || std::mem::replace(&mut self.cycle_reported, true) {
            return Value::Broken;
        }
        let names: Vec<&str> = edges.iter().map(|edge| &*edge.name).collect();
        let places = edges.iter().map(|edge| edge.next.map_or(edge.span, |r| self.reference_span(r)));
        let mut problem = None::<Problem>;
        for (i, place) in places.enumerate().take(MOST_NAMED) {
            let needs = format!("`{}` needs `{}`", names[i], names[(i + 1) % names.len()]);
            problem = Some(match problem {
                None => Problem::new(&codes::INSTANTANEOUS_CYCLE, place, cycle_message(&names)).here(needs),
                Some(problem) => problem.label(place, needs),
            });
        }
        let Some(problem) = problem else { return Value::Broken };
        let problem = self.broken_cycle(problem, &edges);
        self.problem(problem)
    }

    /// The equations from the open one at `first` on: those of the song where there are any, else those of a definition.
    fn edges(&self, first: usize) -> Vec<Edge> {
        let way = &self.open[first..];
        let equations: Vec<NodeId> = self.input.graph.locals.values().copied().collect();
        let in_song = |open: &OpenName| matches!(open.key, Opened::Node(node) if equations.contains(&node));
        let in_definition = |open: &OpenName| {
            matches!(open.key, Opened::Frame(_)) && !self.files().is_prelude_source(open.span.source)
        };
        let mut shown: Vec<usize> = (0..way.len()).filter(|&i| in_song(&way[i])).collect();
        if shown.is_empty() {
            shown = (0..way.len()).filter(|&i| in_definition(&way[i])).collect();
        }
        let written = |reference: &Reference| !self.files().is_prelude(reference.file);
        let edge = |at: usize| {
            let OpenName { name, span, .. } = &way[shown[at]];
            let next = match shown.get(at + 1) {
                Some(&next) => way[next].by,
                // The way begins where it is closed, if that is shown.
                None if shown[0] == 0 => self.reference,
                None => way[shown[0]].by,
            };
            Edge { name: name.clone(), span: *span, next: next.filter(written) }
        };
        (0..shown.len()).map(edge).collect()
    }

    /// The help that breaks a cycle: `prev` around a signal that is read on the way, the last one first.
    fn broken_cycle(&self, problem: Problem, edges: &[Edge]) -> Problem {
        let round = edges.len();
        let found = (0..round).rev().find_map(|i| {
            let reference = edges[i].next.filter(|reference| self.is_signal(*reference))?;
            Some((i, self.reference_span(reference)))
        });
        let Some((i, span)) = found else {
            return problem.help("read one of them as it was one sample ago: `prev(…)`, around a signal");
        };
        let (text, name) = (self.files().slice(span), &edges[i].name);
        problem.fix(span, format!("prev({text})")).help(format!(
            "write `prev({text})` where `{name}` needs `{}` to mean its value one sample ago, or `tap({text}, time, max: …)`",
            edges[(i + 1) % round].name
        ))
    }

    /// The place of a reference, with the fields that are read from it.
    fn reference_span(&self, reference: Reference) -> Span {
        self.files().file(reference.file).ast.span(self.with_fields(reference))
    }

    /// The expression that reads fields from a name, or the name.
    fn with_fields(&self, Reference { file, expr }: Reference) -> ExprId {
        let ast = &self.files().file(file).ast;
        let field_of = |of: ExprId| {
            ast.exprs
                .handles()
                .find(|field| matches!(ast.exprs[*field], Expr::Field { of: x, .. } if x == of))
        };
        let mut whole = expr;
        while let Some(field) = field_of(whole) {
            whole = field;
        }
        whole
    }

    /// Whether a name stands for a signal, or its fields are read.
    fn is_signal(&self, reference: Reference) -> bool {
        self.with_fields(reference) != reference.expr || !self.is_record(reference, 0)
    }

    /// Whether an expression is seen to be a record: one is written, or named, or a definition gives it.
    fn is_record(&self, Reference { file, expr }: Reference, depth: usize) -> bool {
        /// Names and calls that are followed.
        const DEEPEST: usize = 32;
        if depth > DEEPEST {
            return false;
        }
        let (ast, hir) = (&self.files().file(file).ast, resolved(self.files(), file));
        let same = |expr: ExprId| self.is_record(Reference { file, expr }, depth + 1);
        match &ast.exprs[expr] {
            Expr::Record(_) => true,
            Expr::Paren(x) => same(*x),
            Expr::Name(_) => match hir.name(expr) {
                Name::Local(id) => match hir.local(id).kind {
                    LocalKind::Equation(value) => same(value),
                    _ => false,
                },
                _ => false,
            },
            Expr::Call { .. } => self.gives_record(Reference { file, expr }, depth),
            Expr::Pipe { right, .. } => self.gives_record(Reference { file, expr: *right }, depth),
            _ => false,
        }
    }

    fn gives_record(&self, Reference { file, expr }: Reference, depth: usize) -> bool {
        let call = resolved(self.files(), file).call(expr);
        let Some(Callee::Definition(def)) = call.map(|call| call.callee) else { return false };
        let value = match &self.files().definition(def).body {
            Body::Expr(expr) => Some(*expr),
            Body::Items(items) => equation(items, "out"),
        };
        value.is_some_and(|expr| self.is_record(Reference { file: def.file, expr }, depth + 1))
    }

    /// Notes the name through which the next thing is reached.
    pub(super) fn reach(&mut self, at: &At, expr: ExprId) {
        self.reference = Some(Reference { file: self.file(at), expr });
    }
}

fn cycle_message(names: &[&str]) -> String {
    let name = names[0];
    match names.len() {
        1 => format!("`{name}` needs its own value of the same sample"),
        0..=MOST_NAMED => {
            format!("these equations need each other within one sample: {} → {name}", names.join(" → "))
        }
        all => {
            let (first, more) = (names[..MOST_NAMED - 1].join(" → "), all - MOST_NAMED);
            let last = names[all - 1];
            format!(
                "{all} equations need each other within one sample: {first} → … ({more} more) → {last} → {name}"
            )
        }
    }
}
