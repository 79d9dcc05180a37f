//! Actions while a song plays, whichever controller asks for them: keys, MIDI, OSC.

use std::ops::RangeInclusive;

use mam_runtime::NoteSignal;

/// A note of an instrument, as controllers know it until it ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    /// The instrument's name.
    pub(crate) instrument: String,
    /// The channel of MIDI, 0 to 15; 0 where channels mean nothing.
    pub(crate) channel: u8,
    /// MIDI number.
    pub(crate) note: f64,
}

/// A signal of the notes of an instrument has a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Touch {
    /// The instrument's name.
    pub(crate) instrument: String,
    pub(crate) touched: Touched,
    pub(crate) signal: NoteSignal,
    /// The value in base units; a bend is a ratio.
    pub(crate) value: f64,
}

/// Which notes are meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Touched {
    /// All notes of the instrument, the score's as well.
    All,
    /// Those that came on a channel.
    Channel(u8),
    /// That of a channel and a key.
    Key(u8, f64),
}

/// One action.
#[cfg_attr(not(any(feature = "osc", feature = "midi")), expect(dead_code, reason = "keys ask for some only"))]
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// Go on, from where it was stopped.
    Play,
    /// Fade out and wait.
    Stop,
    /// Go on, or wait.
    Toggle,
    /// Play from the beginning.
    Top,
    /// Go to the beginning of a bar so many bars later, or earlier.
    Bars(i64),
    /// Go to a place in quarter notes from the beginning.
    Beat(f64),
    /// The tempo at the start of the song, in quarter notes a minute.
    Tempo(f64),
    /// A node is not heard, or heard again; the other of the two where it is not said.
    Mute(String, Option<bool>),
    /// An instrument is heard alone, or not.
    Solo(String, Option<bool>),
    /// A parameter or knob goes to a value in base units, in so many seconds.
    Set(String, f64, f64),
    /// The same, to a place in its range: 0 to 1.
    Turn(String, f64),
    /// A note begins: its key, its velocity (1 is nominal), and what its voice begins with.
    Press(Key, f64, Vec<(NoteSignal, f64)>),
    /// The note of a key ends.
    Release(Key),
    /// Notes are bent or pressed while they sound.
    Touch(Touch),
    /// An instrument is hit: a plain note of its own pitch, of a quarter of a second.
    Hit(String, f64),
    /// All notes that controllers hold end.
    Silence,
    /// Take the last edit back.
    Undo,
    /// Save what hands have turned as a preset beside the song.
    Save,
    /// Stop the music and quit.
    Quit,
}

/// Bars that can be gone at once.
const MOST_BARS: u64 = 100_000;
/// The last quarter note that there is: fifteen years at 120.
const LAST_BEAT: f64 = 1e9;
/// Quarter notes a minute.
pub(super) const TEMPOS: RangeInclusive<f64> = 1.0..=1000.0;
/// Seconds in which a parameter can go to a value.
const SECONDS: RangeInclusive<f64> = 0.0..=3600.0;
/// Values of a parameter that has no range of its own.
const VALUES: RangeInclusive<f64> = -1e6..=1e6;
/// The MIDI numbers of notes.
const NOTES: RangeInclusive<f64> = 0.0..=127.0;
/// Velocities: 1 is nominal, and twice that is as loud as a controller can play.
const VELOCITIES: RangeInclusive<f64> = 0.0..=2.0;
/// Bytes of a name.
const LONGEST_NAME: usize = 256;

impl Action {
    /// Checks that every number is within its range, whichever controller it comes from.
    ///
    /// # Errors
    /// The reason, for people.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn check(&self) -> Result<(), String> {
        use Action::{Bars, Beat, Hit, Mute, Press, Release, Set, Solo, Tempo, Touch, Turn};
        if let Mute(name, _)
        | Solo(name, _)
        | Set(name, ..)
        | Turn(name, _)
        | Press(Key { instrument: name, .. }, ..)
        | Release(Key { instrument: name, .. })
        | Touch(self::Touch { instrument: name, .. })
        | Hit(name, _) = self
            && name.len() > LONGEST_NAME
        {
            return Err(format!("a name of {} bytes is not one of this song", name.len()));
        }
        match *self {
            Bars(bars) if bars.unsigned_abs() > MOST_BARS => {
                Err(format!("{bars} bars are too many to go at once"))
            }
            Beat(beat) => within("a place in quarter notes", beat, 0.0..=LAST_BEAT),
            Tempo(bpm) => within("a tempo in quarter notes a minute", bpm, TEMPOS),
            Set(_, value, seconds) => {
                // Beyond a parameter's own range it is clamped.
                within("a value", value, VALUES)?;
                within("the seconds to a value", seconds, SECONDS)
            }
            Turn(_, place) => within("a place in a range", place, 0.0..=1.0),
            Press(Key { note, .. }, vel, _) => {
                within("the MIDI number of a note", note, NOTES)?;
                within("a velocity (1 is nominal)", vel, VELOCITIES)
            }
            Release(Key { note, .. }) => within("the MIDI number of a note", note, NOTES),
            Hit(_, vel) => within("a velocity (1 is nominal)", vel, VELOCITIES),
            _ => Ok(()),
        }
    }
}

fn within(what: &str, value: f64, range: RangeInclusive<f64>) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(format!("{what} is {} to {}, not {value}", range.start(), range.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_cannot_be_meant_are_refused() {
        let x = || "x".to_string();
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e15, -1e15, f64::MAX] {
            for action in [
                Action::Beat(odd),
                Action::Tempo(odd),
                Action::Set(x(), odd, 0.0),
                Action::Set(x(), 0.0, odd),
                Action::Turn(x(), odd),
                Action::Press(Key { instrument: x(), channel: 0, note: odd }, 1.0, vec![]),
                Action::Press(Key { instrument: x(), channel: 0, note: 60.0 }, odd, vec![]),
                Action::Release(Key { instrument: x(), channel: 0, note: odd }),
                Action::Hit(x(), odd),
            ] {
                assert!(action.check().is_err(), "{action:?}");
            }
        }
        assert!(Action::Bars(i64::MIN).check().is_err() && Action::Bars(-3).check().is_ok());
        assert!(Action::Hit(x(), -0.1).check().is_err() && Action::Hit(x(), 1.25).check().is_ok());
        assert!(Action::Mute("x".repeat(300), None).check().is_err());
        let refusal = Action::Hit(x(), 127.0).check().unwrap_err();
        assert_eq!(refusal, "a velocity (1 is nominal) is 0 to 2, not 127");
    }
}
