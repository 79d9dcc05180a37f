//! Any number of threads gives the same bits.

use mam_testing::render::{bits, program, render_awake, render_shared, songs};
use std::fs;
use std::path::Path;

const THREADS: [usize; 3] = [2, 3, 8];

/// Whether a song was shared out; panics where the threads are heard.
fn same(name: &str, text: &str, frames: Option<u64>) -> bool {
    let program = program(name, text, 48_000, false);
    let (alone, _) = render_shared(program.clone(), frames, 1);
    let alone = bits(&alone.channels);
    let shared = THREADS.map(|threads| {
        let (together, shared) = render_shared(program.clone(), frames, threads);
        assert!(bits(&together.channels) == alone, "{name} on {threads} threads");
        shared
    });
    shared.contains(&true)
}

#[test]
fn every_example_sounds_the_same_on_any_number_of_threads() {
    let mut shared = 0;
    for (name, text) in songs() {
        // More than four stretches, and no whole number of them.
        shared += usize::from(same(&name, &text, Some(50_001)));
    }
    assert!(shared >= 12, "only {shared} songs have parts");
}

/// What sleeps may be called all the same: nobody hears it. Effects that rest leave out less than −120 dB.
#[test]
fn sleeping_is_not_heard() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    for song in ["breakbeat.json", "groove.mam", "bells.mam", "strings.mam", "dub.mam"] {
        let text = fs::read_to_string(root.join(song)).unwrap();
        let program = program(song, &text, 48_000, false);
        let effects = program
            .steps
            .iter()
            .any(|step| step.can_sleep && step.parts.iter().any(|part| !part.states.is_empty()));
        let (skipped, _) = render_shared(program.clone(), Some(200_001), 1);
        let called = render_awake(program, 200_001);
        let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || effects && (a - b).abs() < 2e-6;
        let channels = skipped.channels.iter().zip(&called.channels);
        assert!(channels.into_iter().all(|(a, b)| a.iter().zip(b).all(same)), "{song}");
    }
}

/// The tail ends in the same frame, though threads are ahead of it.
#[test]
fn a_song_ends_in_the_same_frame() {
    let drums = "\
tempo 240
bd = kick()
sd = snare() |> echo(time: 90ms, feedback: 50%)
hh = closed_hat() |> freeverb()
play { bd |x.x.| ; sd |..x.| ; hh |xxxx| }
out = bd + sd + hh
";
    assert!(same("drums.mam", drums, None));
}

/// An effect rests when what it hears sleeps and its own tail is over: then it is exactly silent, and what comes after its
/// rest is as it would have been.
#[test]
fn effects_rest_after_their_tail() {
    let song = "\
tempo 120
bd = kick() |> echo(time: 50ms, feedback: 30%)
sd = clap(amp_decay: 40ms) |> compressor()
wide = kick(f0: 150Hz) |> chorus()
play { bd |x...|....|....|....| ; sd |..x.|....|....|....| ; wide |x...|....|....|....| }
out = bd + sd + wide
";
    let program = program("rest.mam", song, 48_000, false);
    let rests = |name: &str| program.steps.iter().find(|step| &*step.name == name).map(|step| step.can_sleep);
    assert_eq!(["bd.echo", "sd.compressor", "wide.chorus"].map(rests), [Some(true), Some(true), Some(false)]);
    let frames = 48_000 * 9;
    let (rested, _) = render_shared(program.clone(), Some(frames), 1);
    let called = render_awake(program.clone(), frames);
    let (left, all) = (&rested.channels[0], &called.channels[0]);
    let difference = left.iter().zip(all).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(difference < 1e-5, "{difference}");
    // Just before the second pass, all but the chorus are at rest; it hears nothing and gives nothing either.
    assert!(left[47_000 * 8..48_000 * 8].iter().all(|x| *x == 0.0));
    assert!(left[48_000 * 8..][..4800].iter().any(|x| x.abs() > 0.1));
    assert!(same("rest.mam", song, Some(frames)));
}

/// An input is heard by each part that wants it, a feedback stays in its part, and a step without sound is silent.
#[test]
fn input_and_feedback_are_the_same() {
    let song = "\
wet  = in |> freeverb()
late = in.left |> echo(time: 40ms, feedback: 60%)
loop = 0.5 * tap(loop + late, 30ms, max: 50ms) + onepole(noise(), 400Hz)
out  = wet + (late, loop)
";
    let program = program("input.mam", song, 48_000, false);
    let heard: Vec<f32> = (0..40_000).map(|i| (i as f32 * 0.05).sin() * 0.5).collect();
    let sound = |threads| {
        let sound = mam_testing::render::render_input(program.clone(), &[&heard], threads);
        bits(&sound.channels)
    };
    let alone = sound(1);
    assert!(alone.iter().flatten().any(|x| *x != 0));
    THREADS.iter().for_each(|&threads| assert!(sound(threads) == alone, "{threads} threads"));
}

/// A part whose input sleeps skips the step that only copies it, and reads nothing from that step's buffer, which another
/// signal has by then.
#[test]
fn a_copy_of_a_silent_input_is_silent() {
    let song = "\
tempo 451
i0 = acid()
w0 = i0 |> echo()
i2 = supersaw()
play { i0 \"x(3,8)\" ; i2 \"x ~ x x\" }
out = w0 + i2
";
    assert!(same("copy.mam", song, Some(9_000)));
}
