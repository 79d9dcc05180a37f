//! Reading the two formats of Apple whose samples are plain: AIFF (with AIFF-C) and CAF.
//!
//! As for WAV, the size of the samples is a hint, nothing is allocated by what a header says, and the source is read once from
//! its beginning. Layouts after Apple's "Audio Interchange File Format: AIFF-C" and "Core Audio Format Specification 1.0".

use super::FileError;
use super::plain::Order;
use super::samples::{Coding, Header, Samples};
use super::wav_read::fill;
use std::io::{self, ErrorKind, Read};

/// Chunks before the samples, at most; a real file has a dozen.
const MOST_CHUNKS: usize = 10_000;
/// Bytes of a description that are looked at.
const DESCRIPTION: u64 = 64;

/// Whether these are the first bytes of an AIFF or AIFF-C file.
pub(super) fn is_aiff(head: &[u8]) -> bool {
    head.starts_with(b"FORM") && matches!(head.get(8..12), Some(b"AIFF" | b"AIFC"))
}

/// Whether these are the first bytes of a CAF file.
pub(super) fn is_caf(head: &[u8]) -> bool {
    head.starts_with(b"caff")
}

/// Reads an AIFF or AIFF-C file from its beginning up to its samples. Returns what they are, and how many bytes where that is known.
///
/// # Errors
/// When its samples are of a kind that mam does not read or come before their description, or it ends before them.
pub(super) fn aiff(mut source: &mut dyn Read) -> Result<Header, FileError> {
    let mut head = [0; 12];
    fill(&mut source, &mut head)?;
    let is_compressed = &head[8..] == b"AIFC";
    let mut described = None;
    for _ in 0..MOST_CHUNKS {
        let Some([n0, n1, n2, n3, size @ ..]) = header::<8>(&mut source)? else { return Err(ends()) };
        let size = u64::from(u32::from_be_bytes(size));
        match &[n0, n1, n2, n3] {
            b"COMM" => {
                let content = content(&mut source, size, size + size % 2)?;
                described = Some(aiff_samples(&content, is_compressed).ok_or_else(too_short)??);
            }
            b"SSND" => {
                let samples = described.ok_or_else(too_late)?;
                let mut place = [0; 8];
                fill(&mut source, &mut place)?;
                let offset = u64::from(u32::from_be_bytes([place[0], place[1], place[2], place[3]]));
                pass_over(&mut source, offset)?;
                // A stream's header, written before anything was known, says 0 or the greatest.
                let known = size.checked_sub(8 + offset).filter(|size| *size > 0 && *size < 0xffff_0000);
                return Ok((samples, known));
            }
            _ => pass_over(&mut source, size + size % 2)?,
        }
    }
    Err(too_many())
}

/// What a `COMM` chunk says; nothing where it is too short.
fn aiff_samples(comm: &[u8], is_compressed: bool) -> Option<Result<Samples, FileError>> {
    let short = |at: usize| Some(u16::from_be_bytes(*comm.get(at..)?.first_chunk()?));
    let (channels, bits) = (usize::from(short(0)?), short(6)?);
    let rate = whole(*comm.get(8..)?.first_chunk()?);
    let kind = if is_compressed { *comm.get(18..)?.first_chunk()? } else { *b"NONE" };
    let signed = Coding::Signed(usize::from(bits.div_ceil(8)));
    let (coding, order) = match &kind {
        b"NONE" | b"twos" => (signed, Order::Big),
        b"sowt" => (signed, Order::Little),
        b"in24" => (Coding::Signed(3), Order::Big),
        b"in32" => (Coding::Signed(4), Order::Big),
        b"raw " => (Coding::Unsigned8, Order::Big),
        b"fl32" | b"FL32" => (Coding::Float32, Order::Big),
        b"fl64" | b"FL64" => (Coding::Float64, Order::Big),
        _ => return Some(Err(unread("AIFF", &kind))),
    };
    Some(checked(Samples { coding, order, rate, channels }))
}

/// The whole number of an 80-bit IEEE float; 0 where it is beyond 32 bits.
fn whole(extended: [u8; 10]) -> u32 {
    let [high, low, mantissa @ ..] = extended;
    let exponent = i32::from(u16::from_be_bytes([high & 0x7f, low])) - 16_383;
    let mantissa = u64::from_be_bytes(mantissa);
    if (0..32).contains(&exponent) { (mantissa >> (63 - exponent)) as u32 } else { 0 }
}

/// Reads a CAF file from its beginning up to its samples. Returns what they are, and how many bytes where that is known.
///
/// # Errors
/// When its samples are of a kind that mam does not read or come before their description, or it ends before them.
pub(super) fn caf(mut source: &mut dyn Read) -> Result<Header, FileError> {
    fill(&mut source, &mut [0; 8])?;
    let mut described = None;
    for _ in 0..MOST_CHUNKS {
        let Some([n0, n1, n2, n3, size @ ..]) = header::<12>(&mut source)? else { return Err(ends()) };
        // −1 up to the end of the file, which only samples may have.
        let size = u64::try_from(i64::from_be_bytes(size)).ok();
        match &[n0, n1, n2, n3] {
            b"desc" => {
                let size = size.unwrap_or(DESCRIPTION);
                described = Some(caf_samples(&content(&mut source, size, size)?).ok_or_else(too_short)??);
            }
            b"data" => {
                let samples = described.ok_or_else(too_late)?;
                fill(&mut source, &mut [0; 4])?;
                return Ok((samples, size.map(|size| size.saturating_sub(4))));
            }
            _ => pass_over(&mut source, size.ok_or_else(ends)?)?,
        }
    }
    Err(too_many())
}

/// What a `desc` chunk says; nothing where it is too short.
fn caf_samples(desc: &[u8]) -> Option<Result<Samples, FileError>> {
    const FLOAT: u32 = 1;
    const LITTLE_ENDIAN: u32 = 2;
    let long = |at: usize| Some(u32::from_be_bytes(*desc.get(at..)?.first_chunk()?));
    let rate = f64::from_be_bytes(*desc.first_chunk()?);
    let kind: [u8; 4] = *desc.get(8..)?.first_chunk()?;
    let (flags, packet, frames, channels, bits) = (long(12)?, long(16)?, long(20)?, long(24)?, long(28)?);
    // A sample's bytes follow from those of a packet, which is a frame; where that cannot be, from its bits.
    let bytes = match packet.checked_div(channels) {
        Some(bytes) if bytes > 0 && Some(packet) == bytes.checked_mul(channels) => bytes,
        _ => bits.div_ceil(8),
    };
    let coding = match (flags & FLOAT != 0, bytes) {
        (true, 4) => Coding::Float32,
        (true, 8) => Coding::Float64,
        (false, _) => Coding::Signed(bytes as usize),
        _ => Coding::Signed(0),
    };
    if kind != *b"lpcm" || frames != 1 {
        return Some(Err(unread("CAF", &kind)));
    }
    let order = if flags & LITTLE_ENDIAN != 0 { Order::Little } else { Order::Big };
    // What is not a rate is out of range.
    let rate = if rate.is_finite() { rate.round() as u32 } else { 0 };
    Some(checked(Samples { coding, order, rate, channels: channels.min(1 << 16) as usize }))
}

fn checked(samples: Samples) -> Result<Samples, FileError> {
    match samples.coding {
        Coding::Signed(bytes) if !(1..=4).contains(&bytes) => Err(FileError::Unsupported(
            "samples of a kind that mam does not read: it reads integers of 8 to 32 bits and floats of 32 and 64".into(),
        )),
        _ => Ok(samples),
    }
}

/// The next chunk's name and size; nothing at the end.
fn header<const N: usize>(source: &mut impl Read) -> Result<Option<[u8; N]>, FileError> {
    let mut head = [0; N];
    match source.read_exact(&mut head) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => Ok(None),
        read => Ok(read.map(|()| Some(head))?),
    }
}

/// The beginning of a chunk's content of `size` bytes, which stands in `whole` bytes. All of those are passed.
fn content(source: &mut impl Read, size: u64, whole: u64) -> Result<Vec<u8>, FileError> {
    let mut content = Vec::new();
    source.by_ref().take(size.min(DESCRIPTION)).read_to_end(&mut content)?;
    pass_over(source, whole - content.len() as u64)?;
    Ok(content)
}

fn pass_over(source: &mut impl Read, bytes: u64) -> Result<(), FileError> {
    io::copy(&mut source.by_ref().take(bytes), &mut io::sink())?;
    Ok(())
}

fn ends() -> FileError {
    FileError::Malformed("the file ends before its sound begins".into())
}

fn too_short() -> FileError {
    FileError::Malformed("the description of the file's samples is too short".into())
}

fn too_late() -> FileError {
    FileError::Malformed("the file's samples come before their description".into())
}

fn too_many() -> FileError {
    FileError::Malformed("a file of more chunks than mam reads".into())
}

fn unread(container: &str, kind: &[u8; 4]) -> FileError {
    let kind = kind.escape_ascii();
    FileError::Unsupported(format!(
        "a {container} file of a kind that mam does not read (`{kind}`): it reads plain samples"
    ))
}
