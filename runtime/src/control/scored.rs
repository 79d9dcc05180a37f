//! Playing what a program's own score says, for ever, and finding a place of it in another.

use super::driver::Playing;
use crate::program::Program;
use crate::render::EventSource;
use crate::score::{Clock, Extent, Frames, Held, Overflow, Rational, Sequencer, Transport};
use std::sync::Arc;

/// The program's score, again and again. Bars are those of its first transport.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scored;

/// A position in musical time: a pass, and bars within it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Passes before this one; 0 where the score does not start again.
    pub pass: u64,
    /// Bars from the start of the pass.
    pub bar: f64,
    /// Quarter notes in a bar.
    pub beats_per_bar: f64,
}

impl Position {
    /// Where a frame of a program's score lies; `None` without a transport.
    pub fn at_frame(program: &Program, frame: u64) -> Option<Position> {
        Some(Position::in_transport(program.score.transports.first()?, program.rate, frame))
    }

    /// Where a frame lies in a transport of a score, at so many frames a second.
    pub fn in_transport(transport: &Transport, rate: u32, frame: u64) -> Position {
        let clock = Clock::new(&transport.tempo, rate);
        let length = pass_frames(transport, &clock);
        let (pass, within) = match length {
            Some(length) => ((frame as f64 / length).floor(), frame as f64 % length),
            None => (0.0, frame as f64),
        };
        let beats_per_bar = clock.beats_per_bar().to_f64();
        Position { pass: pass as u64, bar: clock.bar_at(within), beats_per_bar }
    }

    /// The frame of a program's score where it lies; `None` without a transport.
    ///
    /// # Errors
    /// Where it lies behind [`LAST_FRAME`](crate::score::LAST_FRAME).
    pub fn frame(self, program: &Program) -> Option<Result<u64, Overflow>> {
        let transport = program.score.transports.first()?;
        let clock = Clock::new(&transport.tempo, program.rate);
        let restarts = pass_frames(transport, &clock).is_some();
        let passes = if restarts { clock.plain(transport.length).times(self.pass) } else { Frames::START };
        let bar = Rational::from_f64(self.bar).ok_or(Overflow);
        Some(bar.and_then(|bar| passes.plus(clock.plain(bar)).frame()))
    }

    /// The tempo at the start of a program's score, and that at this place, in quarter notes a minute.
    pub fn tempos(self, program: &Program) -> Option<(f64, f64)> {
        let clock = Clock::new(&program.score.transports.first()?.tempo, program.rate);
        let here = clock.tempo(Rational::from_f64(self.bar)?);
        let first = clock.tempo(Rational::ZERO);
        (first > 0.0 && here > 0.0).then_some((first, here))
    }

    /// The beginning of its bar, or of the one so many bars later (earlier where negative), in the same pass.
    pub fn bar_line(self, bars: i64) -> Position {
        // A frame is rounded, so a bar line may seem to be a hair before itself.
        let bar = (self.bar + 1e-6).floor() + bars as f64;
        Position { bar: bar.max(0.0), ..self }
    }
}

/// Frames of a pass, not rounded; `None` for a score that runs on.
fn pass_frames(transport: &Transport, clock: &Clock) -> Option<f64> {
    let frames = clock.plain(transport.length).to_f64();
    (transport.restarts && frames >= 1.0).then_some(frames)
}

impl Playing for Scored {
    fn events(&self, program: &Arc<Program>, from: u64, held: Option<&Held>) -> Box<dyn EventSource + Send> {
        let mut sequencer = Sequencer::for_program(program, Extent::Forever);
        match held {
            Some(held) => sequencer.go_on(from, from, held),
            None if from > 0 => sequencer.seek(from, from),
            None => {}
        }
        Box::new(sequencer)
    }

    fn place(&self, old: &Program, frame: u64, new: &Program) -> u64 {
        let timing = |program: &Program| {
            let transport = program.score.transports.first()?;
            Some((transport.tempo.clone(), transport.length, transport.restarts, program.rate))
        };
        if timing(old) == timing(new) {
            return frame;
        }
        Position::at_frame(old, frame).and_then(|place| place.frame(new)?.ok()).unwrap_or(frame)
    }

    fn next_bar(&self, program: &Program, frame: u64) -> u64 {
        let next = Position::at_frame(program, frame).and_then(|place| {
            let line = |bars: i64| place.bar_line(bars).frame(program)?.ok();
            line(0).filter(|&line| line >= frame).or_else(|| line(1))
        });
        next.unwrap_or(frame)
    }
}
