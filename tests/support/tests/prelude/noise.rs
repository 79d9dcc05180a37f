//! Noise: its mean, spread and spectrum.

use crate::{RATE, mono};
use mam_testing::measure::{band_power, db, mean, peak, rms};

const SR: f64 = RATE as f64;

#[test]
fn white_noise_is_white_and_each_uses_own() {
    let x = mono("out = noise()\n", 1 << 19);
    assert!(mean(&x).abs() < 2e-3 && (rms(&x).powi(2) - 1.0 / 3.0).abs() < 2e-3);
    assert!(peak(&x) <= 1.0 && peak(&x) > 0.9999);
    for lag in [1, 2, 63, 64, 4_096] {
        let alike = x.iter().zip(&x[lag..]).map(|(a, b)| f64::from(a * b)).sum::<f64>() / x.len() as f64;
        assert!(alike.abs() < 2e-3, "lag {lag}: {alike}");
    }
    for octave in 0..7 {
        let from = 93.75 * f64::from(1 << octave);
        let power = band_power(&x, 4_096, from, 2.0 * from, SR) / (from / (SR / 2.0) / 3.0);
        assert!(db(power.sqrt()).abs() < 0.5, "from {from} Hz: {} dB", db(power.sqrt()));
    }
    let both = mono("out = noise() - noise()\n", 1 << 16);
    assert!((rms(&both).powi(2) - 2.0 / 3.0).abs() < 0.01, "two uses are independent");
}

#[test]
fn pink_noise_has_equal_power_in_every_octave() {
    let x = mono("out = pink()\n", 1 << 20);
    assert!(mean(&x).abs() < 0.01 && (rms(&x) - 0.2).abs() < 0.02, "rms {}", rms(&x));
    assert!(peak(&x) < 1.2, "peak {}", peak(&x));
    let octave = |i: i32| {
        let from = 40.0 * 2_f64.powi(i);
        db(band_power(&x, 16_384, from, 2.0 * from, SR).sqrt())
    };
    let levels: Vec<f64> = (0..9).map(octave).collect();
    let middle = levels.iter().sum::<f64>() / levels.len() as f64;
    assert!(levels.iter().all(|l| (l - middle).abs() < 0.6), "{levels:?}");
}

#[test]
fn sample_and_hold_holds() {
    let x = mono("out = sah(0.25 + since(every(1s)) / 1000, every(10ms, 1ms))\n", 4_800);
    for (n, &v) in x.iter().enumerate() {
        let held = if n < 48 { 0.0 } else { 0.25 + (48 + (n - 48) / 480 * 480) as f32 / 1000.0 };
        assert!((v - held).abs() < 1e-5, "frame {n}: {v}, not {held}");
    }
}

#[test]
fn dust_falls_at_its_rate() {
    for rate in [3.0, 100.0, 4_000.0] {
        let seconds = if rate < 10.0 { 100 } else { 20 };
        let x = mono(&format!("out = dust({rate}Hz)\n"), seconds * 48_000);
        assert!(x.iter().all(|&v| v == 0.0 || v == 1.0));
        let (count, expected) = (x.iter().filter(|&&v| v == 1.0).count() as f64, rate * seconds as f64);
        assert!((count - expected).abs() < 4.0 * expected.sqrt(), "{count} instead of {expected}");
    }
}
