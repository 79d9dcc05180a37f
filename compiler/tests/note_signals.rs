//! What a voice is told of its notes: `slur` and `fresh`, the priority of held notes, and the signals `note.bend`,
//! `note.pressure`, `note.timbre` and `note.off_vel`.

use mam_compiler::files::NoFiles;
use mam_compiler::{Options, compile};
use mam_grammar::Sources;
use mam_runtime::{Engine, Event, EventKind, NoteSignal, Program};
use mam_testing::render::{bits, render_program};
use std::sync::Arc;

/// Frames of a bar of four beats at 120.
const BAR: usize = 96_000;

fn compiled(text: &str, interpreter: bool, outside: &[&str]) -> Arc<Program> {
    let mut sources = Sources::default();
    let song = sources.add("song.mam", text);
    let played_outside = outside.iter().map(ToString::to_string).collect();
    let options = Options { rate: 48_000, interpreter, played_outside, ..Options::default() };
    let compilation = compile(&mut sources, song, &NoFiles, &options);
    let problems: Vec<String> = compilation.problems.iter().map(|problem| problem.message.clone()).collect();
    Arc::new(compilation.program.unwrap_or_else(|| panic!("{problems:#?}\n{text}")))
}

/// The channels of a song, by machine code; those of the interpreter are the same, to the bit.
fn heard(text: &str, frames: usize) -> Vec<Vec<f32>> {
    let sound = |interpreter| render_program(compiled(text, interpreter, &[]), Some(frames as u64)).channels;
    let channels = sound(false);
    assert_eq!(bits(&channels), bits(&sound(true)));
    channels
}

/// The frames at which a signal is not 0, with what it is.
fn pulses(signal: &[f32]) -> Vec<(usize, f32)> {
    signal.iter().copied().enumerate().filter(|(_, x)| *x != 0.0).collect()
}

/// To the left what begins: 1 a note, 2 with a slur, 4 on a fresh voice; to the right the note that is held.
const TELLER: &str =
    "instrument teller {\n  out = (trig + 2 * slur + 4 * fresh, note * gate / 100)\n  until not gate\n}\n";

fn told(voices: &str, line: &str) -> (Vec<(usize, f32)>, Vec<f32>) {
    let text = format!("{TELLER}t = teller({voices})\nplay {{ t {line} }}\nlength 1 bar\nout = t\n");
    let channels = heard(&text, BAR);
    let notes = [BAR / 8, BAR * 3 / 8, BAR * 5 / 8, BAR * 7 / 8].map(|at| (channels[1][at] * 100.0).round());
    (pulses(&channels[0]), notes.to_vec())
}

#[test]
fn a_slur_is_a_note_that_begins_strictly_before_the_end_of_the_one_before() {
    // Each note ends where the next one begins: no slur. The voice has not slept since.
    assert_eq!(told("", "\"c4 d4 e4 ~\"").0, [(0, 5.0), (24_000, 1.0), (48_000, 1.0)]);
    assert_eq!(told("", "\"c4 d4 ~ e4\".legato(1.1)").0, [(0, 5.0), (24_000, 3.0), (72_000, 5.0)]);
    // Of two notes in one frame, neither was there before.
    assert_eq!(told("", "\"[c4,e4] ~ d4 ~\"").0, [(0, 5.0), (48_000, 5.0)]);
}

#[test]
fn held_notes_return_with_a_slur() {
    let line = "\"[c4@3 ~, ~ e4 ~ ~, ~ ~ d4 ~]\"";
    let (begins, notes) = told("priority: last", line);
    assert_eq!(begins, [(0, 5.0), (24_000, 3.0), (48_000, 3.0)]);
    assert_eq!(notes, [60.0, 64.0, 62.0, 0.0]);
    // After d4, which ends with it, nothing is left of c4.
    let (begins, notes) = told("voices: 1, priority: last", "\"[c4@4, ~ e4 ~ ~]\"");
    assert_eq!(begins, [(0, 5.0), (24_000, 3.0), (48_000, 3.0)]);
    assert_eq!(notes, [60.0, 64.0, 60.0, 60.0]);
    // Without a priority a note is lost that another one takes the voice of.
    assert_eq!(told("", "\"[c4@4, ~ e4 ~ ~]\"").1, [60.0, 64.0, 0.0, 0.0]);
}

#[test]
fn the_lowest_or_the_highest_of_the_held_notes_plays() {
    let line = "\"[d4@4, ~ e4 ~ ~, ~ ~ c4 ~]\"";
    assert_eq!(told("priority: low", line).1, [62.0, 62.0, 60.0, 62.0]);
    assert_eq!(told("priority: high", line).1, [62.0, 64.0, 62.0, 62.0]);
    // What waits and ends is not heard, nor is there a beginning for it.
    assert_eq!(told("priority: low", "\"[c4@4, ~ e4 ~ ~]\"").0, [(0, 5.0)]);
    // Notes that end together return for none of them.
    assert_eq!(told("priority: low", "\"[[c4,d4,e4]@2 ~ ~]\"").0, [(0, 5.0)]);
}

#[test]
fn several_voices_play_the_notes_that_are_wanted_most() {
    let line = "\"[c4@4, d4@4, ~ e4 ~ ~]\"";
    let text = |priority: &str| {
        format!("{TELLER}t = teller(voices: 2{priority})\nplay {{ t {line} }}\nlength 1 bar\nout = t\n")
    };
    let sums = |text: &str| {
        let right = &heard(text, BAR)[1];
        [BAR / 8, BAR * 3 / 8, BAR * 5 / 8].map(|at| (right[at] * 100.0).round())
    };
    assert_eq!(sums(&text(", priority: last")), [122.0, 126.0, 122.0]);
    assert_eq!(sums(&text(", priority: low")), [122.0, 122.0, 122.0]);
    assert_eq!(sums(&text("")), [122.0, 126.0, 62.0]);
}

#[test]
fn the_songs_own_names_are_meant_before_the_new_words() {
    let own = |body: &str, call: &str, song: &str| {
        let text = format!(
            "{song}instrument i {{\n{body}  out = slur + fresh\n}}\nt = i({call})\nplay {{ t \"c4\" }}\nout = t\n"
        );
        heard(&text, 100)[0][50]
    };
    assert_eq!(own("  param slur = 0.25 in 0..1\n  fresh = 0.5\n", "slur: 0.125", ""), 0.625);
    assert_eq!(own("", "", "slur = 2\nfresh = 3\n"), 5.0);
    let text = "instrument i {\n  param priority = 0.5 in 0..1\n  out = priority\n}\nt = i(priority: 0.75)\nout = t\n";
    assert_eq!(heard(text, 10)[0][5], 0.75);
}

/// The frequency of a sine between two frames, by its crossings of 0.
fn frequency(signal: &[f32]) -> f64 {
    let rising = |at: &usize| signal[*at] < 0.0 && signal[at + 1] >= 0.0;
    let crossing = |at: usize| at as f64 + f64::from(-signal[at] / (signal[at + 1] - signal[at]));
    let all: Vec<f64> = (0..signal.len() - 1).filter(rising).map(crossing).collect();
    48_000.0 * (all.len() - 1) as f64 / (all[all.len() - 1] - all[0])
}

fn cents(a: f64, b: f64) -> f64 {
    1200.0 * (a / b).log2()
}

const SINGER: &str =
    "instrument singer {\n  param gain = 0.5 in 0..1\n  out = (sine(freq) * gain * gate, note.pressure)\n}\n";

#[test]
fn a_line_bends_all_notes_and_glides_to_each_bend() {
    let text = format!(
        "{SINGER}l = singer()\nplay {{\n  l \"a4\"\n  l.note.bend \"0st 2st\" over 1/8 bar\n  l.note.pressure \"0.25 1\"\n}}\nout = l\n"
    );
    let channels = heard(&text, BAR);
    assert!(cents(frequency(&channels[0][14_000..40_000]), 440.0).abs() < 0.1);
    assert!((cents(frequency(&channels[0][62_000..90_000]), 440.0) - 200.0).abs() < 0.1);
    let half = frequency(&channels[0][53_000..55_000]);
    assert!((50.0..150.0).contains(&cents(half, 440.0)), "on the way: {half}");
    assert_eq!((channels[1][100], channels[1][50_000]), (0.25, 1.0));
}

#[test]
fn each_note_sets_signals_of_its_own() {
    let text = format!(
        "{SINGER}l = singer(voices: 2)\nplay {{ l \"a4 a4\".every(1, set(note.bend: \"0st 2st\", note.pressure: \"0.25 1\")) }}\nout = l\n"
    );
    let channels = heard(&text, BAR);
    assert!(cents(frequency(&channels[0][1000..40_000]), 440.0).abs() < 0.1);
    assert!((cents(frequency(&channels[0][50_000..90_000]), 440.0) - 200.0).abs() < 0.1);
    assert_eq!(channels[1][100], 0.25);
    assert!(channels[1][50_000] >= 1.0);
}

#[test]
fn what_nothing_delivers_is_a_constant() {
    let text = |body: &str| {
        format!("instrument i {{\n  out = {body}\n}}\nt = i(voices: 2)\nplay {{ t \"a4\" }}\nout = t\n")
    };
    let with = text("sine(freq) * note.bend * (note.timbre + note.off_vel + note.pressure)");
    let without = text("sine(freq) * 1 * (0.5 + 0.5 + 0)");
    assert_eq!(bits(&heard(&with, 1000)), bits(&heard(&without, 1000)));
    let [with, without] = [with, without].map(|text| compiled(&text, true, &[]));
    assert_eq!((with.params.len(), with.steps[0].cost), (without.params.len(), without.steps[0].cost));
}

#[test]
fn an_instrument_that_is_played_from_outside_sounds_the_same_until_it_is_touched() {
    let text = format!("{SINGER}l = singer(voices: 3)\nplay {{ l \"a4 [c5,e5]\" }}\nout = l\n");
    let plain = heard(&text, BAR);
    let outside = render_program(compiled(&text, false, &["l"]), Some(BAR as u64)).channels;
    assert_eq!(bits(&plain), bits(&outside));
}

#[test]
fn each_voice_has_its_own_bend_to_a_cent() {
    let text = format!("{SINGER}l = singer(voices: 15)\nplay {{ l \"~\" }}\nout = l\n");
    let program = compiled(&text, false, &["l"]);
    let target = &program.targets[0];
    let bend = target
        .note_params
        .iter()
        .find(|param| param.signal == Some(NoteSignal::Bend))
        .expect("it is delivered");
    for member in 0..15 {
        let mut engine = Engine::new(program.clone());
        let semitones = (member as f64 - 7.0) * 48.0 / 7.0;
        let on = EventKind::On { port: target.voices[member], note: 69.0, vel: 1.0 };
        let bent = EventKind::NoteValue {
            param: bend.voices[member],
            value: Some((semitones / 12.0).exp2()),
            ramp: 240,
        };
        for (frame, kind) in [(0, on), (64, bent)] {
            engine.schedule(Event { frame, kind });
        }
        let mut channels = vec![vec![0.0; 48_000]; 2];
        let mut views: Vec<&mut [f32]> = channels.iter_mut().map(|channel| &mut channel[..]).collect();
        engine.process(&mut views);
        let off = cents(frequency(&channels[0][1000..]), 440.0) - 100.0 * semitones;
        assert!(off.abs() < 1.0, "voice {member}: {off} ct");
    }
}
