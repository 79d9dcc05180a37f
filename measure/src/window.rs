//! Spectra under windows.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex64;
use std::f64::consts::{PI, TAU};

/// Kaiser's β of spectra: side lobes below −140 dB.
const BETA: f64 = 18.0;

/// Bins to each side of a partial that belong to it.
pub const SKIRT: usize = 12;

/// The modified Bessel function of the first kind and order 0, by its power series.
pub(crate) fn bessel(x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > 1e-18 * sum {
        term *= (0.5 * x / k).powi(2);
        sum += term;
        k += 1.0;
    }
    sum
}

/// Kaiser's window of so many frames.
pub fn kaiser(frames: usize) -> Vec<f64> {
    let (last, whole) = (frames.saturating_sub(1).max(1) as f64, bessel(BETA));
    (0..frames)
        .map(|n| bessel(BETA * (1.0 - (2.0 * n as f64 / last - 1.0).powi(2)).max(0.0).sqrt()) / whole)
        .collect()
}

/// Hann's window of so many frames.
pub fn hann(frames: usize) -> Vec<f64> {
    (0..frames).map(|n| 0.5 - 0.5 * (TAU * n as f64 / frames as f64).cos()).collect()
}

/// The discrete Fourier transform of real frames, up to half the rate; at least one frame.
pub fn transform(mut frames: Vec<f64>) -> Vec<Complex64> {
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(frames.len());
    let mut bins = fft.make_output_vec();
    // Lengths are those that the plan asks for.
    let _ = fft.process(&mut frames, &mut bins);
    bins
}

/// The inverse of [`transform`], for so many frames.
pub fn back(mut bins: Vec<Complex64>, frames: usize) -> Vec<f64> {
    let fft = RealFftPlanner::<f64>::new().plan_fft_inverse(frames);
    let mut out = fft.make_output_vec();
    // What rounding leaves of the imaginary parts at the ends is not looked at.
    let _ = fft.process(&mut bins, &mut out);
    out.iter().map(|x| x / frames as f64).collect()
}

/// A spectrum under Kaiser's window.
pub struct Spectrum {
    /// Power of each bin: those of a sine of amplitude a add up to a²/2, those of a noise to its mean square.
    pub power: Vec<f64>,
    /// Hertz from one bin to the next.
    pub spacing: f64,
    /// What the amplitude of a sine is over the root of twice the power of its bin.
    peak: f64,
}

impl Spectrum {
    /// Of some frames, at least one, at a rate.
    pub fn new(x: &[f64], rate: f64) -> Spectrum {
        let window = kaiser(x.len());
        let (sum, squares) = (window.iter().sum::<f64>(), window.iter().map(|w| w * w).sum::<f64>());
        let bins = transform(x.iter().zip(&window).map(|(x, w)| x * w).collect());
        let (frames, last) = (x.len() as f64, x.len() / 2);
        let sides = |bin: usize| if bin == 0 || bin == last && x.len().is_multiple_of(2) { 1.0 } else { 2.0 };
        let power = bins.iter().enumerate().map(|(bin, c)| sides(bin) * c.norm_sqr() / (frames * squares));
        Spectrum { power: power.collect(), spacing: rate / frames, peak: (frames * squares).sqrt() / sum }
    }

    /// The amplitude of the sine whose top is in a bin.
    pub fn amplitude(&self, bin: usize) -> f64 {
        (2.0 * self.power[bin]).sqrt() * self.peak
    }

    /// The amplitude of the sine whose top is near a bin: a parabola through the levels of three.
    pub fn height(&self, bin: usize) -> f64 {
        let level = |bin: usize| self.power.get(bin).copied().unwrap_or_default().max(1e-300).ln();
        let (a, b, c) = (level(bin.saturating_sub(1)), level(bin), level(bin + 1));
        let bend = a - 2.0 * b + c;
        let above = if bend < 0.0 { -0.125 * (a - c) * (a - c) / bend } else { 0.0 };
        self.amplitude(bin) * (0.5 * above).exp()
    }

    /// The bin nearest to a frequency.
    pub fn bin(&self, hz: f64) -> usize {
        ((hz / self.spacing).round().max(0.0) as usize).min(self.power.len() - 1)
    }

    /// The strongest bin among some that are not DC's.
    pub fn strongest(&self, bins: std::ops::Range<usize>) -> Option<usize> {
        let bins = bins.start.max(SKIRT)..bins.end.min(self.power.len());
        bins.max_by(|a, b| self.power[*a].total_cmp(&self.power[*b]))
    }

    /// The frequency of the partial whose top is in a bin: a parabola through the levels of three.
    pub fn frequency(&self, bin: usize) -> f64 {
        let level = |bin: usize| self.power.get(bin).copied().unwrap_or_default().max(1e-300).ln();
        let (a, b, c) = (level(bin.saturating_sub(1)), level(bin), level(bin + 1));
        let bend = a - 2.0 * b + c;
        let off = if bend == 0.0 { 0.0 } else { 0.5 * (a - c) / bend };
        (bin as f64 + off.clamp(-0.5, 0.5)) * self.spacing
    }

    /// The power round a frequency: of the partial there.
    pub fn power_at(&self, hz: f64) -> f64 {
        let bin = self.bin(hz);
        self.power[bin.saturating_sub(SKIRT)..(bin + SKIRT + 1).min(self.power.len())].iter().sum()
    }
}

/// Σ x(n) · e^(−j·2π·f·n/rate).
pub fn fourier(x: &[f64], hz: f64, rate: f64) -> Complex64 {
    let turns = hz / rate;
    x.iter().enumerate().map(|(n, x)| Complex64::from_polar(*x, -TAU * (turns * n as f64).fract())).sum()
}

/// The phase difference of two angles, −π to π.
pub fn wrapped(angle: f64) -> f64 {
    angle - TAU * ((angle + PI) / TAU).floor()
}
