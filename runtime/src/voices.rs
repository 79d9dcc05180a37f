//! Voice allocation: which voice of an instrument plays a note. Decided by events alone, never by audio, so that a score, a
//! host and an export give every note the same voice.

use crate::ids::PortId;
use crate::precedence::Priority;
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
    /// Which notes play where more are held than there are voices.
    priority: Option<Priority>,
    /// Notes that are held and not played, of an instrument with a priority: at most [`WAITING`].
    waiting: Vec<Waiting<N>>,
}

/// Held notes of an instrument that may wait for a voice; of more, the one that would play last is forgotten.
pub const WAITING: usize = 128;

/// A note that is held and waits for a voice.
#[derive(Clone, Debug)]
struct Waiting<N> {
    note: N,
    pitch: f64,
    vel: f64,
    values: Option<Arc<[NoteValue]>>,
    /// When it began.
    stamp: u64,
}

#[derive(Clone, Debug)]
struct Voice<N> {
    port: PortId,
    /// The note that it holds.
    note: Option<N>,
    /// What that note is, for when it returns.
    pitch: f64,
    vel: f64,
    values: Option<Arc<[NoteValue]>>,
    /// When it was released, or when its note began, in order of all such moments.
    stamp: u64,
}

/// A note about to begin.
#[derive(Clone, Debug)]
pub struct NoteStart<N> {
    /// What the note is known by until it ends.
    pub note: N,
    /// MIDI note number; 69 is 440 Hz.
    pub pitch: f64,
    /// Velocity; 1 is nominal.
    pub vel: f64,
    /// The values that it gives to its voice; the voice follows all other parameters.
    pub values: Option<Arc<[NoteValue]>>,
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
        let voice = |&port| Voice { port, note: None, pitch: 0.0, vel: 0.0, values: None, stamp: 0 };
        let waiting = if target.priority.is_some() { WAITING } else { 0 };
        VoiceAllocator {
            priority: target.priority,
            waiting: Vec::with_capacity(waiting),
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

    /// Holds what others hold, which are as many. Allocates.
    pub(crate) fn take_over(&mut self, others: &VoiceAllocator<N>) {
        for (voice, other) in self.voices.iter_mut().zip(&others.voices) {
            (voice.note, voice.stamp) = (other.note, other.stamp);
            (voice.pitch, voice.vel, voice.values) = (other.pitch, other.vel, other.values.clone());
        }
        self.monitor_gate = others.monitor_gate;
        self.waiting.clone_from(&others.waiting);
    }

    /// No voice holds a note, as at the start; gives no events. \[audio\]
    pub fn reset(&mut self) {
        self.voices.iter_mut().for_each(|voice| (voice.note, voice.stamp) = (None, 0));
        self.monitor_gate = false;
        self.waiting.clear();
    }

    /// Ends the held notes for which `ends` is true; those that wait return in their place. \[audio\]
    pub fn release(&mut self, ends: impl Fn(N) -> bool, at: Moment, mut emit: impl FnMut(Event)) {
        self.forget(&ends);
        for index in 0..self.voices.len() {
            if self.voices[index].note.is_some_and(&ends) {
                self.end(index, at, &mut emit);
            }
        }
        self.release_monitor(at, emit);
    }

    /// Notes that wait for a voice do so no longer, where `ends` is true: they have ended before they could return. \[audio\]
    pub fn forget(&mut self, mut ends: impl FnMut(N) -> bool) {
        self.waiting.retain(|waiting| !ends(waiting.note));
    }

    /// The note of a voice ends; the one that is wanted most of those that wait returns on it, without a pause.
    fn end(&mut self, index: usize, at: Moment, emit: &mut impl FnMut(Event)) {
        let rank = |waiting: &Waiting<N>| Some(self.priority?.rank(waiting.pitch, waiting.stamp));
        let most = |best: Option<usize>, next: usize| match best {
            Some(best)
                if !rank(&self.waiting[next])
                    .zip(rank(&self.waiting[best]))
                    .is_some_and(|(next, best)| next.beats(best)) =>
            {
                Some(best)
            }
            _ => Some(next),
        };
        let Some(next) = (0..self.waiting.len()).fold(None, most) else {
            return self.voices[index].release(at, emit);
        };
        let Waiting { note, pitch, vel, values, stamp } = self.waiting.swap_remove(next);
        self.start_on(index, NoteStart { note, pitch, vel, values }, Moment { stamp, ..at }, emit);
    }

    /// Ends the note that a voice holds, if it holds one. \[audio\]
    ///
    /// # Panics
    /// When there is no such voice.
    pub fn release_voice(&mut self, index: usize, at: Moment, mut emit: impl FnMut(Event)) {
        if self.voices[index].note.is_some() {
            self.end(index, at, &mut emit);
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

    /// Begins a note: on the voice that was released longest ago, else on that of the oldest note, or of the one that an
    /// instrument with a priority wants least; there the note waits if it is wanted even less. Returns the voice; `None` for
    /// an instrument without, and where the note waits. \[audio\]
    pub fn begin(&mut self, start: NoteStart<N>, at: Moment, mut emit: impl FnMut(Event)) -> Option<usize> {
        let Some(index) = self.choose() else {
            self.begin_monitor(&start, at, &mut emit);
            return None;
        };
        if let Some((priority, before)) = self.priority.zip(self.voices[index].note) {
            let voice = &self.voices[index];
            let held = Waiting {
                note: before,
                pitch: voice.pitch,
                vel: voice.vel,
                values: voice.values.clone(),
                stamp: voice.stamp,
            };
            let rank = priority.rank(start.pitch, at.stamp);
            if !rank.beats(priority.rank(held.pitch, held.stamp)) {
                let NoteStart { note, pitch, vel, values } = start;
                self.wait(priority, Waiting { note, pitch, vel, values, stamp: at.stamp });
                return None;
            }
            self.wait(priority, held);
        }
        self.start_on(index, start, at, &mut emit);
        Some(index)
    }

    /// The voice that the next note takes, if it takes one.
    fn choose(&self) -> Option<usize> {
        let by_age = |index: &usize| (self.voices[*index].note.is_some(), self.voices[*index].stamp);
        let oldest = (0..self.voices.len()).min_by_key(by_age)?;
        let Some(priority) = self.priority.filter(|_| self.voices[oldest].note.is_some()) else {
            return Some(oldest);
        };
        // All hold a note.
        let rank = |index: usize| priority.rank(self.voices[index].pitch, self.voices[index].stamp);
        (0..self.voices.len())
            .reduce(|least, index| if rank(least).beats(rank(index)) { index } else { least })
    }

    fn wait(&mut self, priority: Priority, note: Waiting<N>) {
        if self.waiting.len() == WAITING {
            let rank = |index: usize| priority.rank(self.waiting[index].pitch, self.waiting[index].stamp);
            let least = (0..WAITING)
                .reduce(|least, index| if rank(least).beats(rank(index)) { index } else { least });
            least.into_iter().for_each(|least| drop(self.waiting.swap_remove(least)));
        }
        self.waiting.push(note);
    }

    /// A note begins on a voice, whatever that held before.
    fn start_on(&mut self, index: usize, start: NoteStart<N>, at: Moment, emit: &mut impl FnMut(Event)) {
        let values = start.values.as_deref().unwrap_or(&[]);
        note_values(&self.params, index, values).for_each(|kind| emit(Event { frame: at.frame, kind }));
        let port = self.voices[index].port;
        let kind = EventKind::On { port, note: start.pitch, vel: start.vel };
        emit(Event { frame: at.frame, kind });
        self.begin_monitor(&start, at, emit);
        self.occupy(index, start.note, at.stamp);
        let voice = &mut self.voices[index];
        (voice.pitch, voice.vel) = (start.pitch, start.vel);
        voice.values = start.values.filter(|_| self.priority.is_some());
    }

    fn begin_monitor(&mut self, start: &NoteStart<N>, at: Moment, emit: &mut impl FnMut(Event)) {
        if let Some(port) = self.monitor {
            let kind = EventKind::On { port, note: start.pitch, vel: start.vel };
            emit(Event { frame: at.frame, kind });
        }
        self.monitor_gate = true;
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
        own.voices.get(voice).map(|&param| EventKind::NoteValue { param, value, ramp: 0 })
    })
}
