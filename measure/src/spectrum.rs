//! Spectra: aliases, distortion, brightness.

use super::envelope::line;
use super::window::{SKIRT, Spectrum, hann, transform};
use super::{Heard, Value};
use mam_compiler::expect::measures::Measure;
use std::ops::Range;

/// The mean frequency, weighted by power.
pub(super) fn centroid(x: &Heard) -> Value {
    let (mut power, mut weighted) = (0.0, 0.0);
    for channel in &x.channels {
        let mut padded = channel.clone();
        padded.resize(channel.len().next_power_of_two().max(2), 0.0);
        let spacing = x.rate / padded.len() as f64;
        for (bin, value) in transform(padded).iter().enumerate() {
            power += value.norm_sqr();
            weighted += value.norm_sqr() * bin as f64 * spacing;
        }
    }
    if power > 0.0 { Ok(weighted / power) } else { Err("it is silent".into()) }
}

/// The slope of the power density in dB an octave.
pub(super) fn slope(x: &Heard, from: f64, to: f64) -> Value {
    const WINDOW: usize = 16_384;
    let density = density(x.first(), WINDOW).ok_or("it is shorter than 16384 frames")?;
    let spacing = x.rate / WINDOW as f64;
    let third = 2_f64.powf(1.0 / 3.0);
    let mut points = vec![];
    let mut low = from;
    while low * third <= to.min(0.5 * x.rate) * (1.0 + 1e-9) {
        let bins = (low / spacing).ceil() as usize..(low * third / spacing).ceil() as usize;
        let count = bins.len() as f64;
        let mean = density[bins].iter().sum::<f64>() / count;
        if count > 0.0 && mean > 0.0 {
            points.push(((low * third.sqrt()).log2(), 10.0 * mean.log10()));
        }
        low *= third;
    }
    if points.len() < 2 {
        Err("there is nothing to draw a line through".into())
    } else {
        Ok(line(points.into_iter()))
    }
}

/// The mean power of each bin under Hann windows that overlap by half.
fn density(sound: &[f64], window: usize) -> Option<Vec<f64>> {
    if sound.len() < window {
        return None;
    }
    let shape = hann(window);
    let mut density = vec![0.0; window / 2 + 1];
    for from in (0..=sound.len() - window).step_by(window / 2) {
        let frames = sound[from..from + window].iter().zip(&shape).map(|(x, w)| x * w).collect();
        density.iter_mut().zip(transform(frames)).for_each(|(sum, bin)| *sum += bin.norm_sqr());
    }
    Some(density)
}

/// The strongest partial in a range of frequencies that is not a harmonic, over the fundamental.
pub(super) fn alias(x: &Heard, edges: Range<f64>, freq: Option<f64>) -> Value {
    let spectrum = Spectrum::new(x.first(), x.rate);
    let all = spectrum.power.len();
    let fundamental = match freq {
        Some(hz) => {
            let bin = spectrum.bin(hz);
            spectrum.strongest(bin.saturating_sub(SKIRT)..bin + SKIRT + 1)
        }
        None => spectrum.strongest(0..all),
    };
    let top = fundamental.filter(|bin| spectrum.power[*bin] > 0.0).ok_or("it is silent")?;
    let hz = spectrum.frequency(top);
    let is_harmonic = |bin: usize| {
        let number = (bin as f64 * spectrum.spacing / hz).round();
        (bin as f64 - number * hz / spectrum.spacing).abs() <= SKIRT as f64
    };
    let wanted = spectrum.bin(edges.start)..spectrum.bin(edges.end) + 1;
    let others = wanted.filter(|bin| !is_harmonic(*bin));
    let strongest = others.max_by(|a, b| spectrum.power[*a].total_cmp(&spectrum.power[*b]));
    Ok(strongest.map_or(0.0, |bin| spectrum.height(bin)) / spectrum.height(top))
}

/// What else there is beside a fundamental: the strongest partial where it is not known.
pub(super) fn distortion(x: &Heard, measure: Measure, fundamental: Option<f64>) -> Value {
    const HARMONICS: u32 = 20;
    let spectrum = Spectrum::new(x.first(), x.rate);
    let all = spectrum.power.len();
    let hz = match fundamental {
        Some(hz) => hz,
        None => spectrum.frequency(spectrum.strongest(0..all).ok_or("it is too short")?),
    };
    let own = spectrum.power_at(hz);
    if own == 0.0 {
        return Err("it is silent at the fundamental".into());
    }
    let overtones = (2..=HARMONICS).map(|k| f64::from(k) * hz).filter(|hz| *hz < 0.5 * x.rate);
    let harmonics: f64 = overtones.map(|hz| spectrum.power_at(hz)).sum();
    let top = spectrum.bin(hz);
    let others = || (SKIRT + 1..all).filter(|bin| bin.abs_diff(top) > SKIRT);
    let rest: f64 = others().map(|bin| spectrum.power[bin]).sum();
    if measure == Measure::Thd && 2.0 * hz >= 0.5 * x.rate {
        return Err(format!("no harmonic of {hz:.0} Hz lies below half the rate, {} Hz", 0.5 * x.rate));
    }
    Ok(match measure {
        Measure::Thd => (harmonics / own).sqrt(),
        Measure::Thdn => (rest / own).sqrt(),
        Measure::Snr => (own / (rest - harmonics).max(f64::MIN_POSITIVE)).sqrt(),
        _ => {
            let strongest = others().max_by(|a, b| spectrum.power[*a].total_cmp(&spectrum.power[*b]));
            (2.0 * own).sqrt() / strongest.map_or(0.0, |bin| spectrum.height(bin)).max(f64::MIN_POSITIVE)
        }
    })
}
