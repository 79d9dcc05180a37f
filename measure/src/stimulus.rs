//! What flows into an expression while it is measured.

use std::f64::consts::TAU;

/// Frames of spectra of what is fed with a sine.
pub const FRAMES: usize = 65_536;

/// Height of the impulse to which what is not linear answers as if it were.
pub const SMALL: f64 = 1e-3;

/// RMS of the noise for an expression that names `in`: −12 dB.
const NOISE: f64 = 0.251_188_643_150_958;

/// The frequency of the nearest odd bin of [`FRAMES`]: its harmonics fold to bins of their own.
pub fn on_a_bin(hz: f64, rate: f64) -> f64 {
    let bin = (0.5 * (hz * FRAMES as f64 / rate - 1.0)).round().max(0.0);
    (2.0 * bin + 1.0) * rate / FRAMES as f64
}

/// An impulse of this height.
pub fn impulse(height: f64, frames: usize) -> Vec<f64> {
    (0..frames).map(|n| if n == 0 { height } else { 0.0 }).collect()
}

/// A sine with this peak.
pub fn sine(hz: f64, peak: f64, rate: f64, frames: usize) -> Vec<f64> {
    (0..frames).map(|n| peak * (TAU * (hz / rate * n as f64).fract()).sin()).collect()
}

/// White noise, evenly spread, the same each time (xorshift64*, G. Marsaglia 2003, S. Vigna 2016); another for another seed.
pub fn white(seed: u64, frames: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    // An even spread from −1 to 1 has the RMS 1/√3.
    (0..frames).map(|_| NOISE * 3_f64.sqrt() * next()).collect()
}

/// Pink noise of this RMS (P. Kellet's filter, music-dsp list, 1999, of the white one).
pub fn pink(rms: f64, frames: usize) -> Vec<f64> {
    const POLES: [(f64, f64); 6] = [
        (0.998_86, 0.055_517_9),
        (0.993_32, 0.075_075_9),
        (0.969, 0.153_852),
        (0.866_5, 0.310_485_6),
        (0.55, 0.532_952_2),
        (-0.761_6, -0.016_898),
    ];
    let (mut states, mut late) = ([0.0; 6], 0.0);
    let mut out = white(1, frames);
    for x in &mut out {
        let white = *x;
        for (state, (pole, gain)) in states.iter_mut().zip(POLES) {
            *state = pole * *state + gain * white;
        }
        *x = states.iter().sum::<f64>() + late + 0.536_2 * white;
        late = 0.115_926 * white;
    }
    let is = (out.iter().map(|x| x * x).sum::<f64>() / frames.max(1) as f64).sqrt().max(f64::MIN_POSITIVE);
    out.iter_mut().for_each(|x| *x *= rms / is);
    out
}
