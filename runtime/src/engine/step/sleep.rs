//! Voices of a step that fall asleep once their note has ended and nothing of them can be heard, and that notes wake.

use super::{Runner, Scene};
use crate::engine::memory::silence;
use crate::ids::PortId;
use crate::program::{Port, Step, StepVoice};
use std::ops::Range;

/// A part of a step that sleeps and wakes.
#[derive(Debug)]
pub(super) struct VoiceState {
    /// The port whose notes wake it, an index into the step's.
    pub(super) port: usize,
    /// Offset of the word that says that it may sleep, in the state memory.
    until: usize,
    /// Its stretches of the state memory.
    pub(super) bytes: Vec<Range<usize>>,
    /// Its delay lines, of the step's.
    delays: Range<usize>,
    pub(super) awake: bool,
    /// It has been awake since it was last reported as asleep.
    unreported: bool,
    /// It was awake when its step failed.
    pub(super) interrupted: bool,
}

impl VoiceState {
    pub(super) fn new(voice: &StepVoice, step: &Step) -> VoiceState {
        VoiceState {
            port: voice.port,
            until: step.state + voice.until,
            bytes: voice.bytes.iter().map(|b| step.state + b.start..step.state + b.end).collect(),
            delays: voice.delays.clone(),
            awake: false,
            unreported: false,
            interrupted: false,
        }
    }
}

impl Runner {
    /// Whether it has voices and all are asleep.
    pub(crate) fn asleep(&self) -> bool {
        !self.voices.is_empty() && self.voices.iter().all(|voice| !voice.awake)
    }

    /// How many voices are awake.
    pub(crate) fn awake(&self) -> usize {
        self.voices.iter().filter(|voice| voice.awake).count()
    }

    /// Wakes the voices of a port if a note begins there.
    pub(super) fn wake_where_it_begins(&mut self, scene: &Scene<'_>, port: usize) {
        if self.ports[port].trig != 0 {
            self.wake(scene, port);
        }
    }

    /// Wakes the voices of a port that sleep: they start from their initial state.
    pub(super) fn wake(&mut self, scene: &Scene<'_>, port: usize) {
        if std::mem::replace(&mut self.ports[port].active, 1) == 0 {
            self.ports[port].trig |= Port::FRESH;
        }
        for voice in self.voices.iter_mut().filter(|voice| voice.port == port && !voice.awake) {
            (voice.awake, voice.unreported) = (true, true);
            voice.bytes.iter().for_each(|stretch| scene.memory.restore(stretch.clone()));
            for index in voice.delays.clone() {
                // SAFETY: the line has that many frames, and no kernel runs.
                unsafe { silence(self.delays.0[index], self.delay_frames[index]) };
            }
        }
    }

    /// Its voices that are awake although their note has ended.
    pub(crate) fn released(&self) -> impl Iterator<Item = usize> {
        let released = |voice: &VoiceState| voice.awake && self.ports[voice.port].gate == 0;
        self.voices.iter().enumerate().filter(move |(_, voice)| released(voice)).map(|(index, _)| index)
    }

    /// Whether a voice says that it may sleep.
    pub(crate) fn may_sleep(&self, voice: usize, state: *mut u8) -> bool {
        // SAFETY: the word is within the state memory, and no kernel runs.
        unsafe { state.add(self.voices[voice].until).cast::<u32>().read_unaligned() != 0 }
    }

    /// At the quantum's end, voices whose note has ended and that say so fall asleep.
    pub(crate) fn fall_asleep(&mut self, state: *mut u8) {
        for index in 0..self.voices.len() {
            let voice = &self.voices[index];
            if voice.awake && self.ports[voice.port].gate == 0 && self.may_sleep(index, state) {
                self.sleep(index);
            }
        }
    }

    /// A voice falls asleep.
    pub(crate) fn sleep(&mut self, voice: usize) {
        let voice = &mut self.voices[voice];
        voice.awake = false;
        self.ports[voice.port].active = 0;
        self.stale = true;
    }

    /// A voice goes on where another program's is: whether it is awake.
    pub(crate) fn carry_voice(&mut self, voice: usize, from: &Runner, other: usize) {
        let (voice, before) = (&mut self.voices[voice], &from.voices[other]);
        // One that was interrupted has a note to go on with, unless the step is the same: `carry_failure` sees to that.
        voice.awake = before.awake
            || before.interrupted && from.guard.has_failed() && from.ports[before.port].gate != 0;
        voice.unreported = before.unreported || voice.awake;
        self.ports[voice.port].active = u32::from(voice.awake);
        self.stale = true;
    }

    /// The program's ports whose voices have been awake since they were last reported as asleep.
    pub(crate) fn unreported(&self) -> impl Iterator<Item = PortId> {
        self.voices.iter().filter(|voice| voice.unreported).map(|voice| self.port_ids[voice.port])
    }

    /// Whether a voice of the program's port sounds, or will as soon as its delay lines are cleared.
    pub(crate) fn is_port_awake(&self, id: PortId) -> bool {
        let waits = |voice: &VoiceState| self.guard.has_note_waiting() && self.ports[voice.port].gate != 0;
        self.voices.iter().any(|voice| self.port_ids[voice.port] == id && (voice.awake || waits(voice)))
    }

    /// The voices of the program's port have been reported as asleep.
    pub(crate) fn report(&mut self, id: PortId) {
        for voice in self.voices.iter_mut().filter(|voice| self.port_ids[voice.port] == id) {
            voice.unreported = false;
        }
    }

    /// All voices sleep, as at the start.
    pub(super) fn reset_voices(&mut self) {
        for voice in &mut self.voices {
            (voice.awake, voice.unreported, voice.interrupted) = (false, false, false);
        }
    }
}
