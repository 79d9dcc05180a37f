//! AIFF for integers, AIFF-C for floats: big-endian chunks, the rate as an 80-bit float.
//!
//! Layout after Apple's "Audio Interchange File Format AIFF-C", draft of 26 August 1991.

use super::plain::{Data, Layout, Order};
use super::{Bits, Details, FileError, Format, SOFTWARE};

/// What an AIFF file says.
pub(super) struct Aiff {
    format: Format,
    title: Option<String>,
}

impl Aiff {
    pub(super) fn new(format: Format, details: &Details) -> Result<Aiff, FileError> {
        if format.channels > i16::MAX as usize {
            return Err(FileError::Unsupported("an AIFF file has at most 32767 channels".into()));
        }
        Ok(Aiff { format, title: details.title.clone() })
    }

    /// The content of the `COMM` chunk.
    fn common(&self, data: u64) -> Vec<u8> {
        let format = self.format;
        let mut common = Vec::new();
        common.extend((format.channels as u16).to_be_bytes());
        common.extend(((data / format.frame_bytes()) as u32).to_be_bytes());
        common.extend((format.bits.bytes() as u16 * 8).to_be_bytes());
        common.extend(extended(format.rate));
        if format.bits == Bits::Float32 {
            common.extend(b"fl32");
            // A counted string of even length in all.
            common.extend(b"\x0d32-bit floats");
        }
        common
    }
}

impl Layout for Aiff {
    const ORDER: Order = Order::Big;
    const EVEN: bool = true;

    fn header(&self, data: Data) -> Vec<u8> {
        // A stream of unknown length says the greatest that there is.
        let data = match data {
            Data::Bytes(bytes) => bytes,
            Data::Unknown => {
                super::most_data_of_32_bits() / self.format.frame_bytes() * self.format.frame_bytes()
            }
        };
        let mut chunks = Vec::new();
        if self.format.bits == Bits::Float32 {
            chunk(&mut chunks, b"FVER", &0xA280_5140_u32.to_be_bytes());
        }
        if let Some(title) = &self.title {
            chunk(&mut chunks, b"NAME", title.as_bytes());
        }
        chunk(&mut chunks, b"ANNO", SOFTWARE.as_bytes());
        chunk(&mut chunks, b"COMM", &self.common(data));
        if let Some(channels) = self.format.layout.apple(self.format.channels) {
            chunk(&mut chunks, b"CHAN", &channels);
        }
        chunks.extend(b"SSND");
        chunks.extend((data as u32 + 8).to_be_bytes());
        chunks.extend([0; 8]);
        let mut header = b"FORM".to_vec();
        let padding = data % 2;
        header.extend((4 + chunks.len() as u32 + data as u32 + padding as u32).to_be_bytes());
        header.extend(if self.format.bits == Bits::Float32 { b"AIFC" } else { b"AIFF" });
        header.extend(chunks);
        header
    }
}

fn chunk(into: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    into.extend(name);
    into.extend((content.len() as u32).to_be_bytes());
    into.extend(content);
    if content.len() % 2 == 1 {
        into.push(0);
    }
}

/// A whole number as an 80-bit IEEE float: sign and exponent, then 64 bits with the leading 1.
fn extended(rate: u32) -> [u8; 10] {
    let mut bytes = [0; 10];
    let shift = u64::from(rate).leading_zeros();
    bytes[..2].copy_from_slice(&(16383 + 63 - shift as u16).to_be_bytes());
    bytes[2..].copy_from_slice(&(u64::from(rate) << shift).to_be_bytes());
    bytes
}
