//! Notes on the audio thread: which voice plays which note of the host, or of the score.

use crate::midi::{Message, NOMINAL};
use mam_runtime::ids::{IdMap, ParamId, PortId};
use mam_runtime::score::Tuning;
use mam_runtime::voices::{Moment, NoteStart, VoiceAllocator};
use mam_runtime::{Event, EventKind, NoteSignal, Program};

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

/// What a host says of how its notes sound, beside their pitch and velocity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Expression {
    /// They are tuned by so many semitones.
    Tuning(f64),
    /// How hard they are pressed, 0 to 1.
    Pressure(f64),
    /// The third dimension of their touch, 0 to 1.
    Timbre(f64),
}

/// Who plays the note that a voice holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Holder {
    /// A note of the host, and the pitch of its key in the song's tuning.
    Host(HostNote, f64),
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
    channels: [Channel; 16],
    /// Each voice's share of the signals of notes, in the order of [`NoteSignal::ALL`]; none of those that the instrument does not
    /// read.
    signals: [Vec<ParamId>; NoteSignal::ALL.len()],
}

/// What MIDI says of all notes of a channel, also of those that begin later.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Channel {
    /// Semitones by which they are bent.
    bend: f64,
    pressure: f64,
    timbre: f64,
}

impl Default for Channel {
    fn default() -> Channel {
        Channel { bend: 0.0, pressure: NoteSignal::Pressure.default(), timbre: NoteSignal::Timbre.default() }
    }
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
            channels: [Channel::default(); 16],
            signals: NoteSignal::ALL.map(|signal| {
                let read = target.note_params.iter().find(|param| param.signal == Some(signal));
                read.map_or_else(Vec::new, |param| param.voices.clone())
            }),
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
            (instrument.pedals, instrument.channels) = (0, [Channel::default(); 16]);
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
        // 1 is nominal here, 100/127 there.
        let vel = velocity.clamp(0.0, 1.0) * 127.0 / NOMINAL;
        let start = NoteStart { note: Holder::Host(note, pitch), pitch, vel, values: None };
        let chosen = instrument.voices.begin(start, at, |event| sink.event(event));
        match chosen {
            Some(voice) => instrument.take_up(voice, frame, sink),
            None if instrument.voices.count() == 0 => sink.ended(note, frame),
            None => {} // It waits for a voice.
        }
    }

    /// The host's notes that are meant end; `velocity` says how quickly their keys were let go, 0 to 1. \[audio\]
    pub(crate) fn off(&mut self, meant: HostNote, velocity: Option<f64>, frame: u64, sink: &mut impl Sink) {
        let at = self.moment(frame);
        for instrument in &mut self.instruments {
            instrument.let_go(meant, velocity, frame, sink);
            instrument.release(
                at,
                sink,
                |holder, _| matches!(holder, Holder::Host(note, _) if meant.means(note)),
            );
        }
    }

    /// The host says how the notes that are meant sound from now on, whether they are held or fade. Tuning an instrument that
    /// does not read its bend moves the pitch of its note. \[audio\]
    pub(crate) fn express(
        &mut self,
        meant: HostNote,
        expression: Expression,
        frame: u64,
        sink: &mut impl Sink,
    ) {
        let (Expression::Tuning(value) | Expression::Pressure(value) | Expression::Timbre(value)) =
            expression;
        if value.is_nan() {
            return;
        }
        for instrument in &mut self.instruments {
            for voice in 0..instrument.sounds.len() {
                if !instrument.plays(voice, meant) {
                    continue;
                }
                match expression {
                    Expression::Tuning(semitones) => {
                        instrument.sounds[voice].tuning = semitones.clamp(-MOST_TUNING, MOST_TUNING);
                        instrument.retune(voice, frame, sink);
                    }
                    Expression::Pressure(value) => {
                        instrument.signal(voice, NoteSignal::Pressure, value, frame, sink);
                    }
                    Expression::Timbre(value) => {
                        instrument.signal(voice, NoteSignal::Timbre, value, frame, sink);
                    }
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
            Message::Off(key, velocity) if self.is_pedal_down(meant) => {
                self.pedal_holds(HostNote { key, ..meant }, velocity, frame, sink);
            }
            Message::Off(key, velocity) => self.off(HostNote { key, ..meant }, velocity, frame, sink),
            Message::AllOff => self.off(meant, None, frame, sink),
            Message::Pedal(down) => self.pedal(meant, down, frame, sink),
            Message::Pressure(Some(key), value) => {
                self.express(HostNote { key, ..meant }, Expression::Pressure(value), frame, sink);
            }
            Message::Pressure(None, value) => {
                self.channel(meant, frame, sink, |channel| channel.pressure = value)
            }
            Message::Timbre(value) => self.channel(meant, frame, sink, |channel| channel.timbre = value),
            Message::Bend(semitones) => self.channel(meant, frame, sink, |channel| channel.bend = semitones),
        }
    }

    fn instrument(&mut self, port: i16) -> Option<&mut Instrument> {
        usize::try_from(port).ok().and_then(|index| self.instruments.get_mut(index))
    }

    fn is_pedal_down(&mut self, meant: HostNote) -> bool {
        self.instrument(meant.port).is_some_and(|instrument| instrument.pedals >> meant.channel & 1 != 0)
    }

    fn pedal_holds(&mut self, meant: HostNote, velocity: Option<f64>, frame: u64, sink: &mut impl Sink) {
        let Some(instrument) = self.instrument(meant.port) else { return };
        instrument.let_go(meant, velocity, frame, sink);
        // The pedal holds what sounds.
        instrument.forget(frame, sink, |holder| matches!(holder, Holder::Host(note, _) if meant.means(note)));
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
                matches!(holder, Holder::Host(note, _) if meant.means(note)) && sound.pedalled
            });
        }
    }

    /// Something of all notes of a channel changes; what does not is not said again.
    fn channel(
        &mut self,
        meant: HostNote,
        frame: u64,
        sink: &mut impl Sink,
        change: impl FnOnce(&mut Channel),
    ) {
        let Some(instrument) = self.instrument(meant.port) else { return };
        let channel = &mut instrument.channels[meant.channel as usize];
        let before = *channel;
        change(channel);
        let now = *channel;
        for voice in 0..instrument.sounds.len() {
            if !instrument.plays(voice, meant) {
                continue;
            }
            instrument.follow_channel(voice, before, now, frame, sink);
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
    /// Whether a signal of its notes is delivered.
    fn reads(&self, signal: NoteSignal) -> bool {
        !self.signals[signal as usize].is_empty()
    }

    /// Whether a voice plays a note of the host that is meant, held or not.
    fn plays(&self, voice: usize, meant: HostNote) -> bool {
        self.sounds[voice].note.is_some_and(|note| meant.means(note))
    }

    /// A voice has begun the note that it holds: what it played before is over, and the note sounds as its channel says.
    fn take_up(&mut self, voice: usize, frame: u64, sink: &mut impl Sink) {
        let (_, Some(Holder::Host(note, pitch))) = self.voices.voice(voice) else { return };
        let sound = &mut self.sounds[voice];
        if let Some(before) = sound.note {
            sink.ended(before, frame);
        }
        *sound = Sound { note: Some(note), tuning: 0.0, pitch, pedalled: false, sleeps: sound.sleeps };
        self.follow_channel(voice, Channel::default(), self.channels[note.channel as usize], frame, sink);
    }

    /// What has changed of a channel is said to a voice that plays a note of it.
    fn follow_channel(&self, voice: usize, before: Channel, now: Channel, frame: u64, sink: &mut impl Sink) {
        if now.bend != before.bend {
            self.retune(voice, frame, sink);
        }
        if now.pressure != before.pressure {
            self.signal(voice, NoteSignal::Pressure, now.pressure, frame, sink);
        }
        if now.timbre != before.timbre {
            self.signal(voice, NoteSignal::Timbre, now.timbre, frame, sink);
        }
    }

    /// Gives a signal to the note of a voice, where the instrument reads it.
    fn signal(&self, voice: usize, signal: NoteSignal, value: f64, frame: u64, sink: &mut impl Sink) {
        if let Some(&param) = self.signals[signal as usize].get(voice) {
            let kind = EventKind::NoteValue { param, value: Some(value), ramp: 0 };
            sink.event(Event { frame, kind });
        }
    }

    /// The keys of the notes that are meant go up, so quickly.
    fn let_go(&self, meant: HostNote, velocity: Option<f64>, frame: u64, sink: &mut impl Sink) {
        let Some(velocity) = velocity.filter(|velocity| !velocity.is_nan()) else { return };
        for voice in 0..self.sounds.len() {
            let is_held =
                matches!(self.voices.voice(voice).1, Some(Holder::Host(note, _)) if meant.means(note));
            if is_held && !self.sounds[voice].pedalled {
                self.signal(voice, NoteSignal::OffVel, velocity, frame, sink);
            }
        }
    }

    /// Notes that wait for a voice are over where `ends` is true.
    fn forget(&mut self, frame: u64, sink: &mut impl Sink, ends: impl Fn(Holder) -> bool) {
        self.voices.forget(|holder| {
            let is_over = ends(holder);
            if let (true, Holder::Host(note, _)) = (is_over, holder) {
                sink.ended(note, frame);
            }
            is_over
        });
    }

    /// Ends the notes for which `ends` is true, also those that wait for a voice. What voices that never sleep play is over.
    fn release(&mut self, at: Moment, sink: &mut impl Sink, ends: impl Fn(Holder, &Sound) -> bool) {
        self.forget(at.frame, sink, |holder| ends(holder, &Sound::default()));
        for voice in 0..self.sounds.len() {
            let (_, holder) = self.voices.voice(voice);
            if !holder.is_some_and(|holder| ends(holder, &self.sounds[voice])) {
                continue;
            }
            self.voices.release_voice(voice, at, |event| sink.event(event));
            self.sounds[voice].pedalled = false;
            // A note that waited for the voice has begun on it.
            if self.voices.voice(voice).1.is_some() {
                self.take_up(voice, at.frame, sink);
                continue;
            }
            let sound = &mut self.sounds[voice];
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
        let semitones = tuning + self.channels[note.channel as usize].bend;
        if self.reads(NoteSignal::Bend) {
            return self.signal(voice, NoteSignal::Bend, (semitones / 12.0).exp2(), frame, sink);
        }
        let note = pitch + semitones;
        sink.event(Event { frame, kind: EventKind::Pitch { port: self.voices.voice(voice).0, note } });
    }
}
