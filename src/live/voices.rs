//! Allocates the voices of instruments to the notes that controllers hold.

use super::instruments::playing;
use mam_runtime::Control;
use std::time::{Duration, Instant};

/// How long a hit is held.
const HIT: Duration = Duration::from_millis(250);

/// All instruments' voices, as far as controllers have played them.
#[derive(Debug, Default)]
pub(crate) struct VoiceAllocator {
    voices: Vec<Voice>,
    /// Counts presses and releases.
    stamp: u64,
    hits: Vec<(Instant, String, f64)>,
}

#[derive(Debug)]
struct Voice {
    target: String,
    index: usize,
    /// The note that it holds.
    note: Option<f64>,
    /// When it was pressed or released last.
    stamp: u64,
}

impl VoiceAllocator {
    /// A note begins: on its own voice where it is held already, else on one that is free, the longest so first, else on
    /// that of the oldest note. False when there is no such instrument.
    pub(crate) fn press(&mut self, control: &mut Control, target: &str, note: f64, vel: f64) -> bool {
        let pitch = control.program().score.tuning.as_ref().map_or(note, |tuning| tuning.pitch(note));
        self.begin(control, target, note, pitch, vel)
    }

    /// The note of a key begins, at a pitch of its own.
    fn begin(&mut self, control: &mut Control, target: &str, note: f64, pitch: f64, vel: f64) -> bool {
        let program = control.program().clone();
        let Some(found) = playing(&program, target) else { return false };
        let target = &*found.name;
        for index in 0..found.voices.len() {
            if !self.voices.iter().any(|v| v.target == target && v.index == index) {
                self.voices.push(Voice { target: target.into(), index, note: None, stamp: 0 });
            }
        }
        self.stamp += 1;
        let voices = self.voices.iter_mut().filter(|v| v.target == target && v.index < found.voices.len());
        let by_age = |v: &&mut Voice| (v.note != Some(note), v.note.is_some(), v.stamp);
        let Some(voice) = voices.min_by_key(by_age) else { return false };
        (voice.note, voice.stamp) = (Some(note), self.stamp);
        control.note(target, voice.index, pitch, Some(vel))
    }

    /// A note ends, if it is still held.
    pub(crate) fn release(&mut self, control: &mut Control, target: &str, note: f64) {
        self.stamp += 1;
        let program = control.program().clone();
        let target = playing(&program, target).map_or(target, |found| &*found.name);
        let held = |v: &&mut Voice| v.target == target && v.note == Some(note);
        if let Some(voice) = self.voices.iter_mut().find(held) {
            (voice.note, voice.stamp) = (None, self.stamp);
            control.note(target, voice.index, note, None);
        }
    }

    /// A plain note of the instrument's own pitch, which ends by itself.
    pub(crate) fn hit(&mut self, control: &mut Control, target: &str, vel: f64, now: Instant) -> bool {
        let Some(note) = playing(control.program(), target).map(|t| t.default_note) else { return false };
        self.hits.retain(|(_, name, _)| name != target);
        self.hits.push((now + HIT, target.into(), note));
        self.begin(control, target, note, note, vel)
    }

    /// Ends the hits whose time has come.
    pub(crate) fn tick(&mut self, control: &mut Control, now: Instant) {
        let is_over = |(end, ..): &(Instant, String, f64)| *end <= now;
        let (over, held): (Vec<_>, Vec<_>) = std::mem::take(&mut self.hits).into_iter().partition(is_over);
        self.hits = held;
        for (_, target, note) in over {
            self.release(control, &target, note);
        }
    }

    /// Ends all notes that controllers hold.
    pub(crate) fn silence(&mut self, control: &mut Control) {
        for voice in self.voices.drain(..) {
            if let Some(note) = voice.note {
                control.note(&voice.target, voice.index, note, None);
            }
        }
        self.hits.clear();
    }
}
