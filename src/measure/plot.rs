//! A figure of what was measured: the wave, its level, its spectrum or its response, whichever the measure looks at, with a
//! title that says what was expected and what is.

use crate::plot::response::response;
use crate::plot::signal::waveform;
use crate::plot::{Axis, Figure, Layer, Panel, Samples, decibels};
use mam_compiler::expect::Check;
use mam_compiler::expect::measures::Measure;
use mam_measure::Heard;
use mam_measure::stimulus::SMALL;
use mam_measure::window::Spectrum;

/// Points that a curve has at most: more cannot be told apart.
const COLUMNS: usize = 1600;
/// The lowest level that is shown, in dB: below what any measure asks for.
const FLOOR: f64 = -160.0;
/// The highest level that is shown, in dB.
const TOP: f64 = 6.0;
/// The height of a panel in pixels.
const HEIGHT: f64 = 300.0;

/// What a check has measured: `heard` is one sound for each of its subjects. `expected` is the check, `measured` what came
/// out.
pub fn figure(check: &Check, heard: &[Heard], expected: String, measured: String) -> Figure {
    let mut panels = match check.measure {
        Measure::Alias
        | Measure::Thd
        | Measure::Thdn
        | Measure::Sfdr
        | Measure::Snr
        | Measure::Partial
        | Measure::Harmonic
        | Measure::Centroid
        | Measure::Slope
        | Measure::Pitch => vec![spectrum(heard.first())],
        Measure::Response | Measure::Phase | Measure::GroupDelay => {
            response(&samples(heard, 1.0 / SMALL)).panels
        }
        Measure::Rt60 | Measure::Fall | Measure::Silent | Measure::Floor | Measure::Density => {
            vec![level(heard.first())]
        }
        _ => waveform(&samples(heard, 1.0)).panels,
    };
    if let Some(first) = panels.first_mut() {
        first.title = measured;
    }
    Figure { title: expected, panels }
}

/// Sounds without a name, times a gain. Sides that are alike are one.
fn samples(heard: &[Heard], gain: f64) -> Vec<Samples> {
    let sound = |one: &Heard| {
        let channel = |channel: &Vec<f64>| channel.iter().map(|x| (x * gain) as f32).collect();
        let mut channels: Vec<Vec<f32>> = one.channels.iter().map(channel).collect();
        channels.dedup();
        Samples { name: String::new(), rate: one.rate as u32, channels }
    };
    heard.iter().map(sound).collect()
}

/// The greatest of each run of points, so that no peak is lost.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let run = points.len().div_ceil(COLUMNS).max(1);
    let top = |run: &[(f64, f64)]| run.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
    points.chunks(run).filter_map(top).collect()
}

fn panel(x: Axis, points: Vec<(f64, f64)>) -> Panel {
    let layers = vec![Layer::Curve { name: String::new(), points: thinned(points), colour: 0 }];
    Panel { title: String::new(), x, y: Axis::linear("level in dB", FLOOR, TOP), layers, height: HEIGHT }
}

/// The level of each sample of the first channel.
fn level(one: Option<&Heard>) -> Panel {
    let (sound, rate) = one.map_or((&[][..], 48_000.0), |one| (one.first(), one.rate));
    let points = sound.iter().enumerate().map(|(n, x)| (n as f64 / rate, decibels(x.abs(), FLOOR)));
    panel(Axis::seconds(sound.len() as f64 / rate), points.collect())
}

/// The spectrum that the measures look at: side lobes lie below −140 dB.
fn spectrum(one: Option<&Heard>) -> Panel {
    /// More frames than this show no more.
    const MOST: usize = 1 << 17;
    let (sound, rate) = one.map_or((&[][..], 48_000.0), |one| (one.first(), one.rate));
    let sound = &sound[..sound.len().min(MOST)];
    let points = match sound.is_empty() {
        true => vec![],
        false => {
            let spectrum = Spectrum::new(sound, rate);
            let level = |bin| decibels(spectrum.amplitude(bin), FLOOR);
            (1..spectrum.power.len()).map(|bin| (bin as f64 * spectrum.spacing, level(bin))).collect()
        }
    };
    panel(Axis::frequency(20.0, 0.5 * rate), points)
}
