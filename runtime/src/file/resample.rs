//! From one rate to another: windowed-sinc interpolation, computed in f64.

use super::Sound;
use std::f64::consts::PI;

/// Zero crossings of the sinc on each side, at the lower of the two rates.
const CROSSINGS: f64 = 32.0;
/// Kaiser's window: about 100 dB of attenuation outside the band.
const BETA: f64 = 10.0;
/// The band that is kept, as a share of the lower rate's half.
const BAND: f64 = 0.95;

/// The same sound at `rate` frames a second; itself when that is its rate already. Frame n of the result is the
/// sound at n/`rate` seconds. The band below 0.9 of the lower rate's half is kept within 0.01 dB.
pub fn resample(sound: &Sound, rate: u32) -> Sound {
    if sound.rate == rate {
        return sound.clone();
    }
    let frames = (sound.frames() as u128 * u128::from(rate)).div_ceil(u128::from(sound.rate)) as usize;
    let kernel = Kernel::new(sound.rate, rate);
    let channels = sound.channels.iter().map(|c| kernel.run(c, frames)).collect();
    Sound { rate, channels }
}

/// The interpolating filter for each of the positions between two frames that occur: `phases` of them.
struct Kernel {
    from: u64,
    to: u64,
    reach: i64,
    taps: Vec<Vec<f64>>,
}

impl Kernel {
    fn new(from: u32, to: u32) -> Kernel {
        let divisor = gcd(from, to);
        let (from, to) = (u64::from(from / divisor), u64::from(to / divisor));
        let cutoff = BAND * (to as f64 / from as f64).min(1.0);
        let reach = (CROSSINGS / cutoff).ceil();
        let tap = |x: f64| cutoff * sinc(cutoff * x) * kaiser(x / (reach + 1.0));
        let taps = (0..to)
            .map(|phase| {
                let between = phase as f64 / to as f64;
                let row: Vec<f64> =
                    (-(reach as i64)..=reach as i64 + 1).map(|k| tap(k as f64 - between)).collect();
                // A constant stays exactly what it is.
                let sum: f64 = row.iter().sum();
                row.iter().map(|t| t / sum).collect()
            })
            .collect();
        Kernel { from, to, reach: reach as i64, taps }
    }

    fn run(&self, input: &[f32], frames: usize) -> Vec<f32> {
        (0..frames as u64).map(|n| self.at(input, n)).collect()
    }

    fn at(&self, input: &[f32], n: u64) -> f32 {
        let position = u128::from(n) * u128::from(self.from);
        let (base, phase) = (position / u128::from(self.to), position % u128::from(self.to));
        let first = base as i64 - self.reach;
        let sample =
            |i: i64| usize::try_from(i).ok().and_then(|i| input.get(i)).map_or(0.0, |&x| f64::from(x));
        let taps = &self.taps[phase as usize];
        taps.iter().zip(first..).map(|(t, i)| t * sample(i)).sum::<f64>() as f32
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Kaiser's window at x in [−1, 1], 1 in the middle.
fn kaiser(x: f64) -> f64 {
    bessel(BETA * (1.0 - x * x).max(0.0).sqrt()) / bessel(BETA)
}

/// The modified Bessel function I₀ by its series.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..60 {
        term *= (x / 2.0 / f64::from(k)).powi(2);
        sum += term;
    }
    sum
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
