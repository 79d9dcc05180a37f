//! What played before each edit, so that an edit can be taken back while the song plays.

use super::figures::Infos;
use mam_runtime::Program;
use std::collections::VecDeque;
use std::sync::Arc;

/// Edits that can be taken back, one after another.
const MOST_EDITS: usize = 64;

/// A song that played, with what belongs to it.
pub(super) struct HeardSong {
    /// The program, at the song's own tempo.
    pub(super) score: Arc<Program>,
    /// The MIDI controllers of its knobs: number, and the knob's name.
    pub(super) controllers: Vec<(u8, String)>,
    /// Its parameters, by their names.
    pub(super) infos: Infos,
}

/// The songs before the last edits, the newest last.
#[derive(Default)]
pub(super) struct Edits(VecDeque<HeardSong>);

impl Edits {
    /// Keeps what plays when an edit comes; the oldest is forgotten where there are too many.
    pub(super) fn add(&mut self, song: HeardSong) {
        if self.0.len() == MOST_EDITS {
            self.0.pop_front();
        }
        self.0.push_back(song);
    }

    /// What played before the last edit that has not been taken back.
    pub(super) fn take(&mut self) -> Option<HeardSong> {
        self.0.pop_back()
    }
}
