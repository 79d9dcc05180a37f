//! The library as JSON sees it: which types of nodes there are, and what can be set on each.

use crate::files::Files;
use crate::library::Library;
use mam_grammar::ast::DefinitionKind;
use std::rc::Rc;
use std::sync::Arc;

pub use crate::dimension::Dimension;
pub use crate::library::ParamInfo;
pub use mam_runtime::Curve;

/// A type of nodes.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Its name.
    pub name: Arc<str>,
    /// True for an effect, false for an instrument.
    pub effect: bool,
    /// What it is for.
    pub doc: Option<Arc<str>>,
    /// What can be set; an instrument's end with `bpm` and `loop`.
    pub params: Vec<ParamInfo>,
    /// The further inputs of an effect, at ports 1, 2 …
    pub inputs: Vec<Arc<str>>,
}

/// Where types are looked up.
pub trait Known {
    /// The type of this name.
    fn kind(&self, name: &str) -> Option<Rc<Kind>>;
    /// The names of all types.
    fn names(&self) -> Vec<String>;
    /// True when the language has a function of this name, which a node cannot be.
    fn is_function(&self, name: &str) -> bool;
}

/// The prelude.
impl Known for Files {
    fn kind(&self, name: &str) -> Option<Rc<Kind>> {
        let def = self.find_prelude(name)?;
        let effect = match self.definition(def).kind {
            DefinitionKind::Def => return None,
            DefinitionKind::Instrument => false,
            DefinitionKind::Effect => true,
        };
        let info = Library::default().info(self, def);
        Some(Rc::new(Kind {
            name: self.definition(def).name.name.clone(),
            effect,
            doc: self.item(def).doc.clone(),
            params: info.params.clone(),
            inputs: info.inputs.clone(),
        }))
    }

    fn names(&self) -> Vec<String> {
        let all = self.prelude_definitions().into_iter().map(|def| self.definition(def));
        all.filter(|d| d.kind != DefinitionKind::Def).map(|d| d.name.to_string()).collect()
    }

    fn is_function(&self, name: &str) -> bool {
        self.find_prelude(name).is_some_and(|def| self.definition(def).kind == DefinitionKind::Def)
    }
}
