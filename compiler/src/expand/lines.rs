//! Lines of a score, and what their targets are.

use mam_grammar::Span;
use mam_grammar::ast::{Ast, Expr, Ident, Item, ItemKind, Line};
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

/// Calls `f` with what each line of a score plays or sets, and with what each line of a matrix moves.
pub(super) fn targets(items: &mut [Item], f: &mut dyn FnMut(&mut Vec<Ident>)) {
    each(items, &mut |line| f(&mut line.target));
    for item in items {
        let ItemKind::Matrix(routes) = &mut item.kind else { continue };
        for route in routes {
            if let ItemKind::Route(route) = &mut route.kind {
                f(&mut route.target);
            }
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

/// The words of a path such as `bass.cutoff`, each at its place.
pub(crate) fn path_words(path: &Ident) -> Vec<Ident> {
    let is_whole = path.span.end - path.span.start == path.name.len() as u32;
    let mut at = path.span.start;
    let words = path.name.split('.').map(|word| {
        let start = at;
        at += word.len() as u32 + 1;
        let place = Span { start, end: start + word.len() as u32, ..path.span };
        Ident::new(word, if is_whole { place } else { path.span })
    });
    words.collect()
}
