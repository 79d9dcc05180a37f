//! Which program wrote a sound file, as its beginning says.

use super::wav_read;
use std::io::{self, Cursor, Read};

/// Bytes of a file's beginning that are looked at: more than the texts before the sound of a file that mam writes.
const LOOKED_AT: u64 = 1 << 18;

/// The name of the program that wrote a sound file of a kind that mam writes; nothing where it does not say.
///
/// # Errors
/// When it cannot be read.
pub fn software(source: impl Read) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    source.take(LOOKED_AT).read_to_end(&mut head)?;
    if wav_read::is_wav(&head) {
        return wav_read::software(Cursor::new(head));
    }
    let found = match head.first_chunk::<4>() {
        Some(b"fLaC") => in_flac(&head[4..]),
        Some(b"caff") => in_caf(head.get(8..).unwrap_or_default()),
        Some(b"FORM") => in_aiff(head.get(12..).unwrap_or_default()),
        _ => None,
    };
    Ok(found.map(|name| String::from_utf8_lossy(name).into_owned()))
}

/// The vendor of the Vorbis comment (RFC 9639, 8.6): a length in little-endian and a text.
fn in_flac(mut blocks: &[u8]) -> Option<&[u8]> {
    const COMMENT: u8 = 4;
    loop {
        let (head, rest) = blocks.split_first_chunk::<4>()?;
        let size = u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
        let content = rest.get(..size)?;
        if head[0] & 0x7f == COMMENT {
            let (length, texts) = content.split_first_chunk::<4>()?;
            return texts.get(..u32::from_le_bytes(*length) as usize);
        }
        if head[0] & 0x80 != 0 {
            return None;
        }
        blocks = &rest[size..];
    }
}

/// The text of the key "encoding application" in the `info` chunk: texts that end with 0, keys and values by turns.
fn in_caf(mut chunks: &[u8]) -> Option<&[u8]> {
    loop {
        let (name, rest) = chunks.split_first_chunk::<4>()?;
        let (size, rest) = rest.split_first_chunk::<8>()?;
        let content = rest.get(..usize::try_from(u64::from_be_bytes(*size)).ok()?)?;
        if name == b"info" {
            let mut texts = content.get(4..)?.split(|&byte| byte == 0);
            return std::iter::from_fn(|| Some((texts.next()?, texts.next()?)))
                .find(|(key, _)| key == b"encoding application")
                .map(|(_, value)| value);
        }
        chunks = &rest[content.len()..];
    }
}

/// The annotation, which is where AIFF leaves room for it.
fn in_aiff(mut chunks: &[u8]) -> Option<&[u8]> {
    loop {
        let (name, rest) = chunks.split_first_chunk::<4>()?;
        let (size, rest) = rest.split_first_chunk::<4>()?;
        let content = rest.get(..u32::from_be_bytes(*size) as usize)?;
        if name == b"ANNO" {
            return Some(content);
        }
        chunks = rest.get(content.len() + content.len() % 2..)?;
    }
}
