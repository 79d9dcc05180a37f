//! Bits into bytes, most significant first, and the two checksums of a FLAC frame (RFC 9639, sections 9.1.8 and 9.3).

/// Bytes in the making.
#[derive(Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits that do not fill a byte yet, in the low end.
    pending: u64,
    /// How many those are, fewer than 8 between calls.
    count: u32,
}

impl BitWriter {
    /// Appends the `count` lowest bits of `value`, at most 32.
    pub(super) fn put(&mut self, value: u32, count: u32) {
        let mask = (1_u64 << count) - 1;
        self.pending = (self.pending << count) | (u64::from(value) & mask);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push((self.pending >> self.count) as u8);
        }
    }

    /// Appends a number in two's complement, `count` bits wide.
    pub(super) fn put_signed(&mut self, value: i32, count: u32) {
        self.put(value as u32, count);
    }

    /// Appends `zeros` zeros and a one.
    pub(super) fn put_unary(&mut self, mut zeros: u32) {
        while zeros >= 32 {
            self.put(0, 32);
            zeros -= 32;
        }
        self.put(1, zeros + 1);
    }

    /// Fills the last byte with zeros.
    pub(super) fn align(&mut self) {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
    }

    /// The whole bytes so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Starts again with nothing.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        (self.pending, self.count) = (0, 0);
    }
}

/// The checksum of a frame's header: x⁸ + x² + x + 1.
pub(super) fn crc8(bytes: &[u8]) -> u8 {
    let step = |crc: u8, _| if crc & 0x80 == 0 { crc << 1 } else { (crc << 1) ^ 0x07 };
    bytes.iter().fold(0, |crc, byte| (0..8).fold(crc ^ byte, step))
}

/// The checksum of a whole frame: x¹⁶ + x¹⁵ + x² + 1.
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    const TABLE: [u16; 256] = crc16_table();
    bytes.iter().fold(0, |crc, byte| (crc << 8) ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)])
}

const fn crc16_table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = ((byte as u16) << 8, 0);
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x8005 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}
