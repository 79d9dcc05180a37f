//! `mamc mcp`: every verb, within the root.

use super::Folder;
use serde_json::{Value, json};
use std::os::unix::fs::symlink;

const SONG: &str = "bd = kick()\nplay { bd |x...x...| }\nout = bd\n";

/// The answers to calls of tools, in order: the text, and whether it failed.
fn call(folder: &Folder, calls: &[(&str, Value)]) -> Vec<(String, bool)> {
    let messages = calls.iter().enumerate().map(|(id, (name, arguments))| {
        let params = json!({ "name": name, "arguments": arguments });
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string() + "\n"
    });
    let run = folder.run_with(&["mcp"], messages.collect::<String>().as_bytes());
    assert_eq!(run.code, Some(0), "{}", run.err);
    let answer = |line: &str| {
        let result = serde_json::from_str::<Value>(line).unwrap()["result"].clone();
        (result["content"][0]["text"].as_str().unwrap().to_owned(), result["isError"].as_bool().unwrap())
    };
    run.out.lines().map(answer).collect()
}

#[test]
fn every_verb_answers() {
    let folder = Folder::new("mcp-verbs").with("song.mam", SONG);
    let wrong = "# a\nbd = kick()\nplay { bd |x...| }\nout = bd\n";
    let answers = call(
        &folder,
        &[
            ("check", json!({ "text": "out = ocs\n" })),
            ("check", json!({ "file": "song.mam" })),
            ("fix", json!({ "text": wrong })),
            ("explain", json!({ "code": "unknown-name" })),
            ("list", json!({ "words": "filter" })),
            ("doc", json!({ "name": "kick" })),
            ("render", json!({ "file": "song.mam", "output": "song.wav", "duration": "0.1s" })),
            ("measure", json!({ "text": SONG, "duration": "0.5s" })),
            ("plot", json!({ "file": "song.mam", "output": "song.svg", "duration": "0.1s" })),
            ("plot", json!({ "filter": "lowpass(800Hz)", "output": "low.png" })),
        ],
    );
    let wanted = [
        "unknown-name",
        "\"errors\": 0",
        "// a\nbd = kick()",
        "A name stands for nothing",
        "lowpass",
        "amp_decay",
        "truePeak",
        "loudness",
        "is written",
        "is written",
    ];
    assert_eq!(answers.len(), wanted.len());
    for ((text, failed), wanted) in answers.iter().zip(wanted) {
        assert!(!failed && text.contains(wanted), "{wanted}: {text}");
    }
    assert_eq!(folder.files(), ["low.png", "song.mam", "song.svg", "song.wav"]);
}

/// The document with which a text begins: what is said of it follows.
fn first_value(text: &str) -> Value {
    serde_json::Deserializer::from_str(text).into_iter().next().unwrap().unwrap()
}

/// What is not said is as on the command line, and what is said of flags is said of arguments.
#[test]
fn a_song_is_as_long_as_it_is() {
    let folder = Folder::new("mcp-length");
    let long = format!("length 400 bars\n{SONG}");
    let answers = call(
        &folder,
        &[
            ("render", json!({ "text": SONG, "output": "a.wav" })),
            ("measure", json!({ "text": SONG })),
            ("plot", json!({ "text": SONG, "output": "a.svg" })),
            ("plot", json!({ "text": long, "output": "b.svg" })),
            ("plot", json!({ "filter": "lowpass(1kHz)", "what": "waveform", "output": "b.svg" })),
            ("plot", json!({ "text": SONG, "what": "response", "output": "b.svg" })),
            ("fix", json!({ "file": "a.mam" })),
        ],
    );
    for (text, failed) in &answers[..2] {
        let seconds = first_value(text)["files"][0]["seconds"].as_f64();
        assert!(!failed && seconds.is_some_and(|seconds| (1.9..3.0).contains(&seconds)), "{text}");
    }
    assert_eq!(answers[2], ("The picture is written.".into(), false));
    assert!(answers[3].1 && answers[3].0.contains("with `from` and `duration`"), "{}", answers[3].0);
    assert!(answers[4].1 && answers[5].1 && answers[6].1, "{answers:?}");
    assert_eq!(folder.files(), ["a.svg", "a.wav"]);
}

/// What is ended leaves no piece of a file.
#[test]
fn a_verb_that_takes_too_long_leaves_nothing() {
    let folder = Folder::new("mcp-time");
    let params =
        json!({ "name": "render", "arguments": { "text": SONG, "output": "a.wav", "duration": "900000s" } });
    let message =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string() + "\n";
    let run = folder.run_with(&["mcp", "--timeout", "1"], message.as_bytes());
    assert!(run.out.contains("it took longer than 1 s, and was ended"), "{}", run.out);
    assert!(folder.files().is_empty(), "{:?}", folder.files());
}

#[test]
fn nothing_outside_the_root_is_read_or_written() {
    let folder = Folder::new("mcp-root").with("song.mam", SONG);
    std::fs::create_dir(folder.0.join("root")).unwrap();
    symlink(folder.0.join("song.mam"), folder.0.join("root/link.mam")).unwrap();
    let inner = Folder(folder.0.join("root"));
    let outside = |arguments: Value, tool| (tool, arguments);
    let answers = call(
        &inner,
        &[
            outside(json!({ "file": "../song.mam" }), "check"),
            outside(json!({ "file": "/etc/passwd" }), "check"),
            outside(json!({ "file": "link.mam" }), "check"),
            outside(json!({ "text": SONG, "output": "../x.wav" }), "render"),
            outside(json!({ "text": "use \"../song.mam\"\nout = 1\n" }), "check"),
            outside(json!({ "text": SONG, "file": "song.mam" }), "check"),
            outside(json!({ "words": "--help" }), "list"),
            outside(json!({ "text": SONG, "rate": "1" }), "check"),
        ],
    );
    for (text, failed) in &answers[..4] {
        assert!(*failed && text.contains("does not lie below the root"), "{text}");
    }
    assert!(answers[4].0.contains("lies outside the song's folder"), "{}", answers[4].0);
    assert!(answers[5].1 && answers[6].1 && answers[7].1, "{answers:?}");
    assert_eq!(inner.files(), ["link.mam"]);
    std::mem::forget(inner);
}

#[test]
fn the_protocol_is_spoken() {
    let folder = Folder::new("mcp-protocol");
    let input = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{}}\n\
                 {\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\nnot JSON\n\
                 {\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}\n{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"no\"}\n";
    let run = folder.run_with(&["mcp"], input.as_bytes());
    let answers: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers[0]["result"]["serverInfo"]["name"], "mamc");
    assert_eq!(answers[1]["error"]["code"], -32_700);
    assert_eq!(answers[2]["result"]["tools"].as_array().unwrap().len(), 8);
    assert_eq!(answers[3]["error"]["code"], -32_601);
    assert_eq!(folder.run(&["mcp", "--root", "no-such"]).code, Some(2));
}
