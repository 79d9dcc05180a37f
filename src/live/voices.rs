//! Allocates the voices of instruments to the notes that controllers hold.

use super::action::{Key, Touch, Touched};
use super::instruments::playing;
use mam_runtime::{Control, NoteSignal, Target};
use std::time::{Duration, Instant};

/// How long a hit is held.
const HIT: Duration = Duration::from_millis(250);
/// Seconds in which a voice goes to a new bend or pressure: steps of MIDI are not heard.
const GLIDE_SECONDS: f64 = 0.005;
/// Notes that wait for a voice at most, of all instruments.
const WAITING: usize = 128;

/// All instruments' voices, as far as controllers have played them.
#[derive(Debug, Default)]
pub(crate) struct VoiceAllocator {
    voices: Vec<Voice>,
    /// Notes that are held and not played, of instruments with a priority.
    waiting: Vec<Note>,
    /// Counts presses and releases.
    stamp: u64,
    hits: Vec<(Instant, Key)>,
}

#[derive(Debug)]
struct Voice {
    target: String,
    index: usize,
    /// The note that it plays, or has played last.
    note: Note,
    is_held: bool,
    /// When it was pressed or released last.
    stamp: u64,
}

/// A note of a controller.
#[derive(Clone, Debug)]
struct Note {
    target: String,
    /// The channel on which it came.
    channel: u8,
    key: f64,
    pitch: f64,
    vel: f64,
    /// What its voice begins with.
    signals: Vec<(NoteSignal, f64)>,
    /// When it was pressed.
    stamp: u64,
}

impl Note {
    fn is(&self, key: &Key, target: &str) -> bool {
        self.target == target && self.channel == key.channel && self.key == key.note
    }
}

impl VoiceAllocator {
    /// A note begins: on its own voice where it is held already, else on one that is free, the longest so first, else on
    /// that of the oldest note, or as the instrument's priority says. False when there is no such instrument.
    pub(crate) fn press(
        &mut self,
        control: &mut Control,
        key: &Key,
        vel: f64,
        signals: &[(NoteSignal, f64)],
    ) -> bool {
        let tuning = control.program().score.tuning.as_ref();
        let pitch = tuning.map_or(key.note, |tuning| tuning.pitch(key.note));
        self.begin(control, key, pitch, vel, signals)
    }

    /// The note of a key begins, at a pitch of its own.
    fn begin(
        &mut self,
        control: &mut Control,
        key: &Key,
        pitch: f64,
        vel: f64,
        signals: &[(NoteSignal, f64)],
    ) -> bool {
        let program = control.program().clone();
        let Some(found) = playing(&program, &key.instrument) else { return false };
        self.stamp += 1;
        let note = Note {
            target: found.name.to_string(),
            channel: key.channel,
            key: key.note,
            pitch,
            vel,
            signals: signals.to_vec(),
            stamp: self.stamp,
        };
        self.waiting.retain(|waiting| !waiting.is(key, &found.name));
        match self.choose(found, &note) {
            Some(index) => self.start(control, index, note),
            None if found.voices.is_empty() => false,
            None => {
                self.wait(note);
                true
            }
        }
    }

    /// The place of the voice that a note takes; `None` where it waits.
    fn choose(&mut self, found: &Target, note: &Note) -> Option<usize> {
        for index in 0..found.voices.len() {
            if !self.voices.iter().any(|v| *v.target == *found.name && v.index == index) {
                let (target, note) = (note.target.clone(), Note { stamp: 0, ..note.clone() });
                self.voices.push(Voice { target, index, note, is_held: false, stamp: 0 });
            }
        }
        let is_own = |v: &Voice| v.is_held && v.note.channel == note.channel && v.note.key == note.key;
        let all = self.voices.iter().enumerate();
        let of_it: Vec<(usize, &Voice)> =
            all.filter(|(_, v)| *v.target == *found.name && v.index < found.voices.len()).collect();
        let by_age = |(_, v): &&(usize, &Voice)| (!is_own(v), v.is_held, v.stamp);
        let &(oldest, voice) = of_it.iter().min_by_key(by_age)?;
        let Some(priority) = found.priority.filter(|_| voice.is_held && !is_own(voice)) else {
            return Some(oldest);
        };
        let rank = |note: &Note| priority.rank(note.pitch, note.stamp);
        let less = |a: usize, b: usize| {
            if rank(&self.voices[a].note).beats(rank(&self.voices[b].note)) { b } else { a }
        };
        let least = of_it.iter().map(|(place, _)| *place).reduce(less)?;
        if !rank(note).beats(rank(&self.voices[least].note)) {
            return None;
        }
        let held = self.voices[least].note.clone();
        self.wait(held);
        Some(least)
    }

    fn wait(&mut self, note: Note) {
        if self.waiting.len() == WAITING {
            self.waiting.remove(0);
        }
        self.waiting.push(note);
    }

    fn start(&mut self, control: &mut Control, place: usize, note: Note) -> bool {
        let voice = &mut self.voices[place];
        (voice.note, voice.is_held, voice.stamp) = (note, true, self.stamp);
        let Voice { index, note, .. } = voice;
        let begins = control.note(&note.target, *index, note.pitch, Some(note.vel));
        for &(signal, value) in &note.signals {
            control.touch(&note.target, *index, signal, value, 0);
        }
        begins
    }

    /// A note ends, if it is still held; one that waits for its voice returns.
    pub(crate) fn release(&mut self, control: &mut Control, key: &Key) {
        self.stamp += 1;
        let program = control.program().clone();
        let found = playing(&program, &key.instrument);
        let target = found.map_or(&*key.instrument, |found| &*found.name);
        self.waiting.retain(|waiting| !waiting.is(key, target));
        let Some(place) = self.voices.iter().position(|v| v.is_held && v.note.is(key, target)) else {
            return;
        };
        let waits = |(_, note): &(usize, &Note)| note.target == target;
        let waiting = self.waiting.iter().enumerate().filter(waits);
        let next = found.and_then(|found| found.priority).and_then(|priority| {
            let rank = |note: &Note| priority.rank(note.pitch, note.stamp);
            waiting.reduce(|a, b| if rank(b.1).beats(rank(a.1)) { b } else { a }).map(|(place, _)| place)
        });
        if let Some(next) = next {
            let note = self.waiting.remove(next);
            self.start(control, place, note);
            return;
        }
        let voice = &mut self.voices[place];
        (voice.is_held, voice.stamp) = (false, self.stamp);
        control.note(target, voice.index, voice.note.pitch, None);
    }

    /// What is held is bent or pressed. Notes that fade go on with what they had last, until their channel has another.
    pub(crate) fn touch(&mut self, control: &mut Control, touch: &Touch) {
        let ramp = (f64::from(control.rate()) * GLIDE_SECONDS) as u32;
        let program = control.program().clone();
        let Some(found) = playing(&program, &touch.instrument) else { return };
        let target = &*found.name;
        let is_touched = |note: &Note| {
            note.target == target
                && match touch.touched {
                    Touched::All => false,
                    Touched::Channel(channel) => note.channel == channel,
                    Touched::Key(channel, key) => note.channel == channel && note.key == key,
                }
        };
        if touch.touched == Touched::All {
            control.set(&format!("{target}.note.{}", touch.signal.name()), touch.value, ramp);
        }
        for waiting in self.waiting.iter_mut().filter(|note| is_touched(note)) {
            waiting.set(touch.signal, touch.value);
        }
        for voice in self.voices.iter_mut().filter(|voice| is_touched(&voice.note)) {
            voice.note.set(touch.signal, touch.value);
            control.touch(target, voice.index, touch.signal, touch.value, ramp);
        }
    }

    /// A plain note of the instrument's own pitch, which ends by itself.
    pub(crate) fn hit(&mut self, control: &mut Control, target: &str, vel: f64, now: Instant) -> bool {
        let Some(note) = playing(control.program(), target).map(|t| t.default_note) else { return false };
        self.hits.retain(|(_, key)| key.instrument != target);
        let key = Key { instrument: target.into(), channel: 0, note };
        self.hits.push((now + HIT, key.clone()));
        self.begin(control, &key, note, vel, &[])
    }

    /// Ends the hits whose time has come.
    pub(crate) fn tick(&mut self, control: &mut Control, now: Instant) {
        let is_over = |(end, _): &(Instant, Key)| *end <= now;
        let (over, held): (Vec<_>, Vec<_>) = std::mem::take(&mut self.hits).into_iter().partition(is_over);
        self.hits = held;
        for (_, key) in over {
            self.release(control, &key);
        }
    }

    /// Ends all notes that controllers hold.
    pub(crate) fn silence(&mut self, control: &mut Control) {
        self.waiting.clear();
        for voice in self.voices.drain(..).filter(|voice| voice.is_held) {
            control.note(&voice.target, voice.index, voice.note.pitch, None);
        }
        self.hits.clear();
    }
}

impl Note {
    fn set(&mut self, signal: NoteSignal, value: f64) {
        self.signals.retain(|(known, _)| *known != signal);
        self.signals.push((signal, value));
    }
}
