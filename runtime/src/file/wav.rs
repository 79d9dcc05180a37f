//! WAV: a `fmt ` chunk, texts and samples, little-endian; RF64 where 32 bits do not hold the sizes.
//!
//! Layout after Microsoft's "Multiple Channel Audio Data and WAVE Files": the extensible form wherever the plain one of
//! 16 bits and at most two channels does not do. RF64 after EBU Tech 3306: its chunk of 64-bit sizes takes the place of a
//! `JUNK` chunk, so that a file becomes one at its end without being written again.

use super::plain::{Data, Layout, Order};
use super::{Bits, Details, FileError, Format, Frames, SOFTWARE, most_data_of_32_bits};

/// The format tag of integers.
const PCM: u16 = 1;
/// The format tag of floats.
const FLOAT: u16 = 3;
/// The kind of samples stands further on.
const EXTENSIBLE: u16 = 0xfffe;
/// What follows the tag there.
pub(super) const KIND: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
/// The content of a chunk of 64-bit sizes: three of them, and a table of none.
const SIZES: usize = 28;

/// What a WAV file says.
pub(super) struct Wav {
    format: Format,
    title: Option<String>,
    /// Whether there is room for 64-bit sizes.
    can_be_long: bool,
}

impl Wav {
    pub(super) fn new(format: Format, details: &Details) -> Result<Wav, FileError> {
        if format.channels * format.bits.bytes() > usize::from(u16::MAX) {
            return Err(FileError::Unsupported("a frame of a WAV file has at most 65535 bytes".into()));
        }
        let too_long = |frames: u64| frames.saturating_mul(format.frame_bytes()) > most_data_of_32_bits();
        let can_be_long = match details.frames {
            Frames::Exactly(frames) | Frames::AtMost(frames) => too_long(frames),
            Frames::Unknown => true,
        };
        Ok(Wav { format, title: details.title.clone(), can_be_long })
    }

    /// The chunks between the sizes and the samples.
    fn chunks(&self) -> Vec<u8> {
        let mut chunks = Vec::new();
        chunk(&mut chunks, b"fmt ", &describe(self.format));
        let mut list = b"INFO".to_vec();
        if let Some(title) = &self.title {
            chunk(&mut list, b"INAM", format!("{title}\0").as_bytes());
        }
        chunk(&mut list, b"ISFT", format!("{SOFTWARE}\0").as_bytes());
        chunk(&mut chunks, b"LIST", &list);
        chunks
    }
}

impl Layout for Wav {
    const ORDER: Order = Order::Little;
    const EVEN: bool = true;

    fn header(&self, data: Data) -> Vec<u8> {
        let chunks = self.chunks();
        let room = if self.can_be_long { 8 + SIZES } else { 0 };
        let known = match data {
            Data::Bytes(bytes) => bytes,
            Data::Unknown => 0,
        };
        let riff = 4 + room as u64 + chunks.len() as u64 + 8 + known + known % 2;
        let short = |size: u64| u32::try_from(size).unwrap_or(u32::MAX);
        let is_long = self.can_be_long && known > most_data_of_32_bits();
        let (riff_size, data_size) = match data {
            Data::Bytes(bytes) if !is_long => (short(riff), short(bytes)),
            _ => (u32::MAX, u32::MAX),
        };
        let mut header = if is_long { b"RF64".to_vec() } else { b"RIFF".to_vec() };
        header.extend(riff_size.to_le_bytes());
        header.extend(b"WAVE");
        if is_long {
            let frames = known / self.format.frame_bytes();
            let mut sizes: Vec<u8> = [riff, known, frames].into_iter().flat_map(u64::to_le_bytes).collect();
            sizes.extend([0; 4]);
            chunk(&mut header, b"ds64", &sizes);
        } else if self.can_be_long {
            chunk(&mut header, b"JUNK", &[0; SIZES]);
        }
        header.extend(chunks);
        header.extend(b"data");
        header.extend(data_size.to_le_bytes());
        header
    }
}

fn chunk(into: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    into.extend(name);
    into.extend((content.len() as u32).to_le_bytes());
    into.extend(content);
    if content.len() % 2 == 1 {
        into.push(0);
    }
}

/// The content of the `fmt ` chunk.
fn describe(format: Format) -> Vec<u8> {
    let (channels, bytes) = (format.channels, format.bits.bytes());
    let tag = if format.bits == Bits::Float32 { FLOAT } else { PCM };
    let extensible = format.bits != Bits::Int16 || channels > 2;
    let bytes_a_second = u64::from(format.rate) * format.frame_bytes();
    let mut fmt = vec![];
    fmt.extend(if extensible { EXTENSIBLE } else { tag }.to_le_bytes());
    fmt.extend((channels as u16).to_le_bytes());
    fmt.extend(format.rate.to_le_bytes());
    fmt.extend(u32::try_from(bytes_a_second).unwrap_or(u32::MAX).to_le_bytes());
    fmt.extend(((channels * bytes) as u16).to_le_bytes());
    fmt.extend((8 * bytes as u16).to_le_bytes());
    if extensible {
        fmt.extend(22_u16.to_le_bytes());
        fmt.extend((8 * bytes as u16).to_le_bytes());
        fmt.extend(format.layout.speakers(channels).to_le_bytes());
        fmt.extend(tag.to_le_bytes());
        fmt.extend(KIND);
    }
    fmt
}
