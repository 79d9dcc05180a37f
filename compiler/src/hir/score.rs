//! The names of a score: which equation, knob or parameter a line plays or sets, and which section is played.
//!
//! What cannot be played is said by the score's own checks; here the places are found.

use super::resolve::Resolver;
use super::{Callee, FILE, LocalId, LocalKind, Target};
use mam_grammar::ast::{Expr, ExprId, Ident, Item, ItemKind};
use rustc_hash::FxHashMap;
use std::sync::Arc;

type Sections = FxHashMap<Arc<str>, LocalId>;

/// Adds the sections of a file to its names.
pub(super) fn define(resolver: &mut Resolver, items: &[Item]) {
    for (index, item) in items.iter().enumerate() {
        if let ItemKind::Section { name, .. } = &item.kind {
            resolver.hir.define(FILE, &name.name, Some(name.span), LocalKind::Section(index));
        }
    }
}

/// Finds what the lines and arrangements of a score name.
pub(super) fn resolve(resolver: &mut Resolver, items: &[Item]) {
    let locals = resolver.hir.scope(FILE).locals.iter();
    let sections = locals.filter_map(|&id| {
        let local = resolver.hir.local(id);
        matches!(local.kind, LocalKind::Section(_)).then(|| (local.name.clone(), id))
    });
    let mut first = Sections::default();
    sections.for_each(|(name, id)| _ = first.entry(name).or_insert(id));
    lines(resolver, items, &first);
}

fn lines(resolver: &mut Resolver, items: &[Item], sections: &Sections) {
    for item in items {
        match &item.kind {
            ItemKind::Play(items) | ItemKind::Section { items, .. } => lines(resolver, items, sections),
            ItemKind::Line(line) => target(resolver, &line.target),
            ItemKind::Arrangement(parts) => {
                for part in parts {
                    if let Some(&section) = sections.get(&part.section.name) {
                        resolver.used(FILE, part.section.span, Target::Local(section));
                    }
                }
            }
            _ => {}
        }
    }
}

/// `bd`, `bd.gain`, `bd.echo.time`: an equation or knob, the instrument or effect of its pipe, and its parameter.
fn target(resolver: &mut Resolver, words: &[Ident]) {
    let Some((first, rest)) = words.split_first() else { return };
    let Some(id) = resolver.hir.own(FILE, &first.name) else { return };
    resolver.used(FILE, first.span, Target::Local(id));
    let LocalKind::Equation(value) = resolver.hir.local(id).kind else { return };
    let calls = pipe(resolver, value);
    let (owner, param) = match rest {
        [param] => (None, param),
        [owner, param] => (Some(owner), param),
        _ => return,
    };
    let found = calls.into_iter().find_map(|call| match resolver.hir.call(call)?.callee {
        Callee::Definition(def) => {
            let has = owner.is_none_or(|owner| resolver.files.definition(def).name == *owner)
                && resolver.has_param(def, &param.name);
            has.then_some(def)
        }
        _ => None,
    });
    if let Some(def) = found {
        owner.into_iter().for_each(|owner| resolver.used(FILE, owner.span, Target::Definition(def)));
        resolver.used(FILE, param.span, Target::Argument(def, param.name.clone()));
    }
}

/// The calls of the pipe that an expression is, from its left end on, through the names of equations.
fn pipe(resolver: &Resolver, expr: ExprId) -> Vec<ExprId> {
    /// How many names are followed: as far as the graph follows them.
    const MOST_NAMES: usize = 32;
    let (mut at, mut calls, mut names) = (expr, vec![], 0);
    while names <= MOST_NAMES {
        match &resolver.ast.exprs[at] {
            Expr::Paren(x) | Expr::Field { of: x, .. } => at = *x,
            Expr::Pipe { left, right } => {
                let mut call = *right;
                while let Expr::Field { of, .. } = resolver.ast.exprs[call] {
                    call = of;
                }
                calls.push(call);
                at = *left;
            }
            Expr::Call { .. } => {
                calls.push(at);
                break;
            }
            Expr::Name(name) => {
                match resolver.hir.own(FILE, &name.name).map(|id| resolver.hir.local(id).kind) {
                    Some(LocalKind::Equation(value)) => {
                        at = value;
                        names += 1;
                    }
                    _ => break,
                }
            }
            _ => break,
        }
    }
    calls.reverse();
    calls
}
