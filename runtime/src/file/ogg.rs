//! Pages of an Ogg file (RFC 3533), read from front to back. What is not a whole page, by its checksum too, is passed over.

use std::io::{self, Read};

/// What each page begins with.
const PATTERN: &[u8; 4] = b"OggS";
/// Bytes of a page before the lengths of its segments.
const HEADER: usize = 27;
/// Where its checksum is.
const CHECKSUM: std::ops::Range<usize> = 22..26;
/// Bytes of the longest page.
pub(super) const MOST_BYTES: usize = HEADER + 255 + 255 * 255;
/// A segment of so many bytes goes on in the next.
const FULL: u8 = 255;
/// Bytes that are read at a time.
const PORTION: usize = 1 << 16;

/// A page: what of packets is in it, and where it belongs in its stream.
pub(super) struct Page {
    /// The byte at which it begins.
    pub(super) at: u64,
    /// The stream that it is of.
    pub(super) serial: u32,
    /// Its number in that.
    pub(super) sequence: u32,
    /// The frame behind the last one of the packets that end in it; nothing where none does.
    pub(super) granule: Option<i64>,
    /// It begins with the rest of a packet.
    pub(super) continues: bool,
    /// It is the first of its stream.
    pub(super) is_first: bool,
    /// It is the last of its stream.
    pub(super) is_last: bool,
    lengths: Vec<u8>,
    body: Vec<u8>,
}

impl Page {
    /// What of packets is in it, and of each whether it ends here: the first may be the rest of one, and the last the
    /// beginning.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (&[u8], bool)> {
        let mut rest = &self.body[..];
        let ends = |length: &u8| *length < FULL;
        self.lengths.split_inclusive(ends).map(move |lengths| {
            let size = lengths.iter().map(|length| usize::from(*length)).sum();
            let (piece, behind) = rest.split_at(size);
            rest = behind;
            (piece, lengths.last().is_some_and(ends))
        })
    }
}

/// Reads the pages of a file from one of its bytes on, one after the other.
pub(super) struct Pages<R> {
    source: R,
    /// Bytes that were read and are not used up: those from `from` on.
    bytes: Vec<u8>,
    from: usize,
    /// The byte of the file at which these begin.
    at: u64,
}

impl<R: Read> Pages<R> {
    /// The pages from where the source is, which is byte `at` of the file.
    pub(super) fn new(source: R, at: u64) -> Pages<R> {
        Pages { source, bytes: vec![], from: 0, at }
    }

    /// The next page that is whole; nothing at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Page>> {
        loop {
            self.fill(HEADER)?;
            let ahead = self.ahead();
            if ahead.len() < HEADER {
                return Ok(None);
            }
            match ahead.windows(PATTERN.len()).position(|bytes| bytes == PATTERN) {
                Some(0) => {}
                // The last bytes may begin one.
                between => {
                    let passed = between.unwrap_or(ahead.len() + 1 - PATTERN.len());
                    self.pass(passed);
                    continue;
                }
            }
            let lengths = HEADER + usize::from(ahead[HEADER - 1]);
            self.fill(lengths)?;
            let sizes = self.ahead().get(HEADER..lengths).unwrap_or_default();
            let size = lengths + sizes.iter().map(|size| usize::from(*size)).sum::<usize>();
            self.fill(size)?;
            match self.ahead().get(..size).and_then(|bytes| page(bytes, lengths, self.at)) {
                Some(page) => {
                    self.pass(size);
                    return Ok(Some(page));
                }
                None => self.pass(PATTERN.len()),
            }
        }
    }

    /// The byte behind the last page that was read.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    fn ahead(&self) -> &[u8] {
        &self.bytes[self.from..]
    }

    fn pass(&mut self, count: usize) {
        self.from += count;
        self.at += count as u64;
    }

    /// Reads on until so many bytes are ahead, or the file is at its end.
    fn fill(&mut self, count: usize) -> io::Result<()> {
        if self.ahead().len() >= count {
            return Ok(());
        }
        self.bytes.drain(..self.from);
        self.from = 0;
        let missing = count.saturating_sub(self.bytes.len()).max(PORTION);
        self.source.by_ref().take(missing as u64).read_to_end(&mut self.bytes)?;
        Ok(())
    }
}

/// The page that these bytes are, of which those before `lengths` are header and lengths; nothing where they are none.
fn page(bytes: &[u8], lengths: usize, at: u64) -> Option<Page> {
    let flags = *bytes.get(5)?;
    let word = |at: usize| bytes[at..].first_chunk().map(|word| u32::from_le_bytes(*word));
    if bytes[4] != 0 || flags > 7 || word(CHECKSUM.start)? != checksum(bytes) {
        return None;
    }
    let granule = i64::from_le_bytes(*bytes[6..].first_chunk()?);
    Some(Page {
        at,
        serial: word(14)?,
        sequence: word(18)?,
        granule: (granule >= 0).then_some(granule),
        continues: flags & 1 != 0,
        is_first: flags & 2 != 0,
        is_last: flags & 4 != 0,
        lengths: bytes.get(HEADER..lengths)?.into(),
        body: bytes[lengths..].into(),
    })
}

/// The checksum of a page: a CRC of 32 bits, the highest first, of all its bytes, with 0 in the place of the checksum.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: u8| sum << 8 ^ TABLE[usize::from((sum >> 24) as u8 ^ byte)];
    let with_gap = bytes.iter().enumerate().map(|(at, byte)| if CHECKSUM.contains(&at) { 0 } else { *byte });
    with_gap.fold(0, step)
}

static TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        let mut sum = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            sum = (sum << 1) ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 };
            bit += 1;
        }
        table[index] = sum;
        index += 1;
    }
    table
};
