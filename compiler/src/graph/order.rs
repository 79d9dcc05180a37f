//! Which nodes become one kernel, and in which order.

use super::{Graph, NodeId, NodeKind};
use super::{body_exprs, operands};
use crate::files::Files;
use crate::hir::resolve::resolved;
use crate::hir::{Callee, DefId};
use mam_grammar::ast::{Expr, ExprId};
use mam_runtime::sort::Sort;
use petgraph::Direction;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::NodeIndex;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// Nodes that become one kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The nodes, in the order in which they were made.
    pub members: Vec<NodeId>,
    /// True when its nodes need each other in a circle (through `prev` or `tap`).
    pub feedback: bool,
    /// True when the song's `out` needs it.
    pub live: bool,
}

/// Expressions that one kernel of equations may hold: its functions stay small enough to compile in linear time.
pub(super) const MOST_EXPRS: usize = 400;

impl Graph {
    /// Groups of nodes that become one kernel, every group after those that it needs. Nodes in a feedback cycle are
    /// one group; an equation that only one other equation needs joins it.
    pub fn order(&self, files: &Files, song: usize) -> Vec<Group> {
        let mut cycles = kosaraju_scc(&self.wires);
        cycles.reverse(); // The algorithm gives sinks first.
        let mut group_of: Vec<usize> = vec![0; self.nodes.len()];
        let mut groups: Vec<Group> = vec![];
        for (i, cycle) in cycles.iter().enumerate() {
            let feedback = cycle.len() > 1 || self.wires.contains_edge(cycle[0], cycle[0]);
            cycle.iter().for_each(|n| group_of[n.index()] = i);
            let mut members: Vec<NodeId> = cycle.iter().map(|n| self.wires[*n]).collect();
            members.put_in_order();
            groups.push(Group { members, feedback, live: false });
        }
        self.fuse(&mut groups, &mut group_of, files, song);
        self.mark_live(&mut groups, &group_of);
        groups.retain(|g| !g.members.is_empty());
        groups
    }

    /// The members of a group that others need.
    pub fn wanted(&self, group: &Group) -> Vec<NodeId> {
        let needed = |node: &NodeId| {
            let index = NodeIndex::new(node.index());
            let mut users = self.wires.neighbors(index).map(|user| self.wires[user]).peekable();
            let is_last = Some(*node) == self.out || users.peek().is_none();
            is_last || users.any(|user| group.members.binary_search(&user).is_err())
        };
        let wanted: Vec<NodeId> = group.members.iter().copied().filter(needed).collect();
        if wanted.is_empty() { group.members.clone() } else { wanted }
    }

    /// Lets each equation that only one other equation needs join that equation's group.
    fn fuse(&self, groups: &mut [Group], group_of: &mut [usize], files: &Files, song: usize) {
        let mut weights = Weights::new(files);
        let mut size: Vec<usize> = vec![0; groups.len()];
        for i in (0..groups.len()).rev() {
            let &[node] = &groups[i].members[..] else { continue };
            match &self.nodes[node].kind {
                NodeKind::Glue { expr, .. } => size[i] = weights.expr(song, *expr),
                NodeKind::Modulation(modulation) => {
                    let routes = modulation.routes.iter();
                    size[i] = routes.map(|route| 2 + weights.expr(song, route.source)).sum();
                    continue;
                }
                NodeKind::Instance(_) | NodeKind::Knob(_) => continue,
            }
            let users: BTreeSet<usize> = self
                .wires
                .neighbors_directed(NodeIndex::new(node.index()), Direction::Outgoing)
                .map(|n| group_of[n.index()])
                .collect();
            let Some(&user) = users.first().filter(|_| users.len() == 1 && !groups[i].feedback) else {
                continue;
            };
            let joins = Some(node) != self.out && self.only_glue(&groups[user]) && !groups[user].feedback;
            if joins && size[i] + size[user] <= MOST_EXPRS {
                size[user] += size[i];
                group_of[node.index()] = user;
                let members = std::mem::take(&mut groups[i].members);
                groups[user].members.extend(members);
                groups[user].members.put_in_order();
            }
        }
    }

    fn only_glue(&self, group: &Group) -> bool {
        let is_glue =
            |n: NodeId| matches!(self.nodes[n].kind, NodeKind::Glue { .. } | NodeKind::Modulation(_));
        group.members.iter().all(|&n| is_glue(n))
    }

    fn mark_live(&self, groups: &mut [Group], group_of: &[usize]) {
        let roots = self.out.iter().chain(&self.roots);
        let mut open: Vec<NodeIndex> = roots.map(|node| NodeIndex::new(node.index())).collect();
        let mut seen = vec![false; self.nodes.len()];
        while let Some(node) = open.pop() {
            if std::mem::replace(&mut seen[node.index()], true) {
                continue;
            }
            groups[group_of[node.index()]].live = true;
            open.extend(self.wires.neighbors_directed(node, Direction::Incoming));
        }
    }
}

/// How many expressions an expression becomes when definitions are inlined, roughly. Each is weighed once.
pub(super) struct Weights<'a> {
    files: &'a Files,
    definitions: FxHashMap<DefId, usize>,
    exprs: FxHashMap<(usize, ExprId), usize>,
}

impl<'a> Weights<'a> {
    pub(super) fn new(files: &'a Files) -> Weights<'a> {
        Weights { files, definitions: FxHashMap::default(), exprs: FxHashMap::default() }
    }

    /// The weight of an expression of a file without its operands.
    pub(super) fn own_weight(&mut self, file: usize, expr: ExprId) -> usize {
        match resolved(self.files, file).call(expr).map(|call| call.callee) {
            Some(Callee::Definition(def)) => 1 + self.definition(def),
            _ => 1,
        }
    }

    /// The weight of an expression of a file.
    pub(super) fn expr(&mut self, file: usize, expr: ExprId) -> usize {
        if let Some(&weight) = self.exprs.get(&(file, expr)) {
            return weight;
        }
        let weight = stacker::maybe_grow(64 << 10, 1 << 20, || {
            let own = self.own_weight(file, expr);
            let expr = &self.files.file(file).ast.exprs[expr];
            let turns = match expr {
                Expr::Reduce { .. } | Expr::Chain { .. } => 8,
                Expr::Oversample { .. } | Expr::Spectral { .. } => 4,
                _ => 1,
            };
            let inner: usize = operands(expr).into_iter().map(|x| self.expr(file, x)).sum();
            own.saturating_add(inner.saturating_mul(turns)).min(1 << 20)
        });
        self.exprs.insert((file, expr), weight);
        weight
    }

    fn definition(&mut self, def: DefId) -> usize {
        if let Some(&weight) = self.definitions.get(&def) {
            return weight;
        }
        self.definitions.insert(def, 0);
        let exprs = body_exprs(&self.files.definition(def).body);
        let weight = exprs.into_iter().map(|expr| self.expr(def.file, expr)).sum::<usize>().min(1 << 20);
        self.definitions.insert(def, weight);
        weight
    }
}
