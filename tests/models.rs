//! Programs of random figures against models of them in f64, which know nothing of the compiler: a feedback delay network, finite
//! responses, a vocoder, grains, a limiter that looks ahead.

use mam_compiler::files::{FileId, Loader, Located, Samples, Unusable};
use mam_compiler::target::Target;
use mam_compiler::{Options, compile};
use mam_grammar::Sources;
use mam_testing::render::{render, render_program};
use std::f64::consts::{PI, TAU};
use std::fmt::Write;
use std::sync::Arc;

const RATE: f64 = 48_000.0;
const FRAMES: usize = 12_000;

/// A generator of figures, the same in each run (the constants of Numerical Recipes).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn whole(&mut self, from: usize, to: usize) -> usize {
        from + self.next() as usize % (to - from + 1)
    }

    /// A number of three decimals, so that its text says all of it.
    fn number(&mut self, from: f64, to: f64) -> f64 {
        let part = self.next() as f64 / (1_u64 << 31) as f64;
        ((from + part * (to - from)) * 1000.0).round() / 1000.0
    }
}

fn heard(text: &str) -> Vec<f64> {
    let channels = render("song.mam", text, RATE as u32, Some(FRAMES as u64)).channels;
    channels[0].iter().map(|x| f64::from(*x)).collect()
}

/// What is heard is the model, within a share of its greatest value.
fn is_like(found: &[f64], model: &[f64], share: f64, what: &str) {
    let peak = model.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    assert!(peak > 1e-3 && peak.is_finite(), "{what}: the model is silent");
    let (at, off) = found
        .iter()
        .zip(model)
        .map(|(x, y)| (x - y).abs())
        .enumerate()
        .fold((0, 0.0_f64), |most, (at, off)| if off > most.1 { (at, off) } else { most });
    assert!(off <= share * peak, "{what}: {off} of {peak} at frame {at}");
}

fn list(values: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let all: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    format!("[{}]", all.join(", "))
}

/// Two partials that begin at frame 0.
const TONES: &str = "x = 0.5 * sine(331Hz) + 0.25 * sine(2.7kHz)\n";

fn tones(n: usize) -> f64 {
    // An oscillator's first sample is one step of its phase.
    let turns = |hz: f64| (hz * (n + 1) as f64 / RATE).fract();
    0.5 * (TAU * turns(331.0)).sin() + 0.25 * (TAU * turns(2700.0)).sin()
}

#[test]
fn feedback_delay_networks() {
    let mut dice = Dice(1);
    for _ in 0..6 {
        let size = [2, 3, 4, 8][dice.whole(0, 3)];
        let delays: Vec<usize> = (0..size).map(|_| dice.whole(3, 900)).collect();
        let gain = dice.number(0.3, 0.9);
        // Householder's reflection: orthogonal, so that the gain alone decides how long it sounds.
        let h = |i: usize, j: usize| f64::from(u8::from(i == j)) - 2.0 / size as f64;
        let rows = (0..size).map(|i| list((0..size).map(|j| h(i, j))));
        let last = size - 1;
        let text = format!(
            "{TONES}hit = if pulses(1000000, 10) then 1 else 0\nframes = {}\nh = {}\n\
             late = list i in 0..{last} {{ tap(fed[i], frames[i] / sr, max: 1000 / sr, order: whole) }}\n\
             fed = list i in 0..{last} {{ hit + 0.1 * x + {gain} * sum j in 0..{last} {{ h[i][j] * late[j] }} }}\n\
             out = sum l in late {{ l }}\n",
            list(&delays),
            list(rows),
        );
        let mut lines: Vec<Vec<f64>> = delays.iter().map(|_| vec![0.0; FRAMES]).collect();
        let mut model = vec![0.0; FRAMES];
        for n in 0..FRAMES {
            let late: Vec<f64> =
                (0..size).map(|i| if n >= delays[i] { lines[i][n - delays[i]] } else { 0.0 }).collect();
            model[n] = late.iter().sum();
            let hit = if n == 10 { 1.0 } else { 0.0 };
            for (i, line) in lines.iter_mut().enumerate() {
                let back: f64 = (0..size).map(|j| h(i, j) * late[j]).sum();
                line[n] = hit + 0.1 * tones(n) + gain * back;
            }
        }
        is_like(&heard(&text), &model, 2e-5, &text);
    }
}

#[test]
fn finite_responses() {
    let mut dice = Dice(2);
    for taps in [1, 2, 5, 16, 33, 64] {
        let response: Vec<f64> = (0..taps).map(|_| dice.number(-1.0, 1.0)).collect();
        let text = format!("{TONES}out = fir(x, {})\n", list(&response));
        let model: Vec<f64> = (0..FRAMES)
            .map(|n| {
                response.iter().enumerate().filter(|(k, _)| *k <= n).map(|(k, h)| h * tones(n - k)).sum()
            })
            .collect();
        is_like(&heard(&text), &model, 5e-6, &text);
    }
}

/// A state variable filter in the trapezoidal form, and its band-pass (A. Simper, 2013).
struct Band {
    a: [f64; 3],
    ic: [f64; 2],
}

impl Band {
    fn new(hz: f64, q: f64) -> Band {
        let (g, k) = ((PI * hz / RATE).tan(), 1.0 / q);
        let a1 = 1.0 / (1.0 + g * (g + k));
        Band { a: [a1, g * a1, g * g * a1], ic: [0.0; 2] }
    }

    fn next(&mut self, x: f64) -> f64 {
        let [a1, a2, a3] = self.a;
        let v3 = x - self.ic[1];
        let v1 = a1 * self.ic[0] + a2 * v3;
        let v2 = self.ic[1] + a2 * self.ic[0] + a3 * v3;
        self.ic = [2.0 * v1 - self.ic[0], 2.0 * v2 - self.ic[1]];
        v1
    }
}

#[test]
fn vocoders() {
    let mut dice = Dice(3);
    for _ in 0..4 {
        let bands = dice.whole(3, 12);
        let freqs: Vec<f64> = (0..bands).map(|_| dice.number(100.0, 9000.0).round()).collect();
        let (q, smooth) = (dice.number(1.0, 8.0), dice.number(0.001, 0.05));
        let text = format!(
            "{TONES}key = saw\nsaw = 2 * phasor(110Hz) - 1\nfreqs = {}\n\
             def band(x, hz) {{\n  g = tan(pi * hz / sr * 1Hz)\n  k = 1 / {q}\n  a1 = 1 / (1 + g * (g + k))\n  \
             v3 = x - prev(ic2)\n  v1 = a1 * prev(ic1) + g * a1 * v3\n  v2 = prev(ic2) + g * a1 * prev(ic1) + g * g * a1 * v3\n  \
             ic1 = 2 * v1 - prev(ic1)\n  ic2 = 2 * v2 - prev(ic2)\n  out = v1\n}}\n\
             def level(x) {{\n  out = prev(out) + {smooth} * (abs(x) - prev(out))\n}}\n\
             out = sum f in freqs {{ band(x, f) * level(band(key, f)) }}\n",
            list(&freqs),
        );
        let mut of_x: Vec<Band> = freqs.iter().map(|hz| Band::new(*hz, q)).collect();
        let mut of_key: Vec<Band> = freqs.iter().map(|hz| Band::new(*hz, q)).collect();
        let mut levels = vec![0.0; bands];
        let model: Vec<f64> = (0..FRAMES)
            .map(|n| {
                let key = 2.0 * (110.0 * (n + 1) as f64 / RATE).fract() - 1.0;
                (0..bands)
                    .map(|i| {
                        levels[i] += smooth * (of_key[i].next(key).abs() - levels[i]);
                        of_x[i].next(tones(n)) * levels[i]
                    })
                    .sum()
            })
            .collect();
        is_like(&heard(&text), &model, 1e-4, &text);
    }
}

#[test]
fn limiters_that_look_ahead() {
    let mut dice = Dice(4);
    for _ in 0..4 {
        let (frames, ceiling, drive) = (dice.whole(4, 24), dice.number(0.1, 0.5), dice.number(1.0, 4.0));
        let last = frames - 1;
        let text = format!(
            "{TONES}y = {drive} * x * (0.5 + 0.5 * sine(3Hz))\n\
             def ahead(y) {{\n  \
             peak = max i in 0..{last} {{ if i == 0 then abs(y) else tap(abs(y), i / sr, max: {last} / sr, order: whole) }}\n  \
             gain = min(1, {ceiling} / max(peak, 0.0001))\n  \
             even = (sum i in 0..{last} {{ if i == 0 then gain else tap(gain, i / sr, max: {last} / sr, order: whole) }}) / {frames}\n  \
             out = tap(y, {last} / sr, max: {last} / sr, order: whole) * even\n}}\nout = ahead(y)\n"
        );
        let y: Vec<f64> = (0..FRAMES)
            .map(|n| drive * tones(n) * (0.5 + 0.5 * (TAU * (3.0 * (n + 1) as f64 / RATE)).sin()))
            .collect();
        let at = |values: &[f64], n: usize, k: usize| if n >= k { values[n - k] } else { 0.0 };
        let gain: Vec<f64> = (0..FRAMES)
            .map(|n| {
                let peak = (0..frames).map(|k| at(&y, n, k).abs()).fold(0.0, f64::max);
                (ceiling / peak.max(0.0001)).min(1.0)
            })
            .collect();
        let model: Vec<f64> = (0..FRAMES)
            .map(|n| {
                let even = (0..frames).map(|k| at(&gain, n, k)).sum::<f64>() / frames as f64;
                at(&y, n, last) * even
            })
            .collect();
        assert!(model.iter().all(|x| x.abs() <= ceiling * 1.000_001), "the model limits");
        let found = heard(&text);
        is_like(&found, &model, 2e-5, &text);
        assert!(found.iter().all(|x| x.abs() <= ceiling * 1.001), "{text}");
    }
}

/// One sound, by any name.
struct OneSound(Samples);

impl Loader for OneSound {
    fn locate(&self, _: &Located, path: &str) -> Result<Located, Unusable> {
        Ok(Located { id: FileId::new(path), name: path.into() })
    }

    fn read(&self, file: &Located, _: usize) -> Result<String, Unusable> {
        Err(format!("`{}` is no text", file.name).into())
    }

    fn samples(&self, _: &Located, _: usize) -> Result<Samples, Unusable> {
        Ok(self.0.clone())
    }
}

#[test]
fn grains() {
    let mut dice = Dice(5);
    let sound: Vec<f32> = (0..20_000).map(|n| (tones(n) * (1.0 - n as f64 / 20_000.0)) as f32).collect();
    for _ in 0..4 {
        let heads = dice.whole(1, 6);
        let (period, size) = (dice.whole(300, 900), dice.whole(200, 800));
        let begins: Vec<usize> = (0..heads).map(|_| dice.whole(0, 10_000)).collect();
        let firsts: Vec<usize> = (0..heads).map(|_| dice.whole(0, 500)).collect();
        let mut text = String::from("b = sample(\"s.wav\")\nout = 0");
        for (first, begin) in firsts.iter().zip(&begins) {
            write!(text, " +\n  grain(pulses({period}, {first}), {begin} / 20000)").unwrap();
        }
        write!(
            text,
            "\ndef grain(trig, place) {{\n  t = since(trig) / {size}\n  \
             window = if t < 1 then 0.5 - 0.5 * cos(tau * t) else 0\n  out = window * playback(b, trig, begin: place)\n}}\n"
        )
        .unwrap();
        let mut model = vec![0.0; FRAMES];
        for (first, begin) in firsts.iter().zip(&begins) {
            for (n, out) in model.iter_mut().enumerate().skip(*first) {
                let since = (n - first) % period;
                if since < size {
                    let window = 0.5 - 0.5 * (TAU * since as f64 / size as f64).cos();
                    *out += window * f64::from(sound.get(begin + since).copied().unwrap_or(0.0));
                }
            }
        }
        let mut sources = Sources::default();
        let id = sources.add("song.mam", text.as_str());
        let options = Options { rate: RATE as u32, target: Target::portable(), ..Options::default() };
        let loader = OneSound(Samples { rate: RATE as u32, channels: vec![sound.clone()], stream: None });
        let compilation = compile(&mut sources, id, &loader, &options);
        let problems: Vec<String> = compilation.problems.iter().map(|p| p.message.clone()).collect();
        let program = compilation.program.unwrap_or_else(|| panic!("{problems:?}\n{text}"));
        let heard = render_program(Arc::new(program), Some(FRAMES as u64)).channels.swap_remove(0);
        let heard: Vec<f64> = heard.into_iter().map(f64::from).collect();
        is_like(&heard, &model, 1e-3, &text);
    }
}
