//! Lines of a score, and what their targets are.

use mam_grammar::ast::{Ast, Expr, Item, ItemKind, Line};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Calls `f` with each line of a score.
pub(super) fn each(items: &mut [Item], f: &mut dyn FnMut(&mut Line)) {
    for item in items {
        match &mut item.kind {
            ItemKind::Line(line) => f(line),
            ItemKind::Play(items) | ItemKind::Section { items, .. } | ItemKind::Variation { items, .. } => {
                each(items, f);
            }
            _ => {}
        }
    }
}

/// What is called at the left end of each equation.
pub(super) fn called(ast: &Ast) -> FxHashMap<Arc<str>, Arc<str>> {
    let mut all = FxHashMap::default();
    for item in &ast.items {
        let ItemKind::Equation { name, value } = &item.kind else { continue };
        let mut at = *value;
        loop {
            match &ast.exprs[at] {
                Expr::Pipe { left, .. } => at = *left,
                Expr::Paren(x) | Expr::Field { of: x, .. } => at = *x,
                Expr::Call { callee, .. } => {
                    all.insert(name.name.clone(), callee.name.clone());
                    break;
                }
                _ => break,
            }
        }
    }
    all
}

/// A text cut into words and what stands between them.
pub(super) fn words(text: &str) -> Vec<&str> {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    let (mut all, mut rest) = (vec![], text);
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_letter(c) != is_letter(first)).unwrap_or(rest.len());
        all.push(&rest[..end]);
        rest = &rest[end..];
    }
    all
}
