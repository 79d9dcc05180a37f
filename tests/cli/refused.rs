//! What stops a command, as programs read it; flags that would have no effect; what is looked up.

use super::{Folder, SONG, WRONG};

#[test]
fn with_json_every_error_is_a_document() {
    let folder = Folder::new("json-errors").with("wrong.mam", WRONG).with("song.mam", SONG);
    for command in [
        &["render", "wrong.mam", "-o", "x.wav", "--json"][..],
        &["bench", "wrong.mam", "--json"],
        &["test", "wrong.mam", "--json"],
        &["check", "wrong.mam", "--json"],
        &["list", "nodes", "wrong.mam", "--json"],
        &["pattern", "x*4(", "--json"],
        &["pattern", "\"c4 e4\".arp(upp)", "--json"],
    ] {
        let run = folder.run(command).exits(1);
        let document: serde_json::Value =
            serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}", command.join(" ")));
        assert!(document["errors"].as_u64() > Some(0), "{command:?}: {}", run.out);
        assert!(!document["problems"].as_array().unwrap().is_empty(), "{command:?}: {}", run.out);
    }
    for command in [
        &["list", "nothing of this kind", "--json"][..],
        &["doc", "nothingofthiskind", "--json"],
        &["explain", "nothing", "--json"],
        &["render", "song.mam", "-o", "x.xyz", "--json"],
    ] {
        let run = folder.run(command).exits(2);
        let document: serde_json::Value =
            serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}", command.join(" ")));
        assert_eq!(document["failure"]["exit"], 2, "{command:?}: {}", run.out);
    }
}

#[test]
fn where_there_are_errors_only_these_are_drawn() {
    let song = "bd = kick()\nsd = snare()\nplay { bd |....| }\nout = bd + sd + nope\n";
    let folder = Folder::new("errors-alone").with("song.mam", song);
    let run = folder.run(&["check", "song.mam"]).exits(1);
    assert!(run.err.contains("unknown-name") && !run.err.contains("silent-line"), "{}", run.err);
    let all = folder.run(&["check", "song.mam", "--json"]).exits(1);
    assert!(all.out.contains("silent-line"), "{}", all.out);
}

#[test]
fn nothing_is_rendered_without_a_word() {
    let folder = Folder::new("nothing").with("song.mam", SONG);
    for (flags, why) in [
        (&["--from", "100"][..], "behind the end"),
        (&["--from", "900s"], "behind the end"),
        (&["-d", "0s"], "nothing to render"),
        (&["--format", "flac"], "another format"),
    ] {
        let run = folder.run(&[&["render", "song.mam", "-o", "x.wav"], flags].concat()).exits(2);
        assert!(run.err.contains(why), "{flags:?}: {}", run.err);
    }
    let run = folder.run(&["bench", "song.mam", "-d", "0s"]).exits(2);
    assert!(run.err.contains("nothing to render"), "{}", run.err);
    let run = folder.run(&["graph", "song.mam", "--format", "dot", "-o", "x.svg"]).exits(2);
    assert!(run.err.contains("another form"), "{}", run.err);
    assert_eq!(folder.files(), ["song.mam"]);
}

#[test]
fn a_stem_of_several_sounds_has_no_name_of_one() {
    let song = "bd = kick()\nhh = closed_hat()\nplay {\n  bd |x...|\n  hh |x.x.|\n}\ndef both(a, b) = a + b\nout = both(bd, hh)\n";
    let folder = Folder::new("whole-stem").with("song.mam", song);
    folder.run(&["render", "song.mam", "-o", "x.wav", "-d", "0.1s", "--stems", "stems"]).exits(0);
    assert!(folder.0.join("stems/out.wav").exists() && !folder.0.join("stems/bd.wav").exists());
}

#[test]
fn what_still_rings_is_not_called_restless() {
    let song =
        "bd = kick()\nlength 1 bar\nplay { bd |x...| }\nout = bd |> echo(time: 3/8 bar, feedback: 90%)\n";
    let folder = Folder::new("ringing").with("song.mam", song);
    let run = folder.run(&["render", "song.mam", "-o", "x.wav", "--loop"]).exits(0);
    assert!(run.err.contains("still ring") && !run.err.contains("never repeat"), "{}", run.err);
}

#[test]
fn words_notes_scales_and_parameters_can_be_looked_up() {
    let folder = Folder::new("words");
    for (name, text) in [
        ("over", "how long it takes"),
        ("by", "how long a step is"),
        ("curve", "curve exp"),
        ("voices", "how many notes"),
        ("minor", ".scale(c, minor)"),
        ("kick.f0", "A parameter of instrument `kick`"),
        ("c4", "261.63 Hz"),
        ("|>", "Sends a signal"),
    ] {
        let run = folder.run(&["doc", name]).exits(0);
        assert!(run.out.replace('\n', " ").contains(text), "{name}: {}", run.out);
    }
}

#[test]
fn a_check_with_an_error_is_told_once() {
    let song = "bd = kick()\nplay { bd |x...| }\nout = bd\nexpect peak(bdd) < 1\n";
    let folder = Folder::new("once").with("song.mam", song);
    let run = folder.run(&["test", "song.mam"]).exits(1);
    assert_eq!(run.err.matches("unknown-name").count(), 1, "{}", run.err);
    assert!(!run.out.contains("all hold"), "{}", run.out);
}

/// What makes a render silent or wrong is said in its words, with an exit code of its kind.
#[test]
fn a_render_of_nothing_says_why() {
    let folder = Folder::new("of-nothing")
        .with("thru.mam", "out = in |> echo()\n")
        .with("silence.mam", "bd = kick()\nplay { bd |....| }\nlength 1 bar\nout = bd\n")
        .with("k.mamlog", "{\"mamlog\": 2, \"rat");
    let run = folder.run(&["render", "thru.mam", "-o", "x.wav", "-d", "10ms"]).exits(0);
    assert!(run.err.contains("the song hears `in`, which is silent: --input"), "{}", run.err);
    for (level, said) in
        [("-1dBTP", "--normalize: the result is silent\n"), ("-14LUFS", "shorter than the 0.4 s")]
    {
        let run = folder.run(&["render", "silence.mam", "-o", "x.wav", "--normalize", level]).exits(1);
        assert!(run.err.contains(said), "{}", run.err);
    }
    for (command, code) in [("check", 3), ("test", 2), ("bench", 2), ("plot", 2)] {
        let run = folder.run(&[command, "k.mamlog"]).exits(code);
        assert!(run.err.contains("`mamc render k.mamlog` renders it"), "{command}: {}", run.err);
    }
    // It would be waited for in vain.
    let run = folder.run(&["play", "k.mamlog", "--backend", "null"]).exits(2);
    assert!(run.err.contains("`mamc render k.mamlog` renders it"), "{}", run.err);
    let run = folder.run(&["render", "k.mamlog", "-o", "x.wav"]).exits(1);
    assert!(run.err.contains("it is cut off"), "{}", run.err);
}
