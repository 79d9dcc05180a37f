//! From the events of a MIDI file to notes with a start and an end, each of an instrument.
//!
//! All tracks are played together, in the order of time, since what a channel's program and pedal are may stand in
//! another track than its notes. A note ends at the first note-off of its key that has not ended an earlier one (first
//! in, first out). While the pedal is down, it sounds on: until the pedal goes up, or its key is struck again.

use super::kit::Kit;
use super::read::{Event, Kind, MidiFile, Remarks, Track};
use mam_grammar::problem::count;
use mam_runtime::Outside;
use mam_runtime::score::Rational;
use mam_runtime::sort::Sort;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

/// The channel of drum kits.
const DRUMS: u16 = 9;
/// Parts that a song keeps apart, so that it stays below the limit of evaluations whatever plays them; of more, those of one
/// instrument become one.
const MOST_PARTS: usize = 64;
/// The program of a channel before any is chosen.
const PIANO: u8 = 0;
/// Quarter notes a minute where a file says nothing.
const DEFAULT_BPM: i64 = 120;

/// A note of the file, in ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Note {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) key: u8,
    pub(super) vel: u8,
}

/// What plays a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Player {
    /// An instrument of the prelude, by its index into the [`Kit`].
    Instrument(usize),
    /// The machine outside that this track of the file goes to, on this channel (0 to 15).
    Machine { track: usize, channel: u8 },
}

/// What one instrument of the song plays.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) player: Player,
    /// Name of its track, where the track has no other part.
    pub(super) name: Option<String>,
    pub(super) notes: Vec<Note>,
}

/// A tempo in quarter notes a minute.
pub(super) type Bpm = Rational;

/// What a file plays.
#[derive(Debug, Default)]
pub(super) struct Played {
    pub(super) parts: Vec<Part>,
    /// From a tick on. The first is at 0, unless the file says nothing of it.
    pub(super) tempos: BTreeMap<u64, Bpm>,
    /// Beats, and the power of two that divides a whole note into them.
    pub(super) meter: Option<(u8, u8)>,
    pub(super) title: Option<String>,
    /// The last tick of all tracks.
    pub(super) end: u64,
}

/// Plays a file; what is odd is added to its remarks.
pub(super) fn play(file: &mut MidiFile, kit: &Kit) -> Played {
    let mut remarks = std::mem::take(&mut file.remarks);
    let mut stage = Stage::new(file, kit);
    let mut all: Vec<(u64, bool, usize, &Event)> = vec![];
    let mut offset = 0;
    for (index, track) in file.tracks.iter().enumerate() {
        if file.sequential {
            stage.played.tempos.insert(offset, Rational::whole(DEFAULT_BPM));
        }
        let mut struck = None;
        for event in &track.events {
            if matches!(event.kind, Kind::On { .. }) {
                struck = Some(event.tick);
            }
            // A program holds for the notes of its tick, in whichever track it stands.
            let early = matches!(event.kind, Kind::Program(_)) && struck != Some(event.tick);
            all.push((offset + event.tick, !early, index, event));
        }
        stage.ends.push(offset + track.end);
        stage.played.end = stage.played.end.max(offset + track.end);
        if file.sequential {
            offset = stage.played.end;
        }
    }
    all.put_in_order_by_key(|&(tick, late, ..)| (tick, late));
    for (tick, _, track, event) in all {
        stage.event(tick, track, event);
    }
    let played = stage.finish(&mut remarks);
    file.remarks = remarks;
    played
}

/// Which part a note belongs to. Where a track is an instrument (in all formats but 0), its channels are together.
type PartKey = (usize, Option<u16>, Player);

/// Where a key is: track, channel, key.
type KeyPlace = (u16, usize, u8);

/// The state of all channels while a file is played.
struct Stage<'a> {
    file: &'a MidiFile,
    kit: &'a Kit,
    played: Played,
    /// The last tick of each track.
    ends: Vec<u64>,
    index: BTreeMap<PartKey, usize>,
    programs: BTreeMap<u16, u8>,
    pedals: BTreeMap<u16, bool>,
    /// Notes whose key is down: part and note.
    open: BTreeMap<KeyPlace, VecDeque<(usize, usize)>>,
    /// Notes whose key is up while the pedal is down, by channel and key.
    sustained: BTreeMap<(u16, u8), Vec<(usize, usize)>>,
    /// The tempo that a text of the file says, with its tick; see [`Stage::tempo`].
    said: Option<(u64, Bpm)>,
    exact: Option<Bpm>,
    meters: usize,
}

impl<'a> Stage<'a> {
    fn new(file: &'a MidiFile, kit: &'a Kit) -> Stage<'a> {
        Stage {
            file,
            kit,
            played: Played::default(),
            ends: vec![],
            index: BTreeMap::new(),
            programs: BTreeMap::new(),
            pedals: BTreeMap::new(),
            open: BTreeMap::new(),
            sustained: BTreeMap::new(),
            said: None,
            exact: None,
            meters: 0,
        }
    }

    fn event(&mut self, tick: u64, track: usize, event: &Event) {
        let channel = event.channel;
        match event.kind {
            Kind::On { key, vel } => self.on(tick, (channel, track, key), vel),
            Kind::Off { key } => self.off(tick, (channel, track, key)),
            Kind::Program(program) => _ = self.programs.insert(channel, program),
            Kind::Pedal(down) => {
                self.pedals.insert(channel, down);
                if !down {
                    self.end_sustained(tick, channel);
                }
            }
            Kind::Silence => {
                let range = (channel, 0, 0)..=(channel, usize::MAX, u8::MAX);
                let places: Vec<KeyPlace> = self.open.range(range).map(|(&place, _)| place).collect();
                for place in places {
                    self.open.remove(&place).into_iter().flatten().for_each(|note| self.end(note, tick));
                }
                self.end_sustained(tick, channel);
            }
            Kind::Tempo(micros) => self.tempo(tick, micros),
            Kind::Meter(beats, power) => self.meter(beats, power),
            Kind::Text(ref text) => self.said = stated_tempo(text).map(|bpm| (tick, bpm)),
        }
    }

    fn on(&mut self, tick: u64, place: KeyPlace, vel: u8) {
        let (channel, track, key) = place;
        for note in self.sustained.remove(&(channel, key)).into_iter().flatten() {
            self.end(note, tick);
        }
        let part = self.part(place);
        let notes = &mut self.played.parts[part].notes;
        notes.push(Note { start: tick, end: u64::MAX, key, vel });
        let note = (part, notes.len() - 1);
        self.open.entry((channel, track, key)).or_default().push_back(note);
    }

    fn off(&mut self, tick: u64, place: KeyPlace) {
        let (channel, _, key) = place;
        let Entry::Occupied(mut open) = self.open.entry(place) else { return };
        let note = open.get_mut().pop_front();
        if open.get().is_empty() {
            open.remove();
        }
        let Some(note) = note else { return };
        match self.pedals.get(&channel) {
            Some(true) if channel & 15 != DRUMS => {
                self.sustained.entry((channel, key)).or_default().push(note)
            }
            _ => self.end(note, tick),
        }
    }

    fn end_sustained(&mut self, tick: u64, channel: u16) {
        let range = (channel, 0)..=(channel, u8::MAX);
        let keys: Vec<(u16, u8)> = self.sustained.range(range).map(|(&key, _)| key).collect();
        for key in keys {
            self.sustained.remove(&key).into_iter().flatten().for_each(|note| self.end(note, tick));
        }
    }

    fn end(&mut self, (part, note): (usize, usize), tick: u64) {
        let note = &mut self.played.parts[part].notes[note];
        note.end = tick.max(note.start + 1);
    }

    /// The part of a note that begins, which is new where there was none like it.
    fn part(&mut self, (channel, track, key): KeyPlace) -> usize {
        let drum = channel & 15 == DRUMS;
        let player = self.player((channel, track, key), drum);
        let apart = (self.file.single || drum).then_some(channel);
        let parts = &mut self.played.parts;
        *self.index.entry((track, apart, player)).or_insert_with(|| {
            parts.push(Part { player, name: None, notes: vec![] });
            parts.len() - 1
        })
    }

    fn player(&self, (channel, track, key): KeyPlace, drum: bool) -> Player {
        let Track { instrument, device, .. } = &self.file.tracks[track];
        if instrument.as_deref() == Some(Outside::MIDI_OUT) && device.is_some() {
            return Player::Machine { track, channel: (channel & 15) as u8 };
        }
        let named = instrument.as_deref().and_then(|name| self.kit.named(name, drum));
        Player::Instrument(named.unwrap_or_else(|| match drum {
            true => self.kit.drum(key),
            false => self.kit.program(self.programs.get(&channel).copied().unwrap_or(PIANO)),
        }))
    }

    /// A tempo holds from its tick on. mam's own files say the tempo in a text as well, since a whole number of
    /// microseconds a quarter note is not exact; it counts where the two agree. Tempos that follow and differ by no more
    /// than that are roundings of it.
    fn tempo(&mut self, tick: u64, micros: u32) {
        let said = self.said.filter(|&(at, _)| at == tick).map(|(_, bpm)| bpm);
        let agrees = |bpm: &Bpm| (60e6 / bpm.to_f64() - f64::from(micros)).abs() < 1.0;
        let holds = self.played.tempos.range(..=tick).next_back().map(|(_, bpm)| *bpm);
        if said.is_none() && holds == self.exact && self.exact.as_ref().is_some_and(agrees) {
            return;
        }
        self.exact = said.filter(agrees);
        let rounded = Rational::ratio(60_000_000, micros);
        self.played.tempos.insert(tick, self.exact.unwrap_or(rounded));
    }

    fn meter(&mut self, beats: u8, power: u8) {
        // What a song can have as a meter.
        if !(1..=64).contains(&beats) || power > 6 {
            return;
        }
        let first = *self.played.meter.get_or_insert((beats, power));
        self.meters += usize::from(first != (beats, power));
    }

    fn finish(mut self, remarks: &mut Remarks) -> Played {
        let mut endless = 0;
        // A note that never ends sounds until its key is struck again.
        for ((_, track, _), notes) in std::mem::take(&mut self.open) {
            endless += notes.len();
            let starts = notes.iter().skip(1).map(|&(part, note)| self.played.parts[part].notes[note].start);
            let ends: Vec<u64> = starts.chain([self.ends[track]]).collect();
            notes.into_iter().zip(ends).for_each(|(note, end)| self.end(note, end));
        }
        for (_, notes) in std::mem::take(&mut self.sustained) {
            let end = self.played.end;
            notes.into_iter().for_each(|note| self.end(note, end));
        }
        if endless > 0 {
            let notes = count(endless, "note");
            remarks.add(format!("{notes} of it never end; they last until their key or their track does"));
        }
        if self.meters > 0 {
            remarks.add("its time signature changes; the bars of the song are those of the first one".into());
        }
        if self.file.tracks.iter().any(|track| track.bends) {
            remarks.add("its pitch bends, pressure and controllers but the pedal are left out".into());
        }
        self.name();
        let mut played = self.played;
        if played.parts.len() > MOST_PARTS {
            let parts = count(played.parts.len(), "part");
            remarks.add(format!("its {parts} are too many; those of one instrument are played as one"));
            played.parts = joined(played.parts);
        }
        played
    }

    /// Names the parts, and the song: the first track's name is the song's where that track is not one of several parts.
    fn name(&mut self) {
        let mut parts = vec![0; self.file.tracks.len()];
        for &(track, ..) in self.index.keys() {
            parts[track] += 1;
        }
        let conductor = parts.iter().skip(1).all(|&n| n == 0) || parts.first() == Some(&0);
        for (&(track, ..), &part) in &self.index {
            let titles = track == 0 && conductor;
            let name = self.file.tracks[track].name.clone();
            self.played.parts[part].name = name.filter(|_| parts[track] == 1 && !titles);
        }
        self.played.title = self.file.tracks.first().and_then(|t| t.name.clone()).filter(|_| conductor);
    }
}

/// The tempo that a text such as `tempo 133.7` or `tempo 400/3` states.
fn stated_tempo(text: &str) -> Option<Bpm> {
    let amount = text.strip_prefix("tempo ")?;
    let bpm = match amount.split_once('/') {
        Some((num, den)) => Rational::new(num.parse().ok()?, den.parse().ok()?).ok(),
        None => Rational::from_decimal(amount),
    };
    bpm.filter(|bpm| bpm.sign() > 0)
}

/// One part an instrument.
fn joined(parts: Vec<Part>) -> Vec<Part> {
    let mut all: BTreeMap<Player, Part> = BTreeMap::new();
    for part in parts {
        let joined = all.entry(part.player).or_insert(Part { name: None, notes: vec![], ..part });
        joined.notes.extend(part.notes);
    }
    all.into_values().collect()
}
