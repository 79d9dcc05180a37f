//! A score as a standard MIDI file: the tempo in the first track, then one track an instrument.
//!
//! Notes are written as they sound, swing included. Parameters have no place in such a file and are left out.

use super::listing::Bars;
use super::{Extent, Rational, Score, Sequencer, Tempo};
use crate::program::{Event, EventKind, ParamSlot, Program, Target};
use midly::num::{u4, u7, u15, u24, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind};
use std::collections::HashMap;

/// Ticks of a quarter note: divisible by what music divides a beat into.
const TICKS: u16 = 960;

/// The MIDI file of a program. `until` is the frame where it ends; `None` for one pass of the song.
pub fn midi(program: &Program, until: Option<u64>) -> Vec<u8> {
    file(program.rate, &program.targets, &program.params, &program.score, until)
}

/// The MIDI file of a score: see [`midi`].
pub fn file(
    rate: u32,
    targets: &[Target],
    params: &[ParamSlot],
    score: &Score,
    until: Option<u64>,
) -> Vec<u8> {
    let extent = if until.is_some() { Extent::Forever } else { Extent::Once };
    let mut sequencer = Sequencer::new(rate, targets, params, score, extent);
    let end = until.or(sequencer.song_end()).unwrap_or(0);
    let mut events = Vec::new();
    sequencer.advance(end, &mut events);
    let bars = Bars::new(score, rate);
    let ticks = |frame: u64| {
        let quarters = bars.at(frame) * bars.clock().beats_per_bar().to_f64();
        (quarters * f64::from(TICKS)).round().max(0.0) as u32
    };
    let mut smf = Smf::new(Header::new(Format::Parallel, Timing::Metrical(u15::new(TICKS))));
    smf.tracks.push(track(tempo_events(score, &bars, end, &ticks), ticks(end)));
    for (i, target) in targets.iter().enumerate() {
        let notes = notes(target, i, &events, &ticks, end);
        if !notes.is_empty() {
            let name = TrackEventKind::Meta(MetaMessage::TrackName(target.name.as_bytes()));
            smf.tracks.push(track([vec![(0, name)], notes].concat(), ticks(end)));
        }
    }
    let mut bytes = Vec::new();
    // Writing to memory has no way to fail.
    let _ = smf.write(&mut bytes);
    bytes
}

type Timed<'a> = (u32, TrackEventKind<'a>);

/// A track of events at absolute ticks.
fn track(mut events: Vec<Timed<'_>>, end: u32) -> Vec<TrackEvent<'_>> {
    events.sort_by_key(|e| e.0);
    let last = events.last().map_or(0, |e| e.0).max(end);
    events.push((last, TrackEventKind::Meta(MetaMessage::EndOfTrack)));
    let mut at = 0;
    let mut spaced = Vec::with_capacity(events.len());
    for (tick, kind) in events {
        spaced.push(TrackEvent { delta: u28::from_int_lossy(tick - at), kind });
        at = tick;
    }
    spaced
}

/// The notes of a target as they sound: a note that is taken over ends where the next begins.
fn notes(
    target: &Target,
    index: usize,
    events: &[Event],
    ticks: &impl Fn(u64) -> u32,
    end: u64,
) -> Vec<Timed<'static>> {
    // Channel 10 is for drum kits, whose keys are not pitches.
    let channel = u4::new([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15][index % 15]);
    let message = |message| TrackEventKind::Midi { channel, message };
    let mut held: HashMap<usize, u7> = HashMap::new();
    let mut out = Vec::new();
    let stop = |out: &mut Vec<Timed<'static>>, held: &mut HashMap<usize, u7>, port, frame| {
        if let Some(key) = held.remove(&port) {
            out.push((ticks(frame), message(MidiMessage::NoteOff { key, vel: u7::new(0) })));
        }
    };
    for event in events {
        match event.kind {
            EventKind::Off { port } if target.voices.contains(&port) => {
                stop(&mut out, &mut held, port, event.frame);
            }
            EventKind::On { port, note, vel } if target.voices.contains(&port) => {
                stop(&mut out, &mut held, port, event.frame);
                let key = u7::new(note.round().clamp(0.0, 127.0) as u8);
                let vel = u7::new((vel * 100.0).round().clamp(1.0, 127.0) as u8);
                out.push((ticks(event.frame), message(MidiMessage::NoteOn { key, vel })));
                held.insert(port, key);
            }
            _ => {}
        }
    }
    for port in held.keys().copied().collect::<Vec<_>>() {
        stop(&mut out, &mut held, port, end);
    }
    out
}

/// The meter and every change of the tempo; a tempo ramp in pieces of a sixteenth of a bar.
fn tempo_events(score: &Score, bars: &Bars, end: u64, ticks: &impl Fn(u64) -> u32) -> Vec<Timed<'static>> {
    let map = score.transports.first().map(|t| t.tempo.clone()).unwrap_or_default();
    let clock = bars.clock();
    let mut out = vec![(0, meter(map.beats_per_bar))];
    let quarters = map.beats_per_bar.to_f64();
    for pass in 0..=bars.passes(end.saturating_sub(1)) {
        let start = bars.start(pass);
        let mut tempo = |frame: u64, seconds_a_quarter: f64| {
            let micros =
                u24::from_int_lossy((seconds_a_quarter * 1e6).round().clamp(1.0, 16_777_215.0) as u32);
            if start + frame < end {
                out.push((ticks(start + frame), TrackEventKind::Meta(MetaMessage::Tempo(micros))));
            }
        };
        for change in &map.changes {
            match change.tempo {
                Tempo::Steady(bpm) => tempo(clock.plain(change.bar).round(), 60.0 / bpm.to_f64()),
                Tempo::Ramp { until, .. } => {
                    let pieces = ((until.to_f64() - change.bar.to_f64()) * 16.0).ceil().clamp(1.0, 4096.0);
                    let at = |i: f64| {
                        let share = Rational::new(i as i128, pieces as i128);
                        let bar = share.and_then(|s| change.bar + (s * (until - change.bar)?)?);
                        clock.plain(bar.unwrap_or(change.bar)).to_f64()
                    };
                    let beats = (until.to_f64() - change.bar.to_f64()) * quarters / pieces;
                    for i in 0..pieces as u32 {
                        let (from, to) = (at(i.into()), at(f64::from(i) + 1.0));
                        let seconds = (to - from) / f64::from(clock.rate());
                        tempo((from + 0.5) as u64, seconds / beats);
                    }
                }
            }
        }
    }
    out
}

/// The time signature of a bar of so many quarters.
fn meter(beats_per_bar: Rational) -> TrackEventKind<'static> {
    let unit_power = (0..6).find(|p| beats_per_bar.den() <= 1 << p).unwrap_or(5);
    let beats = beats_per_bar.num() * (1 << unit_power) / beats_per_bar.den();
    let beats = u8::try_from(beats).unwrap_or(4);
    TrackEventKind::Meta(MetaMessage::TimeSignature(beats, 2 + unit_power as u8, 24, 8))
}
