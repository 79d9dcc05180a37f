//! Reading as much of a sound file as is wanted: plain samples here, what is compressed through symphonia (feature `decode`).

use super::intake::{Intake, Sound, Wanted};
use super::{FileError, chunks_read, wav_read};
use std::io::{Cursor, Read};

/// The beginning of a sound file, as much as is wanted of it. What kind of file it is stands in its first bytes. It is read
/// from front to back, so a pipe does as well as a file.
///
/// # Errors
/// When it is of no kind that this build reads, or broken before the first frame.
pub fn read(mut source: impl Read + Send + Sync + 'static, wanted: Wanted) -> Result<Sound, FileError> {
    let mut head = Vec::new();
    source.by_ref().take(wav_read::MARK as u64).read_to_end(&mut head)?;
    let mut intake = Intake::new(wanted);
    let is_wav = wav_read::is_wav(&head);
    let (is_aiff, is_caf) = (chunks_read::is_aiff(&head), chunks_read::is_caf(&head));
    let whole = Cursor::new(head).chain(source);
    if is_wav {
        wav_read::read(whole, &mut intake)?;
    } else if is_aiff {
        chunks_read::aiff(whole, &mut intake)?;
    } else if is_caf {
        chunks_read::caf(whole, &mut intake)?;
    } else {
        compressed(whole, &mut intake)?;
    }
    intake.finish()
}

#[cfg(feature = "decode")]
use super::compressed::compressed;

#[cfg(not(feature = "decode"))]
fn compressed(_: impl Read, _: &mut Intake) -> Result<(), FileError> {
    Err(FileError::Unsupported("this build of mam reads WAV, AIFF and CAF files only".into()))
}
