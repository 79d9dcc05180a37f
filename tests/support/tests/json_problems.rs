//! Broken JSON songs: each has exactly the problems that stand above it, at the places between « and ».

mod json_rig;

use json_rig::check;
use mam_grammar::Severity;
use std::ops::Range;

/// Codes in the order of their places, and a song in which « » mark what each underlines. Notes are left out.
const BROKEN: &[(&str, &str)] = &[
    // The text.
    ("json-syntax", "«»"),
    ("json-syntax", "«html»"),
    ("json-syntax", r#"{ "version": 1, "nodes": []«»"#),
    ("json-syntax", r#"{ "version": 1, "nodes": [«}»"#),
    ("json-syntax", r#"{ "version": 1, "nodes": [ { "id": "bd" «"»type": "kick" } ] }"#),
    ("json-syntax", r#"{ "version": 1, "nodes": [ { "id": "bd", "type" «"»kick" } ] }"#),
    ("json-syntax", r#"{ "version": 1, "nodes": [ { "id" «=» "bd", "type": "kick" } ] }"#),
    ("json-syntax", r#"{ «version»: 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#),
    ("json-syntax", r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] } «{»}"#),
    ("json-syntax", r#"{ "version": 1, "nodes": [ { "id": "bd", "type": «kick» } ] }"#),
    (
        "json-syntax",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "loop": «True» } } ] }"#,
    ),
    (
        "json-syntax",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "f0": «NaN» } } ] }"#,
    ),
    ("json-syntax", "{ \"version\": 1,«\u{a0}»\"nodes\": [ { \"id\": \"bd\", \"type\": \"kick\" } ] }"),
    (
        "json-comment",
        "{ \"version\": 1, «// my song»\n \"nodes\": [ { \"id\": \"bd\", \"type\": \"kick\" } ] }",
    ),
    (
        "json-comment json-comment",
        r#"«/* a */» { "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ] } «# b»"#,
    ),
    (
        "json-trailing-comma json-trailing-comma",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }«,» ]«,» }"#,
    ),
    ("json-string", r#"{ "version": 1, "nodes": [ { "id": «'bd'», "type": "kick" } ] }"#),
    ("json-string", "{ \"version\": 1, \"nodes\": [ { \"id\": «\"bd,»\n \"type\": \"kick\" } ] }"),
    ("json-string", r#"{ "version": 1, "nodes": [ { "id": "b«\x»41", "type": "kick" } ] }"#),
    ("json-string", r#"{ "version": 1, "nodes": [ { "id": "b«\ud83d»", "type": "kick" } ] }"#),
    ("json-string", "{ \"version\": 1, \"nodes\": [ { \"id\": \"b«\t»d\", \"type\": \"kick\" } ] }"),
    (
        "json-number json-number json-number json-number json-number json-number",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params":
          { "f0": «+120», "fend": «35.», "pitchDecayMs": «050», "ampDecayMs": «180ms», "gain": «.9», "click": «1e999» } } ] }"#,
    ),
    (
        "json-byte-order-mark",
        "«\u{feff}»{ \"version\": 1, \"nodes\": [ { \"id\": \"bd\", \"type\": \"kick\" } ] }",
    ),
    // Fields and their types.
    ("json-type", r#"«[»]"#),
    ("json-missing-field", r#"«{»}"#),
    ("json-missing-field", r#"«{» "version": 1 }"#),
    ("json-version", r#"{ "version": «3», "nodes": [ { "id": "bd", "type": "kick" } ] }"#),
    ("json-version", r#"{ "version": 1, "nodes": [ { "id": "b", "type": "acid" } ], «"mods"»: [] }"#),
    (
        "json-expression json-unknown-parameter json-unknown-target",
        r#"{ "version": 2, "nodes": [ { "id": "b", "type": "acid" } ], "mods": [
          { "from": «"lfo("», "to": "b.cutoff", "depth": 2 }, { "from": "b", "to": «"b.cutof"», "depth": 2 },
          { "from": "b", "to": «"c.cutoff"», "depth": 2 } ] }"#,
    ),
    (
        "json-type json-missing-field json-value",
        r#"{ "version": 2, "nodes": [ { "id": "b", "type": "acid" } ], "mods": [
          { "from": "b", "to": "b.cutoff", "depth": «true» }, «{» "from": "b", "to": "b.cutoff" },
          { "from": "b", "to": "b.cutoff", "depth": 2, "curve": «"log"» } ] }"#,
    ),
    ("json-type", r#"{ "version": «"1"», "nodes": [ { "id": "bd", "type": "kick" } ] }"#),
    ("json-missing-field json-missing-field", r#"{ "version": 1, "nodes": [ «{» } ] }"#),
    ("json-type json-type", r#"{ "version": 1, "nodes": [ { "id": «7», "type": «null» } ] }"#),
    ("json-type", r#"{ "version": 1, "nodes": «{» "id": "bd", "type": "kick" } }"#),
    ("json-value", r#"{ "version": 1, "nodes": [ { "id": «""», "type": "kick" } ] }"#),
    ("json-unknown-field", r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", «"param"»: {} } ] }"#),
    ("json-unknown-field", r#"{ "version": 1, «"node"»: [], "nodes": [ { "id": "bd", "type": "kick" } ] }"#),
    (
        "json-duplicate-key",
        r#"{ "version": 1, «"version"»: 1, "nodes": [ { "id": "bd", "type": "kick" } ] }"#,
    ),
    (
        "json-value json-limit json-value",
        r#"{ "version": 1, "sampleRate": «44100.5», "channels": «64», "nodes": [ { "id": "bd", "type": "kick" } ],
          "transport": { "lengthBars": «0» } }"#,
    ),
    (
        "json-type json-type json-type",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
          "mixer": { "masterPercent": «"90"», "softClip": «1», "inputs": «{» } } }"#,
    ),
    // Nodes and parameters.
    ("json-unknown-type", r#"{ "version": 1, "nodes": [ { "id": "bd", "type": «"Kick"» } ] }"#),
    ("json-unknown-type", r#"{ "version": 1, "nodes": [ { "id": "bd", "type": «"softclip"» } ] }"#),
    (
        "json-duplicate-id",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": «"bd"», "type": "kick" } ] }"#,
    ),
    (
        "json-unknown-parameter json-type json-type json-duplicate-key",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params":
          { «"pitchDecay"»: 50, "gain": «"loud"», "click": «true», "f0": 90, «"F0"»: 95 } } ] }"#,
    ),
    (
        "json-range json-range",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick", "params": { "f0": «-5», "ampDecayMs": «0.2» } } ] }"#,
    ),
    // The mixer.
    (
        "json-unknown-target json-duplicate-id json-gain",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "mixer": { "inputs":
          [ { "id": «"db"» }, { "id": "bd" }, { "id": «"bd"», "gainPercent": «-80» } ] } }"#,
    ),
    ("json-silent", r#"«{» "version": 1, "nodes": [] }"#),
    // Connections.
    (
        "json-connection json-unknown-target json-cycle",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ], "connections":
          [ { "from": "fx", "to": «"bd"» }, { "from": «"kick"», "to": "fx" }, { "from": "bd", "to": "fx" },
            { "from": "fx", "to": «"fx"» } ] }"#,
    ),
    (
        "json-port json-port json-value",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ], "connections":
          [ { "from": "bd", "to": "fx" }, { "from": "bd", "to": "fx", "fromPort": «1» },
            { "from": "bd", "to": "fx", "toPort": «1» }, { "from": "bd", "to": "fx", "toPort": «-1» } ] }"#,
    ),
    (
        "json-cycle",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "a", "type": "echo" },
          { "id": "b", "type": "echo" }, { "id": "c", "type": "echo" } ], "connections":
          [ { "from": "bd", "to": "a" }, { "from": "a", "to": "b" }, { "from": "b", "to": "c" },
            { "from": "c", "to": «"a"» } ] }"#,
    ),
    (
        "json-silent",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": «"echo"» } ] }"#,
    ),
    // The transport.
    (
        "json-value json-value json-limit json-value",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
          "transport": { "bpm": «-130», "lengthBars": «1.5», "resolution": «4096», "swingPercent": «101» } }"#,
    ),
    (
        "json-tempo-bar json-value json-missing-field",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "lengthBars": 2,
          "tempoRamps": [ { "bar": «2», "bpm": 138 }, { "bar": «-1», "bpm": 138 }, «{» "bar": 1 } ] } }"#,
    ),
    (
        "json-pattern-character json-pattern-character",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ],
          "transport": { "patterns": [ { "nodeId": "bd", "steps": "x\u002e.«\u006f»..«|»x" } ] } }"#,
    ),
    (
        "json-pattern-length json-pattern-length json-empty-pattern",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "lengthBars": 4, "patterns":
          [ { "nodeId": "bd", "steps": «"x....."» }, { "nodeId": "bd", "steps": «"x.......x.......x.."» },
            { "nodeId": "bd", "steps": "x..............................x" }, { "nodeId": "bd", "steps": «"..."» } ] } }"#,
    ),
    (
        "json-unknown-target json-assumed",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "patterns":
          [ { "nodeId": «"hh"», "steps": "x..." }, «{» "nodeId": "bd" } ] } }"#,
    ),
    // What the first mam could do without.
    (
        "json-assumed json-assumed json-assumed json-parameter-name",
        r#"{ "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "tempoRamps": [ «{» "bpm": 128 } ], "patterns":
          [ «{» "nodeId": "bd", "locks": [ { "step": 4, "param": "F0", «"paramId"»: 0, "value": 150 },
            { "step": 5, "param": "F0", «"paramId"»: 1, "value": 150 } ] } ] } }"#,
    ),
    (
        "json-lock-step json-unknown-parameter json-unknown-parameter json-value json-range json-step-ramp",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "patterns":
          [ { "nodeId": "bd", "steps": "x...", "locks": [
            { "step": «16», "param": "F0", "value": 100 }, { "step": 0, "param": «"CUTOFF"», "value": 1 },
            { "step": 0, "paramId": «0», "value": 1 }, { "step": 0, "param": "F0", "value": 90, "rampMs": «-1» },
            { "step": 1, "param": "gain", "value": «2» }, { "step": 2, "param": "CLICK", "value": 1, "rampMs": «5» } ] } ] } }"#,
    ),
    (
        "json-parameter-name json-parameter-name json-missing-field",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "patterns":
          [ { "nodeId": "bd", "steps": "x...", "locks": [ { "step": 0, "param": "F0", «"paramId"»: 1, "value": 100 },
            «{» "step": 0, "value": 1 }, «{» "step": 0, "param": "F0" } ] } ] } }"#,
    ),
    (
        "json-two-transports json-unknown-field",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": «"t"», "type": "transport",
          "params": { "pattern": { "nodeId": "bd", "steps": "x..." } } } ], "transport": { «"pattern"»: {} } }"#,
    ),
    (
        "json-connection json-not-playable",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "t", "type": "transport" } ],
          "mixer": { "inputs": [ { "id": "bd" }, { "id": «"t"» } ] },
          "commands": [ { "sampleTime": 0, "nodeId": «"t"», "type": "Trigger" } ] }"#,
    ),
    // Commands.
    (
        "json-command-type json-missing-field json-unused-field json-value json-value json-limit",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "commands": [
          { "sampleTime": 0, "nodeId": "bd", "type": «"trigger"» },
          «{» "sampleTime": 0, "nodeId": "bd", "type": "SetParam", "param": "GAIN" },
          { "sampleTime": 0, "nodeId": "bd", "type": "Trigger", «"value"»: 1 },
          { "sampleTime": «-1», "nodeId": "bd", "type": "Trigger" },
          { "sampleTime": «0.5», "nodeId": "bd", "type": "Trigger" },
          { "sampleTime": «1e30», "nodeId": "bd", "type": "Trigger" } ] }"#,
    ),
    (
        "json-not-playable json-unknown-parameter",
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" }, { "id": "fx", "type": "echo" } ],
          "connections": [ { "from": "bd", "to": "fx" } ], "commands": [
          { "sampleTime": 0, "nodeId": «"fx"», "type": "Trigger" },
          { "sampleTime": 0, "nodeId": "fx", "type": "SetParam", "param": «"F0"», "value": 0.5 } ] }"#,
    ),
];

#[test]
fn every_broken_song_has_exactly_its_problems_at_their_places() {
    let mut wrong = vec![];
    for (codes, text) in BROKEN {
        let (text, places) = marked(text);
        let (song, found) = check(&text);
        let found: Vec<_> = found.into_iter().filter(|p| p.code.severity > Severity::Note).collect();
        let got: Vec<(&str, Range<usize>)> = found.iter().map(|p| (p.code.name, p.span().range())).collect();
        let mut places = places.into_iter();
        let mut last = 0..0;
        // One place may carry several problems: then the last mark counts again.
        let want: Vec<_> = codes
            .split(' ')
            .map(|code| {
                last = places.next().unwrap_or(last.clone());
                (code, last.clone())
            })
            .collect();
        let errors = found.iter().any(|p| p.code.severity == Severity::Error);
        if got != want || song.is_some() == errors {
            let messages: Vec<&String> = found.iter().map(|p| &p.message).collect();
            wrong.push(format!("{text}\nwanted {want:?}\ngot    {got:?}\n{messages:#?}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Takes the marks « and » out of a text and returns what they enclosed.
fn marked(text: &str) -> (String, Vec<Range<usize>>) {
    let (mut plain, mut places) = (String::new(), vec![]);
    for (i, part) in text.split(['«', '»']).enumerate() {
        if i % 2 == 1 {
            places.push(plain.len()..plain.len() + part.len());
        }
        plain.push_str(part);
    }
    (plain, places)
}

/// A file that is wrong everywhere is refused without being told all of it.
#[test]
fn very_many_problems_are_told_in_part() {
    let command = r#"{ "sampleTime": 0, "nodeId": "hh", "type": "Trigger" }"#;
    let commands = vec![command; 20_000].join(",");
    let nodes =
        (0..4000).map(|i| format!(r#"{{ "id": "n{i}", "type": "kick" }}"#)).collect::<Vec<_>>().join(",");
    let text = format!(r#"{{ "version": 1, "nodes": [{nodes}], "commands": [{commands}] }}"#);
    let (song, problems) = check(&text);
    assert!(song.is_none());
    assert_eq!(problems.len(), 1000);
}

#[test]
fn a_problem_has_its_line_and_column() {
    let text = "{\n  \"version\": 1,\n  \"nodes\": [ { \"id\": \"ü\", \"type\": \"kik\" } ]\n}";
    let (_, problems) = check(text);
    let mut sources = mam_grammar::Sources::default();
    let id = sources.add("song.json", text);
    let at = sources.line_column(id, problems[0].span().range().start);
    assert_eq!((problems.len(), at.to_string().as_str()), (1, "3:35"));
    assert_eq!(problems[0].labels[0].text, "did you mean `kick`?");
}

#[test]
fn a_command_after_the_end_of_a_render_is_pointed_out() {
    let (text, places) = marked(
        r#"{ "version": 1, "nodes": [ { "id": "bd", "type": "kick" } ], "commands": [
          { "sampleTime": 47999, "nodeId": "bd", "type": "Trigger" },
          { "sampleTime": «48000», "nodeId": "bd", "type": "Trigger" } ] }"#,
    );
    let mut problems = mam_grammar::Problems::default();
    check(&text).0.unwrap().check_length(48_000, &mut problems);
    assert_eq!(problems.iter().map(|p| p.span().range()).collect::<Vec<_>>(), places);
}

/// Every code of JSON songs has an example that has exactly this problem, and the same mended.
#[test]
fn every_code_has_an_example_that_fails_and_one_that_passes() {
    let codes = mam_grammar::json::codes::ALL.iter().chain(mam_compiler::json::codes::ALL);
    for row in codes {
        let code = row.code;
        // Notes say nothing against a song.
        let counts = |p: &&mam_grammar::Problem| p.code == code || p.code.severity > Severity::Note;
        let codes =
            |text: &str| -> Vec<&str> { check(text).1.iter().filter(counts).map(|p| p.code.name).collect() };
        // These are found by a render and by conversions, not by a check.
        if !["json-late-command", "json-not-in-mam", "json-cannot-say", "json-leaves-out"]
            .contains(&code.name)
        {
            assert_eq!(codes(row.fails), [code.name], "{}", code.name);
        }
        if row.passes.starts_with('{') {
            assert_eq!(codes(row.passes), [""; 0], "{}", code.name);
        }
    }
}
