//! A performance as data: what was asked of [`Control`](super::Control), where the audio thread was then, and when it took
//! what came of it.
//!
//! The audio thread counts its quanta. Whatever is asked is decided at a frame that the counter names, and reaches the audio
//! thread by a ring, in order; so a performance is what was asked with these frames, and how many commands were taken
//! before each quantum. A [`Replay`](super::Replay) does all of it again.

use super::part::{Entry, Sync};
use super::protocol::Taken;
use crate::program::{NoteSignal, Program};
use rtrb::Consumer;
use std::sync::Arc;

/// Something that was asked for.
#[derive(Clone)]
pub struct Asked {
    /// Quanta that had been rendered by then.
    pub quanta: u64,
    /// The frame of the engine that everything was decided by.
    pub position: u64,
    /// What had come back from the audio thread by then, in pieces.
    pub returned: u64,
    /// Commands that had been sent to the audio thread by then, where that is known.
    pub sent: Option<u64>,
    /// What is asked for, with its arguments.
    pub request: Request,
}

/// What can be asked of a [`Control`](super::Control), but for what concerns its device.
#[derive(Clone)]
pub enum Request {
    /// Another program from the same musical place on.
    Edit(Arc<Program>, Sync),
    /// Another program from a frame of its own on.
    Start(Arc<Program>, Entry),
    /// A frame of the song.
    Seek(u64),
    /// The change that had found no room before.
    Again,
    /// Go on.
    Play,
    /// Fade out and wait.
    Stop,
    /// A parameter goes to a value.
    Set {
        /// Its name.
        name: String,
        /// The value in base units.
        value: f64,
        /// Frames in which it goes there.
        ramp: u32,
    },
    /// A note of a controller begins, or ends where there is no velocity.
    Note {
        /// The instrument.
        target: String,
        /// The voice.
        voice: usize,
        /// MIDI note number.
        note: f64,
        /// Velocity; 1 is nominal.
        vel: Option<f64>,
    },
    /// A signal of the notes of a voice goes to a value.
    Touch {
        /// The instrument.
        target: String,
        /// The voice.
        voice: usize,
        /// Which signal.
        signal: NoteSignal,
        /// The value in base units.
        value: f64,
        /// Frames in which it goes there.
        ramp: u32,
    },
    /// A node is silenced, or heard again.
    Mute(String, bool),
    /// An instrument is heard alone, or not any more.
    Solo(String, bool),
}

/// A performance, up to its end.
#[derive(Clone, Default)]
pub struct Log {
    /// Frames a second, of all frames that it names.
    pub rate: u32,
    /// What was asked for, in order.
    pub asked: Vec<Asked>,
    /// What the audio thread took, in order.
    pub taken: Vec<Taken>,
    /// Frames that were heard.
    pub frames: u64,
    /// Whether anything was left out because there was more than is kept.
    pub is_cut: bool,
}

/// Requests, and takings, that are kept at most: an hour of a thousand a second.
const MOST: usize = 4 << 20;

/// A log that is written.
pub(super) struct Writing {
    pub(super) log: Log,
    pub(super) taken: Consumer<Taken>,
    /// Commands that had been sent before it began.
    pub(super) before: u64,
}

impl Writing {
    /// Adds what was asked for.
    pub(super) fn ask(&mut self, asked: Asked) {
        match self.log.asked.len() < MOST {
            true => self.log.asked.push(asked),
            false => self.log.is_cut = true,
        }
    }

    /// Adds what the audio thread has taken since.
    pub(super) fn read(&mut self) {
        while let Ok(taken) = self.taken.pop() {
            match self.log.taken.len() < MOST {
                true => self.log.taken.push(taken),
                false => self.log.is_cut = true,
            }
        }
    }
}
