//! The library as JSON sees it: which types of nodes there are, and what can be set on each.

use crate::files::Files;
use crate::hir::DefId;
use crate::library::{Info, Library, ParamInfo, draws_noise};
use crate::places::reads_numbers;
use mam_grammar::ast::DefinitionKind;
use std::rc::Rc;
use std::sync::Arc;

/// A type of nodes: an instrument or effect of the prelude.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub(super) name: Arc<str>,
    pub(super) effect: bool,
    doc: Option<Arc<str>>,
    head: Vec<Arc<str>>,
    info: Rc<Info>,
    draws_noise: bool,
    numbered: bool,
}

impl Kind {
    /// Whether it reads the numbers of its notes.
    pub(super) fn is_numbered(&self) -> bool {
        self.numbered
    }

    /// Whether it makes noise, which is drawn by the names of nodes.
    pub(super) fn draws_noise(&self) -> bool {
        self.draws_noise
    }

    /// What it is for.
    pub(super) fn doc(&self) -> Option<&str> {
        self.doc.as_deref()
    }

    /// What can be set; an instrument's end with `bpm`, `loop` and `pan`.
    pub(super) fn params(&self) -> &[ParamInfo] {
        &self.info.params
    }

    /// The arguments in the head of its definition.
    pub(super) fn head(&self) -> &[Arc<str>] {
        &self.head
    }

    /// The further inputs of an effect, at ports 1, 2 …
    pub(super) fn inputs(&self) -> &[Arc<str>] {
        &self.info.inputs
    }
}

/// Where types are looked up.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) files: &'a Files,
    pub(super) library: &'a Library,
}

/// What a name stands for.
pub(super) enum Found {
    /// A type of nodes.
    Kind(Kind),
    /// A function: no node can be it.
    Function,
}

impl Known<'_> {
    /// What the prelude has under this name.
    pub(super) fn find(self, name: &str) -> Option<Found> {
        let def = self.files.find_prelude(name)?;
        Some(self.kind(def).map_or(Found::Function, Found::Kind))
    }

    /// All types, in the order of the prelude.
    pub(super) fn kinds(self) -> Vec<Kind> {
        self.files.prelude_definitions().into_iter().filter_map(|def| self.kind(def)).collect()
    }

    fn kind(self, def: DefId) -> Option<Kind> {
        let definition = self.files.definition(def);
        let effect = match definition.kind {
            DefinitionKind::Def => return None,
            DefinitionKind::Instrument => false,
            DefinitionKind::Effect => true,
        };
        Some(Kind {
            name: definition.name.name.clone(),
            effect,
            doc: self.files.item(def).doc.clone(),
            head: definition.formals.iter().map(|formal| formal.name.name.clone()).collect(),
            info: self.library.info(self.files, def),
            draws_noise: draws_noise(self.files, def),
            numbered: reads_numbers(self.files, def),
        })
    }
}
