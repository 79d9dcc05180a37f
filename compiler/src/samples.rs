//! Sounds that a song names, in memory or streamed.

use mam_runtime::stream::Stream;
use std::sync::Arc;

/// The samples of a sound file, or of a `table`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// Frames a second: as the file says, or those of the song.
    pub rate: u32,
    /// One channel or two, of one length, all finite; empty where it is streamed.
    pub channels: Vec<Vec<f32>>,
    /// What reads it while it plays, where it is too long to be in memory.
    pub stream: Option<Arc<Stream>>,
}

impl Samples {
    /// A sound that is read while it plays.
    pub fn streamed(stream: Arc<Stream>) -> Samples {
        let about = stream.about();
        let (rate, channels) = (about.rate, vec![vec![]; about.channels]);
        Samples { rate, channels, stream: Some(stream) }
    }

    /// Frames of each channel.
    pub fn frames(&self) -> usize {
        match &self.stream {
            Some(stream) => stream.about().frames as usize,
            None => self.channels.first().map_or(0, Vec::len),
        }
    }

    /// The samples of the first channel, as numbers.
    pub(crate) fn numbers(&self) -> Vec<f64> {
        self.channels.first().map_or(vec![], |channel| channel.iter().copied().map(f64::from).collect())
    }
}
