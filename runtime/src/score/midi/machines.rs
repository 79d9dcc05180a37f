//! The tracks of machines outside: what they are sent while the song plays, on their own channels.

use super::Timed;
use crate::control::{Outgoing, OutgoingKind};
use crate::ids::{IdMap, ParamId};
use crate::outside::{Machines, Message, Receiver, Router};
use crate::param::ParamSlot;
use crate::program::{Event, Outside, Target};
use midly::live::LiveEvent;
use midly::num::u7;
use midly::{MetaMessage, TrackEventKind};
use std::sync::Arc;

/// A machine that plays by MIDI, with what it has been sent.
struct MachineTrack<'t> {
    target: &'t Target,
    port: &'t Arc<str>,
    machines: Machines,
    router: Router,
    messages: Vec<Message>,
}

/// The machines of a song that play by MIDI, each with a track of its own.
pub(super) struct MachineTracks<'t>(Vec<MachineTrack<'t>>);

impl<'t> MachineTracks<'t> {
    pub(super) fn new(
        targets: &'t [Target],
        params: &IdMap<ParamId, ParamSlot>,
        rate: u32,
    ) -> MachineTracks<'t> {
        let track = |target: &'t Target| {
            let Some(Outside::Midi { port, .. }) = &target.outside else { return None };
            let machines = Machines::of_targets(std::slice::from_ref(target), params, rate);
            let mut router = Router::default();
            let begins = Outgoing { frame: 0, generation: 0, kind: OutgoingKind::Program(true) };
            router.hear(begins, &machines);
            Some(MachineTrack { target, port, machines, router, messages: vec![] })
        };
        MachineTracks(targets.iter().filter_map(track).collect())
    }

    /// Takes the events that come next.
    pub(super) fn add(&mut self, events: &[Event]) {
        for track in &mut self.0 {
            for event in events {
                let kind = OutgoingKind::Event(event.kind);
                track.router.hear(Outgoing { frame: event.frame, generation: 0, kind }, &track.machines);
            }
            track.messages.append(&mut track.router.take());
        }
    }

    /// The events of the tracks of a song that ends at a frame, on ports after `last`, one for each name of a port. Machines that
    /// were sent nothing have none.
    pub(super) fn tracks(&mut self, end: u64, last: usize, tick: impl Fn(u64) -> u64) -> Vec<Vec<Timed<'t>>> {
        let mut names: Vec<&str> = vec![];
        let mut all = vec![];
        for track in &mut self.0 {
            track.router.advance(end);
            track.messages.append(&mut track.router.take());
            if track.messages.is_empty() {
                continue;
            }
            track.router.end_all(end);
            track.messages.append(&mut track.router.take());
            let place = names.iter().position(|name| **name == **track.port).unwrap_or_else(|| {
                names.push(track.port);
                names.len() - 1
            });
            let port = MetaMessage::MidiPort(u7::new(((last + 1 + place) % super::PORTS) as u8));
            // Together these say that it plays outside, and where: a reader of the file as a song finds it again.
            let name = MetaMessage::TrackName(track.target.midi.name.as_bytes());
            let instrument = MetaMessage::InstrumentName(Outside::MIDI_OUT.as_bytes());
            let device = MetaMessage::DeviceName(track.port.as_bytes());
            let head = [port, name, instrument, device].map(|meta| (0, TrackEventKind::Meta(meta)));
            let sent =
                track.messages.iter().filter_map(|message| Some((tick(message.frame), event(&message.to)?)));
            all.push(head.into_iter().chain(sent).collect());
        }
        all
    }
}

/// A message as an event of a track.
fn event(to: &Receiver) -> Option<TrackEventKind<'static>> {
    let Receiver::Midi(_, bytes, count) = to else { return None };
    match LiveEvent::parse(&bytes[..*count]).ok()? {
        LiveEvent::Midi { channel, message } => Some(TrackEventKind::Midi { channel, message }),
        _ => None,
    }
}
