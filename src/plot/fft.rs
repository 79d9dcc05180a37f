//! Magnitudes of windowed pieces of a sound.

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};
use std::f32::consts::TAU;
use std::sync::Arc;

/// Hann-windowed transforms of one length.
pub(super) struct Windowed {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    time: Vec<f32>,
    bins: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Windowed {
    /// For pieces of `length` samples, at least 2.
    pub(super) fn new(length: usize) -> Windowed {
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(length);
        let hann = |i: usize| 0.5 - 0.5 * (TAU * i as f32 / length as f32).cos();
        let (time, bins, scratch) = (fft.make_input_vec(), fft.make_output_vec(), fft.make_scratch_vec());
        Windowed { window: (0..length).map(hann).collect(), fft, time, bins, scratch }
    }

    /// The amplitudes of sines that fit 0, 1, 2 … times into the piece of `samples` that begins at `start`; what lies beyond
    /// the end is silence.
    pub(super) fn amplitudes(&mut self, samples: &[f32], start: usize) -> impl Iterator<Item = f32> + '_ {
        let rest = samples.get(start..).unwrap_or_default();
        for (i, (time, window)) in self.time.iter_mut().zip(&self.window).enumerate() {
            let x = rest.get(i).copied().unwrap_or(0.0);
            *time = if x.is_finite() { x * window } else { 0.0 };
        }
        // Lengths are those that the plan asks for.
        let _ = self.fft.process_with_scratch(&mut self.time, &mut self.bins, &mut self.scratch);
        // Half of a Hann window's samples are lost, and half of a sine's amplitude lies below 0 Hz.
        let scale = 4.0 / self.window.len() as f32;
        self.bins.iter().map(move |bin| bin.norm() * scale)
    }
}
