//! The data of a score: transports, their lines and sections, commands.

use super::clock::TempoMap;
use super::pattern::{Pattern, SourceShift};
use super::rational::Rational;
use crate::ids::{IdMap, ParamId};
use crate::param::{Curve, ParamSlot};
use std::sync::Arc;

/// What a program plays. Indices of targets and parameters are those of [`crate::Program`].
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Score {
    /// What plays by bars. A `.mam` song has one; a JSON graph one for each transport.
    pub transports: Vec<Transport>,
    /// What happens at absolute frames, once; in file order.
    pub commands: Vec<Command>,
    /// Targets that play one plain note at frame 0, because nothing else triggers them.
    pub starts: Vec<usize>,
    /// Parameters that are musical lengths and follow the tempo of the first transport.
    pub lengths: Vec<MusicalLength>,
    /// The parameters of instruments that notes of its lines give their voices values of, each once.
    pub note_params: Vec<PlayedParam>,
    /// The pitches of the keys, where they are not those of twelve equal steps.
    pub tuning: Option<Tuning>,
}

/// A parameter of an instrument that notes give their voices values of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct PlayedParam {
    /// The instrument: an index into [`crate::Program::targets`].
    pub target: usize,
    /// The parameter: an index into [`crate::Program::params`].
    pub param: ParamId,
}

/// Pitches of the keys.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Tuning {
    /// For the keys 0 to 127: the pitch as a MIDI number, 69 for 440 Hz, 0.01 a cent.
    keys: Arc<[f64]>,
}

impl Tuning {
    /// The tuning of 128 keys, each a MIDI number with a fraction.
    pub fn new(keys: [f64; 128]) -> Tuning {
        Tuning { keys: keys.into() }
    }

    /// The pitch of a key; one between two keys lies between their pitches, one beyond the last goes on as those do.
    pub fn pitch(&self, key: f64) -> f64 {
        let below = key.floor().clamp(0.0, 126.0);
        let [low, high] = [0, 1].map(|i| self.keys[below as usize + i]);
        low + (key - below) * (high - low)
    }
}

impl Score {
    /// The same with another tempo at its start, in quarter notes a minute; where the tempo changes, it does so in the same
    /// relation. `None` without a tempo, or for one that cannot be.
    pub fn at_tempo(&self, bpm: f64) -> Option<Score> {
        // More digits than can be heard would only make long fractions.
        let bpm = Rational::new((bpm * 1000.0).round() as i128, 1000).ok().filter(|bpm| bpm.sign() > 0)?;
        let factor = (bpm / self.transports.first()?.tempo.first()?).ok()?;
        let mut score = self.clone();
        for transport in &mut score.transports {
            transport.tempo = transport.tempo.scaled(factor).ok()?;
        }
        Some(score)
    }

    /// Which of a program's parameters it leads from value to value, and does not only set.
    pub fn moves(&self, params: &IdMap<ParamId, ParamSlot>) -> IdMap<ParamId, bool> {
        let mut moves = IdMap::filled(false, params.len());
        let mut lead = |param: ParamId, ramps: bool| {
            let slot = &params[param];
            moves[param] |= slot.curve != Curve::Step && (ramps || slot.smooth > 0);
        };
        for line in self.transports.iter().flat_map(|transport| &transport.lines) {
            if let Action::Set { param, ramp } = &line.action {
                lead(*param, ramp.over != Duration::default());
            }
        }
        for command in &self.commands {
            // What is set at the beginning soon stands still.
            if let CommandKind::Set { param, over, .. } = command.kind
                && (command.frame > 0 || over > Rational::ZERO)
            {
                lead(param, over > Rational::ZERO);
            }
        }
        // A voice's share goes where the parameter goes.
        for (param, slot) in params.iter() {
            moves[param] |= slot.follows.is_some_and(|base| moves[base]);
        }
        moves
    }
}

/// Lines, where they are heard, and their tempo.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Transport {
    /// Tempo, meter and swing, bar by bar.
    pub tempo: TempoMap,
    /// All lines, in the order in which they are written.
    pub lines: Vec<Line>,
    /// Which line is heard from where to where. Nested sections are laid out flat here.
    pub clips: Vec<Clip>,
    /// Named stretches of the arrangement, for people.
    pub marks: Vec<Mark>,
    /// Bars of one pass.
    pub length: Rational,
    /// True when everything starts again after each pass: cycles, tempo and swing. False when lines run on for
    /// ever and `length` only says how much is rendered.
    pub restarts: bool,
}

/// One line of a score: a pattern and what it plays.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Line {
    /// Events in cycles; one cycle is a bar.
    pub pattern: Pattern,
    /// What the events of the line do.
    pub action: Action,
    /// What is added to the places of its steps.
    pub shift: SourceShift,
}

impl Line {
    /// A line whose steps are written where its pattern says.
    pub fn new(pattern: Pattern, action: Action) -> Line {
        Line { pattern, action, shift: SourceShift::default() }
    }
}

/// What the events of a line do.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum Action {
    /// Notes of an instrument. A note lasts for its event's whole.
    Play {
        /// The instrument: an index into [`crate::Program::targets`].
        target: usize,
    },
    /// Values of a parameter (latched).
    Set {
        /// The parameter: an index into [`crate::Program::params`].
        param: ParamId,
        /// How it goes there.
        ramp: Ramp,
    },
}

/// How a parameter goes to a new value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Ramp {
    /// How long it takes.
    pub over: Duration,
    /// The line's own curve; the parameter's where `None`.
    pub curve: Option<Curve>,
}

/// A length of time, in one of two measures.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum Duration {
    /// A time in seconds.
    Seconds(Rational),
    /// Quarter notes: follows the tempo.
    Beats(Rational),
}

impl Default for Duration {
    fn default() -> Duration {
        Duration::Seconds(Rational::ZERO)
    }
}

/// A line heard for a while. Its cycles count from `start`; notes are cut at `end`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Clip {
    /// The line: an index into [`Transport::lines`].
    pub line: usize,
    /// Bar, from 0, of the pass.
    pub start: Rational,
    /// Bar at which it ends; it runs throughout when `None`.
    pub end: Option<Rational>,
}

/// A named stretch of the arrangement.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Mark {
    /// The name of the section.
    pub name: Arc<str>,
    /// First bar, from 0.
    pub start: Rational,
    /// One past the last bar.
    pub end: Rational,
    /// How many sections it lies within.
    pub depth: usize,
}

/// Something that happens at an absolute frame.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Command {
    /// The frame at which it happens.
    pub frame: u64,
    /// What the command does.
    pub kind: CommandKind,
}

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum CommandKind {
    /// A plain note, held until the target's next command or for 250 ms.
    Trigger {
        /// The instrument: an index into [`crate::Program::targets`].
        target: usize,
    },
    /// A parameter is set, or goes to `value` over a time.
    Set {
        /// The parameter: an index into [`crate::Program::params`].
        param: ParamId,
        /// The value in base units.
        value: f64,
        /// Seconds; N = round(seconds·rate) frames. 0 for at once.
        over: Rational,
    },
}

/// A parameter whose value is a number of beats, in seconds at the tempo of each moment, or one over it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct MusicalLength {
    /// The parameter: an index into [`crate::Program::params`].
    pub param: ParamId,
    /// The length, in quarter notes.
    pub beats: Rational,
    /// Whether the value is a frequency, of which this is the period.
    pub is_rate: bool,
    /// Whether it is the default of a parameter that may be set otherwise: as long as the tempo is one, nothing sets it.
    pub is_default: bool,
}

impl MusicalLength {
    /// A length in seconds that always holds.
    pub fn new(param: ParamId, beats: Rational) -> MusicalLength {
        MusicalLength { param, beats, is_rate: false, is_default: false }
    }

    /// The value at a tempo in quarter notes a minute: in seconds, or in Hz.
    pub fn value(&self, bpm: f64) -> f64 {
        let seconds = 60.0 * self.beats.to_f64() / bpm;
        if self.is_rate { 1.0 / seconds } else { seconds }
    }
}
