//! The JSON Schema of the format, made from the library and the limits, so that an editor can complete and check.
//!
//! `docs/schema.graph.v2.json` is this, compared by a test. A schema cannot say everything that `mamc check` finds
//! (that a node exists, that a step lies in the bar), and values out of range, which are clamped, are errors to it.

use super::known::{Kind, Known};
use crate::files::Files;
use crate::library::{Library, ParamInfo};
use mam_grammar::Limits;
use mam_grammar::float;
use mam_grammar::limits::JsonLimits;
use mam_runtime::precedence::Priority;
use serde_json::{Map, Value, json};

/// The schema, draft 2020-12.
pub fn schema(files: &Files, library: &Library) -> Value {
    let kinds = Known { files, library }.kinds();
    let limits = &files.limits.json;
    let mut defs = json!({
        "transport": transport(limits, false),
        "transportNode": transport(limits, true),
        "tempoStep": tempo_step(limits),
        "pattern": pattern(limits),
        "note": note(limits),
        "lock": lock(limits),
        "command": command(limits),
        "connection": connection(),
        "mod": one_mod(),
        "mixer": mixer(limits),
        "node": node(&kinds, &files.limits),
    });
    for kind in &kinds {
        defs[params_of(&kind.name)] = params(kind);
    }
    let song = object(
        &["nodes"],
        json!({
            "version": { "enum": [1, 2], "default": 1, "description": "Version of the format; `mods`, nodes of type signal, `args`, `voices`, `priority`, `notes` and parameters that are texts are of version 2." },
            "sampleRate": whole(limits.rate_min, limits.rate_max, Some(48_000), "Frames a second."),
            "channels": whole(1, limits.channels, Some(2), "Output channels."),
            "nodes": list("node", limits.nodes, "Instruments, effects, transports."),
            "mixer": reference("mixer"),
            "transport": reference("transport"),
            "commands": list("command", limits.commands, "What is done at which frame, once."),
            "connections": list("connection", limits.connections, "What flows into which effect."),
            "mods": list("mod", limits.connections, "Which signals move which parameters."),
        }),
    );
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mam graph, version 2",
        "$defs": defs,
    });
    if let (Value::Object(all), Value::Object(song)) = (&mut schema, song) {
        all.extend(song);
    }
    schema
}

/// What an expression has and a number has not, so that a number in quotes is refused.
const EXPRESSION: &str = "[a-zA-Z(\\[*/]";

/// An object with these fields and no others but remarks.
fn object(required: &[&str], properties: Value) -> Value {
    json!({
        "type": "object",
        "required": required,
        "properties": properties,
        "patternProperties": { "^[_$]": true },
        "additionalProperties": false,
    })
}

fn list(of: &str, most: usize, description: &str) -> Value {
    json!({ "type": "array", "items": reference(of), "maxItems": most, "description": description })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn whole(least: usize, most: usize, default: Option<usize>, description: &str) -> Value {
    let mut schema =
        json!({ "type": "integer", "minimum": least, "maximum": most, "description": description });
    if let Some(default) = default {
        schema["default"] = default.into();
    }
    schema
}

fn name(description: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "description": description })
}

fn percent(default: u32, description: &str) -> Value {
    json!({ "type": "number", "minimum": 0, "maximum": 200, "default": default, "description": description })
}

fn ramp(limits: &JsonLimits) -> Value {
    json!({ "type": "number", "minimum": 0, "maximum": limits.ramp_ms, "default": 0,
        "description": "Milliseconds in which the parameter goes to the value." })
}

fn node(kinds: &[Kind], limits: &Limits) -> Value {
    let names = kinds.iter().map(|k| &*k.name).chain(["signal", "transport"]);
    let mut schema = object(
        &["id", "type"],
        json!({
            "id": name("The name of the node, its own."),
            "type": { "enum": names.collect::<Vec<_>>(), "description": "Instrument, effect, signal or transport." },
            "params": { "type": "object" },
            "args": { "type": "object" },
            "voices": whole(1, limits.voices, Some(1), "How many notes an instrument plays at once."),
            "priority": { "enum": Priority::ALL.map(|(_, word)| word),
                "description": "Which of the held notes play where they are more than the voices." },
            "value": name("Of a signal, the expression of the language that it is; ids are names in it."),
        }),
    );
    let of = |name: &str, properties: Value| json!({ "if": { "properties": { "type": { "const": name } } }, "then": { "properties": properties } });
    let case = |k: &Kind| {
        let mut properties = json!({ "params": reference(&params_of(&k.name)) });
        if !k.head().is_empty() {
            properties["args"] = args(k);
        }
        of(&k.name, properties)
    };
    let mut cases: Vec<Value> = kinds.iter().map(case).collect();
    let mut signal = of("signal", json!({}));
    signal["then"]["required"] = json!(["value"]);
    cases.push(signal);
    cases.push(of("transport", json!({ "params": reference("transportNode") })));
    schema["allOf"] = cases.into();
    schema
}

/// What the head of a definition can be given.
fn args(kind: &Kind) -> Value {
    let argument = quantity("A number, or an expression of the language, such as sample(\"break.wav\").");
    let properties: Map<String, Value> =
        kind.head().iter().map(|name| (name.to_string(), argument.clone())).collect();
    object(&[], properties.into())
}

/// What the parameters of a type are called among the definitions.
fn params_of(kind: &str) -> String {
    format!("{kind}Params")
}

fn params(kind: &Kind) -> Value {
    let properties: Map<String, Value> = kind.params().iter().map(|p| (p.json_name(), param(p))).collect();
    let mut schema = object(&[], properties.into());
    schema["description"] = kind.doc().into();
    schema
}

fn param(param: &ParamInfo) -> Value {
    if &*param.name == "loop" {
        let types = json!(["boolean", "number", "string"]);
        return json!({ "type": types, "default": false, "description": param.doc.as_deref() });
    }
    let json_units = |x: f64| number(x / param.json_scale());
    let mut schema =
        json!({ "type": ["number", "string"], "pattern": EXPRESSION, "default": json_units(param.default) });
    for (key, bound) in [("minimum", param.min), ("maximum", param.max)] {
        if bound.is_finite() {
            schema[key] = json_units(bound);
        }
    }
    let (doc, id, command) = (param.doc.as_deref().unwrap_or(""), param.id, param.command_name());
    schema["description"] = format!("{doc} In locks and commands {command}, or {id}.").trim().into();
    schema
}

/// Whole numbers without a point, and no more digits than were meant.
fn number(x: f64) -> Value {
    let rounded: f64 = float::parse(&super::nodes::plain(x)).unwrap_or(x);
    match rounded.fract() == 0.0 && rounded.abs() < 1e15 {
        true => json!(rounded as i64),
        false => json!(rounded),
    }
}

fn mixer(limits: &JsonLimits) -> Value {
    let input = object(&["id"], json!({ "id": name("A node."), "gainPercent": percent(100, "Its level.") }));
    object(
        &[],
        json!({
            "masterPercent": percent(100, "Level of the sum."),
            "softClip": { "type": "boolean", "default": true, "description": "tanh behind the master level." },
            "inputs": { "type": "array", "items": input, "maxItems": limits.nodes,
                "description": "Levels of nodes. What is not listed and feeds nothing else plays at 100 percent." },
        }),
    )
}

/// A number, or one with its unit.
fn quantity(description: &str) -> Value {
    json!({ "type": ["number", "string"], "description": description })
}

fn one_mod() -> Value {
    let end = quantity("A value of the parameter, in its own unit; as a text with a unit.");
    object(
        &["from", "to", "depth"],
        json!({
            "from": name("What moves it: a node, or an expression of the language such as lfo(2Hz) or bd.vel."),
            "to": name("A node, a point, and a parameter: b.cutoff."),
            "depth": quantity("By how much where the signal is 1: what is added, or a ratio such as \"2 octaves\"."),
            "curve": { "enum": ["exp", "linear"], "description": "Whether the depth is a ratio, or is added." },
            "range": { "type": "array", "items": end, "minItems": 2, "maxItems": 2,
                "description": "Least and greatest value that the parameter is moved to." },
        }),
    )
}

fn connection() -> Value {
    let port = |description: &str| whole(0, u16::MAX.into(), Some(0), description);
    object(
        &["from", "to"],
        json!({
            "from": name("The node that is heard."),
            "to": name("The effect that hears it."),
            "gainPercent": percent(100, "Level at the effect."),
            "dryPercent": percent(0, "Level at which the source also goes to the mix."),
            "fromPort": port("Output of the source: every node has one, port 0."),
            "toPort": port("Input of the effect: 0 is the main one, 1 and above are its side chains."),
        }),
    )
}

fn transport(limits: &JsonLimits, node: bool) -> Value {
    let bpm = bpm(limits, Some(120), "Beats a minute.");
    let mut schema = object(
        &[],
        json!({
            "bpm": bpm,
            "lengthBars": whole(1, limits.bars, Some(1), "Bars after which everything starts again."),
            "resolution": whole(1, limits.resolution, Some(16), "Steps in a bar of four beats."),
            "swingPercent": { "type": "number", "minimum": 0, "maximum": 100, "default": 0,
                "description": "How much later each second step comes, in percent of half a step." },
            "tempoRamps": list("tempoStep", limits.tempo_steps, "Changes of tempo."),
            "patterns": list("pattern", limits.patterns, "What is played."),
        }),
    );
    if node {
        schema["properties"]["pattern"] = reference("pattern");
    }
    schema
}

fn bpm(limits: &JsonLimits, default: Option<u32>, description: &str) -> Value {
    let mut schema = json!({ "type": "number", "exclusiveMinimum": 0, "maximum": limits.bpm,
        "description": description });
    if let Some(default) = default {
        schema["default"] = default.into();
    }
    schema
}

fn tempo_step(limits: &JsonLimits) -> Value {
    let bar = whole(0, limits.bars, None, "The bar, from 0, from which on the tempo holds.");
    object(&["bpm"], json!({ "bar": bar, "bpm": bpm(limits, None, "Beats a minute.") }))
}

fn pattern(limits: &JsonLimits) -> Value {
    object(
        &["nodeId"],
        json!({
            "nodeId": name("The instrument that is played, or the effect whose parameters are set."),
            "steps": { "type": "string", "pattern": "^[xX. -]*$", "maxLength": limits.pattern_steps,
                "description": "A character a step: x or X is a hit; a point, a minus and a space are rests." },
            "notes": list("note", limits.pattern_steps, "Notes, in the place of steps or beside them."),
            "bars": whole(1, limits.bars, Some(1), "Bars after which the notes come again."),
            "locks": list("lock", limits.locks, "Parameters that are set at steps."),
        }),
    )
}

fn note(limits: &JsonLimits) -> Value {
    let number = |default: u32, description: &str| json!({ "type": "number", "default": default, "description": description });
    object(
        &["step"],
        json!({
            "step": whole(0, u32::MAX as usize, None, "The step at which it begins, from 0, counted through the bars."),
            "steps": { "type": "number", "exclusiveMinimum": 0, "maximum": limits.pattern_steps, "default": 1,
                "description": "How many steps it takes." },
            "note": quantity("MIDI note number, or a name such as c4; the instrument's own where it is missing."),
            "vel": number(1, "Velocity; 1 is nominal."),
            "gatePercent": number(100, "How much of its steps it is held."),
            "delayMs": number(0, "Milliseconds by which it comes later, or earlier where negative."),
        }),
    )
}

/// `param` or `paramId`, one of them.
fn one_name() -> Value {
    json!([{ "required": ["param"] }, { "required": ["paramId"] }])
}

fn param_fields() -> [(String, Value); 3] {
    [
        ("param".into(), name("A parameter by name, such as GAIN or PITCH_DECAY_MS, in any case.")),
        ("paramId".into(), whole(1, u16::MAX.into(), None, "A parameter by its place in the list, from 1.")),
        (
            "value".into(),
            json!({ "type": ["number", "boolean"],
            "description": "Its value; times in milliseconds. true and false for LOOP." }),
        ),
    ]
}

fn lock(limits: &JsonLimits) -> Value {
    let step = whole(0, limits.resolution - 1, None, "The step, from 0, of every bar.");
    let mut schema = object(&["step", "value"], json!({ "step": step, "rampMs": ramp(limits) }));
    extend(&mut schema["properties"], param_fields());
    schema["oneOf"] = one_name();
    schema
}

fn command(limits: &JsonLimits) -> Value {
    let mut schema = object(
        &["sampleTime", "nodeId", "type"],
        json!({
            "sampleTime": { "type": "integer", "minimum": 0, "maximum": limits.frame,
                "description": "Frame, from 0, at the rate of the render." },
            "nodeId": name("The node."),
            "type": { "enum": ["Trigger", "SetParam", "SetParamRamp"], "description": "What is done." },
            "rampMs": ramp(limits),
        }),
    );
    extend(&mut schema["properties"], param_fields());
    schema["if"] = json!({ "properties": { "type": { "const": "Trigger" } } });
    schema["else"] = json!({ "required": ["value"], "oneOf": one_name() });
    schema
}

fn extend(properties: &mut Value, more: [(String, Value); 3]) {
    if let Value::Object(all) = properties {
        all.extend(more);
    }
}
