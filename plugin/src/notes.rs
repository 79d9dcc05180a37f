//! Notes on the audio thread: which voice plays which note of the host, or of the score.

use crate::midi::{Message, NOMINAL};
use mam_runtime::ids::{IdMap, PortId};
use mam_runtime::score::Tuning;
use mam_runtime::voices::{Moment, NoteStart, VoiceAllocator};
use mam_runtime::{Event, EventKind, Program};

/// Semitones that a note expression may tune by, either way.
const MOST_TUNING: f64 = 120.0;

/// A note of the host, or with −1 for anything, which notes are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostNote {
    /// Which port: an index into the program's targets.
    pub(crate) port: i16,
    /// 0 to 15.
    pub(crate) channel: i16,
    /// 0 to 127.
    pub(crate) key: i16,
    /// The host's own number for the note.
    pub(crate) id: i32,
}

impl HostNote {
    /// Whether a note is among those that are meant.
    fn means(self, note: HostNote) -> bool {
        let fits = |wanted: i16, is: i16| wanted == -1 || wanted == is;
        fits(self.port, note.port)
            && fits(self.channel, note.channel)
            && fits(self.key, note.key)
            && (self.id == -1 || self.id == note.id)
    }
}

/// Who plays the note that a voice holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Holder {
    /// A note of the host.
    Host(HostNote),
    /// A note of the score, which has given it this port.
    Score(PortId),
}

/// What the audio thread knows of a voice.
#[derive(Clone, Copy, Debug, Default)]
struct Sound {
    /// The host's note that is heard, held or not; the host has not been told that it is over.
    note: Option<HostNote>,
    /// Semitones by which the host tunes it.
    tuning: f64,
    /// The pitch of its key in the song's tuning.
    pitch: f64,
    /// Its key is up, and the pedal holds it.
    pedalled: bool,
    /// It falls asleep some time after its note: only then the note is over.
    sleeps: bool,
}

/// An instrument with its voices.
#[derive(Debug)]
struct Instrument {
    voices: VoiceAllocator<Holder>,
    sounds: Vec<Sound>,
    /// One bit a channel whose pedal is down.
    pedals: u16,
    /// Semitones by which the notes of each channel are bent.
    bends: [f64; 16],
}

/// Where a port's notes are heard.
#[derive(Clone, Copy, Debug, Default)]
enum Owner {
    #[default]
    Nothing,
    Voice {
        instrument: usize,
        voice: usize,
    },
    /// It hears every note of an instrument.
    Monitor,
}

/// Where events go, and the host's notes that are over, with the frame at which they are.
pub(crate) trait Sink {
    /// Whether there is room for what one event of a host or a score becomes.
    fn has_room(&mut self) -> bool;
    /// An event for the engine. It is dropped where there is no room.
    fn event(&mut self, event: Event);
    /// The host need not care for a note any more.
    fn ended(&mut self, note: HostNote, frame: u64);
}

/// All instruments.
#[derive(Debug)]
pub(crate) struct Notes {
    instruments: Vec<Instrument>,
    owners: IdMap<PortId, Owner>,
    tuning: Option<Tuning>,
    stamp: u64,
}

impl Notes {
    /// The instruments of a program. Allocates.
    pub(crate) fn new(program: &Program) -> Notes {
        let sleeps = |port: PortId| {
            let mut voices =
                program.steps.iter().flat_map(|step| step.voices.iter().map(move |v| step.ports[v.port]));
            voices.any(|sleeping| sleeping == port)
        };
        let mut owners = IdMap::filled(Owner::Nothing, program.ports);
        for (instrument, target) in program.targets.iter().enumerate() {
            for (voice, &port) in target.voices.iter().enumerate() {
                owners[port] = Owner::Voice { instrument, voice };
            }
            target.monitor.into_iter().for_each(|port| owners[port] = Owner::Monitor);
        }
        let instrument = |target: &mam_runtime::Target| Instrument {
            voices: VoiceAllocator::new(target),
            sounds: target
                .voices
                .iter()
                .map(|&port| Sound { sleeps: sleeps(port), ..Sound::default() })
                .collect(),
            pedals: 0,
            bends: [0.0; 16],
        };
        Notes {
            instruments: program.targets.iter().map(instrument).collect(),
            owners,
            tuning: program.score.tuning.clone(),
            stamp: 0,
        }
    }

    /// Nothing is held or heard. \[audio\]
    pub(crate) fn reset(&mut self) {
        for instrument in &mut self.instruments {
            instrument.voices.reset();
            for sound in &mut instrument.sounds {
                *sound = Sound { sleeps: sound.sleeps, ..Sound::default() };
            }
            (instrument.pedals, instrument.bends) = (0, [0.0; 16]);
        }
        self.stamp = 0;
    }

    fn moment(&mut self, frame: u64) -> Moment {
        self.stamp += 1;
        Moment { frame, stamp: self.stamp }
    }

    /// A note of the host begins; its velocity is 0 to 1. \[audio\]
    pub(crate) fn on(&mut self, note: HostNote, velocity: f64, frame: u64, sink: &mut impl Sink) {
        let at = self.moment(frame);
        let pitch = self.tuning.as_ref().map_or(note.key.into(), |tuning| tuning.pitch(note.key.into()));
        let Some(instrument) = usize::try_from(note.port).ok().and_then(|i| self.instruments.get_mut(i))
        else {
            return;
        };
        if !(0..=127).contains(&note.key) || !(0..=15).contains(&note.channel) || velocity.is_nan() {
            return;
        }
        let bend = instrument.bends[note.channel as usize];
        // 1 is nominal here, 100/127 there.
        let vel = velocity.clamp(0.0, 1.0) * 127.0 / NOMINAL;
        let start = NoteStart { note: Holder::Host(note), pitch: pitch + bend, vel, values: None };
        let chosen = instrument.voices.begin(start, at, |event| sink.event(event));
        let Some(sound) = chosen.map(|voice| &mut instrument.sounds[voice]) else {
            return sink.ended(note, frame);
        };
        if let Some(before) = sound.note {
            sink.ended(before, frame);
        }
        *sound = Sound { note: Some(note), tuning: 0.0, pitch, pedalled: false, sleeps: sound.sleeps };
    }

    /// The host's notes that are meant end. \[audio\]
    pub(crate) fn off(&mut self, meant: HostNote, frame: u64, sink: &mut impl Sink) {
        let at = self.moment(frame);
        for instrument in &mut self.instruments {
            instrument.release(
                at,
                sink,
                |holder, _| matches!(holder, Holder::Host(note) if meant.means(note)),
            );
        }
    }

    /// The host tunes the notes that are meant by so many semitones, whether they are held or fade. \[audio\]
    pub(crate) fn tune(&mut self, meant: HostNote, semitones: f64, frame: u64, sink: &mut impl Sink) {
        if semitones.is_nan() {
            return;
        }
        let tuning = semitones.clamp(-MOST_TUNING, MOST_TUNING);
        for instrument in &mut self.instruments {
            for voice in 0..instrument.sounds.len() {
                if instrument.sounds[voice].note.is_some_and(|note| meant.means(note)) {
                    instrument.sounds[voice].tuning = tuning;
                    instrument.retune(voice, frame, sink);
                }
            }
        }
    }

    /// A message of MIDI to an instrument. \[audio\]
    pub(crate) fn midi(&mut self, port: u16, data: [u8; 3], frame: u64, sink: &mut impl Sink) {
        let (Ok(port), Some((channel, message))) = (i16::try_from(port), Message::read(data)) else { return };
        let meant = HostNote { port, channel, key: -1, id: -1 };
        match message {
            Message::On(key, velocity) => self.on(HostNote { key, ..meant }, velocity, frame, sink),
            Message::Off(key) if self.is_pedal_down(meant) => self.pedal_holds(HostNote { key, ..meant }),
            Message::Off(key) => self.off(HostNote { key, ..meant }, frame, sink),
            Message::AllOff => self.off(meant, frame, sink),
            Message::Pedal(down) => self.pedal(meant, down, frame, sink),
            Message::Bend(semitones) => self.bend(meant, semitones, frame, sink),
        }
    }

    fn instrument(&mut self, port: i16) -> Option<&mut Instrument> {
        usize::try_from(port).ok().and_then(|index| self.instruments.get_mut(index))
    }

    fn is_pedal_down(&mut self, meant: HostNote) -> bool {
        self.instrument(meant.port).is_some_and(|instrument| instrument.pedals >> meant.channel & 1 != 0)
    }

    fn pedal_holds(&mut self, meant: HostNote) {
        let Some(instrument) = self.instrument(meant.port) else { return };
        for sound in &mut instrument.sounds {
            sound.pedalled |= sound.note.is_some_and(|note| meant.means(note));
        }
    }

    fn pedal(&mut self, meant: HostNote, down: bool, frame: u64, sink: &mut impl Sink) {
        let at = self.moment(frame);
        let Some(instrument) = self.instrument(meant.port) else { return };
        instrument.pedals &= !(1 << meant.channel);
        instrument.pedals |= u16::from(down) << meant.channel;
        if !down {
            instrument.release(at, sink, |holder, sound| {
                matches!(holder, Holder::Host(note) if meant.means(note)) && sound.pedalled
            });
        }
    }

    fn bend(&mut self, meant: HostNote, semitones: f64, frame: u64, sink: &mut impl Sink) {
        let Some(instrument) = self.instrument(meant.port) else { return };
        instrument.bends[meant.channel as usize] = semitones;
        for voice in 0..instrument.sounds.len() {
            if instrument.sounds[voice].note.is_some_and(|note| meant.means(note)) {
                instrument.retune(voice, frame, sink);
            }
        }
    }

    /// An event of the score, which has chosen voices by the same rule; a parameter's goes on as it is. \[audio\]
    pub(crate) fn score(&mut self, event: Event, sink: &mut impl Sink) {
        let at = self.moment(event.frame);
        let (EventKind::On { port, .. } | EventKind::Off { port } | EventKind::Pitch { port, .. }) =
            event.kind
        else {
            return sink.event(event);
        };
        match (self.owners.get(port).copied().unwrap_or_default(), event.kind) {
            (Owner::Nothing, _) => {}
            (Owner::Voice { instrument, voice }, EventKind::On { .. }) => {
                let instrument = &mut self.instruments[instrument];
                instrument.voices.occupy(voice, Holder::Score(port), at.stamp);
                if let Some(note) = instrument.sounds[voice].note.take() {
                    sink.ended(note, event.frame);
                }
                sink.event(event);
            }
            (Owner::Voice { instrument, .. }, EventKind::Off { .. }) => {
                self.instruments[instrument].release(at, sink, |holder, _| holder == Holder::Score(port));
            }
            // It ends with the last note that is held, whoever plays that.
            (Owner::Monitor, EventKind::Off { .. }) => {}
            (Owner::Monitor | Owner::Voice { .. }, _) => sink.event(event),
        }
    }

    /// All notes of the score end. \[audio\]
    pub(crate) fn end_score(&mut self, frame: u64, sink: &mut impl Sink) {
        let at = self.moment(frame);
        for instrument in &mut self.instruments {
            instrument.release(at, sink, |holder, _| matches!(holder, Holder::Score(_)));
        }
    }

    /// The voices of a port have fallen asleep. Returns the note that they played, which is over. \[audio\]
    pub(crate) fn asleep(&mut self, port: PortId) -> Option<HostNote> {
        let Some(&Owner::Voice { instrument, voice }) = self.owners.get(port) else { return None };
        self.instruments[instrument].sounds[voice].note.take()
    }
}

impl Instrument {
    /// Ends the notes for which `ends` is true. Those of voices that never sleep are over.
    fn release(&mut self, at: Moment, sink: &mut impl Sink, ends: impl Fn(Holder, &Sound) -> bool) {
        for voice in 0..self.sounds.len() {
            let (_, holder) = self.voices.voice(voice);
            if !holder.is_some_and(|holder| ends(holder, &self.sounds[voice])) {
                continue;
            }
            self.voices.release_voice(voice, at, |event| sink.event(event));
            let sound = &mut self.sounds[voice];
            sound.pedalled = false;
            if !sound.sleeps
                && let Some(note) = sound.note.take()
            {
                sink.ended(note, at.frame);
            }
        }
    }

    /// The pitch of a voice's note, as it is tuned and bent now.
    fn retune(&self, voice: usize, frame: u64, sink: &mut impl Sink) {
        let Sound { note: Some(note), tuning, pitch, .. } = self.sounds[voice] else { return };
        let note = pitch + tuning + self.bends[note.channel as usize];
        sink.event(Event { frame, kind: EventKind::Pitch { port: self.voices.voice(voice).0, note } });
    }
}
