//! Many renders of one song, each with values of its own: data sets of 10⁵ rows and more.
//!
//! A [`Subject`] is a song that was compiled once. A [`Row`] says what is different in one render: values at the start, a
//! seed, a tempo, a note. Rows come from a table ([`mod@table`]) or a space of values ([`mod@space`]), by their numbers alone; a
//! [`RowRenderer`] renders them one after the other, in one engine that is reset; [`run`](run::Batch::run) does so on all cores and
//! writes shards ([`encode`]) with what is known of them ([`job`]).
//!
//! A row's sound depends on the song, its row, length, rate and target: never on threads, shards or other rows. It is what
//! `mamc render` gives with the same values as `--set`, to the bit. Memory does not grow with the number of rows, but for a
//! place in the file for each [`table::STRIDE`] of them.

pub mod columns;
pub mod encode;
pub mod features;
pub mod format;
pub mod hash;
pub mod job;
mod machine;
pub mod render;
pub mod run;
pub mod sobol;
pub mod space;
mod spectrum;
pub mod subject;
pub mod table;
pub mod write;

pub use columns::{Column, Columns};
pub use format::Format;
pub use render::RowRenderer;
pub use subject::Subject;

use crate::failure::Failure;
use mam_runtime::ids::ParamId;
use std::ops::Range;

/// What one render has of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Values at the start, in base units and within their ranges, each parameter at most once.
    pub sets: Vec<(ParamId, f64)>,
    /// What its maker calls it.
    pub id: Option<String>,
    /// The seed of the song's noise and chance.
    pub seed: Option<u64>,
    /// Quarter notes a minute at the start.
    pub tempo: Option<f64>,
    /// Notes that are played instead of the score.
    pub notes: Option<Vec<RowNote>>,
}

/// A note of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowNote {
    /// The instrument: an index into [`mam_runtime::Program::targets`].
    pub target: usize,
    /// When it begins, in seconds.
    pub start: f64,
    /// How long it is held, in seconds; to the row's end where `None`.
    pub gate: Option<f64>,
    /// MIDI note number; 69 is 440 Hz.
    pub note: f64,
    /// Velocity; 1 is nominal.
    pub vel: f64,
}

/// Where rows come from. Whoever asks for some gets the same ones, in any order and on any thread.
pub trait Rows: Send + Sync {
    /// How many there are.
    fn count(&self) -> u64;

    /// Appends the rows of a range.
    ///
    /// # Errors
    /// When they cannot be read, or are no longer what they were when they were checked.
    fn read(&self, range: Range<u64>, into: &mut Vec<Row>) -> Result<(), Failure>;
}

impl Rows for Vec<Row> {
    fn count(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, range: Range<u64>, into: &mut Vec<Row>) -> Result<(), Failure> {
        into.extend_from_slice(&self[range.start as usize..range.end as usize]);
        Ok(())
    }
}
