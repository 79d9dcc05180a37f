//! A program that is played, before it is on the audio thread: its memory, its events, its place in the song.

use super::carry::Carry;
use super::protocol::{EVENTS, Player};
use crate::engine::{Instance, Profile, Seen};
use crate::program::{Event, EventKind, Program, QUANTUM};
use crate::render::EventSource;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// When an edit is heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sync {
    /// At the next quantum.
    #[default]
    Now,
    /// At the next bar line.
    Bar,
}

/// Where playing begins, in frames of the song.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The first frame that is heard; after a program that plays already, up to 63 frames before it as well.
    pub at: u64,
    /// What is rendered before it, unheard, begins here.
    pub since: u64,
}

impl Entry {
    /// The beginning of the part.
    pub const START: Entry = Entry { at: 0, since: 0 };

    /// The whole quanta of what is rendered unheard.
    pub(super) fn quanta(self) -> Range<u64> {
        let [since, at] = [self.since.min(self.at), self.at].map(|frame| frame - frame % QUANTUM as u64);
        since..at
    }
}

/// A program that was sent to the audio thread, and how its events get there.
pub(super) struct Part {
    pub(super) generation: u32,
    pub(super) program: Arc<Program>,
    pub(super) source: Box<dyn EventSource + Send>,
    /// Engine frame minus score frame.
    pub(super) offset: i64,
    /// Events before this engine frame have been asked for.
    pub(super) until: u64,
    /// What is seen of it.
    pub(super) seen: Arc<Seen>,
}

impl Part {
    /// Memory for it, in the state in which so many quanta leave it, which are rendered here.
    pub(super) fn instance(&mut self, unheard: Range<u64>, goes_on: &mut dyn FnMut(u64) -> bool) -> Instance {
        const PIECE: usize = 64 * QUANTUM;
        let mut instance = Instance::new(self.program.clone(), EVENTS);
        instance.watch_lines();
        let mut events = vec![];
        for piece in unheard.clone().step_by(PIECE) {
            if !goes_on(piece - unheard.start) {
                break;
            }
            let end = unheard.end.min(piece + PIECE as u64);
            self.advance(end, &mut events);
            instance.queue.reserve(events.len());
            for event in events.drain(..) {
                // There is room.
                let _ = instance.queue.push(event);
            }
            (piece..end).step_by(QUANTUM).for_each(|frame| instance.quantum(frame));
        }
        instance
    }

    pub(super) fn to_song(&self, frame: u64) -> u64 {
        frame.saturating_add_signed(-self.offset)
    }

    pub(super) fn to_engine(&self, frame: u64) -> u64 {
        frame.saturating_add_signed(self.offset)
    }

    /// The events up to an engine frame, in engine frames.
    pub(super) fn advance(&mut self, until: u64, out: &mut Vec<Event>) {
        if until >= self.until {
            self.until = until;
            let start = out.len();
            self.source.advance(self.to_song(until), out);
            let offset = self.offset;
            out[start..].iter_mut().for_each(|event| event.frame = event.frame.saturating_add_signed(offset));
        }
    }
}

/// A part that is about to play, with its first events in the queue, and what was set by a controller. Values that hold at the start
/// are only set where none is carried over.
pub(super) fn player(
    mut instance: Instance,
    part: &mut Part,
    ahead: u64,
    first: u64,
    carry: &Carry,
    overrides: &BTreeMap<String, f64>,
) -> Box<Player> {
    instance.profile = Some(Profile::new(part.program.steps.len()));
    instance.watch(part.seen.clone());
    let mut events = vec![];
    part.advance(first, &mut events);
    events.retain(|event| !matches!(event.kind, EventKind::Set { param, .. } if carry.keeps(param)));
    for (param, slot) in part.program.params.iter() {
        if let Some(&value) = overrides.get(&*slot.name) {
            events.push(Event { frame: first, kind: EventKind::Set { param, value, ramp: 0, curve: None } });
        }
    }
    part.advance(first + ahead, &mut events);
    instance.queue.reserve(events.len() + EVENTS);
    for event in events {
        // There is room.
        let _ = instance.queue.push(event);
    }
    Box::new(Player { generation: part.generation, instance })
}
