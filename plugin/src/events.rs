//! Lists of events, from the host and to it.

use crate::notes::{Expression, HostNote, Sink};
use clap_sys::events::*;
use mam_runtime::{Event, EventQueue};

/// Events of the engine that there is to be room for before one of the host or the score: two a voice, and a few.
const ROOM: usize = 1024;

/// The events of a host, in the order of their frames.
#[derive(Clone, Copy)]
pub(crate) struct HostEvents(*const clap_input_events);

impl HostEvents {
    /// # Safety
    /// The pointer is null, or leads to a list of the host that outlives this and what it gives.
    pub(crate) unsafe fn new(list: *const clap_input_events) -> HostEvents {
        HostEvents(list)
    }

    /// Those of CLAP itself. \[audio\]
    pub(crate) fn iter(self) -> impl Iterator<Item = HostEvent> {
        (0..self.count()).filter_map(move |index| self.get(index))
    }

    fn count(self) -> u32 {
        // SAFETY: as for `new`.
        unsafe { self.0.as_ref().and_then(|list| list.size).map_or(0, |size| size(self.0)) }
    }

    fn get(self, index: u32) -> Option<HostEvent> {
        // SAFETY: as for `new`; a list's events live as long as it.
        unsafe {
            let get = self.0.as_ref()?.get?;
            let header = get(self.0, index);
            (header.as_ref()?.space_id == CLAP_CORE_EVENT_SPACE_ID).then_some(HostEvent(header))
        }
    }
}

/// One event of a host.
#[derive(Clone, Copy)]
pub(crate) struct HostEvent(*const clap_event_header);

/// What an event asks for.
#[derive(Clone, Copy)]
pub(crate) enum Request {
    /// A note begins, with its velocity, 0 to 1.
    On(HostNote, f64),
    /// Notes end, and how quickly their keys were let go, 0 to 1, where that is known.
    Off(HostNote, Option<f64>),
    /// Something of how notes sound changes.
    Express(HostNote, Expression),
    /// A parameter's id, and its value in the host's terms.
    Set(u32, f64),
    /// A parameter's id, and what is added to its value.
    Modulate(u32, f64),
    /// A message of MIDI to a port.
    Midi(u16, [u8; 3]),
    /// Where the host is from here on.
    Transport(clap_event_transport),
}

impl HostEvent {
    fn header(self) -> clap_event_header {
        // SAFETY: it was made of a reference to an event of a list that outlives it.
        unsafe { *self.0 }
    }

    /// Frames from the block's beginning.
    pub(crate) fn time(self) -> u32 {
        self.header().time
    }

    /// What it asks for; `None` for what a song has no use for, and for what is shorter than its type.
    pub(crate) fn request(self) -> Option<Request> {
        // SAFETY: each struct is the one that CLAP gives an event of that type.
        unsafe {
            Some(match self.header().type_ {
                CLAP_EVENT_NOTE_ON => {
                    let event = self.read::<clap_event_note>()?;
                    Request::On(note(&event), event.velocity)
                }
                CLAP_EVENT_NOTE_OFF => {
                    let event = self.read::<clap_event_note>()?;
                    Request::Off(note(&event), Some(event.velocity))
                }
                CLAP_EVENT_NOTE_CHOKE => Request::Off(note(&self.read()?), None),
                CLAP_EVENT_NOTE_EXPRESSION => {
                    let event = self.read::<clap_event_note_expression>()?;
                    let clap_event_note_expression { port_index: port, channel, key, note_id: id, .. } =
                        event;
                    let expression = match event.expression_id {
                        CLAP_NOTE_EXPRESSION_TUNING => Expression::Tuning(event.value),
                        CLAP_NOTE_EXPRESSION_PRESSURE => Expression::Pressure(event.value),
                        CLAP_NOTE_EXPRESSION_BRIGHTNESS => Expression::Timbre(event.value),
                        _ => return None,
                    };
                    Request::Express(HostNote { port, channel, key, id }, expression)
                }
                CLAP_EVENT_PARAM_VALUE => {
                    let event = self.read::<clap_event_param_value>()?;
                    Request::Set(event.param_id, event.value)
                }
                CLAP_EVENT_PARAM_MOD => {
                    let event = self.read::<clap_event_param_mod>()?;
                    Request::Modulate(event.param_id, event.amount)
                }
                CLAP_EVENT_MIDI => {
                    let event = self.read::<clap_event_midi>()?;
                    Request::Midi(event.port_index, event.data)
                }
                CLAP_EVENT_TRANSPORT => Request::Transport(self.read()?),
                _ => return None,
            })
        }
    }

    /// The event as a struct; `None` where it is shorter than that.
    ///
    /// # Safety
    /// `T` is the struct of the event's type.
    unsafe fn read<T: Copy>(self) -> Option<T> {
        // SAFETY: it has as many bytes as it says, wherever they lie.
        (self.header().size as usize >= size_of::<T>())
            .then(|| unsafe { self.0.cast::<T>().read_unaligned() })
    }
}

fn note(event: &clap_event_note) -> HostNote {
    HostNote { port: event.port_index, channel: event.channel, key: event.key, id: event.note_id }
}

/// Tells the host which of its notes are over.
#[derive(Clone, Copy)]
pub(crate) struct NoteEnds {
    /// The engine's frame at the block's beginning.
    start: u64,
    list: *const clap_output_events,
}

impl NoteEnds {
    /// For a block that begins at a frame of the engine.
    ///
    /// # Safety
    /// The pointer is null, or leads to a list of the host that outlives this.
    pub(crate) unsafe fn new(list: *const clap_output_events, start: u64) -> NoteEnds {
        NoteEnds { start, list }
    }

    /// A note is over at a frame of the engine. \[audio\]
    pub(crate) fn push(self, note: HostNote, frame: u64) {
        let header = clap_event_header {
            size: size_of::<clap_event_note>() as u32,
            time: frame.saturating_sub(self.start) as u32,
            space_id: CLAP_CORE_EVENT_SPACE_ID,
            type_: CLAP_EVENT_NOTE_END,
            flags: 0,
        };
        let HostNote { port: port_index, channel, key, id: note_id } = note;
        let event = clap_event_note { header, note_id, port_index, channel, key, velocity: 0.0 };
        // SAFETY: the list outlives this, and takes a copy of the whole event.
        unsafe {
            if let Some(push) = self.list.as_ref().and_then(|list| list.try_push) {
                // A host without room does without.
                let _ = push(self.list, (&raw const event).cast());
            }
        }
    }
}

/// Where events of a block go: the engine's queue, and the host's list of notes that are over.
pub(crate) struct BlockSink<'e> {
    /// The engine's events.
    pub(crate) queue: &'e mut EventQueue,
    /// The host's list.
    pub(crate) ends: NoteEnds,
}

impl Sink for BlockSink<'_> {
    fn has_room(&mut self) -> bool {
        self.queue.room() >= ROOM
    }

    fn event(&mut self, event: Event) {
        // More than the queue holds in one frame are dropped.
        let _ = self.queue.push(event);
    }

    fn ended(&mut self, note: HostNote, frame: u64) {
        self.ends.push(note, frame);
    }
}
