//! What the events of a pattern carry, from the words of the notation to notes.

use std::sync::Arc;

/// The value of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A word of the notation.
    Word(Arc<str>),
    /// A number: of the notation, or of a parameter in base units.
    Number(f64),
    /// Several values, joined by `:` in the notation.
    List(Arc<[Value]>),
    /// A note of an instrument.
    Note(Note),
}

/// A note as a score gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    /// The pitch of the note.
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
    /// The velocity is multiplied by this.
    Velocity(f64),
    /// Degrees become notes: `root` is the MIDI note of degree 0, `steps` are the semitones of one octave from 0.
    /// A degree between two others lies between their notes.
    Scale {
        /// MIDI note of degree 0.
        root: f64,
        /// Ascending, within one octave, beginning with 0.
        steps: Arc<[f64]>,
    },
    /// A number in some unit becomes one in base units: x ↦ x · times / over.
    Linear {
        /// More than 1 for units that are greater than the base unit.
        times: f64,
        /// More than 1 for smaller ones: 13 ms is the f64 nearest to 0.013, which 13 · 0.001 is not.
        over: f64,
    },
    /// A number in a logarithmic unit becomes a ratio or a frequency: x ↦ scale · base^(x / per).
    Power {
        /// The value that 0 is mapped to.
        scale: f64,
        /// The ratio of `per` units.
        base: f64,
        /// Units of one `base`.
        per: f64,
    },
}

/// What a range of the notation (`c4 .. e4`) counts through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    first: Start,
    /// How many values there are, both ends included.
    pub(super) steps: u32,
    sign: f64,
}

/// The first value of a range, without what only lists and words have.
#[derive(Clone, Copy, Debug)]
enum Start {
    Number(f64),
    Note(Note),
}

impl Count {
    /// Whole steps from `first` to `last`, up or down. `None` where they have nothing to count in common: numbers count
    /// by one, notes by semitones, degrees by degrees.
    pub(super) fn between(first: &Value, last: &Value) -> Option<Count> {
        let (first, from, to) = match (first, last) {
            (Value::Number(from), Value::Number(to)) => (Start::Number(*from), *from, *to),
            (Value::Note(_) | Value::List(_), Value::Note(_) | Value::List(_)) => {
                let (first, last) = (first.to_note(), last.to_note());
                let (from, to) = match (first.pitch, last.pitch) {
                    (Pitch::Note(from), Pitch::Note(to)) => (from, to),
                    (Pitch::Degree(from, _), Pitch::Degree(to, _)) => (from, to),
                    _ => return None,
                };
                (Start::Note(first), from, to)
            }
            _ => return None,
        };
        // A unit that is converted leaves an error of rounding: 1s is not less than 1000 steps of 1ms.
        let steps = ((to - from).abs() + 1.0 + 1e-9).min(f64::from(u32::MAX)) as u32;
        Some(Count { first, steps, sign: if from < to { 1.0 } else { -1.0 } })
    }

    /// The value after so many steps.
    pub(super) fn value(&self, step: i128) -> Value {
        let by = self.sign * step as f64;
        match self.first {
            Start::Number(from) => Value::Number(from + by),
            Start::Note(note) => {
                let pitch = match note.pitch {
                    Pitch::Degree(degree, above) => Pitch::Degree(degree + by, above),
                    Pitch::Note(midi) => Pitch::Note(midi + by),
                    plain @ Pitch::Plain(_) => plain,
                };
                Value::Note(Note { pitch, ..note })
            }
        }
    }
}

impl Value {
    /// A hit without a pitch.
    pub fn hit(vel: f64) -> Value {
        Value::Note(Note { pitch: Pitch::Plain(0.0), vel })
    }

    /// A note of a MIDI number, with the nominal velocity.
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

    /// The changed number; everything else stays as it is.
    fn with_number(&self, change: impl Fn(f64) -> f64) -> Value {
        self.number().map_or_else(|| self.clone(), |x| Value::Number(change(x)))
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
    /// The value after the change.
    pub fn apply(&self, value: &Value) -> Value {
        let note = value.to_note();
        Value::Note(match self {
            ValueMap::Linear { times, over } => return value.with_number(|x| x * times / over),
            ValueMap::Power { scale, base, per } => {
                return value.with_number(|x| scale * libm::pow(*base, x / per));
            }
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
