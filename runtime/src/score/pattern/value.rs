//! What the events of a pattern carry, from the words of the notation to notes.

use std::sync::Arc;

/// The value of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A word of the notation.
    Word(Arc<str>),
    /// A number: of the notation, or of a parameter in base units.
    Number(f64),
    /// Joined by `:`.
    List(Arc<[Value]>),
    /// A note of an instrument.
    Note(Note),
}

/// A note as a score gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    /// How high.
    pub pitch: Pitch,
    /// Velocity; 1 is nominal.
    pub vel: f64,
}

/// How high a note is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pitch {
    /// A hit without a pitch, so many semitones above the instrument's own note.
    Plain(f64),
    /// A MIDI note number.
    Note(f64),
    /// A degree of a scale that is still to be given, from 0, and so many semitones above it.
    Degree(f64, f64),
}

/// A change that is the same for every value.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueMap {
    /// Semitones are added to notes.
    Transpose(f64),
    /// Velocities are multiplied.
    Velocity(f64),
    /// Degrees become notes: `root` is the MIDI note of degree 0, `steps` are the semitones of one octave from 0.
    /// A degree between two others lies between their notes.
    Scale {
        /// MIDI note of degree 0.
        root: f64,
        /// Ascending, within one octave, beginning with 0.
        steps: Arc<[f64]>,
    },
}

impl Value {
    /// A hit without a pitch.
    pub fn hit(vel: f64) -> Value {
        Value::Note(Note { pitch: Pitch::Plain(0.0), vel })
    }

    /// A note.
    pub fn note(note: f64) -> Value {
        Value::Note(Note { pitch: Pitch::Note(note), vel: 1.0 })
    }

    /// The number that it is, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Number(x) => Some(*x),
            _ => None,
        }
    }

    /// The note that it plays: a list's second value is a velocity, a word is a plain hit.
    pub fn to_note(&self) -> Note {
        match self {
            Value::Note(note) => *note,
            Value::Number(x) => Note { pitch: Pitch::Note(*x), vel: 1.0 },
            Value::Word(_) => Note { pitch: Pitch::Plain(0.0), vel: 1.0 },
            Value::List(all) => {
                let first = all.first().map_or(Note { pitch: Pitch::Plain(0.0), vel: 1.0 }, Value::to_note);
                Note { vel: first.vel * all.get(1).and_then(Value::number).unwrap_or(1.0), ..first }
            }
        }
    }

    /// This value and one more as a list; a list on the left grows.
    pub(super) fn join(&self, tail: Value) -> Value {
        let mut all = match self {
            Value::List(all) => all.to_vec(),
            one => vec![one.clone()],
        };
        all.push(tail);
        Value::List(all.into())
    }
}

impl Note {
    /// The MIDI note, for an instrument whose plain hits have `default`. A degree without a scale is a MIDI note.
    pub fn midi(self, default: f64) -> f64 {
        match self.pitch {
            Pitch::Plain(above) => default + above,
            Pitch::Note(note) => note,
            Pitch::Degree(degree, above) => degree + above,
        }
    }

    fn raised(self, semitones: f64) -> Note {
        let pitch = match self.pitch {
            Pitch::Plain(above) => Pitch::Plain(above + semitones),
            Pitch::Note(note) => Pitch::Note(note + semitones),
            Pitch::Degree(degree, above) => Pitch::Degree(degree, above + semitones),
        };
        Note { pitch, ..self }
    }
}

impl ValueMap {
    /// The changed value.
    pub fn apply(&self, value: &Value) -> Value {
        let note = value.to_note();
        Value::Note(match self {
            ValueMap::Transpose(semitones) => note.raised(*semitones),
            ValueMap::Velocity(factor) => Note { vel: note.vel * factor, ..note },
            ValueMap::Scale { root, steps } => match note.pitch {
                Pitch::Degree(degree, above) => {
                    Note { pitch: Pitch::Note(root + degree_height(degree, steps) + above), ..note }
                }
                _ => note,
            },
        })
    }
}

/// Semitones of a degree above the root.
fn degree_height(degree: f64, steps: &[f64]) -> f64 {
    let whole = |d: f64| {
        let octave = (d / steps.len() as f64).floor();
        let step = d - octave * steps.len() as f64;
        octave * 12.0 + steps.get(step as usize).copied().unwrap_or(0.0)
    };
    let below = degree.floor();
    let (low, high) = (whole(below), whole(below + 1.0));
    low + (degree - below) * (high - low)
}
