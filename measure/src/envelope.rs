//! Times: of envelopes, of onsets, of reverbs.

use super::window::{back, transform};
use super::{Heard, Value, level};
use realfft::num_complex::Complex64;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, SQRT_2};

/// −60 dB.
const FAINT: f64 = 1e-3;
/// Share of Gaussian noise beyond one standard deviation: erfc(1/√2).
const OUTSIDE: f64 = 0.317_310_507_862_914;

/// When the first channel first has a sample of at least `level`, in seconds.
pub(super) fn reaches(x: &Heard, level: f64) -> Value {
    let frame = x.first().iter().position(|x| *x >= level);
    frame.map(|frame| frame as f64 / x.rate).ok_or_else(|| {
        let most = x.first().iter().copied().fold(f64::NEG_INFINITY, f64::max);
        format!("it never does: its greatest sample is {most:.4}")
    })
}

/// When something is first heard.
pub(super) fn onset(x: &Heard) -> Value {
    let peak = level::peak(x);
    if peak == 0.0 {
        return Err("it is silent".into());
    }
    let first = |channel: &Vec<f64>| channel.iter().position(|x| x.abs() > FAINT * peak);
    let frame = x.channels.iter().filter_map(first).min().unwrap_or_default();
    Ok(frame as f64 / x.rate)
}

/// RMS over 2 ms, every 0.25 ms: with the frames from one value to the next.
fn levels(x: &Heard) -> (Vec<f64>, usize) {
    let step = ((0.000_25 * x.rate).round() as usize).max(1);
    let window = 8 * step;
    let mut sums = vec![0.0];
    for n in 0..x.frames() {
        let square: f64 = x.channels.iter().map(|channel| channel[n] * channel[n]).sum();
        sums.push(sums[n] + square);
    }
    let last = sums.len() - 1;
    let from = (0..last).step_by(step);
    let scale = (window * x.channels.len().max(1)) as f64;
    let level = |n: usize| ((sums[(n + window).min(last)] - sums[n]).max(0.0) / scale).sqrt();
    (from.map(level).collect(), step)
}

fn top(levels: &[f64]) -> Result<usize, String> {
    let top = (0..levels.len()).max_by(|a, b| levels[*a].total_cmp(&levels[*b]).then(b.cmp(a)));
    top.filter(|&top| levels[top] > 0.0).ok_or_else(|| "it is silent".into())
}

/// The time of the rise.
pub(super) fn attack(x: &Heard) -> Value {
    let (levels, step) = levels(x);
    let top = top(&levels)?;
    let begins = levels.iter().position(|level| *level >= 0.1 * levels[top]).unwrap_or(top);
    Ok((top - begins) as f64 * step as f64 / x.rate)
}

/// The time of the fall by the factor `by`.
pub(super) fn fall(x: &Heard, by: f64) -> Value {
    let (levels, step) = levels(x);
    let top = top(&levels)?;
    let last = levels.iter().rposition(|level| *level > by * levels[top]).unwrap_or(top);
    if last + 9 >= levels.len() {
        return Err("it has not fallen so far when the render ends".into());
    }
    Ok((last - top) as f64 * step as f64 / x.rate)
}

/// Energy of all channels, frame by frame, in the octave round a frequency or as a whole.
fn energy(x: &Heard, at: Option<f64>) -> Vec<f64> {
    let frames = x.frames();
    let mut energy = vec![0.0; frames];
    for channel in &x.channels {
        let heard = at.map_or_else(|| channel.clone(), |at| octave(channel, at, x.rate));
        energy.iter_mut().zip(&heard).for_each(|(sum, x)| *sum += x * x);
    }
    energy
}

/// The octave round a frequency, of zero phase: its edges fall over a sixth of an octave each, as a cosine of the power.
fn octave(channel: &[f64], at: f64, rate: f64) -> Vec<f64> {
    let frames = (2 * channel.len()).next_power_of_two();
    let mut padded = channel.to_vec();
    padded.resize(frames, 0.0);
    let mut bins = transform(padded);
    let edge = |octaves: f64| {
        let way = (6.0 * octaves + 0.5).clamp(0.0, 1.0);
        (FRAC_PI_2 * way).sin()
    };
    for (bin, value) in bins.iter_mut().enumerate() {
        let hz = bin as f64 * rate / frames as f64;
        let gain = match hz > 0.0 {
            true => edge((hz / (at * FRAC_1_SQRT_2)).log2()) * edge((at * SQRT_2 / hz).log2()),
            false => 0.0,
        };
        *value *= Complex64::new(gain, 0.0);
    }
    let mut out = back(bins, frames);
    out.truncate(channel.len());
    out
}

/// The time of a fall by 60 dB.
pub(super) fn rt60(x: &Heard, at: Option<f64>) -> Value {
    let mut left = energy(x, at);
    let mut sum = 0.0;
    for energy in left.iter_mut().rev() {
        sum += *energy;
        *energy = sum;
    }
    if sum == 0.0 {
        return Err("it is silent".into());
    }
    let below = |db: f64| left.iter().position(|energy| *energy <= sum * 10_f64.powf(db / 10.0));
    let (from, to) = match (below(-5.0), below(-35.0)) {
        (Some(from), Some(to)) if to > from + 1 && left[to] > 0.0 => (from, to),
        _ => return Err("it does not fall by 35 dB before the render ends, or does so at once".into()),
    };
    let points = (from..to).map(|n| (n as f64 / x.rate, 10.0 * (left[n] / sum).log10()));
    Ok(-60.0 / line(points))
}

/// The slope of the line through some points, of least squares.
pub(super) fn line(points: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    weighted_line(points.map(|(x, y)| (x, y, 1.0)))
}

/// The same where each point has a weight.
pub(super) fn weighted_line(points: impl Iterator<Item = (f64, f64, f64)> + Clone) -> f64 {
    let sums = points
        .clone()
        .fold([0.0; 3], |[w, x, y], point| [w + point.2, x + point.2 * point.0, y + point.2 * point.1]);
    let (mx, my) = (sums[1] / sums[0], sums[2] / sums[0]);
    let (up, down) = points.fold((0.0, 0.0), |(up, down), (x, y, weight)| {
        (up + weight * (x - mx) * (y - my), down + weight * (x - mx) * (x - mx))
    });
    up / down
}

/// Echo density round a time.
pub(super) fn density(x: &Heard, at: f64) -> Value {
    const WINDOW_SECONDS: f64 = 0.02;
    let (middle, half) = (at * x.rate, 0.5 * WINDOW_SECONDS * x.rate);
    let from = (middle - half).max(0.0) as usize;
    let to = ((middle + half) as usize).min(x.frames());
    let window = x.first().get(from..to).unwrap_or_default();
    let squares: f64 = window.iter().map(|x| x * x).sum();
    if squares == 0.0 {
        return Err("it is silent there".into());
    }
    let deviation = (squares / window.len() as f64).sqrt();
    let outside = window.iter().filter(|x| x.abs() > deviation).count();
    Ok(outside as f64 / window.len() as f64 / OUTSIDE)
}
