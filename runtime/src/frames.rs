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
            Frames::Interleaved { data, channels: 2 } => {
                interleave(
                    &mut data[start * 2..][..frames * 2],
                    [source(0), source(1)].map(|side| &side[..frames]),
                );
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

/// Writes two channels of one length sample by sample. Four frames at once are two shuffles of whole vectors; a step of two
/// floats keeps loops from being vectors, or loads halves of them. \[audio\]
fn interleave(to: &mut [f32], [left, right]: [&[f32]; 2]) {
    let (fours, rest) = to.as_chunks_mut::<8>();
    let ((left, last_left), (right, last_right)) = (left.as_chunks::<4>(), right.as_chunks::<4>());
    for (to, ([a, b, c, d], [e, f, g, h])) in fours.iter_mut().zip(left.iter().zip(right)) {
        *to = [*a, *e, *b, *f, *c, *g, *d, *h];
    }
    let last = last_left.iter().zip(last_right);
    rest.as_chunks_mut::<2>().0.iter_mut().zip(last).for_each(|(to, (l, r))| *to = [*l, *r]);
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

    /// Whole vectors and what is left of them, from any frame on; what is around stays.
    #[test]
    fn two_channels_of_any_length_lie_side_by_side() {
        let sides: [Vec<f32>; 2] = [1.0, -1.0].map(|sign| (1..=40).map(|n| sign * n as f32).collect());
        for (start, frames) in (0..3).flat_map(|start| (0..=20).map(move |frames| (start, frames))) {
            let mut data = vec![0.0; 2 * (start + frames + 1)];
            Frames::Interleaved { data: &mut data, channels: 2 }.write(start, |side| &sides[side], frames);
            let written = (1..=frames).flat_map(|n| [n as f32, -(n as f32)]);
            let whole: Vec<f32> =
                std::iter::repeat_n(0.0, 2 * start).chain(written).chain([0.0; 2]).collect();
            assert_eq!(data, whole);
        }
    }
}
