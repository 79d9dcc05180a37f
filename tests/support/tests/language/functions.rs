//! Functions, numbers and reductions: of signals as of constants, and as in f64.

use super::{mono, near, through};

/// A function in the song's text, and in f64.
type Row = (&'static str, fn(f64) -> f64);

#[test]
fn functions_of_signals_and_of_constants() {
    let rows: [Row; 9] = [
        ("atan(x)", f64::atan),
        ("asin(x / 4)", |x| (x / 4.0).asin()),
        ("acos(x / 4)", |x| (x / 4.0).acos()),
        ("sinh(x)", f64::sinh),
        ("cosh(x)", f64::cosh),
        ("log10(x + 4.5)", |x| (x + 4.5).log10()),
        ("cbrt(x)", f64::cbrt),
        ("hypot(x, 3)", |x| x.hypot(3.0)),
        ("atan2(x, -2)", |x| x.atan2(-2.0)),
    ];
    let xs: Vec<f32> = (-64..=64).map(|i| i as f32 / 16.0).collect();
    for (text, truth) in rows {
        let model: Vec<f64> = xs.iter().map(|x| truth(f64::from(*x))).collect();
        let size = model.iter().fold(1.0, |size: f64, x| size.max(x.abs()));
        near(&through(&format!("x = in.left\nout = {text}\n"), &xs), &model, 1e-6 * size, text);
        for x in [-3.25, 0.5, 4.0] {
            let seen = mono(&format!("x = {x}\nout = {text}\n"), 1);
            near(&seen, &[truth(x)], 3e-7 * truth(x).abs().max(1.0), text);
        }
    }
    let quadrants = "out = atan2(in.left, 0) + atan2(0, in.left) + atan2(-0.5, in.left)\n";
    let xs = [-2.0f32, -0.5, 0.5, 2.0];
    let model: Vec<f64> =
        xs.iter().map(|x| f64::from(*x)).map(|x| x.atan2(0.0) + 0f64.atan2(x) + (-0.5f64).atan2(x)).collect();
    near(&through(quadrants, &xs), &model, 1e-6, "atan2");
    assert_eq!(mono("out = atan2(0, 0) + hypot(0, 0) + cbrt(0)\n", 1), [0.0]);
}

#[test]
fn exponents_notes_and_e() {
    let seen = mono("out = 1e-3 + 2.5e2 * 1e-2 + 1e3Hz / 1e1Hz\n", 1);
    near(&seen, &[1e-3 + 2.5 + 100.0], 1e-5, "exponents");
    let notes = [("c4", 60), ("a4", 69), ("eb3", 51), ("f#4", 66), ("b0", 23), ("bb4", 70), ("ab4", 68)];
    for (note, midi) in notes {
        let truth = 440.0 * 2f64.powf((f64::from(midi) - 69.0) / 12.0);
        near(&mono(&format!("out = {note} / 1000Hz\n"), 1), &[truth / 1000.0], 1e-6, note);
    }
    near(&mono("out = e / 10 + log(e)\n", 1), &[0.271_828_182_845_904_5 + 1.0], 1e-6, "e");
    // The song's own names come first.
    assert_eq!(mono("e = 0.25\nc4 = 0.5\nlist = 1\nproduct = 2\nout = e + c4 + list + product\n", 1), [3.75]);
    assert_eq!(mono("def e(x) = x + 1\nout = e(1) + max(1, 2) + min(3, 4)\n", 1), [7.0]);
}

#[test]
fn reductions_and_choices() {
    let text = "out = 1e-3 * (product i in 1..5 { i }) + (max i in 1..4 { 4 - i }) + (min i in 1..4 { i }) \
        + (sum a in [1, 2, 4] { a }) + (product a in [] { a }) + (chain x = 1, a in [2, 3] { x * 10 + a })\n";
    near(&mono(text, 1), &[0.12 + 3.0 + 1.0 + 7.0 + 1.0 + 123.0], 1e-5, "reductions");
    let x = [-0.5f32, 0.0, 0.9, 1.0, 2.5, 9.0];
    let chosen = through("out = select([0.25, 0.5, 0.75], in.left)\n", &x);
    assert_eq!(chosen, [0.25, 0.25, 0.25, 0.5, 0.75, 0.75]);
    let ends = through("out = max a in [in.left, 0.5, -in.left] { a }\n", &x);
    assert_eq!(ends, [0.5, 0.5, 0.9, 1.0, 2.5, 9.0]);
}

#[test]
fn chance_is_drawn_at_each_note() {
    let text = "tempo 240
instrument i {
  a = random()
  b = random(2)
  out = a + 10 * b
  until 0
}
x = i(voices: 2)
play { x \"[c4,e4]*8\" }
out = x.left\n";
    let sound = mono(text, 48_000);
    let mut levels: Vec<u32> = sound.iter().map(|x| x.to_bits()).collect();
    levels.dedup();
    // Eight notes of a bar, the same for the whole of each.
    assert_eq!(levels.len(), 8, "{levels:?}");
    assert!(sound.iter().all(|x| (0.0..22.0).contains(x)));
    let elsewhere = |seed: u32| mono(&format!("seed {seed}\nout = random()\n"), 100);
    let draws: Vec<f32> = (0..40).map(|seed| elsewhere(seed)[0]).collect();
    assert!(elsewhere(3).iter().all(|x| *x == elsewhere(3)[0]));
    let mean = draws.iter().sum::<f32>() / 40.0;
    assert!((0.3..0.7).contains(&mean) && draws.iter().all(|x| (0.0..1.0).contains(x)), "{mean}");
}
