//! An engine for the rows of a song, which outlives the call that made it.

use mam_runtime::render::{EventSource, Length, Renderer};
use mam_runtime::score::{Sequencer, Unplayed};
use mam_runtime::{Event, Program};
use std::sync::{Arc, Mutex};

/// What a row plays.
pub(super) enum Performance {
    /// The song's score.
    Score(Box<Sequencer>),
    /// Its own notes.
    Notes(std::vec::IntoIter<Event>),
}

impl EventSource for Performance {
    fn advance(&mut self, until: u64, out: &mut Vec<Event>) {
        match self {
            Performance::Score(sequencer) => sequencer.advance(until, out),
            Performance::Notes(notes) => notes.advance(until, out),
        }
    }

    fn unplayed(&self) -> &[Unplayed] {
        match self {
            Performance::Score(sequencer) => sequencer.unplayed(),
            Performance::Notes(_) => &[],
        }
    }
}

/// An engine for rows of one length.
pub(super) struct Machine {
    /// What renders, from the beginning again for each row.
    pub(super) renderer: Renderer<Performance>,
    /// A variant that no engine has: the one for the next row.
    pub(super) spare: Arc<Program>,
    /// Frames of a row.
    pub(super) frames: u64,
}

impl Machine {
    /// Renders rows of so many frames of variants of a program.
    pub(super) fn new(program: &Program, channels: usize, frames: u64) -> Machine {
        let program = Arc::new(program.clone());
        let none = Performance::Notes(vec![].into_iter());
        Machine {
            spare: Arc::new((*program).clone()),
            renderer: Renderer::new(program, none, channels, 0, Length::Frames(frames)),
            frames,
        }
    }
}

/// The engine of a song that rendered rows last and waits for more, so that a call which renders one row makes none. No thread
/// waits with it, nor is its lock waited for: a process that forked may have copied it while another thread held it.
#[derive(Default)]
pub(super) struct Idle(Mutex<Option<Box<Machine>>>);

impl Idle {
    /// What waits, if it renders rows of so many frames.
    pub(super) fn take(&self, frames: u64) -> Option<Box<Machine>> {
        let waiting = self.0.try_lock().ok().and_then(|mut waiting| waiting.take());
        waiting.filter(|machine| machine.frames == frames)
    }

    /// Lets an engine wait, in the place of one that waits already.
    pub(super) fn put(&self, machine: Box<Machine>) {
        if let Ok(mut waiting) = self.0.try_lock() {
            *waiting = Some(machine);
        }
    }
}
