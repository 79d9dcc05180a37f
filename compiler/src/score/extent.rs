//! Notes that are played otherwise than they are meant: moved further than a note can be, at a velocity that is none, held for
//! far too long, or at a pitch that is not heard.

use super::codes::{NO_SUCH_PIECE, NOTE_LENGTH, NOTE_PITCH, NOTE_VELOCITY, VALUE_CLAMPED};
use super::compose::WrittenLine;
use super::schedule::Heard;
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::score::limits::MOST_DELAY;
use mam_runtime::score::{Action, Note, Pitch, Transport};
use rustc_hash::FxHashSet;

/// The velocity, 6 dB above a full hit, from which on a number is not meant as one: it counts something else.
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
    let mut reported = FxHashSet::default();
    for event in heard {
        if !matches!(transport.lines[event.line].action, Action::Play { .. }) {
            continue;
        }
        let line = &written[event.line];
        let played = Played {
            name: &line.name,
            span: line.span,
            numbered: line.numbered,
            pieces: line.pieces,
            form: Form::Pattern,
        };
        for problem in played.otherwise(&event.value.to_note()) {
            if reported.insert((event.line, problem.code.name)) {
                problems.add(problem);
            }
        }
    }
}

/// How a note is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As a step of a pattern.
    Pattern,
    /// As an object of JSON.
    Json,
}

/// What plays notes: a line of a score, or a node of JSON.
#[derive(Clone, Copy)]
pub(crate) struct Played<'a> {
    /// The name of the line or node.
    pub(crate) name: &'a str,
    /// Where it is written.
    pub(crate) span: Span,
    /// Whether the instrument reads the numbers of its notes.
    pub(crate) numbered: bool,
    /// Into how many pieces that cuts its sound, where it is known.
    pub(crate) pieces: Option<f64>,
    /// How its notes are written.
    pub(crate) form: Form,
}

impl Played<'_> {
    /// In what a note is played otherwise than it is meant.
    pub(crate) fn otherwise(self, note: &Note) -> impl Iterator<Item = Problem> {
        [self.delay(note), self.velocity(note), self.length(note), self.pitch(note)].into_iter().flatten()
    }

    fn delay(self, note: &Note) -> Option<Problem> {
        let milliseconds = |seconds: f64| format!("{}ms", seconds * 1000.0);
        let most = milliseconds(MOST_DELAY.copysign(note.delay));
        (note.delay.abs() > MOST_DELAY).then(|| {
            let message = format!(
                "a note of `{}` is moved by {}, and it can be moved by {} at most",
                self.name,
                milliseconds((note.delay * 1e6).round() / 1e6),
                milliseconds(MOST_DELAY)
            );
            Problem::new(&VALUE_CLAMPED, self.span, message).here(format!("becomes {most}")).help(match self
                .form
            {
                Form::Pattern => {
                    "move the pattern instead: `.shift(1/8)` plays it an eighth of a cycle later"
                }
                Form::Json => "let it begin at another `step`",
            })
        })
    }

    fn velocity(self, note: &Note) -> Option<Problem> {
        let shown = (note.vel * 1e6).round() / 1e6;
        let problem =
            |message: String, help: String| Some(Problem::new(&NOTE_VELOCITY, self.span, message).help(help));
        if note.vel < 0.0 {
            let message = format!("`{}` plays a note at the velocity {shown}, below 0", self.name);
            return problem(
                message,
                match self.form {
                    Form::Pattern => "a velocity is from 0 to 1; a rest is `~`".into(),
                    Form::Json => "a velocity is from 0 to 1: leave the note out".into(),
                },
            );
        }
        if note.vel < LOUDEST {
            return None;
        }
        let message = format!(
            "`{}` plays a note at the velocity {shown}, {:.0} dB above a full hit",
            self.name,
            20.0 * note.vel.log10()
        );
        let whole = note.vel.fract() == 0.0 && note.vel <= MOST_MIDI_VELOCITY;
        problem(
            message,
            match (self.form, whole) {
                (Form::Json, true) => {
                    format!(
                        "a velocity is from 0 to 1: {shown} of MIDI's {MOST_MIDI_VELOCITY} is `{:.2}`",
                        note.vel / MOST_MIDI_VELOCITY
                    )
                }
                (Form::Json, false) => "a velocity is from 0 to 1, and a little more for an accent".into(),
                (Form::Pattern, true) => format!(
                    "a velocity is from 0 to 1, as in `x:0.5`: {shown} of MIDI's {MOST_MIDI_VELOCITY} is `{:.2}`; the number of a \
                     sample is chosen by the instrument, not behind `:`",
                    note.vel / MOST_MIDI_VELOCITY
                ),
                (Form::Pattern, false) => {
                    "a velocity is from 0 to 1, as in `x:0.5`, and a little more for an accent".into()
                }
            },
        )
    }

    fn length(self, note: &Note) -> Option<Problem> {
        (note.length > LONGEST).then(|| {
            let shown = (note.length * 100.0).round() / 100.0;
            let message = format!("a note of `{}` is held for {shown} times its event", self.name);
            Problem::new(&NOTE_LENGTH, self.span, message).help(match self.form {
                Form::Pattern => {
                    format!("1 is the whole event: {shown} percent of it are `.legato({shown}%)`")
                }
                Form::Json => {
                    "100 percent are all of its steps: give it more `steps` to hold it longer".into()
                }
            })
        })
    }

    /// The number of a piece that there is not, and as the pitch of the whole sound out of hearing.
    fn no_piece(self, midi: f64, pieces: f64) -> Problem {
        let shown = (midi * 100.0).round() / 100.0;
        let (message, help) = if pieces > 1.0 {
            let last = pieces - 1.0;
            let message = format!("`{}` plays the piece {shown}, and its pieces are 0 to {last}", self.name);
            (message, format!("write one of 0 to {last}; the whole sound at its own pitch is `x`"))
        } else {
            let message = format!(
                "`{}` plays its sound at the pitch of the note {shown}, which is not heard",
                self.name
            );
            (message, "pieces of it are numbered where it has some: `slices: 8`; its own pitch is `x`".into())
        };
        Problem::new(&NO_SUCH_PIECE, self.span, message).help(help)
    }

    fn pitch(self, note: &Note) -> Option<Problem> {
        let Pitch::Note(midi) = note.pitch else { return None };
        let frequency = 440.0 * ((midi - 69.0) / 12.0).exp2();
        let pieces = match self.pieces {
            _ if !self.numbered => 0.0,
            // Any number may be meant.
            None => return None,
            Some(pieces) => pieces,
        };
        if AUDIBLE.contains(&frequency) || pieces > 1.0 && (0.0..pieces).contains(&midi) {
            return None;
        }
        if self.numbered {
            return Some(self.no_piece(midi, pieces));
        }
        let (shown, rounded) = ((midi * 100.0).round() / 100.0, (frequency * 10.0).round() / 10.0);
        let message = format!(
            "`{}` plays the note {shown}, {rounded} Hz, which is outside of what can be heard",
            self.name
        );
        let help = match (self.form, frequency < *AUDIBLE.start()) {
            (Form::Json, _) => "a note is a key of MIDI, of which 60 is c4 and 127 the highest",
            (Form::Pattern, true) => {
                "plain numbers are keys of MIDI, of which 60 is c4; for degrees say which scale, behind the pattern: \
                     `.scale(c, minor)`"
            }
            (Form::Pattern, false) => "plain numbers are keys of MIDI, of which 60 is c4 and 127 the highest",
        };
        Some(Problem::new(&NOTE_PITCH, self.span, message).help(help))
    }
}
