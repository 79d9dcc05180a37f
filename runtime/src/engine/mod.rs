//! The engine: owns a program's memory and renders it.
//!
//! Rendering happens in quanta of 64 frames at absolute positions 0, 64, 128 …, in one of two ways.
//!
//! - [`Engine::process`] renders whole quanta, ahead of what is asked for, and serves the remaining frames of the last one
//!   first. So every pattern of calls gives the same bits, live and offline. Events must be there before their quantum.
//! - [`Engine::process_block`] renders exactly the frames that are asked for, for a host or a song with input, which can
//!   give events and input only block by block: a quantum is rendered in parts, and each part takes its own events. Nothing
//!   is late and there is no latency. Where all blocks are multiples of 64 the bits are those of `process`; others differ
//!   by roundings, as kernels that compute several frames at once begin elsewhere.
//!
//! One part goes like this: the events that fall into it are taken from the queue; those of parameters become
//! tracks ([`params`]), those of ports become chains ([`notes`]); the steps that are silent all through are found
//! ([`propagation`], [`tail`]); then the other steps run, cut into kernel calls at their own events only ([`step`]). Neither way of
//! rendering allocates, locks, waits or panics, nor does [`Engine::reset`].
//!
//! What it does not do: decide when something is played (the score), talk to a device (the outputs), or change its
//! program while it runs (the control).

mod call_list;
mod check;
mod clock;
mod input;
mod instance;
mod memory;
mod not_finite;
mod notes;
mod outbox;
mod params;
mod propagation;
mod queue;
mod rollback;
mod seen;
mod step;
mod tail;
mod tap;
#[cfg(test)]
mod tests;

pub use clock::{Profile, Quantum, ticks, ticks_per_second};
use input::{Fed, HostBlock};
pub(crate) use input::{Waiting, flush};
pub(crate) use instance::Instance;
#[cfg(feature = "threads")]
pub(crate) use instance::begin;
pub use not_finite::NotFinite;
#[cfg(feature = "threads")]
pub(crate) use notes::NOTES;
pub use queue::EventQueue;
pub(crate) use seen::Seen;

use crate::ids::{ParamId, PortId};
use crate::program::{Event, Program, QUANTUM};
use call_list::WHOLE;
use std::ops::Range;
use std::sync::Arc;
use tap::Tap;

/// Renders one program, on the audio thread or offline.
pub struct Engine {
    instance: Instance,
    input: Vec<Waiting>,
    cut: Cut,
    /// Frames of the present quantum that are rendered. Those that are not served yet are all of one part.
    made: usize,
}

/// Serves quanta in pieces of any size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// The first frame of the next quantum.
    pub(crate) frame: u64,
    /// Frames of the last quantum that have been served.
    served: usize,
}

impl Cut {
    /// All is served; the next quantum begins at `frame`.
    pub(crate) fn at(frame: u64) -> Cut {
        Cut { frame, served: QUANTUM }
    }

    /// The frame that is served next.
    pub(crate) fn position(self) -> u64 {
        self.frame - (QUANTUM - self.served) as u64
    }

    /// Whether the next quantum has to be rendered before more is served.
    pub(crate) fn is_spent(self) -> bool {
        self.served == QUANTUM
    }

    /// A quantum has been rendered; all of it may be served.
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
    /// As [`Engine::new`]; and when `frame` is not a multiple of [`QUANTUM`].
    pub fn starting_at(program: Arc<Program>, frame: u64) -> Engine {
        assert!(frame.is_multiple_of(QUANTUM as u64), "quanta lie at multiples of {QUANTUM} frames");
        let input = program.inputs.iter().map(|_| Waiting::default()).collect();
        Engine { instance: Instance::new(program, EVENTS), input, cut: Cut::at(frame), made: QUANTUM }
    }

    /// The program that it renders.
    pub fn program(&self) -> &Arc<Program> {
        &self.instance.program
    }

    /// The frame that is served next.
    pub fn position(&self) -> u64 {
        self.cut.position()
    }

    /// The first frame that is not rendered yet: events before it come too late, and happen at it.
    pub fn horizon(&self) -> u64 {
        self.cut.frame - (QUANTUM - self.made) as u64
    }

    /// The queue of events. It need not be complete further than to the end of the quantum that is rendered next, or of the
    /// block with [`Engine::process_block`].
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
        for (index, waiting) in self.input.iter_mut().enumerate() {
            waiting.add(channels.get(index).unwrap_or(last));
        }
    }

    /// Lets a node be heard by itself, on further channels of [`Engine::process`]. Says how many these are; `None`
    /// when the program has no such node of its own, or it has no output. Not on the audio thread.
    pub fn tap(&mut self, node: &str) -> Option<usize> {
        let tap = Tap::new(self.program(), node)?;
        let channels = tap.channels().len();
        self.instance.taps.push(tap);
        self.instance.changed();
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
                let sound = Fed { waiting: &self.input, from: done };
                let rendered = self.instance.quanta_into(self.cut.frame, out, done, sound);
                if rendered > 0 {
                    let frames = self.pass(rendered);
                    self.input.iter_mut().for_each(|waiting| waiting.skip(frames));
                    done += frames;
                    continue;
                }
            }
            done += self.fed_piece(out, done);
        }
    }

    /// Renders what is left of the present quantum, or the next one by itself, of what was fed; serves of it what goes to the
    /// frames of `out` from `at` on. Returns how many frames these are.
    #[inline(never)]
    fn fed_piece(&mut self, out: &mut [&mut [f32]], at: usize) -> usize {
        if self.cut.is_spent() {
            self.hear(WHOLE);
            self.quantum();
        } else if self.cut.served == self.made {
            self.hear(self.made..QUANTUM);
            self.part(QUANTUM);
        }
        self.serve(out, at)
    }

    /// Renders exactly the next frames, one slice a channel, all as long as the first of `out`; the song's `in` hears `input`
    /// in these very frames (silence where it is short or has no channel; its last channel on those beyond), and not what was
    /// fed before. Events are exact up to the block's end, and nothing is delayed. \[audio\]
    pub fn process_block(&mut self, input: &[&[f32]], out: &mut [&mut [f32]]) {
        let frames = out.first().map_or(0, |channel| channel.len());
        let mut done = 0;
        while done < frames {
            if self.cut.is_spent() {
                let rendered = self.instance.quanta_into(self.cut.frame, out, done, HostBlock(input));
                if rendered > 0 {
                    done += self.pass(rendered);
                    continue;
                }
            }
            done += self.block_piece(input, out, done);
        }
    }

    /// Renders a part of a quantum that hears the frames of `input` from `at` on, if none is left to be served; serves of it
    /// what goes to the frames of `out` from there on. Returns how many frames these are.
    #[inline(never)]
    fn block_piece(&mut self, input: &[&[f32]], out: &mut [&mut [f32]], at: usize) -> usize {
        let spent = self.cut.is_spent();
        if spent || self.cut.served == self.made {
            let made = if spent { 0 } else { self.made };
            let end = QUANTUM.min(made + out[0].len() - at);
            self.instance.hear(input, at, made..end);
            self.part(end);
        }
        self.serve(out, at)
    }

    /// As it was when it was made, at frame 0: the same events give the same bits as on a new engine. Taps and time keeping go
    /// on. Allocates and frees nothing; the work is bounded by the program's memory. \[audio\]
    pub fn reset(&mut self) {
        self.instance.reset();
        self.input.iter_mut().for_each(Waiting::clear);
        (self.cut, self.made) = (Cut::at(0), QUANTUM);
    }

    /// A parameter stands at a value from the first frame on, without a ramp, as if that were its default; clamped to its
    /// range. Before anything is rendered, on a new engine or one that was reset. \[audio\]
    pub fn start_param(&mut self, param: ParamId, value: f64) {
        self.instance.params.start_at(param, value);
    }

    /// The same, as a variant of its program: one that differs in values at the start (parameters, the image of the state), in
    /// its score or its tempo, and has the same code. Frees what was only the old program's: not on the audio thread.
    ///
    /// # Panics
    /// When the program is not such a variant.
    pub fn restart(&mut self, program: Arc<Program>) {
        let old = &self.instance.program;
        let same = Arc::ptr_eq(&old.code, &program.code)
            && (old.steps.len(), old.state.len()) == (program.steps.len(), program.state.len())
            && (old.params.len(), old.delays.len()) == (program.params.len(), program.delays.len());
        assert!(same, "a variant of a program has its code and its memory");
        self.instance.program = program;
        self.reset();
    }

    /// Takes what some frames of a quantum hear of what was fed.
    fn hear(&mut self, frames: Range<usize>) {
        take(&mut self.input, &mut self.instance, frames);
    }

    /// Renders the next quantum, whose input has been taken.
    fn quantum(&mut self) {
        self.instance.quantum(self.cut.frame);
        self.made = QUANTUM;
        self.cut.renew();
    }

    /// So many quanta are rendered and served. Returns their frames.
    fn pass(&mut self, quanta: usize) -> usize {
        let frames = quanta * QUANTUM;
        self.cut.frame += frames as u64;
        self.made = QUANTUM;
        frames
    }

    /// Renders the present quantum further, or the next one where it is over, up to its frame `end`. Its input has been
    /// taken.
    fn part(&mut self, end: usize) {
        if self.cut.is_spent() {
            self.cut.renew();
            self.made = 0;
        }
        let frames = self.made..end;
        let start = self.cut.frame - QUANTUM as u64;
        if frames == WHOLE {
            self.instance.quantum(start)
        } else {
            self.instance.part(start, frames)
        }
        self.made = end;
    }

    /// Serves what is rendered, to the frames of `out` from `at` on. Returns how many there were.
    fn serve(&mut self, out: &mut [&mut [f32]], at: usize) -> usize {
        let wanted = out[0].len() - at;
        let piece = self.cut.serve(wanted.min(self.made - self.cut.served));
        let taps = self.instance.taps.iter().map(|tap| tap.channels().len()).sum();
        let (song, tapped) = out.split_at_mut(out.len().saturating_sub(taps));
        for (index, channel) in song.iter_mut().enumerate() {
            put(&mut channel[at..at + piece.len()], self.instance.output(index), &piece);
        }
        let taps = self.instance.taps.iter().flat_map(Tap::channels);
        for (channel, sound) in tapped.iter_mut().zip(taps) {
            put(&mut channel[at..at + piece.len()], sound, &piece);
        }
        piece.len()
    }

    /// The steps that were not finite since this was asked the last time, each once. Allocates: not on the audio thread.
    pub fn not_finite(&mut self) -> Vec<NotFinite> {
        self.instance.not_finite()
    }

    /// Whether the last frames that were rendered are silent because all that they come from sleeps: then silence follows
    /// until the next event, or input. A host need not render it. \[audio\]
    pub fn is_silent(&self) -> bool {
        self.instance.is_silent()
    }

    /// Gives the ports whose voices have all fallen asleep since they were last given: their notes have ended, with their
    /// release. A port whose next note has begun meanwhile is not given. \[audio\]
    pub fn take_asleep(&mut self, take: impl FnMut(PortId)) {
        self.instance.take_asleep(take);
    }

    /// Whether all voices sleep and all other steps are at rest, so that only an event or input can begin a sound.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.instance.restless() == 0
    }

    /// How many voices are awake, of those that can fall asleep.
    pub fn awake(&self) -> usize {
        self.instance.awake()
    }

    /// Calls the steps that sleep as well from now on, into buffers that are not read, and keeps effects awake, so that it can
    /// be measured what sleeping saves. Not on the audio thread.
    pub fn never_skip(&mut self) {
        self.instance.never_skip();
    }

    /// Times each step from now on. Not on the audio thread.
    pub fn keep_time(&mut self) {
        self.instance.profile = Some(Profile::new(self.program().steps.len()));
        self.instance.changed();
    }

    /// How long the steps have taken, if they are timed.
    pub fn profile(&self) -> Option<&Profile> {
        self.instance.profile.as_ref()
    }

    /// Whether it has no taps and does not time its steps.
    pub(crate) fn is_plain(&self) -> bool {
        self.instance.taps.is_empty() && self.instance.profile.is_none()
    }
}

/// Gives an instance what some frames of a quantum hear of what waits.
fn take(input: &mut [Waiting], instance: &mut Instance, frames: Range<usize>) {
    for (index, waiting) in input.iter_mut().enumerate() {
        if let Some(buffer) = instance.input(index) {
            waiting.take(&mut buffer[frames.clone()]);
        }
    }
}

/// Copies a piece of a quantum. A whole one has a known length, which needs no call.
fn put(to: &mut [f32], from: &[f32; QUANTUM], piece: &Range<usize>) {
    match to.first_chunk_mut::<QUANTUM>() {
        Some(whole) if piece.len() == QUANTUM => *whole = *from,
        _ => to.copy_from_slice(&from[piece.clone()]),
    }
}
