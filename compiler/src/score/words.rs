//! What the words of a pattern mean: notes, hits, numbers with units, or just words.

use super::codes::{PATTERN_NUMBER, PATTERN_VALUE};
use super::pitch::note_number;
use super::steps::{Ends, Steps, are_of_one_kind, is_frequency};
use super::values::{
    amount, chord_name, chord_symbol, measured, note, parameter, pitch, plain, rhythm, seconds, semitones,
    velocity,
};
use super::{Instrument, Parameter};
use mam_grammar::mini::Word;
use mam_grammar::{Problem, Problems};
use mam_runtime::score::pattern::SourceRange;
use mam_runtime::score::{Pattern, Value};

/// How the words of a pattern are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Words<'a> {
    /// Words as words, numbers as numbers: for looking at patterns.
    AsWritten,
    /// Numbers alone: arguments of operators.
    Numbers,
    /// Notes of an instrument; numbers are degrees of a scale where `degrees`, words are chords where `chords`.
    Notes { of: &'a Instrument, degrees: bool, chords: bool },
    /// After `:` in a note.
    Velocities,
    /// After `:` in a note's velocity, and in a parameter's value: nothing.
    Nothing,
    /// Semitones: the argument of `transpose`.
    Semitones,
    /// Plain numbers, with a unit that is a ratio where they have one.
    Plain,
    /// Times in seconds.
    Seconds,
    /// Notes by their names, or their numbers, as numbers.
    Pitches,
    /// True and false.
    Rhythm,
    /// Numbers with the unit of whatever they measure, in base units; plain ones as they are.
    Measured,
    /// Values of a parameter.
    Values(&'a Parameter),
    /// What is added to the values of a parameter.
    Amounts(&'a Parameter),
    /// The ends of a range, as numbers of the steps in which it counts.
    Steps(Steps<'a>),
}

impl<'a> Words<'a> {
    /// How the words after a `:` are read.
    pub(super) fn after_colon(self) -> Words<'a> {
        match self {
            Words::AsWritten => Words::AsWritten,
            Words::Notes { .. } => Words::Velocities,
            _ => Words::Nothing,
        }
    }

    /// The steps of a range with the words `ends`. `None` where the words count by themselves: notes and numbers.
    pub(super) fn steps(self, ends: &[&Word]) -> Option<Steps<'a>> {
        let kind = match self {
            Words::Velocities => Ends::Velocities,
            Words::Semitones => Ends::Semitones,
            Words::Values(param) => Ends::Values(param),
            Words::AsWritten if are_of_one_kind(ends) => Ends::Written,
            Words::Notes { of, .. } if of.pitched && ends.iter().any(|end| is_frequency(end)) => {
                Ends::Frequencies(of)
            }
            _ => return None,
        };
        Some(Steps::new(kind, ends))
    }

    /// The pattern of a word that is not a rest: its value, or the notes of a chord.
    pub(super) fn pattern(self, word: &Word, problems: &mut Problems) -> Pattern {
        let chord = match self {
            Words::Notes { of, chords: true, .. } if of.pitched => chord_symbol(word).map(Some),
            Words::Notes { of, .. } if of.pitched && word.text.contains('\'') => chord_name(word).map(Some),
            _ => Ok(None),
        };
        let place = SourceRange::new(word.span.start..word.span.end);
        let step = |value| Pattern::step(value, place);
        let notes = |notes: Vec<f64>| Pattern::stack(notes.into_iter().map(Value::note).map(step).collect());
        let read = chord.and_then(|chord| match chord {
            Some(chord) => Ok(notes(chord)),
            None => self.read(word, problems).map(step),
        });
        read.unwrap_or_else(|problem| {
            problems.add(problem);
            Pattern::silence()
        })
    }

    /// The value of a word that is not a rest.
    pub(super) fn read(self, word: &Word, problems: &mut Problems) -> Result<Value, Problem> {
        if !matches!(self, Words::AsWritten)
            && let Some((first, last)) = word.text.split_once("..")
            && !first.is_empty()
            && !last.is_empty()
            && !last.contains("..")
        {
            let meant = format!("{first} .. {last}");
            let problem =
                Problem::new(&PATTERN_VALUE, word.span, "the dots of a range have white space around them");
            return Err(problem.help(format!("write `{meant}`")).fix(word.span, meant));
        }
        match self {
            // Between its quotes a word with such a mark is a note with a chord on it.
            Words::AsWritten if word.text.contains('\'') => chord_name(word).map(|_| Value::Word(word.text.clone())),
            Words::AsWritten => {
                Ok(word.number().map_or_else(|| Value::Word(word.text.clone()), Value::Number))
            }
            Words::Numbers => word.number().map(Value::Number).ok_or_else(|| {
                let problem =
                    Problem::new(&PATTERN_NUMBER, word.span, format!("`{}` is not a number", word.text));
                problem.help(match note_number(&word.text) {
                    Some(_) => {
                        "notes at once stand in brackets, `[c4,e4,g4]`; one after another they have white space between them"
                    }
                    None => "an operator's argument is a number, or a pattern of numbers: `x*2`, `x*<2 3>`",
                })
            }),
            Words::Notes { of, degrees, .. } => note(word, of, degrees).map(Value::Note),
            Words::Velocities => velocity(word).map_err(|problem| {
                problem
                    .help("`:` stands between a note and its velocity: `c4:0.5`; a chord by name is `c4'maj`")
            }),
            Words::Semitones => semitones(word),
            Words::Plain => plain(word, "a plain number, such as `0.5`"),
            Words::Seconds => seconds(word),
            Words::Measured => measured(word),
            Words::Pitches => pitch(word),
            Words::Rhythm => rhythm(word),
            Words::Nothing => Err(Problem::new(&PATTERN_VALUE, word.span, "nothing can follow this `:`")
                .help("`:` stands between a note and its velocity: `c4:0.5`")),
            Words::Values(param) => parameter(word, param, problems),
            Words::Amounts(param) => amount(word, param),
            Words::Steps(steps) => steps.value(word, problems),
        }
    }
}
