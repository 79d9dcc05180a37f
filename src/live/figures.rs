//! What a song's playing looks like in figures, gathered between two looks at it.

use super::instruments::instruments;
use super::lanes::{Lane, Lanes};
use mam_compiler::library::ParamInfo;
use mam_grammar::problem::count;
use mam_runtime::control::{Control, MOST_CHANNELS, Position};
use mam_runtime::ids::ParamId;
use mam_runtime::output::Priority;
use mam_runtime::stream::Stream;
use mam_runtime::{Curve, ParamSlot, Program, Telemetry};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the mark of a peak stands.
const HOLD: Duration = Duration::from_millis(1500);
/// How fast a meter falls, in dB a second.
const FALL: f64 = 26.0;

/// How long the slowest quantum stands, and how fast it fades then: by half in this time.
const SLOWEST_HOLD: Duration = Duration::from_secs(3);
const SLOWEST_HALF: Duration = Duration::from_secs(1);
/// Columns of a bar's steps, at most.
const MOST_STEPS: usize = 32;

/// The facts that the display is drawn from.
pub(super) struct Facts<'a> {
    /// The control of what plays.
    pub(super) control: &'a Control,
    /// How often the device had nothing to play.
    pub(super) underruns: u64,
    /// What is typed of a key's number.
    pub(super) typed: Option<String>,
    /// How the audio thread is scheduled.
    pub(super) priority: Priority,
    /// The parameters of the song.
    pub(super) infos: &'a Infos,
    /// Whether there is nothing to play until the song has no errors.
    pub(super) waits: bool,
}

/// All that the display and the plain lines show of the sound.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    /// Where the song is, if it has bars.
    pub(super) place: Option<Position>,
    /// The sections that it is in, from the outermost on.
    pub(super) sections: Vec<Arc<str>>,
    /// Seconds that have been played, without those in which it was stopped.
    pub(super) seconds: f64,
    /// Whether it is silent because it was stopped.
    pub(super) stopped: bool,
    /// Peak meters, one a channel.
    pub(super) meters: Vec<Meter>,
    /// The greatest level so far.
    pub(super) greatest: f32,
    /// How many voices sound.
    pub(super) voices: u32,
    /// Share of the time that rendering takes, since the last look.
    pub(super) load: f64,
    /// The slowest quantum of the last seconds.
    pub(super) slowest: Slowest,
    /// The frame of the song at which a sample was cut off first.
    pub(super) limited_at: Option<u64>,
    /// Sums since the start.
    pub(super) sums: Sums,
    /// The instruments, with their levels.
    pub(super) tracks: Vec<Track>,
    /// The knobs, and the parameters that lines of the score set.
    pub(super) knobs: Vec<Knob>,
    /// How the audio thread is scheduled.
    pub(super) priority: Priority,
    /// What is written, bar by bar.
    pub(super) lanes: Lanes,
}

/// The slowest quantum of late.
#[derive(Clone, Debug, Default)]
pub(super) struct Slowest {
    /// Its share of the time that it had.
    pub(super) share: f64,
    /// The step that took longest in it.
    pub(super) step: Option<Arc<str>>,
    /// When it was the slowest.
    pub(super) since: Option<Instant>,
}

/// An instrument, as the display shows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    /// The name of its equation.
    pub(super) name: String,
    /// Whether it is muted, or another is soloed.
    pub(super) muted: bool,
    /// Whether it is heard alone.
    pub(super) soloed: bool,
    /// How loud it is.
    pub(super) meter: Meter,
    /// What it plays in this bar.
    pub(super) lane: Lane,
}

/// A parameter that moves.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Knob {
    /// The path of the parameter.
    pub(super) name: String,
    /// Where it stands, in its unit.
    pub(super) value: String,
    /// Where in its range, from 0 to 1; nothing without a range.
    pub(super) position: Option<f64>,
}

/// What is counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// Output samples beyond ±1.
    pub(super) clipped: u64,
    /// Samples that were no numbers.
    pub(super) faults: u64,
    /// Samples that were cut off at +12 dBFS.
    pub(super) limited: u64,
    /// Callbacks that took longer than what they rendered lasts.
    pub(super) late: u64,
    /// How often the device had nothing to play.
    pub(super) underruns: u64,
    /// Quanta in which a sound that is streamed had not been read in time.
    pub(super) gaps: u64,
    /// Frames that could not be recorded.
    pub(super) unrecorded: u64,
}

/// The level of a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Meter {
    /// The level, which falls slowly after a peak.
    pub(super) level: f32,
    /// The last peak, held for a while.
    pub(super) held: f32,
    /// When the last peak was.
    pub(super) since: Option<Instant>,
}

impl Sums {
    /// What should never be, where it was, in words. What is clipped and underruns have places of their own.
    pub(super) fn troubles(self) -> impl Iterator<Item = String> {
        let counted = [
            (self.late, "late callback"),
            (self.faults, "faulty sample"),
            (self.limited, "limited sample"),
            (self.gaps, "stream gap"),
            (self.unrecorded, "unrecorded frame"),
        ];
        counted
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| count(number as usize, what))
    }
}

/// The sounds that are streamed, each once.
pub(super) fn streams(program: &Program) -> Vec<&Arc<Stream>> {
    let mut all: Vec<&Arc<Stream>> = vec![];
    for stream in program.streams() {
        if !all.iter().any(|known| Arc::ptr_eq(known, stream)) {
            all.push(stream);
        }
    }
    all
}

impl Figures {
    /// Takes what has happened since the last look, `passed` ago.
    pub(super) fn take(&mut self, facts: &Facts<'_>, passed: Duration, now: Instant) {
        let control = facts.control;
        let telemetry = control.telemetry();
        let program = control.program();
        self.place = Position::at_frame(program, telemetry.song_frame);
        self.sections = self.place.map_or(vec![], |place| sections(program, place));
        if !self.stopped && !facts.waits {
            self.seconds += passed.as_secs_f64();
        }
        self.sums.underruns = facts.underruns;
        self.sums.gaps = self.sums.gaps.max(streams(program).iter().map(|stream| stream.gaps()).sum());
        self.priority = facts.priority.clone();
        self.count(&telemetry, control.channels(), passed, now);
        self.look_at_tracks(control, telemetry.song_frame, passed, now);
        let knob = |(param, value): (ParamId, f64)| {
            let slot = program.params.get(param)?;
            Some(Knob::new(slot, facts.infos.get(&*slot.name), value))
        };
        self.knobs = control.values().into_iter().filter_map(knob).collect();
    }

    fn look_at_tracks(&mut self, control: &Control, frame: u64, passed: Duration, now: Instant) {
        let program = control.program();
        let instruments = instruments(program);
        self.tracks.resize_with(instruments.len(), Track::default);
        let levels = control.levels();
        let lanes = self.lanes.at(program, &instruments, frame, MOST_STEPS);
        for ((track, instrument), lane) in self.tracks.iter_mut().zip(&instruments).zip(lanes) {
            if track.name != *instrument.name {
                *track = Track { name: instrument.name.to_string(), ..Track::default() };
            }
            let level = levels.get(instrument.named).copied().unwrap_or(0.0);
            track.muted = control.muted().contains(&track.name);
            track.soloed = control.soloed().contains(&track.name);
            track.meter.take(if self.stopped { 0.0 } else { level }, passed, now);
            track.lane = lane;
        }
    }

    fn count(&mut self, telemetry: &Telemetry, channels: usize, passed: Duration, now: Instant) {
        self.stopped = telemetry.stopped;
        self.voices = telemetry.voices;
        if telemetry.callbacks > 0 {
            self.load = telemetry.load;
        }
        self.slowest.take(telemetry, passed, now);
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

    /// The time since the start, as `1:02.3`.
    pub(super) fn clock(&self) -> String {
        let tenths = (self.seconds * 10.0) as u64;
        format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
    }
}

/// The names of the sections at a place, from the outermost on.
fn sections(program: &Program, place: Position) -> Vec<Arc<str>> {
    let Some(transport) = program.score.transports.first() else { return vec![] };
    let bar = place.bar + 1e-6;
    let here = transport.marks.iter().filter(|mark| (mark.start.to_f64()..mark.end.to_f64()).contains(&bar));
    let mut here: Vec<_> = here.collect();
    here.sort_by_key(|mark| mark.depth);
    here.into_iter().map(|mark| mark.name.clone()).collect()
}

impl Slowest {
    /// A slower one takes its place at once; else it stands for a while, and fades.
    fn take(&mut self, telemetry: &Telemetry, passed: Duration, now: Instant) {
        if self.since.is_some_and(|since| now.duration_since(since) > SLOWEST_HOLD) {
            self.share *= 0.5_f64.powf(passed.as_secs_f64() / SLOWEST_HALF.as_secs_f64());
        }
        if telemetry.slowest > self.share {
            self.share = telemetry.slowest;
            self.step = telemetry.slowest_step.as_ref().map(|(name, _)| name.clone());
            self.since = Some(now);
        }
    }
}

impl Knob {
    fn new(slot: &ParamSlot, info: Option<&ParamInfo>, value: f64) -> Knob {
        // Four digits are as fine as a controller can set.
        let fine = 10_f64.powf(3.0 - value.abs().max(1e-6).log10().floor());
        let shown = (value * fine).round() / fine;
        Knob {
            name: slot.name.to_string(),
            value: info.map_or_else(|| shown.to_string(), |info| info.show(shown)),
            position: position(slot, value),
        }
    }
}

/// Where a value lies in a parameter's range: evenly, or in equal ratios where its curve is.
fn position(slot: &ParamSlot, value: f64) -> Option<f64> {
    let (min, max) = (slot.min, slot.max);
    if !min.is_finite() || !max.is_finite() || max <= min {
        return None;
    }
    let by_ratio = slot.curve == Curve::Exp && min > 0.0 && value > 0.0;
    let place = if by_ratio { (value / min).ln() / (max / min).ln() } else { (value - min) / (max - min) };
    Some(place.clamp(0.0, 1.0))
}

/// The parameters of a program by their names, for the units of their values.
pub(super) type Infos = HashMap<String, ParamInfo>;

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
    fn the_slowest_quantum_stands_and_then_fades() {
        let (mut slowest, mut now) = (Slowest::default(), Instant::now());
        let mut look = |share: f64, millis: u64| {
            let passed = Duration::from_millis(millis);
            now += passed;
            let step = (Arc::from(format!("{share}")), share);
            let telemetry = Telemetry { slowest: share, slowest_step: Some(step), ..Telemetry::default() };
            slowest.take(&telemetry, passed, now);
            (slowest.share, slowest.step.clone().unwrap().to_string())
        };
        assert_eq!(look(0.9, 50), (0.9, "0.9".into()));
        assert_eq!(look(0.1, 2900), (0.9, "0.9".into()), "it stands");
        let (share, step) = look(0.1, 1000);
        assert!((share - 0.45).abs() < 1e-9 && step == "0.9", "{share}");
        assert_eq!(look(0.2, 5000), (0.2, "0.2".into()), "what is slow now takes its place");
    }

    #[test]
    fn a_value_lies_where_its_curve_puts_it() {
        let slot = |min, max, curve| ParamSlot {
            name: "x".into(),
            default: min,
            min,
            max,
            curve,
            smooth: 0,
            follows: None,
        };
        assert_eq!(position(&slot(0.0, 4.0, Curve::Linear), 1.0), Some(0.25));
        let middle = position(&slot(100.0, 10_000.0, Curve::Exp), 1000.0).unwrap();
        assert!((middle - 0.5).abs() < 1e-9);
        assert_eq!(position(&slot(f64::NEG_INFINITY, f64::INFINITY, Curve::Linear), 1.0), None);
        assert_eq!(Knob::new(&slot(0.0, 1.0, Curve::Linear), None, 0.123_456).value, "0.1235");
    }

    #[test]
    fn levels_and_times_are_for_people() {
        assert_eq!([decibels(1.0), decibels(0.5), decibels(0.0)], ["0.0 dB", "-6.0 dB", "-∞ dB"]);
        assert_eq!(Figures { seconds: 62.39, ..Figures::default() }.clock(), "1:02.3");
        let place = Position { pass: 0, bar: 2.749_999_9, beats_per_bar: 4.0 };
        assert_eq!(Figures { place: Some(place), ..Figures::default() }.bar_and_beat(), Some((3, 4)));
    }
}
