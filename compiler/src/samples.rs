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

/// Whether a text is the name of a sound file, by its ending: of the formats that `sample` reads where the host can.
pub(crate) fn is_named_as_sound(name: &str) -> bool {
    const ENDINGS: [&str; 10] = ["wav", "wave", "aif", "aiff", "aifc", "caf", "flac", "mp3", "ogg", "oga"];
    let ending = std::path::Path::new(name).extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)))
}
