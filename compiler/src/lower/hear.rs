//! Expressions and nodes that are heard by themselves, beside the song.

use super::lowered::SignalId;
use super::value::{NodeVal, Shape, Val};
use super::{At, Lower};
use crate::graph::NodeId;
use mam_grammar::Handle;
use mam_grammar::ast::ExprId;
use rustc_hash::FxHashMap;

impl Lower<'_, '_> {
    /// Remembers the value of an expression of the song that is heard by itself.
    pub(super) fn hear(&mut self, at: &At, expr: ExprId, val: &Val) {
        if !self.song.graph.heard.contains(&expr) {
            return;
        }
        let scope = &self.scopes[at.scope];
        let in_song = scope.file == self.song.file && scope.iterations.as_ref().is_some_and(Vec::is_empty);
        let is_new = !self.song.heard.contains_key(&expr) && !self.heard.iter().any(|(e, _)| *e == expr);
        let is_heard = match val {
            Val::Signal(_) => true,
            Val::List(channels) => channels.iter().all(|val| val.clone().mono().is_some()),
            _ => false,
        };
        if in_song && is_new && is_heard {
            self.heard.push((expr, val.clone()));
        }
    }
}

/// The signals that each node is known by, where it is a signal.
pub(super) fn signals(results: Vec<Option<NodeVal>>) -> FxHashMap<NodeId, Vec<SignalId>> {
    let is_signal = |shape: &Shape| matches!(shape, Shape::Signal(..));
    let signals = results.into_iter().enumerate().filter_map(|(node, result)| match result? {
        NodeVal::Shape(Shape::Signal(signals, _)) => Some((Handle::new(node), signals)),
        NodeVal::Shape(list @ Shape::List(_)) if list.elements().iter().all(is_signal) => {
            Some((Handle::new(node), list.channels()))
        }
        _ => None,
    });
    signals.collect()
}
