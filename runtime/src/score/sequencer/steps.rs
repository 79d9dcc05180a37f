//! Which steps of a score's text sound when.

use super::track::Track;
use super::{Extent, Sequencer};
use std::ops::Range;

/// A step of a pattern while it sounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundingStep {
    /// Where it is written: bytes of the song's text.
    pub bytes: Range<usize>,
    /// The frames of the score from its beginning to its end: those of its event, whatever a note's own length.
    pub frames: Range<u64>,
}

impl Sequencer {
    /// The written steps that sound between two frames of the score, which goes on for ever; at most about `most`. It looks at
    /// the passes (or bars) before them, not at all since the start. What is random is what it is in that pass.
    pub fn sounding_steps(&self, frames: Range<u64>, most: usize) -> Vec<SoundingStep> {
        let (mut found, setup) = (vec![], &self.setup);
        for (index, transport) in setup.score.transports.iter().enumerate() {
            let track = Track::new(transport, index as u32 + 1, setup.rate, Extent::Forever);
            track.sounding_steps(frames.clone(), most, &mut found);
        }
        found
    }
}
