//! Sounds that are streamed while a song is played.

use super::Player;
use crate::live::figures::streams;

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
}
