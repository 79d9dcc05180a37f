//! Slips with numbers, parameters and lines: each is told, and the song passes when its help is followed.

use mam_compiler::files::NoFiles;
use mam_compiler::target::Target;
use mam_compiler::{Compilation, Options, compile};
use mam_grammar::{Severity, Sources};
use mam_runtime::ids::ParamId;
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{EventKind, Program};

fn compiled(name: &str, text: &str, sets: &[(&str, &str)]) -> Compilation {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let sets = sets.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let options = Options { interpreter: true, target: Target::portable(), sets, ..Options::default() };
    compile(&mut sources, id, &NoFiles, &options)
}

fn program(text: &str) -> Program {
    compiled("song.mam", text, &[]).program.unwrap()
}

/// Code and help of each error and warning.
fn told(text: &str) -> Vec<(&'static str, String)> {
    let problems = compiled("song.mam", text, &[]).problems.into_sorted();
    let counts = problems.into_iter().filter(|p| p.code.severity > Severity::Note);
    counts.map(|p| (p.code.name, p.help.unwrap_or_default())).collect()
}

/// A song around an expression that is heard.
fn heard(expression: &str) -> String {
    format!("x = noise()\nout = {expression}\n")
}

/// A song around lines of a kick.
fn lines(lines: &str) -> String {
    format!("bd = kick()\nplay {{\n  bd |x...|\n  {lines}\n}}\nout = bd\n")
}

/// A slip, its code, what its help says to write, and that followed.
fn slips() -> Vec<(String, &'static str, &'static str, String)> {
    let in_song = |slip: &str, code, help, mended: &str| (heard(slip), code, help, heard(mended));
    let in_lines = |slip: &str, code, help, mended: &str| (lines(slip), code, help, lines(mended));
    vec![
        in_song("x + 3dB", "level-added", "x * 3dB", "x * 3dB"),
        in_song("x - 3dB", "level-added", "x * -3dB", "x * -3dB"),
        in_song("(x |> drive()) + -6dB", "level-added", "(x |> drive()) * -6dB", "(x |> drive()) * -6dB"),
        in_song("sine(440Hz + 7st)", "level-added", "440Hz * 7st", "sine(440Hz * 7st)"),
        in_song("sine(440Hz + 50ct)", "level-added", "440Hz * 50ct", "sine(440Hz * 50ct)"),
        in_song("sine(1,000Hz)", "number-comma", "1000Hz", "sine(1000Hz)"),
        in_song("sine(440,5Hz)", "number-comma", "440.5Hz", "sine(440.5Hz)"),
        in_song("x |> echo(mix: 0,5)", "number-comma", "mix: 0.5", "x |> echo(mix: 0.5)"),
        in_song("lowpass(500Hz, x)", "misplaced-argument", "lowpass(x, 500Hz)", "lowpass(x, 500Hz)"),
        in_song("decay(100ms)", "misplaced-argument", "decay(trig, 100ms)", "decay(x, 100ms)"),
        in_song(
            "x |> echo(time: 100ms, 0.5)",
            "argument-order",
            "by name",
            "x |> echo(time: 100ms, mix: 0.5)",
        ),
        in_song("x |> compressor(-18)", "out-of-range", "-18dB", "x |> compressor(-18dB)"),
        in_song("x |> echo(feedback: 35)", "out-of-range", "35%", "x |> echo(feedback: 35%)"),
        in_song("pulse(110Hz, 30)", "out-of-range", "30%", "pulse(110Hz, 30%)"),
        in_song("table([0, 1], 2Hz)", "dimension", "phasor(2Hz)", "table([0, 1], phasor(2Hz))"),
        in_song("pan(x, (0.5, -0.5))", "channels", "(0.5, -0.5).left", "pan(x, (0.5, -0.5).left)"),
        in_lines(
            "bd |..x.|.set(gian: 0.5)",
            "pattern-modifier",
            "its parameters: f0, fend",
            "bd |..x.|.set(gain: 0.5)",
        ),
        in_lines("bd |..x.|.set(0.5)", "pattern-modifier", "`.set(gain: 0.5)`", "bd |..x.|.set(gain: 0.5)"),
        in_lines(
            "bd |..x.|.set",
            "pattern-modifier",
            ".set(gain: \"0.4 1\")",
            "bd |..x.|.set(gain: \"0.4 1\")",
        ),
        in_lines("bd |..x.|.set(gain: 9)", "value-clamped", "range", "bd |..x.|.set(gain: 1)"),
        in_lines("bd |..x.|.jux", "pattern-modifier", ".jux(rev)", "bd |..x.|.jux(rev)"),
        (
            "bd = kick() |> echo()\nplay { bd |x...|.set(feedback: 50%) }\nout = bd\n".into(),
            "pattern-modifier",
            "`bd.feedback \"…\"`",
            "bd = kick() |> echo()\nplay { bd |x...|\n bd.feedback \"50%\" }\nout = bd\n".into(),
        ),
        in_lines("bd.gain 0.5", "line-form", "bd.gain \"0.5\"", "bd.gain \"0.5\""),
        in_lines("bd.gain \"0,1 1\"", "pattern-number", "0.1", "bd.gain \"0.1 1\""),
        in_lines(
            "bd.gain \"1 0\" over 1 bar",
            "ramp-cut",
            "\"1 0\".slow(2)",
            "bd.gain \"1 0\".slow(2) over 1 bar",
        ),
        in_lines(
            "bd.gain \"0\" over 4 bars",
            "ramp-cut",
            "\"0\".slow(4)",
            "bd.gain \"0\".slow(4) over 4 bars",
        ),
    ]
}

#[test]
fn a_song_passes_when_its_help_is_followed() {
    for (slip, code, help, mended) in slips() {
        let found = told(&slip);
        assert!(matches!(&found[..], [(c, h)] if *c == code && h.contains(help)), "{slip}{found:#?}");
        assert_eq!(told(&mended), [], "{mended}");
    }
}

#[test]
fn what_only_looks_like_a_slip_is_not_told() {
    let fine = [
        "sine(440Hz * (7st - 1))",
        "sine(min(1,500Hz))",
        "onepole(440Hz, 5) * 0.001 / 1Hz",
        "slew(x, 30)",
        "x * (1 - 6dB)",
        "clamp(x,0,1)",
        "table([0,1], phasor(2Hz))",
        "pan(x, 0.5)",
        "adsr(x, 5ms, 100ms, 0.7, 200ms)",
    ];
    for song in fine.map(heard) {
        assert_eq!(told(&song), [], "{song}");
    }
    for song in ["bd.gain \"1 0\" over 2 beats", "bd.gain \"~ ~ 1.0 ~\" over 40ms"].map(lines) {
        assert_eq!(told(&song), [], "{song}");
    }
}

/// The values of the parameter of `x` that the call says, at the start.
fn value(call: &str) -> f64 {
    let definitions = "effect fx {\n  param t = 5ms in 1ms..1s\n  param s = 2s in 0s..9s\n  param f = 2kHz in 1Hz..9kHz\n  \
                       param p = 50% in 0%..100%\n  out = in * (t / 1s + s / 1s + f / 1Hz + p)\n}\n";
    let program = program(&format!("{definitions}x = noise() |> fx({call})\nout = x\n"));
    let name = call.split(':').next().unwrap_or_default();
    program.params[program.param(&format!("x.{name}")).unwrap()].default
}

#[test]
fn a_plain_number_is_read_in_the_unit_of_the_written_default() {
    let cases = [
        ("t: 20", 0.02),
        ("t: 10 + 10", 0.02),
        ("s: 3", 3.0),
        ("f: 440", 440.0),
        ("p: 0.3", 0.3),
        ("p: -6dB", 0.501_187),
    ];
    for (call, wanted) in cases {
        assert!((value(call) - wanted).abs() < 1e-6, "{call}: {}", value(call));
    }
    // The same for the arguments of a `def`: a slope of 1 in 20 ms.
    let sound = |call: &str| {
        let text = format!(
            "def ramp(x, time = 5ms, late: s = 1s) = x * dt / time * late / 1s\nout = ramp({call})\n"
        );
        mam_testing::render::render_program(program(&text).into(), Some(64)).channels
    };
    assert_eq!(sound("1, 20"), sound("1, 20ms"));
    assert_eq!(sound("1, 2 * 10"), sound("1, 20ms"));
    assert_eq!(sound("1, 20, 3"), sound("1, 20ms, 3s"));
}

#[test]
fn score_and_set_find_the_same_parameter() {
    let song = "sd = snare()\nwet = sd |> echo()\ntwo = wet |> drive() |> echo(mix: 10%)\nplay { sd |..x.| }\nout = two\n";
    let names = [
        "wet.feedback",
        "wet.gain",
        "sd.gain",
        "two.amount",
        "two.drive.amount",
        "two.echo.time",
        "wet.echo.time",
    ];
    for name in names {
        let program = program(song);
        let slot = program.param(name).unwrap();
        let set = compiled("song.mam", song, &[(name, "0.5")]).program.unwrap();
        let changed = |i: &ParamId| set.params[*i].default != program.params[*i].default;
        assert_eq!(program.params.ids().filter(changed).collect::<Vec<_>>(), [slot], "{name}");
        let line = song.replace("play {", &format!("play {{ {name} \"0.5\" ;"));
        let mut events = vec![];
        Sequencer::for_program(&self::program(&line), Extent::Once).advance(1, &mut events);
        let param = |kind: &EventKind| matches!(kind, EventKind::Set { param, .. } if *param == slot);
        assert!(events.iter().any(|event| param(&event.kind)), "{name}: {events:?}");
    }
    let several = program(song).param("two.time").unwrap_err();
    assert_eq!(several, mam_runtime::Miss::Several(vec!["two.echo.time".into(), "wet.echo.time".into()]));
    assert!(program(song).param("TWO.Drive-Amount").is_err() && program(song).param("Wet.Feedback").is_ok());
}

#[test]
fn a_pipe_has_each_of_its_effects_once() {
    let effects = " |> drive()".repeat(20);
    let compilation =
        compiled("song.mam", &format!("bd = kick(){effects}\nplay {{ bd |x...| }}\nout = bd\n"), &[]);
    assert!(compilation.stages.graph.nodes.len() <= 23, "{}", compilation.stages.graph.nodes.len());
}

#[test]
fn values_stay_when_a_song_starts_over() {
    let mam = "knob fade = 1 in 0..1\nbd = kick()\nsection a 1 bar { bd |x...| }\nsection end 1 bar { fade \"0\" }\nplay a end\nout = bd * fade\n";
    let json = r#"{ "nodes": [ { "id": "bd", "type": "kick" } ], "transport": { "patterns": [
        { "nodeId": "bd", "steps": "x...", "locks": [ { "step": 8, "param": "GAIN", "value": 0.5 } ] } ] } }"#;
    for (name, text, value) in [("song.mam", mam, 0.0), ("song.json", json, 0.5)] {
        let program = compiled(name, text, &[]).program.unwrap();
        let mut events = vec![];
        Sequencer::for_program(&program, Extent::Forever).advance(10 * 96_000, &mut events);
        let sets: Vec<f64> = events
            .iter()
            .filter_map(|event| match event.kind {
                EventKind::Set { value, .. } => Some(value),
                _ => None,
            })
            .collect();
        assert!(sets.len() >= 5 && sets.iter().all(|set| *set == value), "{name}: {sets:?}");
    }
    let found = told(mam);
    assert!(matches!(&found[..], [("left-over", help)] if help.contains("`a`: `fade \"1\"`")), "{found:?}");
}

#[test]
fn a_lone_node_is_the_same_in_both_languages() {
    let render = |name: &str, text: &str| {
        let program = compiled(name, text, &[]).program.unwrap();
        mam_testing::render::render_program(program.into(), Some(60_000)).channels
    };
    let song = |transport: &str| {
        format!(
            r#"{{ "nodes": [ {{ "id": "hat", "type": "clap" }}, {{ "id": "bd", "type": "kick" }} ], "transport": {transport} }}"#
        )
    };
    let transports = [
        r#"{ "patterns": [] }"#,
        r#"{ "patterns": [ { "nodeId": "bd", "steps": "x..." } ] }"#,
        r#"{ "lengthBars": 3, "patterns": [ { "nodeId": "bd", "steps": "x..." } ] }"#,
    ];
    for (index, transport) in transports.iter().enumerate() {
        let json = song(transport);
        let compilation = compiled("song.json", &json, &[]);
        let mut problems = mam_grammar::Problems::default();
        let mam = compilation.stages.json.as_ref().unwrap().to_mam(false, &mut problems);
        assert!(render("song.json", &json) == render("song.mam", &mam), "{mam}");
        assert_eq!(problems.is_empty(), index == 0, "that it comes again in each pass is told");
    }
}

/// A second of a song at 240 beats a minute, one bar, on each channel: by the interpreter and by machine code, which agree.
fn bar(text: &str) -> Vec<Vec<f32>> {
    let text = format!(
        "tempo 240\ninstrument tone {{\n  param level = 0.5 in 0..1\n  out = level * gate * (1 + 0.0001 * saw(50Hz))\n}}\n{text}\nout = t\n"
    );
    let sounds = [true, false].map(|interpreter| {
        let mut sources = Sources::default();
        let id = sources.add("song.mam", text.as_str());
        let options = Options { interpreter, target: Target::portable(), ..Options::default() };
        let compilation = compile(&mut sources, id, &NoFiles, &options);
        let told: Vec<String> = compilation.problems.iter().map(|p| p.message.clone()).collect();
        let program = compilation.program.unwrap_or_else(|| panic!("{told:#?}{text}"));
        mam_testing::render::render_program(program.into(), Some(48_000)).channels
    });
    let [ours, theirs] = sounds;
    assert_eq!(ours, theirs, "{text}");
    ours
}

/// The level in the middle of each quarter of a second.
fn quarters(channel: &[f32]) -> [f32; 4] {
    [0, 1, 2, 3].map(|i| (channel[i * 12_000 + 6000] * 1000.0).round() / 1000.0)
}

#[test]
fn a_value_of_a_note_is_that_of_its_voice_alone() {
    // The copy is heard from the second quarter on; the line in the middle of the bar concerns the first note alone.
    for voices in [2, 8] {
        let song = format!(
            "t = tone(voices: {voices})\nplay {{\n  t \"x@3 ~\".off(1/4, set(level: 0.125))\n  t.level \"0.5 0.25\"\n}}"
        );
        assert_eq!(quarters(&bar(&song)[0]), [0.5, 0.625, 0.375, 0.125], "{song}");
    }
    // A voice that is taken again follows the parameter, and one whose parameter moves goes on with it.
    let song = "t = tone()\nplay {\n  t \"x*4\".mask(\"1\").every(1, set(level: \"0.125 ~\"))\n}";
    assert_eq!(quarters(&bar(song)[0]), [0.125, 0.125, 0.0, 0.0]);
    let song = "t = tone()\nplay {\n  t stack(\"x ~ ~ ~\".set(level: 0.125), \"~ x ~ x\")\n  t.level \"0.5 0.25\"\n}";
    assert_eq!(quarters(&bar(song)[0]), [0.125, 0.5, 0.0, 0.25]);
}

#[test]
fn a_value_of_a_note_holds_in_a_kernel_of_several_voices() {
    // Its own sound of before flows into its parameter, so that all its voices are computed together.
    let song = "echo = prev(t)\nt = tone2(voices: 2, more: 0 * echo)\nplay { t \"x@3 ~\".off(1/4, set(level: 0.125)) }";
    let tone = "instrument tone2 {\n  param level = 0.5 in 0..1\n  param more = 0 in -9..9\n  out = level * gate * (1 + 0.0001 * saw(50Hz)) + more\n}\n";
    assert_eq!(quarters(&bar(&format!("{tone}{song}"))[0]), [0.5, 0.625, 0.625, 0.125]);
}

#[test]
fn notes_are_placed_between_left_and_right() {
    let song = "t = tone(voices: 2)\nplay { t \"x@3 ~\".jux(set(level: 0.25)) }";
    let [left, right] = [0, 1].map(|channel| quarters(&bar(song)[channel]));
    assert_eq!((left, right), ([0.5, 0.5, 0.5, 0.0], [0.25, 0.25, 0.25, 0.0]));
    let song = "t = tone(pan: -1)\nplay { t \"x@3 ~\" }";
    let [left, right] = [0, 1].map(|channel| quarters(&bar(song)[channel]));
    assert_eq!((left, right), ([0.5, 0.5, 0.5, 0.0], [0.0; 4]));
    let song = "t = tone()\nplay {\n  t \"x@3 ~\"\n  t.pan \"-1 1\"\n}";
    let [left, right] = [0, 1].map(|channel| quarters(&bar(song)[channel]));
    assert_eq!((left, right), ([0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.0]));
    // An instrument of whose place nothing is said has none, and sounds as it did.
    let plain = program("bd = kick()\nplay { bd |x...| }\nout = bd\n");
    assert!(plain.param("bd.pan").is_err());
    assert!(plain.params.values().all(|slot| !slot.name.ends_with("pan")));
}

/// The value of `d.time` at frames of a song: what the delay's echo shows of it.
fn seconds_of(text: &str, frames: u64, ends: &[usize]) -> Vec<f64> {
    let heard = mam_testing::render::render("song.mam", text, 48_000, Some(frames)).channels;
    ends.iter().map(|&frame| f64::from(heard[0][frame])).collect()
}

/// A default in musical time is that at every tempo, where nothing else sets the parameter.
#[test]
fn a_default_may_follow_the_tempo() {
    let effect = "effect shown {\n  param time = 3/8 bar in 10ms..4s\n  out = in + time / 1s\n}\n\
        effect rate {\n  param speed = 1 / (2 bars) in 0.01Hz..10Hz\n  out = in + speed / 1Hz\n}\n";
    let song = |tempo: &str, call: &str, more: &str| {
        format!("{effect}{tempo}\nd = 0 * sine(100Hz) |> {call}\n{more}\nlength 4 bars\nout = d\n")
    };
    let all = |text: &str| seconds_of(text, 480_000, &[1000, 300_000]);
    let about = |found: Vec<f64>, wanted: [f64; 2]| {
        let near = found.iter().zip(wanted).all(|(x, y)| (x - y).abs() < 1e-5);
        assert!(near, "{found:?} {wanted:?}");
    };
    // Two bars of 4/4 at 120 take four seconds, 192000 frames.
    let slows = "tempo 120\ntempo 60 at bar 3";
    about(all(&song("tempo 120", "shown()", "")), [0.75, 0.75]);
    about(all(&song("tempo 90\nmeter 3/4", "shown()", "")), [0.75, 0.75]);
    about(all(&song(slows, "shown()", "")), [0.75, 1.5]);
    about(all(&song(slows, "rate()", "")), [0.25, 0.125]);
    // It is kept in its range.
    about(all(&song("tempo 20", "shown()", "")), [4.0, 4.0]);
    // What is given holds, and so does what a line sets.
    about(all(&song(slows, "shown(time: 100ms)", "")), [0.1, 0.1]);
    about(all(&song(slows, "shown()", "play { d.time \"200ms\" }")), [0.2, 0.2]);
    // In a definition it is one of its values.
    let inside = format!("{effect}def f(x) = x |> shown()\n{slows}\nlength 4 bars\nout = f(0 * sine(1Hz))\n");
    about(all(&inside), [0.75, 1.5]);
}

#[test]
fn what_is_set_from_outside_does_not_follow_the_tempo() {
    let text = "effect shown {\n  param time = 1 beat in 10ms..4s\n  out = in + time / 1s\n}\ntempo 120\ntempo 60 at bar 2\n\
        d = 0 * sine(100Hz) |> shown()\nlength 4 bars\nout = d\n";
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let sets = vec![("d.time".to_string(), "300ms".to_string())];
    let options = Options { rate: 48_000, sets, ..Options::default() };
    let program = compile(&mut sources, id, &NoFiles, &options).program.unwrap();
    assert!(program.score.lengths.is_empty());
    let param = program.param("d.time").unwrap();
    assert_eq!(program.params[param].default, 0.3);
    // At another tempo from the start its default is another.
    let options = Options { sets: vec![], ..options };
    let program = compile(&mut sources, id, &NoFiles, &options).program.unwrap();
    assert_eq!(program.params[param].default, 0.5);
    assert_eq!(program.at_tempo(240.0).unwrap().params[param].default, 0.25);
}
