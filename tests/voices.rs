//! What is given to an instrument and names its `voice` is computed by each of its voices.

use mam_compiler::files::NoFiles;
use mam_compiler::{Options, compile};
use mam_grammar::{Severity, Sources};
use mam_testing::render::{bits, program, render_program};

const FRAMES: u64 = 96_000;

fn heard(text: &str) -> Vec<Vec<f32>> {
    render_program(program("song.mam", text, 48_000, false), Some(FRAMES)).channels
}

fn codes(text: &str) -> Vec<&'static str> {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let problems = compile(&mut sources, id, &NoFiles, &Options::default()).problems.into_sorted();
    let errors = problems.iter().filter(|problem| problem.code.severity == Severity::Error);
    errors.map(|problem| problem.code.name).collect()
}

const LEAD: &str = "\
instrument lead {\n  param cutoff = 800Hz in 50Hz..10kHz\n  param gain = 1 in 0..1\n  env = adsr(gate, release: 100ms)\n  \
out = lowpass(sine(freq), CUTOFF) * env * GAIN\n  until env < 0.0001\n}\n";
const PLAY: &str = "tempo 120\nplay { l \"[c3:0.2,g3] e3:0.5 g3 [c4:0.7,e4,g4:0.3]\" }\nout = 0.3 * l\n";

/// The same by hand: the body says what the call says of each voice.
#[test]
fn a_voice_computes_what_is_given_to_it() {
    let plain = LEAD.replace("CUTOFF", "cutoff").replace("GAIN", "gain");
    for voices in [1, 4] {
        for (given, own) in [
            ("400Hz * exp2(3 * voice.vel)", "400Hz * exp2(3 * vel)"),
            ("2 * voice.freq + lfo(2Hz) * 100Hz", "2 * freq + lfo(2Hz) * 100Hz"),
            ("sweep * (if voice.gate then 1 else 0.5)", "sweep * (if gate then 1 else 0.5)"),
            ("300Hz + 200Hz * decay(voice.trig, 50ms)", "300Hz + 200Hz * decay(trig, 50ms)"),
            ("sum i in 1..2 { 100Hz * i * voice.vel }", "sum i in 1..2 { 100Hz * i * vel }"),
        ] {
            let sweep = "sweep = 600Hz + 300Hz * sine(3Hz)\n";
            let given = format!("{plain}{sweep}l = lead(cutoff: {given}, voices: {voices})\n{PLAY}");
            let own = LEAD.replace("CUTOFF", &format!("clamp({own}, 50Hz, 10kHz)")).replace("GAIN", "gain");
            let own = format!("{own}{sweep}l = lead(voices: {voices})\n{PLAY}");
            let (given_channels, own_channels) = (heard(&given), heard(&own));
            assert!(given_channels[0].iter().any(|x| x.abs() > 0.05), "{given}");
            let off = given_channels[0].iter().zip(&own_channels[0]).map(|(x, y)| (x - y).abs());
            let off = off.fold(0.0, f32::max);
            assert!(off < 2e-5, "{off}\n{given}");
        }
    }
}

/// `voice.random` is one number a note, wherever it is named; other voices have others.
#[test]
fn a_voice_draws_one_number_a_note() {
    let text = "\
instrument two {\n  param a = 0 in 0..1\n  param b = 0 in 0..1\n  env = gate\n  out = (a, b) * env\n}\n\
l = two(a: voice.random, b: voice.random, voices: VOICES)\ntempo 60\nplay { l \"NOTES\" }\nout = l\n";
    let alone = heard(&text.replace("VOICES", "1").replace("NOTES", "c3 d3 e3 f3"));
    assert_eq!(bits(&alone[..1]), bits(&alone[1..]), "both parameters have it");
    let at = |seconds: f64| alone[0][(seconds * 48_000.0) as usize];
    assert!(at(0.1) != at(1.1), "each note has its own");
    assert_eq!(at(0.1).to_bits(), at(0.9).to_bits(), "it holds for the note");
    assert!((0.0..1.0).contains(&at(0.1)) && at(0.1) > 0.0);
    let chord = heard(&text.replace("VOICES", "2").replace("NOTES", "[c3,e3]"));
    assert!((chord[0][4800] - 2.0 * alone[0][4800]).abs() > 1e-3, "and each voice");
}

#[test]
fn every_instrument_takes_a_pan_of_its_voices() {
    let text = "l = pluck(pan: 2 * voice.vel - 1, voices: 2)\nplay { l \"c3:0 c3:1\" }\nout = l\ntempo 120\n";
    let heard = heard(text);
    let peak = |channel: &[f32]| channel.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    assert_eq!(peak(&heard[0][48_000..]), 0.0, "the loud one is on the right");
    assert!(peak(&heard[1][48_000..]) > 0.01);
}

#[test]
fn there_is_a_voice_only_in_what_is_given_to_an_instrument() {
    let lead = LEAD.replace("CUTOFF", "cutoff").replace("GAIN", "gain");
    let cases = [
        ("l = lead()\nout = l * voice.vel\n", "unknown-name"),
        ("l = lead(cutoff: 100Hz * voice.volume)\nout = l\n", "unknown-field"),
        ("l = lead()\nout = l |> echo(mix: voice.vel)\n", "unknown-name"),
        ("l = lead(cutoff: 100Hz * voice)\nout = l\n", "unknown-name"),
        ("l = lead(voices: voice.vel)\nout = l\n", "unknown-name"),
        ("l = lead(cutoff: (voice.freq, voice.freq))\nout = l\n", "channels"),
        ("l = lead(cutoff: 5ms * voice.vel)\nout = l\n", "dimension"),
    ];
    for (text, code) in cases {
        assert_eq!(codes(&format!("{lead}{text}")).first(), Some(&code), "{text}");
    }
    // A name of the song's own is meant before the word.
    let own = format!("{lead}voice = {{ vel: 0.5 }}\nl = lead(gain: voice.vel)\nout = l\n");
    assert_eq!(codes(&own), [""; 0]);
}
