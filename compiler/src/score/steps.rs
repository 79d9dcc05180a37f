//! What a range of the notation counts in: `10% .. 13%` goes by percents, `c4 .. e4` by semitones.
//!
//! The ends are read as numbers of one unit, the range counts them by one, and what comes out is converted.

use super::codes::PATTERN_VALUE;
use super::pitch::note_number;
use super::values::{in_base, note, semitones, velocity};
use super::{Instrument, Parameter};
use crate::dimension::{Dimension, base_value};
use mam_grammar::ast::Unit;
use mam_grammar::float;
use mam_grammar::mini::{Base, Item, Op, OpKind, Word};
use mam_grammar::{Problem, Problems};
use mam_runtime::score::pattern::ValueMap;
use mam_runtime::score::{Pitch, Value};

/// The steps of a range, and what its ends are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps<'a> {
    ends: Ends<'a>,
    unit: StepUnit,
}

/// How the ends of a range are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ends<'a> {
    Velocities,
    Semitones,
    Values(&'a Parameter),
    /// Words for looking at: notes, and numbers with any unit.
    Written,
    /// Notes by their frequencies.
    Frequencies(&'a Instrument),
}

/// How a number of steps becomes a value in base units.
#[derive(Clone, Copy, Debug)]
enum StepUnit {
    /// scale · x
    Linear(f64),
    /// x units of Hz
    Frequency(f64),
    /// The word that is written with this unit; a note where it is `None`.
    Written(Option<Unit>),
    /// scale · base^(x / per)
    Power { scale: f64, base: f64, per: f64 },
}

impl<'a> Steps<'a> {
    /// The steps of a range between the words `ends`, which are read as `kind`.
    pub(super) fn new(kind: Ends<'a>, ends: &[&Word]) -> Steps<'a> {
        let unit = ends.iter().find_map(|word| kind.unit(word)).unwrap_or(match kind {
            Ends::Written => StepUnit::Written(None),
            Ends::Frequencies(_) => StepUnit::Frequency(1.0),
            Ends::Values(param) => StepUnit::Linear(param.scale),
            _ => StepUnit::Linear(1.0),
        });
        Steps { ends: kind, unit }
    }

    /// The number of an end.
    pub(super) fn value(self, word: &Word, problems: &mut Problems) -> Result<Value, Problem> {
        let base = match self.ends {
            Ends::Velocities => velocity(word)?.number(),
            Ends::Semitones => semitones(word)?.number(),
            Ends::Values(param) => Some(in_base(word, param, problems)?),
            Ends::Written => self.written(word),
            Ends::Frequencies(of) => match note(word, of, false)?.pitch {
                Pitch::Note(midi) => Some(440.0 * ((midi - 69.0) / 12.0).exp2()),
                _ => None,
            },
        };
        let steps = base.map(|base| self.unit.steps(base)).filter(|steps| steps.is_finite());
        steps.map(Value::Number).ok_or_else(|| {
            let message = format!("a range in these units does not reach `{}`", word.text);
            Problem::new(&PATTERN_VALUE, word.span, message)
                .help("give both ends one unit, such as `-12dB .. 0dB`")
        })
    }

    /// The number of a word that is looked at: before its unit, or that of its note.
    fn written(self, word: &Word) -> Option<f64> {
        match self.unit {
            StepUnit::Written(Some(unit)) => {
                float::parse(word.text.strip_suffix(unit.text()).unwrap_or(&word.text))
            }
            _ => note_number(&word.text).or_else(|| word.number()),
        }
    }

    /// What makes values of the numbers of steps.
    pub(super) fn map(self) -> ValueMap {
        match self.unit {
            StepUnit::Frequency(scale) => ValueMap::Frequency { scale },
            StepUnit::Written(unit) => ValueMap::Written(unit.map(|unit| unit.text().into())),
            StepUnit::Linear(scale) if scale < 1.0 => {
                ValueMap::Linear { times: 1.0, over: scale.recip().round() }
            }
            StepUnit::Linear(scale) => ValueMap::Linear { times: scale, over: 1.0 },
            StepUnit::Power { scale, base, per } => ValueMap::Power { scale, base, per },
        }
    }
}

impl Ends<'_> {
    /// The unit that a word is written in, if any.
    fn unit(self, word: &Word) -> Option<StepUnit> {
        let unit = Unit::ALL.into_iter().find(|unit| {
            word.text.strip_suffix(unit.text()).is_some_and(|digits| float::parse(digits).is_some())
        });
        match (self, unit) {
            (Ends::Written, Some(unit)) => Some(StepUnit::Written(Some(unit))),
            (Ends::Written, None) => None,
            (Ends::Frequencies(_), Some(unit @ (Unit::Hz | Unit::KHz))) => {
                Some(StepUnit::Frequency(base_value(1.0, Some(unit))))
            }
            (Ends::Frequencies(_), _) => None,
            (Ends::Semitones, Some(Unit::Ct)) => Some(StepUnit::Linear(0.01)),
            (Ends::Semitones, Some(Unit::Octaves)) => Some(StepUnit::Linear(12.0)),
            (Ends::Semitones, _) => None,
            (_, Some(Unit::Db)) => Some(StepUnit::Power { scale: 1.0, base: 10.0, per: 20.0 }),
            (_, Some(Unit::St)) => Some(StepUnit::Power { scale: 1.0, base: 2.0, per: 12.0 }),
            (_, Some(Unit::Ct)) => Some(StepUnit::Power { scale: 1.0, base: 2.0, per: 1200.0 }),
            (_, Some(Unit::Octaves)) => Some(StepUnit::Power { scale: 1.0, base: 2.0, per: 1.0 }),
            (_, Some(unit)) => Some(StepUnit::Linear(base_value(1.0, Some(unit)))),
            (Ends::Values(param), None) if param.dimension == Dimension::FREQUENCY => {
                // MIDI note 69 is 440 Hz.
                let scale = 440.0 * (-69.0f64 / 12.0).exp2();
                note_number(&word.text).map(|_| StepUnit::Power { scale, base: 2.0, per: 12.0 })
            }
            (_, None) => None,
        }
    }
}

impl StepUnit {
    /// How many steps a value in base units is; not finite where none are.
    fn steps(self, value: f64) -> f64 {
        let steps = match self {
            StepUnit::Linear(scale) | StepUnit::Frequency(scale) => value / scale,
            StepUnit::Written(_) => value,
            StepUnit::Power { scale, base, per } => per * (value / scale).ln() / base.ln(),
        };
        // The conversion there and back leaves an error of rounding.
        let whole = steps.round();
        if (steps - whole).abs() < 1e-9 * whole.abs().max(1.0) { whole } else { steps }
    }
}

/// Whether words are all notes, or all numbers, of which one has a unit: else a range of them counts nothing.
pub(super) fn are_of_one_kind(words: &[&Word]) -> bool {
    let is_note = |word: &&Word| word.number().is_none() && note_number(&word.text).is_some();
    let has_unit = |word: &&Word| Ends::Written.unit(word).is_some();
    let is_number = |word: &&Word| word.number().is_some() || has_unit(word);
    words.iter().all(is_note) || words.iter().all(is_number) && words.iter().any(has_unit)
}

/// Whether a word is a number with a unit of frequency.
pub(super) fn is_frequency(word: &Word) -> bool {
    let digits = word.text.strip_suffix("kHz").or(word.text.strip_suffix("Hz"));
    digits.is_some_and(|digits| float::parse(digits).is_some())
}

/// The words at both ends of the ranges of an item: those of its base, and of the ranges' other sides.
pub(super) fn ends(item: &Item) -> Vec<&Word> {
    let mut found = Vec::new();
    words_of(&item.base, &mut found);
    let others = item.ops.iter().filter_map(|op: &Op| match &op.kind {
        OpKind::Range(to) => Some(to),
        _ => None,
    });
    others.for_each(|to| words_of(to, &mut found));
    found
}

/// The words of a step that are not rests.
pub(super) fn words_of<'i>(base: &'i Base, found: &mut Vec<&'i Word>) {
    let layers = match base {
        Base::Word(word) if word.is_rest() => return,
        Base::Word(word) => return found.push(word),
        Base::Fast(group) => &group.parts,
        Base::Slow(layers) | Base::Poly { layers, .. } => layers,
    };
    layers.iter().flat_map(|layer| &layer.items).for_each(|item| found.extend(ends(item)));
}

/// What is wrong with a range of notes: hits have nothing to count through, and notes and degrees nothing in common.
pub(super) fn check_notes(of: &Instrument, degrees: bool, ends: &[&Word]) -> Option<Problem> {
    let mut first: Option<Pitch> = None;
    for word in ends {
        let pitch = note(word, of, degrees).ok()?.pitch;
        let problem = |message: String| Problem::new(&PATTERN_VALUE, word.span, message);
        match (first, pitch) {
            (_, Pitch::Plain(_)) => {
                let message =
                    format!("a range counts notes or degrees, and `{}` is a hit without a pitch", word.text);
                return Some(problem(message).help("to repeat a hit, write `x*4`"));
            }
            (Some(Pitch::Note(_)), Pitch::Degree(..)) | (Some(Pitch::Degree(..)), Pitch::Note(_)) => {
                let message = "one end of this range is a note, the other a degree of a scale";
                return Some(problem(message.into()).help("write both as notes, or both as degrees"));
            }
            _ => first = Some(pitch),
        }
    }
    None
}
