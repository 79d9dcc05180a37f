//! Sounds that a song names, in memory.

/// The samples of a sound file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// Frames a second, as the file says.
    pub rate: u32,
    /// One channel or two, of one length, all finite.
    pub channels: Vec<Vec<f32>>,
}

impl Samples {
    /// Frames of each channel.
    pub fn frames(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }
}
