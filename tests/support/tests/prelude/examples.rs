//! The songs in `examples`: what is heard in them, and when.

use crate::{RATE, split};
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{EventKind, Program};
use mam_testing::measure::{band_power, peak, rms};
use mam_testing::render;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name).with_extension("mam")).unwrap()
}

/// Frames of the first `count` notes of a target.
fn onsets(program: &Program, target: &str, count: usize) -> Vec<u64> {
    let target = program.targets.iter().find(|t| &*t.name == target).expect("a target");
    let mut events = vec![];
    Sequencer::for_program(program, Extent::Forever).advance(1 << 22, &mut events);
    let hit = |port: &mam_runtime::ids::PortId| target.voices.contains(port);
    let notes = events.iter().filter(|e| matches!(&e.kind, EventKind::On { port, .. } if hit(port)));
    notes.map(|e| e.frame).take(count).collect()
}

/// Frames of places in sixteenths (which may be fractions) at a tempo.
fn sixteenths(places: &[f64], tempo: f64) -> Vec<u64> {
    let frame = |p: &f64| (p * 15.0 / tempo * f64::from(RATE) + 0.5).floor() as u64;
    places.iter().map(frame).collect()
}

#[test]
fn every_example_sounds_from_start_to_end() {
    let files = fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path());
    let songs: Vec<PathBuf> = files.filter(|p| p.extension().is_some_and(|e| e == "mam")).collect();
    assert!(songs.len() >= 10, "{}", songs.len());
    for song in songs {
        let name = song.file_name().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&song).unwrap();
        assert!(text.starts_with("// ") && text.contains("\ntitle \""), "{name} says what it is");
        let (left, right) = split(render::render(name, &text, RATE, Some(48_000 * 20)));
        for side in [&left, &right] {
            assert!(side.iter().all(|v| v.is_finite()), "{name}");
            assert!((0.2..=1.0).contains(&peak(side)), "{name}: peak {}", peak(side));
            // No second of the middle is silent, none has a mean to speak of.
            for second in side[48_000 * 4..].chunks(96_000) {
                assert!(rms(second) > 0.003, "{name}: a hole");
                assert!(mam_testing::measure::mean(second).abs() < 0.02, "{name}: a mean");
            }
        }
        assert!(left != right, "{name} is mono");
    }
}

#[test]
fn the_groove_swings() {
    let program = render::program("groove.mam", &text("groove"), RATE, false);
    // Every second sixteenth is 22% of half a step late.
    let late = 0.11;
    let snare = [4.0, 7.0 + late, 9.0 + late, 12.0, 15.0 + late, 20.0, 23.0 + late, 28.0];
    assert_eq!(onsets(&program, "sd", 8), sixteenths(&snare, 94.0));
    let tom = [0.0, 3.0 + late, 6.0, 9.0 + late, 12.0, 15.0 + late, 18.0];
    assert_eq!(onsets(&program, "lo", 7), sixteenths(&tom, 94.0));
}

#[test]
fn the_acid_line_has_its_rests() {
    let program = render::program("acid.mam", &text("acid"), RATE, false);
    let line = [0.0, 1.0, 2.0, 4.0, 5.0, 7.0, 8.0, 9.0, 10.0, 11.0, 13.0, 14.0, 15.0, 16.0];
    assert_eq!(onsets(&program, "tb", 14), sixteenths(&line, 132.0));
}

#[test]
fn the_chords_have_four_notes_and_breathe_with_the_kick() {
    let song = text("pumping");
    let program = render::program("pumping.mam", &song, RATE, false);
    assert_eq!(onsets(&program, "pad", 8), sixteenths(&[0.0, 0.0, 0.0, 0.0, 16.0, 16.0, 16.0, 16.0], 126.0));
    // Above the kick: quieter just after each beat than just before it.
    let x = split(render::render(
        "pumping.mam",
        &song.replace("hat  = closed_hat(gain: 0.3)", "hat = closed_hat(gain: 0)"),
        RATE,
        Some(48_000 * 8),
    ))
    .0;
    let beat = 60.0 / 126.0 * 48_000.0;
    let level = |from: f64| -> f64 {
        let at = |k: usize| (beat * (k as f64 + from)) as usize;
        (8..12).map(|k| band_power(&x[at(k)..at(k) + 4_096], 4_096, 1_000.0, 8_000.0, 48_000.0)).sum()
    };
    assert!(level(0.1) < 0.3 * level(0.75), "{} {}", level(0.1), level(0.75));
}

#[test]
fn the_drone_needs_no_score_and_another_seed_is_another_piece() {
    let song = text("drone");
    let play = |song: &str| split(render::render("drone.mam", song, RATE, Some(48_000 * 10))).0;
    let (one, other) = (play(&song), play(&song.replace("seed 1974", "seed 1975")));
    assert!(!song.contains("play {"));
    assert_eq!(one, play(&song));
    let difference: Vec<f32> = one.iter().zip(&other).map(|(a, b)| a - b).collect();
    assert!(rms(&difference) > 0.3 * rms(&one));
}

#[test]
fn the_dub_echo_comes_back() {
    let song = text("dub");
    let play = |again: &str| {
        let song = song.replace("knob again = 72%", &format!("knob again = {again}"));
        split(render::render("dub.mam", &song, RATE, Some(48_000 * 12))).0
    };
    let (with, without) = (play("72%"), play("0%"));
    let repeats: Vec<f32> = with.iter().zip(&without).map(|(a, b)| a - b).collect();
    assert!(rms(&repeats) > 0.02);
}
