//! Musical time and the clock's, in frames: where a render or playing starts, and how long it takes.

use crate::failure::{Failure, too_far};
use crate::values::{Length, Start, Unit};
use mam_runtime::Program;
use mam_runtime::score::{Clock, Frames, LAST_FRAME, Rational, TempoMap};

/// What a place is called that a flag asks for.
const WHERE: &str = "this place in time";

/// A frame, and where it lies in bars if that is known exactly.
#[derive(Clone, Copy)]
pub struct Position {
    /// The frame, from the start of the song.
    pub frame: u64,
    /// Bars from the start of the song.
    pub bars: Option<Rational>,
}

impl Position {
    /// The start of the song.
    pub const START: Position = Position { frame: 0, bars: Some(Rational::ZERO) };
}

/// Musical time of a song in frames: the tempo of its first transport, pass after pass.
pub struct Time {
    clock: Clock,
    /// Bars of a pass after which the tempo starts again.
    pass: Option<Rational>,
}

impl Time {
    /// The time of a program; without a transport, four quarters a bar and 120 a minute.
    pub fn new(program: &Program) -> Time {
        match program.score.transports.first() {
            Some(t) => {
                Time { clock: Clock::new(&t.tempo, program.rate), pass: t.restarts.then_some(t.length) }
            }
            None => Time { clock: Clock::new(&TempoMap::default(), program.rate), pass: None },
        }
    }

    /// Where a render or playing starts.
    ///
    /// # Errors
    /// Where it lies behind [`LAST_FRAME`].
    pub fn start(&self, from: Option<Start>) -> Result<Position, Failure> {
        match from {
            None => Ok(Position::START),
            Some(Start::Bar(bar)) => {
                let bars = Rational::new(i128::from(bar) - 1, 1).ok();
                Ok(Position { frame: self.of_bars(bars)?, bars })
            }
            Some(Start::After(length)) => {
                Ok(Position { frame: self.after(Position::START, length)?, bars: None })
            }
        }
    }

    /// A frame that the song reaches by itself.
    ///
    /// # Errors
    /// Where it lies behind [`LAST_FRAME`].
    pub fn reached(&self, frame: u64) -> Result<u64, Failure> {
        self.checked("the song's end", Some(frame).filter(|&frame| frame <= LAST_FRAME))
    }

    /// The frame that is `length` after a place.
    ///
    /// # Errors
    /// Where it lies behind [`LAST_FRAME`].
    pub fn after(&self, from: Position, length: Length) -> Result<u64, Failure> {
        if let Some(frames) = length.frames(self.clock.rate()) {
            return self.checked(WHERE, from.frame.checked_add(frames).filter(|&frame| frame <= LAST_FRAME));
        }
        let (num, den) = length.fraction();
        let amount = i128::try_from(num).ok().zip(i128::try_from(den).ok());
        let amount = amount.and_then(|(n, d)| Rational::new(n, d).ok());
        let bars = match length.unit() {
            Unit::Beat => amount.and_then(|a| (a / self.clock.beats_per_bar()).ok()),
            _ => amount,
        };
        let start = from.bars.or_else(|| Rational::from_f64(self.bar_at(from.frame)));
        let end = start.zip(bars).and_then(|(a, b)| (a + b).ok());
        self.of_bars(end)
    }

    /// The frame where so many bars have passed.
    fn of_bars(&self, bars: Option<Rational>) -> Result<u64, Failure> {
        self.checked(WHERE, bars.and_then(|bars| self.passed(bars)).and_then(|frames| frames.frame().ok()))
    }

    /// How long so many bars take from the start of the song.
    ///
    /// # Errors
    /// Where they end behind [`LAST_FRAME`].
    pub fn bars(&self, bars: u32) -> Result<Frames, Failure> {
        let bars = Rational::whole(bars.into());
        self.of_bars(Some(bars))?;
        Ok(self.passed(bars).unwrap_or(Frames::START))
    }

    /// Frames of so many bars, where they can be counted.
    fn passed(&self, bars: Rational) -> Option<Frames> {
        let (passes, rest) = match self.pass {
            Some(length) if bars > length => {
                let passes = (bars / length).map(Rational::floor);
                let rest = passes.and_then(|passes| bars - (Rational::new(passes, 1)? * length)?);
                (u64::try_from(passes.ok()?).ok()?, rest.unwrap_or(Rational::ZERO))
            }
            _ => (0, bars),
        };
        let before = self.pass.map(|length| self.clock.plain(length).times(passes));
        let frames = self.clock.plain(rest);
        Some(before.map_or(frames, |b| frames.plus(b)))
    }

    fn bar_at(&self, frame: u64) -> f64 {
        let pass = self.pass.map(|length| (self.clock.plain(length).to_f64(), length.to_f64()));
        match pass {
            Some((frames, bars)) if frames > 0.0 => {
                let passes = (frame as f64 / frames).floor();
                passes * bars + self.clock.bar_at(frame as f64 - passes * frames)
            }
            _ => self.clock.bar_at(frame as f64),
        }
    }

    /// A frame, if it is one that can be counted to.
    fn checked(&self, what: &str, frame: Option<u64>) -> Result<u64, Failure> {
        frame.ok_or_else(|| Failure::Usage(too_far(what, self.clock.rate())))
    }
}
