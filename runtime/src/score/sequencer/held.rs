//! Going on in the middle: what instruments hold at a moment, from one sequencer to another.
//!
//! Which voice plays a note depends on all notes before it. A sequencer that takes the place of another does not play
//! them again: it asks the other one what its voices hold. For that, a sequencer that plays for ever keeps a few of its
//! own states of the last seconds, so the work does not grow with the time that has been played.

use super::beats::Beats;
use super::{Extent, NoteEnd, Sequencer, Setup, Sounding};
use crate::program::Target;
use crate::voices::VoiceAllocator;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;

/// States that are stored at most.
const STATES: usize = 8;

/// What instruments do at a moment: the notes that they hold, and the beats of those that trigger themselves.
#[derive(Clone, Debug)]
pub struct Held {
    frame: u64,
    stamp: u64,
    targets: Vec<HeldTarget>,
}

/// States of a sequencer in the last seconds, in order. A copy of it has none: a state is not followed by others.
#[derive(Debug, Default)]
pub(super) struct States(pub(super) VecDeque<Sequencer>);

impl Clone for States {
    fn clone(&self) -> States {
        States::default()
    }
}

#[derive(Clone, Debug)]
struct HeldTarget {
    name: Arc<str>,
    voices: VoiceAllocator<Sounding>,
    /// Where the notes end, and which they are.
    ends: Vec<(u64, u64)>,
    beats: Beats,
    /// Tempo and loop that it begins with.
    initial_tempo: [f64; 2],
}

impl Held {
    /// The same, of instruments of which some have other names now.
    #[must_use]
    pub fn renamed(mut self, now: impl Fn(&str) -> Option<Arc<str>>) -> Held {
        for target in &mut self.targets {
            target.name = now(&target.name).unwrap_or_else(|| target.name.clone());
        }
        self
    }
}

impl Sequencer {
    /// What its instruments hold at a frame of the output, which is one of the last seconds or is still to come.
    pub fn held_at(&self, frame: u64) -> Option<Held> {
        let frame = u64::try_from(i128::from(frame) - self.shift).ok()?;
        let earlier = |state: &&Sequencer| state.played <= frame;
        let now = Some(self).filter(earlier);
        let mut state = now.or_else(|| self.states.0.iter().rev().find(earlier))?.clone();
        state.play_until(frame, &mut Vec::new());
        Some(Held::at(&state, frame))
    }

    /// Goes to `frame` of the song as [`Sequencer::seek`] does, in the middle of playing: what instruments of the same
    /// name and as many voices hold, they go on holding.
    pub fn go_on(&mut self, frame: u64, at: u64, held: &Held) {
        self.seek(frame, at);
        let setup = self.setup.clone();
        for (index, target) in setup.targets.iter().enumerate() {
            let same =
                |held: &&HeldTarget| held.name == target.name && held.voices.count() == target.voices.len();
            let Some(before) = held.targets.iter().find(same) else { continue };
            self.voices[index].take_over(&before.voices);
            self.offs.retain(|end| end.0.target != index);
            let end = |&(end, note): &(u64, u64)| {
                Reverse(NoteEnd { frame: end - held.frame + frame, note, target: index })
            };
            self.offs.extend(before.ends.iter().map(end));
            if setup.initial_tempo(target) == before.initial_tempo {
                self.beats[index] = before.beats.moved(held.frame, frame);
            }
        }
        self.stamp = self.stamp.max(held.stamp);
    }

    /// Keeps the present state, if the last one is a second old.
    pub(super) fn keep_state(&mut self) {
        let due = |last: &Sequencer| self.played >= last.played + u64::from(self.setup.rate);
        if self.setup.extent == Extent::Once || !self.states.0.back().is_none_or(due) {
            return;
        }
        let now = self.clone();
        if self.states.0.len() == STATES {
            self.states.0.pop_front();
        }
        self.states.0.push_back(now);
    }
}

impl Held {
    fn at(state: &Sequencer, frame: u64) -> Held {
        let target = |(index, target): (usize, &Target)| {
            let ends = state.offs.iter().filter(|end| end.0.target == index);
            HeldTarget {
                name: target.name.clone(),
                voices: state.voices[index].clone(),
                ends: ends.map(|end| (end.0.frame, end.0.note)).collect(),
                beats: state.beats[index].clone(),
                initial_tempo: state.setup.initial_tempo(target),
            }
        };
        let targets = state.setup.targets.iter().enumerate().map(target).collect();
        Held { frame, stamp: state.stamp, targets }
    }
}

impl Setup {
    /// Tempo and loop that an instrument begins with.
    pub(super) fn initial_tempo(&self, target: &Target) -> [f64; 2] {
        [target.bpm, target.looped]
            .map(|param| self.params.get(param).map_or(0.0, |slot| slot.default.max(slot.min).min(slot.max)))
    }
}
