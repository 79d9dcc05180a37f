//! One cycle of a wave as its harmonics, and band-limited copies of it, two an octave.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// Samples of one cycle in a file of several, and in each copy.
pub(crate) const CYCLE: usize = 2048;
/// The most cycles of a wavetable.
pub(crate) const MOST_CYCLES: usize = 256;
/// The longest file that is one cycle.
pub(crate) const LONGEST_CYCLE: usize = 4096;
/// Harmonics of the first copy; they are sampled eight times a cycle at least.
pub(crate) const HARMONICS: usize = 256;
/// Copies of a wave. Each has 1/√2 of the harmonics of the one before it; of the last two nothing is left.
pub(crate) const COPIES: usize = 19;
/// Samples of a copy with those that four taps need beyond the cycle: the last one before it, the first two behind it.
pub(crate) const STRIDE: usize = CYCLE + 3;

/// One cycle of a wave: for harmonic 1, 2, … what of it is cosine and what is sine.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Harmonics(Vec<[f64; 2]>);

impl Harmonics {
    /// Sines of these levels.
    pub(crate) fn sines(levels: &[f64]) -> Harmonics {
        Harmonics(levels.iter().take(HARMONICS).map(|&level| [0.0, level]).collect())
    }

    /// What one cycle of samples is made of, but for its mean.
    pub(crate) fn from_cycle(cycle: &[f32]) -> Harmonics {
        let n = cycle.len();
        let most = HARMONICS.min(n.saturating_sub(1) / 2);
        if n == CYCLE {
            let mut bins: Vec<[f64; 2]> = cycle.iter().map(|&x| [f64::from(x), 0.0]).collect();
            transform(&mut bins);
            let scale = 2.0 / n as f64;
            return Harmonics(bins[1..=most].iter().map(|&[re, im]| [scale * re, -scale * im]).collect());
        }
        let twiddles: Vec<[f64; 2]> = (0..n).map(|i| cos_sin(i as f64 / n as f64)).collect();
        let harmonic = |h: usize| {
            let mut sum = [0.0; 2];
            for (i, &x) in cycle.iter().enumerate() {
                let [cos, sin] = twiddles[h * i % n];
                sum[0] += f64::from(x) * cos;
                sum[1] += f64::from(x) * sin;
            }
            sum.map(|part| part * 2.0 / n as f64)
        };
        Harmonics((1..=most).map(harmonic).collect())
    }

    /// The cycles of a file: of 2048 samples each where its length is a multiple of that, else one.
    pub(crate) fn from_file(samples: &[f32]) -> Vec<Harmonics> {
        match samples.len().is_multiple_of(CYCLE) {
            true => samples.chunks(CYCLE).map(Harmonics::from_cycle).collect(),
            false => vec![Harmonics::from_cycle(samples)],
        }
    }

    /// All copies, one after the other, each of [`STRIDE`] samples.
    pub(crate) fn copies(&self) -> Vec<f32> {
        (0..COPIES).flat_map(|copy| self.cycle_of(harmonics_of(copy))).collect()
    }

    /// One cycle of the first harmonics, with the samples beyond it.
    fn cycle_of(&self, most: usize) -> Vec<f32> {
        // The cycle is the real part of the sum over harmonics of (cos − i·sin)·e^(i·h·t): the conjugate of a transform.
        let mut bins = vec![[0.0; 2]; CYCLE];
        for (h, &[cos, sin]) in self.0.iter().take(most).enumerate() {
            bins[h + 1] = [cos, sin];
        }
        transform(&mut bins);
        let at = |i: usize| bins[i % CYCLE][0] as f32;
        (0..STRIDE).map(|i| at(i + CYCLE - 1)).collect()
    }
}

/// How many harmonics a copy has.
fn harmonics_of(copy: usize) -> usize {
    (HARMONICS as f64 * FRAC_1_SQRT_2.powi(copy as i32) + 1e-9) as usize
}

/// Cosine and sine of a part of a cycle.
fn cos_sin(part: f64) -> [f64; 2] {
    [libm::cos(TAU * part), libm::sin(TAU * part)]
}

/// The discrete Fourier transform, Σ xₙ·e^(−2πi·h·n/N), in place; N is a power of two (J. W. Cooley, J. W. Tukey, "An
/// algorithm for the machine calculation of complex Fourier series", 1965).
fn transform(x: &mut [[f64; 2]]) {
    let n = x.len();
    let bits = n.trailing_zeros();
    for i in 0..n {
        let j = i.reverse_bits() >> (usize::BITS - bits);
        if i < j {
            x.swap(i, j);
        }
    }
    let twiddles: Vec<[f64; 2]> = (0..n / 2).map(|i| cos_sin(i as f64 / n as f64)).collect();
    let mut half = 1;
    while half < n {
        for start in (0..n).step_by(2 * half) {
            for i in 0..half {
                let [cos, sin] = twiddles[i * (n / (2 * half))];
                let ([re, im], [other_re, other_im]) = (x[start + i], x[start + half + i]);
                let (re_twiddled, im_twiddled) =
                    (other_re * cos + other_im * sin, other_im * cos - other_re * sin);
                x[start + i] = [re + re_twiddled, im + im_twiddled];
                x[start + half + i] = [re - re_twiddled, im - im_twiddled];
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first copy of what is made of few harmonics is the wave itself, whatever the length of its cycle.
    #[test]
    fn a_cycle_comes_back_and_copies_lose_the_upper_harmonics() {
        let wave =
            |t: f64| 0.7 * (TAU * t).sin() + 0.2 * (TAU * 3.0 * t).cos() - 0.1 * (TAU * 90.0 * t).sin();
        for n in [600, CYCLE] {
            let cycle: Vec<f32> = (0..n).map(|i| wave(i as f64 / n as f64) as f32).collect();
            let copies = Harmonics::from_cycle(&cycle).copies();
            assert_eq!(copies.len(), COPIES * STRIDE);
            for i in 0..STRIDE {
                let t = (i as f64 - 1.0) / CYCLE as f64;
                assert!((f64::from(copies[i]) - wave(t)).abs() < 1e-6, "{n} {i}");
                // The fifth copy has 64 harmonics, and the one before the last two is the fundamental.
                let without = wave(t) + 0.1 * (TAU * 90.0 * t).sin();
                assert!((f64::from(copies[4 * STRIDE + i]) - without).abs() < 1e-6, "{n} {i}");
                assert!((f64::from(copies[16 * STRIDE + i]) - 0.7 * (TAU * t).sin()).abs() < 1e-6, "{n} {i}");
                assert!(copies[17 * STRIDE + i] == 0.0 && copies[18 * STRIDE + i] == 0.0);
            }
        }
    }
}
