//! A response at another sample rate.
//!
//! Each sample of the result is the sum over the given ones under a sinc of 64 zero crossings, windowed as J. F. Kaiser says, in f64: what
//! lies above half of the lower rate is left out. It is done once, when a song is compiled, so what counts is that it has the same
//! bits on every machine.

use std::f64::consts::PI;

/// Zero crossings on each side.
const SIDE: f64 = 32.0;
/// Kaiser's β: the stop band lies 100 dB down.
const BETA: f64 = 10.0;
/// Where the pass band ends, as a part of half the lower rate, so that the stop band begins there.
const PASS: f64 = 0.94;

/// A response from one rate at another, with the gain that it has at its own.
pub(crate) fn resampled(response: &[f32], from: f64, to: f64) -> Vec<f32> {
    if from == to {
        return response.to_vec();
    }
    let step = from / to;
    // Of a lower rate there is less to be heard, and there are fewer samples to add up.
    let cutoff = PASS * (to / from).min(1.0);
    let reach = SIDE / cutoff;
    let frames = (response.len() as f64 / step).ceil() as usize;
    let sample = |n: usize| {
        let middle = n as f64 * step;
        let first = (middle - reach).ceil().max(0.0) as usize;
        let last = ((middle + reach).floor() as usize).min(response.len() - 1);
        let term = |k: usize| f64::from(response[k]) * weight(k as f64 - middle, cutoff, reach);
        let sum: f64 = (first..=last).map(term).sum();
        (sum * step) as f32
    };
    (0..frames).map(sample).collect()
}

/// The windowed sinc at a distance in samples.
fn weight(x: f64, cutoff: f64, reach: f64) -> f64 {
    let angle = PI * cutoff * x;
    let sinc = if angle == 0.0 { 1.0 } else { libm::sin(angle) / angle };
    let rest = 1.0 - (x / reach) * (x / reach);
    cutoff * sinc * bessel(BETA * rest.max(0.0).sqrt()) / bessel(BETA)
}

/// The modified Bessel function of the first kind and order 0, by its power series.
pub(crate) fn bessel(x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > 1e-18 * sum {
        term *= (0.5 * x / k) * (0.5 * x / k);
        sum += term;
        k += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    /// The gain of a response at a frequency.
    fn gain(response: &[f32], rate: f64, freq: f64) -> f64 {
        let mut sum = (0.0, 0.0);
        for (n, &x) in response.iter().enumerate() {
            let angle = TAU * freq * n as f64 / rate;
            sum = (sum.0 + f64::from(x) * angle.cos(), sum.1 + f64::from(x) * angle.sin());
        }
        sum.0.hypot(sum.1)
    }

    #[test]
    fn a_response_has_the_same_gains_at_every_rate() {
        let at = |rate: f64| -> Vec<f32> {
            let tap = |n: usize| {
                let t = n as f64 / rate;
                (t * (TAU * 900.0 * t).sin() * (-t / 0.01).exp() / rate) as f32
            };
            (0..(0.2 * rate) as usize).map(tap).collect()
        };
        for (from, to) in [(44_100.0, 48_000.0), (96_000.0, 44_100.0), (22_050.0, 48_000.0)] {
            let other = resampled(&at(from), from, to);
            for freq in [0.0, 300.0, 900.0, 3000.0, 8000.0] {
                let (a, b) = (gain(&at(from), from, freq), gain(&other, to, freq));
                assert!((a - b).abs() < 1e-3 * gain(&at(from), from, 900.0), "{from} {to} {freq}: {a} {b}");
            }
        }
    }
}
