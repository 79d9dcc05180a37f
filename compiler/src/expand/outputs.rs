//! Several outputs: where an instrument or effect gives a record, its bare name is the first part of it.

use super::Seen;
use crate::graph::operands;
use mam_grammar::ast::{Ast, Body, Definition, DefinitionKind, Expr, ExprId, Ident, ItemKind, equation};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Has the names of equations that are instruments or effects with several outputs mean the first one, but where a part is read.
pub(super) fn expand(ast: &mut Ast, seen: &[Seen]) {
    let mut first: FxHashMap<Arc<str>, Ident> = FxHashMap::default();
    let mut values = vec![];
    for item in &ast.items {
        if let ItemKind::Matrix(routes) = &item.kind {
            values.extend(routes.iter().filter_map(|route| match &route.kind {
                ItemKind::Route(route) => Some(route.source),
                _ => None,
            }));
        }
        let ItemKind::Equation { name, value } = &item.kind else { continue };
        values.push(*value);
        if let Some(part) = output(ast, seen, *value) {
            first.insert(name.name.clone(), part);
        }
    }
    if first.is_empty() {
        return;
    }
    let mut open = values;
    while let Some(expr) = open.pop() {
        match ast.exprs[expr].clone() {
            Expr::Name(name) => {
                if let Some(field) = first.get(&name.name) {
                    let (span, field) = (name.span, Ident { name: field.name.clone(), span: name.span });
                    let of = ast.add(Expr::Name(name), span);
                    ast.exprs[expr] = Expr::Field { of, field };
                }
            }
            Expr::Field { of, .. } if matches!(ast.exprs[of], Expr::Name(_)) => {}
            Expr::Pipe { left, right } => {
                open.push(left);
                if !matches!(ast.exprs[right], Expr::Name(_)) {
                    open.push(right);
                }
            }
            other => open.extend(operands(&other)),
        }
    }
}

/// The first output of the instrument or effect that an expression is a call of, or whose pipe ends in one, where it has several.
fn output(ast: &Ast, seen: &[Seen], expr: ExprId) -> Option<Ident> {
    let callee = match &ast.exprs[expr] {
        Expr::Paren(x) => return output(ast, seen, *x),
        Expr::Call { callee, .. } => callee,
        Expr::Pipe { right, .. } => match &ast.exprs[*right] {
            Expr::Call { callee, .. } | Expr::Name(callee) => callee,
            _ => return None,
        },
        _ => return None,
    };
    let (file, definition) =
        seen.iter().find_map(|file| file.definition(&callee.name).map(|definition| (file, definition)))?;
    first(&file.ast, definition)
}

/// The first output of an instrument or effect that has several.
pub(super) fn first(ast: &Ast, definition: &Definition) -> Option<Ident> {
    let Body::Items(items) = &definition.body else { return None };
    match &ast.exprs[equation(items, "out")?] {
        Expr::Record(fields) if definition.kind != DefinitionKind::Def => {
            fields.first().map(|(name, _)| name.clone())
        }
        _ => None,
    }
}
