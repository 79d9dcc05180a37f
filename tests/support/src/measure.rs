//! Measuring sounds: levels, spectra and frequency responses, in f64.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex64;
use std::f64::consts::TAU;

/// An amplitude in dB.
pub fn db(amplitude: f64) -> f64 {
    20.0 * amplitude.log10()
}

/// The greatest magnitude.
pub fn peak(x: &[f32]) -> f64 {
    x.iter().fold(0.0, |most, &v| f64::from(v.abs()).max(most))
}

/// The mean.
pub fn mean(x: &[f32]) -> f64 {
    x.iter().map(|&v| f64::from(v)).sum::<f64>() / x.len() as f64
}

/// The root of the mean square.
pub fn rms(x: &[f32]) -> f64 {
    (x.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>() / x.len() as f64).sqrt()
}

/// Σ x(n) · e^(−j·2π·f·n/rate): the response at `f`, where `x` is an impulse response.
pub fn response(x: &[f32], f: f64, rate: f64) -> Complex64 {
    let turns = f / rate;
    let term =
        |(n, &v): (usize, &f32)| Complex64::from_polar(f64::from(v), -TAU * (turns * n as f64).fract());
    x.iter().enumerate().map(term).sum()
}

/// The amplitude of the sine of frequency `f` in `x`, where it fits in a whole number of times.
pub fn amplitude(x: &[f32], f: f64, rate: f64) -> f64 {
    2.0 * response(x, f, rate).norm() / x.len() as f64
}

/// Amplitudes of the sines that fit into `x` 0, 1, 2 … times: without a window, for what repeats in `x`.
pub fn spectrum(x: &[f32]) -> Vec<f64> {
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(x.len());
    let mut time: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
    let mut bins = fft.make_output_vec();
    // Lengths are those that the plan asks for.
    let _ = fft.process(&mut time, &mut bins);
    bins.iter().map(|b| 2.0 * b.norm() / x.len() as f64).collect()
}

/// Mean power of `x` between two frequencies, by Hann-windowed spectra of `window` frames that overlap by half. All
/// bands of a white noise of power 1 add up to 1.
pub fn band_power(x: &[f32], window: usize, from: f64, to: f64, rate: f64) -> f64 {
    let hann = |i: usize| 0.5 - 0.5 * (TAU * i as f64 / window as f64).cos();
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(window);
    let mut bins = fft.make_output_vec();
    let (mut power, mut count) = (0.0, 0);
    for start in (0..=x.len().saturating_sub(window)).step_by(window / 2) {
        let mut frame: Vec<f64> = (0..window).map(|i| f64::from(x[start + i]) * hann(i)).collect();
        // Lengths are those that the plan asks for.
        let _ = fft.process(&mut frame, &mut bins);
        let inside = |(i, _): &(usize, &Complex64)| (from..to).contains(&(*i as f64 * rate / window as f64));
        power += bins.iter().enumerate().filter(inside).map(|(_, b)| 2.0 * b.norm_sqr()).sum::<f64>();
        count += 1;
    }
    // The mean of the squared window is 3/8.
    power / (f64::from(count.max(1)) * 0.375 * (window as f64).powi(2))
}

/// The pitch of a sound that repeats, in Hz: the best period of its autocorrelation between two frequencies, made
/// finer by a parabola.
pub fn pitch(x: &[f32], lowest: f64, highest: f64, rate: f64) -> f64 {
    let (shortest, longest) = ((rate / highest) as usize, (rate / lowest) as usize + 1);
    let span = x.len() - longest - 1;
    let alike = |lag: usize| {
        let product =
            |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&p, &q)| f64::from(p) * f64::from(q)).sum::<f64>();
        let (here, there) = (&x[..span], &x[lag..lag + span]);
        product(here, there) / (product(here, here) * product(there, there)).sqrt()
    };
    let all: Vec<f64> = (shortest - 1..=longest + 1).map(alike).collect();
    let best = all[1..all.len() - 1].iter().copied().fold(f64::MIN, f64::max);
    // Every multiple of a period is as good as it: the first that is nearly the best.
    let is_top = |i: &usize| all[*i] > 0.98 * best && all[*i] >= all[i - 1] && all[*i] >= all[i + 1];
    let Some(top) = (1..all.len() - 1).find(is_top) else { return 0.0 };
    let (a, b, c) = (all[top - 1], all[top], all[top + 1]);
    let bend = a - 2.0 * b + c;
    let off = if bend == 0.0 { 0.0 } else { 0.5 * (a - c) / bend };
    rate / ((shortest - 1 + top) as f64 + off)
}
