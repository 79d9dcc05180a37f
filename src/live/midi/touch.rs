//! How the notes of a channel are touched: bends, pressure, the third dimension of MPE, the pedal, and which channels make a zone.
//!
//! Source: MIDI Polyphonic Expression, version 1.1 (MIDI Association, 2022). Outside of a zone all channels are one.

use super::message::Message;
use crate::live::action::{Key, Touch, Touched};
use mam_runtime::NoteSignal;

/// The controller of the pedal.
const PEDAL: u8 = 64;
/// From this value on it is down.
const DOWN: u8 = 64;
/// The controller of MPE's third dimension.
const TIMBRE: u8 = 74;
/// Controllers that say which registered parameter the next data are for, and the data: coarse and fine.
const RPN: [u8; 2] = [101, 100];
const DATA: [u8; 2] = [6, 38];
/// Registered parameters: how far a bend goes, and how many members a zone has.
const BEND_RANGE: u16 = 0;
const MEMBERS: u16 = 6;
/// No registered parameter: data mean nothing.
const NO_RPN: u16 = 0x3FFF;
/// Semitones that a bend goes, where nothing says it.
const PLAIN_RANGE: f64 = 2.0;
const MEMBER_RANGE: f64 = 48.0;
/// Steps of a bend from the middle to an end.
const BEND_STEPS: f64 = 8192.0;

/// What is known of a channel.
#[derive(Clone, Copy, Debug)]
struct Channel {
    /// Where the wheel stands: −1 to almost 1.
    bend: f64,
    /// Semitones that it bends at its end.
    range: f64,
    pressure: f64,
    timbre: f64,
    pedal: bool,
    rpn: u16,
}

impl Channel {
    const fn new(range: f64) -> Channel {
        Channel { bend: 0.0, range, pressure: 0.0, timbre: 0.5, pedal: false, rpn: NO_RPN }
    }

    fn semitones(&self) -> f64 {
        self.bend * self.range
    }
}

/// The channels of a port, and which of them make zones.
#[derive(Clone, Debug)]
pub(super) struct Channels {
    all: [Channel; 16],
    /// How many members the lower zone has, whose master is the first channel, and the upper one, whose master is the last.
    members: [u8; 2],
}

impl Default for Channels {
    fn default() -> Channels {
        Channels { all: [Channel::new(PLAIN_RANGE); 16], members: [0, 0] }
    }
}

impl Channels {
    /// The whole keyboard is one zone, before anything says so.
    pub(super) fn one_zone() -> Channels {
        let mut channels = Channels::default();
        channels.configure(0, 15);
        channels
    }

    /// Nothing is bent, pressed or held any more; zones stay.
    pub(super) fn let_go(&mut self) {
        for channel in &mut self.all {
            *channel = Channel { rpn: NO_RPN, ..Channel::new(channel.range) };
        }
    }

    /// The channel by which a note is known: its own in a zone, else the first.
    pub(super) fn of_note(&self, channel: u8) -> u8 {
        if self.master(channel).is_some() { channel } else { 0 }
    }

    /// What a note of a channel begins with.
    pub(super) fn begins_with(&self, channel: u8) -> Vec<(NoteSignal, f64)> {
        let Some(master) = self.master(channel) else { return vec![] };
        let own = &self.all[usize::from(channel)];
        let semitones = own.semitones() + self.all[usize::from(master)].semitones();
        vec![
            (NoteSignal::Bend, ratio(semitones)),
            (NoteSignal::Pressure, own.pressure),
            (NoteSignal::Timbre, own.timbre),
        ]
    }

    /// Whether a pedal holds the notes of a channel.
    pub(super) fn is_pedalled(&self, channel: u8) -> bool {
        let is_down = |channel: u8| self.all[usize::from(channel)].pedal;
        match self.master(channel) {
            Some(master) => is_down(channel) || is_down(master),
            None => (0..16).any(|other| {
                let is_plain = self.master(other).is_none() && !self.is_master(other);
                (is_plain || other == channel) && is_down(other)
            }),
        }
    }

    /// Takes what a message says of its channel. Returns what of the notes of `instrument` changes with it.
    pub(super) fn hear(&mut self, message: Message, instrument: &str) -> Vec<Touch> {
        let touch = |touched, signal, value| Touch { instrument: instrument.into(), touched, signal, value };
        match message {
            Message::Bend(channel, steps) => {
                self.all[usize::from(channel)].bend = f64::from(steps) / BEND_STEPS;
                self.bends(channel, instrument)
            }
            Message::Pressure(channel, value) => {
                let value = f64::from(value) / 127.0;
                self.all[usize::from(channel)].pressure = value;
                vec![touch(self.touched(channel), NoteSignal::Pressure, value)]
            }
            Message::KeyPressure(channel, key, value) => {
                let touched = Touched::Key(self.of_note(channel), key.into());
                vec![touch(touched, NoteSignal::Pressure, f64::from(value) / 127.0)]
            }
            Message::Control(channel, TIMBRE, value) => {
                let value = f64::from(value) / 127.0;
                self.all[usize::from(channel)].timbre = value;
                vec![touch(self.touched(channel), NoteSignal::Timbre, value)]
            }
            Message::Control(channel, PEDAL, value) => {
                self.all[usize::from(channel)].pedal = value >= DOWN;
                vec![]
            }
            Message::Control(channel, number, value) => self.register(channel, number, value, instrument),
            _ => vec![],
        }
    }

    /// The bends of the notes on a channel; of a master's, those of all its members.
    fn bends(&self, channel: u8, instrument: &str) -> Vec<Touch> {
        let touch = |touched, semitones| Touch {
            instrument: instrument.into(),
            touched,
            signal: NoteSignal::Bend,
            value: ratio(semitones),
        };
        let own = self.all[usize::from(channel)].semitones();
        if let Some(master) = self.master(channel) {
            let semitones = own + self.all[usize::from(master)].semitones();
            return vec![touch(Touched::Channel(channel), semitones)];
        }
        let members = (0..16).filter(|&member| self.master(member) == Some(channel));
        let of_member =
            |member: u8| touch(Touched::Channel(member), own + self.all[usize::from(member)].semitones());
        std::iter::once(touch(Touched::All, own)).chain(members.map(of_member)).collect()
    }

    /// Registered parameters: how far bends go, and zones.
    fn register(&mut self, channel: u8, number: u8, value: u8, instrument: &str) -> Vec<Touch> {
        let own = &mut self.all[usize::from(channel)];
        if number == RPN[0] {
            own.rpn = own.rpn & 0x7F | u16::from(value) << 7;
        } else if number == RPN[1] {
            own.rpn = own.rpn & !0x7F | u16::from(value);
        }
        match own.rpn {
            BEND_RANGE if DATA.contains(&number) => {
                let (whole, value) = (own.range.floor(), f64::from(value));
                let range = if number == DATA[0] {
                    value + own.range.fract()
                } else {
                    whole + value.min(99.0) / 100.0
                };
                // What is said of one member holds for all of its zone.
                let master = self.master(channel);
                for member in 0..16 {
                    if member == channel || master.is_some() && self.master(member) == master {
                        self.all[usize::from(member)].range = range;
                    }
                }
                self.bends(channel, instrument)
            }
            MEMBERS if number == DATA[0] => {
                self.configure(channel, value.min(15));
                vec![]
            }
            _ => vec![],
        }
    }

    /// A zone has so many members from now on, none at all where it is 0; the other one gives up those that they share.
    fn configure(&mut self, master: u8, members: u8) {
        let (zone, other) = match master {
            0 => (0, 1),
            15 => (1, 0),
            _ => return,
        };
        self.members[zone] = members;
        self.members[other] = self.members[other].min(14_u8.saturating_sub(members));
        for channel in 0..16 {
            let range = if self.master(channel).is_some() { MEMBER_RANGE } else { PLAIN_RANGE };
            self.all[usize::from(channel)] = Channel::new(range);
        }
    }

    fn is_master(&self, channel: u8) -> bool {
        self.members[0] > 0 && channel == 0 || self.members[1] > 0 && channel == 15
    }

    /// The master of the zone that a channel is a member of.
    fn master(&self, channel: u8) -> Option<u8> {
        match channel {
            1.. if channel <= self.members[0] => Some(0),
            ..15 if 15 - channel <= self.members[1] => Some(15),
            _ => None,
        }
    }

    fn touched(&self, channel: u8) -> Touched {
        match self.master(channel) {
            Some(_) => Touched::Channel(channel),
            None => Touched::All,
        }
    }
}

/// What lets go of a key says of its note, where it says how quickly.
pub(super) fn let_go(key: &Key, velocity: Option<u8>) -> Option<Touch> {
    Some(Touch {
        instrument: key.instrument.clone(),
        touched: Touched::Key(key.channel, key.note),
        signal: NoteSignal::OffVel,
        value: f64::from(velocity?) / 127.0,
    })
}

/// The ratio of frequencies of so many semitones.
fn ratio(semitones: f64) -> f64 {
    (semitones / 12.0).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(master: u8, members: u8) -> Channels {
        let mut channels = Channels::default();
        for (number, value) in [(101, 0), (100, 6), (6, members)] {
            channels.hear(Message::Control(master, number, value), "lead");
        }
        channels
    }

    #[test]
    fn fifteen_members_bend_their_own_notes_exactly() {
        let mut channels = configured(0, 15);
        for member in 1..16_u8 {
            // 100 ct for each channel: 8192 / 48 steps a semitone.
            let steps = (f64::from(member) * BEND_STEPS / MEMBER_RANGE).round();
            let touches = channels.hear(Message::Bend(member, steps as i16), "lead");
            assert_eq!((touches.len(), touches[0].touched), (1, Touched::Channel(member)));
            let cents = 1200.0 * touches[0].value.log2();
            assert!((cents - 100.0 * f64::from(member)).abs() < 0.5, "{member}: {cents}");
        }
    }

    #[test]
    fn a_masters_bend_is_added_to_those_of_its_members() {
        let mut channels = configured(0, 2);
        channels.hear(Message::Bend(1, 4096), "lead");
        let touches = channels.hear(Message::Bend(0, 4096), "lead");
        let semitones: Vec<f64> = touches.iter().map(|touch| 12.0 * touch.value.log2()).collect();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(
            near(semitones[0], 1.0) && near(semitones[1], 25.0) && near(semitones[2], 1.0),
            "{semitones:?}"
        );
        assert!(near(12.0 * channels.begins_with(1)[0].1.log2(), 25.0));
        // Another channel is not of the zone: it is the first channel's as far as notes go, and bends by 2.
        assert_eq!((channels.of_note(5), channels.begins_with(5).len()), (0, 0));
    }

    #[test]
    fn a_registered_parameter_says_how_far_bends_go() {
        let mut channels = configured(15, 3);
        for (number, value) in [(101, 0), (100, 0), (6, 24), (38, 50)] {
            channels.hear(Message::Control(13, number, value), "lead");
        }
        // What is said of one member holds for all.
        let touches = channels.hear(Message::Bend(12, 4096), "lead");
        assert!((12.0 * touches[0].value.log2() - 12.25).abs() < 1e-9);
        // Without a registered parameter, data mean nothing.
        for (number, value) in [(101, 127), (100, 127), (6, 1)] {
            channels.hear(Message::Control(12, number, value), "lead");
        }
        assert!(
            (12.0 * channels.hear(Message::Bend(12, -4096), "lead")[0].value.log2() + 12.25).abs() < 1e-9
        );
    }

    #[test]
    fn zones_share_the_channels() {
        let mut channels = configured(0, 10);
        for (number, value) in [(101, 0), (100, 6), (6, 7)] {
            channels.hear(Message::Control(15, number, value), "lead");
        }
        let masters: Vec<Option<u8>> = (0..16).map(|channel| channels.master(channel)).collect();
        assert_eq!(masters[1..8], [Some(0); 7]);
        assert_eq!(masters[8..15], [Some(15); 7]);
        assert_eq!((masters[0], masters[15]), (None, None));
        for (number, value) in [(101, 0), (100, 6), (6, 0)] {
            channels.hear(Message::Control(0, number, value), "lead");
        }
        assert_eq!(channels.master(3), None, "a zone without members is not one");
    }

    #[test]
    fn the_pedal_of_a_master_holds_the_notes_of_its_zone() {
        let mut channels = configured(0, 4);
        channels.hear(Message::Control(0, PEDAL, 127), "lead");
        assert!(channels.is_pedalled(2) && !channels.is_pedalled(9));
        let mut plain = Channels::default();
        plain.hear(Message::Control(3, PEDAL, 64), "lead");
        assert!(plain.is_pedalled(0), "outside of a zone all channels are one");
    }
}
