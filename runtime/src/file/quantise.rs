//! From floats to integers of 16 or 24 bits: scaling, dither, noise shaping, rounding, clipping.

use crate::hash::{GOLDEN_GAMMA, splitmix64};

/// What is done about the error that cutting bits makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dither {
    /// Nothing: plain rounding. The error of quiet sounds is then a distortion.
    None,
    /// Triangular noise of ±1 step, so that the error is a steady hiss, independent of the sound.
    Tpdf,
    /// The same, and the error is moved to where the ear hears it least (meant for 44.1 and 48 kHz).
    Shaped,
}

/// The error-feedback filter of Lipshitz, Vanderkooy and Wannamaker, "Minimally Audible Noise Shaping"
/// (J. Audio Eng. Soc. 39, 1991), five coefficients.
const SHAPE: [f64; 5] = [2.033, -2.165, 1.959, -1.590, 0.6149];

/// Converts interleaved frames. The noise is a function of channel and frame alone: the same sound gives the same
/// file, in whatever portions it comes. An exact 0 with no error to make up for stays 0, so silence stays silent.
pub struct Quantiser {
    scale: f64,
    dither: Dither,
    /// Latest errors of each channel, newest first.
    errors: Vec<[f64; 5]>,
    sample: u64,
}

impl Quantiser {
    /// For samples of so many bits, 2 to 32, in frames of so many channels, at least 1.
    pub fn new(bits: u32, dither: Dither, channels: usize) -> Quantiser {
        let scale = f64::from(1_u32 << (bits - 1));
        Quantiser { scale, dither, errors: vec![[0.0; 5]; channels], sample: 0 }
    }

    /// Appends the integers of whole frames, interleaved. 1 and more is the greatest integer, −1 and less the least, what is not
    /// a number is 0.
    pub fn convert(&mut self, frames: &[f32], into: &mut Vec<i32>) {
        into.reserve(frames.len());
        for frame in frames.chunks_exact(self.errors.len()) {
            for (channel, &x) in frame.iter().enumerate() {
                into.push(self.quantise(f64::from(x), channel));
                self.sample += 1;
            }
        }
    }

    fn quantise(&mut self, x: f64, channel: usize) -> i32 {
        let wanted =
            if x.is_nan() { 0.0 } else { (x * self.scale).clamp(-2.0 * self.scale, 2.0 * self.scale) };
        let rounded = match self.dither {
            Dither::None => round(wanted),
            Dither::Tpdf if wanted == 0.0 => 0.0,
            Dither::Tpdf => round(wanted + self.noise()),
            Dither::Shaped => self.shaped(wanted, channel),
        };
        rounded.clamp(-self.scale, self.scale - 1.0) as i32
    }

    fn shaped(&mut self, wanted: f64, channel: usize) -> f64 {
        let noise = self.noise();
        let errors = &mut self.errors[channel];
        if wanted == 0.0 && errors.iter().all(|e| e.abs() < 0.5) {
            *errors = [0.0; 5];
            return 0.0;
        }
        let fed: f64 = errors.iter().zip(SHAPE).map(|(e, c)| e * c).sum();
        let target = wanted - fed;
        let rounded = round(target + noise);
        errors.rotate_right(1);
        errors[0] = rounded - target;
        rounded
    }

    /// Triangular in (−1, 1): the difference of two uniform numbers.
    fn noise(&self) -> f64 {
        let bits = hash(self.sample);
        let unit = f64::from(u32::MAX) + 1.0;
        (f64::from(bits as u32) - f64::from((bits >> 32) as u32)) / unit
    }
}

/// Nearest whole number, halves upwards. Nothing here is larger than a 64-bit integer.
fn round(x: f64) -> f64 {
    let y = x + 0.5;
    let cut = y as i64 as f64;
    if cut > y { cut - 1.0 } else { cut }
}

/// The `n`th number of SplitMix64 from the seed 0.
fn hash(n: u64) -> u64 {
    splitmix64(n.wrapping_add(1).wrapping_mul(GOLDEN_GAMMA))
}
