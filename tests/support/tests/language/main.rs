//! The language against independent oracles: models in f64, known responses; by machine code and by the interpreter.

mod delays;
mod functions;
mod lists;
mod regions;

use mam_testing::render::{self, bits};

/// Frames a second, where a test does not say otherwise.
const RATE: u32 = 48_000;

/// The left side of a song at a rate; the interpreter gives the same bits.
fn mono_at(text: &str, rate: u32, frames: usize) -> Vec<f32> {
    let [machine, interpreted] = [false, true].map(|interpreter| {
        let program = render::program("song.mam", text, rate, interpreter);
        render::render_shared(program, Some(frames as u64), 1).0.channels
    });
    assert_eq!(bits(&machine), bits(&interpreted), "{text}");
    machine.into_iter().next().expect("a channel")
}

/// The left side of a song.
fn mono(text: &str, frames: usize) -> Vec<f32> {
    mono_at(text, RATE, frames)
}

/// The left side of a song that is given an input on both sides.
fn through(text: &str, input: &[f32]) -> Vec<f32> {
    let program = render::program("song.mam", text, RATE, false);
    render::render_input(program, &[input, input], 1).channels.into_iter().next().expect("a channel")
}

/// An impulse, and silence.
fn impulse(frames: usize) -> Vec<f32> {
    let mut x = vec![0.0; frames];
    x[0] = 1.0;
    x
}

/// Noise that is the same every time.
fn noise(frames: usize) -> Vec<f32> {
    let mut seed = 1u32;
    (0..frames)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed as i32 as f32 / 2_147_483_648.0
        })
        .collect()
}

fn near(seen: &[f32], model: &[f64], most: f64, what: &str) {
    for (i, (x, truth)) in seen.iter().zip(model).enumerate() {
        assert!((f64::from(*x) - truth).abs() <= most, "{what}, frame {i}: {x}, not {truth}");
    }
}
