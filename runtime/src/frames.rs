//! The buffers of a device or host, as [`crate::Live`] fills them.

/// A device's buffers for one callback, however it lays them out.
pub enum Frames<'a> {
    /// One sample of each channel after the other.
    Interleaved {
        /// `channels` samples a frame.
        data: &'a mut [f32],
        /// How many channels there are; at least 1.
        channels: usize,
    },
    /// One slice a channel, all of one length.
    Planar(&'a mut [&'a mut [f32]]),
}

impl Frames<'_> {
    /// How many frames there are; 0 without channels.
    pub fn frames(&self) -> usize {
        match self {
            Frames::Interleaved { data, channels } => data.len() / channels,
            Frames::Planar(channels) => channels.first().map_or(0, |channel| channel.len()),
        }
    }

    /// Writes `frames` frames from `start` on: the samples of each channel are asked for. \[audio\]
    pub fn write<'s>(&mut self, start: usize, source: impl Fn(usize) -> &'s [f32], frames: usize) {
        match self {
            // Both samples of a frame at once: a step of two floats keeps loops from being vectors.
            Frames::Interleaved { data, channels: 2 } => {
                let (left, right) = (&source(0)[..frames], &source(1)[..frames]);
                let places = data[start * 2..].chunks_exact_mut(2);
                places
                    .zip(left.iter().zip(right))
                    .for_each(|(place, (l, r))| place.copy_from_slice(&[*l, *r]));
            }
            Frames::Interleaved { data, channels } => {
                for channel in 0..*channels {
                    let places = data[start * *channels..].iter_mut().skip(channel).step_by(*channels);
                    places.zip(&source(channel)[..frames]).for_each(|(place, sample)| *place = *sample);
                }
            }
            Frames::Planar(channels) => {
                for (index, channel) in channels.iter_mut().enumerate() {
                    channel[start..start + frames].copy_from_slice(&source(index)[..frames]);
                }
            }
        }
    }

    /// Silence from `start` on. \[audio\]
    pub fn silence(&mut self, start: usize) {
        match self {
            Frames::Interleaved { data, channels } => data[start * *channels..].fill(0.0),
            Frames::Planar(channels) => channels.iter_mut().for_each(|channel| channel[start..].fill(0.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a render skips is written to nowhere, in any number of channels.
    #[test]
    fn no_frames_are_written_to_empty_buffers() {
        for channels in 1..=8 {
            Frames::Interleaved { data: &mut [], channels }.write(0, |_| &[], 0);
        }
        let mut data = [0.0; 6];
        Frames::Interleaved { data: &mut data, channels: 3 }.write(
            1,
            |channel| [&[1.0], &[2.0], &[3.0]][channel],
            1,
        );
        assert_eq!(data, [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
    }
}
