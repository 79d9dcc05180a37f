//! A program with its memory, in the middle of being played.

use super::clock::Profile;
use super::memory::Block;
use super::notes::{NoteKind, Notes};
use super::params::{Params, Set};
use super::queue::EventQueue;
use super::step::{Runner, Scene};
use super::tap::Tap;
use crate::program::{EventKind, Program, QUANTUM};
use std::sync::Arc;

/// A program and everything that changes while it runs. Makes one quantum after the other.
pub(crate) struct Instance {
    pub(crate) program: Arc<Program>,
    /// What will happen.
    pub(crate) queue: EventQueue,
    pub(crate) params: Params,
    pub(crate) runners: Vec<Runner>,
    pub(crate) state: Block<u8>,
    pub(crate) lines: Vec<Block<f32>>,
    notes: Notes,
    buffers: Block<f32>,
    /// Of each part, step by step.
    mutes: Vec<Mute>,
    pub(crate) taps: Vec<Tap>,
    /// Keeps time, where somebody wants to know it.
    pub(crate) profile: Option<Profile>,
}

/// How loud a part of a step is, and how loud it shall be.
#[derive(Clone, Copy, Debug)]
struct Mute {
    gain: f32,
    target: f32,
}

impl Instance {
    /// Allocates everything. Panics when the program's tables do not fit each other ([`Program::check`]).
    pub(crate) fn new(program: Arc<Program>, events: usize) -> Instance {
        if let Err(fault) = program.check() {
            panic!("the program is not whole: {fault}");
        }
        let buffers = Block::zeros(program.buffers * QUANTUM);
        let lines: Vec<_> = program.delays.iter().map(|line| Block::zeros(line.frames)).collect();
        let mut state = Block::zeros(program.state.len());
        state.as_mut_slice().copy_from_slice(&program.state);
        let runners = runners(&program, &buffers, &lines);
        Instance {
            queue: EventQueue::with_capacity(events),
            params: Params::new(&program.params),
            notes: Notes::new(program.ports),
            mutes: vec![Mute { gain: 1.0, target: 1.0 }; program.steps.iter().map(|s| s.parts.len()).sum()],
            profile: None,
            taps: vec![],
            program,
            runners,
            state,
            lines,
            buffers,
        }
    }

    /// Renders the quantum that begins at a frame, with what the queue holds for it. What is late happens at once.
    pub(crate) fn quantum(&mut self, frame: u64) {
        self.take_events(frame);
        if let Some(profile) = &mut self.profile {
            profile.begin();
        }
        let eventful = !self.params.touched().is_empty() || !self.notes.is_empty();
        let mut scene = Scene {
            code: &*self.program.code,
            frame,
            params: &mut self.params,
            notes: &self.notes,
            image: &self.program.state,
            state: self.state.as_ptr(),
            eventful,
        };
        let mut mutes = self.mutes.iter_mut();
        for (index, runner) in self.runners.iter_mut().enumerate() {
            runner.run(&mut scene);
            (0..runner.parts()).zip(&mut mutes).for_each(|(part, mute)| mute.apply(runner, part));
            self.taps.iter_mut().for_each(|tap| tap.hear(index, runner));
            if let Some(profile) = &mut self.profile {
                profile.step(index);
            }
        }
        if let Some(profile) = &mut self.profile {
            profile.end();
        }
    }

    fn take_events(&mut self, frame: u64) {
        self.params.begin();
        self.notes.begin();
        while !self.notes.is_full() {
            let Some(event) = self.queue.pop_before(frame + QUANTUM as u64) else { break };
            self.apply(event.kind, event.frame.saturating_sub(frame) as usize);
        }
        self.params.end();
    }

    fn apply(&mut self, kind: EventKind, offset: usize) {
        match kind {
            EventKind::Set { param, value, ramp, curve } => {
                self.params.set(param, offset, Set { value, ramp, curve });
            }
            EventKind::Off { port } => self.notes.push(port, offset, NoteKind::Off),
            EventKind::On { port, note, vel } => self.notes.push(port, offset, NoteKind::On { note, vel }),
        }
    }

    /// The buffer of the song's input, for the next quantum; none when the song does not use that channel.
    pub(crate) fn input(&mut self, channel: usize) -> Option<&mut [f32]> {
        let &buffer = self.program.inputs.get(channel)?;
        Some(&mut self.buffers.as_mut_slice()[buffer * QUANTUM..][..QUANTUM])
    }

    /// A channel of the quantum's result. The last channel stands for all that are beyond.
    pub(crate) fn output(&self, channel: usize) -> &[f32] {
        match self.program.outputs.get(channel).or(self.program.outputs.last()) {
            Some(buffer) => &self.buffers.as_slice()[buffer * QUANTUM..][..QUANTUM],
            None => &[0.0; QUANTUM],
        }
    }

    /// How many voices are awake.
    pub(crate) fn awake(&self) -> usize {
        self.runners.iter().map(Runner::awake).sum()
    }

    /// Fades a part (all parts are counted, step by step) to a gain over the next quantum.
    pub(crate) fn mute(&mut self, part: usize, gain: f32) {
        if let Some(mute) = self.mutes.get_mut(part) {
            mute.target = gain;
        }
    }

    /// Sets a part's gain, before it has been heard.
    pub(crate) fn set_gain(&mut self, part: usize, gain: f32) {
        self.mutes[part] = Mute { gain, target: gain };
    }
}

impl Mute {
    fn apply(&mut self, runner: &mut Runner, part: usize) {
        if self.gain != 1.0 || self.target != 1.0 {
            runner.scale(part, self.gain, self.target);
            self.gain = self.target;
        }
    }
}

fn runners(program: &Program, buffers: &Block<f32>, lines: &[Block<f32>]) -> Vec<Runner> {
    let mut writers = vec![0u32; program.buffers];
    for &buffer in program.steps.iter().flat_map(|step| &step.outputs).chain(&program.inputs) {
        writers[buffer] += 1;
    }
    // SAFETY: `Program::check` holds, so every index is within the block.
    let buffer = |index: usize| unsafe { buffers.as_ptr().add(index * QUANTUM) };
    let line = |index: usize| lines[index].as_ptr();
    let runner = |step: &crate::program::Step| {
        let alone = step.outputs.iter().all(|&buffer| writers[buffer] == 1);
        Runner::new(step, program, buffer, line, alone)
    };
    program.steps.iter().map(runner).collect()
}
