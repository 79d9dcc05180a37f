//! Draws: pure functions of a seed and a moment, so that the order of queries is of no account.

use super::super::Rational;

/// One more word mixed into a seed (SplitMix64's finisher; Steele, Lea, Flood 2014).
pub fn mix(seed: u64, word: u64) -> u64 {
    let mut z = (seed ^ word.wrapping_mul(0xD6E8_FEB8_6659_FD93)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number in (0, 1) for the moment `time`.
pub fn draw(seed: u64, time: Rational) -> f64 {
    let word = |x: i128| mix(x as u64, (x >> 64) as u64);
    let bits = mix(mix(seed, word(time.num())), word(time.den()));
    ((bits >> 12) as f64 + 0.5) / (1u64 << 52) as f64
}
