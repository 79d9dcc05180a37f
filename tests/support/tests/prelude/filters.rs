//! Filters: their responses against the formulas of their sources.

use crate::{RATE, impulse_response, mono, through};
use mam_testing::measure::{amplitude, db, mean, peak, response};
use realfft::num_complex::Complex64;
use std::f64::consts::TAU;

const SR: f64 = RATE as f64;
const FRAMES: usize = 1 << 16;
const PROBES: [f64; 12] =
    [10.0, 31.0, 99.0, 250.0, 700.0, 1_000.0, 1_800.0, 4_000.0, 7_777.0, 12_000.0, 18_000.0, 22_000.0];

fn z(f: f64) -> Complex64 {
    Complex64::from_polar(1.0, TAU * f / SR)
}

/// The song's answer to an impulse has the response `expected`, within 0.05 dB wherever it is above −90 dB.
#[track_caller]
fn has_response(text: &str, expected: impl Fn(f64) -> Complex64) {
    let x = impulse_response(text, FRAMES);
    for f in PROBES {
        let (is, should) = (response(&x, f, SR), expected(f));
        let off = (is - should).norm();
        let limit = (0.0058 * should.norm()).max(3e-5);
        let shown = (db(is.norm()), db(should.norm()));
        assert!(off < limit, "{text}at {f} Hz: {:.3} dB instead of {:.3} dB", shown.0, shown.1);
    }
}

/// A filter given constants, and given the same as signals, so that its coefficients are made anew each sample.
#[track_caller]
fn both_ways(call: &str, cutoff: f64, rest: &str, expected: impl Fn(f64) -> Complex64) {
    has_response(&format!("out = in |> {call}({cutoff}Hz{rest})\n"), &expected);
    has_response(&format!("out = in |> {call}({cutoff}Hz + 0 * in.left{rest})\n"), &expected);
}

/// R. Bristow-Johnson's "Audio EQ Cookbook", written from the text: b0, b1, b2, a0, a1, a2.
fn cookbook(kind: &str, f0: f64, q: f64, gain_db: f64) -> impl Fn(f64) -> Complex64 + use<> {
    let w = TAU * f0 / SR;
    let (s, c) = w.sin_cos();
    let alpha = s / (2.0 * q);
    let a = 10_f64.powf(gain_db / 40.0);
    let root = 2.0 * a.sqrt() * alpha;
    let (up, down) = (a + 1.0, a - 1.0);
    let [b0, b1, b2, a0, a1, a2] = match kind {
        "lowpass" => [(1.0 - c) / 2.0, 1.0 - c, (1.0 - c) / 2.0, 1.0 + alpha, -2.0 * c, 1.0 - alpha],
        "highpass" => [(1.0 + c) / 2.0, -1.0 - c, (1.0 + c) / 2.0, 1.0 + alpha, -2.0 * c, 1.0 - alpha],
        "bandpass" => [alpha, 0.0, -alpha, 1.0 + alpha, -2.0 * c, 1.0 - alpha],
        "notch" => [1.0, -2.0 * c, 1.0, 1.0 + alpha, -2.0 * c, 1.0 - alpha],
        "peak" => [1.0 + alpha * a, -2.0 * c, 1.0 - alpha * a, 1.0 + alpha / a, -2.0 * c, 1.0 - alpha / a],
        "lowshelf" => [
            a * (up - down * c + root),
            2.0 * a * (down - up * c),
            a * (up - down * c - root),
            up + down * c + root,
            -2.0 * (down + up * c),
            up + down * c - root,
        ],
        _ => [
            a * (up + down * c + root),
            -2.0 * a * (down + up * c),
            a * (up + down * c - root),
            up - down * c + root,
            2.0 * (down - up * c),
            up - down * c - root,
        ],
    };
    move |f| {
        let d = z(f).inv();
        (b0 + b1 * d + b2 * d * d) / (a0 + a1 * d + a2 * d * d)
    }
}

#[test]
fn the_biquads_are_the_cookbooks() {
    for kind in ["lowpass", "highpass", "bandpass", "notch"] {
        for (f0, q) in [(1_000.0, 0.707), (20.0, 0.707), (60.0, 8.0), (9_000.0, 3.0), (20_000.0, 0.5)] {
            both_ways(kind, f0, &format!(", {q}"), cookbook(kind, f0, q, 0.0));
        }
        both_ways(kind, 500.0, "", cookbook(kind, 500.0, 0.707, 0.0));
    }
}

#[test]
fn the_equalisers_are_the_cookbooks() {
    for kind in ["peak", "lowshelf", "highshelf"] {
        for (f0, gain, q) in
            [(1_000.0, 6.0, 0.707), (50.0, -12.0, 0.707), (8_000.0, 18.0, 2.0), (300.0, -3.0, 1.0)]
        {
            both_ways(kind, f0, &format!(", {gain}dB, {q}"), cookbook(kind, f0, q, gain));
        }
        both_ways(kind, 500.0, "", |_| Complex64::new(1.0, 0.0));
    }
}

#[test]
fn the_state_variable_filter_has_four_outputs() {
    for (f0, q) in [(800.0, 0.707), (30.0, 5.0), (11_000.0, 1.0)] {
        let scaled = |kind, by: f64| move |f| cookbook(kind, f0, q, 0.0)(f) * by;
        for (part, kind, by) in [
            ("low", "lowpass", 1.0),
            ("high", "highpass", 1.0),
            ("notch", "notch", 1.0),
            ("band", "bandpass", q),
        ] {
            has_response(&format!("out = (in |> svf({f0}Hz, {q})).{part}\n"), scaled(kind, by));
        }
    }
}

#[test]
fn the_one_pole_is_its_formula() {
    for cutoff in [5.0, 100.0, 3_000.0, 15_000.0] {
        let pole = (-TAU * cutoff / SR).exp();
        both_ways("onepole", cutoff, "", |f| (1.0 - pole) / (1.0 - pole * z(f).inv()));
    }
}

#[test]
fn the_dc_blocker_blocks_dc_alone() {
    let x = through("out = dcblock(in)\n", &[&vec![1.0; 48_000]]).0;
    assert!(peak(&x[24_000..]) < 1e-6 && x[0] > 0.99);
    let x = impulse_response("out = dcblock(in)\n", FRAMES);
    assert!(db(response(&x, 10.0, SR).norm()) < -2.8 && db(response(&x, 5.0, SR).norm()) < -6.5);
    for f in [100.0, 1_000.0, 20_000.0] {
        assert!(db(response(&x, f, SR).norm()).abs() < 0.05, "{f} Hz");
    }
    let sound = mono("out = dcblock(0.5 + sine(100Hz))\n", 96_000);
    assert!(mean(&sound[48_000..]).abs() < 1e-4);
}

#[test]
fn comb_and_allpass_are_their_formulas() {
    // 3 ms are 144 frames, 2.99 ms 143.52: read between two frames.
    for (time, whole, part) in [("3ms", 144.0, 0.0), ("2.99ms", 143.0, 0.52)] {
        let late = |f: f64| {
            let whole = Complex64::from_polar(1.0, -TAU * f / SR * whole);
            whole * (1.0 - part + part * z(f).inv())
        };
        has_response(&format!("out = in |> comb({time}, 70%)\n"), |f| (1.0 - 0.7 * late(f)).inv());
        has_response(&format!("out = in |> comb({time})\n"), |f| (1.0 - 0.5 * late(f)).inv());
        // The all-pass is read by one of first order: 143 frames and the rest.
        let rest = whole + part - 143.0;
        let lag = (1.0 - rest) / (1.0 + rest);
        let turned = |f: f64| {
            let step = z(f).inv();
            Complex64::from_polar(1.0, -TAU * f / SR * 143.0) * (step + lag) / (step * lag + 1.0)
        };
        has_response(&format!("out = in |> allpass({time}, 0.6)\n"), |f| {
            (turned(f) - 0.6) / (1.0 - 0.6 * turned(f))
        });
    }
    let x =
        impulse_response("out = chain x = in, i in 0..3 { allpass(x, 5.21ms + i * 3.3ms, 0.6) }\n", FRAMES);
    let whole_band = [50.0, 500.0, 5_000.0, 17_000.0];
    assert!(whole_band.iter().all(|&f| db(response(&x, f, SR).norm()).abs() < 0.01));
}

#[test]
fn filters_stay_stable_while_they_are_swept() {
    let sweep = "(2kHz * exp2(4 * sine(300Hz)))";
    for (filter, bound) in [
        ("svf(C, 8).low", 12.0),
        ("lowpass(C, 8)", 12.0),
        ("highpass(C, 8)", 12.0),
        ("bandpass(C, 8)", 3.0),
        ("peak(C, 12dB, 4)", 12.0),
        ("lowshelf(C, 12dB)", 12.0),
        ("highshelf(C, -12dB)", 12.0),
        ("onepole(C)", 1.1),
    ] {
        let x = mono(&format!("out = saw(110Hz) |> {}\n", filter.replace('C', sweep)), 96_000);
        assert!(peak(&x) < bound, "{filter}: {}", peak(&x));
        assert!(peak(&x[90_000..]) > 0.01, "{filter}");
    }
}

#[test]
fn cutoffs_out_of_all_bounds_do_no_harm() {
    for filter in [
        "svf(C).low",
        "lowpass(C)",
        "highpass(C)",
        "bandpass(C)",
        "notch(C)",
        "onepole(C)",
        "peak(C, 6dB)",
        "lowshelf(C, 6dB)",
        "highshelf(C, 6dB)",
    ] {
        for cutoff in ["0Hz", "24kHz", "90kHz"] {
            let x = mono(&format!("out = 0.5 * noise() |> {}\n", filter.replace('C', cutoff)), 9_600);
            assert!(peak(&x) < 3.0, "{filter} at {cutoff}");
        }
    }
}

#[test]
fn resonance_is_q() {
    let x = mono("out = sine(440Hz) |> lowpass(440Hz, 10)\n", 96_000);
    assert!((amplitude(&x[48_000..], 440.0, SR) - 10.0).abs() < 0.05);
}

/// The bound of a `tap` is the greatest value that its `max` can have: a constant, the end of a range, followed
/// through arithmetic.
#[test]
fn a_delay_takes_the_memory_that_its_bound_asks_for() {
    for (time, frames) in [("3ms", 256), ("t", 1_024), ("t / 1s * 1s", 1_024), ("2ms + 1ms * lfo(1Hz)", 256)]
    {
        let text = format!("knob t = 5ms in 1ms..20ms\nout = in.left |> comb({time})\n");
        let program = mam_testing::render::program("song.mam", &text, RATE, false);
        let lines: Vec<usize> = program.delays.values().map(|d| d.frames).collect();
        assert_eq!(lines, [frames], "{time}");
    }
}
