//! Pictures of sounds and scores, as SVG and PNG: what `mamc plot` writes, and what a failing test shows.
//!
//! * [`figure`]: panels with axes, units and layers; [`axis`]: where ticks stand and what is written at them;
//! * [`paint`]: the few shapes that a figure is drawn with; [`svg`] and [`raster`]: both kinds of files;
//! * [`signal`]: waveform, envelope, loudness; [`spectrum`]: spectrum and spectrogram; [`response`]: frequency responses;
//! * [`score`]: piano roll, and what the score does to parameters.
//!
//! ```
//! use mamc::plot::{Samples, signal};
//! let sound = Samples { name: "a click".into(), rate: 48_000, channels: vec![vec![1.0, 0.5, 0.0, 0.0]] };
//! let figure = signal::waveform(&[sound]);
//! assert!(figure.svg().starts_with("<svg"));
//! assert!(figure.png().unwrap().starts_with(b"\x89PNG"));
//! ```

pub mod axis;
mod fft;
pub mod figure;
pub mod paint;
pub mod raster;
pub mod response;
pub mod score;
pub mod signal;
pub mod spectrum;
pub mod svg;

pub use axis::Axis;
pub use figure::{Figure, Layer, Panel};

/// A sound that is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// What it is called in the legend.
    pub name: String,
    /// How many frames a second has.
    pub rate: u32,
    /// The samples of each channel, all of one length.
    pub channels: Vec<Vec<f32>>,
}

impl Samples {
    /// How many frames there are.
    pub fn frames(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }

    /// Its length in seconds.
    pub fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.rate)
    }

    /// The mean of all channels.
    pub fn mono(&self) -> Vec<f32> {
        let count = self.channels.len().max(1) as f32;
        let mut sum = vec![0.0; self.frames()];
        for channel in &self.channels {
            sum.iter_mut().zip(channel).for_each(|(sum, x)| *sum += x / count);
        }
        sum
    }
}

/// An amplitude in dB; never below `floor`.
pub(crate) fn decibels(amplitude: f64, floor: f64) -> f64 {
    if amplitude > 0.0 { (20.0 * amplitude.log10()).max(floor) } else { floor }
}
