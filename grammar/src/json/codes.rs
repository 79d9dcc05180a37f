//! The problems that reading a JSON song finds. One row each.

crate::codes! {
    SYNTAX Error "json-syntax" {
        "The text is not JSON. The message says what was expected at this place and what stands there \
        instead: usually a comma, a colon, a quote or a closing bracket is missing or one too many."
        fails r#"{ "version": 1 "nodes": [ { "id": "bd", "type": "kick" } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#
    }
    COMMENT Error "json-comment" {
        "JSON has no comments. A field whose name begins with `_` may hold a remark, or the song may be \
        written as .mam text, where `//` begins a comment: `mamc fmt --to mam` turns it into that."
        fails "{ \"version\": 1, // my song\n  \"nodes\": [ { \"id\": \"bd\", \"type\": \"kick\" } ] }"
        passes "{ \"version\": 1, \"_remark\": \"my song\",\n  \"nodes\": [ { \"id\": \"bd\", \"type\": \"kick\" } ] }"
    }
    TRAILING_COMMA Error "json-trailing-comma" {
        "In JSON commas stand between elements only, none behind the last one."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#
    }
    STRING Error "json-string" {
        "A JSON string stands in double quotes and ends in the line where it began. Inside, a quote is \
        written `\\\"`, a backslash `\\\\`, a line break `\\n`, a tab `\\t`, any character `\\u` and four \
        hexadecimal digits."
        fails r#"{ "version": 1, "nodes": [ { "id": 'bd', "type": "kick" } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#
    }
    NUMBER Error "json-number" {
        "A JSON number is decimal, with digits on both sides of a point, no plus sign and no zeros in \
        front, no unit behind, and finite: `120`, `-0.5`, `1e-3`."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "gain": .9 } } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "gain": 0.9 } } ] }"#
    }
    BYTE_ORDER_MARK Warning "json-byte-order-mark" {
        "The file begins with an invisible byte order mark (U+FEFF), which some editors write and other \
        readers of JSON refuse. mam ignores it. Save the file as UTF-8 without it."
        fails "\u{feff}{ \"version\": 1, \"nodes\": [ { \"id\": \"bd\", \"type\": \"kick\" } ] }"
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#
    }
    LIMIT Error "json-limit" {
        "The song is larger than mam accepts, so that no file can exhaust the machine that compiles it. \
        The message names the limit, which is far above what music needs."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "resolution": 100000 } }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "resolution": 32 } }"#
    }
    DUPLICATE_KEY Error "json-duplicate-key" {
        "A key stands twice in one object, so one of the two values would be lost. Remove one, or give it \
        the name that was meant."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "gain": 0.9, "gain": 0.5 } } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "gain": 0.5 } } ] }"#
    }
    TYPE Error "json-type" {
        "The value is of another type than the field takes: a string where a number belongs, a number \
        where a list belongs, `null` where something must stand. Numbers stand without quotes."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "f0": "120" } } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "f0": 120 } } ] }"#
    }
    UNKNOWN_FIELD Error "json-unknown-field" {
        "The format has no such field here, so what it says would be lost. The nearest known name is \
        usually what was meant. Fields whose names begin with `_` or `$` are remarks and are ignored."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "mixer": { "masterPercnt": 90 } }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "mixer": { "masterPercent": 90 } }"#
    }
    MISSING_FIELD Error "json-missing-field" {
        "This object lacks a field without which it means nothing."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd" } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#
    }
    VERSION Error "json-version" {
        "`version` says which version of the format the file is written in. This mam reads versions 1 and 2; `mods` are a field \
        of version 2. `mamc migrate` brings a file to the newest version."
        fails r#"{ "version": 3, "nodes": [ { "id": "bd", "type": "kick" } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#
    }
    VALUE Error "json-value" {
        "The number has the right type but makes no sense here: a tempo of 0, half a bar, a time before \
        the start, an empty id. The message says what the field takes."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "bpm": 0 } }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "bpm": 120 } }"#
    }
    COMMAND_TYPE Error "json-command-type" {
        "A command is a `Trigger`, which plays its node, a `SetParam`, which sets a parameter at once, or \
        a `SetParamRamp`, which takes `rampMs` milliseconds for it."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "commands": [ { "sampleTime": 0, "nodeId": "bd", "type": "Triger" } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "commands": [ { "sampleTime": 0, "nodeId": "bd", "type": "Trigger" } ] }"#
    }
    PARAMETER_NAME Error "json-parameter-name" {
        "A lock or a command names its parameter once: by `param`, such as \"GAIN\", or by `paramId`, its \
        place in the list of the node's parameters. `mamc list params kick` shows both."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "commands": [ { "sampleTime": 0, "nodeId": "bd", "type": "SetParam", "value": 0.5 } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "commands": [ { "sampleTime": 0, "nodeId": "bd", "type": "SetParam", "param": "GAIN", "value": 0.5 } ] }"#
    }
    UNUSED_FIELD Warning "json-unused-field" {
        "A command of this type does not look at this field: a `Trigger` has no value, a `SetParam` acts at \
        once and has no ramp. Perhaps another type was meant."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "commands": [
  { "sampleTime": 0, "nodeId": "bd", "type": "SetParam", "param": "GAIN", "value": 0.5, "rampMs": 50 } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "commands": [
  { "sampleTime": 0, "nodeId": "bd", "type": "SetParamRamp", "param": "GAIN", "value": 0.5, "rampMs": 50 } ] }"#
    }
    ASSUMED Warning "json-assumed" {
        "The first mam, a C++ program, reads files in which something is missing or says nothing: a pattern \
        without `steps` (there it is skipped, here its locks act), a tempo step without `bar` (it holds from bar 0), a \
        `paramId` of 0 beside a name (the name counts). Write what is meant."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": {
  "tempoRamps": [ { "bpm": 128 } ], "patterns": [ { "nodeId": "bd", "steps": "x..." } ] } }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": {
  "tempoRamps": [ { "bar": 0, "bpm": 128 } ], "patterns": [ { "nodeId": "bd", "steps": "x..." } ] } }"#
    }
    PATTERN_CHARACTER Error "json-pattern-character" {
        "In `steps` each character is one step: `x` or `X` is a hit; `.`, `-` and a space are rests. \
        Everything else is refused, so that a typing error does not become a silent step."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "patterns": [ { "nodeId": "bd", "steps": "x..o" } ] } }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "patterns": [ { "nodeId": "bd", "steps": "x..x" } ] } }"#
    }
    PATTERN_LENGTH Warning "json-pattern-length" {
        "A pattern of at most `resolution` steps repeats inside each bar; when its length does not divide \
        the resolution, the last repetition is cut off at the bar line. A longer pattern runs on over the following \
        bars until the transport loops, after `lengthBars`; when its length does not divide that, its last \
        repetition is cut off there."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "resolution": 16, "patterns": [ { "nodeId": "bd", "steps": "x..x..x..x..x." } ] } }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "resolution": 16, "patterns": [ { "nodeId": "bd", "steps": "x..x..x..x..x..." } ] } }"#
    }
    EMPTY_PATTERN Warning "json-empty-pattern" {
        "The pattern has neither a hit nor a lock: it does nothing."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "patterns": [ { "nodeId": "bd", "steps": "...." } ] } }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "patterns": [ { "nodeId": "bd", "steps": "x..." } ] } }"#
    }
    LOCK_STEP Error "json-lock-step" {
        "Locks act at a step of every bar. Steps count from 0 to `resolution` − 1, so this one would never \
        come."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "resolution": 16,
  "patterns": [ { "nodeId": "bd", "steps": "x...", "locks": [ { "step": 16, "param": "F0", "value": 90 } ] } ] } }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "resolution": 16,
  "patterns": [ { "nodeId": "bd", "steps": "x...", "locks": [ { "step": 15, "param": "F0", "value": 90 } ] } ] } }"#
    }
    TEMPO_BAR Warning "json-tempo-bar" {
        "The transport starts again after `lengthBars` bars, counted from 0, so it never reaches the bar in \
        which this tempo would begin."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "lengthBars": 4, "tempoRamps": [ { "bar": 4, "bpm": 138 } ] } }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "lengthBars": 4, "tempoRamps": [ { "bar": 3, "bpm": 138 } ] } }"#
    }
    GAIN Warning "json-gain" {
        "Gains in percent usually lie between 0 and 200, where 100 leaves the level as it is. This one is \
        used as it stands: below 0 it turns the wave upside down, far above 200 it is very loud."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "mixer": { "masterPercent": 900 } }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "mixer": { "masterPercent": 90 } }"#
    }
}
