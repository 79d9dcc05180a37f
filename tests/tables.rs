//! `table i in 0..2047 { … }`: a buffer that is made of a formula.

use mam_compiler::files::NoFiles;
use mam_compiler::{Options, compile};
use mam_grammar::{Severity, Sources};
use mam_testing::measure::{amplitude, db};
use mam_testing::render::render;
use std::f64::consts::TAU;

const RATE: u32 = 48_000;

fn heard(text: &str, frames: u64) -> Vec<f32> {
    render("song.mam", text, RATE, Some(frames)).channels.remove(0)
}

fn errors(text: &str) -> Vec<(&'static str, String)> {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let problems = compile(&mut sources, id, &NoFiles, &Options::default()).problems.into_sorted();
    let errors = problems.into_iter().filter(|problem| problem.code.severity == Severity::Error);
    errors.map(|problem| (problem.code.name, problem.message)).collect()
}

/// The greatest difference of two sounds.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn a_formula_is_one_cycle_of_a_wave() {
    let formula = "out = wavetable(table i in 0..N { sin(tau * i / (N + 1)) + sin(3 * tau * i / (N + 1)) / 3 }, 110Hz)\n";
    let levels = heard("out = wavetable([1, 0, 1/3], 110Hz)\n", 4_800);
    for last in ["2047", "599"] {
        let made = heard(&formula.replace('N', last), 4_800);
        assert!(apart(&made, &levels) < 1e-5, "{last}: {}", apart(&made, &levels));
    }
    // An element of a list is gone through as a counter is.
    let squares =
        "t = table x in list i in 0..2047 { i / 2048 } { sin(tau * x) }\nout = wavetable(t, 110Hz)\n";
    assert!(apart(&heard(squares, 4_800), &heard("out = wavetable([1], 110Hz)\n", 4_800)) < 1e-5);
}

/// A hard wave does not fold: what lies between its partials stays low.
#[test]
fn formulas_are_band_limited() {
    let text = "out = wavetable(table i in 0..2047 { if i < 1024 then 1 else -1 }, 2010Hz)\n";
    let x = heard(text, u64::from(RATE));
    let level = |f: f64| db(amplitude(&x[4_800..], f, f64::from(RATE)));
    assert!((level(2_010.0) - db(4.0 / (TAU / 2.0))).abs() < 0.1, "{}", level(2_010.0));
    for folded in 1..8 {
        let f = 48_000.0 - 2_010.0 * f64::from(24 + folded);
        assert!(level(f.abs()) < -80.0, "{f}: {}", level(f.abs()));
    }
}

/// Levels, formulas and lists of either stand beside each other.
#[test]
fn waves_of_all_kinds_morph() {
    let waves = "[[1], table i in 0..2047 { sin(2 * tau * i / 2048) }, table i in 0..4095 { sin(3 * tau * (i mod 2048) / 2048) }]";
    for (morph, wanted) in [("0", "[1]"), ("1/3", "[0, 1]"), ("1", "[0, 0, 1]"), ("0.5", "[0, 0.5, 0.5]")] {
        let made = heard(&format!("out = wavetable({waves}, 220Hz, morph: {morph})\n"), 2_400);
        let model = heard(&format!("out = wavetable({wanted}, 220Hz)\n"), 2_400);
        assert!(apart(&made, &model) < 1e-5, "{morph}: {}", apart(&made, &model));
    }
}

#[test]
fn a_table_is_a_buffer() {
    let t = "t = table i in 0..99 { i^2 / 10000 }\n";
    // Read in straight lines, at a constant and a moving position.
    let held = heard(&format!("{t}out = table(t, 0.255)\n"), 64);
    assert!((held[0] - (0.0625 + 0.0676) / 2.0).abs() < 1e-6, "{}", held[0]);
    let moved = heard(&format!("{t}out = table(t, since(every(1s)) / 100)\n"), 90);
    assert!((moved[50] - 0.25).abs() < 1e-4, "{}", moved[50]);
    // Played, a sample of it is a frame of the song.
    let played = heard(&format!("{t}out = playback(t, every(1s))\n"), 200);
    assert!((1..98).all(|i| (played[i] - (i * i) as f32 / 10_000.0).abs() < 1e-6), "{:?}", &played[..100]);
    assert_eq!(heard(&format!("{t}out = t.frames\n"), 64)[0], 100.0);
}

/// In a definition nothing is known of the bounds; what it is called with decides.
#[test]
fn definitions_make_tables() {
    let text = "def bent(n, k) = table i in 0..n-1 { tanh(k * sin(tau * i / n)) }\nout = wavetable(bent(2048, 2), 55Hz)\n";
    let written = "out = wavetable(table i in 0..2047 { tanh(2 * sin(tau * i / 2048)) }, 55Hz)\n";
    assert!(heard(text, 480) == heard(written, 480));
}

#[test]
fn what_is_not_a_table_is_told() {
    for (text, code, part) in [
        ("out = wavetable(table i in 0..9 { noise() }, 55Hz)\n", "not-constant", "table"),
        ("out = wavetable(table i in 0..9 { i * 1Hz }, 55Hz)\n", "dimension", "plain numbers"),
        ("out = wavetable(table i in 9..0 { i }, 55Hz)\n", "bad-bounds", ""),
        ("t = table i in 0..9 { i }\nout = t[3]\n", "not-a-list", "buffer"),
        ("t = table i in 0..9 { i }\nout = t\n", "not-a-signal", "buffer"),
        ("out = wavetable(table i in 0..100000 { i }, 55Hz)\n", "too-large", ""),
    ] {
        let found = errors(text);
        assert_eq!(found.len(), 1, "{text}{found:?}");
        assert!(found[0].0 == code && found[0].1.contains(part), "{text}{found:?}");
    }
    // The word is a name like any other.
    assert_eq!(errors("table = 3\nout = table * 0.1\n"), []);
}
