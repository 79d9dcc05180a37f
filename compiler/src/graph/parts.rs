//! What stands directly in an expression or a body, and what is said of names.

use crate::codes;
use mam_grammar::ast::{Body, Expr, ExprId, Ident, Item, ItemKind};
use mam_grammar::{Problem, Span};

/// The direct operands of an expression, bodies included.
pub fn operands(expr: &Expr) -> Vec<ExprId> {
    let mut all = vec![];
    each_operand(expr, &mut |operand| all.push(operand));
    all
}

/// Looks at each direct operand of an expression, bodies included.
pub fn each_operand(expr: &Expr, look: &mut dyn FnMut(ExprId)) {
    match expr {
        Expr::Number(_) | Expr::Name(_) | Expr::Text(_) => {}
        Expr::Length { amount: x, .. }
        | Expr::Field { of: x, .. }
        | Expr::Unary { x, .. }
        | Expr::Paren(x) => {
            look(*x);
        }
        Expr::Call { args, .. } => args.iter().for_each(|arg| look(arg.value)),
        Expr::Method { of, args, .. } => {
            look(*of);
            args.iter().for_each(|arg| look(arg.value));
        }
        Expr::Pipe { left: a, right: b } | Expr::Binary { a, b, .. } | Expr::Index { of: a, index: b } => {
            look(*a);
            look(*b);
        }
        Expr::If { condition, then, otherwise } => [*condition, *then, *otherwise].into_iter().for_each(look),
        Expr::Reduce { over, body, .. } => {
            over.operands().into_iter().for_each(&mut *look);
            each_of_body(body, look);
        }
        Expr::Chain { start, over, body, .. } => {
            look(*start);
            over.operands().into_iter().for_each(&mut *look);
            each_of_body(body, look);
        }
        Expr::Oversample { factor: head, body, .. } | Expr::Spectral { head, body } => {
            look(*head);
            each_of_body(body, look);
        }
        Expr::Tuple(all) | Expr::List(all) => all.iter().copied().for_each(look),
        Expr::Record(fields) => fields.iter().for_each(|(_, value)| look(*value)),
    }
}

/// The expressions that stand directly in a body.
pub fn body_exprs(body: &Body) -> Vec<ExprId> {
    let mut all = vec![];
    each_of_body(body, &mut |expr| all.push(expr));
    all
}

fn each_of_body(body: &Body, look: &mut dyn FnMut(ExprId)) {
    match body {
        Body::Expr(expr) => look(*expr),
        Body::Items(items) => items.iter().for_each(|item| match &item.kind {
            ItemKind::Equation { value, .. } => look(*value),
            ItemKind::Until(expr) | ItemKind::Latency(expr) => look(*expr),
            _ => {}
        }),
    }
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
