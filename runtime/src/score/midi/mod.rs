//! A score as a standard MIDI file: the tempo in the first track, then one track an instrument.
//!
//! Notes are written as they sound, swing included. Parameters have no place in such a file and are left out, and so are the
//! signals of notes but those of machines outside. What an
//! instrument is in the file is said by its definition ([`MidiRole`]): drums go to channel 10. The names of tracks are
//! those of the song's equations, and the names of their instruments those of the definitions, so that a reader of the
//! file as a song finds both again.

mod machines;
mod tempo;

use super::data::Score;
use super::listing::Bars;
use super::midi::tempo::Time;
use super::rational::Rational;
use super::sequencer::{Extent, Sequencer, Unplayed};
use crate::ids::{IdMap, ParamId, PortId};
use crate::param::ParamSlot;
use crate::program::{Event, EventKind, MidiRole, NoteSignal, Outside, Program, Target};
use crate::sort::Sort;
use midly::num::{u4, u7, u15, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind};
use std::ops::ControlFlow;
use std::sync::Arc;
pub use tempo::TooLong;

/// The channel of drum kits, whose keys are not pitches.
const DRUMS: u8 = 9;
/// Channels of one port that are not for drums.
const MELODIC: usize = 15;
/// Ports that a file can name.
const PORTS: usize = 128;
/// The longest time between two events, in ticks.
const LONGEST: u64 = (1 << 28) - 1;

/// Notes that a file has at most: those of hours of music.
pub const MOST_NOTES: usize = 500_000;

/// A MIDI file, as bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MidiFile {
    /// Its bytes: the same for the same program.
    pub bytes: Vec<u8>,
    /// Notes that are in it.
    pub notes: usize,
    /// Notes whose pitch is not that of a MIDI key, and was rounded to the nearest.
    pub rounded: usize,
    /// Notes that are louder than a file can say, and were made as loud as it can.
    pub limited: usize,
    /// Notes of velocity 0, which a file cannot say; they were made as soft as it can.
    pub mute: usize,
    /// Signals of notes that move and are not in it, by their paths: `lead.note.bend`.
    pub unbent: Vec<Arc<str>>,
    /// Cycles of the score that could not be played, and have no notes in it.
    pub unplayed: Vec<Unplayed>,
}

/// The MIDI file of a program. `until` is the frame where it ends; `None` for one pass of the song.
///
/// # Errors
/// When it would have too many notes, or too many changes of tempo.
pub fn midi(program: &Program, title: Option<&str>, until: Option<u64>) -> Result<MidiFile, TooLong> {
    file(program.rate, &program.targets, &program.params, &program.score, title, until)
}

/// The MIDI file of a score: see [`midi`].
///
/// # Errors
/// As [`midi`].
pub fn file(
    rate: u32,
    targets: &[Target],
    params: &IdMap<ParamId, ParamSlot>,
    score: &Score,
    title: Option<&str>,
    until: Option<u64>,
) -> Result<MidiFile, TooLong> {
    let extent = if until.is_some() { Extent::Forever } else { Extent::Once };
    let mut sequencer = Sequencer::new(rate, targets, params, score, extent);
    let end = until.or(sequencer.song_end()).unwrap_or(0);
    let mut performance = Performance::new(targets, end);
    let mut machines = machines::MachineTracks::new(targets, params, rate);
    let mut signals = Signals::new(targets, params);
    let mut add = |events: &[Event]| {
        machines.add(events);
        signals.add(events);
        performance.add(events)
    };
    if sequencer.play(end, &mut add).is_break() {
        return Err(TooLong);
    }
    let played = performance.played;
    let frames: Vec<u64> = played.iter().flatten().flat_map(|note| [note.on, note.off]).collect();
    let bars = Bars::new(score, rate);
    let time = Time::new(score, &bars, end, &frames)?;
    let unplayed = sequencer.unplayed().to_vec();
    let unbent = signals.moved(params);
    let mut out = MidiFile { notes: frames.len() / 2, unbent, unplayed, ..MidiFile::default() };
    let tempos = time.events(time.tick(end));
    let mut smf = Smf::new(Header::new(Format::Parallel, Timing::Metrical(u15::new(time.ticks))));
    smf.tracks.push(track(conductor(title, &time, &bars, &tempos), time.tick(end)));
    let mut ports = Ports::default();
    let inside = |target: &Target| !matches!(target.outside, Some(Outside::Midi { .. }));
    let heard = targets.iter().zip(&played).filter(|(target, notes)| !notes.is_empty() && inside(target));
    for (target, notes) in heard {
        let events = Voice::new(&target.midi, notes, &time, &mut out).events(target, &mut ports);
        smf.tracks.push(track(events, time.tick(end)));
    }
    for events in machines.tracks(end, ports.port, |frame| time.tick(frame)) {
        smf.tracks.push(track(events, time.tick(end)));
    }
    // Writing to memory has no way to fail.
    let _ = smf.write(&mut out.bytes);
    Ok(out)
}

type Timed<'a> = (u64, TrackEventKind<'a>);

/// A track of events at absolute ticks, in the order in which they are given where they are at one tick.
fn track(mut events: Vec<Timed<'_>>, end: u64) -> Vec<TrackEvent<'_>> {
    events.put_in_order_by_key(|e| e.0);
    let last = events.last().map_or(0, |e| e.0).max(end);
    events.push((last, TrackEventKind::Meta(MetaMessage::EndOfTrack)));
    let mut at = 0;
    let mut spaced = Vec::with_capacity(events.len());
    for (tick, kind) in events {
        // A longer time than can be said is divided by texts without words.
        while tick - at > LONGEST {
            let kind = TrackEventKind::Meta(MetaMessage::Text(&[]));
            spaced.push(TrackEvent { delta: u28::from_int_lossy(LONGEST as u32), kind });
            at += LONGEST;
        }
        spaced.push(TrackEvent { delta: u28::from_int_lossy((tick - at) as u32), kind });
        at = tick;
    }
    spaced
}

/// The first track: title, meter and tempo.
fn conductor<'a>(
    title: Option<&'a str>,
    time: &Time,
    bars: &Bars,
    tempos: &'a [(u64, tempo::TempoEvent)],
) -> Vec<Timed<'a>> {
    let title = title.map(|title| MetaMessage::TrackName(title.as_bytes()));
    let head = title.into_iter().chain(meter(bars.clock().beats_per_bar(), time.stretch));
    let mut events: Vec<Timed<'a>> = head.map(|meta| (0, TrackEventKind::Meta(meta))).collect();
    events.extend(tempos.iter().map(|(tick, event)| (*tick, TrackEventKind::Meta(event.meta()))));
    events
}

/// The time signature of a bar of so many quarters, each `stretch` times as long; `None` for one that cannot be said.
fn meter(beats_per_bar: Rational, stretch: u64) -> Option<MetaMessage<'static>> {
    let quarters = (beats_per_bar * Rational::whole(stretch as i64)).ok()?;
    // Quarters first, then shorter notes, then longer ones.
    [2, 3, 4, 5, 6, 1, 0].into_iter().find_map(|power: u8| {
        let beats = (quarters * Rational::ratio(1 << power, 4)).ok().filter(|beats| beats.den() == 1)?;
        let beats = u8::try_from(beats.num()).ok().filter(|beats| (1..=64).contains(beats))?;
        Some(MetaMessage::TimeSignature(beats, power, 24, 8))
    })
}

/// A note as it sounds, in frames.
#[derive(Clone, Copy, Debug)]
struct Note {
    on: u64,
    off: u64,
    note: f64,
    vel: f64,
}

/// The notes of each target as they are played: a note that is taken over ends where the next begins.
struct Performance {
    played: Vec<Vec<Note>>,
    /// How many there are of all targets.
    notes: usize,
    /// Whose voice each port is.
    owners: IdMap<PortId, Option<usize>>,
    /// The note of each voice that has not ended.
    open: IdMap<PortId, Option<usize>>,
    end: u64,
}

impl Performance {
    /// Of a song that is over at frame `end`.
    fn new(targets: &[Target], end: u64) -> Performance {
        let ports = targets.iter().flat_map(|t| &t.voices).max().map_or(0, |last| last.index() + 1);
        let mut owners: IdMap<PortId, Option<usize>> = IdMap::filled(None, ports);
        for (index, target) in targets.iter().enumerate() {
            target.voices.iter().for_each(|&port| owners[port] = Some(index));
        }
        let open = IdMap::filled(None, ports);
        Performance { played: vec![vec![]; targets.len()], notes: 0, owners, open, end }
    }

    /// Takes the events that come next, as long as there are not too many notes.
    fn add(&mut self, events: &[Event]) -> ControlFlow<()> {
        for event in events {
            let (EventKind::Off { port } | EventKind::On { port, .. }) = event.kind else { continue };
            let Some(&Some(owner)) = self.owners.get(port) else { continue };
            if let Some(note) = self.open[port].take() {
                self.played[owner][note].off = event.frame;
            }
            if let EventKind::On { note, vel, .. } = event.kind {
                self.notes += 1;
                self.open[port] = Some(self.played[owner].len());
                self.played[owner].push(Note { on: event.frame, off: self.end.max(event.frame), note, vel });
            }
        }
        if self.notes > MOST_NOTES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Which signals of the notes of instruments move, of those that the file does not have.
struct Signals {
    /// The signal that a parameter is, or is one voice's share of.
    of: IdMap<ParamId, Option<ParamId>>,
    moved: IdMap<ParamId, bool>,
}

impl Signals {
    fn new(targets: &[Target], params: &IdMap<ParamId, ParamSlot>) -> Signals {
        let inside = || targets.iter().filter(|target| target.outside.is_none());
        let signal = |(of, name): (&str, &str)| {
            NoteSignal::named(name).is_some() && inside().any(|target| &*target.name == of)
        };
        let mut of = IdMap::filled(None, params.len());
        for (id, _) in params.iter().filter(|(_, slot)| slot.name.split_once(".note.").is_some_and(signal)) {
            of[id] = Some(id);
        }
        for own in inside().flat_map(|target| &target.note_params) {
            own.voices.iter().for_each(|&share| of[share] = of[own.param]);
        }
        Signals { of, moved: IdMap::filled(false, params.len()) }
    }

    fn add(&mut self, events: &[Event]) {
        for event in events {
            let (EventKind::Set { param, .. } | EventKind::NoteValue { param, value: Some(_), .. }) =
                event.kind
            else {
                continue;
            };
            if let Some(&Some(signal)) = self.of.get(param) {
                self.moved[signal] = true;
            }
        }
    }

    fn moved(&self, params: &IdMap<ParamId, ParamSlot>) -> Vec<Arc<str>> {
        let moved = params.iter().filter(|(id, _)| self.moved[*id]);
        moved.map(|(_, param)| param.name.clone()).collect()
    }
}

/// Which channels are taken.
#[derive(Default)]
struct Ports {
    port: usize,
    /// Channels of the port that are taken.
    taken: usize,
}

impl Ports {
    /// So many channels of one port: the port, and the channels.
    fn take(&mut self, count: usize) -> (u8, Vec<u4>) {
        if self.taken + count > MELODIC {
            (self.port, self.taken) = (self.port + 1, 0);
        }
        let channels = (self.taken..self.taken + count).map(|i| i as u8);
        let channels = channels.map(|i| u4::new(if i < DRUMS { i } else { i + 1 })).collect();
        self.taken += count;
        ((self.port % PORTS) as u8, channels)
    }
}

/// A key that is struck, in ticks.
#[derive(Clone, Copy, Debug)]
struct Key {
    on: u64,
    off: u64,
    key: u8,
    vel: u8,
    /// Which of the instrument's channels it is on: notes of one key do not overlap in one.
    lane: usize,
}

/// What an instrument plays in the file.
struct Voice {
    drum: bool,
    keys: Vec<Key>,
    lanes: usize,
}

impl Voice {
    fn new(role: &MidiRole, notes: &[Note], time: &Time, out: &mut MidiFile) -> Voice {
        let nearest = |note: &Note| note.note.round().clamp(0.0, 127.0) as u8;
        // A drum that has pitches is one as long as all of them are its keys.
        let drum = role.keys.first().copied();
        let drum =
            drum.filter(|_| !role.pitched || notes.iter().all(|note| role.keys.contains(&nearest(note))));
        let mut keys: Vec<Key> = vec![];
        for note in notes {
            let key = drum.filter(|_| !role.pitched).unwrap_or_else(|| nearest(note));
            out.rounded += usize::from(role.pitched && (f64::from(key) - note.note).abs() > 1e-6);
            out.limited += usize::from(note.vel > 1.275);
            out.mute += usize::from(note.vel <= 0.0);
            let vel = (note.vel * 100.0).round().clamp(1.0, 127.0) as u8;
            let on = time.tick(note.on);
            keys.push(Key { on, off: time.tick(note.off).max(on + 1), key, vel, lane: 0 });
        }
        keys.put_in_order_by_key(|key| key.on);
        let mut voice = Voice { drum: drum.is_some(), keys, lanes: 1 };
        voice.spread();
        voice
    }

    /// Gives notes of one key that overlap channels of their own: a note-off does not say which of them it ends. There is
    /// one channel for drums; a note of those ends where the next of its key begins, as does one too many.
    fn spread(&mut self) {
        let most = if self.drum { 1 } else { MELODIC };
        // The last note of each key in each lane.
        let mut last: Vec<Vec<usize>> = vec![vec![]; 128];
        for index in 0..self.keys.len() {
            let Key { on, key, .. } = self.keys[index];
            let lanes = &mut last[usize::from(key)];
            let free = lanes.iter().position(|&before| self.keys[before].off <= on);
            let lane = free.unwrap_or(if lanes.len() < most { lanes.len() } else { 0 });
            match lanes.get_mut(lane) {
                Some(before) => {
                    let before = std::mem::replace(before, index);
                    let before = &mut self.keys[before];
                    before.off = before.off.min(on).max(before.on + 1);
                }
                None => lanes.push(index),
            }
            self.keys[index].lane = lane;
            self.lanes = self.lanes.max(lane + 1);
        }
    }

    fn events<'a>(&self, target: &'a Target, ports: &mut Ports) -> Vec<Timed<'a>> {
        let (port, channels) = match self.drum {
            true => (0, vec![u4::new(DRUMS)]),
            false => ports.take(self.lanes),
        };
        let mut head = vec![];
        if port > 0 {
            head.push(TrackEventKind::Meta(MetaMessage::MidiPort(u7::new(port))));
        }
        let MidiRole { name, definition, .. } = &target.midi;
        head.push(TrackEventKind::Meta(MetaMessage::TrackName(name.as_bytes())));
        if !definition.is_empty() {
            head.push(TrackEventKind::Meta(MetaMessage::InstrumentName(definition.as_bytes())));
        }
        if let Some(&program) = target.midi.programs.first().filter(|_| !self.drum) {
            let message = MidiMessage::ProgramChange { program: u7::new(program) };
            head.extend(channels.iter().map(|&channel| TrackEventKind::Midi { channel, message }));
        }
        // At one tick, keys go up before others go down.
        let mut notes: Vec<(u64, bool, TrackEventKind)> = vec![];
        for key in &self.keys {
            let channel = channels[key.lane];
            let (number, vel) = (u7::new(key.key), u7::new(key.vel));
            let on = MidiMessage::NoteOn { key: number, vel };
            let off = MidiMessage::NoteOff { key: number, vel: u7::new(0) };
            notes.push((key.on, true, TrackEventKind::Midi { channel, message: on }));
            notes.push((key.off, false, TrackEventKind::Midi { channel, message: off }));
        }
        notes.put_in_order_by_key(|&(tick, on, _)| (tick, on));
        let head = head.into_iter().map(|kind| (0, kind));
        head.chain(notes.into_iter().map(|(tick, _, kind)| (tick, kind))).collect()
    }
}
