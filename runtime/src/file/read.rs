//! Reading as much of a sound file as is wanted: plain samples here, what is compressed through symphonia (feature `decode`).

use super::intake::{Intake, Sound, Wanted};
use super::samples::Header;
use super::{FileError, chunks_read, wav_read};
use std::io::{Cursor, Read};

/// What finds the plain samples of a kind of file.
pub(super) struct Reader {
    /// Whether these are the first bytes of such a file, [`wav_read::MARK`] of them where it has so many.
    pub(super) is: fn(&[u8]) -> bool,
    /// Reads from the file's beginning up to its samples; says what they are, and how many bytes where that is known.
    pub(super) header: fn(&mut dyn Read) -> Result<Header, FileError>,
}

/// Of all kinds that need no decoder.
pub(super) static READERS: [Reader; 3] = [
    Reader { is: wav_read::is_wav, header: wav_read::header },
    Reader { is: chunks_read::is_aiff, header: chunks_read::aiff },
    Reader { is: chunks_read::is_caf, header: chunks_read::caf },
];

/// Whether a file that begins so is a sound, and not a text that begins with the same letters: `RIFF = sine(220Hz)`.
pub fn is_sound(head: &[u8]) -> bool {
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let marked =
        |mark: &&[u8]| head.strip_prefix(*mark).and_then(<[u8]>::first).is_some_and(|next| !is_text(next));
    let marks: [&[u8]; 4] = [b"caff", b"fLaC", b"OggS", b"ID3"];
    wav_read::is_wav(head) || chunks_read::is_aiff(head) || marks.iter().any(marked)
}

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
        Some(reader) => {
            let (samples, size) = (reader.header)(&mut whole)?;
            samples.read(&mut whole, size, &mut intake)?;
        }
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
