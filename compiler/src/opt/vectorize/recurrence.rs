//! The circles of a body: which instructions depend on themselves through states, and of which form they are.

use crate::ir::{Body, Imm, Kernel, Op, Rate, StateSlot, Value};
use mam_grammar::Handle;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

/// Instructions that are computed together, in the order of the body.
pub(super) type Circle = Vec<Value>;

/// The instructions that are computed every frame, circle by circle, each after what it needs. An instruction that
/// is in no circle is one by itself.
pub(super) fn circles(body: &Body, rates: &[Rate]) -> Vec<Circle> {
    circles_with(body, rates, &[])
}

/// The same, where what is carried goes in circles too.
pub(super) fn circles_with_carried(body: &Body, rates: &[Rate]) -> Vec<Circle> {
    circles_with(body, rates, &body.back_edges)
}

fn circles_with(body: &Body, rates: &[Rate], back_edges: &[(Value, Value)]) -> Vec<Circle> {
    let mut graph = DiGraph::<Value, ()>::new();
    let nodes: Vec<_> = body.insts.handles().map(|value| graph.add_node(value)).collect();
    for (value, inst) in body.insts.iter() {
        for arg in inst.args.as_slice() {
            graph.add_edge(nodes[arg.index()], nodes[value.index()], ());
        }
        if let Some(next) = next_of(body, inst.op) {
            graph.add_edge(nodes[next.index()], nodes[value.index()], ());
        }
    }
    for (carry, next) in back_edges {
        graph.add_edge(nodes[next.index()], nodes[carry.index()], ());
    }
    let mut circles: Vec<Circle> = kosaraju_scc(&graph)
        .into_iter()
        .rev()
        .map(|circle| circle.into_iter().map(|node| graph[node]).collect())
        .collect();
    circles.retain(|circle: &Circle| rates[circle[0].index()] == Rate::Sample);
    circles.iter_mut().for_each(|circle| circle.sort());
    circles
}

/// What the state that an op reads is set to.
pub(super) fn next_of(body: &Body, op: Op) -> Option<Value> {
    let Op::Get(state) = op else { return None };
    body.sets.iter().find(|(other, _)| *other == state).map(|(_, value)| *value)
}

/// Whether an instruction by itself goes in a circle: a state that is set to its own value.
pub(super) fn is_circle(body: &Body, circle: &Circle) -> bool {
    circle.len() > 1 || next_of(body, body.insts[circle[0]].op) == Some(circle[0])
}

/// `s + step` in i32, where the step does not depend on s.
pub(super) struct Phase {
    pub(super) state: Handle<StateSlot>,
    pub(super) get: Value,
    pub(super) sum: Value,
    pub(super) step: Value,
}

/// The one state of a circle, its `get`, and the other members.
fn single<'c>(body: &Body, circle: &'c Circle) -> Option<(Handle<StateSlot>, Value, Vec<&'c Value>)> {
    let (gets, others): (Vec<&Value>, Vec<&Value>) =
        circle.iter().partition(|v| matches!(body.insts[**v].op, Op::Get(_)));
    match (gets.as_slice(), body.insts[*gets[0]].op) {
        ([get], Op::Get(state)) => Some((state, **get, others)),
        _ => None,
    }
}

/// The operand of a binary instruction that is not `of`.
fn other(body: &Body, value: Value, of: Value) -> Option<Value> {
    match *body.insts[value].args.as_slice() {
        [a, b] if a == of && b != of => Some(b),
        [a, b] if b == of && a != of => Some(a),
        _ => None,
    }
}

pub(super) fn phase(body: &Body, circle: &Circle) -> Option<Phase> {
    let (state, get, others) = single(body, circle)?;
    let &[&sum] = others.as_slice() else { return None };
    let plain = body.insts[sum].op == Op::Add && body.ty(sum) == crate::ir::Type::I32;
    let step = other(body, sum, get)?;
    (plain && next_of(body, Op::Get(state)) == Some(sum)).then_some(Phase { state, get, sum, step })
}

/// `min(s + step, most)` in i32, where s never gets near an overflow.
pub(super) struct Counter {
    pub(super) state: Handle<StateSlot>,
    pub(super) get: Value,
    pub(super) sum: Value,
    pub(super) least: Value,
    pub(super) step: i32,
    pub(super) most: i32,
}

pub(super) fn counter(kernel: &Kernel, body: &Body, circle: &Circle) -> Option<Counter> {
    let (state, get, others) = single(body, circle)?;
    let &[&sum, &least] = others.as_slice() else { return None };
    let int = |value: Option<Value>| match body.as_const(value?)? {
        Imm::I32(x) => Some(x),
        _ => None,
    };
    let ops = (body.insts[sum].op, body.insts[least].op) == (Op::Add, Op::Min);
    let (step, most) = (int(other(body, sum, get))?, int(other(body, least, sum))?);
    let Imm::I32(init) = kernel.states[state].init else { return None };
    // Whoever sets it (the general body begins a count anew) stays within its bounds: 0 or a count.
    let bounded = (0..=most).contains(&init) && (1..1 << 20).contains(&step) && most < i32::MAX - (1 << 23);
    let fits = ops && bounded && next_of(body, Op::Get(state)) == Some(least) && resets(kernel, state, most);
    fits.then_some(Counter { state, get, sum, least, step, most })
}

/// Whether the general body sets a state to a count or a constant within its bounds only.
fn resets(kernel: &Kernel, state: Handle<StateSlot>, most: i32) -> bool {
    let body = &kernel.general;
    let within = |value: Value| matches!(body.as_const(value), Some(Imm::I32(x)) if (0..=most).contains(&x));
    let Some(mut value) = next_of(body, Op::Get(state)) else { return true };
    loop {
        let inst = &body.insts[value];
        match (inst.op, inst.args.as_slice()) {
            (Op::Select, &[_, a, b]) if within(a) => value = b,
            (Op::Select, &[_, a, b]) if within(b) => value = a,
            (Op::Min, &[a, b]) => return within(a) || within(b),
            (Op::Get(other), _) => return other == state,
            _ => return within(value),
        }
    }
}
