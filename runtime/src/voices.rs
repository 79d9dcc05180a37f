//! Voice allocation: which voice of an instrument plays a note. Decided by events alone, never by audio, so that a score, a
//! host and an export give every note the same voice.

use crate::ids::PortId;
use crate::program::{Event, EventKind, NoteParam, Target};
use crate::score::NoteValue;
use std::sync::Arc;

/// The voices of one instrument, each with the note of type `N` that it holds. Only making one allocates.
#[derive(Clone, Debug)]
pub struct VoiceAllocator<N> {
    voices: Vec<Voice<N>>,
    params: Arc<[NoteParam]>,
    monitor: Option<PortId>,
    /// The monitor port holds a note.
    monitor_gate: bool,
}

#[derive(Clone, Debug)]
struct Voice<N> {
    port: PortId,
    /// The note that it holds.
    note: Option<N>,
    /// When it was released, or when its note began, in order of all such moments.
    stamp: u64,
}

/// A note about to begin.
#[derive(Clone, Copy, Debug)]
pub struct NoteStart<'v, N> {
    /// What the note is known by until it ends.
    pub note: N,
    /// MIDI note number; 69 is 440 Hz.
    pub pitch: f64,
    /// Velocity; 1 is nominal.
    pub vel: f64,
    /// The values that it gives to its voice; the voice follows all other parameters.
    pub values: &'v [NoteValue],
}

/// When a note begins or ends.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The frame of the events.
    pub frame: u64,
    /// Counts beginnings and releases: greater than that of every earlier moment.
    pub stamp: u64,
}

impl<N> Voice<N> {
    fn release(&mut self, at: Moment, emit: &mut impl FnMut(Event)) {
        (self.note, self.stamp) = (None, at.stamp);
        emit(Event { frame: at.frame, kind: EventKind::Off { port: self.port } });
    }
}

impl<N: Copy> VoiceAllocator<N> {
    /// The voices of an instrument; none holds a note. Allocates.
    pub fn new(target: &Target) -> VoiceAllocator<N> {
        let voice = |&port| Voice { port, note: None, stamp: 0 };
        VoiceAllocator {
            voices: target.voices.iter().map(voice).collect(),
            params: target.note_params.as_slice().into(),
            monitor: target.monitor,
            monitor_gate: false,
        }
    }

    /// How many voices there are.
    pub fn count(&self) -> usize {
        self.voices.len()
    }

    /// The port of a voice and the note that it holds.
    ///
    /// # Panics
    /// When there is no such voice.
    pub fn voice(&self, index: usize) -> (PortId, Option<N>) {
        (self.voices[index].port, self.voices[index].note)
    }

    /// Holds what others hold, which are as many. \[audio\]
    pub(crate) fn take_over(&mut self, others: &VoiceAllocator<N>) {
        for (voice, other) in self.voices.iter_mut().zip(&others.voices) {
            (voice.note, voice.stamp) = (other.note, other.stamp);
        }
        self.monitor_gate = others.monitor_gate;
    }

    /// No voice holds a note, as at the start; gives no events. \[audio\]
    pub fn reset(&mut self) {
        self.voices.iter_mut().for_each(|voice| (voice.note, voice.stamp) = (None, 0));
        self.monitor_gate = false;
    }

    /// Ends the held notes for which `ends` is true. \[audio\]
    pub fn release(&mut self, ends: impl Fn(N) -> bool, at: Moment, mut emit: impl FnMut(Event)) {
        for voice in self.voices.iter_mut().filter(|voice| voice.note.is_some_and(&ends)) {
            voice.release(at, &mut emit);
        }
        self.release_monitor(at, emit);
    }

    /// Ends the note that a voice holds, if it holds one. \[audio\]
    ///
    /// # Panics
    /// When there is no such voice.
    pub fn release_voice(&mut self, index: usize, at: Moment, mut emit: impl FnMut(Event)) {
        let voice = &mut self.voices[index];
        if voice.note.is_some() {
            voice.release(at, &mut emit);
        }
        self.release_monitor(at, emit);
    }

    /// The monitor's note ends with the last one that a voice holds.
    fn release_monitor(&mut self, at: Moment, mut emit: impl FnMut(Event)) {
        if self.monitor_gate && self.voices.iter().all(|voice| voice.note.is_none()) {
            self.monitor_gate = false;
            if let Some(port) = self.monitor {
                emit(Event { frame: at.frame, kind: EventKind::Off { port } });
            }
        }
    }

    /// Begins a note: on the voice that was released longest ago, else on that of the oldest note. Returns the voice; `None`
    /// for an instrument without. \[audio\]
    pub fn begin(
        &mut self,
        start: NoteStart<'_, N>,
        at: Moment,
        mut emit: impl FnMut(Event),
    ) -> Option<usize> {
        let by_age = |index: &usize| (self.voices[*index].note.is_some(), self.voices[*index].stamp);
        let chosen = (0..self.voices.len()).min_by_key(by_age);
        if let Some(index) = chosen {
            note_values(&self.params, index, start.values)
                .for_each(|kind| emit(Event { frame: at.frame, kind }));
        }
        let mut on = |port| {
            emit(Event { frame: at.frame, kind: EventKind::On { port, note: start.pitch, vel: start.vel } });
        };
        if let Some(index) = chosen {
            on(self.voices[index].port);
            self.occupy(index, start.note, at.stamp);
        }
        self.monitor.map(on);
        self.monitor_gate = true;
        chosen
    }

    /// A voice plays a note that was given to it elsewhere, by the same rule; gives no events. \[audio\]
    ///
    /// # Panics
    /// When there is no such voice.
    pub fn occupy(&mut self, index: usize, note: N, stamp: u64) {
        let voice = &mut self.voices[index];
        (voice.note, voice.stamp) = (Some(note), stamp);
        self.monitor_gate = true;
    }
}

/// What a note that begins on a voice says of the voice's parameters: the value that it gives, or that the voice follows. \[audio\]
pub fn note_values(
    params: &[NoteParam],
    voice: usize,
    values: &[NoteValue],
) -> impl Iterator<Item = EventKind> {
    params.iter().filter_map(move |own| {
        let given = values.iter().find(|given| given.param == own.param);
        let value = given.map(|given| given.value);
        own.voices.get(voice).map(|&param| EventKind::NoteValue { param, value })
    })
}
