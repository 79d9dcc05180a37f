//! Draws: pure functions of a seed and a moment, so that the order of queries is of no account.

use crate::hash::{GOLDEN_GAMMA, splitmix64};
use crate::score::rational::Rational;

/// A seed with one more word mixed in.
pub fn mix(seed: u64, word: u64) -> u64 {
    splitmix64((seed ^ word.wrapping_mul(0xD6E8_FEB8_6659_FD93)).wrapping_add(GOLDEN_GAMMA))
}

/// A number in (0, 1) for the moment `time`.
pub fn draw(seed: u64, time: Rational) -> f64 {
    let word = |x: i128| mix(x as u64, (x >> 64) as u64);
    let bits = mix(mix(seed, word(time.num())), word(time.den()));
    ((bits >> 12) as f64 + 0.5) / (1u64 << 52) as f64
}
