//! Edits of what cannot be carried over: another sample, table, list length, oversampling factor, size of spectra, response or
//! recording. The old one and the new one sound side by side for a moment, the rest goes on, and nothing clicks.

use super::{Dice, callback, offline, start, steepest};
use mam_compiler::files::{Loader, Located, Samples, Unusable};
use mam_compiler::{Options, compile};
use mam_grammar::Sources;
use mam_runtime::Program;
use mam_runtime::control::Sync;
use std::f32::consts::TAU;
use std::sync::Arc;

const RATE: u32 = 48_000;

/// Sounds of one low tone each, of whole cycles, in memory: `100.wav` has 100 Hz.
struct Tones;

impl Loader for Tones {
    fn locate(&self, from: &Located, path: &str) -> Result<Located, Unusable> {
        Ok(Located { name: path.to_owned(), ..from.clone() })
    }

    fn read(&self, file: &Located, _: usize) -> Result<String, Unusable> {
        Err(format!("there is no `{}`", file.name).into())
    }

    fn samples(&self, file: &Located, _: usize) -> Result<Samples, Unusable> {
        let hz: f32 = file.name.trim_end_matches(".wav").parse().map_err(|_| "not a tone".to_owned())?;
        let tone = (0..9600).map(|n| 0.3 * (TAU * hz * n as f32 / RATE as f32).sin());
        Ok(Samples { rate: RATE, channels: vec![tone.collect()], stream: None })
    }
}

/// What an edit replaces: the equation of a sound, in one form and in others.
const SOUNDS: [(&str, &str, [&str; 3]); 8] = [
    ("a sample", "0.3 * playback(sample(\"?.wav\"), 1 - prev(1), loop: 1)", ["100", "150", "200"]),
    (
        "a table",
        "0.05 * table([?], phasor(80Hz))",
        ["0, 1, 0, -1", "0, 0.7, 1, 0.7, 0, -0.7, -1, -0.7", "0, 0.9, 0.9, 0, -0.9, -0.9"],
    ),
    ("a list", "sum i in 1..? { 0.05 * sine(70Hz * i) / i }", ["1", "2", "5"]),
    ("a factor", "oversample(?) { 0.1 * tanh(2 * sine(60Hz)) }", ["2", "4", "8"]),
    ("a spectrum", "spectral(0.1 * sine(120Hz), size: ?) { mag }", ["256", "512", "1024"]),
    ("a line", "tap(0.1 * sine(120Hz), 20ms, max: ?)", ["50ms", "200ms", "800ms"]),
    ("a response", "0.1 * sine(110Hz) |> convolve([?])", ["0.5", "0.25, 0.25", "0, 0, 0.5"]),
    (
        "a recording",
        "0.3 * grains(record(low, 1, max: ?), 0.5, density: 20Hz, size: 40ms, n: 2)",
        ["50ms", "100ms", "70ms"],
    ),
];

fn made(text: &str) -> Arc<Program> {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let compilation = compile(&mut sources, id, &Tones, &Options { rate: RATE, ..Options::default() });
    Arc::new(compilation.program.unwrap_or_else(|| panic!("{:?}\n{text}", compilation.problems)))
}

#[test]
fn what_an_edit_replaces_fades_and_the_rest_goes_on() {
    let mut wrong = vec![];
    for (name, sound, forms) in SOUNDS {
        let song = |form| {
            made(&format!("low = 0.1 * sine(90Hz)\nthis = {}\nout = low + this\n", sound.replace('?', form)))
        };
        let songs = forms.map(song);
        let own = |song: &Arc<Program>| steepest(offline(song, 24_000).into_iter().skip(4000).map(|x| x[0]));
        let steep = songs.iter().map(own).fold(0.0, f32::max);
        let (mut control, mut live) = start(&songs[0]);
        let mut dice = Dice(7);
        let (mut worst, mut last, mut quietest) = (0.0_f32, None, f32::INFINITY);
        for edit in 0..60 {
            let mut loudest = 0.0_f32;
            for _ in 0..4 {
                let [left, _] = callback(&mut live, 64 * (1 + dice.next(20) as usize));
                control.tick();
                assert!(left.iter().all(|x| x.is_finite()), "{name}, edit {edit}");
                // What sounds at first begins as it does offline.
                if edit > 4 {
                    worst = worst.max(steepest(last.into_iter().chain(left.iter().copied())));
                }
                loudest = left.iter().fold(loudest, |most, x| most.max(x.abs()));
                last = left.last().copied();
            }
            if edit > 4 {
                quietest = quietest.min(loudest);
            }
            control.edit(songs[dice.next(songs.len() as u64) as usize].clone(), Sync::Now);
        }
        // Two songs sound at once while one fades into the other.
        if worst > 2.0 * steep || quietest < 0.02 || control.telemetry().faults > 0 {
            wrong.push(format!("{name}: {worst} is steeper than twice {steep}, or {quietest} is too quiet"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
