//! What the device has played last, for the page's scope and spectrum.

use rtrb::Consumer;

/// Frames that are kept: as many as a spectrum is made of.
const CAPACITY: usize = 4096;

/// The last frames that were played, the mean of all channels.
pub(super) struct Heard {
    ring: Consumer<f32>,
    channels: usize,
    last: Vec<f32>,
}

impl Heard {
    /// What comes out of a ring of interleaved samples.
    pub(super) fn new(ring: Consumer<f32>, channels: usize) -> Heard {
        Heard { ring, channels: channels.max(1), last: vec![0.0; CAPACITY] }
    }

    /// Empties the ring.
    pub(super) fn take(&mut self) {
        let whole = self.ring.slots() / self.channels;
        for _ in 0..whole {
            let sum: f32 = (0..self.channels).filter_map(|_| self.ring.pop().ok()).sum();
            self.last.push(sum / self.channels as f32);
        }
        let surplus = self.last.len().saturating_sub(CAPACITY);
        self.last.drain(..surplus);
    }

    /// The frames, oldest first, as 16-bit numbers.
    pub(super) fn frames(&self) -> Vec<i16> {
        self.last.iter().map(|x| (x.clamp(-1.0, 1.0) * 32_767.0) as i16).collect()
    }
}
