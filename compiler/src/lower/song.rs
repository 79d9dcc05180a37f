//! The whole song: every group in order.

use super::block::{self, BlockCall, Obstacle};
use super::group::Made;
use super::lowered::{DATA, KernelCall, Lowered, SignalId};
use super::playback::Rows;
use super::share::{Shapes, anonymous, share};
use super::size::{Refused, instructions};
use super::stages::{self, Ends, Source};
use super::sums::sum_kernel;
use super::template::Key;
use super::terms::{self, Cut, Piece};
use super::value::NodeVal;
use super::{Song, Templates};
use crate::files::Files;
use crate::graph::{Graph, Group, Instance, NodeId};
use crate::hir::types::Layouts;
use crate::ir::{Imm, Kernel, Sharing};
use crate::library::Library;
use crate::target::Target;
use mam_grammar::Handle;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use std::hash::BuildHasher;
use std::sync::Arc;

/// What is lowered, after it has been checked.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The song's file, those it uses and the prelude.
    pub files: &'a Files,
    /// What was read of definitions.
    pub library: &'a Library,
    /// The song among the files.
    pub song: usize,
    /// The song's nodes and their connections.
    pub graph: &'a Graph,
    /// Which of them become one kernel, in order.
    pub groups: &'a [Group],
    /// What `prev`s and `tap`s remember.
    pub layouts: &'a Layouts,
    /// Sample rate in frames a second.
    pub rate: f64,
    /// The seed of the song's noise.
    pub seed: u64,
    /// What kernels become: block nodes that do what kernels do round as these.
    pub target: Target,
}

/// Lowers a song. Instances that are like what `templates` holds, from this song or another, are copied. `made` is told
/// of each kernel that is the first of its shape as soon as there is one, with its parameters in its first call; nearly all
/// stay as they are.
///
/// # Errors
/// Where the song is larger than a limit, or a block node stands where none can.
pub fn lower<'a>(
    input: Input<'a>,
    templates: &'a mut Templates,
    mut lowered: Lowered,
    made: &'a mut dyn FnMut(&Kernel, &[usize]),
) -> Result<Lowered, Refused> {
    let Input { files, library, graph, .. } = input;
    templates.within(files.limits);
    let (slots, ports) = (std::mem::take(&mut lowered.slots), std::mem::take(&mut lowered.ports));
    let song = Song {
        files,
        library,
        graph,
        file: input.song,
        rate: input.rate,
        seed: input.seed,
        target: input.target,
        results: vec![None; graph.nodes.len()],
        heard: FxHashMap::default(),
        slots,
        ports,
        tables: vec![],
        rows: Rows::default(),
        waves: vec![],
        terms: 0,
        evaluations: 0,
        layouts: input.layouts,
        too_large: None,
        misplaced: None,
        templates,
        late: FxHashMap::default(),
        cyclic: vec![],
    };
    let mut line = Line {
        song,
        graph,
        known: FxHashMap::default(),
        alike: FxHashMap::default(),
        names: FxHashSet::default(),
        made,
        shapes: Shapes::default(),
        instructions: 0,
        states: 0,
        lowered,
    };
    input.groups.iter().try_for_each(|group| line.group(group))?;
    line.out();
    let Line { song, shapes, mut lowered, .. } = line;
    song.templates.responses.sweep();
    (lowered.slots, lowered.ports) = (song.slots, song.ports);
    lowered.heard = song.heard;
    lowered.results = super::hear::signals(song.results);
    lowered.module.tables = song.tables;
    (lowered.late, lowered.cyclic) = (song.late, song.cyclic);
    share(&mut lowered.module, &mut lowered.calls, shapes);
    Ok(lowered)
}

struct Line<'a> {
    song: Song<'a>,
    graph: &'a Graph,
    /// The kernels so far, by a hash of what decides whether two are one.
    known: FxHashMap<u64, Vec<Handle<Kernel>>>,
    /// The kernels of instances that are lowered alike.
    alike: FxHashMap<Key, Handle<Kernel>>,
    names: FxHashSet<String>,
    made: &'a mut dyn FnMut(&Kernel, &[usize]),
    shapes: Shapes,
    /// Machine instructions of the kernels so far, roughly.
    instructions: usize,
    /// States of all calls so far.
    states: usize,
    lowered: Lowered,
}

/// What the local indices of a kernel that is cut stand for, and of which voice that is.
struct Tables {
    params: Vec<usize>,
    inputs: Vec<SignalId>,
    ports: Vec<usize>,
    voice: usize,
}

impl Tables {
    fn from_made(made: &Made) -> Tables {
        let Made { params, inputs, ports, .. } = made;
        Tables { params: params.clone(), inputs: inputs.clone(), ports: ports.clone(), voice: 0 }
    }
}

impl Line<'_> {
    fn group(&mut self, group: &Group) -> Result<(), Refused> {
        let members: FxHashSet<NodeId> = group.members.iter().copied().collect();
        let wanted = self.graph.wanted(group);
        let name = self.graph.nodes[wanted[0]].path.clone();
        let node = group.members[0];
        let key = self.song.template_key(group);
        let known = key.as_ref().and_then(|key| self.alike.get(key)).copied();
        let signals = self.lowered.signals;
        let made = match &key {
            Some(key) => self.song.instance_of(key.clone(), node, signals, known.is_some()),
            None => self.song.group(&name, &members, &wanted, signals),
        };
        self.song.too_many_instructions(self.instructions, self.graph.nodes[node].span);
        // What is not heard leaves its numbers to others.
        let late = made.late.iter().enumerate();
        self.song.late.extend(late.map(|(output, late)| (signals + output, *late)));
        self.song.too_late(&made.late, self.graph.nodes[node].span);
        let voices = match self.graph.instance(node) {
            Some(instance) if members.len() == 1 => instance.voices as usize,
            _ => 1,
        };
        self.states += voices * made.kernel.states.len();
        self.song.too_many_states(self.states, self.graph.nodes[node].span);
        if let Some(too_large) = self.song.too_large {
            return Err(Refused::TooLarge(too_large));
        }
        if let Some(misplaced) = self.song.misplaced {
            return Err(Refused::Misplaced(misplaced));
        }
        for (node, result) in &made.results {
            self.song.results[node.index()] = Some(result.clone());
        }
        self.song.heard.extend(made.heard.iter().cloned());
        if !made.kernel.outputs.is_empty() && group.live {
            let path = |&member: &NodeId| self.graph.nodes[member].path.clone();
            let fused =
                if group.members.len() > 1 { group.members.iter().map(path).collect() } else { [].into() };
            if !made.blocks.is_empty() {
                return self.staged_voices(&name, (node, voices), &made, &fused);
            }
            let kernel = self.calls(&name, node, voices, made, known, fused);
            key.zip(kernel).map(|(key, kernel)| self.alike.insert(key, kernel));
        }
        Ok(())
    }

    /// The calls of what was made; where its kernel is `known`, `made` needs no bodies. The result is the kernel, where
    /// it is one.
    fn calls(
        &mut self,
        path: &Arc<str>,
        node: NodeId,
        voices: usize,
        mut made: Made,
        known: Option<Handle<Kernel>>,
        fused: Arc<[Arc<str>]>,
    ) -> Option<Handle<Kernel>> {
        let mut params = self.of_voices(node, voices, &made.params, fused.is_empty());
        if let [only] = &params[..] {
            made.params.clone_from(only);
        }
        if voices == 1
            && known.is_none()
            && made.heard.is_empty()
            && let Some(cut) = terms::cut(&made.kernel)
        {
            self.pieces(path, cut, &made, &fused);
            return None;
        }
        let outputs = made.kernel.outputs.len();
        let (states, delays) = (named_states(&made.kernel), named_lines(&made.kernel));
        let kernel = known.unwrap_or_else(|| self.intern(made.kernel, &made.params));
        let result = self.lowered.signals;
        // The voices' own signals come after the signals that everybody knows the node by.
        let mut each: Vec<Vec<SignalId>> = vec![];
        let mut next = if voices > 1 { result + outputs } else { result };
        for (v, own) in params.iter_mut().enumerate() {
            let signals: Vec<SignalId> = (next..next + outputs).collect();
            next += outputs;
            each.push(signals.clone());
            let ports =
                made.ports.iter().map(|&p| if p == self.song.ports.voice_or(node, p) { p + v } else { p });
            self.lowered.calls.push(KernelCall {
                path: if v == 0 { path.clone() } else { format!("{path}#{}", v + 1).into() },
                fused: fused.clone(),
                kernel,
                states: states.iter().map(|(n, init)| (n.clone(), voiced(n, *init, v))).collect(),
                delays: delays.clone(),
                params: std::mem::take(own),
                inputs: made.inputs.clone(),
                outputs: signals,
                ports: ports.collect(),
                adds: false,
            });
        }
        self.lowered.signals = next;
        if voices > 1 {
            for channel in 0..outputs {
                let parts = each.iter().map(|signals| signals[channel]).collect();
                self.sum(path, parts, result + channel);
            }
        }
        Some(kernel)
    }

    /// The parameters of each voice's call: of a node by itself, the voice's shares of its own, where it has them.
    fn of_voices(&self, node: NodeId, voices: usize, params: &[usize], by_itself: bool) -> Vec<Vec<usize>> {
        let count = self.graph.instance(node).filter(|_| by_itself).map_or(0, Instance::slots);
        let slots = &self.song.slots;
        let first = if count > 0 { slots.slot_of(node, 0) } else { 0 };
        let own = first..first + count;
        let share = |slot: usize, v: usize| if own.contains(&slot) { slots.share(slot, v) } else { slot };
        (0..voices).map(|v| params.iter().map(|&slot| share(slot, v)).collect()).collect()
    }

    /// A node with blocks, of which each voice has its own.
    fn staged_voices(
        &mut self,
        path: &Arc<str>,
        (node, voices): (NodeId, usize),
        made: &Made,
        fused: &Arc<[Arc<str>]>,
    ) -> Result<(), Refused> {
        let flows = made.blocks.last().map_or(0, |last| last.ends.flows.end);
        let (result, own) = (self.lowered.signals, made.kernel.outputs.len() - flows);
        // The voices' own signals come after the signals that everybody knows the node by.
        self.lowered.signals += if voices > 1 { own } else { 0 };
        let mut each: Vec<SignalId> = vec![];
        for (v, params) in
            self.of_voices(node, voices, &made.params, fused.is_empty()).into_iter().enumerate()
        {
            each.push(self.lowered.signals);
            let port = |&p: &usize| if p == self.song.ports.voice_or(node, p) { p + v } else { p };
            let ports = made.ports.iter().map(port).collect();
            let tables = Tables { params, ports, inputs: made.inputs.clone(), voice: v };
            self.staged(path, made, tables, fused)?;
        }
        if voices > 1 {
            for channel in 0..own {
                let parts = each.iter().map(|first| first + channel).collect();
                self.sum(path, parts, result + channel);
            }
        }
        Ok(())
    }

    /// The calls of the stages of a node or voice with blocks, and these between them. The last stage is the node.
    fn staged(
        &mut self,
        path: &Arc<str>,
        made: &Made,
        mut tables: Tables,
        fused: &Arc<[Arc<str>]>,
    ) -> Result<(), Refused> {
        let ends: Vec<Ends> = made.blocks.iter().map(|call| call.ends.clone()).collect();
        let (flows, count) = ends.last().map_or((0, 0), |last| (last.flows.end, last.results.end));
        let (first, own) = (self.lowered.signals, made.kernel.outputs.len() - flows);
        let of_voice = |path: &str| match tables.voice {
            0 => path.to_owned(),
            v => format!("{path}#{}", v + 1),
        };
        let place = |index: usize| made.inputs.iter().position(|&signal| signal == block::result(index));
        let results: Vec<Option<usize>> = (0..count).map(place).collect();
        let cut = stages::stages(&made.kernel, own, &ends, &results)
            .map_err(|index| Refused::Misplaced(made.blocks[index].misplaced(Obstacle::Feedback)))?;
        // What flows into the blocks is numbered already; their results come behind.
        self.lowered.signals = first + own + flows + count;
        let flows_in = |flow: usize| first + own + flow;
        let heard = |flows: &[usize]| flows.iter().map(|&flow| flows_in(flow)).collect::<Vec<SignalId>>();
        let result = |index: usize| first + own + flows + index;
        for signal in &mut tables.inputs {
            *signal = block::index_of(*signal).map_or(*signal, result);
        }
        for (depth, stage) in cut.before.into_iter().enumerate() {
            if let Some(mut piece) = stage.piece {
                // The last stage may have a line of this name too, and then lends it.
                let last = &cut.last.kernel.delays;
                for line in piece.kernel.delays.handles() {
                    let line = &mut piece.kernel.delays[line];
                    let is_last = || last.values().any(|other| other.name == line.name);
                    if line.sharing == Sharing::Own || line.sharing == Sharing::Lent && is_last() {
                        line.name += &format!(".stage{depth}");
                        line.sharing = Sharing::Own;
                    }
                }
                let path: Arc<str> = of_voice(&format!("{path}.stage{depth}")).into();
                self.piece((path, fused), piece, &tables, heard(&stage.heard), heard(&stage.computed));
            }
            for &index in &stage.blocks {
                let inputs =
                    ends[index].flows.clone().map(|flow| match stages::source(&made.kernel, own, flow) {
                        Source::Input(input) => tables.inputs[input],
                        Source::Piece => flows_in(flow),
                    });
                let outputs = ends[index].results.clone().map(result);
                let (path, inputs) = (of_voice(&made.blocks[index].path), inputs.collect());
                self.block(&made.blocks[index], (&path, fused), inputs, outputs.collect());
            }
        }
        let outputs = (first..first + own).collect();
        self.piece((of_voice(path).into(), fused), cut.last, &tables, heard(&cut.heard), outputs);
        Ok(())
    }

    fn block(
        &mut self,
        call: &BlockCall,
        (path, fused): (&str, &Arc<[Arc<str>]>),
        inputs: Vec<SignalId>,
        outputs: Vec<SignalId>,
    ) {
        let kernel = self.intern(block::kernel(&call.block), &[]);
        let lines = call.block.lines();
        self.lowered.calls.push(KernelCall {
            path: path.into(),
            fused: fused.clone(),
            kernel,
            states: vec![],
            delays: (0..lines.len()).map(|line| format!("{}.line{line}", call.path).into()).collect(),
            params: vec![],
            inputs,
            outputs,
            ports: vec![],
            adds: false,
        });
    }

    /// A node whose sums are cut: a call for each piece, the sums of their outputs, and the rest, which is the node.
    fn pieces(&mut self, path: &Arc<str>, cut: Cut, made: &Made, fused: &Arc<[Arc<str>]>) {
        let first = self.lowered.signals + cut.rest.kernel.outputs.len();
        let outputs = (self.lowered.signals..first).collect();
        let tables = Tables::from_made(made);
        let (count, width) = (cut.terms.len(), cut.sums);
        let sums: Vec<SignalId> = (0..width).map(|k| first + count * width + k).collect();
        self.lowered.signals = first + (count + 1) * width;
        for (i, term) in cut.terms.into_iter().enumerate() {
            let signals = (0..width).map(|k| first + i * width + k).collect();
            self.piece((format!("{path}.sum#{}", i + 1).into(), fused), term, &tables, vec![], signals);
        }
        for (k, &sum) in sums.iter().enumerate() {
            self.sum(path, (0..count).map(|i| first + i * width + k).collect(), sum);
        }
        self.piece((path.clone(), fused), cut.rest, &tables, sums, outputs);
    }

    fn piece(
        &mut self,
        (path, fused): (Arc<str>, &Arc<[Arc<str>]>),
        piece: Piece,
        tables: &Tables,
        more: Vec<SignalId>,
        outputs: Vec<SignalId>,
    ) {
        let of = |table: &[usize], places: &[usize]| places.iter().map(|&i| table[i]).collect::<Vec<_>>();
        let (states, delays) = (named_states(&piece.kernel), named_lines(&piece.kernel));
        let own = |(name, init): (Arc<str>, Imm)| (name.clone(), voiced(&name, init, tables.voice));
        let states = states.into_iter().map(own).collect();
        let inputs = [of(&tables.inputs, &piece.inputs), more].concat();
        let (params, ports) = (of(&tables.params, &piece.params), of(&tables.ports, &piece.ports));
        let kernel = self.intern(piece.kernel, &params);
        let (fused, adds) = (fused.clone(), false);
        self.lowered.calls.push(KernelCall {
            path,
            fused,
            kernel,
            states,
            delays,
            params,
            inputs,
            outputs,
            ports,
            adds,
        });
    }

    /// Adds up the voices: in groups of four, (0+1)+(2+3), then the groups in order.
    fn sum(&mut self, path: &Arc<str>, mut parts: Vec<SignalId>, into: SignalId) {
        const MOST: usize = 64;
        while parts.len() > MOST {
            let mut sums = vec![];
            for some in parts.chunks(MOST) {
                let signal = self.lowered.signals;
                self.lowered.signals += 1;
                self.sum_call(path, some.to_vec(), signal);
                sums.push(signal);
            }
            parts = sums;
        }
        self.sum_call(path, parts, into);
    }

    fn sum_call(&mut self, path: &Arc<str>, parts: Vec<SignalId>, into: SignalId) {
        let kernel = self.intern(sum_kernel(0, parts.len()), &[]);
        self.lowered.calls.push(KernelCall {
            path: format!("{path}.sum").into(),
            fused: [].into(),
            kernel,
            states: vec![],
            delays: vec![],
            params: vec![],
            inputs: parts,
            outputs: vec![into],
            ports: vec![],
            adds: true,
        });
    }

    /// Kernels that differ in names and data alone are one.
    fn intern(&mut self, kernel: Kernel, params: &[usize]) -> Handle<Kernel> {
        // What was computed to know a constant is left over, and differs between kernels that are the same.
        let mut kernel = crate::opt::sweep(&kernel);
        let key = anonymous(&kernel);
        let hash = FxBuildHasher.hash_one(&key);
        let kernels = &self.lowered.module.kernels;
        let mut alike = self.known.get(&hash).into_iter().flatten();
        if let Some(&known) = alike.find(|known| anonymous(&kernels[**known]) == key) {
            return known;
        }
        kernel.name = self.unique(&kernel.name);
        // Those that are alike will be one in the end.
        if self.shapes.add(&kernel) {
            self.instructions += instructions(&kernel.steady) + instructions(&kernel.general);
            (self.made)(&kernel, params);
        }
        let handle = self.lowered.module.kernels.add(kernel);
        self.known.entry(hash).or_default().push(handle);
        handle
    }

    fn unique(&mut self, name: &str) -> String {
        if !self.names.insert(name.to_string()) {
            format!("{name}.{}", self.lowered.module.kernels.len())
        } else {
            name.into()
        }
    }

    /// The result; silence where there is none.
    fn out(&mut self) {
        let Some(out) = self.graph.out else { return };
        let result = self.song.results[out.index()].clone();
        self.lowered.out = match result {
            Some(NodeVal::Shape(shape)) => shape.channels().into_iter().map(Some).collect(),
            _ => vec![None],
        };
    }
}

/// Names and initial values of a kernel's states.
fn named_states(kernel: &Kernel) -> Vec<(Arc<str>, Imm)> {
    kernel.states.values().map(|state| (state.name.as_str().into(), state.init)).collect()
}

/// Names of a kernel's delay lines.
fn named_lines(kernel: &Kernel) -> Vec<Arc<str>> {
    kernel.delays.values().map(|line| line.name.as_str().into()).collect()
}

/// The data of voice `v`: each voice has noise of its own.
fn voiced(name: &str, init: Imm, v: usize) -> Imm {
    match init {
        Imm::I32(seed) if v > 0 && name.starts_with(DATA) => {
            Imm::I32(seed ^ (v as u32).wrapping_mul(0x9e37_79b9) as i32)
        }
        other => other,
    }
}
