//! The nodes of a song, group by group.

use super::names::{Frame, FrameId, OpenName, Opened, Path, Slot};
use super::value::{Kind, Number, Signal, Value};
use super::{At, Checker};
use crate::codes;
use crate::dimension::Dimension;
use crate::graph::{Given, Group, NodeId, NodeKind};
use crate::hir::{Iterations, ScopeId};
use mam_grammar::ast::{Expr, ExprId, Over};
use mam_grammar::{Problem, Span};
use std::sync::Arc;

/// What is known of a node.
#[derive(Clone)]
pub(super) enum NodeState {
    /// It has not been evaluated yet.
    Waits,
    /// Is being evaluated.
    Doing,
    /// Has been evaluated.
    Done(Value),
}

impl Checker<'_> {
    /// Evaluates the nodes of a group, until no `prev` turns out to remember more any more. A group is evaluated once for all that
    /// are like it.
    pub(super) fn group(&mut self, group: &Group) {
        let wanted = self.input.graph.wanted(group);
        let (frames, problems, turns) = (self.frames.len(), self.problems.len(), self.turns);
        self.begin(frames);
        self.members.clone_from(&group.members);
        let has_key = !group.feedback && self.write_key();
        if has_key && self.is_like() {
            self.members.clear();
            return;
        }
        let before = self.before();
        // Each time something that is remembered has grown, and evaluations are limited.
        loop {
            let grown = self.checked.layouts.grown;
            self.begin(frames);
            self.turns = turns;
            self.problems.truncate(problems);
            group.members.iter().for_each(|node| self.nodes[node.index()] = NodeState::Waits);
            wanted.iter().for_each(|&node| self.wanted(node));
            self.finish();
            if self.checked.layouts.grown == grown {
                break;
            }
        }
        self.publish(&wanted);
        if self.cycle_reported {
            // A definition that reads one of them may close another cycle.
            let others = group.members.iter().filter(|node| !wanted.contains(node));
            others.for_each(|node| self.nodes[node.index()] = NodeState::Waits);
        }
        if has_key {
            self.keep(&before);
        }
        self.members.clear();
    }

    /// Forgets what belongs to a group or definition alone. Of the frames, so many are left.
    pub(super) fn begin(&mut self, frames: usize) {
        self.frames.truncate(frames);
        self.shared.clear();
        self.open.clear();
        self.later.clear();
        self.unused.clear();
        (self.evaluations, self.has_state, self.cycle_reported) = (0, false, false);
    }

    /// A node that others need: what is heard has to be a signal.
    fn wanted(&mut self, node: NodeId) {
        let graph = self.input.graph;
        self.reference = None;
        let value = self.node_value(node);
        let span = graph.nodes[node].span;
        if graph.out == Some(node) && !self.check_out(value, span) {
            self.nodes[node.index()] = NodeState::Done(Value::Broken);
        }
    }

    /// Warns where what is heard measures something.
    pub(super) fn warn_of_unit(&mut self, signal: &Signal, span: Span) {
        let dimension = self.known(&signal.dimension);
        if let Some(dimension) = dimension.filter(|d| *d != Dimension::PLAIN && !self.input.is_measured) {
            let message = format!("`out` is heard as a plain number around 0, but this is {dimension}");
            let help =
                "where a number has a unit that it should not have, leave it out; a tone is `sine(440Hz)`";
            self.problem(Problem::new(&codes::OUT_MEASURES, span, message).help(help));
        }
    }

    /// Leaves of each node what others see of it: a constant, what they evaluate themselves since it is slow, or
    /// buffers.
    fn publish(&mut self, wanted: &[NodeId]) {
        let out = self.input.graph.out;
        for &node in wanted {
            let NodeState::Done(value) = &self.nodes[node.index()] else { continue };
            let evaluated_again = !self.has_state && wanted.len() == 1 && value.is_slow();
            if out == Some(node) || !(evaluated_again || value.is_constant()) {
                let seen = match value.clone() {
                    // All channels are in buffers.
                    Value::List(channels) if out == Some(node) => {
                        let channel = |value: &Value| self.in_buffers(value, false);
                        Value::List(channels.iter().map(channel).collect::<Vec<_>>().into())
                    }
                    value => self.in_buffers(&value, false),
                };
                self.nodes[node.index()] = NodeState::Done(seen);
            }
        }
    }

    /// The value as others read it from buffers: only its channels and dimensions are known. A constant that is a `part` of a
    /// value needs none.
    fn in_buffers(&mut self, value: &Value, is_part: bool) -> Value {
        match value {
            Value::Signal(signal) if is_part && signal.is_constant() => value.clone(),
            Value::Signal(signal) => Value::Signal(self.but(signal, Kind::Fast, signal.dimension.clone())),
            Value::Record(fields) => {
                let part = |(name, value): &(Arc<str>, Value)| (name.clone(), self.in_buffers(value, true));
                Value::Record(fields.iter().map(part).collect::<Vec<_>>().into())
            }
            Value::List(elements) => {
                Value::List(elements.iter().map(|value| self.in_buffers(value, true)).collect())
            }
            other => other.clone(),
        }
    }

    /// The value of a node.
    pub(super) fn node_value(&mut self, node: NodeId) -> Value {
        match &self.nodes[node.index()] {
            NodeState::Done(value) => return value.clone(),
            NodeState::Doing => {
                let path = self.input.graph.nodes[node].path.clone();
                return self.cycle(&path, Opened::Node(node));
            }
            NodeState::Waits => {}
        }
        let value = self.evaluate_node(node);
        self.nodes[node.index()] = NodeState::Done(value.clone());
        value
    }

    fn evaluate_node(&mut self, node: NodeId) -> Value {
        let info = &self.input.graph.nodes[node];
        self.nodes[node.index()] = NodeState::Doing;
        let (name, by) = (info.path.clone(), self.reference);
        self.open.push(OpenName { name, span: info.span, key: Opened::Node(node), by });
        let value = match &info.kind {
            NodeKind::Glue { expr, iterations } => {
                let frame = self.iteration_frame(iterations, &info.path);
                self.eval_whole(&At { frame, equation: None }, *expr)
            }
            NodeKind::Instance(instance) => self.instance(node, instance),
            NodeKind::Knob(_) => self.param_value(node, 0),
            NodeKind::Modulation(modulation) => self.modulation(modulation, &info.path),
        };
        self.open.pop();
        value
    }

    /// The frame of an iteration of unrolled `sum`s of the song, for what is evaluated by itself. What the equations of their
    /// bodies remember is named by `path`.
    pub(super) fn iteration_frame(&mut self, iterations: &Iterations, path: &Arc<str>) -> FrameId {
        self.frames.push(Frame { path: Path::Node(path.clone()), ..Frame::song(self.input.song) });
        let mut frame = self.frames.len() - 1;
        for (depth, iteration) in iterations.iter().enumerate() {
            let around = At { frame, equation: None };
            let counter = Value::plain(Number::real(iteration.counter as f64));
            frame = self.loop_frame(frame, iteration.scope, counter, Path::Node(path.clone()));
            if let Some(list) = self.looped_list(&around, iteration.scope) {
                self.frames[frame].slots[0] = Slot::Element { at: around, list, index: iteration.counter };
            }
            self.frames[frame].iterations = Some(iterations[..=depth].to_vec());
            self.add_equations(frame);
        }
        frame
    }

    /// The list that a loop of the song goes through, if it does not count.
    fn looped_list(&self, at: &At, scope: ScopeId) -> Option<ExprId> {
        let expr = self.hir(at).loop_of(scope)?;
        match self.ast(at).exprs[expr] {
            Expr::Reduce { over: Over::List(list), .. } | Expr::Chain { over: Over::List(list), .. } => {
                Some(list)
            }
            _ => None,
        }
    }

    /// What the song gives to a parameter or input.
    pub(super) fn given_value(&mut self, given: Given) -> Value {
        self.reference = None;
        match given {
            Given::Node(node) => self.node_value(node),
            Given::Number(expr) => self.eval(&At { frame: 0, equation: None }, expr),
            // It has been evaluated with its voice.
            Given::Voice(_) => Value::Broken,
        }
    }

    /// Whether what is given has been evaluated, so that reading it evaluates no other node.
    pub(super) fn is_given_known(&self, given: Given) -> bool {
        match given {
            Given::Node(node) => matches!(self.nodes[node.index()], NodeState::Done(_)),
            Given::Number(_) | Given::Voice(_) => true,
        }
    }

    /// Keeps the types of the song's equations and knobs.
    pub(super) fn keep_node_types(&mut self) {
        for (&id, node) in &self.input.graph.locals {
            let NodeState::Done(value) = &self.nodes[node.index()] else { continue };
            if let Some(ty) = self.ty(value) {
                self.checked.types.insert((self.input.song, id), ty);
            }
        }
    }
}
