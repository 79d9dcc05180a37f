//! The notes of one part of a quantum (mostly all of it), by port: what begins and ends where.

use crate::ids::{IdMap, PortId};
use crate::program::{Port, note_frequency};

/// Note-ons and note-offs that one part can hold. What is beyond begins with the next part.
pub(crate) const NOTES: usize = 4096;

/// The end of a chain.
const NONE: u32 = u32::MAX;

/// The notes of a part: for each port a chain in the order of time.
#[derive(Debug)]
pub(crate) struct Notes {
    list: Vec<Note>,
    chains: IdMap<PortId, Chain>,
    touched: Vec<PortId>,
}

/// A note-on or note-off.
#[derive(Clone, Copy, Debug)]
struct Note {
    offset: usize,
    kind: NoteKind,
    next: u32,
}

/// What happens on a port.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NoteKind {
    /// A note begins: its MIDI number and its velocity.
    On { note: f64, vel: f64 },
    /// The note of the port ends.
    Off,
    /// The pitch changes, to a MIDI number; nothing begins or ends.
    Pitch(f64),
}

/// The notes of one port: the first and last of the chain, and one bit for each frame that has one.
#[derive(Clone, Copy, Debug)]
struct Chain {
    first: u32,
    last: u32,
    mask: u64,
}

const EMPTY: Chain = Chain { first: NONE, last: NONE, mask: 0 };

/// A place in a port's chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor(u32);

impl Default for Cursor {
    fn default() -> Self {
        Cursor(NONE)
    }
}

impl Notes {
    pub(crate) fn new(ports: usize) -> Notes {
        Notes {
            list: Vec::with_capacity(NOTES),
            chains: IdMap::filled(EMPTY, ports),
            touched: Vec::with_capacity(ports.min(NOTES)),
        }
    }

    /// Begins a part without notes.
    pub(crate) fn begin(&mut self) {
        for port in self.touched.drain(..) {
            self.chains[port] = EMPTY;
        }
        self.list.clear();
    }

    /// Adds a note, not before the last one of its port. Notes of ports that do not exist are dropped.
    pub(crate) fn push(&mut self, port: PortId, offset: usize, kind: NoteKind) {
        if port.index() >= self.chains.len() || self.list.len() == NOTES {
            return;
        }
        let (index, chain) = (self.list.len() as u32, &mut self.chains[port]);
        if chain.last == NONE {
            chain.first = index;
            self.touched.push(port);
        } else {
            self.list[chain.last as usize].next = index;
        }
        chain.last = index;
        chain.mask |= 1 << offset;
        self.list.push(Note { offset, kind, next: NONE });
    }

    /// Whether no more can be added.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() == NOTES
    }

    /// Whether the part has none.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The frames of the quantum at which a port has notes, one bit each.
    pub(crate) fn mask(&self, port: PortId) -> u64 {
        self.chains[port].mask
    }

    /// The first note of a port.
    pub(crate) fn first(&self, port: PortId) -> Cursor {
        Cursor(self.chains[port].first)
    }

    /// The note at the cursor if it falls in this frame; the cursor moves on.
    pub(crate) fn take(&self, cursor: &mut Cursor, offset: usize) -> Option<NoteKind> {
        let note = self.list.get(cursor.0 as usize).filter(|note| note.offset == offset)?;
        cursor.0 = note.next;
        Some(note.kind)
    }
}

impl NoteKind {
    /// What the port shows from now on. `trig` is cleared by the runner after the kernel's first frame.
    pub(crate) fn apply(self, port: &mut Port) {
        match self {
            NoteKind::Off => port.gate = 0,
            NoteKind::Pitch(note) => pitch(port, note),
            NoteKind::On { note, vel } => {
                // Of several notes in one frame, the first finds what was before.
                let slur = if port.trig == 0 && port.gate != 0 { Port::SLUR } else { 0 };
                *port = Port { trig: port.trig | Port::TRIG | slur, gate: 1, vel, ..*port };
                pitch(port, note);
            }
        }
    }
}

/// Sets a port's note and its frequency, 440·2^((note − 69)/12) Hz.
pub(crate) fn pitch(port: &mut Port, note: f64) {
    port.note = note;
    port.freq = note_frequency(note);
}
