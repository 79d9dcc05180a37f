//! Levels and loudness.

use super::{Heard, Value};
use crate::levels::Meter;
use ebur128::{EbuR128, Mode};
use mam_runtime::render::QUIET;
use std::ops::Range;

/// The greatest sample without its sign.
pub(super) fn peak(x: &Heard) -> f64 {
    x.channels.iter().flatten().fold(0.0, |most, x| x.abs().max(most))
}

/// The greatest value of the wave.
pub(super) fn true_peak(x: &Heard) -> Value {
    Ok(metered(x).finish().true_peak.map_or(0.0, |db| 10_f64.powf(db / 20.0)))
}

/// The root of the mean square of all channels.
pub(super) fn rms(channels: &[Vec<f64>]) -> f64 {
    let count: usize = channels.iter().map(Vec::len).sum();
    let squares: f64 = channels.iter().flatten().map(|x| x * x).sum();
    (squares / count.max(1) as f64).sqrt()
}

/// The peak over the RMS.
pub(super) fn crest(x: &Heard) -> Value {
    let rms = rms(&x.channels);
    if rms > 0.0 { Ok(peak(x) / rms) } else { Err("it is silent".into()) }
}

/// The mean of a channel.
pub(super) fn mean(channel: &[f64]) -> f64 {
    channel.iter().sum::<f64>() / channel.len().max(1) as f64
}

/// The greatest mean of a channel, without its sign.
pub(super) fn dc(x: &Heard) -> f64 {
    x.channels.iter().fold(0.0, |most, channel| mean(channel).abs().max(most))
}

/// Whether nothing is above −120 dB.
pub(super) fn is_silent(x: &Heard) -> bool {
    peak(x) <= f64::from(QUIET)
}

/// Samples beyond full scale.
pub(super) fn clipped(x: &Heard) -> f64 {
    x.channels.iter().flatten().filter(|x| x.abs() > 1.0).count() as f64
}

/// RMS out over RMS in.
pub(super) fn gain(x: &Heard) -> Value {
    let input = rms(std::slice::from_ref(&x.input));
    if input > 0.0 { Ok(rms(&x.channels) / input) } else { Err("nothing flows in".into()) }
}

/// What is left of `x` without `y`.
pub(super) fn null(x: &Heard, y: &Heard) -> Value {
    let whole = rms(&y.channels);
    if whole == 0.0 {
        return Err("what it is compared with is silent".into());
    }
    let differences = x.channels.iter().zip(&y.channels).map(|(x, y)| {
        let longest = x.len().max(y.len());
        let at = |x: &[f64], n: usize| x.get(n).copied().unwrap_or_default();
        (0..longest).map(|n| at(x, n) - at(y, n)).collect()
    });
    Ok(rms(&differences.collect::<Vec<Vec<f64>>>()) / whole)
}

/// Integrated loudness in LUFS.
pub(super) fn integrated(x: &Heard) -> Value {
    metered(x).finish().loudness.ok_or_else(|| "it is silent, or shorter than 0.4 s".into())
}

/// The greatest momentary loudness in LUFS.
pub(super) fn loudest(x: &Heard) -> Value {
    const WINDOW_SECONDS: f64 = 0.4;
    const STEP_SECONDS: f64 = 0.01;
    let (channels, rate) = (x.channels.len().max(1), x.rate as u32);
    let failed = |_| format!("BS.1770 says nothing of {channels} channels at {rate} Hz");
    let mut meter = EbuR128::new(channels as u32, rate, Mode::M).map_err(failed)?;
    let step = ((STEP_SECONDS * x.rate) as usize).max(1);
    // What is heard last is in the middle of a window, too.
    let end = x.frames() + (WINDOW_SECONDS * x.rate) as usize;
    let mut most = f64::NEG_INFINITY;
    for from in (0..end).step_by(step) {
        meter.add_frames_f32(&interleaved(x, from..end.min(from + step))).map_err(failed)?;
        most = meter.loudness_momentary().map_err(failed)?.max(most);
    }
    if most.is_finite() { Ok(most) } else { Err("it is silent".into()) }
}

/// A meter that has heard all of a sound, piece by piece.
fn metered(x: &Heard) -> Meter {
    const PIECE: usize = 1 << 14;
    let mut meter = Meter::new(x.channels.len().max(1), x.rate as u32);
    for from in (0..x.frames()).step_by(PIECE) {
        meter.add(&interleaved(x, from..x.frames().min(from + PIECE)));
    }
    meter
}

/// Some frames of a sound; silence behind its end.
fn interleaved(x: &Heard, frames: Range<usize>) -> Vec<f32> {
    let at = |channel: &[f64], n: usize| channel.get(n).copied().unwrap_or_default() as f32;
    frames.flat_map(|n| x.channels.iter().map(move |channel| at(channel, n))).collect()
}
