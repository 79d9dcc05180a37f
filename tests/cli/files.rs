//! Sound files as they are written and read: what a render says of them, where they go, what they come from.

use super::{Folder, Run, SONG, wav};
use std::fs;
use std::io::Read;
use std::process::Stdio;

/// Three times full scale.
const LOUD: &str = "out = 3 * sine(440Hz)\n";

fn report(run: &Run) -> serde_json::Value {
    serde_json::from_str(&run.out).unwrap()
}

#[test]
fn a_render_says_how_loud_it_is_and_what_it_clips() {
    let folder = Folder::new("levels").with("loud.mam", LOUD).with("soft.mam", "out = 50% * sine(997Hz)\n");
    let render =
        |args: &[&str]| folder.run(&[&["render", "-d", "1s", "-o", "x.wav"], args].concat()).exits(0);
    let run = render(&["soft.mam"]);
    assert!(
        run.err.contains("peak -6.0 dBFS, true peak -6.0 dBTP, -6.0 LUFS, 0 samples clipped"),
        "{}",
        run.err
    );
    assert!(!run.err.contains("warning"), "{}", run.err);
    let run = render(&["loud.mam", "-b", "16"]);
    assert!(run.err.contains("peak 9.5 dBFS") && run.err.contains("samples clipped\n"), "{}", run.err);
    assert!(run.err.contains("warning: ") && run.err.contains("--normalize -1dBTP"), "{}", run.err);
    // What the help says, helps.
    let run = render(&["loud.mam", "-b", "16", "--normalize", "-1dBTP"]);
    assert!(run.err.contains("true peak -1.0 dBTP") && run.err.contains("gain -10.6 dB"), "{}", run.err);
    assert!(!run.err.contains("warning"), "{}", run.err);
    // Floats hold it, but what plays them does not.
    let run = render(&["loud.mam"]);
    assert!(run.err.contains("above full scale") && run.err.contains("warning: "), "{}", run.err);
    let run = render(&["loud.mam", "-b", "24", "--json", "-q"]);
    assert_eq!(run.err, "");
    let file = &report(&run)["files"][0];
    assert_eq!(
        (&file["format"], &file["bits"], &file["frames"]),
        (&"wav".into(), &"24".into(), &48_000.into())
    );
    let number = |name: &str| file[name].as_f64().unwrap();
    assert!((number("peak") - 9.54).abs() < 0.01 && (number("truePeak") - 9.54).abs() < 0.01);
    assert!(number("clipped") > 70_000.0 && number("clipped") == number("over") && number("gain") == 0.0);
    let silent =
        folder.run_with(&["render", "-", "-o", "s.wav", "-d", "1s", "--json"], b"out = 0\n").exits(0);
    assert_eq!(report(&silent)["files"][0]["peak"], serde_json::Value::Null);
    folder.run(&["render", "loud.mam", "-o", "-", "--json"]).exits(2);
}

#[test]
fn without_a_name_the_song_gives_its_own() {
    let folder =
        Folder::new("named").with("song.mam", SONG).with("other.mam", SONG).with("other.wav", "mine");
    fs::create_dir(folder.0.join("sub")).unwrap();
    fs::write(folder.0.join("sub/deep.mam"), SONG).unwrap();
    let run = folder.run(&["render", "song.mam", "-d", "10ms"]).exits(0);
    assert!(run.err.contains("song.wav"), "{}", run.err);
    folder.run(&["render", "song.mam", "-d", "20ms"]).exits(0);
    assert_eq!(wav(folder.0.join("song.wav")).1.len(), 2 * 960, "mamc wrote it, so it is replaced");
    for format in ["flac", "aiff", "caf"] {
        let args = ["render", "sub/deep.mam", "-d", "10ms", "--format", format];
        folder.run(&args).exits(0);
        folder.run(&args).exits(0);
        let target = folder.0.join("sub/deep").with_extension(format);
        fs::write(&target, &fs::read(&target).unwrap()[..20]).unwrap();
        folder.run(&args).exits(2);
    }
    folder.run(&["render", "sub/deep.mam", "-d", "10ms"]).exits(0);
    folder.run(&["render", "kick", "-d", "10ms"]).exits(0);
    let run = folder.run(&["render", "other.mam", "-d", "10ms"]).exits(2);
    assert!(
        run.err.contains("-o") && fs::read(folder.0.join("other.wav")).unwrap() == b"mine",
        "{}",
        run.err
    );
    let run = folder.run_with(&["render", "-", "-d", "10ms"], SONG.as_bytes()).exits(2);
    assert!(run.err.contains("-o"), "{}", run.err);
    assert_eq!(folder.files(), ["kick.wav", "other.mam", "other.wav", "song.mam", "song.wav", "sub"]);
    assert!(folder.0.join("sub/deep.wav").exists());
    let run = folder.run(&["render", "song.mam", "-o", "x.mp3"]).exits(2);
    assert!(run.err.contains("ffmpeg -i x.wav x.mp3"), "{}", run.err);
    for name in ["song.mam", "new.json"] {
        let run = folder.run(&["render", "song.mam", "-o", name]).exits(2);
        assert!(run.err.contains("the name of a song") && !run.err.contains("ffmpeg"), "{}", run.err);
    }
}

/// Every file that a command reads, by every path that leads there.
#[test]
fn nothing_that_is_read_is_written_over() {
    let folder = Folder::new("inputs")
        .with("song.mam", "use \"lib.mam\"\nout = in + x()\n")
        .with("lib.mam", "def x() { out = 0 }\n")
        .with("song.json", "{ \"version\": 1, \"nodes\": [ { \"id\": \"k\", \"type\": \"kick\" } ] }");
    folder.run(&["render", "kick", "-o", "in.wav", "-d", "100ms"]).exits(0);
    let mut paths = vec![
        "in.wav".to_string(),
        "./in.wav".into(),
        "../".to_string() + folder.0.file_name().unwrap().to_str().unwrap() + "/in.wav",
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("in.wav", folder.0.join("link.wav")).unwrap();
        std::os::unix::fs::symlink("lib.mam", folder.0.join("lib.wav")).unwrap();
        fs::hard_link(folder.0.join("song.mam"), folder.0.join("hard.wav")).unwrap();
        paths.extend(["link.wav".into(), "lib.wav".into(), "hard.wav".into()]);
    }
    let before: Vec<Vec<u8>> =
        ["in.wav", "song.mam", "lib.mam"].map(|f| fs::read(folder.0.join(f)).unwrap()).into();
    for path in &paths {
        let args = ["render", "song.mam", "--input", "in.wav", "-d", "10ms", "-o"];
        let run = folder.run(&[&args[..], &[path]].concat()).exits(2);
        assert!(run.err.contains("is read"), "{}", run.err);
        let tap = format!("x={path}");
        folder.run(&[&args[..], &["ok.wav", "--tap", &tap]].concat()).exits(2);
    }
    folder.run(&["render", "song.mam", "-o", "song.mam", "--format", "wav"]).exits(2);
    folder.run(&["graph", "song.mam", "-o", "lib.mam", "--format", "dot"]).exits(2);
    folder.run(&["fmt", "--to", "mam", "song.json", "-o", "song.json"]).exits(2);
    let after: Vec<Vec<u8>> =
        ["in.wav", "song.mam", "lib.mam"].map(|f| fs::read(folder.0.join(f)).unwrap()).into();
    assert!(before == after && !folder.0.join("ok.wav").exists());
    folder.run(&["render", "kick", "-o", "k.mid", "-d", "1s"]).exits(0);
    folder.run(&["import", "k.mid", "-o", "k.mid"]).exits(2);
}

/// What cannot be written is refused before anything is rendered.
#[test]
fn what_does_not_fit_is_refused_first() {
    let folder = Folder::new("fits").with("song.mam", SONG);
    for (name, hours) in [("x.aiff", 7), ("x.flac", 500)] {
        let seconds = format!("{}s", hours * 3600);
        let run = folder.run(&["render", "song.mam", "-o", name, "-d", &seconds]).exits(2);
        assert!(run.err.contains("hours do not fit"), "{}", run.err);
    }
    let run = folder.run(&["render", "song.mam", "-o", "x.wav", "-d", "1s", "--tap", "db=t.wav"]).exits(2);
    assert!(run.err.contains("did you mean `bd`"), "{}", run.err);
    folder.run(&["render", "song.mam", "-o", "x.wav", "-d", "1s", "--tap", "bd=x.wav"]).exits(2);
    let folder =
        folder.with("rec.mam", "rec = record(noise(), 1, max: 1s)\nout = playback(rec, every(1s))\n");
    let run = folder.run(&["render", "rec.mam", "-o", "y.wav", "-d", "1s", "--tap", "rec=t.wav"]).exits(2);
    assert!(run.err.contains("`rec` is not a signal"), "{}", run.err);
    assert_eq!(folder.files(), ["rec.mam", "song.mam"]);
}

/// A node's name in JSON is any text.
#[test]
fn stems_stay_in_their_folder() {
    let ids = ["../outside", "BD", "bd", "nul", "/tmp/x", "a\\b"];
    let nodes: Vec<String> = ids.map(|id| format!("{{ \"id\": {id:?}, \"type\": \"kick\" }}")).into();
    let song = format!("{{ \"version\": 1, \"nodes\": [ {} ] }}", nodes.join(", "));
    let folder = Folder::new("outside").with("song.json", &song);
    folder.run(&["render", "song.json", "-o", "m.wav", "--stems", "a/stems", "-d", "50ms"]).exits(0);
    let mut stems: Vec<String> = fs::read_dir(folder.0.join("a/stems"))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    stems.sort();
    assert_eq!(stems, ["BD.wav", "_.._outside.wav", "_nul.wav", "_tmp_x.wav", "a_b.wav", "bd-2.wav"]);
    assert_eq!(folder.files(), ["a", "m.wav", "song.json"]);
    assert_eq!(fs::read_dir(folder.0.join("a")).unwrap().count(), 1);
}

/// Of a render that takes days the header and the first samples come at once.
#[test]
fn standard_output_streams() {
    let folder = Folder::new("stream").with("song.mam", "title \"Long\"\nout = 10% * sine(440Hz)\n");
    for format in ["wav", "flac", "caf"] {
        let mut command =
            folder.command(&["render", "song.mam", "-o", "-", "-d", "1000000s", "--format", format]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut bytes = vec![0; 20_000];
        child.stdout.take().unwrap().read_exact(&mut bytes).unwrap();
        assert!(String::from_utf8_lossy(&bytes[..300]).contains("Long"), "{format}");
        // A reader that has enough is a quiet end.
        assert_eq!(child.wait().unwrap().code(), Some(0), "{format}");
    }
    let run = folder.run(&["render", "song.mam", "-o", "-", "-d", "100ms"]).exits(0);
    assert_eq!(hound::WavReader::new(&run.bytes[..]).unwrap().duration(), 4800);
}

/// What other programs write: odd chunks, lengths of streams, 64-bit floats; and a header that decides nothing.
#[test]
fn an_input_is_heard_whatever_its_header_says() {
    let folder = Folder::new("odd").with("thru.mam", "out = in\n");
    folder.run(&["render", "kick", "-o", "in.wav", "-b", "16", "--dither", "none", "-d", "100ms"]).exits(0);
    let plain = fs::read(folder.0.join("in.wav")).unwrap();
    let render = |bytes: &[u8]| {
        fs::write(folder.0.join("odd.wav"), bytes).unwrap();
        folder.run(&["render", "thru.mam", "--input", "odd.wav", "-o", "out.wav", "-d", "100ms"]).exits(0);
        wav(folder.0.join("out.wav")).1
    };
    let expected = render(&plain);
    assert!(expected.iter().any(|x| x.abs() > 0.1));
    let odd = [&plain[..12], b"LIST\x05\0\0\0INFOx\0", &plain[12..]].concat();
    assert!(render(&odd) == expected);
    let data = plain.windows(4).position(|w| w == b"data").unwrap();
    let mut streamed = plain.clone();
    streamed[4..8].copy_from_slice(&[0xff; 4]);
    streamed[data + 4..data + 8].copy_from_slice(&[0xff; 4]);
    assert!(render(&streamed) == expected);
    // A rate that shares no divisor with the song's.
    let mut strange = plain.clone();
    strange[24..28].copy_from_slice(&383_999_u32.to_le_bytes());
    assert!(render(&strange).iter().any(|x| x.abs() > 0.1));
    let mut absurd = plain;
    absurd[24..28].copy_from_slice(&[0xff; 4]);
    fs::write(folder.0.join("odd.wav"), absurd).unwrap();
    let run =
        folder.run(&["render", "thru.mam", "--input", "odd.wav", "-o", "x.wav", "-d", "100ms"]).exits(3);
    assert!(run.err.contains("4294967295 Hz"), "{}", run.err);
}

#[test]
fn a_flac_file_is_never_longer_than_its_samples() {
    let hits = "tempo 120\nc = clap(amp_decay: 30ms)\nplay { c |x...x...x...x...| }\nout = c\n";
    let folder = Folder::new("flac").with("noise.mam", "out = 30% * noise()\n").with("hits.mam", hits);
    for (song, share) in [("noise.mam", 1.01), ("hits.mam", 0.6)] {
        folder.run(&["render", song, "-o", "x.flac", "-d", "1s"]).exits(0);
        let bytes = fs::metadata(folder.0.join("x.flac")).unwrap().len();
        assert!((bytes as f64) < share * 288_000.0, "{song}: {bytes}");
    }
}

#[test]
fn a_song_without_an_end_is_rendered_as_long_as_the_manual_says() {
    let folder = Folder::new("endless-stream").with("song.mam", "out = kick(bpm: 120, loop: 1)\n");
    folder.run(&["render", "song.mam", "-o", "x.wav", "-r", "8000"]).exits(0);
    assert_eq!(wav(folder.0.join("x.wav")).1.len(), 2 * 30 * 8_000);
}

/// A delay in samples, as other languages count it: the help, followed, passes.
#[test]
fn a_delay_in_samples_shows_the_way() {
    let folder = Folder::new("samples")
        .with("wrong.mam", "out = tap(noise(), 100, max: 100)\n")
        .with("right.mam", "out = tap(noise(), 100 * dt, max: 100 * dt)\n");
    let run = folder.run(&["check", "wrong.mam"]).exits(1);
    assert!(run.err.contains("`100 * dt`"), "{}", run.err);
    folder.run(&["check", "right.mam", "--deny", "warnings"]).exits(0);
}
