//! Kits and presets: they sound like what they stand for, written out.

use mam_compiler::files::NoFiles;
use mam_compiler::{Options, compile};
use mam_grammar::Sources;
use mam_testing::render::{program, render_program};

const FRAMES: u64 = 48_000;

fn heard(text: &str) -> Vec<Vec<f32>> {
    render_program(program("song.mam", text, 48_000, false), Some(FRAMES)).channels
}

fn codes(text: &str) -> Vec<&'static str> {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let compilation = compile(&mut sources, id, &NoFiles, &Options::default());
    compilation.problems.into_sorted().iter().map(|problem| problem.code.name).collect()
}

/// Without noise, which is its own at each place.
const HIT: &str = "\
instrument hit {\n  param f0 = 100Hz in 20Hz..2kHz\n  param gain = 1 in 0..1\n  env = decay(trig, 150ms)\n  \
out = gain * env * vel * sine(f0, trig)\n  until env < 0.0001\n}\n";
const KIT: &str = "\
kit beat {\n  bd = hit() |> drive(2)\n  ch = hit(600Hz, gain: 0.4)\n  oh = hit(500Hz, gain: 0.4)\n  choke ch oh\n}\n";
const LINES: &str = "\
play {\n  dr.bd |x..x..x.|\n  dr.ch |..x...x.|\n  dr.oh |x...x...|\n  dr.bd.f0 \"60Hz 50Hz\"\n}\nout = dr |> softclip()\n";

#[test]
fn a_kit_is_its_equations_under_one_name() {
    let kit = heard(&format!("{HIT}{KIT}dr = beat(bd.gain: 0.7, oh.gain: 0.5)\n{LINES}"));
    let written = "\
bd = hit(gain: 0.7) |> drive(2)\nch = hit(600Hz, gain: 0.4) |> choked(ch.trig, oh.trig)\n\
oh = hit(500Hz, gain: 0.5) |> choked(oh.trig, ch.trig)\ndr = bd + ch + oh\n";
    let plain = heard(&(HIT.to_owned() + written + &LINES.replace("dr.", "")));
    assert!(kit[0].iter().any(|x| x.abs() > 0.1));
    let off = kit[0].iter().zip(&plain[0]).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
    assert!(off < 1e-6, "{off}");
}

#[test]
fn a_choke_fades_in_eight_milliseconds() {
    let text = "\
kit two {\n  a = tone()\n  b = tone()\n  choke a b\n}\ninstrument tone {\n  out = gate * 0.5\n}\n\
k = two()\nplay {\n  k.a \"x ~\"\n  k.b \"~ x\"\n}\nlength 1 bar\nout = k.a\ntempo 120\n";
    let heard = heard(&text.replace("gate * 0.5", "0.5 * (since(trig) < 100000)"));
    let at = |frame: usize| heard[0][frame];
    assert_eq!((at(0), at(47_000)), (0.5, 0.5));
    let text = text.replace("gate * 0.5", "0.5 * (since(trig) < 100000)").replace("tempo 120", "tempo 480");
    let heard = self::heard(&text);
    // The other begins at a quarter of a second, 12000 frames.
    let at = |frame: usize| heard[0][frame];
    assert_eq!(at(11_999), 0.5);
    assert!((at(12_000 + 384) - 0.5 * (-1.0_f32).exp()).abs() < 1e-3, "{}", at(12_384));
    assert!(at(12_000 + 4000) < 1e-4);
}

#[test]
fn presets_are_values_of_parameters() {
    let def = "\
instrument hum {\n  param cutoff = 800Hz in 50Hz..8kHz curve exp\n  param level = 0.5 in 0..1\n  preset \"deep\" { cutoff: 200Hz, level: 80% }\n  \
preset \"thin\" {\n    cutoff: 3kHz\n  }\n  amp = decay(trig, 300ms)\n  out = lowpass(saw(freq), cutoff) * amp * vel * level\n  until amp < 0.0001\n}\n";
    let song =
        |call: &str, line: &str| format!("{def}b = hum({call})\nplay {{\n  b \"c2 c3\"\n{line}}}\nout = b\n");
    for (preset, written) in [
        ("preset: \"deep\"", "cutoff: 200Hz, level: 80%"),
        ("preset: \"deep\", level: 0.3", "cutoff: 200Hz, level: 0.3"),
        ("preset: \"thin\"", "cutoff: 3kHz"),
    ] {
        assert!(heard(&song(preset, "")) == heard(&song(written, "")), "{preset}");
    }
    let by_line = heard(&song("", "  b.preset \"deep thin\" over 1/4 beat\n"));
    let written =
        heard(&song("", "  b.cutoff \"200Hz 3kHz\" over 1/4 beat\n  b.level \"0.8 0.5\" over 1/4 beat\n"));
    assert!(by_line == written);
    assert_eq!(codes(&song("preset: \"depe\"", "")), ["unknown-name"]);
    assert_eq!(codes(&song("", "  b.preset \"deep dark\"\n")), ["unknown-name"]);
    assert_eq!(codes(&song("", "").replace("level: 80%", "levle: 80%")), ["unknown-argument"]);
    assert_eq!(codes(&song("", "").replace("level: 80%", "level: sr")), ["not-constant"]);
}

/// Effects have presets as instruments do, by the rule for all names of parameters.
#[test]
fn presets_of_effects_are_played_by_lines() {
    let def = "\
effect level {\n  param g = 0.5 in 0..1\n  preset \"hi\" { g: 0.9 }\n  preset \"low\" { g: 0.1 }\n  out = g * in\n}\n\
effect dark {\n  param cut = 1kHz in 50Hz..8kHz\n  preset \"night\" { cut: 200Hz }\n  out = lowpass(in, cut)\n}\n\
instrument hum {\n  param q = 1 in 0..1\n  preset \"half\" { q: 0.5 }\n  amp = decay(trig, 300ms)\n  out = saw(freq) * amp * q\n  until amp < 0.0001\n}\n";
    let song = |line: &str| {
        format!(
            "{def}a = saw(110Hz) |> level()\nb = hum() |> dark() |> level()\nc = b |> level() |> level()\n\
             play {{\n  b \"c2 c3\"\n  {line}\n}}\nlength 1 bar\nout = 0.2 * a + 0.2 * c\n"
        )
    };
    for (preset, written) in [
        ("a.preset \"hi low\" over 1/4 beat", "a.g \"0.9 0.1\" over 1/4 beat"),
        ("a.level.preset \"low hi\"", "a.level.g \"0.1 0.9\""),
        ("b.preset \"half\"", "b.q \"0.5\""),
        ("b.preset \"night\"", "b.dark.cut \"200Hz\""),
        ("b.preset \"hi\"", "b.level.g \"0.9\""),
        ("c.level2.preset \"hi low\"", "c.level2.g \"0.9 0.1\""),
        ("c.dark.preset \"night\"", "b.dark.cut \"200Hz\""),
    ] {
        assert_eq!(codes(&song(preset)), Vec::<&str>::new(), "{preset}");
        assert!(heard(&song(preset)) == heard(&song(written)), "{preset}");
        assert!(heard(&song(preset)) != heard(&song("")), "{preset} is heard");
    }
    assert_eq!(codes(&song("a.preset \"hgi\"")), ["unknown-name"]);
    assert_eq!(codes(&song("c.preset \"hi\"")), ["unknown-name"], "which of the two is not said");
    let twice = song("").replace("{ g: 0.9 }", "{ g: 0.9, g: 0.8 }");
    assert_eq!(codes(&twice), ["duplicate-name"]);
    let twice = song("") + "preset \"x\" { a.g: 0.1, a.g: 0.2 }\n";
    assert!(codes(&twice).contains(&"duplicate-name"));
}

#[test]
fn what_is_wrong_with_a_kit_is_said_where_it_is() {
    assert_eq!(codes(&format!("{HIT}{KIT}dr = beat()\n{LINES}")), Vec::<&str>::new());
    for (wrong, code) in [
        (KIT.replace("choke ch oh", "choke ch ho"), "unknown-name"),
        (KIT.replace("ch =", "bd =").replace("choke ch oh", "choke bd oh"), "duplicate-name"),
    ] {
        let found = codes(&format!("{HIT}{wrong}k = kick()\nout = k\n"));
        assert!(found.contains(&code), "{found:?}: {wrong}");
    }
    assert_eq!(codes(&format!("{HIT}{KIT}dr = beat(bd.gian: 0.5)\n{LINES}")), ["unknown-argument"]);
    let named = format!("{HIT}{KIT}level = 0.5\ndr = beat(bd.gain: level)\n{LINES}");
    assert_eq!(codes(&named), Vec::<&str>::new());
    assert_eq!(codes(&format!("{HIT}{KIT}dr = beat(bass.gain: 0.5)\n{LINES}")), ["unknown-name"]);
    assert_eq!(codes(&format!("{HIT}{KIT}dr = beat(0.5)\n{LINES}")), ["unknown-argument"]);
    let endless = "kit a {\n  x = a()\n}\ny = a()\nout = y\n";
    assert!(codes(endless).contains(&"too-large"));
}

const OSC: &str = "\
instrument osc {\n  param shape = saw in saw|square|tri\n  param parts = 2 in 1..8 fixed\n  env = decay(trig, 200ms)\n  \
wave = if shape == square then 0.5 * square(freq) else if shape == tri then tri(freq) else saw(freq)\n  \
out = env * vel * wave * sum i in 1..parts { sine(freq * i) }\n  until env < 0.0001\n}\n";
const PLAIN: &str = "\
instrument osc(parts = 2 in 1..8) {\n  param shape = 0 in 0..2 step\n  env = decay(trig, 200ms)\n  \
wave = if shape == 1 then 0.5 * square(freq) else if shape == 2 then tri(freq) else saw(freq)\n  \
out = env * vel * wave * sum i in 1..parts { sine(freq * i) }\n  until env < 0.0001\n}\n";

/// Presets of instruments and of songs take the words of a parameter.
#[test]
fn presets_give_words() {
    let song = |own: &str, call: &str, more: &str, line: &str| {
        let osc = OSC.replace("  env = ", &format!("{own}  env = "));
        format!("{osc}{more}b = osc({call})\nplay {{\n  b \"c3 e3\"\n{line}}}\nout = b\n")
    };
    let soft = "  preset \"soft\" { shape: tri }\n";
    let written = heard(&song("", "shape: 2", "", ""));
    assert!(heard(&song(soft, "preset: \"soft\"", "", "")) == written);
    let dark = "preset \"dark\" { b.shape: square }\n";
    let line = heard(&song("", "", "", "  b.shape \"square\"\n"));
    assert!(heard(&song("", "", dark, "  preset \"dark\"\n")) == line && line != written);
    assert_eq!(codes(&song(&soft.replace("tri }", "sine }"), "", "", "")), ["unknown-word"]);
    assert_eq!(codes(&song("", "", &dark.replace("square", "squire"), "")), ["unknown-word"]);
}

#[test]
fn words_are_numbers_and_fixed_parameters_are_arguments_of_the_head() {
    let song = |def: &str, call: &str, line: &str| {
        format!("{def}b = osc({call})\nplay {{\n  b \"c3 e3 g3 c4\"\n{line}}}\nout = b\n")
    };
    for (words, numbers) in
        [("", ""), ("shape: square", "shape: 1"), ("parts: 5, shape: tri", "parts: 5, shape: 2")]
    {
        assert!(heard(&song(OSC, words, "")) == heard(&song(PLAIN, numbers, "")), "{words}");
    }
    let line = "  b.shape \"saw square <tri saw>\"\n";
    let numbers = "  b.shape \"0 1 <2 0>\"\n";
    assert!(heard(&song(OSC, "", line)) == heard(&song(PLAIN, "", numbers)));
    // Given by notes, in a pattern and as a constant, also within another change.
    let set = |def, change: &str| heard(&song(def, "", "").replace("c4\"", &format!("c4\"{change}")));
    assert!(set(OSC, ".set(shape: \"saw <tri square>\")") == set(PLAIN, ".set(shape: \"0 <2 1>\")"));
    assert!(set(OSC, ".every(2, rev.set(shape: tri))") == set(PLAIN, ".every(2, rev.set(shape: 2))"));
    let wrong = song(OSC, "", "").replace("c4\"", "c4\".set(shape: \"saw noise\")");
    assert_eq!(codes(&wrong), ["unknown-word"]);
    assert_eq!(codes(&song(OSC, "shape: sqare", "")), ["unknown-word"]);
    assert_eq!(codes(&song(OSC, "", "  b.shape \"saw noise\"\n")), ["unknown-word"]);
    assert_eq!(codes(&song(&OSC.replace("= saw in", "= sine in"), "", "")), ["unknown-word"]);
    assert_eq!(codes(&song(OSC, "parts: lfo(1Hz)", "")), ["not-constant"]);
    // Set from outside, by word.
    let mut sources = Sources::default();
    let id = sources.add("song.mam", song(OSC, "", ""));
    let sets = vec![("b.shape".to_owned(), "tri".to_owned())];
    let compilation = compile(&mut sources, id, &NoFiles, &Options { sets, ..Options::default() });
    let program = compilation.program.expect("a word can be set");
    let shape = program.param("b.shape").expect("it has this parameter");
    assert_eq!(program.params[shape].default, 2.0);
}

#[test]
fn the_bare_name_of_several_outputs_is_the_first() {
    let def = "\
instrument two {\n  env = decay(trig, 100ms)\n  out = { dry: sine(freq) * env, wet: saw(freq) * env }\n  until env < 0.0001\n}\n\
effect split {\n  out = { low: onepole(in, 300Hz), high: in - onepole(in, 300Hz) }\n}\n";
    let song = |out: &str| {
        format!("{def}x = two(voices: 2)\ny = x.wet |> split()\nplay {{\n  x \"c3 e3\"\n}}\nout = {out}\n")
    };
    assert!(heard(&song("x + 0.5 * y")) == heard(&song("x.dry + 0.5 * y.low")));
    assert!(heard(&song("x |> softclip()")) == heard(&song("x.dry |> softclip()")));
    assert!(heard(&song("x.wet")) != heard(&song("x")));
    assert_eq!(codes(&song("0.2 * x.trig + x")), Vec::<&str>::new());
}

#[test]
fn kits_of_the_prelude_are_there_without_asking() {
    for (name, text) in mam_compiler::prelude::kits() {
        let parts = text.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(" = "));
        let parts: Vec<&str> = parts.map(|(part, _)| part.trim()).filter(|part| *part != "out").collect();
        let lines: String = parts.iter().map(|part| format!("  dr.{part} |x...|\n")).collect();
        let song = format!("dr = {name}()\nlength 1 bar\nplay {{\n{lines}}}\nout = dr\n");
        let peak = heard(&song).iter().flatten().fold(0.0_f32, |peak, x| peak.max(x.abs()));
        assert!(peak > 0.1 && peak < 4.0, "{name}: {peak}");
    }
}

/// How fast a choke is can be said, and the older note of a part with several voices does not come back with its next one.
#[test]
fn a_choke_ends_each_voice_as_fast_as_is_said() {
    let tone = "instrument tone {\n  out = freq / 1000Hz * (since(trig) < 1000000)\n}\n";
    let song = |over: &str, notes: &str, voices: u32| {
        format!(
            "kit two {{\n  a = tone(voices: {voices})\n  b = tone()\n  choke a b{over}\n}}\n{tone}k = two()\n\
             play {{\n  k.a {notes}\n  k.b \"~ x ~ ~\"\n}}\nlength 1 bar\nout = k.a\ntempo 240\n"
        )
    };
    // The other strikes at a quarter of a second.
    let once = heard(&song(" over 40ms", "\"c4 ~ ~ ~\"", 1));
    let at = |frame: usize| once[0][frame] / once[0][0];
    assert_eq!(at(11_999), 1.0);
    assert!((at(12_000 + 1920) - (-1.0_f32).exp()).abs() < 1e-3, "{}", at(13_920));
    let again = heard(&song("", "\"c4 ~ e4 ~\"", 2));
    assert!(again[0][20_000] < 1e-6, "choked");
    let (alone, both) = (heard(&song("", "\"~ ~ e4 ~\"", 2)), again[0][30_000]);
    assert_eq!(both, alone[0][30_000], "the older note stays silent");
    assert!(codes(&song(" over 40Hz", "\"c4\"", 1)).contains(&"dimension"));
    assert!(
        codes("kit k {\n  a = kick()\n  b = noise()\n  choke a b\n}\nk1 = k()\nout = k1\n")
            .contains(&"unknown-argument")
    );
}
