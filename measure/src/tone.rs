//! Pitch and partials.

use super::envelope::weighted_line;
use super::window::{Spectrum, back, fourier, hann, kaiser, transform, wrapped};
use super::{Heard, Value};
use std::f64::consts::TAU;

/// How many dB weaker than the strongest partial a fundamental may be and still be what the pitch is measured by: −26 dB.
const HEARD: f64 = 0.05;

/// The amplitude of the sine at a frequency.
pub(super) fn partial(x: &Heard, hz: f64) -> f64 {
    amplitude(x.first(), hz, x.rate)
}

fn amplitude(x: &[f64], hz: f64, rate: f64) -> f64 {
    let window = kaiser(x.len());
    let windowed: Vec<f64> = x.iter().zip(&window).map(|(x, w)| x * w).collect();
    2.0 * fourier(&windowed, hz, rate).norm() / window.iter().sum::<f64>()
}

/// The amplitude of a harmonic over that of the fundamental.
pub(super) fn harmonic(x: &Heard, number: f64) -> Value {
    let pitch = pitch(x)?;
    if number * pitch >= 0.5 * x.rate {
        return Err(format!("harmonic {number} of {pitch:.1} Hz lies above half the rate"));
    }
    Ok(partial(x, number * pitch) / partial(x, pitch))
}

/// The frequency of the fundamental.
pub(super) fn pitch(x: &Heard) -> Value {
    let (sound, rate) = (x.first(), x.rate);
    let silent = || "it is silent, or too short to have a pitch".to_owned();
    if sound.len() < 1024 || sound.iter().all(|x| *x == 0.0) {
        return Err(silent());
    }
    let spectrum = Spectrum::new(sound, rate);
    let coarse = repeats(sound, rate).ok_or_else(silent)?;
    // The partial by which it is measured: the fundamental, or the strongest one where that is missing.
    let near = |hz: f64| {
        let reach = (0.03 * coarse).max(2.0 * spectrum.spacing);
        let bins = spectrum.bin(hz - reach).max(1)..spectrum.bin(hz + reach) + 1;
        bins.max_by(|a, b| spectrum.power[*a].total_cmp(&spectrum.power[*b]))
    };
    let harmonics: Vec<(f64, usize)> = (1..=16)
        .map(f64::from)
        .take_while(|k| k * coarse < 0.5 * rate)
        .filter_map(|k| Some((k, near(k * coarse)?)))
        .collect();
    let most = harmonics.iter().map(|(_, bin)| spectrum.amplitude(*bin)).fold(0.0, f64::max);
    let strong = |(_, bin): &&(f64, usize)| spectrum.amplitude(*bin) >= HEARD * most;
    let (number, bin) = harmonics.iter().find(strong).copied().ok_or_else(silent)?;
    let mut hz = spectrum.frequency(bin);
    for _ in 0..3 {
        hz += drift(sound, hz, rate);
    }
    Ok(hz / number)
}

/// The frequency with which a sound repeats: the first period by which it is nearly as much like itself as by any other, by
/// the normalised square difference (P. McLeod, G. Wyvill, "A smarter way to find pitch", ICMC 2005). Periods are looked at
/// every eighth of a frame, by the band-limited autocorrelation: a period of 6.5 frames would else be less like itself than
/// one of 13. Its mean, which is like itself at any distance, is taken out first.
fn repeats(sound: &[f64], rate: f64) -> Option<f64> {
    const LOWEST_HZ: f64 = 16.0;
    const FINER: usize = 8;
    let frames = sound.len().min((0.5 * rate) as usize);
    let mean = sound[..frames].iter().sum::<f64>() / frames as f64;
    let sound: Vec<f64> = sound[..frames].iter().map(|x| x - mean).collect();
    let longest = ((rate / LOWEST_HZ) as usize).min(frames / 2);
    let products = autocorrelation(&sound, FINER);
    let mut squares = 2.0 * products[0];
    let mut alike = Vec::with_capacity(FINER * longest);
    for lag in 0..longest {
        let fewer = sound[lag].powi(2) + sound[frames - 1 - lag].powi(2);
        for part in 0..FINER {
            let here = squares - fewer * part as f64 / FINER as f64;
            alike.push(if here > 0.0 { 2.0 * products[FINER * lag + part] / here } else { 0.0 });
        }
        squares -= fewer;
    }
    let falls = alike.iter().position(|like| *like < 0.0)?;
    let best = alike[falls..].iter().copied().fold(0.0, f64::max);
    let is_top = |&lag: &usize| {
        alike[lag] > 0.93 * best && alike[lag] >= alike[lag - 1] && alike[lag] >= alike[lag + 1]
    };
    let top = (falls.max(1)..alike.len() - 1).find(is_top)?;
    let (a, b, c) = (alike[top - 1], alike[top], alike[top + 1]);
    let bend = a - 2.0 * b + c;
    let off = if bend == 0.0 { 0.0 } else { 0.5 * (a - c) / bend };
    Some(FINER as f64 * rate / (top as f64 + off))
}

/// Σ x(n) · x(n + lag) for each lag of a whole number of `1/finer` frames, the sound being band-limited between them.
fn autocorrelation(sound: &[f64], finer: usize) -> Vec<f64> {
    let size = (2 * sound.len()).next_power_of_two();
    let mut padded = sound.to_vec();
    padded.resize(size, 0.0);
    let mut bins = transform(padded);
    bins.iter_mut().for_each(|bin| *bin = bin.norm_sqr().into());
    bins.resize(finer * size / 2 + 1, 0.0.into());
    let mut products = back(bins, finer * size);
    products.iter_mut().for_each(|x| *x *= finer as f64);
    products
}

/// By how much the partial near a frequency is higher than it: the slope of its phase, over windows that overlap. Each counts
/// by its power.
fn drift(sound: &[f64], hz: f64, rate: f64) -> f64 {
    let size = sound.len() / 2;
    let step = (size / 16).max(1);
    let window = hann(size);
    let mut phase = 0.0;
    let mut points = vec![];
    for (index, from) in (0..=sound.len() - size).step_by(step).enumerate() {
        let windowed: Vec<f64> = sound[from..from + size].iter().zip(&window).map(|(x, w)| x * w).collect();
        let partial = fourier(&windowed, hz, rate);
        let turned = partial.arg() - TAU * (hz / rate * from as f64).fract();
        phase = if index == 0 { turned } else { phase + wrapped(turned - phase) };
        points.push((from as f64 / rate, phase, partial.norm_sqr()));
    }
    weighted_line(points.iter().copied()) / TAU
}
