//! What the command is asked for: what there is, what names mean, what a wrong flag should have been.

use super::*;
use serde_json::Value;

fn json(run: &Run) -> Value {
    let document: Value = serde_json::from_str(&run.out).unwrap_or_else(|e| panic!("{e}: {}", run.out));
    assert!(document.is_object(), "{}", run.out);
    document
}

/// Columns that a text takes on a terminal.
fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

/// The first page that is read shows each command once at least.
#[test]
fn the_table_of_the_readme_has_every_command() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let table: String = readme.lines().filter(|line| line.starts_with("| `mamc")).collect();
    let help = Folder::new("readme").run(&["help"]).exits(0).out;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed.map_while(|line| line.strip_prefix("  ")?.split_whitespace().next());
    let names: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(names.len() > 20, "{help}");
    let missing = |name: &&&str| {
        !table.contains(&format!("`mamc {name} ")) && !table.contains(&format!("`mamc {name}`"))
    };
    let missing: Vec<_> = names.iter().filter(missing).collect();
    assert!(missing.is_empty(), "without a row in README.md: {missing:?}");
}

#[test]
fn a_new_song_is_good_and_never_replaces_one() {
    let folder = Folder::new("new").with("mine.mam", "mine");
    folder.run(&["new", "beat.mam"]).exits(0);
    let run = folder.run(&["check", "beat.mam", "--deny", "warnings"]).exits(0);
    assert_eq!(run.err, "");
    folder.run(&["fmt", "--check", "beat.mam"]).exits(0);
    folder.run(&["render", "beat.mam", "-o", "x.wav", "-q"]).exits(0);
    let (spec, sound) = wav(folder.0.join("x.wav"));
    let peak = sound.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
    assert!((0.3..=1.0).contains(&peak), "{peak}");
    let seconds = sound.len() as u32 / u32::from(spec.channels) / spec.sample_rate;
    assert!((20..40).contains(&seconds), "{seconds}");
    for second in sound.chunks(2 * spec.sample_rate as usize).take(23) {
        assert!(second.iter().any(|x| x.abs() > 0.1), "it is never silent");
    }
    folder.run(&["new", "other"]).exits(0);
    let run = folder.run(&["new", "mine.mam"]).exits(2);
    assert!(run.err.contains("is there already"), "{}", run.err);
    for wrong in ["song.wav", ".mam", "songs/"] {
        folder.run(&["new", wrong]).exits(2);
    }
    assert!(!folder.0.join(".mam.mam").exists() && !folder.0.join("songs.mam").exists());
    folder.run(&["new", "no/such/song.mam"]).exits(3);
    assert_eq!(fs::read_to_string(folder.0.join("mine.mam")).unwrap(), "mine");
    assert_eq!(folder.files(), ["beat.mam", "mine.mam", "other.mam", "x.wav"]);
    assert!(folder.run(&["new", "-"]).exits(0).out.contains("play intro groove"));
}

#[test]
fn a_song_alone_is_played() {
    let folder = Folder::new("bare").with("song.mam", SONG);
    let flags = ["--backend", "null", "--quit-after", "100ms", "--plain"];
    for bare in [&["song.mam"][..], &["kick"], &["-v", "song.mam"], &["--color", "never", "song.mam"]] {
        let run = folder.run(&[bare, &flags].concat()).exits(0);
        assert!(run.err.contains("null"), "{bare:?}: {}", run.err);
    }
    let run = folder.run(&["nothing.mam", "--backend", "null"]).exits(3);
    assert!(run.err.contains("there is no such file"), "{}", run.err);
    for (wrong, hint) in [
        ("song", "`mamc song.mam` plays that file"),
        ("tune.mid", "`mamc import tune.mid`"),
        ("kikc", "`mamc kick` plays that instrument"),
        ("init", "`mamc new`"),
        ("rendr", "'render'"),
    ] {
        let run = folder.run(&[wrong]).exits(2);
        assert!(run.err.contains(hint), "{wrong}: {}", run.err);
    }
}

/// Each hint names a flag; where it is one of the same command, that flag works.
#[test]
fn a_wrong_flag_is_answered_with_the_right_one() {
    let folder = Folder::new("flags").with("song.mam", SONG);
    let render = ["render", "song.mam", "-o", "x.wav"];
    for (wrong, hint) in [
        (&["--sr", "44100"][..], "`--rate 44.1k`"),
        (&["-sr", "44100"], "`--rate 44.1k`"),
        (&["--sample-rate=44100"], "`--rate 44.1k`"),
        (&["--sample_rate", "44100"], "`--rate 44.1k`"),
        (&["--bitdepth", "16"], "`--bits 16`"),
        (&["--bit-dept", "16"], "`--bits 16`"),
        (&["-bits", "16"], "`--bits`"),
        (&["--length", "3s"], "`--duration 8bars`"),
        (&["--lenght", "3s"], "`--duration 8bars`"),
        (&["--durration", "3s"], "`--duration 8bars`"),
        (&["-duration", "3s"], "`--duration`"),
        (&["--out", "y.wav"], "`--output song.wav`"),
        (&["--tempo", "130"], "write `tempo 130` in it"),
        (&["--bpm", "130"], "`mamc play`"),
        (&["--jobs", "2"], "`--threads 4`"),
        (&["--deny", "warnings"], "`mamc check`"),
    ] {
        let run = folder.run(&[&render, wrong].concat()).exits(2);
        assert!(run.err.contains(hint), "{wrong:?}: {}", run.err);
        assert!(!run.err.contains("as a value"), "{wrong:?}: {}", run.err);
    }
    let run = folder.run(&[&render[..], &["--foo"]].concat()).exits(2);
    assert!(!run.err.contains("tip:"), "{}", run.err);
    let run = folder.run(&["check", "song.mam", "-d", "3s"]).exits(2);
    assert!(
        run.err.contains("`mamc check` has no such flag") && run.err.contains("--duration"),
        "{}",
        run.err
    );
    assert_eq!(folder.files(), ["song.mam"]);
}

#[test]
fn a_folder_is_checked_with_all_its_songs() {
    let folder = Folder::new("folder").with("package.json", "{ \"name\": \"no song\" }");
    for inner in ["set", "set/deep", "set/.hidden", "empty"] {
        fs::create_dir(folder.0.join(inner)).unwrap();
    }
    let write = |file: &str, text: &str| fs::write(folder.0.join(file), text).unwrap();
    write("set/b.mam", "use \"lib.mam\"\nout = half(sine(220Hz))\n");
    write("set/lib.mam", "def half(x) = x * 50%\n");
    write("set/deep/a.mam", SONG);
    write("set/deep/c.json", "{ \"version\": 1, \"nodes\": [{ \"id\": \"a\", \"type\": \"kick\" }] }");
    write("set/.hidden/x.mam", WRONG);
    let run = folder.run(&["check", "set"]).exits(0);
    let names: Vec<&str> = run.out.lines().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(names, ["set/b.mam", "set/deep/a.mam", "set/deep/c.json"], "what is used is no song");
    assert!(run.err.contains("3 songs checked, no errors"), "{}", run.err);
    assert_eq!(folder.run(&["check", "."]).exits(0).out.lines().count(), 3, "not all JSON is a song");
    write("set/wrong.mam", WRONG);
    let run = folder.run(&["check", "set", "set/b.mam"]).exits(1);
    assert!(run.err.contains("5 songs checked, errors in 1"), "{}", run.err);
    let run = folder.run(&["check", "set", "--json"]).exits(1);
    assert_eq!((&json(&run)["errors"], json(&run)["songs"].as_array().unwrap().len()), (&2.into(), 3));
    fs::create_dir(folder.0.join("loose")).unwrap();
    write("loose/x.mam", "out=noise()\n");
    write("loose/y.mam", "out = noise()\n");
    assert_eq!(folder.run(&["fmt", "--check", "loose"]).exits(1).out, "loose/x.mam\n");
    folder.run(&["fmt", "loose"]).exits(0);
    folder.run(&["fmt", "--check", "loose"]).exits(0);
    let run = folder.run(&["check", "empty"]).exits(3);
    assert!(run.err.contains("without a .mam or .json song"), "{}", run.err);
}

/// The tempo is the song's: `bpm` by itself is not that of one instrument's own beat.
#[test]
fn a_tempo_that_is_set_is_not_set_to_nothing() {
    let folder = Folder::new("set-bpm").with("song.mam", "bd = kick()\nplay { bd |x...| }\nout = bd\n");
    let render = |set: &str| folder.run(&["render", "song.mam", "-o", "x.wav", "-d", "10ms", "--set", set]);
    for set in ["bpm=140", "loop=1"] {
        let run = render(set).exits(1);
        assert!(run.err.contains("the tempo is the song's, `tempo 140`"), "{}", run.err);
    }
    let run = render("bd.bpm=140").exits(0);
    assert!(run.err.contains("no beat of its own") && run.err.contains("--set"), "{}", run.err);
    let run = folder.run(&[
        "render",
        "song.mam",
        "-o",
        "x.wav",
        "-d",
        "10ms",
        "--set",
        "bd.bpm=140",
        "--set",
        "bd.loop=1",
    ]);
    assert!(run.exits(0).err.lines().all(|line| !line.contains("warning")));
}

#[test]
fn a_song_without_an_end_is_not_over_at_once() {
    let drone = "out = sine(220Hz) * 10%\n";
    let endless = "a = kick(bpm: 120, loop: 1)\nout = a\n";
    let folder = Folder::new("endless").with("drone.mam", drone).with("loop.mam", endless);
    for song in ["drone.mam", "loop.mam"] {
        assert!(folder.run(&["check", song]).exits(0).out.contains("no end of its own"), "{song}");
    }
    // As long as `docs/language.md` says, one as the other.
    for song in ["drone.mam", "loop.mam"] {
        folder.run(&["render", song, "-o", "x.wav", "-q"]).exits(0);
        assert_eq!(wav(folder.0.join("x.wav")).1.len(), 2 * 30 * 48_000, "{song}");
        let run = folder.run(&["bench", song, "--rounds", "1", "--json"]).exits(0);
        assert_eq!(json(&run)["frames"], 10 * 48_000, "{song}");
    }
    // One frame of an impulse does not measure what the song costs.
    fs::write(folder.0.join("click.mam"), "out = if prev(1) < 1 then 1 else 0\n").unwrap();
    let run = folder.run(&["bench", "click.mam", "--rounds", "1", "--json"]).exits(0);
    assert_eq!(json(&run)["frames"], 10 * 48_000);
}

#[test]
fn lists_have_all_in_groups_and_fit_a_terminal() {
    let folder = Folder::new("groups");
    let run = folder.run(&["list"]).exits(0);
    assert!(widest(&run.out) <= 80, "{}", widest(&run.out));
    for listed in
        ["Drums", "  kick ", "Built in", "  prev ", "Statements", "  tempo ", "Modifiers", "  ply ", "  dB "]
    {
        assert!(run.out.contains(listed), "{listed}: {}", run.out);
    }
    for internal in ["reverb_side", "blamp", "integrators"] {
        assert!(!run.out.contains(internal), "{internal} is of use to the prelude alone");
        assert!(folder.run(&["doc", internal]).exits(0).out.contains("Internal:"));
    }
    let run = folder.run(&["list", "params"]).exits(0);
    assert!(widest(&run.out) <= 80, "{}", widest(&run.out));
    let found = |words: &[&str]| folder.run(&[&["list"], words].concat()).exits(0).out;
    assert!(found(&["reverb"]).contains("freeverb") && !found(&["reverb"]).contains("kick"));
    assert!(found(&["FILTER"]).contains("svf"));
    assert!(found(&["shelf", "below"]).contains("lowshelf") && !found(&["shelf", "below"]).contains("svf"));
    let run = folder.run(&["list", "qqqq"]).exits(2);
    assert!(run.err.contains("nothing mentions `qqqq`"), "{}", run.err);
    let document = json(&folder.run(&["list", "--json"]).exits(0));
    let all = document["definitions"].as_array().unwrap();
    assert!(all.iter().any(|d| d["name"] == "tempo" && d["kind"] == "statement"));
}

#[test]
fn names_of_every_kind_are_explained() {
    let folder = Folder::new("doc");
    let doc = |name: &str| {
        let run = folder.run(&["doc", name]).exits(0);
        // Sources are as wide as they are written.
        assert!(widest(run.out.split("\nSource").next().unwrap()) <= 80, "{name}: {}", run.out);
        run.out
    };
    for (name, words) in [
        ("kick", "pitchDecayMs"),
        ("prev", "one sample ago"),
        ("tempo", "Quarter notes a minute"),
        ("play", "play intro verse*2"),
        ("if", "if c then a else b"),
        ("dB", "10^(x/20)"),
        ("%", "Hundredths"),
        ("st", "Semitones"),
        ("ply", ".ply(2)"),
        (".rev", "backwards"),
        ("sr", "sample rate"),
        ("gate", "while a note is held"),
        ("voice", "a number drawn at each note"),
        ("voice.random", "drawn at each note"),
        ("voice.vel", "1 is nominal"),
        ("fixed", "is known before the"),
        ("loop", "triggers itself"),
        ("maj7", "0, 4, 7, 11 semitones"),
        ("minor", "degrees of the scale"),
        ("..", "both included"),
        ("~", "A rest"),
        ("!", "so many times, each a step"),
        ("@", "the time of so many"),
        ("<>", "each cycle, in turn"),
        ("< >", "each cycle, in turn"),
    ] {
        assert!(doc(name).contains(words), "{name}: {}", doc(name));
    }
    let both = doc("every");
    assert!(both.contains("def every(period") && both.contains("modifier .every(4, rev)"), "{both}");
    let run = folder.run(&["doc", "every", "--json"]).exits(0);
    let document = json(&run);
    assert_eq!((&document["kind"], &document["also"][0]["kind"]), (&"def".into(), &"modifier".into()));
    let run = folder.run(&["doc", "kik"]).exits(2);
    assert!(run.err.contains("did you mean `kick`"), "{}", run.err);
    // What differs in capitals alone is said, and each of those that mention it once.
    let run = folder.run(&["doc", "KICK"]).exits(2);
    assert!(
        run.err.contains("did you mean `kick`") && run.err.matches("\n  kick  ").count() == 1,
        "{}",
        run.err
    );
    let scales = folder.run(&["list", "scales"]).exits(0).out;
    assert!(scales.contains("hirajoshi") && scales.find("hirajoshi") < scales.find("freeverb"), "{scales}");
    assert!(folder.run(&["doc"]).exits(2).err.contains("mamc doc [--json] <NAME>"));
    let run = folder.run(&["doc", "saturates"]).exits(2);
    assert!(run.err.contains("mention") && run.err.contains("softclip"), "{}", run.err);
}

/// Every example that is shown can be played. Those of measures are checks: `the_example_of_every_measure_holds` runs them.
#[test]
fn examples_of_names_are_songs() {
    let folder = Folder::new("examples");
    let prelude = mamc::definitions::Prelude::default();
    let topics = mamc::reference::topics(&prelude);
    let is_song = |example: &String| !example.starts_with("expect ");
    let shown = topics.iter().filter_map(|t| Some((t.name, t.example.clone()?)));
    let examples: Vec<_> = shown.filter(|(_, example)| is_song(example)).collect();
    assert!(examples.len() > 40, "{}", examples.len());
    for (number, (_, example)) in examples.iter().enumerate() {
        fs::write(folder.0.join(format!("{number}.mam")), example).unwrap();
    }
    let run = folder.run(&["check", ".", "--format", "short", "--deny", "warnings"]);
    let named = |line: &str| {
        let number = line.trim_start_matches("./").split('.').next().and_then(|n| n.parse::<usize>().ok());
        format!("{}: {line}\n", number.map_or("", |n| examples[n].0))
    };
    assert_eq!(run.code, Some(0), "{}", run.err.lines().map(named).collect::<String>());
}

/// What is a part of a song, or the name of one, is not drawn as if it were a pattern.
#[test]
fn only_patterns_are_drawn() {
    let folder = Folder::new("no-pattern");
    for (text, code, said) in [
        ("techno.mam", 2, "mamc list notes techno.mam"),
        ("lead \"c4 e4\".rev", 2, "'\"c4 e4\".rev'"),
        ("bd |x..x|.fast(2)", 2, "'|x..x|.fast(2)'"),
        ("s(\"bd*4\").fast(2)", 2, "'\"bd*4\".fast(2)'"),
        ("'x x x'", 2, "'\"x x x\"'"),
        ("c4'foo", 1, "is not a chord"),
    ] {
        let run = folder.run(&["pattern", text]).exits(code);
        assert!(run.err.contains(said), "{text}: {}", run.err);
    }
    for pattern in ["c4'maj7 e4", "a | b", "\"c4 e4\".rev", "|x..x|.fast(2)"] {
        folder.run(&["pattern", pattern]).exits(0);
    }
}

/// Files of other kinds that are read as songs, by how they begin.
#[test]
fn a_file_of_another_kind_is_said_to_be_one() {
    let folder = Folder::new("kinds").with("tune.mid", "MThd\0\0\0\u{6}").with("hit.wav", "RIFF....WAVE");
    // A render of the sound itself would be of its own name.
    for (command, file, said) in [
        ("check", "tune.mid", "mamc import tune.mid -o tune.mam"),
        ("render", "tune.mid", "mamc import tune.mid -o tune.mam"),
        ("check", "hit.wav", "sample(\"hit.wav\")"),
    ] {
        let run = folder.run(&[command, file]).exits(1);
        assert!(run.err.contains(said), "{command} {file}: {}", run.err);
    }
    // An equation may have any name.
    for name in ["RIFF", "FORM", "caff", "fLaC", "ID3", "MThd"] {
        let folder = Folder::new("marks").with("song.mam", &format!("{name} = sine(220Hz)\nout = {name}\n"));
        folder.run(&["check", "song.mam"]).exits(0);
    }
}

/// Each report for tools is one object.
#[test]
fn reports_for_tools_are_objects() {
    let folder = Folder::new("tools").with("song.mam", SONG).with("loose.mam", "out   = noise()\n");
    for (args, code, key) in [
        (&["check", "song.mam"][..], 0, "problems"),
        (&["list"], 0, "definitions"),
        (&["list", "nodes"], 0, "definitions"),
        (&["list", "params"], 0, "params"),
        (&["list", "notes"], 0, "notes"),
        (&["list", "nodes", "song.mam"], 0, "nodes"),
        (&["list", "params", "song.mam"], 0, "params"),
        (&["list", "notes", "song.mam"], 0, "notes"),
        (&["doc", "tempo"], 0, "signature"),
        (&["explain"], 0, "codes"),
        (&["explain", "unknown-name"], 0, "explanation"),
        (&["pattern", "x"], 0, "events"),
        (&["devices"], 0, "devices"),
        (&["dump", "plan", "song.mam"], 0, "text"),
        (&["dump", "events", "song.mam"], 0, "events"),
        (&["bench", "song.mam", "-d", "1s", "--rounds", "1"], 0, "nsPerFrame"),
        (&["fmt", "--check", "song.mam", "loose.mam"], 1, "unformatted"),
    ] {
        let run = folder.run(&[args, &["--json"]].concat()).exits(code);
        assert!(!json(&run)[key].is_null(), "{args:?}: {}", run.out);
        let help = folder.run(&["help", args[0]]).exits(0).out;
        assert!(help.contains(&format!("\"{key}\"")), "the help of {} says nothing of {key}", args[0]);
    }
    let events = json(&folder.run(&["dump", "events", "song.mam", "--json"]).exits(0));
    assert_eq!(events["events"].as_array().unwrap().iter().filter(|e| e["kind"] == "on").count(), 4);
}

#[test]
fn patterns_take_modifiers_and_are_exact_in_later_cycles() {
    let folder = Folder::new("pattern");
    let events = |pattern: &str, cycles: &str| {
        let run = folder.run(&["pattern", pattern, "--cycles", cycles, "--json"]).exits(0);
        let value = |e: &Value| format!("{} {}", e["value"], e["whole"][0].as_str().unwrap());
        json(&run)["events"].as_array().unwrap().iter().map(value).collect::<Vec<_>>()
    };
    assert_eq!(
        events("\"bd sd\".every(2, rev)", "0..2"),
        ["\"sd\" 0/1", "\"bd\" 1/2", "\"bd\" 1/1", "\"sd\" 3/2"]
    );
    assert_eq!(events("|x.|.fast(2)", "0..1").len(), 2);
    assert_eq!(events("\"0 2\".scale(c3, minor)", "0..1").len(), 2);
    assert_eq!(events("a b", "100000..100001"), ["\"a\" 100000/1", "\"b\" 200001/2"]);
    assert_eq!(events("a", "1999999999999..2000000000000"), ["\"a\" 1999999999999/1"]);
    let picture = |cycles: &str| {
        let run = folder.run(&["pattern", "a [b c]", "--cycles", cycles]).exits(0);
        run.out.lines().skip(1).map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(picture("0..3"), picture("1999999999900..1999999999903"));
    assert_eq!(picture("-3..0"), picture("0..3"));
    for (wrong, words) in [
        (&["\"a\".evry(2, rev)"][..], "did you mean `every`?"),
        (&["\"a\" }\nout = 1\nplay { x \"b\""], "not one pattern"),
        (&["a", "--cycles", "0..200000"], "100000"),
    ] {
        let run = folder.run(&[&["pattern"], wrong].concat());
        assert!(run.code != Some(0) && run.err.contains(words), "{}", run.err);
    }
}

#[test]
fn what_moves_by_itself_is_not_cut_at_its_first_silence() {
    let songs = [
        "out = every(1s) * 0.5\n",
        "out = sine(440Hz) * (if phasor(0.01Hz) < 0.2 then 0 else 0.3)\n",
        "out = sine(440Hz) * decay(every(3s), 10ms)\n",
    ];
    for song in songs {
        let folder = Folder::new("restarts").with("song.mam", song);
        let run = folder.run(&["render", "song.mam", "-o", "x.wav", "-r", "8000"]).exits(0);
        assert!(run.err.contains("no end of its own"), "{song}: {}", run.err);
        let samples = wav(folder.0.join("x.wav")).1;
        assert_eq!(samples.len(), 2 * 30 * 8_000, "{song}");
        assert!(samples[2 * 20 * 8_000..].iter().any(|x| x.abs() > 0.1), "{song}: sounds after 20 s");
    }
    // What only notes wake is over when nothing is left of them.
    let folder = Folder::new("restarts").with("song.mam", "a = bell()\nout = a |> freeverb()\n");
    folder.run(&["render", "song.mam", "-o", "x.wav", "-q"]).exits(0);
    assert!(wav(folder.0.join("x.wav")).1.len() < 2 * 29 * 48_000);
}

#[test]
fn a_score_with_too_many_events_names_the_limit() {
    let song = "tempo 10000\nlength 100000 bars\nbd = kick()\nplay { bd \"x*64\" }\nout = bd\n";
    let folder = Folder::new("many-events").with("song.mam", song);
    for (command, limit) in [
        (&["render", "song.mam", "-o", "x.mid"][..], "more than 500000 notes"),
        (&["dump", "events", "song.mam"], "more than 250000 events"),
        (&["plot", "song.mam", "--what", "notes", "-o", "x.svg"], "more than 250000 events"),
        (&["list", "notes", "song.mam"], "more than 250000 events"),
    ] {
        let run = folder.run(command).exits(2);
        assert!(run.err.contains(limit), "{command:?}: {}", run.err);
    }
    folder.run(&["render", "song.mam", "-o", "x.mid", "-d", "100bars"]).exits(0);
}

#[test]
fn bench_renders_five_minutes_of_a_long_song_and_says_so() {
    let song = "tempo 60\nlength 2000 bars\nbd = kick()\nplay { bd \"x\" }\nout = bd\n";
    let folder = Folder::new("bench-long").with("song.mam", song);
    let run = folder.run(&["bench", "song.mam", "-r", "8000", "--rounds", "1", "--json"]).exits(0);
    assert_eq!(json(&run)["frames"], 300 * 8_000);
    assert!(run.err.contains("300 s of the song's 8000 s"), "{}", run.err);
}
