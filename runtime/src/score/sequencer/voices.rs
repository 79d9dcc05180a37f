//! Which voice plays a note: decided by events alone, never by audio.

use crate::ids::PortId;
use crate::program::{Event, EventKind, Target};

/// The voices of one target.
#[derive(Clone, Debug)]
pub(super) struct Voices {
    voices: Vec<Voice>,
    monitor: Option<PortId>,
    monitor_gate: bool,
}

#[derive(Clone, Debug)]
struct Voice {
    port: PortId,
    /// The note that it holds.
    held: Option<Held>,
    /// When it was released, or when its note began, in order of all such moments.
    stamp: u64,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    note: u64,
    until_next: bool,
}

impl Voices {
    pub(super) fn new(target: &Target) -> Voices {
        let voice = |&port| Voice { port, held: None, stamp: 0 };
        Voices {
            voices: target.voices.iter().map(voice).collect(),
            monitor: target.monitor,
            monitor_gate: false,
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.voices.len()
    }

    /// Holds what others hold, which are as many.
    pub(super) fn take_over(&mut self, others: &Voices) {
        for (voice, other) in self.voices.iter_mut().zip(&others.voices) {
            *voice = Voice { port: voice.port, ..other.clone() };
        }
        self.monitor_gate = others.monitor_gate;
    }

    /// Ends a note, if it still has its voice.
    pub(super) fn release(&mut self, note: u64, stamp: u64, frame: u64, out: &mut Vec<Event>) {
        self.release_where(|held| held.note == note, stamp, frame, out);
    }

    /// Ends the notes that last until the next trigger.
    pub(super) fn release_triggers(&mut self, stamp: u64, frame: u64, out: &mut Vec<Event>) {
        self.release_where(|held| held.until_next, stamp, frame, out);
    }

    fn release_where(&mut self, which: impl Fn(Held) -> bool, stamp: u64, frame: u64, out: &mut Vec<Event>) {
        for voice in &mut self.voices {
            if voice.held.is_some_and(&which) {
                (voice.held, voice.stamp) = (None, stamp);
                out.push(Event { frame, kind: EventKind::Off { port: voice.port } });
            }
        }
        if self.monitor_gate && self.voices.iter().all(|v| v.held.is_none()) {
            self.monitor_gate = false;
            out.extend(self.monitor.map(|port| Event { frame, kind: EventKind::Off { port } }));
        }
    }

    /// Begins a note: on the voice that was released longest ago, else on that of the oldest note.
    pub(super) fn begin(&mut self, start: Start, stamp: u64, frame: u64, out: &mut Vec<Event>) {
        let on = |port| EventKind::On { port, note: start.pitch, vel: start.vel };
        if let Some(voice) = self.voices.iter_mut().min_by_key(|v| (v.held.is_some(), v.stamp)) {
            voice.held = Some(Held { note: start.note, until_next: start.until_next });
            voice.stamp = stamp;
            out.push(Event { frame, kind: on(voice.port) });
        }
        out.extend(self.monitor.map(|port| Event { frame, kind: on(port) }));
        self.monitor_gate = true;
    }
}

/// A note about to begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) note: u64,
    pub(super) pitch: f64,
    pub(super) vel: f64,
    pub(super) until_next: bool,
}
