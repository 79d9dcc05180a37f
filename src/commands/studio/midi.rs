//! MIDI: keys play an instrument, controllers turn the knobs that name them.

use crate::failure::Failure;
use crate::live::action::Action;
use crate::live::midi::{Listener, PortEvent, ports};
use crate::live::voices::VoiceAllocator;
use mam_runtime::control::Control;
use mam_runtime::{Curve, ParamSlot};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// What is asked of MIDI.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// Listen to the ports whose name has this in it; to all where it is empty.
    pub(super) listen: Option<String>,
    /// The instrument that keys play.
    pub(super) to: Option<String>,
}

/// What MIDI plays and turns.
pub(super) struct MidiInput {
    listener: Listener,
    events: Receiver<PortEvent>,
    voices: VoiceAllocator,
    /// The instrument that keys play.
    to: Option<String>,
    /// The knobs that were turned since the page asked last, with their values.
    turned: BTreeMap<String, f64>,
    /// What is to be said to people, last.
    said: Option<String>,
}

impl MidiInput {
    /// Listens to the ports that are asked for; to none where nothing is.
    ///
    /// # Errors
    /// When there are no ports, or none of that name.
    pub(super) fn open(asked: Asked) -> Result<MidiInput, Failure> {
        let (sender, events) = channel();
        if asked.listen.is_some() || asked.to.is_some() {
            ports::listen(asked.listen.unwrap_or_default(), move |event| sender.send(event).is_ok())?;
        }
        Ok(MidiInput::new(events, asked.to))
    }

    fn new(events: Receiver<PortEvent>, to: Option<String>) -> MidiInput {
        MidiInput {
            listener: Listener::new(to.clone(), false),
            events,
            voices: VoiceAllocator::default(),
            to,
            turned: BTreeMap::new(),
            said: None,
        }
    }

    /// The instrument that keys play.
    pub(super) fn plays(&self) -> Option<&String> {
        self.to.as_ref()
    }

    /// The knobs of the program that plays now, with their controllers; and whether it has the instrument that keys play.
    pub(super) fn follow(&mut self, controllers: Vec<(u8, String)>, control: &Control) {
        self.listener.set_controllers(controllers);
        let is_there = |name: &String| control.program().targets.iter().any(|target| *target.name == **name);
        if let Some(name) = self.to.as_ref().filter(|name| !is_there(name)) {
            self.said = Some(format!("the song has no instrument `{name}` that MIDI could play"));
        }
    }

    /// Does what has come.
    pub(super) fn tick(&mut self, control: &mut Control) {
        while let Ok(event) = self.events.try_recv() {
            match event {
                PortEvent::Bytes(bytes, at) => {
                    let actions = self.listener.hear(&bytes, at, None);
                    actions.into_iter().for_each(|action| self.act(action, control));
                }
                PortEvent::Words(words) => self.said = Some(words.trim().into()),
                PortEvent::Gone(words) => {
                    self.said = Some(words.trim().into());
                    self.listener.let_go();
                    self.voices.silence(control);
                }
            }
        }
        self.voices.tick(control, Instant::now());
    }

    fn act(&mut self, action: Action, control: &mut Control) {
        match action {
            Action::Press(key, vel, signals) => _ = self.voices.press(control, &key, vel, &signals),
            Action::Release(key) => self.voices.release(control, &key),
            Action::Touch(touch) => self.voices.touch(control, &touch),
            Action::Silence => self.voices.silence(control),
            Action::Turn(name, place) => {
                let Ok(param) = control.program().param(&name) else { return };
                let value = value_at(&control.program().params[param], place);
                if control.set(&name, value, 0) {
                    self.turned.insert(name, value);
                }
            }
            // The listener follows no transport.
            _ => {}
        }
    }

    /// The knobs that were turned since this was asked last.
    pub(super) fn turned(&mut self) -> BTreeMap<String, f64> {
        std::mem::take(&mut self.turned)
    }

    /// What is to be said since this was asked last.
    pub(super) fn said(&mut self) -> Option<String> {
        self.said.take()
    }
}

/// The value at a place in a parameter's range, 0 to 1: evenly, or in equal ratios where its curve is. Where the range has no end,
/// the value that it has at the start.
fn value_at(slot: &ParamSlot, place: f64) -> f64 {
    let (min, max) = (slot.min, slot.max);
    match (min.is_finite() && max.is_finite(), slot.curve) {
        (false, _) => slot.default,
        (true, Curve::Exp) if min > 0.0 => min * (max / min).powf(place),
        (true, _) => min + (max - min) * place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::HowArgs;
    use crate::compiling::compile_song_again;
    use crate::input::Song;
    use mam_compiler::CompilationCache;
    use mam_runtime::Frames;
    use mam_runtime::control::{Options, Scored};
    use std::sync::Arc;

    const SONG: &str = "lead = pluck(voices: 2)\nknob tone = 500Hz in 100Hz..10kHz curve exp cc 74\nplay { lead \"~\" }\nout = lead |> lowpass(tone)\n";

    #[test]
    fn keys_sound_and_controllers_turn_the_knobs_of_the_song() {
        let (how, mut cache) = (HowArgs::default(), CompilationCache::default());
        let made = compile_song_again(Song::of_text("song.mam", SONG), &how, &mut cache);
        let slots = made.compilation.stages.lowered.slots.iter();
        let controllers = slots.filter_map(|(name, info)| Some((info.cc?, name.to_string()))).collect();
        let program = Arc::new(made.compilation.program.expect("no errors"));
        let options = Options { channels: 2, playing: true, limit: true };
        let (mut control, mut live) = Control::new(program, Box::new(Scored), options);
        let (sender, events) = channel();
        let mut midi = MidiInput::new(events, Some("lead".into()));
        midi.follow(controllers, &control);
        assert_eq!(midi.said(), None);
        let mut peak = |control: &mut Control| {
            control.tick();
            let mut block = vec![0.0f32; 2 * 4096];
            live.process(&mut Frames::Interleaved { data: &mut block, channels: 2 });
            block.iter().fold(0.0f32, |peak, x| peak.max(x.abs()))
        };
        assert_eq!(peak(&mut control), 0.0, "nothing plays by itself");
        let bytes = [0x90, 60, 100, 0xB0, 74, 127];
        sender.send(PortEvent::Bytes(bytes.to_vec(), Instant::now())).unwrap();
        midi.tick(&mut control);
        assert!(peak(&mut control) > 0.01);
        assert_eq!(midi.turned(), BTreeMap::from([("tone".to_string(), 10_000.0)]));
        assert!(midi.turned().is_empty());
    }

    #[test]
    fn an_instrument_that_is_not_there_is_told() {
        let (how, mut cache) = (HowArgs::default(), CompilationCache::default());
        let made = compile_song_again(Song::of_text("song.mam", SONG), &how, &mut cache);
        let program = Arc::new(made.compilation.program.expect("no errors"));
        let options = Options { channels: 2, playing: true, limit: true };
        let (control, _live) = Control::new(program, Box::new(Scored), options);
        let mut midi = MidiInput::new(channel().1, Some("bass".into()));
        midi.follow(vec![], &control);
        assert!(midi.said().is_some_and(|said| said.contains("`bass`")));
    }
}
