//! The greatest value of a wave between its samples, at eight times their rate (after ITU-R BS.1770-5, annex 2).
//!
//! The interpolating filter is long, so that what lies just below half the rate counts in full. It is applied only where the
//! result can matter: a short filter, and a bound of what the rest of the long one can add (Cauchy–Schwarz), show where the
//! wave stays below the greatest value so far; and of what is above that, only the tops are looked at in eighths.

use crate::window::bessel;
use std::f64::consts::PI;
use std::sync::LazyLock;

/// Samples on each side that make up a value: up to 0.98 of half the rate within 0.1 dB.
const REACH: usize = 128;
/// Of these, the ones of the short filter.
const NEAR: usize = 16;
/// Values for each sample.
const FACTOR: usize = 8;
/// Kaiser's window: 80 dB.
const BETA: f64 = 7.86;
/// Samples on each side that other meters take, and the number of their positions: ordinary resamplers to four times the rate.
const SHORT_REACH: usize = 16;
const SHORT_FACTOR: usize = 16;
const SHORT_BETA: f64 = 9.0;
/// Frames that are looked at together.
const BLOCK: usize = 4096;
/// Between values at twice the rate a wave rises to at most 1/cos(π/4) of them.
const RISE: f32 = std::f32::consts::SQRT_2;

/// Filters for each position between two samples, in eighths; the first, of a sample itself, is not used.
static FILTERS: LazyLock<Vec<[f32; 2 * REACH]>> =
    LazyLock::new(|| (0..FACTOR).map(|eighth| filter(eighth as f64 / FACTOR as f64, BETA)).collect());
/// The shorter filters of other meters, for each of their positions but that of a sample.
static SHORT: LazyLock<Vec<[f32; 2 * SHORT_REACH]>> = LazyLock::new(|| {
    (1..SHORT_FACTOR).map(|step| filter(step as f64 / SHORT_FACTOR as f64, SHORT_BETA)).collect()
});
/// The energy of the middle filter outside of its near part.
static FAR: LazyLock<f32> = LazyLock::new(|| {
    let middle = &FILTERS[FACTOR / 2];
    let far = middle[..REACH - NEAR].iter().chain(&middle[REACH + NEAR..]);
    far.map(|h| h * h).sum()
});

/// Measures the true peak of one channel.
#[derive(Clone, Debug)]
pub(super) struct TruePeak {
    /// The latest samples; the first ones have been looked at, and what comes after them depends on them.
    samples: Vec<f32>,
    /// Sums of squares up to each sample of a block.
    energy: Vec<f64>,
    /// The value in the middle before the next window's.
    before: f32,
    peak: f32,
    /// The greatest value that a meter with short filters finds.
    short: f32,
}

/// What a [`TruePeak`] found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// The greatest magnitude so far, linear.
    pub(super) peak: f32,
    /// The greatest that other meters may read. Their filters fall off below half the rate, which lets some peaks rise.
    pub(super) highest_reading: f32,
}

impl Default for TruePeak {
    fn default() -> TruePeak {
        // Before the sound is silence.
        TruePeak { samples: vec![0.0; 2 * REACH], energy: vec![], before: 0.0, peak: 0.0, short: 0.0 }
    }
}

impl TruePeak {
    /// Takes the next samples.
    pub(super) fn add(&mut self, samples: &[f32]) {
        for part in samples.chunks(BLOCK) {
            self.peak = part.iter().fold(self.peak, |peak, x| peak.max(x.abs()));
            self.samples.extend(part);
            self.look();
            self.samples.drain(..self.samples.len() - 2 * REACH);
        }
    }

    /// What there was up to the end.
    pub(super) fn finish(mut self) -> Found {
        // After the sound is silence.
        self.add(&[0.0; 2 * REACH]);
        Found { peak: self.peak, highest_reading: self.peak.max(self.short) }
    }

    /// Looks between those samples that have all neighbours.
    fn look(&mut self) {
        let mut sum = 0.0;
        self.energy.clear();
        self.energy.push(0.0);
        self.energy.extend(self.samples.iter().map(|x| {
            sum += f64::from(*x) * f64::from(*x);
            sum
        }));
        let middle = &FILTERS[FACTOR / 2];
        let near = &middle[REACH - NEAR..REACH + NEAR];
        for start in 1..=self.samples.len() - 2 * REACH {
            let window = &self.samples[start..start + 2 * REACH];
            let around = (self.energy[start + 2 * REACH] - self.energy[start]) as f32;
            let estimate = dot(near, &window[REACH - NEAR..REACH + NEAR]);
            // A thousandth for what single precision rounds.
            let bound = (estimate.abs() + (*FAR * around).sqrt()) * 1.001;
            let beside = window[REACH - 1].abs().max(window[REACH].abs());
            if estimate.abs().max(beside) * RISE > self.short {
                let near = &window[REACH - SHORT_REACH..REACH + SHORT_REACH];
                let between = SHORT.iter().map(|filter| dot(filter, near).abs());
                self.short = between.fold(self.short, f32::max);
            }
            let before = std::mem::replace(&mut self.before, estimate);
            if bound.max(beside) * RISE > self.peak {
                self.before = dot(middle, window);
                self.climb(start, before, self.before);
            }
        }
    }

    /// Looks in eighths beside a value at twice the rate that is greater than its neighbours, on the side of the greater one:
    /// there the wave is greatest. `before` and `after` lie in the middle before and after a window's first middle sample.
    fn climb(&mut self, start: usize, before: f32, after: f32) {
        let window = &self.samples[start..start + 2 * REACH];
        let (here, next) = (window[REACH - 1], window[REACH]);
        let is_top = |x: f32, a: f32, b: f32| {
            let x = x.abs();
            x * RISE > self.peak && x >= a.abs() && x >= b.abs()
        };
        let mut found = self.peak;
        let mut look = |window: &[f32], eighths: std::ops::RangeInclusive<usize>| {
            let values = FILTERS[eighths].iter().map(|filter| dot(filter, window).abs());
            found = values.fold(found, f32::max);
        };
        if is_top(after, here, next) {
            look(window, if here * after > next * after { 1..=4 } else { 4..=7 });
        }
        if is_top(here, before, after) {
            match before * here > after * here {
                true => look(&self.samples[start - 1..start - 1 + 2 * REACH], 5..=7),
                false => look(window, 1..=3),
            }
        }
        self.peak = found;
    }
}

/// The sum of products, as eight partial sums so that lanes are used.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        (0..8).for_each(|i| sums[i] += a[i] * b[i]);
    }
    sums.iter().sum()
}

/// The windowed sinc for a position between the two samples in the middle of a window of `N`.
fn filter<const N: usize>(position: f64, beta: f64) -> [f32; N] {
    let reach = (N / 2) as f64;
    let tap = |i: usize| {
        let x = i as f64 - (reach - 1.0) - position;
        let sinc = if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        sinc * kaiser(x / reach, beta)
    };
    let taps: [f64; N] = std::array::from_fn(tap);
    // A constant stays what it is.
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| (tap / sum) as f32)
}

/// Kaiser's window at x in [−1, 1], 1 in the middle.
fn kaiser(x: f64, beta: f64) -> f64 {
    bessel(beta * (1.0 - x * x).max(0.0).sqrt()) / bessel(beta)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(samples: &[f32]) -> f64 {
        let mut meter = TruePeak::default();
        samples.chunks(777).for_each(|part| meter.add(part));
        20.0 * f64::from(meter.finish().peak).log10()
    }

    /// Tones of which no sample reaches the peak, up to just below half the rate. They fade in and out, since a tone that is
    /// switched on overshoots there.
    #[test]
    fn tones_near_half_the_rate_have_their_own_peak() {
        for frequency in [0.01, 0.25, 0.333, 0.45, 0.48, 0.487] {
            let fade = |n: usize| (PI * n as f64 / 20_000.0).sin().powi(2);
            let tone = |n: usize| (fade(n) * (2.0 * PI * frequency * n as f64 + PI / 4.0).sin()) as f32;
            let level = measured(&(0..20_000).map(tone).collect::<Vec<_>>());
            assert!(level.abs() < 0.1, "{frequency}: {level} dB");
        }
    }

    /// With all eighths everywhere, the result is the same.
    #[test]
    fn what_is_skipped_does_not_matter() {
        let mut state = 1_u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / 8_388_608.0 - 1.0
        };
        let samples: Vec<f32> =
            (0..9_000).map(|n| noise() * if n % 3_000 < 40 { 1.0 } else { 0.3 }).collect();
        let mut padded = vec![0.0; REACH];
        padded.extend(&samples);
        padded.extend([0.0; 2 * REACH]);
        let all = padded.windows(2 * REACH).flat_map(|w| FILTERS.iter().map(|f| dot(f, w).abs()));
        let direct = 20.0 * f64::from(all.fold(0.0, f32::max)).log10();
        assert!((measured(&samples) - direct).abs() < 0.01, "{} {direct}", measured(&samples));
    }

    /// The signs of the filter itself: nothing lets a wave rise further above its samples.
    #[test]
    fn the_worst_case_is_found() {
        let worst: Vec<f32> = FILTERS[FACTOR / 2].iter().map(|h| h.signum()).collect();
        let expected: f32 = FILTERS[FACTOR / 2].iter().map(|h| h.abs()).sum();
        let level = 20.0 * f64::from(expected).log10();
        assert!((measured(&worst) - level).abs() < 0.01, "{} {level}", measured(&worst));
    }
}
