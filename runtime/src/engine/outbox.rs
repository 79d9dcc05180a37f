//! Events that go to machines outside, as the engine takes them up: at the frames at which their sounds would begin.

use crate::ids::{IdMap, ParamId, PortId};
use crate::program::{EventKind, Program};

/// Events of one quantum that are kept. What is beyond is more than a machine can play.
const MOST: usize = 4096;

/// What goes outside.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// Which ports and parameters belong to machines outside; none where the song has no such machine.
    ports: IdMap<PortId, bool>,
    params: IdMap<ParamId, bool>,
    /// The events of a quantum with their frames in it.
    pub(super) events: Vec<(usize, EventKind)>,
}

impl Outbox {
    pub(crate) fn new(program: &Program) -> Outbox {
        let machines = || program.targets.iter().filter(|target| target.outside.is_some());
        if machines().next().is_none() {
            return Outbox { ports: IdMap::default(), params: IdMap::default(), events: vec![] };
        }
        let mut ports = IdMap::filled(false, program.ports);
        let mut params = IdMap::filled(false, program.params.len());
        for target in machines() {
            target.voices.iter().for_each(|&port| ports[port] = true);
            target.sent.iter().for_each(|&(param, _)| params[param] = true);
            for own in &target.note_params {
                own.voices.iter().for_each(|&share| params[share] = true);
            }
        }
        Outbox { ports, params, events: Vec::with_capacity(MOST) }
    }

    /// Keeps an event that goes outside.
    #[inline]
    pub(crate) fn take(&mut self, offset: usize, kind: EventKind) {
        if self.events.len() == self.events.capacity() {
            return;
        }
        let goes = match kind {
            EventKind::Set { param, .. } | EventKind::NoteValue { param, .. } => self.params.get(param),
            EventKind::Off { port } | EventKind::On { port, .. } | EventKind::Pitch { port, .. } => {
                self.ports.get(port)
            }
        };
        if goes.is_some_and(|goes| *goes) {
            self.events.push((offset, kind));
        }
    }
}
