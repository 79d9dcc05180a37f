//! What lowering makes: kernels, their calls, and what can be set and triggered.

use crate::files::Files;
use crate::graph::{Graph, Instance, NodeId, NodeKind};
use crate::hir::DefId;
use crate::ir::{Imm, Kernel, Module, Sharing};
use crate::library::{Library, ParamInfo};
use crate::score::Musical;
use mam_grammar::ast::ExprId;
use mam_grammar::{Handle, Span};
use mam_runtime::ids::ParamId;
use mam_runtime::score::Rational;
use mam_runtime::sort::Sort;
use mam_runtime::{Curve, NoteSignal, Outside, ParamNames};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// A signal between kernels: one channel of a node's result.
pub type SignalId = usize;

/// The song's `in`: left, right.
pub const INPUT: [SignalId; 2] = [0, 1];

/// How the name of a state that is never set begins: it is data, and is not carried over an edit.
pub const DATA: &str = "=";

/// One call of a kernel in each quantum.
#[derive(Clone, Debug)]
pub struct KernelCall {
    /// The node's path; of a voice, with `#2`.
    pub path: Arc<str>,
    /// The equations that its kernel computes, by their paths, where there are several.
    pub fused: Arc<[Arc<str>]>,
    /// The kernel that computes the node.
    pub kernel: Handle<Kernel>,
    /// Name and initial value of its states.
    pub states: Vec<(Arc<str>, Imm)>,
    /// Names of its delay lines.
    pub delays: Vec<Arc<str>>,
    /// Its parameters: indices of slots.
    pub params: Vec<usize>,
    /// The signals that the kernel reads.
    pub inputs: Vec<SignalId>,
    /// The signals that the kernel writes.
    pub outputs: Vec<SignalId>,
    /// Indices of the ports whose events it takes.
    pub ports: Vec<usize>,
    /// Whether it adds up its inputs, as [`sum_kernel`](super::sum_kernel) says: the voices of an instrument.
    pub adds: bool,
}

/// A song as kernels and the calls of them.
#[derive(Default)]
pub struct Lowered {
    /// The kernels, each once.
    pub module: Module,
    /// Their calls, in order.
    pub calls: Vec<KernelCall>,
    /// How many signals there are.
    pub signals: usize,
    /// The result: mono or stereo. `None` where a channel is silence.
    pub out: Vec<Option<SignalId>>,
    /// The signals of expressions that are heard by themselves.
    pub heard: FxHashMap<ExprId, Vec<SignalId>>,
    /// The signals that each node is known by, where it is a signal.
    pub results: FxHashMap<NodeId, Vec<SignalId>>,
    /// Signals that are further ones of the result.
    pub also: Vec<SignalId>,
    /// Frames by which signals are late, where they are.
    pub(super) late: FxHashMap<SignalId, u32>,
    /// Frames by which the result is late, once all that is heard is aligned.
    pub latency: u32,
    /// Where latencies are declared that are part of a cycle.
    pub cyclic: Vec<Span>,
    /// What can be set.
    pub slots: Slots,
    /// What can be triggered.
    pub ports: Ports,
}

/// Everything that can be set.
#[derive(Default)]
pub struct Slots {
    all: Vec<(Arc<str>, ParamInfo)>,
    first: FxHashMap<NodeId, usize>,
    /// The first of the voices' shares of a slot, which stand in the order of the voices.
    shares: FxHashMap<usize, usize>,
    /// The slot that each share follows.
    follows: FxHashMap<usize, usize>,
    pub(super) names: Arc<ParamNames>,
    driven: FxHashSet<usize>,
    beat: Option<usize>,
    bar: Option<usize>,
}

impl Lowered {
    /// What is known before anything is lowered: what can be set and triggered. Values at the start, and what only
    /// some songs use, are still to come.
    pub fn begin(files: &Files, library: &Library, graph: &Graph, song: usize) -> Lowered {
        let slots = Slots::new(files, library, graph, song);
        Lowered { slots, ports: Ports::new(graph), signals: INPUT.len(), ..Lowered::default() }
    }
}

impl Lowered {
    /// Bytes of state and delay lines that the plan takes at most.
    pub fn most_memory(&self) -> usize {
        /// Bytes of a word of state at most, and of the gaps that align a call's state.
        const WORD: usize = 16;
        const ALIGNED: usize = 256;
        self.bytes(|kernel| ALIGNED + kernel.states.len() * WORD + memory_of(kernel))
    }

    /// Bytes of delay lines and of blocks, which the plan takes whatever else it takes.
    pub fn least_memory(&self) -> usize {
        self.bytes(memory_of)
    }

    /// The sum of what `of` says of the kernels of all calls.
    fn bytes(&self, of: impl Fn(&Kernel) -> usize) -> usize {
        let kernels: Vec<usize> = self.module.kernels.values().map(of).collect();
        self.calls.iter().map(|call| kernels[call.kernel.index()]).sum()
    }
}

/// Bytes of a kernel's delay lines, and of its block's state.
fn memory_of(kernel: &Kernel) -> usize {
    let own = kernel.delays.values().filter(|line| line.sharing != Sharing::Borrowed);
    let delays: usize = own.map(|line| line.frames as usize * 4).sum();
    delays + kernel.block.as_ref().map_or(0, |block| block.state_bytes())
}

impl Slots {
    /// What of a graph can be set.
    pub(crate) fn new(files: &Files, library: &Library, graph: &Graph, song: usize) -> Slots {
        let mut slots = Slots::default();
        let instances = graph.nodes.handles().filter_map(|node| graph.instance(node));
        slots.all.reserve(graph.knobs.len() + instances.map(Instance::slots).sum::<usize>());
        slots.first.reserve(graph.nodes.len());
        for (id, node) in graph.nodes.iter() {
            slots.first.insert(id, slots.all.len());
            match &node.kind {
                NodeKind::Glue { .. } | NodeKind::Modulation(_) => {}
                NodeKind::Instance(instance) => {
                    let info = library.info(files, instance.def);
                    let own = info.params.iter().take(instance.args.len());
                    let signals = instance.signals.iter().map(|&signal| ParamInfo::of_signal(signal));
                    let sent = instance.sent.iter().map(ParamInfo::of_sent);
                    let named = |param: ParamInfo| ([&*node.path, ".", &param.name].concat().into(), param);
                    slots.all.extend(own.cloned().chain(signals).chain(sent).map(named));
                }
                NodeKind::Knob(item) => {
                    let knob = library.knob(files, DefId { file: song, item: *item });
                    slots.all.extend(knob.params.iter().map(|info| (node.path.clone(), info.clone())));
                }
            }
        }
        slots.names = Arc::new(super::slots::names(graph, &mut slots.all, &slots.first));
        slots
    }

    /// The slot of parameter `index` (from 0) of a node.
    pub fn slot_of(&self, node: NodeId, index: usize) -> usize {
        self.first[&node] + index
    }

    /// The nodes by their first slots, in the order of these. Nodes without parameters stand before the next one.
    pub(crate) fn nodes(&self) -> Vec<(usize, NodeId)> {
        let mut all: Vec<(usize, NodeId)> = self.first.iter().map(|(&node, &first)| (first, node)).collect();
        all.put_in_order();
        all
    }

    /// What a slot is.
    pub fn info(&self, slot: usize) -> &ParamInfo {
        &self.all[slot].1
    }

    /// A slot's name: one that leads to it.
    pub fn name(&self, slot: usize) -> &Arc<str> {
        &self.all[slot].0
    }

    /// Sets the value at the start, which does not follow the tempo.
    pub fn start(&mut self, slot: usize, value: f64) {
        let info = &mut self.all[slot].1;
        (info.default, info.musical) = (value, None);
    }

    /// The parameters whose values follow the tempo: nothing else says what they are.
    pub fn following_tempo(&self) -> impl Iterator<Item = (ParamId, Musical)> {
        let all = self.all.iter().enumerate();
        let own = all.filter(|(slot, _)| !self.follows.contains_key(slot) && !self.driven.contains(slot));
        own.filter_map(|(slot, (_, info))| Some((ParamId::new(slot), info.musical?)))
    }

    /// Brings what follows the tempo to its value at the start, at a tempo in quarter notes a minute.
    pub fn begin_at(&mut self, bpm: f64, beats_per_bar: Rational) {
        let following: Vec<_> = self.following_tempo().collect();
        for (param, musical) in following {
            let info = &mut self.all[param.index()].1;
            let value = musical.of_param(param, beats_per_bar).value(bpm);
            info.default = value.min(info.max).max(info.min);
        }
    }

    /// Sets the values at the start of parameters, by node and place in the list of its parameters.
    pub fn start_all(&mut self, starts: &FxHashMap<(NodeId, usize), f64>) {
        for (&(node, index), &value) in starts {
            self.start(self.slot_of(node, index), value);
        }
    }

    /// Says which parameters follow signals, by node and place in the list of its parameters.
    pub fn drive_all(&mut self, driven: &FxHashSet<(NodeId, usize)>) {
        self.driven = driven.iter().map(|&(node, index)| self.slot_of(node, index)).collect();
    }

    /// Keeps the bends of machines within what each of them can do.
    pub(crate) fn bound_bends(&mut self, graph: &Graph, outside: &FxHashMap<NodeId, Outside>) {
        for (&node, outside) in outside {
            let Outside::Midi { bend, .. } = outside else { continue };
            let place = graph.instance(node).and_then(|instance| instance.signal(NoteSignal::Bend));
            let Some(slot) = place.map(|place| self.slot_of(node, place)) else { continue };
            let most = (f64::from(*bend) / 12.0).exp2();
            let info = &mut self.all[slot].1;
            (info.min, info.max) = (1.0 / most, most);
        }
    }

    /// Whether a parameter follows a signal of the song, so that setting it changes nothing.
    pub fn is_driven(&self, slot: usize) -> bool {
        self.driven.contains(&slot)
    }

    /// All slots with their paths, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &ParamInfo)> {
        self.all.iter().map(|(name, info)| (name, info))
    }

    /// Gives each of so many voices a share of a slot: a slot that follows it, and that a note can give a value of its own.
    /// Returns the shares, in the order of the voices.
    pub fn add_shares(&mut self, slot: usize, voices: usize) -> Vec<ParamId> {
        if let Some(&first) = self.shares.get(&slot) {
            return (first..first + voices).map(ParamId::new).collect();
        }
        let first = self.all.len();
        self.shares.insert(slot, first);
        for voice in 0..voices {
            let (name, info) = &self.all[slot];
            let share = (format!("{name}#{}", voice + 1).into(), ParamInfo { cc: None, ..info.clone() });
            self.follows.insert(first + voice, slot);
            self.all.push(share);
        }
        (first..first + voices).map(ParamId::new).collect()
    }

    /// What a voice reads in the place of a slot: its share, where it has one.
    pub fn share(&self, slot: usize, voice: usize) -> usize {
        self.shares.get(&slot).map_or(slot, |first| first + voice)
    }

    /// The slot that a share follows; `None` for a slot by itself.
    pub fn follows(&self, slot: usize) -> Option<ParamId> {
        self.follows.get(&slot).copied().map(ParamId::new)
    }

    /// The slot of the length of a beat, made on first use.
    pub fn beat(&mut self) -> usize {
        let slot = self.beat.unwrap_or_else(|| self.musical("beat", 0.5));
        *self.beat.insert(slot)
    }

    /// The slot of the length of a bar, made on first use.
    pub fn bar(&mut self) -> usize {
        let slot = self.bar.unwrap_or_else(|| self.musical("bar", 2.0));
        *self.bar.insert(slot)
    }

    /// The slots of the lengths of a beat and a bar, where the song uses them.
    pub fn musical_slots(&self) -> (Option<ParamId>, Option<ParamId>) {
        (self.beat.map(ParamId::new), self.bar.map(ParamId::new))
    }

    fn musical(&mut self, name: &str, seconds: f64) -> usize {
        let info = ParamInfo {
            name: name.into(),
            doc: None,
            id: 0,
            default: seconds,
            min: 0.0,
            max: f64::INFINITY,
            dimension: crate::dimension::Dimension::TIME,
            units: crate::library::Units::default(),
            curve: Curve::Linear,
            smooth: 0.0,
            musical: None,
            words: vec![],
            cc: None,
            span: None,
        };
        self.all.push((name.into(), info));
        self.all.len() - 1
    }
}

/// The event ports: one a voice, and one more for each instrument of several voices whose events others hear.
#[derive(Default)]
pub struct Ports {
    first: FxHashMap<NodeId, (usize, usize)>,
    monitors: FxHashMap<NodeId, usize>,
    count: usize,
}

impl Ports {
    fn new(graph: &Graph) -> Ports {
        let mut ports = Ports::default();
        for (id, node) in graph.nodes.iter() {
            if let NodeKind::Instance(instance) = &node.kind {
                let voices = instance.voices as usize;
                ports.first.insert(id, (ports.count, voices));
                ports.count += voices;
            }
        }
        ports
    }

    /// The port of voice `v` of an instrument.
    pub fn voice(&self, node: NodeId, v: usize) -> usize {
        self.first[&node].0 + v
    }

    /// The port that hears every note of an instrument.
    pub fn monitor(&mut self, node: NodeId) -> usize {
        let (first, voices) = self.first[&node];
        if voices == 1 {
            return first;
        }
        *self.monitors.entry(node).or_insert_with(|| {
            self.count += 1;
            self.count - 1
        })
    }

    /// The port that hears every note of an instrument of several voices, where one is listened to.
    pub fn monitor_of(&self, node: NodeId) -> Option<usize> {
        self.monitors.get(&node).copied()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }
}

impl Ports {
    /// `port` if it is the first voice's of `node`, else no port at all.
    pub(super) fn voice_or(&self, node: NodeId, port: usize) -> usize {
        match self.first.get(&node) {
            Some(&(first, voices)) if voices > 1 && first == port => port,
            _ => usize::MAX,
        }
    }
}
