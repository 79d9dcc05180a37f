//! The plan: which kernel runs when, and where every byte of state and every buffer lives.
//!
//! All memory of a program is known here. Calls stand in the order of the graph, so everything is computed before it
//! is needed; each call has a block of state ([`Layout`]) and its own table of buffers.

mod rests;
mod text;

use crate::ir::layout::{Layout, put, state_bytes};
use crate::ir::{Body, Imm, Kernel, Module, Op, Value};
use crate::lower::{KernelCall, Lowered, SignalId};
use mam_grammar::Handle;
use mam_runtime::{DelaySpec, StateWord, Step, StepVoice};
use std::sync::Arc;

/// A planned song: everything of a [`Program`](mam_runtime::Program) but its code, its score and what can be set.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The calls of a quantum.
    pub steps: Vec<Step>,
    /// The initial image of the state memory.
    pub state: Vec<u8>,
    /// The delay lines.
    pub delays: Vec<DelaySpec>,
    /// How many buffers there are.
    pub buffers: usize,
    /// The buffers of the song's `in`, where it is used.
    pub inputs: Vec<usize>,
    /// The buffer of each output channel.
    pub outputs: Vec<usize>,
}

impl Plan {
    /// Plans `lowered` with the kernels of `module` (its own, optimised) for so many output channels. A mono song
    /// plays on every channel; a stereo song on the first two, and on one channel as its left and right in halves.
    pub fn new(lowered: &Lowered, module: &Module, channels: usize) -> Plan {
        let layouts: Vec<Layout> = module.kernels.values().map(Layout::of).collect();
        let mut planner = Planner { plan: Plan::default(), buffers: vec![None; lowered.signals] };
        for call in &lowered.calls {
            let index = call.kernel.index();
            planner.step(call, &module.kernels[call.kernel], &layouts[index]);
        }
        planner.finish(lowered, channels)
    }

    /// Bytes of state and delay lines.
    pub fn memory(&self) -> usize {
        self.state.len() + self.delays.iter().map(|d| d.frames * 4).sum::<usize>()
    }
}

struct Planner {
    plan: Plan,
    buffers: Vec<Option<usize>>,
}

impl Planner {
    fn buffer(&mut self, signal: SignalId) -> usize {
        *self.buffers[signal].get_or_insert_with(|| {
            self.plan.buffers += 1;
            self.plan.buffers - 1
        })
    }

    fn step(&mut self, call: &KernelCall, kernel: &Kernel, layout: &Layout) {
        let state = self.plan.state.len();
        self.plan.state.extend(image(call, layout));
        let words = kernel
            .states
            .handles()
            .zip(&call.states)
            .filter(|(_, (name, _))| !name.starts_with(crate::lower::DATA));
        let words: Vec<StateWord> = words
            .map(|(s, (name, _))| StateWord {
                name: name.as_str().into(),
                offset: layout.states[s.index()],
                bytes: state_bytes(&kernel.states[s]),
            })
            .collect();
        let mut delays = vec![];
        for (line, name) in kernel.delays.values().zip(&call.delays) {
            delays.push(self.plan.delays.len());
            let name: Arc<str> = if call.path.contains('#') {
                format!("{}:{name}", call.path).into()
            } else {
                name.as_str().into()
            };
            self.plan.delays.push(DelaySpec { name, frames: line.frames as usize });
        }
        let voices = kernel.voices.iter().map(|voice| StepVoice {
            port: voice.port as usize,
            until: layout.states[voice.until.index()],
            bytes: layout.voice(kernel, voice),
            delays: voice.delays.start as usize..voice.delays.end as usize,
        });
        let inputs: Vec<usize> = call.inputs.iter().map(|&s| self.buffer(s)).collect();
        let step = Step {
            name: call.path.clone(),
            kernel: call.kernel.index() as u32,
            state,
            state_bytes: layout.bytes,
            states: words.into(),
            delays,
            params: call.params.clone(),
            copies: copies(kernel).into_iter().map(|input| inputs[input]).collect(),
            inputs,
            outputs: call.outputs.iter().map(|&s| self.buffer(s)).collect(),
            ports: call.ports.clone(),
            voices: voices.collect(),
            rests: rests::rests(kernel),
            cost: kernel.steady.insts.len().div_ceil(kernel.steady.step as usize),
        };
        self.plan.steps.push(step);
    }

    fn finish(mut self, lowered: &Lowered, channels: usize) -> Plan {
        if crate::lower::INPUT.iter().any(|&s| self.buffers[s].is_some()) {
            self.plan.inputs = crate::lower::INPUT.iter().map(|&s| self.buffer(s)).collect();
        }
        let mut silence = None;
        let mut quiet = |plan: &mut Plan| {
            *silence.get_or_insert_with(|| {
                plan.buffers += 1;
                plan.buffers - 1
            })
        };
        for channel in 0..channels {
            let signal = match lowered.out[..] {
                [mono] => mono,
                _ => lowered.out.get(channel).copied().flatten(),
            };
            let buffer = match signal {
                Some(signal) => self.buffer(signal),
                None => quiet(&mut self.plan),
            };
            self.plan.outputs.push(buffer);
        }
        self.plan
    }
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
        Op::Input(index) => Some(index as usize),
        _ => None,
    };
    let nothing_else = body.sets.is_empty() && body.writes.is_empty();
    body.outs.iter().map(input).collect::<Option<Vec<_>>>().filter(|_| nothing_else)
}

/// The block's first image: the kernel's, with the call's own initial values and data.
fn image(call: &KernelCall, layout: &Layout) -> Vec<u8> {
    let mut image = layout.image.clone();
    for ((_, init), &at) in call.states.iter().zip(&layout.states) {
        let imm: Imm = *init;
        put(&mut image[at..], imm);
    }
    image
}

/// The kernel of a step.
pub fn kernel_of<'a>(module: &'a Module, step: &Step) -> &'a Kernel {
    &module.kernels[Handle::new(step.kernel as usize)]
}
