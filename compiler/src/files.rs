//! The files of a compilation: the song, what it `use`s, and the prelude.
//!
//! Of the prelude, each definition is a file of its own, and only those that a song needs are parsed. Names of
//! definitions are found in a file itself, then in the files that it uses, then in the prelude, so a song can have
//! its own `decay` without changing what the prelude's kick does.

use crate::codes;
use crate::prelude::Prelude;
use mam_grammar::ast::{Ast, Definition, Item, ItemKind};
use mam_grammar::{Limits, Problem, Problems, SourceId, Sources, syntax};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Reads the files that `use` names.
pub trait Loader {
    /// The name and text of the file `path`, as said by the file called `from`; or why there is none, in words.
    fn load(&self, from: &str, path: &str) -> Result<(String, String), String>;
}

/// A loader for which there are no files.
pub struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _from: &str, path: &str) -> Result<(String, String), String> {
        Err(format!("`{path}` cannot be read from here"))
    }
}

/// A definition: an item of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DefId {
    /// Index of the file.
    pub file: usize,
    /// Index of the item.
    pub item: usize,
}

/// A parsed file.
#[derive(Debug, Default)]
pub struct File {
    /// Its syntax tree.
    pub ast: Ast,
    /// Its definitions by name.
    pub definitions: FxHashMap<Arc<str>, usize>,
    /// What items that could not be read would have defined.
    pub broken: FxHashSet<Arc<str>>,
    /// The files that it uses.
    pub uses: Vec<usize>,
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
        File { ast, definitions, broken, uses: vec![] }
    }
}

/// All files. The first are the prelude's, one a definition.
pub struct Files {
    /// What a song may ask for at most.
    pub limits: Limits,
    prelude: Prelude,
    user: Vec<File>,
    texts: Sources,
}

impl Files {
    /// The prelude alone; its texts are added to `sources`.
    pub fn prelude(sources: &mut Sources, limits: Limits) -> Files {
        let prelude = Prelude::new(sources);
        Files { limits, prelude, user: vec![], texts: sources.clone() }
    }

    /// Adds a file and, recursively, those that it uses. Returns its index.
    pub fn add(
        &mut self,
        id: SourceId,
        ast: Ast,
        sources: &mut Sources,
        loader: &dyn Loader,
        problems: &mut Problems,
    ) -> usize {
        let mut open = vec![sources.get(id).name.to_string()];
        let file = self.add_used(id, ast, sources, loader, problems, &mut open);
        self.texts = sources.clone();
        file
    }

    fn add_used(
        &mut self,
        id: SourceId,
        ast: Ast,
        sources: &mut Sources,
        loader: &dyn Loader,
        problems: &mut Problems,
        open: &mut Vec<String>,
    ) -> usize {
        let mut uses = vec![];
        for item in &ast.items {
            let ItemKind::Use(path) = &item.kind else { continue };
            let from = sources.get(id).name.clone();
            let refuse = |why: String| Problem::new(&codes::CANNOT_USE, path.span, why);
            match loader.load(&from, &path.text) {
                Err(why) => problems.add(refuse(why).help("the path is relative to the file that says it")),
                Ok((name, _)) if open.contains(&name) => {
                    problems.add(refuse(format!("`{name}` uses itself: {} → {name}", open.join(" → "))));
                }
                Ok(_) if open.len() >= self.limits.use_depth => {
                    problems.add(refuse("files use files too deeply".to_string()));
                }
                Ok((name, text)) => {
                    let used = sources.add(name.as_str(), text.as_str());
                    let (ast, found) = syntax::parse(sources, used, &self.limits);
                    problems.extend(found);
                    open.push(name);
                    uses.push(self.add_used(used, ast, sources, loader, problems, open));
                    open.pop();
                }
            }
        }
        let mut file = File::new(ast);
        file.uses = uses;
        self.user.push(file);
        self.prelude.len() + self.user.len() - 1
    }

    /// A file by its index.
    pub fn file(&self, index: usize) -> &File {
        match index.checked_sub(self.prelude.len()) {
            Some(user) => &self.user[user],
            None => self.prelude.definition(index, &self.texts),
        }
    }

    /// True for the prelude's own files.
    pub fn is_prelude(&self, index: usize) -> bool {
        index < self.prelude.len()
    }

    /// The text at a place; empty where there is none.
    pub fn slice(&self, span: mam_grammar::Span) -> &str {
        self.texts.slice(span)
    }

    /// True for the text of a file of the prelude.
    pub fn is_prelude_source(&self, source: SourceId) -> bool {
        self.prelude.has(source)
    }

    /// The definition that `name` means in a file.
    pub fn find(&self, file: usize, name: &str) -> Option<DefId> {
        let own = |file: usize| self.file(file).definitions.get(name).map(|&item| DefId { file, item });
        own(file)
            .or_else(|| self.file(file).uses.iter().find_map(|&used| own(used)))
            .or_else(|| self.find_prelude(name))
    }

    /// The prelude's definition of `name`.
    pub fn find_prelude(&self, name: &str) -> Option<DefId> {
        let file = self.prelude.find(name)?;
        self.file(file).definitions.get(name).map(|&item| DefId { file, item })
    }

    /// The files that are not the prelude's.
    pub fn user_files(&self) -> std::ops::Range<usize> {
        self.prelude.len()..self.prelude.len() + self.user.len()
    }

    /// True when a definition or equation of this name could not be read.
    pub fn is_broken(&self, file: usize, name: &str) -> bool {
        let near = std::iter::once(file).chain(self.file(file).uses.iter().copied());
        near.into_iter().any(|f| self.file(f).broken.contains(name))
    }

    /// The item of a definition.
    pub fn item(&self, id: DefId) -> &Item {
        &self.file(id.file).ast.items[id.item]
    }

    /// A definition.
    pub fn definition(&self, id: DefId) -> &Definition {
        match &self.item(id).kind {
            ItemKind::Definition(definition) => definition,
            _ => unreachable!("a DefId is made from a definition"),
        }
    }

    /// The names of all definitions that can be seen from a file.
    pub fn visible(&self, file: usize) -> Vec<String> {
        let near = std::iter::once(file).chain(self.file(file).uses.iter().copied());
        let mut names: Vec<String> =
            near.flat_map(|f| self.file(f).definitions.keys().map(ToString::to_string)).collect();
        names.extend(self.prelude.names().map(ToString::to_string));
        names.sort();
        names.dedup();
        names
    }

    /// All definitions of the prelude, in the order of its files.
    pub fn prelude_definitions(&self) -> Vec<DefId> {
        (0..self.prelude.len()).map(|file| DefId { file, item: 0 }).collect()
    }
}

/// The names that items that could not be read would have defined.
pub fn broken_names(items: &[Item]) -> impl Iterator<Item = &Arc<str>> {
    items.iter().filter_map(|item| match &item.kind {
        ItemKind::Broken(Some(name)) => Some(&name.name),
        _ => None,
    })
}
