//! WAV: a `fmt ` chunk and one of samples, little-endian, sizes of 32 bits.
//!
//! Layout after Microsoft's "Multiple Channel Audio Data and WAVE Files": the extensible form wherever the plain one of
//! 16 bits and at most two channels does not do.

use super::plain::{Layout, Order, Plain};
use super::{Bits, FileError, Format};
use std::io::{Seek, Write};

/// Integers.
const PCM: u16 = 1;
/// Floats.
const FLOAT: u16 = 3;
/// The kind of samples stands further on.
const EXTENSIBLE: u16 = 0xfffe;
/// What follows the tag there.
const KIND: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
/// There are names for so many places of speakers.
const SPEAKERS: usize = 18;

/// Starts a WAV file.
pub(super) fn wav<W: Write + Seek>(out: W, format: Format) -> Result<Plain<W, Wav>, FileError> {
    if format.channels > usize::from(u16::MAX) {
        return Err(FileError::Unsupported("a WAV file has at most 65535 channels".into()));
    }
    Plain::new(out, format)
}

pub(super) struct Wav;

impl Layout for Wav {
    const ORDER: Order = Order::Little;
    const EVEN: bool = true;

    fn header(format: Format, data: u64) -> Vec<u8> {
        let fmt = describe(format);
        let mut header = b"RIFF".to_vec();
        let padding = data % 2;
        header.extend((4 + 8 + fmt.len() as u32 + 8 + (data + padding) as u32).to_le_bytes());
        header.extend(b"WAVEfmt ");
        header.extend((fmt.len() as u32).to_le_bytes());
        header.extend(fmt);
        header.extend(b"data");
        header.extend((data as u32).to_le_bytes());
        header
    }
}

/// The content of the `fmt ` chunk.
fn describe(format: Format) -> Vec<u8> {
    let (channels, bytes) = (format.channels, format.bits.bytes());
    let tag = if format.bits == Bits::Float32 { FLOAT } else { PCM };
    let extensible = format.bits != Bits::Int16 || channels > 2;
    let mut fmt = vec![];
    fmt.extend(if extensible { EXTENSIBLE } else { tag }.to_le_bytes());
    fmt.extend((channels as u16).to_le_bytes());
    fmt.extend(format.rate.to_le_bytes());
    fmt.extend(format.rate.wrapping_mul((channels * bytes) as u32).to_le_bytes());
    fmt.extend(((channels * bytes) as u16).to_le_bytes());
    fmt.extend((8 * bytes as u16).to_le_bytes());
    if extensible {
        fmt.extend(22_u16.to_le_bytes());
        fmt.extend((8 * bytes as u16).to_le_bytes());
        fmt.extend(((1_u32 << channels.min(SPEAKERS)) - 1).to_le_bytes());
        fmt.extend(tag.to_le_bytes());
        fmt.extend(KIND);
    }
    fmt
}
