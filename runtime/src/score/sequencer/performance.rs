//! Notes that are played beside any score, as events: by the voice rule of the sequencer.

use crate::program::{Event, Target};
use crate::sort::Sort;
use crate::voices::{Moment, NoteStart, VoiceAllocator};

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
    let mut voices: Vec<VoiceAllocator<usize>> = targets.iter().map(VoiceAllocator::new).collect();
    let notes = || notes.iter().enumerate().filter(|(_, note)| note.target < targets.len());
    let mut moments: Vec<(u64, bool, usize, &PlayedNote)> = notes()
        .map(|(index, note)| (note.start, true, index, note))
        .chain(notes().map(|(index, note)| (note.end.max(note.start + 1), false, index, note)))
        .collect();
    moments.put_in_order_by_key(|&(frame, begins, index, _)| (frame, begins, index));
    let mut events = Vec::with_capacity(2 * moments.len());
    for (stamp, (frame, begins, index, note)) in moments.into_iter().enumerate() {
        let (voices, at) = (&mut voices[note.target], Moment { frame, stamp: stamp as u64 + 1 });
        let emit = |event| events.push(event);
        if begins {
            let start = NoteStart { note: index, pitch: note.note, vel: note.vel, values: None };
            voices.begin(start, at, emit);
        } else {
            voices.release(|held| held == index, at, emit);
        }
    }
    events
}
