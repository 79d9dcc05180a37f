//! MIDI, as it is met: files, and ports through ALSA's library, of which there is a stand-in ([`alsa.rs`](alsa.rs)).

use super::{Folder, SONG, wav};
use std::fs;

const BAND: &str = "title \"Night bus\"
tempo 97.3
bd = kick()
low = acid(gain: 50%)
lead = bell(voices: 3)
play {
  bd |x...x...x.x.x...|
  low \"c2*3 ~ [eb2 f2]\"
  lead \"c5(3,8) [d5,f5,a5]\"
}
out = softclip(bd + low + lead)
";

/// What a song plays: frame, instrument, note, velocity.
fn notes(folder: &Folder, song: &str) -> Vec<(u64, String, f64, f64)> {
    let run = folder.run(&["list", "notes", song, "--json"]).exits(0);
    let list: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let note = |n: &serde_json::Value| {
        let name = n["target"].as_str().unwrap().to_string();
        (n["frame"].as_u64().unwrap(), name, n["note"].as_f64().unwrap(), n["velocity"].as_f64().unwrap())
    };
    let mut all: Vec<_> = list["notes"].as_array().unwrap().iter().map(note).collect();
    all.sort_by(|a, b| a.partial_cmp(b).unwrap());
    all
}

#[test]
fn what_is_written_of_notes_is_told_and_sound_is_refused() {
    let folder = Folder::new("midi-told").with("song.mam", BAND);
    let run = folder.run(&["render", "song.mam", "-o", "song.mid", "--json"]).exits(0);
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["files"][0]["notes"], notes(&folder, "song.mam").len());
    for flags in [
        &["--stems", "s"][..],
        &["--tap", "bd=b.wav"],
        &["--normalize", "-1dBTP"],
        &["--loop"],
        &["-b", "16"],
        &["--from", "2"],
        &["--preroll", "1s"],
        &["--tail", "1s"],
    ] {
        let run = folder.run(&[&["render", "song.mam", "-o", "other.mid"], flags].concat()).exits(2);
        assert!(run.err.contains(flags[0]), "{}", run.err);
    }
    assert!(!folder.0.join("other.mid").exists());
}

#[test]
fn notes_and_instruments_go_to_a_file_and_back() {
    let folder = Folder::new("midi").with("song.mam", BAND);
    folder.run(&["render", "song.mam", "-o", "song.mid"]).exits(0);
    let bytes = fs::read(folder.0.join("song.mid")).unwrap();
    folder.run(&["render", "song.mam", "-o", "again.mid"]).exits(0);
    assert!(bytes == fs::read(folder.0.join("again.mid")).unwrap(), "the same bytes twice");
    let run = folder.run(&["import", "song.mid", "-o", "back.mam"]).exits(0);
    assert_eq!(run.err, "");
    assert_eq!(notes(&folder, "back.mam"), notes(&folder, "song.mam"));
    let back = fs::read_to_string(folder.0.join("back.mam")).unwrap();
    for line in ["title \"Night bus\"", "tempo 97.3", "bd = kick()", "low = acid()", "lead = bell(voices: 3)"]
    {
        assert!(back.lines().any(|l| l == line), "{line} in {back}");
    }
    folder.run(&["check", "back.mam", "--deny", "warnings"]).exits(0);
}

#[test]
fn what_a_file_cannot_say_is_told() {
    let song = "a = pluck()\nplay { a \"c4:1.5 60.5 e4\" }\nout = a\n";
    let folder = Folder::new("midi-told").with("song.mam", song).with("still.mam", "out = noise()\n");
    let run = folder.run(&["render", "song.mam", "-o", "song.mid"]).exits(0);
    assert!(
        run.err.contains("1 note is not of a MIDI key") && run.err.contains("1 note is louder"),
        "{}",
        run.err
    );
    let run = folder.run(&["render", "still.mam", "-o", "still.mid"]).exits(0);
    assert!(run.err.contains("no notes"), "{}", run.err);
}

#[test]
fn bends_are_told_where_they_are_left_out_and_machines_come_back() {
    let song = "instrument pressed { out = sine(freq) * note.pressure }\nlead = pluck()\npad = pressed(voices: 2)\nbass = midi_out(\"Minitaur\", channel: 3, bend: 12st)\n\
                drum = midi_out(\"TR-8S\", channel: 10, key: 36)\n\
                play {\n  lead \"c4 e4\"\n  lead.note.bend \"0st 2st\"\n  pad \"c4 e4\".set(note.pressure: \"0 1\")\n  \
                bass \"c2 c3\"\n  bass.note.bend \"0st 1st\"\n  drum |x.x.|\n}\nout = lead + pad\n";
    let folder = Folder::new("midi-bends").with("song.mam", song);
    let run = folder.run(&["render", "song.mam", "-o", "song.mid"]).exits(0);
    assert!(run.err.contains("what `lead.note.bend` does is not in the file"), "{}", run.err);
    assert!(run.err.contains("what `pad.note.pressure` does is not in the file"), "{}", run.err);
    assert!(!run.err.contains("bass.note"), "{}", run.err);
    let run = folder.run(&["import", "song.mid"]).exits(0);
    assert!(run.out.contains("bass = midi_out(\"Minitaur\", channel: 3)"), "{}", run.out);
    assert!(run.out.contains("drum = midi_out(\"TR-8S\", channel: 10)"), "{}", run.out);
    assert!(run.out.contains("out = softclip(50% * (lead + pad))"), "{}", run.out);
}

#[test]
fn files_that_are_broken_are_used_as_far_as_they_go() {
    let folder = Folder::new("midi-broken").with("song.mam", SONG);
    folder.run(&["render", "song.mam", "-o", "song.mid"]).exits(0);
    let bytes = fs::read(folder.0.join("song.mid")).unwrap();
    fs::write(folder.0.join("cut.mid"), &bytes[..bytes.len() - 10]).unwrap();
    let run = folder.run(&["import", "cut.mid", "-o", "cut.mam"]).exits(0);
    assert!(run.err.contains("warning: `cut.mid`: track "), "{}", run.err);
    folder.run(&["check", "cut.mam"]).exits(0);
    fs::write(folder.0.join("head.mid"), &bytes[..14]).unwrap();
    for (input, code) in [("head.mid", 1), ("song.mam", 1), ("none.mid", 3)] {
        folder.run(&["import", input, "-o", "no.mam"]).exits(code);
    }
    assert!(!folder.0.join("no.mam").exists());
}

#[test]
fn numbers_of_midi_are_checked() {
    let song = |statement: &str| format!("instrument i {{ {statement}\n out = vel }}\na = i()\nout = a\n");
    for (statement, code) in [
        ("midi drum 36, 40..44", None),
        ("midi program 127", None),
        ("midi drum 128", Some("out-of-bounds")),
        ("midi program 5..200", Some("out-of-bounds")),
        ("midi program 99999999999999999999", Some("out-of-bounds")),
        ("midi drum 44..40", Some("bad-bounds")),
        ("midi drum 36; midi drum 38", Some("duplicate-name")),
    ] {
        let folder = Folder::new("midi-numbers").with("song.mam", &song(statement));
        let run = folder.run(&["check", "song.mam", "--format", "short"]);
        match code {
            None => _ = run.exits(0),
            Some(code) => {
                let run = run.exits(1);
                assert!(format!("{}{}", run.out, run.err).contains(code), "{statement}");
            }
        }
    }
}

#[cfg(all(target_os = "linux", feature = "midi"))]
mod ports {
    use super::*;
    use crate::Run;
    use std::path::Path;
    use std::process::Command;

    /// A folder with a library in the place of ALSA's, compiled from this source.
    fn with_library(name: &str, source: &str) -> Folder {
        let folder = Folder::new(name).with("lib.rs", source);
        let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
        let mut command = Command::new(rustc);
        command.args(["--edition", "2024", "--crate-type", "cdylib", "lib.rs", "-o", "libasound.so.2"]);
        let run = Run::of(command.current_dir(&folder.0).output().unwrap());
        assert!(folder.0.join("libasound.so.2").exists(), "{}", run.err);
        folder
    }

    fn run(folder: &Folder, args: &[&str], fails: bool) -> Run {
        let mut command = folder.command(args);
        command.env("LD_LIBRARY_PATH", &folder.0).env("ALSA_LOG", folder.0.join("log"));
        if fails {
            command.env("ALSA_FAILS", "1");
        }
        Run::of(command.output().unwrap())
    }

    #[test]
    fn a_keyboard_is_heard_and_the_clock_is_sent() {
        let source =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/alsa.rs")).unwrap();
        let song = "tempo 120\nlead = sub()\nbd = kick()\nplay { bd |x| }\nout = lead + 0 * bd\n";
        let folder = with_library("alsa", &source).with("song.mam", song);
        let listed = run(&folder, &["devices"], false).exits(0);
        let has =
            |words: &[&str]| listed.out.lines().any(|line| words.iter().all(|word| line.contains(word)));
        assert!(
            has(&["midi", "Keys:port 20:3", "input"]) && has(&["midi", "Synth:port 24:3", "output"]),
            "{}",
            listed.out
        );

        let play =
            ["play", "song.mam", "--backend", "null", "--plain", "--quit-after", "2s", "--record", "r.wav"];
        let silent = run(&folder, &play, false).exits(0);
        assert!(!silent.err.contains("MIDI"), "nothing is opened that is not asked for: {}", silent.err);
        assert!(wav(folder.0.join("r.wav")).1.iter().all(|&x| x == 0.0));
        fs::remove_file(folder.0.join("r.wav")).unwrap();

        let asked = [&play[..], &["--midi", "--midi-to", "lead", "--midi-clock=synth"]].concat();
        let heard = run(&folder, &asked, false).exits(0);
        let told = format!("{}{}", heard.out, heard.err);
        assert!(
            told.contains("Keys:port 20:3 is heard") && told.contains("the clock goes to Synth:port 24:3"),
            "{told}"
        );
        assert!(wav(folder.0.join("r.wav")).1.iter().any(|x| x.abs() > 0.1), "its key was not played");
        let log = fs::read_to_string(folder.0.join("log")).unwrap();
        let ticks = log.lines().filter(|line| *line == "[f8]").count();
        // On a busy machine the song's place may jump, and the clock says where it goes on.
        let begins = log.lines().any(|line| matches!(line, "[fa]" | "[fb]"));
        assert!(begins && ticks > 4, "{log}");
    }

    #[test]
    fn what_is_missing_is_told_with_a_way_out() {
        let source =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/alsa.rs")).unwrap();
        let folder = with_library("alsa-fails", &source).with("song.mam", SONG);
        let play = ["play", "song.mam", "--backend", "null", "--midi"];
        let failed = run(&folder, &play, true).exits(4);
        assert!(failed.err.contains("modprobe snd-seq"), "{}", failed.err);
        let listed = run(&folder, &["devices"], true).exits(0);
        assert!(listed.err.contains("midi: ALSA's sequencer"), "{}", listed.err);
        let folder = with_library("alsa-empty", "//! Nothing.\n").with("song.mam", SONG);
        let failed = run(&folder, &play, false).exits(4);
        assert!(failed.err.contains("lacks a function"), "{}", failed.err);
    }
}
