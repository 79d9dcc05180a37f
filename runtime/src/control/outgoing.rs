//! What of a performance goes to machines outside, and how single notes are touched while they sound.

use super::driver::Control;
use super::log::Request;
use super::protocol::{Command, EVENTS, Outgoing};
use crate::program::{EventKind, NoteSignal, Program};
use rtrb::{Consumer, RingBuffer};
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire};

impl Control {
    /// A ring of what goes to machines outside from now on, with the program that plays as its first. The ring has to be emptied
    /// often enough; what finds no room is lost, and [`Control::take_unsent`] says so.
    pub fn send(&mut self) -> Consumer<Outgoing> {
        let (writer, reader) = RingBuffer::new(EVENTS);
        self.command(Command::Send(writer));
        reader
    }

    /// Whether anything that was to go outside was lost since this was asked the last time.
    pub fn take_unsent(&self) -> bool {
        self.meters.unsent.swap(false, AcqRel)
    }

    /// What counts the frames that have been served, stops left out; any thread may ask it.
    pub fn served(&self) -> impl Fn() -> u64 + Send + 'static {
        let meters = self.meters.clone();
        move || meters.heard.load(Acquire)
    }

    /// The programs that play, or may play when the audio thread comes to them, by the numbers of [`Outgoing::generation`].
    pub fn generations(&self) -> Vec<(u32, Arc<Program>)> {
        self.programs()
    }

    /// A signal of the notes of a voice of a target goes to a value in so many frames, from the next quantum on and until the voice
    /// plays another note. False when the program has no such target, or none of whose voices have the signal.
    pub fn touch(&mut self, target: &str, voice: usize, signal: NoteSignal, value: f64, ramp: u32) -> bool {
        let request = || Request::Touch { target: target.into(), voice, signal, value, ramp };
        self.logged(request, |control| control.touch_now(target, voice, signal, value, ramp))
    }

    fn touch_now(&mut self, target: &str, voice: usize, signal: NoteSignal, value: f64, ramp: u32) -> bool {
        let targets = &self.current.program.targets;
        let Some(target) = targets.iter().find(|candidate| &*candidate.name == target) else { return false };
        let own = target.note_params.iter().find(|param| param.signal == Some(signal));
        let Some(&param) = own.and_then(|own| own.voices.get(voice % own.voices.len().max(1))) else {
            return false;
        };
        let kind = EventKind::NoteValue { param, value: Some(value), ramp };
        self.command(Command::Now(self.current.generation, kind));
        true
    }
}
