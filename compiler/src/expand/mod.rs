//! What stands for other equations and lines is written out before names are looked for: kits, presets, words as values of
//! parameters, fixed parameters, and the first of several outputs.
//!
//! `dr = beat(bd.gain: 0.5)` becomes the equations `dr.bd`, `dr.hh` … of the kit `beat`, and their sum in the place of the call; so
//! nothing behind knows a kit. Every new item stands behind the song's own, whose places do not change.

mod copy;
mod folders;
mod kits;
mod lines;
mod outputs;
mod presets;
mod words;

pub(crate) use folders::fill;
use mam_grammar::ast::{Ast, Definition, Ident, Item, ItemKind};
use mam_grammar::{Limits, Problems, Span};
use std::rc::Rc;

/// A file whose kits and definitions a song can see.
pub(crate) struct Seen {
    ast: Rc<Ast>,
}

impl Seen {
    /// A file with this tree.
    pub(crate) fn new(ast: &Ast) -> Seen {
        Seen { ast: Rc::new(ast.clone()) }
    }

    fn kit(&self, name: &str) -> Option<(&Ident, &[Item])> {
        self.ast.items.iter().find_map(|item| match &item.kind {
            ItemKind::Kit { name: own, items, .. } if &*own.name == name => Some((own, &items[..])),
            _ => None,
        })
    }

    fn definition(&self, name: &str) -> Option<&Definition> {
        self.ast.items.iter().find_map(|item| match &item.kind {
            ItemKind::Definition(own) if &*own.name.name == name => Some(own),
            _ => None,
        })
    }
}

/// Whether a song that sees these files has something that is written out.
pub(crate) fn is_needed<'a>(mut seen: impl Iterator<Item = &'a Ast>) -> bool {
    seen.any(|ast| {
        ast.items.iter().any(|item| match &item.kind {
            ItemKind::Kit { .. } => true,
            ItemKind::Definition(definition) => {
                presets::presets_of(definition).next().is_some() || outputs::first(ast, definition).is_some()
            }
            _ => false,
        }) || words::is_needed(ast)
    })
}

/// Describes the parameters of a file's definitions by numbers.
pub(crate) fn define(ast: &mut Ast, problems: &mut Problems) {
    if words::is_needed(ast) {
        words::define(ast, problems);
    }
}

/// A name of a kit or of a part of one, as it is written before it is written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where it is written.
    pub at: Span,
    /// The name in the kit, or of the equation that calls the kit, that it means.
    pub to: Span,
}

/// Writes out what a song has of what it and the files that it uses define: `seen`, first its own. Returns what the names of kits
/// and parts in these files mean.
pub(crate) fn expand(
    ast: &mut Ast,
    seen: &[Seen],
    limits: &Limits,
    problems: &mut Problems,
) -> Vec<Reference> {
    let references = kits::expand(ast, seen, limits, problems);
    presets::expand(ast, seen, problems);
    words::give(ast, seen, problems);
    outputs::expand(ast, seen);
    references
}
