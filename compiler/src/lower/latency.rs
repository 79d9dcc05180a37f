//! Latency: how much later than the music what a value says is heard, and the delay lines that let paths of different latency
//! meet in the same frame.
//!
//! A body that says `latency 5ms` gives a value that is so much later than what flows in: its author has delayed it, and the
//! compiler takes note. What is computed of several values has the latency of the latest; each other one is delayed by what is
//! missing, to the frame, but for constants, which say the same in every frame. So a song sounds as if nothing were late, from
//! the frame of its latency on, where a render begins.
//!
//! What a state holds has the latency of what flows into it, which is known only when all is evaluated. A kernel in which
//! something is late is lowered a first time to see what flows where ([`Builder::latencies`]), and then once more with what was
//! found. In a cycle every value is as late as the latest signal that enters it. A latency in a cycle can't be made up for: it
//! stays, counts as none, and is warned of.
//!
//! What is late begins late: where values have been aligned, states keep their initial values until the first frame of the song
//! arrives, and outputs are silent, so that what comes before that frame leaves no trace.

use super::builder::Builder;
use super::late::{Declared, Late, Latencies};
use super::lowered::{KernelCall, Lowered, SignalId};
use super::value::{Signal, Val};
use super::{At, Lower};
use crate::ir::{Args, Body, DelayLine, Imm, InputId, Inst, Kernel, Op, Scalar, Type, Value};
use mam_grammar::ast::{ExprId, Item, ItemKind};
use mam_grammar::{Handle, Span};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::{Direction, visit::EdgeRef};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Frames that a line of an alignment keeps at least. Of an edit that changes a latency, the line and how much of it is written go on,
/// so that the new distance is heard at once.
const LEAST_FRAMES: u32 = 4096;

impl Builder {
    /// Frames by which a value is late.
    pub(super) fn late(&self, value: Value) -> Late {
        self.tracked.all[value.index()]
    }

    /// An input that is so many frames late.
    pub(super) fn late_input(&mut self, index: usize, frames: u32) -> Value {
        let value = self.input(index);
        self.tracked.all[value.index()] = Some(frames);
        self.tracked.enters_late |= frames > 0;
        value
    }

    /// The same value, known to be so many frames later.
    pub(super) fn declared(&mut self, value: Value, frames: u32, span: Span) -> Value {
        if self.imm(value).is_some() || frames == 0 {
            return value;
        }
        let index = self.tracked.declared.len();
        let counts = self.tracked.known.as_ref().is_none_or(|known| !known.cyclic.contains(&index));
        let yes = self.bool(true);
        let same = self.distinct(Op::Select, self.ty(value), &[yes, value, value]);
        self.tracked.declared.push(Declared { value: same, frames, span });
        let late = self.late(value).map(|late| if counts { late.saturating_add(frames) } else { late });
        self.tracked.all[same.index()] = late;
        same
    }

    /// A value that says the same however late what it meets is.
    pub(super) fn timeless(&mut self, value: Value) {
        self.tracked.all[value.index()] = None;
    }

    /// A value that counts as being so late, whatever it is computed of.
    pub(super) fn counts_as_late(&mut self, value: Value, late: Late) {
        self.tracked.all[value.index()] = late;
    }

    /// Whether a value stands for another one that is declared to be later.
    pub(super) fn is_declared_late(&self, value: Value) -> bool {
        self.tracked.declared.iter().any(|declared| declared.value == value)
    }

    /// Values that meet: those that come too early are delayed.
    pub(super) fn aligned(&mut self, values: Args) -> Args {
        if self.tracked.known.is_none() {
            return values;
        }
        let latest = values.as_slice().iter().filter_map(|&value| self.late(value)).max();
        latest.map_or(values, |latest| values.map(|&value| self.as_late(value, latest)))
    }

    /// The same for any number of values.
    pub(super) fn align(&mut self, values: &mut [Value]) {
        if self.tracked.known.is_none() {
            return;
        }
        if let Some(latest) = values.iter().filter_map(|&value| self.late(value)).max() {
            values.iter_mut().for_each(|value| *value = self.as_late(*value, latest));
        }
    }

    /// A value as it is when it is at least so late.
    pub(super) fn as_late(&mut self, value: Value, latest: u32) -> Value {
        match self.late(value) {
            Some(late) if late < latest && self.tracked.known.is_some() => self.delayed(value, latest - late),
            _ => value,
        }
    }

    /// What flows into a state, as late as what is read of it.
    pub(super) fn fed_as_late(&mut self, name: &str, of_line: bool, value: Value) -> Value {
        let latest = self.tracked.known.as_ref().and_then(|known| {
            let all = if of_line { &known.lines } else { &known.states };
            all.get(name).copied()
        });
        latest.map_or(value, |latest| self.as_late(value, latest))
    }

    /// Frames by which what a delay line holds is late.
    pub(super) fn late_line(&self, line: Handle<DelayLine>) -> Late {
        let borrowed = self.tracked.borrowed.get(&line).copied();
        borrowed.or_else(|| {
            let known = self.tracked.known.as_ref()?;
            known.lines.get(&self.kernel.delays[line].name).copied()
        })
    }

    /// A value so many frames ago.
    fn delayed(&mut self, value: Value, frames: u32) -> Value {
        let late = self.late(value).map(|late| late + frames);
        let delayed = match self.ty(value).scalar {
            Scalar::F32 | Scalar::F64 => {
                let value = self.audio(value);
                self.delayed_f32(value, frames)
            }
            Scalar::Bool => {
                let value = self.audio(value);
                let delayed = self.delayed_f32(value, frames);
                self.truth(delayed)
            }
            Scalar::I32 => {
                // Each half of the word is exact in f32.
                let (places, mask) = (self.i32(16), self.i32(0xffff));
                let high = self.push(Op::Sshr, Type::I32, &[value, places]);
                let low = self.push(Op::And, Type::I32, &[value, mask]);
                let [high, low] = [high, low].map(|half| {
                    let half = self.audio(half);
                    let half = self.delayed_f32(half, frames);
                    self.push(Op::ToInt, Type::I32, &[half])
                });
                let high = self.push(Op::Shl, Type::I32, &[high, places]);
                self.push(Op::Add, Type::I32, &[high, low])
            }
        };
        self.tracked.all[delayed.index()] = late;
        delayed
    }

    /// Through a line of its own; before the line is full, the value as it is now, so that what is divided by it is finite.
    fn delayed_f32(&mut self, value: Value, frames: u32) -> Value {
        self.tracked.lines += 1;
        let line_frames = frames.max(LEAST_FRAMES).next_power_of_two();
        let name = format!("{}.latency{}.{line_frames}", self.kernel.name, self.tracked.lines);
        let copy = self.copy.take();
        let line = self.delay(&name, line_frames);
        let (state, count) = self.new_state(&format!("{name}.age"), |_| Imm::I32(0));
        self.copy = copy;
        let (distance, one, oldest) = (self.i32(frames as i32), self.i32(1), self.i32(line_frames as i32));
        let read = self.push(Op::Read(line), Type::F32, &[distance]);
        let next = self.push(Op::Add, Type::I32, &[count, one]);
        let next = self.push(Op::Min, Type::I32, &[next, oldest]);
        let young = self.push(Op::Lt, Type::BOOL, &[count, distance]);
        self.body().sets.push((state, next));
        self.body().writes.push((line, value));
        let late = self.late(value);
        let delayed = self.distinct(Op::Select, Type::F32, &[young, value, read]);
        self.tracked.all[delayed.index()] = late;
        delayed
    }

    /// Lets what is late begin when the first frame arrives: until then states stay as they are, and lines and outputs are given
    /// silence.
    pub(super) fn begin_late<'v>(&mut self, outputs: impl Iterator<Item = &'v mut Value>) {
        let Some(known) = self.tracked.known.clone().filter(|_| self.tracked.lines > 0) else { return };
        self.copy = None;
        let mut ages: FxHashMap<Option<usize>, Value> = FxHashMap::default();
        let sets = std::mem::take(&mut self.body().sets);
        for (state, value) in sets {
            let (late, voice) =
                (known.states.get(&self.kernel.states[state].name), self.state_voices[state.index()]);
            let value = late.filter(|late| **late > 0).map_or(value, |&late| {
                let early = self.early(&mut ages, voice, late);
                let ty = self.kernel.states[state].ty();
                let before = self.push(Op::Get(state), ty, &[]);
                self.push(Op::Select, ty, &[early, before, value])
            });
            self.body().sets.push((state, value));
        }
        let writes = std::mem::take(&mut self.body().writes);
        for (line, value) in writes {
            let (late, voice) =
                (known.lines.get(&self.kernel.delays[line].name), self.delay_voices[line.index()]);
            let value = late.map_or(value, |&late| self.silent_early(&mut ages, voice, (late, value)));
            self.body().writes.push((line, value));
        }
        let voice = (self.kernel.voices.len() == 1).then_some(0);
        for value in outputs {
            if let Some(late) = self.late(*value) {
                *value = self.silent_early(&mut ages, voice, (late, *value));
                self.tracked.all[value.index()] = Some(late);
            }
        }
    }

    fn silent_early(
        &mut self,
        ages: &mut FxHashMap<Option<usize>, Value>,
        voice: Option<usize>,
        (late, value): (u32, Value),
    ) -> Value {
        if late == 0 {
            return value;
        }
        let early = self.early(ages, voice, late);
        let silence = self.push(Op::Const(Imm::F32(0.0)), Type::F32, &[]);
        self.push(Op::Select, Type::F32, &[early, silence, value])
    }

    /// Whether fewer frames have passed since a voice, or the kernel, began.
    fn early(
        &mut self,
        ages: &mut FxHashMap<Option<usize>, Value>,
        voice: Option<usize>,
        late: u32,
    ) -> Value {
        /// Frames beyond which nothing is counted.
        const LONG: i32 = 1 << 30;
        let age = match ages.get(&voice) {
            Some(age) => *age,
            None => {
                self.voice = voice;
                let (state, age) = self.new_state(&format!("{}.latency", self.kernel.name), |_| Imm::I32(0));
                let (one, long) = (self.i32(1), self.i32(LONG));
                let next = self.push(Op::Add, Type::I32, &[age, one]);
                let next = self.push(Op::Min, Type::I32, &[next, long]);
                self.body().sets.push((state, next));
                ages.insert(voice, age);
                age
            }
        };
        let late = self.i32(late as i32);
        self.push(Op::Lt, Type::BOOL, &[age, late])
    }

    /// The latencies of what the kernel remembers, and the declared ones that are part of a cycle, after it has been lowered for
    /// the first time.
    pub(super) fn latencies(&self) -> Latencies {
        let body = &self.kernel.general;
        let (insts, states) = (body.insts.len(), self.kernel.states.len());
        let (state, line) = (|h: usize| insts + h, |h: usize| insts + states + h);
        let mut flow: DiGraph<(), ()> = DiGraph::new();
        (0..line(self.kernel.delays.len())).for_each(|_| _ = flow.add_node(()));
        let mut edges: Vec<(usize, usize)> = vec![];
        for value in body.insts.handles() {
            let inst = &body.insts[value];
            edges.extend(inst.args.as_slice().iter().map(|arg| (arg.index(), value.index())));
            match inst.op {
                Op::Get(h) => edges.push((state(h.index()), value.index())),
                Op::Read(h) => {
                    edges.push((line(h.index()), value.index()));
                    if !self.tracked.recorded.contains(&h) {
                        edges.extend(inst.args.as_slice().iter().map(|arg| (arg.index(), line(h.index()))));
                    }
                }
                _ => {}
            }
        }
        edges.extend(body.sets.iter().map(|(h, value)| (value.index(), state(h.index()))));
        edges.extend(body.writes.iter().map(|(h, value)| (value.index(), line(h.index()))));
        edges.iter().for_each(|&(from, to)| {
            flow.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
        });
        for (input, output) in &self.tracked.through {
            flow.add_edge(NodeIndex::new(input.index()), NodeIndex::new(output.index()), ());
        }
        let (lates, cyclic) = self.flowing(&flow);
        let states = self.kernel.states.iter().map(|(h, slot)| (slot.name.clone(), lates[state(h.index())]));
        let lines = self.kernel.delays.iter().map(|(h, slot)| (slot.name.clone(), lates[line(h.index())]));
        let known = |(name, late): (String, Late)| Some((name, late?));
        let mut seen: FxHashMap<usize, u32> = FxHashMap::default();
        for (region, value) in &self.tracked.seen {
            let latest = seen.entry(*region).or_default();
            *latest = lates[value.index()].unwrap_or(0).max(*latest);
        }
        Latencies {
            seen,
            states: states.filter_map(known).collect(),
            lines: lines.filter_map(known).collect(),
            cyclic,
        }
    }

    /// The latency of each node of a flow whose first nodes are the instructions: of a strongly connected component, that of
    /// the latest value that enters it.
    fn flowing(&self, flow: &DiGraph<(), ()>) -> (Vec<Late>, FxHashSet<usize>) {
        let declared: FxHashMap<usize, usize> =
            self.tracked.declared.iter().enumerate().map(|(i, d)| (d.value.index(), i)).collect();
        let mut lates: Vec<Late> = vec![None; flow.node_count()];
        let mut cyclic = FxHashSet::default();
        let mut all = kosaraju_scc(flow);
        all.reverse(); // The algorithm gives sinks first.
        for nodes in all {
            let is_cycle = nodes.len() > 1 || flow.contains_edge(nodes[0], nodes[0]);
            let entering = |node: &NodeIndex| {
                let before = flow.edges_directed(*node, Direction::Incoming);
                before.filter_map(|edge| lates[edge.source().index()]).max().max(self.of_source(*node))
            };
            // What goes on by itself, such as a phase, is in time.
            let at_least = is_cycle.then_some(0);
            let mut late = nodes.iter().map(entering).fold(at_least, Late::max);
            for &index in nodes.iter().filter_map(|node| declared.get(&node.index())) {
                match is_cycle {
                    true => _ = cyclic.insert(index),
                    false => late = late.map(|late| late.saturating_add(self.tracked.declared[index].frames)),
                }
            }
            nodes.iter().for_each(|node| lates[node.index()] = late);
        }
        (lates, cyclic)
    }

    /// The latency that an instruction without operands brings with it, or a line that another kernel writes.
    fn of_source(&self, node: NodeIndex) -> Late {
        let body = &self.kernel.general;
        let line = node.index().checked_sub(body.insts.len() + self.kernel.states.len());
        if let Some(line) = line {
            return self.tracked.borrowed.get(&Handle::new(line)).copied();
        }
        let inst = body.insts.values().nth(node.index()).filter(|inst| inst.args.as_slice().is_empty())?;
        match inst.op {
            Op::Get(_) | Op::Read(_) => None,
            _ => self.tracked.all[node.index()],
        }
    }

    /// Where the declared latencies stand that are part of a cycle.
    pub(super) fn cycles(&self) -> Vec<Span> {
        let Some(known) = &self.tracked.known else { return vec![] };
        let declared = self.tracked.declared.iter().enumerate();
        declared.filter(|(i, _)| known.cyclic.contains(i)).map(|(_, declared)| declared.span).collect()
    }
}

impl Lower<'_, '_> {
    /// The value of a body with the latency that it declares.
    pub(super) fn with_latency(&mut self, at: &At, items: &[Item], val: Val) -> Val {
        let declared = items.iter().find_map(|item| match item.kind {
            ItemKind::Latency(expr) => Some((expr, item.span)),
            _ => None,
        });
        let Some((expr, span)) = declared else { return val };
        let Some(inner) = self.declared_frames(at, expr) else { return val };
        let count = self.inner_frames(at) as u32;
        let missing = (count - inner % count) % count;
        self.place(at);
        self.later(at, &val, ((inner + missing) / count, missing), span)
    }

    /// Frames, inner ones in a region, that a body says to be late.
    fn declared_frames(&mut self, at: &At, expr: ExprId) -> Option<u32> {
        let (seconds, _) = self.constant(at, expr)?;
        Some((seconds * self.rate(at)).round().max(0.0) as u32)
    }

    /// A value that is declared to be late: whole frames of the song, made up by so many inner frames.
    fn later(&mut self, at: &At, val: &Val, (frames, missing): (u32, u32), span: Span) -> Val {
        match val {
            Val::Signal(signal) => {
                let later = |&value: &Value| {
                    let mut value = value;
                    for _ in 0..missing {
                        value = self.one_inner_frame_ago(at, value);
                    }
                    self.b.declared(value, frames, span)
                };
                let channels = signal.channels.iter().map(later).collect();
                Val::Signal(Signal { channels, dimension: signal.dimension })
            }
            Val::List(elements) => {
                let later = |val: &Val| self.later(at, val, (frames, missing), span);
                Val::List(elements.iter().map(later).collect())
            }
            Val::Record(fields) => {
                let later = |(name, val): &(Arc<str>, Val)| {
                    (name.clone(), self.later(at, val, (frames, missing), span))
                };
                Val::Record(fields.iter().map(later).collect::<Vec<_>>().into())
            }
            Val::Buffer(_) | Val::Recording(_) | Val::Broken => val.clone(),
        }
    }

    fn one_inner_frame_ago(&mut self, at: &At, value: Value) -> Value {
        let value = self.b.audio(value);
        let (state, before) = self.b.state(&format!("{}.latency", at.path), Imm::F32(0.0));
        self.b.set(state, value);
        before
    }
}

impl Lowered {
    /// Delays what is heard too early of the result and of what is heard beside it, so that all of it is equally late.
    pub(crate) fn align(&mut self) {
        let heard: Vec<SignalId> = self.out.iter().flatten().chain(&self.also).copied().collect();
        self.latency = heard.iter().map(|signal| self.late(*signal)).max().unwrap_or(0);
        let mut later: FxHashMap<SignalId, SignalId> = FxHashMap::default();
        for signal in heard {
            if self.late(signal) < self.latency && !later.contains_key(&signal) {
                let delayed = self.delayed(signal, self.latency - self.late(signal));
                later.insert(signal, delayed);
            }
        }
        let moved = |signal: &mut SignalId| *signal = later.get(signal).copied().unwrap_or(*signal);
        self.out.iter_mut().flatten().for_each(moved);
        self.also.iter_mut().for_each(moved);
    }

    fn late(&self, signal: SignalId) -> u32 {
        self.late.get(&signal).copied().unwrap_or(0)
    }

    /// A signal so many frames ago, by a call of its own.
    fn delayed(&mut self, signal: SignalId, frames: u32) -> SignalId {
        let output = self.signals;
        self.signals += 1;
        let path: Arc<str> = format!("out.latency{signal}").into();
        let kernel = self.module.kernels.add(delay_kernel(frames));
        self.calls.push(KernelCall {
            path: path.clone(),
            fused: [].into(),
            kernel,
            states: vec![],
            delays: vec![path],
            params: vec![],
            inputs: vec![signal],
            outputs: vec![output],
            ports: vec![],
            adds: false,
        });
        output
    }
}

/// A kernel that gives its input so many frames later.
fn delay_kernel(frames: u32) -> Kernel {
    let mut body = Body::default();
    let mut kernel = Kernel { name: format!("latency.{frames}"), ..Kernel::default() };
    let name = "latency".to_owned();
    let line = kernel.delays.add(DelayLine::unshared(name, DelayLine::holding(frames)));
    let mut add =
        |op, ty, args: &[Value]| body.insts.add(Inst { op, ty, args: args.iter().copied().collect() });
    let input = add(Op::Input(InputId::new(0)), Type::F32, &[]);
    let distance = add(Op::Const(Imm::I32(frames as i32)), Type::I32, &[]);
    let read = add(Op::Read(line), Type::F32, &[distance]);
    body.writes = vec![(line, input)];
    body.outs = vec![read];
    kernel.inputs = vec!["in0".to_owned()];
    kernel.outputs = vec!["out".to_owned()];
    kernel.general = body.clone();
    kernel.steady = body;
    kernel
}
