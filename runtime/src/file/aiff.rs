//! AIFF for integers, AIFF-C for floats: big-endian chunks, the rate as an 80-bit float.
//!
//! Layout after Apple's "Audio Interchange File Format AIFF-C", draft of 26 August 1991.

use super::plain::{Layout, Order, Plain};
use super::{Bits, FileError, Format};
use std::io::{Seek, Write};

/// Starts an AIFF file.
pub(super) fn aiff<W: Write + Seek>(out: W, format: Format) -> Result<Plain<W, Aiff>, FileError> {
    if format.channels > i16::MAX as usize {
        return Err(FileError::Unsupported("an AIFF file has at most 32767 channels".into()));
    }
    Plain::new(out, format)
}

pub(super) struct Aiff;

impl Layout for Aiff {
    const ORDER: Order = Order::Big;
    const EVEN: bool = true;

    fn header(format: Format, data: u64) -> Vec<u8> {
        let mut chunks = Vec::new();
        if format.bits == Bits::Float32 {
            chunk(&mut chunks, b"FVER", &0xA280_5140_u32.to_be_bytes());
        }
        chunk(&mut chunks, b"COMM", &common(format, data));
        chunks.extend(b"SSND");
        chunks.extend((data as u32 + 8).to_be_bytes());
        chunks.extend([0; 8]);
        let mut header = b"FORM".to_vec();
        let padding = data % 2;
        header.extend((4 + chunks.len() as u32 + data as u32 + padding as u32).to_be_bytes());
        header.extend(if format.bits == Bits::Float32 { b"AIFC" } else { b"AIFF" });
        header.extend(chunks);
        header
    }
}

/// The content of the `COMM` chunk.
fn common(format: Format, data: u64) -> Vec<u8> {
    let bytes = format.bits.bytes();
    let mut common = Vec::new();
    common.extend((format.channels as u16).to_be_bytes());
    common.extend(((data / (format.channels * bytes) as u64) as u32).to_be_bytes());
    common.extend((bytes as u16 * 8).to_be_bytes());
    common.extend(extended(format.rate));
    if format.bits == Bits::Float32 {
        common.extend(b"fl32");
        // A counted string of even length in all.
        common.extend(b"\x0d32-bit floats");
    }
    common
}

fn chunk(into: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    into.extend(name);
    into.extend((content.len() as u32).to_be_bytes());
    into.extend(content);
}

/// A whole number as an 80-bit IEEE float: sign and exponent, then 64 bits with the leading 1.
fn extended(rate: u32) -> [u8; 10] {
    let mut bytes = [0; 10];
    let shift = u64::from(rate).leading_zeros();
    bytes[..2].copy_from_slice(&(16383 + 63 - shift as u16).to_be_bytes());
    bytes[2..].copy_from_slice(&(u64::from(rate) << shift).to_be_bytes());
    bytes
}
