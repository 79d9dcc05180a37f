//! MIDI: what is heard, and the clock that is sent.

use super::Player;
use crate::failure::Failure;
use crate::live::LoopEvent;
use crate::live::midi::{Clock, Here, Listener, Midi, PortEvent, Timed, ports};
use mam_runtime::control::Position;
use std::sync::mpsc::Sender;
use std::time::Instant;

/// The clock, with the way to its ports.
pub(super) type Sent = (Clock, Sender<Timed>);

impl Player {
    pub(super) fn hear_midi(&mut self, event: PortEvent) {
        match event {
            PortEvent::Bytes(bytes, at) => {
                let beat = self.beat_at(self.heard_frame() as f64);
                for action in self.listener.hear(&bytes, at, beat) {
                    self.act(action);
                }
            }
            PortEvent::Words(words) => self.ui.say(&words),
            PortEvent::Gone(words) => {
                self.ui.insist(&words);
                self.listener.let_go();
                self.voices.silence(&mut self.control);
            }
        }
    }

    /// The frame of the song that is heard about now: what is rendered is as late as the song says and waits in the device, and a callback renders ahead
    /// by half its buffer on the average.
    fn heard_frame(&self) -> u64 {
        let device = self.keeper.latency() + self.keeper.format().buffer / 2;
        let ahead = device + self.control.program().latency;
        self.control.song_frame().saturating_sub(ahead.into())
    }

    /// Quarter notes from the first beginning to a frame.
    fn beat_at(&self, frame: f64) -> Option<f64> {
        let program = self.control.program();
        let place = Position::at_frame(program, frame as u64)?;
        let length = program.score.transports.first()?.length.to_f64();
        Some((place.pass as f64 * length + place.bar) * place.beats_per_bar)
    }

    /// Sends the clock ahead.
    pub(super) fn tick_the_clock(&mut self, now: Instant) {
        let Some((mut clock, port)) = self.clock.take() else { return };
        let playing = self.playing && !self.waits && !self.control.is_stopped();
        let here = Here { frame: self.heard_frame(), rate: f64::from(self.control.rate()), playing };
        let timed = clock.look(now, here, |frame| self.beat_at(frame).unwrap_or(0.0));
        // Its thread lives as long as this.
        timed.into_iter().for_each(|message| drop(port.send(message)));
        self.clock = Some((clock, port));
    }
}

/// Who hears the ports that are asked for, and the clock with the way to its ports.
pub(super) fn open_midi(
    midi: &Midi,
    controllers: Vec<(u8, String)>,
    sender: &Sender<LoopEvent>,
) -> Result<(Listener, Option<Sent>), Failure> {
    let hears = midi.listen.is_some() || midi.to.is_some() || midi.follow;
    let tell = |sender: Sender<LoopEvent>| move |event| sender.send(LoopEvent::Midi(event)).is_ok();
    if hears {
        let wanted = midi.listen.clone().unwrap_or_default();
        ports::listen(wanted, tell(sender.clone()))?;
    }
    let clock = match &midi.clock {
        Some(wanted) => {
            let (port, _) = ports::send(wanted.clone(), "the clock goes", tell(sender.clone()))?;
            Some((Clock::default(), port))
        }
        None => None,
    };
    let mut listener = Listener::new(midi.to.clone(), midi.follow);
    listener.set_controllers(controllers);
    Ok((if midi.mpe { listener.with_mpe() } else { listener }, clock))
}
