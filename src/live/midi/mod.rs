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

use super::action::Action;
pub(super) use clock::{Clock, Here, Timed};
use follow::Follower;
use message::{Message, Reader};
use std::time::Instant;

/// The velocity that is nominal, as in MIDI files.
const NOMINAL: f64 = 100.0;
/// The controller of the pedal.
const PEDAL: u8 = 64;
/// From this value on it is down.
const DOWN: u8 = 64;
/// The controllers that end all notes.
const ENDS: [u8; 2] = [120, 123];

/// What is asked of MIDI; of ports, a part of the name, or nothing for all.
#[derive(Clone, Debug, Default)]
pub struct Midi {
    /// Listen to these ports.
    pub listen: Option<String>,
    /// The instrument that notes play.
    pub to: Option<String>,
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
    pedal: bool,
    /// Notes whose key is up while the pedal is down.
    sustained: Vec<u8>,
}

impl Listener {
    /// Plays `to`; follows the clock and the transport if wanted.
    pub(crate) fn new(to: Option<String>, follows: bool) -> Listener {
        Listener { to, follower: follows.then(Follower::default), ..Listener::default() }
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
            Message::On(key, vel) => {
                self.sustained.retain(|sustained| *sustained != key);
                let press = |to: &String| Action::Press(to.clone(), key.into(), f64::from(vel) / NOMINAL);
                self.to.iter().map(press).collect()
            }
            Message::Off(key) if self.pedal => {
                self.sustained.push(key);
                vec![]
            }
            Message::Off(key) => self.release(key).into_iter().collect(),
            Message::Control(PEDAL, value) => self.pedal(value >= DOWN),
            Message::Control(number, _) if ENDS.contains(&number) => {
                self.sustained.clear();
                vec![Action::Silence]
            }
            Message::Control(number, value) => {
                let turned = self.controllers.iter().filter(|(cc, _)| *cc == number);
                turned.map(|(_, knob)| Action::Turn(knob.clone(), f64::from(value) / 127.0)).collect()
            }
            transport => self.follower.as_mut().map_or(vec![], |f| f.follow(transport, at, beat)),
        }
    }

    fn pedal(&mut self, down: bool) -> Vec<Action> {
        self.pedal = down;
        if down {
            return vec![];
        }
        std::mem::take(&mut self.sustained).into_iter().filter_map(|key| self.release(key)).collect()
    }

    fn release(&self, key: u8) -> Option<Action> {
        Some(Action::Release(self.to.clone()?, key.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_play_the_chosen_instrument_and_the_pedal_keeps_them() {
        let press = |note: f64| Action::Press("lead".into(), note, 1.0);
        let release = |note: f64| Action::Release("lead".into(), note);
        let mut listener = Listener::new(Some("lead".into()), false);
        let mut hear = |bytes: &[u8]| listener.hear(bytes, Instant::now(), None);
        assert_eq!(hear(&[0x93, 60, 100, 62, 100]), [press(60.0), press(62.0)]);
        assert_eq!(hear(&[0x80, 60, 0]), [release(60.0)]);
        assert_eq!(hear(&[0xB0, 64, 127, 0x80, 62, 0]), []);
        assert_eq!(hear(&[0x90, 62, 100]), [press(62.0)], "struck again, it is held by its key");
        assert_eq!(hear(&[0x90, 65, 50, 65, 0]), [Action::Press("lead".into(), 65.0, 0.5)]);
        assert_eq!(hear(&[0xB0, 64, 0]), [release(65.0)]);
        assert_eq!(hear(&[0xB0, 123, 0]), [Action::Silence]);
        assert_eq!(Listener::new(None, false).hear(&[0x90, 60, 100, 0x80, 60, 0], Instant::now(), None), []);
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
