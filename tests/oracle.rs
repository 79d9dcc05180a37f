//! JSON songs against a model of their specification in f64, which shares no code with mam.

use mam_testing::oracle::Oracle;
use mam_testing::render::{Rendered, render};
use mam_testing::songs;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// The greatest difference that is allowed at any sample.
const TOLERANCE: f64 = 1e-4;

fn rendered(song: &Value, rate: u32, frames: u64) -> Rendered {
    render("song.json", &song.to_string(), rate, Some(frames))
}

/// Both channels are the model's one.
fn agree(song: &Value, rate: u32, frames: u64) -> Result<(), String> {
    let expected = Oracle::new(song, rate, frames).render(frames, |_, _, _| 0.0);
    for channel in rendered(song, rate, frames).channels {
        assert_eq!(channel.len() as u64, frames);
        let off =
            |(_, (a, b)): &(usize, (&f32, &f64))| (f64::from(**a) - **b).abs() > TOLERANCE || a.is_nan();
        if let Some((frame, (is, should))) = channel.iter().zip(&expected).enumerate().find(off) {
            return Err(format!("at {rate} Hz, frame {frame}: {is}, but it should be {should}\n{song:#}"));
        }
    }
    Ok(())
}

/// Locks, ramps, tempo steps, swing, long patterns, commands, the mixer: in one song.
fn everything() -> Value {
    json!({
        "version": 1,
        "nodes": [
            { "id": "a", "type": "kick", "params": { "f0": 130, "fend": 33, "pitchDecayMs": 45, "ampDecayMs": 160, "click": 0.3 } },
            { "id": "b", "type": "kick", "params": { "f0": 70.5, "gain": 0.6 } },
            { "id": "own", "type": "kick", "params": { "bpm": 97, "loop": true, "gain": 0.4 } },
            { "id": "once", "type": "kick", "params": { "f0": 55, "ampDecayMs": 390 } },
        ],
        "mixer": { "masterPercent": 80, "softClip": true, "inputs": [{ "id": "a", "gainPercent": 70 }, { "id": "own", "gainPercent": 45 }] },
        "transport": {
            "bpm": 133.7, "lengthBars": 3, "resolution": 12, "swingPercent": 21.5,
            "tempoRamps": [{ "bar": 2, "bpm": 151 }, { "bar": 1, "bpm": 88.25 }],
            "patterns": [
                { "nodeId": "a", "steps": "x..x.X-. x..", "locks": [
                    { "step": 3, "param": "GAIN", "value": 1.4, "rampMs": 77.7 },
                    { "step": 6, "param": "PITCH_DECAY_MS", "value": 190, "rampMs": 300 },
                    { "step": 9, "paramId": 4, "value": 9999, "rampMs": 120 },
                    { "step": 11, "param": "f0", "value": 60 },
                    { "step": 0, "param": "AMP_DECAY_MS", "value": 90 },
                ] },
                { "nodeId": "b", "steps": "x.......x...........x.....x" },
            ],
        },
        "commands": [
            { "sampleTime": 31_111, "nodeId": "b", "type": "Trigger" },
            { "sampleTime": 5_000, "nodeId": "b", "type": "SetParamRamp", "param": "FEND", "value": 110, "rampMs": 500 },
            { "sampleTime": 17_000, "nodeId": "b", "type": "SetParam", "param": "FEND", "value": 25 },
            { "sampleTime": 17_000, "nodeId": "b", "type": "SetParam", "param": "CLICK", "value": 0.8 },
        ],
    })
}

#[test]
fn a_song_of_kicks_is_what_the_specification_says() {
    for rate in [44_100, 48_000, 96_000] {
        agree(&everything(), rate, u64::from(rate) * 12).unwrap();
    }
}

#[test]
fn random_songs_of_kicks_are_what_the_specification_says() {
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let rates = prop_oneof![Just(44_100_u32), Just(48_000), Just(96_000)];
    let result = runner.run(&(songs::kicks(), rates), |(song, rate)| {
        agree(&song, rate, 60_000).map_err(TestCaseError::fail)
    });
    result.unwrap_or_else(|e| panic!("{e}"));
}

fn claps() -> Value {
    json!({
        "version": 1,
        "nodes": [
            { "id": "c", "type": "clap", "params": { "ampDecayMs": 30, "gain": 1 } },
            { "id": "d", "type": "clap", "params": { "ampDecayMs": 300, "gain": 1 } },
        ],
        "mixer": { "softClip": false, "inputs": [{ "id": "c", "gainPercent": 100 }, { "id": "d", "gainPercent": 0 }] },
        "transport": { "bpm": 61.3, "lengthBars": 2, "resolution": 4, "swingPercent": 33,
            "patterns": [{ "nodeId": "c", "steps": "xx.x" }, { "nodeId": "d", "steps": "x" }] },
    })
}

/// A voice may sound on below this, its end of sound, while its note is held.
const SILENT: f64 = 5e-5;

/// Silence up to each onset, sound from it on, below the envelope.
#[test]
fn claps_begin_in_their_frame_and_stay_below_their_envelope() {
    for rate in [44_100, 48_000, 96_000] {
        let frames = u64::from(rate) * 8;
        let oracle = Oracle::new(&claps(), rate, frames);
        let envelope = oracle.render(frames, |node, _, _| if node == 0 { 1.0 } else { 0.0 });
        let sound = &rendered(&claps(), rate, frames).channels[0];
        let over = |(_, (x, e)): &(usize, (&f32, &f64))| f64::from(x.abs()) > **e + SILENT;
        assert_eq!(sound.iter().zip(&envelope).enumerate().find(over), None, "at {rate} Hz");
        for onset in oracle.onsets(0, frames) {
            let (before, from) = sound.split_at(onset as usize);
            assert!(before.last().is_none_or(|x| x.abs() < 1e-3), "at {onset}");
            assert!(from[..4].iter().any(|x| x.abs() > 1e-2), "at {onset}");
        }
    }
}

/// One clap's noise, taken out of its envelope.
fn noise(node: &str) -> Vec<f64> {
    let song = json!({
        "version": 1,
        "nodes": [
            { "id": "c", "type": "clap", "params": { "ampDecayMs": 300, "gain": 1 } },
            { "id": "d", "type": "clap", "params": { "ampDecayMs": 300, "gain": 1 } },
        ],
        "mixer": { "softClip": false, "inputs": [
            { "id": "c", "gainPercent": if node == "c" { 100 } else { 0 } },
            { "id": "d", "gainPercent": if node == "d" { 100 } else { 0 } } ] },
        "commands": (0..20).flat_map(|i| ["c", "d"].map(|n| json!({ "sampleTime": i * 2_000, "nodeId": n, "type": "Trigger" }))).collect::<Vec<_>>(),
    });
    let envelope = Oracle::new(&song, 48_000, 40_000)
        .render(40_000, |i, _, _| f64::from(u8::from((i == 0) == (node == "c"))));
    let sound = rendered(&song, 48_000, 40_000);
    sound.channels[0].iter().zip(envelope).map(|(&x, e)| f64::from(x) / e).collect()
}

#[test]
fn the_noise_of_claps_is_white_and_each_ones_own() {
    let (c, d) = (noise("c"), noise("d"));
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>() / a.len() as f64;
    for x in [&c, &d] {
        assert!(mean(x).abs() < 0.01, "mean {}", mean(x));
        assert!((product(x, x) - 1.0 / 3.0).abs() < 0.01, "power {}", product(x, x));
        assert!(product(&x[1..], &x[..x.len() - 1]).abs() < 0.01);
        assert!(x.iter().all(|v| v.abs() < 1.0 + 1e-6));
        assert!(x.iter().any(|&v| v > 0.99) && x.iter().any(|&v| v < -0.99));
    }
    assert!(product(&c, &d).abs() < 0.01, "correlation {}", product(&c, &d));
}
