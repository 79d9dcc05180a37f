//! Signals that share buffers sound as each in a buffer of its own, to the bit: whatever sleeps, rests, is copied, tapped,
//! fed, rendered in parts or on threads, muted and swapped.

use mam_runtime::control::{self, Control, Live, Scored, Sync};
use mam_runtime::output::Frames;
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{Engine, EventSource, Program};
use mam_testing::gen_mam::Choices;
use mam_testing::render::{bits, program, render_awake, render_input, render_shared, songs};
use proptest::prelude::*;
use std::fmt::Write;
use std::sync::Arc;

const RATE: u32 = 48_000;

/// The same program with a buffer for each signal.
fn apart(program: &Program) -> Arc<Program> {
    Arc::new(Program {
        buffers: (0..program.buffers.len()).map(mam_runtime::ids::BufferId::new).collect(),
        ..program.clone()
    })
}

/// A song of instruments, effects, equations and sums that hear whatever is before them.
fn song(choices: &mut Choices<'_>) -> String {
    let (mut text, mut play) = (String::from("tempo 240\n"), String::from("play {\n"));
    // Each with whether it is stereo.
    let mut nodes: Vec<(String, bool)> = vec![];
    let count = 2 + choices.below(24);
    for index in 0..count {
        let name = format!("n{index}");
        let any = |choices: &mut Choices<'_>| match nodes.len() {
            0 => ("in".to_string(), true),
            // What is near is heard more often, so that chains come of it.
            all if choices.once_in(3) => nodes[choices.below(all)].clone(),
            all => nodes[all - 1].clone(),
        };
        let ((a, left), (b, right)) = (any(choices), any(choices));
        let kind = choices.below(14);
        let made = match kind {
            0 | 1 => "kick(amp_decay: 60ms)".into(),
            2 => "clap(amp_decay: 30ms)".into(),
            3 => "supersaw(release: 20ms, voices: 5)".into(),
            4 => format!("sine({}Hz) * 0.1", 100 + index),
            5 => format!("{a} |> echo(time: 5ms, feedback: 20%)"),
            6 => format!("{a} |> lowpass({}Hz)", 400 + 10 * index),
            7 => format!("{a} |> chorus()"),
            8 => format!("{a} |> compressor()"),
            9 if !left && !right => format!("({a}, {b})"),
            10 => format!("0.5 * {a} + 0.3 * prev({name})"),
            11 => format!("tanh({a}) + 0.2 * {b}"),
            12 => format!("0.4 * tap({name} + {a}, 3ms, max: 5ms)"),
            _ => a.clone(),
        };
        writeln!(text, "{name} = {made}").unwrap();
        if ["kick", "clap", "supersaw"].iter().any(|instrument| made.starts_with(instrument)) {
            let pattern = choices.of(&["x...", "x.x.", "..x.", "x... .... .... ....", ".... x... .... ...."]);
            writeln!(play, "  {name} |{}|", pattern.replace(' ', "|")).unwrap();
            if choices.once_in(3) {
                writeln!(play, "  {name}.gain \"0.5 1 ~ ~\" over 30ms").unwrap();
            }
        }
        nodes.push((name, matches!(kind, 3 | 7 | 9) || kind > 4 && (left || kind == 11 && right)));
    }
    let most = 1 + choices.below(4);
    let sum: Vec<&str> = nodes.iter().rev().take(most).map(|(name, _)| name.as_str()).collect();
    let score = if play.len() > 8 { format!("{play}}}\n") } else { String::new() };
    format!("{text}{score}out = {}\n", sum.join(" + "))
}

/// What a program sounds like in a host's blocks, with its input in them, and with a tap of each of its nodes.
fn passed(program: &Arc<Program>, input: &[f32], size: usize) -> Vec<Vec<u32>> {
    let mut engine = Engine::new(program.clone());
    let mut events = vec![];
    EventSource::advance(
        &mut Sequencer::for_program(program, Extent::Forever),
        input.len() as u64,
        &mut events,
    );
    events.into_iter().for_each(|event| engine.schedule(event));
    let mut nodes: Vec<&str> = program
        .steps
        .iter()
        .flat_map(|step| &step.parts)
        .filter_map(|part| part.name.split('#').next())
        .collect();
    nodes.dedup();
    let tapped: usize = nodes.iter().take(6).filter_map(|node| engine.tap(node)).sum();
    let mut sound = vec![vec![0.0; input.len()]; 2 + tapped];
    for (index, block) in input.chunks(size).enumerate() {
        let mut out: Vec<&mut [f32]> =
            sound.iter_mut().map(|channel| &mut channel[index * size..][..block.len()]).collect();
        engine.process_block(&[block], &mut out);
    }
    bits(&sound)
}

/// What it sounds like while hands mute it and swap it for the same.
fn steered(program: &Arc<Program>, dice: &[u8]) -> Vec<Vec<u32>> {
    let options = control::Options { channels: 2, playing: true, limit: true };
    let (mut control, mut live): (Control, Live) = Control::new(program.clone(), Box::new(Scored), options);
    let mut sound = vec![vec![]; 2];
    for turn in dice {
        match turn % 5 {
            0 => control.edit(Arc::new(Program::clone(program)), Sync::Now),
            1 => control.mute(&format!("n{}", turn / 5 % 8), turn % 2 == 0),
            2 => control.solo(&format!("n{}", turn / 5 % 8), turn % 2 == 0),
            _ => {}
        }
        let mut block = vec![vec![0.0; 1 + 13 * usize::from(*turn)]; 2];
        let mut channels: Vec<&mut [f32]> = block.iter_mut().map(|channel| &mut channel[..]).collect();
        live.process(&mut Frames::Planar(&mut channels));
        sound.iter_mut().zip(block).for_each(|(sound, block)| sound.extend(block));
        control.tick();
    }
    bits(&sound)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: mam_testing::random_cases(150), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shared_buffers_are_not_heard(
        text in proptest::collection::vec(any::<u8>(), 0..200),
        size in 1..200_usize,
        dice in proptest::collection::vec(any::<u8>(), 1..40),
    ) {
        let text = song(&mut Choices::new(&text));
        let shared = program("song.mam", &text, RATE, false);
        let apart = apart(&shared);
        let heard: Vec<f32> = (0..20_000).map(|i| if i < 7000 { (i as f32 * 0.05).sin() * 0.5 } else { 0.0 }).collect();
        for threads in [1, 2, 3] {
            let sound = |program: &Arc<Program>| bits(&render_input(program.clone(), &[&heard], threads).channels);
            prop_assert!(sound(&shared) == sound(&apart), "{threads} threads:\n{text}");
        }
        prop_assert!(passed(&shared, &heard, size) == passed(&apart, &heard, size), "in blocks of {size}:\n{text}");
        prop_assert!(steered(&shared, &dice) == steered(&apart, &dice), "live:\n{text}");
        let awake = |program: &Arc<Program>| bits(&render_awake(program.clone(), 9000).channels);
        prop_assert!(awake(&shared) == awake(&apart), "without a skip:\n{text}");
    }
}

#[test]
fn shared_buffers_are_not_heard_in_any_example() {
    let mut fewer = 0;
    for (name, text) in songs() {
        let shared = program(&name, &text, RATE, false);
        let sound = |program, threads| bits(&render_shared(program, Some(150_001), threads).0.channels);
        let expected = sound(apart(&shared), 1);
        assert!(sound(shared.clone(), 1) == expected, "{name}");
        assert!(sound(shared.clone(), 2) == expected, "{name} on two threads");
        fewer += usize::from(shared.buffer_count() < shared.buffers.len());
    }
    assert!(fewer >= 8, "only {fewer} songs share a buffer");
}
