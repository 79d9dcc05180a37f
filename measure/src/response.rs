//! The answer to an impulse, by frequency.

use super::stimulus::SMALL;
use super::window::fourier;
use super::{Heard, Value};
use realfft::num_complex::Complex64;

/// The response at a frequency.
pub(super) fn at(x: &Heard, hz: f64) -> Complex64 {
    fourier(x.first(), hz, x.rate) / SMALL
}

/// The group delay at a frequency, in seconds: the real part of Σ n·x(n)·e^(−jωn) over Σ x(n)·e^(−jωn).
pub(super) fn group_delay(x: &Heard, hz: f64) -> Value {
    let ramp: Vec<f64> = x.first().iter().enumerate().map(|(n, x)| n as f64 * x).collect();
    let whole = fourier(x.first(), hz, x.rate);
    if whole.norm() == 0.0 {
        return Err("nothing comes through at this frequency".into());
    }
    Ok((fourier(&ramp, hz, x.rate) / whole).re / x.rate)
}
