//! Any number of threads gives the same bits.

use mam_testing::render::{Rendered, program, render_awake, render_shared};
use std::fs;
use std::path::Path;

const THREADS: [usize; 3] = [2, 3, 8];

/// Bit by bit, so that 0 and −0 differ.
fn bits(sound: &Rendered) -> Vec<Vec<u32>> {
    sound.channels.iter().map(|channel| channel.iter().map(|x| x.to_bits()).collect()).collect()
}

/// Whether a song was shared out; panics where the threads are heard.
fn same(name: &str, text: &str, frames: Option<u64>) -> bool {
    let program = program(name, text, 48_000, false);
    let (alone, _) = render_shared(program.clone(), frames, 1);
    let alone = bits(&alone);
    let shared = THREADS.map(|threads| {
        let (together, shared) = render_shared(program.clone(), frames, threads);
        assert!(bits(&together) == alone, "{name} on {threads} threads");
        shared
    });
    shared.contains(&true)
}

#[test]
fn every_example_sounds_the_same_on_any_number_of_threads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut shared = 0;
    for folder in ["examples", "benches/songs", "benches/plug/songs"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            // More than four stretches, and no whole number of them.
            shared += usize::from(same(path.file_name().unwrap().to_str().unwrap(), &text, Some(50_001)));
        }
    }
    assert!(shared >= 12, "only {shared} songs have parts");
}

/// What sleeps may be called all the same: nobody hears it.
#[test]
fn sleeping_is_not_heard() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    for song in ["breakbeat.json", "groove.mam", "bells.mam", "strings.mam", "dub.mam"] {
        let text = fs::read_to_string(root.join(song)).unwrap();
        let program = program(song, &text, 48_000, false);
        let (skipped, _) = render_shared(program.clone(), Some(200_001), 1);
        let called = render_awake(program, 200_001);
        assert!(bits(&skipped) == bits(&called), "{song}");
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
        bits(&sound)
    };
    let alone = sound(1);
    assert!(alone.iter().flatten().any(|x| *x != 0));
    THREADS.iter().for_each(|&threads| assert!(sound(threads) == alone, "{threads} threads"));
}
