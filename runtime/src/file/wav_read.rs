//! Reading WAV and its relatives of 64-bit sizes: RIFF, RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088), Sony's Wave64.
//!
//! A chunk's size is a hint where it is the last one: streams are written with sizes of 0 or all ones, and files that were
//! cut off say more than they hold. Nothing is allocated by what a header says.

use super::FileError;
use super::plain::Order;
use super::samples::{Coding, Header, Samples};
use super::wav::KIND;
use std::io::{self, ErrorKind, Read};

/// How many of the first bytes tell what a file is.
pub(super) const MARK: usize = 40;
/// What follows the four letters in the names of Wave64: `riff`, and all others.
const WAVE64_RIFF: [u8; 12] = [0x2e, 0x91, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0, 0];
const WAVE64: [u8; 12] = [0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a];
/// Chunks before the samples, at most; a real file has a dozen.
const MOST_CHUNKS: usize = 10_000;

/// Whether these are the first [`MARK`] bytes of such a file.
pub(super) fn is_wav(head: &[u8]) -> bool {
    let riff = [b"RIFF", b"RF64", b"BW64"].iter().any(|name| head.starts_with(*name));
    riff && head.get(8..12) == Some(b"WAVE") || is_wave64(head)
}

fn is_wave64(head: &[u8]) -> bool {
    head.starts_with(b"riff") && head.get(4..16) == Some(&WAVE64_RIFF)
}

/// Reads a file from its beginning up to its samples. Returns what they are, and how many bytes where that is known.
///
/// # Errors
/// When its samples are of a kind that mam does not read, or it ends before them.
pub(super) fn header(source: &mut dyn Read) -> Result<Header, FileError> {
    let ends = || FileError::Malformed("the file ends before its sound begins".into());
    let mut chunks = Chunks::open(source)?;
    let mut kind = None;
    for _ in 0..MOST_CHUNKS {
        let chunk = chunks.next()?.ok_or_else(ends)?;
        match &chunk.name {
            b"fmt " => kind = Some(describe(&chunks.content(&chunk, 64)?)?),
            b"data" => {
                let kind = kind.ok_or_else(|| {
                    FileError::Malformed("a WAV file whose samples come before their description".into())
                })?;
                return Ok((kind, chunk.size));
            }
            _ => chunks.skip(&chunk)?,
        }
    }
    Err(FileError::Malformed("a WAV file of more chunks than mam reads".into()))
}

/// The name of the program that wrote such a file, as its beginning says (`ISFT`).
///
/// # Errors
/// When it cannot be read.
pub(super) fn software(source: impl Read) -> io::Result<Option<String>> {
    let found = || -> Result<Option<String>, FileError> {
        let mut chunks = Chunks::open(source)?;
        for _ in 0..MOST_CHUNKS {
            match chunks.next()? {
                None => return Ok(None),
                Some(chunk) if chunk.name == *b"data" => return Ok(None),
                Some(chunk) if chunk.name == *b"LIST" => {
                    let list = chunks.content(&chunk, 1 << 16)?;
                    if let Some(name) = in_list(&list, *b"ISFT") {
                        return Ok(Some(name));
                    }
                }
                Some(chunk) => chunks.skip(&chunk)?,
            }
        }
        Ok(None)
    };
    match found() {
        Ok(name) => Ok(name),
        Err(FileError::Io(e)) if e.kind() != ErrorKind::UnexpectedEof => Err(e),
        Err(_) => Ok(None),
    }
}

/// A text in the content of a `LIST` chunk of texts.
fn in_list(list: &[u8], name: [u8; 4]) -> Option<String> {
    let mut rest = list.strip_prefix(b"INFO")?;
    while let Some((head, content)) = rest.split_at_checked(8) {
        let size = u32::from_le_bytes(head[4..].try_into().ok()?) as usize;
        let text = content.get(..size)?;
        if head[..4] == name {
            let end = text.iter().position(|&b| b == 0).unwrap_or(text.len());
            return Some(String::from_utf8_lossy(&text[..end]).into_owned());
        }
        rest = content.get(size + size % 2..)?;
    }
    None
}

/// Reads so many bytes.
pub(super) fn fill(source: &mut impl Read, into: &mut [u8]) -> Result<(), FileError> {
    source.read_exact(into).map_err(|e| match e.kind() {
        ErrorKind::UnexpectedEof => FileError::Malformed("the file ends within its header".into()),
        _ => e.into(),
    })
}

/// A chunk's name, and the bytes of its content where they are known.
struct Chunk {
    name: [u8; 4],
    size: Option<u64>,
}

/// A file's chunks in their order.
struct Chunks<R> {
    source: R,
    is_wave64: bool,
    /// The size of the samples in a `ds64` chunk.
    long_data: Option<u64>,
    /// The size of all, as the first header says it.
    whole: u64,
    /// A byte that was read as padding and is none.
    again: Option<u8>,
}

impl<R: Read> Chunks<R> {
    fn open(mut source: R) -> Result<Chunks<R>, FileError> {
        let mut head = [0; MARK];
        fill(&mut source, &mut head[..12])?;
        let short = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        let is_long = [b"RF64", b"BW64"].iter().any(|name| head.starts_with(*name));
        let mut chunks =
            Chunks { source, is_wave64: false, long_data: None, whole: u64::from(short), again: None };
        if head.starts_with(b"riff") {
            fill(&mut chunks.source, &mut head[12..])?;
            if !is_wave64(&head) || head[24..28] != *b"wave" {
                return Err(FileError::Malformed("not a whole WAV file".into()));
            }
            chunks.is_wave64 = true;
        } else if head[8..12] != *b"WAVE" || !(is_long || head.starts_with(b"RIFF")) {
            return Err(FileError::Malformed("not a whole WAV file".into()));
        }
        Ok(chunks)
    }

    /// The next chunk's header; `None` at the end.
    fn next(&mut self) -> Result<Option<Chunk>, FileError> {
        let mut head = [0; 24];
        let length = if self.is_wave64 { 24 } else { 8 };
        let first = usize::from(self.again.is_some());
        if let Some(byte) = self.again.take() {
            head[0] = byte;
        }
        match self.source.read_exact(&mut head[first..length]) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let name = [head[0], head[1], head[2], head[3]];
        if self.is_wave64 {
            let known = head[4..16] == WAVE64;
            let size = u64::from_le_bytes(std::array::from_fn(|i| head[16 + i]));
            let size = (size != u64::MAX).then(|| size.saturating_sub(24));
            return Ok(Some(Chunk { name: if known { name } else { [0; 4] }, size }));
        }
        let short = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        if name == *b"ds64" {
            let chunk = Chunk { name, size: Some(short.into()) };
            let sizes = self.content(&chunk, 28)?;
            let data = sizes.get(8..16).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
            self.long_data = data.filter(|size| *size != 0 && *size != u64::MAX);
            return self.next();
        }
        let size = match short {
            u32::MAX if name == *b"data" => self.long_data,
            // A stream's header, written before anything was known.
            0 if name == *b"data" && matches!(self.whole, 0 | 0xffff_ffff) => None,
            0 if name == *b"data" && self.whole < 36 + 8 => None,
            size => Some(size.into()),
        };
        Ok(Some(Chunk { name, size }))
    }

    /// Up to so many bytes of a chunk's content; the rest is skipped.
    fn content(&mut self, chunk: &Chunk, most: u64) -> Result<Vec<u8>, FileError> {
        let size = chunk.size.unwrap_or(u64::MAX);
        let mut content = Vec::new();
        self.source.by_ref().take(size.min(most)).read_to_end(&mut content)?;
        self.pass_over(size - content.len() as u64, size)?;
        Ok(content)
    }

    fn skip(&mut self, chunk: &Chunk) -> Result<(), FileError> {
        let size = chunk.size.unwrap_or(u64::MAX);
        self.pass_over(size, size)
    }

    /// Passes over the rest of a content of `size` bytes, and what it is filled up with.
    fn pass_over(&mut self, rest: u64, size: u64) -> Result<(), FileError> {
        io::copy(&mut self.source.by_ref().take(rest), &mut io::sink())?;
        if self.is_wave64 {
            let padding = size.checked_next_multiple_of(8).map_or(0, |all| all - size);
            io::copy(&mut self.source.by_ref().take(padding), &mut io::sink())?;
        } else if size % 2 == 1 {
            let mut padding = [0];
            // Some programs leave the padding out: then this is a name's first letter.
            if self.source.read(&mut padding)? == 1 && padding[0].is_ascii_alphabetic() {
                self.again = Some(padding[0]);
            }
        }
        Ok(())
    }
}

/// What a `fmt ` chunk says of the samples.
fn describe(fmt: &[u8]) -> Result<Samples, FileError> {
    const PCM: u16 = 1;
    const FLOAT: u16 = 3;
    const EXTENSIBLE: u16 = 0xfffe;
    let short = |at: usize| fmt.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    let missing = || FileError::Malformed("a WAV file whose description is too short".into());
    let (mut tag, channels) = (short(0).ok_or_else(missing)?, short(2).ok_or_else(missing)?);
    let rate = fmt.get(4..8).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes).ok_or_else(missing)?;
    let (align, bits) = (short(12).ok_or_else(missing)?, short(14).ok_or_else(missing)?);
    if tag == EXTENSIBLE {
        tag = short(24).ok_or_else(missing)?;
        if fmt.get(26..40) != Some(&KIND) {
            return Err(FileError::Unsupported("a WAV file of a kind that mam does not read".into()));
        }
    }
    let channels = usize::from(channels);
    // A sample's bytes follow from those of a frame; where that cannot be, from its bits.
    let bytes = match usize::from(align).checked_div(channels) {
        Some(bytes) if bytes > 0 && bytes * channels == usize::from(align) => bytes,
        _ => usize::from(bits).div_ceil(8),
    };
    let coding = match (tag, bytes) {
        (PCM, 1) => Coding::Unsigned8,
        (PCM, 2..=4) => Coding::Signed(bytes),
        (FLOAT, 4) => Coding::Float32,
        (FLOAT, 8) => Coding::Float64,
        _ => {
            let words = format!(
                "a WAV file of a kind that mam does not read (format {tag:#06x}, {bits} bits): it reads integers of 8 to 32 bits and floats of 32 and 64"
            );
            return Err(FileError::Unsupported(words));
        }
    };
    Ok(Samples { coding, order: Order::Little, rate, channels })
}
