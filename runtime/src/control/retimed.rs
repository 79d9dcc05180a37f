//! A performance at another rate than that at which it was played.
//!
//! Everything that was asked for happens again at its time: notes and values at their frame, what changes the program or the
//! whole output at the beginning of the next quantum, as on the audio thread. Which command was taken when is known by their
//! order; what comes back from the audio thread comes back as it does here.

use super::driver::Control;
use super::live::{Live, Master};
use super::log::{Asked, Log, Request};
use super::part::Entry;
use crate::program::QUANTUM;
use crate::score::LAST_FRAME;
use std::collections::VecDeque;

/// Two rates, in frames a second.
#[derive(Clone, Copy)]
pub(super) struct Rates {
    /// That of the log.
    pub(super) log: u32,
    /// That at which it is rendered.
    pub(super) here: u32,
}

/// Commands of one request.
struct Sent {
    /// The quantum of the log before which they were taken.
    quanta: u64,
    commands: usize,
    stops: Option<bool>,
}

/// The requests of a log that are still to come, and what of them is on its way.
pub(super) struct Retimed {
    rates: Rates,
    asked: VecDeque<(Asked, u64)>,
    sent: VecDeque<Sent>,
    /// A frame of the log, and the frame here, both counted in quanta from the beginning, that are the same instant.
    anchor: (u64, u64),
    /// The quantum of the log from which on it was silent, after a stop.
    silent_from: Option<u64>,
    /// The end, in frames of the log's quanta.
    end: u64,
}

impl Rates {
    /// How many frames here last as long as so many of the log.
    pub(super) fn length(self, frames: u64) -> u64 {
        let (log, here) = (u128::from(self.log), u128::from(self.here));
        u64::try_from((u128::from(frames) * here + log / 2) / log).unwrap_or(u64::MAX)
    }

    /// The first frame of a song here at which something can be that lies at or after a frame of the song there: positions are
    /// rounded to the nearest frame.
    pub(super) fn place(self, frame: u64) -> u64 {
        let (log, here) = (u128::from(self.log), u128::from(self.here));
        let halves = (2 * u128::from(frame)).saturating_sub(1);
        u64::try_from((halves * here + log) / (2 * log)).unwrap_or(u64::MAX).min(LAST_FRAME)
    }

    /// The same entry here.
    pub(super) fn entry(self, entry: Entry) -> Entry {
        Entry { at: self.place(entry.at), since: self.place(entry.since) }
    }

    fn request(self, request: Request) -> Request {
        let ramp_of = |ramp: u32| u32::try_from(self.length(ramp.into())).unwrap_or(u32::MAX);
        match request {
            Request::Start(program, entry) => Request::Start(program, self.entry(entry)),
            Request::Seek(frame) => Request::Seek(self.place(frame)),
            Request::Set { name, value, ramp } => Request::Set { name, value, ramp: ramp_of(ramp) },
            Request::Touch { target, voice, signal, value, ramp } => {
                Request::Touch { target, voice, signal, value, ramp: ramp_of(ramp) }
            }
            other => other,
        }
    }
}

/// For each request the quantum before which the first of its commands was taken.
fn times(log: &Log) -> Vec<u64> {
    let mut taken = log.taken.iter().filter(|taken| taken.commands > 0).peekable();
    let (mut before, mut last) = (0, 0);
    let time = |asked: &Asked| {
        let is_later = |quanta: u64, commands: u64| match asked.sent {
            Some(sent) => before + commands <= sent,
            None => quanta < asked.quanta,
        };
        let mut commands = 0;
        while let Some(next) =
            taken.next_if(|next| is_later(next.quanta, commands + u64::from(next.commands)))
        {
            commands += u64::from(next.commands);
        }
        before += commands;
        last = taken.peek().map_or(asked.quanta, |next| next.quanta).max(asked.quanta).max(last);
        last
    };
    log.asked.iter().map(time).collect()
}

impl Retimed {
    /// From the beginning, where so many frames of the first quantum are not heard: of the log's, and here.
    pub(super) fn new(log: Log, rates: Rates, skipped: (u64, u64)) -> Retimed {
        let times = times(&log);
        Retimed {
            rates,
            end: skipped.0.saturating_add(log.frames),
            asked: log.asked.into_iter().zip(times).collect(),
            sent: VecDeque::new(),
            anchor: skipped,
            silent_from: None,
        }
    }

    /// The frame here, in quanta, of a frame of the log.
    fn here(&self, frame: u64) -> u64 {
        let (there, here) = self.anchor;
        here.saturating_add(self.rates.length(frame.saturating_sub(there)))
    }

    /// Frames of the next quantum that belong to the performance.
    pub(super) fn frames_left(&self, live: &Live) -> u64 {
        // The last fade is rendered to its end.
        match self.silent_from {
            Some(_) if !live.is_silent() => u64::MAX,
            _ => self.here(self.end).saturating_sub(live.quanta() * QUANTUM as u64),
        }
    }

    /// Does what happens before the next quantum and in it. False where nothing is left and it is silent.
    pub(super) fn advance(&mut self, control: &mut Control, live: &mut Live) -> bool {
        loop {
            self.send(control, live, None, |control| control.tick());
            while self.step(control, live) {}
            live.late = 0;
            if !live.is_silent() {
                return true;
            }
            // There it was silent too, and no time went by.
            let Some(next) = self.next() else { return false };
            self.anchor = (next.saturating_mul(QUANTUM as u64), live.quanta() * QUANTUM as u64);
            self.silent_from = None;
        }
    }

    /// The quantum of the log of what comes next.
    fn next(&self) -> Option<u64> {
        let asked = self.asked.front().map(|(asked, _)| asked.quanta);
        let sent = self.sent.front().map(|sent| sent.quanta);
        asked.into_iter().chain(sent).min()
    }

    /// Does the next thing, if it happens before the end of the next quantum.
    fn step(&mut self, control: &mut Control, live: &mut Live) -> bool {
        let Some(quanta) = self.next() else { return false };
        let start = live.quanta() * QUANTUM as u64;
        let frame = self.here(quanta.saturating_mul(QUANTUM as u64));
        let waits = self.silent_from.is_some_and(|silent| quanta >= silent);
        if frame >= start + QUANTUM as u64 || waits {
            return false;
        }
        live.late = frame.saturating_sub(start) as usize;
        if self.asked.front().is_some_and(|(asked, _)| asked.quanta == quanta)
            && let Some((asked, taken)) = self.asked.pop_front()
        {
            self.ask(control, live, asked.request, taken);
            return true;
        }
        let Some(sent) = self.sent.front_mut() else { return false };
        sent.commands -= live.handle_commands(sent.commands);
        if sent.commands > 0 {
            return false;
        }
        let quanta_to_silence = Master::quanta_to_silence(self.rates.log);
        match self.sent.pop_front().and_then(|sent| sent.stops) {
            Some(true) => self.silent_from = Some(quanta + quanta_to_silence),
            Some(false) => self.silent_from = None,
            None => {}
        }
        true
    }

    fn ask(&mut self, control: &mut Control, live: &mut Live, request: Request, taken: u64) {
        let stops = match request {
            // Here it is tried again whenever there may be room.
            Request::Again => return,
            Request::Stop => Some(true),
            Request::Play => Some(false),
            _ => None,
        };
        let position = live.cut.frame + live.late as u64;
        let request = self.rates.request(request);
        self.send(control, live, Some((taken, stops)), |control| {
            control.decide_at(position, |control| control.perform(request));
        });
    }

    /// Keeps in mind the commands that are sent meanwhile, and when they are to be taken: at once where that is not said.
    fn send(
        &mut self,
        control: &mut Control,
        live: &Live,
        taken: Option<(u64, Option<bool>)>,
        act: impl FnOnce(&mut Control),
    ) {
        let before = control.sent_commands;
        act(control);
        let commands = (control.sent_commands - before) as usize;
        let last = self.sent.back().map_or(0, |sent| sent.quanta);
        let (quanta, stops) = taken.unwrap_or_else(|| (self.there(live), None));
        if commands > 0 {
            self.sent.push_back(Sent { quanta: quanta.max(last), commands, stops });
        }
    }

    /// The quantum of the log in which the next one here begins.
    fn there(&self, live: &Live) -> u64 {
        let Rates { log, here } = self.rates;
        let back = Rates { log: here, here: log };
        let since = (live.quanta() * QUANTUM as u64).saturating_sub(self.anchor.1);
        (self.anchor.0 + back.length(since)) / QUANTUM as u64
    }
}
