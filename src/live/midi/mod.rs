//! Actions by MIDI: bytes of a port become [`Action`]s here, whatever port they come from.
//!
//! `docs/playing.md` says which message is which action.

mod clock;
mod follow;
mod message;
#[cfg_attr(
    not(all(feature = "midi", any(target_os = "linux", target_os = "macos", windows))),
    path = "no_ports.rs"
)]
pub(crate) mod ports;
mod touch;

use super::action::{Action, Key};
pub(super) use clock::{Clock, Here, Timed};
use follow::Follower;
use message::{Message, Reader};
use std::time::Instant;
use touch::{Channels, let_go};

/// The velocity that is nominal, as in MIDI files.
const NOMINAL: f64 = 100.0;
/// The controllers that end all notes.
const ENDS: [u8; 2] = [120, 123];

/// What is asked of MIDI; of ports, a part of the name, or nothing for all.
#[derive(Clone, Debug, Default)]
pub struct Midi {
    /// Listen to these ports.
    pub listen: Option<String>,
    /// The instrument that notes play.
    pub to: Option<String>,
    /// All channels are one MPE zone, before a message says so.
    pub mpe: bool,
    /// Follow the transport and the clock.
    pub follow: bool,
    /// Send the clock to these ports.
    pub clock: Option<String>,
}

/// What happens at a port.
#[derive(Debug)]
#[cfg_attr(
    not(all(feature = "midi", any(target_os = "linux", target_os = "macos", windows))),
    expect(dead_code, reason = "there are no ports")
)]
pub(crate) enum PortEvent {
    /// Bytes, and when they came.
    Bytes(Vec<u8>, Instant),
    /// A message for people, to be shown.
    Words(String),
    /// A port is gone, and whatever its keys held.
    Gone(String),
}

/// Hears what comes from all ports together.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    reader: Reader,
    /// The instrument that notes play.
    to: Option<String>,
    /// The knobs of controllers.
    controllers: Vec<(u8, String)>,
    follower: Option<Follower>,
    channels: Channels,
    /// Notes whose key is up while the pedal is down, with how quickly it was let go.
    sustained: Vec<(Key, Option<u8>)>,
}

impl Listener {
    /// Plays `to`; follows the clock and the transport if wanted.
    pub(crate) fn new(to: Option<String>, follows: bool) -> Listener {
        Listener { to, follower: follows.then(Follower::default), ..Listener::default() }
    }

    /// All channels are one MPE zone.
    pub(crate) fn with_mpe(self) -> Listener {
        Listener { channels: Channels::one_zone(), ..self }
    }

    /// What its keys held is held no longer, and nothing is bent: the port is gone.
    pub(crate) fn let_go(&mut self) {
        self.sustained.clear();
        self.channels.let_go();
    }

    /// The knobs of the song as it is now.
    pub(crate) fn set_controllers(&mut self, controllers: Vec<(u8, String)>) {
        self.controllers = controllers;
    }

    /// What bytes ask for that came at a moment, while the song was at `beat` (in quarter notes, if it has any).
    pub(crate) fn hear(&mut self, bytes: &[u8], at: Instant, beat: Option<f64>) -> Vec<Action> {
        let messages = self.reader.read(bytes);
        messages.into_iter().flat_map(|message| self.message(message, at, beat)).collect()
    }

    fn message(&mut self, message: Message, at: Instant, beat: Option<f64>) -> Vec<Action> {
        match message {
            Message::On(channel, key, vel) => self.press(channel, key, vel).into_iter().collect(),
            Message::Off(channel, key, vel) => self.release(channel, key, vel),
            Message::Control(_, number, _) if ENDS.contains(&number) => {
                self.sustained.clear();
                vec![Action::Silence]
            }
            Message::Control(_, number, value) => {
                let turned = self.controllers.iter().filter(|(cc, _)| *cc == number);
                let turn = |(_, knob): &(u8, String)| Action::Turn(knob.clone(), f64::from(value) / 127.0);
                let turned: Vec<Action> = turned.map(turn).collect();
                turned.into_iter().chain(self.touch(message)).chain(self.let_up()).collect()
            }
            Message::Bend(..) | Message::Pressure(..) | Message::KeyPressure(..) => self.touch(message),
            transport => self.follower.as_mut().map_or(vec![], |f| f.follow(transport, at, beat)),
        }
    }

    fn key(&self, channel: u8, key: u8) -> Option<Key> {
        let channel = self.channels.of_note(channel);
        Some(Key { instrument: self.to.clone()?, channel, note: key.into() })
    }

    fn press(&mut self, channel: u8, key: u8, vel: u8) -> Option<Action> {
        let key = self.key(channel, key)?;
        self.sustained.retain(|(sustained, _)| *sustained != key);
        Some(Action::Press(key, f64::from(vel) / NOMINAL, self.channels.begins_with(channel)))
    }

    fn release(&mut self, channel: u8, key: u8, vel: Option<u8>) -> Vec<Action> {
        let Some(key) = self.key(channel, key) else { return vec![] };
        if self.channels.is_pedalled(channel) {
            self.sustained.push((key, vel));
            return vec![];
        }
        released(key, vel).collect()
    }

    /// What a message says of how notes are touched.
    fn touch(&mut self, message: Message) -> Vec<Action> {
        let touches = self.channels.hear(message, self.to.as_deref().unwrap_or_default());
        match self.to {
            Some(_) => touches.into_iter().map(Action::Touch).collect(),
            None => vec![],
        }
    }

    /// The notes that no pedal holds any more.
    fn let_up(&mut self) -> Vec<Action> {
        let (held, up) = std::mem::take(&mut self.sustained)
            .into_iter()
            .partition(|(key, _)| self.channels.is_pedalled(key.channel));
        self.sustained = held;
        up.into_iter().flat_map(|(key, vel)| released(key, vel)).collect()
    }
}

/// A key is let go: how quickly, where that is known, and then its note ends.
fn released(key: Key, vel: Option<u8>) -> impl Iterator<Item = Action> {
    let quickly = let_go(&key, vel).map(Action::Touch);
    quickly.into_iter().chain([Action::Release(key)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::action::Touched;
    use mam_runtime::NoteSignal;

    #[test]
    fn keys_play_the_chosen_instrument_and_the_pedal_keeps_them() {
        let key = |note: f64| Key { instrument: "lead".into(), channel: 0, note };
        let press = |note: f64| Action::Press(key(note), 1.0, vec![]);
        let release = |note: f64| Action::Release(key(note));
        let mut listener = Listener::new(Some("lead".into()), false);
        let mut hear = |bytes: &[u8]| listener.hear(bytes, Instant::now(), None);
        assert_eq!(hear(&[0x93, 60, 100, 62, 100]), [press(60.0), press(62.0)]);
        assert_eq!(hear(&[0x90, 60, 0]), [release(60.0)]);
        assert_eq!(hear(&[0xB0, 64, 127, 0x90, 62, 0]), []);
        assert_eq!(hear(&[0x90, 62, 100]), [press(62.0)], "struck again, it is held by its key");
        assert_eq!(hear(&[0x90, 65, 50, 65, 0]), [Action::Press(key(65.0), 0.5, vec![])]);
        assert_eq!(hear(&[0xB0, 64, 0]), [release(65.0)]);
        assert_eq!(hear(&[0xB0, 123, 0]), [Action::Silence]);
        assert_eq!(Listener::new(None, false).hear(&[0x90, 60, 100, 0x80, 60, 0], Instant::now(), None), []);
    }

    #[test]
    fn members_of_a_zone_play_bend_and_press_their_own_notes() {
        let mut listener = Listener::new(Some("lead".into()), false);
        let mut hear = |bytes: &[u8]| listener.hear(bytes, Instant::now(), None);
        // Outside of a zone a channel's bend is everybody's: ±2 semitones.
        let bent = hear(&[0xE0, 0, 0x20]);
        let [Action::Touch(touch)] = &bent[..] else { panic!("{bent:?}") };
        assert_eq!((touch.touched, touch.signal), (Touched::All, NoteSignal::Bend));
        assert!((1200.0 * touch.value.log2() + 100.0).abs() < 1e-9);
        hear(&[0xB0, 101, 0, 100, 6, 6, 15]);
        hear(&[0xE3, 0, 0x60, 0xD3, 64, 0xB3, 74, 127]);
        let pressed = hear(&[0x93, 60, 100, 0x94, 60, 100]);
        let [Action::Press(first, _, with), Action::Press(second, _, plain)] = &pressed[..] else {
            panic!("{pressed:?}")
        };
        assert_eq!((first.channel, second.channel), (3, 4));
        assert!((12.0 * with[0].1.log2() - 24.0).abs() < 1e-9, "half of 48 semitones");
        assert_eq!((with[2].1, plain[0].1, plain[2].1), (1.0, 1.0, 0.5));
        let let_go = hear(&[0x84, 60, 127]);
        let [Action::Touch(touch), Action::Release(key)] = &let_go[..] else { panic!("{let_go:?}") };
        assert_eq!((touch.signal, touch.value, key.channel), (NoteSignal::OffVel, 1.0, 4));
    }

    #[test]
    fn controllers_turn_the_knobs_that_name_them() {
        let mut listener = Listener::new(None, false);
        listener.set_controllers(vec![(74, "bright".into()), (71, "other".into()), (74, "too".into())]);
        let mut hear = |bytes: &[u8]| listener.hear(bytes, Instant::now(), None);
        let turn = |name: &str, x: f64| Action::Turn(name.into(), x);
        assert_eq!(
            hear(&[0xB0, 74, 127, 71, 0]),
            [turn("bright", 1.0), turn("too", 1.0), turn("other", 0.0)]
        );
        assert_eq!(hear(&[0xB0, 7, 64]), []);
    }

    #[test]
    fn the_transport_is_followed_only_where_that_is_wanted() {
        let bytes = [0xFA, 0xFC, 0xFB, 0xF2, 8, 0];
        let now = Instant::now();
        assert_eq!(Listener::new(None, false).hear(&bytes, now, None), []);
        let heard = Listener::new(None, true).hear(&bytes, now, None);
        assert_eq!(heard, [Action::Top, Action::Stop, Action::Play, Action::Beat(2.0)]);
    }
}
