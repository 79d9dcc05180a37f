//! The two ends of a spectral region: what takes a signal apart into bins, hop by hop, and what puts it together again.
//!
//! At the start of a hop the analysis takes the spectrum of the `size` samples before it, under a window; in the frames of the hop it
//! hands out the bins, one after the other, in as many streams as are needed for all of them to pass within the hop. So what is
//! computed of a bin is an ordinary kernel that runs at the rate of the song, and its work is the same in every frame. The synthesis
//! gathers the bins of a hop, and adds what they sound like, under the same window, to what it has added before: the square of the
//! window, the root of Hann's, adds up to a constant (J. B. Allen, "Short Term Spectral Analysis, Synthesis, and Modification by
//! Discrete Fourier Transform", IEEE Trans. ASSP 25, 1977). Bins that are left as they are give the signal back, `size` and a hop late.
//!
//! The transform of real numbers is one of half as many complex ones (H. V. Sorensen et al., "Real-valued fast Fourier
//! transform algorithms", IEEE Trans. ASSP 35, 1987). A bin has the level of a sine that lies on it: one of level 1 has 1.

use super::fft::Transform;
use crate::call::{Call, QUANTUM};
use crate::hash::splitmix64;
use std::f64::consts::{PI, TAU};

/// Below it a sample or a part of a bin is silence, so that nothing computed of it is subnormal.
const LEAST: f32 = 1e-20;

/// How long the pieces of a signal are of which spectra are taken, and how far apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Frames {
    size: u32,
    overlap: u32,
}

impl Frames {
    /// The size where none is given.
    pub const SIZE: usize = 1024;
    /// The overlap where none is given.
    pub const OVERLAP: usize = 4;

    /// Pieces of `size` samples, of which `overlap` contain each sample; `None` where the size is not a power of two from 256 to 32768,
    /// the overlap is not 2, 4 or 8, or a hop is shorter than a quantum.
    pub fn new(size: f64, overlap: f64) -> Option<Frames> {
        let is_size = (8..=15).any(|power| size == f64::from(1 << power));
        let is_overlap = [2.0, 4.0, 8.0].contains(&overlap);
        let frames = Frames { size: size as u32, overlap: overlap as u32 };
        (is_size && is_overlap && frames.hop() >= QUANTUM).then_some(frames)
    }

    /// Samples of a piece, of which a spectrum is taken.
    pub fn size(self) -> usize {
        self.size as usize
    }

    /// Samples from the start of a piece to that of the next.
    pub fn hop(self) -> usize {
        self.size() / self.overlap as usize
    }

    /// In how many streams the bins pass: the bins from 0 to `size`/2 in the frames of a hop.
    pub fn streams(self) -> usize {
        self.overlap as usize / 2 + 1
    }

    /// Frames by which a signal that was taken apart and put together again is late.
    pub fn latency(self) -> usize {
        self.size() + self.hop()
    }

    /// Work a frame of an end, in instructions of a kernel: a transform each hop, with what is done before and behind it.
    pub(super) fn cost(self, tables: &Tables) -> usize {
        self.overlap as usize * (3 * tables.stages() + 8) / 2 + 2 * self.streams()
    }

    fn content(self, end: u64) -> u64 {
        splitmix64(splitmix64(u64::from(self.size) << 32 | u64::from(self.overlap)) ^ end)
    }

    fn name(self) -> String {
        format!("{}.{}", self.size, self.overlap)
    }
}

/// What both ends have: the transform of half the size, and tables.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Tables {
    transform: Transform,
    /// Where the transform leaves each bin.
    places: Vec<u32>,
    /// e^(−2πik/size) for k up to half the size: real parts, then imaginary parts without their sign.
    turns: Vec<f32>,
    /// The window with the factors of this end.
    window: Vec<f32>,
}

impl Tables {
    fn new(frames: Frames, scale: f64) -> Tables {
        let (size, half) = (frames.size(), frames.size() / 2);
        let transform = Transform::new(half);
        let angle = |k: usize| TAU * k as f64 / size as f64;
        let turns = (0..=half).map(|k| libm::cos(angle(k))).chain((0..=half).map(|k| libm::sin(angle(k))));
        Tables {
            places: transform.places(),
            transform,
            turns: turns.map(|x| if x.abs() < 1e-15 { 0.0 } else { x as f32 }).collect(),
            window: (0..size).map(|n| (scale * libm::sin(PI * n as f64 / size as f64)) as f32).collect(),
        }
    }

    /// Complex elements of the transform: half the size.
    pub fn half(&self) -> usize {
        self.transform.size()
    }

    /// How many stages the transform has.
    pub fn stages(&self) -> usize {
        self.transform.stages().len()
    }

    /// The factors of all stages, one after the other.
    pub fn factors(&self) -> Vec<f32> {
        self.transform.factors()
    }

    /// Where the transform leaves each bin, from bin 0 on.
    pub fn places(&self) -> &[u32] {
        &self.places
    }

    /// e^(−2πik/size) for k from 0 to half the size: real parts, then imaginary parts without their sign.
    pub fn turns(&self) -> &[f32] {
        &self.turns
    }

    /// The window with the factors of this end.
    pub fn window(&self) -> &[f32] {
        &self.window
    }
}

/// The sum of the window of a size.
fn window_sum(frames: Frames) -> f64 {
    (0..frames.size()).map(|n| libm::sin(PI * n as f64 / frames.size() as f64)).sum()
}

/// What takes a signal apart.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Analysis {
    frames: Frames,
    tables: Tables,
}

/// What puts a signal together.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Synthesis {
    frames: Frames,
    tables: Tables,
}

/// The memory of an end: which quantum is the next one, the streams of its bins, the transform's elements, and what is still to be
/// heard.
struct Memory<'a> {
    next: &'a mut f32,
    /// Real parts of the bins in the order in which they pass, then imaginary parts.
    streams: &'a mut [f32],
    re: &'a mut [f32],
    im: &'a mut [f32],
    sums: &'a mut [f32],
}

impl<'a> Memory<'a> {
    fn split(words: &'a mut [f32], frames: Frames) -> Memory<'a> {
        let (next, rest) = words.split_at_mut(1);
        let (streams, rest) = rest.split_at_mut(stream_words(frames));
        let (re, rest) = rest.split_at_mut(frames.size() / 2);
        let (im, sums) = rest.split_at_mut(frames.size() / 2);
        Memory { next: &mut next[0], streams, re, im, sums }
    }

    /// Begins a quantum; where the one before was not rendered, nothing is known of the past.
    #[inline(always)]
    fn begin(&mut self, frame: u32) {
        let index = frame / QUANTUM as u32;
        if self.next.to_bits() != index {
            self.streams.fill(0.0);
            self.sums.fill(0.0);
        }
        *self.next = f32::from_bits((index + 1) & (u32::MAX / QUANTUM as u32));
    }
}

fn stream_words(frames: Frames) -> usize {
    2 * frames.streams() * frames.hop()
}

impl Analysis {
    /// What takes a signal apart into pieces of this kind.
    pub fn new(frames: Frames) -> Analysis {
        Analysis { frames, tables: Tables::new(frames, 1.0 / window_sum(frames)) }
    }

    /// How long the pieces are, and how far apart.
    pub fn frames(&self) -> Frames {
        self.frames
    }

    /// The tables of its transform, and its window.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(super) fn content(&self) -> u64 {
        self.frames.content(1)
    }

    pub(super) fn words(&self) -> Vec<(String, usize)> {
        let words = 1 + stream_words(self.frames) + self.frames.size();
        vec![(format!("bins.{}", self.frames.name()), words)]
    }

    /// Renders the frames of a call.
    ///
    /// # Safety
    /// The call has an input, an output for each part of each stream, a line of [`Frames::size`] and the words of
    /// [`Analysis::words`].
    #[inline(always)]
    pub(super) unsafe fn run(&self, call: &Call) {
        let (frames, size, hop) = (call.frames as usize, self.frames.size(), self.frames.hop());
        let words = 1 + stream_words(self.frames) + size;
        // SAFETY: the caller's promise; none of these overlaps another.
        let (x, line, words) = unsafe {
            (
                std::slice::from_raw_parts(*call.inputs, frames),
                std::slice::from_raw_parts_mut(*call.delays, size),
                std::slice::from_raw_parts_mut(call.state.cast::<f32>(), words),
            )
        };
        let mut memory = Memory::split(words, self.frames);
        if (call.frame as usize).is_multiple_of(QUANTUM) {
            memory.begin(call.frame);
            if (call.frame as usize).is_multiple_of(hop) {
                self.take_apart(call.frame as usize & (size - 1), line, &mut memory);
            }
        }
        let (at, half) = (call.frame as usize & (hop - 1), memory.streams.len() / 2);
        for stream in 0..self.frames.streams() {
            for part in 0..2 {
                // SAFETY: the caller's promise; outputs overlap nothing.
                let out =
                    unsafe { std::slice::from_raw_parts_mut(*call.outputs.add(2 * stream + part), frames) };
                out.copy_from_slice(&memory.streams[part * half + stream * hop + at..][..frames]);
            }
        }
        let at = call.frame as usize & (size - 1);
        for (to, &x) in line[at..at + frames].iter_mut().zip(x) {
            *to = if x.abs() < LEAST { 0.0 } else { x };
        }
    }

    /// The spectrum of what the line holds, whose oldest frame is at `first`.
    #[inline(always)]
    fn take_apart(&self, first: usize, line: &[f32], memory: &mut Memory) {
        let Tables { transform, places, turns, window } = &self.tables;
        let (mask, half) = (line.len() - 1, transform.size());
        for n in 0..half {
            memory.re[n] = line[(first + 2 * n) & mask] * window[2 * n];
            memory.im[n] = line[(first + 2 * n + 1) & mask] * window[2 * n + 1];
        }
        transform.forward_all(memory.re, memory.im);
        let (stream_re, stream_im) = memory.streams.split_at_mut(memory.streams.len() / 2);
        for k in 0..=half {
            let (a, b) = (places[k & (half - 1)] as usize, places[(half - k) & (half - 1)] as usize);
            let (ar, ai, br, bi) = (memory.re[a], memory.im[a], memory.re[b], memory.im[b]);
            let (er, ei, or, oi) = (ar + br, ai - bi, ai + bi, br - ar);
            let (c, s) = (turns[k], turns[half + 1 + k]);
            let (re, im) = (er + (c * or + s * oi), ei + (c * oi - s * or));
            let is_edge = k == 0 || k == half;
            stream_re[k] = silenced(if is_edge { 0.5 * re } else { re });
            stream_im[k] = if is_edge { 0.0 } else { silenced(im) };
        }
    }
}

impl Synthesis {
    /// What puts pieces of this kind together.
    pub fn new(frames: Frames) -> Synthesis {
        let scale = window_sum(frames) / (frames.size() as f64 * f64::from(frames.overlap));
        Synthesis { frames, tables: Tables::new(frames, scale) }
    }

    /// How long the pieces are, and how far apart.
    pub fn frames(&self) -> Frames {
        self.frames
    }

    /// The tables of its transform, and its window.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(super) fn content(&self) -> u64 {
        self.frames.content(2)
    }

    pub(super) fn words(&self) -> Vec<(String, usize)> {
        let words = 1 + stream_words(self.frames) + 2 * self.frames.size();
        vec![(format!("sums.{}", self.frames.name()), words)]
    }

    /// Renders the frames of a call.
    ///
    /// # Safety
    /// The call has an input for each part of each stream, an output, and the words of [`Synthesis::words`].
    #[inline(always)]
    pub(super) unsafe fn run(&self, call: &Call) {
        let (frames, size, hop) = (call.frames as usize, self.frames.size(), self.frames.hop());
        let words = 1 + stream_words(self.frames) + 2 * size;
        // SAFETY: the caller's promise; none of these overlaps another.
        let (out, words) = unsafe {
            (
                std::slice::from_raw_parts_mut(*call.outputs, frames),
                std::slice::from_raw_parts_mut(call.state.cast::<f32>(), words),
            )
        };
        let mut memory = Memory::split(words, self.frames);
        if (call.frame as usize).is_multiple_of(QUANTUM) {
            memory.begin(call.frame);
            if (call.frame as usize).is_multiple_of(hop) {
                self.put_together(call.frame as usize & (size - 1), &mut memory);
            }
        }
        let at = call.frame as usize & (size - 1);
        let sums = &mut memory.sums[at..at + frames];
        out.iter_mut().zip(&*sums).for_each(|(out, &sum)| *out = silenced(sum));
        sums.fill(0.0);
        let (at, half) = (call.frame as usize & (hop - 1), memory.streams.len() / 2);
        for stream in 0..self.frames.streams() {
            for part in 0..2 {
                // SAFETY: the caller's promise.
                let x = unsafe { std::slice::from_raw_parts(*call.inputs.add(2 * stream + part), frames) };
                let to = &mut memory.streams[part * half + stream * hop + at..][..frames];
                to.iter_mut().zip(x).for_each(|(to, &x)| *to = silenced(x));
            }
        }
    }

    /// Adds what the gathered bins sound like to the sums, from frame `first` of these on.
    #[inline(always)]
    fn put_together(&self, first: usize, memory: &mut Memory) {
        let Tables { transform, places, turns, window } = &self.tables;
        let half = transform.size();
        let (re, im) = memory.streams.split_at(memory.streams.len() / 2);
        // The first and the last bin are real, and one half each.
        let bin = |k: usize| if k == 0 || k == half { (2.0 * re[k], 0.0) } else { (re[k], im[k]) };
        for k in 0..half {
            let ((pr, pi), (qr, qi)) = (bin(k), bin(half - k));
            let (er, ei, dr, di) = (pr + qr, pi - qi, pr - qr, pi + qi);
            let (c, s) = (turns[k], turns[half + 1 + k]);
            let place = places[k] as usize;
            memory.re[place] = er - (dr * s + di * c);
            memory.im[place] = ei + (dr * c - di * s);
        }
        transform.inverse_all(memory.re, memory.im);
        let mask = memory.sums.len() - 1;
        for n in 0..half {
            let (even, odd) = ((first + 2 * n) & mask, (first + 2 * n + 1) & mask);
            memory.sums[even] += memory.re[n] * window[2 * n];
            memory.sums[odd] += memory.im[n] * window[2 * n + 1];
        }
    }
}

/// What is too small to be heard is 0.
#[inline(always)]
fn silenced(x: f32) -> f32 {
    if x.abs() < LEAST { 0.0 } else { x }
}
