//! The problems that reading a JSON song finds. One row each.

use crate::problem::{Code, Severity};

/// All of them.
pub const ALL: &[&Code] = &[
    &SYNTAX,
    &COMMENT,
    &TRAILING_COMMA,
    &STRING,
    &NUMBER,
    &BYTE_ORDER_MARK,
    &LIMIT,
    &DUPLICATE_KEY,
    &TYPE,
    &UNKNOWN_FIELD,
    &MISSING_FIELD,
    &VERSION,
    &VALUE,
    &COMMAND_TYPE,
    &PARAMETER_NAME,
    &UNUSED_FIELD,
    &ASSUMED,
    &PATTERN_CHARACTER,
    &PATTERN_LENGTH,
    &EMPTY_PATTERN,
    &LOCK_STEP,
    &TEMPO_BAR,
    &GAIN,
];

/// Malformed JSON of a kind that has no code of its own.
pub static SYNTAX: Code = Code {
    name: "json-syntax",
    severity: Severity::Error,
    explanation: "The text is not JSON. The message says what was expected at this place and what stands there \
        instead: usually a comma, a colon, a quote or a closing bracket is missing or one too many.",
    fails: r#"{ "version": 1 "nodes": [ { "id": "bd", "type": "kick" } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#,
};

/// `//`, `/* */`, `#`.
pub static COMMENT: Code = Code {
    name: "json-comment",
    severity: Severity::Error,
    explanation: "JSON has no comments. A field whose name begins with `_` may hold a remark, or the song may be \
        written as .mam text, where `//` begins a comment: `mamc fmt --to mam` turns it into that.",
    fails: "{ \"version\": 1, // my song\n  \"nodes\": [ { \"id\": \"bd\", \"type\": \"kick\" } ] }",
    passes: "{ \"version\": 1, \"_remark\": \"my song\",\n  \"nodes\": [ { \"id\": \"bd\", \"type\": \"kick\" } ] }",
};

/// `[1, 2,]`
pub static TRAILING_COMMA: Code = Code {
    name: "json-trailing-comma",
    severity: Severity::Error,
    explanation: "In JSON commas stand between elements only, none behind the last one.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#,
};

/// Strings that JSON does not have.
pub static STRING: Code = Code {
    name: "json-string",
    severity: Severity::Error,
    explanation: "A JSON string stands in double quotes and ends in the line where it began. Inside, a quote is \
        written `\\\"`, a backslash `\\\\`, a line break `\\n`, a tab `\\t`, any character `\\u` and four \
        hexadecimal digits.",
    fails: r#"{ "version": 1, "nodes": [ { "id": 'bd', "type": "kick" } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#,
};

/// Numbers that JSON does not have.
pub static NUMBER: Code = Code {
    name: "json-number",
    severity: Severity::Error,
    explanation: "A JSON number is decimal, with digits on both sides of a point, no plus sign and no zeros in \
        front, no unit behind, and finite: `120`, `-0.5`, `1e-3`.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "gain": .9 } } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "gain": 0.9 } } ] }"#,
};

/// U+FEFF at the start.
pub static BYTE_ORDER_MARK: Code = Code {
    name: "json-byte-order-mark",
    severity: Severity::Warning,
    explanation: "The file begins with an invisible byte order mark (U+FEFF), which some editors write and other \
        readers of JSON refuse. mam ignores it. Save the file as UTF-8 without it.",
    fails: "\u{feff}{ \"version\": 1, \"nodes\": [ { \"id\": \"bd\", \"type\": \"kick\" } ] }",
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#,
};

/// Too many, too deep, too long.
pub static LIMIT: Code = Code {
    name: "json-limit",
    severity: Severity::Error,
    explanation: "The song is larger than mam accepts, so that no file can exhaust the machine that compiles it. \
        The message names the limit, which is far above what music needs.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "resolution": 100000 } }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "resolution": 32 } }"#,
};

/// The same key twice in an object.
pub static DUPLICATE_KEY: Code = Code {
    name: "json-duplicate-key",
    severity: Severity::Error,
    explanation: "A key stands twice in one object, so one of the two values would be lost. Remove one, or give it \
        the name that was meant.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "gain": 0.9, "gain": 0.5 } } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "gain": 0.5 } } ] }"#,
};

/// A string where a number belongs, and the like.
pub static TYPE: Code = Code {
    name: "json-type",
    severity: Severity::Error,
    explanation: "The value is of another type than the field takes: a string where a number belongs, a number \
        where a list belongs, `null` where something must stand. Numbers stand without quotes.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "f0": "120" } } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "f0": 120 } } ] }"#,
};

/// A field that the format does not have.
pub static UNKNOWN_FIELD: Code = Code {
    name: "json-unknown-field",
    severity: Severity::Error,
    explanation: "The format has no such field here, so what it says would be lost. The nearest known name is \
        usually what was meant. Fields whose names begin with `_` or `$` are remarks and are ignored.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "mixer": { "masterPercnt": 90 } }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "mixer": { "masterPercent": 90 } }"#,
};

/// A field that must be there is not.
pub static MISSING_FIELD: Code = Code {
    name: "json-missing-field",
    severity: Severity::Error,
    explanation: "This object lacks a field without which it means nothing.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd" } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#,
};

/// Another version of the format.
pub static VERSION: Code = Code {
    name: "json-version",
    severity: Severity::Error,
    explanation: "`version` says which version of the format the file is written in. This mam reads version 1.",
    fails: r#"{ "version": 2, "nodes": [ { "id": "bd", "type": "kick" } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#,
};

/// A number that the field cannot be.
pub static VALUE: Code = Code {
    name: "json-value",
    severity: Severity::Error,
    explanation: "The number has the right type but makes no sense here: a tempo of 0, half a bar, a time before \
        the start, an empty id. The message says what the field takes.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "bpm": 0 } }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "bpm": 120 } }"#,
};

/// A command other than the three.
pub static COMMAND_TYPE: Code = Code {
    name: "json-command-type",
    severity: Severity::Error,
    explanation: "A command is a `Trigger`, which plays its node, a `SetParam`, which sets a parameter at once, or \
        a `SetParamRamp`, which takes `rampMs` milliseconds for it.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "commands": [ { "sampleTime": 0, "nodeId": "bd", "type": "Triger" } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "commands": [ { "sampleTime": 0, "nodeId": "bd", "type": "Trigger" } ] }"#,
};

/// Neither `param` nor `paramId`, or both.
pub static PARAMETER_NAME: Code = Code {
    name: "json-parameter-name",
    severity: Severity::Error,
    explanation: "A lock or a command names its parameter once: by `param`, such as \"GAIN\", or by `paramId`, its \
        place in the list of the node's parameters. `mamc list params kick` shows both.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "commands": [ { "sampleTime": 0, "nodeId": "bd", "type": "SetParam", "value": 0.5 } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "commands": [ { "sampleTime": 0, "nodeId": "bd", "type": "SetParam", "param": "GAIN", "value": 0.5 } ] }"#,
};

/// What the first mam could do without.
pub static ASSUMED: Code = Code {
    name: "json-assumed",
    severity: Severity::Warning,
    explanation: "The first mam, a C++ program, reads files in which something is missing or says nothing: a pattern \
        without `steps` (there it is skipped, here its locks act), a tempo step without `bar` (it holds from bar 0), a \
        `paramId` of 0 beside a name (the name counts). Write what is meant.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": {
  "tempoRamps": [ { "bpm": 128 } ], "patterns": [ { "nodeId": "bd", "steps": "x..." } ] } }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": {
  "tempoRamps": [ { "bar": 0, "bpm": 128 } ], "patterns": [ { "nodeId": "bd", "steps": "x..." } ] } }"#,
};

/// A field that a command of this type does not look at.
pub static UNUSED_FIELD: Code = Code {
    name: "json-unused-field",
    severity: Severity::Warning,
    explanation: "A command of this type does not look at this field: a `Trigger` has no value, a `SetParam` acts at \
        once and has no ramp. Perhaps another type was meant.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "commands": [
  { "sampleTime": 0, "nodeId": "bd", "type": "SetParam", "param": "GAIN", "value": 0.5, "rampMs": 50 } ] }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "commands": [
  { "sampleTime": 0, "nodeId": "bd", "type": "SetParamRamp", "param": "GAIN", "value": 0.5, "rampMs": 50 } ] }"#,
};

/// Something other than `x X . -` and space in `steps`.
pub static PATTERN_CHARACTER: Code = Code {
    name: "json-pattern-character",
    severity: Severity::Error,
    explanation: "In `steps` each character is one step: `x` or `X` is a hit; `.`, `-` and a space are rests. \
        Everything else is refused, so that a slip does not become a silent step.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "patterns": [ { "nodeId": "bd", "steps": "x..o" } ] } }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "patterns": [ { "nodeId": "bd", "steps": "x..x" } ] } }"#,
};

/// A pattern that does not come out even.
pub static PATTERN_LENGTH: Code = Code {
    name: "json-pattern-length",
    severity: Severity::Warning,
    explanation: "A pattern of at most `resolution` steps repeats inside each bar; when its length does not divide \
        the resolution, the last repetition is cut off at the bar line. A longer pattern runs on over the following \
        bars until the transport loops, after `lengthBars`; when its length does not divide that, its last \
        repetition is cut off there.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "resolution": 16, "patterns": [ { "nodeId": "bd", "steps": "x..x..x..x..x." } ] } }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "resolution": 16, "patterns": [ { "nodeId": "bd", "steps": "x..x..x..x..x..." } ] } }"#,
};

/// A pattern without hits and locks.
pub static EMPTY_PATTERN: Code = Code {
    name: "json-empty-pattern",
    severity: Severity::Warning,
    explanation: "The pattern has neither a hit nor a lock: it does nothing.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "patterns": [ { "nodeId": "bd", "steps": "...." } ] } }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "patterns": [ { "nodeId": "bd", "steps": "x..." } ] } }"#,
};

/// A lock on a step that the bar does not have.
pub static LOCK_STEP: Code = Code {
    name: "json-lock-step",
    severity: Severity::Error,
    explanation: "Locks act at a step of every bar. Steps count from 0 to `resolution` − 1, so this one would never \
        come.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "resolution": 16,
  "patterns": [ { "nodeId": "bd", "steps": "x...", "locks": [ { "step": 16, "param": "F0", "value": 90 } ] } ] } }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "resolution": 16,
  "patterns": [ { "nodeId": "bd", "steps": "x...", "locks": [ { "step": 15, "param": "F0", "value": 90 } ] } ] } }"#,
};

/// A tempo step in a bar that never comes.
pub static TEMPO_BAR: Code = Code {
    name: "json-tempo-bar",
    severity: Severity::Warning,
    explanation: "The transport starts again after `lengthBars` bars, counted from 0, so it never reaches the bar in \
        which this tempo would begin.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "lengthBars": 4, "tempoRamps": [ { "bar": 4, "bpm": 138 } ] } }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "lengthBars": 4, "tempoRamps": [ { "bar": 3, "bpm": 138 } ] } }"#,
};

/// A percentage of a mixer or connection outside what is usual.
pub static GAIN: Code = Code {
    name: "json-gain",
    severity: Severity::Warning,
    explanation: "Gains in percent usually lie between 0 and 200, where 100 leaves the level as it is. This one is \
        used as it stands: below 0 it turns the wave upside down, far above 200 it is very loud.",
    fails: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "mixer": { "masterPercent": 900 } }"#,
    passes: r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "mixer": { "masterPercent": 90 } }"#,
};
