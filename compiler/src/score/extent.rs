//! Notes that are played otherwise than they are meant: moved further than a note can be, at a velocity that is none, held for
//! far too long, or at a pitch that is not heard.

use super::codes::{NOTE_LENGTH, NOTE_PITCH, NOTE_VELOCITY, VALUE_CLAMPED};
use super::compose::WrittenLine;
use super::schedule::Heard;
use mam_grammar::{Problem, Problems};
use mam_runtime::score::limits::MOST_DELAY;
use mam_runtime::score::{Action, Note, Pitch, Transport};
use std::collections::HashSet;

/// The loudest velocity that is meant as one, 6 dB above a full hit: what is above counts something else.
const LOUDEST: f64 = 2.0;

/// The highest MIDI velocity, which stands for 1.
const MOST_MIDI_VELOCITY: f64 = 127.0;

/// For how many times its event a note is held at most that is meant so: what is above is a number of percent.
const LONGEST: f64 = 16.0;

/// What can be heard, in Hz.
const AUDIBLE: std::ops::RangeInclusive<f64> = 16.0..=20_000.0;

/// Warns of the first such note of each line among the onsets `heard`, once for each property.
pub(super) fn check(
    heard: &[Heard],
    transport: &Transport,
    written: &[WrittenLine],
    problems: &mut Problems,
) {
    let mut reported = HashSet::new();
    for event in heard {
        if !matches!(transport.lines[event.line].action, Action::Play { .. }) {
            continue;
        }
        let note = &event.value.to_note();
        let line = &written[event.line];
        let found = [delay(note, line), velocity(note, line), length(note, line), pitch(note, line)];
        for problem in found.into_iter().flatten() {
            if reported.insert((event.line, problem.code.name)) {
                problems.add(problem);
            }
        }
    }
}

fn delay(note: &Note, line: &WrittenLine) -> Option<Problem> {
    let milliseconds = |seconds: f64| format!("{}ms", seconds * 1000.0);
    let most = milliseconds(MOST_DELAY.copysign(note.delay));
    (note.delay.abs() > MOST_DELAY).then(|| {
        let message = format!(
            "a note of `{}` is moved by {}, and it can be moved by {} at most",
            line.name,
            milliseconds((note.delay * 1e6).round() / 1e6),
            milliseconds(MOST_DELAY)
        );
        Problem::new(&VALUE_CLAMPED, line.span, message)
            .here(format!("becomes {most}"))
            .help("move the pattern instead: `.shift(1/8)` plays it an eighth of a cycle later")
    })
}

fn velocity(note: &Note, line: &WrittenLine) -> Option<Problem> {
    let shown = (note.vel * 1e6).round() / 1e6;
    let problem =
        |message: String, help: String| Some(Problem::new(&NOTE_VELOCITY, line.span, message).help(help));
    if note.vel < 0.0 {
        let message = format!("`{}` plays a note at the velocity {shown}, below 0", line.name);
        return problem(message, "a velocity is from 0 to 1; a rest is `~`".into());
    }
    if note.vel <= LOUDEST {
        return None;
    }
    let message = format!(
        "`{}` plays a note at the velocity {shown}, {:.0} dB above a full hit",
        line.name,
        20.0 * note.vel.log10()
    );
    let whole = note.vel.fract() == 0.0 && note.vel <= MOST_MIDI_VELOCITY;
    problem(
        message,
        match whole {
            true => format!(
                "a velocity is from 0 to 1, as in `x:0.5`: {shown} of MIDI's {MOST_MIDI_VELOCITY} is `{:.2}`; the number of a \
                 sample is chosen by the instrument, not behind `:`",
                note.vel / MOST_MIDI_VELOCITY
            ),
            false => "a velocity is from 0 to 1, as in `x:0.5`, and a little more for an accent".into(),
        },
    )
}

fn length(note: &Note, line: &WrittenLine) -> Option<Problem> {
    (note.length > LONGEST).then(|| {
        let shown = (note.length * 100.0).round() / 100.0;
        let message = format!("a note of `{}` is held for {shown} times its event", line.name);
        Problem::new(&NOTE_LENGTH, line.span, message)
            .help(format!("1 is the whole event: {shown} percent of it are `.legato({shown}%)`"))
    })
}

fn pitch(note: &Note, line: &WrittenLine) -> Option<Problem> {
    let Pitch::Note(midi) = note.pitch else { return None };
    if line.numbered {
        return None;
    }
    let frequency = 440.0 * ((midi - 69.0) / 12.0).exp2();
    if AUDIBLE.contains(&frequency) {
        return None;
    }
    let (shown, rounded) = ((midi * 100.0).round() / 100.0, (frequency * 10.0).round() / 10.0);
    let message = format!(
        "`{}` plays the note {shown}, {rounded} Hz, which is outside of what can be heard",
        line.name
    );
    let help = match frequency < *AUDIBLE.start() {
        true => {
            "plain numbers are keys of MIDI, of which 60 is c4; for degrees say which scale, behind the pattern: \
                 `.scale(c, minor)`"
        }
        false => "plain numbers are keys of MIDI, of which 60 is c4 and 127 the highest",
    };
    Some(Problem::new(&NOTE_PITCH, line.span, message).help(help))
}
