//! Reading as much of a sound file as is wanted: those of plain samples here, FLAC through symphonia (feature `decode`).

use super::resample::Stream;
use super::{FileError, chunks_read, wav_read};
use std::io::{Cursor, Read, Seek, SeekFrom};

/// Rates that a file may have, in frames a second. Beyond these it is noise that happens to look like a header.
const RATES: std::ops::RangeInclusive<u32> = 100..=1_048_576;
/// Samples that are decoded at a time, at most about.
pub(super) const PORTION: usize = 1 << 15;

/// A sound in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// The rate of its channels, in frames a second.
    pub rate: u32,
    /// The channels, all of one length; at least one.
    pub channels: Vec<Vec<f32>>,
    /// Whether the file ends before its header says.
    pub is_cut_off: bool,
}

impl Sound {
    /// How many frames it has.
    pub fn frames(&self) -> usize {
        self.channels[0].len()
    }
}

/// What is wanted of a sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Frames a second, at least 1; the file's own where `None`.
    pub rate: Option<u32>,
    /// The most channels, at least 1: those beyond are left out.
    pub channels: usize,
    /// The most frames, at that rate.
    pub frames: u64,
}

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

/// What takes decoded frames: leaves out what is not wanted, and resamples the rest.
pub(super) struct Intake {
    wanted: Wanted,
    /// The file's rate and number of channels, and the resampler, once they are known.
    form: Option<(u32, usize)>,
    resampler: Option<Stream>,
    /// Frames that were taken, at the file's rate.
    taken: u64,
    portion: Vec<Vec<f32>>,
    channels: Vec<Vec<f32>>,
    pub(super) is_cut_off: bool,
}

impl Intake {
    fn new(wanted: Wanted) -> Intake {
        let (portion, channels) = (vec![], vec![]);
        Intake { wanted, form: None, resampler: None, taken: 0, portion, channels, is_cut_off: false }
    }

    /// Says what follows. Again with the same is allowed.
    pub(super) fn begin(&mut self, rate: u32, channels: usize) -> Result<(), FileError> {
        match self.form {
            Some(form) if form == (rate, channels) => return Ok(()),
            Some(_) => {
                return Err(FileError::Unsupported(
                    "the file changes its rate or channels on the way".into(),
                ));
            }
            None => {}
        }
        if channels == 0 {
            return Err(FileError::Malformed("the file has no channels".into()));
        }
        if !RATES.contains(&rate) {
            let words =
                format!("its rate, {rate} Hz, is out of range: {} to {} Hz", RATES.start(), RATES.end());
            return Err(FileError::Unsupported(words));
        }
        let count = channels.min(self.wanted.channels.max(1));
        self.form = Some((rate, channels));
        self.portion = vec![vec![]; count];
        self.channels = vec![vec![]; count];
        self.resampler = match self.wanted.rate {
            Some(to) if to != rate => Some(Stream::new(rate, to, count)?),
            _ => None,
        };
        Ok(())
    }

    /// Takes whole frames, interleaved. False when no more are wanted.
    pub(super) fn take(&mut self, samples: &[f32]) -> Result<bool, FileError> {
        let Some((_, all)) = self.form else { return Ok(false) };
        for (c, portion) in self.portion.iter_mut().enumerate() {
            portion.clear();
            portion.extend(samples.iter().skip(c).step_by(all));
        }
        self.taken += self.portion[0].len() as u64;
        match &mut self.resampler {
            Some(resampler) => resampler.take(&self.portion, &mut self.channels)?,
            None => self.channels.iter_mut().zip(&self.portion).for_each(|(c, new)| c.extend(new)),
        }
        Ok((self.channels[0].len() as u64) < self.wanted.frames)
    }

    fn finish(mut self) -> Result<Sound, FileError> {
        let Some((own, _)) = self.form else {
            return Err(FileError::Malformed("the file holds no sound".into()));
        };
        let rate = self.wanted.rate.unwrap_or(own);
        let all = (u128::from(self.taken) * u128::from(rate)).div_ceil(u128::from(own));
        let frames = usize::try_from(all.min(u128::from(self.wanted.frames))).unwrap_or(usize::MAX);
        match self.resampler.take() {
            Some(resampler) => resampler.finish(frames, &mut self.channels)?,
            None => self.channels.iter_mut().for_each(|channel| channel.truncate(frames)),
        }
        Ok(Sound { rate, channels: self.channels, is_cut_off: self.is_cut_off })
    }
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
            Err(Error::IoError(e))
                if e.kind() == std::io::ErrorKind::UnexpectedEof && intake.form.is_some() =>
            {
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
