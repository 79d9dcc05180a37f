//! The programs of the language reference, as they stand there: they are read, and formatting leaves them as they are.

use mam_grammar::{Limits, Sources, fmt, syntax};

const BREAKBEAT: &str = r#"// breakbeat.mam
tempo 130
swing 8%

bd = kick(f0: 120Hz, fend: 35Hz, pitch_decay: 55ms, amp_decay: 190ms, click: 0.1)
sd = clap(amp_decay: 180ms, gain: 0.85)
hh = clap(amp_decay: 40ms, gain: 0.55)

play {
  bd      |x...x...x..x....|
  sd      |....x.......x...|
  hh      |x.x.x.x.x.x.x.x.|
  bd.gain "~ ~ 1.0 ~" over 40ms
}

out = softclip(90% * (bd*85% + sd*75% + hh*75%))
"#;

const KICK: &str = r#"/// The classic bass drum: a sine whose pitch falls from f0 to fend.
instrument kick {
  /// Pitch at the onset.
  param f0          = 100Hz  in 40Hz..200Hz
  /// Pitch that it falls to.
  param fend        = 40Hz   in 20Hz..120Hz
  /// Time constant of the pitch fall.
  param pitch_decay = 60ms   in 10ms..200ms  curve exp
  /// Time constant of the level.
  param amp_decay   = 200ms  in 50ms..400ms  curve exp
  /// Level.
  param gain        = 0.9    in 0..1.5
  /// Height of the onset click.
  param click       = 0      in 0..1         step

  amp   = decay(trig, amp_decay)
  pitch = fend + (f0 - fend) * decay(trig, pitch_decay)
  out   = (amp * sine(pitch, reset: trig) + (if since(trig) < 2 then click else 0)) * gain * vel
  until amp < 0.00005
}

/// Falls from 1 at the trigger, by 1/e in each `time`; 0 before the first trigger.
def decay(trig, time: s) = exp(-since(trig) * dt / time)
"#;

const ECHO: &str = r#"/// One-pole low-pass.
def onepole(x, cutoff: Hz) {
  a   = 1 - exp(-tau * cutoff * dt)
  out = prev(out) + a * (x - prev(out))
}

/// Echo with feedback.
effect echo {
  param time     = 375ms in 1ms..2s
  param feedback = 35%   in 0%..95%
  param mix      = 30%   in 0%..100%
  late = tap(line, time, max: 2s)
  line = in + feedback * late
  out  = in + mix * (late - in)
}
"#;

/// What the reference says in running text.
const PIECES: [&str; 26] = [
    "play { bd |x...| ; sd |..x.| }",
    "a = saw(110Hz) |> svf(800Hz).low",
    "a = sum i in 1..8 { sine(i * 110Hz) / i }",
    "a = chain x = in, i in 0..3 { allpass(x, 5ms + i * 3.1ms, 0.6) }",
    "a = { low: v2, band: v1 }",
    "a = pad |> compressor(key: bd)",
    "effect e { input key; out = in }",
    "instrument i { default note c2; out = trig }",
    "a = table([0, 0.5, 1], position)",
    "instrument i { midi drum 36, 35; midi program 38, 32..39; out = trig }",
    "def f(a, b: Hz = 440Hz) = a",
    "pad = supersaw(voices: 8)",
    "hats = open_hat(mute: hh.trig)",
    "use \"lib/mine.mam\"",
    "knob bright = 800Hz in 100Hz..8kHz cc 74",
    "play intro verse*2 chorus verse",
    "section verse 8 bars { bd |x...x...|x.x.x...| by 1/16 }",
    "section verse2 = verse { hh ~; bd |x.x.| }",
    "section verse2 = verse {\n  hh -\n  bd |x.x.|\n  sd.gain -\n}",
    "play { lead saw.range(60, 72).segment(8); bd cat(\"x*4\".rev, stack(\"x\", \"x x\")).fast(2) }",
    "instrument i { param rand = 0.5; until saw(freq) < 1; out = trig }",
    "effect e { input tri; out = in }",
    "tempo 130..150 over bars 5..9",
    "swing 12% of 1/8",
    "a = -2 ^ 2 + -6dB",
    "play { bd \"c2 eb3 60\".fast(2).slow(2).rev.every(4, rev).sometimes(30%, fast(2)).scale(c, minor) }",
];

/// The text as the formatter writes it; the text must have no problems.
fn formatted(text: &str) -> String {
    let mut sources = Sources::default();
    let id = sources.add("reference.mam", text);
    let (ast, problems) = syntax::parse(&sources, id, &Limits::default());
    assert!(problems.is_empty(), "{text}\n{:?}", problems.into_sorted());
    fmt::format(&ast, text)
}

#[test]
fn the_reference_is_read_and_is_written_as_the_formatter_writes() {
    for text in [BREAKBEAT, KICK, ECHO] {
        assert_eq!(formatted(text), text);
    }
    for piece in PIECES {
        let once = formatted(piece);
        assert_eq!(formatted(&once), once, "{piece}");
    }
}

#[test]
fn a_long_line_is_broken_where_it_may_be() {
    let text = "\
out = softclip(drums*0.9 + lead_with_a_long_name |> lowpass(brightness_of_the_lead, q: resonance) |> echo(375ms), 1)
pad = supersaw(voices: 8, detune: 12ct, attack: 400ms, release: 900ms, gain: 0.35) |> lowpass(bright) |> chorus()
x = if a_long_condition > 0.5 and another_condition < 0.25 then a_value_of_the_first_branch else a_value_of_the_other
y = first_long_name * second_long_name + third_long_name * fourth_long_name + fifth_long_name * sixth_long_name
z = a |> // why
  b
";
    let written = "\
out = softclip(
  drums*0.9 + lead_with_a_long_name |> lowpass(brightness_of_the_lead, q: resonance) |> echo(375ms),
  1
)
pad = supersaw(voices: 8, detune: 12ct, attack: 400ms, release: 900ms, gain: 0.35)
  |> lowpass(bright)
  |> chorus()
x   = if a_long_condition > 0.5 and another_condition < 0.25 then a_value_of_the_first_branch
  else a_value_of_the_other
y   = first_long_name * second_long_name +
  third_long_name * fourth_long_name +
  fifth_long_name * sixth_long_name
z   = a  // why
  |> b
";
    assert_eq!(formatted(text), written);
    assert_eq!(formatted(written), written);
}

/// The layout has to know every operator that the table of precedence knows: the formatter breaks lines after all of them.
#[test]
fn a_line_that_ends_with_an_operator_goes_on_in_the_next() {
    for operator in
        ["|>", "or", "and", "<", "<=", ">", ">=", "==", "!=", "+", "++", "-", "*", "/", "mod", "^"]
    {
        for left in ["x", "f(x)", "[x]", "(sum i in 1..3 { x })", "list i in 0..7 { in } // end"] {
            // A comment ends its line.
            let (value, comment) = left.split_at(left.find(" //").unwrap_or(left.len()));
            let broken = format!("a = {value} {operator}{comment}\n  b()\nc = 1\n");
            let whole = format!("a = {value} {operator} b()\nc = 1\n");
            let tree = |text: &str| {
                let mut sources = Sources::default();
                let id = sources.add("song.mam", text);
                let (ast, problems) = syntax::parse(&sources, id, &Limits::default());
                assert!(problems.is_empty(), "{text}\n{:?}", problems.into_sorted());
                ast.to_string()
            };
            assert_eq!(tree(&broken), tree(&whole), "{broken}");
        }
    }
}

#[test]
fn every_program_of_the_repository_is_formatted() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for folder in ["compiler/prelude", "examples"] {
        let files = std::fs::read_dir(root.join(folder)).unwrap().map(|file| file.unwrap().path());
        for path in files.filter(|path| path.extension().is_some_and(|e| e == "mam")) {
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(formatted(&text), text, "{}", path.display());
        }
    }
}

/// Two signs begin an operand in the braces of an expression, also where a line begins; where an item begins they are another
/// language's comment.
#[test]
fn two_signs_that_begin_a_line_are_an_operand_or_a_comment() {
    let problems = |text: &str| {
        let mut sources = Sources::default();
        let id = sources.add("song.mam", text);
        let (_, problems) = syntax::parse(&sources, id, &Limits::default());
        problems.iter().map(|p| p.code.name).collect::<Vec<_>>()
    };
    for head in [
        "a =",
        "def f(x) =",
        "def f(x) = -",
        "def f(x, y = 2) =",
        "def f(x, y = (1 + 2)) = 3 *",
        "def f(x) = sum j in 1..2 {\n  x\n} +",
    ] {
        let text = format!("{head} sum i in -1..-2 {{\n  --i\n}}\n");
        assert_eq!(problems(&text), [""; 0], "{text}");
    }
    for head in ["def f(x)", "def f(x, y = 2)", "instrument f", "effect f"] {
        let text = format!("{head} {{\n  -- words\n  out = 1\n}}\n");
        assert_eq!(problems(&text), ["foreign-comment"], "{text}");
    }
}
