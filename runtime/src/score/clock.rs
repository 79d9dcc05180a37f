//! From musical time to frames: meter, tempo, swing.
//!
//! A [`TempoMap`] is exact data; a [`Clock`] is that map at a sample rate. Positions stay exact fractions of a frame
//! as long as they fit, inside a tempo ramp they are the closed form in f64, and they are rounded once, by
//! [`Frames::round`]: there is no drift.

use super::rational::{Overflow, Rational};

/// Tempo, meter and swing of a pass, in musical time.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct TempoMap {
    /// Quarter notes in a bar; positive.
    pub beats_per_bar: Rational,
    /// Displaces every second step.
    pub swing: Option<Swing>,
    /// In order of their bars; the first is at bar 0.
    pub changes: Vec<Change>,
}

impl Default for TempoMap {
    /// Four quarters a bar, 120 of them a minute.
    fn default() -> TempoMap {
        let tempo = Tempo::Steady(Rational::whole(120));
        TempoMap {
            beats_per_bar: Rational::whole(4),
            swing: None,
            changes: vec![Change { bar: Rational::ZERO, tempo }],
        }
    }
}

impl TempoMap {
    /// Quarter notes a minute at the start.
    pub fn first(&self) -> Option<Rational> {
        self.changes.first().map(|change| match change.tempo {
            Tempo::Steady(bpm) | Tempo::Ramp { from: bpm, .. } => bpm,
        })
    }

    /// The same map with every tempo times `factor`.
    ///
    /// # Errors
    /// When a tempo would not fit a fraction.
    pub fn scaled(&self, factor: Rational) -> Result<TempoMap, Overflow> {
        let scaled = |tempo| match tempo {
            Tempo::Steady(bpm) => (bpm * factor).map(Tempo::Steady),
            Tempo::Ramp { from, to, until } => {
                Ok(Tempo::Ramp { from: (from * factor)?, to: (to * factor)?, until })
            }
        };
        let change = |change: &Change| scaled(change.tempo).map(|tempo| Change { tempo, ..*change });
        let changes = self.changes.iter().map(change).collect::<Result<_, Overflow>>()?;
        Ok(TempoMap { changes, ..self.clone() })
    }
}

/// Every first step of a pair is stretched, every second shortened: the second begins later by `amount` of half a
/// step. Pairs count from each bar line; a step without a partner before the next one is left alone.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Swing {
    /// Share of half a step: 0 to 1.
    pub amount: Rational,
    /// The step, in bars; positive.
    pub step: Rational,
}

/// A tempo from a bar on.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Change {
    /// The bar at which it begins, counted from 0.
    pub bar: Rational,
    /// What holds from there.
    pub tempo: Tempo,
}

/// Quarter notes a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum Tempo {
    /// The same until the next change.
    Steady(Rational),
    /// From `from` to `to` in a straight line in time, reached at the bar `until`, where the next change is.
    Ramp {
        /// The tempo at its start, in quarter notes a minute.
        from: Rational,
        /// The tempo at its end, in quarter notes a minute.
        to: Rational,
        /// The bar where it ends.
        until: Rational,
    },
}

/// The last frame that a position, a duration or a seek may reach: 66 days at 192 kHz. What lies beyond is an
/// [`Overflow`].
pub const LAST_FRAME: u64 = 1 << 40;

/// A position in frames, not yet rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Frames {
    /// A number of frames as an exact fraction.
    Exact(Rational),
    /// Inside a tempo ramp, or where the exact fraction does not fit.
    Near(f64),
}

impl Frames {
    /// The first frame of a song.
    pub const START: Frames = Frames::Exact(Rational::ZERO);

    /// A whole number of frames.
    pub fn whole(frames: u64) -> Frames {
        Rational::new(frames.into(), 1).map_or(Frames::Near(frames as f64), Frames::Exact)
    }

    /// floor(x + 1/2); 0 where that is negative, and the greatest number where it does not fit.
    pub fn round(self) -> u64 {
        match self {
            Frames::Exact(x) => u64::try_from(x.round().max(0)).unwrap_or(u64::MAX),
            Frames::Near(x) => (x + 0.5).floor() as u64,
        }
    }

    /// The frame, rounded as by [`Frames::round`]: the one place where a position is checked before it is gone to.
    ///
    /// # Errors
    /// Where it lies behind [`LAST_FRAME`], or is not a number.
    pub fn frame(self) -> Result<u64, Overflow> {
        match self.round() {
            _ if self.to_f64().is_nan() => Err(Overflow),
            frame if frame <= LAST_FRAME => Ok(frame),
            _ => Err(Overflow),
        }
    }

    /// As a floating-point number.
    pub fn to_f64(self) -> f64 {
        match self {
            Frames::Exact(x) => x.to_f64(),
            Frames::Near(x) => x,
        }
    }

    /// The sum, exact where it can be.
    pub fn plus(self, other: Frames) -> Frames {
        match (self, other) {
            (Frames::Exact(a), Frames::Exact(b)) => {
                (a + b).map_or_else(|_| Frames::Near(a.to_f64() + b.to_f64()), Frames::Exact)
            }
            (a, b) => Frames::Near(a.to_f64() + b.to_f64()),
        }
    }

    /// `n` times this, exact where it can be.
    pub fn times(self, n: u64) -> Frames {
        let exact = |x: Rational| x * Rational::new(n.into(), 1)?;
        match self {
            Frames::Exact(x) => exact(x).map_or(Frames::Near(x.to_f64() * n as f64), Frames::Exact),
            Frames::Near(x) => Frames::Near(x * n as f64),
        }
    }
}

/// A [`TempoMap`] at a sample rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Clock {
    rate: u32,
    beats_per_bar: Rational,
    swing: Option<Swing>,
    segments: Vec<Segment>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Segment {
    bar: Rational,
    start: Frames,
    tempo: Tempo,
    /// Frames of a bar at the mean tempo of the segment, if they fit.
    bar_frames: Result<Rational, Overflow>,
    /// The same, nearly; infinite where they do not fit.
    near: f64,
}

impl Clock {
    /// The map at `rate` frames a second.
    pub fn new(map: &TempoMap, rate: u32) -> Clock {
        let mut clock =
            Clock { rate, beats_per_bar: map.beats_per_bar, swing: map.swing, segments: Vec::new() };
        for change in &map.changes {
            let start = match clock.segments.last() {
                Some(before) => clock.within(before, change.bar),
                None => Frames::START,
            };
            let bar_frames = clock.bar_frames(change.tempo);
            let near = bar_frames.map_or(f64::INFINITY, Rational::to_f64);
            clock.segments.push(Segment { bar: change.bar, start, tempo: change.tempo, bar_frames, near });
        }
        clock
    }

    /// Where a musical position lies, in frames from the start of the pass, with swing.
    pub fn at(&self, bar: Rational) -> Frames {
        let bar = self.swing.map_or(bar, |s| s.displaced(bar).unwrap_or(bar));
        self.plain(bar)
    }

    /// The same without swing: where a bar line or a beat lies.
    pub fn plain(&self, bar: Rational) -> Frames {
        let after = self.segments.partition_point(|s| s.bar <= bar);
        match self.segments.get(after.max(1) - 1) {
            Some(segment) => self.within(segment, bar),
            None => Frames::START,
        }
    }

    /// The frame of a position in the `pass`-th pass of so many frames: their start and [`Clock::at`], rounded once. Where
    /// f64 decides which frame that is, exact fractions are not asked.
    pub fn frame(&self, length: Frames, pass: u64, bar: Rational) -> u64 {
        let near = || {
            let swung = self.swing.map_or(Some(bar), |swing| swing.displaced(bar).ok())?;
            let after = self.segments.partition_point(|s| s.bar <= swung);
            let segment = self.segments.get(after.max(1) - 1)?;
            let Tempo::Steady(_) = segment.tempo else { return None };
            let bars = swung.to_f64() - segment.bar.to_f64();
            let half = length.to_f64() * pass as f64 + segment.start.to_f64() + bars * segment.near + 0.5;
            // Each term is off by less than 2⁻⁵⁰ of itself.
            const SURE: f64 = 1e-3;
            let sure = (0.0..1e10).contains(&half) && (SURE..1.0 - SURE).contains(&half.fract());
            sure.then_some(half as u64)
        };
        near().unwrap_or_else(|| length.times(pass).plus(self.at(bar)).round())
    }

    /// Quarter notes a minute at a position.
    pub fn tempo(&self, bar: Rational) -> f64 {
        let after = self.segments.partition_point(|s| s.bar <= bar);
        match self.segments.get(after.max(1) - 1) {
            Some(Segment { tempo: Tempo::Steady(bpm), .. }) => bpm.to_f64(),
            Some(Segment { bar: start, tempo: Tempo::Ramp { from, to, until }, .. }) => {
                let share = (bar.to_f64() - start.to_f64()) / (until.to_f64() - start.to_f64());
                let (from, to) = (from.to_f64(), to.to_f64());
                (from * from + (to * to - from * from) * share).sqrt()
            }
            None => 0.0,
        }
    }

    /// The position at a frame, without swing, in bars: the inverse of [`Clock::plain`], in f64.
    pub fn bar_at(&self, frame: f64) -> f64 {
        let after = self.segments.partition_point(|s| s.start.to_f64() <= frame);
        let Some(segment) = self.segments.get(after.max(1) - 1) else { return 0.0 };
        let minutes = (frame - segment.start.to_f64()) / (60.0 * f64::from(self.rate));
        let beats = match segment.tempo {
            Tempo::Steady(bpm) => bpm.to_f64() * minutes,
            Tempo::Ramp { from, to, until } => {
                let (from, to) = (from.to_f64(), to.to_f64());
                let beats = (until.to_f64() - segment.bar.to_f64()) * self.beats_per_bar.to_f64();
                let whole = 2.0 * beats / (from + to);
                (from + (to - from) * minutes / (2.0 * whole)) * minutes
            }
        };
        segment.bar.to_f64() + beats / self.beats_per_bar.to_f64()
    }

    /// Quarter notes in a bar.
    pub fn beats_per_bar(&self) -> Rational {
        self.beats_per_bar
    }

    /// The rate, in frames a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    fn within(&self, segment: &Segment, bar: Rational) -> Frames {
        let to = match segment.tempo {
            Tempo::Steady(_) => bar,
            Tempo::Ramp { until, .. } if bar >= until => until,
            Tempo::Ramp { .. } => return segment.start.plus(Frames::Near(self.inside(segment, bar))),
        };
        let exact = segment.bar_frames.and_then(|frames| (to - segment.bar)? * frames);
        let passed = exact.map_or_else(|_| Frames::Near(self.inside(segment, to)), Frames::Exact);
        segment.start.plus(passed)
    }

    /// Frames of a bar at a tempo. A ramp of B beats takes 120·B/(b0 + b1) seconds, as at its mean tempo.
    fn bar_frames(&self, tempo: Tempo) -> Result<Rational, Overflow> {
        let bpm = match tempo {
            Tempo::Steady(bpm) => bpm,
            Tempo::Ramp { from, to, .. } => ((from + to)? / Rational::whole(2))?,
        };
        (self.beats_per_bar * Rational::whole(60 * i64::from(self.rate)))? / bpm
    }

    /// Frames from the start of a segment to `bar` in f64. In a ramp of B beats, x beats take
    /// 120·x/(b0 + √(b0² + (b1² − b0²)·x/B)) seconds: the inverse of ∫(b0 + (b1 − b0)·t/T) dt.
    fn inside(&self, segment: &Segment, bar: Rational) -> f64 {
        let beats = |to: Rational| (to.to_f64() - segment.bar.to_f64()) * self.beats_per_bar.to_f64();
        let x = beats(bar);
        let seconds = match segment.tempo {
            Tempo::Steady(bpm) => 60.0 * x / bpm.to_f64(),
            Tempo::Ramp { from, to, until } => {
                let (b0, b1) = (from.to_f64(), to.to_f64());
                120.0 * x / (b0 + (b0 * b0 + (b1 * b1 - b0 * b0) * x / beats(until)).sqrt())
            }
        };
        seconds * f64::from(self.rate)
    }
}

impl Swing {
    fn displaced(self, bar: Rational) -> Result<Rational, Overflow> {
        let start = bar.sam();
        let pair = (self.step + self.step)?;
        let first = (start + (((bar - start)? / pair)?.sam() * pair)?)?;
        if (first + pair)? > (start + Rational::ONE)? {
            return Ok(bar);
        }
        let delay = ((self.amount * self.step)? / Rational::whole(2))?;
        let middle = (self.step + delay)?;
        let into = (bar - first)?;
        let moved = if into < self.step {
            ((into * middle)? / self.step)?
        } else {
            (middle + (((into - self.step)? * (self.step - delay)?)? / self.step)?)?
        };
        first + moved
    }
}
