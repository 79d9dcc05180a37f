//! The frames of an MP3 file: where they are, so that decoding can begin at any of them.
//!
//! The file itself has no index. Headers say how long their frames are, so the file is read through once; what is no frame between them
//! is passed over, as the decoder's own reader does (ISO/IEC 11172-3 and 13818-3, 2.4.1).

use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// Bytes of a header.
const HEADER: usize = 4;
/// Bytes that are read at a time.
const PORTION: usize = 1 << 16;
/// Bytes before the first frame, behind tags, at most.
const MOST_JUNK: u64 = 1 << 16;
/// Bits a second of Layer III, by their number in a header: of MPEG-1, and of MPEG-2 and 2.5, in thousands.
const BIT_RATES: [[u32; 15]; 2] = [
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Frames a second.
    pub(super) rate: u32,
    pub(super) channels: usize,
    /// Bytes of the frame, with the header.
    pub(super) bytes: usize,
    /// Frames of sound.
    pub(super) frames: u64,
    /// Where a tag of the encoder stands in a frame that has one, by the two that there are.
    tags: [usize; 2],
}

impl Header {
    /// What such a word says; nothing where it is not a header of Layer III.
    fn read(word: u32) -> Option<Header> {
        let bits = |at: u32, count: u32| (word >> at & ((1 << count) - 1)) as usize;
        let is_header = word >> 21 == 0x7ff && bits(19, 2) != 1 && bits(17, 2) == 1;
        let (version, bit_rate, rate) = (bits(19, 2), bits(12, 4), bits(10, 2));
        if !is_header || rate == 3 || !(1..15).contains(&bit_rate) {
            return None;
        }
        let is_first = version == 3;
        let rate = [44_100, 48_000, 32_000][rate] >> [2, 0, 1, 0][version];
        let bit_rate = BIT_RATES[usize::from(!is_first)][bit_rate] * 1000;
        let frames = if is_first { 1152 } else { 576 };
        let bytes = (frames / 8 * bit_rate / rate) as usize + bits(9, 1);
        let channels = if bits(6, 2) == 3 { 1 } else { 2 };
        let side = match (is_first, channels) {
            (true, 2) => 32,
            (true, _) | (false, 2) => 17,
            (false, _) => 9,
        };
        let tags = [HEADER + side, HEADER + 32];
        Some(Header { rate, channels, bytes, frames: frames.into(), tags })
    }

    /// Whether a frame holds what an encoder says of the file instead of sound.
    fn is_tag(&self, data: &[u8]) -> bool {
        let has = |at: usize, name: &[u8]| data.get(at..at + 4) == Some(name);
        has(self.tags[0], b"Xing") || has(self.tags[0], b"Info") || has(self.tags[1], b"VBRI")
    }
}

/// Reads frame by frame.
pub(super) struct Frames<R> {
    source: BufReader<R>,
    at: u64,
}

impl<R: Read> Frames<R> {
    /// The frames from where the source is, which is byte `at` of the file.
    pub(super) fn new(source: R, at: u64) -> Frames<R> {
        Frames { source: BufReader::with_capacity(PORTION, source), at }
    }

    /// The next frame of sound, with its header, as `data`, and the byte at which it begins; nothing at the end.
    pub(super) fn next(&mut self, data: &mut Vec<u8>) -> io::Result<Option<(u64, Header)>> {
        loop {
            let Some((word, header)) = self.header()? else { return Ok(None) };
            let begin = self.at - HEADER as u64;
            data.clear();
            data.extend(word.to_be_bytes());
            data.resize(header.bytes.max(HEADER), 0);
            match self.source.read_exact(&mut data[HEADER..]) {
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                read => read?,
            }
            self.at = begin + data.len() as u64;
            if !header.is_tag(data) {
                return Ok(Some((begin, header)));
            }
        }
    }

    /// The next header, wherever it is.
    fn header(&mut self) -> io::Result<Option<(u32, Header)>> {
        let (mut word, mut count) = (0u32, 0);
        loop {
            let mut byte = [0];
            match self.source.read_exact(&mut byte) {
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                read => read?,
            }
            self.at += 1;
            count += 1;
            word = word << 8 | u32::from(byte[0]);
            if count >= HEADER
                && let Some(header) = Header::read(word)
            {
                return Ok(Some((word, header)));
            }
        }
    }
}

/// The byte at which the first frame of a file begins, behind its tags: one that another one follows.
pub(super) fn first_frame<R: Read + Seek>(source: &mut R) -> io::Result<Option<u64>> {
    let mut at = 0;
    // How long a tag of ID3v2 is stands in four bytes, seven bits in each.
    loop {
        let mut head = [0; 10];
        source.seek(SeekFrom::Start(at))?;
        if source.read_exact(&mut head).is_err() || &head[..3] != b"ID3" {
            break;
        }
        let size = head[6..].iter().fold(0, |size, byte| size << 7 | u64::from(byte & 0x7f));
        at += 10 + size + if head[5] & 0x10 != 0 { 10 } else { 0 };
    }
    let (mut data, last) = (vec![], at + MOST_JUNK);
    while at < last {
        source.seek(SeekFrom::Start(at))?;
        let mut frames = Frames::new(&mut *source, at);
        let Some((_, header)) = frames.header()? else { return Ok(None) };
        let begin = frames.at - HEADER as u64;
        source.seek(SeekFrom::Start(begin + header.bytes as u64))?;
        data.clear();
        source.by_ref().take(HEADER as u64).read_to_end(&mut data)?;
        let next = data.first_chunk().map(|word| Header::read(u32::from_be_bytes(*word)));
        let is_alike = |next: Header| (next.rate, next.channels) == (header.rate, header.channels);
        if next.is_none_or(|next| next.is_some_and(is_alike)) {
            return Ok(Some(begin));
        }
        at = begin + 1;
    }
    Ok(None)
}
