//! Expressions of single notes, as a host gives them and as MIDI does, and notes that wait for a voice.

use super::host::*;
use super::{PAD, RATE};
use clap_sys::events::*;
use mam_runtime::NoteSignal;

/// A song whose left side is the sum of what its voices say, for as long as they sound: until well after their release.
fn telling(says: &str, voices: &str) -> String {
    format!(
        "instrument teller {{
  level = prev(level) + 0.01 * (gate - prev(level))
  out = {says}
  until level < 0.0001
}}
t = teller({voices})
out = t
"
    )
}

/// The frames of a block of 256 after some events, of an instance that has heard none before.
fn heard(text: &str, events: &[AnyEvent], frames: &[usize]) -> Vec<f32> {
    let mut instance = Instance::active(&song(text, false), RATE.into());
    instance.process(256, events, None);
    frames.iter().map(|&frame| instance.left[frame]).collect()
}

#[test]
fn notes_have_their_own_signals_from_the_frame_on() {
    let text = telling("note.pressure + 10 * note.timbre", "voices: 2");
    let events = [
        on(0, 60),
        on(0, 64),
        expression(100, 60, CLAP_NOTE_EXPRESSION_PRESSURE, 0.25),
        expression(100, 64, CLAP_NOTE_EXPRESSION_PRESSURE, 0.5),
        expression(200, 64, CLAP_NOTE_EXPRESSION_BRIGHTNESS, 1.0),
    ];
    assert_eq!(heard(&text, &events, &[99, 100, 199, 200]), [10.0, 10.75, 10.75, 15.75]);
    // A note that begins has none of what the one before it on its voice had.
    let events = [events[0], events[2], off(110, 60), on(120, 60)];
    assert_eq!(heard(&telling("note.pressure", ""), &events, &[119, 120]), [0.25, 0.0]);
}

#[test]
fn tuning_is_the_bend_of_what_reads_it() {
    let events = [on(0, 69), tuning(100, 69, 12.0), midi(200, [0xe0, 0, 0])];
    assert_eq!(heard(&telling("note.bend", ""), &events[..2], &[99, 100]), [1.0, 2.0]);
    let heard_at = |text: &str| heard(&telling(text, ""), &events, &[99, 100, 200]);
    // It is in the frequency, and leaves the number of the note alone.
    assert_eq!(heard_at("note + 0 * note.bend"), [69.0; 3]);
    assert_eq!(heard_at("freq / 440Hz + 0 * note.bend")[..2], [1.0, 2.0]);
    // Without a reader, the note moves: by both together.
    assert_eq!(heard_at("note"), [69.0, 81.0, 79.0]);
}

#[test]
fn a_key_says_how_quickly_it_was_let_go() {
    let text = telling("note.off_vel", "");
    let events = [on(0, 60), note(CLAP_EVENT_NOTE_OFF, 100, 60, 0.25)];
    assert_eq!(heard(&text, &events, &[99, 101]), [0.5, 0.25]);
    let of_midi = |up: [u8; 3]| heard(&text, &[midi(0, [0x90, 60, 90]), midi(100, up)], &[99, 101]);
    assert_eq!(of_midi([0x80, 60, 127]), [0.5, 1.0]);
    assert_eq!(of_midi([0x90, 60, 0]), [0.5, 0.5], "such a message does not say it");
}

#[test]
fn midi_presses_a_channel_and_a_key() {
    let text = telling("note.pressure + 10 * note.timbre", "voices: 3");
    let events = [
        midi(0, [0x91, 60, 90]),
        midi(0, [0x91, 64, 90]),
        midi(0, [0x92, 67, 90]),
        midi(50, [0xa1, 64, 127]),
        midi(100, [0xd2, 127, 0]),
        midi(150, [0xb2, 74, 127]),
    ];
    assert_eq!(heard(&text, &events, &[49, 50, 100, 150]), [15.0, 16.0, 17.0, 22.0]);
    // A note begins as its channel is.
    let events = [midi(0, [0xd1, 127, 0]), midi(10, [0x91, 60, 90]), midi(20, [0x92, 64, 90])];
    assert_eq!(heard(&telling("note.pressure", "voices: 2"), &events, &[10, 20]), [1.0, 1.0]);
}

#[test]
fn only_what_is_read_is_delivered() {
    let signals = |text: &str| {
        let song = song(text, false);
        let program = song.ready(RATE).unwrap().program.clone();
        program.targets[0].note_params.iter().filter_map(|param| param.signal).collect::<Vec<_>>()
    };
    assert_eq!(signals(PAD), []);
    let text = telling("note.pressure * note.off_vel", "voices: 2");
    assert_eq!(signals(&text), [NoteSignal::Pressure, NoteSignal::OffVel]);
    // What is given to a parameter is computed for each voice.
    let given = "pad = sub(voices: 2, attack: 1ms + 50ms * voice.timbre)\nout = pad\n";
    assert_eq!(signals(given), [NoteSignal::Timbre]);
    // A host sees what all notes have that are given nothing.
    let names: Vec<String> = song(&text, false).manifest.params.iter().map(|p| p.path.clone()).collect();
    assert!(names.contains(&"t.note.pressure".to_owned()), "{names:?}");
}

#[test]
fn a_note_that_waits_returns_once_and_ends_with_its_key() {
    let text = telling("note * gate", "priority: last");
    let song = song(&text, false);
    let mut instance = Instance::active(&song, RATE.into());
    instance.process(256, &[on(0, 60), on(50, 64), off(100, 64), tuning(150, 60, 1.0)], None);
    assert_eq!([49, 50, 100, 150].map(|frame| instance.left[frame]), [60.0, 64.0, 60.0, 61.0]);
    instance.process(64, &[off(0, 60)], None);
    assert_eq!(instance.left[1], 0.0);
    // A key that goes up while its note waits ends it: it does not return.
    instance.process(256, &[on(0, 60), on(50, 64), off(100, 60), off(150, 64)], None);
    assert_eq!([149, 151].map(|frame| instance.left[frame]), [64.0, 0.0]);
    // So does one that goes up while the pedal is down.
    let keys = [[0xb0, 64, 127], [0x90, 60, 90], [0x90, 64, 90], [0x80, 60, 0], [0x80, 64, 0], [0xb0, 64, 0]];
    let events: Vec<AnyEvent> = (0..).map(|i| 10 * i).zip(keys).map(|(at, data)| midi(at, data)).collect();
    instance.process(256, &events, None);
    assert_eq!([29, 49, 51].map(|frame| instance.left[frame]), [64.0, 64.0, 0.0]);
}
