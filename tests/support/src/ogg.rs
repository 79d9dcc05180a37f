//! Ogg files that tests make or change.

/// Makes the pages of an Ogg file pass as whole, so that what is in them is looked at (RFC 3533, section 6).
pub fn correct_checksums(bytes: &mut [u8]) {
    const CHECKSUM: std::ops::Range<usize> = 22..26;
    let starts: Vec<usize> = (0..bytes.len()).filter(|&i| bytes[i..].starts_with(b"OggS")).collect();
    for start in starts {
        let page = &mut bytes[start..];
        let Some(&segments) = page.get(26) else { continue };
        let Some(lengths) = page.get(27..27 + segments as usize) else { continue };
        let size = 27 + lengths.len() + lengths.iter().map(|&n| n as usize).sum::<usize>();
        let Some(page) = page.get_mut(..size) else { continue };
        page[CHECKSUM].fill(0);
        let mut checksum = 0_u32;
        for &byte in &*page {
            checksum ^= u32::from(byte) << 24;
            for _ in 0..8 {
                checksum = (checksum << 1) ^ if checksum >> 31 == 1 { 0x04c1_1db7 } else { 0 };
            }
        }
        page[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    }
}
