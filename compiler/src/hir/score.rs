//! The names of a score: which equation, knob or parameter a line plays or sets, and which section is played.
//!
//! What cannot be played is said by the score's own checks; here the places are found.

use super::{Callee, DefId, FILE, Hir, LocalId, LocalKind, Target, Use};
use crate::expand::lines::path_words;
use crate::files::Files;
use crate::hir::builtins::PAN;
use mam_grammar::Span;
use mam_grammar::ast::{Ast, Body, DefinitionKind, Expr, ExprId, Ident, Item, ItemKind};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What every instrument has as parameters, after its own and before `pan`, which some have of their own.
pub(super) const IMPLIED: [&str; 2] = ["bpm", "loop"];

/// Adds the sections of a file to its names.
pub(super) fn define(hir: &mut Hir, items: &[Item]) {
    for (index, item) in items.iter().enumerate() {
        if let ItemKind::Section { name, .. } | ItemKind::Variation { name, .. } = &item.kind {
            hir.define(FILE, &name.name, Some(name.span), LocalKind::Section(index));
        }
    }
}

/// Finds what the lines and arrangements of a score name.
pub(super) fn resolve(files: &Files, ast: &Ast, hir: &mut Hir) {
    let mut sections = FxHashMap::default();
    for &id in &hir.scope(FILE).locals {
        let local = hir.local(id);
        if matches!(local.kind, LocalKind::Section(_)) {
            sections.entry(local.name.clone()).or_insert(id);
        }
    }
    Score { files, ast, hir, sections }.lines(&ast.items);
}

struct Score<'a> {
    files: &'a Files,
    ast: &'a Ast,
    hir: &'a mut Hir,
    /// The first section of each name.
    sections: FxHashMap<Arc<str>, LocalId>,
}

impl Score<'_> {
    fn used(&mut self, span: Span, target: Target) {
        self.hir.uses.push(Use { span, scope: FILE, target });
    }

    fn lines(&mut self, items: &[Item]) {
        for item in items {
            match &item.kind {
                ItemKind::Play(items) | ItemKind::Section { items, .. } => self.lines(items),
                ItemKind::Variation { of, items, .. } => {
                    if let Some(&section) = self.sections.get(&of.name) {
                        self.used(of.span, Target::Local(section));
                    }
                    self.lines(items);
                }
                ItemKind::Line(line) => self.target(&line.target),
                ItemKind::Preset { settings, .. } => {
                    settings.iter().for_each(|(name, _)| self.target(&path_words(name)));
                }
                ItemKind::Matrix(routes) => self.lines(routes),
                ItemKind::Route(route) => self.target(&route.target),
                ItemKind::Arrangement(parts) => {
                    for part in parts {
                        if let Some(&section) = self.sections.get(&part.section.name) {
                            self.used(part.section.span, Target::Local(section));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// `bd`, `bd.gain`, `bd.echo.time`: an equation or knob, the instrument or effect of its pipe, and its parameter.
    fn target(&mut self, words: &[Ident]) {
        let Some((first, rest)) = words.split_first() else { return };
        let Some(id) = self.hir.in_scope(FILE, &first.name) else { return };
        self.used(first.span, Target::Local(id));
        let LocalKind::Equation(value) = self.hir.local(id).kind else { return };
        let (owner, param) = match rest {
            [param] => (None, param),
            [owner, param] => (Some(owner), param),
            _ => return,
        };
        let found = self.pipe(value).into_iter().find_map(|call| match self.hir.call(call)?.callee {
            Callee::Definition(def) => {
                let is_owner = owner.is_none_or(|owner| self.files.definition(def).name == *owner);
                (is_owner && self.has_param(def, &param.name)).then_some(def)
            }
            _ => None,
        });
        if let Some(def) = found {
            owner.into_iter().for_each(|owner| self.used(owner.span, Target::Definition(def)));
            self.used(param.span, Target::Argument(def, param.name.clone()));
        }
    }

    /// True where an instrument or effect has a parameter of this name.
    fn has_param(&self, def: DefId, name: &str) -> bool {
        let definition = self.files.definition(def);
        let Body::Items(items) = &definition.body else { return false };
        let is_param =
            |item: &Item| matches!(&item.kind, ItemKind::Param(param) if &*param.name.name == name);
        let is_instrument = definition.kind == DefinitionKind::Instrument;
        let implied = is_instrument && (IMPLIED.contains(&name) || name == PAN);
        implied || items.iter().any(is_param)
    }

    /// The calls of the pipe that an expression is, from its left end on, through the names of equations.
    fn pipe(&self, expr: ExprId) -> Vec<ExprId> {
        /// How many names are followed: as far as the graph follows them.
        const MOST_NAMES: usize = 32;
        let (mut at, mut calls, mut names) = (expr, vec![], 0);
        while names <= MOST_NAMES {
            match &self.ast.exprs[at] {
                Expr::Paren(x) | Expr::Field { of: x, .. } => at = *x,
                Expr::Pipe { left, right } => {
                    let mut call = *right;
                    while let Expr::Field { of, .. } = self.ast.exprs[call] {
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
                    let id = self.hir.in_scope(FILE, &name.name);
                    let Some(LocalKind::Equation(value)) = id.map(|id| self.hir.local(id).kind) else {
                        break;
                    };
                    at = value;
                    names += 1;
                }
                _ => break,
            }
        }
        calls.reverse();
        calls
    }
}
