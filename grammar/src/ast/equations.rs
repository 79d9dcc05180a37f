//! The equations among the items of a file or of a body.

use super::{ExprId, Ident, Item, ItemKind};

/// The equations among some items, in their order: name and value.
pub fn equations(items: &[Item]) -> impl Iterator<Item = (&Ident, ExprId)> {
    items.iter().filter_map(|item| match &item.kind {
        ItemKind::Equation { name, value } => Some((name, *value)),
        _ => None,
    })
}

/// The value of the first equation of this name among some items.
pub fn equation(items: &[Item], name: &str) -> Option<ExprId> {
    equations(items).find(|(defined, _)| *defined.name == *name).map(|(_, value)| value)
}
