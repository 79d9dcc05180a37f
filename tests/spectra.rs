//! `spectral`: the identity, bins against a model in f64, to the bit however it is run, over edits, and what is refused.

use mam_compiler::files::NoFiles;
use mam_compiler::target::Target;
use mam_compiler::{Options, compile};
use mam_grammar::{Severity, Sources};
use mam_runtime::control::{self, Control, Scored, Sync};
use mam_runtime::output::Frames;
use mam_runtime::{Engine, Program};
use mam_testing::render::{bits, render_input, render_shared};
use std::f64::consts::{PI, TAU};
use std::sync::Arc;

const RATE: u32 = 48_000;

fn compiled(text: &str, interpreter: bool) -> Result<Arc<Program>, Vec<String>> {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let options = Options { rate: RATE, interpreter, target: Target::portable(), ..Options::default() };
    let compilation = compile(&mut sources, id, &NoFiles, &options);
    let errors = compilation.problems.iter().filter(|p| p.code.severity == Severity::Error);
    let errors = errors.map(|p| format!("{}: {}", p.code.name, p.message)).collect();
    compilation.program.map(Arc::new).ok_or(errors)
}

fn program(text: &str) -> Arc<Program> {
    compiled(text, false).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"))
}

/// What a song makes of an input: the same by machine code and by the interpreter, by one thread and by several.
fn heard(text: &str, input: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let input: Vec<&[f32]> = input.iter().map(Vec::as_slice).collect();
    let heard = render_input(program(text), &input, 1).channels;
    let interpreted = compiled(text, true).expect("as before");
    for (program, threads) in [(interpreted, 1), (program(text), 3)] {
        assert!(bits(&heard) == bits(&render_input(program, &input, threads).channels), "{text}");
    }
    heard
}

/// Noise in [−0.5, 0.5) that is the same every time.
fn noise(seed: u32, count: usize) -> Vec<f32> {
    let mut word = seed;
    let mut next = || {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (word >> 8) as f32 / 16_777_216.0 - 0.5
    };
    (0..count).map(|_| next()).collect()
}

fn level(x: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = x.fold((0.0, 0), |(sum, count), x| (sum + x * x, count + 1));
    10.0 * (sum / f64::from(count)).max(1e-30).log10()
}

/// How far a sound is from another, in dB below that.
fn distance(heard: &[f32], exact: &[f64]) -> f64 {
    let difference = level(heard.iter().zip(exact).map(|(x, y)| f64::from(*x) - y));
    difference - level(exact[..heard.len()].iter().copied())
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().copied().map(f64::from).collect()
}

#[test]
fn bins_that_are_left_as_they_are_give_the_signal_back() {
    let x = noise(1, 16_000);
    for (size, overlap) in [(256, 2), (512, 8), (1024, 4), (4096, 8)] {
        // As they are; and by way of their angles, moved by nothing that is heard.
        for phase in ["phase", "phase + 0 * mag"] {
            let text = format!(
                "out = spectral(in.left, size: {size}, overlap: {overlap}) {{ {{ mag: mag, phase: {phase} }} }}\n"
            );
            let heard = heard(&text, std::slice::from_ref(&x));
            let found = distance(&heard[0][..10_000], &wide(&x));
            assert!(found < -120.0, "{text}: {found} dB");
        }
    }
}

/// Each piece of `x` taken apart, changed by `change(bin, level, angle)`, and put together, by the definition, in f64.
fn model(
    x: &[f64],
    (size, hop): (usize, usize),
    mut change: impl FnMut(usize, f64, f64) -> (f64, f64),
) -> Vec<f64> {
    let window: Vec<f64> = (0..size).map(|n| (PI * n as f64 / size as f64).sin()).collect();
    let sum: f64 = window.iter().sum();
    let mut out = vec![0.0; x.len() + 2 * size];
    let mut start = hop as isize - size as isize;
    while start < x.len() as isize {
        let sample = |n: usize| x.get((start + n as isize) as usize).copied().unwrap_or(0.0) * window[n];
        for bin in 0..=size / 2 {
            let angle = |n: usize| TAU * ((bin * n) % size) as f64 / size as f64;
            let (mut re, mut im) = (0.0, 0.0);
            for n in 0..size {
                re += sample(n) * angle(n).cos();
                im -= sample(n) * angle(n).sin();
            }
            let sides = if bin == 0 || bin == size / 2 { 1.0 } else { 2.0 };
            let (mag, phase) = change(bin, sides * re.hypot(im) / sum, im.atan2(re));
            for (n, window) in window.iter().enumerate() {
                let y = mag * sum / size as f64 * (angle(n) + phase).cos();
                if let Some(out) = usize::try_from(start + n as isize).ok().and_then(|at| out.get_mut(at)) {
                    *out += y * window * 2.0 * hop as f64 / size as f64;
                }
            }
        }
        start += hop as isize;
    }
    out
}

#[test]
fn bins_are_those_of_the_definition() {
    let x = noise(2, 6000);
    let x: Vec<f32> = x.iter().enumerate().map(|(n, x)| 0.2 * x + 0.5 * (n as f32 * 0.2).sin()).collect();
    type Change = fn(usize, f64, f64) -> (f64, f64);
    let cases: [(&str, Change); 4] = [
        ("{ mag: if bin < 20 then mag else 0, phase: phase }", |bin, mag, phase| {
            (if bin < 20 { mag } else { 0.0 }, phase)
        }),
        ("if mag > 0.05 then mag else 0", |_, mag, phase| (if mag > 0.05 { mag } else { 0.0 }, phase)),
        ("{ mag: mag, phase: 0 }", |_, mag, _| (mag, 0.0)),
        ("{ mag: mag * bin / 128, phase: phase + pi / 2 }", |bin, mag, phase| {
            (mag * bin as f64 / 128.0, if bin == 0 || bin == 128 { PI / 2.0 } else { phase + PI / 2.0 })
        }),
    ];
    for (body, change) in cases {
        let text = format!("out = spectral(in.left, size: 256) {{ {body} }}\n");
        let heard = heard(&text, std::slice::from_ref(&x));
        let found = distance(&heard[0][..5000], &model(&wide(&x), (256, 64), change));
        assert!(found < -100.0, "{text}: {found} dB");
    }
}

/// What is frozen goes on, and what was a hop ago is of the same bin.
#[test]
fn prev_and_tap_look_whole_hops_back() {
    let x: Vec<f32> = noise(3, 30_000);
    for (body, hops) in [
        ("{ mag: prev(mag), phase: prev(phase) }", 1),
        ("{ mag: tap(mag, 2 * dt, max: 1s), phase: tap(phase, 2 * dt, max: 1s) }", 2),
    ] {
        let text = format!("out = spectral(in.left, size: 256) {{ {body} }}\n");
        let heard = heard(&text, std::slice::from_ref(&x));
        // Whole pieces, later by whole hops.
        let exact: Vec<f64> = [vec![0.0; 64 * hops], wide(&x)].concat();
        let found = distance(&heard[0][1000..20_000], &exact[1000..]);
        assert!(found < -110.0, "{body}: {found} dB");
    }
    let text = "open = since(in.right) < 4000\nout = spectral(in.left, size: 512) {\n    held = if open then mag else prev(held)\n    out = { mag: held, phase: phase }\n}\n";
    let mut trigger = vec![0.0; 30_000];
    trigger[1] = 1.0;
    let heard = heard(text, &[x[..4000].to_vec(), trigger]);
    assert!(heard.iter().flatten().all(|x| x.is_finite()));
}

/// The forms of what flows in are those of `mag` and `phase`.
#[test]
fn several_signals_are_seen_in_one_region() {
    let (x, y) = (noise(4, 20_000), noise(5, 20_000));
    let input = [x.clone(), y.clone()];
    let first = "out = spectral([in.left, in.right], size: 512) { { mag: mag[1], phase: phase[1] } }\n";
    let record =
        "s = { a: in.right, b: in.left }\nout = spectral(s, size: 512) { { mag: mag.a, phase: phase.a } }\n";
    let stereo = "both = spectral(in, size: 512) { mag }\nout = both.right\n";
    for text in [first, record, stereo] {
        let found = distance(&heard(text, &input)[0][..15_000], &wide(&y));
        assert!(found < -110.0, "{text}: {found} dB");
    }
}

/// What is used from outside is aligned with the region, whichever is later.
#[test]
fn a_song_sounds_as_if_nothing_were_late() {
    let x = noise(6, 20_000);
    let dry = "out = in.left - (spectral(in.left, size: 512) { mag })\n";
    let late = "def ahead(x) {\n    latency 5ms\n    out = tap(x, 5ms, max: 5ms)\n}\ngain = ahead(1 + 0 * in.left)\n\
                out = in.left - (spectral(in.left, size: 512) { gain * mag })\n";
    for text in [dry, late] {
        let heard = heard(text, std::slice::from_ref(&x));
        let found = level(heard[0][3000..15_000].iter().map(|x| f64::from(*x))) - level(wide(&x).into_iter());
        assert!(found < -110.0, "{text}: {found} dB");
    }
    // A gate that moves is seen once in each hop.
    let gated = "open = in.right > 0.5\nout = spectral(in.left, size: 512) { if open then mag else 0 }\n";
    let gate: Vec<f32> = (0..20_000).map(|n| if n / 5000 % 2 == 0 { 1.0 } else { 0.0 }).collect();
    let heard = heard(gated, &[x, gate]);
    let quarter = |n: usize| level(heard[0][5000 * n + 1000..5000 * n + 4000].iter().map(|x| f64::from(*x)));
    assert!(quarter(0) > -20.0 && quarter(2) > -20.0 && quarter(1) < -200.0 && quarter(3) < -200.0);
}

const MUSIC: &str = "x = 0.3 * saw(110Hz) * (0.5 + 0.5 * lfo(2Hz))\n\
    y = spectral((x, 0.2 * noise()), size: 512) {\n    smooth = 0.9 * prev(smooth) + 0.1 * mag\n    \
    out = { mag: smooth * (0.5 + 0.5 * random()), phase: phase + noise() }\n}\nout = y\n";

#[test]
fn blocks_of_any_size_have_the_same_bits() {
    let whole = heard(MUSIC, &[vec![0.0; 24_000]]);
    let mut engine = Engine::new(program(MUSIC));
    let (mut all, mut size) = (vec![], 1);
    while all.len() < 24_000 {
        let mut out = [vec![0.0; size], vec![0.0; size]];
        let [left, right] = &mut out;
        engine.process(&mut [left, right]);
        all.extend_from_slice(&out[0]);
        size = size * 7 % 331;
    }
    let late = program(MUSIC).latency as usize;
    assert!(
        late == 512 + 128
            && bits(&[all[late..20_000].to_vec()]) == bits(&[whole[0][..20_000 - late].to_vec()])
    );
}

/// An edit elsewhere is not heard in the region.
#[test]
fn a_region_goes_on_over_edits() {
    let options = control::Options { channels: 2, playing: true, limit: false };
    let song = program(MUSIC);
    let (mut control, mut live) = Control::new(song.clone(), Box::new(Scored), options);
    let mut all = vec![];
    for index in 0..200 {
        if index % 20 == 19 {
            control.edit(Arc::new(Program::clone(&song)), Sync::Now);
        }
        let (mut left, mut right) = (vec![0.0; 333], vec![0.0; 333]);
        live.process(&mut Frames::Planar(&mut [&mut left, &mut right]));
        control.tick();
        all.extend(left);
    }
    let whole = render_shared(song, Some(all.len() as u64), 1).0.channels;
    let late = program(MUSIC).latency as usize;
    let differs = all[late..].iter().zip(&whole[0]).position(|(a, b)| a != b);
    assert_eq!(differs, None, "live and offline part at this frame");
}

#[test]
fn what_cannot_be_a_region_is_said() {
    let cases = [
        ("out = spectral(noise())\n", "bad-spectrum: `spectral` computes"),
        ("out = spectral(noise(), size: 1000) { mag }\n", "bad-spectrum: a spectrum of 1000"),
        ("out = spectral(noise(), size: 256, overlap: 8) { mag }\n", "bad-spectrum: a spectrum of 256"),
        ("out = spectral(noise(), overlap: 3) { mag }\n", "bad-spectrum: a spectrum of 1024"),
        ("out = spectral(noise(), size: 1024 * lfo(1Hz)) { mag }\n", "not-constant: the size"),
        ("out = spectral(noise()) { { magnitude: mag } }\n", "bad-spectrum: a bin has"),
        ("out = spectral(noise()) { { phase: phase } }\n", "bad-spectrum: these braces"),
        ("out = spectral([noise(), noise()]) { mag[0] }\n", "bad-spectrum: these braces"),
        ("out = spectral(noise()) { { mag: mag * 1Hz, phase: phase } }\n", "dimension: the `mag`"),
        ("out = spectral(noise()) { mag * sine(2Hz) }\n", "bad-spectrum: `sine` cannot"),
        (
            "out = spectral(noise()) { oversample(2) { tanh(mag) } }\n",
            "bad-spectrum: a spectral region has bins",
        ),
        ("out = spectral(noise()) { spectral(mag) { mag } }\n", "bad-spectrum: a spectral region cannot"),
        ("out = oversample(2) { spectral(noise()) { mag } }\n", "bad-spectrum: a spectral region cannot"),
        ("x = noise() + 0.5 * prev(y)\ny = spectral(x) { mag }\nout = y\n", "misplaced-block: what flows"),
    ];
    for (text, wanted) in cases {
        let found = compiled(text, false).err().unwrap_or_else(|| panic!("{text}"));
        assert!(found.iter().any(|found| found.starts_with(wanted)), "{text}: {found:?}");
    }
}

#[test]
fn a_voice_has_a_spectrum_of_its_own() {
    let text = "s = 0.3 * saw(110Hz)\n\
        instrument p { out = spectral(s * vel) { { mag: mag, phase: phase } }\n until gate < 1 }\np = p(voices: 2)\n\
        out = (p, spectral(s * p.vel) { { mag: mag, phase: phase } })\ntempo 120\nplay { p \"c4 ~\" }\n";
    let [x, y] = &heard(text, &[vec![0.0; 60_000]])[..] else { panic!("two channels") };
    assert!(x.iter().any(|x| x.abs() > 0.1));
    assert!(x.iter().zip(y).all(|(x, y)| (x - y).abs() < 1e-6));
}
