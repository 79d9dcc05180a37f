//! Lists of signals: what remembers them, definitions of them, instruments in them.

use super::{impulse, mono, near, noise, through};

/// A feedback delay network of eight lines through a Householder matrix.
const FDN: &str = "times = list i in 0..7 { (31 + 13 * i) * dt }
h     = list i in 0..7 { list j in 0..7 { (if i == j then 1 else 0) - 0.25 } }
late  = list i in 0..7 { tap(fed[i], times[i], max: times[i]) }
fed   = list i in 0..7 { in.left + 0.7 * sum j in 0..7 { h[i][j] * late[j] } }
out   = 0.3 * sum l in late { l }
";

#[test]
fn a_feedback_delay_network_is_five_lines() {
    let frames = 4000;
    let x = impulse(frames);
    let mut fed = vec![vec![0.0f64; 8]; frames];
    let model: Vec<f64> = (0..frames)
        .map(|n| {
            let late: Vec<f64> =
                (0..8).map(|i| n.checked_sub(31 + 13 * i).map_or(0.0, |then| fed[then][i])).collect();
            let total: f64 = late.iter().sum();
            for i in 0..8 {
                fed[n][i] = f64::from(x[n]) + 0.7 * (late[i] - 0.25 * total);
            }
            0.3 * total
        })
        .collect();
    near(&through(FDN, &x), &model, 1e-5, "network");
}

#[test]
fn what_is_remembered_of_a_list_is_a_list() {
    let text = "y = list i in 0..2 { in.left + (0.5 + 0.1 * i) * prev(y)[i] }
z = prev({ low: y[0], all: [y[1], (y[2], 0)] })
out = y[0] + 2 * y[1] + 3 * z.low + 4 * z.all[0] + 5 * z.all[1].left\n";
    let x = noise(300);
    let (mut y, mut z) = ([0.0f64; 3], [0.0f64; 3]);
    let model: Vec<f64> = x
        .iter()
        .map(|&x| {
            for (i, y) in y.iter_mut().enumerate() {
                *y = f64::from(x) + (0.5 + 0.1 * i as f64) * *y;
            }
            let before = std::mem::replace(&mut z, y);
            y[0] + 2.0 * y[1] + 3.0 * before[0] + 4.0 * before[1] + 5.0 * before[2]
        })
        .collect();
    near(&through(text, &x), &model, 1e-4, "lists");
}

#[test]
fn lists_go_into_definitions_and_come_out_of_them() {
    let text = "def mixed(xs, gains) = sum i in 0..len(xs) - 1 { xs[i] * gains[i] }
def halves(xs) = list x in xs { 0.5 * x }
def both(x) = { one: x, more: [2 * x, 3 * x] }
a = halves([0.25, 0.5] ++ [0.75])
out = mixed(a ++ both(0.125).more, [1, 2, 3, 4, 5])\n";
    let truth = 0.125 + 2.0 * 0.25 + 3.0 * 0.375 + 4.0 * 0.25 + 5.0 * 0.375;
    near(&mono(text, 1), &[truth], 1e-6, "definitions");
    // A list of constants is one wherever a constant is wanted, through a name, a definition, or a table.
    let text = "ns = [3, 1, 2]\ndef last(xs) = xs[len(xs) - 1]\nwave = list i in 0..3 { i * i }
out = (sum i in 1..ns[0] { i }) + (sum i in 1..last(ns) { i }) + table(wave, 0.25)\n";
    near(&mono(text, 1), &[6.0 + 3.0 + 1.0], 1e-6, "constants");
}

#[test]
fn a_list_may_hold_instruments() {
    let text = "instrument hum {\n  param f = 100Hz in 20Hz..2kHz\n  out = sine(f) * 0.1\n  until 0\n}
hums = list f in [200Hz, 300Hz] { hum(f: f) }
out = sum h in hums { h }\n";
    let frames = 480;
    let tau = std::f64::consts::TAU;
    let sine = |f: f64, n: usize| (tau * f * (n + 1) as f64 / 48_000.0).sin();
    let model: Vec<f64> = (0..frames).map(|n| 0.1 * (sine(200.0, n) + sine(300.0, n))).collect();
    near(&mono(text, frames), &model, 1e-5, "instruments");
}

#[test]
fn a_finite_impulse_response_is_a_direct_sum() {
    let taps = [0.5, -0.25, 0.125, 1.0, 0.0625, -1.0, 0.75];
    let x = noise(400);
    let list = taps.map(|tap: f64| tap.to_string()).join(", ");
    let model: Vec<f64> = (0..x.len())
        .map(|n| {
            let tap = |(k, tap): (usize, &f64)| n.checked_sub(k).map_or(0.0, |then| tap * f64::from(x[then]));
            taps.iter().enumerate().map(tap).sum()
        })
        .collect();
    near(&through(&format!("out = fir(in.left, [{list}])\n"), &x), &model, 1e-5, "fir");
    // At the inner rate, of a signal that is held: every second sample of the sum.
    let text = format!("out = oversample(2) {{ fir(0.25, [{list}]) }}\n");
    let settled = 0.25 * taps.iter().sum::<f64>();
    near(&mono(&text, 4000)[3990..], &[settled; 10], 1e-5, "fir in a region");
}

#[test]
fn a_definition_that_only_remembers_its_argument_stands_in_a_cycle() {
    let text = "def loop(x, time: s) {\n  late = tap(x, time, max: 1s)\n  out = 0.5 * late\n}
a = loop(a + in.left, 5 * dt)\nout = a\n";
    let x = noise(100);
    let mut a = vec![0.0f64; x.len()];
    for n in 5..x.len() {
        a[n] = 0.5 * (a[n - 5] + f64::from(x[n - 5]));
    }
    near(&through(text, &x), &a, 1e-6, "loop");
}
