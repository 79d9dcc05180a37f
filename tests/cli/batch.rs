//! `mamc batch`: rows are what `render` gives, whatever the threads and shards, whenever it is killed; bad input is told.

use super::*;
use std::time::Duration;

const DRUM: &str = "title \"Drum\"\ntempo 120\nbd = kick()\nsd = clap()\nplay {\n  bd \"x [x? x]*2 x? x?\"\n  sd \"~ x\"\n}\n\
                    out = bd + 0.3 * sd + 0.05 * noise()\n";
const ROWS: &str =
    "\u{feff}id,bd.f0,bd.amp_decay,seed,tempo\na,60Hz,200ms,1,\nb,90,,2,140\n\"c, the last\",1.2e2,300ms,,\n";
const BEYOND_MEMORY: &str =
    "rows = 9223372036854775807\n[columns]\n\"bd.f0\" = { uniform = [\"60Hz\", \"70Hz\"] }\n";
const GRID: &str = "rows = 24\nseed = 3\n[columns]\n\"bd.f0\" = { uniform = [\"40Hz\", \"120Hz\"] }\n\
                    \"bd.amp_decay\" = { log = [\"50ms\", \"400ms\"] }\n\"bd.click\" = { choice = [0, 0.2, 0.5] }\n\
                    \"bd.fend\" = { sobol = [20, 60] }\n\"bd.gain\" = [0.5, 1]\nseed = \"row\"\n";

fn folder(name: &str) -> Folder {
    Folder::new(name).with("song.mam", DRUM).with("rows.csv", ROWS).with("grid.toml", GRID)
}

fn read(folder: &Folder, file: &str) -> Vec<u8> {
    fs::read(folder.0.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

fn json(folder: &Folder, file: &str) -> serde_json::Value {
    serde_json::from_slice(&read(folder, file)).unwrap()
}

/// What `render` writes after its header, with more flags.
fn rendered(folder: &Folder, song: &str, flags: &[&str]) -> Vec<u8> {
    folder.run(&[&["render", song, "-d", "200ms", "-o", "one.wav"], flags].concat()).exits(0);
    let file = read(folder, "one.wav");
    file[file.len() - 8 * 9_600..].to_vec()
}

#[test]
fn a_row_is_a_render_with_its_values() {
    let folder = folder("batch-row").with("fast.mam", &DRUM.replace("tempo 120", "tempo 140"));
    folder.run(&["batch", "song.mam", "-p", "rows.csv", "-o", "out", "-d", "200ms"]).exits(0);
    let shard = read(&folder, "out/shard-000000000.f32");
    let rows: Vec<&[u8]> = shard.chunks_exact(8 * 9_600).collect();
    let set = |f0: &'static str| ["--set", f0];
    let one = rendered(
        &folder,
        "song.mam",
        &[&set("bd.f0=60Hz")[..], &set("bd.amp_decay=200ms"), &["--seed", "1"]].concat(),
    );
    assert!(rows[0] == one);
    assert!(rows[1] == rendered(&folder, "fast.mam", &[&set("bd.f0=90")[..], &["--seed", "2"]].concat()));
    let three = rendered(&folder, "song.mam", &[set("bd.f0=120Hz"), set("bd.amp_decay=300ms")].concat());
    assert!(rows[2] == three && rows.len() == 3);
}

#[test]
fn jsonl_and_csv_say_the_same_and_sound_files_are_those_of_render() {
    let lines = "\u{feff}{\"id\": \"a\", \"bd.f0\": \"60Hz\", \"bd.amp_decay\": 200, \"seed\": 1}\n\n\
                 {\"tempo\": 140, \"bd.f0\": 90, \"seed\": 2}\n{\"bd.f0\": 120, \"bd.amp_decay\": \"0.3s\", \"seed\": null}\n";
    let folder = folder("batch-json").with("rows.jsonl", lines);
    let run = |rows: &str, out: &str, format: &str| {
        folder.run(&["batch", "song.mam", "-p", rows, "-o", out, "-d", "200ms", "--format", format]).exits(0)
    };
    run("rows.csv", "a", "f32");
    run("rows.jsonl", "b", "f32");
    assert_eq!(read(&folder, "a/shard-000000000.f32"), read(&folder, "b/shard-000000000.f32"));
    run("rows.jsonl", "npy", "npy");
    let npy = read(&folder, "npy/shard-000000000.npy");
    assert!(npy.starts_with(
        b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3, 9600, 2), }"
    ));
    assert_eq!(npy[128..], read(&folder, "a/shard-000000000.f32"));
    for (format, file, flags) in [("wav", "000000000.wav", &[][..]), ("flac", "000000000.flac", &[])] {
        run("rows.csv", format, format);
        let tar = read(&folder, &format!("{format}/shard-000000000.tar"));
        let entries = entries(&tar);
        let name = format!("one.{format}");
        let more =
            ["--set", "bd.f0=60", "--set", "bd.amp_decay=200ms", "--seed", "1", "-d", "200ms", "-o", &name];
        folder.run(&[&["render", "song.mam"][..], &more, flags].concat()).exits(0);
        assert_eq!(entries[0], (file.to_string(), read(&folder, &name)), "{format}");
        let values: serde_json::Value = serde_json::from_slice(&entries[1].1).unwrap();
        assert_eq!(values["bd.f0"], 60.0);
        assert_eq!(
            (&values["id"], &values["seed"], &values["bd.amp_decay"]),
            (&"a".into(), &1.into(), &200.0.into())
        );
        assert_eq!(entries.len(), 6);
    }
}

/// The files of a tar file.
fn entries(tar: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut at = 0;
    let mut all = vec![];
    while tar[at] != 0 {
        let text = |range: std::ops::Range<usize>| {
            let bytes = &tar[at + range.start..at + range.end];
            String::from_utf8_lossy(bytes).trim_end_matches(['\0', ' ']).to_string()
        };
        let size = usize::from_str_radix(&text(124..136), 8).unwrap();
        all.push((text(0..100), tar[at + 512..at + 512 + size].to_vec()));
        at += 512 + size.next_multiple_of(512);
    }
    all
}

/// Neither threads nor shards change a row, and a row follows from its number.
#[test]
fn threads_and_shards_change_no_byte() {
    let folder = folder("batch-threads");
    let run = |out: &str, flags: &[&str]| {
        let all = [&["batch", "song.mam", "-p", "grid.toml", "-o", out, "-d", "50ms"], flags].concat();
        folder.run(&all).exits(0);
        let shards = json(&folder, &format!("{out}/manifest.json"))["shards"].as_array().unwrap().clone();
        let bytes =
            |shard: &serde_json::Value| read(&folder, &format!("{out}/{}", shard["file"].as_str().unwrap()));
        shards.iter().flat_map(bytes).collect::<Vec<u8>>()
    };
    let one = run("one", &["-t", "1"]);
    assert_eq!(one.len(), 24 * 8 * 2400);
    assert!(
        one.chunks_exact(8 * 2400).all(|row| row != &one[..8 * 2400] || std::ptr::eq(row, &one[..8 * 2400]))
    );
    for (out, flags) in [
        ("a", &["-t", "3"][..]),
        ("b", &["-t", "2", "--shard-rows", "5"]),
        ("c", &["-t", "7", "--shard-rows", "1"]),
    ] {
        assert!(run(out, flags) == one, "{flags:?}");
    }
    let features = |out: &str, flags: &[&str]| {
        let all = [
            &["batch", "song.mam", "-p", "grid.toml", "-o", out, "-d", "50ms", "--format", "features"],
            flags,
        ]
        .concat();
        folder.run(&all).exits(0);
        String::from_utf8(read(&folder, &format!("{out}/shard-000000000.csv"))).unwrap()
    };
    let all = features("f", &["-t", "1"]);
    assert_eq!(all, features("g", &["-t", "2"]));
    assert_eq!(all.lines().count(), 25);
    assert!(
        all.starts_with("row,bd.f0,bd.amp_decay,bd.click,bd.fend,bd.gain,seed,peak,rms,lufs,onset,"),
        "{all}"
    );
}

/// A table has the features that are asked for, with the values that they have among all.
#[test]
fn features_are_those_that_are_asked_for() {
    let folder = folder("batch-features");
    let table = |out: &str, flags: &[&str]| {
        let all = ["batch", "song.mam", "-p", "grid.toml", "-o", out, "-d", "50ms", "--format", "features"];
        folder.run(&[&all[..], flags].concat()).exits(0);
        let text = String::from_utf8(read(&folder, &format!("{out}/shard-000000000.csv"))).unwrap();
        text.lines().map(|line| line.split(',').map(String::from).collect()).collect::<Vec<Vec<String>>>()
    };
    let every = table("every", &[]);
    let some = table("some", &["--features", "hash,bands,peak"]);
    assert_eq!(some[0][7..9], ["peak", "band_63"]);
    assert_eq!(some[0].len(), 7 + 1 + 9 + 1);
    for (index, name) in some[0].iter().enumerate() {
        let same = every[0].iter().position(|other| other == name).expect("a column of the whole table");
        assert!(some.iter().zip(&every).all(|(some, every)| some[index] == every[same]), "{name}");
    }
    let wrong =
        folder.run(&["batch", "song.mam", "-p", "grid.toml", "-o", "x", "--features", "peak"]).exits(2);
    assert!(wrong.err.contains("--features is for --format features"), "{}", wrong.err);
    let all = ["batch", "song.mam", "-p", "grid.toml", "-o", "some", "-d", "50ms", "--format", "features"];
    let other = folder.run(&[&all[..], &["--resume"]].concat()).exits(2);
    assert!(other.err.contains("features[1]: "), "{}", other.err);
}

/// Parts that are made apart, by machines, are together what one has made.
#[test]
fn parts_are_merged_to_the_whole() {
    let folder = folder("batch-merge");
    let run = |out: &str, flags: &[&str]| {
        let all = ["batch", "song.mam", "-p", "grid.toml", "-o", out, "-d", "20ms", "--shard-rows", "8"];
        folder.run(&[&all[..], flags].concat())
    };
    run("whole", &[]).exits(0);
    run("a", &["--rows", "0..8"]).exits(0);
    let missing = folder.run(&["batch", "--merge", "a", "-o", "all"]).exits(1);
    assert!(missing.err.contains("rows 8..16 are in none of the folders"), "{}", missing.err);
    run("b", &["--rows", "8..24", "--resume"]).exits(0);
    folder.run(&["batch", "--merge", "b", "a", "-o", "all", "--verify"]).exits(0);
    let (all, whole) = (json(&folder, "all/manifest.json"), json(&folder, "whole/manifest.json"));
    assert_eq!(all["shards"][0]["file"], "../a/shard-000000000.f32");
    for (a, b) in all["shards"].as_array().unwrap().iter().zip(whole["shards"].as_array().unwrap()) {
        assert_eq!(a["hash"], b["hash"]);
        assert!(folder.0.join("all").join(a["file"].as_str().unwrap()).exists());
    }
    let uneven = run("c", &["--rows", "3..8"]).exits(2);
    assert!(uneven.err.contains("0..8 are whole ones"), "{}", uneven.err);
    run("c", &["--rows", "16..32"]).exits(2);
    run("c", &["--rows", "8..8"]).exits(2);
    // A part of another batch is not taken.
    folder
        .run(&["batch", "song.mam", "-p", "grid.toml", "-o", "d", "-d", "10ms", "--shard-rows", "8"])
        .exits(0);
    let other = folder.run(&["batch", "--merge", "a", "d", "-o", "all"]).exits(2);
    assert!(other.err.contains("frames: 480 there, 960 now"), "{}", other.err);
}

/// Killed again and again, and resumed, it comes to what one run makes.
#[test]
fn a_batch_that_is_killed_goes_on_to_the_same_bytes() {
    let rows = GRID.replace("rows = 24", "rows = 400");
    let folder = folder("batch-kill").with("grid.toml", &rows);
    let args = |out: &'static str| {
        [
            "batch",
            "song.mam",
            "-p",
            "grid.toml",
            "-o",
            out,
            "-d",
            "40ms",
            "--shard-rows",
            "10",
            "--resume",
            "--verify",
        ]
    };
    folder.run(&args("once")).exits(0);
    let mut kills = 0;
    for round in 0..20_u64 {
        let mut child =
            folder.command(&args("out")).stderr(Stdio::null()).stdin(Stdio::null()).spawn().unwrap();
        // Moments that are spread over the run, whatever the machine: some shards further each time, and a little later.
        let shards = || fs::read_dir(folder.0.join("out")).map_or(0, |files| files.count()) as u64;
        let until = shards() + round % 5;
        while shards() < until && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(round * 37 % 50));
        kills += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(kills > 4, "it was over too soon to be killed: {kills}");
    folder.run(&args("out")).exits(0);
    assert_eq!(read(&folder, "out/manifest.json"), read(&folder, "once/manifest.json"));
    let names = |out: &str| {
        let mut names: Vec<String> = fs::read_dir(folder.0.join(out))
            .unwrap()
            .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| !name.ends_with(".part"))
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("out"), names("once"));
    for name in names("once") {
        assert!(read(&folder, &format!("out/{name}")) == read(&folder, &format!("once/{name}")), "{name}");
    }
}

#[test]
fn another_batch_is_never_mixed_in() {
    let folder = folder("batch-other");
    let batch = |flags: &[&str]| {
        let all = ["batch", "song.mam", "-p", "grid.toml", "-o", "out", "-d", "20ms", "--shard-rows", "8"];
        folder.run(&[&all[..], flags].concat())
    };
    batch(&[]).exits(0);
    let again = batch(&[]).exits(2);
    assert!(again.err.contains("--resume goes on with it"), "{}", again.err);
    batch(&["--resume", "--verify"]).exits(0);
    for (flags, named) in [
        (&["--seed", "7"][..], "settings[0]: nothing there, \"seed=7\" now"),
        (&["--portable"], "target: "),
        (&["--format", "s16"], "format: \"f32\" there, \"s16\" now"),
        (&["-r", "44.1k"], "rate: 48000 there, 44100 now"),
        (&["--channels", "1"], "channels: 2 there, 1 now"),
    ] {
        if *flags == ["--portable"] && json(&folder, "out/job.json")["target"] == "portable" {
            continue;
        }
        let told = batch(&[flags, &["--resume"]].concat()).exits(2);
        assert!(told.err.contains(named), "{flags:?}: {}", told.err);
    }
    fs::write(folder.0.join("song.mam"), DRUM.replace("0.3", "0.4")).unwrap();
    let told = batch(&["--resume"]).exits(2);
    assert!(told.err.contains("song.hash: \"sha256:"), "{}", told.err);
    fs::write(folder.0.join("song.mam"), DRUM).unwrap();
    // A damaged shard is told of: by its size always, by its bytes with --verify.
    let path = folder.0.join("out/shard-000000008.f32");
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, &bytes).unwrap();
    batch(&["--resume"]).exits(0);
    let told = batch(&["--resume", "--verify"]).exits(1);
    assert!(
        told.err.contains("shard-000000008.f32`: its bytes are not those that were written"),
        "{}",
        told.err
    );
    // One that is gone is made again.
    fs::remove_file(&path).unwrap();
    batch(&["--resume", "--verify"]).exits(0);
    bytes[100] ^= 1;
    assert!(fs::read(&path).unwrap() == bytes);
    fs::write(&path, &bytes[1..]).unwrap();
    let told = batch(&["--resume"]).exits(1);
    assert!(told.err.contains("it has 61439 bytes, and had 61440"), "{}", told.err);
    fs::remove_file(&path).unwrap();
    fs::remove_file(path.with_extension("json")).unwrap();
    batch(&["--resume", "--verify"]).exits(0);
    // So is what is known of it, and of the whole.
    for file in ["shard-000000008.json", "job.json"] {
        let path = folder.0.join("out").join(file);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let told = batch(&["--resume"]).exits(1);
        assert!(told.err.contains("remove it, and --resume makes it again"), "{}", told.err);
        fs::remove_file(&path).unwrap();
        batch(&["--resume", "--verify"]).exits(0);
        assert!(fs::read(&path).unwrap() == whole);
    }
}

#[test]
fn rows_that_are_wrong_are_told_with_their_lines_before_anything_is_rendered() {
    let folder = folder("batch-wrong");
    let told = |file: &str, text: &str, flags: &[&str]| {
        fs::write(folder.0.join(file), text).unwrap();
        let run =
            folder.run(&[&["batch", "song.mam", "-p", file, "-o", "out", "-d", "20ms"], flags].concat());
        assert!(run.code == Some(1) || run.code == Some(2), "{file}: {text}\n{}", run.err);
        assert!(!folder.0.join("out").exists(), "{text}");
        run.err
    };
    for (file, text, what) in [
        ("a.csv", "bd.fo\n1\n", "a.csv:1: the song has no parameter `bd.fo`; did you mean `bd.f0`?"),
        ("a.csv", "gain\n1\n", "a.csv:1: `gain` could be 2 parameters: write which"),
        ("a.csv", "bd.f0,bd.f0\n1,2\n", "a.csv:1: there are two columns of `bd.f0`"),
        ("a.csv", "bd.f0\n60\n50ms\n", "a.csv:3: `bd.f0` is a frequency"),
        ("a.csv", "bd.f0\n60\n\n9000Hz\n", "a.csv:4: 9000Hz is outside the range of `bd.f0`"),
        ("a.csv", "bd.f0\nhigh\n", "a.csv:2: `high` is not a number"),
        ("a.csv", "bd.f0\nnan\n", "a.csv:2: `nan` is not a number"),
        ("a.csv", "bd.f0\n60,70\n", "a.csv:2: it has 2 values, for 1 column"),
        ("a.csv", "bd.f0,seed\n60,-1\n", "a.csv:2: `-1` is not a seed"),
        ("a.csv", "bd.f0\n", "`a.csv` has no rows"),
        ("a.csv", "", "`a.csv` is empty"),
        ("a.csv", "note\n60\n", "a.csv:1: the song has several instruments: write `bd.note` or `sd.note`"),
        ("a.jsonl", "{\"bd.f0\": 60}\n[1]\n", "a.jsonl:2: it is not an object"),
        ("a.jsonl", "{\"bd.f0\": }\n", "a.jsonl:1: it is not JSON, at column 11"),
        ("a.jsonl", "{\"bd.f0\": [1]}\n", "a.jsonl:1: `bd.f0` is not a number"),
        ("a.toml", "rows = 1\ncolums = 1\n[columns]\n", "there is nothing called `colums`"),
        ("a.toml", "rows = 1\n[columns\n", "a.toml:2: "),
        ("a.toml", "[columns]\n\"bd.f0\" = { uniform = [40, 50] }\n", "`rows` is missing"),
        (
            "a.toml",
            "rows = 3\n[columns]\n\"bd.f0\" = { uniform = [50, 40] }\n",
            "the least value comes first",
        ),
        (
            "a.toml",
            "rows = 3\n[columns]\n\"bd.f0\" = { sobel = [40, 50] }\n",
            "column `bd.f0`: it is a list, or has one of",
        ),
        (
            "a.toml",
            "rows = 3\n[columns]\n\"bd.f0\" = { uniform = [1, 50] }\n",
            "is outside the range of `bd.f0`",
        ),
        (
            "a.toml",
            "rows = 3\n[columns]\n\"bd.gain\" = { log = [0, 1] }\n",
            "`log` is between values above 0",
        ),
        ("a.txt", "bd.f0\n60\n", "let it end with .csv, .jsonl or .toml"),
        (
            "a.toml",
            BEYOND_MEMORY,
            "--shard-rows 8796093022208 makes them larger, --rows 0..10485760000 takes a part",
        ),
    ] {
        let told = told(file, text, &[]);
        assert!(told.contains(what), "{text}: {told}");
    }
    let many = told("a.csv", &("bd.f0\n".to_string() + &"x\n".repeat(100)), &[]);
    assert!(
        many.contains("a.csv:11: ") && !many.contains("a.csv:12: ") && many.contains("was not looked at"),
        "{many}"
    );
    // However wide a file is, and however long its values are, what is said of it can be read.
    let wide: String = (0..20_000).map(|i| format!("c{i},")).collect();
    let wide = told("a.csv", &wide, &[]);
    assert!(wide.lines().count() == 11 && wide.contains("was not looked at"), "{wide}");
    let twice = told("a.csv", &format!("bd.f0{}\n", ",id".repeat(20_000)), &[]);
    assert!(twice.lines().count() == 1 && twice.contains("two columns of `id`"), "{twice}");
    let long = told("a.csv", &format!("bd.f0\n{}\n", "x".repeat(100_000)), &[]);
    assert!(long.len() < 400 && long.contains("a.csv:2: `xxx"), "{long}");
    assert!(told("a.csv", "bd.f0\n60\n", &["--rows", "0..2"]).contains("the rows are 0..1"));
    assert!(told("a.toml", BEYOND_MEMORY, &["--dry-run"]).contains("1048576 are made at once"));
    assert!(told("a.csv", "bd.f0\n60\n", &["--seed-column", "s"]).contains("no column `s`"));
    fs::write(folder.0.join("a.csv"), "bd.f0\n9000\n200\n").unwrap();
    folder.run(&["batch", "song.mam", "-p", "a.csv", "-o", "out", "-d", "20ms", "--clamp"]).exits(0);
    let shard = read(&folder, "out/shard-000000000.f32");
    assert!(shard[..8 * 960] == shard[8 * 960..], "200 Hz is the greatest value");
}

/// A row that fails is told of, and the others are made.
#[test]
fn rows_that_fail_stand_in_the_json_of_their_shard() {
    let song = "knob loud = 1 in 0..1\nknob by = 1 in 0..1\nout = loud * sine(220Hz) + 0 * (sine(3Hz) / (if by > 0 then 1 else 0))\n";
    let folder =
        Folder::new("batch-fail").with("s.mam", song).with("rows.csv", "id,loud,by\nx,1,1\ny,0,1\nz,1,0\n");
    let run =
        folder.run(&["batch", "s.mam", "-p", "rows.csv", "-o", "out", "-d", "50ms", "--no-silence"]).exits(0);
    assert!(run.err.contains("2 rows failed"), "{}", run.err);
    let failed = json(&folder, "out/shard-000000000.json")["failed"].clone();
    assert_eq!(
        (&failed[0]["row"], &failed[0]["id"], &failed[0]["why"]),
        (&1.into(), &"y".into(), &"it is silent".into())
    );
    assert!(failed[1]["why"].as_str().unwrap().contains("became infinite or not a number"), "{failed}");
    assert_eq!(json(&folder, "out/manifest.json")["failed"], 2);
    folder.run(&["batch", "s.mam", "-p", "rows.csv", "-o", "quiet", "-d", "50ms"]).exits(0);
    assert_eq!(json(&folder, "quiet/manifest.json")["failed"], 1);
}

/// A note of a row is played instead of the score, by the instrument that it names.
#[test]
fn notes_are_played_instead_of_the_score() {
    let lead = "tempo 60\nlead = pluck()\nplay { lead \"c4\" }\nout = lead\n";
    let folder = Folder::new("batch-note")
        .with("lead.mam", lead)
        .with("rows.csv", "lead.note,vel\n60,1\n72,1\n72,0.5\n");
    folder.run(&["batch", "lead.mam", "-p", "rows.csv", "-o", "out", "-d", "200ms"]).exits(0);
    let shard = read(&folder, "out/shard-000000000.f32");
    let rows: Vec<&[u8]> = shard.chunks_exact(8 * 9_600).collect();
    assert!(rows[0] == rendered(&folder, "lead.mam", &[]), "c4 is MIDI note 60");
    assert!(rows[0] != rows[1] && rows[1] != rows[2]);
}

/// A file that cannot grow stops the batch; what was finished stays, and it goes on to the same bytes.
#[cfg(unix)]
#[test]
fn a_full_disk_is_told_and_nothing_is_lost() {
    let folder = folder("batch-full");
    let args = "batch song.mam -p grid.toml -d 20ms --shard-rows 8 --resume";
    folder.run(&format!("{args} -o whole").split(' ').collect::<Vec<_>>()).exits(0);
    // Shards have 61440 bytes: one that may grow to 100 blocks of 512 does not fit.
    let limited = |blocks: u32, flags: &str| {
        let script = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec {} {args} -o out {flags}",
            env!("CARGO_BIN_EXE_mamc")
        );
        let mut command = Command::new("sh");
        Run::of(command.args(["-c", &script]).current_dir(&folder.0).output().unwrap())
    };
    let told = limited(100, "").exits(3);
    assert!(
        told.err.contains("cannot write `out/shard-0") && told.err.contains("--resume goes on with it"),
        "{}",
        told.err
    );
    assert!(!folder.0.join("out/manifest.json").exists());
    limited(1000, "--rows 0..8").exits(0);
    limited(100, "").exits(3);
    limited(1000, "--verify").exits(0);
    assert_eq!(read(&folder, "out/manifest.json"), read(&folder, "whole/manifest.json"));
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let folder = folder("batch-dry");
    let run = folder
        .run(&["batch", "song.mam", "-p", "grid.toml", "-o", "out", "--dry-run", "-d", "20ms"])
        .exits(0);
    assert!(
        run.out.contains("24 rows of 960 frames, 48000 Hz, 2 channels\n1 shard, about 184.3 kB"),
        "{}",
        run.out
    );
    assert!(run.out.contains("row  bd.f0") && !folder.0.join("out").exists(), "{}", run.out);
}

/// A batch has the channels that it asks for, or it is an error: none is left out, and none is silent.
#[test]
fn the_channels_of_a_batch_fit_the_song() {
    let panned = "bd = kick(pan: 1)\nplay { bd |x| }\nout = bd\n";
    let folder = Folder::new("batch-channels").with("song.mam", panned).with("rows.csv", "bd.f0\n50\n");
    let batch = |channels: &str| {
        let flags = ["batch", "song.mam", "-p", "rows.csv", "-o", "out", "-d", "20ms", "--channels"];
        folder.run(&[&flags[..], &[channels]].concat())
    };
    for (channels, said) in [("1", "1 channel is asked for"), ("4", "4 channels are asked for")] {
        let run = batch(channels).exits(1);
        assert!(run.err.contains("out-channels") && run.err.contains(said), "{}", run.err);
    }
    batch("2").exits(0);
}

/// What a row of one form refuses, rows of the others do as well; and what is refused says how it is meant.
#[test]
fn rows_that_say_something_twice_or_otherwise_than_meant_are_told_of() {
    let song = "bd = kick()\nplay { bd |x| }\nout = bd\n";
    let folder = Folder::new("batch-refused")
        .with("song.mam", song)
        .with("placed.mam", &song.replace("()", "(pan: 0)"));
    let batch = |song: &str, rows: &str, text: &str| {
        fs::write(folder.0.join(rows), text).unwrap();
        _ = fs::remove_dir_all(folder.0.join("out"));
        folder.run(&["batch", song, "-p", rows, "-o", "out", "-d", "20ms", "--format", "features"])
    };
    for (rows, text, said) in [
        ("a.jsonl", "{\"bd.f0\": 60, \"bd.f0\": 70}\n", "`bd.f0` stands there twice"),
        ("a.jsonl", "[1]\n", "not an object"),
        ("a.csv", "bd.pan\n0.5\n", "give it a place in its text, such as `pan: 0`"),
        ("a.toml", "[columns]\nbd.f0 = { uniform = [50, 60] }\n", "write it in quotes, `\"bd.f0\" = …`"),
        ("a.csv", "note\n50Hz\n", "`50Hz` is not a MIDI note"),
        ("a.csv", "gate\n50Hz\n", "`50Hz` is not a time in seconds"),
        ("a.csv", "bpm\n140\n", "no parameter `bpm`"),
    ] {
        let run = batch("song.mam", rows, text).exits(1);
        assert!(run.err.contains(said), "{text}: {}", run.err);
    }
    batch("placed.mam", "a.csv", "bd.pan\n0.5\n").exits(0);
    let features = || fs::read_to_string(folder.0.join("out/shard-000000000.csv")).unwrap();
    let of = |notes: &str| {
        let run = batch("song.mam", "a.csv", &format!("note,gate\n{notes}\n"));
        run.exits(0);
        features().lines().nth(1).unwrap().rsplit(',').next().unwrap().to_owned()
    };
    assert_eq!(of("c4,50ms"), of("60,0.05"));
}
