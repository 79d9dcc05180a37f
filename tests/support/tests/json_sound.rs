//! What a JSON song becomes: its equations, and its events to the frame.

mod json_rig;

use json_rig::check;
use mam_compiler::files::NoFiles;
use mam_compiler::{Options, compile};
use mam_grammar::{Problems, Sources};
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{Event, EventKind, Program};
use mam_testing::gen_json;
use proptest::prelude::{ProptestConfig, prop_assert_eq, prop_assume, proptest};

/// The equations of a song, which has no errors, as `.mam` text.
fn equations(text: &str) -> String {
    let (song, problems) = check(text);
    let song = song.unwrap_or_else(|| panic!("{problems:?}"));
    let text = mam_grammar::fmt::print(&song.ast);
    let squeezed = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n");
    squeezed.collect()
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
    assert_eq!(equations(&song(r#""commands": []"#)), format!("{nodes}out = bd + hh\n"));
    assert_eq!(equations(&song(r#""mixer": {}"#)), format!("{nodes}out = softclip(bd + hh)\n"));
    let mixer = r#""mixer": { "masterPercent": 90, "softClip": false, "inputs": [ { "id": "hh", "gainPercent": 62.5 } ] }"#;
    assert_eq!(equations(&song(mixer)), format!("{nodes}out = 90% * (hh * 62.5% + bd)\n"));
}

#[test]
fn connections_feed_effects_and_what_feeds_is_not_heard_by_itself() {
    let text = r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "hh", "type": "clap" },
      { "id": "fx", "type": "echo", "params": { "timeMs": 250, "mix": 1 } } ], "connections": [
      { "from": "bd", "to": "fx", "gainPercent": 50 }, { "from": "hh", "to": "fx", "dryPercent": 30 } ] }"#;
    let sound =
        "bd = kick()\nhh = clap()\nfx = (bd * 50% + hh) |> echo(time: 250ms, mix: 1)\nout = fx + hh * 30%\n";
    assert_eq!(equations(text), sound);
}

#[test]
fn an_id_that_means_something_in_mam_is_another_name_there() {
    let text =
        r#"{ "version": 1, "nodes": [ { "id": "out", "type": "kick" }, { "id": "out_", "type": "kick" } ] }"#;
    assert_eq!(equations(text), "out__ = kick()\nout_ = kick()\nout = out__ + out_\n");
}

fn program(text: &str) -> Program {
    program_of("song.json", text)
}

fn program_of(name: &str, text: &str) -> Program {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let options = Options { interpreter: true, ..Options::default() };
    let compiled = compile(&mut sources, id, &NoFiles, &options);
    compiled.program.unwrap_or_else(|| panic!("{:?}\n{text}", compiled.problems))
}

/// The events of one pass before a frame, without the ends of notes.
fn pass(program: &Program, until: u64) -> Vec<Event> {
    let mut events = vec![];
    Sequencer::for_program(program, Extent::Once).advance(until, &mut events);
    events.retain(|e| !matches!(e.kind, EventKind::Off { .. }));
    events
}

/// The events of one pass before a frame: `0 bd`, `300 bd.gain = 1 in 480`.
fn events(text: &str, until: u64) -> Vec<String> {
    told(&program(text), until)
}

fn told(program: &Program, until: u64) -> Vec<String> {
    let target = |port| program.targets.iter().find(|t| t.voices.contains(&port)).map(|t| &*t.name);
    let tell = |kind| match kind {
        EventKind::Set { param, value, ramp, .. } => {
            Some(format!("{} = {value} in {ramp}", program.params[param].name))
        }
        EventKind::On { port, .. } => target(port).map(String::from),
        EventKind::Off { .. } | EventKind::NoteValue { .. } | EventKind::Pitch { .. } => None,
    };
    pass(program, until).iter().filter_map(|e| Some(format!("{} {}", e.frame, tell(e.kind)?))).collect()
}

#[test]
fn bars_follow_one_another_exactly() {
    let text = song(
        r#""transport": { "bpm": 130, "lengthBars": 5, "patterns": [ { "nodeId": "bd", "steps": "x..............." } ] }"#,
    );
    let starts = ["0 hh", "0 bd", "88615 bd", "177231 bd", "265846 bd", "354462 bd"];
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

/// A song as `.mam` text, and how many things that leaves out.
fn as_mam(text: &str) -> (String, usize) {
    let (song, problems) = check(text);
    let mut left_out = Problems::default();
    let mam = song.unwrap_or_else(|| panic!("{problems:?}")).to_mam(false, &mut left_out);
    (mam, left_out.len())
}

/// A `.mam` song as JSON, and the messages of what cannot be said.
fn as_json(mam: &str) -> (Option<String>, Vec<String>) {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", mam);
    let compiled = compile(&mut sources, id, &NoFiles, &Options { interpreter: true, ..Options::default() });
    assert!(compiled.program.is_some(), "{:?}\n{mam}", compiled.problems);
    let mut problems = Problems::default();
    let json = mam_compiler::json::from_mam(&compiled, &mut problems);
    let told = |p: &mam_grammar::Problem| format!("{}: {}", sources.slice(p.span()), p.message);
    (json, problems.iter().map(told).collect())
}

#[test]
fn a_mam_song_is_written_as_json() {
    let mam = r#"
tempo 130
tempo 138 at bar 3
swing 8%
length 4 bars
bd = kick(f0: 120Hz, pitch_decay: 55ms)
hh = clap(amp_decay: 40ms)
fx = (bd * 20% + hh / 2) |> echo(time: 250ms)
drums = bd * 85% + hh
play {
  bd      |x..x|x...|
  bd.gain "~ 1.2" over 40ms
  hh      "x x x*2 ~"
}
out = softclip(90% * (drums + fx * -6dB))
"#;
    let json = r#"{
  "version": 2,
  "nodes": [
    { "id": "bd", "type": "kick", "params": { "f0": 120, "pitchDecayMs": 55 } },
    { "id": "hh", "type": "clap", "params": { "ampDecayMs": 40 } },
    { "id": "fx", "type": "echo", "params": { "timeMs": 250 } }
  ],
  "connections": [
    { "from": "bd", "to": "fx", "gainPercent": 20 },
    { "from": "hh", "to": "fx", "gainPercent": 50 }
  ],
  "mixer": { "masterPercent": 90, "softClip": true, "inputs": [
    { "id": "bd", "gainPercent": 85 },
    { "id": "hh", "gainPercent": 100 },
    { "id": "fx", "gainPercent": 50.1187233627 }
  ] },
  "transport": {
    "bpm": 130, "lengthBars": 4, "resolution": 16, "swingPercent": 8,
    "tempoRamps": [ { "bar": 2, "bpm": 138 } ],
    "patterns": [
      { "nodeId": "bd", "steps": "x...........x...x...............", "locks": [
        { "step": 8, "param": "GAIN", "value": 1.2, "rampMs": 40 } ] },
      { "nodeId": "hh", "steps": "x...x...x.x....." }
    ]
  }
}
"#;
    assert_eq!(as_json(mam), (Some(json.to_owned()), vec![]));
}

#[test]
fn what_json_cannot_say_is_pointed_out() {
    let mam = r#"
seed 7
knob bright = 0.5 in 0..1
instrument beep {
  out = sine(freq) * decay(trig, 100ms)
}
bd = kick(f0: 80Hz + 20Hz * lfo(1Hz))
pad = beep(voices: 4)
play {
  bd      |X...|
  pad     "c4 e4"
  bd.gain "<1 0.5>"
}
out = bd * pad + bright
"#;
    let (json, problems) = as_json(mam);
    assert_eq!(json, None);
    let cannot = |text: &str| text.replace('%', "cannot be said in JSON, version 2");
    let wanted = [
        "seed 7: a seed %",
        "bright: a knob %",
        "beep: `beep`, which is not a definition of the prelude, %",
        "bright: a knob %",
        "bd.gain \"<1 0.5>\": a line of a parameter that is not the same in every bar %",
    ];
    assert_eq!(problems, wanted.map(cannot));
}

/// Songs of what JSON says beside instruments, effects and hits: heads and voices, notes, signals, recordings, tables, beats.
const SAID: [&str; 6] = [
    "tempo 140\nbrk = table i in 0..3999 { sin(i / 20) }\nb = sampler(brk, slices: 4, voices: 2, gain: 0.5 + 0.2 * lfo(3Hz))\n\
     play { b \"0 1 [2 2] 9\".legato(\"0.5 1\") }\nout = b\n",
    "tempo 120\nlength 2 bars\nkeys = pluck(voices: 3)\nfoot = phasor(1 / (1 bar)) < 0.25\ntake = record(keys, foot, max: 2s)\n\
     loop = playback(take, prev(foot) and not foot, loop: 1)\nplay { keys \"c4 [eb4,g4] g4:0.5 <bb4 c5>\" }\n\
     out = 0.5 * (keys + loop)\n",
    "tempo 150\ns = acid(priority: last, cutoff: 400Hz + 300Hz * voice.vel)\nw = wave_keys([[1], list h in 1..8 { 1 / h }], voices: 4)\n\
     play { s \"c3 c3:0.5 eb3 ~\".legato(\"1.2 0.5\") ; w \"[c4,e4] g4\".nudge(3ms) }\nout = softclip(s + 0.5 * w)\n",
    "tempo 90\nt = table([0, 0.5, 1], phasor(2 / (1 bar))) * sine(220Hz)\nbd = kick()\ne = (t + bd.vel * 0.1) |> echo(mix: 20%)\n\
     play { bd |x.x.| }\nout = (e, if bd.gate then bd else t)\n",
    "tempo 120\nbd = kick()\ntake = record(bd, 1, max: 500ms)\nc = sampler(take, slices: 4, voices: 2)\n\
     play { bd |x.x.| ; c \"0 1 2 3\" }\nout = bd + c\n",
    "tempo 130\nout = 0.2 * sine(1 / (1 beat) * 100)\n",
];

#[test]
fn what_json_says_of_a_mam_song_sounds_the_same() {
    for mam in SAID {
        let (json, problems) = as_json(mam);
        let json = json.unwrap_or_else(|| panic!("{mam}\n{problems:?}"));
        let [first, second] = [("song.mam", mam), ("song.json", &json)]
            .map(|(name, text)| mam_testing::render::render(name, text, 48_000, Some(60_000)).channels);
        assert!(first.iter().flatten().any(|x| x.abs() > 0.01), "{mam}");
        // To the bit, but for the sign of a 0.
        assert!(first == second, "{mam}\n{json}");
        // And back to text.
        let (back, left_out) = as_mam(&json);
        assert_eq!(left_out, 0, "{back}");
        let third = mam_testing::render::render("song.mam", &back, 48_000, Some(60_000)).channels;
        assert!(first == third, "{mam}\n{back}");
    }
}

#[test]
fn a_song_is_written_as_mam() {
    let text = song(
        r#""mixer": { "masterPercent": 90, "inputs": [ { "id": "bd", "gainPercent": 85 } ] },
        "transport": { "bpm": 130, "lengthBars": 4, "swingPercent": 8, "tempoRamps": [ { "bar": 2, "bpm": 138 } ], "patterns": [
          { "nodeId": "bd", "steps": "X...x...x..x....", "locks": [ { "step": 8, "param": "GAIN", "value": 1, "rampMs": 40 },
            { "step": 0, "param": "GAIN", "value": 0.5, "rampMs": 40 }, { "step": 3, "param": "F0", "value": 140 } ] } ] },
        "commands": [ { "sampleTime": 0, "nodeId": "bd", "type": "SetParam", "param": "F0", "value": 90 } ]"#,
    );
    let mam = r#"tempo 130
tempo 138 at bar 3
swing 8%
length 4 bars

bd = kick(f0: 90Hz)
hh = clap()

play {
  hh      "<[x@337 ~@2159] ~!3>"
  bd.gain "0.5 1" over 40ms
  bd.f0   "~ ~ ~ 140Hz ~ ~ ~ ~ ~ ~ ~ ~ ~ ~ ~ ~"
  bd      |x...x...x..x....|
}

out = softclip(90% * (bd * 85% + hh))
"#;
    // That the one hit of `hh` comes again in each pass is told.
    assert_eq!(as_mam(&text), (mam.to_owned(), 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: mam_testing::random_cases(96), failure_persistence: None, ..ProptestConfig::default() })]

    /// Written as `.mam` text and as JSON again, a song without commands plays the same at the same frames.
    #[test]
    fn what_is_written_as_json_plays_the_same(mut song in gen_json::song()) {
        song["commands"] = serde_json::json!([]);
        let (mam, left_out) = as_mam(&song.to_string());
        prop_assume!(left_out == 0);
        let (json, problems) = as_json(&mam);
        let json = json.unwrap_or_else(|| panic!("{mam}\n{problems:?}"));
        let (first, second) = (program_of("song.mam", &mam), program(&json));
        let end = Sequencer::for_program(&first, Extent::Once).song_end().unwrap_or(0);
        // Nodes that nothing plays are left out.
        let kept: Vec<&str> = second.targets.iter().map(|t| &*t.name).collect();
        let of_kept = |event: &String| event.split([' ', '.']).nth(1).is_some_and(|name| kept.contains(&name));
        let played = |program: &Program| -> Vec<String> {
            let mut events: Vec<String> = told(program, end).into_iter().filter(of_kept).collect();
            events.sort();
            // Of an instrument that loops, both the song's start and its own first beat are heard at 0.
            events.dedup();
            events
        };
        prop_assert_eq!(played(&first), played(&second), "{}\n{}", mam, json);
    }

    /// Written as `.mam` text, a song plays the same at the same frames.
    #[test]
    fn what_is_written_as_mam_plays_the_same(song in gen_json::song()) {
        let text = song.to_string();
        let (mam, left_out) = as_mam(&text);
        prop_assume!(left_out == 0);
        let (json, mam) = (program(&text), program_of("song.mam", &mam));
        let end = Sequencer::for_program(&json, Extent::Once).song_end().unwrap_or(0);
        // What is set at frame 0 has become part of the equations.
        let played = |program| -> Vec<Event> {
            let mut events = pass(program, end);
            events.retain(|e| e.frame > 0 || matches!(e.kind, EventKind::On { .. }));
            events.sort_by_key(|e| (e.frame, format!("{:?}", e.kind)));
            events
        };
        prop_assert_eq!(played(&json), played(&mam));
    }
}
