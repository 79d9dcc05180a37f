//! Reading as much of a sound file as is wanted: plain samples here, what is compressed through symphonia (feature `decode`).

use super::intake::{Intake, Sound, Wanted};
use super::{FileError, chunks_read, wav_read};
use std::io::{Cursor, Read};

/// What reads the plain samples of a kind of file.
struct Reader {
    /// Whether these are the first bytes of such a file, [`wav_read::MARK`] of them where it has so many.
    is: fn(&[u8]) -> bool,
    /// Reads as much as is wanted, from the file's beginning.
    read: fn(&mut dyn Read, &mut Intake) -> Result<(), FileError>,
}

/// Of all kinds that need no decoder.
static READERS: [Reader; 3] = [
    Reader { is: wav_read::is_wav, read: |source, intake| wav_read::read(source, intake) },
    Reader { is: chunks_read::is_aiff, read: |source, intake| chunks_read::aiff(source, intake) },
    Reader { is: chunks_read::is_caf, read: |source, intake| chunks_read::caf(source, intake) },
];

/// The beginning of a sound file, as much as is wanted of it. What kind of file it is stands in its first bytes. It is read
/// from front to back, so a pipe does as well as a file.
///
/// # Errors
/// When it is of no kind that this build reads, or broken before the first frame.
pub fn read(mut source: impl Read + Send + Sync + 'static, wanted: Wanted) -> Result<Sound, FileError> {
    let mut head = Vec::new();
    source.by_ref().take(wav_read::MARK as u64).read_to_end(&mut head)?;
    let mut intake = Intake::new(wanted);
    let reader = READERS.iter().find(|reader| (reader.is)(&head));
    let mut whole = Cursor::new(head).chain(source);
    match reader {
        Some(reader) => (reader.read)(&mut whole, &mut intake)?,
        None => compressed(whole, &mut intake)?,
    }
    intake.finish()
}

#[cfg(feature = "decode")]
use super::compressed::compressed;

#[cfg(not(feature = "decode"))]
fn compressed(_: impl Read, _: &mut Intake) -> Result<(), FileError> {
    let words = "it is compressed, or no sound file: this build of mam reads plain samples only";
    Err(FileError::Unsupported(words.into()))
}
