//! What is not finite never leaves a step.
//!
//! After a step's calls and before anything reads its outputs, these and its states are examined. Where one is infinite or not
//! a number, all frames of the quantum become 0, the states return to their initial values, and the step is silent: until
//! its next note, or until an edit changes it. Its delay lines are cleared before it sounds again, at most
//! [`CLEARED_BYTES`] a quantum; a note that comes earlier begins when they are clear.
//!
//! The examination is one multiplication for each vector: 0 · x is 0 for every finite x, and NaN for all others. It comes
//! once a quantum, so a state that is infinite in the middle of one only is not found; nothing has heard it either.
//!
//! States of a voice that sleeps in a lane beside others go on being computed, and nothing hears them: they only return
//! to their initial values. In an instance that an edit may replace ([`watch_lines`](crate::engine::Instance::watch_lines)) delay lines
//! are watched where they are written, some quanta at a time, so that none that holds something infinite is carried over; the step
//! that wrote it goes on, unless it reads it.

use super::product::{Product, Words};
use super::{Runner, VoiceState};
use crate::program::{Call, GUARD, QUANTUM, Step};
use std::ops::Range;

/// Bytes of delay lines that a step clears in a quantum.
const CLEARED_BYTES: usize = 64 << 10;

/// Frames of each delay line that are examined together at most.
const BATCH: usize = 8 * QUANTUM;

/// Whether a step is sound, and what is left to be done where it has failed.
#[derive(Debug)]
pub(crate) struct Guard {
    /// Its states in f32 and in f64, as bytes of the state memory.
    singles: Vec<Range<usize>>,
    doubles: Vec<Range<usize>>,
    /// Its block of the state memory.
    block: Range<usize>,
    /// Its outputs are mere copies of what has been examined.
    copies: bool,
    /// Its outputs are finite whatever it hears.
    bounded: bool,
    /// It is silent because something was not finite.
    failed: bool,
    /// A note has come while its lines were being cleared.
    waited: bool,
    /// What it writes into its delay lines is examined.
    watches_lines: bool,
    /// Its delay lines may hold something that is not finite.
    dirty: bool,
    /// What it has written into its delay lines and what is not examined yet: whole quanta in a row.
    pending: Range<u64>,
    /// Frames that are left to be examined together at most: none of them is overwritten before.
    batch: u64,
    /// The line that is cleared next, by its place in `lines`, and from which frame on, counted with the room before it.
    clearing: Option<(usize, usize)>,
    /// The lines that it writes, by their places among the step's.
    lines: Vec<usize>,
    /// A failure since they were asked for the last time.
    noted: bool,
}

impl Guard {
    pub(super) fn new(step: &Step) -> Guard {
        let placed = |ranges: &[Range<usize>]| {
            ranges.iter().map(|bytes| step.state + bytes.start..step.state + bytes.end).collect()
        };
        Guard {
            singles: placed(&step.singles),
            doubles: placed(&step.doubles),
            block: step.state..step.state + step.state_bytes,
            copies: !step.copies.is_empty(),
            bounded: step.bounded,
            failed: false,
            waited: false,
            watches_lines: false,
            dirty: false,
            pending: 0..0,
            batch: QUANTUM as u64,
            clearing: None,
            lines: (0..step.delays.len()).filter(|line| !step.borrowed.contains(line)).collect(),
            noted: false,
        }
    }

    /// For a step whose delay lines have so many frames.
    pub(super) fn over_lines(self, frames: &[usize]) -> Guard {
        let shortest = frames.iter().copied().min().unwrap_or(BATCH).clamp(QUANTUM, BATCH);
        Guard { batch: shortest as u64, ..self }
    }

    /// As it was when it was made.
    pub(super) fn reset(&mut self) {
        (self.failed, self.waited, self.dirty, self.clearing, self.noted) =
            (false, false, false, None, false);
        self.pending = 0..0;
    }

    /// Whether a note waits for the lines to be cleared.
    pub(super) fn has_note_waiting(&self) -> bool {
        self.waited
    }

    /// Whether the step is silent because it has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether a note that had to wait begins with the next quantum.
    pub(super) fn is_due(&self) -> bool {
        self.waited && self.clearing.is_none()
    }

    /// A note begins. Returns true if the step sounds from it on.
    pub(super) fn note(&mut self) -> bool {
        self.waited = self.failed && self.clearing.is_some();
        self.failed &= self.waited;
        !self.failed
    }

    /// The note that had to wait begins.
    pub(super) fn resume(&mut self) {
        (self.failed, self.waited) = (false, false);
    }
}

/// What of a step is examined after its calls by the list, so that most are looked at without their runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Examined {
    /// Whether its outputs are finite.
    pub(crate) outputs: bool,
    /// Whether the states are finite that may not be.
    pub(crate) states: bool,
    /// It writes delay lines that are watched.
    pub(crate) has_lines: bool,
    /// Its tail is counted.
    pub(crate) counts_tail: bool,
}

impl Examined {
    /// Whether all outputs that are examined are finite after calls for so many quanta.
    ///
    /// # Safety
    /// The call's table has so many outputs, each of so many quanta, and no kernel runs.
    pub(crate) unsafe fn is_passed_ahead(self, call: &Call, outputs: usize, quanta: usize) -> bool {
        let is_finite = |output| {
            // SAFETY: the caller's promise.
            are_finite_in_lines(unsafe {
                std::slice::from_raw_parts(*call.outputs.add(output), quanta * QUANTUM)
            })
        };
        !self.outputs || (0..outputs).all(is_finite)
    }
}

/// The state memory, and what it held at the start.
#[derive(Clone, Copy)]
pub(crate) struct Memory<'a> {
    /// The first byte of the state memory.
    pub(crate) state: *mut u8,
    /// The program's state at the start.
    pub(crate) image: &'a [u8],
}

impl Memory<'_> {
    /// Gives bytes their initial values.
    pub(super) fn restore(self, bytes: Range<usize>) {
        let initial = &self.image[bytes.clone()];
        // SAFETY: the state memory is as long as its image, and no kernel runs.
        unsafe { self.state.add(bytes.start).copy_from_nonoverlapping(initial.as_ptr(), initial.len()) };
    }

    /// The values in bytes of the state memory.
    fn values<T: Zero>(self, bytes: &Range<usize>) -> &[T] {
        // SAFETY: `Program::check` has seen that the bytes lie within the memory, at a multiple of the values' size;
        // every pattern of bits is a number; and no kernel runs.
        unsafe {
            let start = self.state.add(bytes.start).cast::<T>();
            std::slice::from_raw_parts(start, bytes.len() / size_of::<T>())
        }
    }
}

impl Runner {
    /// Examines some frames of the quantum at `frame`, which have just been rendered, before anything reads them. Returns
    /// true if the step fails, and is silent from now on.
    #[inline]
    pub(crate) fn fails(&mut self, memory: Memory<'_>, frame: u64, frames: &Range<usize>) -> bool {
        if self.silent || self.guard.failed || self.guard.copies {
            return false;
        }
        if self.guard.watches_lines && frames.end == QUANTUM {
            self.write_lines(frame, QUANTUM);
        }
        if (self.guard.bounded || self.outputs_are_finite(frames)) && self.states_are_finite(memory) {
            return false;
        }
        self.fail(memory, frames.clone());
        true
    }

    /// What is examined of it after a call by the list, for as long as the list is valid.
    pub(crate) fn examined(&self) -> Examined {
        let guard = &self.guard;
        let is_examined = !self.silent && !guard.failed && !guard.copies;
        Examined {
            outputs: is_examined && !guard.bounded,
            states: is_examined && !(guard.singles.is_empty() && guard.doubles.is_empty()),
            has_lines: is_examined && guard.watches_lines,
            counts_tail: self.tail.is_counting(),
        }
    }

    /// The states that [`Runner::fails`] examines, in the state memory.
    pub(crate) fn words(&self, state: *const u8) -> impl Iterator<Item = Words> {
        let singles = self.guard.singles.iter().map(move |bytes| Words::singles(state, bytes));
        singles.chain(self.guard.doubles.iter().map(move |bytes| Words::doubles(state, bytes)))
    }

    /// Its block of the state memory.
    pub(crate) fn state_block(&self) -> Range<usize> {
        self.guard.block.clone()
    }

    /// Notes the failure. Returns false where the last one has not been asked for yet.
    pub(crate) fn note_failure(&mut self) -> bool {
        !std::mem::replace(&mut self.guard.noted, true)
    }

    /// The failure has been asked for.
    pub(crate) fn forget_failure(&mut self) {
        self.guard.noted = false;
    }

    /// Whether it has lines to clear, or a note that waits for that.
    pub(crate) fn is_recovering(&self) -> bool {
        self.guard.clearing.is_some() || self.guard.waited
    }

    /// What it writes into its delay lines is examined from now on, if it has any.
    pub(crate) fn watch_lines(&mut self) {
        self.guard.watches_lines = !self.guard.lines.is_empty();
    }

    /// Whether its delay lines may hold something that is not finite, as far as they were watched.
    pub(crate) fn is_dirty(&self) -> bool {
        self.guard.dirty || !self.writes_are_finite(&self.guard.pending)
    }

    /// Some whole quanta from the one at `frame` on are written into the delay lines: they are examined with the next ones, and
    /// what was written before them now, if they are written over it.
    pub(crate) fn write_lines(&mut self, frame: u64, frames: usize) {
        let end = frame + frames as u64;
        if self.guard.pending.end != frame || end - self.guard.pending.start > self.guard.batch {
            self.guard.dirty = self.is_dirty();
            self.guard.pending = frame..frame;
        }
        self.guard.pending.end = end;
    }

    /// Clears as much of its delay lines as is left to be cleared and may be in one quantum.
    pub(crate) fn clear_lines(&mut self) {
        let Some((mut next, mut at)) = self.guard.clearing else { return };
        let mut left = CLEARED_BYTES / size_of::<f32>();
        while let Some(&line) = self.guard.lines.get(next)
            && left > 0
        {
            let whole = self.delay_frames[line] + 2 * GUARD;
            let some = left.min(whole - at);
            // SAFETY: the room before and after the line is part of its block, and no kernel runs.
            unsafe { self.delays.0[line].sub(GUARD).add(at).write_bytes(0, some) };
            (at, left) = (at + some, left - some);
            if at == whole {
                (next, at) = (next + 1, 0);
            }
        }
        let is_clear = next == self.guard.lines.len();
        self.guard.clearing = (!is_clear).then_some((next, at));
        self.guard.dirty &= !is_clear;
    }

    /// Stays silent where another program's step is, which is the same one and has failed.
    pub(crate) fn carry_failure(&mut self, from: &Runner) {
        if !from.guard.failed {
            return;
        }
        (self.guard.failed, self.guard.waited) = (true, from.guard.waited);
        for (voice, other) in self.voices.iter_mut().zip(&from.voices) {
            voice.interrupted = other.interrupted;
        }
        self.silence_voices();
    }

    fn fail(&mut self, memory: Memory<'_>, frames: Range<usize>) {
        self.outputs.fill(frames, 0.0);
        memory.restore(self.guard.block.clone());
        self.voices.iter_mut().for_each(|voice| voice.interrupted = voice.awake);
        self.silence_voices();
        let has_lines = !self.guard.lines.is_empty();
        (self.guard.failed, self.guard.dirty, self.guard.pending) = (true, has_lines, 0..0);
        self.guard.clearing = has_lines.then_some((0, 0));
        self.clear_lines();
    }

    fn silence_voices(&mut self) {
        for voice in &mut self.voices {
            voice.awake = false;
            self.ports[voice.port].active = 0;
        }
        self.stale = true;
    }

    fn outputs_are_finite(&self, frames: &Range<usize>) -> bool {
        self.outputs.whole.0.iter().all(|&start| match frames.len() {
            // SAFETY: every buffer has QUANTUM frames, aligned as `Buffers` says, and no kernel runs.
            QUANTUM => unsafe { quantum_is_finite(start) },
            // SAFETY: as above; the frames are of one quantum.
            len => unsafe { are_finite(std::slice::from_raw_parts(start.add(frames.start), len)) },
        })
    }

    /// Whether what it has written into its delay lines in some quanta in a row is finite. They are not more frames than a line
    /// has, or one quantum.
    fn writes_are_finite(&self, quanta: &Range<u64>) -> bool {
        let written = (quanta.end - quanta.start) as usize;
        self.guard.lines.iter().map(|&line| (self.delays.0[line], self.delay_frames[line])).all(
            |(line, len)| {
                // SAFETY: the line has so many frames, and no kernel runs.
                let line = unsafe { std::slice::from_raw_parts(line.cast_const(), len) };
                // A power of two of them.
                let start = if len < QUANTUM { 0 } else { quanta.start as usize & (len - 1) };
                let (before, after) = line.split_at(start);
                let last = written.min(after.len());
                are_finite_in_lines(&after[..last])
                    && are_finite_in_lines(&before[..(written - last).min(before.len())])
            },
        )
    }

    fn states_are_finite(&mut self, memory: Memory<'_>) -> bool {
        let guard = &self.guard;
        let finite = guard.singles.iter().all(|bytes| are_finite(memory.values::<f32>(bytes)))
            && guard.doubles.iter().all(|bytes| are_finite(memory.values::<f64>(bytes)));
        finite || self.restore_sleepers(memory)
    }

    /// Restores the voices that sleep and have a state that is not finite. Returns true if all states are finite then.
    fn restore_sleepers(&mut self, memory: Memory<'_>) -> bool {
        let sleeps = |at: usize| {
            let has = |voice: &&VoiceState| voice.bytes.iter().any(|bytes| bytes.contains(&at));
            self.voices.iter().find(has).is_some_and(|voice| !voice.awake)
        };
        for bytes in &self.guard.singles {
            let mut words = bytes.clone().step_by(size_of::<f32>()).zip(memory.values::<f32>(bytes));
            if !words.all(|(at, x)| x.is_finite() || sleeps(at)) {
                return false;
            }
        }
        for bytes in &self.guard.doubles {
            let mut words = bytes.clone().step_by(size_of::<f64>()).zip(memory.values::<f64>(bytes));
            if !words.all(|(at, x)| x.is_finite() || sleeps(at)) {
                return false;
            }
        }
        for voice in self.voices.iter().filter(|voice| !voice.awake) {
            voice.bytes.iter().for_each(|bytes| memory.restore(bytes.clone()));
        }
        true
    }
}

/// A number that 0 can be multiplied by.
trait Zero: Copy + PartialEq {
    const ZERO: Self;
    fn times(self, other: Self) -> Self;
}

macro_rules! zero {
    ($float:ident) => {
        impl Zero for $float {
            const ZERO: $float = 0.0;
            fn times(self, other: $float) -> $float {
                self * other
            }
        }
    };
}
zero!(f32);
zero!(f64);

/// Whether all samples of a quantum are finite.
///
/// # Safety
/// As for [`Product::take_quantum`].
unsafe fn quantum_is_finite(start: *const f32) -> bool {
    let mut product = Product::new();
    // SAFETY: the caller's promise.
    unsafe { product.take_quantum(start) };
    product.is_zero()
}

/// Whether all samples are finite, in the widest vectors that the host has: for what was stored some time ago.
#[cfg(target_arch = "x86_64")]
fn are_finite_in_lines(samples: &[f32]) -> bool {
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the host has what the function is compiled for.
        unsafe { are_finite_in_eights(samples) }
    } else {
        are_finite(samples)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn are_finite_in_eights(samples: &[f32]) -> bool {
    use std::arch::x86_64::{
        _CMP_EQ_OQ, _mm256_cmp_ps, _mm256_loadu_ps, _mm256_movemask_ps, _mm256_mul_ps, _mm256_setzero_ps,
    };
    let (lines, rest) = samples.as_chunks::<32>();
    let mut zeros = [_mm256_setzero_ps(); 4];
    for line in lines {
        for (zero, eight) in zeros.iter_mut().zip(line.as_chunks::<8>().0) {
            // SAFETY: there are eight samples.
            *zero = _mm256_mul_ps(*zero, unsafe { _mm256_loadu_ps(eight.as_ptr()) });
        }
    }
    let [a, b, c, d] = zeros;
    let product = _mm256_mul_ps(_mm256_mul_ps(a, b), _mm256_mul_ps(c, d));
    let are_zero = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(product, _mm256_setzero_ps())) == 0xff;
    are_zero && are_finite(rest)
}

/// Whether all samples are finite.
#[cfg(not(target_arch = "x86_64"))]
fn are_finite_in_lines(samples: &[f32]) -> bool {
    are_finite(samples)
}

/// Whether all values are finite, four of them in a step.
#[inline]
fn are_finite<T: Zero>(values: &[T]) -> bool {
    let (lines, rest) = values.as_chunks::<4>();
    let mut zeros = [T::ZERO; 4];
    for line in lines {
        zeros.iter_mut().zip(line).for_each(|(zero, x)| *zero = zero.times(*x));
    }
    let [a, b, c, d] = zeros;
    rest.iter().fold(a.times(b).times(c.times(d)), |zero, x| zero.times(*x)) == T::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_what_is_not_finite_is_found() {
        let finite = [0.0, -0.0, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1.0, -1.0];
        let mut samples: [f32; QUANTUM] = std::array::from_fn(|i| finite[i % finite.len()]);
        assert!((0..=QUANTUM).all(|len| are_finite(&samples[..len])));
        for place in 0..QUANTUM {
            for bad in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -f32::NAN] {
                let good = std::mem::replace(&mut samples[place], bad);
                assert!(!are_finite(&samples));
                assert!(!are_finite_in_lines(&samples[1..]) || place == 0);
                assert!(are_finite_in_lines(&samples[..place]) && are_finite_in_lines(&samples[place + 1..]));
                assert!(!are_finite(&samples[..=place]) && are_finite(&samples[..place]));
                assert!(!are_finite(&[1.0, f64::from(bad)]));
                samples[place] = good;
            }
        }
    }
}
