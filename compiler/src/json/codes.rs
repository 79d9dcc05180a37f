//! The problems that checking a JSON song against the library finds. One row each.

use mam_grammar::{Code, Severity};

/// All of them.
pub const ALL: &[&Code] = &[
    &UNKNOWN_TYPE,
    &UNKNOWN_PARAMETER,
    &UNKNOWN_TARGET,
    &DUPLICATE_ID,
    &RANGE,
    &WIRE,
    &PORT,
    &CYCLE,
    &NOT_PLAYABLE,
    &TWO_TRANSPORTS,
    &STEP_RAMP,
    &SILENT,
    &LATE_COMMAND,
    &DIFFERS,
    &NOT_IN_MAM,
    &NOT_IN_JSON,
];

/// A node of a type that there is not.
pub static UNKNOWN_TYPE: Code = Code {
    name: "json-unknown-type",
    severity: Severity::Error,
    explanation: "A node's `type` is the name of an instrument or an effect, or `transport`. `mamc list` shows which \
        there are.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kik" } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#,
};

/// A parameter that the node's type does not have.
pub static UNKNOWN_PARAMETER: Code = Code {
    name: "json-unknown-parameter",
    severity: Severity::Error,
    explanation: "The node's type has no parameter of this name or number. In `params` names are written \
        `pitchDecayMs`, in locks and commands `PITCH_DECAY_MS` or by number; `mamc list params kick` shows them. \
        Times are in milliseconds.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "pitchDecay": 50 } } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "pitchDecayMs": 50 } } ] }"#,
};

/// A node that there is not.
pub static UNKNOWN_TARGET: Code = Code {
    name: "json-unknown-target",
    severity: Severity::Error,
    explanation: "A pattern, a command, an input of the mixer or a connection names a node that is not among `nodes`. \
        Ids are compared letter by letter.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "mixer": { "inputs": [ { "id": "db", "gainPercent": 80 } ] } }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "mixer": { "inputs": [ { "id": "bd", "gainPercent": 80 } ] } }"#,
};

/// One id for two things.
pub static DUPLICATE_ID: Code = Code {
    name: "json-duplicate-id",
    severity: Severity::Error,
    explanation: "Two nodes have the same id, so that it is not clear which of them a pattern means; or one node is \
        listed twice in the mixer.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "bd", "type": "kick" } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "low", "type": "kick" } ] }"#,
};

/// A value outside the parameter's range.
pub static RANGE: Code = Code {
    name: "json-range",
    severity: Severity::Warning,
    explanation: "The value lies outside the range of its parameter; the nearest value of the range is used. Times \
        are in milliseconds, percents are fractions of 1.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "f0": 500 } } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "f0": 200 } } ] }"#,
};

/// A connection between things that cannot be connected.
pub static WIRE: Code = Code {
    name: "json-connection",
    severity: Severity::Error,
    explanation: "A connection leads from an instrument or effect into an effect. Nothing flows into an instrument, \
        and a transport has no sound.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "kick" } ],
  "connections": [ { "from": "bd", "to": "fx" } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "fx" } ] }"#,
};

/// A port that the node does not have.
pub static PORT: Code = Code {
    name: "json-port",
    severity: Severity::Error,
    explanation: "Every node has one output, port 0. An effect's port 0 is its main input; 1 and above are its \
        further inputs, such as the side chain of a compressor.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "fx", "toPort": 7 } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "fx", "toPort": 0 } ] }"#,
};

/// Connections that run in a circle.
pub static CYCLE: Code = Code {
    name: "json-cycle",
    severity: Severity::Error,
    explanation: "The connections lead from a node back to itself, so that its sound would depend on itself at the \
        same instant. Remove one of them. Feedback with a delay is written in .mam text, with `prev` or `tap`.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "a", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "a" }, { "from": "a", "to": "a" } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "a", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "a" } ] }"#,
};

/// A trigger for something that is no instrument.
pub static NOT_PLAYABLE: Code = Code {
    name: "json-not-playable",
    severity: Severity::Error,
    explanation: "Only instruments can be triggered, by a command or by hits of a pattern. Of an effect the \
        parameters can be set; a transport has nothing to be set.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "fx" } ],
  "commands": [ { "sampleTime": 0, "nodeId": "fx", "type": "Trigger" } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "fx" } ],
  "commands": [ { "sampleTime": 0, "nodeId": "bd", "type": "Trigger" } ] }"#,
};

/// More than one transport.
pub static TWO_TRANSPORTS: Code = Code {
    name: "json-two-transports",
    severity: Severity::Warning,
    explanation: "The song has more than one transport: a `transport` section and a node of that type, or several \
        nodes. All of them play, each at its own tempo, which is rarely meant.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "t", "type": "transport" } ],
  "transport": { "bpm": 130, "patterns": [ { "nodeId": "bd", "steps": "x..." } ] } }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "bpm": 130, "patterns": [ { "nodeId": "bd", "steps": "x..." } ] } }"#,
};

/// A ramp of a parameter that only steps.
pub static STEP_RAMP: Code = Code {
    name: "json-step-ramp",
    severity: Severity::Warning,
    explanation: "This parameter takes every new value at once: a ramp has no effect on it.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "commands": [
  { "sampleTime": 0, "nodeId": "bd", "type": "SetParamRamp", "param": "CLICK", "value": 0.5, "rampMs": 50 } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "commands": [
  { "sampleTime": 0, "nodeId": "bd", "type": "SetParam", "param": "CLICK", "value": 0.5 } ] }"#,
};

/// Something that cannot be heard.
pub static SILENT: Code = Code {
    name: "json-silent",
    severity: Severity::Warning,
    explanation: "Nothing can be heard here: an effect into which nothing flows, or a song without instruments.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "fx" } ] }"#,
};

/// A command after the end of a render of fixed length.
pub static LATE_COMMAND: Code = Code {
    name: "json-late-command",
    severity: Severity::Warning,
    explanation: "The render ends before this command: it is not carried out. `sampleTime` counts frames at the rate \
        of the render. Found only by a render of fixed length, such as `mamc render song.json -d 1s`.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "commands": [ { "sampleTime": 480000, "nodeId": "bd", "type": "Trigger" } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "commands": [ { "sampleTime": 0, "nodeId": "bd", "type": "Trigger" } ] }"#,
};

/// What sounded otherwise in the first mam.
pub static DIFFERS: Code = Code {
    name: "json-differs",
    severity: Severity::Note,
    explanation: "The song uses only what the first mam, a C++ program, had too, and something of it sounds different \
        here. There the noise of `clap` covered −1 to 0 by mistake; here it is white, from −1 to 1, so it is louder, \
        and free of the constant offset. There every node sounded at frame 0, asked or not; GAIN multiplied `gain`; \
        swing moved bar lines; and a step was a whole number of frames, so that bars came too early.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "hh", "type": "clap" } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#,
};

/// Something of a JSON song that `.mam` text cannot say.
pub static NOT_IN_MAM: Code = Code {
    name: "json-not-in-mam",
    severity: Severity::Warning,
    explanation: "The song is being written as .mam text, and this has no counterpart there: it is left out, or heard \
        again in each pass where it is heard once here. A .mam \
        song has one transport, its score counts in bars and starts again after its length, and the sample rate is \
        chosen when it is rendered. Found only by `mamc fmt --to mam`.",
    fails: r#"{ "version": 1, "sampleRate": 44100, "nodes": [ { "id": "bd", "type": "kick" } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#,
};

/// Something of a `.mam` song that JSON cannot say.
pub static NOT_IN_JSON: Code = Code {
    name: "json-cannot-say",
    severity: Severity::Error,
    explanation: "The song is being written as JSON, version 1, which cannot say this. It knows the instruments and \
        effects of the prelude with constant parameters, sums of them with constant gains, `softclip` at the end, and \
        one transport in 4/4: plain hits and parameters on a grid of steps, with swing and tempos by bars. Found only \
        by `mamc fmt --to json`.",
    fails: "bd = kick(f0: 80Hz + 20Hz * lfo(1Hz))\nout = bd\n",
    passes: "bd = kick(f0: 80Hz)\nout = bd\n",
};
