//! Logging what is asked of a [`Control`]: every request with the frame that it is decided by.

use super::driver::Control;
use super::log::{Asked, Log, Request, Writing};
use super::protocol::Command;
use rtrb::RingBuffer;
use std::sync::atomic::Ordering::Acquire;

/// Takings of commands that wait to be logged.
const TAKEN: usize = 1 << 14;

impl Control {
    /// Logs from now on what is asked for, and when the audio thread takes it. To be asked for before the audio thread runs.
    pub fn log(&mut self) {
        let (writer, taken) = RingBuffer::new(TAKEN);
        self.command(Command::Log(writer));
        self.log = Some(Writing { log: Log::default(), taken, before: self.sent_commands });
    }

    /// What was logged since this was asked the last time.
    pub fn read_log(&mut self) -> Option<Log> {
        let frames = self.meters.heard.load(Acquire);
        let unlogged = self.meters.unlogged.load(Acquire) > 0;
        let writing = self.log.as_mut()?;
        writing.read();
        let log = std::mem::take(&mut writing.log);
        Some(Log { rate: self.rate, frames, is_cut: log.is_cut || unlogged, ..log })
    }

    /// What was logged, and nothing more from now on. To be asked for when the audio thread is silent.
    pub fn take_log(&mut self) -> Option<Log> {
        let log = self.read_log();
        self.log = None;
        log
    }

    /// Does something that is decided by one frame, and logs it where that is wanted. What is done within it belongs to it.
    pub(super) fn logged<R>(
        &mut self,
        request: impl FnOnce() -> Request,
        act: impl FnOnce(&mut Control) -> R,
    ) -> R {
        if self.decided_at.is_some() || self.log.is_none() {
            return act(self);
        }
        // What came back before the counter was read has come back before this quantum.
        let quanta = self.meters.quanta.load(Acquire);
        let position = self.meters.position.load(Acquire);
        if let Some(writing) = &mut self.log {
            let sent = Some(self.sent_commands - writing.before);
            writing.ask(Asked { quanta, position, returned: self.returned, sent, request: request() });
        }
        self.decide_at(position, act)
    }

    /// Does something as if the audio thread stood at a frame.
    pub(super) fn decide_at<R>(&mut self, frame: u64, act: impl FnOnce(&mut Control) -> R) -> R {
        self.decided_at = Some(frame);
        let result = act(self);
        self.decided_at = None;
        result
    }

    /// Does what was asked for in another performance.
    pub(super) fn perform(&mut self, request: Request) {
        match request {
            Request::Edit(program, sync) => self.edit(program, sync),
            Request::Start(program, entry) => self.start(program, entry, |_| true),
            // One that lies too far away has been refused then as well.
            Request::Seek(frame) => drop(self.seek(frame)),
            Request::Again => self.try_again(),
            Request::Play => self.play(),
            Request::Stop => self.stop(),
            Request::Set { name, value, ramp } => _ = self.set(&name, value, ramp),
            Request::Note { target, voice, note, vel } => _ = self.note(&target, voice, note, vel),
            Request::Touch { target, voice, signal, value, ramp } => {
                _ = self.touch(&target, voice, signal, value, ramp);
            }
            Request::Mute(node, muted) => self.mute(&node, muted),
            Request::Solo(node, soloed) => self.solo(&node, soloed),
        }
    }

    /// The frame that is rendered next, as far as what is done now is concerned.
    pub(super) fn position(&self) -> u64 {
        self.decided_at.unwrap_or_else(|| self.meters.position.load(Acquire))
    }
}
