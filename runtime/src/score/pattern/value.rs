//! What the events of a pattern carry, from the words of the notation to notes.

use crate::ids::ParamId;
use std::sync::Arc;

/// The value of an event.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
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
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Note {
    /// The pitch of the note.
    pub pitch: Pitch,
    /// Velocity; 1 is nominal.
    pub vel: f64,
    /// How long it is held, as a share of its event.
    pub length: f64,
    /// Seconds by which it is played later than its event begins; earlier where negative.
    pub delay: f64,
    /// The values of parameters that it gives to its voice, each parameter once; `None` for none.
    pub values: Option<Arc<[NoteValue]>>,
}

/// The value of a parameter that a note gives to its voice.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct NoteValue {
    /// The parameter: one of its instrument.
    pub param: ParamId,
    /// The value, in the unit.
    pub value: f64,
    /// What it is measured in.
    pub unit: ValueUnit,
}

/// What the value of a parameter is measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum ValueUnit {
    /// The base unit of the parameter.
    #[default]
    Base,
    /// Cycles, at the tempo where the note begins: a time.
    Cycles,
}

/// The parameters of a sampler that say which piece of a sound a note plays: where it begins and ends, as shares of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Pieces {
    /// The parameter that says where the piece begins, from 0 to 1.
    pub begin: ParamId,
    /// The parameter that says where it ends, from 0 to 1.
    pub end: ParamId,
}

/// The parameters of a sampler whose sound is to last as long as a note's event: which piece is played, and in what time the slice
/// that it is a piece of would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Fitted {
    /// Which piece of the sound a note plays.
    pub pieces: Pieces,
    /// The parameter that says in what time a slice is played, or the whole sound where there are none.
    pub time: ParamId,
}

impl Fitted {
    /// A note whose piece of a slice lasts so many cycles; the slice lasts longer by what is left out.
    pub(super) fn fit(self, value: &Value, cycles: f64) -> Value {
        let (begin, end) = self.pieces.bounds(&value.to_note());
        match end > begin {
            true => Joint::Cycles(self.time).apply(value, cycles / (end - begin)),
            false => value.clone(),
        }
    }
}

impl Pieces {
    /// Where the piece that a note plays begins and ends: the whole sound, if it says nothing.
    fn bounds(self, note: &Note) -> (f64, f64) {
        let given = |param| {
            let values = note.values.iter().flat_map(|values| values.iter());
            values.filter(|value| value.param == param).map(|value| value.value).next_back()
        };
        (given(self.begin).unwrap_or(0.0), given(self.end).unwrap_or(1.0))
    }

    /// A note that plays piece `i`, from 0, of `n` of what it has played.
    pub(super) fn piece(self, value: &Value, i: u32, n: u32) -> Value {
        let note = value.to_note();
        let (begin, end) = self.bounds(&note);
        let at = |i: u32| begin + (end - begin) * (f64::from(i) / f64::from(n.max(1)));
        Value::Note(self.put(note, at(i), at(i + 1)))
    }

    fn put(self, note: Note, begin: f64, end: f64) -> Note {
        note.with_value(self.begin, begin, ValueUnit::Base).with_value(self.end, end, ValueUnit::Base)
    }
}

/// How high a note is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum Pitch {
    /// A hit without a pitch, so many semitones above the instrument's own note.
    Plain(f64),
    /// A MIDI note number.
    Note(f64),
    /// A degree of a scale that is still to be given, from 0, and so many semitones above it.
    Degree(f64, f64),
}

/// What a number does to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum Joint {
    /// The velocity is multiplied by it.
    Velocity,
    /// So many semitones are added to a note.
    Transpose,
    /// Is added: to a number, to a degree of a scale, or in semitones to a note.
    Add,
    /// Is taken away likewise.
    Subtract,
    /// A number, a degree or the number of a note is multiplied by it.
    Multiply,
    /// The length of a note is multiplied by it.
    Length,
    /// A note is played so many seconds later.
    Delay,
    /// It is the value of a parameter that the note gives to its voice, in place of one that it had.
    Value(ParamId),
    /// So many cycles are the value of a parameter, likewise.
    Cycles(ParamId),
    /// Which of so many pieces of the whole sound a note plays, from 0.
    Piece(Pieces, u32),
}

/// A change that is the same for every value.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum ValueMap {
    /// One number is put into every value.
    Join(Joint, f64),
    /// A note plays piece `index`, from 0, of `count` of what it has played.
    Piece {
        /// The parameters that say what a note plays.
        pieces: Pieces,
        /// Which piece.
        index: u32,
        /// How many pieces there are.
        count: u32,
    },
    /// A number from 0 to 1 becomes one from `low` to `high`.
    Between {
        /// What 0 becomes.
        low: f64,
        /// What 1 becomes.
        high: f64,
    },
    /// Degrees become notes: `root` is the MIDI note of degree 0, `steps` are the semitones of one octave from 0.
    /// A degree between two others is the upper one. A number is a degree, too.
    Scale {
        /// MIDI note of degree 0.
        root: f64,
        /// Ascending, within one octave, beginning with 0.
        steps: Arc<[f64]>,
    },
    /// Values of a list become numbers; others stay.
    Lookup(Arc<[(Value, f64)]>),
    /// A number in some unit becomes one in base units: x ↦ x · times / over.
    Linear {
        /// More than 1 for units that are greater than the base unit.
        times: f64,
        /// More than 1 for smaller ones: 13 ms is the f64 nearest to 0.013, which 13 · 0.001 is not.
        over: f64,
    },
    /// A number becomes the word that people write for it: with a unit behind it, or as a note where that is `None`.
    Written(Option<Arc<str>>),
    /// A number of units of frequency becomes a note.
    Frequency {
        /// The unit in Hz.
        scale: f64,
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
#[derive(Clone, Debug)]
pub(super) struct Count {
    first: Start,
    /// How many values there are, both ends included.
    pub(super) steps: u32,
    sign: f64,
}

/// The first value of a range, without what only lists and words have.
#[derive(Clone, Debug)]
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
        match &self.first {
            Start::Number(from) => Value::Number(from + by),
            Start::Note(note) => {
                let pitch = match note.pitch {
                    Pitch::Degree(degree, above) => Pitch::Degree(degree + by, above),
                    Pitch::Note(midi) => Pitch::Note(midi + by),
                    plain @ Pitch::Plain(_) => plain,
                };
                Value::Note(Note { pitch, ..note.clone() })
            }
        }
    }
}

impl Value {
    /// A hit without a pitch.
    pub fn hit(vel: f64) -> Value {
        Value::Note(Note { vel, ..Note::new(Pitch::Plain(0.0)) })
    }

    /// A note of a MIDI number, with the nominal velocity.
    pub fn note(note: f64) -> Value {
        Value::Note(Note::new(Pitch::Note(note)))
    }

    /// What a rhythm says of an instant: a rest, 0, `f` and `false` are false, everything else is true.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Number(x) => *x != 0.0,
            Value::Word(word) => !matches!(&**word, "f" | "false"),
            Value::List(_) | Value::Note(_) => true,
        }
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
            Value::Note(note) => note.clone(),
            Value::Number(x) => Note::new(Pitch::Note(*x)),
            Value::Word(_) => Note::new(Pitch::Plain(0.0)),
            Value::List(all) => {
                let first = all.first().map_or_else(|| Note::new(Pitch::Plain(0.0)), Value::to_note);
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
    /// A note of the nominal velocity that lasts as long as its event.
    pub fn new(pitch: Pitch) -> Note {
        Note { pitch, vel: 1.0, length: 1.0, delay: 0.0, values: None }
    }

    /// The MIDI note, for an instrument whose plain hits have `default`. A degree without a scale is a MIDI note.
    pub fn midi(&self, default: f64) -> f64 {
        match self.pitch {
            Pitch::Plain(above) => default + above,
            Pitch::Note(note) => note,
            Pitch::Degree(degree, above) => degree + above,
        }
    }

    /// The same note with the value of one more parameter, or another value of it.
    fn with_value(self, param: ParamId, value: f64, unit: ValueUnit) -> Note {
        let before = self.values.iter().flat_map(|values| values.iter().copied());
        let others = before.filter(|known| known.param != param);
        let values = others.chain([NoteValue { param, value, unit }]).collect();
        Note { values: Some(values), ..self }
    }

    fn raised(self, semitones: f64) -> Note {
        let pitch = match self.pitch {
            Pitch::Plain(above) => Pitch::Plain(above + semitones),
            Pitch::Note(note) => Pitch::Note(note + semitones),
            Pitch::Degree(degree, above) => Pitch::Degree(degree, above + semitones),
        };
        Note { pitch, ..self }
    }

    /// The same note with another number: of its degree, or its MIDI number.
    fn counted(self, change: impl Fn(f64) -> f64) -> Note {
        let pitch = match self.pitch {
            Pitch::Plain(above) => Pitch::Plain(change(above)),
            Pitch::Note(note) => Pitch::Note(change(note)),
            Pitch::Degree(degree, above) => Pitch::Degree(change(degree), above),
        };
        Note { pitch, ..self }
    }
}

impl Joint {
    /// The value with the number put into it.
    pub fn apply(self, value: &Value, x: f64) -> Value {
        if self == Joint::Subtract {
            return Joint::Add.apply(value, -x);
        }
        let note = match (self, value) {
            (Joint::Add, Value::Number(number)) => return Value::Number(number + x),
            (Joint::Multiply, Value::Number(number)) => return Value::Number(number * x),
            (Joint::Add | Joint::Multiply, Value::Word(_)) => return value.clone(),
            _ => value.to_note(),
        };
        Value::Note(match self {
            Joint::Velocity => Note { vel: note.vel * x, ..note },
            Joint::Transpose => note.raised(x),
            Joint::Add | Joint::Subtract => note.counted(|number| number + x),
            Joint::Multiply => note.counted(|number| number * x),
            Joint::Length => Note { length: note.length * x.max(0.0), ..note },
            Joint::Delay => Note { delay: note.delay + x, ..note },
            Joint::Value(param) => note.with_value(param, x, ValueUnit::Base),
            Joint::Cycles(param) => note.with_value(param, x, ValueUnit::Cycles),
            Joint::Piece(pieces, n) => pieces.put(note, x / f64::from(n), (x + 1.0) / f64::from(n)),
        })
    }
}

impl ValueMap {
    /// The value after the change.
    pub fn apply(&self, value: &Value) -> Value {
        match self {
            ValueMap::Join(joint, x) => joint.apply(value, *x),
            ValueMap::Piece { pieces, index, count } => pieces.piece(value, *index, *count),
            ValueMap::Lookup(all) => {
                let found = all.iter().find(|(known, _)| known == value);
                found.map_or_else(|| value.clone(), |(_, x)| Value::Number(*x))
            }
            ValueMap::Between { low, high } => value.with_number(|x| low + x * (high - low)),
            ValueMap::Linear { times, over } => value.with_number(|x| x * times / over),
            ValueMap::Written(unit) => match value {
                Value::Number(x) => Value::Word(written(*x, unit.as_deref())),
                other => other.clone(),
            },
            ValueMap::Frequency { scale } => match value {
                Value::Number(x) => Value::note(69.0 + 12.0 * libm::log2(x * scale / 440.0)),
                other => other.clone(),
            },
            ValueMap::Power { scale, base, per } => value.with_number(|x| scale * libm::pow(*base, x / per)),
            ValueMap::Scale { root, steps } => {
                let note = match value {
                    Value::Number(x) => Note::new(Pitch::Degree(*x, 0.0)),
                    value => value.to_note(),
                };
                Value::Note(match note.pitch {
                    Pitch::Degree(degree, above) => {
                        Note { pitch: Pitch::Note(root + degree_height(degree, steps) + above), ..note }
                    }
                    _ => note,
                })
            }
        }
    }
}

/// Semitones above the root of the degree that is the next one at or above a number.
fn degree_height(degree: f64, steps: &[f64]) -> f64 {
    /// What a number may be off its degree, as numbers that were computed are rounded.
    const ROUNDED: f64 = 1e-9;
    let degree = (degree - ROUNDED).ceil();
    let octave = (degree / steps.len() as f64).floor();
    let step = degree - octave * steps.len() as f64;
    octave * 12.0 + steps.get(step as usize).copied().unwrap_or(0.0)
}

/// A number as it is written: with a unit, or as the name of a note where it is one.
fn written(x: f64, unit: Option<&str>) -> Arc<str> {
    const NAMES: [&str; 12] = ["c", "c#", "d", "eb", "e", "f", "f#", "g", "ab", "a", "bb", "b"];
    match unit {
        Some(unit) => format!("{x}{unit}").into(),
        None if x.fract() == 0.0 && (12.0..=131.0).contains(&x) => {
            let key = x as usize;
            format!("{}{}", NAMES[key % 12], key / 12 - 1).into()
        }
        None => x.to_string().into(),
    }
}
