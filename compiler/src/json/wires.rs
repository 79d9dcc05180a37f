//! The connections: which node flows into which input, and that none is part of a cycle.

use super::codes;
use super::nodes::{NodeKind, Nodes};
use mam_grammar::json::{At, Connection, Decimal, Graph, Text};
use mam_grammar::{Problem, Problems, Span};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;

/// A connection that can be made.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    /// Index of the node that is heard.
    pub(super) from: usize,
    /// Index of the effect that hears it.
    pub(super) to: usize,
    /// Its input: 0 is the main one.
    pub(super) port: usize,
    /// Gain of the connection in percent.
    pub(super) gain: Option<At<Decimal>>,
    /// Percent of the source that also goes to the mix.
    pub(super) dry: Option<At<Decimal>>,
    /// Where it says from where.
    pub(super) from_span: Span,
    /// Where it says to where.
    pub(super) to_span: Span,
}

/// The wires of a song, in the order of the file, without those that are wrong.
pub(super) fn check(graph: &Graph, nodes: &Nodes, problems: &mut Problems) -> Vec<Wire> {
    let wires: Vec<Wire> = graph.connections.iter().filter_map(|c| wire(c, nodes, problems)).collect();
    cycles(&wires, nodes, problems);
    warn_of_silence(graph, &wires, nodes, problems);
    wires
}

fn wire(connection: &Connection, nodes: &Nodes, problems: &mut Problems) -> Option<Wire> {
    let (from, to) = (nodes.find(&connection.from, problems), nodes.find(&connection.to, problems));
    let (from, to) = (from?, to?);
    let heard = has_sound(&connection.from, &nodes.all[from].kind, problems);
    let hears = has_sound(&connection.to, &nodes.all[to].kind, problems);
    let port = connection.to_port.as_ref().map_or(0, |p| p.value);
    if let Some(out) = connection.from_port.as_ref().filter(|p| p.value != 0) {
        let message =
            format!("`{}` has one output, port 0, and no port {}", connection.from.value, out.value);
        problems.add(Problem::new(&codes::PORT, out.span, message));
    }
    if !heard || !hears {
        return None;
    }
    let Some(kind) = nodes.all[to].sound() else {
        let message = format!("`{}` is a signal: nothing flows into it", connection.to.value);
        let problem = Problem::new(&codes::WIRE, connection.to.span, message);
        problems.add(problem.help("write what it hears in its `value`"));
        return None;
    };
    if !kind.effect {
        let message =
            format!("`{}` is an instrument, `{}`: nothing flows into it", connection.to.value, kind.name);
        let problem = Problem::new(&codes::WIRE, connection.to.span, message);
        problems
            .add(problem.help("connect to an effect, or play both: what is not connected goes to the mix"));
        return None;
    }
    if port > kind.inputs().len() as i64 {
        let span = connection.to_port.as_ref().map_or(connection.to.span, |p| p.span);
        let message = format!("`{}` has no input port {port}", kind.name);
        problems.add(Problem::new(&codes::PORT, span, message).help(ports(&kind.name, kind.inputs())));
        return None;
    }
    Some(Wire {
        from,
        to,
        port: port as usize,
        gain: connection.gain.clone(),
        dry: connection.dry.clone(),
        from_span: connection.from.span,
        to_span: connection.to.span,
    })
}

/// False, and a problem, for a transport; false for what has been reported.
pub(super) fn has_sound(id: &Text, kind: &NodeKind, problems: &mut Problems) -> bool {
    if let NodeKind::Transport = kind {
        let message = format!("`{}` is a transport: it has no sound", id.value);
        problems.add(Problem::new(&codes::WIRE, id.span, message));
    }
    matches!(kind, NodeKind::Sound(..) | NodeKind::Signal(..))
}

fn ports(kind: &str, inputs: &[std::sync::Arc<str>]) -> String {
    let named: Vec<String> =
        inputs.iter().enumerate().map(|(i, name)| format!(", port {} is `{name}`", i + 1)).collect();
    format!("port 0 of {kind} is its main input{}", named.concat())
}

/// Reports one cycle of every group of nodes that hang together in cycles.
fn cycles(wires: &[Wire], nodes: &Nodes, problems: &mut Problems) {
    let mut graph: DiGraph<(), usize> = DiGraph::new();
    nodes.all.iter().for_each(|_| {
        graph.add_node(());
    });
    for (index, wire) in wires.iter().enumerate() {
        graph.add_edge(NodeIndex::new(wire.from), NodeIndex::new(wire.to), index);
    }
    for group in tarjan_scc(&graph) {
        if let Some(cycle) = find_cycle(&graph, &group) {
            problems.add(cycle_problem(&cycle, wires, nodes));
        }
    }
}

/// The shortest way, by indices of wires, from the first node of the group (in the file's order) back to it.
fn find_cycle(graph: &DiGraph<(), usize>, group: &[NodeIndex]) -> Option<Vec<usize>> {
    let start = group.iter().copied().min()?;
    let inside: FxHashSet<NodeIndex> = group.iter().copied().collect();
    let mut came: FxHashMap<NodeIndex, (NodeIndex, usize)> = FxHashMap::default();
    let mut next = VecDeque::from([start]);
    while let Some(node) = next.pop_front() {
        for edge in graph.edges(node).filter(|e| inside.contains(&e.target())) {
            if came.contains_key(&edge.target()) {
                continue;
            }
            came.insert(edge.target(), (node, *edge.weight()));
            next.push_back(edge.target());
        }
    }
    let (mut at, last) = came.get(&start).copied()?;
    let mut way = vec![last];
    while at != start {
        let (before, wire) = came[&at];
        way.push(wire);
        at = before;
    }
    way.reverse();
    Some(way)
}

fn cycle_problem(cycle: &[usize], wires: &[Wire], nodes: &Nodes) -> Problem {
    let id = |node: usize| &*nodes.all[node].id.value;
    let first = id(wires[cycle[0]].from);
    let names: Vec<&str> = cycle.iter().map(|&w| id(wires[w].to)).collect();
    let message = format!("the connections form a cycle: {first} → {}", names.join(" → "));
    let step = |w: usize| format!("{} → {}", id(wires[w].from), id(wires[w].to));
    let closing = cycle[cycle.len() - 1];
    let mut problem = Problem::new(&codes::CYCLE, wires[closing].to_span, message).here(step(closing));
    for &wire in &cycle[..cycle.len() - 1] {
        problem = problem.label(wires[wire].to_span, step(wire));
    }
    problem.help("remove one of these connections")
}

fn warn_of_silence(graph: &Graph, wires: &[Wire], nodes: &Nodes, problems: &mut Problems) {
    let fed: FxHashSet<usize> = wires.iter().filter(|w| w.port == 0).map(|w| w.to).collect();
    for (index, node) in nodes.all.iter().enumerate() {
        let NodeKind::Sound(kind, span) = &node.kind else { continue };
        let named = graph.connections.iter().any(|c| c.to.value == node.id.value);
        if kind.effect && !fed.contains(&index) && (!named || wires.iter().any(|w| w.to == index)) {
            let message = format!(
                "nothing flows into `{}`, so this {} has nothing to work on",
                node.id.value, kind.name
            );
            let problem = Problem::new(&codes::SILENT, *span, message);
            problems
                .add(problem.help("connect something to it: `{ \"from\": …, \"to\": … }` in `connections`"));
        }
    }
    if nodes.all.is_empty() && graph.nodes_complete {
        problems.add(Problem::new(&codes::SILENT, graph.head, "the song has no nodes: it is silence"));
    }
}
