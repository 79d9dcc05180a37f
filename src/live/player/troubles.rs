//! What goes wrong while a song plays, each told once.

use super::Player;
use super::open::unheard_channels;
use crate::live::figures::streams;
use crate::report::{finite, unplayed};

impl Player {
    /// Says which sounds cannot be read any more; of each once.
    pub(super) fn report_streams(&mut self) {
        let program = self.control.program().clone();
        for stream in streams(&program) {
            if let Some(why) = stream.new_trouble() {
                let name = &stream.about().name;
                self.ui.insist(&format!("warning: `{name}` is silent in places: {why}\n"));
            }
        }
    }

    /// Says which steps have become silent because they were not finite; of each only the first time after an edit.
    pub(super) fn report_not_finite(&mut self) {
        for (program, failure) in self.control.not_finite() {
            if self.not_finite.iter().any(|known| known.computes == failure.computes) {
                continue;
            }
            let sentence = finite::sentence(&failure, &program);
            self.ui.insist(&format!(
                "warning: {sentence}; it is silent until its next note or an edit that changes it\n"
            ));
            self.not_finite.push(failure);
        }
    }

    /// Says which lines cannot be played; of each only the first time after an edit.
    pub(super) fn report_unplayed(&mut self) {
        let program = self.control.program().clone();
        for cycle in self.control.unplayed() {
            if self.unplayed.contains(&cycle.line) {
                continue;
            }
            self.unplayed.push(cycle.line);
            let sentence = unplayed::sentence(cycle, &program);
            self.ui.insist(&format!("warning: {sentence}, and is silent\n"));
        }
    }

    /// Says which channels of the song the device has not, where that is otherwise than it was.
    pub(super) fn report_channels(&mut self) {
        let before = std::mem::replace(&mut self.unheard, unheard_channels(&self.score, &self.format));
        if let Some(missing) = self.unheard.as_ref().filter(|missing| before.as_ref() != Some(*missing)) {
            self.ui.insist(missing);
        }
    }
}
