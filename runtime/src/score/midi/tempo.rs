//! The time of a MIDI file: which tick a frame is, and the tempo events that make the file's clock that of the song.
//!
//! A file counts ticks of a quarter note, and says how many whole microseconds a quarter note takes, at most 2²⁴ − 1.
//! A slower song is written with notes twice, four times … as long. Where rounding to microseconds adds up to more than
//! [`FAR`], the tempo changes by a microsecond for a while.

use crate::score::clock::{Change, Tempo};
use crate::score::data::Score;
use crate::score::listing::Bars;
use crate::score::midi::TooLong;
use crate::score::rational::Rational;
use midly::MetaMessage;
use midly::num::u24;

/// Ticks of a quarter note, unless a song needs more: divisible by what music divides a beat into.
const TICKS: u64 = 960;
/// The most that a file can say, as a multiple of [`TICKS`].
const FINEST: u64 = 34;
/// The longest quarter note of a file, in seconds.
const SLOWEST: f64 = 16.777_215;
/// Seconds by which the file's clock may differ from the song's.
const FAR: f64 = 0.000_4;
/// Tempo events that correct the clock; a song with more need of them drifts.
const MOST_CORRECTIONS: usize = 1 << 16;
/// Pieces of a steady tempo that a file has, at most, before its last pass.
const MOST_PIECES: usize = 500_000;
/// Pieces of a steady tempo that a bar of a tempo ramp is written as.
const PIECES_A_BAR: f64 = 16.0;

/// A stretch of one tempo.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    /// Where it starts: quarter notes and seconds from the start of the song.
    quarter: f64,
    time: f64,
    /// Seconds a quarter note.
    seconds: f64,
    /// The tempo as it is written, where it does not change within the piece of a ramp.
    bpm: Option<Rational>,
}

/// What tick a frame is.
pub(super) struct Time {
    rate: f64,
    pieces: Vec<Piece>,
    /// Ticks of a quarter note of the file.
    pub(super) ticks: u16,
    /// Quarter notes of the file that one of the song is: a power of two.
    pub(super) stretch: u64,
}

impl Time {
    /// The time of a score up to the frame `end`, with ticks so fine that each of `frames` can be distinguished from the frames
    /// beside it, where that is possible.
    ///
    /// # Errors
    /// When the tempo changes too often.
    pub(super) fn new(score: &Score, bars: &Bars, end: u64, frames: &[u64]) -> Result<Time, TooLong> {
        let rate = f64::from(bars.clock().rate());
        let pieces = pieces(score, bars, end)?;
        let longest = pieces.iter().map(|piece| piece.seconds).fold(0.0, f64::max);
        let mut stretch = 1;
        while longest / stretch as f64 > SLOWEST && stretch < 1 << 40 {
            stretch *= 2;
        }
        let mut time = Time { rate, pieces, ticks: TICKS as u16, stretch };
        let off = |time: &Time| frames.iter().map(|&frame| time.off(frame)).fold(0.0, f64::max);
        let mut best = f64::INFINITY;
        let mut ticks = time.ticks;
        for factor in 1..=FINEST {
            time.ticks = (TICKS * factor) as u16;
            let worst = off(&time);
            if worst < best {
                (best, ticks) = (worst, time.ticks);
            }
            if worst <= 0.5 + 1e-6 {
                break;
            }
        }
        time.ticks = ticks;
        Ok(time)
    }

    /// The tick that is nearest to a frame.
    pub(super) fn tick(&self, frame: u64) -> u64 {
        self.exactly(frame).0.round() as u64
    }

    /// Frames between a frame and the tick that is nearest to it. A reader rounds what lies in the middle of two frames up, so
    /// that half a frame is too much where the tick is the later one.
    fn off(&self, frame: u64) -> f64 {
        const MARGIN: f64 = 2e-6;
        let (ticks, piece) = self.exactly(frame);
        let later = (ticks.round() - ticks) / self.ticks_a_quarter() * piece.seconds * self.rate;
        if later > 0.0 { later + MARGIN } else { -later }
    }

    fn exactly(&self, frame: u64) -> (f64, Piece) {
        let time = frame as f64 / self.rate;
        let after = self.pieces.partition_point(|piece| piece.time <= time);
        let piece = self.pieces[after.max(1) - 1];
        let quarter = piece.quarter + (time - piece.time) / piece.seconds;
        (quarter.max(0.0) * self.ticks_a_quarter(), piece)
    }

    /// Ticks of a quarter note of the song.
    fn ticks_a_quarter(&self) -> f64 {
        f64::from(self.ticks) * self.stretch as f64
    }

    /// The tempo events with their ticks, up to the tick `end`. Where a tempo is not a whole number of microseconds, a
    /// text says it exactly, so that the file can be read as a song again.
    pub(super) fn events(&self, end: u64) -> Vec<(u64, TempoEvent)> {
        let mut out = vec![];
        let mut file = FileClock { ticks: f64::from(self.ticks), behind: 0.0, corrections: 0 };
        for (index, piece) in self.pieces.iter().enumerate() {
            let tick = |piece: &Piece| (piece.quarter * self.ticks_a_quarter()).round() as u64;
            let start = tick(piece);
            let until = self.pieces.get(index + 1).map_or(end, tick).min(end.max(1));
            if start >= until {
                continue;
            }
            let micros = piece.seconds / self.stretch as f64 * 1e6;
            if let Some(bpm) = piece.bpm.filter(|_| (micros - micros.round()).abs() > 1e-9 * micros) {
                let stretched = bpm * Rational::whole(self.stretch as i64);
                out.extend(stretched.ok().map(|bpm| (start, TempoEvent::Said(text(bpm)))));
            }
            file.follow(micros, start, until, &mut out);
        }
        out
    }
}

/// An event of the tempo's track.
pub(super) enum TempoEvent {
    /// The tempo in words.
    Said(String),
    /// Microseconds a quarter note.
    Micros(u32),
}

impl TempoEvent {
    /// As an event of a file.
    pub(super) fn meta(&self) -> MetaMessage<'_> {
        match self {
            TempoEvent::Said(text) => MetaMessage::Text(text.as_bytes()),
            TempoEvent::Micros(micros) => MetaMessage::Tempo(u24::from_int_lossy(*micros)),
        }
    }
}

/// The clock of a player of the file.
struct FileClock {
    /// Ticks of a quarter note.
    ticks: f64,
    /// Seconds by which it is late.
    behind: f64,
    corrections: usize,
}

impl FileClock {
    /// Writes a tempo of so many microseconds a quarter note from tick `at` to tick `until`.
    fn follow(&mut self, micros: f64, mut at: u64, until: u64, out: &mut Vec<(u64, TempoEvent)>) {
        let mut chosen = micros.round();
        while at < until {
            let whole = chosen.clamp(1.0, 16_777_215.0);
            out.push((at, TempoEvent::Micros(whole as u32)));
            let drift = (whole - micros) * 1e-6 / self.ticks;
            let left = (until - at) as f64;
            // Ticks until it is too late, or too early.
            let bound = if drift > 0.0 { FAR } else { -FAR };
            let reach =
                if drift == 0.0 { f64::INFINITY } else { ((bound - self.behind) / drift).floor().max(1.0) };
            let ticks = if self.corrections < MOST_CORRECTIONS { reach.min(left) } else { left };
            self.behind += drift * ticks;
            at += ticks as u64;
            self.corrections += 1;
            chosen = if drift > 0.0 { micros.floor() } else { micros.ceil() };
        }
    }
}

/// A fraction as a decimal number where that is exact, else as `400/3`.
fn text(bpm: Rational) -> String {
    let mut scale = 1_i128;
    for digits in 0..12 {
        if scale % bpm.den() == 0 {
            let all = bpm.num() * (scale / bpm.den());
            let (whole, part) = (all / scale, all % scale);
            return match digits {
                0 => format!("tempo {whole}"),
                _ => format!("tempo {whole}.{part:0digits$}"),
            };
        }
        scale *= 10;
    }
    format!("tempo {}/{}", bpm.num(), bpm.den())
}

/// The tempo of all passes, up to a frame.
///
/// # Errors
/// When it has too many pieces.
fn pieces(score: &Score, bars: &Bars, end: u64) -> Result<Vec<Piece>, TooLong> {
    let map = score.transports.first().map(|t| t.tempo.clone()).unwrap_or_default();
    let clock = bars.clock();
    let (quarters, rate) = (map.beats_per_bar.to_f64(), f64::from(clock.rate()));
    let mut out: Vec<Piece> = vec![];
    // One tempo is that of all passes.
    let steady = matches!(map.changes.as_slice(), [] | [Change { tempo: Tempo::Steady(_), .. }]);
    let passes = if steady { 0 } else { bars.passes(end.saturating_sub(1)) };
    for pass in 0..=passes {
        if out.len() > MOST_PIECES {
            return Err(TooLong);
        }
        let (first_bar, first_time) = bars.pass(pass);
        let mut add = |bar: f64, time: f64, seconds: f64, bpm: Option<Rational>| {
            let piece =
                Piece { quarter: (first_bar + bar) * quarters, time: first_time + time, seconds, bpm };
            // The same tempo goes on.
            let same = out.last().is_some_and(|last| (last.seconds, last.bpm) == (seconds, bpm));
            if !(same && bpm.is_some()) {
                out.push(piece);
            }
        };
        for change in &map.changes {
            let bar = change.bar.to_f64();
            match change.tempo {
                Tempo::Steady(bpm) => {
                    add(bar, clock.plain(change.bar).to_f64() / rate, 60.0 / bpm.to_f64(), Some(bpm));
                }
                Tempo::Ramp { until, .. } => {
                    let length = until.to_f64() - bar;
                    let count = (length * PIECES_A_BAR).ceil().clamp(1.0, 4096.0);
                    let time = |i: f64| {
                        let share = Rational::new(i as i128, count as i128);
                        let there = share.and_then(|s| change.bar + (s * (until - change.bar)?)?);
                        clock.plain(there.unwrap_or(change.bar)).to_f64() / rate
                    };
                    for i in 0..count as u32 {
                        let (from, to) = (time(i.into()), time(f64::from(i) + 1.0));
                        let seconds = (to - from) / (length * quarters / count);
                        add(bar + length * f64::from(i) / count, from, seconds, None);
                    }
                }
            }
        }
    }
    if out.is_empty() {
        out.push(Piece { quarter: 0.0, time: 0.0, seconds: 0.5, bpm: None });
    }
    Ok(out)
}
