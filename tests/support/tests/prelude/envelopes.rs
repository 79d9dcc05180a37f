//! Envelopes: their times to the frame.

use crate::{mono, through};

/// The first frame that is not below.
fn reaches(x: &[f32], level: f32) -> usize {
    x.iter().position(|&v| v >= level).expect("it gets there")
}

#[test]
fn decay_falls_by_e_in_its_time() {
    let x = mono("out = decay(every(1s, 10ms), 50ms)\n", 48_000);
    assert!(x[..480].iter().all(|&v| v == 0.0));
    crate::close(&x[480..], |n| (-(n as f64) / 2_400.0).exp(), 3e-6);
}

#[test]
fn ad_is_a_line_and_a_fall_and_begins_where_it_is() {
    let x = mono("out = ad(every(25ms), 10ms, 40ms)\n", 4_000);
    let fall = |frames: f64| (-frames / 1_920.0).exp();
    let from = fall(720.0);
    crate::close(&x[..1_200], |n| if n < 480 { n as f64 / 480.0 } else { fall((n - 480) as f64) }, 1e-5);
    let again =
        |n: usize| if n < 480 { from + (1.0 - from) * n as f64 / 480.0 } else { fall((n - 480) as f64) };
    crate::close(&x[1_200..2_400], again, 1e-5);
    let sharp = mono("out = ad(every(1s), 0s, 40ms)\n", 1_000);
    crate::close(&sharp, |n| fall(n as f64), 1e-5);
}

/// What `language.md` says: straight lines, each in its whole time, from where it is.
#[test]
fn adsr_is_straight_lines_of_whole_times() {
    let text = "out = adsr(in.left, 10ms, 20ms, 40%, 30ms)\n";
    let gate: Vec<f32> = (0..9_600).map(|n| f32::from(u8::from((100..4_100).contains(&n)))).collect();
    let x = through(text, &[&gate]).0;
    assert!(x[..=100].iter().all(|&v| v == 0.0));
    let expected = |n: usize| {
        let t = n as f64 - 100.0;
        match n {
            0..100 => 0.0,
            100..580 => t / 480.0,
            580..1_540 => 1.0 - 0.6 * (t - 480.0) / 960.0,
            1_540..4_100 => 0.4,
            4_100..5_540 => 0.4 * (1.0 - (t - 4_000.0) / 1_440.0),
            _ => 0.0,
        }
    };
    crate::close(&x, expected, 1e-5);
    assert_eq!(reaches(&x, 1.0), 580);
    assert!(x[5_540..].iter().all(|&v| v == 0.0));
}

#[test]
fn adsr_goes_on_from_where_it_is() {
    // Ends in the middle of its attack, begins again in the middle of its release.
    let held = |n: usize| (0..240).contains(&n) || n >= 720;
    let gate: Vec<f32> = (0..4_800).map(|n| f32::from(u8::from(held(n)))).collect();
    let x = through("out = adsr(in.left, 10ms, 20ms, 50%, 20ms)\n", &[&gate]).0;
    let expected = |n: usize| {
        let t = n as f64;
        match n {
            0..240 => t / 480.0,
            240..720 => 0.5 * (1.0 - (t - 240.0) / 960.0),
            720..1_200 => 0.25 + 0.75 * (t - 720.0) / 480.0,
            1_200..2_160 => 1.0 - 0.5 * (t - 1_200.0) / 960.0,
            _ => 0.5,
        }
    };
    crate::close(&x, expected, 1e-5);
}

#[test]
fn adsr_without_times_is_the_gate() {
    let gate: Vec<f32> = (0..500).map(|n| f32::from(u8::from(n / 100 % 2 == 1))).collect();
    let x = through("out = adsr(in.left, 0s, 0s, 80%, 0s)\n", &[&gate]).0;
    crate::close(&x, |n| 0.8 * f64::from(gate[n]), 1e-6);
}

#[test]
fn slew_and_follow_have_time_constants() {
    let step: Vec<f32> = (0..9_600).map(|n| f32::from(u8::from((1_000..5_000).contains(&n)))).collect();
    let x = through("out = slew(in.left, 20ms)\n", &[&step]).0;
    let up = |n: usize, frames: f64| 1.0 - (-(n as f64 + 1.0) / frames).exp();
    crate::close(&x[1_000..5_000], |n| up(n, 960.0), 1e-5);
    let negative: Vec<f32> = step.iter().map(|v| -v).collect();
    let x = through("out = follow(in.left, 2ms, 50ms)\n", &[&negative]).0;
    crate::close(&x[1_000..5_000], |n| up(n, 96.0), 1e-5);
    crate::close(&x[5_000..], |n| (-(n as f64 + 1.0) / 2_400.0).exp(), 1e-5);
    let jump = through("out = slew(in.left, 0s)\n", &[&step]).0;
    assert_eq!(jump, step);
}

#[test]
fn a_long_period_is_counted_beyond_what_a_float_holds() {
    // 2²⁴ + 3 frames, and then as many again.
    let period = 16_777_219;
    let x = mono(&format!("out = every({period} / sr, 0.5 / sr)\n"), 2 * period + 4);
    let is: Vec<usize> = (0..x.len()).filter(|&n| x[n] != 0.0).collect();
    assert_eq!(is, [1, period + 1, 2 * period + 1]);
    // Nothing comes before its time, however far that is.
    let x = mono("out = every(1000000s, 10ms) + every(2, 1000000s)\n", 100_000);
    let is: Vec<usize> = (0..x.len()).filter(|&n| x[n] != 0.0).collect();
    assert_eq!(is, [480]);
}

#[test]
fn a_period_may_move() {
    let period = vec![(100.37 / 48_000.0) as f32; 4_000];
    let x = through("out = every(in.left * 1s)\n", &[&period]).0;
    let is: Vec<usize> = (0..x.len()).filter(|&n| x[n] != 0.0).collect();
    let should: Vec<usize> =
        (0..40).map(|k| (f64::from(k) * 100.37).round() as usize).take_while(|n| *n < 4_000).collect();
    assert_eq!(is, should);
}

#[test]
fn every_counts_exactly() {
    // 130 beats a minute: 22153.846… frames.
    for (period, offset) in [(60.0 / 130.0, 0.0), (0.0101, 0.003), (1.0 / 48_000.0, 0.0), (0.1, 0.25)] {
        let seconds = if period > 0.1 { 40 } else { 5 };
        let x = mono(&format!("out = every({period}s, {offset}s)\n"), seconds * 48_000);
        let is: Vec<usize> = (0..x.len()).filter(|&n| x[n] != 0.0).collect();
        let nominal = |k: usize| ((offset + k as f64 * period) * 48_000.0 + 0.5).floor() as usize;
        let should: Vec<usize> = (0..).map(nominal).take_while(|&n| n < x.len()).collect();
        assert_eq!(is, should, "period {period}");
        assert!(x.iter().all(|&v| v == 0.0 || v == 1.0));
    }
}
