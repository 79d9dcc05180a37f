//! `mamc play`.

use super::*;

/// What is recorded live is the beginning of what is rendered, to the bit.
#[test]
fn live_is_what_is_rendered() {
    let folder = Folder::new("live").with("song.mam", SONG);
    let run =
        folder.run(&["play", "song.mam", "--backend", "null", "--quit-after", "1500ms", "--record", "r.wav"]);
    let run = run.exits(0);
    assert!(run.err.contains("null") && run.err.contains("48000 Hz"), "{}", run.err);
    folder.run(&["render", "song.mam", "-o", "x.wav", "-d", "2s", "-q"]).exits(0);
    let (live, whole) = (wav(folder.0.join("r.wav")).1, wav(folder.0.join("x.wav")).1);
    let same = 2 * 48_000 / 4;
    assert!(live.len() > same && live[..same] == whole[..same]);
    folder.run(&["play", "song.mam", "--backend", "none"]).exits(2);
    assert!(folder.run(&["devices"]).exits(0).out.contains("null"));
}

/// A take cannot be made again, so none is lost; what cannot be recorded is told before anything sounds.
#[test]
fn a_recording_that_cannot_be_made_is_refused() {
    let folder = Folder::new("take").with("song.mam", SONG).with("there.wav", "a take");
    for (file, code, words) in [
        ("there.wav", 2, "another name"),
        ("take.xyz", 2, ".wav, .aiff, .caf or .flac"),
        ("no/such/take.wav", 3, "no folder `no/such`; make it first"),
    ] {
        let run = folder.run(&["play", "song.mam", "--backend", "null", "--record", file]).exits(code);
        assert!(run.err.contains(words), "{}", run.err);
    }
    assert_eq!(fs::read_to_string(folder.0.join("there.wav")).unwrap(), "a take");
}

#[test]
fn a_selftest_needs_no_song() {
    let run = Folder::new("selftest").run(&["play", "--selftest", "--backend", "null"]).exits(0);
    assert!(run.out.contains("all is well") && run.out.contains("48000 Hz"), "{}", run.out);
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_device_playing_exits_with_4() {
    let folder = Folder::new("device").with("song.mam", SONG);
    let mut command = folder.command(&["play", "song.mam", "--backend", "pulse"]);
    let run = Run::of(command.env("PULSE_SERVER", "unix:/nowhere/at/all").output().unwrap()).exits(4);
    assert!(run.err.contains("error: "), "{}", run.err);
    let run =
        Run::of(folder.command(&["play", "song.mam"]).env("PULSE_SERVER", "unix:/nowhere").output().unwrap());
    assert!(run.exits(4).err.contains("`--backend null` plays without one"));
}

/// `--from` begins exactly there, and `--bpm` loops a sound by itself.
#[test]
fn playing_begins_where_and_goes_as_fast_as_it_is_asked() {
    let folder = Folder::new("from").with("song.mam", SONG);
    let play = |args: &[&str]| {
        let always = ["--backend", "null", "--quit-after", "1400ms", "--record", "r.wav"];
        let run = folder.run(&[&["play"], args, &always].concat()).exits(0);
        let sound = wav(folder.0.join("r.wav")).1;
        fs::remove_file(folder.0.join("r.wav")).unwrap();
        (run.out, sound)
    };
    folder.run(&["render", "song.mam", "-q", "-o", "x.wav", "-d", "2s", "--from", "2"]).exits(0);
    let whole = wav(folder.0.join("x.wav")).1;
    let (out, sound) = play(&["song.mam", "--from", "2"]);
    assert!(out.contains("bar 2.") && out.contains("underruns"), "{out}");
    assert!(sound.len() > 30_000 && sound[..30_000] == whole[..30_000]);
    let (_, sound) = play(&["kick", "--bpm", "240", "--set", "f0=120"]);
    let song = "kick = kick(f0: 120, bpm: 240, loop: 1)\nout = kick\n";
    fs::write(folder.0.join("kick.mam"), song).unwrap();
    folder.run(&["render", "kick.mam", "-q", "-o", "x.wav", "-d", "2s"]).exits(0);
    let whole = wav(folder.0.join("x.wav")).1;
    assert!(sound.len() > 48_000 && sound[..48_000] == whole[..48_000], "two hits, and they are looped");
    assert!(whole[24_000..26_000].iter().any(|x| x.abs() > 0.1));
    folder.run(&["play", "song.mam", "--bpm", "0"]).exits(2);
}

#[cfg(not(feature = "midi"))]
#[test]
fn a_build_without_midi_says_so() {
    let folder = Folder::new("no-midi").with("song.mam", SONG);
    for flag in ["--midi", "--midi=keys", "--midi-to=bd", "--midi-follow", "--midi-clock"] {
        let run = folder.run(&["play", "song.mam", "--backend", "null", flag]).exits(2);
        assert!(run.err.contains("--features midi"), "{}", run.err);
    }
    let run = folder.run(&["play", "song.mam", "--backend", "null", "--midi-to", "bdd"]).exits(2);
    assert!(run.err.contains("did you mean `bd`?"), "{}", run.err);
}

/// An edit with errors is told, and what plays goes on; a good one is taken up.
#[test]
fn edits_are_followed() {
    let folder = Folder::new("edits").with("song.mam", SONG);
    let mut command =
        folder.command(&["play", "song.mam", "--backend", "null", "--quit-after", "4s", "--record", "r.wav"]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pause = || std::thread::sleep(std::time::Duration::from_millis(1_200));
    pause();
    fs::write(folder.0.join("song.mam"), WRONG).unwrap();
    pause();
    fs::write(folder.0.join("song.mam"), SONG.replace("out = bd", "out = bd * 0")).unwrap();
    let run = Run::of(child.wait_with_output().unwrap()).exits(0);
    assert!(run.err.contains("2 errors") && run.err.contains("ms after the save"), "{}", run.err);
    let live = wav(folder.0.join("r.wav")).1;
    assert!(live[..9_600].iter().any(|x| x.abs() > 0.1));
    assert!(live[live.len() - 9_600..].iter().all(|&x| x == 0.0), "the edit was not heard");
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_playing_gently() {
    let folder = Folder::new("gentle").with("song.mam", SONG);
    let mut command = folder.command(&["play", "song.mam", "--backend", "null", "--record", "r.wav"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !folder.files().iter().any(|f| f.ends_with(".part")) {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(folder.files(), ["r.wav", "song.mam"]);
}

#[test]
fn a_command_that_comes_too_late_is_told() {
    let song = r#"{ "version": 1, "nodes": [{ "id": "a", "type": "kick" }],
        "commands": [{ "sampleTime": 48000, "nodeId": "a", "type": "Trigger" }] }"#;
    let folder = Folder::new("late").with("song.json", song);
    let run = folder.run(&["render", "song.json", "-o", "x.wav", "-d", "1s"]).exits(0);
    assert!(run.err.contains("json-late-command") && run.err.contains("song.json:2:"), "{}", run.err);
    let run = folder.run(&["render", "song.json", "-o", "x.wav", "-d", "48001smp"]).exits(0);
    assert!(!run.err.contains("json-late-command"), "{}", run.err);
}
