//! Sounds that a song names, in memory.

/// The samples of a sound file, or of a `table`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// Frames a second: as the file says, or those of the song.
    pub rate: u32,
    /// One channel or two, of one length, all finite.
    pub channels: Vec<Vec<f32>>,
}

impl Samples {
    /// Frames of each channel.
    pub fn frames(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }

    /// The samples of the first channel, as numbers.
    pub(crate) fn numbers(&self) -> Vec<f64> {
        self.channels.first().map_or(vec![], |channel| channel.iter().copied().map(f64::from).collect())
    }
}
