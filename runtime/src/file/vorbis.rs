//! How much memory the headers of a Vorbis stream ask for, found before a decoder is made: 256 codebooks of some bytes each
//! can stand for gigabytes. The layout is that of the Vorbis I specification, section 3.2.1.

/// The identification header, behind which the setup header lies.
const IDENT_BYTES: usize = 30;
/// Values of all codebooks that a stream may have. Encoders use some 100 000.
pub(super) const MOST_TABLE_VALUES: u64 = 1 << 22;
/// What a codebook begins with.
const SYNC: u32 = 0x56_43_42;

/// The values of all codebooks together, at least; `None` where the headers end early or are not such.
pub(super) fn table_values(headers: &[u8]) -> Option<u64> {
    let setup = headers.get(IDENT_BYTES..)?.strip_prefix(b"\x05vorbis")?;
    let mut bits = Bits { bytes: setup, at: 0 };
    let codebooks = bits.take(8)? + 1;
    let mut all = 0;
    for _ in 0..codebooks {
        all += codebook_values(&mut bits)?;
        if all > MOST_TABLE_VALUES {
            break;
        }
    }
    Some(all)
}

/// The values of one codebook, with its entries. Leaves the bits behind it.
fn codebook_values(bits: &mut Bits<'_>) -> Option<u64> {
    if bits.take(24)? != SYNC {
        return None;
    }
    let (dimensions, entries) = (bits.take(16)?, bits.take(24)?);
    let all = u64::from(entries) * u64::from(dimensions + 1);
    if all > MOST_TABLE_VALUES {
        return Some(all);
    }
    skip_lengths(bits, entries)?;
    match bits.take(4)? {
        0 => return Some(u64::from(entries)),
        kind @ (1 | 2) => {
            bits.skip(64)?;
            let width = bits.take(4)? + 1;
            bits.skip(1)?;
            let multiplicands =
                if kind == 1 { lookup1_values(entries, dimensions) } else { entries * dimensions };
            bits.skip(multiplicands as usize * width as usize)?;
        }
        _ => return None,
    }
    Some(all)
}

/// Skips the lengths of a codebook's words.
fn skip_lengths(bits: &mut Bits<'_>, entries: u32) -> Option<()> {
    if bits.take(1)? == 1 {
        bits.skip(5)?;
        let mut known = 0;
        while known < entries {
            let left = entries - known;
            known += bits.take(u32::BITS - left.leading_zeros())?;
        }
        return (known == entries).then_some(());
    }
    if bits.take(1)? == 0 {
        return bits.skip(entries as usize * 5);
    }
    for _ in 0..entries {
        if bits.take(1)? == 1 {
            bits.skip(5)?;
        }
    }
    Some(())
}

/// The greatest number whose power of `dimensions` is not above `entries`.
fn lookup1_values(entries: u32, dimensions: u32) -> u32 {
    let fits = |n: u32| n.checked_pow(dimensions).is_some_and(|power| power <= entries);
    let (mut low, mut high) = (0, entries);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if fits(middle) { low = middle } else { high = middle - 1 }
    }
    low
}

/// Bits of bytes, the lowest first.
struct Bits<'a> {
    bytes: &'a [u8],
    /// Bits that were taken.
    at: usize,
}

impl Bits<'_> {
    /// So many bits, up to 24.
    fn take(&mut self, count: u32) -> Option<u32> {
        let at = self.at;
        self.skip(count as usize)?;
        let byte = |i: usize| u32::from(self.bytes.get(at / 8 + i).copied().unwrap_or(0));
        let word = byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
        Some(word >> (at % 8) & ((1 << count) - 1))
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.at += count;
        (self.at <= self.bytes.len() * 8).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_TABLE_VALUES, lookup1_values, table_values};

    /// Headers with so many codebooks of 2^17 entries whose words have 17 bits, of 20 dimensions with one multiplicand of one bit.
    fn headers(codebooks: u32) -> Vec<u8> {
        let mut bits = vec![];
        let mut put = |value: u32, count: u32| bits.extend((0..count).map(|i| value >> i & 1 == 1));
        put(codebooks - 1, 8);
        for _ in 0..codebooks {
            let words = [(0x56_43_42, 24), (20, 16), (1 << 17, 24), (1, 1), (16, 5), (1 << 17, 18)];
            let lookup = [(1, 4), (0, 32), (0, 32), (0, 4), (0, 1), (0, 1)];
            words.iter().chain(&lookup).for_each(|&(value, count)| put(value, count));
        }
        let byte = |bits: &[bool]| bits.iter().rev().fold(0_u8, |byte, &bit| byte << 1 | u8::from(bit));
        [&[0; 30], &b"\x05vorbis"[..], &bits.chunks(8).map(byte).collect::<Vec<u8>>()].concat()
    }

    #[test]
    fn headers_that_ask_for_gigabytes_are_found_out() {
        let one = 21 * (1 << 17);
        assert_eq!(table_values(&headers(1)), Some(one));
        assert!(table_values(&headers(256)).is_some_and(|values| values > MOST_TABLE_VALUES));
        let whole = headers(1);
        assert_eq!(table_values(&whole[..whole.len() - 8]), None);
        let roots = [(125, 3, 5), (124, 3, 4), (1 << 17, 17, 2), (1 << 17, 20, 1), (0, 1, 0), (81, 4, 3)];
        roots.iter().for_each(|&(entries, dimensions, root)| {
            assert_eq!(lookup1_values(entries, dimensions), root, "{entries} {dimensions}");
        });
    }
}
