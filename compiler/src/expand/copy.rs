//! Copies of expressions, in which names may become others.

use mam_grammar::ast::{Arg, Ast, Body, Expr, ExprId, Ident, Item, ItemKind, Over};

/// [`copy`], inside which the name means something else.
fn recurse(from: &Ast, to: &mut Ast, expr: ExprId, name: &dyn Fn(&Ident) -> Ident) -> ExprId {
    copy(from, to, expr, name)
}

/// Copies an expression of `from` into `to`; `name` says what a name becomes.
pub(super) fn copy(from: &Ast, to: &mut Ast, expr: ExprId, name: &dyn Fn(&Ident) -> Ident) -> ExprId {
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        let mut copy = |expr: ExprId| recurse(from, to, expr, name);
        let copied = match &from.exprs[expr] {
            Expr::Name(own) => Expr::Name(name(own)),
            Expr::Number(_) | Expr::Text(_) => from.exprs[expr].clone(),
            Expr::Length { amount, unit } => Expr::Length { amount: copy(*amount), unit: *unit },
            Expr::Field { of, field } => Expr::Field { of: copy(*of), field: field.clone() },
            Expr::Call { callee, args } => Expr::Call { callee: callee.clone(), args: all(args, &mut copy) },
            Expr::Method { of, callee, args } => {
                let of = copy(*of);
                Expr::Method { of, callee: callee.clone(), args: all(args, &mut copy) }
            }
            Expr::Pipe { left, right } => {
                let left = copy(*left);
                // On the right of a pipe a name is called.
                let right = match &from.exprs[*right] {
                    Expr::Name(_) => to.add(from.exprs[*right].clone(), from.span(*right)),
                    _ => copy(*right),
                };
                Expr::Pipe { left, right }
            }
            Expr::Unary { op, x } => Expr::Unary { op: *op, x: copy(*x) },
            Expr::Binary { op, a, b } => Expr::Binary { op: *op, a: copy(*a), b: copy(*b) },
            Expr::If { condition, then, otherwise } => {
                Expr::If { condition: copy(*condition), then: copy(*then), otherwise: copy(*otherwise) }
            }
            Expr::Reduce { reduction, index, over, body } => {
                let over = copied_over(*over, &mut copy);
                let body = copied_body(body, &mut copy);
                Expr::Reduce { reduction: *reduction, index: index.clone(), over, body }
            }
            Expr::Chain { value, start, index, over, body } => {
                let (start, over) = (copy(*start), copied_over(*over, &mut copy));
                let body = copied_body(body, &mut copy);
                Expr::Chain { value: value.clone(), start, index: index.clone(), over, body }
            }
            Expr::Oversample { factor, border, body } => {
                let factor = copy(*factor);
                Expr::Oversample { factor, border: border.clone(), body: copied_body(body, &mut copy) }
            }
            Expr::Spectral { head, body } => {
                let head = copy(*head);
                Expr::Spectral { head, body: copied_body(body, &mut copy) }
            }
            Expr::Index { of, index } => Expr::Index { of: copy(*of), index: copy(*index) },
            Expr::Tuple(parts) => Expr::Tuple(parts.iter().map(|part| copy(*part)).collect()),
            Expr::Paren(x) => Expr::Paren(copy(*x)),
            Expr::List(elements) => Expr::List(elements.iter().map(|element| copy(*element)).collect()),
            Expr::Record(fields) => {
                Expr::Record(fields.iter().map(|(field, value)| (field.clone(), copy(*value))).collect())
            }
        };
        to.add(copied, from.span(expr))
    })
}

fn all(args: &[Arg], copy: &mut dyn FnMut(ExprId) -> ExprId) -> Vec<Arg> {
    args.iter().map(|arg| Arg { name: arg.name.clone(), value: copy(arg.value) }).collect()
}

fn copied_over(over: Over, copy: &mut dyn FnMut(ExprId) -> ExprId) -> Over {
    match over {
        Over::Range(from, to) => Over::Range(copy(from), copy(to)),
        Over::List(list) => Over::List(copy(list)),
    }
}

fn copied_body(body: &Body, copy: &mut dyn FnMut(ExprId) -> ExprId) -> Body {
    match body {
        Body::Expr(expr) => Body::Expr(copy(*expr)),
        Body::Items(items) => Body::Items(items.iter().map(|item| copied_item(item, copy)).collect()),
    }
}

fn copied_item(item: &Item, copy: &mut dyn FnMut(ExprId) -> ExprId) -> Item {
    let kind = match &item.kind {
        ItemKind::Equation { name, value } => ItemKind::Equation { name: name.clone(), value: copy(*value) },
        ItemKind::Latency(value) => ItemKind::Latency(copy(*value)),
        other => other.clone(),
    };
    Item { doc: item.doc.clone(), kind, span: item.span }
}
