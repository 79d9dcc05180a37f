//! `stretch_at`, `stretch` and `loop_to`: length and pitch of what is stretched, to the bit however it is run, and what is refused.

use mam_compiler::files::{Loader, Located, Samples, Unusable};
use mam_compiler::target::Target;
use mam_compiler::{Options, compile};
use mam_grammar::{Severity, Sources};
use mam_measure::window::Spectrum;
use mam_runtime::{Engine, Program};
use mam_testing::render::{bits, render_input, render_shared};
use std::f64::consts::TAU;
use std::sync::Arc;

const RATE: u32 = 48_000;

/// One sound, as `a.wav`.
struct Sound(Samples);

impl Sound {
    fn of(rate: u32, channels: &[Vec<f32>]) -> Sound {
        Sound(Samples { rate, channels: channels.to_vec(), stream: None })
    }

    fn compile(&self, text: &str, interpreter: bool) -> Result<Arc<Program>, Vec<String>> {
        let mut sources = Sources::default();
        let id = sources.add("song.mam", text);
        let options = Options { rate: RATE, interpreter, target: Target::portable(), ..Options::default() };
        let compilation = compile(&mut sources, id, self, &options);
        let errors = compilation.problems.iter().filter(|p| p.code.severity == Severity::Error);
        let errors = errors.map(|p| format!("{}: {}", p.code.name, p.message)).collect();
        compilation.program.map(Arc::new).ok_or(errors)
    }

    /// So many frames of a song: the same by machine code and by the interpreter, by one thread and by several.
    fn heard(&self, text: &str, frames: u64) -> Vec<Vec<f32>> {
        let program =
            |interpreter| self.compile(text, interpreter).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
        let heard = render_shared(program(false), Some(frames), 1).0.channels;
        for (interpreter, threads) in [(true, 1), (false, 3)] {
            let other = render_shared(program(interpreter), Some(frames), threads).0.channels;
            assert!(bits(&heard) == bits(&other), "{text}");
        }
        heard
    }
}

impl Loader for Sound {
    fn locate(&self, _: &Located, path: &str) -> Result<Located, Unusable> {
        Ok(self.song(path))
    }

    fn read(&self, file: &Located, _: usize) -> Result<String, Unusable> {
        Err(format!("`{}` is not a text", file.name).into())
    }

    fn samples(&self, _: &Located, _: usize) -> Result<Samples, Unusable> {
        Ok(self.0.clone())
    }
}

fn noise(seed: u32, count: usize) -> Vec<f32> {
    let mut word = seed;
    let mut next = || {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (word >> 8) as f32 / 16_777_216.0 - 0.5
    };
    (0..count).map(|_| next()).collect()
}

/// Whole turns of a sine, so that it goes round without a seam.
fn tone(hz: f64, frames: usize) -> Vec<f32> {
    (0..frames).map(|n| (0.5 * (TAU * (hz * n as f64 / f64::from(RATE)).fract()).sin()) as f32).collect()
}

#[test]
fn at_its_own_speed_and_pitch_it_is_the_sound_itself() {
    let (left, right) = (noise(1, 30_000), noise(2, 30_000));
    let sound = Sound::of(RATE, &[left.clone(), right.clone()]);
    let heard = sound.heard("out = stretch(sample(\"a.wav\"))\n", 40_000);
    for (side, own) in heard.iter().zip([&left, &right]) {
        for (n, x) in side.iter().enumerate() {
            assert!((x - own[n % 30_000]).abs() < 2e-7, "{n}: {x} {}", own[n % 30_000]);
        }
    }
}

/// A tone keeps its pitch at any speed, and its level; another pitch is another tone.
#[test]
fn length_and_pitch_are_each_their_own() {
    let sound = Sound::of(RATE, &[tone(440.0, 48_000)]);
    for (speed, pitch) in [(0.25, 1.0), (1.5, 1.0), (-1.0, 1.0), (0.5, 0.75), (0.0, 1.0)] {
        let text = format!("out = stretch(sample(\"a.wav\"), speed: {speed}, pitch: {pitch})\n");
        let heard = sound.heard(&text, 48_000);
        let wave: Vec<f64> = heard[0][8000..8000 + 32_768].iter().copied().map(f64::from).collect();
        let spectrum = Spectrum::new(&wave, f64::from(RATE));
        let top = spectrum.strongest(0..spectrum.power.len()).unwrap();
        assert!((spectrum.frequency(top) - 440.0 * pitch).abs() < 1.0, "{text}: {}", spectrum.frequency(top));
        assert!((spectrum.height(top) - 0.5).abs() < 0.02, "{text}: {}", spectrum.height(top));
        let others = (13..spectrum.power.len()).filter(|bin| bin.abs_diff(top) > 12);
        let strongest = others.map(|bin| spectrum.amplitude(bin)).fold(0.0, f64::max);
        let range = 20.0 * (spectrum.height(top) / strongest).log10();
        assert!(range > 30.0, "{text}: {range} dB");
    }
}

/// What is in the sound comes when its speed says so: a click every tenth of it.
#[test]
fn places_follow_the_speed() {
    let mut clicks = vec![0.0; 48_000];
    (0..10).for_each(|k| (0..200).for_each(|n| clicks[2000 + 4800 * k + n] = 0.5));
    let sound = Sound::of(RATE, &[clicks]);
    for speed in [0.5, 0.8, 1.25] {
        let heard = sound.heard(&format!("out = stretch(sample(\"a.wav\"), speed: {speed})\n"), 40_000);
        for k in 0..4 {
            let wanted = ((2000.0 + 4800.0 * f64::from(k)) / speed) as usize;
            let near = &heard[0][wanted.saturating_sub(1600)..(wanted + 1600).min(40_000)];
            assert!(near.iter().any(|x| *x > 0.2), "{speed}: no click near {wanted}");
        }
    }
}

/// Within 6 % a loop is resampled, beyond it is stretched, and both go round in the time that is asked for.
#[test]
fn a_loop_is_stretched_where_it_is_far_from_its_own_length() {
    let sound = Sound::of(RATE, &[tone(440.0, 48_000)]);
    for (time, hertz) in [("0.95s", 440.0 / 0.95), ("1.6s", 440.0), ("0.7s", 440.0)] {
        let heard = sound.heard(&format!("out = loop_to(sample(\"a.wav\"), {time})\n"), 48_000);
        let wave: Vec<f64> = heard[0][8000..8000 + 32_768].iter().copied().map(f64::from).collect();
        let spectrum = Spectrum::new(&wave, f64::from(RATE));
        let top = spectrum.strongest(0..spectrum.power.len()).unwrap();
        assert!((spectrum.frequency(top) - hertz).abs() < 1.0, "{time}: {}", spectrum.frequency(top));
    }
}

/// Quanta that are rendered in parts have the same bits.
#[test]
fn blocks_of_any_size_have_the_same_bits() {
    let sound = Sound::of(44_100, &[noise(3, 20_000)]);
    let text = "out = stretch_at(sample(\"a.wav\"), in.left, 1 + in.right)\n";
    let place: Vec<f32> = (0..20_000).map(|n| (n as f32 / 30_000.0).fract()).collect();
    let pitch: Vec<f32> = (0..20_000).map(|n| 0.2 * (n as f32 / 3000.0).sin()).collect();
    let program = sound.compile(text, false).expect("it is a song");
    let whole = render_input(program.clone(), &[&place, &pitch], 1).channels;
    let mut engine = Engine::new(program);
    let (mut all, mut size) = (vec![], 1);
    while all.len() < 20_000 {
        let range = all.len()..(all.len() + size).min(20_000);
        let mut out = [vec![0.0; range.len()], vec![0.0; range.len()]];
        let [left, right] = &mut out;
        engine.process_block(&[&place[range.clone()], &pitch[range]], &mut [left, right]);
        all.extend_from_slice(&out[0]);
        size = size * 7 % 331;
    }
    assert!(bits(&[all]) == bits(&whole[..1]));
}

/// The shortest sounds, places that are nowhere, and pitches without end are played in bounded work.
#[test]
fn whatever_is_asked_for_is_finite() {
    for frames in [1, 2, 63, 700] {
        let sound = Sound::of(RATE, &[noise(4, frames)]);
        for place in ["0", "1e30 * noise()", "-0.3", "1 / (1 - 1 * lfo(1Hz) * 0)"] {
            for pitch in ["1", "0", "1e30", "-1", "if every(10ms) > 0 then 0 else 3"] {
                let text = format!("out = stretch_at(sample(\"a.wav\"), {place}, {pitch})\n");
                let heard = sound.heard(&text, 4000);
                assert!(heard[0].iter().all(|x| x.abs() < 4.0), "{frames}: {text}");
            }
        }
    }
}

#[test]
fn what_cannot_be_stretched_is_said() {
    let sound = Sound::of(RATE, &[noise(5, 1000)]);
    for (text, wanted) in [
        ("out = stretch_at(noise(), 0)\n", "not-a-signal: `stretch_at` plays"),
        ("out = stretch_at([sample(\"a.wav\")], 0)\n", "not-a-signal: `stretch_at` plays"),
        ("out = stretch_at(sample(\"a.wav\"), 20Hz)\n", "dimension: this argument of `stretch_at`"),
        ("out = oversample(2) { stretch_at(sample(\"a.wav\"), 0) }\n", "misplaced-block: a sound"),
    ] {
        let found = sound.compile(text, false).err().unwrap_or_else(|| panic!("{text}"));
        assert!(found.iter().any(|found| found.starts_with(wanted)), "{text}: {found:?}");
    }
}

/// Three voices, whose notes begin at 12000, 36000 and 60000.
const NOTES: &str = "tempo 120\nlength 2 bars\nplay { p \"[~ c4 ~ c4 ~ c4 ~ ~]\" }\n";

#[test]
fn a_voice_stretches_a_sound_of_its_own() {
    let sound = Sound::of(RATE, &[noise(7, 90_000)]);
    // All voices go round alike, and are heard while their notes are held.
    let text = format!(
        "instrument p {{ out = loop_to(sample(\"a.wav\"), 2 bars) * gate\\n until gate < 1 }}\np = p(voices: 3)\n\
         out = (p, loop_to(sample(\"a.wav\"), 2 bars) * p.gate)\n{NOTES}"
    )
    .replace("\\n", "\n");
    let [x, y] = &sound.heard(&text, 90_000)[..] else { panic!("two channels") };
    assert!(x[12_000..20_000].iter().any(|x| x.abs() > 0.1));
    assert!(x.iter().zip(y).all(|(x, y)| (x - y).abs() < 1e-6));
}

#[test]
fn a_loop_begins_anew_with_its_note() {
    // It grows louder all the way, so that its level says where it is.
    let louder = noise(8, 90_000).into_iter().enumerate().map(|(n, x)| x * n as f32 / 90_000.0);
    let sound = Sound::of(RATE, &[louder.collect()]);
    for bars in ["2", "0.9375"] {
        let text = format!(
            "instrument p {{\n out = loop_to(sample(\"a.wav\"), {bars} bars, trig) * gate\n}}\np = p()\nout = p\n{NOTES}"
        );
        let [x] = &sound.heard(&text, 72_000)[..1] else { panic!("a channel") };
        let level = |start: usize| {
            let squares = x[start + 2000..start + 10_000].iter().map(|x| f64::from(x * x)).sum::<f64>();
            (squares / 8000.0).sqrt()
        };
        let [first, last] = [level(12_000), level(60_000)];
        assert!(first > 0.01 && (first / last - 1.0).abs() < 0.2, "{bars}: {first} and {last}");
    }
}
