//! Kits as an editor shows them: what can be called, its parts, and their parameters.

use super::DefId;
pub use crate::expand::Reference;
use crate::files::Files;
use crate::prelude;
use mam_grammar::Span;
use mam_grammar::ast::{Ast, Expr, ExprId, Ident, Item, ItemKind};
use std::sync::Arc;

/// A kit that a song can call.
#[derive(Clone, Debug)]
pub struct Kit {
    /// Its name, where it is defined.
    pub name: Ident,
    /// The documentation that stands before it.
    pub doc: Option<Arc<str>>,
    /// Its equations but for `out`, in order.
    pub parts: Vec<Part>,
}

/// An equation of a kit.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its name, where it is defined.
    pub name: Ident,
    /// The documentation that stands before it.
    pub doc: Option<Arc<str>>,
    /// The first line of its value, as it is written.
    pub value: String,
    /// What is called at the left end of its value: an instrument in most kits.
    pub callee: Option<Arc<str>>,
}

impl Kit {
    /// How a call of it is written, with its parts instead of their parameters: `kit beat(bd, ch, oh)`.
    pub fn form(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|part| &*part.name.name).collect();
        format!("kit {}({})", self.name, parts.join(", "))
    }

    /// The definition whose parameters a call of it can give to a part, seen from a file.
    pub fn instrument(&self, part: &Part, files: &Files, file: usize) -> Option<DefId> {
        files.find(file, part.callee.as_ref()?)
    }
}

/// The kits that can be called in a file: its own, those of the files that it uses, and the prelude's. The first of a name is the
/// one that is meant.
pub fn kits(files: &Files, file: usize) -> Vec<Kit> {
    let with_uses = std::iter::once(file).chain(files.file(file).uses.iter().copied());
    let mut all: Vec<Kit> = with_uses.flat_map(|file| kits_of(files, &files.file(file).ast)).collect();
    all.extend(files.prelude_kits().flat_map(|ast| kits_of(files, &ast).collect::<Vec<Kit>>()));
    all
}

/// Whether a name that is no definition's is a kit's where it is written.
pub fn is_kit(files: &Files, file: usize, name: &str) -> bool {
    let mut with_uses = std::iter::once(file).chain(files.file(file).uses.iter().copied());
    let own = |item: &Item| matches!(&item.kind, ItemKind::Kit { name: own, .. } if &*own.name == name);
    with_uses.any(|file| files.file(file).ast.items.iter().any(own))
        || prelude::kits().any(|(own, _)| own == name)
}

fn kits_of<'a>(files: &'a Files, ast: &'a Ast) -> impl Iterator<Item = Kit> + 'a {
    ast.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Kit { name, items, .. } => {
            let parts = items.iter().filter_map(|item| part(files, ast, item)).collect();
            Some(Kit { name: name.clone(), doc: item.doc.clone(), parts })
        }
        _ => None,
    })
}

fn part(files: &Files, ast: &Ast, item: &Item) -> Option<Part> {
    let ItemKind::Equation { name, value } = &item.kind else { return None };
    let text = files.slice(ast.span(*value)).lines().next().unwrap_or_default();
    (&*name.name != "out").then(|| Part {
        name: name.clone(),
        doc: item.doc.clone(),
        value: text.to_owned(),
        callee: left_callee(ast, *value),
    })
}

/// What is called at the left end of a value.
fn left_callee(ast: &Ast, value: ExprId) -> Option<Arc<str>> {
    match &ast.exprs[value] {
        Expr::Pipe { left, .. } => left_callee(ast, *left),
        Expr::Paren(x) | Expr::Field { of: x, .. } => left_callee(ast, *x),
        Expr::Call { callee, .. } => Some(callee.name.clone()),
        _ => None,
    }
}

/// The kit that has its name at a place, or the kit and the part of it that has.
pub fn named_at(all: &[Kit], at: Span) -> Option<(&Kit, Option<&Part>)> {
    all.iter().find_map(|kit| {
        // The parts that are files of a folder stand in no text: all have the place of its path.
        let mut here = kit.parts.iter().filter(|part| part.name.span == at);
        let part = here.next().filter(|_| here.next().is_none());
        (kit.name.span == at || part.is_some()).then_some((kit, part))
    })
}
