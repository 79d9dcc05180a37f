//! Values that go on all the time: patterns without onsets.

use super::{draw, mix};
use crate::score::rational::{Overflow, Rational};

/// A signal between 0 and 1, one turn a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum Signal {
    /// 1/2 + sin(2πt)/2
    Sine,
    /// Rises from 0 to 1.
    Saw,
    /// Rises from 0 to 1 in the first half of the cycle and falls in the second.
    Tri,
    /// Goes smoothly from one random value to the next, one a cycle.
    Perlin(u64),
    /// Another random value at every instant.
    Rand(u64),
}

impl Signal {
    /// Its value at an instant, in cycles.
    ///
    /// # Errors
    /// When the next cycle does not fit.
    pub fn value(self, time: Rational) -> Result<f64, Overflow> {
        let phase = time.fract().to_f64();
        Ok(match self {
            Signal::Sine => 0.5 + 0.5 * libm::sin(phase * std::f64::consts::TAU),
            Signal::Saw => phase,
            Signal::Tri => 1.0 - (2.0 * phase - 1.0).abs(),
            Signal::Rand(seed) => draw(seed, time),
            Signal::Perlin(seed) => {
                let cycle = time.sam();
                let (from, to) = (draw(seed, cycle), draw(seed, (cycle + Rational::ONE)?));
                // 6t⁵ − 15t⁴ + 10t³: K. Perlin, "Improving noise" (2002).
                let bent = phase * phase * phase * (phase * (phase * 6.0 - 15.0) + 10.0);
                from + (to - from) * bent
            }
        })
    }

    /// The same signal with draws of its own.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Signal {
        match self {
            Signal::Perlin(_) => Signal::Perlin(mix(seed, 1)),
            Signal::Rand(_) => Signal::Rand(mix(seed, 2)),
            same => same,
        }
    }
}
