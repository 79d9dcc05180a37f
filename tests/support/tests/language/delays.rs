//! Delays between frames: their flatness, their length, the lines that they share.

use super::{impulse, mono, near, noise, through};
use mam_testing::measure::{amplitude, db, response};

const RATE: f64 = 48_000.0;

fn tapped(order: &str, frames: f64, x: &[f32]) -> Vec<f32> {
    through(&format!("out = tap(in.left, {frames} * dt, max: 40 * dt, order: {order})\n"), x)
}

#[test]
fn whole_and_linear_delays() {
    let x = noise(200);
    let at = |n: usize, ago: usize| n.checked_sub(ago).map_or(0.0, |then| f64::from(x[then]));
    let whole: Vec<f64> = (0..x.len()).map(|n| at(n, 9)).collect();
    near(&tapped("whole", 8.75, &x), &whole, 0.0, "whole");
    let linear: Vec<f64> = (0..x.len()).map(|n| 0.25 * at(n, 8) + 0.75 * at(n, 9)).collect();
    near(&tapped("linear", 8.75, &x), &linear, 1e-6, "linear");
    for order in ["cubic", "sinc", "linear", "whole"] {
        let eight: Vec<f64> = (0..x.len()).map(|n| at(n, 12)).collect();
        near(&tapped(order, 12.0, &x), &eight, 0.0, order);
    }
}

#[test]
fn between_samples_the_orders_are_as_flat_as_they_say() {
    let x = impulse(512);
    // Half a sample is the worst place.
    let level = |order: &str, f: f64| db(response(&tapped(order, 12.5, &x), f * RATE, RATE).norm());
    for f in [0.01, 0.05, 0.1, 0.125, 0.15] {
        assert!(level("cubic", f).abs() <= 0.2, "cubic at {f}: {} dB", level("cubic", f));
    }
    assert!((level("linear", 0.25) + 3.0).abs() < 0.02, "{}", level("linear", 0.25));
    for f in [0.02, 0.1, 0.2, 0.3, 0.45] {
        assert!(level("allpass", f).abs() < 1e-3, "allpass at {f}: {} dB", level("allpass", f));
    }
    for f in [0.02, 0.1, 0.2, 0.3] {
        assert!(level("sinc", f).abs() < 0.01, "sinc at {f}: {} dB", level("sinc", f));
    }
}

#[test]
fn delays_of_low_frequencies_are_as_long_as_they_say() {
    for order in ["linear", "cubic", "allpass", "sinc"] {
        for frames in [9.1, 10.5, 11.9] {
            let phase = response(&tapped(order, frames, &impulse(512)), 100.0, RATE).arg();
            let late = -phase / (std::f64::consts::TAU * 100.0 / RATE);
            assert!((late - frames).abs() < 0.01, "{order} {frames}: {late}");
        }
    }
}

/// A sine that is read at a moving place: all that is not it, against it.
fn distortion(order: &str) -> f64 {
    // A tenth of the rate, read ever later.
    let text = format!(
        "x = sine(4800Hz)\nt = 20 * dt + phasor(1Hz) * 30 * dt\nout = tap(x, t, max: t, order: {order})\n"
    );
    let sound = mono(&text, 24_000);
    let part = &sound[8_000..];
    let slope = 4800.0 * (1.0 - 30.0 / RATE);
    let tone = amplitude(part, slope, RATE);
    let (mut rest, tau) = (0.0f64, std::f64::consts::TAU);
    let turn = response(part, slope, RATE);
    let scale = 2.0 / part.len() as f64;
    for (n, x) in part.iter().enumerate() {
        let angle = tau * (slope / RATE * n as f64).fract();
        let model = scale * (turn.re * angle.cos() - turn.im * angle.sin());
        rest += (f64::from(*x) - model).powi(2);
    }
    db((2.0 * rest / part.len() as f64).sqrt() / tone)
}

#[test]
fn a_moving_sinc_is_clean_to_a_tenth_of_the_rate() {
    let (sinc, cubic, linear) = (distortion("sinc"), distortion("cubic"), distortion("linear"));
    assert!(sinc <= -90.0, "sinc {sinc}");
    assert!(cubic < linear - 10.0, "cubic {cubic}, linear {linear}");
}

#[test]
fn the_longest_delay_follows_from_ranges() {
    let text = "instrument i {\n  param size = 50% in 10%..200%\n  t = round(5ms * size * sr) / sr
  out = tap(trig, min(t, 1s) + 1 * dt, max: t + 1 * dt)\n  until 0\n}\nx = i()\nout = x\n";
    let sound = mono(text, 400);
    assert_eq!(sound.iter().position(|x| *x != 0.0), Some(121));
}

#[test]
fn delays_of_one_signal_share_a_line() {
    let program = |taps: usize| {
        let sum: Vec<String> = (1..=taps).map(|i| format!("tap(x, {i}ms, max: 1s)")).collect();
        let text = format!("x = in.left\nout = {}\n", sum.join(" + "));
        mam_testing::render::program("song.mam", &text, 48_000, false).delays.len()
    };
    assert_eq!(program(1), program(7));
}

/// The longest `tap` decides how long the line is that several of a name share, wherever it stands.
#[test]
fn a_shared_line_is_as_long_as_its_longest_tap_needs() {
    let x = noise(400);
    let at = |n: usize, ago: usize| n.checked_sub(ago).map_or(0.0, |then| f64::from(x[then]));
    for (first, second) in [(40, 100), (100, 40), (62, 63), (3, 300), (5, 250)] {
        let sound = through(
            &format!(
                "x = in.left\n\
                 out = tap(x, {first} * dt, max: {first} * dt) + 0.5 * tap(x, {second} * dt, max: {second} * dt)\n"
            ),
            &x,
        );
        let sums: Vec<f64> = (0..x.len()).map(|n| at(n, first) + 0.5 * at(n, second)).collect();
        near(&sound, &sums, 1e-6, &format!("{first} and {second}"));
    }
}
