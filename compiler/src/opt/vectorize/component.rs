//! Which instructions depend on themselves through states: strongly connected components.

use crate::ir::{Body, Op, Rate, Value};
use crate::opt::analysis::Analysis;
use mam_grammar::Handle;
use mam_runtime::sort::Sort;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::FxHashMap;
use std::ops::Deref;

/// Instructions that depend on each other, in the order of the body; one that depends on nothing before it by itself.
pub(in crate::opt) struct Component {
    members: Vec<Value>,
    /// Whether what a member is in this frame depends on what it was in an earlier one: through a state, a line or a
    /// loop-carried value, which may be its own.
    pub(in crate::opt) is_recurrence: bool,
}

impl Deref for Component {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.members
    }
}

/// The instructions that are computed every frame, component by component, each after what it needs. Delay lines that are
/// read less than four frames ago make recurrences too.
pub(in crate::opt) fn components(a: &Analysis) -> Vec<Component> {
    let reads = a.body.insts.handles().filter_map(|read| Some((read, a.short_read(read)?.written)));
    components_through(a.body, &a.rates, reads)
}

/// The same, where loop-carried values make recurrences, and no delay line.
pub(in crate::opt) fn components_with_back_edges(body: &Body, rates: &[Rate]) -> Vec<Component> {
    components_through(body, rates, body.back_edges.iter().copied())
}

/// `back_edges`: values, each with what it is in the next iteration.
fn components_through(
    body: &Body,
    rates: &[Rate],
    back_edges: impl Iterator<Item = (Value, Value)>,
) -> Vec<Component> {
    let sets: FxHashMap<Handle<_>, Value> = body.sets.iter().copied().collect();
    let mut graph = DiGraph::<Value, ()>::new();
    let nodes: Vec<_> = body.insts.handles().map(|value| graph.add_node(value)).collect();
    for (value, inst) in body.insts.iter() {
        for arg in inst.args.as_slice() {
            graph.add_edge(nodes[arg.index()], nodes[value.index()], ());
        }
        let next = if let Op::Get(state) = inst.op { sets.get(&state) } else { None };
        if let Some(next) = next {
            graph.add_edge(nodes[next.index()], nodes[value.index()], ());
        }
    }
    for (carried, next) in back_edges {
        graph.add_edge(nodes[next.index()], nodes[carried.index()], ());
    }
    let component = |nodes: Vec<NodeIndex>| {
        let is_recurrence = nodes.len() > 1 || graph.contains_edge(nodes[0], nodes[0]);
        let mut members: Vec<Value> = nodes.into_iter().map(|node| graph[node]).collect();
        members.put_in_order();
        Component { members, is_recurrence }
    };
    let mut components: Vec<Component> = kosaraju_scc(&graph).into_iter().rev().map(component).collect();
    components.retain(|component: &Component| rates[component[0].index()] == Rate::Sample);
    components
}
