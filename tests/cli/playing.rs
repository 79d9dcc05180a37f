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

/// What is wrong with the song is told before what is wrong with the device.
#[test]
fn a_missing_song_is_told_before_a_missing_device() {
    let folder = Folder::new("missing").with("wrong.mam", WRONG);
    let play = |song: &str| {
        let mut command = folder.command(&["play", song, "--backend", "pulse"]);
        Run::of(command.env("PULSE_SERVER", "unix:/nowhere").stdin(Stdio::null()).output().unwrap())
    };
    assert!(play("none.mam").exits(3).err.contains("there is no such file"));
    assert!(play(".").exits(3).err.contains("a folder"));
    // What comes from standard input cannot be mended.
    let run = folder.run_with(&["play", "-", "--backend", "null"], WRONG.as_bytes()).exits(1);
    assert!(run.err.contains("2 errors"), "{}", run.err);
    let run = folder.run(&["play", "wrong.mam", "--backend", "null", "--quit-after", "300ms"]).exits(1);
    assert!(run.err.contains("2 errors") && run.err.contains("as soon as it has no errors"), "{}", run.err);
}

/// A used file that goes, or becomes what is no file, is told; what plays goes on, and the file is taken up when it is back.
#[cfg(unix)]
#[test]
fn files_that_go_and_come_back_are_told() {
    let folder = Folder::new("goes").with("lib.mam", "def loud(x) = x\n");
    let song = format!("use \"lib.mam\"\n{}", SONG.replace("out = bd", "out = loud(bd)"));
    fs::write(folder.0.join("song.mam"), song).unwrap();
    let mut command = folder.command(&["play", "song.mam", "--backend", "null"]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut waits_for = |words: &str| {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            let read = std::io::BufRead::read_line(&mut told, &mut line).unwrap();
            assert!(read > 0, "it ended before it said `{words}`");
        }
    };
    waits_for("null");
    std::thread::sleep(std::time::Duration::from_millis(500));
    let lib = folder.0.join("lib.mam");
    fs::remove_file(&lib).unwrap();
    waits_for("lib.mam` is gone");
    Command::new("mkfifo").arg(&lib).status().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    fs::remove_file(&lib).unwrap();
    fs::write(folder.0.join("new.mam"), "def loud(x) = x * 2\n").unwrap();
    fs::rename(folder.0.join("new.mam"), &lib).unwrap();
    waits_for("ms after the save");
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
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

/// Phases, noise, echoes, voices that are held and ramps under way: `--from` plays what a render has there, from its first
/// frame on, wherever that lies in a quantum.
#[test]
fn playing_from_the_middle_is_the_render_from_there() {
    let song = "lead = sub(voices: 2)\nwet = (lead + 0.1 * noise() + 0.1 * sine(0.37Hz) * saw(101.3Hz)) |> echo(feedback: 60%)\n\
                tempo 97\nplay {\n  lead \"c3@3 e3\".slow(2)\n  lead.gain \"0.2 1\".slow(3) over 2 bars\n}\nout = wet * 0.3\n";
    let song = format!("title \"Middle\"\n{song}");
    let folder = Folder::new("middle").with("song.mam", &song);
    for from in ["1.2345s", "2"] {
        folder
            .run(&["render", "song.mam", "-q", "-o", "x.wav", "-d", "2s", "--from", from, "-r", "48000"])
            .exits(0);
        let args = ["play", "song.mam", "--backend", "null", "--quit-after", "900ms", "--record", "r.wav"];
        folder.run(&[&args[..], &["--from", from]].concat()).exits(0);
        let (live, whole) = (wav(folder.0.join("r.wav")).1, wav(folder.0.join("x.wav")).1);
        assert!(live.len() > 30_000 && live[..30_000] == whole[..30_000], "{from}");
        let [take, render] = ["r.wav", "x.wav"].map(|name| fs::read(folder.0.join(name)).unwrap());
        let titled = |file: &[u8]| file.windows(6).any(|bytes| bytes == b"Middle");
        assert!(titled(&take) && titled(&render));
        fs::remove_file(folder.0.join("r.wav")).unwrap();
    }
}

/// A cycle long after those that are tried, which holds too many events: its line is silent there, and that is told.
#[test]
fn a_cycle_that_cannot_be_played_is_told() {
    let song =
        |plain: usize| format!("bd = kick()\ntempo 1000\nplay {{ bd \"x*<1!{plain} 99999>\" }}\nout = bd\n");
    let folder = Folder::new("unplayed").with("late.mam", &song(70)).with("soon.mam", &song(20));
    // In the song's own bars, check finds it.
    let run = folder.run(&["check", "soon.mam"]).exits(1);
    assert!(run.err.contains("pattern-too-much"), "{}", run.err);
    folder.run(&["check", "late.mam"]).exits(0);
    let words = "the cycle of `bd` that begins at bar 71, beat 1 (16.800 s) holds too many events";
    let run = folder.run(&["render", "late.mam", "-r", "8000", "-o", "x.wav", "-d", "17s"]).exits(1);
    assert!(run.err.contains(words), "{}", run.err);
    folder.run(&["render", "late.mam", "-r", "8000", "-o", "x.wav", "-d", "16s"]).exits(0);
    let run = folder.run(&["render", "late.mam", "-o", "x.mid", "-d", "17s"]).exits(1);
    assert!(run.err.contains(words), "{}", run.err);
    let run = folder.run(&["dump", "events", "late.mam", "-d", "17s"]).exits(0);
    assert!(run.err.contains(words), "{}", run.err);
    let run = folder
        .run(&[
            "play",
            "late.mam",
            "--backend",
            "null",
            "-r",
            "8000",
            "--from",
            "16s",
            "--quit-after",
            "1300ms",
        ])
        .exits(0);
    assert!(run.err.contains(words), "{}", run.err);
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

/// Whatever is sent to it, and however much: what is played is what is rendered, and Ctrl-C ends it.
#[cfg(all(unix, feature = "osc"))]
#[test]
fn a_flood_of_odd_packets_changes_nothing() {
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let folder = Folder::new("flood").with("song.mam", SONG);
    let osc = port.to_string();
    let mut command =
        folder.command(&["play", "song.mam", "--backend", "null", "--record", "r.wav", "--osc", &osc]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !folder.files().iter().any(|f| f.ends_with(".part")) {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let voice = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut dice = 1_u64;
    for _ in 0..5_000 {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // No sender is refused, whatever it sends; a system that has no room drops some.
        let _ = match dice >> 33 & 3 {
            0 => voice.send_to(&dice.to_le_bytes(), ("127.0.0.1", port)),
            1 => voice.send_to(b"/beat\0\0\0,f\0\0\x58\x63\x5f\xa9", ("127.0.0.1", port)),
            2 => voice.send_to(b"/hit/bd\0,f\0\0\x7f\xc0\0\0", ("127.0.0.1", port)),
            _ => voice.send_to(b"/set/bd.gain\0\0\0\0,f\0\0\x7f\x80\0\0", ("127.0.0.1", port)),
        };
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    folder.run(&["render", "song.mam", "-o", "x.wav", "-d", "30s", "-q"]).exits(0);
    let (live, whole) = (wav(folder.0.join("r.wav")).1, wav(folder.0.join("x.wav")).1);
    // The last 20 ms fade.
    let same = live.len().min(whole.len()) - 2 * 48_000 / 10;
    assert!(same > 20_000 && live[..same] == whole[..same]);
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

/// Instruments of a JSON song have a `pan`: given once, or set while they play.
#[test]
fn instruments_of_json_are_placed() {
    let song = |params: &str, more: &str| {
        format!(
            r#"{{ "version": 1, "nodes": [{{ "id": "a", "type": "kick", "params": {{ {params} }} }}],
            "commands": [{{ "sampleTime": 0, "nodeId": "a", "type": "Trigger" }}{more}] }}"#
        )
    };
    let folder = Folder::new("placed")
        .with("left.json", &song(r#""pan": -1"#, ""))
        .with(
            "right.json",
            &song(
                "",
                r#", { "sampleTime": 0, "nodeId": "a", "type": "SetParam", "param": "PAN", "value": 1 }"#,
            ),
        )
        .with("both.json", &song("", ""));
    let peaks = |name: &str| {
        let out = format!("{name}.wav");
        folder.run(&["render", &format!("{name}.json"), "-o", &out, "-d", "1s", "-q"]).exits(0);
        let (_, sound) = wav(folder.0.join(out));
        [0, 1].map(|side| sound.iter().skip(side).step_by(2).fold(0.0_f32, |most, x| most.max(x.abs())))
    };
    let [left, nothing] = peaks("left");
    assert!(left > 0.1 && nothing == 0.0);
    // It goes there from the middle in the time over which changes are smoothed.
    let [gone, right] = peaks("right");
    assert!(right > 0.1 && gone < right, "{gone} {right}");
    let [left, right] = peaks("both");
    assert!(left > 0.1 && left == right);
}

/// What was played until `mamc` is killed is in the log; what was written last may be cut anywhere.
#[test]
fn a_performance_outlives_what_plays_it() {
    let folder = Folder::new("killed").with("song.mam", "bd = kick()\nplay { bd |x.| }\nout = bd\n");
    let args = ["play", "song.mam", "--backend", "null", "--log", "take.mamlog"];
    let mut command = folder.command(&args);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let log = folder.0.join("take.mamlog");
    let lines = || fs::read_to_string(&log).map_or(0, |text| text.lines().count());
    let frames = "\"frames\":";
    while lines() < 4 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let text = fs::read_to_string(&log).unwrap();
    let played = |text: &str| -> usize {
        let line = text.rsplit_once(frames).unwrap().1;
        line[..line.find(|c: char| !c.is_ascii_digit()).unwrap()].parse().unwrap()
    };
    for (name, text, expected) in [
        ("take.mamlog", text.as_str(), played(&text)),
        ("cut.mamlog", &text[..text.len() - 4], played(&text[..text.trim_end().rfind('\n').unwrap() + 1])),
    ] {
        fs::write(folder.0.join(name), text).unwrap();
        let run = folder.run(&["render", name, "-o", "x.wav"]).exits(0);
        assert!(run.err.contains("was broken off"), "{}", run.err);
        let sound = wav(folder.0.join("x.wav")).1;
        assert_eq!(sound.len(), 2 * expected);
        assert!(sound[..9600].iter().any(|x| x.abs() > 0.5));
    }
    // What stands behind the end belongs to nothing.
    let more = format!("{}{{\"frames\":1,\"ended\":true}}\n{{\"frames\":2}}\n", text);
    fs::write(folder.0.join("more.mamlog"), more).unwrap();
    let run = folder.run(&["render", "more.mamlog", "-o", "y.wav"]).exits(1);
    assert!(run.err.contains("is not the log of a performance"), "{}", run.err);
}

/// A performance that was logged is rendered as it was recorded, to the bit: an edit of a file that it uses, what OSC asked
/// for, and the fade at the end.
#[cfg(all(unix, feature = "osc"))]
#[test]
fn a_logged_performance_is_rendered_again() {
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let folder = Folder::new("log").with("kit.mam", "def loud(x) = x * 0.5\n");
    let song = "use \"kit.mam\"\ntempo 140\nbd = kick()\nlead = pluck(voices: 4)\nplay {\n  bd \"x*4\"\n  lead \"c4 e4 g4 b4\"\n}\n\
                out = loud(bd + lead |> echo(feedback: 60%)) |> limiter()\n";
    fs::write(folder.0.join("song.mam"), song).unwrap();
    let osc = port.to_string();
    let args = ["--backend", "null", "--quit-after", "3s", "--record", "r.wav", "--log", "take.mamlog"];
    let mut command = folder.command(&[&["play", "song.mam", "--osc", &osc][..], &args].concat());
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let voice = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let pause = || std::thread::sleep(std::time::Duration::from_millis(150));
    while !folder.files().iter().any(|f| f.ends_with(".part")) {
        pause();
    }
    for turn in 0..12 {
        pause();
        let message: &[u8] = match turn % 6 {
            0 => b"/set/bd.gain\0\0\0\0,ff\0\x3f\0\0\0\x3e\x80\0\0",
            1 => b"/note/lead\0\0,ff\0\x42\x58\0\0\x3f\x80\0\0",
            2 => b"/bars\0\0\0,f\0\0\x3f\x80\0\0",
            3 => b"/tempo\0\0,f\0\0\x43\x16\0\0",
            4 => b"/note/lead\0\0,ff\0\x42\x58\0\0\0\0\0\0",
            _ => b"/mute/bd\0\0\0\0,\0\0\0",
        };
        voice.send_to(message, ("127.0.0.1", port)).unwrap();
        if turn == 5 {
            fs::write(folder.0.join("kit.mam"), "def loud(x) = x * 0.25\n").unwrap();
        }
    }
    let run = Run::of(child.wait_with_output().unwrap()).exits(0);
    assert!(run.err.contains("ms after the save") && run.err.contains("logged take.mamlog"), "{}", run.err);
    // What the files are now is of no account.
    fs::remove_file(folder.0.join("kit.mam")).unwrap();
    fs::remove_file(folder.0.join("song.mam")).unwrap();
    folder.run(&["render", "take.mamlog", "-o", "x.wav", "-q"]).exits(0);
    let (live, again) = (wav(folder.0.join("r.wav")).1, wav(folder.0.join("x.wav")).1);
    let differs = live.iter().zip(&again).position(|(a, b)| a.to_bits() != b.to_bits());
    assert_eq!((differs, live.len()), (None, again.len()));
    assert!(live.len() > 100_000 && live.iter().any(|x| x.abs() > 0.1));
    // Stems, and another rate.
    let run = folder.run(&["render", "take.mamlog", "-o", "s.flac", "--stems", "stems", "--json"]).exits(0);
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let files = report["files"].as_array().unwrap();
    assert_eq!(
        files.iter().map(|file| file["node"].as_str()).collect::<Vec<_>>(),
        [None, Some("bd"), Some("lead")]
    );
    assert!(run.err.contains("their sum is") && !run.err.contains("do not add up"), "{}", run.err);
    let other = [
        "render",
        "take.mamlog",
        "-o",
        "y.wav",
        "--rate",
        "44100",
        "--tap",
        "bd=bd.wav",
        "--normalize",
        "-1dBTP",
        "-q",
    ];
    folder.run(&other).exits(0);
    let (header, slow) = wav(folder.0.join("y.wav"));
    let expected = live.len() as f64 * 44_100.0 / 48_000.0;
    assert!((slow.len() as f64 - expected).abs() < 1000.0, "{} {expected}", slow.len());
    assert!(header.sample_rate == 44_100 && wav(folder.0.join("bd.wav")).1.len() == slow.len());
    assert!(
        folder
            .run(&["render", "take.mamlog", "-o", "z.wav", "--tap", "none=n.wav"])
            .exits(2)
            .err
            .contains("none")
    );
    // A take is not lost, a log of another version is not guessed at, and a flag that has no meaning is refused.
    folder.run(&["play", "kick", "--backend", "null", "--log", "take.mamlog"]).exits(2);
    folder.run(&["play", "kick", "--backend", "null", "--log", "take.txt"]).exits(2);
    assert!(
        folder.run(&["render", "take.mamlog", "-o", "y.wav", "--from", "2"]).exits(2).err.contains("--from")
    );
    let text = fs::read_to_string(folder.0.join("take.mamlog")).unwrap();
    let newer = text.replacen("\"mamlog\":4", "\"mamlog\":99", 1);
    assert_ne!(newer, text);
    fs::write(folder.0.join("new.mamlog"), newer).unwrap();
    assert!(folder.run(&["render", "new.mamlog", "-o", "y.wav"]).exits(1).err.contains("version 99"));
    fs::write(folder.0.join("odd.mamlog"), "{}").unwrap();
    folder.run(&["render", "odd.mamlog", "-o", "y.wav"]).exits(1);
}
