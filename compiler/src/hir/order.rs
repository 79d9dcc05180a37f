//! Definitions that use themselves, which would never end.

use super::{Callee, Hir};
use crate::codes;
use mam_grammar::Problem;
use mam_grammar::ast::{ExprId, Ident};
use mam_runtime::sort::Sort;
use rustc_hash::FxHashMap;

/// A call of a definition by another definition of the file, each by the index of its item.
pub(super) struct Edge {
    /// The item of the definition that calls.
    pub(super) from: usize,
    /// The item of the definition that is called.
    pub(super) to: usize,
    /// The call.
    pub(super) expr: ExprId,
    /// What is written in it.
    pub(super) callee: Ident,
}

/// Reports each call that closes a circle of definitions, followed in the order in which they stand, and breaks it: what is
/// left has an order.
pub(super) fn break_recursion(hir: &mut Hir, edges: &[Edge]) {
    let mut calls: FxHashMap<usize, Vec<&Edge>> = FxHashMap::default();
    for edge in edges {
        calls.entry(edge.from).or_default().push(edge);
    }
    let mut walk = Walk { calls, state: FxHashMap::default(), closing: vec![] };
    let mut roots: Vec<usize> = walk.calls.keys().copied().collect();
    roots.put_in_order();
    roots.into_iter().for_each(|root| walk.from(root));
    for Edge { expr, callee, .. } in walk.closing {
        let message = format!("`{callee}` uses itself");
        let problem = Problem::new(&codes::RECURSIVE_DEFINITION, callee.span, message);
        let help = "repeat with `chain` or `sum`; for feedback, use `prev` of a signal";
        hir.problems.add(problem.help(help));
        hir.calls.entry(*expr).and_modify(|call| call.callee = Callee::Broken);
    }
}

struct Walk<'a> {
    calls: FxHashMap<usize, Vec<&'a Edge>>,
    /// False while the definition is being followed, true when it has been.
    state: FxHashMap<usize, bool>,
    closing: Vec<&'a Edge>,
}

impl Walk<'_> {
    /// Follows all calls from a definition, without recursion: they may be as deep as a file is long.
    fn from(&mut self, root: usize) {
        if self.state.contains_key(&root) {
            return;
        }
        self.state.insert(root, false);
        let mut open = vec![(root, 0)];
        while let Some((item, next)) = open.last_mut() {
            let Some(&edge) = self.calls.get(item).and_then(|calls| calls.get(*next)) else {
                self.state.insert(*item, true);
                open.pop();
                continue;
            };
            *next += 1;
            match self.state.get(&edge.to) {
                None => {
                    self.state.insert(edge.to, false);
                    open.push((edge.to, 0));
                }
                Some(false) => self.closing.push(edge),
                Some(true) => {}
            }
        }
    }
}
