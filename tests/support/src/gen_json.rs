//! JSON songs by chance: whole ones, and broken ones made from them.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

/// Ids that are easily mistaken for something else, and plain ones.
const IDS: [&str; 10] = ["bd", "hh", "out", "in", "hi hat", "über", "a.gain", "\"q\"\n", "1", "kick"];

/// Parameters with values inside their ranges: type, JSON name, command name, least, greatest.
const PARAMS: [(&str, &str, &str, f64, f64); 9] = [
    ("kick", "f0", "F0", 40.0, 200.0),
    ("kick", "fend", "fend", 20.0, 120.0),
    ("kick", "pitchDecayMs", "PITCH_DECAY_MS", 10.0, 200.0),
    ("kick", "ampDecayMs", "Amp_Decay_Ms", 50.0, 400.0),
    ("kick", "gain", "GAIN", 0.0, 1.5),
    ("kick", "bpm", "BPM", 0.0, 300.0),
    ("clap", "ampDecayMs", "AMP_DECAY_MS", 20.0, 300.0),
    ("clap", "gain", "GAIN", 0.0, 1.5),
    ("clap", "bpm", "BPM", 0.0, 300.0),
];

/// A song of kicks and claps without errors, with every section that the format has.
pub fn song() -> impl Strategy<Value = Value> {
    vec((select(&["kick", "clap"][..]), any::<u64>()), 1..6).prop_flat_map(|kinds| {
        let nodes: Vec<Value> =
            kinds.iter().enumerate().map(|(i, &(kind, seed))| node(i, kind, seed)).collect();
        let kinds: Vec<(usize, &'static str)> = kinds.iter().map(|k| k.0).enumerate().collect();
        let mixer = option::of(vec(0..=200u32, kinds.len()));
        let commands = vec(command(kinds.clone()), 0..6);
        (Just(nodes), mixer, option::of(transport(kinds)), commands).prop_map(whole)
    })
}

fn whole(
    (nodes, mixer, transport, commands): (Vec<Value>, Option<Vec<u32>>, Option<Value>, Vec<Value>),
) -> Value {
    let mut song = json!({ "version": 1, "sampleRate": 48000, "nodes": nodes, "commands": commands });
    if let Some(gains) = mixer {
        let input = |(i, gain): (usize, &u32)| json!({ "id": IDS[i], "gainPercent": gain });
        let inputs: Vec<Value> = gains.iter().enumerate().map(input).collect();
        song["mixer"] = json!({ "masterPercent": 90, "softClip": gains.len() % 2 == 0, "inputs": inputs });
    }
    if let Some(transport) = transport {
        song["transport"] = transport;
    }
    song
}

fn node(index: usize, kind: &str, seed: u64) -> Value {
    let mine = PARAMS.iter().filter(|p| p.0 == kind).enumerate().filter(|(i, _)| seed >> i & 1 == 1);
    let at = |low: f64, high: f64| (low + (high - low) * (seed >> 32) as f64 / f64::from(u32::MAX)).round();
    let mut params: Map<String, Value> = mine.map(|(_, p)| (p.1.into(), json!(at(p.3, p.4)))).collect();
    if seed >> 20 & 1 == 1 {
        params.insert("loop".into(), json!(seed >> 21 & 1 == 1));
    }
    json!({ "id": IDS[index], "type": kind, "params": params })
}

fn setting(kind: &'static str) -> impl Strategy<Value = (Value, Value)> {
    let mine: Vec<_> = PARAMS.iter().filter(|p| p.0 == kind).collect();
    (select(mine), 0..=1000u32).prop_map(|(p, at)| {
        let value = p.3 + (p.4 - p.3) * f64::from(at) / 1000.0;
        (json!(p.2), json!((value * 8.0).round().clamp(p.3 * 8.0, p.4 * 8.0) / 8.0))
    })
}

fn command(kinds: Vec<(usize, &'static str)>) -> impl Strategy<Value = Value> {
    (select(kinds), 0..100_000u64, 0..3).prop_flat_map(|((index, kind), frame, which)| {
        setting(kind).prop_map(move |(param, value)| {
            let (node, time) = (IDS[index], frame);
            match which {
                0 => json!({ "sampleTime": time, "nodeId": node, "type": "Trigger" }),
                1 => json!({ "sampleTime": time, "nodeId": node, "type": "SetParam", "param": param, "value": value }),
                _ => json!({ "sampleTime": time, "nodeId": node, "type": "SetParamRamp", "param": param,
                    "value": value, "rampMs": time % 300 }),
            }
        })
    })
}

fn transport(kinds: Vec<(usize, &'static str)>) -> impl Strategy<Value = Value> {
    let resolution = select(&[4u32, 12, 16][..]);
    (resolution, 1..5u32, 0..=100u32, 40..240u32).prop_flat_map(move |(resolution, bars, swing, bpm)| {
        vec(pattern(kinds.clone(), resolution), 0..4).prop_map(move |patterns| {
            json!({ "bpm": f64::from(bpm) + 0.5, "lengthBars": bars, "resolution": resolution,
                "swingPercent": swing, "tempoRamps": [{ "bar": bars - 1, "bpm": bpm }], "patterns": patterns })
        })
    })
}

fn pattern(kinds: Vec<(usize, &'static str)>, resolution: u32) -> impl Strategy<Value = Value> {
    let steps = vec(select(vec!['x', 'X', '.', '-', ' ']), resolution as usize);
    (select(kinds), steps, 0..resolution).prop_flat_map(|((index, kind), steps, step)| {
        let steps: String = steps.into_iter().collect();
        setting(kind).prop_map(move |(param, value)| {
            json!({ "nodeId": IDS[index], "steps": steps.clone(),
                "locks": [{ "step": step, "param": param, "value": value, "rampMs": step }] })
        })
    })
}

/// One injury to a text. Positions are in characters.
#[derive(Clone, Debug)]
pub enum Injury {
    /// A character is left out.
    Drop(Index),
    /// Something is put in.
    Insert(Index, &'static str),
    /// Something takes the place of a character.
    Replace(Index, &'static str),
    /// A stretch is said twice.
    Double(Index, usize),
    /// The rest is missing.
    Truncate(Index),
}

/// What usually gets into a JSON file by mistake.
const ODDITIES: [&str; 40] = [
    ",",
    ":",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "\\",
    "// x\n",
    "/*",
    "#",
    "-",
    "+",
    ".",
    "0",
    "00",
    "e",
    "1e999",
    "NaN",
    "true",
    "null",
    "\n",
    "\t",
    "\u{a0}",
    "\u{feff}",
    "\u{0}",
    "\\u12",
    "\\ud800",
    "é",
    "🥁",
    "o",
    "x",
    "1.5",
    "-1",
    "99999999999999999999",
    "[]",
    "{}",
    "\"id\":",
    "\"bd\"",
];

/// Injuries, one after another.
pub fn injuries() -> impl Strategy<Value = Vec<Injury>> {
    let odd = || select(&ODDITIES[..]);
    let one = prop_oneof![
        any::<Index>().prop_map(Injury::Drop),
        (any::<Index>(), odd()).prop_map(|(at, what)| Injury::Insert(at, what)),
        (any::<Index>(), odd()).prop_map(|(at, what)| Injury::Replace(at, what)),
        (any::<Index>(), 1..40usize).prop_map(|(at, length)| Injury::Double(at, length)),
        any::<Index>().prop_map(Injury::Truncate),
    ];
    vec(one, 1..4)
}

/// The text after its injuries.
pub fn injure(text: &str, injuries: &[Injury]) -> String {
    let mut all: Vec<char> = text.chars().collect();
    for injury in injuries.iter().take_while(|_| all.len() > 1).collect::<Vec<_>>() {
        if all.is_empty() {
            break;
        }
        let length = all.len();
        match injury {
            Injury::Drop(at) => drop(all.remove(at.index(length))),
            Injury::Insert(at, what) => drop(all.splice(at.index(length)..at.index(length), what.chars())),
            Injury::Replace(at, what) => drop(all.splice(at.index(length)..=at.index(length), what.chars())),
            Injury::Double(at, stretch) => {
                let start = at.index(length);
                let again: Vec<char> = all[start..length.min(start + stretch)].to_vec();
                all.splice(start..start, again);
            }
            Injury::Truncate(at) => all.truncate(at.index(length)),
        }
    }
    all.into_iter().collect()
}
