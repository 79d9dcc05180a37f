//! What a word means by itself: a note, a velocity, a number of semitones, a value of a parameter.

use super::amount::{Amount, from_word};
use super::codes::{PATTERN_VALUE, VALUE_CLAMPED};
use super::harmony::{named, symbol};
use super::pitch::{note_number, raised};
use super::{Instrument, Parameter};
use crate::dimension::{Dimension, is_level};
use mam_grammar::chords::chord_kinds;
use mam_grammar::foreign::{self, Role};
use mam_grammar::mini::Word;
use mam_grammar::{Problem, Problems};
use mam_runtime::score::{Note, Pitch, Value};

fn wrong(word: &Word, wanted: &str) -> Problem {
    Problem::new(&PATTERN_VALUE, word.span, format!("`{}` is not {wanted}", word.text))
}

pub(super) fn velocity(word: &Word) -> Result<Value, Problem> {
    plain(word, "a velocity, such as `0.5`")
}

pub(super) fn plain(word: &Word, wanted: &str) -> Result<Value, Problem> {
    match from_word(&word.text) {
        Some(Amount::Number(Dimension::PLAIN, x)) => Ok(Value::Number(x.to_f64())),
        _ => Err(wrong(word, wanted)),
    }
}

pub(super) fn semitones(word: &Word) -> Result<Value, Problem> {
    match from_word(&word.text) {
        Some(Amount::Semitones(x) | Amount::Number(Dimension::PLAIN, x)) => Ok(Value::Number(x.to_f64())),
        _ => Err(wrong(word, "a number of semitones, such as `7st`")),
    }
}

/// Words in quotes of times that follow the tempo, which no value does.
const MUSICAL: [&str; 4] = ["beat", "beats", "bar", "bars"];

/// What such a time is as a value.
const IN_SECONDS: &str = "values do not follow the tempo; at `tempo 120` a beat is `500ms`";

/// A time in seconds.
pub(super) fn seconds(word: &Word) -> Result<Value, Problem> {
    match from_word(&word.text) {
        Some(Amount::Number(Dimension::TIME, x)) => Ok(Value::Number(x.to_f64())),
        Some(Amount::Number(Dimension::PLAIN, x)) if x.sign() == 0 => Ok(Value::Number(0.0)),
        _ if MUSICAL.contains(&&*word.text) => Err(wrong(word, "a time, such as `10ms`").help(IN_SECONDS)),
        _ => Err(wrong(word, "a time, such as `10ms`")),
    }
}

/// A number in base units, whatever it measures.
pub(super) fn measured(word: &Word) -> Result<Value, Problem> {
    base_units(word).map(Value::Number)
}

fn base_units(word: &Word) -> Result<f64, Problem> {
    match from_word(&word.text) {
        Some(Amount::Number(_, x)) => Ok(x.to_f64()),
        Some(Amount::Semitones(x)) => Ok((x.to_f64() / 12.0).exp2()),
        _ => note_number(&word.text).ok_or_else(|| {
            wrong(word, "a number or a note")
                .help("write a number, with a unit or without, `0.5`, `80%`, `400Hz`, or a note: `c4`")
        }),
    }
}

/// A note's name or number, as a number.
pub(super) fn pitch(word: &Word) -> Result<Value, Problem> {
    let number = note_number(&word.text).map(Value::Number);
    number.map_or_else(|| plain(word, "a note, such as `c4` or `60`"), Ok)
}

/// What a rhythm says: 1 where it is true.
pub(super) fn rhythm(word: &Word) -> Result<Value, Problem> {
    match &*word.text {
        "x" | "t" | "true" | "1" => Ok(Value::Number(1.0)),
        "f" | "false" | "0" => Ok(Value::Number(0.0)),
        _ => {
            Err(wrong(word, "a step of a rhythm")
                .help("a rhythm is written with `x` and `~`, or with 1 and 0"))
        }
    }
}

/// What is added to a value of a parameter, in base units; its range is of no account.
pub(super) fn amount(word: &Word, param: &Parameter) -> Result<Value, Problem> {
    let free = Parameter { range: (f64::NEG_INFINITY, f64::INFINITY), ..param.clone() };
    in_base(word, &free, &mut Problems::default()).map(Value::Number)
}

/// The notes of a chord's symbol.
pub(super) fn chord_symbol(word: &Word) -> Result<Vec<f64>, Problem> {
    symbol(&word.text).or_else(|| named(&word.text)).ok_or_else(|| unknown_chord(word))
}

/// The notes of a chord behind a note's name.
pub(super) fn chord_name(word: &Word) -> Result<Vec<f64>, Problem> {
    named(&word.text).ok_or_else(|| unknown_chord(word))
}

fn unknown_chord(word: &Word) -> Problem {
    let kinds: Vec<_> = chord_kinds().collect();
    wrong(word, "a chord").help(format!(
        "a chord is `Am7` under `.chord`, and `a3'm7` anywhere; the kinds are {}",
        kinds.join(" ")
    ))
}

pub(super) fn note(word: &Word, of: &Instrument, degrees: bool) -> Result<Note, Problem> {
    let note = |pitch| Ok(Note::new(pitch));
    if !of.pitched || &*word.text == "x" {
        return note(Pitch::Plain(0.0));
    }
    if let Some(midi) = note_number(&word.text) {
        return note(Pitch::Note(midi));
    }
    if let Some((degree, raised)) = altered_degree(&word.text) {
        return match degrees {
            true => note(Pitch::Degree(degree, raised)),
            false => Err(wrong(word, "a note").help(format!(
                "it is a degree of a scale, raised or lowered: say which scale behind the pattern, `\"{}\".scale(c, minor)`",
                word.text
            ))),
        };
    }
    if word.text.trim_start_matches('-').starts_with('.') {
        let digits = word.text.replacen('.', "0.", 1);
        let help = format!(
            "as a weight, a chance or a velocity it touches its sign: `@{digits}`, `?{digits}`, `:{digits}`"
        );
        return Err(wrong(word, "a note").help(help));
    }
    match from_word(&word.text) {
        Some(Amount::Number(Dimension::PLAIN, x)) if degrees => note(Pitch::Degree(x.to_f64(), 0.0)),
        Some(Amount::Number(Dimension::PLAIN, x)) => note(Pitch::Note(x.to_f64())),
        Some(Amount::Number(Dimension::FREQUENCY, x)) if x.sign() > 0 => {
            note(Pitch::Note(69.0 + 12.0 * (x.to_f64() / 440.0).log2()))
        }
        _ => Err(not_a_note(word, of)),
    }
}

/// The problem of a word that is not a note, with what else it may be.
fn not_a_note(word: &Word, of: &Instrument) -> Problem {
    let (problem, text) = (wrong(word, "a note"), &*word.text);
    if let Some(note) = foreign::syllable(text) {
        return problem.help(format!("notes have letters: write `{note}`")).guess(word.span, note);
    }
    if foreign::is_rest(text) {
        return problem.help("a rest is `~`").guess(word.span, "~");
    }
    if let Some(note) = text.strip_prefix(['h', 'H']).filter(|octave| octave.parse::<i32>().is_ok()) {
        let note = format!("b{note}");
        return problem.help(format!("write `{note}`: the note below c is `b`")).guess(word.span, note);
    }
    if let Some(notes) = foreign::chord(text) {
        let help = format!(
            "a chord is its notes, in brackets: `{notes}`; `c4'maj7` anywhere; or `Cmaj7` under `.chord`"
        );
        return problem.help(help).fix(word.span, notes);
    }
    if foreign::is_tab(text) {
        return problem.help(format!("steps without white space stand between bars: `{} |{text}|`", of.name));
    }
    let other = foreign::find(Role::Target, text).filter(|_| text != of.name);
    problem.help(match other {
        Some(row) => format!(
            "the names of sounds play nothing here: another sound is another instrument, with its own line: `{}`",
            row.example
        ),
        None => format!(
            "`{}` plays notes: names (`c4`, `eb3`, `f#2`; a bare `c` is c4), MIDI numbers (`60`), `x` for a plain hit, \
             `~` for a rest",
            of.name
        ),
    })
}

/// A degree of a scale with accidentals behind it, `1b` or `-2♯`: the degree, and semitones above it.
fn altered_degree(text: &str) -> Option<(f64, f64)> {
    let end = text.find(['#', 'b', '♯', '♭'])?;
    let (degree, accidentals) = text.split_at(end);
    let degree: i32 = degree.parse().ok()?;
    Some((degree.into(), raised(accidentals, false)?))
}

/// The value of a parameter in base units, with a warning where it lies outside the range.
pub(super) fn in_base(word: &Word, param: &Parameter, problems: &mut Problems) -> Result<f64, Problem> {
    if param.is_argument {
        return base_units(word);
    }
    in_base_of(word, from_word(&word.text), param, problems)
}

/// The same of a constant that may be more than a word, `1/8 s`; `word` shows it.
pub(super) fn in_base_of(
    word: &Word,
    amount: Option<Amount>,
    param: &Parameter,
    problems: &mut Problems,
) -> Result<f64, Problem> {
    let value = match (amount, param.dimension) {
        (Some(Amount::Number(Dimension::PLAIN, x)), _) => x.to_f64() * param.scale,
        (Some(Amount::Number(d, x)), wanted) if d == wanted => x.to_f64(),
        (Some(Amount::Semitones(x)), Dimension::PLAIN) => (x.to_f64() / 12.0).exp2(),
        (None, Dimension::FREQUENCY) if note_number(&word.text).is_some() => {
            let note = note_number(&word.text).unwrap_or(69.0);
            440.0 * ((note - 69.0) / 12.0).exp2()
        }
        _ => {
            let wanted = match param.dimension {
                Dimension::PLAIN => "a plain number, such as `0.8`, `80%` or `-6dB`",
                Dimension::TIME => "a time, such as `40ms`",
                _ => "a frequency, such as `800Hz`",
            };
            let help = match param.dimension == Dimension::TIME && MUSICAL.contains(&&*word.text) {
                true => format!("`{}` takes {wanted}: {IN_SECONDS}", param.name),
                false => format!("`{}` takes {wanted}", param.name),
            };
            return Err(wrong(word, wanted).help(help));
        }
    };
    let (low, high) = param.range;
    if value < low || value > high {
        let range = param.units.range(param.range, param.dimension);
        let message = format!("`{}` lies outside the range of `{}`", word.text, param.name);
        problems.add(
            Problem::new(&VALUE_CLAMPED, word.span, message)
                .here(format!("becomes {}", param.show(value.clamp(low, high))))
                .help(match word.number().is_some_and(|x| is_level(x, param.range, param.dimension)) {
                    true => {
                        format!("its range is {range}; a level in decibels has its unit: `{}dB`", word.text)
                    }
                    false => format!("its range is {range}"),
                })
                .guess(word.span, param.show(value.clamp(low, high))),
        );
    }
    Ok(value)
}

pub(super) fn parameter(word: &Word, param: &Parameter, problems: &mut Problems) -> Result<Value, Problem> {
    let value = in_base(word, param, problems)?;
    Ok(Value::Number(value.clamp(param.range.0, param.range.1)))
}

impl Parameter {
    /// A value in base units as a person writes it.
    fn show(&self, value: f64) -> String {
        self.units.show(value, self.dimension)
    }
}
