//! Every measure of an `expect` against something that knows better: a closed form, or a computation of another kind, in f64.

use mam_compiler::expect::Check;
use mam_compiler::expect::measures::{Given, Measure};
use mam_grammar::Span;
use mam_measure::{Heard, stimulus, value};
use std::f64::consts::{PI, SQRT_2, TAU};

const RATE: f64 = 48_000.0;

/// A check of a measure with some arguments; into what answers, something flows.
fn check(measure: Measure, given: &[(&str, f64)]) -> Check {
    let row = measure.row();
    for (name, _) in given {
        assert!(row.params.iter().any(|param| param.name == *name), "{} has no `{name}`", row.name);
    }
    let value = |name: &str| given.iter().find(|(other, _)| *other == name).map(|(_, value)| *value);
    let given = row.params.iter().map(|param| match param.given {
        Given::Default(default) => Some(value(param.name).unwrap_or(default)),
        _ => value(param.name),
    });
    Check {
        item: 0,
        span: Span::default(),
        measure,
        given: given.collect(),
        subjects: vec![],
        fed: matches!(measure, Measure::Latency | Measure::Response | Measure::Phase | Measure::GroupDelay),
        bound: None,
    }
}

fn heard(channels: Vec<Vec<f64>>) -> Heard {
    Heard { rate: RATE, channels, finite: true, ..Heard::default() }
}

fn mono(sound: Vec<f64>) -> Heard {
    heard(vec![sound.clone(), sound])
}

fn of(measure: Measure, given: &[(&str, f64)], sound: &Heard) -> f64 {
    value(&check(measure, given), std::slice::from_ref(sound)).unwrap_or_else(|e| panic!("{measure:?}: {e}"))
}

fn db(ratio: f64) -> f64 {
    20.0 * ratio.log10()
}

fn near(what: f64, wanted: f64, tolerance: f64) {
    assert!((what - wanted).abs() <= tolerance, "{what} is not within {tolerance} of {wanted}");
}

fn sound(seconds: f64, of: impl Fn(f64) -> f64) -> Vec<f64> {
    (0..(seconds * RATE) as usize).map(|n| of(n as f64 / RATE)).collect()
}

fn sine(hz: f64) -> impl Fn(f64) -> f64 {
    move |t| (TAU * (hz * t).fract()).sin()
}

/// Gaussian noise of variance 1 (G. Box, M. Muller, 1958) from Knuth's linear congruence.
fn gauss(frames: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    (0..frames).map(|_| (-2.0 * uniform().ln()).sqrt() * (TAU * uniform()).cos()).collect()
}

#[test]
fn levels_are_those_of_closed_forms() {
    let tone = mono(sound(1.0, |t| 0.5 * sine(997.0)(t)));
    near(of(Measure::Peak, &[], &tone), 0.5, 1e-5);
    near(of(Measure::Rms, &[], &tone), 0.5 / SQRT_2, 1e-6);
    near(of(Measure::Floor, &[], &tone), 0.5 / SQRT_2, 1e-6);
    near(of(Measure::Crest, &[], &tone), SQRT_2, 1e-4);
    let square = mono(sound(1.0, |t| if (100.0 * t).fract() < 0.25 { 1.0 } else { -1.0 }));
    near(of(Measure::Crest, &[], &square), 1.0, 1e-12);
    near(of(Measure::Mean, &[], &square), -0.5, 1e-3);
    near(of(Measure::Dc, &[], &square), 0.5, 1e-3);
    // A sine of a quarter of the rate, sampled half-way between its zeros and its tops.
    let between = mono(sound(0.5, |t| (TAU * 12_000.0 * t + PI / 4.0).sin()));
    near(db(of(Measure::Peak, &[], &between)), -3.0103, 1e-4);
    // It begins and ends at once: what rings there is above it.
    near(db(of(Measure::TruePeak, &[], &between)), 0.0, 1.0);
    let smooth = mono(sound(0.5, |t| (PI * t / 0.5).sin().powi(4) * (TAU * 12_000.0 * t + PI / 4.0).sin()));
    near(db(of(Measure::TruePeak, &[], &smooth)), 0.0, 0.02);
    let loud = mono(vec![0.2, -1.5, 1.0, 1.01]);
    assert_eq!(of(Measure::Clipped, &[], &loud), 4.0);
    assert_eq!(of(Measure::Silent, &[], &mono(vec![0.9e-6, -0.9e-6])), 1.0);
    assert_eq!(of(Measure::Silent, &[], &mono(vec![0.0, 1.1e-6])), 0.0);
    assert_eq!(of(Measure::Value, &[("at", 0.0)], &mono(vec![0.25])), 0.25);
    assert_eq!(of(Measure::Finite, &[], &loud), 1.0);
    let broken = Heard { finite: false, ..loud };
    assert_eq!(of(Measure::Finite, &[], &broken), 0.0);
    assert!(value(&check(Measure::Peak, &[]), &[broken]).is_err());
}

/// EBU Tech 3341, test signals 1 and 2: a stereo sine of 1 kHz at −23 and −33 dBFS is as loud in LUFS.
#[test]
fn loudness_is_that_of_the_signals_of_the_ebu() {
    for level in [-23.0, -33.0] {
        let gain = 10_f64.powf(level / 20.0);
        let tone = mono(sound(3.0, |t| gain * sine(1000.0)(t)));
        near(of(Measure::Lufs, &[], &tone), level, 0.1);
        let tone = mono(sound(0.5, |t| gain * sine(1000.0)(t)));
        near(of(Measure::Loudest, &[], &tone), level, 0.1);
    }
    // A burst of 0.2 s fills half of the 0.4 s: 3 dB less.
    let burst = mono(sound(1.0, |t| if (0.3..0.5).contains(&t) { 0.1 * sine(1000.0)(t) } else { 0.0 }));
    let steady = mono(sound(1.0, |t| 0.1 * sine(1000.0)(t)));
    let apart = of(Measure::Loudest, &[], &steady) - of(Measure::Loudest, &[], &burst);
    near(apart, 3.01, 0.1);
}

#[test]
fn gains_are_ratios_of_root_mean_squares() {
    let input = gauss(48_000, 3);
    let halved = Heard { input: input.clone(), ..mono(input.iter().map(|x| 0.5 * x).collect()) };
    near(of(Measure::Gain, &[], &halved), 0.5, 1e-12);
    near(of(Measure::Transfer, &[], &halved), 0.5, 1e-12);
    let other = mono(input.iter().map(|x| 1.001 * x).collect());
    let both = [other, mono(input)];
    near(value(&check(Measure::Null, &[]), &both).unwrap(), 0.001, 1e-9);
}

#[test]
fn times_are_those_of_closed_forms() {
    let ramp = mono(sound(0.2, |t| (t / 0.1).min(1.0)));
    near(of(Measure::Reaches, &[("level", 0.5)], &ramp), 0.05, 2e-5);
    assert!(value(&check(Measure::Reaches, &[("level", 2.0)]), std::slice::from_ref(&ramp)).is_err());
    let late = mono(sound(0.2, |t| if t < 0.05 { 0.0004 } else { 0.5 }));
    near(of(Measure::Onset, &[], &late), 0.05, 2e-5);
    near(of(Measure::Latency, &[], &late), 0.05, 2e-5);
    // A carrier that rises in a straight line and falls by 1/e in 50 ms: τ · ln 10 to −20 dB.
    let shape = |t: f64| if t < 0.1 { t / 0.1 } else { (-(t - 0.1) / 0.05).exp() };
    let hit = mono(sound(1.0, |t| shape(t) * sine(5_000.0)(t)));
    near(of(Measure::Attack, &[], &hit), 0.09, 0.0015);
    near(of(Measure::Fall, &[("by", 0.1)], &hit), 0.05 * 10_f64.ln(), 0.0015);
    near(of(Measure::Fall, &[("by", 0.01)], &hit), 0.05 * 100_f64.ln(), 0.0015);
}

#[test]
fn a_reverb_rings_as_long_as_noise_that_falls_exponentially() {
    let falling = |seconds: f64, seed: u64| {
        let noise = gauss((2.0 * RATE) as usize, seed).into_iter().enumerate();
        noise.map(|(n, x)| x * 10_f64.powf(-3.0 * n as f64 / RATE / seconds)).collect::<Vec<f64>>()
    };
    let room = heard(vec![falling(1.2, 5), falling(1.2, 6)]);
    near(of(Measure::Rt60, &[], &room), 1.2, 0.02);
    near(of(Measure::Rt60, &[("at", 2_000.0)], &room), 1.2, 0.05);
    // Two bands that fall differently are told apart.
    let low = sound(2.0, |t| sine(250.0)(t) * 10_f64.powf(-3.0 * t / 1.8));
    let high = sound(2.0, |t| sine(4_000.0)(t) * 10_f64.powf(-3.0 * t / 0.6));
    let both = mono(low.iter().zip(&high).map(|(l, h)| l + h).collect());
    near(of(Measure::Rt60, &[("at", 250.0)], &both), 1.8, 0.04);
    near(of(Measure::Rt60, &[("at", 4_000.0)], &both), 0.6, 0.02);
    // Gaussian noise is dense; an impulse every 4 ms is not.
    near(of(Measure::Density, &[("at", 0.5)], &mono(gauss(48_000, 9))), 1.0, 0.12);
    let sparse = mono((0..48_000).map(|n| if n % 192 == 0 { 1.0 } else { 0.0 }).collect());
    assert!(of(Measure::Density, &[("at", 0.5)], &sparse) < 0.05);
}

#[test]
fn pitches_are_exact() {
    let cents = |x: f64, y: f64| 1200.0 * (x / y).log2();
    for hz in [32.703, 110.0, 261.625_565, 997.3, 4_186.01, 10_000.7] {
        let plain = mono(sound(1.0, sine(hz)));
        near(cents(of(Measure::Pitch, &[], &plain), hz), 0.0, 0.001);
        let falling = mono(sound(1.0, |t| (-t / 0.2).exp() * (sine(hz)(t) + 0.3 * sine(2.0 * hz)(t))));
        near(cents(of(Measure::Pitch, &[], &falling), hz), 0.0, 0.05);
    }
    // The fundamental is missing.
    let formant = mono(sound(1.0, |t| (3..8).map(|k| sine(f64::from(k) * 150.0)(t)).sum()));
    near(cents(of(Measure::Pitch, &[], &formant), 150.0), 0.0, 0.001);
    // A note that ends before the render does.
    let short = mono(sound(1.0, |t| if t < 0.4 { sine(65.406)(t) } else { 0.0 }));
    near(cents(of(Measure::Pitch, &[], &short), 65.406), 0.0, 0.5);
}

#[test]
fn partials_have_their_amplitudes() {
    let parts = [(1.0, 0.5), (2.0, 0.2), (3.0, 0.01)];
    let tone = mono(sound(1.0, |t| parts.iter().map(|(k, a)| a * sine(k * 331.0)(t)).sum()));
    for (number, amplitude) in parts {
        near(of(Measure::Partial, &[("at", number * 331.0)], &tone) / amplitude, 1.0, 1e-6);
        near(of(Measure::Harmonic, &[("number", number)], &tone), amplitude / 0.5, 1e-5);
    }
    // Two sines: the middle of their powers, 1 : 4.
    let pair = mono(sound(1.0, |t| sine(1_000.0)(t) + 2.0 * sine(6_000.0)(t)));
    near(of(Measure::Centroid, &[], &pair), 5_000.0, 20.0);
}

#[test]
fn slopes_are_those_of_noises_that_were_made_with_them() {
    let white = mono(gauss(480_000, 11));
    near(of(Measure::Slope, &[], &white), 0.0, 0.1);
    // White noise through a sum is −6.02 dB an octave.
    let mut sum = 0.0;
    let brown = gauss(480_000, 12).into_iter().map(|x| {
        sum = 0.999 * sum + x;
        sum
    });
    near(of(Measure::Slope, &[("from", 200.0), ("to", 6_000.0)], &mono(brown.collect())), -6.02, 0.15);
    let fed = Heard { input: stimulus::pink(0.1, 480_000), ..mono(stimulus::pink(0.1, 480_000)) };
    near(of(Measure::Slope, &[], &fed), -3.01, 0.1);
    near(of(Measure::Rms, &[], &fed), 0.1, 1e-9);
}

/// The sawtooth without a band limit: partial k has 1/k, and lies where it folds to.
#[test]
fn aliases_are_those_of_the_folded_series() {
    let frames = stimulus::FRAMES as f64 / RATE;
    let hz = 2_010.0;
    let naive = mono(sound(frames, |t| 2.0 * (hz * t).fract() - 1.0));
    let folded = |k: f64| ((k * hz / RATE + 0.5).fract() - 0.5).abs() * RATE;
    let strongest = |below: f64| {
        let aliases = (12..4_000).map(f64::from).filter(|k| {
            let apart = (folded(*k) / hz).fract();
            folded(*k) < below && apart.min(1.0 - apart) * hz > 20.0
        });
        aliases.map(|k| 1.0 / k).fold(0.0, f64::max)
    };
    for below in [24_000.0, 16_000.0, 6_000.0] {
        let wanted = db(strongest(below));
        near(db(of(Measure::Alias, &[("below", below)], &naive)), wanted, 0.3);
        near(db(of(Measure::Alias, &[("below", below), ("freq", hz)], &naive)), wanted, 0.3);
    }
    let clean = mono(sound(frames, |t| sine(hz)(t) + 1e-3 * sine(7_777.0)(t)));
    near(db(of(Measure::Alias, &[], &clean)), -60.0, 0.1);
    assert!(db(of(Measure::Alias, &[("above", 8_000.0)], &clean)) < -130.0);
}

/// x + a·x³ of a sine with the peak p: p + ¾·a·p³ and, three times as high, ¼·a·p³.
#[test]
fn distortion_is_that_of_a_cubic() {
    let (a, p) = (0.1, 0.8);
    let hz = stimulus::on_a_bin(997.0, RATE);
    let frames = stimulus::FRAMES as f64 / RATE;
    let bent = |t: f64| {
        let x = p * sine(hz)(t);
        x + a * x.powi(3)
    };
    let wanted = 0.25 * a * p.powi(3) / (p + 0.75 * a * p.powi(3));
    let tone = mono(sound(frames, bent));
    near(db(of(Measure::Thd, &[], &tone)), db(wanted), 0.001);
    near(db(of(Measure::Thdn, &[], &tone)), db(wanted), 0.001);
    near(db(of(Measure::Sfdr, &[], &tone)), -db(wanted), 0.001);
    // Noise is none of the distortion, and all of the noise.
    let noise = gauss(stimulus::FRAMES, 21);
    let noisy: Vec<f64> = sound(frames, bent).iter().zip(&noise).map(|(x, n)| x + 1e-4 * n).collect();
    let noisy = mono(noisy);
    near(db(of(Measure::Thd, &[], &noisy)), db(wanted), 0.01);
    let fundamental = (p + 0.75 * a * p.powi(3)) / SQRT_2;
    near(db(of(Measure::Snr, &[], &noisy)), db(fundamental / 1e-4), 0.1);
    assert!(db(of(Measure::Snr, &[], &tone)) > 140.0);
}

#[test]
fn responses_are_those_of_a_one_pole() {
    let (pole, small) = (0.9_f64, stimulus::SMALL);
    let answer = mono((0..stimulus::FRAMES).map(|n| small * (1.0 - pole) * pole.powi(n as i32)).collect());
    for hz in [20.0, 1_000.0, 9_000.0, 21_000.0] {
        let w = TAU * hz / RATE;
        // (1 − p) / (1 − p·e^(−jw)), its angle, and −d(angle)/dw.
        let (re, im) = (1.0 - pole * w.cos(), pole * w.sin());
        let norm = re * re + im * im;
        near(of(Measure::Response, &[("at", hz)], &answer), (1.0 - pole) / norm.sqrt(), 1e-9);
        near(of(Measure::Phase, &[("at", hz)], &answer), -im.atan2(re), 1e-9);
        let delay = (pole * w.cos() - pole * pole) / norm / RATE;
        near(of(Measure::GroupDelay, &[("at", hz)], &answer), delay, 1e-12);
    }
    let late = mono(stimulus::impulse(small, 100).into_iter().cycle().skip(70).take(100).collect());
    near(of(Measure::GroupDelay, &[("at", 5_000.0)], &late), 30.0 / RATE, 1e-12);
}

#[test]
fn sides_that_have_something_in_common_are_told_from_those_that_have_not() {
    let (a, b) = (sound(1.0, sine(500.0)), sound(1.0, sine(700.0)));
    let mixed: Vec<f64> = a.iter().zip(&b).map(|(a, b)| 0.6 * a + 0.8 * b).collect();
    near(of(Measure::Correlation, &[], &heard(vec![a.clone(), mixed])), 0.6, 1e-9);
    let apart = heard(vec![a.clone(), b]);
    near(of(Measure::Correlation, &[], &apart), 0.0, 1e-9);
    near(db(of(Measure::MonoLoss, &[], &apart)), -3.0103, 1e-4);
    near(of(Measure::MonoLoss, &[], &mono(a)), 1.0, 1e-12);
}

#[test]
fn operations_are_those_of_the_program() {
    let program = Heard { operations: 17, ..mono(vec![]) };
    assert_eq!(of(Measure::Cost, &[], &program), 17.0);
}

#[test]
fn a_sound_without_a_value_says_why() {
    let silence = mono(vec![0.0; stimulus::FRAMES]);
    for measure in [
        Measure::Crest,
        Measure::Lufs,
        Measure::Loudest,
        Measure::Onset,
        Measure::Attack,
        Measure::Fall,
        Measure::Pitch,
        Measure::Harmonic,
        Measure::Centroid,
        Measure::Alias,
        Measure::Thd,
        Measure::Rt60,
        Measure::Correlation,
        Measure::MonoLoss,
        Measure::Gain,
    ] {
        let found = value(
            &check(measure, &[("number", 2.0)][..usize::from(measure == Measure::Harmonic)]),
            std::slice::from_ref(&silence),
        );
        assert!(found.is_err(), "{measure:?}: {found:?}");
    }
}

/// Nothing is measured of no frames, of a frequency that the rate has not, or of what answers to nothing.
#[test]
fn what_is_not_there_is_not_measured() {
    let said = |check: &Check, sound: &Heard| value(check, std::slice::from_ref(sound)).unwrap_err();
    let (nothing, tone) = (mono(vec![]), mono(sound(2.0, sine(997.0))));
    for measure in
        [Measure::Peak, Measure::Clipped, Measure::Rms, Measure::Dc, Measure::Finite, Measure::Mean]
    {
        assert!(
            said(&check(measure, &[("after", 5.0)]), &nothing).contains("over before 5 s"),
            "{measure:?}"
        );
    }
    for (measure, name) in [
        (Measure::Thd, "freq"),
        (Measure::Transfer, "freq"),
        (Measure::Response, "at"),
        (Measure::Partial, "at"),
        (Measure::Rt60, "at"),
        (Measure::Alias, "above"),
        (Measure::Slope, "from"),
    ] {
        let wanted = format!("`{name}` is 24000 Hz, and at 48000 Hz there is only what lies below 24000 Hz");
        assert_eq!(said(&check(measure, &[(name, 24_000.0)]), &tone), wanted, "{measure:?}");
    }
    let high = mono(sound(2.0, sine(13_000.0)));
    assert!(said(&check(Measure::Thd, &[]), &high).contains("no harmonic of 13000 Hz"));
    for measure in [Measure::Response, Measure::Phase, Measure::GroupDelay, Measure::Latency] {
        let unfed = Check {
            fed: false,
            ..check(measure, &[("at", 1_000.0)][..usize::from(measure != Measure::Latency)])
        };
        assert_eq!(said(&unfed, &tone), "nothing flows in");
    }
}

/// The cases above hold every measure.
#[test]
fn every_measure_is_validated() {
    let cases = include_str!("measures.rs");
    for measure in Measure::ALL {
        assert!(cases.contains(&format!("Measure::{measure:?}, &")), "{measure:?}");
    }
}
