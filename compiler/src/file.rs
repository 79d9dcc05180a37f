//! One parsed file: its tree, its definitions by name, and what its names mean.

use crate::expand::Reference;
use crate::hir::Hir;
use crate::samples::Samples;
use mam_grammar::ast::{Ast, ExprId, Item, ItemKind};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::{Arc, OnceLock};

/// A file of definitions, parsed but not resolved.
#[derive(Debug, Default)]
pub struct File {
    /// The syntax tree of its text.
    pub ast: Ast,
    /// Its definitions by name.
    pub definitions: FxHashMap<Arc<str>, usize>,
    /// What items that could not be read would have defined.
    pub broken: FxHashSet<Arc<str>>,
    /// The files that it uses.
    pub uses: Vec<usize>,
    /// The sounds that it names, by the expression of the path.
    pub samples: FxHashMap<ExprId, Arc<Samples>>,
    /// Whether a file that it names could not be used, so that definitions may be missing.
    pub incomplete: bool,
    /// The texts of the files of its tuning, by the paths that name them.
    pub tunings: FxHashMap<Arc<str>, String>,
    /// What is written of kits and their parts in it and in the files that it uses; of the song alone.
    pub references: Vec<Reference>,
    /// What its names mean; made by [`resolved`](crate::hir::resolve::resolved).
    pub(crate) hir: OnceLock<Hir>,
}

impl File {
    /// Indexes a syntax tree.
    pub fn new(ast: Ast) -> File {
        let mut definitions = FxHashMap::default();
        for (i, item) in ast.items.iter().enumerate() {
            if let ItemKind::Definition(def) = &item.kind {
                definitions.entry(def.name.name.clone()).or_insert(i);
            }
        }
        let broken = broken_names(&ast.items).cloned().collect();
        File { ast, definitions, broken, ..File::default() }
    }
}

/// The names that items that could not be read would have defined.
pub fn broken_names(items: &[Item]) -> impl Iterator<Item = &Arc<str>> {
    items.iter().filter_map(|item| match &item.kind {
        ItemKind::Broken(Some(name)) => Some(&name.name),
        _ => None,
    })
}
