//! Sound files in a song: what `sample` reads and `playback` plays, against the file's own samples and closed forms.

#[path = "samples/damaged.rs"]
mod damaged;
#[path = "samples/hostile.rs"]
mod hostile;
#[path = "samples/pieces.rs"]
mod pieces;

use mam_compiler::files::{Samples, Unusable};
use mam_compiler::target::Target;
use mam_compiler::{Options, compile};
use mam_grammar::{Severity, Sources};
use mam_measure::window::Spectrum;
use mam_runtime::render::{Length, Renderer};
use mam_runtime::score::{Extent, Sequencer};
use mamc::input::Disk;
use std::f64::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const RATE: u32 = 48_000;

/// A folder with sound files, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("mam-samples-{name}-{}", std::process::id()));
        fs::create_dir(&path).expect("a folder that no other test has");
        Folder(path)
    }

    /// Writes a sound of floats.
    fn wav(&self, name: &str, rate: u32, channels: &[Vec<f32>]) {
        let spec = hound::WavSpec {
            channels: channels.len() as u16,
            sample_rate: rate,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut writer = hound::WavWriter::create(self.0.join(name), spec).unwrap();
        for n in 0..channels[0].len() {
            channels.iter().for_each(|channel| writer.write_sample(channel[n]).unwrap());
        }
        writer.finalize().unwrap();
    }

    /// The problems of a song in this folder, and so many frames of both sides where it has none.
    fn render(&self, text: &str, frames: u64, interpreter: bool) -> Result<Vec<Vec<f32>>, Vec<String>> {
        let song = self.0.join("song.mam");
        fs::write(&song, text).unwrap();
        let mut sources = Sources::default();
        let id = sources.add(song.to_string_lossy().as_ref(), text);
        let options = Options {
            rate: RATE,
            channels: 2,
            interpreter,
            target: Target::portable(),
            ..Options::default()
        };
        let compilation = compile(&mut sources, id, &Disk::new(Some(&song), false), &options);
        let errors = compilation.problems.iter().filter(|p| p.code.severity == Severity::Error);
        let errors: Vec<String> = errors.map(|p| format!("{}: {}", p.code.name, p.message)).collect();
        let Some(program) = compilation.program.map(Arc::new) else { return Err(errors) };
        let source = Sequencer::for_program(&program, Extent::Forever);
        let mut renderer = Renderer::new(program, source, 2, 0, Length::Frames(frames));
        let mut channels = vec![vec![]; 2];
        while let Some(block) = renderer.next_block() {
            channels.iter_mut().zip(block).for_each(|(all, new)| all.extend(new));
        }
        Ok(channels)
    }

    /// The same by machine code and by the interpreter, to the bit.
    fn heard(&self, text: &str, frames: u64) -> Vec<Vec<f32>> {
        let native = self.render(text, frames, false).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
        let reference = self.render(text, frames, true).unwrap();
        let bits = |all: &[Vec<f32>]| all.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert!(bits(&native) == bits(&reference), "interpreter and machine code differ: {text}");
        native
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn noise(frames: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    std::iter::repeat_with(next).take(frames).collect()
}

fn sine(hz: f64, rate: f64, frames: usize) -> Vec<f32> {
    (0..frames).map(|n| (0.5 * (TAU * (hz / rate * n as f64).fract()).sin()) as f32).collect()
}

/// A trigger at frame 100.
const START: &str = "t = pulses(1000000, 100)\n";

#[test]
fn at_its_own_speed_a_file_is_heard_to_the_bit() {
    let folder = Folder::new("exact");
    let (left, right) = (noise(1000, 1), noise(1000, 2));
    folder.wav("hit.wav", RATE, &[left.clone(), right.clone()]);
    let heard = folder.heard(&format!("{START}out = playback(sample(\"hit.wav\"), t)\n"), 2000);
    for (side, own) in heard.iter().zip([&left, &right]) {
        assert!(side[..100].iter().all(|x| *x == 0.0));
        assert_eq!(&side[100..1100], &own[..]);
        assert!(side[1100..].iter().all(|x| *x == 0.0));
    }
    // Backwards it is the same, from its end.
    let heard = folder.heard(&format!("{START}b = sample(\"hit.wav\")\nout = playback(b, t, -1)\n"), 2000);
    let reversed: Vec<f32> = left.iter().rev().copied().collect();
    assert_eq!(&heard[0][100..1100], &reversed[..]);
    assert!(heard[0][1100..].iter().all(|x| *x == 0.0));
    // A file of one channel is on both sides; its parts are numbers.
    folder.wav("mono.wav", 24_000, std::slice::from_ref(&left));
    let text = "b = sample(\"mono.wav\")\nout = (b.frames / 10000, b.time * 1Hz + b.rate / 1MHz)\n";
    let text = text.replace("1MHz", "1000000Hz");
    let heard = folder.heard(&text, 10);
    assert!(
        (heard[0][5] - 0.1).abs() < 1e-6 && (heard[1][5] - (1.0 / 24.0 + 0.024)).abs() < 1e-6,
        "{heard:?}"
    );
}

/// Sines up to a tenth of the rate, at speeds that are no fractions: all else lies 90 dB below them.
#[test]
fn what_is_between_the_samples_is_that_of_the_sine() {
    let folder = Folder::new("sinc");
    for hz in [441.0, 2_200.0, 4_400.0] {
        folder.wav("sine.wav", 44_100, &[sine(hz, 44_100.0, 120_000)]);
        for speed in ["1", "1.0594630943592953", "0.7491535384383408"] {
            let text = format!("{START}out = playback(sample(\"sine.wav\"), t, {speed})\n");
            let heard = folder.render(&text, 80_000, false).unwrap();
            let wave: Vec<f64> = heard[0][4_000..4_000 + 65_536].iter().map(|x| f64::from(*x)).collect();
            let spectrum = Spectrum::new(&wave, f64::from(RATE));
            let top = spectrum.strongest(0..spectrum.power.len()).unwrap();
            let wanted = hz * speed.parse::<f64>().unwrap();
            assert!(
                (spectrum.frequency(top) - wanted).abs() < 0.01,
                "{hz} {speed}: {}",
                spectrum.frequency(top)
            );
            assert!((spectrum.height(top) - 0.5).abs() < 0.001, "{hz} {speed}: {}", spectrum.height(top));
            let others = (13..spectrum.power.len()).filter(|bin| bin.abs_diff(top) > 12);
            let strongest = others.map(|bin| spectrum.amplitude(bin)).fold(0.0, f64::max);
            let range = 20.0 * (spectrum.height(top) / strongest).log10();
            assert!(range > 90.0, "{hz} {speed}: {range}");
        }
    }
}

#[test]
fn parts_loops_and_slices_begin_and_end_where_they_are_said_to() {
    let folder = Folder::new("parts");
    let own = noise(1600, 3);
    folder.wav("b.wav", RATE, std::slice::from_ref(&own));
    let text = format!("{START}out = playback(sample(\"b.wav\"), t, 1, 0.25, 0.5, loop: 1, fade: 0s)\n");
    let heard = folder.heard(&text, 2000);
    for n in 100..2000 {
        assert_eq!(heard[0][n], own[400 + (n - 100) % 400], "{n}");
    }
    // A crossfade begins where the loop would end, and ends with what is before the loop.
    let ramp: Vec<f32> = (0..1600).map(|n| n as f32 / 1600.0).collect();
    folder.wav("ramp.wav", RATE, std::slice::from_ref(&ramp));
    let text =
        format!("{START}out = playback(sample(\"ramp.wav\"), t, 1, 0.5, 0.75, loop: 1, fade: 100 / sr)\n");
    let heard = folder.heard(&text, 1000);
    let step = |n: usize| f64::from((heard[0][n] - heard[0][n - 1]).abs());
    assert!((101..1000).all(|n| step(n) < 0.004), "it clicks");
    assert_eq!(heard[0][100 + 250], ramp[800 + 250]);
    // A slice fades out where it is cut.
    let text = format!("{START}out = slice(sample(\"b.wav\"), t, 2, slices: 4)\n");
    let heard = folder.heard(&text, 2000);
    assert_eq!(&heard[0][100..100 + 300], &own[800..1100]);
    assert!(heard[0][500..].iter().all(|x| *x == 0.0));
    assert!(heard[0][499].abs() < 0.02);
    // A loop of 1600 frames in 800: twice as fast.
    let heard = folder.heard("out = loop_to(sample(\"ramp.wav\"), 800 / sr)\n", 1700);
    for n in [0, 10, 399, 801, 1200] {
        let wanted = ramp[(2 * n) % 1600];
        assert!((heard[0][n] - wanted).abs() < 1e-3, "{n}: {} {wanted}", heard[0][n]);
    }
}

#[test]
fn instruments_play_files() {
    let folder = Folder::new("instrument");
    let own = noise(200, 4);
    folder.wav("hit.wav", RATE, std::slice::from_ref(&own));
    let text = "tempo 120\ninstrument hit {\n  out = one_shot(sample(\"hit.wav\"), trig) * vel\n}\n\
                h = hit()\nplay { h |x.x.| }\nout = h\n";
    let heard = folder.heard(text, 50_000);
    assert_eq!(&heard[0][..200], &own[..]);
    assert_eq!(&heard[0][48_000..48_200], &own[..]);
    assert!(heard[0][200..48_000].iter().all(|x| *x == 0.0));
}

/// A compressed sound and what another decoder makes of it: its rate, channels and frames, then of each channel every 89th
/// frame. All are of one sound that mam rendered and ffmpeg 5.1 encoded, and ffmpeg decoded it; but `short.ogg`, whose sound
/// is one page: ffmpeg 5.1 does not cut that to the length that the page says, as the format's own decoder `oggdec` does.
struct Compressed {
    name: &'static str,
    bytes: Vec<u8>,
    rate: u32,
    frames: usize,
    channels: Vec<Vec<f32>>,
}

impl Compressed {
    const APART: usize = 89;

    fn all() -> Vec<Compressed> {
        ["cbr.mp3", "vbr.mp3", "plain.mp3", "stereo.ogg", "short.ogg"].map(Compressed::open).into()
    }

    fn open(name: &'static str) -> Compressed {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sounds").join(name);
        let bytes = fs::read(&path).unwrap();
        let decoded = fs::read_to_string(path.with_file_name(format!("{name}.txt"))).unwrap();
        let mut lines = decoded.lines().map(|line| line.split(' ').map(|word| word.parse::<f32>().unwrap()));
        let form: Vec<usize> = lines.next().unwrap().map(|x| x as usize).collect();
        let channels: Vec<Vec<f32>> = lines.map(Iterator::collect).collect();
        assert_eq!(channels.len(), form[1]);
        Compressed { name, bytes, rate: form[0] as u32, frames: form[2], channels }
    }

    fn read(bytes: Vec<u8>) -> Result<Samples, Unusable> {
        mam_package::sound::read(std::io::Cursor::new(bytes), "x", 1 << 20)
    }
}

#[test]
fn compressed_files_have_the_samples_and_the_length_that_other_decoders_give() {
    for file in Compressed::all() {
        let name = file.name;
        let samples = Compressed::read(file.bytes).unwrap();
        assert_eq!((samples.rate, samples.channels.len()), (file.rate, file.channels.len()), "{name}");
        assert_eq!(samples.frames(), file.frames, "{name}");
        for (own, wanted) in samples.channels.iter().zip(&file.channels) {
            let own: Vec<f32> = own.iter().step_by(Compressed::APART).copied().collect();
            assert_eq!(own.len(), wanted.len(), "{name}");
            let power = |x: &mut dyn Iterator<Item = f32>| {
                (x.map(|x| f64::from(x).powi(2)).sum::<f64>() / own.len() as f64).sqrt()
            };
            let apart = power(&mut own.iter().zip(wanted).map(|(a, b)| a - b));
            let loud = power(&mut wanted.iter().copied());
            assert!(loud > 0.01 && apart < 1e-6, "{name}: {apart} of {loud}");
        }
    }
}

#[test]
fn compressed_files_are_played_and_broken_ones_are_problems_at_their_place() {
    let folder = Folder::new("compressed");
    for file in Compressed::all() {
        let Compressed { name, bytes, rate, .. } = file;
        let heard = |folder: &Folder| {
            let speed = f64::from(RATE) / f64::from(rate);
            let text = format!("{START}out = playback(sample(\"{name}\"), t, {speed})\n");
            folder.render(&text, 4000, false)
        };
        fs::write(folder.0.join(name), &bytes).unwrap();
        let samples = Compressed::read(bytes.clone()).unwrap();
        assert_eq!(heard(&folder).unwrap()[0][100..4000], samples.channels[0][..3900], "{name}");
        if name == "plain.mp3" {
            // Nothing in it says how long it is.
            assert!(Compressed::read(bytes[..700].to_vec()).unwrap().frames() < samples.frames());
            continue;
        }
        for size in [1, 100, bytes.len() / 2, bytes.len() - 100] {
            fs::write(folder.0.join(name), &bytes[..size]).unwrap();
            let problems = heard(&folder).expect_err(name);
            assert!(problems.len() == 1 && problems[0].starts_with("cannot-use: "), "{name}: {problems:?}");
        }
    }
}

/// Frames at 120 beats a minute: four notes a bar.
const BEAT: usize = 24_000;

#[test]
fn a_sampler_plays_slices_by_number_and_the_whole_by_a_hit() {
    let folder = Folder::new("sampler");
    let file = noise(40_000, 11);
    folder.wav("break.wav", RATE, std::slice::from_ref(&file));
    let text =
        "b = sampler(sample(\"break.wav\"), slices: 4)\nplay { b \"2 0 3 x\" }\nlength 1 bar\nout = b\n";
    let heard = folder.heard(text, 4 * BEAT as u64);
    // A slice ends in a fade of 2 ms, but for the last, and what was cut off by a note falls in the next milliseconds.
    for (beat, slice) in [(0, 2), (1, 0), (2, 3)] {
        let own = &file[slice * 10_000..(slice + 1) * 10_000];
        assert_eq!(&heard[0][beat * BEAT..][..9_900], &own[..9_900], "slice {slice}");
        assert!(heard[0][beat * BEAT + 10_000..(beat + 1) * BEAT].iter().all(|x| *x == 0.0), "slice {slice}");
    }
    assert_eq!(&heard[0][2 * BEAT..][..10_000], &file[30_000..]);
    assert_eq!(&heard[0][3 * BEAT..][..BEAT], &file[..BEAT]);
}

#[test]
fn a_sampler_follows_the_note_repeats_and_ends_with_its_gate() {
    let folder = Folder::new("repeats");
    folder.wav("sine.wav", RATE, &[sine(1000.0, 48_000.0, 48_000)]);
    // An octave up; at the second beat twice as fast again, backwards.
    let text = "knob v = 1 in -2..2\nb = sampler(sample(\"sine.wav\"), speed: v)\nplay { b \"c5\" ; v \"1 -2\" }\n\
                length 1 bar\nout = b\n";
    let heard = folder.heard(text, BEAT as u64);
    let model = |n: usize| 0.5 * (TAU * 2000.0 * n as f64 / 48_000.0).sin();
    let apart = (100..20_000).map(|n| (f64::from(heard[0][n]) - model(n)).abs()).fold(0.0, f64::max);
    assert!(apart < 1e-4, "{apart}");
    // It goes round while the note is held, and falls silent in the release: 48 frames of a period are a whole number in it.
    let text = "b = sampler(sample(\"sine.wav\"), begin: 0.1, end: 0.3, repeat: 1, attack: 1ms, release: 10ms)\n\
                play { b \"c4 ~\" }\nlength 2 bars\nout = b\n";
    let heard = folder.heard(text, 3 * BEAT as u64);
    let model = |n: usize| 0.5 * (TAU * 1000.0 * n as f64 / 48_000.0).sin();
    let apart = (100..47_900).map(|n| (f64::from(heard[0][n]) - model(n)).abs()).fold(0.0, f64::max);
    assert!(apart < 1e-4, "{apart}");
    assert!(heard[0][2 * BEAT + 4_800..].iter().all(|x| x.abs() < 1e-4));
    // A note that cuts off another does not click.
    let text = "b = sampler(sample(\"sine.wav\"))\nplay { b |xxx.| }\ntempo 119.3\nlength 1 bar\nout = b\n";
    let heard = folder.heard(text, 4 * BEAT as u64);
    let step = heard[0].windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    assert!(step < 0.09, "{step}");
}

/// A sound of four levels, a quarter each, is as long as its events, at 2 s a bar.
#[test]
fn a_sampler_fits_its_sound_to_the_bars() {
    let folder = Folder::new("fit");
    let levels = [0.1_f32, 0.2, 0.3, 0.4];
    folder.wav("steps.wav", RATE, &[levels.iter().flat_map(|level| vec![*level; 6000]).collect()]);
    for (line, places) in [
        ("\"x\".fit", [(12_000, 0.1), (36_000, 0.2), (60_000, 0.3), (84_000, 0.4)]),
        ("\"x*2\".splice(4, \"3 0\")", [(1000, 0.4), (46_000, 0.4), (50_000, 0.1), (94_000, 0.1)]),
        ("\"x\".loopAt(2).chop(4)", [(24_000, 0.1), (72_000, 0.2), (120_000, 0.3), (168_000, 0.4)]),
    ] {
        let song = format!("tempo 120\nb = sampler(sample(\"steps.wav\"))\nplay {{ b {line} }}\nout = b\n");
        let sound = folder.heard(&song, 192_000).remove(0);
        for (frame, level) in places {
            assert!((sound[frame] - level).abs() < 2e-3, "{line}: {} at {frame}, not {level}", sound[frame]);
        }
    }
    // Slices by their numbers are as long as their events as well.
    let song = "tempo 120\nb = sampler(sample(\"steps.wav\"), slices: 4)\nplay { b \"3 0\".fit }\nout = b\n";
    let sound = folder.heard(song, 96_000).remove(0);
    for (frame, level) in [(1000, 0.4), (46_000, 0.4), (50_000, 0.1), (94_000, 0.1)] {
        assert!((sound[frame] - level).abs() < 2e-3, "{} at {frame}, not {level}", sound[frame]);
    }
}

/// A hit plays the sound as it was recorded, whatever its pitch is said to be.
#[test]
fn a_hit_of_a_sampler_plays_at_its_own_pitch() {
    let folder = Folder::new("own-pitch");
    let file = noise(9_000, 3);
    folder.wav("hit.wav", RATE, std::slice::from_ref(&file));
    let text = "b = sampler(sample(\"hit.wav\"), pitch: a4)\nplay { b |x...| }\nlength 1 bar\nout = b\n";
    assert_eq!(folder.heard(text, 8_000)[0], file[..8_000]);
}

#[test]
fn a_keymap_plays_the_nearest_file_and_the_layer_of_its_velocity() {
    let folder = Folder::new("keymap");
    let files: Vec<Vec<f32>> = (0..4).map(|i| noise(9_000 + 1_000 * i, i as u32 + 1)).collect();
    for (i, file) in files.iter().enumerate() {
        folder.wav(&format!("{i}.wav"), RATE, std::slice::from_ref(file));
    }
    // The last has two channels.
    folder.wav("3.wav", RATE, &[files[3].clone(), noise(12_000, 9)]);
    let zone = |i: usize, pitch: &str, vel: &str| {
        format!("{{ sample: sample(\"{i}.wav\"), pitch: {pitch}, vel: {vel} }}")
    };
    let zones = [zone(0, "c3", "1"), zone(1, "c4", "0.4"), zone(2, "c4", "1"), zone(3, "c5", "1")].join(", ");
    let text =
        format!("p = keymap([{zones}])\nplay {{ p \"c3:0.2 c4:0.3 c4:0.9 c5\" }}\nlength 1 bar\nout = p\n");
    let heard = folder.heard(&text, 4 * BEAT as u64);
    for (beat, (file, vel)) in [(0, 0.2_f32), (1, 0.3), (2, 0.9), (3, 1.0)].into_iter().enumerate() {
        let wanted: Vec<f32> = files[file].iter().map(|x| x * vel).collect();
        assert_eq!(&heard[0][beat * BEAT..][..wanted.len()], &wanted[..], "{beat}");
        assert!(heard[0][beat * BEAT + wanted.len()..(beat + 1) * BEAT].iter().all(|x| *x == 0.0), "{beat}");
    }
    assert_eq!(&heard[1][3 * BEAT..][..12_000], &noise(12_000, 9)[..]);
    for (text, wanted) in [
        ("b = sampler()\nout = b\n", "missing-argument: `sampler` needs `buffer`"),
        (
            "b = sampler(sample(\"0.wav\"), slices: lfo(1Hz))\nout = b\n",
            "not-constant: `slices` of `sampler`",
        ),
        ("b = sampler(noise())\nout = b\n", "not-constant: `buffer` of `sampler`"),
    ] {
        let problems = folder.render(text, 10, false).expect_err(text);
        assert!(problems.iter().any(|p| p.starts_with(wanted)), "{text}: {problems:?}");
    }
    // Those of a user's own may be bounds.
    let text = "instrument stack(n, base: Hz = 100Hz) {\n  param gain = 0.2 in 0..1\n  out = gain * (sum i in 1..n { sine(base * i) })\n}\n\
                a = stack(3)\nb = stack(2, 200Hz, gain: 0.1)\nout = a + b\n";
    let heard = folder.heard(text, 1_000);
    let model = |n: usize| {
        let t = (n + 1) as f64 / 48_000.0;
        let sines = |n: usize, base: f64| (1..=n).map(|i| (TAU * base * i as f64 * t).sin()).sum::<f64>();
        0.2 * sines(3, 100.0) + 0.1 * sines(2, 200.0)
    };
    let apart = (0..1_000).map(|n| (f64::from(heard[0][n]) - model(n)).abs()).fold(0.0, f64::max);
    assert!(apart < 1e-5, "{apart}");
}

/// The wave of these harmonics, (cosine, sine) each, at frame n of an oscillator of `hz`.
fn harmonic_sum(harmonics: &[(f64, f64)], hz: f64, n: usize) -> f64 {
    let t = hz / f64::from(RATE) * (n + 1) as f64;
    let part = |(h, (cos, sin)): (usize, &(f64, f64))| {
        let angle = TAU * ((h + 1) as f64 * t).fract();
        cos * angle.cos() + sin * angle.sin()
    };
    harmonics.iter().enumerate().map(part).sum()
}

#[test]
fn a_wavetable_is_the_sum_of_its_harmonics_and_goes_between_its_waves() {
    let folder = Folder::new("waves");
    let apart = |text: &str, model: &dyn Fn(usize) -> f64| {
        let heard = folder.heard(text, 5_000);
        (0..5_000).map(|n| (f64::from(heard[0][n]) - model(n)).abs()).fold(0.0, f64::max)
    };
    // Harmonics far below a quarter of the rate are at their level.
    let levels = [(0.0, 1.0), (0.0, 0.0), (0.0, -0.5), (0.0, 0.25)];
    let text = "out = wavetable([1, 0, -0.5, 0.25], 220Hz)\n";
    let error = apart(text, &|n| harmonic_sum(&levels, 220.0, n));
    assert!(error < 1e-5, "{error}");
    // A third of the way between the second and the third of three waves.
    let text = "out = wavetable([[1], [0, 1], [0, 0, 1]], 330Hz, morph: 2/3)\n";
    let mixed = [(0.0, 0.0), (0.0, 2.0 / 3.0), (0.0, 1.0 / 3.0)];
    let error = apart(text, &|n| harmonic_sum(&mixed, 330.0, n));
    assert!(error < 1e-5, "{error}");
    // A file of one turn, of a length that is not a power of two, and one of two turns.
    let own = [(0.3, 0.4), (0.0, 0.0), (-0.2, 0.1)];
    let turn = |harmonics: &[(f64, f64)], size: usize| -> Vec<f32> {
        let at = |i: usize| {
            let angle = |h: usize| TAU * (h + 1) as f64 * i as f64 / size as f64;
            harmonics
                .iter()
                .enumerate()
                .map(|(h, (cos, sin))| cos * angle(h).cos() + sin * angle(h).sin())
                .sum()
        };
        (0..size)
            .map(|i| {
                let x: f64 = at(i);
                x as f32
            })
            .collect()
    };
    folder.wav("one.wav", RATE, &[turn(&own, 600)]);
    let error = apart("out = wavetable(sample(\"one.wav\"), 150Hz)\n", &|n| harmonic_sum(&own, 150.0, n));
    assert!(error < 1e-5, "{error}");
    let other = [(0.0, 0.5)];
    folder.wav("two.wav", RATE, &[[turn(&own, 2048), turn(&other, 2048)].concat()]);
    let text = "out = wavetable(sample(\"two.wav\"), 150Hz, morph: 0.25)\n";
    let model = |n: usize| 0.75 * harmonic_sum(&own, 150.0, n) + 0.25 * harmonic_sum(&other, 150.0, n);
    let error = apart(text, &model);
    assert!(error < 1e-5, "{error}");
    // In an instrument, by its head.
    let text = "w = wave_keys([[1], [0, 1]], morph: 1, sweep: 0, cutoff: 18kHz, voices: 2)\nplay { w \"a4\" }\nout = w\n";
    assert!(folder.heard(text, 5_000)[0].iter().any(|x| x.abs() > 0.1));
    folder.wav("long.wav", RATE, &[noise(5_000, 1)]);
    for (text, wanted) in [
        (
            "out = wavetable(sample(\"long.wav\"), 100Hz)\n",
            "a wavetable is one cycle of at most 4096 samples",
        ),
        ("out = wavetable(noise(), 100Hz)\n", "a wavetable is a buffer, or a list of constants"),
        ("out = wavetable([1, noise()], 100Hz)\n", "a wavetable is a buffer, or a list of constants"),
        ("out = wavetable([], 100Hz)\n", "a wavetable is a buffer, or a list of constants"),
        ("out = wave_at([1], phasor(1Hz), 5ms)\n", "this argument of `wave_at` is a frequency"),
    ] {
        let problems = folder.render(text, 10, false).expect_err(text);
        assert!(problems.iter().any(|p| p.contains(wanted)), "{text}: {problems:?}");
    }
}

/// The brightest wave that a list can say, at pitches over the whole range: what is no harmonic is far below the fundamental.
#[test]
fn a_wavetable_does_not_fold_at_any_pitch() {
    let folder = Folder::new("alias");
    for hz in [61.7, 440.7, 2_010.3, 7_003.1] {
        let text = format!("out = wavetable(list h in 1..256 {{ 1 / h }}, {hz}Hz)\n");
        let heard = folder.render(&text, 80_000, false).unwrap();
        let wave: Vec<f64> = heard[0][4_000..4_000 + 65_536].iter().map(|x| f64::from(*x)).collect();
        let spectrum = Spectrum::new(&wave, f64::from(RATE));
        let top = spectrum.strongest(0..spectrum.power.len()).unwrap();
        let width = f64::from(RATE) / 65_536.0;
        let harmonic = |bin: usize| {
            let f = bin as f64 * width;
            ((f / hz).round() * hz - f).abs() < 13.0 * width
        };
        let strongest = (13..spectrum.power.len()).filter(|bin| !harmonic(*bin));
        let strongest = strongest.map(|bin| spectrum.amplitude(bin)).fold(0.0, f64::max);
        let range = 20.0 * (spectrum.height(top) / strongest).log10();
        assert!(range > 85.0, "{hz}: {range}");
    }
}

#[test]
fn grains_freeze_a_sound_and_stretch_it_at_its_pitch() {
    let folder = Folder::new("grains");
    folder.wav("sine.wav", RATE, &[sine(1_000.0, 48_000.0, 96_000)]);
    let pitch = |text: &str| {
        folder.heard(text, 4_000);
        let heard = folder.render(text, 80_000, false).unwrap();
        let wave: Vec<f64> = heard[0][14_000..14_000 + 65_536].iter().map(|x| f64::from(*x)).collect();
        let spectrum = Spectrum::new(&wave, f64::from(RATE));
        let top = spectrum.strongest(0..spectrum.power.len()).unwrap();
        let power = (wave.iter().map(|x| x * x).sum::<f64>() / wave.len() as f64).sqrt();
        (spectrum.frequency(top), power)
    };
    // 0.5 / √2 is the power of the file.
    for (text, hz) in [
        ("out = grains(sample(\"sine.wav\"), 50%, spray: 2%)\n", 1_000.0),
        ("out = grains(sample(\"sine.wav\"), phasor(0.2Hz))\n", 1_000.0),
        ("out = grains(sample(\"sine.wav\"), 40%, speed: 1.5, density: 40Hz)\n", 1_500.0),
        ("out = grains(sample(\"sine.wav\"), 60%, speed: -1)\n", 1_000.0),
    ] {
        let (frequency, power) = pitch(text);
        assert!((frequency - hz).abs() < 30.0, "{text}: {frequency}");
        assert!((0.12..0.8).contains(&power), "{text}: {power}");
    }
}

#[test]
fn no_grain_is_cut_within_its_window() {
    let folder = Folder::new("windows");
    folder.wav("low.wav", RATE, &[sine(55.0, 48_000.0, 96_000)]);
    for size in ["300ms", "1s", "5s"] {
        let heard =
            folder.render(&format!("out = grains(sample(\"low.wav\"), 50%, size: {size})\n"), 96_000, false);
        let step = heard.unwrap()[0].windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        // 55 Hz moves by 0.0072 of its amplitude a frame, and eight grains may sound at once.
        assert!(step < 0.03, "{size}: {step}");
    }
}
