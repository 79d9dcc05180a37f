//! Sounds that are too long for memory: what is streamed, against the same song with the sound in memory.

use mam_compiler::target::Target;
use mam_compiler::{Options, compile};
use mam_grammar::{Limits, Severity, Sources};
use mam_runtime::file::{self, Bits, Container, Details, Dither, Format, Wanted, Writer};
use mam_runtime::render::{Length, Renderer};
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::stream::Stream;
use mam_runtime::{ChannelLayout, Program};
use mamc::input::Disk;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const RATE: u32 = 48_000;
const FIXTURES: [&str; 5] = ["cbr.mp3", "vbr.mp3", "plain.mp3", "stereo.ogg", "short.ogg"];

/// A folder with sound files, removed at its end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// A sound in which no two places are alike.
fn sound(frames: usize) -> Vec<f32> {
    let mut word = 12_345_u32;
    let mut noise = || {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (word >> 8) as f32 / 16_777_216.0 - 0.5
    };
    (0..frames)
        .flat_map(|n| {
            let tone = (n as f32 * 0.031).sin() * 0.4;
            [tone + 0.2 * noise(), 0.5 * tone - 0.3 * noise()]
        })
        .collect()
}

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("mam-streams-{name}-{}", std::process::id()));
        fs::create_dir(&path).expect("a folder that no other test has");
        Folder(path)
    }

    fn write(&self, name: &str, container: Container, bits: Bits, samples: &[f32]) {
        let layout = ChannelLayout::Speakers;
        let format = Format { container, bits, dither: Dither::None, rate: 44_100, channels: 2, layout };
        let file = File::create(self.0.join(name)).unwrap();
        let details = Details { title: None, frames: file::Frames::Unknown };
        let mut writer = Writer::new(file, format, &details).unwrap();
        samples.chunks(2 * 1000).for_each(|portion| writer.write(portion).unwrap());
        writer.finish().unwrap();
    }

    /// All kinds of files, each with a name that says which.
    fn all_kinds(&self, frames: usize) -> Vec<String> {
        let samples = sound(frames);
        for (name, container, bits) in [
            ("a.wav", Container::Wav, Bits::Int24),
            ("b.wav", Container::Wav, Bits::Float32),
            ("c.aiff", Container::Aiff, Bits::Int16),
            ("d.caf", Container::Caf, Bits::Int24),
            ("e.flac", Container::Flac, Bits::Int16),
        ] {
            self.write(name, container, bits, &samples);
        }
        for name in FIXTURES {
            fs::copy(Path::new("tests/sounds").join(name), self.0.join(name)).unwrap();
        }
        let own = ["a.wav", "b.wav", "c.aiff", "d.caf", "e.flac"];
        own.into_iter().chain(FIXTURES).map(str::to_owned).collect()
    }

    fn compile(&self, text: &str, samples: usize, target: Target) -> Result<Arc<Program>, Vec<String>> {
        let song = self.0.join("song.mam");
        let mut sources = Sources::default();
        let id = sources.add(song.to_string_lossy().as_ref(), text);
        let limits = Limits { samples, ..Limits::default() };
        let options = Options { rate: RATE, channels: 2, target, limits, ..Options::default() };
        let compilation = compile(&mut sources, id, &Disk::new(Some(&song), true), &options);
        let errors = compilation.problems.iter().filter(|p| p.code.severity == Severity::Error);
        let errors: Vec<String> = errors.map(|p| format!("{}: {}", p.code.name, p.message)).collect();
        compilation.program.map(Arc::new).ok_or(errors)
    }

    fn program(&self, text: &str, samples: usize) -> Arc<Program> {
        self.compile(text, samples, Target::host()).unwrap_or_else(|e| panic!("{e:?}\n{text}"))
    }
}

/// So many frames, both sides.
fn render(program: &Arc<Program>, frames: u64) -> Vec<Vec<f32>> {
    let source = Sequencer::for_program(program, Extent::Forever);
    let mut renderer = Renderer::new(program.clone(), source, 2, 0, Length::Frames(frames));
    let mut channels = vec![vec![]; 2];
    while let Some(block) = renderer.next_block() {
        channels.iter_mut().zip(block).for_each(|(all, new)| all.extend(new));
    }
    channels
}

fn bits(channels: &[Vec<f32>]) -> Vec<u32> {
    channels.iter().flatten().map(|x| x.to_bits()).collect()
}

#[test]
fn any_place_of_a_file_is_what_is_read_of_the_whole() {
    let folder = Folder::new("places");
    for name in folder.all_kinds(60_000) {
        let path = folder.0.join(&name);
        let wanted = Wanted { rate: None, channels: 2, frames: u64::MAX, most: None };
        let whole = file::read(File::open(&path).unwrap(), wanted).unwrap();
        let mut opened = file::open(File::open(&path).unwrap()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((opened.rate, opened.channels), (whole.rate, whole.channels.len()), "{name}");
        assert_eq!(opened.frames, whole.frames() as u64, "{name}");
        let mut word = 1_u64;
        for turn in 0..60 {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let first = (word >> 33) as usize % whole.frames();
            let count = (1 + turn * 37 % 5000).min(whole.frames() - first);
            let mut read = vec![vec![f32::NAN; count]; opened.channels];
            let mut channels: Vec<&mut [f32]> = read.iter_mut().map(|channel| &mut channel[..]).collect();
            opened.reader.read(first as u64, &mut channels).unwrap_or_else(|e| panic!("{name}: {e}"));
            for (c, channel) in read.iter().enumerate() {
                let expected = &whole.channels[c][first..first + count];
                assert!(
                    bits(std::slice::from_ref(channel)) == bits(&[expected.to_vec()]),
                    "{name}: {count} from {first}"
                );
            }
        }
    }
}

#[test]
fn a_song_hears_what_it_would_hear_of_memory() {
    let folder = Folder::new("bits");
    let names = folder.all_kinds(100_000);
    let songs = [
        "out = playback(sample(\"F\"))",
        "out = one_shot(sample(\"F\"), every(0.7s), 1.37)",
        "out = playback(sample(\"F\"), every(0.9s), -0.8, begin: 0.1, end: 0.9)",
        "out = playback(sample(\"F\"), every(3s), 1.1, begin: 0.3, end: 0.35, loop: 1, fade: 5ms)",
        "out = playback(sample(\"F\"), every(3s), -1.1, begin: 0.3, end: 0.5, loop: 1)",
        "out = playback(sample(\"F\"), every(50ms), 1 + 0.5 * lfo(1Hz), begin: 0.5 + 0.4 * lfo(0.3Hz), loop: 1)",
        "out = grains(sample(\"F\"), 50% + 40% * lfo(0.5Hz), n: 3)",
        "s = sampler(sample(\"F\"), slices: 8, voices: 2)\nplay { s \"0 3 [7 2] 5\" }\nout = s",
        "s = sampler(sample(\"F\"), voices: 1)\nplay { s \"c4 e4 [g4 c5] a3\" }\nout = s |> freeverb()",
    ];
    for (n, name) in names.iter().enumerate() {
        for (m, song) in songs.iter().enumerate() {
            // Not each with each: all songs with two kinds, and all kinds with some.
            if n > 1 && (n + m) % 3 > 0 {
                continue;
            }
            let text = format!("tempo 120\n{}\n", song.replace('F', name));
            let (held, streamed) = (folder.program(&text, 1 << 24), folder.program(&text, 10));
            assert_eq!((held.streams().count(), streamed.streams().count() > 0), (0, true), "{text}");
            let (held, streamed) = (render(&held, 60_000), render(&streamed, 60_000));
            assert!(held.iter().flatten().any(|x| x.abs() > 0.01), "{text}");
            assert!(bits(&held) == bits(&streamed), "{text}");
        }
    }
    // As targets without fused products have it.
    let text = "out = playback(sample(\"a.wav\"), every(1s), 0.77)\n";
    let [held, streamed] = [1 << 24, 10].map(|samples| {
        render(&folder.compile(text, samples, Target::portable()).unwrap_or_else(|e| panic!("{e:?}")), 60_000)
    });
    assert!(bits(&held) == bits(&streamed));
}

#[test]
fn without_a_trigger_a_sound_begins_with_the_song_or_the_note() {
    let folder = Folder::new("begin");
    folder.write("a.wav", Container::Wav, Bits::Float32, &sound(30_000));
    for samples in [1 << 24, 10] {
        let same = |a: &str, b: &str| {
            let [a, b] = [a, b].map(|text| bits(&render(&folder.program(text, samples), 96_000)));
            assert!(a == b && a.iter().any(|x| *x != 0));
        };
        same(
            "out = playback(sample(\"a.wav\"), speed: 2)\n",
            "begun = 1\nout = playback(sample(\"a.wav\"), 1 - prev(begun), 2)\n",
        );
        let song = "\ns = i(voices: 1)\nplay { s |x.x.| }\nout = s\n";
        same(
            &format!("instrument i {{ out = playback(sample(\"a.wav\")) }}{song}"),
            &format!("instrument i {{ out = playback(sample(\"a.wav\"), trig) }}{song}"),
        );
    }
    let refused = folder.compile("out = playback(record(in, 1, max: 1s))\n", 10, Target::host());
    assert!(refused.is_err_and(|why| why[0].contains("nothing is recorded yet")));
}

#[test]
fn what_reads_anywhere_is_refused_with_a_way_out() {
    let folder = Folder::new("refused");
    folder.write("a.wav", Container::Wav, Bits::Int16, &sound(10_000));
    for text in [
        "out = convolve(in, sample(\"a.wav\"))",
        "out = stretch_at(sample(\"a.wav\"), 0.5)",
        "out = wave_at(sample(\"a.wav\"), phasor(100Hz), 100Hz)",
        "out = table(sample(\"a.wav\"), 0.5)",
        "out = playback([sample(\"a.wav\")], every(1s))",
    ] {
        let why = folder.compile(text, 10, Target::host()).err().expect(text);
        assert!(why[0].starts_with("too-large") && why[0].contains("is streamed"), "{why:?}");
        assert!(
            folder
                .compile(text, 1 << 24, Target::host())
                .map_or_else(|e| !e[0].contains("streamed"), |_| true)
        );
    }
}

#[test]
fn live_nothing_is_waited_for_and_gaps_are_counted() {
    let folder = Folder::new("live");
    folder.write("a.wav", Container::Wav, Bits::Float32, &sound(200_000));
    let text = "out = playback(sample(\"a.wav\"), every(0.5s), begin: 0.3 + 0.3 * lfo(0.7Hz))\n";
    let held = render(&folder.program(text, 1 << 24), 96_000);
    let program = folder.program(text, 10);
    program.streams().for_each(Stream::go_live);
    let heard = render(&program, 96_000);
    let streams: Vec<_> = program.streams().collect();
    let mut silent = 0;
    for (n, (held, heard)) in held[0].chunks(64).zip(heard[0].chunks(64)).enumerate() {
        let is_gap = held.iter().zip(heard).any(|(a, b)| {
            assert!(a.to_bits() == b.to_bits() || *b == 0.0, "{n}");
            a.to_bits() != b.to_bits()
        });
        silent += u64::from(is_gap);
    }
    let gaps: u64 = streams.iter().map(|stream| stream.gaps()).sum();
    assert!(silent > 0 && gaps >= silent, "{gaps} gaps, {silent} silent quanta");
    // What has been read is there the next time, as soon as the reading thread has come to it.
    let begin: Vec<_> = held.iter().map(|channel| channel[..20_000].to_vec()).collect();
    let until = Instant::now() + Duration::from_secs(60);
    while bits(&render(&program, 20_000)) != bits(&begin) {
        assert!(Instant::now() < until, "the file's beginning is still not there");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_file_that_becomes_shorter_is_silent_and_told() {
    let folder = Folder::new("shorter");
    folder.write("a.wav", Container::Wav, Bits::Float32, &sound(300_000));
    let program = folder.program("out = playback(sample(\"a.wav\"))\n", 10);
    let file = File::options().write(true).open(folder.0.join("a.wav")).unwrap();
    file.set_len(100_000 * 8).unwrap();
    let heard = render(&program, 200_000);
    assert!(heard[0][50_000..100_000].iter().any(|x| *x != 0.0));
    assert!(heard[0][120_000..].iter().all(|x| *x == 0.0));
    let stream = program.streams().next().unwrap();
    assert!(stream.trouble().is_some_and(|why| why.contains("shorter")), "{:?}", stream.trouble());
}

#[test]
fn memory_does_not_depend_on_the_length() {
    let folder = Folder::new("memory");
    let samples = sound(8_000_000);
    folder.write("long.wav", Container::Wav, Bits::Int16, &samples);
    let text =
        "out = playback(sample(\"long.wav\"), speed: 60) + playback(sample(\"long.wav\"), every(1s), -40)\n";
    let program = folder.program(text, 10);
    render(&program, 150_000);
    let stream = program.streams().next().unwrap();
    assert!(stream.used_bytes() <= stream.bytes() && stream.bytes() < 4 << 20, "{}", stream.used_bytes());
}

#[test]
fn headers_that_lie_are_refused() {
    let folder = Folder::new("lies");
    folder.write("a.wav", Container::Wav, Bits::Int16, &sound(20_000));
    folder.write("a.flac", Container::Flac, Bits::Int16, &sound(20_000));
    let why = |name: &str, bytes: &[u8]| {
        fs::write(folder.0.join(name), bytes).unwrap();
        let text = format!("out = playback(sample(\"{name}\"))\n");
        folder.compile(&text, 10, Target::host()).err().expect(name).remove(0)
    };
    let wav = fs::read(folder.0.join("a.wav")).unwrap();
    assert!(why("cut.wav", &wav[..wav.len() / 2]).contains("before its header says"));
    let flac = fs::read(folder.0.join("a.flac")).unwrap();
    let cut = why("cut.flac", &flac[..flac.len() / 2]);
    assert!(cut.starts_with("cannot-use"), "{cut}");
    // Bits 4 to 40 of the last 18 bytes of its description say how many frames there are.
    let mut long = flac.clone();
    long[8 + 13] |= 0x0f;
    let long = why("long.flac", &long);
    assert!(long.starts_with("cannot-use"), "{long}");
    let mp3 = fs::read("tests/sounds/vbr.mp3").unwrap();
    assert!(why("cut.mp3", &mp3[..mp3.len() / 2]).starts_with("cannot-use"));
}
