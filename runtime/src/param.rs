//! Parameters of a program, as the compiler declares them.

use crate::ids::ParamId;
use std::sync::Arc;

/// How a parameter goes from one value to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum Curve {
    /// In a straight line.
    #[default]
    Linear,
    /// v0 + (v1 − v0)·(1 − e^(−3i/N))/(1 − e^(−3))
    Exp,
    /// At once, whatever ramp is asked for.
    Step,
}

impl Curve {
    /// What the distance that is left falls by in each frame of a ramp of so many, before it is scaled: e^(−3/N) where it is
    /// exponential, else 1.
    pub fn fall_per_frame(self, frames: u32) -> f64 {
        match self {
            Curve::Exp => libm::exp(-3.0 / f64::from(frames.max(1))),
            Curve::Linear | Curve::Step => 1.0,
        }
    }
}

/// Something that can be set while the program runs.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct ParamSlot {
    /// Path: `bd.gain`, or a knob's name.
    pub name: Arc<str>,
    /// Value at the start, in base units (Hz, s, plain).
    pub default: f64,
    /// Least value; −∞ when there is no range.
    pub min: f64,
    /// Greatest value; +∞ when there is no range.
    pub max: f64,
    /// How a ramp goes from one value to the next.
    pub curve: Curve,
    /// The ramp of a plain set, in frames; 0 for none.
    pub smooth: u32,
    /// The parameter that it follows until a note gives its voice a value: it is one voice's own share of that one. `None` for
    /// a parameter by itself.
    pub follows: Option<ParamId>,
}
