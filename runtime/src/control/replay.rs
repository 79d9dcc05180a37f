//! A performance again, from its log: both halves on one thread, without a device.

use super::driver::{Control, Playing};
use super::heard::Heard;
use super::live::Live;
use super::log::{Asked, Log};
use super::part::Entry;
use super::protocol::{Options, Taken};
use super::retimed::{Rates, Retimed};
use crate::engine::NotFinite;
use crate::program::{Program, QUANTUM};
use std::collections::VecDeque;
use std::sync::Arc;

/// Plays a log. What it gives is what the device was given, but for the protective clamp; at another rate than the log's,
/// everything happens at its time.
pub struct Replay {
    control: Control,
    live: Live,
    course: Course,
    /// Frames that are still to come.
    left: u64,
    channels: usize,
}

/// How a log is followed.
enum Course {
    /// At the log's own rate: the performance again, to the bit.
    Exact(Exact),
    /// At another rate: events at their exact times.
    Retimed(Retimed),
}

/// What is still to be done, each at its quantum.
struct Exact {
    asked: VecDeque<Asked>,
    taken: VecDeque<Taken>,
}

/// A log that does not go with its programs: what was taken was never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotItsLog;

impl Replay {
    /// Begins as the performance did: with its first program, at the frame where that was entered, counted as the log does.
    pub fn new(
        program: Arc<Program>,
        playing: Box<dyn Playing>,
        options: Options,
        entry: Entry,
        log: Log,
    ) -> Replay {
        let channels = options.channels;
        let rates = Rates { log: log.rate, here: program.rate };
        let is_exact = rates.log == rates.here;
        let start = if is_exact { entry } else { rates.entry(entry) };
        let (control, live) = Control::entering(program, playing, options, start, |_| true);
        let skipped = |entry: Entry| entry.at % QUANTUM as u64;
        let left = if is_exact { log.frames } else { rates.length(log.frames) };
        let course = match is_exact {
            true => Course::Exact(Exact { asked: log.asked.into(), taken: log.taken.into() }),
            false => Course::Retimed(Retimed::new(log, rates, (skipped(entry), skipped(start)))),
        };
        Replay { control, live, course, left, channels }
    }

    /// The same, of which something else is heard than the programs' outputs.
    #[must_use]
    pub fn hearing(mut self, heard: Heard) -> Replay {
        self.live.heard = Some(heard);
        self
    }

    /// Frames that are still to come; at another rate than the log's, about so many.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// The next quantum, or its part that was heard, one slice a channel. `None` at the end.
    ///
    /// # Errors
    /// When the log does not go with its programs.
    pub fn next_quantum(&mut self) -> Result<Option<Vec<&[f32]>>, NotItsLog> {
        let Replay { control, live, course, left, .. } = self;
        let most = match course {
            Course::Exact(_) if *left == 0 => 0,
            Course::Exact(exact) => {
                exact.advance(control, live);
                *left
            }
            Course::Retimed(retimed) => match retimed.advance(control, live) {
                true => retimed.frames_left(live),
                false => 0,
            },
        };
        if most == 0 {
            *left = 0;
            return Ok(None);
        }
        let Some(piece) = live.render() else { return Err(NotItsLog) };
        let frames = u64::min(piece.len() as u64, most);
        *left = left.saturating_sub(frames);
        let heard = piece.start..piece.start + frames as usize;
        Ok(Some((0..self.channels).map(|channel| &self.live.mixed(channel)[heard.clone()]).collect()))
    }

    /// The steps that were not finite since this was asked the last time, as [`Control::not_finite`] gives them.
    pub fn not_finite(&mut self) -> Vec<(Arc<Program>, NotFinite)> {
        self.control.not_finite()
    }

    /// Frames of a quantum: the most that [`Replay::next_quantum`] gives.
    pub const MOST_FRAMES: usize = QUANTUM;
}

impl Exact {
    /// Does what was done before the next quantum.
    fn advance(&mut self, control: &mut Control, live: &mut Live) {
        let now = live.quanta();
        while let Some(asked) = self.asked.pop_front_if(|asked| asked.quanta <= now) {
            if !self.take_back(control, live, asked.returned) {
                // It came back while this quantum was rendered: what was asked then was taken after it.
                self.asked.push_front(asked);
                break;
            }
            control.decide_at(asked.position, |control| control.perform(asked.request));
        }
        while self.taken.front().is_some_and(|taken| taken.quanta <= now) {
            self.take(live);
        }
        // The next request finds what it found then, and no more.
        let next = self.asked.front().map_or(u64::MAX, |asked| asked.returned);
        control.take_back(next);
        control.feed();
    }

    /// Lets so many pieces come back from the audio thread, for which that may have to take commands. False where they come
    /// later.
    fn take_back(&mut self, control: &mut Control, live: &mut Live, pieces: u64) -> bool {
        while !control.take_back(pieces) {
            if !self.take(live) {
                return false;
            }
        }
        true
    }

    /// The audio thread takes as many commands as it did then. False where it took none more.
    fn take(&mut self, live: &mut Live) -> bool {
        let now = live.quanta();
        let Some(taken) = self.taken.pop_front_if(|taken| taken.quanta <= now) else { return false };
        live.handle_commands(taken.commands as usize);
        true
    }
}
