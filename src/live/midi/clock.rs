//! Being the clock that others follow: 24 ticks a quarter note, start, stop and place, each with the moment at which
//! it is to be sent.
//!
//! The audio thread renders whole buffers, so the song's place stands still and jumps. A straight line that follows it
//! slowly gives the place between.

use super::follow::TICKS;
use std::time::{Duration, Instant};

/// How far ahead messages are given.
const AHEAD: Duration = Duration::from_millis(40);
/// How much of its distance the line goes towards the place at each look.
const PULL: f64 = 0.02;
/// A distance in seconds that is a jump.
const FAR: f64 = 0.25;

/// What is sent, and when.
pub(crate) type Timed = (Instant, Vec<u8>);

/// The clock that is sent: where its ticks lie.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// A moment, and the frame that is heard then.
    line: Option<(Instant, f64)>,
    /// The next tick, counted from the beginning; nothing while it stands.
    next: Option<u64>,
}

/// Where the song is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Here {
    /// The frame of the song that is heard about now.
    pub(crate) frame: u64,
    /// The rate of the song, in frames a second.
    pub(crate) rate: f64,
    /// Whether the song sounds.
    pub(crate) playing: bool,
}

impl Clock {
    /// What is to be sent soon; `beat_of` gives the quarter notes before a frame.
    pub(crate) fn look(&mut self, now: Instant, here: Here, beat_of: impl Fn(f64) -> f64) -> Vec<Timed> {
        if !here.playing {
            self.line = None;
            return self.next.take().map_or(vec![], |_| vec![(now, vec![0xFC])]);
        }
        let mut sent = vec![];
        let frame = self.frame(now, here);
        let (beat, later) = (beat_of(frame), beat_of(frame + here.rate * AHEAD.as_secs_f64()));
        if self.next.is_none() {
            sent.extend(self.begin(now, beat));
        }
        let Some(next) = &mut self.next else { return sent };
        while (*next as f64) < later * TICKS as f64 {
            let share = (*next as f64 / TICKS as f64 - beat) / (later - beat);
            sent.push((now + AHEAD.mul_f64(share.clamp(0.0, 1.0)), vec![0xF8]));
            *next += 1;
        }
        sent
    }

    /// The frame on the line, which begins anew after a jump.
    fn frame(&mut self, now: Instant, here: Here) -> f64 {
        let heard = here.frame as f64;
        let expected =
            self.line.map(|(then, frame)| frame + now.duration_since(then).as_secs_f64() * here.rate);
        let frame = match expected {
            Some(expected) if (heard - expected).abs() < FAR * here.rate => {
                expected + PULL * (heard - expected)
            }
            _ => {
                self.next = None;
                heard
            }
        };
        self.line = Some((now, frame));
        frame
    }

    /// Start, or the place of the next sixteenth and continue; the first tick after it is that place.
    fn begin(&mut self, now: Instant, beat: f64) -> Vec<Timed> {
        let sixteenth = (beat * 4.0 - 0.01).ceil().max(0.0) as u64;
        self.next = Some(sixteenth * TICKS / 4);
        if sixteenth == 0 {
            return vec![(now, vec![0xFA])];
        }
        let place = sixteenth % (1 << 14);
        vec![(now, vec![0xFC]), (now, vec![0xF2, place as u8 & 127, (place >> 7) as u8]), (now, vec![0xFB])]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = 48_000.0;

    /// Looks every 10 ms at a song at 125 that is rendered in buffers of 1024.
    fn sent(
        clock: &mut Clock,
        start: Instant,
        from: u64,
        millis: std::ops::Range<u64>,
        playing: bool,
    ) -> Vec<Timed> {
        let look = |i: u64| {
            let now = start + Duration::from_millis(i);
            let frame = from + (i - millis.start) * 48 / 1024 * 1024;
            clock.look(now, Here { frame, rate: RATE, playing }, |frame| frame / RATE * 125.0 / 60.0)
        };
        millis.clone().step_by(10).flat_map(look).collect()
    }

    #[test]
    fn ticks_come_evenly_after_a_start() {
        let (start, mut clock) = (Instant::now(), Clock::default());
        let all = sent(&mut clock, start, 0, 0..4000, true);
        assert_eq!(all[0].1, [0xFA]);
        let times: Vec<f64> = all[1..]
            .iter()
            .map(|(at, bytes)| (bytes == &[0xF8], at.duration_since(start)).1.as_secs_f64())
            .collect();
        // A tick is 20 ms.
        assert!((195..=204).contains(&times.len()), "{}", times.len());
        let uneven = |pair: &[f64]| (pair[1] - pair[0] - 0.02).abs();
        let worst = times[24..].windows(2).map(uneven).fold(0.0, f64::max);
        assert!(worst < 0.002, "{worst} s");
        let stopped = sent(&mut clock, start, 0, 4000..4100, false);
        assert_eq!(stopped.iter().map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>(), [[0xFC]]);
    }

    #[test]
    fn in_the_middle_it_says_where_it_is_and_again_after_a_jump() {
        let (start, mut clock) = (Instant::now(), Clock::default());
        let bytes = |all: Vec<Timed>| all.into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
        // Two seconds are 4 1/6 quarter notes; the next sixteenth is the 17th.
        let all = bytes(sent(&mut clock, start, 96_000, 0..100, true));
        assert_eq!(all[..3], [vec![0xFC], vec![0xF2, 17, 0], vec![0xFB]]);
        assert!(all[3..].iter().all(|bytes| *bytes == [0xF8]));
        let all = bytes(sent(&mut clock, start, 48_000 * 240, 100..200, true));
        assert_eq!(
            all[..3],
            [vec![0xFC], vec![0xF2, 2000_u16 as u8 & 127, (2000_u16 >> 7) as u8], vec![0xFB]]
        );
    }
}
