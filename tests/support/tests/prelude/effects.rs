//! Effects: echoes at their places and levels, the tail of the reverb, the sweep of the chorus.

use crate::{RATE, impulse_response, stereo, through};
use mam_testing::measure::{amplitude, mean, peak, rms};

const SR: f64 = RATE as f64;

fn impulse(frames: usize) -> Vec<f32> {
    let mut x = vec![0.0; frames];
    x[0] = 1.0;
    x
}

#[test]
fn echoes_come_at_their_times_with_their_levels() {
    let x = impulse_response("out = in |> echo(time: 10ms, feedback: 50%, mix: 40%)\n", 4_800);
    crate::close(
        &x,
        |n| match n {
            0 => 0.6,
            n if n % 480 == 0 => 0.4 * 0.5_f64.powi((n / 480 - 1) as i32),
            _ => 0.0,
        },
        1e-6,
    );
    let defaults = impulse_response("out = in |> echo\n", 40_000);
    crate::close(
        &defaults,
        |n| match n {
            0 => 0.7,
            18_000 => 0.3,
            36_000 => 0.3 * 0.35,
            _ => 0.0,
        },
        1e-6,
    );
}

#[test]
fn an_echo_keeps_its_sides_apart() {
    let (left, right) = through("out = in |> echo(10ms, 0%, 100%)\n", &[&impulse(1_000), &vec![0.0; 1_000]]);
    assert!((left[480] - 1.0).abs() < 1e-6 && peak(&right) == 0.0);
}

#[test]
fn a_chorus_moves_around_8_ms() {
    let frames = 96_000;
    let at = |x: &[f32]| -> Vec<usize> {
        x.iter().enumerate().filter(|(_, v)| v.abs() > 0.3).map(|(n, _)| n).collect()
    };
    let still = through("out = in |> chorus(depth: 0ms, mix: 100%)\n", &[&impulse(2_000)]);
    assert_eq!((at(&still.0), at(&still.1)), (vec![384], vec![384]));
    // A click a hundred times a second: how late its copy is, follows the sine.
    let clicks: Vec<f32> = (0..frames).map(|n| f32::from(u8::from(n % 4_800 == 0))).collect();
    let (left, right) = through("out = in |> chorus(rate: 1Hz, depth: 3ms, mix: 100%)\n", &[&clicks]);
    for (side, shift) in [(&left, 0.0), (&right, 0.25)] {
        for start in (0..frames - 4_800).step_by(4_800) {
            let part = &side[start..start + 4_800];
            let late = part.iter().enumerate().map(|(n, &v)| n as f64 * f64::from(v)).sum::<f64>()
                / part.iter().map(|&v| f64::from(v)).sum::<f64>();
            let turn = (start as f64 + late) / SR + shift;
            let expected = 384.0 + 144.0 * (std::f64::consts::TAU * turn).sin();
            assert!((late - expected).abs() < 1.5, "{late} instead of {expected}");
        }
    }
    let (left, right) = stereo("out = sine(1kHz) |> chorus(mix: 0%)\n", 1_000);
    assert_eq!(left, right);
    assert!((amplitude(&left[..960], 1_000.0, SR) - 1.0).abs() < 1e-3);
}

/// Seconds in which the energy that is still to come falls by 60 dB: from where it is at −5 dB to −35 dB, doubled.
/// (M. R. Schroeder, "New method of measuring reverberation time", J. Acoust. Soc. Am. 37, 1965.)
fn reverberation(x: &[f32], rate: f64) -> f64 {
    let mut left: Vec<f64> = x
        .iter()
        .rev()
        .scan(0.0, |sum, &v| {
            *sum += f64::from(v) * f64::from(v);
            Some(*sum)
        })
        .collect();
    left.reverse();
    let falls = |by: f64| left.iter().position(|&e| e < left[0] * 10_f64.powf(-by / 10.0)).unwrap_or(x.len());
    (falls(35.0) - falls(5.0)) as f64 / rate * 2.0
}

#[test]
fn the_reverb_decays_as_its_combs_do() {
    // A comb of feedback g and length T falls by 60 dB in −3·T/log10(g): combs are 1116 to 1617 frames at 44.1 kHz.
    for (room, feedback) in [(0.0, 0.7_f64), (0.5, 0.84), (0.9, 0.952)] {
        let text = format!("out = in |> freeverb(room: {room}, damp: 0, mix: 100%)\n");
        let (left, right) = through(&text, &[&impulse(48_000 * 6)]);
        let time = |length: f64| -3.0 * length / 44_100.0 / feedback.log10();
        for side in [left, right] {
            let is = reverberation(&side, SR);
            assert!((0.9 * time(1_116.0)..1.1 * time(1_640.0)).contains(&is), "room {room}: {is} s");
        }
    }
}

#[test]
fn the_reverb_is_dull_wide_and_then_silent() {
    let (left, right) = through("out = in |> freeverb(mix: 100%)\n", &[&impulse(48_000 * 8)]);
    let first = left.iter().position(|&v| v != 0.0).unwrap();
    // The shortest comb, 1116 frames at 44.1 kHz, is the first to answer.
    assert_eq!(first, 1_215);
    let product = left.iter().zip(&right).map(|(a, b)| f64::from(a * b)).sum::<f64>() / left.len() as f64;
    assert!((product / (rms(&left) * rms(&right))).abs() < 0.3, "the sides differ");
    let loudness = rms(&left) / rms(&right);
    assert!((0.8..1.25).contains(&loudness), "{loudness}");
    assert!(peak(&left[48_000 * 6..]) < 1e-6, "it dies away");
    let (left, right) = through("out = in |> freeverb(width: 0%, mix: 100%)\n", &[&impulse(48_000)]);
    assert_eq!(left, right);
    let bright = |damp: &str| {
        let text = format!("out = in |> freeverb(damp: {damp}, mix: 100%)\n");
        let x = through(&text, &[&impulse(48_000)]).0;
        mam_testing::measure::band_power(&x[9_600..], 4_096, 4_000.0, 20_000.0, SR)
            / mam_testing::measure::band_power(&x[9_600..], 4_096, 100.0, 1_000.0, SR)
    };
    assert!(bright("100%") < 0.2 * bright("0%"));
}

#[test]
fn the_reverb_has_no_mean_and_a_sane_level() {
    let (x, _) = stereo("out = noise() |> freeverb(mix: 100%)\n", 48_000 * 4);
    assert!(mean(&x[48_000..]).abs() < 0.01);
    let level = rms(&x[48_000..]) / (1.0_f64 / 3.0).sqrt();
    assert!((0.2..1.0).contains(&level), "{level}");
    let (loud, _) = stereo("out = noise() |> freeverb(room: 100%, damp: 0%, mix: 100%)\n", 48_000 * 10);
    assert!(rms(&loud[48_000 * 9..]) < 3.0);
}

#[test]
fn the_reverb_has_the_same_times_at_every_rate() {
    for rate in [8_000, 44_100, 48_000, 96_000, 192_000] {
        let text = "x = every(10s)\nout = x |> freeverb(mix: 100%)\n";
        let x = crate::mono_at(text, rate, rate as usize / 5);
        let first = x.iter().position(|&v| v != 0.0).unwrap();
        assert_eq!(first, (1_116.0 * f64::from(rate) / 44_100.0).round() as usize);
        let text = "x = every(10s)\nout = x |> freeverb(damp: 0, mix: 100%)\n";
        let is = reverberation(&crate::mono_at(text, rate, 2 * rate as usize), f64::from(rate));
        assert!((is / 1.3 - 1.0).abs() < 0.01, "it rings for {is} s at {rate} Hz");
    }
}
