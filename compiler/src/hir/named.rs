//! What can be given to an instrument or effect by name.

use super::DefId;
use super::builtins::PAN;
use super::score::IMPLIED;
use crate::dimension::Dimension;
use crate::files::Files;
use crate::units::Units;
use mam_grammar::ast::{Body, DefinitionKind, ItemKind};
use std::sync::Arc;

/// What a definition offers by name, as it is written.
#[derive(Default)]
pub(super) struct Named {
    /// Its parameters, each with what it seems to measure; those of an instrument end with what all have.
    pub(super) params: Vec<(Arc<str>, Dimension)>,
    pub(super) inputs: Vec<Arc<str>>,
    /// What could not be read.
    pub(super) broken: Vec<Arc<str>>,
}

impl Named {
    pub(super) fn read(files: &Files, def: DefId) -> Named {
        let (ast, definition) = (&files.file(def.file).ast, files.definition(def));
        let items = match &definition.body {
            Body::Items(items) => &items[..],
            Body::Expr(_) => &[],
        };
        let mut named = Named::default();
        for item in items {
            match &item.kind {
                ItemKind::Param(param) => {
                    let units = Units::written(ast, Some(param.default), param.range);
                    let unit = units.value.or(units.low.filter(|_| units.low == units.high));
                    let dimension = unit.map_or(Dimension::PLAIN, Dimension::from_unit);
                    named.params.push((param.name.name.clone(), dimension));
                }
                ItemKind::Input(name) => named.inputs.push(name.name.clone()),
                ItemKind::Broken(Some(name)) => named.broken.push(name.name.clone()),
                _ => {}
            }
        }
        if definition.kind == DefinitionKind::Instrument {
            named.params.extend(IMPLIED.map(|name| (Arc::from(name), Dimension::PLAIN)));
            if named.params.iter().all(|(name, _)| **name != *PAN) {
                named.params.push((PAN.into(), Dimension::PLAIN));
            }
        }
        named
    }
}
