//! Tail detection: when an effect may sleep, because what is left in it cannot be heard.
//!
//! An effect falls asleep at the end of a quantum, when its outputs, its states and what it writes into its delay lines have
//! stayed below [`SILENCE`] for longer than its longest delay line, all that it hears is silent, and no event has concerned
//! it. It wakes in the quantum in which an input sounds or an event concerns it.

use crate::program::QUANTUM;

/// The greatest absolute value, −120 dBFS, of a sample that counts as silent.
pub(crate) const SILENCE: f32 = 1e-6;

/// Detects the end of a step's tail.
#[derive(Debug)]
pub(crate) struct TailDetector {
    /// False where something in the step goes on by itself, so that it never sleeps.
    enabled: bool,
    /// Whether an output was above [`SILENCE`] in the part of the quantum that is rendered.
    loud: bool,
    /// Frames since something was above [`SILENCE`] or the step was disturbed.
    silent_frames: usize,
    /// Frames of its longest delay line.
    longest: usize,
    asleep: bool,
    /// Whether an input has sounded in this quantum, or an event has concerned the step.
    disturbed: bool,
}

impl TailDetector {
    /// For a step whose longest delay line has `longest` frames; never asleep unless `enabled`.
    pub(crate) fn new(enabled: bool, longest: usize) -> TailDetector {
        TailDetector { enabled, loud: false, silent_frames: 0, longest, asleep: false, disturbed: true }
    }

    /// As it was when it was made.
    pub(crate) fn reset(&mut self) {
        *self = TailDetector::new(self.enabled, self.longest);
    }

    /// Keeps the step awake from now on.
    pub(crate) fn disable(&mut self) {
        self.enabled = false;
    }

    /// Takes over another detector's count, if both wait for equally long lines.
    pub(crate) fn carry(&mut self, from: &TailDetector) {
        if self.enabled && from.enabled && self.longest == from.longest {
            (self.silent_frames, self.asleep, self.disturbed) =
                (from.silent_frames, from.asleep, from.disturbed);
        }
    }

    /// Whether the step sleeps.
    pub(crate) fn is_asleep(&self) -> bool {
        self.asleep
    }

    /// Begins a part of a quantum, perhaps its first. Returns true if the step wakes.
    pub(crate) fn begin(&mut self, is_first: bool, disturbed: bool) -> bool {
        let wakes = self.asleep && disturbed;
        self.disturbed = disturbed || self.disturbed && !is_first;
        self.asleep &= !disturbed;
        if disturbed {
            // Here, as not every quantum that disturbs is ended.
            self.silent_frames = 0;
        }
        wakes
    }

    /// Whether silence in this quantum counts: the step is awake and undisturbed.
    pub(crate) fn is_counting(&self) -> bool {
        self.enabled && !self.asleep && !self.disturbed
    }

    /// Takes some frames of the quantum when they are rendered, since the buffer may be another signal's soon.
    pub(crate) fn rendered(&mut self, is_silent: impl FnOnce() -> bool) {
        self.loud = self.loud || !is_silent();
    }

    /// Ends a quantum; `is_decayed` says whether states and delay lines are silent as well. Returns true if the step falls
    /// asleep.
    pub(crate) fn end(&mut self, is_decayed: impl FnOnce() -> bool) -> bool {
        let loud = std::mem::take(&mut self.loud);
        if self.asleep {
            return false;
        }
        let counts = self.is_counting() && !loud && is_decayed();
        self.silent_frames = if counts { self.silent_frames + QUANTUM } else { 0 };
        self.asleep = self.silent_frames > self.longest;
        self.asleep
    }
}

/// Whether all samples are below [`SILENCE`]. NaN is not.
pub(crate) fn is_silent(samples: &[f32]) -> bool {
    samples.iter().all(|x| x.abs() < SILENCE)
}
