//! Events as a table for people: time, bar:beat, frame, target, what.

use super::clock::{Clock, Frames};
use super::data::Score;
use crate::ids::{IdMap, ParamId, PortId};
use crate::param::ParamSlot;
use crate::program::{Event, EventKind, Program, Target};
use rustc_hash::FxHashMap;
use std::fmt::Write as _;

/// Where the frames of a song lie in bars, by its first transport.
pub(super) struct Bars {
    clock: Clock,
    pass: Frames,
    bars: f64,
    restarts: bool,
}

impl Bars {
    pub(super) fn new(score: &Score, rate: u32) -> Bars {
        let tempo = score.transports.first().map(|t| t.tempo.clone()).unwrap_or_default();
        let clock = Clock::new(&tempo, rate);
        let first = score.transports.first();
        Bars {
            pass: first.map_or(Frames::START, |t| clock.plain(t.length)),
            bars: first.map_or(0.0, |t| t.length.to_f64()),
            restarts: first.is_some_and(|t| t.restarts && t.length.sign() > 0),
            clock,
        }
    }

    /// The clock of a pass.
    #[cfg(feature = "files")]
    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Passes before a frame: 0 where the song does not start again.
    pub(super) fn passes(&self, frame: u64) -> u64 {
        if !self.restarts {
            return 0;
        }
        let guess = (frame as f64 / self.pass.to_f64()) as u64;
        // A frame that an onset was rounded down to belongs to that onset's pass.
        if self.start(guess + 1) <= frame { guess + 1 } else { guess }
    }

    /// First frame of a pass.
    pub(super) fn start(&self, pass: u64) -> u64 {
        self.pass.times(pass).round()
    }

    /// Bars and seconds from the start of the song to that of a pass.
    #[cfg(feature = "files")]
    pub(super) fn pass(&self, pass: u64) -> (f64, f64) {
        let seconds = self.pass.times(pass).to_f64() / f64::from(self.clock.rate());
        (pass as f64 * self.bars, seconds)
    }

    /// Bars from the start of the song, passes and all.
    pub(super) fn at(&self, frame: u64) -> f64 {
        let pass = self.passes(frame);
        let within = frame as f64 - self.pass.times(pass).to_f64();
        pass as f64 * self.bars + self.clock.bar_at(within.max(0.0))
    }

    /// `3:2.500`: bar and beat, both from 1; the beat is a quarter.
    fn text(&self, frame: u64) -> String {
        let beats_per_bar = self.clock.beats_per_bar().to_f64();
        // A thousandth of a beat is as fine as it is shown; rounding there first keeps 1:5.000 out.
        let thousandths = (self.at(frame) * beats_per_bar * 1000.0).round();
        let bar = (thousandths / (beats_per_bar * 1000.0) + 1e-9).floor();
        let beat = (thousandths - bar * beats_per_bar * 1000.0) / 1000.0;
        format!("{}:{:.3}", bar + 1.0, beat.max(0.0) + 1.0)
    }
}

/// What the ports of a program are called: `bd`, and `pad#2` for the second voice of several. Ports that only listen
/// have no name.
fn port_names(targets: &[Target]) -> FxHashMap<PortId, String> {
    let name = |t: &Target, voice: usize| match t.voices.len() {
        1 => t.name.to_string(),
        _ => format!("{}#{}", t.name, voice + 1),
    };
    targets.iter().flat_map(|t| t.voices.iter().enumerate().map(move |(v, &p)| (p, name(t, v)))).collect()
}

/// A table of events. See [`list`].
pub fn table(
    rate: u32,
    targets: &[Target],
    params: &IdMap<ParamId, ParamSlot>,
    score: &Score,
    events: &[Event],
) -> String {
    let bars = Bars::new(score, rate);
    let ports = port_names(targets);
    let described = |kind: &EventKind| -> Option<(String, String)> {
        match *kind {
            EventKind::Set { param, value, ramp, curve } => {
                let name =
                    params.get(param).map_or_else(|| format!("#{}", param.index()), |p| p.name.to_string());
                let over = if ramp > 0 { format!(" over {ramp} frames") } else { String::new() };
                let curve = curve.map_or_else(String::new, |c| format!(" curve {c:?}").to_lowercase());
                Some((name, format!("set {value}{over}{curve}")))
            }
            EventKind::NoteValue { param, value, .. } => {
                let value = value?;
                Some((params.get(param)?.name.to_string(), format!("value {value} of its note")))
            }
            EventKind::Off { port } => Some((ports.get(&port)?.clone(), "off".into())),
            EventKind::Pitch { port, note } => {
                Some((ports.get(&port)?.clone(), format!("pitch {}", note_text(note))))
            }
            EventKind::On { port, note, vel } => {
                let name = ports.get(&port)?.clone();
                Some((name, format!("note {} velocity {vel}", note_text(note))))
            }
        }
    };
    let names = events.iter().filter_map(|event| described(&event.kind)).map(|(name, _)| name);
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0).max(6);
    let mut text =
        format!("{:>12}  {:>10}  {:>10}  {:<width$}  what\n", "time", "bar:beat", "frame", "target");
    for &Event { frame, ref kind } in events {
        let Some((target, what)) = described(kind) else { continue };
        let time = frame as f64 / f64::from(rate);
        let place = bars.text(frame);
        let _ = writeln!(text, "{time:>12.6}  {place:>10}  {frame:>10}  {target:<width$}  {what}");
    }
    text
}

/// A table of a program's events, one a line: time in seconds, bar:beat, frame, target, what.
pub fn list(program: &Program, events: &[Event]) -> String {
    table(program.rate, &program.targets, &program.params, &program.score, events)
}

/// A MIDI note number with its name, where it has one: `60 (c4)`.
fn note_text(note: f64) -> String {
    const NAMES: [&str; 12] = ["c", "c#", "d", "d#", "e", "f", "f#", "g", "g#", "a", "a#", "b"];
    if note.fract() != 0.0 || !(0.0..=127.0).contains(&note) {
        return format!("{note}");
    }
    let key = note as usize;
    format!("{key} ({}{})", NAMES[key % 12], key as i32 / 12 - 1)
}
