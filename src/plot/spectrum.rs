//! Sounds by frequency: the spectrum of all of it, and the spectrogram.

use super::axis::Axis;
use super::fft::Windowed;
use super::figure::{Figure, Layer, Panel};
use super::signal::title;
use super::{Samples, decibels};

/// The lowest frequency that is shown, in Hz.
const LOWEST: f64 = 20.0;
/// Samples of a piece whose spectrum is taken.
const LONG: usize = 8192;
/// The same for the spectrogram, where times are told apart.
const SHORT: usize = 2048;
/// Levels below this are not told from silence, in dB.
const FLOOR: f64 = -120.0;

/// The mean spectrum of sounds (Welch's method: Hann windows of 8192 samples that overlap by half), as the level of a sine
/// at each frequency; one between two of the bins, which are 5.9 Hz apart at 48 kHz, reads up to 1.4 dB low.
pub fn spectrum(sounds: &[Samples]) -> Figure {
    let layers: Vec<Layer> = sounds
        .iter()
        .enumerate()
        .map(|(colour, sound)| Layer::Curve { name: sound.name.clone(), points: mean(sound), colour })
        .collect();
    let nyquist = sounds.iter().map(|sound| f64::from(sound.rate) / 2.0).fold(LOWEST * 2.0, f64::max);
    let y = Axis::linear("level in dBFS", FLOOR, 6.0);
    let panel = Panel { title: String::new(), x: Axis::frequency(LOWEST, nyquist), y, layers, height: 360.0 };
    Figure { title: title("Spectrum", sounds), panels: vec![panel] }
}

fn mean(sound: &Samples) -> Vec<(f64, f64)> {
    let mono = sound.mono();
    let mut fft = Windowed::new(LONG);
    let mut powers = vec![0.0_f64; LONG / 2 + 1];
    let starts: Vec<usize> = (0..mono.len().saturating_sub(LONG).max(1)).step_by(LONG / 2).collect();
    for &start in &starts {
        let amplitudes = fft.amplitudes(&mono, start);
        powers.iter_mut().zip(amplitudes).for_each(|(power, x)| *power += f64::from(x) * f64::from(x));
    }
    let bin = f64::from(sound.rate) / LONG as f64;
    let points = powers
        .iter()
        .enumerate()
        .skip(1)
        .map(|(i, power)| (i as f64 * bin, decibels((power / starts.len() as f64).sqrt(), FLOOR)));
    by_columns(points.filter(|(frequency, _)| *frequency >= LOWEST).collect(), sound)
}

/// Of the points that fall on one pixel, the highest.
fn by_columns(points: Vec<(f64, f64)>, sound: &Samples) -> Vec<(f64, f64)> {
    const COLUMNS: f64 = 1200.0;
    let axis = Axis::frequency(LOWEST, f64::from(sound.rate) / 2.0);
    let column = |x: f64| (axis.place(x) * COLUMNS) as i64;
    let mut highest: Vec<(f64, f64)> = vec![];
    for (x, y) in points {
        match highest.last_mut() {
            Some(last) if column(last.0) == column(x) => last.1 = last.1.max(y),
            _ => highest.push((x, y)),
        }
    }
    highest
}

/// The spectrogram of sounds, one below another: the levels of frequencies from 20 Hz on (by ratios) over time, from −100 dBFS
/// (dark) to 0 dBFS (light).
pub fn spectrogram(sounds: &[Samples]) -> Figure {
    let seconds = sounds.iter().map(Samples::seconds).fold(0.0, f64::max);
    let panel = |sound: &Samples| {
        let nyquist = f64::from(sound.rate) / 2.0;
        let y = Axis::frequency(LOWEST, nyquist);
        let (values, columns) = heat(sound, &y, seconds);
        let title = format!("{}, {} to 0 dBFS from dark to light", sound.name, -RANGE);
        let layers = vec![Layer::Heat { values, columns }];
        Panel { title, x: Axis::seconds(seconds), y, layers, height: 340.0 }
    };
    Figure { title: title("Spectrogram", sounds), panels: sounds.iter().map(panel).collect() }
}

/// Decibels between the darkest and the lightest colour.
const RANGE: f64 = 100.0;

fn heat(sound: &Samples, y: &Axis, seconds: f64) -> (Vec<f32>, usize) {
    const COLUMNS: usize = 876;
    const ROWS: usize = 340;
    let mono = sound.mono();
    let mut fft = Windowed::new(SHORT);
    let bins = SHORT / 2 + 1;
    let bin = f64::from(sound.rate) / SHORT as f64;
    // The bins that a row covers; in the depths, where rows are narrower than bins, the middle of the row.
    let rows: Vec<(f64, f64)> = (0..ROWS)
        .map(|row| {
            let edge = |row: f64| (y.value(1.0 - row / ROWS as f64) / bin).min(bins as f64 - 1.0);
            let (high, low) = (edge(row as f64), edge(row as f64 + 1.0));
            if high - low < 1.0 { ((low + high) / 2.0, (low + high) / 2.0) } else { (low.ceil(), high) }
        })
        .collect();
    let mut values = vec![0.0; ROWS * COLUMNS];
    let mut amplitudes = vec![0.0; bins];
    for column in 0..COLUMNS {
        let time = (column as f64 + 0.5) / COLUMNS as f64 * seconds;
        let middle = (time * f64::from(sound.rate)) as usize;
        if middle >= mono.len() {
            continue;
        }
        let start = middle.saturating_sub(SHORT / 2);
        amplitudes.iter_mut().zip(fft.amplitudes(&mono, start)).for_each(|(old, new)| *old = new);
        for (row, &(low, high)) in rows.iter().enumerate() {
            let (first, part) = (low as usize, low.fract() as f32);
            let amplitude = if low < high {
                amplitudes[first..=high as usize].iter().fold(0.0, |most: f32, x| most.max(*x))
            } else {
                let next = amplitudes[(first + 1).min(bins - 1)];
                amplitudes[first] + (next - amplitudes[first]) * part
            };
            let level = decibels(f64::from(amplitude), -RANGE);
            values[row * COLUMNS + column] = (1.0 + level / RANGE) as f32;
        }
    }
    (values, COLUMNS)
}
