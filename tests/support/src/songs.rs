//! Random JSON songs: kicks with everything that the format can do to them.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Parameters of a kick: name, name in commands, id, and values in and a little out of its range.
const PARAMS: &[(&str, &str, u64, std::ops::Range<i32>)] = &[
    ("f0", "F0", 1, 350..2050),
    ("fend", "FEND", 2, 150..1250),
    ("pitchDecayMs", "PITCH_DECAY_MS", 3, 50..2050),
    ("ampDecayMs", "AMP_DECAY_MS", 4, 400..4050),
    ("gain", "GAIN", 5, 0..16),
    ("click", "CLICK", 6, 0..11),
];

/// A song of one to four kicks, some of them played by a transport, by commands or by themselves.
pub fn kicks() -> impl Strategy<Value = Value> {
    (1_usize..5).prop_flat_map(|count| {
        (
            vec(params(), count),
            option::weighted(0.8, transport(count)),
            vec(command(count), 0..12),
            option::of(mixer(count)),
        )
            .prop_map(|(params, transport, commands, mixer)| {
                let node = |(i, p): (usize, &Value)| json!({ "id": id(i), "type": "kick", "params": p });
                let nodes: Vec<Value> = params.iter().enumerate().map(node).collect();
                let mut song = json!({ "version": 1, "nodes": nodes, "commands": commands });
                for (name, part) in [("transport", transport), ("mixer", mixer)] {
                    if let Some(part) = part {
                        song[name] = part;
                    }
                }
                song
            })
    })
}

fn id(i: usize) -> String {
    format!("k{i}")
}

fn value(param: usize) -> impl Strategy<Value = f64> {
    PARAMS[param].3.clone().prop_map(|tenths| f64::from(tenths) / 10.0)
}

fn params() -> impl Strategy<Value = Value> {
    let some = |i: usize| option::of(value(i));
    let all = (some(0), some(1), some(2), some(3), some(4), some(5));
    (all, option::weighted(0.1, 60..240_u32)).prop_map(|((a, b, c, d, e, f), looped)| {
        let mut params = json!({});
        for (row, value) in PARAMS.iter().zip([a, b, c, d, e, f]) {
            if let Some(value) = value {
                params[row.0] = json!(value);
            }
        }
        if let Some(bpm) = looped {
            (params["bpm"], params["loop"]) = (json!(bpm), json!(true));
        }
        params
    })
}

/// A write to a parameter, by name or by id, with or without a ramp.
fn write() -> impl Strategy<Value = Value> {
    (0..PARAMS.len()).prop_flat_map(|i| {
        (value(i), any::<bool>(), option::of(0_u32..3000)).prop_map(move |(value, named, ramp)| {
            let mut write = json!({ "value": value });
            if named {
                write["param"] = json!(PARAMS[i].1);
            } else {
                write["paramId"] = json!(PARAMS[i].2);
            }
            if let Some(tenths) = ramp {
                write["rampMs"] = json!(f64::from(tenths) / 10.0);
            }
            write
        })
    })
}

fn command(nodes: usize) -> impl Strategy<Value = Value> {
    (0..nodes, 0_u64..60_000, option::of(write())).prop_map(|(node, frame, write)| {
        let mut command = write.clone().unwrap_or(json!({}));
        command["type"] = match &write {
            None => json!("Trigger"),
            Some(w) if w.get("rampMs").is_some() => json!("SetParamRamp"),
            Some(_) => json!("SetParam"),
        };
        (command["nodeId"], command["sampleTime"]) = (json!(id(node)), json!(frame));
        command
    })
}

fn transport(nodes: usize) -> impl Strategy<Value = Value> {
    (1_u64..17).prop_flat_map(move |resolution| {
        let ramp = (0_u64..4, 600_u32..3000).prop_map(|(bar, bpm)| json!({ "bar": bar, "bpm": tenth(bpm) }));
        (600_u32..3000, 1_u64..4, 0_u32..1000, vec(ramp, 0..3), vec(pattern(nodes, resolution), 1..4))
            .prop_map(move |(bpm, bars, swing, ramps, patterns)| {
                json!({
                    "bpm": tenth(bpm), "lengthBars": bars, "resolution": resolution,
                    "swingPercent": tenth(swing), "tempoRamps": ramps, "patterns": patterns,
                })
            })
    })
}

fn tenth(n: u32) -> f64 {
    f64::from(n) / 10.0
}

fn pattern(nodes: usize, resolution: u64) -> impl Strategy<Value = Value> {
    let lock = (0..resolution, write()).prop_map(|(step, mut lock)| {
        lock["step"] = json!(step);
        lock
    });
    (0..nodes, "[xX.\\- ]{1,24}", vec(lock, 0..4))
        .prop_map(|(node, steps, locks)| json!({ "nodeId": id(node), "steps": steps, "locks": locks }))
}

fn mixer(nodes: usize) -> impl Strategy<Value = Value> {
    // Together below 1, so that the tails that fall silent stay below the tolerance of a comparison.
    let input =
        (0..nodes, 0_u32..61).prop_map(|(node, gain)| (node, json!({ "id": id(node), "gainPercent": gain })));
    (vec(input, 0..nodes), 10_u32..101, any::<bool>()).prop_map(|(mut inputs, master, clip)| {
        inputs.sort_by_key(|i| i.0);
        inputs.dedup_by_key(|i| i.0);
        let inputs: Vec<Value> = inputs.into_iter().map(|i| i.1).collect();
        json!({ "masterPercent": master, "softClip": clip, "inputs": inputs })
    })
}
