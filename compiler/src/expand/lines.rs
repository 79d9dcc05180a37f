//! Lines of a score, and what their targets are.

use mam_grammar::Span;
use mam_grammar::ast::{Ast, Expr, ExprId, Ident, Item, ItemKind, Line, equations};
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
    pipes(ast).into_iter().filter_map(|(name, pipe)| Some((name, pipe.left?))).collect()
}

/// An equation as a pipe: what is called in it from left to right.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipe {
    /// The equation that stands at its left end.
    pub(super) from: Option<Arc<str>>,
    /// The definition that is called at its left end.
    pub(super) left: Option<Arc<str>>,
    /// What is called behind it: the name by which lines know it, and the definition. The second `echo` is `echo2`.
    pub(super) effects: Vec<(Arc<str>, Arc<str>)>,
}

/// Each equation as a pipe.
pub(super) fn pipes(ast: &Ast) -> FxHashMap<Arc<str>, Pipe> {
    equations(&ast.items).map(|(name, value)| (name.name.clone(), pipe(ast, value))).collect()
}

fn pipe(ast: &Ast, value: ExprId) -> Pipe {
    let (mut found, mut called, mut at) = (Pipe::default(), vec![], value);
    loop {
        match &ast.exprs[at] {
            Expr::Pipe { left, right } => {
                called.extend(callee(ast, *right));
                at = *left;
            }
            Expr::Paren(x) | Expr::Field { of: x, .. } => at = *x,
            Expr::Name(name) => {
                found.from = Some(name.name.clone());
                break;
            }
            _ => {
                found.left = callee(ast, at);
                break;
            }
        }
    }
    for callee in called.into_iter().rev() {
        let of_it = found.effects.iter().filter(|(_, definition)| *definition == callee).count();
        let name = if of_it == 0 { callee.clone() } else { format!("{callee}{}", of_it + 1).into() };
        found.effects.push((name, callee));
    }
    found
}

/// What an expression calls.
fn callee(ast: &Ast, expr: ExprId) -> Option<Arc<str>> {
    match &ast.exprs[expr] {
        Expr::Call { callee, .. } | Expr::Name(callee) => Some(callee.name.clone()),
        Expr::Field { of, .. } | Expr::Paren(of) => callee(ast, *of),
        _ => None,
    }
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
