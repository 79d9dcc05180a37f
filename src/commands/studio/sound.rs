//! What the device has played: the last of it for the page's scope and spectrum, all of it for a recording.

use rtrb::Consumer;

/// Frames that are kept: as many as a spectrum is made of.
const CAPACITY: usize = 4096;

/// The last frames that were played, the mean of all channels.
pub(super) struct Heard {
    ring: Consumer<f32>,
    channels: usize,
    last: Vec<f32>,
    /// What was played since it was asked for, interleaved.
    played: Vec<f32>,
}

impl Heard {
    /// What comes out of a ring of interleaved samples.
    pub(super) fn new(ring: Consumer<f32>, channels: usize) -> Heard {
        Heard { ring, channels: channels.max(1), last: vec![0.0; CAPACITY], played: vec![] }
    }

    /// Empties the ring. Gives back what was in it: whole frames, interleaved.
    pub(super) fn take(&mut self) -> &[f32] {
        self.played.clear();
        let whole = self.ring.slots() / self.channels * self.channels;
        if let Ok(chunk) = self.ring.read_chunk(whole) {
            let (first, second) = chunk.as_slices();
            self.played.extend_from_slice(first);
            self.played.extend_from_slice(second);
            chunk.commit_all();
        }
        let means = self
            .played
            .chunks_exact(self.channels)
            .map(|frame| frame.iter().sum::<f32>() / frame.len() as f32);
        self.last.extend(means);
        let surplus = self.last.len().saturating_sub(CAPACITY);
        self.last.drain(..surplus);
        &self.played
    }

    /// The frames, oldest first, as 16-bit numbers.
    pub(super) fn frames(&self) -> Vec<i16> {
        self.last.iter().map(|x| (x.clamp(-1.0, 1.0) * 32_767.0) as i16).collect()
    }
}
