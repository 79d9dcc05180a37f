//! What the channels of a sound are: signals of speakers, or components of a sound field.

/// What the channels of a sound are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum ChannelLayout {
    /// Signals of speakers, in the order of FLAC and WAV: left, right, centre, low frequencies, rear left, rear right, sides.
    #[default]
    Speakers,
    /// The components of an ambisonic sound field in the order of ACN with the levels of SN3D (AmbiX): W, Y, Z, X.
    Ambisonic,
}

/// Which of a WAV file's speakers so many channels are, from one channel on: the assignment of FLAC (RFC 9639, section 9.1.3).
/// Bit 0 is the left front, 1 the right, 2 the centre, 3 low frequencies, 4 and 5 the rear, 8 the rear centre, 9 and 10 the sides.
const SPEAKERS: [u32; 8] = [0x1, 0x3, 0x7, 0x33, 0x37, 0x3f, 0x70f, 0x63f];

impl ChannelLayout {
    /// The speakers of so many channels, a bit each as WAV files have them; 0 where channels are not those of speakers.
    pub fn speakers(self, channels: usize) -> u32 {
        match self {
            ChannelLayout::Speakers => {
                channels.checked_sub(1).and_then(|at| SPEAKERS.get(at)).map_or(0, |&mask| mask)
            }
            ChannelLayout::Ambisonic => 0,
        }
    }

    /// The content of Apple's chunk of channels (`chan` in CAF, `CHAN` in AIFF): a tag, a bit for each speaker, and a list of none.
    /// `None` for one channel and two, which need no chunk, and where nothing is known of them.
    #[cfg(feature = "files")]
    pub(crate) fn apple(self, channels: usize) -> Option<[u8; 12]> {
        const BITMAP: u32 = 1 << 16;
        const HOA_ACN_SN3D: u32 = 190 << 16;
        let (tag, bits) = match self {
            ChannelLayout::Ambisonic => (HOA_ACN_SN3D | channels as u32, 0),
            ChannelLayout::Speakers => (BITMAP, self.speakers(channels)),
        };
        let is_needed = channels > 2 && (bits != 0 || tag != BITMAP);
        let mut chunk = [0; 12];
        chunk[..4].copy_from_slice(&tag.to_be_bytes());
        chunk[4..8].copy_from_slice(&bits.to_be_bytes());
        is_needed.then_some(chunk)
    }
}
