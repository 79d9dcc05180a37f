//! What stands directly in an expression or a body, and what is said of names.

use crate::codes;
use mam_grammar::ast::{Body, Expr, ExprId, Ident, Item, ItemKind};
use mam_grammar::{Problem, Span};

/// The direct operands of an expression, bodies included.
pub fn operands(expr: &Expr) -> Vec<ExprId> {
    match expr {
        Expr::Number(_) | Expr::Name(_) | Expr::Text(_) => vec![],
        Expr::Length { amount, .. } => vec![*amount],
        Expr::Field { of, .. } => vec![*of],
        Expr::Call { args, .. } => args.iter().map(|a| a.value).collect(),
        Expr::Method { of, args, .. } => std::iter::once(*of).chain(args.iter().map(|a| a.value)).collect(),
        Expr::Pipe { left, right } => vec![*left, *right],
        Expr::Unary { x, .. } | Expr::Paren(x) => vec![*x],
        Expr::Binary { a, b, .. } => vec![*a, *b],
        Expr::If { condition, then, otherwise } => vec![*condition, *then, *otherwise],
        Expr::Reduce { over, body, .. } => [over.operands(), body_exprs(body)].concat(),
        Expr::Chain { start, over, body, .. } => [vec![*start], over.operands(), body_exprs(body)].concat(),
        Expr::Oversample { factor, body, .. } => [vec![*factor], body_exprs(body)].concat(),
        Expr::Spectral { head, body } => [vec![*head], body_exprs(body)].concat(),
        Expr::Index { of, index } => vec![*of, *index],
        Expr::Tuple(all) | Expr::List(all) => all.clone(),
        Expr::Record(fields) => fields.iter().map(|(_, e)| *e).collect(),
    }
}

/// The expressions that stand directly in a body.
pub fn body_exprs(body: &Body) -> Vec<ExprId> {
    let Body::Items(items) = body else {
        return match body {
            Body::Expr(e) => vec![*e],
            Body::Items(_) => vec![],
        };
    };
    items
        .iter()
        .filter_map(|i| match &i.kind {
            ItemKind::Equation { value, .. } => Some(*value),
            ItemKind::Until(e) | ItemKind::Latency(e) => Some(*e),
            _ => None,
        })
        .collect()
}

/// The names of an instrument's events.
pub fn is_event(field: &str) -> bool {
    matches!(field, "trig" | "gate" | "freq" | "note" | "vel")
}

/// The problem of a name that is defined a second time.
pub fn duplicate(name: &Ident, first: Span) -> Problem {
    Problem::new(&codes::DUPLICATE_NAME, name.span, format!("`{name}` is defined twice"))
        .here("here again")
        .label(first, "first defined here")
        .help("give one of the two another name")
}

/// True when one of the items defines `out`, or may have been meant to.
pub fn has_out(items: &[Item]) -> bool {
    items.iter().any(|i| match &i.kind {
        ItemKind::Equation { name, .. } => &*name.name == "out",
        ItemKind::Broken(_) => true,
        _ => false,
    })
}
