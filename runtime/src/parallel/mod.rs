//! Rendering on several threads, offline.
//!
//! A program is split into parts that depend on each other as little as can be ([`mod@split`]), and each part is rendered a
//! long stretch at a time by whichever thread has time ([`pool`]). A part is a program with memory of its own, and hears
//! the others through buffers of whole stretches; so the sound is the same, to the bit, for any number of threads.

mod pool;
mod split;
#[cfg(test)]
mod tests;

use crate::engine::{NOTES, NotFinite, Waiting};
use crate::program::{Event, Program, QUANTUM};
use pool::Pool;
use split::{Source, Split, split};
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::JoinHandle;

/// The most quanta that a part renders at a time, and the fewest: less would be all waiting and waking.
const LONGEST: usize = 128;
const SHORTEST: usize = 16;
/// Bytes that parts hear of each other in a stretch, where it has more than the fewest quanta: they stay in a core's cache.
const CACHED: usize = 128 << 10;
/// How many quanta those may be ahead who are early.
const AHEAD: usize = 512;
/// Bytes of all that parts hear of each other and that is held for them, where two stretches are not more.
const HELD: usize = 32 << 20;
/// Parts that there are for each thread: what one costs changes while it plays, and no thread should wait for the last one.
const PARTS_A_THREAD: usize = 3;

/// How many threads the machine runs at once; 1 where it cannot say.
pub fn all_threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Renders a program on several threads, of which the caller's is one.
pub(crate) struct Parallel {
    pool: Arc<Pool>,
    threads: Vec<JoinHandle<()>>,
    outputs: Vec<Option<Source>>,
    /// The song's input, a channel each, from the frame that is planned next on.
    input: Vec<Waiting>,
    /// The first frame that is not planned.
    horizon: u64,
    /// The stretch that is handed out, and how many of its frames are.
    stretch: u64,
    served: usize,
    /// Frames that a stretch has at most.
    longest: usize,
    /// How many frames it has, and those that are planned after it.
    frames: VecDeque<usize>,
    position: u64,
    /// From now on every part gets all events.
    to_all: bool,
}

impl Parallel {
    /// Renders a program in parts on `threads` threads, from a frame on that is a multiple of [`QUANTUM`]; `free` is done before
    /// the parts have their memory. `None`, and nothing is done, where it has no two parts that would be worth it.
    pub(crate) fn new(
        program: &Program,
        threads: usize,
        frame: u64,
        free: impl FnOnce(),
    ) -> Option<Parallel> {
        if threads < 2 {
            return None;
        }
        let Split { parts, signals, outputs } =
            split(program, threads * PARTS_A_THREAD).filter(|split| split.parts.len() >= 2)?;
        free();
        let channels = program.inputs.len();
        let quanta = (CACHED / (signals.max(1) * size_of::<[f32; QUANTUM]>())).clamp(SHORTEST, LONGEST);
        let longest = quanta * QUANTUM;
        let split = Split { parts, signals, outputs: vec![] };
        let stretch = signals.max(1) * longest * size_of::<f32>();
        let depth = (AHEAD / quanta).min(HELD / stretch).max(2);
        let pool = Arc::new(Pool::new(split, channels, longest, depth));
        let others = (threads - 1).min(pool.parts() - 1);
        let thread = |_| {
            let pool = pool.clone();
            std::thread::spawn(move || pool.work())
        };
        Some(Parallel {
            threads: (0..others).map(thread).collect(),
            pool,
            outputs,
            input: (0..channels).map(|_| Waiting::default()).collect(),
            horizon: frame,
            stretch: 0,
            served: 0,
            longest,
            frames: VecDeque::new(),
            position: frame,
            to_all: false,
        })
    }

    /// The frame that is handed out next.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// See [`crate::Engine::never_skip`].
    pub(crate) fn never_skip(&mut self) {
        self.pool.never_skip();
    }

    /// See [`crate::Engine::not_finite`]; in no order, and perhaps of frames that have not been handed out yet.
    pub(crate) fn not_finite(&self) -> Vec<NotFinite> {
        self.pool.not_finite()
    }

    /// Appends to the song's input.
    pub(crate) fn feed(&mut self, channels: &[&[f32]]) {
        let Some(last) = channels.last() else { return };
        for (index, waiting) in self.input.iter_mut().enumerate() {
            waiting.add(channels.get(index).unwrap_or(last));
        }
    }

    /// Renders the next frames, not beyond the quantum in which `end` lies. `events` gives those before a frame; from the
    /// frame `watch` on it is known whether all is at rest.
    pub(crate) fn process(
        &mut self,
        out: &mut [&mut [f32]],
        end: u64,
        watch: u64,
        mut events: impl FnMut(u64, &mut Vec<Event>),
    ) {
        let frames = out.first().map_or(0, |channel| channel.len());
        let mut done = 0;
        while done < frames {
            if self.frames.front() == Some(&self.served) {
                self.pool.take(self.stretch);
                self.frames.pop_front();
                (self.stretch, self.served) = (self.stretch + 1, 0);
            }
            while self.horizon < end && self.pool.has_room() {
                self.plan(end, watch, &mut events);
            }
            let Some(&has) = self.frames.front() else { return };
            self.pool.wait(self.stretch);
            let piece = done..frames.min(done + has - self.served);
            for (channel, out) in out.iter_mut().enumerate() {
                let source = self.outputs.get(channel).or(self.outputs.last()).copied().flatten();
                self.pool.copy(source, self.stretch, self.served, &mut out[piece.clone()]);
            }
            self.served += piece.len();
            self.position += piece.len() as u64;
            done = piece.end;
        }
    }

    /// Whether all steps are at rest in the quantum in which the last frame lies, where that was watched.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.pool.is_at_rest(self.stretch, self.served.saturating_sub(1) / QUANTUM)
    }

    fn plan(&mut self, end: u64, watch: u64, events: &mut impl FnMut(u64, &mut Vec<Event>)) {
        let left = (end - self.horizon).next_multiple_of(QUANTUM as u64);
        let frames = left.min(self.longest as u64) as usize;
        let until = self.horizon + frames as u64;
        self.pool.plan(|stretch| {
            (stretch.frame, stretch.frames) = (self.horizon, frames);
            events(until, &mut stretch.events);
            // What is beyond a quantum's limit begins later, in all parts alike.
            self.to_all |= stretch.events.len() > NOTES;
            stretch.to_all = self.to_all;
            stretch.watch = until > watch;
            for (waiting, input) in self.input.iter_mut().zip(&mut stretch.input) {
                input.resize(frames, 0.0);
                waiting.take(input);
            }
        });
        self.frames.push_back(frames);
        self.horizon = until;
    }
}

impl Drop for Parallel {
    fn drop(&mut self) {
        self.pool.end();
        for thread in self.threads.drain(..) {
            // A worker that has panicked has already been reported.
            let _ = thread.join();
        }
    }
}
