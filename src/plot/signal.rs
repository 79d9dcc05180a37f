//! Sounds over time: waveform, envelope, loudness.

use super::axis::Axis;
use super::figure::{Figure, Layer, Panel};
use super::{Samples, decibels};
use ebur128::{EbuR128, Mode};

/// Places along the time axis that are told apart.
const COLUMNS: usize = 1752;
/// The lowest level of envelopes, in dB.
const FLOOR: f64 = -80.0;

/// The waveform of sounds: a panel for each channel, with the greatest and least sample and the root mean square at each
/// place. Several sounds lie over one another.
pub fn waveform(sounds: &[Samples]) -> Figure {
    let seconds = longest(sounds);
    let count = sounds.iter().map(|sound| sound.channels.len()).max().unwrap_or(0);
    let peak = sounds.iter().flat_map(|sound| sound.channels.iter().flatten());
    let peak = peak.filter(|x| x.is_finite()).fold(0.0_f32, |most, x| most.max(x.abs()));
    let most = if peak <= 1.0 { 1.0 } else { f64::from(peak) * 1.05 };
    let panel = |channel: usize| Panel {
        title: channel_name(channel, count).into(),
        x: Axis::seconds(seconds),
        y: Axis::linear("sample value", -most, most),
        layers: sounds
            .iter()
            .enumerate()
            .flat_map(|(i, sound)| bands(sound, channel, i, sounds.len()))
            .collect(),
        height: if count > 1 { 170.0 } else { 300.0 },
    };
    Figure { title: title("Waveform", sounds), panels: (0..count).map(panel).collect() }
}

fn channel_name(channel: usize, count: usize) -> &'static str {
    match (count, channel) {
        (2, 0) => "left",
        (2, 1) => "right",
        _ => "",
    }
}

/// The extremes and the root mean square of one channel.
fn bands(sound: &Samples, channel: usize, colour: usize, of: usize) -> Vec<Layer> {
    let Some(samples) = sound.channels.get(channel) else { return vec![] };
    let rate = f64::from(sound.rate);
    let mut extremes = vec![];
    let mut middle = vec![];
    for (start, piece) in pieces(samples, COLUMNS) {
        let time = start as f64 / rate;
        let finite = piece.iter().copied().filter(|x| x.is_finite());
        let (low, high) = finite.fold((f32::MAX, f32::MIN), |(low, high), x| (low.min(x), high.max(x)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 0.0) };
        extremes.push((time, f64::from(low), f64::from(high)));
        let rms = rms(piece);
        middle.push((time, -rms, rms));
    }
    if extremes.iter().all(|(_, low, high)| low == high) {
        // Fewer samples than places: a line from one to the next.
        let points = extremes.iter().map(|&(time, low, _)| (time, low)).collect();
        return vec![Layer::Curve { name: sound.name.clone(), points, colour }];
    }
    let opacity = if of > 1 { 0.45 } else { 0.55 };
    vec![
        Layer::Band { name: sound.name.clone(), bounds: extremes, colour, opacity },
        Layer::Band { name: String::new(), bounds: middle, colour, opacity },
    ]
}

/// The level of sounds over time in dBFS: peaks and root mean squares of pieces of 5 ms or longer.
pub fn envelope(sounds: &[Samples]) -> Figure {
    let seconds = longest(sounds);
    let mut layers = vec![];
    for (i, sound) in sounds.iter().enumerate() {
        let rate = f64::from(sound.rate);
        let least = (rate * 0.005) as usize;
        let mono = sound.mono();
        let count = (mono.len() / least.max(1)).clamp(1, COLUMNS);
        let (mut peaks, mut levels) = (vec![], vec![]);
        for (start, piece) in pieces(&mono, count) {
            let time = (start as f64 + piece.len() as f64 / 2.0) / rate;
            let peak = piece.iter().filter(|x| x.is_finite()).fold(0.0_f32, |most, x| most.max(x.abs()));
            peaks.push((time, decibels(f64::from(peak), FLOOR)));
            levels.push((time, decibels(rms(piece), FLOOR)));
        }
        let name = |what: &str| format!("{}, {what}", sound.name);
        layers.push(Layer::Curve { name: name("peak"), points: peaks, colour: 2 * i });
        layers.push(Layer::Curve { name: name("RMS"), points: levels, colour: 2 * i + 1 });
    }
    let y = Axis::linear("level in dBFS", FLOOR, 6.0);
    let panel = Panel { title: String::new(), x: Axis::seconds(seconds), y, layers, height: 340.0 };
    Figure { title: title("Envelope", sounds), panels: vec![panel] }
}

/// Loudness over time (EBU Tech 3341: momentary over 0.4 s, short-term over 3 s), and of all of it.
pub fn loudness(sounds: &[Samples]) -> Figure {
    let mut layers = vec![];
    let mut notes = vec![];
    let mut range = (0.0, -60.0);
    for (i, sound) in sounds.iter().enumerate() {
        let Some(measured) = measure(sound) else { continue };
        let all = measured.short.iter().chain(&measured.momentary);
        range = all.fold(range, |(low, high): (f64, f64), &(_, x)| (low.min(x), high.max(x)));
        let name = |what: &str| format!("{}, {what}", sound.name);
        layers.push(Layer::Curve { name: name("momentary"), points: measured.momentary, colour: 2 * i });
        layers.push(Layer::Curve { name: name("short-term"), points: measured.short, colour: 2 * i + 1 });
        if measured.integrated.is_finite() {
            let level = measured.integrated;
            layers.push(Layer::Curve {
                name: String::new(),
                points: vec![(0.0, level), (sound.seconds(), level)],
                colour: 2 * i,
            });
            notes.push(format!("{}: {level:.1} LUFS", sound.name));
        }
    }
    let y =
        Axis::linear("loudness in LUFS", range.0.max(-60.0).min(range.1 - 10.0), (range.1 + 3.0).min(6.0));
    let panel =
        Panel { title: notes.join(", "), x: Axis::seconds(longest(sounds)), y, layers, height: 340.0 };
    Figure { title: title("Loudness", sounds), panels: vec![panel] }
}

struct Loudness {
    momentary: Vec<(f64, f64)>,
    short: Vec<(f64, f64)>,
    integrated: f64,
}

/// `None` where BS.1770 does not say what so many channels or such a rate are.
fn measure(sound: &Samples) -> Option<Loudness> {
    /// Values a second, as EBU Tech 3341 asks for at least.
    const VALUES: usize = 10;
    /// Those of which the momentary and the short-term loudness are made: 0.4 s and 3 s.
    const MOMENTARY: usize = 4;
    const SHORT: usize = 30;
    /// What silence is drawn as.
    const SILENCE: f64 = -70.0;
    let channels = u32::try_from(sound.channels.len()).ok()?;
    let mut meter = EbuR128::new(channels, sound.rate, Mode::I | Mode::M).ok()?;
    let step = (sound.rate as usize / VALUES).max(1);
    // The power of each tenth of a second: each sample is added up once, however many values it is part of.
    let mut powers = vec![];
    for start in (0..sound.frames()).step_by(step) {
        let end = (start + step).min(sound.frames());
        let pieces: Vec<&[f32]> = sound.channels.iter().map(|channel| &channel[start..end]).collect();
        meter.add_frames_planar_f32(&pieces).ok()?;
        if end - start == step {
            powers.push(10_f64.powf(meter.loudness_window(1000 / VALUES as u32).ok()? / 10.0));
        }
    }
    let over = |count: usize| -> Vec<(f64, f64)> {
        let value = |(first, powers): (usize, &[f64])| {
            let time = ((first + count) * step) as f64 / f64::from(sound.rate);
            let power = powers.iter().sum::<f64>() / count as f64;
            (time, (10.0 * power.log10()).max(SILENCE))
        };
        powers.windows(count).enumerate().map(value).collect()
    };
    let integrated = meter.loudness_global().unwrap_or(f64::NEG_INFINITY);
    Some(Loudness { momentary: over(MOMENTARY), short: over(SHORT), integrated })
}

/// A sound in at most `count` pieces of one length, each with where it begins.
fn pieces(samples: &[f32], count: usize) -> impl Iterator<Item = (usize, &[f32])> {
    let length = samples.len().div_ceil(count.max(1)).max(1);
    samples.chunks(length).enumerate().map(move |(i, piece)| (i * length, piece))
}

fn rms(piece: &[f32]) -> f64 {
    let squares = piece.iter().filter(|x| x.is_finite()).map(|&x| f64::from(x) * f64::from(x));
    (squares.sum::<f64>() / piece.len().max(1) as f64).sqrt()
}

fn longest(sounds: &[Samples]) -> f64 {
    sounds.iter().map(Samples::seconds).fold(0.0, f64::max)
}

/// `Waveform of a and b`.
pub(super) fn title(what: &str, sounds: &[Samples]) -> String {
    let names: Vec<&str> = sounds.iter().map(|sound| &*sound.name).collect();
    format!("{what} of {}", names.join(" and "))
}
