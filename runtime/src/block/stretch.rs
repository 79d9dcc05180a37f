//! A sound in memory, played from a place that moves as it likes, at a pitch of its own: WSOLA (W. Verhelst, M. Roelands, "An overlap-add
//! technique based on waveform similarity (WSOLA) for high quality time-scale modification of speech", ICASSP 1993).
//!
//! Every `hop` frames a grain begins, two hops long, under Hann's window, so two sound at a time and their weights add up to 1. It
//! begins where the one before it would go on, as long as that is within half a hop of the place that is asked for. Else it begins within
//! half a hop of that place, where the sound is most like what would have come: the correlation of a hop of samples over its energy is
//! greatest. That is looked for in a copy at a quarter of the rate, and then sample by sample around the best of these.
//!
//! Within a grain samples are read at the pitch, by a sinc of sixteen taps. At the speed and pitch at which it was recorded the sound is
//! itself, but for the rounding of two products.

use super::fft::{LANES, Lanes};
use crate::call::{Call, QUANTUM};
use crate::hash::splitmix64;

/// Samples that make up a value.
pub const TAPS: usize = 16;
/// Places between two samples for which there are weights.
pub const PLACES: usize = 256;
/// Samples of the sound before its start and behind its end, as it goes round.
pub const MARGIN: usize = TAPS;
/// How many samples are one in the copy in which a place is looked for first.
const COARSE: usize = 4;
/// The greatest number of samples that are read for each frame.
const FASTEST: f32 = 64.0;
/// The least.
const SLOWEST: f32 = 1.0 / 64.0;
/// Below it a sample is silence, so that no product of two is subnormal.
const LEAST: f32 = 1e-18;
/// Words of a grain: whether it sounds, where it begins in two numbers and a part of a sample, and how fast it is read.
const GRAIN: usize = 5;
/// The lower of the two numbers is below it.
const LOW: i64 = 4096;

/// A sound that is stretched.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Stretch {
    /// Its samples, in each channel with [`MARGIN`] before and behind.
    channels: Vec<Vec<f32>>,
    /// The mean of the channels, with as many more as are compared behind it.
    mono: Vec<f32>,
    /// The same at a quarter of the rate.
    coarse: Vec<f32>,
    frames: usize,
    /// Frames from the start of a grain to that of the next: a power of two.
    hop: usize,
    /// Samples of the sound for each frame, at its own pitch.
    ratio: f32,
    /// Hann's window of two hops.
    window: Vec<f32>,
    /// The weights of the taps at each place between two samples, and at the next sample.
    weights: Vec<f32>,
    content: u64,
}

/// A grain: what it plays.
#[derive(Clone, Copy, Debug, Default)]
struct Grain {
    sounds: bool,
    /// The sample in which it begins, and what is left of one.
    whole: i64,
    part: f32,
    /// Samples for each frame.
    rate: f32,
}

impl Stretch {
    /// The sound of these channels, of which there is one at least, recorded at `rate` frames a second and played at `own`. The `weights` are
    /// those of [`TAPS`] taps at each of [`PLACES`] places, and once more for the next sample.
    pub fn new(sound: &[Vec<f32>], rate: f64, own: f64, weights: &[f32]) -> Stretch {
        let hop = ((0.02 * own) as usize).next_power_of_two().clamp(QUANTUM, 1 << 13);
        let channels: Vec<Vec<f32>> = sound
            .iter()
            .map(|channel| channel.iter().map(|x| if x.abs() < LEAST { 0.0 } else { *x }).collect())
            .map(|channel: Vec<f32>| if channel.is_empty() { vec![0.0] } else { channel })
            .collect();
        let frames = channels[0].len();
        let mean = |n: usize| {
            let sum: f32 = channels.iter().map(|channel| channel[n % frames]).sum();
            sum / channels.len() as f32
        };
        let mono: Vec<f32> = (0..frames + 4 * hop).map(mean).map(flushed).collect();
        let coarse =
            mono.as_chunks::<COARSE>().0.iter().map(|x| flushed(x.iter().sum::<f32>() / COARSE as f32));
        let coarse: Vec<f32> = coarse.collect();
        let around = |channel: &Vec<f32>| {
            let at = |n: usize| channel[(n + frames * MARGIN - MARGIN) % frames];
            (0..frames + 2 * MARGIN).map(at).collect::<Vec<f32>>()
        };
        let channels: Vec<Vec<f32>> = channels.iter().map(around).collect();
        let angle = |n: usize| std::f64::consts::PI * n as f64 / hop as f64;
        let window = (0..2 * hop).map(|n| (0.5 - 0.5 * libm::cos(angle(n))) as f32).collect();
        let ratio = (rate / own) as f32;
        let start = splitmix64((hop as u64) << 32 | u64::from(ratio.to_bits()));
        let words = channels.iter().flatten().map(|x| u64::from(x.to_bits()));
        let content = words.fold(start, |hash, word| splitmix64(hash ^ word));
        Stretch { channels, mono, coarse, frames, hop, ratio, window, weights: weights.to_vec(), content }
    }

    /// Its samples, in each channel with [`MARGIN`] before and behind.
    pub fn channels(&self) -> &[Vec<f32>] {
        &self.channels
    }

    /// The mean of the channels, with as many samples more as are compared behind it.
    pub fn mono(&self) -> &[f32] {
        &self.mono
    }

    /// The same at a quarter of the rate.
    pub fn coarse(&self) -> &[f32] {
        &self.coarse
    }

    /// How many samples a channel has.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Frames from the start of a grain to that of the next.
    pub fn hop(&self) -> usize {
        self.hop
    }

    /// Samples of the sound for each frame, at its own pitch.
    pub fn ratio(&self) -> f32 {
        self.ratio
    }

    /// Hann's window of two hops.
    pub fn window(&self) -> &[f32] {
        &self.window
    }

    /// The weights of the taps at each place between two samples, and at the next sample.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    pub(super) fn content(&self) -> u64 {
        self.content
    }

    /// Work a frame, in instructions of a kernel: two grains are read, and once in a hop a place is looked for.
    pub(super) fn cost(&self) -> usize {
        let search = self.hop / COARSE / COARSE + 2 * COARSE + 1;
        2 * self.channels.len() * 3 * TAPS / 2 + search / 2
    }

    pub(super) fn words(&self) -> Vec<(String, usize)> {
        vec![(format!("grains.{:016x}", self.content), 1 + 2 * GRAIN)]
    }

    /// Renders the frames of a call.
    ///
    /// # Safety
    /// The call has two inputs, the place as a part of the whole and the pitch as a ratio, at which 0 is silence, an output for each
    /// channel, and the words of [`Stretch::words`].
    #[inline(always)]
    pub(super) unsafe fn run(&self, call: &Call) {
        let frames = call.frames as usize;
        // SAFETY: the caller's promise; none of these overlaps another.
        let (place, pitch, words) = unsafe {
            (
                std::slice::from_raw_parts(*call.inputs, frames),
                std::slice::from_raw_parts(*call.inputs.add(1), frames),
                std::slice::from_raw_parts_mut(call.state.cast::<f32>(), 1 + 2 * GRAIN),
            )
        };
        let offset = call.frame as usize % QUANTUM;
        let at = call.frame as usize & (self.hop - 1);
        if offset == 0 {
            self.begin(call.frame, at, (place[0], pitch[0]), words);
        }
        let grains = [Grain::load(&words[1 + GRAIN..]), Grain::load(&words[1..])];
        let (first, last) = (at - offset, offset + frames);
        for (channel, samples) in self.channels.iter().enumerate() {
            // SAFETY: the caller's promise.
            let out = unsafe { std::slice::from_raw_parts_mut(*call.outputs.add(channel), frames) };
            out.fill(0.0);
            for (grain, before) in grains.iter().zip([self.hop, 0]) {
                if grain.sounds {
                    self.add(samples, grain, (first + before, offset..last), out);
                }
            }
        }
    }

    /// Begins a grain where one is due, or where the quantum before was not rendered.
    #[inline(always)]
    fn begin(&self, frame: u32, at: usize, (place, pitch): (f32, f32), words: &mut [f32]) {
        let index = frame / QUANTUM as u32;
        let goes_on = words[0].to_bits() == index;
        words[0] = f32::from_bits((index + 1) & (u32::MAX / QUANTUM as u32));
        let now = Grain::load(&words[1..]);
        let rate = self.rate(pitch);
        let asked = self.place(place);
        if pitch <= 0.0 {
            if at == 0 || !goes_on {
                (if goes_on { now } else { Grain::default() }).store(&mut words[1 + GRAIN..]);
                Grain::default().store(&mut words[1..]);
            }
        } else if !goes_on || !now.sounds {
            // The sound is there at once: the grain before is the same sound, a hop earlier.
            let ago = |frames: usize| self.moved(asked, 0.0, -(frames as f64), rate);
            ago(at).store(&mut words[1..]);
            ago(at + self.hop).store(&mut words[1 + GRAIN..]);
        } else if at == 0 {
            now.store(&mut words[1 + GRAIN..]);
            let natural = self.moved(now.whole, now.part, self.hop as f64, now.rate);
            let distance = self.distance(natural.whole, asked);
            let near = distance.unsigned_abs() as usize <= self.hop / 2;
            let next =
                if near { natural } else { Grain { whole: self.search(asked, natural.whole), ..natural } };
            let part = if near { natural.part } else { 0.0 };
            Grain { part, rate, ..next }.store(&mut words[1..]);
        }
    }

    fn rate(&self, pitch: f32) -> f32 {
        let rate = if pitch.is_nan() { self.ratio } else { pitch * self.ratio };
        rate.clamp(SLOWEST, FASTEST)
    }

    /// The sample at a part of the whole, which goes round.
    fn place(&self, place: f32) -> i64 {
        let place = if place.abs() < 1e9 { f64::from(place) } else { 0.0 };
        ((place - place.floor()) * self.frames as f64) as i64 % self.frames as i64
    }

    /// A grain that begins so many frames after a place.
    fn moved(&self, whole: i64, part: f32, frames: f64, rate: f32) -> Grain {
        let way = f64::from(part) + frames * f64::from(rate);
        let floor = way.floor();
        let whole = (whole + floor as i64).rem_euclid(self.frames as i64);
        Grain { sounds: true, whole, part: (way - floor) as f32, rate }
    }

    /// How far a place lies behind another one, by the shorter way round.
    fn distance(&self, place: i64, from: i64) -> i64 {
        let frames = self.frames as i64;
        let way = (place - from).rem_euclid(frames);
        if 2 * way > frames { way - frames } else { way }
    }

    /// Where the sound around `asked` is most like that at `natural`.
    #[inline(always)]
    fn search(&self, asked: i64, natural: i64) -> i64 {
        let (half, frames) = (self.hop as i64 / 2, self.frames as i64);
        let first = (asked - half).rem_euclid(frames);
        let length = self.hop / COARSE;
        let wanted = &self.coarse[natural as usize / COARSE..][..length];
        let start = first as usize / COARSE;
        let (mut best, mut greatest) = (0, f32::NEG_INFINITY);
        for candidate in 0..=length {
            let likeness = likeness(wanted, &self.coarse[start + candidate..][..length]);
            if likeness > greatest {
                (best, greatest) = (candidate, likeness);
            }
        }
        let around = (COARSE * (start + best)) as i64;
        let wanted = &self.mono[natural as usize..][..self.hop];
        let (mut best, mut greatest) = (around, f32::NEG_INFINITY);
        for candidate in (around - COARSE as i64).max(0)..=around + COARSE as i64 {
            let likeness = likeness(wanted, &self.mono[candidate as usize..][..self.hop]);
            if likeness > greatest {
                (best, greatest) = (candidate, likeness);
            }
        }
        best.rem_euclid(frames)
    }

    /// Adds frames of a grain; the quantum begins at its frame `first`.
    #[inline(always)]
    fn add(
        &self,
        samples: &[f32],
        grain: &Grain,
        (first, range): (usize, std::ops::Range<usize>),
        out: &mut [f32],
    ) {
        let begin = self.moved(grain.whole, grain.part, first as f64, grain.rate);
        for (out, n) in out.iter_mut().zip(range) {
            let way = f64::from(begin.part) + n as f64 * f64::from(grain.rate);
            let floor = way.floor();
            let mut at = begin.whole as usize + floor as usize;
            while at >= self.frames {
                at -= self.frames;
            }
            let value = self.value(samples, at, (way - floor) as f32);
            *out += self.window[first + n] * value;
        }
    }

    /// The sound between two samples.
    #[inline(always)]
    fn value(&self, samples: &[f32], at: usize, part: f32) -> f32 {
        let scaled = part * PLACES as f32;
        let row = (scaled as usize).min(PLACES - 1);
        let rest = scaled - row as f32;
        let (low, high) = self.weights[row * TAPS..][..2 * TAPS].split_at(TAPS);
        let samples = &samples[at + MARGIN + 1 - TAPS / 2..][..TAPS];
        let mut sums = Lanes([0.0f32; LANES]);
        for k in (0..TAPS).step_by(LANES) {
            let (low, high) = (Lanes::<f32, LANES>::load(low, k), Lanes::load(high, k));
            let weight = low + Lanes([rest; LANES]) * (high - low);
            sums = sums + weight * Lanes::load(samples, k);
        }
        total(sums)
    }
}

impl Grain {
    fn load(words: &[f32]) -> Grain {
        Grain {
            sounds: words[0] > 0.0,
            whole: words[1] as i64 * LOW + words[2] as i64,
            part: words[3],
            rate: words[4],
        }
    }

    fn store(self, words: &mut [f32]) {
        words[0] = if self.sounds { 1.0 } else { 0.0 };
        words[1] = (self.whole / LOW) as f32;
        words[2] = (self.whole % LOW) as f32;
        words[3] = self.part;
        words[4] = self.rate;
    }
}

/// How much two pieces are alike: the square of their correlation with its sign, over the energy of the second.
#[inline(always)]
fn likeness(a: &[f32], b: &[f32]) -> f32 {
    let (mut products, mut squares) = (Lanes([0.0f32; LANES]), Lanes([0.0f32; LANES]));
    for at in (0..a.len()).step_by(LANES) {
        let (x, y) = (Lanes::<f32, LANES>::load(a, at), Lanes::<f32, LANES>::load(b, at));
        products = products + x * y;
        squares = squares + y * y;
    }
    let (product, energy) = (total(products), total(squares));
    product * (product.abs() / (energy + 1e-12))
}

/// The sum of all lanes.
#[inline(always)]
fn total(Lanes(x): Lanes<f32, LANES>) -> f32 {
    ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]))
}

fn flushed(x: f32) -> f32 {
    if x.abs() < LEAST { 0.0 } else { x }
}
