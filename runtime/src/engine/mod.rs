//! The engine: owns a program's memory and renders it.
//!
//! Rendering always happens in quanta of 64 frames at absolute positions 0, 64, 128 …; whoever asks for other
//! numbers of frames is handed the rest of the last quantum first. So every pattern of calls gives the same bits,
//! live and offline.
//!
//! One quantum goes like this: the events that fall into it are taken from the queue; those of parameters become
//! tracks ([`params`]), those of ports become chains ([`notes`]); then every step runs, cut into kernel calls at its
//! own events only ([`step`]). `Engine::process` does not allocate, lock, wait or panic.
//!
//! What it does not do: decide when something is played (the score), talk to a device (the outputs), or change its
//! program while it runs (the control).

mod check;
mod clock;
mod instance;
mod memory;
mod notes;
mod params;
mod queue;
mod step;
mod tap;
#[cfg(test)]
mod tests;

pub use clock::{Profile, Quantum, ticks, ticks_per_second};
pub(crate) use instance::Instance;
pub use queue::EventQueue;

use crate::program::{Event, Program, QUANTUM};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use tap::Tap;

/// Renders one program.
pub struct Engine {
    instance: Instance,
    input: Vec<VecDeque<f32>>,
    cut: Cut,
}

/// Hands out quanta in whatever pieces are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// The first frame of the next quantum.
    pub(crate) frame: u64,
    /// How much of the last quantum has been handed out.
    served: usize,
}

impl Cut {
    /// Nothing is left over; the next quantum begins at `frame`.
    pub(crate) fn at(frame: u64) -> Cut {
        Cut { frame, served: QUANTUM }
    }

    /// The frame that is handed out next.
    pub(crate) fn position(self) -> u64 {
        self.frame - (QUANTUM - self.served) as u64
    }

    /// Whether the next quantum has to be rendered before more is handed out.
    pub(crate) fn is_spent(self) -> bool {
        self.served == QUANTUM
    }

    /// A quantum has been rendered; all of it may be handed out.
    pub(crate) fn renew(&mut self) {
        self.frame += QUANTUM as u64;
        self.served = 0;
    }

    /// The next piece of at most `frames` frames, as a range of the quantum.
    pub(crate) fn serve(&mut self, frames: usize) -> Range<usize> {
        let start = self.served;
        self.served += frames.min(QUANTUM - start);
        start..self.served
    }
}

/// How many events wait at most, unless more room is made.
const EVENTS: usize = 16 * 1024;

impl Engine {
    /// Allocates the program's memory, with the position at frame 0.
    ///
    /// # Panics
    /// When the program's tables do not fit each other ([`Program::check`]).
    pub fn new(program: Arc<Program>) -> Engine {
        Engine::starting_at(program, 0)
    }

    /// The same, with the position at a multiple of 64.
    ///
    /// # Panics
    /// As [`Engine::new`]; and when `frame` is no multiple of [`QUANTUM`].
    pub fn starting_at(program: Arc<Program>, frame: u64) -> Engine {
        assert!(frame.is_multiple_of(QUANTUM as u64), "quanta lie at multiples of {QUANTUM} frames");
        let input = program.inputs.iter().map(|_| VecDeque::new()).collect();
        Engine { instance: Instance::new(program, EVENTS), input, cut: Cut::at(frame) }
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        &self.instance.program
    }

    /// The frame that is handed out next.
    pub fn position(&self) -> u64 {
        self.cut.position()
    }

    /// The first frame of the next quantum: events before it come too late, and happen at it.
    pub fn horizon(&self) -> u64 {
        self.cut.frame
    }

    /// Where events are put. They need not be complete further than to the quantum that is rendered next.
    pub fn events(&mut self) -> &mut EventQueue {
        &mut self.instance.queue
    }

    /// Puts an event where it belongs, making room for it. Not on the audio thread.
    pub fn schedule(&mut self, event: Event) {
        self.instance.queue.reserve(1);
        // There is room for one.
        let _ = self.instance.queue.push(event);
    }

    /// Appends to the song's input; silence where it is short. Channels that the song does not use are ignored.
    /// Allocates: not on the audio thread.
    pub fn feed(&mut self, channels: &[&[f32]]) {
        let Some(last) = channels.last() else { return };
        for (index, queue) in self.input.iter_mut().enumerate() {
            queue.extend(channels.get(index).unwrap_or(last).iter());
        }
    }

    /// Lets a node be heard by itself, on further channels of [`Engine::process`]. Says how many these are; `None`
    /// when the program has no such node of its own, or it has no output. Not on the audio thread.
    pub fn tap(&mut self, node: &str) -> Option<usize> {
        let tap = Tap::new(self.program(), node)?;
        let channels = tap.channels().len();
        self.instance.taps.push(tap);
        Some(channels)
    }

    /// Renders the next frames, one slice a channel. All have the length of the first. The last channels are those of
    /// the taps, in the order in which these were made; a song of fewer channels than there are before them is heard
    /// with its last one on those beyond.
    pub fn process(&mut self, out: &mut [&mut [f32]]) {
        let frames = out.first().map_or(0, |channel| channel.len());
        let mut done = 0;
        while done < frames {
            if self.cut.is_spent() {
                self.quantum();
                self.cut.renew();
            }
            let piece = self.cut.serve(frames - done);
            let end = done + piece.len();
            let (song, tapped) = out.split_at_mut(out.len().saturating_sub(self.tapped()));
            for (index, channel) in song.iter_mut().enumerate() {
                channel[done..end].copy_from_slice(&self.instance.output(index)[piece.clone()]);
            }
            let taps = self.instance.taps.iter().flat_map(Tap::channels);
            for (channel, sound) in tapped.iter_mut().zip(taps) {
                channel[done..end].copy_from_slice(&sound[piece.clone()]);
            }
            done = end;
        }
    }

    /// How many channels the taps have.
    fn tapped(&self) -> usize {
        self.instance.taps.iter().map(|tap| tap.channels().len()).sum()
    }

    fn quantum(&mut self) {
        for (index, queue) in self.input.iter_mut().enumerate() {
            if let Some(buffer) = self.instance.input(index) {
                buffer.fill_with(|| flush(queue.pop_front().unwrap_or(0.0)));
            }
        }
        self.instance.quantum(self.cut.frame);
    }

    /// How many voices are awake, of those that can fall asleep.
    pub fn awake(&self) -> usize {
        self.instance.awake()
    }

    /// Begins to keep time of each step. Not on the audio thread.
    pub fn keep_time(&mut self) {
        self.instance.profile = Some(Profile::new(self.program().steps.len()));
    }

    /// How long the steps have taken, if time is kept.
    pub fn profile(&self) -> Option<&Profile> {
        self.instance.profile.as_ref()
    }

    /// The longest delay line in frames: how long a song may be silent before it sounds again.
    pub fn memory(&self) -> usize {
        self.program().delays.iter().map(|line| line.frames).max().unwrap_or(0)
    }
}

/// A subnormal is 0, what is not a number as well: so a kernel never sees either.
pub(crate) fn flush(x: f32) -> f32 {
    if x.is_normal() { x } else { 0.0 }
}
