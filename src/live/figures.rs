//! What a song's playing looks like in figures, gathered between two looks at it.

use mam_grammar::problem::count;
use mam_runtime::Telemetry;
use mam_runtime::control::{Control, MOST_CHANNELS, Place};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the mark of a peak stands.
const HOLD: Duration = Duration::from_millis(1500);
/// How fast a meter falls, in dB a second.
const FALL: f64 = 26.0;

/// All that the display and the plain lines show of the sound.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    /// Where the song is, if it has bars.
    pub(super) place: Option<Place>,
    /// The innermost section that it is in.
    pub(super) section: Option<Arc<str>>,
    /// Seconds from the beginning.
    pub(super) seconds: f64,
    /// Whether it is silent because it was stopped.
    pub(super) stopped: bool,
    /// The meters.
    pub(super) meters: Vec<Meter>,
    /// The greatest level so far.
    pub(super) greatest: f32,
    /// Voices that sound.
    pub(super) voices: u32,
    /// Share of the time that rendering takes, since the last look.
    pub(super) load: f64,
    /// The slowest quantum so far, as a share of its time, and the step that took longest in it.
    pub(super) slowest: (f64, Option<Arc<str>>),
    /// The frame of the song at which a sample was cut off first.
    pub(super) limited_at: Option<u64>,
    /// Sums since the start.
    pub(super) sums: Sums,
}

/// What is counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// Samples beyond ±1.
    pub(super) clipped: u64,
    /// Samples that were no numbers.
    pub(super) faults: u64,
    /// Samples that were cut off at +12 dBFS.
    pub(super) limited: u64,
    /// Callbacks that took longer than what they rendered lasts.
    pub(super) late: u64,
    /// How often the device had nothing to play.
    pub(super) underruns: u64,
    /// Frames that could not be recorded.
    pub(super) unrecorded: u64,
}

/// The level of a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Meter {
    /// Falls slowly.
    pub(super) level: f32,
    /// The last peak.
    pub(super) held: f32,
    /// When it was.
    pub(super) since: Option<Instant>,
}

impl Sums {
    /// What should never be, where it was, in words. What is clipped and underruns have places of their own.
    pub(super) fn troubles(self) -> impl Iterator<Item = String> {
        let counted = [
            (self.late, "late callback"),
            (self.faults, "faulty sample"),
            (self.limited, "limited sample"),
            (self.unrecorded, "unrecorded frame"),
        ];
        counted
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| count(number as usize, what))
    }
}

impl Figures {
    /// Takes what has happened since the last look, `passed` ago.
    pub(super) fn take(&mut self, control: &Control, underruns: u64, passed: Duration, now: Instant) {
        let telemetry = control.telemetry();
        let program = control.program();
        self.place = Place::of(program, telemetry.song_frame);
        self.section = self.place.and_then(|place| {
            let marks = &program.score.transports.first()?.marks;
            let here = |mark: &&mam_runtime::score::Mark| {
                (mark.start.to_f64()..mark.end.to_f64()).contains(&(place.bar + 1e-6))
            };
            Some(marks.iter().filter(here).max_by_key(|mark| mark.depth)?.name.clone())
        });
        self.seconds = telemetry.song_frame as f64 / f64::from(control.rate());
        self.sums.underruns = underruns;
        self.count(&telemetry, control.channels(), passed, now);
    }

    fn count(&mut self, telemetry: &Telemetry, channels: usize, passed: Duration, now: Instant) {
        self.stopped = telemetry.stopped;
        self.voices = telemetry.voices;
        if telemetry.callbacks > 0 {
            self.load = telemetry.load;
        }
        if telemetry.slowest > self.slowest.0 {
            self.slowest = (telemetry.slowest, telemetry.slowest_step.as_ref().map(|(name, _)| name.clone()));
        }
        self.sums.clipped += telemetry.clipped;
        self.sums.faults += telemetry.faults;
        self.sums.limited += telemetry.limited;
        self.limited_at = self.limited_at.or(telemetry.limited_at);
        self.sums.late += telemetry.late;
        self.sums.unrecorded += telemetry.unrecorded;
        self.meters.resize(channels.min(MOST_CHANNELS), Meter::default());
        for (meter, &peak) in self.meters.iter_mut().zip(&telemetry.peaks) {
            meter.take(peak, passed, now);
            self.greatest = self.greatest.max(peak);
        }
    }

    /// Bar and beat, counted from 1.
    pub(super) fn bar_and_beat(&self) -> Option<(u64, u64)> {
        let place = self.place?;
        // A frame is rounded, so a beat may seem to be a hair before itself.
        let bar = place.bar + 1e-6;
        Some((bar as u64 + 1, (bar.fract() * place.beats_per_bar) as u64 + 1))
    }

    /// `1:02.3`
    pub(super) fn clock(&self) -> String {
        let tenths = (self.seconds * 10.0) as u64;
        format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
    }
}

impl Meter {
    fn take(&mut self, peak: f32, passed: Duration, now: Instant) {
        let fallen = self.level * 10_f64.powf(-FALL * passed.as_secs_f64() / 20.0) as f32;
        self.level = peak.max(fallen);
        if peak >= self.held || self.since.is_none_or(|since| now.duration_since(since) > HOLD) {
            (self.held, self.since) = (self.level, Some(now));
        }
    }
}

/// A level in dB, for people.
pub(super) fn decibels(level: f32) -> String {
    if level < 1e-6 { "-∞ dB".into() } else { format!("{:.1} dB", 20.0 * f64::from(level).log10()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_rises_at_once_falls_slowly_and_marks_the_peak() {
        let (mut figures, mut now) = (Figures::default(), Instant::now());
        let mut look = |peak: f32, millis: u64| {
            let passed = Duration::from_millis(millis);
            now += passed;
            let mut telemetry = Telemetry { clipped: 1, callbacks: 1, load: 0.5, ..Telemetry::default() };
            telemetry.peaks[0] = peak;
            figures.count(&telemetry, 1, passed, now);
            (figures.meters[0].level, figures.meters[0].held, figures.greatest)
        };
        assert_eq!(look(0.5, 100), (0.5, 0.5, 0.5));
        let (level, held, greatest) = look(0.0, 1000);
        assert!((0.02..0.03).contains(&level) && held == 0.5 && greatest == 0.5, "{level}");
        let (level, held, _) = look(0.0, 600);
        assert_eq!(level, held, "the mark has stood long enough");
        assert_eq!(look(1.5, 100), (1.5, 1.5, 1.5));
        assert_eq!(figures.sums.clipped, 4);
        assert_eq!(figures.load, 0.5);
    }

    #[test]
    fn levels_and_times_are_for_people() {
        assert_eq!([decibels(1.0), decibels(0.5), decibels(0.0)], ["0.0 dB", "-6.0 dB", "-∞ dB"]);
        assert_eq!(Figures { seconds: 62.39, ..Figures::default() }.clock(), "1:02.3");
        let place = Place { pass: 0, bar: 2.749_999_9, beats_per_bar: 4.0 };
        assert_eq!(Figures { place: Some(place), ..Figures::default() }.bar_and_beat(), Some((3, 4)));
    }
}
