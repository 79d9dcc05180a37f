//! A performance again, from its log: both halves on one thread, without a device.

use super::driver::{Control, Playing};
use super::live::Live;
use super::log::{Log, Request};
use super::part::Entry;
use super::protocol::{Options, Taken};
use crate::program::{Program, QUANTUM};
use std::collections::VecDeque;
use std::sync::Arc;

/// Plays a log. What it gives is what the device was given, but for the protective clamp.
pub struct Replay {
    control: Control,
    live: Live,
    log: Log,
    /// Requests that have been done.
    done: usize,
    taken: VecDeque<Taken>,
    /// Frames that are still to come.
    left: u64,
    channels: usize,
}

/// A log that does not go with its programs: what was taken was never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotItsLog;

impl Replay {
    /// Begins as the performance did: with its first program, at the frame where that was entered.
    pub fn new(
        program: Arc<Program>,
        playing: Box<dyn Playing>,
        options: Options,
        entry: Entry,
        log: Log,
    ) -> Replay {
        let channels = options.channels;
        let (control, live) = Control::entering(program, playing, options, entry, |_| true);
        let (taken, left) = (log.taken.iter().copied().collect(), log.frames);
        Replay { control, live, log, done: 0, taken, left, channels }
    }

    /// Frames that are still to come.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// The next quantum, or its part that was heard, one slice a channel. `None` at the end.
    ///
    /// # Errors
    /// When the log does not go with its programs.
    pub fn next_quantum(&mut self) -> Result<Option<Vec<&[f32]>>, NotItsLog> {
        if self.left == 0 {
            return Ok(None);
        }
        let now = self.live.quanta();
        while let Some(asked) = self.log.asked.get(self.done).filter(|asked| asked.quanta <= now) {
            let (returned, position, request) = (asked.returned, asked.position, asked.request.clone());
            if !self.take_back(returned, now) {
                // It came back while this quantum was rendered: what was asked then was taken after it.
                break;
            }
            self.done += 1;
            self.control.decide_at(position, |control| perform(control, request));
        }
        while self.taken.front().is_some_and(|taken| taken.quanta <= now) {
            self.take(now);
        }
        // The next request finds what it found then, and no more.
        let next = self.log.asked.get(self.done).map_or(u64::MAX, |asked| asked.returned);
        self.control.take_back(next);
        self.control.feed();
        let Some(piece) = self.live.render() else { return Err(NotItsLog) };
        let frames = u64::min(piece.len() as u64, self.left);
        self.left -= frames;
        let heard = piece.start..piece.start + frames as usize;
        Ok(Some((0..self.channels).map(|channel| &self.live.mixed(channel)[heard.clone()]).collect()))
    }

    /// Lets so many pieces come back from the audio thread, for which that may have to take commands. False where they come
    /// later.
    fn take_back(&mut self, pieces: u64, now: u64) -> bool {
        while !self.control.take_back(pieces) {
            if !self.take(now) {
                return false;
            }
        }
        true
    }

    /// The audio thread takes as many commands as it did then. False where it took none more.
    fn take(&mut self, now: u64) -> bool {
        let Some(taken) = self.taken.pop_front_if(|taken| taken.quanta <= now) else { return false };
        self.live.handle_commands(taken.commands as usize);
        true
    }

    /// Frames of a quantum: the most that [`Replay::next_quantum`] gives.
    pub const MOST_FRAMES: usize = QUANTUM;
}

fn perform(control: &mut Control, request: Request) {
    match request {
        Request::Edit(program, sync) => control.edit(program, sync),
        Request::Start(program, entry) => control.start(program, entry, |_| true),
        // One that lies too far away has been refused then as well.
        Request::Seek(frame) => drop(control.seek(frame)),
        Request::Again => control.try_again(),
        Request::Play => control.play(),
        Request::Stop => control.stop(),
        Request::Set { name, value, ramp } => _ = control.set(&name, value, ramp),
        Request::Note { target, voice, note, vel } => _ = control.note(&target, voice, note, vel),
        Request::Touch { target, voice, signal, value, ramp } => {
            _ = control.touch(&target, voice, signal, value, ramp);
        }
        Request::Mute(node, muted) => control.mute(&node, muted),
        Request::Solo(node, soloed) => control.solo(&node, soloed),
    }
}
