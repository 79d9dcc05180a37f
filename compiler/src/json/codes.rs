//! The problems that checking a JSON song against the library finds. One row each.

mam_grammar::codes! {
    UNKNOWN_TYPE Error "json-unknown-type" {
        "A node's `type` is the name of an instrument or an effect, or `transport`. `mamc list` shows which \
        there are."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kik" } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#
    }
    UNKNOWN_PARAMETER Error "json-unknown-parameter" {
        "The node's type has no parameter of this name or number. In `params` names are written \
        `pitchDecayMs`, in locks and commands `PITCH_DECAY_MS` or by number; `mamc list params kick` shows them. \
        Times are in milliseconds."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "pitchDecay": 50 } } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "pitchDecayMs": 50 } } ] }"#
    }
    EXPRESSION Error "json-expression" {
        "A signal, an argument, or what moves a parameter is a node, by its id, or an expression of the language, in which ids are \
        names: `lfo(2Hz)`, `bd.vel`. A depth or an end of a range is a number, or one with its unit: `\"2 octaves\"`."
        fails r#"{ "version": 2, "nodes": [ { "id": "b", "type": "acid" } ],
  "mods": [ { "from": "lfo(", "to": "b.cutoff", "depth": 2 } ] }"#
        passes r#"{ "version": 2, "nodes": [ { "id": "b", "type": "acid" } ],
  "mods": [ { "from": "lfo(2Hz)", "to": "b.cutoff", "depth": 2 } ] }"#
    }
    UNKNOWN_TARGET Error "json-unknown-target" {
        "A pattern, a command, an input of the mixer or a connection names a node that is not among `nodes`. \
        Ids are compared letter by letter."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "mixer": { "inputs": [ { "id": "db", "gainPercent": 80 } ] } }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "mixer": { "inputs": [ { "id": "bd", "gainPercent": 80 } ] } }"#
    }
    DUPLICATE_ID Error "json-duplicate-id" {
        "Two nodes have the same id, so that it is not clear which of them a pattern means; or one node is \
        listed twice in the mixer."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "bd", "type": "kick" } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "low", "type": "kick" } ] }"#
    }
    RANGE Warning "json-range" {
        "The value lies outside the range of its parameter; the nearest value of the range is used. Times \
        are in milliseconds, percents are fractions of 1."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "f0": 500 } } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "f0": 200 } } ] }"#
    }
    WIRE Error "json-connection" {
        "A connection leads from an instrument or effect into an effect. Nothing flows into an instrument, \
        and a transport has no sound."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "kick" } ],
  "connections": [ { "from": "bd", "to": "fx" } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "fx" } ] }"#
    }
    PORT Error "json-port" {
        "Every node has one output, port 0. An effect's port 0 is its main input; 1 and above are its \
        further inputs, such as the side chain of a compressor."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "fx", "toPort": 7 } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "fx", "toPort": 0 } ] }"#
    }
    CYCLE Error "json-cycle" {
        "The connections lead from a node back to itself, so that its sound would depend on itself at the \
        same instant. Remove one of them. Feedback with a delay is written in .mam text, with `prev` or `tap`."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "a", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "a" }, { "from": "a", "to": "a" } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "a", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "a" } ] }"#
    }
    NOT_PLAYABLE Error "json-not-playable" {
        "Only instruments can be triggered, by a command or by hits of a pattern. Of an effect the \
        parameters can be set; a transport has nothing to be set."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "fx" } ],
  "commands": [ { "sampleTime": 0, "nodeId": "fx", "type": "Trigger" } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "fx" } ],
  "commands": [ { "sampleTime": 0, "nodeId": "bd", "type": "Trigger" } ] }"#
    }
    TWO_TRANSPORTS Warning "json-two-transports" {
        "The song has more than one transport: a `transport` section and a node of that type, or several \
        nodes. All of them play, each at its own tempo, which is rarely meant."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "t", "type": "transport" } ],
  "transport": { "bpm": 130, "patterns": [ { "nodeId": "bd", "steps": "x..." } ] } }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "transport": { "bpm": 130, "patterns": [ { "nodeId": "bd", "steps": "x..." } ] } }"#
    }
    STEP_RAMP Warning "json-step-ramp" {
        "This parameter takes every new value at once: a ramp has no effect on it."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "commands": [
  { "sampleTime": 0, "nodeId": "bd", "type": "SetParamRamp", "param": "CLICK", "value": 0.5, "rampMs": 50 } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "commands": [
  { "sampleTime": 0, "nodeId": "bd", "type": "SetParam", "param": "CLICK", "value": 0.5 } ] }"#
    }
    SILENT Warning "json-silent" {
        "Nothing can be heard here: an effect into which nothing flows, or a song without instruments."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ],
  "connections": [ { "from": "bd", "to": "fx" } ] }"#
    }
    LATE_COMMAND Warning "json-late-command" {
        "The render ends before this command: it is not carried out. `sampleTime` counts frames at the rate \
        of the render. Found only by a render of fixed length, such as `mamc render song.json -d 1s`."
        fails r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "commands": [ { "sampleTime": 480000, "nodeId": "bd", "type": "Trigger" } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
  "commands": [ { "sampleTime": 0, "nodeId": "bd", "type": "Trigger" } ] }"#
    }
    DIFFERS Note "json-differs" {
        "The song uses only what the first mam, a C++ program, had too, and something of it sounds different \
        here. There the noise of `clap` covered −1 to 0 by mistake; here it is white, from −1 to 1, so it is louder, \
        and free of the constant offset. There every node sounded at frame 0, asked or not; GAIN multiplied `gain`; \
        swing moved bar lines; and a step was a whole number of frames, so that bars came too early."
        fails r#"{ "version": 1, "nodes": [ { "id": "hh", "type": "clap" } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#
    }
    NOT_IN_MAM Warning "json-not-in-mam" {
        "The song is being written as .mam text, and this has no counterpart there: it is left out, heard \
        again in each pass where it is heard once here, or called otherwise, so that its noise is other noise. A .mam \
        song has one transport, its score counts in bars and starts again after its length, and the sample rate is \
        chosen when it is rendered. Found only by `mamc fmt --to mam`."
        fails r#"{ "version": 1, "sampleRate": 44100, "nodes": [ { "id": "bd", "type": "kick" } ] }"#
        passes r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#
    }
    NOT_IN_JSON Error "json-cannot-say" {
        "The song is being written as JSON, version 2, which cannot say this. It knows the instruments and \
        effects of the prelude, signals made of them by expressions, and one transport in 4/4: notes and parameters on a \
        grid of steps, with swing and tempos by bars. Definitions of the song, knobs, a seed and a tuning it has not. Found \
        only by `mamc fmt --to json`."
        fails "knob low = 80Hz in 40Hz..120Hz\nbd = kick(f0: low)\nout = bd\n"
        passes "bd = kick(f0: 80Hz + 20Hz * lfo(1Hz))\nout = bd\n"
    }
    LEFT_OUT_OF_JSON Warning "json-leaves-out" {
        "The song is being written as JSON, version 2, and this has no place there. It does not change what is heard, and is \
        left out: a title, and what is expected of a song. Found only by `mamc fmt --to json`."
        fails "title \"Drum\"\nbd = kick()\nout = bd\n"
        passes "bd = kick()\nout = bd\n"
    }
}
