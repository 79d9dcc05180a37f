//! `mamc migrate`: old songs in the newest version of the format, and nothing written that was not asked for.

use super::Folder;
use std::fs;

/// What the first mam could do without, and a version that is not said.
const OLD: &str = "{
  \"nodes\": [ { \"id\": \"bd\", \"type\": \"kick\" } ],
  \"transport\": { \"bpm\": 120, \"tempoRamps\": [ { \"bpm\": 130 } ],
    \"patterns\": [
      { \"nodeId\": \"bd\", \"locks\": [ { \"step\": 0, \"param\": \"GAIN\", \"paramId\": 0, \"value\": 0.5 } ] },
      { \"nodeId\": \"bd\", \"steps\": \"x...x...\" }
    ] }
}
";
const NEW: &str = "{ \"version\": 2,
  \"nodes\": [ { \"id\": \"bd\", \"type\": \"kick\" } ],
  \"transport\": { \"bpm\": 120, \"tempoRamps\": [ { \"bar\": 0, \"bpm\": 130 } ],
    \"patterns\": [
      { \"steps\": \".\", \"nodeId\": \"bd\", \"locks\": [ { \"step\": 0, \"param\": \"GAIN\", \"value\": 0.5 } ] },
      { \"nodeId\": \"bd\", \"steps\": \"x...x...\" }
    ] }
}
";

#[test]
fn an_old_song_becomes_a_new_one_that_sounds_the_same() {
    let folder = Folder::new("migrate").with("old.json", OLD);
    let run = folder.run(&["migrate", "old.json"]);
    assert_eq!((run.code, &*run.out), (Some(0), NEW), "{}", run.err);
    assert_eq!(fs::read_to_string(folder.0.join("old.json")).unwrap(), OLD, "nothing is written unasked");
    assert_eq!(folder.run(&["migrate", "old.json", "-o", "new.json"]).code, Some(0));
    assert_eq!(fs::read_to_string(folder.0.join("new.json")).unwrap(), NEW);
    let sound = |song: &str| {
        let run = folder.run(&["render", song, "-d", "2s", "--interp", "-o", "sound.wav"]);
        assert_eq!(run.code, Some(0), "{}", run.err);
        fs::read(folder.0.join("sound.wav")).unwrap()
    };
    assert!(sound("old.json") == sound("new.json"));
    assert!(!folder.run(&["check", "new.json"]).err.contains("json-assumed"));
    let check = |song: &str| folder.run(&["migrate", "--check", song]).code;
    assert_eq!((check("old.json"), check("new.json")), (Some(1), Some(0)));
    // It is its own newest version.
    assert_eq!(folder.run(&["migrate", "new.json"]).out, NEW);
}

#[test]
fn files_are_rewritten_where_that_is_asked_for() {
    let folder = Folder::new("migrate-write")
        .with("a.json", OLD)
        .with("b.json", NEW)
        .with("c.json", "{ \"nodes\": 3 }");
    assert_eq!(folder.run(&["migrate", "a.json", "b.json"]).code, Some(2), "to where?");
    let run = folder.run(&["migrate", "--write", "a.json", "b.json", "c.json"]);
    assert_eq!(run.code, Some(1), "one cannot be read");
    let text = |name: &str| fs::read_to_string(folder.0.join(name)).unwrap();
    assert_eq!((&*text("a.json"), &*text("b.json"), &*text("c.json")), (NEW, NEW, "{ \"nodes\": 3 }"));
    assert_eq!(folder.run(&["migrate", "a.json", "-o", "a.json"]).code, Some(2), "an input is not an output");
    assert_eq!(folder.files(), ["a.json", "b.json", "c.json"]);
}

#[test]
fn programs_read_what_is_changed() {
    let folder = Folder::new("migrate-json").with("old.json", OLD);
    let run = folder.run(&["migrate", "--json", "old.json"]);
    let document: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let file = &document["files"][0];
    assert_eq!((&document["newest"], &file["from"]), (&2.into(), &1.into()));
    assert_eq!(file["changes"].as_array().map(Vec::len), Some(4));
    assert_eq!(file["text"], NEW);
    let mam = Folder::new("migrate-mam").with("song.mam", "out = 0\n").run(&["migrate", "song.mam"]);
    assert_eq!(mam.code, Some(2), "{}", mam.err);
}

/// What JSON cannot say is an error or a warning at its place, and never left out without a word.
#[test]
fn chance_titles_and_expectations_are_told_of() {
    let folder = Folder::new("chance-to-json");
    let song = |head: &str, line: &str| format!("{head}bd = kick()\nplay {{ {line} }}\nout = bd\n");
    let converted = |text: &str| folder.run_with(&["fmt", "--to", "json", "-"], text.as_bytes());
    for line in [
        "bd \"x? x x? x?\"",
        "bd \"x*8?0.9\"",
        "bd \"x | [x x]\"",
        "bd \"x x x x\".degrade(0.3)",
        "bd \"x x x x\".humanize(5ms, 10%)",
        "bd \"x x x x\".every(2, degrade(0.5))",
        "bd \"x*4\".mask(\"1 0?\")",
    ] {
        let run = converted(&song("", line)).exits(1);
        assert!(
            run.err.contains("chance that falls anew") && run.err.contains("`length 4 bars`"),
            "{line}: {}",
            run.err
        );
    }
    // With a length each pass has the same draws.
    let run = converted(&song("length 1 bar\n", "bd \"x? x x? x?\"")).exits(0);
    assert!(run.out.contains("\"steps\"") && run.err.is_empty(), "{}", run.err);
    let run = converted(&song("title \"A\"\nexpect peak(out) < 3dB\n", "bd \"x x\"")).exits(0);
    assert!(
        run.err.contains("a title has no place") && run.err.contains("what is expected of a song"),
        "{}",
        run.err
    );
}
