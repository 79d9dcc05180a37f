//! Which nodes become one kernel, and in which order.

use super::{Graph, NodeId, NodeKind};
use super::{body_exprs, each_operand, operands};
use crate::files::Files;
use crate::hir::builtins::Function;
use crate::hir::resolve::resolved;
use crate::hir::{Callee, DefId, Hir, Known, Name};
use mam_grammar::ast::{Ast, Expr, ExprId};
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
/// Kernels of one kind that instance lanes take together.
const PACKED: usize = 4;

impl Graph {
    /// Groups of nodes that become one kernel, every group after those that it needs. Nodes in a feedback cycle are
    /// one group; equations that only one other equation needs join it.
    pub fn order(&mut self, files: &Files, song: usize) -> Vec<Group> {
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
        let mut weights = std::mem::take(&mut self.weights);
        self.fuse(&mut groups, &mut group_of, files, song, &mut weights);
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

    /// Lets equations that only one other equation needs join that equation's group. A feedback cycle in which a delay moves stays by
    /// itself, as it may be what has to be computed frame by frame; so do as many cycles beside each other as instance lanes take.
    fn fuse(
        &self,
        groups: &mut [Group],
        group_of: &mut [usize],
        files: &Files,
        song: usize,
        weights: &mut Weights,
    ) {
        let mut size: Vec<usize> = vec![0; groups.len()];
        let by_itself: Vec<bool> =
            groups.iter().map(|group| group.feedback && self.moves_a_delay(group, files, song)).collect();
        let mut cycles_for: FxHashMap<usize, usize> = FxHashMap::default();
        for (i, group) in groups.iter().enumerate().filter(|(_, group)| group.feedback) {
            self.users(group, group_of, i)
                .into_iter()
                .for_each(|user| *cycles_for.entry(user).or_default() += 1);
        }
        for i in (0..groups.len()).rev() {
            let members = &groups[i].members;
            size[i] = members.iter().map(|node| self.weight(*node, weights, files, song)).sum();
            let is_equation = |node: &NodeId| matches!(self.nodes[*node].kind, NodeKind::Glue { .. });
            let is_heard = self.out.is_some_and(|out| members.contains(&out));
            if by_itself[i] || is_heard || !members.iter().all(is_equation) {
                continue;
            }
            let users = self.users(&groups[i], group_of, i);
            let Some(&user) = users.first().filter(|_| users.len() == 1) else { continue };
            let may_be_packed = groups[i].feedback && cycles_for.get(&user).is_some_and(|n| *n >= PACKED);
            let joins = self.only_glue(&groups[user]) && !by_itself[user] && !may_be_packed;
            if joins && size[i] + size[user] <= MOST_EXPRS {
                size[user] += size[i];
                let members = std::mem::take(&mut groups[i].members);
                members.iter().for_each(|node| group_of[node.index()] = user);
                groups[user].feedback |= groups[i].feedback;
                groups[user].members.extend(members);
                groups[user].members.put_in_order();
            }
        }
    }

    /// The groups that need something of a group, which has this number.
    fn users(&self, group: &Group, group_of: &[usize], number: usize) -> BTreeSet<usize> {
        let of =
            |node: &NodeId| self.wires.neighbors_directed(NodeIndex::new(node.index()), Direction::Outgoing);
        let users = group.members.iter().flat_map(of).map(|user| group_of[user.index()]);
        users.filter(|user| *user != number).collect()
    }

    /// How many expressions a node is, roughly; 0 of what does not become part of an equation's kernel.
    fn weight(&self, node: NodeId, weights: &mut Weights, files: &Files, song: usize) -> usize {
        match &self.nodes[node].kind {
            NodeKind::Glue { expr, .. } => weights.expr(files, song, *expr),
            NodeKind::Modulation(modulation) => {
                modulation.routes.iter().map(|route| 2 + weights.expr(files, song, route.source)).sum()
            }
            NodeKind::Instance(_) | NodeKind::Knob(_) => 0,
        }
    }

    /// Whether an equation of a group hears something by a delay that is made of more than numbers.
    fn moves_a_delay(&self, group: &Group, files: &Files, song: usize) -> bool {
        let exprs = group.members.iter().filter_map(|node| match self.nodes[*node].kind {
            NodeKind::Glue { expr, .. } => Some(expr),
            _ => None,
        });
        let (ast, hir) = (&files.file(song).ast, resolved(files, song));
        // With how many operands each is given before its arguments: what flows through a pipe.
        let mut open: Vec<(ExprId, usize)> = exprs.map(|expr| (expr, 0)).collect();
        while let Some((id, piped)) = open.pop() {
            let is_tap = matches!(hir.call(id).map(|call| call.callee),
                Some(Callee::Builtin(builtin)) if builtin.row().function == Function::Tap);
            match &ast.exprs[id] {
                Expr::Pipe { left, right } => open.extend([(*left, 0), (*right, 1)]),
                Expr::Call { args, .. } if is_tap => {
                    if args.iter().skip(1 - piped).any(|arg| !is_number(ast, hir, arg.value)) {
                        return true;
                    }
                    open.extend(args.iter().map(|arg| (arg.value, 0)));
                }
                expr => open.extend(operands(expr).into_iter().map(|operand| (operand, 0))),
            }
        }
        false
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

/// Whether an expression is made of numbers and of the language's own, by arithmetic alone.
fn is_number(ast: &Ast, hir: &Hir, expr: ExprId) -> bool {
    match &ast.exprs[expr] {
        Expr::Number(_) | Expr::Length { .. } => true,
        Expr::Name(_) => matches!(hir.name(expr), Name::Known(known) if known != Known::In),
        Expr::Paren(_) | Expr::Unary { .. } | Expr::Binary { .. } => {
            operands(&ast.exprs[expr]).into_iter().all(|operand| is_number(ast, hir, operand))
        }
        _ => false,
    }
}

/// How many expressions an expression becomes when definitions are inlined, roughly. Each is weighed once.
#[derive(Default)]
pub(super) struct Weights {
    definitions: FxHashMap<DefId, usize>,
    /// By file and expression; 0 of those that have not been weighed.
    exprs: FxHashMap<usize, Vec<u32>>,
}

impl Weights {
    /// The weight of an expression of a file without its operands.
    pub(super) fn own_weight(&mut self, files: &Files, file: usize, expr: ExprId) -> usize {
        // Nothing else is a call.
        if !matches!(files.file(file).ast.exprs[expr], Expr::Call { .. } | Expr::Name(_)) {
            return 1;
        }
        match resolved(files, file).call(expr).map(|call| call.callee) {
            Some(Callee::Definition(def)) => 1 + self.definition(files, def),
            _ => 1,
        }
    }

    /// The weight of an expression of a file.
    pub(super) fn expr(&mut self, files: &Files, file: usize, expr: ExprId) -> usize {
        let exprs = &files.file(file).ast.exprs;
        if let Expr::Number(_) | Expr::Text(_) = exprs[expr] {
            return 1;
        }
        let known = self.exprs.entry(file).or_insert_with(|| vec![0; exprs.len()]);
        if known[expr.index()] > 0 {
            return known[expr.index()] as usize;
        }
        let weight = stacker::maybe_grow(64 << 10, 1 << 20, || {
            let own = self.own_weight(files, file, expr);
            let expr = &exprs[expr];
            let turns = match expr {
                Expr::Reduce { .. } | Expr::Chain { .. } => 8,
                Expr::Oversample { .. } | Expr::Spectral { .. } => 4,
                _ => 1,
            };
            let mut inner: usize = 0;
            each_operand(expr, &mut |x| inner += self.expr(files, file, x));
            own.saturating_add(inner.saturating_mul(turns)).min(1 << 20)
        });
        if let Some(known) = self.exprs.get_mut(&file) {
            known[expr.index()] = weight as u32;
        }
        weight
    }

    fn definition(&mut self, files: &Files, def: DefId) -> usize {
        if let Some(&weight) = self.definitions.get(&def) {
            return weight;
        }
        self.definitions.insert(def, 0);
        let exprs = body_exprs(&files.definition(def).body);
        let weight =
            exprs.into_iter().map(|expr| self.expr(files, def.file, expr)).sum::<usize>().min(1 << 20);
        self.definitions.insert(def, weight);
        weight
    }
}
