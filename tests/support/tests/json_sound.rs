//! What a JSON song becomes: its equations, and its events to the frame.

mod json_rig;

use json_rig::check;
use mam_compiler::files::NoFiles;
use mam_compiler::{Options, compile};
use mam_grammar::{Sources, syntax};
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{EventKind, Program};

/// The equations of a song, which has no errors, as `.mam` text.
fn equations(text: &str) -> String {
    let (song, problems) = check(text);
    let song = song.unwrap_or_else(|| panic!("{problems:?}"));
    mam_grammar::fmt::print(&song.ast)
}

/// Two nodes `bd` and `hh`, and more fields.
fn song(more: &str) -> String {
    format!(
        r#"{{ "version": 1, "nodes": [ {{ "id": "bd", "type": "kick" }}, {{ "id": "hh", "type": "clap" }} ], {more} }}"#
    )
}

#[test]
fn parameters_are_said_in_their_units_and_clamped() {
    let text = r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params":
      { "f0": 1.2e2, "PitchDecayMs": 50.5, "gain": 9, "click": 0.10, "bpm": 0, "loop": false } } ] }"#;
    assert_eq!(
        equations(text),
        "bd = kick(f0: 120Hz, pitch_decay: 50.5ms, gain: 1.5, click: 0.1)\nout = bd\n"
    );
}

#[test]
fn the_mix_is_unity_without_a_mixer_and_soft_with_one() {
    let nodes = "bd = kick()\nhh = clap()\n";
    assert_eq!(equations(&song(r#""commands": []"#)), format!("{nodes}out = (bd + hh)\n"));
    assert_eq!(equations(&song(r#""mixer": {}"#)), format!("{nodes}out = softclip(bd + hh)\n"));
    let mixer = r#""mixer": { "masterPercent": 90, "softClip": false, "inputs": [ { "id": "hh", "gainPercent": 62.5 } ] }"#;
    assert_eq!(equations(&song(mixer)), format!("{nodes}out = 90% * (hh * 62.5% + bd)\n"));
}

#[test]
fn connections_feed_effects_and_what_feeds_is_not_heard_by_itself() {
    let text = r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "hh", "type": "clap" },
      { "id": "fx", "type": "echo", "params": { "timeMs": 250, "mix": 1 } } ], "connections": [
      { "from": "bd", "to": "fx", "gainPercent": 50 }, { "from": "hh", "to": "fx", "dryPercent": 30 } ] }"#;
    let sound = "bd = kick()\nhh = clap()\nfx = (bd * 50% + hh) |> echo(time: 250ms, mix: 1)\nout = (fx + hh * 30%)\n";
    assert_eq!(equations(text), sound);
}

#[test]
fn an_id_that_means_something_in_mam_is_another_name_there() {
    let text =
        r#"{ "version": 1, "nodes": [ { "id": "out", "type": "kick" }, { "id": "out_", "type": "kick" } ] }"#;
    assert_eq!(equations(text), "out__ = kick()\nout_ = kick()\nout = (out__ + out_)\n");
}

fn program(text: &str) -> Program {
    let mut sources = Sources::default();
    let id = sources.add("song.json", text);
    let options = Options { interpreter: true, ..Options::default() };
    let compiled = compile(&mut sources, id, &NoFiles, &options);
    compiled.program.unwrap_or_else(|| panic!("{:?}", compiled.problems))
}

/// The events of one pass before a frame: `0 bd`, `300 bd.gain = 1 in 480`.
fn events(text: &str, until: u64) -> Vec<String> {
    let program = program(text);
    let mut events = vec![];
    Sequencer::of(&program, Extent::Once).advance(until, &mut events);
    let target = |port| program.targets.iter().find(|t| t.voices.contains(&port)).map(|t| &*t.name);
    let tell = |kind| match kind {
        EventKind::Set { param, value, ramp, .. } => {
            Some(format!("{} = {value} in {ramp}", program.params[param].name))
        }
        EventKind::On { port, .. } => target(port).map(String::from),
        EventKind::Off { .. } => None,
    };
    events.iter().filter_map(|e| Some(format!("{} {}", e.frame, tell(e.kind)?))).collect()
}

#[test]
fn bars_follow_one_another_exactly() {
    let text = song(
        r#""transport": { "bpm": 130, "lengthBars": 5, "patterns": [ { "nodeId": "bd", "steps": "x..............." } ] }"#,
    );
    let starts = ["0 bd", "0 hh", "88615 bd", "177231 bd", "265846 bd", "354462 bd"];
    assert_eq!(events(&text, 500_000), starts, "hh, which nothing triggers, plays once");
}

#[test]
fn odd_steps_swing_and_locks_come_before_hits() {
    // A step is 6000 frames; 50 percent of half a step is 1500.
    let text = song(
        r#""transport": { "bpm": 120, "swingPercent": 50, "patterns": [ { "nodeId": "bd", "steps": "xx.............." },
          { "nodeId": "hh", "steps": "x...............", "locks": [
            { "step": 1, "param": "gain", "value": 0.25, "rampMs": 10 }, { "step": 1, "paramId": 1, "value": 40 } ] } ] }"#,
    );
    let played = ["0 bd", "0 hh", "7500 hh.gain = 0.25 in 480", "7500 hh.amp_decay = 0.04 in 0", "7500 bd"];
    assert_eq!(events(&text, 96_000), played);
}

#[test]
fn at_one_step_the_locks_of_a_parameter_act_in_the_order_of_the_file() {
    let text = song(
        r#""transport": { "patterns": [ { "nodeId": "bd", "steps": "....", "locks": [
          { "step": 4, "param": "GAIN", "value": 0.5, "rampMs": 100 }, { "step": 0, "param": "GAIN", "value": 0 },
          { "step": 0, "param": "GAIN", "value": 1, "rampMs": 100 }, { "step": 4, "param": "GAIN", "value": 1 } ] } ] }"#,
    );
    let sets: Vec<String> = events(&text, 96_000).into_iter().filter(|e| e.contains('=')).collect();
    let in_order = [
        "0 bd.gain = 0 in 0",
        "0 bd.gain = 1 in 4800",
        "24000 bd.gain = 0.5 in 4800",
        "24000 bd.gain = 1 in 0",
    ];
    assert_eq!(sets, in_order);
}

#[test]
fn tempo_steps_hold_from_their_bar_and_the_later_of_two_wins() {
    let text = song(
        r#""transport": { "bpm": 60, "lengthBars": 4, "tempoRamps": [ { "bar": 2, "bpm": 240 }, { "bar": 1, "bpm": 90 },
          { "bar": 1, "bpm": 120 } ], "patterns": [ { "nodeId": "bd", "steps": "x..............." }, { "nodeId": "hh", "steps": "..............x." } ] }"#,
    );
    let hits: Vec<String> = events(&text, 960_000).into_iter().filter(|e| e.contains("bd")).collect();
    assert_eq!(hits, ["0 bd", "192000 bd", "288000 bd", "336000 bd"]);
}

#[test]
fn short_patterns_start_again_at_the_bar_and_long_ones_run_on() {
    let text = song(
        r#""transport": { "bpm": 120, "lengthBars": 3, "resolution": 4, "patterns": [
          { "nodeId": "bd", "steps": "x.." }, { "nodeId": "hh", "steps": "x....x" } ] }"#,
    );
    let (bd, hh): (Vec<String>, Vec<String>) =
        events(&text, 288_000).into_iter().partition(|e| e.contains("bd"));
    assert_eq!(bd, ["0 bd", "72000 bd", "96000 bd", "168000 bd", "192000 bd", "264000 bd"]);
    assert_eq!(hh, ["0 hh", "120000 hh", "144000 hh", "264000 hh"]);
}

#[test]
fn commands_happen_at_their_frames_and_what_they_trigger_does_not_play_by_itself() {
    let text = song(
        r#""commands": [ { "sampleTime": 300, "nodeId": "bd", "type": "Trigger" },
          { "sampleTime": 300, "nodeId": "bd", "type": "SetParamRamp", "param": "pitch_decay_ms", "value": 80, "rampMs": 2.5 },
          { "sampleTime": 0, "nodeId": "bd", "type": "SetParam", "param": "F0", "value": 90 } ]"#,
    );
    let played = ["0 bd.f0 = 90 in 0", "0 hh", "300 bd.pitch_decay = 0.08 in 120", "300 bd"];
    assert_eq!(events(&text, 48_000), played);
}

#[test]
fn a_parameter_of_an_effect_is_the_effects_own() {
    let text = r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ],
      "connections": [ { "from": "bd", "to": "fx" } ],
      "commands": [ { "sampleTime": 9, "nodeId": "fx", "type": "SetParam", "param": "MIX", "value": 0.5 } ] }"#;
    assert_eq!(events(text, 100), ["0 bd", "9 fx.mix = 0.5 in 0"]);
}
