//! Reading as much of a sound file as is wanted: those of plain samples here, FLAC through symphonia (feature `decode`).

use super::intake::{Intake, Sound, Wanted};
use super::{FileError, chunks_read, wav_read};
use std::io::{Cursor, Read, Seek, SeekFrom};

/// The beginning of a sound file, as much as is wanted of it. What kind of file it is stands in its first bytes.
/// `seekable` is for what can be rewound, such as an ordinary file; none of them needs it.
///
/// # Errors
/// When it is of no kind that this build reads, or broken before the first frame.
pub fn read(
    mut source: impl Read + Seek + Send + Sync + 'static,
    seekable: bool,
    wanted: Wanted,
) -> Result<Sound, FileError> {
    let mut head = Vec::new();
    source.by_ref().take(wav_read::MARK as u64).read_to_end(&mut head)?;
    let mut intake = Intake::new(wanted);
    if wav_read::is_wav(&head) {
        wav_read::read(Cursor::new(head).chain(source), &mut intake)?;
    } else if chunks_read::is_aiff(&head) {
        chunks_read::aiff(Cursor::new(head).chain(source), &mut intake)?;
    } else if chunks_read::is_caf(&head) {
        chunks_read::caf(Cursor::new(head).chain(source), &mut intake)?;
    } else if seekable {
        other(source, true, &mut intake)?;
    } else {
        other(Whole { head: Cursor::new(head), rest: source }, false, &mut intake)?;
    }
    intake.finish()
}

/// A source of which the first bytes have been read.
struct Whole<R> {
    head: Cursor<Vec<u8>>,
    rest: R,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self.head.read(into)? {
            0 => self.rest.read(into),
            n => Ok(n),
        }
    }
}

impl<R> Seek for Whole<R> {
    fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
        Err(std::io::ErrorKind::NotSeekable.into())
    }
}

#[cfg(not(feature = "decode"))]
fn other(_: impl Read, _: bool, _: &mut Intake) -> Result<(), FileError> {
    Err(FileError::Unsupported("this build of mam reads WAV, AIFF and CAF files only".into()))
}

#[cfg(feature = "decode")]
mod decode {
    //! symphonia's readers and decoders.

    use super::{FileError, Intake};
    use std::io::{Read, Seek, SeekFrom};
    use symphonia::core::codecs::audio::AudioDecoderOptions;
    use symphonia::core::errors::Error;
    use symphonia::core::formats::{FormatOptions, FormatReader, TrackType, probe::Hint};
    use symphonia::core::io::{MediaSource, MediaSourceStream};
    use symphonia::core::meta::MetadataOptions;

    /// A source that symphonia may seek in or not.
    struct Source<R> {
        inner: R,
        /// Its bytes, where it can be rewound.
        length: Option<u64>,
    }

    impl<R: Read> Read for Source<R> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            self.inner.read(into)
        }
    }

    impl<R: Seek> Seek for Source<R> {
        fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
            self.inner.seek(to)
        }
    }

    impl<R: Read + Seek + Send + Sync> MediaSource for Source<R> {
        fn is_seekable(&self) -> bool {
            self.length.is_some()
        }

        fn byte_len(&self) -> Option<u64> {
            self.length
        }
    }

    pub(super) fn other(
        mut source: impl Read + Seek + Send + Sync + 'static,
        seekable: bool,
        intake: &mut Intake,
    ) -> Result<(), FileError> {
        let length = if seekable { Some(source.seek(SeekFrom::End(0))?) } else { None };
        source.seek(SeekFrom::Start(0)).or_else(|e| if seekable { Err(e) } else { Ok(0) })?;
        let source = Source { inner: source, length };
        let stream = MediaSourceStream::new(Box::new(source), Default::default());
        let mut reader = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|_| FileError::Unsupported("not a WAV, AIFF, CAF or FLAC file".into()))?;
        let track = reader
            .default_track(TrackType::Audio)
            .ok_or_else(|| FileError::Malformed("the file holds no sound".into()))?;
        let (id, params) = (track.id, track.codec_params.as_ref().and_then(|p| p.audio()));
        let params =
            params.ok_or_else(|| FileError::Malformed("the file does not say what its sound is".into()))?;
        let mut decoder = symphonia::default::get_codecs()
            .make_audio_decoder(params, &AudioDecoderOptions::default())
            .map_err(|e| FileError::Unsupported(format!("no decoder for this file: {e}")))?;
        let mut samples = Vec::new();
        while let Some(packet) = next(&mut *reader, intake)? {
            if packet.track_id != id {
                continue;
            }
            let decoded = decoder.decode(&packet).map_err(|e| broken(&e))?;
            intake.begin(decoded.spec().rate(), decoded.spec().channels().count())?;
            samples.resize(decoded.samples_interleaved(), 0.0);
            decoded.copy_to_slice_interleaved(&mut samples);
            if !intake.take(&samples)? {
                break;
            }
        }
        Ok(())
    }

    /// The next packet. A file that breaks off is what there is of it.
    fn next(
        reader: &mut dyn FormatReader,
        intake: &mut Intake,
    ) -> Result<Option<symphonia::core::packet::Packet>, FileError> {
        match reader.next_packet() {
            Ok(packet) => Ok(packet),
            Err(Error::IoError(e)) if e.kind() == std::io::ErrorKind::UnexpectedEof && intake.has_begun() => {
                intake.is_cut_off = true;
                Ok(None)
            }
            Err(e) => Err(broken(&e)),
        }
    }

    fn broken(e: &Error) -> FileError {
        FileError::Malformed(format!("the file is broken: {e}"))
    }
}

#[cfg(feature = "decode")]
use decode::other;
