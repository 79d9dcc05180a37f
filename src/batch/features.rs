//! What is known of a sound without keeping it: levels, times, a spectrum, a hash.

use super::hash::sha256_of;
use super::render::{RowRenderer, on_threads};
use super::spectrum::{BANDS, Spectrum};
use super::{Row, Subject};
use clap::ValueEnum;
use ebur128::{Channel, EbuR128, Mode};
use serde::{Deserialize, Serialize};
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What can be known of a sound without keeping it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Feature {
    /// The greatest absolute value of a sample; 1 is full scale
    Peak,
    /// Root of the mean square of all samples
    Rms,
    /// Integrated loudness in LUFS (ITU-R BS.1770-5); empty in silence and below 0.4 s
    Lufs,
    /// Seconds before the first sample of at least a hundredth (−40 dB) of the peak
    Onset,
    /// Seconds up to the last sample of at least a thousandth (−60 dB) of the peak
    Length,
    /// Mean frequency in Hz, weighted by power
    Centroid,
    /// RMS in nine octave bands around 63 Hz to 16 kHz
    Bands,
    /// SHA-256 of the samples as 32-bit floats, little-endian
    Hash,
}

impl Feature {
    /// All of them, in the order of their columns.
    pub const ALL: [Feature; 8] = [
        Feature::Peak,
        Feature::Rms,
        Feature::Lufs,
        Feature::Onset,
        Feature::Length,
        Feature::Centroid,
        Feature::Bands,
        Feature::Hash,
    ];

    /// The columns that it fills in a table.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Feature::Peak => &["peak"],
            Feature::Rms => &["rms"],
            Feature::Lufs => &["lufs"],
            Feature::Onset => &["onset"],
            Feature::Length => &["length"],
            Feature::Centroid => &["centroid"],
            Feature::Bands => &[
                "band_63", "band_125", "band_250", "band_500", "band_1k", "band_2k", "band_4k", "band_8k",
                "band_16k",
            ],
            Feature::Hash => &["hash"],
        }
    }

    /// What it is called by flags and in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Feature::Bands => "bands",
            other => other.columns()[0],
        }
    }
}

/// The features that are asked for, each once and in the order of [`Feature`]: a sound is measured for these alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection(Vec<Feature>);

impl Selection {
    /// Selects the features, given in any order; all where there are none.
    pub fn new(asked: &[Feature]) -> Selection {
        let mut features = if asked.is_empty() { Feature::ALL.to_vec() } else { asked.to_vec() };
        features.sort_unstable();
        features.dedup();
        Selection(features)
    }

    /// The features, in the order of their columns.
    pub fn features(&self) -> &[Feature] {
        &self.0
    }

    fn has_any(&self, features: &[Feature]) -> bool {
        features.iter().any(|feature| self.0.contains(feature))
    }
}

/// What was measured of a sound. What was not asked for is NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    /// The numbers of a feature, one a column; none of the hash, which is text.
    pub fn numbers(&self, feature: Feature) -> &[f64] {
        match feature {
            Feature::Peak => slice::from_ref(&self.peak),
            Feature::Rms => slice::from_ref(&self.rms),
            Feature::Lufs => slice::from_ref(&self.lufs),
            Feature::Onset => slice::from_ref(&self.onset),
            Feature::Length => slice::from_ref(&self.length),
            Feature::Centroid => slice::from_ref(&self.centroid),
            Feature::Bands => &self.bands,
            Feature::Hash => &[],
        }
    }
}

/// Measures sounds of one rate and so many channels, one after the other.
pub struct Extractor {
    rate: u32,
    channels: usize,
    selection: Selection,
    spectrum: Spectrum,
    /// The mean of all channels.
    mono: Vec<f32>,
    /// The samples as bytes.
    bytes: Vec<u8>,
}

impl Extractor {
    /// Measures the selected features of sounds of `channels` channels, at least 1.
    pub fn new(rate: u32, channels: usize, selection: Selection) -> Extractor {
        Extractor { rate, channels, selection, spectrum: Spectrum::new(rate), mono: vec![], bytes: vec![] }
    }

    /// The features that it measures, in the order of their columns.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The numbers of interleaved frames, whose samples are finite.
    pub fn features(&mut self, sound: &[f32]) -> Features {
        use Feature::{Bands, Centroid, Length, Lufs, Onset, Peak, Rms};
        let unasked = f64::NAN;
        let mut found = Features {
            peak: unasked,
            rms: unasked,
            lufs: unasked,
            onset: unasked,
            length: unasked,
            centroid: unasked,
            bands: [unasked; BANDS.len()],
        };
        if self.selection.has_any(&[Peak, Rms, Onset, Length]) {
            self.measure_levels(sound, &mut found);
        }
        if self.selection.has_any(&[Centroid, Bands, Lufs]) {
            self.mix(sound);
        }
        if self.selection.has_any(&[Centroid, Bands]) {
            let powers = self.spectrum.powers(&self.mono);
            (found.centroid, found.bands) = (powers.centroid, powers.bands.map(f64::sqrt));
        }
        if self.selection.has_any(&[Lufs]) {
            found.lufs = self.loudness(sound);
        }
        found
    }

    /// The hash of a sound: of its samples as 32-bit floats, little-endian. `None` where it is not asked for.
    pub fn hash(&mut self, sound: &[f32]) -> Option<String> {
        self.selection.has_any(&[Feature::Hash]).then(|| {
            self.bytes.clear();
            put_floats(sound, &mut self.bytes);
            sha256_of(&self.bytes)
        })
    }

    fn measure_levels(&self, sound: &[f32], found: &mut Features) {
        let Levels { peak, squares } = Levels::measure(sound);
        let seconds = |sample: usize| (sample / self.channels) as f64 / f64::from(self.rate);
        let reaches = |part: f32| move |x: &f32| peak > 0.0 && x.abs() >= peak * part;
        found.peak = f64::from(peak);
        found.rms = (squares / sound.len().max(1) as f64).sqrt();
        found.onset = sound.iter().position(reaches(0.01)).map_or(0.0, seconds);
        let last = sound.iter().rposition(reaches(0.001));
        found.length = last.map_or(0.0, |last| seconds(last + self.channels));
    }

    fn mix(&mut self, sound: &[f32]) {
        self.mono.clear();
        let share = 1.0 / self.channels as f32;
        match self.channels {
            1 => self.mono.extend_from_slice(sound),
            2 => self.mono.extend(sound.as_chunks().0.iter().map(|[left, right]| (left + right) * share)),
            channels => {
                self.mono.extend(sound.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() * share))
            }
        }
    }

    /// The loudness of a sound whose mean is in `mono`. Two equal channels are filtered as one, which counts twice.
    fn loudness(&self, sound: &[f32]) -> f64 {
        let is_dual_mono =
            self.channels == 2 && sound.as_chunks().0.iter().all(|[left, right]| left == right);
        let (channels, heard) = if is_dual_mono { (1, &self.mono[..]) } else { (self.channels, sound) };
        let measured = u32::try_from(channels).ok().and_then(|channels| {
            let mut meter = EbuR128::new(channels, self.rate, Mode::I).ok()?;
            if is_dual_mono {
                meter.set_channel(0, Channel::DualMono).ok()?;
            }
            meter.add_frames_f32(heard).ok()?;
            meter.loudness_global().ok()
        });
        measured.filter(|lufs| lufs.is_finite()).unwrap_or(f64::NAN)
    }
}

/// The greatest absolute value of samples, and the sum of their squares.
struct Levels {
    peak: f32,
    squares: f64,
}

/// In how many lanes levels are gathered: always so many, so that sums are rounded alike on every machine.
const LANES: usize = 8;

impl Levels {
    fn measure(sound: &[f32]) -> Levels {
        let (groups, rest) = sound.as_chunks::<LANES>();
        let mut last = [0.0; LANES];
        last[..rest.len()].copy_from_slice(rest);
        let (mut peaks, mut squares) = ([0.0_f32; LANES], [0.0_f64; LANES]);
        for group in groups.iter().chain([&last]) {
            for (lane, x) in group.iter().enumerate() {
                let level = x.abs();
                peaks[lane] = if level > peaks[lane] { level } else { peaks[lane] };
                squares[lane] += f64::from(x * x);
            }
        }
        Levels { peak: peaks.into_iter().fold(0.0, f32::max), squares: squares.iter().sum() }
    }
}

/// Appends samples as 32-bit floats, little-endian.
pub(super) fn put_floats(sound: &[f32], into: &mut Vec<u8>) {
    let first = into.len();
    into.resize(first + 4 * sound.len(), 0);
    let places = into[first..].as_chunks_mut().0.iter_mut();
    places.zip(sound).for_each(|(to, x)| *to = x.to_le_bytes());
}

/// The selected features of rows of `frames` frames, and the hashes of their sounds where these are asked for; on so many threads.
pub fn features_of(
    subject: &Subject,
    rows: &[Row],
    frames: u64,
    threads: usize,
    selection: &Selection,
) -> Vec<(Features, Option<String>)> {
    let all = Mutex::new(vec![None; rows.len()]);
    let next = AtomicUsize::new(0);
    let serve = || {
        let mut renderer = RowRenderer::new(subject, frames);
        let mut extractor = Extractor::new(subject.program.rate, subject.channels(), selection.clone());
        let dealt = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&index| index < rows.len());
        while let Some(index) = dealt() {
            let (sound, _) = renderer.render(&rows[index]);
            let found = (extractor.features(sound), extractor.hash(sound));
            all.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(found);
        }
        renderer.rest();
    };
    on_threads(threads.min(rows.len()), serve);
    all.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().flatten().collect()
}

/// A number to six digits: what machines differ by in the last bits of a logarithm does not show.
pub fn shown(x: f64) -> String {
    if x.is_nan() {
        return String::new();
    }
    let rounded: f64 = format!("{x:.5e}").parse().unwrap_or(x);
    rounded.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A decaying sine of one second in the left channel, and `right` times it in the right one.
    fn decaying(right: f32) -> Vec<f32> {
        let sample = |i: usize| {
            let seconds = i as f32 / 48_000.0;
            0.5 * (-4.0 * seconds).exp() * (880.0 * std::f32::consts::TAU * seconds).sin()
        };
        (0..48_000).flat_map(|i| [sample(i), right * sample(i)]).collect()
    }

    #[test]
    fn two_equal_channels_are_as_loud_as_two_channels_that_differ_in_a_bit() {
        let lufs = |sound: &[f32]| Extractor::new(48_000, 2, Selection::new(&[])).features(sound).lufs;
        let equal = decaying(1.0);
        let mut other = equal.clone();
        other[1001] = other[1001].next_up();
        assert!((lufs(&equal) - lufs(&other)).abs() < 1e-6, "{} {}", lufs(&equal), lufs(&other));
    }

    #[test]
    fn what_is_asked_for_does_not_depend_on_what_else_is() {
        let sound = decaying(0.3);
        let all = Extractor::new(48_000, 2, Selection::new(&[])).features(&sound);
        for feature in Feature::ALL {
            let mut alone = Extractor::new(48_000, 2, Selection::new(&[feature]));
            assert_eq!(alone.features(&sound).numbers(feature), all.numbers(feature), "{}", feature.name());
            assert_eq!(alone.hash(&sound).is_some(), feature == Feature::Hash);
        }
    }

    #[test]
    fn levels_are_those_of_all_samples() {
        for length in [0, 1, 7, 8, 9, 23] {
            let sound: Vec<f32> = (0..length).map(|i| i as f32 - 11.0).collect();
            let levels = Levels::measure(&sound);
            assert_eq!(levels.peak, sound.iter().fold(0.0, |peak, x| x.abs().max(peak)));
            assert_eq!(levels.squares, sound.iter().map(|x| f64::from(x * x)).sum::<f64>());
        }
    }
}
