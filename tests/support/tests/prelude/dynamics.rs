//! The compressor and what it measures, against the static curve and times of its definition.

use crate::{RATE, mono, through};
use mam_testing::measure::{amplitude, db};

const SR: f64 = RATE as f64;

/// The level that a sine of 1 kHz has after the compressor, in dB.
fn level_after(args: &str, level_db: f64) -> f64 {
    let text = format!("out = {level_db}dB * sine(1kHz) |> compressor({args})\n");
    db(amplitude(&mono(&text, 96_000)[48_000..], 1_000.0, SR))
}

#[test]
fn the_compressor_has_its_static_curve() {
    for (args, threshold, ratio, makeup) in [
        ("", -18.0, 4.0, 0.0),
        ("threshold: -30dB, ratio: 10, makeup: 6dB", -30.0, 10.0, 6.0),
        ("threshold: -6dB, ratio: 2, attack: 1ms, release: 500ms", -6.0, 2.0, 0.0),
        ("ratio: 1", -18.0, 1.0, 0.0),
    ] {
        for level in [-60.0, -31.0, -18.0, -12.0, -3.0, 0.0] {
            let over = f64::max(level - threshold, 0.0);
            let expected = level - over * (1.0 - 1.0 / ratio) + makeup;
            let is = level_after(args, level);
            assert!((is - expected).abs() < 0.25, "({args}) at {level} dB: {is} instead of {expected}");
        }
    }
}

#[test]
fn the_compressor_attacks_and_releases_in_its_times() {
    // Threshold −20 dB, ratio 2: a level of 1 asks for 10 dB, and −40 dB for none.
    let text = "out = (1, 1) |> compressor(-20dB, 2, 10ms, 120ms, key: in)\n";
    let key: Vec<f32> = (0..96_000).map(|n| if (4_800..48_000).contains(&n) { 1.0 } else { 0.01 }).collect();
    let gain = through(text, &[&key]).0;
    let (attack, release) = (480.0, 5_760.0);
    let expected = |n: usize| {
        let reduction = match n {
            0..4_800 => 0.0,
            4_800..48_000 => 10.0 * (1.0 - (-((n - 4_799) as f64) / attack).exp()),
            // The fall of the level by one time, smoothed by the other.
            _ => {
                let t = (n - 47_999) as f64;
                10.0 * (release * (-t / release).exp() - attack * (-t / attack).exp()) / (release - attack)
            }
        };
        10_f64.powf(-reduction / 20.0)
    };
    crate::close(&gain, expected, 2e-3);
}

#[test]
fn the_compressor_links_its_sides_and_listens_to_its_key() {
    let loud = vec![1.0; 48_000];
    let quiet = vec![0.1; 48_000];
    let (left, right) = through("out = in |> compressor(-20dB, 4)\n", &[&loud, &quiet]);
    let last = |x: &[f32]| db(f64::from(x[47_999]));
    assert!((last(&left) + 15.0).abs() < 0.1 && (last(&right) + 35.0).abs() < 0.1);
    let key = |text: &str| through(text, &[&loud, &quiet]);
    let (left, _) = key("a = 0.5 * in.right\nout = a |> compressor(-20dB, 4, key: in)\n");
    assert!((last(&left) + 26.02 + 15.0).abs() < 0.1);
    let (left, _) = key("a = in.left\nout = a |> compressor(-10dB, 4, key: in.right)\n");
    assert!(last(&left).abs() < 1e-3, "a quiet key asks for nothing");
}

#[test]
fn the_drive_is_a_hyperbolic_tangent() {
    let ramp: Vec<f32> = (-100..=100).map(|i| i as f32 / 50.0).collect();
    let x = through("out = in |> drive\n", &[&ramp]).0;
    crate::close(&x, |n| (2.0 * f64::from(ramp[n])).tanh(), 2e-6);
    let x = through("out = in |> drive(10)\n", &[&ramp]).0;
    crate::close(&x, |n| (10.0 * f64::from(ramp[n])).tanh(), 2e-6);
}
