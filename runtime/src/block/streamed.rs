//! A sound that is read while it plays ([`crate::stream`]), at places that kernels compute: what they read of a sound in memory by
//! themselves, to the bit.
//!
//! Nothing is remembered: each frame is the value at its place. A head is a place that moves; of its inputs two numbers are the whole
//! frame, and one, for all heads, what lies between two frames. A last head is never heard: it says where a head will be when a
//! note begins or a loop turns, so that what is there is read in time.

use super::stretch::{PLACES, TAPS};
use crate::call::{Call, QUANTUM};
use crate::hash::splitmix64;
use crate::stream::{CHUNK, Held, LEAD, OVERLAP, Stream};
use std::sync::Arc;

/// A whole frame is so many times the first of its two numbers, and the second.
pub const FRAME_PART: i64 = 4096;
/// What is read ahead of a place that is heard live, in quanta: three quarters of a second at 48 kHz.
const AHEAD: i64 = 560;
/// Chunks that are read ahead at least, and at most.
const CHUNKS_AHEAD: (i64, i64) = (2, 48);

const _: () = assert!(OVERLAP >= TAPS - 1 && LEAD >= TAPS);

/// Heads over a sound that is read while it plays.
#[derive(Clone, Debug, PartialEq)]
pub struct Streamed {
    stream: Arc<Stream>,
    heads: usize,
    /// Whether products and sums are rounded once, as kernels of the target have it.
    is_fused: bool,
    /// The weights of the taps at each place between two samples, and at the next sample.
    weights: Vec<f32>,
}

/// The signals that flow in.
struct Inputs<'a> {
    whole: [&'a [f32]; 2],
}

impl Inputs<'_> {
    fn frame(&self, n: usize) -> i64 {
        self.whole[0][n] as i64 * FRAME_PART + self.whole[1][n] as i64
    }
}

impl Streamed {
    /// So many heads over a sound. The `weights` are those of [`TAPS`] taps at each of [`PLACES`] places, and once more for the next
    /// sample.
    pub fn new(stream: Arc<Stream>, heads: usize, is_fused: bool, weights: &[f32]) -> Streamed {
        Streamed { stream, heads, is_fused, weights: weights.to_vec() }
    }

    /// The sound that its heads read.
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// Two inputs for each head and for the place to come, and one for what lies between two frames; an output for each head and channel.
    pub(super) fn ends(&self) -> (usize, usize) {
        (2 * self.heads + 3, self.heads * self.stream.about().channels)
    }

    pub(super) fn content(&self) -> u64 {
        let about = self.stream.about();
        let shape = (self.heads as u64) << 1 | u64::from(self.is_fused);
        [about.content, about.frames, u64::from(about.rate), about.channels as u64]
            .into_iter()
            .fold(splitmix64(shape), |hash, word| splitmix64(hash ^ word))
    }

    /// Work a frame, in instructions of a kernel.
    pub(super) fn cost(&self) -> usize {
        let channels = self.stream.about().channels;
        self.heads * (10 + channels * 3 * TAPS)
    }

    /// Renders the frames of a call.
    ///
    /// # Safety
    /// The call has the inputs and outputs of [`Streamed::ends`].
    #[inline(always)]
    pub(super) unsafe fn run(&self, call: &Call) {
        if !self.is_fused {
            // SAFETY: the caller's promise.
            return unsafe { self.run_rounded::<false>(call) };
        }
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("fma") && std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the host has what the function is compiled for, and the caller's promise.
            return unsafe { self.run_fused(call) };
        }
        // SAFETY: the caller's promise.
        unsafe { self.run_rounded::<true>(call) }
    }

    /// # Safety
    /// As [`Streamed::run`]; and the host has FMA and AVX2.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn run_fused(&self, call: &Call) {
        // SAFETY: the caller's promise.
        unsafe { self.run_rounded::<true>(call) }
    }

    /// # Safety
    /// As [`Streamed::run`].
    #[inline(always)]
    unsafe fn run_rounded<const FUSED: bool>(&self, call: &Call) {
        let frames = call.frames as usize;
        // SAFETY: the caller's promise.
        let input = |n: usize| unsafe { std::slice::from_raw_parts(*call.inputs.add(n), frames) };
        let whole = |head: usize| Inputs { whole: [input(2 * head), input(2 * head + 1)] };
        let part = input(2 * self.heads + 2);
        let now = call.frame / QUANTUM as u32;
        let channels = self.stream.about().channels;
        let mut is_gap = false;
        for head in 0..self.heads {
            let places = whole(head);
            let mut outs = [&mut [][..], &mut [][..]];
            for (channel, out) in outs.iter_mut().enumerate().take(channels) {
                // SAFETY: the caller's promise; no output is an input or another output.
                *out = unsafe {
                    std::slice::from_raw_parts_mut(*call.outputs.add(head * channels + channel), frames)
                };
            }
            is_gap |= self.head::<FUSED>(&places, part, now, &mut outs[..channels]);
            if self.stream.is_live() {
                self.look_ahead(&places, now);
            }
        }
        if self.stream.is_live() {
            let to_come = whole(self.heads);
            if let Some(window) = self.window(to_come.frame(frames - 1)) {
                self.stream.request(window, now);
                self.stream.request(window.saturating_sub(CHUNK / 2), now);
                self.stream.request(window + CHUNK / 2, now);
                self.stream.request(window + CHUNK, now);
            }
            if is_gap {
                self.stream.count_gap();
            }
        }
    }

    /// Where the first tap of a frame lies in the stream; nothing where all of them are silence.
    #[inline(always)]
    fn window(&self, frame: i64) -> Option<usize> {
        let first = frame + 1 - TAPS as i64 / 2;
        let is_within = first > -(TAPS as i64) && first < self.stream.about().frames as i64;
        is_within.then(|| (first + LEAD as i64) as usize)
    }

    /// What one head plays. Returns whether a part of it is not there yet.
    #[inline(always)]
    fn head<const FUSED: bool>(
        &self,
        places: &Inputs,
        part: &[f32],
        now: u32,
        outs: &mut [&mut [f32]],
    ) -> bool {
        let mut held: Option<(usize, Option<Held>)> = None;
        let mut is_gap = false;
        for (n, &part) in part.iter().enumerate() {
            let mut values = [0.0; 2];
            if let Some(window) = self.window(places.frame(n)) {
                let chunk = window / CHUNK;
                if held.as_ref().is_none_or(|(index, _)| *index != chunk) {
                    drop(held.take());
                    let is_live = self.stream.is_live();
                    let there = self.stream.chunk(window, now);
                    let there =
                        if is_live || there.is_some() { there } else { self.stream.awaited(window, now) };
                    if there.is_none() {
                        self.stream.request(window, now);
                        is_gap = true;
                    }
                    held = Some((chunk, there));
                }
                if let Some((_, Some(there))) = &held {
                    let weights = self.between::<FUSED>(part);
                    for (channel, value) in values.iter_mut().enumerate().take(outs.len()) {
                        let samples = &there.channel(channel)[window % CHUNK..][..TAPS];
                        *value = weighted::<FUSED>(&weights, samples);
                    }
                }
            }
            for (out, value) in outs.iter_mut().zip(values) {
                out[n] = value;
            }
        }
        is_gap
    }

    /// Asks for what a head reaches soon.
    fn look_ahead(&self, places: &Inputs, now: u32) {
        let last = places.whole[0].len() - 1;
        let (from, to) = (places.frame(0), places.frame(last));
        if self.window(to).is_none() {
            return;
        }
        let way = to - from;
        let step = if way < 0 { -1 } else { 1 };
        let reach = way.unsigned_abs().min(1 << 20) as i64 * AHEAD / CHUNK as i64;
        for ahead in 0..=reach.clamp(CHUNKS_AHEAD.0, CHUNKS_AHEAD.1) {
            let Some(window) = self.window(to + step * ahead * CHUNK as i64) else { return };
            self.stream.request(window, now);
        }
    }

    /// The weights of the taps so far behind a frame.
    #[inline(always)]
    fn between<const FUSED: bool>(&self, part: f32) -> [f32; TAPS] {
        let scaled = part * PLACES as f32;
        let row = scaled.floor();
        let rest = scaled - row;
        let row = (row as usize).min(PLACES - 1) * TAPS;
        let (low, high) = self.weights[row..][..2 * TAPS].split_at(TAPS);
        std::array::from_fn(|tap| plus_product::<FUSED>(low[tap], rest, high[tap] - low[tap]))
    }
}

/// x + a · b
#[inline(always)]
fn plus_product<const FUSED: bool>(x: f32, a: f32, b: f32) -> f32 {
    if FUSED { a.mul_add(b, x) } else { x + a * b }
}

/// The sum of samples by their weights, in the order in which kernels add up neighbours: in four partial sums.
#[inline(always)]
fn weighted<const FUSED: bool>(weights: &[f32; TAPS], samples: &[f32]) -> f32 {
    let mut sums: [f32; 4] = std::array::from_fn(|k| weights[k] * samples[k]);
    for tap in (4..TAPS).step_by(4) {
        for (k, sum) in sums.iter_mut().enumerate() {
            *sum = plus_product::<FUSED>(*sum, weights[tap + k], samples[tap + k]);
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}
