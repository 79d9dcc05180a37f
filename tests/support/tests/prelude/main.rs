//! The prelude against independent oracles: formulas in f64, known responses, properties. No file here looks at how a
//! definition is written.

mod dynamics;
mod effects;
mod envelopes;
mod examples;
mod filters;
mod finite;
mod instruments;
mod noise;
mod oscillators;
mod registry;
mod shapes;

use mam_testing::render;

/// Frames a second, where a test does not say otherwise.
const RATE: u32 = 48_000;

/// The left and right side of a song.
fn stereo(text: &str, frames: usize) -> (Vec<f32>, Vec<f32>) {
    split(render::render("song.mam", text, RATE, Some(frames as u64)))
}

/// The left side of a song at a rate.
fn mono_at(text: &str, rate: u32, frames: usize) -> Vec<f32> {
    split(render::render("song.mam", text, rate, Some(frames as u64))).0
}

/// The left side of a song.
fn mono(text: &str, frames: usize) -> Vec<f32> {
    mono_at(text, RATE, frames)
}

/// Both sides of a song that is given an input.
fn through(text: &str, input: &[&[f32]]) -> (Vec<f32>, Vec<f32>) {
    split(render::render_input(render::program("song.mam", text, RATE, false), input, 1))
}

/// The answer of a song to an impulse.
fn impulse_response(text: &str, frames: usize) -> Vec<f32> {
    let mut impulse = vec![0.0; frames];
    impulse[0] = 1.0;
    through(text, &[&impulse]).0
}

fn split(rendered: render::Rendered) -> (Vec<f32>, Vec<f32>) {
    let mut channels = rendered.channels.into_iter();
    let left = channels.next().unwrap_or_default();
    let right = channels.next().unwrap_or_else(|| left.clone());
    (left, right)
}

/// All of `is` within `tolerance` of `should`.
#[track_caller]
fn close(is: &[f32], should: impl Fn(usize) -> f64, tolerance: f64) {
    for (n, &x) in is.iter().enumerate() {
        let expected = should(n);
        let off = (f64::from(x) - expected).abs();
        assert!(off <= tolerance, "frame {n}: {x}, but it should be {expected}");
    }
}
