//! From events to messages for machines outside: MIDI bytes, and values for OSC. Which notes hang is known here, so that none does.
//!
//! A [`Router`] is given what happens in order of frames, and gives messages at the same frames: nothing here knows of time, ports
//! or sockets. It allocates, so it runs beside the audio thread.

use crate::control::{Outgoing, OutgoingKind};
use crate::ids::{IdMap, ParamId, PortId};
use crate::param::ParamSlot;
use crate::program::{EventKind, NoteSignal, Outside, Program, Sent, Target};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Frames between two messages of a parameter that glides, in seconds.
const STEP_SECONDS: f64 = 0.005;
/// The velocity that is nominal.
const NOMINAL: f64 = 100.0;
/// The controllers of a place between left and right and of MPE's third dimension, and the one that ends all notes.
const PAN: u8 = 10;
const TIMBRE: u8 = 74;
const ALL_NOTES_OFF: u8 = 123;
/// The controllers that say which registered parameter is meant, its upper and its lower seven bits, and what it is, likewise.
const REGISTERED: [u8; 2] = [101, 100];
const ENTRY: [u8; 2] = [6, 38];

/// A message for a machine outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The frame at which it is to be heard, of those that its events had.
    pub frame: u64,
    /// What is sent, and where to.
    pub to: Receiver,
}

/// Where a [`Message`] goes, and what it says there.
#[derive(Clone, Debug, PartialEq)]
pub enum Receiver {
    /// A MIDI message, for the ports whose name has this in it.
    Midi(Arc<str>, [u8; 3], usize),
    /// A message for a host and port: its address pattern, and names with values.
    Osc(Arc<str>, Arc<str>, Vec<(Arc<str>, OscValue)>),
}

/// A value of OSC.
#[derive(Clone, Debug, PartialEq)]
pub enum OscValue {
    /// A number.
    Number(f32),
    /// A text.
    Text(Arc<str>),
}

impl Receiver {
    fn midi(port: &Arc<str>, bytes: &[u8]) -> Receiver {
        let mut all = [0; 3];
        all[..bytes.len()].copy_from_slice(bytes);
        Receiver::Midi(port.clone(), all, bytes.len())
    }
}

/// The machines of a program.
#[derive(Clone, Debug, Default)]
pub struct Machines {
    all: Vec<Machine>,
    rate: u32,
}

#[derive(Clone, Debug)]
struct Machine {
    name: Arc<str>,
    outside: Outside,
    voices: Vec<PortId>,
    params: Vec<Parameter>,
}

#[derive(Clone, Debug)]
struct Parameter {
    param: ParamId,
    shares: Vec<ParamId>,
    sent: Sent,
    range: (f64, f64),
    default: f64,
}

impl Machine {
    /// Whether lines or notes bend it.
    fn bends(&self) -> bool {
        self.params.iter().any(|parameter| parameter.sent == Sent::Note(NoteSignal::Bend))
    }
}

impl Machines {
    /// Those of a program.
    pub fn new(program: &Program) -> Machines {
        Machines::of_targets(&program.targets, &program.params, program.rate)
    }

    /// Those of some instruments, with the parameters of their program.
    pub fn of_targets(targets: &[Target], params: &IdMap<ParamId, ParamSlot>, rate: u32) -> Machines {
        let parameter = |target: &Target, param: ParamId, sent: &Sent| {
            let slot = params.get(param)?;
            let own = target.note_params.iter().find(|own| own.param == param);
            let shares = own.map_or(vec![], |own| own.voices.clone());
            Some(Parameter {
                param,
                shares,
                sent: sent.clone(),
                range: (slot.min, slot.max),
                default: slot.default,
            })
        };
        let machine = |target: &Target| {
            let outside = target.outside.clone()?;
            let own = target.sent.iter().filter_map(|(param, sent)| parameter(target, *param, sent));
            let (name, voices) = (target.name.clone(), target.voices.clone());
            Some(Machine { name, outside, voices, params: own.collect() })
        };
        Machines { all: targets.iter().filter_map(machine).collect(), rate }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Where their notes go, each once a machine.
    pub fn outsides(&self) -> impl Iterator<Item = &Outside> {
        self.all.iter().map(|machine| &machine.outside)
    }
}

/// What a voice of a machine plays: the key that was sent for it.
#[derive(Clone, Debug, PartialEq)]
struct Playing {
    port: Arc<str>,
    channel: u8,
    key: u8,
}

/// A parameter on its way.
#[derive(Clone, Debug)]
struct Glide {
    from: f64,
    to: f64,
    start: u64,
    frames: u64,
    /// The next frame at which a message may be due.
    next: u64,
}

/// The state of a parameter of a machine.
#[derive(Clone, Debug)]
struct Value {
    now: f64,
    glide: Option<Glide>,
    /// The message that was sent last.
    said: Option<Receiver>,
}

/// Makes messages of what happens.
#[derive(Debug, Default)]
pub struct Router {
    present: Machines,
    /// The voices that hold a key, by machine and number.
    playing: BTreeMap<(Arc<str>, usize), Playing>,
    /// How many voices hold each key of a port and channel.
    held: BTreeMap<(Arc<str>, u8, u8), usize>,
    values: BTreeMap<(Arc<str>, Sent), Value>,
    /// What the notes of single voices give to the machines' values, for those that get them with each note.
    given: BTreeMap<(Arc<str>, Sent, usize), f64>,
    messages: Vec<Message>,
}

impl Router {
    /// The messages so far, in order of their frames.
    pub fn take(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.messages)
    }

    /// Something happens; `machines` are those of the program that it names. Not before what was given last.
    pub fn hear(&mut self, outgoing: Outgoing, machines: &Machines) {
        self.advance(outgoing.frame);
        match outgoing.kind {
            OutgoingKind::Program(jumps) => self.follow(outgoing.frame, jumps, machines),
            OutgoingKind::Stopped => self.end_all(outgoing.frame),
            OutgoingKind::Event(kind) => self.event(outgoing.frame, kind, machines),
        }
    }

    /// Parameters that glide have gone on up to a frame.
    pub fn advance(&mut self, frame: u64) {
        let step = ((f64::from(self.present.rate) * STEP_SECONDS) as u64).max(1);
        let mut due = vec![];
        for ((name, sent), value) in &mut self.values {
            while let Some(glide) = value.glide.as_mut().filter(|glide| glide.next <= frame) {
                let (at, end) = (glide.next, glide.start + glide.frames);
                let share = (at - glide.start) as f64 / glide.frames as f64;
                value.now = glide.from + (glide.to - glide.from) * share.min(1.0);
                glide.next = if at < end { (at + step).min(end) } else { u64::MAX };
                due.push((at, name.clone(), sent.clone(), value.now));
                if at >= end {
                    value.glide = None;
                }
            }
        }
        due.sort_by_key(|(at, ..)| *at);
        for (at, name, sent, x) in due {
            self.say(at, &name, &sent, x);
        }
    }

    /// Ends all notes that machines hold, at a frame.
    pub fn end_all(&mut self, frame: u64) {
        self.playing.clear();
        let held = std::mem::take(&mut self.held);
        let channels: std::collections::BTreeSet<(Arc<str>, u8)> =
            held.keys().map(|(port, channel, _)| (port.clone(), *channel)).collect();
        for (port, channel, key) in held.into_keys() {
            self.push(frame, Receiver::midi(&port, &[0x80 | channel, key, 0]));
        }
        for (port, channel) in channels {
            self.push(frame, Receiver::midi(&port, &[0xB0 | channel, ALL_NOTES_OFF, 0]));
        }
    }

    fn push(&mut self, frame: u64, to: Receiver) {
        self.messages.push(Message { frame, to });
    }

    /// Another program plays: what its machines do not hold ends.
    fn follow(&mut self, frame: u64, jumps: bool, machines: &Machines) {
        if jumps {
            self.end_all(frame);
        }
        let goes_on = |name: &Arc<str>| {
            let find =
                |machines: &Machines| machines.all.iter().find(|machine| machine.name == *name).cloned();
            find(&self.present).zip(find(machines)).is_some_and(|(before, now)| {
                before.outside == now.outside && before.voices.len() == now.voices.len()
            })
        };
        let ended: Vec<(Arc<str>, usize)> =
            self.playing.keys().filter(|(name, _)| !goes_on(name)).cloned().collect();
        for (name, voice) in ended {
            self.end(frame, name, voice);
        }
        let is_there = |name: &Arc<str>| machines.all.iter().any(|machine| machine.name == *name);
        self.values.retain(|(name, _), _| is_there(name));
        self.given.retain(|(name, ..), _| is_there(name));
        let before = std::mem::replace(&mut self.present, machines.clone());
        for machine in machines.all.iter().filter(|machine| machine.bends()) {
            let known = |known: &Machine| known.outside == machine.outside && known.bends();
            if jumps || !before.all.iter().any(known) {
                self.tell_range(frame, &machine.outside);
            }
        }
    }

    /// A machine is told how far its bends go: registered parameter 0.
    fn tell_range(&mut self, frame: u64, machine: &Outside) {
        let Outside::Midi { port, channel, bend, .. } = machine else { return };
        // No parameter is meant after that.
        let chosen = |number: u8| REGISTERED.map(|controller| (controller, number));
        let said = ENTRY.into_iter().zip([*bend, 0]);
        for (controller, value) in chosen(0).into_iter().chain(said).chain(chosen(127)) {
            self.push(frame, Receiver::midi(port, &[0xB0 | channel, controller, value]));
        }
    }

    fn event(&mut self, frame: u64, kind: EventKind, machines: &Machines) {
        match kind {
            EventKind::On { port, note, vel } => {
                if let Some((machine, voice)) = machine_of(machines, port) {
                    self.begin(frame, machine, voice, (note, vel));
                }
            }
            EventKind::Off { port } => {
                if let Some((machine, voice)) = machine_of(machines, port) {
                    self.end(frame, machine.name.clone(), voice);
                }
            }
            EventKind::Set { param, value, ramp, .. } => {
                for machine in &machines.all {
                    for parameter in machine.params.iter().filter(|own| own.param == param) {
                        self.set(frame, machine, parameter, value, u64::from(ramp));
                    }
                }
            }
            EventKind::NoteValue { param, value, .. } => {
                for machine in &machines.all {
                    for parameter in &machine.params {
                        if let Some(voice) = parameter.shares.iter().position(|share| *share == param) {
                            self.give(frame, machine, (parameter, voice), value);
                        }
                    }
                }
            }
            EventKind::Pitch { .. } => {}
        }
    }

    /// The note that a voice begins gives a value, or follows what lines say.
    fn give(
        &mut self,
        frame: u64,
        machine: &Machine,
        (parameter, voice): (&Parameter, usize),
        value: Option<f64>,
    ) {
        let (name, sent) = (machine.name.clone(), parameter.sent.clone());
        let value = value.map(|x| x.max(parameter.range.0).min(parameter.range.1));
        if let Outside::Midi { .. } = machine.outside {
            let base = self.values.get(&(name.clone(), sent.clone()));
            let x = value.unwrap_or(base.map_or(parameter.default, |value| value.now));
            return self.say(frame, &name, &sent, x);
        }
        let place = (name, sent, voice);
        match value {
            Some(x) => _ = self.given.insert(place, x),
            None => _ = self.given.remove(&place),
        }
    }

    /// What a parameter is for the note of a voice: what that gives, else what lines say, else what it always is.
    fn value(&self, machine: &Machine, parameter: &Parameter, voice: usize) -> Option<f64> {
        let (name, sent) = (machine.name.clone(), parameter.sent.clone());
        let said = || self.values.get(&(name.clone(), sent.clone())).map(|value| value.now);
        let always = !matches!(sent, Sent::Argument(_));
        let given = self.given.get(&(name.clone(), sent.clone(), voice)).copied();
        given.or_else(said).or(always.then_some(parameter.default))
    }

    fn begin(&mut self, frame: u64, machine: &Machine, voice: usize, (note, vel): (f64, f64)) {
        match &machine.outside {
            Outside::Midi { port, channel, key, .. } => {
                let key = key.unwrap_or(note.round().clamp(0.0, 127.0) as u8);
                let vel = (vel * NOMINAL).round().clamp(1.0, 127.0) as u8;
                let of_it = (port.clone(), *channel, key);
                if self.held.contains_key(&of_it) {
                    // It is struck again: a machine would not know which of two notes ends.
                    self.push(frame, Receiver::midi(port, &[0x80 | channel, key, 0]));
                }
                *self.held.entry(of_it).or_default() += 1;
                self.push(frame, Receiver::midi(port, &[0x90 | channel, key, vel]));
                // After the new one has begun, so that a machine with one voice plays it as bound.
                let now = Playing { port: port.clone(), channel: *channel, key };
                if let Some(before) = self.playing.insert((machine.name.clone(), voice), now) {
                    self.let_go(frame, before);
                }
            }
            Outside::Osc { address, path, sound } => {
                let number = |name: &str, x: f64| (name.into(), OscValue::Number(x as f32));
                let sound = sound.iter().map(|sound| ("s".into(), OscValue::Text(sound.clone())));
                let values = machine.params.iter().filter_map(|parameter| {
                    let x = self.value(machine, parameter, voice)?;
                    match &parameter.sent {
                        Sent::Named(name) | Sent::Argument(name) => Some(number(name, x)),
                        Sent::Pan => Some(number("pan", share_of_pan(x))),
                        _ => None,
                    }
                });
                let values: Vec<(Arc<str>, OscValue)> = values.collect();
                // What the song names itself is in the place of what every note has.
                let is_named = |name: &Arc<str>| values.iter().any(|(own, _)| own == name);
                let note = [number("midinote", note), number("gain", vel)];
                let all = sound.chain(note).filter(|(name, _)| !is_named(name));
                let all = all.chain(values.iter().cloned()).collect();
                self.push(frame, Receiver::Osc(address.clone(), path.clone(), all));
            }
        }
    }

    fn end(&mut self, frame: u64, machine: Arc<str>, voice: usize) {
        if let Some(playing) = self.playing.remove(&(machine, voice)) {
            self.let_go(frame, playing);
        }
    }

    /// A voice lets a key go; it ends with the last voice that holds it.
    fn let_go(&mut self, frame: u64, Playing { port, channel, key }: Playing) {
        let of_it = (port.clone(), channel, key);
        let Some(count) = self.held.get_mut(&of_it) else { return };
        *count -= 1;
        if *count == 0 {
            self.held.remove(&of_it);
            self.push(frame, Receiver::midi(&port, &[0x80 | channel, key, 0]));
        }
    }

    fn set(&mut self, frame: u64, machine: &Machine, parameter: &Parameter, value: f64, frames: u64) {
        let to = value.max(parameter.range.0).min(parameter.range.1);
        let of_it = (machine.name.clone(), parameter.sent.clone());
        // What a machine's controllers are at the start is not known: nothing glides from there.
        let jumps = matches!(parameter.sent, Sent::Control(_) | Sent::Argument(_))
            && !self.values.contains_key(&of_it);
        let known =
            self.values.entry(of_it).or_insert(Value { now: parameter.default, glide: None, said: None });
        if frames > 0 && !jumps {
            known.glide = Some(Glide { from: known.now, to, start: frame, frames, next: frame + 1 });
            return;
        }
        (known.now, known.glide) = (to, None);
        self.say(frame, &machine.name, &parameter.sent, to);
    }

    /// A machine is told of a value, unless that is what it was told last.
    fn say(&mut self, frame: u64, name: &Arc<str>, sent: &Sent, x: f64) {
        let Some(machine) = self.present.all.iter().find(|machine| machine.name == *name) else { return };
        let Outside::Midi { port, channel, bend, .. } = &machine.outside else {
            // A message of OSC has all values with each note.
            if let Some(value) = self.values.get_mut(&(name.clone(), sent.clone())) {
                value.now = x;
            }
            return;
        };
        let whole = |x: f64| x.round().clamp(0.0, 127.0) as u8;
        let bytes = match sent {
            Sent::Control(number) => vec![0xB0 | channel, *number, whole(x)],
            Sent::Pan => vec![0xB0 | channel, PAN, whole(share_of_pan(x) * 127.0)],
            Sent::Program => vec![0xC0 | channel, whole(x)],
            Sent::Note(NoteSignal::Bend) => {
                let steps = (12.0 * x.log2() / f64::from(*bend) * 8192.0).round().clamp(-8192.0, 8191.0);
                let steps = (steps + 8192.0) as u16;
                vec![0xE0 | channel, steps as u8 & 0x7F, (steps >> 7) as u8]
            }
            Sent::Note(NoteSignal::Pressure) => vec![0xD0 | channel, whole(x * 127.0)],
            Sent::Note(NoteSignal::Timbre) => vec![0xB0 | channel, TIMBRE, whole(x * 127.0)],
            Sent::Note(NoteSignal::OffVel) | Sent::Named(_) | Sent::Argument(_) => return,
        };
        let message = Receiver::midi(port, &bytes);
        let parameter = machine.params.iter().find(|parameter| parameter.sent == *sent);
        let now = parameter.map_or(x, |parameter| parameter.default);
        let unsaid = Value { now, glide: None, said: None };
        let value = self.values.entry((name.clone(), sent.clone())).or_insert(unsaid);
        if value.said.as_ref() != Some(&message) {
            value.said = Some(message.clone());
            self.push(frame, message);
        }
    }
}

/// A place between left and right, −1 to 1, as a share of the way.
fn share_of_pan(x: f64) -> f64 {
    (x + 1.0) / 2.0
}

/// The machine and the voice of a port.
fn machine_of(machines: &Machines, port: PortId) -> Option<(&Machine, usize)> {
    machines.all.iter().find_map(|machine| {
        let voice = machine.voices.iter().position(|own| *own == port)?;
        Some((machine, voice))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::MidiRole;
    use std::collections::BTreeSet;

    fn machines(config: &[(&str, u8, Option<u8>, usize)]) -> Machines {
        let mut next = 0;
        let target = |(name, channel, key, voices): &(&str, u8, Option<u8>, usize)| {
            let ports = (next..next + voices).map(PortId::new).collect();
            next += voices;
            Target {
                name: (*name).into(),
                voices: ports,
                monitor: None,
                default_note: 60.0,
                midi: MidiRole::default(),
                bpm: ParamId::new(0),
                looped: ParamId::new(0),
                note_params: vec![],
                priority: None,
                outside: Some(Outside::Midi { port: "synth".into(), channel: *channel, key: *key, bend: 2 }),
                sent: vec![(ParamId::new(0), Sent::Control(74))],
            }
        };
        let targets: Vec<Target> = config.iter().map(target).collect();
        let slot = ParamSlot {
            name: "x.cc74".into(),
            default: 0.0,
            min: 0.0,
            max: 127.0,
            curve: crate::param::Curve::Linear,
            smooth: 0,
            follows: None,
        };
        Machines::of_targets(&targets, &[slot].into_iter().collect(), 48_000)
    }

    /// A machine that hears messages: which keys sound.
    #[derive(Default)]
    struct Synth(BTreeSet<(u8, u8)>);

    impl Synth {
        fn hear(&mut self, messages: Vec<Message>) {
            for message in messages {
                let Receiver::Midi(_, bytes, _) = message.to else { continue };
                let key = (bytes[0] & 15, bytes[1]);
                match bytes[0] & 0xF0 {
                    0x90 => {
                        assert!(self.0.insert(key), "a key that sounds is let go before it is struck again")
                    }
                    0x80 => assert!(self.0.remove(&key), "what does not sound is not let go"),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn a_million_random_events_leave_no_note_hanging() {
        // Two machines share a channel and its keys.
        let programs = [
            machines(&[("a", 0, None, 4), ("b", 0, None, 3), ("drum", 9, Some(36), 2)]),
            machines(&[("a", 0, None, 4), ("b", 1, None, 3), ("c", 2, None, 1)]),
        ];
        let (mut router, mut synth, mut seed) = (Router::default(), Synth::default(), 1_u64);
        let mut below = |limit: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % limit
        };
        let (mut frame, mut present, mut struck) = (0, 0, 0_u64);
        let hear = |router: &mut Router, synth: &mut Synth, frame, present: usize, kind| {
            router.hear(Outgoing { frame, generation: present as u32, kind }, &programs[present]);
            synth.hear(router.take());
        };
        hear(&mut router, &mut synth, 0, 0, OutgoingKind::Program(true));
        for _ in 0..1_000_000 {
            frame += below(40);
            let port = PortId::new(below(9) as usize);
            let kind = match below(1000) {
                0 => {
                    present = below(2) as usize;
                    OutgoingKind::Program(below(2) == 0)
                }
                1 => OutgoingKind::Stopped,
                2..=30 => OutgoingKind::Event(EventKind::Set {
                    param: ParamId::new(0),
                    value: below(128) as f64,
                    ramp: below(2000) as u32,
                    curve: None,
                }),
                31..=560 => {
                    struck += 1;
                    OutgoingKind::Event(EventKind::On { port, note: 48.0 + below(12) as f64, vel: 1.0 })
                }
                _ => OutgoingKind::Event(EventKind::Off { port }),
            };
            let stands = matches!(kind, OutgoingKind::Stopped);
            hear(&mut router, &mut synth, frame, present, kind);
            assert!(synth.0.len() <= 9 && (!stands || synth.0.is_empty()));
        }
        // Each voice ends its note: nothing is left.
        for port in 0..9 {
            let off = OutgoingKind::Event(EventKind::Off { port: PortId::new(port) });
            hear(&mut router, &mut synth, frame, present, off);
        }
        assert!(synth.0.is_empty() && struck > 500_000, "{:?}", synth.0);
    }

    #[test]
    fn a_machine_is_told_how_far_it_bends_and_what_is_not_known_does_not_glide() {
        let mut machines = machines(&[("a", 3, None, 1)]);
        let machine = &mut machines.all[0];
        machine.outside = Outside::Midi { port: "synth".into(), channel: 3, key: None, bend: 12 };
        let bend = Sent::Note(NoteSignal::Bend);
        let (param, range) = (ParamId::new(1), (0.5, 2.0));
        machine.params.push(Parameter { param, shares: vec![], sent: bend, range, default: 1.0 });
        let mut router = Router::default();
        let mut hear = |frame, kind| {
            router.hear(Outgoing { frame, generation: 0, kind }, &machines);
            let bytes = |message: Message| match message.to {
                Receiver::Midi(_, bytes, count) => bytes[..count].to_vec(),
                Receiver::Osc(..) => panic!("no OSC goes out"),
            };
            router.take().into_iter().map(bytes).collect::<Vec<_>>()
        };
        let set = |param: usize, value: f64, ramp: u32| {
            OutgoingKind::Event(EventKind::Set { param: ParamId::new(param), value, ramp, curve: None })
        };
        let control = |controller, value| vec![0xB3, controller, value];
        assert_eq!(
            hear(0, OutgoingKind::Program(true)),
            [(101, 0), (100, 0), (6, 12), (38, 0), (101, 127), (100, 127)].map(|(c, x)| control(c, x))
        );
        // The same program again is known already.
        assert!(hear(0, OutgoingKind::Program(false)).is_empty());
        assert_eq!(hear(10, set(1, (7.0_f64 / 12.0).exp2(), 0)), [[0xE3, 0x2B, 0x65]]);
        assert_eq!(hear(20, set(0, 100.0, 4800)), [control(74, 100)]);
        assert_eq!(hear(6000, set(0, 50.0, 480)), Vec::<Vec<u8>>::new());
        assert_eq!(hear(6480, set(1, 1.0, 0)), [control(74, 75), control(74, 50), vec![0xE3, 0, 64]]);
    }
}
