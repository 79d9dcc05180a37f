//! A second opinion on JSON songs: what one sounds like, computed in f64 straight from the specification of the
//! format (`docs/json.md`), slowly and without looking at how mam does it.
//!
//! It covers kicks to the sample, claps up to the values of their noise, the transport, locks, ramps, tempo steps,
//! swing, commands and the mixer. It does not cover `connections`, and no change of `bpm` or `loop` on the way.

mod time;
mod voice;

use serde_json::Value;
use time::Grid;
use voice::{Change, Voice};

/// What a song sounds like.
pub struct Oracle {
    /// The voices with what happens to them, in the order of the file.
    voices: Vec<Voice>,
    gains: Vec<f64>,
    master: f64,
    clip: bool,
}

impl Oracle {
    /// The song as it is rendered at `rate`, for as long as `frames`. The transport goes round as often as that
    /// takes. Panics on what is no song: it is for tests.
    pub fn new(song: &Value, rate: u32, frames: u64) -> Oracle {
        let nodes: Vec<&Value> = list(song, "nodes").filter(|n| n["type"] != "transport").collect();
        let mut voices: Vec<Voice> = nodes.iter().map(|n| Voice::new(n, rate)).collect();
        commands(song, rate, &nodes, &mut voices);
        let inline = list(song, "nodes").filter(|n| n["type"] == "transport").map(|n| &n["params"]);
        for transport in song.get("transport").into_iter().chain(inline) {
            patterns(transport, rate, frames, &nodes, &mut voices);
        }
        voices.iter_mut().for_each(|v| v.play_once_if_idle());
        let mixer = &song["mixer"];
        Oracle {
            voices,
            gains: nodes.iter().map(|n| gain(mixer, &n["id"])).collect(),
            master: number(mixer, "masterPercent", 100.0) / 100.0,
            clip: mixer.is_object() && mixer["softClip"].as_bool().unwrap_or(true),
        }
    }

    /// One channel of the first `frames` frames. A clap's noise is asked for by node, frame and age of the voice.
    pub fn render(&self, frames: u64, mut noise: impl FnMut(usize, u64, u64) -> f64) -> Vec<f64> {
        let mut voices = self.voices.clone();
        let mix = |(i, v): (usize, &mut Voice), frame, noise: &mut dyn FnMut(usize, u64, u64) -> f64| {
            self.gains[i] * v.next(frame, &mut |age| noise(i, frame, age))
        };
        (0..frames)
            .map(|frame| {
                let sum: f64 = voices.iter_mut().enumerate().map(|v| mix(v, frame, &mut noise)).sum();
                let out = sum * self.master;
                if self.clip { out.tanh() } else { out }
            })
            .collect()
    }

    /// The frames at which the node with this index (transports not counted) is triggered, below `frames`.
    pub fn onsets(&self, node: usize, frames: u64) -> Vec<u64> {
        self.voices[node].triggers(frames)
    }
}

fn gain(mixer: &Value, id: &Value) -> f64 {
    let listed = list(mixer, "inputs").find(|i| i["id"] == *id);
    listed.map_or(1.0, |i| number(i, "gainPercent", 100.0) / 100.0)
}

fn commands(song: &Value, rate: u32, nodes: &[&Value], voices: &mut [Voice]) {
    for command in list(song, "commands") {
        let voice = &mut voices[index(nodes, &command["nodeId"])];
        let frame = command["sampleTime"].as_u64().expect("a frame");
        match command["type"].as_str() {
            Some("Trigger") => voice.trigger(frame),
            Some("SetParam") => voice.change(frame, change(command, rate, false)),
            Some("SetParamRamp") => voice.change(frame, change(command, rate, true)),
            other => panic!("no command: {other:?}"),
        }
    }
}

fn patterns(transport: &Value, rate: u32, frames: u64, nodes: &[&Value], voices: &mut [Voice]) {
    let grid = Grid::new(transport, rate);
    let single = transport.get("pattern");
    for pattern in list(transport, "patterns").chain(single) {
        let voice = &mut voices[index(nodes, &pattern["nodeId"])];
        let steps: Vec<char> = pattern["steps"].as_str().expect("steps").chars().collect();
        voice.has_pattern |= steps.iter().any(|c| matches!(c, 'x' | 'X'));
        for step in grid.steps(frames) {
            for lock in list(pattern, "locks").filter(|l| l["step"].as_u64() == Some(step.in_bar)) {
                voice.change(step.frame, change(lock, rate, lock.get("rampMs").is_some()));
            }
            let long = steps.len() as u64 > grid.resolution;
            let at = if long { step.bar * grid.resolution + step.in_bar } else { step.in_bar };
            if !steps.is_empty() && matches!(steps[(at % steps.len() as u64) as usize], 'x' | 'X') {
                voice.trigger(step.frame);
            }
        }
    }
}

fn change(event: &Value, rate: u32, ramped: bool) -> Change {
    let param = match event.get("paramId").and_then(Value::as_u64) {
        Some(id) => voice::Name::Id(id as usize),
        None => voice::Name::Text(event["param"].as_str().expect("a parameter").to_string()),
    };
    let frames = if ramped { time::ramp(&event["rampMs"], rate) } else { 0 };
    Change { param, value: number(event, "value", 0.0), frames }
}

fn index(nodes: &[&Value], id: &Value) -> usize {
    nodes.iter().position(|n| n["id"] == *id).expect("a node of this name")
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn number(value: &Value, name: &str, default: f64) -> f64 {
    value.get(name).map_or(default, |v| v.as_f64().expect("a number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The figure that the specification gives: at 130 BPM and 48 kHz, bar 4 starts at frame 354462.
    #[test]
    fn bars_start_where_the_specification_says() {
        let song = json!({
            "nodes": [{ "id": "k", "type": "kick" }],
            "transport": { "bpm": 130, "lengthBars": 8, "patterns": [{ "nodeId": "k", "steps": "x..............." }] },
        });
        assert_eq!(Oracle::new(&song, 48_000, 400_000).onsets(0, 400_000)[4], 354_462);
    }

    #[test]
    fn the_first_sample_of_a_kick_is_the_sine_after_one_step() {
        let song = json!({ "nodes": [{ "id": "k", "type": "kick", "params": { "gain": 1, "click": 0 } }] });
        let out = Oracle::new(&song, 48_000, 10).render(10, |_, _, _| 0.0);
        assert!((out[0] - (std::f64::consts::TAU * 100.0 / 48_000.0).sin()).abs() < 1e-12);
    }
}
