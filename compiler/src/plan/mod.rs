//! The plan: which kernel runs when, and where every byte of state and every buffer lives.
//!
//! All memory of a program is known here. Calls stand in the order of the graph, so everything is computed before it
//! is needed; each call has a block of state ([`Layout`]) and its own table of signals. A signal's buffer is reused as soon
//! as no later step reads it ([`mam_runtime::buffers`]).

mod content;
mod sleeps;
mod text;

use crate::ir::layout::{Layout, put};
use crate::ir::{Body, DelayLine, Imm, Kernel, Module, Op, Rate, Scalar, Sharing, Value, Voice};
use crate::lower::{DATA, INPUT, Lowered, is_noise};
use crate::opt::instances::{Packed, PackedCall, Part};
use crate::opt::intervals::{Finite, Intervals};
use mam_grammar::Handle;
use mam_runtime::block::Block;
use mam_runtime::buffers;
use mam_runtime::ids::{BufferId, DelayId, IdMap, ParamId, PortId, SignalId};
use mam_runtime::{DelaySpec, QUANTUM, StateWord, Step, StepPart, StepVoice};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// A planned song: everything of a [`Program`](mam_runtime::Program) but its code, its score and what can be set.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The calls of a quantum.
    pub steps: Vec<Step>,
    /// The initial image of the state memory.
    pub state: Arc<Vec<u8>>,
    /// The delay lines, with their lengths in frames.
    pub delays: IdMap<DelayId, DelaySpec>,
    /// The buffer of each signal.
    pub buffers: IdMap<SignalId, BufferId>,
    /// The signals of the song's `in`, where it is used.
    pub inputs: Vec<SignalId>,
    /// The signal of each output channel, and of what is tapped.
    pub outputs: Vec<SignalId>,
    /// What was decided about lanes, and why.
    pub reasons: Vec<String>,
    /// The words of [`Plan::state`] that hold seeds of noise.
    pub noises: Vec<NoiseWord>,
}

/// A word of the initial image that follows from the song's seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoiseWord {
    /// Its first byte in [`Plan::state`].
    pub at: usize,
    /// The name of the state, from which its seed is made.
    pub name: Arc<str>,
    /// What it holds for the seed that the song was compiled with.
    pub init: i32,
}

impl Plan {
    /// Plans the calls of `packed` for so many output channels. A mono song plays on every channel; a stereo song on
    /// the first two, and on one channel as its left and right in halves.
    pub fn new(lowered: &Lowered, packed: &Packed, channels: usize) -> Plan {
        let layouts: Vec<Layout> = packed.module.kernels.values().map(Layout::new).collect();
        let plan = Plan { reasons: packed.reasons.clone(), ..Plan::default() };
        let contents = content::contents(&packed.module);
        let finite = packed.module.kernels.values().map(Intervals::finite).collect();
        let costs = packed.module.kernels.values().map(cost).collect();
        let state_bytes = |call: &PackedCall| {
            state_bytes(&packed.module.kernels[call.kernel], &layouts[call.kernel.index()])
        };
        // Zeroed pages take memory when they are written: most of the state of a block is 0.
        let state = vec![0; packed.calls.iter().map(state_bytes).sum()];
        let (signals, lent) = (vec![None; packed.signals], FxHashMap::default());
        let mut planner =
            Planner { plan, state, planned: 0, signals, contents, finite, costs, lent, count: 0 };
        for call in &packed.calls {
            planner.step(call, &packed.module.kernels[call.kernel], &layouts[call.kernel.index()]);
        }
        planner.finish(lowered, channels)
    }

    /// Operations a frame, roughly, when all of it sounds.
    pub fn work(&self) -> usize {
        self.steps.iter().map(|step| step.cost).sum()
    }

    /// Operations a frame of each equation of the song while every instrument plays one note: what the song takes at
    /// least when it is heard.
    pub fn least_work(&self) -> BTreeMap<&str, usize> {
        let mut voices: BTreeMap<&str, usize> = BTreeMap::new();
        let mut all: BTreeMap<&str, usize> = BTreeMap::new();
        for step in &self.steps {
            let path = step.parts.first().map_or("", |part| &*part.name);
            match path.split_once('#') {
                Some((instrument, _)) => {
                    let dearest = voices.entry(instrument).or_default();
                    *dearest = step.cost.max(*dearest);
                }
                None => *all.entry(equation_of(path)).or_default() += step.cost,
            }
        }
        voices.into_iter().for_each(|(path, cost)| *all.entry(equation_of(path)).or_default() += cost);
        all
    }

    /// Bytes of state and delay lines.
    pub fn memory(&self) -> usize {
        self.state.len() + self.delays.values().map(|d| d.frames * 4).sum::<usize>()
    }
}

struct Planner {
    plan: Plan,
    /// The initial image of the state memory, of which so many bytes have been planned.
    state: Vec<u8>,
    planned: usize,
    /// The plan's id of each signal of the lowered song that it needs.
    signals: Vec<Option<SignalId>>,
    /// A hash of each kernel.
    contents: Vec<u64>,
    /// What of each kernel needs no examination.
    finite: Vec<Finite>,
    /// Instructions a frame of each kernel.
    costs: Vec<usize>,
    /// The lines so far that later calls borrow, by their names in the song.
    lent: FxHashMap<Arc<str>, DelayId>,
    count: usize,
}

impl Planner {
    fn signal(&mut self, signal: crate::lower::SignalId) -> SignalId {
        *self.signals[signal].get_or_insert_with(|| next(&mut self.count))
    }

    fn step(&mut self, call: &PackedCall, kernel: &Kernel, layout: &Layout) {
        let (state, state_bytes) = (self.planned, state_bytes(kernel, layout));
        self.planned += state_bytes;
        let words = layout.words(kernel);
        let image = image(call, layout, &words);
        self.state[state..][..state_bytes].iter_mut().zip(image).for_each(|(byte, first)| *byte = first);
        let block = kernel.block.as_ref();
        self.plan.noises.extend(noises(call, state, &words));
        let names = call.parts.iter().flat_map(|part| part.delays.iter().map(move |name| (part, name)));
        let lines = names.zip(kernel.delays.iter());
        let delays: Vec<DelayId> = lines.map(|(of, (line, _))| self.line(kernel, line, of)).collect();
        let borrowed = kernel.delays.values().enumerate();
        let borrowed = borrowed.filter(|(_, line)| line.sharing == Sharing::Borrowed).map(|(index, _)| index);
        let voices = kernel.voices.iter().map(|voice| StepVoice {
            port: voice.port.index(),
            until: words[voice_word(kernel, voice)].start,
            bytes: layout.voice(kernel, voice),
            delays: voice.delays.start as usize..voice.delays.end as usize,
        });
        let lanes = call.parts.len();
        let parts = call.parts.iter().enumerate().map(|(lane, part)| {
            let words = words.iter().skip(lane).step_by(lanes);
            let named = part.states.iter().zip(words).filter(|((name, _), _)| !name.starts_with(DATA));
            let states = named.map(|((name, _), word)| StateWord {
                name: name.clone(),
                offset: word.start,
                bytes: word.len(),
            });
            StepPart {
                name: part.path.clone(),
                states: block.map_or_else(|| states.collect(), |block| block_words(block)),
                ports: part.ports.clone(),
                voices: part.voices.clone(),
                outputs: part.outputs.clone(),
            }
        });
        let inputs: Vec<SignalId> = call.inputs.iter().map(|&s| self.signal(s)).collect();
        let finite = &self.finite[call.kernel.index()];
        let may_fail = |state: usize| !finite.states[state];
        let [singles, doubles] =
            [Scalar::F32, Scalar::F64].map(|scalar| layout.floats(kernel, scalar, may_fail));
        let bounded = block.is_none() && finite.outputs;
        let step = Step {
            name: label(&call.parts),
            parts: parts.collect(),
            kernel: call.kernel.index() as u32,
            state,
            state_bytes,
            block: kernel.block.clone(),
            delays,
            borrowed: borrowed.collect(),
            params: call.params.iter().map(|&param| ParamId::new(param)).collect(),
            per_call: per_call(kernel),
            copies: copies(kernel).into_iter().map(|input| inputs[input]).collect(),
            inputs,
            outputs: call.outputs.iter().map(|&s| self.signal(s)).collect(),
            ports: call.ports.iter().map(|&port| PortId::new(port)).collect(),
            voices: voices.collect(),
            can_sleep: sleeps::can_sleep(kernel),
            computes: computes(&call.parts),
            singles,
            doubles,
            bounded,
            content: self.contents[call.kernel.index()],
            cost: self.costs[call.kernel.index()],
        };
        self.plan.steps.push(step);
    }

    /// The delay line that a kernel's is in a call of it.
    fn line(
        &mut self,
        kernel: &Kernel,
        line: Handle<DelayLine>,
        (part, name): (&Part, &Arc<str>),
    ) -> DelayId {
        let DelayLine { frames, sharing, .. } = kernel.delays[line];
        if sharing == Sharing::Borrowed {
            return *self.lent.get(name).expect("who lends a line comes before those that borrow it");
        }
        let frames = frames as usize;
        let reach = if sharing == Sharing::Lent { frames } else { reach(kernel, line) };
        let id = self.plan.delays.push(DelaySpec { name: line_name(part, name), frames, reach });
        if sharing == Sharing::Lent {
            self.lent.insert(name.clone(), id);
        }
        id
    }

    fn finish(mut self, lowered: &Lowered, channels: usize) -> Plan {
        if INPUT.iter().any(|&s| self.signals[s].is_some()) {
            self.plan.inputs = INPUT.iter().map(|&s| self.signal(s)).collect();
        }
        let mut silence = None;
        for channel in 0..channels {
            let signal = match lowered.out[..] {
                [mono] => mono,
                _ => lowered.out.get(channel).copied().flatten(),
            };
            let signal = match signal {
                Some(signal) => self.signal(signal),
                // A signal that no step writes is silent.
                None => *silence.get_or_insert_with(|| next(&mut self.count)),
            };
            self.plan.outputs.push(signal);
        }
        for &signal in &lowered.also {
            let signal = self.signal(signal);
            self.plan.outputs.push(signal);
        }
        self.plan.state = self.state.into();
        let Plan { steps, inputs, outputs, .. } = &self.plan;
        self.plan.buffers = buffers::share(steps, inputs, outputs, self.count);
        self.plan
    }
}

/// The equation that a path stands in: `room` of `room.echo`.
fn equation_of(path: &str) -> &str {
    path.split('.').next().unwrap_or_default()
}

/// Bytes of the state of a call.
fn state_bytes(kernel: &Kernel, layout: &Layout) -> usize {
    kernel.block.as_ref().map_or(layout.bytes, |block| block.state_bytes())
}

/// Numbers a new signal.
fn next(count: &mut usize) -> SignalId {
    *count += 1;
    SignalId::new(*count - 1)
}

/// The words of a block's state, from the start of the step's.
fn block_words(block: &Block) -> Arc<[StateWord]> {
    let mut offset = 0;
    let word = |(name, words): (String, usize)| {
        let word = StateWord { name: name.into(), offset, bytes: 4 * words };
        offset += word.bytes;
        word
    };
    block.words().into_iter().map(word).collect()
}

/// Instructions a frame, with the share of what is computed once a call; what events change is not counted.
fn cost(kernel: &Kernel) -> usize {
    let once = if kernel.block.is_some() { 0 } else { kernel.steady.count(Rate::Call) };
    kernel.operations() + once.div_ceil(QUANTUM)
}

/// Which parameters the general form reads once a call.
fn per_call(kernel: &Kernel) -> Vec<bool> {
    let mut per_call = vec![false; kernel.params.len()];
    for inst in kernel.general.insts.values() {
        match inst.op {
            Op::Param(index) if inst.ty.scalar == Scalar::F64 => per_call[index.index()] = true,
            _ => {}
        }
    }
    per_call
}

/// The input that each output is a copy of, where the kernel does nothing else; empty where it does.
fn copies(kernel: &Kernel) -> Vec<usize> {
    let bodies = [Some(&kernel.general), Some(&kernel.steady), kernel.tail.as_ref()];
    let all = bodies.map(|body| body.map(copied));
    match &all[0] {
        Some(Some(inputs)) if all.iter().flatten().all(|body| body.as_ref() == Some(inputs)) => {
            inputs.clone()
        }
        _ => vec![],
    }
}

/// The same of one body.
fn copied(body: &Body) -> Option<Vec<usize>> {
    let input = |value: &Value| match body.insts[*value].op {
        Op::Input(index) => Some(index.index()),
        _ => None,
    };
    let nothing_else = body.sets.is_empty() && body.writes.is_empty();
    body.outs.iter().map(input).collect::<Option<Vec<_>>>().filter(|_| nothing_else)
}

/// The block's first image: the kernel's, with the parts' own initial values and data.
fn image(call: &PackedCall, layout: &Layout, words: &[Range<usize>]) -> Vec<u8> {
    let mut image = layout.image.clone();
    for (lane, part) in call.parts.iter().enumerate() {
        for ((_, init), word) in part.states.iter().zip(words.iter().skip(lane).step_by(call.parts.len())) {
            put(&mut image[word.start..], *init);
        }
    }
    image
}

/// The seeds of noise in the block at `state`.
fn noises(call: &PackedCall, state: usize, words: &[Range<usize>]) -> Vec<NoiseWord> {
    let lanes = call.parts.len();
    let parts = call.parts.iter().enumerate();
    let all = parts.flat_map(|(lane, part)| part.states.iter().zip(words.iter().skip(lane).step_by(lanes)));
    let noise = |((name, init), word): (&(Arc<str>, Imm), &Range<usize>)| match *init {
        Imm::I32(init) if is_noise(name) => {
            Some(NoiseWord { at: state + word.start, name: name.clone(), init })
        }
        _ => None,
    };
    all.filter_map(noise).collect()
}

/// Which of a kernel's words says that a voice may fall silent.
fn voice_word(kernel: &Kernel, voice: &Voice) -> usize {
    let before = kernel.states.values().take(voice.until.index());
    before.map(|state| state.lanes as usize).sum::<usize>() + voice.lane()
}

/// How many frames back a delay line is read at most, as far as that is constant; else its capacity.
fn reach(kernel: &Kernel, line: Handle<DelayLine>) -> usize {
    let bodies = [Some(&kernel.general), Some(&kernel.steady), kernel.tail.as_ref()];
    let ago = |body: &Body| {
        let reads = body.insts.values().filter(|inst| inst.op == Op::Read(line));
        reads
            .map(|read| match body.insts[read.args.as_slice()[0]].op {
                Op::Const(Imm::I32(ago)) => usize::try_from(ago).unwrap_or(usize::MAX),
                _ => usize::MAX,
            })
            .max()
    };
    let most = if kernel.block.is_some() { None } else { bodies.into_iter().flatten().filter_map(ago).max() };
    most.unwrap_or(usize::MAX).min(kernel.delays[line].frames as usize)
}

/// The name of a part's delay line in the song.
fn line_name(part: &Part, name: &Arc<str>) -> Arc<str> {
    match part.path.contains('#') {
        true => format!("{}:{name}", part.path).into(),
        false => name.clone(),
    }
}

/// The equations and voices of a step, each once, as they are called in the song: an equation that stands in the middle
/// of another one (`a.in`) goes by that one's name.
fn computes(parts: &[Part]) -> Arc<[Arc<str>]> {
    let mut names: Vec<Arc<str>> = vec![];
    for part in parts {
        let whole = [part.path.clone()];
        for path in if part.fused.is_empty() { &whole[..] } else { &part.fused } {
            let name: Arc<str> = path.split('.').next().unwrap_or(path).into();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.into()
}

/// The names of a step's parts, for people.
fn label(parts: &[Part]) -> Arc<str> {
    match parts {
        [part] => part.path.clone(),
        [first, .., last] => format!("{}…{}", first.path, last.path).into(),
        [] => "".into(),
    }
}

/// The kernel of a step.
pub fn kernel_of<'a>(module: &'a Module, step: &Step) -> &'a Kernel {
    &module.kernels[Handle::new(step.kernel as usize)]
}
