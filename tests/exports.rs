//! Songs as C: compiled without a word of warning, they give the bits of machine code. Where there is no C compiler, nothing
//! is tested; `.ci/exports` runs all songs by all compilers.

use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::voices::{Moment, NoteStart, VoiceAllocator};
use mam_runtime::{Engine, Event, EventKind};
use mam_testing::exports::{Compiler, export, play, play_in, render_c};
use mam_testing::mutants::Dice;
use mam_testing::render::{bits, program, render, songs};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

const RATE: u32 = 48_000;

/// Songs of each group of ops: oscillators and tables, filters that move, feedback, delays of every kind, noise, islands of
/// scalars, f64 in setup, many voices; block nodes; notes that set
/// parameters; what voices play of a recording.
const GROUPS: [&str; 13] = [
    "tempo 150\nbd = kick()\nout = bd\nplay { bd |x..x..x.| ; bd.f0 \"50Hz 60Hz 45Hz\" over 40ms }\n",
    "a = pluck()\nb = sub(voices: 4)\nplay { a \"c4 e4 g4 c5\" ; b \"<c3 g3>\" }\n\
     e = 0.3 * b |> echo()\nout = (0.5 * a |> lowpass(800Hz * (1 + 0.5 * lfo(3Hz)))) + e\n",
    "n = noise() * 0.1\nx = n + 0.5 * prev(x)\nw = 0.2 * x |> freeverb()\nout = tap(x, 3ms + 2ms * lfo(5Hz), max: 10ms) + w\n",
    "s = saw(110Hz) + square(55Hz) + tri(220Hz)\nout = oversample(4) { tanh(3 * s) } |> highpass(200Hz)\n",
    "out = 0.1 * sum i in 1..16 { sine(110Hz * i) / i } + 0.1 * floor(4 * sine(3Hz)) / 4 + 0.1 * sah(noise(), sine(9Hz) > 0)\n",
    "bd = kick()\nplay { bd |x..x| }\nout = 0.5 * bd + convolve(bd, list i in 0..1200 { sin(i * i) / (50 + i) }, 30ms)\n",
    "y = spectral((saw(110Hz), noise()), size: 512) { { mag: 0.2 * (mag + prev(mag)), phase: phase + bin / 9 } }\nout = y\n",
    "a = sub()\nplay { a \"c2(5,8) g2*4\".every(2, rev) }\nout = a |> chorus() |> compressor()\n",
    "tempo 200\na = pluck(voices: 3)\nplay {\n  a \"c4 e4 g4 b4\".set(decay: \"150ms 1s\", gain: \"0.3 ~ 0.8 1\").off(1/8, set(pan: -0.5))\n\
     a.gain \"0.8 0.2\" over 200ms\n}\nout = a\n",
    "tempo 160\nbd = kick(voices: 2)\nplay { bd \"x*8\".set(pan: saw.range(-1, 1)).sometimes(set(f0: 90Hz)) ; bd.f0 \"50Hz 70Hz\" }\nout = bd\n",
    "tempo 480\na = pluck(priority: last)\nb = pluck(voices: 2, priority: low)\nc = pluck(voices: 3, priority: high)\nplay {\n  a \"[c4@4, ~ e4 ~ ~, ~ ~ g3 ~]\"\n\
     b \"[c5@3 ~, ~ a4@3, ~ ~ d5 e5, ~ [f4 g4] b4 ~]\".set(decay: \"150ms 1s\")\n  c \"c3 d3 e3 f3 g3 a3\".legato(4.5)\n}\nout = a + b + c\n",
    "tempo 480\ninstrument solo { out = freq / 1000Hz }\na = solo(priority: low)\nb = solo(priority: high)\n\
     c = solo(voices: 2, priority: low)\nplay { a \"[eb3,g3] ~\" ; b \"[g3,eb3] ~\" ; c \"[c3,e3,g3] ~ [a3,f3,d3,b3] ~\" }\n\
     out = a + b + c\n",
    "tempo 480\na = pluck()\ntake = record(a, 1, max: 300ms)\ns = sampler(take, slices: 2, voices: 3)\n\
     instrument w { out = convolve(playback(take, trig, -freq / c4), [0.5, 0, 0.5])\n until gate < 1 }\nb = w(voices: 2)\n\
     play { a \"c4 e4\" ; s \"~ 0 1 [0, 1]\" ; b \"~ c4 g4 [c3, e4]\" }\nout = a + s + b\n",
];

fn is_complete() -> bool {
    std::env::var("MAM_CC").is_ok()
}

/// Compares C with machine code, for so many frames.
fn compare(compiler: &Compiler, name: &str, text: &str, frames: usize) {
    let wanted = render(name, text, RATE, Some(frames as u64)).channels;
    assert!(wanted.iter().flatten().any(|x| *x != 0.0), "{name} is silent");
    let made = render_c(compiler, name, text, RATE, frames);
    let differ = |(a, b): &(&Vec<u32>, &Vec<u32>)| a.iter().zip(b.iter()).position(|(a, b)| a != b);
    let (wanted, made) = (bits(&wanted), bits(&made));
    let first = wanted.iter().zip(&made).find_map(|pair| differ(&pair));
    assert_eq!(first, None, "{name} by {compiler:?} differs from this frame on");
    assert_eq!(wanted, made, "{name}");
}

#[test]
fn songs_in_c_have_the_bits_of_machine_code() {
    let short = ["w1.mam", "w2.mam", "w3.mam", "commands.json"];
    for compiler in Compiler::all() {
        for (name, text) in songs().iter().filter(|(name, _)| is_complete() || short.contains(&&**name)) {
            compare(&compiler, name, text, if is_complete() { 20 * RATE as usize } else { 48_001 });
        }
    }
}

#[test]
fn groups_of_ops_in_c_have_the_bits_of_machine_code() {
    for compiler in Compiler::all() {
        for text in GROUPS {
            compare(&compiler, "song.mam", text, 30_001);
        }
    }
}

const PLAYED: &str = "voice_like = kick()\nlead = pluck(voices: 1)\nknob depth = 0.5 in 0..1\nknob tone = 900Hz in 100Hz..5kHz curve exp\n\
    out = voice_like * depth + lead |> lowpass(tone)\n";

/// Sets, ramps and notes at any frame, in blocks of any size: those of the engine.
#[test]
fn a_host_plays_as_the_engine_does() {
    let Some(compiler) = Compiler::all().pop() else { return };
    let made = export("song.mam", PLAYED, RATE, 48_000);
    let program = program("song.mam", PLAYED, RATE, false);
    let param = |name: &str| {
        let names = made.0.split("_params[").nth(1).expect("parameters").lines().skip(1);
        names
            .take_while(|line| line.contains('"'))
            .position(|line| line.contains(&format!("\"{name}\"")))
            .expect("there")
    };
    let target = program.targets.iter().position(|target| &*target.name == "lead").expect("an instrument");
    let mut engine = Engine::new(program.clone());
    let (mut dice, mut commands, mut wanted) = (Dice(5), String::from("c 0\n"), vec![vec![]; 2]);
    for round in 0..60 {
        let frames = 1 + dice.below(300);
        let at = engine.position();
        let mut offset = dice.below(frames);
        let (name, value) = match dice.below(2) {
            0 => ("depth", dice.below(100) as f64 / 64.0),
            _ => ("tone", 100.0 + dice.below(4000) as f64),
        };
        let ramp = dice.below(3) * dice.below(200);
        let _ = writeln!(
            commands,
            "s {} {value} {} {offset}",
            param(name),
            if name == "tone" { 0 } else { ramp }
        );
        let set = EventKind::Set {
            param: program.param(name).expect("a knob"),
            value,
            ramp: if name == "tone" { 0 } else { ramp as u32 },
            curve: None,
        };
        engine.schedule(Event { frame: at + offset as u64, kind: set });
        offset = dice.below(frames);
        let instrument = &program.targets[target];
        if round % 2 == 0 {
            let note = 40 + dice.below(40);
            let _ = writeln!(commands, "n {target} {note} 0.75 {offset}");
            for port in instrument.voices.iter().copied().chain(instrument.monitor) {
                let kind = EventKind::On { port, note: note as f64, vel: 0.75 };
                engine.schedule(Event { frame: at + offset as u64, kind });
            }
        }
        let _ = writeln!(commands, "p {frames}");
        let mut block = vec![vec![0.0f32; frames]; 2];
        let mut channels: Vec<&mut [f32]> = block.iter_mut().map(Vec::as_mut_slice).collect();
        engine.process_block(&[], &mut channels);
        wanted.iter_mut().zip(block).for_each(|(all, new)| all.extend(new));
    }
    assert!(bits(&play(&compiler, &made, &commands)) == bits(&wanted));
}

/// Notes of a host that are held beyond an instrument's voices wait and return as in the engine.
#[test]
fn held_notes_of_a_host_return() {
    let Some(compiler) = Compiler::all().pop() else { return };
    for priority in ["last", "low", "high"] {
        let text = format!("lead = pluck(voices: 2, priority: {priority})\nout = lead\n");
        let made = export("song.mam", &text, RATE, 48_000);
        let program = program("song.mam", &text, RATE, false);
        let mut engine = Engine::new(program.clone());
        let mut voices = VoiceAllocator::new(&program.targets[0]);
        let (mut dice, mut commands, mut held) = (Dice(7), String::from("c 0\n"), vec![]);
        let (mut wanted, mut stamp) = (vec![vec![]; 2], 0);
        for _ in 0..120 {
            let frames = 1 + dice.below(300);
            let offset = dice.below(frames);
            let (at, key) = (engine.position() + offset as u64, 40 + dice.below(12));
            stamp += 1;
            let moment = Moment { frame: at, stamp };
            // Of the keys that are held each goes down once.
            if held.len() < 6 && !held.contains(&key) {
                held.push(key);
                let _ = writeln!(commands, "n 0 {key} 0.75 {offset}");
                let start = NoteStart { note: key, pitch: key as f64, vel: 0.75, values: None };
                voices.begin(start, moment, |event| engine.schedule(event));
            } else {
                let key = held.swap_remove(dice.below(held.len()));
                let _ = writeln!(commands, "o 0 {key} {offset}");
                voices.release(|note| note == key, moment, |event| engine.schedule(event));
            }
            let _ = writeln!(commands, "p {frames}");
            let mut block = vec![vec![0.0f32; frames]; 2];
            let mut channels: Vec<&mut [f32]> = block.iter_mut().map(Vec::as_mut_slice).collect();
            engine.process_block(&[], &mut channels);
            wanted.iter_mut().zip(block).for_each(|(all, new)| all.extend(new));
        }
        assert!(bits(&play(&compiler, &made, &commands)) == bits(&wanted), "{priority}");
    }
}

/// The score again and again, the reset, and silence.
#[test]
fn the_score_repeats_and_the_reset_begins_anew() {
    let Some(compiler) = Compiler::all().pop() else { return };
    let text = "tempo 240\nbd = kick()\nout = bd\nplay { bd |x..x....| }\n";
    let bar = Sequencer::for_program(&program("song.mam", text, RATE, false), Extent::Once)
        .song_end()
        .expect("an end");
    let made = export("song.mam", text, RATE, bar);
    let blocks = |count: u64| "p 64\n".repeat(count as usize);
    let sound = play(
        &compiler,
        &made,
        &format!("{}r\n{}c 0\n{}q\n", blocks(bar * 3 / 64), blocks(bar * 3 / 64), blocks(7500)),
    );
    let (played, wanted) = (&sound[0], render("song.mam", text, RATE, Some(bar * 3 / 64 * 64)).channels);
    let frames = wanted[0].len();
    assert!(bits(&[played[..frames].to_vec()]) == bits(&wanted[..1]), "a pattern without chance repeats");
    assert!(bits(&[played[frames..2 * frames].to_vec()]) == bits(&wanted[..1]), "the reset");
    assert_eq!(played.last(), Some(&1.0), "all is silent at the end");
}

/// A song whose pass is no whole number of frames does not drift, and a tempo that has been reached stays: every hit lies within a
/// frame of where a render has it.
#[test]
fn passes_begin_where_those_of_a_render_do() {
    let Some(compiler) = Compiler::all().pop() else { return };
    let tick = "instrument tick { out = trig }\na = tick()\nout = a\n";
    let songs = [
        "tempo 977\nmeter 7/8\nplay { a |x.x.x..| }\n",
        "tempo 600..180 over bars 1..2\nplay { a |x.x.x..| }\n",
        "tempo 977\ntempo 601.7 at bar 3\nplay { a \"<[x x x] [x x]>\" }\n",
        "tempo 600..977 over bars 1..2\nlength 3 bars\nplay { a |x.x.x..| }\n",
    ];
    let hits = |sound: &[f32]| -> Vec<usize> {
        sound.iter().enumerate().filter(|(_, x)| **x > 0.5).map(|(frame, _)| frame).collect()
    };
    for text in songs.map(|play| format!("{tick}{play}")) {
        let blocks = 1500;
        let folder = folder_of(&text);
        let (went_well, said) = build(folder.path(), &["-o", "song.c"]);
        assert!(went_well, "{said}");
        let made = play_in(&compiler, folder.path(), &["song.c"], &[], &"p 512\n".repeat(blocks));
        let wanted = render("song.mam", &text, RATE, Some(512 * blocks as u64)).channels;
        let (made, wanted) = (hits(&made[0]), hits(&wanted[0]));
        assert!(wanted.len() > 30, "{text}");
        let off = made.iter().zip(&wanted).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(off <= Some(1) && made.len().abs_diff(wanted.len()) <= 1, "{text}{off:?} {}", made.len());
    }
}

/// Runs `mamc build song.mam` in a folder: whether it went well, and what it said.
fn build(folder: &Path, args: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mamc"));
    let done = command
        .args(["build", "song.mam", "--rate", "48000"])
        .args(args)
        .current_dir(folder)
        .output()
        .expect("mamc");
    (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
}

fn folder_of(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("song.mam"), text).expect("written");
    folder
}

/// `MAM_SYSTEM` is another system than this one, `MAM_CC` a compiler for it, `MAM_EMULATOR` what runs its programs.
#[test]
fn objects_have_the_bits_of_machine_code() {
    let is_elf = cfg!(target_os = "linux");
    let Some(compiler) = Compiler::all().pop().filter(|_| is_elf) else { return };
    let system = std::env::var("MAM_SYSTEM").unwrap_or_default();
    let all = songs();
    let songs: Vec<(&str, &str)> = match is_complete() {
        true => all
            .iter()
            .map(|(name, text)| (&**name, &**text))
            .filter(|(name, _)| name.ends_with(".mam"))
            .collect(),
        false => vec![("group 1", GROUPS[1]), ("group 2", GROUPS[2])],
    };
    for (name, text) in songs {
        let folder = folder_of(text);
        let mut args = vec!["-o", "song.o", "--bars", "2"];
        if !system.is_empty() {
            args.extend(["--target", &system]);
        }
        let (went_well, said) = build(folder.path(), &args);
        assert!(went_well, "{name}: {said}");
        let frames = 24_000;
        let wanted = render("song.mam", text, RATE, Some(frames)).channels;
        // A render begins with the music, an object with the silence before it.
        let late = program("song.mam", text, RATE, false).latency as usize;
        let commands = format!("c 1\n{}", "p 512\n".repeat((late + frames as usize).div_ceil(512)));
        let mut made = play_in(&compiler, folder.path(), &["engine.c"], &["song.o"], &commands);
        for channel in &mut made {
            channel.drain(..late);
            channel.truncate(frames as usize);
        }
        assert!(bits(&made) == bits(&wanted), "{name}");
    }
}

/// Sound files are in what is built: a song needs none where it plays.
#[test]
fn samples_are_built_in() {
    let Some(compiler) = Compiler::all().pop() else { return };
    let text = "instrument hit { out = one_shot(sample(\"a.wav\"), trig) * vel }\nh = hit(voices: 2)\n\
        play { h |x.x.x.xx| }\nout = h + 0.3 * loop_to(sample(\"a.wav\"), 1 bar) + 0.3 * stretch(sample(\"a.wav\"), 0.7, 1.2)\n";
    let folder = folder_of(text);
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(folder.path().join("a.wav"), spec).expect("created");
    (0..4000).for_each(|i| file.write_sample((i * 7919 % 20_000 - 10_000) as i16).expect("written"));
    file.finalize().expect("written");
    let mut render = Command::new(env!("CARGO_BIN_EXE_mamc"));
    let args = [
        "render",
        "song.mam",
        "--portable",
        "--rate",
        "48000",
        "-d",
        "1s",
        "--bits",
        "32f",
        "-o",
        "wanted.wav",
    ];
    assert!(render.args(args).current_dir(folder.path()).output().expect("mamc").status.success());
    let mut reader = hound::WavReader::open(folder.path().join("wanted.wav")).expect("rendered");
    let wanted: Vec<u32> = reader.samples::<f32>().map(|x| x.expect("a sample").to_bits()).collect();
    let (went_well, said) = build(folder.path(), &["-o", "song.c"]);
    assert!(went_well, "{said}");
    fs::remove_file(folder.path().join("a.wav")).expect("there");
    let made = play_in(&compiler, folder.path(), &["song.c"], &[], &"p 512\n".repeat(94));
    let made: Vec<u32> =
        (0..48_000).flat_map(|frame| [0, 1].map(|channel: usize| made[channel][frame].to_bits())).collect();
    assert!(made.iter().any(|word| *word != 0) && wanted.len() == made.len());
    assert!(made == wanted, "the samples in C are those of `render`");
}

/// The page's example of a host, as it stands there, with the page's commands.
#[test]
fn the_host_of_the_page_plays_the_song() {
    if Compiler::find("cc").is_none() || !cfg!(target_os = "linux") || is_complete() {
        return;
    }
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/c.md")).expect("a page");
    let host = page.split("```c\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a host");
    let folder = folder_of(GROUPS[0]);
    assert!(build(folder.path(), &["-o", "song.o"]).0);
    fs::write(folder.path().join("host.c"), host).expect("written");
    let mut cc = Command::new("cc");
    cc.args(["-O2", "host.c", "engine.c", "song.o", "-o", "host"]);
    assert!(cc.current_dir(folder.path()).status().expect("a compiler").success());
    let played = Command::new(folder.path().join("host")).output().expect("a host").stdout;
    let wanted = render("song.mam", GROUPS[0], RATE, None).channels;
    let frames =
        Sequencer::for_program(&program("song.mam", GROUPS[0], RATE, false), Extent::Once).song_end();
    let frames = frames.expect("an end") as usize / 512 * 512;
    let wanted = (0..frames).flat_map(|frame| [0, 1].map(|channel| wanted[channel][frame].to_bits()));
    let played = played.as_chunks::<4>().0.iter().map(|x| u32::from_le_bytes(*x));
    assert!(wanted.eq(played.take(2 * frames)));
}

#[test]
fn what_cannot_be_built_is_refused_and_nothing_is_lost() {
    let folder = folder_of("out = 0.1 * sine(440Hz)\n");
    let path = |name: &str| folder.path().join(name);
    for (args, word) in [
        (vec!["-o", "song.xyz"], "`.c` for C"),
        (vec!["-o", "song"], "does not say what to build"),
        (vec!["-o", "-"], "standard output"),
        (vec!["-o", "nowhere/song.c"], "no folder `nowhere`"),
        (vec!["-o", "song.c", "--target", "x86_64-linux"], "leave out --target"),
        (vec!["-o", "song.o", "--target", "z80"], "x86_64-linux"),
        (vec!["-o", "song.c", "--interp"], "--interp"),
    ] {
        let (went_well, said) = build(folder.path(), &args);
        assert!(!went_well && said.contains(word), "{args:?}: {said}");
    }
    fs::copy(path("song.mam"), path("in.c")).expect("copied");
    fs::write(path("song.mam"), "use \"in.c\"\nout = 0.1 * sine(440Hz)\n").expect("written");
    let before = fs::read(path("in.c")).expect("there");
    assert!(!build(folder.path(), &["-o", "in.c"]).0);
    fs::write(path("song.mam"), "out = 0.1 * sine(440Hz)\n").expect("written");
    fs::write(path("other.h"), "/* my own */\n").expect("written");
    let (went_well, said) = build(folder.path(), &["-o", "other.c"]);
    assert!(!went_well && said.contains("other.h") && !path("other.c").exists(), "{said}");
    assert_eq!(fs::read(path("in.c")).expect("there"), before);
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).expect("a folder").map(|e| e.expect("a file").file_name()).collect();
    names.sort();
    assert_eq!(names, ["in.c", "other.h", "song.mam"], "nothing else was written");
    assert!(
        build(folder.path(), &["-o", "song.c"]).0 && build(folder.path(), &["-o", "song.c"]).0,
        "ours is replaced"
    );
}
