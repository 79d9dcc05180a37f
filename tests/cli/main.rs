//! The command as its users meet it: exit codes, streams, files.

mod asking;
mod batch;
mod bounds;
mod expecting;
mod files;
mod finite;
mod fix;
mod lengths;
#[cfg(unix)]
mod mcp;
mod midi;
mod migrating;
mod parts;
mod playing;
mod plugin;
mod refused;
mod shapes;
mod studio;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const SONG: &str = "tempo 120\nbd = kick()\nplay { bd |x...x...x...x...| }\nout = bd\n";
const WRONG: &str = "bd = kick(f0: 50ms)\nout = bdd\n";

/// A folder of its own for each test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("mamc-{name}-{}", std::process::id()));
        fs::create_dir(&path).expect("a folder that no other test has");
        Folder(path)
    }

    fn with(self, file: &str, text: &str) -> Folder {
        fs::write(self.0.join(file), text).unwrap();
        self
    }

    /// Writes a mono sound of floats.
    fn record(&self, file: &str, rate: u32, samples: impl Iterator<Item = f32>) {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: rate,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut writer = hound::WavWriter::create(self.0.join(file), spec).unwrap();
        samples.for_each(|sample| writer.write_sample(sample).unwrap());
        writer.finalize().unwrap();
    }

    fn files(&self) -> Vec<String> {
        let name = |e: fs::DirEntry| e.file_name().to_string_lossy().into_owned();
        let mut all: Vec<String> = fs::read_dir(&self.0).unwrap().map(|e| name(e.unwrap())).collect();
        all.sort();
        all
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mamc"));
        command.args(args).current_dir(&self.0).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).stdin(Stdio::null()).output().unwrap())
    }

    fn run_with(&self, args: &[&str], input: &[u8]) -> Run {
        let mut command = self.command(args);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that refuses its input without reading it closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(input);
        Run::of(child.wait_with_output().unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Run {
    code: Option<i32>,
    bytes: Vec<u8>,
    out: String,
    err: String,
}

impl Run {
    fn of(output: Output) -> Run {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(!err.contains("panicked") && !err.contains("os error"), "{err}");
        Run { code: output.status.code(), bytes: output.stdout, out, err }
    }

    #[track_caller]
    fn exits(self, code: i32) -> Run {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }
}

fn wav(path: impl AsRef<Path>) -> (hound::WavSpec, Vec<f32>) {
    let mut reader = hound::WavReader::open(path).unwrap();
    let spec = reader.spec();
    let samples = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().map(Result::unwrap).collect(),
        hound::SampleFormat::Int => {
            let scale = 0.5_f32.powi(i32::from(spec.bits_per_sample) - 1);
            reader.samples::<i32>().map(|s| s.unwrap() as f32 * scale).collect()
        }
    };
    (spec, samples)
}

#[test]
fn alone_it_shows_the_way_to_sound_and_the_commands() {
    let folder = Folder::new("alone");
    let run = folder.run(&[]).exits(0);
    assert!(run.out.contains("mamc render") && run.out.contains("Commands:"), "{}", run.out);
    assert_eq!(run.err, "");
}

/// The three lines do what they say.
#[test]
fn the_way_to_sound_leads_there() {
    let folder = Folder::new("way");
    let greeting = folder.run(&[]).out;
    let commands = greeting.lines().filter_map(|l| l.strip_prefix("  mamc ")).take_while(|l| !l.is_empty());
    for command in commands.take(3) {
        let mut args: Vec<_> = command.split_whitespace().collect();
        if args[0] == "play" {
            args.extend(["--backend", "null", "--quit-after", "100ms"]);
        }
        folder.run(&args).exits(0);
    }
    assert!(folder.files().contains(&"song.wav".to_string()));
}

#[test]
fn a_song_is_rendered_at_the_rate_and_with_the_bits_that_are_asked_for() {
    let folder = Folder::new("bits").with("song.mam", SONG);
    let render = |args: &[&str]| folder.run(&[&["render", "song.mam"], args].concat()).exits(0);
    let run = render(&["-o", "a.wav", "-d", "1s"]);
    assert_eq!(run.out, "");
    assert!(run.err.contains("a.wav") && run.err.contains("48000 Hz"), "{}", run.err);
    let (spec, float) = wav(folder.0.join("a.wav"));
    assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (2, 48_000, 32));
    assert_eq!(float.len(), 2 * 48_000);
    assert!(float.iter().any(|x| x.abs() > 0.5));
    for (bits, depth, step) in [("16", 16, 1.0 / 32_768.0), ("24", 24, 1.0 / 8_388_608.0)] {
        render(&["-o", "b.wav", "-d", "1s", "-b", bits, "--dither", "none"]);
        let (spec, whole) = wav(folder.0.join("b.wav"));
        assert_eq!(spec.bits_per_sample, depth);
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= step / 2.0 + 1e-7;
        assert!(float.iter().zip(&whole).all(near));
    }
    render(&["-o", "c.wav", "-d", "0.5s", "-r", "44.1k"]);
    let (spec, samples) = wav(folder.0.join("c.wav"));
    assert_eq!((spec.sample_rate, samples.len()), (44_100, 44_100));
}

#[test]
fn two_renders_are_the_same_and_the_interpreter_agrees() {
    let folder = Folder::new("same").with("song.mam", SONG);
    for args in [&["-o", "a.wav"][..], &["-o", "b.wav"], &["-o", "c.wav", "--interp"]] {
        folder
            .run(&[&["render", "song.mam", "-q", "--dither", "shaped", "-b", "16"], args].concat())
            .exits(0);
    }
    let read = |name: &str| fs::read(folder.0.join(name)).unwrap();
    assert!(read("a.wav") == read("b.wav"));
    assert!(read("a.wav") == read("c.wav"));
}

#[test]
fn lengths_starts_and_prerolls_are_pieces_of_the_whole() {
    let folder = Folder::new("pieces").with("song.mam", SONG);
    let render = |args: &[&str]| {
        folder.run(&[&["render", "song.mam", "-q", "-o", "x.wav"], args].concat()).exits(0);
        wav(folder.0.join("x.wav")).1
    };
    let whole = render(&["-d", "3bars"]);
    assert_eq!(whole.len(), 2 * 3 * 96_000);
    assert!(render(&["-d", "6s"]) == whole);
    assert!(render(&["-d", "12beats"]) == whole);
    assert!(render(&["-d", "0:06"]) == whole);
    assert!(render(&["-d", "288000smp"]) == whole);
    assert!(render(&["--from", "2", "-d", "2bars"]) == whole[2 * 96_000..]);
    assert!(render(&["--from", "2s", "-d", "500ms"]) == whole[2 * 96_000..2 * 120_000]);
    let late = render(&["-d", "3bars", "--preroll", "100ms"]);
    assert!(late[..2 * 4_800].iter().all(|&x| x == 0.0));
    assert!(late[2 * 4_800..] == whole);
    let tail = render(&["--tail", "1s"]);
    assert_eq!(tail.len() % 96_000, 0);
}

#[test]
fn stems_taps_and_levels_come_with_the_song() {
    let text = "bd = kick()\nsd = clap()\nplay { bd |x...x...| ; sd |..x...x.| }\nlength 1 bar\nout = bd * 0.25 + sd * 0.25\n";
    let folder = Folder::new("stems").with("song.mam", text);
    let render = |args: &[&str]| folder.run(&[&["render", "song.mam", "-q", "-o", "x.wav"], args].concat());
    render(&["--stems", "stems", "--tap", "bd=tap.wav"]).exits(0);
    let read = |name: &str| wav(folder.0.join(name));
    let (mix, bd, sd) = (read("x.wav").1, read("stems/bd.wav").1, read("stems/sd.wav").1);
    let off = bd.iter().zip(&sd).zip(&mix).map(|((a, b), m)| (m - (a + b)).abs());
    assert!(off.fold(0.0, f32::max) < 1e-6, "each stem has its gain");
    let tap = read("tap.wav");
    assert_eq!((tap.0.channels, tap.1.len()), (1, mix.len() / 2));
    assert!(
        tap.1.iter().zip(bd.chunks(2)).all(|(tap, bd)| tap * 0.25 == bd[0]),
        "a tap is the equation itself"
    );
    let peak = |samples: &[f32]| samples.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
    render(&["--normalize", "-6dBTP"]).exits(0);
    let level = 20.0 * peak(&read("x.wav").1).log10();
    assert!((-9.0..=-5.9).contains(&level), "{level} dB");
    render(&["--normalize", "-20LUFS"]).exits(0);
    assert!(peak(&read("x.wav").1) > 0.0 && read("x.wav").1.len() == mix.len());
    let chord = "pad = supersaw(voices: 3)\nplay { pad \"[c3,e3,g3]\" }\nlength 1 bar\nout = pad * 0.25\n";
    fs::write(folder.0.join("chord.mam"), chord).unwrap();
    folder.run(&["render", "chord.mam", "-q", "-o", "mix.wav", "--stems", "chord"]).exits(0);
    let (mix, (spec, pad)) = (read("mix.wav").1, read("chord/pad.wav"));
    let frame = |i: usize| (mix[2 * i], pad[i * usize::from(spec.channels)]);
    assert!((0..mix.len() / 2).map(frame).all(|(m, p)| (m - p).abs() < 1e-5), "all voices are in the stem");
    let run = render(&["--tap", "db=t.wav"]).exits(2);
    assert!(run.err.contains("did you mean `bd`"), "{}", run.err);
}

#[test]
fn a_definition_of_the_prelude_is_a_song() {
    let folder = Folder::new("kick");
    folder.run(&["render", "kick", "--set", "f0=60", "-o", "low.wav"]).exits(0);
    folder.run(&["render", "kick", "-o", "plain.wav"]).exits(0);
    assert!(wav(folder.0.join("low.wav")).1 != wav(folder.0.join("plain.wav")).1);
    let run = folder.run(&["render", "kick", "--set", "f=60", "-o", "x.wav"]).exits(1);
    assert!(run.err.contains("unknown-set") && run.err.contains("did you mean"), "{}", run.err);
    let run = folder.run(&["render", "kik", "-o", "x.wav"]).exits(3);
    assert!(run.err.contains("did you mean `kick`"), "{}", run.err);
}

#[test]
fn problems_are_told_on_standard_error_with_exit_code_1() {
    let folder = Folder::new("wrong").with("wrong.mam", WRONG);
    let run = folder.run(&["check", "wrong.mam"]).exits(1);
    assert_eq!(run.out, "");
    assert!(run.err.contains("wrong.mam:1:") && run.err.contains("wrong.mam:2:"), "{}", run.err);
    assert!(run.err.contains("2 errors"), "{}", run.err);
    assert!(!run.err.contains('\x1b'), "no colour where there is no terminal");
    let run = folder.run(&["check", "wrong.mam", "--color", "always"]).exits(1);
    assert!(run.err.contains('\x1b'));
    let mut forced = folder.command(&["check", "wrong.mam"]);
    let forced = Run::of(forced.env("CLICOLOR_FORCE", "1").output().unwrap());
    assert!(forced.err.contains('\x1b'));
    let mut plain = folder.command(&["check", "wrong.mam"]);
    let plain = Run::of(plain.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").output().unwrap());
    assert!(!plain.err.contains('\x1b'));
    let run = folder.run(&["render", "wrong.mam", "-o", "x.wav"]).exits(1);
    assert!(run.err.contains("2 errors"));
    assert_eq!(folder.files(), ["wrong.mam"]);
}

#[test]
fn a_report_for_tools_has_exact_places() {
    let folder = Folder::new("report").with("wrong.mam", WRONG);
    let run = folder.run(&["check", "wrong.mam", "--format", "json"]).exits(1);
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["errors"], 2);
    let second = &report["problems"][1];
    let (start, end) = (second["start"].as_u64().unwrap(), second["end"].as_u64().unwrap());
    assert_eq!(&WRONG[start as usize..end as usize], "bdd");
    assert_eq!((&second["line"], &second["column"]), (&2.into(), &7.into()));
    assert_eq!(second["code"], "unknown-name");
    let fix = &second["fix"];
    assert_eq!((&fix["start"], &fix["end"]), (&second["start"], &second["end"]));
    assert_eq!((&fix["replacement"], &fix["applicability"]), (&"bd".into(), &"guess".into()));
    let run = folder.run(&["check", "wrong.mam", "--format", "sarif"]).exits(1);
    let sarif: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let region = &sarif["runs"][0]["results"][1]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["byteOffset"], &region["startLine"]), (&second["start"], &2.into()));
    assert_eq!(second["labels"][0]["role"], "primary");
    let fixes = &sarif["runs"][0]["results"][1]["fixes"];
    assert_eq!(fixes[0]["properties"]["applicability"], "guess");
    let change = &sarif["runs"][0]["results"][1]["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!((&change["insertedContent"]["text"], &change["deletedRegion"]), (&"bd".into(), region));
    let run = folder.run(&["check", "wrong.mam", "--format", "short"]).exits(1);
    assert!(run.err.contains("wrong.mam:2:7: error[unknown-name]: "), "{}", run.err);
}

#[test]
fn a_good_song_is_summed_up_and_warnings_can_be_denied() {
    let loud = "bd = kick(gain: 9)\nout = bd\n";
    let folder = Folder::new("sum").with("song.mam", SONG).with("loud.mam", loud);
    let run = folder.run(&["check", "song.mam"]).exits(0);
    assert!(run.out.starts_with("song.mam: ") && run.out.lines().count() == 1, "{}", run.out);
    assert_eq!(run.err, "");
    let run = folder.run(&["check", "loud.mam"]).exits(0);
    assert!(run.err.contains("1 warning"), "{}", run.err);
    folder.run(&["check", "loud.mam", "--deny", "warnings"]).exits(1);
    let run = folder.run(&["check", "song.mam", "loud.mam", "none.mam"]).exits(3);
    assert!(run.err.contains("cannot read `none.mam`: there is no such file"), "{}", run.err);
    assert!(run.out.contains("song.mam: ") && run.out.contains("loud.mam: "));
}

#[test]
fn standard_input_and_output_work() {
    let folder = Folder::new("pipes");
    let run = folder.run_with(&["render", "-", "-o", "-", "-d", "100ms"], SONG.as_bytes()).exits(0);
    let reader = hound::WavReader::new(&run.bytes[..]).unwrap();
    assert_eq!(reader.duration(), 4_800);
    let run = folder.run_with(&["check", "-", "--stdin-name", "live.mam"], WRONG.as_bytes()).exits(1);
    assert!(run.err.contains("live.mam:2:7"), "{}", run.err);
    let run = folder.run_with(&["check", "-"], b"{ \"version\": 2 }").exits(1);
    assert!(run.err.contains("<stdin>"), "JSON is known by its brace: {}", run.err);
}

#[test]
fn what_cannot_be_read_or_written_is_told_in_words() {
    let folder = Folder::new("io").with("song.mam", SONG).with("bytes.mam", "").with("old.wav", "old");
    fs::write(folder.0.join("bytes.mam"), [b'a', b'\n', 0xFF, 0xFE]).unwrap();
    fs::create_dir(folder.0.join("folder.mam")).unwrap();
    let run = folder.run(&["check", "folder.mam"]).exits(3);
    assert!(run.err.contains("it is a folder"), "{}", run.err);
    let run = folder.run(&["check", "bytes.mam"]).exits(1);
    assert!(run.err.contains("line 2"), "{}", run.err);
    for target in ["none/x.wav", "song.mam/x.wav", "folder.mam/../none/x.wav"] {
        let run = folder.run(&["render", "song.mam", "-o", target]).exits(3);
        assert!(run.err.contains("cannot write"), "{}", run.err);
    }
    folder.run(&["render", "song.mam", "-o", "folder.mam", "--format", "wav"]).exits(3);
    let run = folder.run(&["render", "song.mam", "-o", "x.mp3"]).exits(2);
    assert!(run.err.contains(".wav"), "{}", run.err);
    let run = folder.run(&["render", "song.mam", "-o", "old.wav", "-d", "99999999999bars"]).exits(2);
    assert!(run.err.contains("the last one that mam counts to"), "{}", run.err);
    assert_eq!(fs::read(folder.0.join("old.wav")).unwrap(), b"old");
    assert_eq!(folder.files(), ["bytes.mam", "folder.mam", "old.wav", "song.mam"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_nothing() {
    let folder = Folder::new("full").with("song.mam", SONG);
    let run = folder.run(&["render", "song.mam", "-o", "/dev/full", "--format", "wav"]).exits(3);
    assert!(run.err.contains("the disk is full"), "{}", run.err);
    folder.run(&["render", "song.mam", "-o", "/dev/null", "--format", "wav"]).exits(0);
}

#[cfg(unix)]
#[test]
fn an_interrupted_render_leaves_nothing_and_exits_with_130() {
    let folder = Folder::new("interrupt").with("song.mam", SONG);
    let mut command = folder.command(&["render", "song.mam", "-o", "x.caf", "-d", "10000000s"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = || folder.files().iter().any(|f| f.ends_with(".part"));
    while !begun() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was interrupted");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(folder.files(), ["song.mam"]);
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
    let folder = Folder::new("closed");
    for args in [&["list"][..], &["list", "notes"], &["explain"], &["completions", "bash"], &["--help"], &[]]
    {
        let mut child = folder.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = Folder::new("usage").with("song.mam", SONG);
    let wrong: &[&[&str]] = &[
        &["rendr"],
        &["render", "song.mam", "-o", "x.wav", "-d", "8rabbits"],
        &["render", "song.mam", "-o", "x.wav", "-r", "1"],
        &["render", "song.mam", "-o", "x.wav", "-b", "17"],
        &["render", "song.mam", "-o", "x.wav", "--set", "nothing"],
        &["render", "song.mam", "-o", "x.flac", "-b", "32f"],
        &["check"],
        &["explain", "no-such-code"],
        &["doc", "kik"],
        &["fmt", "--to", "mam", "a.json", "b.json"],
        &["pattern", "x", "--cycles", "4..0"],
    ];
    for args in wrong {
        let run = folder.run(args).exits(2);
        assert!(run.err.contains("error"), "{args:?}: {}", run.err);
        assert_eq!(run.out, "");
    }
    assert_eq!(folder.files(), ["song.mam"]);
}

#[test]
fn formatting_is_in_place_and_a_check_changes_nothing() {
    let folder = Folder::new("fmt").with("a.mam", "out   =  noise( )\n").with("wrong.mam", "out = (\n");
    let before = fs::read_to_string(folder.0.join("a.mam")).unwrap();
    let run = folder.run(&["fmt", "--check", "a.mam"]).exits(1);
    assert_eq!(run.out, "a.mam\n");
    assert_eq!(fs::read_to_string(folder.0.join("a.mam")).unwrap(), before);
    folder.run(&["fmt", "a.mam"]).exits(0);
    assert_eq!(fs::read_to_string(folder.0.join("a.mam")).unwrap(), "out = noise()\n");
    folder.run(&["fmt", "--check", "a.mam"]).exits(0);
    let run = folder.run_with(&["fmt", "-"], before.as_bytes()).exits(0);
    assert_eq!(run.out, "out = noise()\n");
    folder.run(&["fmt", "wrong.mam"]).exits(1);
    assert_eq!(fs::read_to_string(folder.0.join("wrong.mam")).unwrap(), "out = (\n");
}

#[test]
fn json_becomes_mam_that_sounds_the_same() {
    let example =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/breakbeat.json")).unwrap();
    let folder = Folder::new("convert").with("a.json", &example);
    folder.run(&["fmt", "--to", "mam", "a.json", "-o", "b.mam"]).exits(0);
    for (song, out) in [("a.json", "a.wav"), ("b.mam", "b.wav")] {
        folder.run(&["render", song, "-o", out, "-q", "-d", "15s"]).exits(0);
    }
    let (a, b) = (wav(folder.0.join("a.wav")).1, wav(folder.0.join("b.wav")).1);
    assert!(a == b, "{}", fs::read_to_string(folder.0.join("b.mam")).unwrap());
    let lead = "bd = kick()\nplay { bd |x.x.| }\nout = bd\n";
    let run = folder.run_with(&["fmt", "--to", "json", "-"], lead.as_bytes()).exits(0);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&run.out).unwrap()["nodes"][0]["type"], "kick");
    folder.run_with(&["fmt", "--to", "json", "-"], b"out = noise() * lfo(1Hz)\n").exits(1);
    folder.run(&["fmt", "--to", "json", "a.json"]).exits(2);
}

/// What a `pan` places, channels beyond the mix: each is said in the other form, and sounds the same there.
#[test]
fn places_and_channels_are_converted() {
    let placed = "bd = kick(pan: -0.5)\nplay { bd |x.x.| }\nlength 1 bar\nout = bd\n";
    let quad = r#"{ "version": 2, "channels": 4, "nodes": [{ "id": "mix", "type": "kick" }],
        "commands": [{ "sampleTime": 0, "nodeId": "mix", "type": "Trigger" }] }"#;
    let stereo = quad.replace("\"kick\" }", "\"kick\", \"params\": { \"pan\": 0.5 } }");
    let folder =
        Folder::new("placed-quad").with("a.mam", placed).with("c.json", quad).with("e.json", &stereo);
    folder.run(&["fmt", "--to", "json", "a.mam", "-o", "b.json"]).exits(0);
    folder.run(&["fmt", "--to", "mam", "c.json", "-o", "d.mam"]).exits(0);
    folder.run(&["fmt", "--to", "mam", "e.json", "-o", "f.mam"]).exits(0);
    for (one, other, channels) in [("a.mam", "b.json", 2), ("c.json", "d.mam", 4), ("e.json", "f.mam", 4)] {
        folder.run(&["render", one, "-o", "one.wav", "-q", "-d", "1s"]).exits(0);
        folder.run(&["render", other, "-o", "other.wav", "-q", "-d", "1s"]).exits(0);
        let [one, other] = ["one.wav", "other.wav"].map(|name| wav(folder.0.join(name)));
        assert_eq!(one.0.channels, channels);
        assert!(one.1 == other.1 && one.1.iter().any(|x| x.abs() > 0.1), "{}", channels);
    }
    // What goes round or begins later skips frames of any number of channels.
    folder.run(&["render", "d.mam", "-o", "loop.wav", "-q", "--loop"]).exits(0);
    folder.run(&["render", "d.mam", "-o", "later.wav", "-q", "--from", "0.1s", "-d", "0.1s"]).exits(0);
}

/// Problems of what is written in strings of JSON stand at their places in the file, as those of notes do.
#[test]
fn what_is_wrong_in_json_stands_at_its_place() {
    let song = |params: &str, note: &str| {
        format!(
            "{{ \"version\": 2, \"nodes\": [{{ \"id\": \"a\", \"type\": \"kick\",\n\"params\": {{ {params} }} }}],\n\
             \"transport\": {{ \"bpm\": 120, \"patterns\": [{{ \"nodeId\": \"a\",\n\"notes\": [{{ {note} }}] }}] }} }}"
        )
    };
    for (params, note, code, line, severity) in [
        ("\"f0\": \"10ms\"", "\"step\": 0", "dimension", 2, 1),
        ("", "\"step\": 0, \"gatePercent\": 0", "json-value", 4, 1),
        ("", "\"step\": 0, \"delayMs\": 1000", "value-clamped", 4, 0),
        ("", "\"step\": 0, \"vel\": -1", "note-velocity", 4, 0),
        ("", "\"step\": 0, \"note\": 300", "note-pitch", 4, 0),
    ] {
        let folder = Folder::new("json-places").with("a.json", &song(params, note));
        let run = folder.run(&["check", "a.json", "--format", "short"]).exits(severity);
        let said = run.out.clone() + &run.err;
        assert!(said.contains(&format!("a.json:{line}:")) && said.contains(&format!("[{code}]")), "{said}");
    }
}

#[test]
fn a_node_that_gets_another_name_has_other_noise_which_is_told() {
    let song = r#"{ "nodes": [{ "id": "hi-hat", "type": "clap" }, { "id": "sub-2", "type": "sub" }, { "id": "sd", "type": "clap" }] }"#;
    let folder = Folder::new("other-noise").with("a.json", song);
    let run = folder.run(&["fmt", "--to", "mam", "a.json", "-o", "b.mam"]).exits(0);
    assert!(run.err.contains("`hi-hat` is called `hi_hat`") && run.err.contains("1 warning"), "{}", run.err);
    assert!(!run.err.contains("`sub-2`"), "{}", run.err);
}

#[test]
fn lists_docs_and_pages_are_there() {
    let folder = Folder::new("lists").with("song.mam", SONG);
    let run = folder.run(&["list", "params", "kick", "--json"]).exits(0);
    let list: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let third = &list["params"][0]["params"][2];
    assert_eq!(
        (&third["id"], &third["jsonName"], &third["curve"]),
        (&3.into(), &"pitchDecayMs".into(), &"exp".into())
    );
    let run = folder.run(&["list", "params", "kick"]).exits(0);
    assert!(run.out.contains("40Hz..200Hz") && run.out.contains("10ms..200ms"), "{}", run.out);
    assert!(folder.run(&["list", "nodes", "song.mam"]).exits(0).out.contains("bd"));
    assert!(folder.run(&["list", "params", "song.mam"]).exits(0).out.contains("bd.f0"));
    assert_eq!(folder.run(&["list", "notes", "song.mam"]).exits(0).out.lines().count(), 5);
    assert!(folder.run(&["list", "notes"]).exits(0).out.contains("a4"));
    let doc = folder.run(&["doc", "kick"]).exits(0).out;
    assert!(doc.contains("instrument kick {") && doc.contains("pitchDecayMs"), "{doc}");
    assert!(folder.run(&["explain", "unknown-name"]).exits(0).out.contains("This fails:"));
    let near = folder.run(&["explain", "unknown-nam"]).exits(2).err;
    assert!(near.contains("did you mean `unknown-name`"), "{near}");
    folder.run(&["man", "pages"]).exits(0);
    assert!(folder.0.join("pages/mamc-render.1").exists());
    assert!(folder.run(&["completions", "zsh"]).exits(0).out.contains("render"));
}

#[test]
fn stages_and_pictures_are_printed() {
    let folder = Folder::new("stages").with("song.mam", SONG);
    for stage in ["ast", "graph", "ir", "opt", "plan", "events", "clif", "asm"] {
        let run = folder.run(&["dump", stage, "song.mam"]).exits(0);
        assert!(!run.out.trim().is_empty(), "{stage}");
    }
    let svg = folder.run(&["graph", "song.mam"]).exits(0).out;
    assert!(svg.starts_with("<svg") && svg.contains("bd"), "{svg}");
    assert!(svg.contains(" %</text>"), "each box says what part of the work it takes: {svg}");
    let levels = folder.run(&["graph", "--levels", "-d", "0.5s", "song.mam"]).exits(0).out;
    assert!(levels.contains(" dB</text>") && !svg.contains(" dB</text>"), "{levels}");
    folder.run(&["graph", "song.mam", "-o", "g.dot"]).exits(0);
    assert!(fs::read_to_string(folder.0.join("g.dot")).unwrap().starts_with("digraph"));
    let run = folder.run(&["bench", "song.mam", "-d", "1s", "--rounds", "1", "--json"]).exits(0);
    let bench: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(bench["frames"], 48_000);
    assert!(bench["timesRealTime"].as_f64().unwrap() > 0.0);
    let more = ["--block", "64", "--threads", "3", "--no-skip"];
    let run =
        folder.run(&[&["bench", "song.mam", "-d", "1s", "--rounds", "4", "--json"], &more[..]].concat());
    let bench: serde_json::Value = serde_json::from_str(&run.exits(0).out).unwrap();
    assert_eq!((&bench["block"], &bench["threads"], &bench["skip"]), (&64.into(), &3.into(), &false.into()));
    let quartile = |i: usize| bench["nsPerFrameQuartiles"][i].as_f64().unwrap();
    let median = bench["nsPerFrame"].as_f64().unwrap();
    assert!(quartile(0) <= median && median <= quartile(1));
    let run = folder.run(&["bench", "song.mam", "--edit", "kick", "--rounds", "1", "--json"]).exits(0);
    let bench: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert!(bench["first"]["kernels"].as_u64().unwrap() > 0, "{bench}");
    assert_eq!(bench["back"]["stages"][0]["stage"], "parse");
    let run = folder.run(&["bench", "song.mam", "--edit", "song.mam", "--rounds", "2"]).exits(0);
    assert!(run.out.contains("kernels made"), "{}", run.out);
    let run = folder.run(&["pattern", "-", "--json"]).exits(0);
    assert_eq!(run.out.replace([' ', '\n'], ""), "{\"events\":[]}");
    assert!(folder.run(&["pattern", "x ~ [x x]"]).exits(0).out.contains('●'));
    // A note is drawn for as long as it is held.
    for (line, drawn) in [
        ("\"c4\"", "│●━━━━━━━│"),
        ("\"c4\".legato(0.5)", "│●━━━····│"),
        ("\"c4 ~\".legato(1.5)", "│●━━━━━··│"),
        ("\"c4*2\".legato(0.01)", "│●···●···│"),
        // Finer than columns: told.
        ("\"c4*300\"", "`--json` lists them all"),
    ] {
        let run = folder.run(&["pattern", line, "--cycles", "0..1"]).exits(0);
        assert!(run.out.contains(drawn), "{line}: {}", run.out);
    }
    let run =
        folder.run(&["pattern", "\"c4\".legato(0.5).nudge(-8ms)", "--cycles", "0..1", "--json"]).exits(0);
    let note: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(note["events"][0]["value"]["length"], 0.5, "{}", run.out);
    assert_eq!(note["events"][0]["value"]["delay"], -0.008, "{}", run.out);
}
