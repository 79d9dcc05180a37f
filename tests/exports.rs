//! Songs as C: compiled without a word of warning, they give the bits of machine code. Where there is no C compiler, nothing
//! is tested; `.ci/exports` runs all songs by all compilers.

use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{Engine, Event, EventKind};
use mam_testing::exports::{Compiler, export, play, render_c};
use mam_testing::mutants::Dice;
use mam_testing::render::{bits, program, render, songs};
use std::fmt::Write;

const RATE: u32 = 48_000;

/// Songs of each group of ops: oscillators and tables, filters that move, feedback, delays of every kind, noise, islands of
/// scalars, f64 in setup, many voices.
const GROUPS: [&str; 6] = [
    "tempo 150\nbd = kick()\nout = bd\nplay { bd |x..x..x.| ; bd.f0 \"50Hz 60Hz 45Hz\" over 40ms }\n",
    "a = pluck()\nb = sub(voices: 4)\nplay { a \"c4 e4 g4 c5\" ; b \"<c3 g3>\" }\n\
     e = 0.3 * b |> echo()\nout = (0.5 * a |> lowpass(800Hz * (1 + 0.5 * lfo(3Hz)))) + e\n",
    "n = noise() * 0.1\nx = n + 0.5 * prev(x)\nw = 0.2 * x |> freeverb()\nout = tap(x, 3ms + 2ms * lfo(5Hz), max: 10ms) + w\n",
    "s = saw(110Hz) + square(55Hz) + tri(220Hz)\nout = oversample(4) { tanh(3 * s) } |> highpass(200Hz)\n",
    "out = 0.1 * sum i in 1..16 { sine(110Hz * i) / i } + 0.1 * floor(4 * sine(3Hz)) / 4 + 0.1 * sah(noise(), sine(9Hz) > 0)\n",
    "a = sub()\nplay { a \"c2(5,8) g2*4\".every(2, rev) }\nout = a |> chorus() |> compressor()\n",
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
