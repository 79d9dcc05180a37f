//! Apple's Core Audio Format: a description and one data chunk with a 64-bit size, little-endian samples.
//!
//! Layout after Apple's "Core Audio Format Specification 1.0".

use super::plain::{Layout, Order};
use super::{Bits, Format};

pub(super) struct Caf;

impl Layout for Caf {
    const ORDER: Order = Order::Little;
    const EVEN: bool = false;

    fn header(format: Format, data: u64) -> Vec<u8> {
        const FLOAT: u32 = 1;
        const LITTLE_ENDIAN: u32 = 2;
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
        header.extend(b"data");
        // The chunk begins with an edit count of four bytes.
        header.extend((data + 4).to_be_bytes());
        header.extend([0; 4]);
        header
    }
}
