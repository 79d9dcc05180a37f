//! The columns of a table of rows: parameters, and a few names of their own.
//!
//! `id` names a row for people; `seed` and `tempo` are those of the song; `note`, with `vel` and `gate`, is a note that is played
//! instead of the score. Of several instruments, `lead.note` says which one.

use super::{Row, RowNote, Subject};
use mam_compiler::dimension::Dimension;
use mam_compiler::hir::builtins::PAN;
use mam_compiler::score::note_number;
use mam_compiler::sets::{NotAValue, number};
use mam_runtime::Miss;
use mam_runtime::ids::ParamId;

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Values at the start of a parameter.
    Param(ParamId),
    /// What the row is called.
    Id,
    /// The song's seed.
    Seed,
    /// Quarter notes a minute.
    Tempo,
    /// The MIDI note of an instrument: an index into [`mam_runtime::Program::targets`].
    Note(usize),
    /// The velocity of its note; 1 is nominal.
    Velocity(usize),
    /// How long the note is held, in seconds.
    Gate(usize),
}

/// Velocities that are sensible at all.
const VELOCITIES: std::ops::RangeInclusive<f64> = 0.0..=10.0;
/// MIDI notes that are sensible at all.
const NOTES: std::ops::RangeInclusive<f64> = -128.0..=256.0;
/// Tempi that are sensible at all, in quarter notes a minute.
const TEMPI: std::ops::RangeInclusive<f64> = 0.1..=10_000.0;
/// Gates that are sensible at all, in seconds.
const GATES: std::ops::RangeInclusive<f64> = 0.0..=1e6;

/// A value of a row as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'c> {
    /// A number without a unit.
    Number(f64),
    /// Text: a number with or without a unit, or the name of a row.
    Text(&'c str),
}

/// The names of columns, and how their values are read.
pub struct Columns<'s> {
    subject: &'s Subject,
    /// The column that is the seed.
    seed: &'s str,
    /// Whether values beyond a range are taken for its nearest.
    clamp: bool,
}

impl<'s> Columns<'s> {
    /// The columns of a song, of which `seed` is the one of the seed. With `clamp`, values beyond a range are taken for the
    /// nearest in it, and are not errors.
    pub fn new(subject: &'s Subject, seed: &'s str, clamp: bool) -> Columns<'s> {
        Columns { subject, seed, clamp }
    }

    /// The song whose columns they are.
    pub fn subject(&self) -> &'s Subject {
        self.subject
    }

    /// What a column's name means.
    ///
    /// # Errors
    /// In a sentence, when there is nothing of that name.
    pub fn find(&self, name: &str) -> Result<Column, String> {
        if name == self.seed {
            return Ok(Column::Seed);
        }
        let (owner, last) = name.rsplit_once('.').map_or((None, name), |(owner, last)| (Some(owner), last));
        let own = match (name, last) {
            ("id", _) => Some(Column::Id),
            ("tempo", _) if self.subject.program.score.transports.is_empty() => {
                return Err("the song has no tempo that could be changed: its text says none".into());
            }
            ("tempo", _) => Some(Column::Tempo),
            (_, "note") => Some(Column::Note(self.instrument(owner, name)?)),
            (_, "vel") => Some(Column::Velocity(self.instrument(owner, name)?)),
            (_, "gate") if self.subject.settable.find(name).is_err() => {
                Some(Column::Gate(self.instrument(owner, name)?))
            }
            _ => None,
        };
        match own {
            Some(column) => Ok(column),
            None => self.param(name).map(Column::Param),
        }
    }

    fn param(&self, name: &str) -> Result<ParamId, String> {
        let settable = &self.subject.settable;
        let prefix = if name.contains('.') { "" } else { &self.subject.prefix };
        let found = settable.find(&format!("{prefix}{name}"));
        if found.as_ref().is_ok_and(|param| self.subject.set_by_score.contains(param)) {
            return Err(format!(
                "a line of the score sets `{name}` as the song starts, so that rows would not differ: take the line out"
            ));
        }
        found.map_err(|miss| match miss {
            Miss::Several(names) => {
                format!("`{name}` could be {} parameters: write which, `{}`", names.len(), names.join("`, `"))
            }
            Miss::Unknown if self.could_be_placed(name) => format!(
                "the song says nothing of `{name}`, so that it is in the middle: give it a place in its text, such as `pan: 0`"
            ),
            Miss::Unknown => {
                let beat = settable.iter().find(|(_, _, info)| info.is_beat() && *info.name == *name);
                if let Some((_, own, _)) = beat {
                    return format!(
                        "the song has no parameter `{name}`: its tempo is the column `tempo`, the beat of an instrument by itself `{own}`"
                    );
                }
                let known: Vec<String> = settable.iter().map(|(_, name, _)| name.to_string()).collect();
                let near = mam_grammar::problem::nearest(name, &known);
                let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                format!("the song has no parameter `{name}`{near}")
            }
        })
    }

    /// Whether a name is that of the `pan` of an instrument that has one where its song says something of it.
    fn could_be_placed(&self, name: &str) -> bool {
        let owner = name.strip_suffix(PAN).and_then(|owner| owner.strip_suffix('.'));
        owner.is_some_and(|owner| self.instrument(Some(owner), name).is_ok())
    }

    /// The instrument that a note is for: that of a name, or the only one.
    fn instrument(&self, owner: Option<&str>, column: &str) -> Result<usize, String> {
        let targets = &self.subject.program.targets;
        let names =
            || targets.iter().map(|target| format!("`{}.{column}`", target.midi.name)).collect::<Vec<_>>();
        match owner {
            Some(owner) => targets
                .iter()
                .position(|target| &*target.name == owner || &*target.midi.name == owner)
                .ok_or_else(|| format!("the song has no instrument `{owner}`")),
            None if targets.len() == 1 => Ok(0),
            None if targets.is_empty() => Err("the song has no instrument that could play a note".into()),
            None => Err(format!("the song has several instruments: write {}", names().join(" or "))),
        }
    }

    /// Puts a value into a row.
    ///
    /// # Errors
    /// In a sentence, when the column cannot have it.
    pub fn put(&self, row: &mut Row, column: Column, cell: Cell<'_>) -> Result<(), String> {
        match column {
            Column::Param(param) => row.sets.push((param, self.value(param, cell)?)),
            Column::Id => row.id = Some(text(cell)),
            Column::Seed => row.seed = Some(seed(cell)?),
            Column::Tempo => row.tempo = Some(self.tempo(cell)?),
            Column::Note(target) => {
                let named = match cell {
                    Cell::Text(text) => note_number(text),
                    Cell::Number(_) => None,
                };
                let cell = named.map_or(cell, Cell::Number);
                note(row, target).note = within(cell, &NOTES, "a MIDI note", Dimension::PLAIN)?;
            }
            Column::Velocity(target) => {
                note(row, target).vel = within(cell, &VELOCITIES, "a velocity", Dimension::PLAIN)?;
            }
            Column::Gate(target) => {
                let gate = within(cell, &GATES, "a time in seconds", Dimension::TIME)?;
                note(row, target).gate = Some(gate);
            }
        }
        Ok(())
    }

    /// Fills in what a row leaves open: the notes of instruments of which only a velocity or a length is given.
    pub fn complete(&self, row: &mut Row) {
        let targets = &self.subject.program.targets;
        for note in row.notes.iter_mut().flatten().filter(|note| note.note.is_nan()) {
            note.note = targets[note.target].default_note;
        }
    }

    /// A value of a parameter in base units, within its range.
    fn value(&self, param: ParamId, cell: Cell<'_>) -> Result<f64, String> {
        let settable = &self.subject.settable;
        let info = settable.info(param);
        let x = match cell {
            Cell::Number(x) => settable.plain(param, x),
            Cell::Text(text) => match plain(text) {
                Some(x) => settable.plain(param, x),
                None => settable.value(param, text).map_err(|wrong| match wrong {
                    NotAValue::NotANumber => format!("`{text}` is not a number"),
                    NotAValue::Dimension(other) => {
                        format!("`{}` is {}, but `{text}` is {other}", settable.name(param), info.dimension)
                    }
                })?,
            },
        };
        self.in_range(param, x)
    }

    /// A value in base units, if it is within its parameter's range, or is to be clamped to it.
    ///
    /// # Errors
    /// In a sentence, when it is beyond.
    pub fn in_range(&self, param: ParamId, x: f64) -> Result<f64, String> {
        let (info, name) = (self.subject.settable.info(param), self.subject.settable.name(param));
        if x.is_nan() {
            return Err(format!("`{name}` would not be a number"));
        }
        if self.clamp || (info.min..=info.max).contains(&x) {
            return Ok(x.clamp(info.min, info.max));
        }
        let range = info.range().unwrap_or_default();
        Err(format!("{} is outside the range of `{name}`, {range}", info.show(x)))
    }

    fn tempo(&self, cell: Cell<'_>) -> Result<f64, String> {
        let bpm = within(cell, &TEMPI, "a tempo", Dimension::PLAIN)?;
        let possible = self.subject.program.score.at_tempo(bpm).is_some();
        possible.then_some(bpm).ok_or_else(|| format!("the song cannot be played at a tempo of {bpm}"))
    }
}

/// The note of an instrument in a row.
fn note(row: &mut Row, target: usize) -> &mut RowNote {
    let notes = row.notes.get_or_insert_default();
    let index = notes.iter().position(|note| note.target == target).unwrap_or_else(|| {
        notes.push(RowNote { target, start: 0.0, gate: None, note: f64::NAN, vel: 1.0 });
        notes.len() - 1
    });
    &mut notes[index]
}

fn text(cell: Cell<'_>) -> String {
    match cell {
        Cell::Number(x) => x.to_string(),
        Cell::Text(text) => text.to_string(),
    }
}

/// Above this, neighbouring whole numbers are the same as f64.
const WHOLE: f64 = 9_007_199_254_740_992.0;

fn seed(cell: Cell<'_>) -> Result<u64, String> {
    match cell {
        Cell::Number(x) if (0.0..=WHOLE).contains(&x) && x.fract() == 0.0 => Ok(x as u64),
        Cell::Number(x) => {
            Err(format!("{x} is not a seed, a whole number from 0 to 2⁵³; as text it may have 64 bits"))
        }
        Cell::Text(text) => {
            text.parse().map_err(|_| format!("`{text}` is not a seed, a whole number of 64 bits"))
        }
    }
}

/// A number in a range, plain or of a dimension.
fn within(
    cell: Cell<'_>,
    range: &std::ops::RangeInclusive<f64>,
    what: &str,
    of: Dimension,
) -> Result<f64, String> {
    let x = match cell {
        Cell::Number(x) => x,
        Cell::Text(text) => {
            let fits = |(_, dimension): &(f64, Dimension)| [Dimension::PLAIN, of].contains(dimension);
            let measured = || number(text).filter(fits).map(|(x, _)| x);
            plain(text).or_else(measured).ok_or_else(|| format!("`{text}` is not {what}"))?
        }
    };
    sensible(x, range, what)
}

/// A number, if it is in a range.
fn sensible(x: f64, range: &std::ops::RangeInclusive<f64>, what: &str) -> Result<f64, String> {
    let (least, most) = (range.start(), range.end());
    range.contains(&x).then_some(x).ok_or_else(|| format!("{x} is not {what} from {least} to {most}"))
}

/// Checks the values of a note that is played instead of the score.
///
/// # Errors
/// In a sentence, when one of them is not sensible.
pub fn check_note(note: &RowNote) -> Result<(), String> {
    sensible(note.note, &NOTES, "a MIDI note")?;
    sensible(note.vel, &VELOCITIES, "a velocity")?;
    sensible(note.start, &GATES, "a time in seconds")?;
    note.gate.map_or(Ok(0.0), |gate| sensible(gate, &GATES, "a time in seconds")).map(|_| ())
}

/// As much of what is said of a value as can be read: it may quote a text of any length.
pub fn clipped(why: &str) -> String {
    const MOST: usize = 300;
    match why.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &why[..end]),
        None => why.to_owned(),
    }
}

/// The number that a text of digits is, also with an exponent, as other programs write it. What has a unit is mam's.
fn plain(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    text.parse().ok().filter(|x: &f64| is_plain && x.is_finite())
}
