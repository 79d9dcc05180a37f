//! Apple's Core Audio Format: a description, texts and one data chunk with a 64-bit size, little-endian samples.
//!
//! Layout after Apple's "Core Audio Format Specification 1.0".

use super::plain::{Data, Layout, Order};
use super::{Bits, Details, Format, SOFTWARE};

/// What a CAF file says.
pub(super) struct Caf {
    format: Format,
    title: Option<String>,
}

impl Caf {
    pub(super) fn new(format: Format, details: &Details) -> Caf {
        Caf { format, title: details.title.clone() }
    }

    /// The content of the `info` chunk: pairs of texts.
    fn info(&self) -> Vec<u8> {
        let title = self.title.as_deref().map(|title| ("title", title));
        let pairs: Vec<_> = title.into_iter().chain([("encoding application", SOFTWARE)]).collect();
        let mut info = (pairs.len() as u32).to_be_bytes().to_vec();
        for text in pairs.into_iter().flat_map(|(key, value)| [key, value]) {
            info.extend(text.as_bytes());
            info.push(0);
        }
        info
    }
}

impl Layout for Caf {
    const ORDER: Order = Order::Little;
    const EVEN: bool = false;

    fn header(&self, data: Data) -> Vec<u8> {
        const FLOAT: u32 = 1;
        const LITTLE_ENDIAN: u32 = 2;
        let format = self.format;
        let bytes = format.bits.bytes() as u32;
        let channels = format.channels as u32;
        let float = if format.bits == Bits::Float32 { FLOAT } else { 0 };
        let mut header = b"caff\0\x01\0\0desc".to_vec();
        header.extend(32_u64.to_be_bytes());
        header.extend(f64::from(format.rate).to_be_bytes());
        header.extend(b"lpcm");
        for field in [float | LITTLE_ENDIAN, bytes * channels, 1, channels, bytes * 8] {
            header.extend(field.to_be_bytes());
        }
        if let Some(channels) = format.layout.apple(format.channels) {
            header.extend(b"chan");
            header.extend((channels.len() as u64).to_be_bytes());
            header.extend(channels);
        }
        let info = self.info();
        header.extend(b"info");
        header.extend((info.len() as u64).to_be_bytes());
        header.extend(info);
        header.extend(b"data");
        // The chunk begins with an edit count of four bytes. −1: up to the end of the file.
        let size = match data {
            Data::Bytes(bytes) => bytes as i64 + 4,
            Data::Unknown => -1,
        };
        header.extend(size.to_be_bytes());
        header.extend([0; 4]);
        header
    }
}
