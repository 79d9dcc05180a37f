//! Instruments that are played and not heard, or heard and not played, and voices that never sleep.

use crate::codes;
use crate::files::Files;
use crate::graph::{Graph, NodeId, Protocol, is_event, is_machine, operands};
use crate::hir::types::named;
use crate::places::Bindings;
use mam_grammar::ast::{Ast, BinaryOp, Body, DefinitionKind, Expr, ExprId, ItemKind, equation};
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::score::{Action, Score};
use petgraph::graph::NodeIndex;
use petgraph::visit::{Dfs, Reversed};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Checks a song without errors.
pub(crate) fn check(
    (files, song): (&Files, usize),
    graph: &Graph,
    places: &Bindings,
    score: &Score,
    problems: &mut Problems,
) {
    let ast = &files.file(song).ast;
    sleepless(files, graph, problems);
    silent_machines((files, song), graph, problems);
    let (heard, listened) = (reaches_out(graph), listened(ast));
    let moves = score.transports.iter().flat_map(|t| t.clips.iter().map(|clip| &t.lines[clip.line].action));
    let (mut played, mut set) = (FxHashSet::default(), FxHashSet::default());
    for action in moves {
        match action {
            Action::Play { target } => _ = played.insert(*target),
            Action::Set { param, .. } => _ = set.insert(*param),
        }
    }
    let spans = equations(ast);
    let has_listener: FxHashSet<NodeId> =
        graph.targets.iter().filter(|(name, _)| listened.contains(*name)).map(|(_, &node)| node).collect();
    for (name, &node) in &graph.targets {
        let Some((target, _)) = places.instrument(name) else { continue };
        // Of all names that lead to an instrument, the one that its equation has.
        if graph.nodes[node].path != *name {
            continue;
        }
        let span = spans.get(&**name).copied().unwrap_or(graph.nodes[node].span);
        let events = has_listener.contains(&node);
        match (played.contains(&target), heard.contains(&node)) {
            (true, false) if !events && !plays_outside(graph, node) => {
                problems.add(not_heard(files, ast, name, span))
            }
            (false, true)
                if !played.is_empty()
                    && !is_part(name)
                    && waits(files, graph, node)
                    && !places.triggers_itself(target, &set) =>
            {
                let message = format!("`{name}` is heard, but nothing plays it");
                let problem = Problem::new(&codes::NEVER_PLAYED, span, message);
                problems.add(problem.help(format!("add a line for it to the score: `{name} |x...|`")));
            }
            _ => {}
        }
    }
}

/// Whether this is a part of a kit, `dr.bd`: no song has to play all that a machine has.
fn is_part(name: &str) -> bool {
    name.contains('.')
}

fn not_heard(files: &Files, ast: &Ast, name: &str, span: Span) -> Problem {
    let out = equation(&ast.items, "out");
    let sum = out.map_or(name.to_owned(), |out| {
        let text = files.slice(ast.span(out));
        match &ast.exprs[out] {
            Expr::Name(_) | Expr::Call { .. } | Expr::Paren(_) => format!("{text} + {name}"),
            _ => format!("({text}) + {name}"),
        }
    });
    let message = format!("`{name}` is played, but nothing of it reaches `out`");
    let problem = Problem::new(&codes::NEVER_HEARD, span, message);
    let problem = problem.help(format!("add it to what is heard: `out = {sum}`"));
    match out {
        Some(out) => problem.guess(ast.span(out), sum),
        None => problem,
    }
}

/// Whether an instrument is a machine outside, which is heard there.
fn plays_outside(graph: &Graph, node: NodeId) -> bool {
    graph.instance(node).is_some_and(|instance| instance.plays_outside.is_some())
}

/// The places of the names of equations; of a name that is there twice, the first.
fn equations(ast: &Ast) -> FxHashMap<&str, Span> {
    let mut spans = FxHashMap::default();
    for item in &ast.items {
        if let ItemKind::Equation { name, .. } = &item.kind {
            spans.entry(&*name.name).or_insert(name.span);
        }
    }
    spans
}

/// The nodes that the result needs.
fn reaches_out(graph: &Graph) -> FxHashSet<NodeId> {
    let Some(out) = graph.out else { return FxHashSet::default() };
    let wires = Reversed(&graph.wires);
    let mut walk = Dfs::new(wires, NodeIndex::new(out.index()));
    std::iter::from_fn(|| walk.next(wires)).map(|index| graph.wires[index]).collect()
}

/// Names of which an event is read somewhere, `bd.trig`.
fn listened(ast: &Ast) -> FxHashSet<Arc<str>> {
    let event = |expr: &Expr| match expr {
        Expr::Field { of, field } if is_event(&field.name) => match &ast.exprs[*of] {
            Expr::Name(name) => Some(name.name.clone()),
            _ => None,
        },
        _ => None,
    };
    ast.exprs.values().filter_map(event).collect()
}

/// Whether an instrument waits for notes: its body names one of their events.
fn waits(files: &Files, graph: &Graph, node: NodeId) -> bool {
    let Some(instance) = graph.instance(node) else { return false };
    let ast = &files.file(instance.def.file).ast;
    let mut open = crate::graph::body_exprs(&files.definition(instance.def).body);
    while let Some(expr) = open.pop() {
        let expr = &ast.exprs[expr];
        if matches!(expr, Expr::Name(name) if is_event(&name.name)) {
            return true;
        }
        open.extend(operands(expr));
    }
    false
}

/// Warns of effects and levels of machines outside, whose signals are silence in the song.
fn silent_machines((files, song): (&Files, usize), graph: &Graph, problems: &mut Problems) {
    let ast = &files.file(song).ast;
    let plays = |node: NodeId| {
        let instance = graph.instance(node).filter(|instance| instance.plays_outside.is_some());
        instance.is_some_and(|instance| is_machine(files, instance.def))
    };
    let machine = |expr: ExprId| {
        let node = match named(ast, expr) {
            Some(name) => graph.names.get(name).copied(),
            None => graph.instance_of(ast, expr),
        };
        node.filter(|node| plays(*node))
    };
    for (expr, of) in ast.exprs.iter() {
        let made_of: Vec<ExprId> = match of {
            Expr::Pipe { left, .. } => vec![*left],
            Expr::Binary { op: BinaryOp::Mul | BinaryOp::Div, a, b } => vec![*a, *b],
            Expr::Call { args, .. } => args.iter().map(|arg| arg.value).collect(),
            _ => vec![],
        };
        let Some(node) = made_of.into_iter().find_map(machine) else { continue };
        let name = &graph.nodes[node].path;
        let message = format!("`{name}` is heard outside, and silent here: this changes nothing of it");
        let osc = graph.instance(node).is_some_and(|i| i.plays_outside == Some(Protocol::Osc));
        let word = if osc { "room \"0.2 0.6\"" } else { "cc74 \"20 110\"" };
        let help = format!("a line moves what the machine itself has: `{name}.{word}`");
        problems.add(Problem::new(&codes::SILENT_MACHINE, ast.span(expr), message).help(help));
    }
}

/// Notes for instruments of the song's own files that react to notes and never fall silent.
fn sleepless(files: &Files, graph: &Graph, problems: &mut Problems) {
    for node in graph.nodes.handles() {
        let Some(instance) = graph.instance(node) else { continue };
        let definition = files.definition(instance.def);
        let Body::Items(items) = &definition.body else { continue };
        let until = items.iter().any(|item| matches!(item.kind, ItemKind::Until(_)));
        let own = definition.kind == DefinitionKind::Instrument && !files.is_prelude(instance.def.file);
        if until || !own || !waits(files, graph, node) {
            continue;
        }
        let name = &definition.name;
        let message =
            format!("the voices of `{name}` never sleep: they are computed for as long as the song lasts");
        let help = "say when a voice has fallen silent, by its envelope: `until env < 0.0001`";
        problems.add(Problem::new(&codes::NEVER_SLEEPS, name.span, message).help(help));
    }
}
