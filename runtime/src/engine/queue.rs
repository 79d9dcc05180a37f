//! Events that wait for their frame.

use crate::program::Event;
use std::collections::VecDeque;

/// Events in the order of their frames; at one frame in the order in which they came. It never grows by itself.
#[derive(Debug)]
pub struct EventQueue {
    events: VecDeque<Event>,
    limit: usize,
}

impl EventQueue {
    /// Room for `limit` events. Not on the audio thread.
    pub fn with_capacity(limit: usize) -> EventQueue {
        EventQueue { events: VecDeque::with_capacity(limit), limit }
    }

    /// Makes room for `more` events beyond those that wait. Not on the audio thread.
    pub fn reserve(&mut self, more: usize) {
        self.limit = self.limit.max(self.events.len() + more);
        self.events.reserve(self.limit - self.events.len());
    }

    /// Adds an event after all that are not later.
    ///
    /// # Errors
    /// The event itself, when there is no room for it.
    pub fn push(&mut self, event: Event) -> Result<(), Event> {
        if self.events.len() == self.limit {
            return Err(event);
        }
        let later = self.events.iter().rev().take_while(|queued| queued.frame > event.frame).count();
        match later {
            0 => self.events.push_back(event),
            _ => self.events.insert(self.events.len() - later, event),
        }
        Ok(())
    }

    /// Drops all events; the room stays.
    pub(crate) fn clear(&mut self) {
        self.events.clear();
    }

    /// The next event, if it is due before a frame.
    pub fn pop_before(&mut self, frame: u64) -> Option<Event> {
        self.events.pop_front_if(|event| event.frame < frame)
    }

    /// The frame of the next event; the end of time when none waits.
    pub(crate) fn next_frame(&self) -> u64 {
        self.events.front().map_or(u64::MAX, |event| event.frame)
    }

    /// Keeps what `keep` says, in order.
    pub fn retain(&mut self, keep: impl FnMut(&Event) -> bool) {
        self.events.retain(keep);
    }

    /// How many more fit.
    pub fn room(&self) -> usize {
        self.limit - self.events.len()
    }

    /// Whether no event waits.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}
