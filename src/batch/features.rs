//! What is known of a sound without keeping it: levels, times, a spectrum, a hash.

use super::hash::sha256_of;
use super::render::{RowRenderer, on_threads};
use super::spectrum::{BANDS, Spectrum};
use super::{Row, Subject};
use ebur128::{EbuR128, Mode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The names of the features, in the order of [`Features::values`].
pub const NAMES: [&str; 15] = [
    "peak", "rms", "lufs", "onset", "length", "centroid", "band_63", "band_125", "band_250", "band_500",
    "band_1k", "band_2k", "band_4k", "band_8k", "band_16k",
];

/// The features of a sound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Features {
    /// The greatest absolute value of a sample; 1 is full scale.
    pub peak: f64,
    /// Root of the mean square of all samples.
    pub rms: f64,
    /// Integrated loudness in LUFS (ITU-R BS.1770-5); NaN in silence and below 0.4 s.
    pub lufs: f64,
    /// Seconds before the first sample of at least a hundredth (−40 dB) of the peak; 0 in silence.
    pub onset: f64,
    /// Seconds up to the last sample of at least a thousandth (−60 dB) of the peak; 0 in silence.
    pub length: f64,
    /// Mean frequency in Hz, weighted by power; 0 in silence.
    pub centroid: f64,
    /// Roots of the mean squares in octave bands around 63 Hz to 16 kHz, of all channels' mean.
    pub bands: [f64; BANDS.len()],
}

impl Features {
    /// All of them, in the order of [`NAMES`].
    pub fn values(&self) -> [f64; NAMES.len()] {
        let mut all = [0.0; NAMES.len()];
        all[..6].copy_from_slice(&[self.peak, self.rms, self.lufs, self.onset, self.length, self.centroid]);
        all[6..].copy_from_slice(&self.bands);
        all
    }
}

/// Measures sounds of one rate and so many channels, one after the other.
pub struct Extractor {
    rate: u32,
    channels: usize,
    spectrum: Spectrum,
    mono: Vec<f32>,
}

impl Extractor {
    /// For sounds of `channels` channels, at least 1.
    pub fn new(rate: u32, channels: usize) -> Extractor {
        Extractor { rate, channels, spectrum: Spectrum::new(rate), mono: vec![] }
    }

    /// The features of interleaved frames, whose samples are finite.
    pub fn features(&mut self, sound: &[f32]) -> Features {
        let peak = sound.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
        let squares: f64 = sound.iter().map(|x| f64::from(x * x)).sum();
        let seconds = |sample: usize| (sample / self.channels) as f64 / f64::from(self.rate);
        let reaches = |part: f32| move |x: &f32| peak > 0.0 && x.abs() >= peak * part;
        let onset = sound.iter().position(reaches(0.01)).map_or(0.0, seconds);
        let last = sound.iter().rposition(reaches(0.001));
        let length = last.map_or(0.0, |last| seconds(last + self.channels));
        self.mix(sound);
        let powers = self.spectrum.powers(&self.mono);
        Features {
            peak: f64::from(peak),
            rms: (squares / sound.len().max(1) as f64).sqrt(),
            lufs: self.loudness(sound),
            onset,
            length,
            centroid: powers.centroid,
            bands: powers.bands.map(f64::sqrt),
        }
    }

    fn mix(&mut self, sound: &[f32]) {
        self.mono.clear();
        let share = 1.0 / self.channels as f32;
        self.mono.extend(sound.chunks_exact(self.channels).map(|frame| frame.iter().sum::<f32>() * share));
    }

    fn loudness(&self, sound: &[f32]) -> f64 {
        let measured = u32::try_from(self.channels).ok().and_then(|channels| {
            let mut meter = EbuR128::new(channels, self.rate, Mode::I).ok()?;
            meter.add_frames_f32(sound).ok()?;
            meter.loudness_global().ok()
        });
        measured.filter(|lufs| lufs.is_finite()).unwrap_or(f64::NAN)
    }
}

/// The features of rows of `frames` frames, in the order of [`NAMES`], and the hashes of their sounds; on so many threads.
pub fn features_of(
    subject: &Subject,
    rows: &[Row],
    frames: u64,
    threads: usize,
) -> (Vec<Vec<f64>>, Vec<String>) {
    let all = Mutex::new(vec![(vec![], String::new()); rows.len()]);
    let next = AtomicUsize::new(0);
    let serve = || {
        let mut renderer = RowRenderer::new(subject, frames);
        let mut extractor = Extractor::new(subject.program.rate, subject.channels());
        let mut bytes = vec![];
        let dealt = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&index| index < rows.len());
        while let Some(index) = dealt() {
            let row = &rows[index];
            let (sound, _) = renderer.render(row);
            bytes.clear();
            bytes.extend(sound.iter().flat_map(|x| x.to_le_bytes()));
            let found = (extractor.features(sound).values().to_vec(), hash(&bytes));
            all.lock().unwrap_or_else(PoisonError::into_inner)[index] = found;
        }
    };
    on_threads(threads.min(rows.len()), serve);
    all.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().unzip()
}

/// A number to six digits: what machines differ by in the last bits of a logarithm does not show.
pub fn shown(x: f64) -> String {
    if x.is_nan() {
        return String::new();
    }
    let rounded: f64 = format!("{x:.5e}").parse().unwrap_or(x);
    rounded.to_string()
}

/// The hash of a sound: of its samples as 32-bit floats, little-endian.
pub fn hash(bytes: &[u8]) -> String {
    sha256_of(bytes)
}
