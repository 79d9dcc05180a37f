//! Definitions as arguments of definitions, and the functions of numbers as a user writes them.

use mam_compiler::files::NoFiles;
use mam_compiler::{Options, compile};
use mam_grammar::{Severity, Sources};
use mam_testing::render::render;
use std::f64::consts::{E, PI};

/// The first sample of a song.
fn value(text: &str) -> f64 {
    f64::from(render("song.mam", text, 48_000, Some(64)).channels[0][0])
}

fn codes(text: &str) -> Vec<&'static str> {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let problems = compile(&mut sources, id, &NoFiles, &Options::default()).problems.into_sorted();
    let errors = problems.iter().filter(|problem| problem.code.severity == Severity::Error);
    errors.map(|problem| problem.code.name).collect()
}

const HELPERS: &str = "\
def twice(f, x) = f(f(x))\ndef map(xs, f) = list x in xs { f(x) }\ndef add(f, xs) = sum x in map(xs, f) { x }\n\
def through(x, fx, amount) = x |> fx(amount)\ndef inc(x, by = 1) = x + by\ndef square(x) = x * x\n";

#[test]
fn definitions_are_given_to_definitions() {
    let cases = [
        ("twice(inc, 3)", 5.0),
        ("twice(square, 3)", 81.0),
        ("twice(x: 3, f: square)", 81.0),
        ("sum x in map([1, 2, 3], square) { x }", 14.0),
        // Handed on, and a function of the language.
        ("add(square, [1, 2])", 5.0),
        ("add(abs, [-1, -2])", 3.0),
        ("add(exp2, [1, 2])", 6.0),
        ("inner(square)", 16.0),
        // Known before the song starts.
        ("sum i in 1..twice(inc, 1) { i }", 6.0),
        ("len(map([1, 2, 3], square))", 3.0),
        ("map([5, 6], inc)[1]", 7.0),
        // Two in one call, and one whose body calls another argument.
        ("both(inc, square, 2)", 7.0),
    ];
    let more = "def inner(g) = twice(g, 2)\ndef both(f, g, x) = f(x) + g(x)\n";
    for (expression, wanted) in cases {
        let text = format!("{HELPERS}{more}out = {expression}\n");
        assert!((value(&text) - wanted).abs() < 1e-5, "{expression}: {}", value(&text));
    }
}

/// What is given has its own state at each call, sees the song's names, and may be an effect.
#[test]
fn what_is_given_is_put_in_where_it_is_called() {
    let state = "def count(x) = prev(out) + x\ndef each(f, x) = (f(x), f(2 * x))\n";
    let state = state.replace("= prev(out) + x", "{\n  out = prev(out) + x\n}");
    let heard = render("song.mam", &format!("{state}out = each(count, 1)\n"), 48_000, Some(64)).channels;
    assert_eq!((heard[0][9], heard[1][9]), (10.0, 20.0));
    let seen = "level = 0.5 * sine(0Hz, reset: 1) + 0.25\ndef loud(x) = x * level\ndef apply(f, x) = f(x)\n";
    let written = value(&format!("{seen}out = loud(2)\n"));
    assert_eq!(value(&format!("{seen}out = apply(loud, 2)\n")), written);
    let drive = |call: &str| value(&format!("{HELPERS}x = 0.7 + 0 * sine(1Hz)\nout = {call}\n"));
    assert!((drive("through(x, drive, 3)") - drive("x |> drive(3)")).abs() < 1e-5);
}

#[test]
fn what_is_wrong_with_a_definition_that_is_given_is_told() {
    let cases = [
        ("twice(3, 3)", "not-a-value"),
        ("twice(kick, 3)", "not-a-value"),
        ("twice(nothing, 3)", "not-a-value"),
        ("twice(two, 3)", "missing-argument"),
        ("none(inc)", "missing-argument"),
        ("many(square)", "too-many-arguments"),
        ("named(inc)", "unknown-argument"),
        ("value(inc)", "not-a-value"),
        ("inc(square)", "not-a-value"),
        ("sum x in map([1Hz], exp2) { x }", "dimension"),
    ];
    let more = "def two(x, y) = x + y\ndef none(f) = f()\ndef many(f) = f(1, 2)\ndef named(f) = f(1, by: 2)\n\
        def value(f) = f(1) + f\n";
    for (expression, code) in cases {
        // What is wrong in a definition itself is wrong whoever calls it.
        let more: String = more
            .lines()
            .filter(|line| !line.contains("by: 2") || expression.starts_with("named"))
            .map(|l| format!("{l}\n"))
            .collect();
        let found = codes(&format!("{HELPERS}{more}out = {expression}\n"));
        assert_eq!(found.first(), Some(&code), "{expression}: {found:?}");
    }
    // One that would never end.
    let endless = codes("def f(g, x) = g(g, x)\nout = f(f, 1)\n");
    assert!(!endless.is_empty(), "it ends in a problem");
    let itself = codes(&format!("{HELPERS}def h(x) = twice(h, x)\nout = h(1)\n"));
    assert!(itself.contains(&"recursive-definition"), "{itself:?}");
}

/// Each of the functions and forms of numbers, once as a user writes it.
#[test]
fn numbers_and_functions() {
    let cases = [
        ("log10(1000)", 3.0),
        ("cbrt(-27)", -3.0),
        ("hypot(3, 4)", 5.0),
        ("atan2(1, -1)", 0.75 * PI),
        ("1e-3 + 2.5e2", 250.001),
        ("1e3Hz / 1kHz", 1.0),
        ("e", E),
        ("asin(1) + acos(0) + atan(1)", 1.25 * PI),
        ("sinh(1) + cosh(1)", E),
        ("product i in 1..5 { i }", 120.0),
        ("max i in 1..5 { i * (4 - i) }", 4.0),
        ("min x in [3, 1, 2] { x }", 1.0),
        ("select([10, 20, 30], 1.7)", 20.0),
        ("select([10, 20, 30], -1) + select([10, 20, 30], 9)", 40.0),
        ("fir(1, [0.25, 0.5])", 0.25),
        ("len([1, 2] ++ [3])", 3.0),
        ("m[1][0] * 10 + m[0][1]", 32.0),
        ("amp({ gain: 0.5, x: 3 })", 1.5),
        ("sum row in m { max x in row { x } }", 6.0),
    ];
    for (expression, wanted) in cases {
        let text = format!("m = [[1, 2], [3, 4]]\ndef amp(r) = r.gain * r.x\nout = {expression}\n");
        assert!((value(&text) - wanted).abs() < 2e-4, "{expression}: {}", value(&text));
    }
    let remembered = "xs = list i in 0..2 { i + 0.5 * prev(xs)[i] }\nout = xs[2]\n";
    let heard = render("song.mam", remembered, 48_000, Some(64)).channels;
    assert_eq!(&heard[0][..3], [2.0, 3.0, 3.5]);
}

/// A fraction before a unit that stands apart is all of it that unit.
#[test]
fn fractions_of_octaves_and_of_bars_are_alike() {
    for (expression, wanted) in [
        ("1/3 octave", 2_f64.powf(1.0 / 3.0)),
        ("2/3octaves", 2_f64.powf(2.0 / 3.0)),
        ("-1/12 octave", 2_f64.powf(-1.0 / 12.0)),
        ("3 * 1 / 2 octaves", 3.0 * 2_f64.sqrt()),
        ("0.5 octaves", 2_f64.sqrt()),
        ("1/4 bar * 1Hz", 0.5),
    ] {
        let heard = value(&format!("out = {expression}\n"));
        assert!((heard - wanted).abs() < 1e-6, "{expression}: {heard}");
    }
    assert_eq!(codes("out = 1/0 octaves\n"), ["number-too-large"]);
}
