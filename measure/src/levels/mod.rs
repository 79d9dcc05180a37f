//! Levels of what is written: peak, true peak, loudness, and samples beyond full scale.

mod true_peak;

use ebur128::{EbuR128, Mode};
use serde::Serialize;
use std::fmt;
use true_peak::TruePeak;

/// What is above is beyond full scale, by more than rounding: a sine of level 1 reaches the next number after 1.
const FULL_SCALE: f32 = 1.0 + 8.0 * f32::EPSILON;

/// Measures interleaved frames as they come. Samples that are not finite count as 0.
pub struct Meter {
    true_peaks: Vec<TruePeak>,
    /// None where BS.1770 does not say what so many channels or such a rate are.
    loudness: Option<EbuR128>,
    peak: f32,
    over: u64,
    finite: Vec<f32>,
    channel: Vec<f32>,
}

/// What a [`Meter`] found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Levels {
    /// The greatest sample in dBFS; none in silence.
    pub peak: Option<f64>,
    /// The greatest value of the wave between the samples too, in dBTP (ITU-R BS.1770-5, annex 2, at eight times the rate).
    pub true_peak: Option<f64>,
    /// The greatest true peak that other meters may read: at least [`Levels::true_peak`], mostly the same.
    #[serde(skip)]
    pub highest_reading: Option<f64>,
    /// Integrated loudness in LUFS (ITU-R BS.1770-5); none in silence and below 0.4 s.
    pub loudness: Option<f64>,
    /// Samples beyond full scale, by more than 10⁻⁶. Files of integers hold them clipped, files of floats as they are.
    pub over: u64,
}

impl Meter {
    /// For so many channels, at least 1, at a rate.
    pub fn new(channels: usize, rate: u32) -> Meter {
        let loudness = u32::try_from(channels).ok().and_then(|c| EbuR128::new(c, rate, Mode::I).ok());
        let true_peaks = (0..channels).map(|_| TruePeak::default()).collect();
        Meter { true_peaks, loudness, peak: 0.0, over: 0, finite: vec![], channel: vec![] }
    }

    /// Takes whole frames, interleaved.
    pub fn add(&mut self, frames: &[f32]) {
        self.finite.clear();
        self.finite.extend(frames.iter().map(|x| if x.is_finite() { *x } else { 0.0 }));
        self.peak = self.finite.iter().fold(self.peak, |peak, x| peak.max(x.abs()));
        self.over += self.finite.iter().filter(|x| x.abs() > FULL_SCALE).count() as u64;
        let count = self.true_peaks.len();
        for (c, true_peak) in self.true_peaks.iter_mut().enumerate() {
            self.channel.clear();
            self.channel.extend(self.finite.iter().skip(c).step_by(count));
            true_peak.add(&self.channel);
        }
        if self.loudness.as_mut().is_some_and(|meter| meter.add_frames_f32(&self.finite).is_err()) {
            self.loudness = None;
        }
    }

    /// The levels of all frames.
    pub fn finish(self) -> Levels {
        let decibels = |x: f32| (x > 0.0).then(|| 20.0 * f64::from(x).log10());
        let found: Vec<_> = self.true_peaks.into_iter().map(TruePeak::finish).collect();
        let true_peak = found.iter().fold(self.peak, |peak, found| peak.max(found.peak));
        let reading = found.iter().fold(true_peak, |peak, found| peak.max(found.highest_reading));
        let loudness = self.loudness.and_then(|meter| meter.loudness_global().ok());
        Levels {
            peak: decibels(self.peak),
            true_peak: decibels(true_peak),
            highest_reading: decibels(reading),
            loudness: loudness.filter(|l| l.is_finite()),
            over: self.over,
        }
    }
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(peak), Some(true_peak)) = (self.peak, self.true_peak) else {
            return f.write_str("silence");
        };
        write!(f, "peak {peak:.1} dBFS, true peak {true_peak:.1} dBTP")?;
        self.loudness.map_or(Ok(()), |loudness| write!(f, ", {loudness:.1} LUFS"))
    }
}
