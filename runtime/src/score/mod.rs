//! The score: what is played when, as exact data.
//!
//! A [`Score`] is what both front ends make of a song's patterns, sections and commands. Musical time is an exact
//! fraction, counted in bars (one cycle of a pattern is a bar); a [`Clock`] turns it into frames, and
//! rounds once, at the end. [`Pattern`]s are pure functions from a span of time to events. A [`Sequencer`] asks
//! them, cycle by cycle, and yields the [`Event`](crate::Event)s of a program in order, live and offline alike.
//!
//! Nothing here parses, and nothing here runs on the audio thread.

mod clock;
pub(crate) mod data;
pub mod limits;
pub mod listing;
#[cfg(feature = "files")]
pub mod midi;
pub mod pattern;
pub(crate) mod rational;
mod sequencer;

pub use clock::{Change, Clock, Frames, LAST_FRAME, Swing, Tempo, TempoMap};

pub use data::{
    Action, Clip, Command, CommandKind, Duration, Line, Mark, MusicalLength, PlayedParam, Ramp, Score,
    Transport, Tuning,
};
pub use pattern::{Note, NoteValue, Pattern, PatternEvent, Pitch, QueryError, TableEvent, TimeSpan, Value};
pub use rational::{Overflow, Rational};
pub use sequencer::{
    Extent, Held, Played, PlayedNote, Sequencer, SoundingStep, Unplayed, performance, set_at_start,
};
