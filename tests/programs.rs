//! Random programs of the prelude's instruments and effects: the same bits by the interpreter and by machine code, on any number
//! of threads, in blocks of any size, offline and live; and as C, where there is a C compiler.

use mam_runtime::control::{self, Control, Scored};
use mam_runtime::output::Frames;
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{EventKind, Length, Program, Renderer};
use mam_testing::exports::{Compiler, render_c};
use mam_testing::mutants::Dice;
use mam_testing::render::{bits, program, render_shared};
use mamc::definitions::Prelude;
use std::sync::Arc;

/// Frames of each: some beats at the tempo below.
const FRAMES: usize = 4801;

/// A song of one to four instruments, each behind up to three effects, with lines that play them and move their gain.
fn song(prelude: &Prelude, dice: &mut Dice) -> String {
    const LINES: [&str; 8] = [
        "|x..x.x..|",
        "\"x(3,8)\"",
        "\"x*4\".every(2, rev)",
        "\"<x [x x]> ~ x ~\"",
        "\"x x\".sometimes(50%, fast(2))",
        "\"x ~ x x\".degrade(30%)",
        "|x...|.off(1/8, vel(0.5))",
        "\"x@3 x\".ply(2)",
    ];
    let names = |kind: &str| -> Vec<String> {
        let all = prelude.all().filter(|entry| entry.kind() == kind && !entry.needs_arguments());
        all.map(|entry| entry.name().to_string()).collect()
    };
    let (instruments, effects) = (names("instrument"), names("effect"));
    let mut text = format!("tempo {}\nseed {}\n", 300 + dice.below(600), dice.below(1000));
    let (mut play, mut sum) = (String::from("play {\n"), vec![]);
    for i in 0..=dice.below(4) {
        text += &format!("i{i} = {}()\n", instruments[dice.below(instruments.len())]);
        let chain: String =
            (0..dice.below(4)).map(|_| format!(" |> {}()", effects[dice.below(effects.len())])).collect();
        text += &format!("w{i} = i{i}{chain}\n");
        play += &format!("  i{i} {}\n", LINES[dice.below(LINES.len())]);
        text += &shaped(i, dice);
        sum.push(format!("{}% * s{i}", 5 + dice.below(40)));
    }
    text + &play + "}\nout = " + &sum.join(" + ") + "\n"
}

/// An equation `s0 = …` of `w0`: lists, regions at a higher rate, delays of every order, reductions.
fn shaped(i: usize, dice: &mut Dice) -> String {
    let (order, factor) =
        (["whole", "linear", "cubic", "allpass", "sinc"][dice.below(5)], 2 << dice.below(3));
    let (count, ms) = (1 + dice.below(6), 1 + dice.below(20));
    match dice.below(7) {
        0 => {
            format!("s{i} = oversample({factor}) {{ y = tanh(2 * w{i}) + 0.3 * prev(y) ; out = 0.5 * y }}\n")
        }
        1 => format!("s{i} = fir(w{i}, list k in 1..{count} {{ 1 / k }})\n"),
        2 => format!(
            "s{i} = tap(w{i}, {ms}ms + 1ms * lfo(3Hz), max: 30ms, order: {order}) + 0.5 * tap(w{i}, {ms}ms, max: 50ms)\n"
        ),
        3 => format!(
            "l{i} = list k in 0..{count} {{ tap(f{i}[k], ({ms} + k) * 1ms, max: 30ms) }}\n\
             f{i} = list k in 0..{count} {{ w{i} + 0.2 * sum x in l{i} {{ x }} - 0.1 * prev(f{i})[k] }}\n\
             s{i} = 0.2 * sum x in l{i} {{ x }}\n"
        ),
        4 => format!("s{i} = select([w{i}, 0.5 * w{i}, -w{i}], {count} * phasor({ms}Hz)) * sinh(0.5)\n"),
        5 => format!("s{i} = oversample({factor}) {{ tap(w{i}, {ms}ms, max: 30ms, order: {order}) }}\n"),
        _ => format!(
            "s{i} = max k in 1..{count} {{ w{i} / k }} + 1e-2 * atan2(w{i}.left, 0.5) + 0 * c4 / a4\n"
        ),
    }
}

fn in_blocks(program: &Arc<Program>, dice: &mut Dice) -> Vec<Vec<f32>> {
    let source = Sequencer::for_program(program, Extent::Forever);
    let count = program.outputs.len();
    let mut renderer = Renderer::new(program.clone(), source, count, 0, Length::Frames(FRAMES as u64));
    renderer.in_blocks_of(1 + dice.below(300));
    let mut channels = vec![vec![]; count];
    while let Some(block) = renderer.next_block() {
        channels.iter_mut().zip(block).for_each(|(all, new)| all.extend(new));
    }
    channels
}

fn live(program: &Arc<Program>, dice: &mut Dice) -> Vec<Vec<f32>> {
    let count = program.outputs.len();
    let options = control::Options { channels: count, playing: true, limit: false };
    let (mut control, mut live) = Control::new(program.clone(), Box::new(Scored), options);
    let mut channels = vec![vec![]; count];
    // A render begins with the music, what is played with the silence before it.
    let late = program.latency as usize;
    while channels[0].len() < late + FRAMES {
        let frames = (1 + dice.below(700)).min(late + FRAMES - channels[0].len());
        let mut pieces = vec![vec![0.0; frames]; count];
        let mut planes: Vec<&mut [f32]> = pieces.iter_mut().map(Vec::as_mut_slice).collect();
        live.process(&mut Frames::Planar(&mut planes));
        channels.iter_mut().zip(pieces).for_each(|(all, new)| all.extend(new));
        control.tick();
    }
    channels.iter_mut().for_each(|channel| drop(channel.drain(..late)));
    channels
}

/// Whether a note begins in the first half of the frames; `degrade` may leave none there.
fn plays_early(program: &Program) -> bool {
    let mut events = vec![];
    Sequencer::for_program(program, Extent::Forever).advance(FRAMES as u64 / 2, &mut events);
    events.iter().any(|event| matches!(event.kind, EventKind::On { .. }))
}

/// `MAM_PROGRAMS=500` takes as many.
#[test]
fn random_programs_have_the_same_bits_however_they_run() {
    let count = std::env::var("MAM_PROGRAMS").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let (prelude, mut dice, mut sounding) = (Prelude::default(), Dice(17), 0);
    let compiler = Compiler::all().pop();
    for _ in 0..count {
        let text = song(&prelude, &mut dice);
        let [machine, interpreted] = [false, true].map(|slow| program("song.mam", &text, 48_000, slow));
        let whole = bits(&render_shared(machine.clone(), Some(FRAMES as u64), 1).0.channels);
        let sounds = whole.iter().flatten().any(|x| *x << 1 != 0);
        assert!(sounds || !plays_early(&machine), "silent\n{text}");
        sounding += usize::from(sounds);
        let others = [
            ("interpreter", render_shared(interpreted, Some(FRAMES as u64), 1).0.channels),
            ("threads", render_shared(machine.clone(), Some(FRAMES as u64), 2 + dice.below(3)).0.channels),
            ("blocks", in_blocks(&machine, &mut dice)),
            ("live", live(&machine, &mut dice)),
        ];
        let as_c =
            compiler.as_ref().map(|compiler| ("C", render_c(compiler, "song.mam", &text, 48_000, FRAMES)));
        for (how, sound) in others.into_iter().chain(as_c) {
            assert!(bits(&sound) == whole, "{how}\n{text}");
        }
    }
    assert!(sounding > count / 2, "{sounding} of {count} sound");
}
