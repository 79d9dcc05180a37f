//! One group of nodes becomes one kernel.

use super::block::BlockCall;
use super::builder::{Builder, FormKind};
use super::late::Latencies;
use super::lowered::SignalId;
use super::value::Recording;
use super::value::{NodeVal, Shape, Signal, Val};
use super::{Lower, Song, lines};
use crate::graph::NodeId;
use crate::ir::{Body as Code, Imm, Kernel, Op, Rate, Value};
use mam_grammar::Span;
use mam_grammar::ast::ExprId;
use mam_runtime::block::Block;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// A lowered group.
pub(super) struct Made {
    /// Its kernel, with both bodies.
    pub(super) kernel: Kernel,
    /// What its local indices stand for.
    pub(super) params: Vec<usize>,
    pub(super) inputs: Vec<SignalId>,
    pub(super) ports: Vec<usize>,
    /// What was found out about the nodes that others need.
    pub(super) results: Vec<(NodeId, NodeVal)>,
    /// The signals of expressions that are heard by themselves.
    pub(super) heard: Vec<(ExprId, Vec<SignalId>)>,
    /// Its block nodes. What flows into them are the last outputs of the kernel, in their order.
    pub(super) blocks: Vec<BlockCall>,
    /// Frames by which each output is late.
    pub(super) late: Vec<u32>,
    /// What was found out about latencies, where there are any and nothing was known.
    found: Option<Latencies>,
    /// Where latencies are declared that are part of a cycle.
    cyclic: Vec<Span>,
}

impl Made {
    /// A node that was lowered before; it has no bodies to go over again.
    pub(super) fn again(
        kernel: Kernel,
        (params, inputs, ports): (Vec<usize>, Vec<SignalId>, Vec<usize>),
        result: (NodeId, NodeVal),
        late: Vec<u32>,
    ) -> Made {
        let (heard, cyclic, found, blocks) = (vec![], vec![], None, vec![]);
        Made { kernel, params, inputs, ports, results: vec![result], heard, blocks, late, found, cyclic }
    }
}

impl Song<'_> {
    /// Lowers the nodes `members`, of which others need `wanted`. Signals of the result are numbered from `signals`.
    pub(super) fn group(
        &mut self,
        name: &str,
        members: &FxHashSet<NodeId>,
        wanted: &[NodeId],
        signals: usize,
    ) -> Made {
        let steady =
            |song: &mut Self, known| song.body(name, members, wanted, signals, (FormKind::Steady, known));
        let mut steady_body = steady(self, None);
        let known = steady_body.found.take();
        if known.is_some() && self.too_large.is_none() {
            steady_body = steady(self, known.clone());
        }
        let mut steady = steady_body;
        // One of the prelude is in the cycle of who calls it.
        let (files, place) = (self.files, self.graph.nodes[wanted[0]].span);
        let written = |span: Span| if files.is_prelude_source(span.source) { place } else { span };
        self.cyclic.extend(steady.cyclic.drain(..).map(written));
        let simple = steady.results.iter().all(|(_, r)| !matches!(r, NodeVal::Shape(_)));
        if !self.is_refused() && (!simple || !steady.heard.is_empty()) {
            let general = self.body(name, members, wanted, signals, (FormKind::General, known));
            if self.is_refused() {
                return steady;
            }
            debug_assert_eq!(general.kernel.delays, steady.kernel.delays);
            debug_assert_eq!(general.kernel.states, steady.kernel.states);
            debug_assert_eq!(general.kernel.params, steady.kernel.params);
            debug_assert_eq!(general.kernel.inputs, steady.kernel.inputs);
            debug_assert_eq!(general.kernel.ports, steady.kernel.ports);
            let body = std::mem::take(&mut steady.kernel.general);
            steady.kernel.steady = without_notes(body);
            steady.kernel.general = general.kernel.general;
            lines::merge_equal(&mut steady.kernel);
        }
        steady
    }

    fn body(
        &mut self,
        name: &str,
        members: &FxHashSet<NodeId>,
        wanted: &[NodeId],
        signals: usize,
        (form, known): (FormKind, Option<Latencies>),
    ) -> Made {
        let aligns = known.is_some();
        let mut lower = Lower::new(self, members, Builder::new(name, form, known));
        let mut vals: Vec<(NodeId, Val)> = vec![];
        for &node in wanted {
            let val = lower.node_value(node);
            vals.push((node, val));
        }
        lower.finish();
        let several = |node: NodeId| {
            members.len() == 1 && lower.song.graph.instance(node).is_some_and(|instance| instance.voices > 1)
        };
        let is_summed = wanted.iter().any(|&node| several(node));
        let mut outputs = Outputs { names: vec![], values: vec![], first: signals, is_summed };
        let stateless = lower.b.kernel.states.is_empty() && lower.b.kernel.delays.is_empty();
        let mut results = vec![];
        for (node, val) in vals {
            let graph = lower.song.graph;
            let path = &graph.nodes[node].path;
            let is_out = graph.out == Some(node);
            if is_out && let Val::List(elements) = &val {
                let shape = outputs.channels(&mut lower, path, elements);
                results.push((node, shape.map_or(NodeVal::Broken, NodeVal::Shape)));
                continue;
            }
            if is_out && val.clone().signal().is_none() {
                results.push((node, NodeVal::Broken));
                continue;
            }
            let is_signal = is_out || is_summed;
            let slow = stateless && wanted.len() == 1 && lower.slow(&val) && !is_signal;
            let result = match lower.constant_result(&val).filter(|_| !is_signal) {
                Some(constant) => constant,
                None if slow => NodeVal::Inline,
                None => match outputs.shape(&mut lower, path, &val) {
                    Some(shape) => NodeVal::Shape(shape),
                    None => NodeVal::Broken,
                },
            };
            results.push((node, result));
        }
        let mut heard = vec![];
        for (expr, val) in std::mem::take(&mut lower.heard) {
            let path = format!("heard#{}", expr.index());
            let shape = match &val {
                Val::List(channels) => outputs.channels(&mut lower, &path, channels),
                val => outputs.shape(&mut lower, &path, val),
            };
            heard.extend(shape.map(|shape| (expr, shape.channels())));
        }
        let own = outputs.values.len();
        let blocks = outputs.flows(std::mem::take(&mut lower.blocks));
        // Block nodes go on between notes, and so does all that hears them.
        if blocks.is_empty() {
            lower.b.kernel.voices = std::mem::take(&mut lower.voices);
        }
        // The first pieces of a spectrum begin before the song does.
        let bins = blocks.iter().filter(|call: &&BlockCall| matches!(*call.block, Block::Synthesis(_)));
        let bins: FxHashSet<usize> =
            bins.flat_map(|call| call.ends.flows.clone()).map(|flow| own + flow).collect();
        let values = outputs.values.iter_mut().enumerate().filter(|(index, _)| !bins.contains(index));
        lower.b.begin_late(values.map(|(_, value)| value));
        let Lower { mut b, params, inputs, ports, .. } = lower;
        let found = (!aligns && b.tracked.is_late()).then(|| b.latencies());
        let late = outputs.values.iter().map(|&value| b.late(value).unwrap_or(0)).collect();
        let cyclic = b.cycles();
        let slot = |&s: &usize| self.slots.name(s).to_string();
        b.kernel.params = params.iter().map(slot).collect();
        b.kernel.inputs = (0..inputs.len()).map(|i| format!("in{i}")).collect();
        b.kernel.ports = (0..ports.len()).map(|i| format!("port{i}")).collect();
        b.kernel.outputs = outputs.names;
        b.kernel.general.outs = outputs.values;
        b.gather();
        Made { kernel: b.kernel, params, inputs, ports, results, heard, blocks, late, found, cyclic }
    }
}

impl Lower<'_, '_> {
    /// True when no part of the value changes every sample.
    fn slow(&self, val: &Val) -> bool {
        match val {
            Val::Signal(s) => s.channels.iter().all(|&v| self.b.rate(v) < Rate::Sample),
            Val::Record(fields) => fields.iter().all(|(_, v)| self.slow(v)),
            Val::Buffer(_) => true,
            Val::Recording(_) => false,
            Val::List(elements) => elements.iter().all(|v| self.slow(v)),
            Val::Broken => false,
        }
    }

    fn constant_result(&self, val: &Val) -> Option<NodeVal> {
        let Val::Signal(Signal { channels, dimension }) = val else { return None };
        let numbers: Option<Vec<f64>> = channels.iter().map(|&v| self.b.constant(v)).collect();
        numbers.map(|n| NodeVal::Const(n, *dimension))
    }
}

struct Outputs {
    names: Vec<String>,
    values: Vec<Value>,
    first: usize,
    /// Whether they are added up, over the voices of an instrument: then what is constant in one voice is not so in the sum.
    is_summed: bool,
}

impl Outputs {
    /// Adds what flows into block nodes. Where nothing else is heard, they are not heard either.
    fn flows(&mut self, blocks: Vec<(BlockCall, Vec<Value>)>) -> Vec<BlockCall> {
        let mut calls = vec![];
        if self.values.is_empty() {
            return calls;
        }
        for (call, inputs) in blocks {
            let name = |index: usize| match index {
                0 => format!("{}.in", call.path),
                _ => format!("{}.in{}", call.path, index + 1),
            };
            self.names.extend((0..inputs.len()).map(name));
            self.values.extend(inputs);
            calls.push(call);
        }
        calls
    }

    /// The channels of the song's `out`, where it is a list: all of them are in buffers.
    fn channels(&mut self, lower: &mut Lower, path: &str, elements: &[Val]) -> Option<Shape> {
        let channel = |(index, val): (usize, &Val)| self.shape(lower, &format!("{path}.{index}"), val);
        elements.iter().enumerate().map(channel).collect::<Option<Vec<Shape>>>().map(Shape::List)
    }

    /// A part of a value; constants need no buffer.
    fn shape_in(&mut self, lower: &mut Lower, path: &str, val: &Val) -> Option<Shape> {
        match lower.constant_result(val).filter(|_| !self.is_summed) {
            Some(NodeVal::Const(channels, dimension)) => Some(Shape::Const(channels, dimension)),
            _ => self.shape(lower, path, val),
        }
    }

    /// What others read of a recording: the lines themselves. What is written is heard of the kernel too, so that it is examined.
    fn recording(&mut self, lower: &mut Lower, path: &str, recording: &Recording) -> Shape {
        let mut signal = |lower: &mut Lower, name: &str, value: Value| {
            let id = self.first + self.values.len();
            self.values.push(lower.b.audio(value));
            self.names.push(format!("{path}.{name}"));
            id
        };
        for (side, line) in recording.lines.iter().enumerate() {
            if let Some(&value) = lower.written.get(line) {
                signal(lower, &format!("written{side}"), value);
            }
        }
        let counts = [("first", recording.first), ("frames", recording.frames)]
            .map(|(name, x)| signal(lower, name, x));
        Shape::Recording { lines: lower.lent(recording), counts, ring: recording.ring.clone() }
    }

    fn shape(&mut self, lower: &mut Lower, path: &str, val: &Val) -> Option<Shape> {
        match val {
            Val::Buffer(_) | Val::Broken => None,
            Val::Recording(recording) => Some(self.recording(lower, path, recording)),
            Val::Signal(signal) => {
                let stereo = signal.channels.len() > 1;
                let mut ids = vec![];
                for (i, value) in lower.audio(signal).into_iter().enumerate() {
                    ids.push(self.first + self.values.len());
                    self.values.push(value);
                    self.names.push(if stereo {
                        format!("{path}.{}", ["left", "right"][i])
                    } else {
                        path.to_string()
                    });
                }
                Some(Shape::Signal(ids, signal.dimension))
            }
            Val::List(elements) => {
                let mut parts: Vec<Shape> = vec![];
                for (index, val) in elements.iter().enumerate() {
                    parts.push(self.shape_in(lower, &format!("{path}.{index}"), val)?);
                }
                Some(Shape::List(parts))
            }
            Val::Record(fields) => {
                let mut parts: Vec<(Arc<str>, Shape)> = vec![];
                for (name, val) in fields.iter() {
                    parts.push((name.clone(), self.shape_in(lower, &format!("{path}.{name}"), val)?));
                }
                Some(Shape::Record(parts))
            }
        }
    }
}

/// The steady body: no note begins in it.
fn without_notes(mut body: Code) -> Code {
    for value in body.insts.handles() {
        if matches!(body.insts[value].op, Op::Port(_, field) if field.is_onset()) {
            body.insts[value].op = Op::Const(Imm::Bool(false));
        }
    }
    body
}
