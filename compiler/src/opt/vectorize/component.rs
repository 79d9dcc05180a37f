//! Which instructions depend on themselves through states: strongly connected components.

use crate::ir::{Body, Op, Rate, Value};
use crate::opt::analysis::Analysis;
use mam_grammar::Handle;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use rustc_hash::FxHashMap;

/// Instructions that depend on each other, in the order of the body; one that depends on nothing before it by itself.
pub(in crate::opt) type Component = Vec<Value>;

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
    let mut components: Vec<Component> = kosaraju_scc(&graph)
        .into_iter()
        .rev()
        .map(|component| component.into_iter().map(|node| graph[node]).collect())
        .collect();
    components.retain(|component: &Component| rates[component[0].index()] == Rate::Sample);
    components.iter_mut().for_each(|component| component.sort());
    components
}

/// Whether a component is a recurrence: several instructions, or a state that is set to its own value.
pub(in crate::opt) fn is_recurrence(body: &Body, component: &Component) -> bool {
    let own = |value: Value| match body.insts[value].op {
        Op::Get(state) => body.sets.contains(&(state, value)),
        _ => false,
    };
    component.len() > 1 || own(component[0])
}
