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
        Ok(Samples { rate: RATE, channels: vec![tone.collect()] })
    }
}

/// A song in which each of these things has one of several forms.
fn song(dice: &mut Dice) -> String {
    let mut one = |all: &[&str]| all[dice.next(all.len() as u64) as usize].to_owned();
    let (file, table, count) = (
        one(&["100", "150", "200"]),
        one(&["0, 1, 0, -1", "0, 0.7, 1, 0.7, 0, -0.7, -1, -0.7", "0, 0.9, 0.9, 0, -0.9, -0.9"]),
        one(&["1", "2", "3", "5"]),
    );
    let (factor, size, response, most) = (
        one(&["2", "4", "8"]),
        one(&["256", "512", "1024"]),
        one(&["[0.5]", "[0.25, 0.25]", "[0, 0, 0.5]"]),
        one(&["50ms", "100ms"]),
    );
    format!(
        "begun = 1 - prev(1)\nlow = 0.1 * sine(90Hz)\n\
         played = 0.3 * playback(sample(\"{file}.wav\"), begun, loop: 1)\n\
         drawn = 0.05 * table([{table}], phasor(80Hz))\n\
         many = sum i in 1..{count} {{ 0.05 * sine(70Hz * i) / i }}\n\
         bent = oversample({factor}) {{ 0.1 * tanh(2 * sine(60Hz)) }}\n\
         seen = spectral(0.1 * sine(120Hz), size: {size}) {{ mag }}\n\
         room = 0.1 * sine(110Hz) |> convolve({response})\n\
         again = 0.3 * grains(record(low, 1, max: {most}), 0.5, density: 20Hz, size: 40ms, n: 2)\n\
         out = low + played + drawn + many + bent + seen + room + again\n"
    )
}

fn made(text: &str) -> Arc<Program> {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let compilation = compile(&mut sources, id, &Tones, &Options { rate: RATE, ..Options::default() });
    Arc::new(compilation.program.unwrap_or_else(|| panic!("{:?}\n{text}", compilation.problems)))
}

#[test]
fn what_an_edit_replaces_fades_and_the_rest_goes_on() {
    let mut dice = Dice(7);
    let songs: Vec<Arc<Program>> = (0..12).map(|_| made(&song(&mut dice))).collect();
    let own = |song: &Arc<Program>| steepest(offline(song, 24_000).into_iter().skip(2000).map(|x| x[0]));
    let steep = songs.iter().map(own).fold(0.0, f32::max);
    let (mut control, mut live) = start(&songs[0]);
    let (mut worst, mut last) = (0.0_f32, None);
    let mut quietest = f32::INFINITY;
    for edit in 0..400 {
        control.edit(songs[dice.next(songs.len() as u64) as usize].clone(), Sync::Now);
        let mut loudest = 0.0_f32;
        for _ in 0..4 {
            let [left, _] = callback(&mut live, 64 * (1 + dice.next(20) as usize));
            control.tick();
            assert!(left.iter().all(|x| x.is_finite()), "edit {edit}");
            worst = worst.max(steepest(last.into_iter().chain(left.iter().copied())));
            loudest = left.iter().fold(loudest, |most, x| most.max(x.abs()));
            last = left.last().copied();
        }
        if edit > 4 {
            quietest = quietest.min(loudest);
        }
    }
    // Two songs sound at once while one fades into the other.
    assert!(worst < 2.0 * steep, "{worst} is steeper than twice {steep}");
    assert!(quietest > 0.02, "the rest went on: {quietest}");
    assert_eq!(control.telemetry().faults, 0);
}
