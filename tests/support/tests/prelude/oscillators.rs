//! Oscillators: exact phase, levels of harmonics and aliases.

use crate::{RATE, close, mono, mono_at, through};
use mam_testing::measure::{amplitude, db, mean, peak, spectrum};
use std::f64::consts::{PI, TAU};

const SR: f64 = RATE as f64;
/// Frames of a spectrum: a frequency of k/PERIOD · rate repeats exactly in it.
const PERIOD: usize = 1 << 15;

/// One period of an oscillator that turns `turns` times in it, after another one.
fn period(oscillator: &str, turns: usize) -> Vec<f32> {
    let text = format!("out = {}\n", oscillator.replace('F', &format!("({turns} / {PERIOD} * sr)")));
    mono(&text, 2 * PERIOD).split_off(PERIOD)
}

/// A phase of 64 bits, as an f32 of its upper 24.
fn read(phase: u64) -> f32 {
    (phase >> 40) as f32 / 16_777_216.0
}

/// What a frequency adds to it in a frame.
fn step(f: f64, rate: u32) -> u64 {
    let cycles = f / f64::from(rate);
    ((cycles - cycles.round_ties_even()) * 2f64.powi(64)).round_ties_even() as i128 as u64
}

#[test]
fn a_sine_is_a_sine_and_does_not_drift_in_a_minute() {
    let frames = 60 * 48_000;
    for rate in [44_100, 48_000, 96_000] {
        let x = mono_at("out = sine(440.1Hz)\n", rate, frames);
        let turns = 440.1 / f64::from(rate);
        for start in [0, frames - 1_000] {
            close(&x[start..start + 1_000], |n| (TAU * turns * (start + n + 1) as f64).sin(), 1e-6);
        }
    }
}

#[test]
fn the_phase_of_a_held_frequency_is_exact_in_every_frame() {
    // Those of a few thousandths of a hertz add less than 2⁻²⁰ of a cycle: an error of 2⁻³² a frame shows at once.
    for (rate, f) in [
        (48_000, 440.1),
        (44_100, 1.0 / 128.0),
        (96_000, 1e-4),
        (48_000, -3.7e-3),
        (48_000, -1e-17),
        (48_000, 24_000.0),
        (48_000, 375.0),
        (44_100, 1e6 + 0.1),
    ] {
        let x = mono_at(&format!("out = phasor({f} * 1Hz)\n"), rate, 40_000);
        let step = step(f, rate);
        for (n, x) in x.iter().enumerate() {
            assert_eq!(*x, read(step.wrapping_mul(n as u64 + 1)), "{f} Hz of {rate}, frame {n}");
        }
    }
}

#[test]
fn a_held_parameters_phase_is_exact_while_another_parameter_moves() {
    let text = "effect slow {
  param rate  = 0.003Hz in 0.0001Hz..1Hz
  param depth = 0       in 0..1
  out = phasor(rate * 1.01) + 0 * depth * in
}
x = 0.5 |> slow()
play { x.depth \"0 1 0.5\" over 1 beat }
out = x
";
    let x = mono(text, 200_000);
    // The parameter is an f32 nowhere: not while the depth is led, and not between.
    let step = step(0.003 * 1.01, RATE);
    for (n, x) in x.iter().enumerate() {
        assert_eq!(*x, read(step.wrapping_mul(n as u64 + 1)), "frame {n}");
    }
}

#[test]
fn the_phase_of_a_moving_frequency_has_no_bias() {
    let frames = 20 * 48_000;
    let sine = |f: f64, n: usize| (TAU * f / SR * (n + 1) as f64).sin();
    let vibrato = |n: usize| 440.1 + 5.0 * sine(6.0, n);
    // Between 0.25 and 0.5, in steps that an f32 holds.
    let heard: Vec<f32> = (0..frames).map(|n| 0.25 + (n * 7 % 4_096) as f32 / 16_384.0).collect();
    let cases: [(&str, &dyn Fn(usize) -> f64); 4] = [
        ("440.1Hz + 5Hz * sine(6Hz)", &vibrato),
        ("(1 + 0.25 * sine(6Hz)) * 440.1Hz - 20Hz", &|n| (1.0 + 0.25 * sine(6.0, n)) * 440.1 - 20.0),
        ("333.3Hz * in.left", &|n| 333.3 * f64::from(heard[n])),
        ("in.left / 3ms", &|n| f64::from(heard[n]) / 3e-3),
    ];
    for (text, f) in cases {
        let x = through(&format!("out = phasor({text})\n"), &[&heard]).0;
        let mut phase = 0.0;
        let mut worst: f64 = 0.0;
        for (n, x) in x.iter().enumerate() {
            phase += f(n) / SR;
            let off = (f64::from(*x) - phase).rem_euclid(1.0);
            worst = worst.max(off.min(1.0 - off));
        }
        // A constant factor that is an f32 is up to 6·10⁻⁸ off: 5·10⁻⁴ of a cycle after this time.
        assert!(worst < 2e-5, "{text}: {worst}");
    }
}

#[test]
fn reset_begins_again_at_phase_0() {
    let x = mono("out = sine(1kHz, reset: every(10.1ms))\n", 4_848);
    // 10.1 ms are 484.8 frames: resets at 0, 485, 970, 1454, …
    for start in [0, 485, 970, 1454] {
        close(&x[start..start + 400], |n| (TAU * (n + 1) as f64 / 48.0).sin(), 2e-6);
    }
    for oscillator in ["saw", "tri", "square", "lfo", "lfo_tri", "lfo_square", "pulse"] {
        let more = if oscillator == "pulse" { ", 30%" } else { "" };
        let x = mono(&format!("out = {oscillator}(100Hz{more}, every(7ms))\n"), 2_000);
        // Those that are band-limited go over to phase 0 in eight samples.
        let over = if oscillator.starts_with("lfo") { 0 } else { 8 };
        assert_eq!(x[over..336], x[336 + over..672], "{oscillator}");
        assert!(x[336..344].iter().all(|x| x.abs() <= 1.0), "{oscillator}");
    }
}

/// The strongest line up to 16 kHz that is not a multiple of `f0`, in dB of the strongest one that is, from the second
/// second on.
fn folded(song: &str, f0: f64) -> f64 {
    const BLOCK: usize = 1 << 16;
    let x = mono(song, 48_000 + BLOCK);
    // A window whose side lobes are below −92 dB (four terms, Blackman and Harris); it is 4 lines wide to either side.
    let window = |n: usize| {
        let turn = |k: f64| (TAU * k * n as f64 / BLOCK as f64).cos();
        0.35875 - 0.48829 * turn(1.0) + 0.14128 * turn(2.0) - 0.01168 * turn(3.0)
    };
    let windowed: Vec<f32> =
        x[48_000..].iter().enumerate().map(|(n, x)| (f64::from(*x) * window(n)) as f32).collect();
    let (mut own, mut others) = (0.0_f64, 0.0_f64);
    for (line, level) in spectrum(&windowed).into_iter().enumerate().skip(8) {
        let f = line as f64 * SR / BLOCK as f64;
        let away = (f - f0 * (f / f0).round()).abs();
        match away > 12.0 {
            _ if f > 16_000.0 => {}
            true => others = others.max(level),
            false => own = own.max(level),
        }
    }
    db(others / own)
}

/// Resets come in samples, but a regular one is found between them: what folds back up to 16 kHz is below −60 dB for resets up
/// to 2 kHz, wherever the wave's own steps lie around them. (As plain steps they have −15 to −30 dB.)
#[test]
fn a_regular_reset_is_band_limited() {
    for (master, ratios) in [(441.7, [1.37, 2.717]), (1_234.5, [0.61, 2.37]), (2_010.0, [1.5, 3.71])] {
        for oscillator in ["saw", "square", "tri", "pulse"] {
            for slave in ratios.map(|ratio| ratio * master) {
                let song =
                    format!("m = phasor({master}Hz)\nout = {oscillator}({slave}Hz, reset: m < prev(m))\n");
                let folded = folded(&song, master);
                assert!(folded < -60.0, "{oscillator} of {slave} Hz, reset at {master} Hz: {folded} dB");
            }
        }
    }
}

/// The cubic B-spline's spectrum.
fn droop(f: f64) -> f64 {
    let turns = f / SR;
    if turns == 0.0 { 1.0 } else { ((PI * turns).sin() / (PI * turns)).powi(4) }
}

/// Each harmonic has the amplitude of the ideal wave, weakened by the smoothing; what folds back is quiet.
fn band_limited(oscillator: &str, ideal: impl Fn(usize) -> f64, folded_below: f64) {
    for turns in [37, 301, 683, 1_301, 3_413] {
        let x = period(oscillator, turns);
        let f0 = turns as f64 / PERIOD as f64 * SR;
        assert!(peak(&x) <= 1.0001, "{oscillator} at {f0} Hz: peak {}", peak(&x));
        let bins = spectrum(&x);
        for (bin, &level) in bins.iter().enumerate().skip(1) {
            let (harmonic, f) = (bin / turns, bin as f64 / PERIOD as f64 * SR);
            if bin % turns != 0 {
                // What has passed half the rate, and all that is audible of it.
                let limit = if f < 15_000.0 { folded_below } else { folded_below + 23.0 };
                let fundamental = ideal(1);
                assert!(
                    db(level / fundamental) < limit,
                    "{oscillator} at {f0} Hz folds {:.1} dB at {f} Hz",
                    db(level / fundamental)
                );
            } else if f < 0.4 * SR && ideal(harmonic) > 0.01 {
                let expected = ideal(harmonic) * droop(f);
                let off = db(level / expected).abs();
                assert!(off < 0.3, "{oscillator} at {f0} Hz: harmonic {harmonic} is off by {off:.2} dB");
            }
        }
    }
}

#[test]
fn the_saw_is_band_limited() {
    band_limited("saw(F)", |k| 2.0 / (PI * k as f64), -50.0);
}

#[test]
fn the_square_is_band_limited() {
    band_limited("square(F)", |k| if k % 2 == 1 { 4.0 / (PI * k as f64) } else { 0.0 }, -50.0);
}

#[test]
fn the_pulse_is_band_limited() {
    band_limited("pulse(F, 30%)", |k| 4.0 / (PI * k as f64) * (0.3 * PI * k as f64).sin().abs(), -50.0);
    band_limited("pulse(F)", |k| if k % 2 == 1 { 4.0 / (PI * k as f64) } else { 0.0 }, -50.0);
}

#[test]
fn the_triangle_is_band_limited() {
    let odd = |k: usize| if k % 2 == 1 { 8.0 / (PI * k as f64).powi(2) } else { 0.0 };
    band_limited("tri(F)", odd, -60.0);
}

#[test]
fn nothing_has_a_mean_but_a_lopsided_pulse() {
    for oscillator in ["sine(F)", "saw(F)", "square(F)", "pulse(F)", "tri(F)", "lfo(F)", "lfo_tri(F)"] {
        for turns in [37, 683, 3_413] {
            assert!(mean(&period(oscillator, turns)).abs() < 2e-4, "{oscillator}");
        }
    }
    let is = mean(&period("pulse(F, 20%)", 683));
    assert!((is + 0.6).abs() < 1e-3, "{is}");
}

#[test]
fn the_waves_are_where_they_should_be() {
    let turn = |n: usize| (n + 1) as f64 * 100.0 / SR % 1.0;
    let saw = |p: f64| if p < 0.5 { 2.0 * p } else { 2.0 * p - 2.0 };
    let tri = |p: f64| 1.0 - 4.0 * ((p + 0.25) % 1.0 - 0.5).abs();
    let far = |n: usize, from: f64| ((turn(n) - from + 1.5) % 1.0 - 0.5).abs() * 480.0 > 2.01;
    let x = mono("out = (saw(100Hz), lfo_tri(100Hz))\n", 4_800);
    close(&x, |n| if far(n, 0.5) { saw(turn(n)) } else { f64::from(x[n]) }, 1e-5);
    let x = mono("out = square(100Hz)\n", 4_800);
    let up = |p: f64, width: f64| if p < width { 1.0 } else { -1.0 };
    close(&x, |n| if far(n, 0.5) && far(n, 0.0) { up(turn(n), 0.5) } else { f64::from(x[n]) }, 1e-5);
    let x = mono("out = pulse(100Hz, 20%)\n", 4_800);
    close(&x, |n| if far(n, 0.2) && far(n, 0.0) { up(turn(n), 0.2) } else { f64::from(x[n]) }, 1e-5);
    let x = mono("out = tri(100Hz)\n", 4_800);
    close(&x, |n| if far(n, 0.25) && far(n, 0.75) { tri(turn(n)) } else { f64::from(x[n]) }, 1e-5);
    close(&mono("out = lfo_tri(100Hz)\n", 4_800), |n| tri(turn(n)), 1e-5);
    let square = mono("out = lfo_square(100.0001Hz)\n", 4_700);
    close(&square, |n| up(turn(n) + 1e-7, 0.5), if far(0, 0.0) { 0.0 } else { 2.0 });
}

#[test]
fn a_frequency_may_move_and_be_negative_and_beyond_the_rate() {
    for oscillator in ["saw(F)", "square(F)", "pulse(F, 10%)", "tri(F)"] {
        let text = format!("out = {}\n", oscillator.replace('F', "(3kHz + 40kHz * sine(7Hz))"));
        let x = mono(&text, 48_000);
        assert!(peak(&x) < 2.0 && peak(&x) > 0.5, "{oscillator}: {}", peak(&x));
        let text = format!("out = {}\n", oscillator.replace('F', "(0Hz)"));
        assert!(mono(&text, 100).iter().all(|v| v.is_finite()), "{oscillator}");
    }
    let falling = mono("out = saw(-750Hz)\n", 4_800);
    assert!((amplitude(&falling, 750.0, SR) - 2.0 / PI).abs() < 0.01);
}
