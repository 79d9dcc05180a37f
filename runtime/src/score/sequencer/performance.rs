//! Notes that are played beside any score, as events: by the voice rule of the sequencer.

use super::voices::{Start, Voices};
use crate::program::{Event, Target};

/// A note that is played from one frame to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlayedNote {
    /// The instrument: an index into [`crate::Program::targets`].
    pub target: usize,
    /// The frame at which it begins.
    pub start: u64,
    /// The frame at which it is released, after `start`.
    pub end: u64,
    /// MIDI note number; 69 is 440 Hz.
    pub note: f64,
    /// Velocity; 1 is nominal.
    pub vel: f64,
}

/// The events of notes, in the order in which they act: at one frame releases first, then notes as they are listed. Notes of
/// instruments that are not there are left out.
pub fn performance(targets: &[Target], notes: &[PlayedNote]) -> Vec<Event> {
    let mut voices: Vec<Voices> = targets.iter().map(Voices::new).collect();
    let notes = || notes.iter().enumerate().filter(|(_, note)| note.target < targets.len());
    let mut moments: Vec<(u64, bool, usize, &PlayedNote)> = notes()
        .map(|(index, note)| (note.start, true, index, note))
        .chain(notes().map(|(index, note)| (note.end.max(note.start + 1), false, index, note)))
        .collect();
    moments.sort_by_key(|&(frame, begins, index, _)| (frame, begins, index));
    let mut events = Vec::with_capacity(2 * moments.len());
    for (stamp, (frame, begins, index, note)) in moments.into_iter().enumerate() {
        let (voices, stamp) = (&mut voices[note.target], stamp as u64 + 1);
        if begins {
            let start = Start { note: index as u64, pitch: note.note, vel: note.vel, until_next: false };
            voices.begin(start, stamp, frame, &mut events);
        } else {
            voices.release(index as u64, stamp, frame, &mut events);
        }
    }
    events
}
