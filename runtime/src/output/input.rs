//! The song's `in` from a device: a ring between the thread that hears and the one that renders.

use crate::program::QUANTUM;
use rtrb::{Consumer, Producer, RingBuffer};

/// Channels of the song's `in`.
const CHANNELS: usize = 2;
/// How much sound the ring can hold, in multiples of the cushion.
const ROOM: usize = 8;

/// The writing end: interleaved stereo.
pub(super) struct Ear {
    ring: Producer<f32>,
    /// Samples that wait before the reader has begun.
    cushion: usize,
    begun: bool,
    /// Samples that may wait; more means that the clocks differ, and then sound is left out.
    most: usize,
}

/// A ring with a cushion of silence of so many frames, and at least of a quantum: that is the delay of the input. A
/// quantum is rendered when its first frame is wanted, so one has to lie ready.
pub(super) fn ring(cushion: usize) -> (Ear, Consumer<f32>) {
    let cushion = CHANNELS * cushion.max(QUANTUM);
    let (mut ring, reader) = RingBuffer::new(ROOM * cushion);
    for _ in 0..cushion {
        // There is room.
        let _ = ring.push(0.0);
    }
    (Ear { ring, cushion, begun: false, most: ROOM / 2 * cushion }, reader)
}

impl Ear {
    /// Takes frames from one or two channels; one is heard on both. What comes before the reader begins is left out, as it
    /// would be heard late for ever. \[audio\]
    pub(super) fn hear(&mut self, frames: usize, channels: usize, sample: impl Fn(usize, usize) -> f32) {
        let waiting = self.ring.buffer().capacity() - self.ring.slots();
        self.begun |= waiting < self.cushion;
        if !self.begun || waiting + CHANNELS * frames > self.most {
            return;
        }
        for frame in 0..frames {
            for channel in 0..CHANNELS {
                // There is room: `most` is half of it.
                let _ = self.ring.push(sample(frame, channel.min(channels - 1)));
            }
        }
    }
}
