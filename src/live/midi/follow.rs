//! Following another machine's clock: its transport at once, its tempo and place smoothly.
//!
//! The tempo is the slope of the straight line through the last two quarter notes of ticks, so a tick that is late does
//! little. The song is then made a little faster or slower until it is where the clock is; it jumps only when it is
//! more than a quarter note away. A tempo is asked for at most once in a quarter note, and only if it would be heard.

use super::Message;
use crate::live::action::Action;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Ticks of a quarter note.
pub(super) const TICKS: u64 = 24;
/// Ticks that the tempo is taken from.
const WINDOW: usize = 2 * TICKS as usize + 1;
/// A pause longer than this between two ticks begins a new clock.
const PAUSE: Duration = Duration::from_millis(500);
/// In how many quarter notes it comes closer.
const CATCH_UP: f64 = 8.0;
/// How much faster or slower it may be meanwhile.
const MOST: f64 = 0.05;
/// A change of tempo that is worth it.
const HEARD: f64 = 0.002;
/// A distance in quarter notes that is jumped.
const FAR: f64 = 1.0;

/// What is known of the other clock.
#[derive(Debug, Default)]
pub(super) struct Follower {
    times: VecDeque<Instant>,
    /// Ticks since the beginning of its song; nothing while it stands, or before it has said where it is.
    place: Option<u64>,
    /// Where it will go on.
    start: u64,
    /// How far it was ahead of the song at each of the last ticks.
    ahead: VecDeque<f64>,
    /// The tempo that was asked for last, and ticks since.
    asked: f64,
    since: u64,
}

impl Follower {
    /// What a message of the transport asks for; the song is at `beat`.
    pub(super) fn follow(&mut self, message: Message, at: Instant, beat: Option<f64>) -> Vec<Action> {
        match message {
            Message::Tick => return self.tick(at, beat),
            Message::Start => {
                (self.place, self.start) = (Some(0), 0);
                self.ahead.clear();
                return vec![Action::Top];
            }
            Message::Continue => {
                self.place = Some(self.start);
                self.ahead.clear();
                return vec![Action::Play];
            }
            Message::Stop => {
                self.start = self.place.take().unwrap_or(self.start);
                return vec![Action::Stop];
            }
            Message::Position(sixteenths) => {
                self.start = u64::from(sixteenths) * TICKS / 4;
                self.place = self.place.map(|_| self.start);
                return vec![Action::Beat(f64::from(sixteenths) / 4.0)];
            }
            _ => {}
        }
        vec![]
    }

    fn tick(&mut self, at: Instant, beat: Option<f64>) -> Vec<Action> {
        if self.times.back().is_some_and(|last| at.saturating_duration_since(*last) > PAUSE) {
            self.times.clear();
            self.ahead.clear();
        }
        self.times.push_back(at);
        if self.times.len() > WINDOW {
            self.times.pop_front();
        }
        // The first tick after a start is at the place itself.
        let here = self.place.map(|place| place as f64 / TICKS as f64);
        self.place = self.place.map(|place| place + 1);
        if let (Some(here), Some(beat)) = (here, beat) {
            self.ahead.push_back(here - beat);
            if self.ahead.len() > TICKS as usize {
                self.ahead.pop_front();
            }
        }
        self.since += 1;
        if self.since < TICKS || self.times.len() <= TICKS as usize {
            return vec![];
        }
        self.correct(here)
    }

    /// What to do about tempo and place, once in a quarter note.
    fn correct(&mut self, here: Option<f64>) -> Vec<Action> {
        let (mut actions, ahead) = (vec![], self.mean_ahead());
        if let Some(here) = here.filter(|_| ahead.abs() > FAR) {
            actions.push(Action::Beat(here));
            self.ahead.clear();
            self.since = 0;
        }
        let pull = if actions.is_empty() { (ahead / CATCH_UP).clamp(-MOST, MOST) } else { 0.0 };
        let Some(bpm) = self.bpm().map(|bpm| bpm * (1.0 + pull)) else { return actions };
        if (bpm / self.asked - 1.0).abs() > HEARD {
            (self.asked, self.since) = (bpm, 0);
            actions.push(Action::Tempo((bpm * 100.0).round() / 100.0));
        }
        actions
    }

    fn mean_ahead(&self) -> f64 {
        let full = self.ahead.len() == TICKS as usize;
        if full { self.ahead.iter().sum::<f64>() / TICKS as f64 } else { 0.0 }
    }

    /// Quarter notes a minute: the slope of the line through the times of the ticks.
    fn bpm(&self) -> Option<f64> {
        let first = *self.times.front()?;
        let n = self.times.len() as f64;
        let middle = (n - 1.0) / 2.0;
        let seconds = |time: &Instant| time.saturating_duration_since(first).as_secs_f64();
        let mean = self.times.iter().map(seconds).sum::<f64>() / n;
        let (mut over, mut under) = (0.0, 0.0);
        for (i, time) in self.times.iter().enumerate() {
            over += (i as f64 - middle) * (seconds(time) - mean);
            under += (i as f64 - middle).powi(2);
        }
        let bpm = 60.0 / (over / under * TICKS as f64);
        (bpm.is_finite() && bpm > 0.0).then_some(bpm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A song that follows a clock whose ticks come late by up to `jitter`; gives its tempo and how far it is away, in
    /// quarter notes, at the end.
    fn followed(bpm: f64, from: f64, jitter: f64, quarters: u64) -> (f64, f64, usize) {
        let (start, mut follower) = (Instant::now(), Follower::default());
        let (mut tempo, mut beat, mut time, mut asked, mut random) = (from, 0.0, 0.0, 0, 1_u32);
        follower.follow(Message::Start, start, Some(0.0));
        let mut away = 0.0;
        for tick in 0..quarters * TICKS {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let late = f64::from(random >> 16) / 65_536.0 * jitter;
            let now = tick as f64 * 60.0 / bpm / TICKS as f64 + late;
            beat += (now - time) * tempo / 60.0;
            time = now;
            let at = start + Duration::from_secs_f64(now);
            for action in follower.follow(Message::Tick, at, Some(beat)) {
                asked += 1;
                match action {
                    Action::Tempo(bpm) => tempo = bpm,
                    Action::Beat(place) => beat = place,
                    other => panic!("{other:?}"),
                }
            }
            away = now * bpm / 60.0 - beat;
        }
        (tempo, away, asked)
    }

    #[test]
    fn tempo_and_place_are_those_of_the_clock() {
        for (bpm, from) in [(120.0, 120.0), (97.3, 120.0), (174.0, 120.0), (60.0, 180.0)] {
            for jitter in [0.0, 0.002] {
                let (tempo, away, _) = followed(bpm, from, jitter, 100);
                assert!((tempo / bpm - 1.0).abs() < 0.01, "{bpm} from {from}: {tempo}");
                assert!(away.abs() < 0.03, "{bpm} from {from}: {away} quarter notes away");
            }
        }
    }

    #[test]
    fn a_steady_clock_is_left_in_peace() {
        let (_, _, asked) = followed(120.0, 120.0, 0.002, 200);
        assert!(asked < 20, "{asked} changes in 200 quarter notes");
    }

    #[test]
    fn a_clock_that_stands_still_says_nothing_and_goes_on_where_it_is_asked_to() {
        let (start, mut follower) = (Instant::now(), Follower::default());
        let tick = |f: &mut Follower, i: u32, beat| {
            f.follow(Message::Tick, start + Duration::from_millis(20) * i, beat)
        };
        assert!((0..20).all(|i| tick(&mut follower, i, Some(0.0)).is_empty()), "too few to know the tempo");
        let asked: Vec<Action> = (20..200).flat_map(|i| tick(&mut follower, i, Some(50.0))).collect();
        assert_eq!(asked, [Action::Tempo(125.0)], "before a start it has no place");
        assert_eq!(follower.follow(Message::Position(32), start, None), [Action::Beat(8.0)]);
        assert_eq!(follower.follow(Message::Continue, start, None), [Action::Play]);
        let asked: Vec<Action> = (200..260).flat_map(|i| tick(&mut follower, i, Some(20.0))).collect();
        assert!(matches!(asked[..], [Action::Beat(beat), ..] if (8.0..12.0).contains(&beat)), "{asked:?}");
    }
}
