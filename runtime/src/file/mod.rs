//! Sound files: writing what was rendered, and reading sounds to play or process.
//!
//! A [`Writer`] takes interleaved f32 frames and puts them into a container ([`Container`]) as a kind of sample
//! ([`Bits`]). WAV, AIFF, CAF and FLAC (feature `flac`) are small enough to be written here. [`read()`] gives as much of a
//! file as is wanted as channels of f32, at the rate that is wanted. No number of a header is believed before the bytes are
//! there: memory is bounded by what is wanted, time by what the file holds.
//!
//! Nothing here runs on the audio thread.

mod aiff;
mod anywhere;
#[cfg(feature = "decode")]
mod anywhere_compressed;
#[cfg(feature = "decode")]
mod anywhere_vorbis;
mod caf;
mod chunks_read;
#[cfg(feature = "decode")]
mod compressed;
#[cfg(feature = "decode")]
mod decoders;
#[cfg(feature = "flac")]
mod flac;
mod intake;
#[cfg(feature = "decode")]
mod mpeg;
#[cfg(feature = "decode")]
mod ogg;
#[cfg(feature = "decode")]
mod ogg_vorbis;
#[cfg(feature = "decode")]
mod pieces;
mod plain;
mod quantise;
mod read;
mod resample;
mod samples;
mod sink;
mod software;
mod source;
#[cfg(feature = "decode")]
mod vorbis;
mod wav;
mod wav_read;

pub use anywhere::open;
#[cfg(feature = "decode")]
pub use compressed::is_decoding;
pub use intake::{Damage, Sound, Wanted};
pub use quantise::{Dither, Quantiser};
pub use read::{is_sound, read};
pub use software::software;
pub use source::Opened;

use crate::channels::ChannelLayout;
use crate::sound_kinds::{self, SoundKind};
use plain::Plain;
use sink::Sink;
use std::fmt;
use std::io::{self, Seek, Write};

/// What the files say of who wrote them. [`software()`] reads it back.
pub const SOFTWARE: &str = concat!("mamc ", env!("CARGO_PKG_VERSION"));

/// The kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// RIFF WAVE; RF64 above 4 GiB.
    Wav,
    /// AIFF, or AIFF-C for floats: up to 4 GiB.
    Aiff,
    /// Apple's Core Audio Format, of any length.
    Caf,
    /// FLAC: lossless compression of 16 or 24 bits.
    Flac,
}

impl Container {
    /// All that this build can write.
    pub const ALL: &[Container] = &[
        Container::Wav,
        Container::Aiff,
        Container::Caf,
        #[cfg(feature = "flac")]
        Container::Flac,
    ];

    /// The one that a file name's ending stands for, without regard to case.
    pub fn from_extension(extension: &str) -> Option<Container> {
        let extension = extension.to_ascii_lowercase();
        Self::ALL.iter().copied().find(|c| c.extensions().contains(&extension.as_str()))
    }

    /// The endings of its files; the first is the usual one.
    pub fn extensions(self) -> &'static [&'static str] {
        self.kind().endings
    }

    /// What is known of such files without reading or writing them.
    fn kind(self) -> &'static SoundKind {
        match self {
            Container::Wav => &sound_kinds::WAV,
            Container::Aiff => &sound_kinds::AIFF,
            Container::Caf => &sound_kinds::CAF,
            Container::Flac => &sound_kinds::FLAC,
        }
    }

    /// The samples that it holds by default: floats, or 24 bits where there are none.
    pub fn default_bits(self) -> Bits {
        if self == Container::Flac { Bits::Int24 } else { Bits::Float32 }
    }
}

/// The kind of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bits {
    /// Signed integers of 16 bits.
    Int16,
    /// Signed integers of 24 bits.
    Int24,
    /// 32-bit floats, written as they are.
    Float32,
}

impl Bits {
    /// How many bytes a sample has.
    pub fn bytes(self) -> usize {
        match self {
            Bits::Int16 => 2,
            Bits::Int24 => 3,
            Bits::Float32 => 4,
        }
    }
}

/// What a file is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The kind of file.
    pub container: Container,
    /// The kind of its samples.
    pub bits: Bits,
    /// What is done where bits are cut off.
    pub dither: Dither,
    /// Frames a second, at least 1.
    pub rate: u32,
    /// Channels, at least 1.
    pub channels: usize,
    /// What the channels are.
    pub layout: ChannelLayout,
}

impl Format {
    /// Bytes of a frame before any compression.
    pub fn frame_bytes(self) -> u64 {
        (self.channels * self.bits.bytes()) as u64
    }

    /// The greatest number of frames that a file of this format can hold.
    pub fn most_frames(self) -> u64 {
        match self.container {
            // Sizes of 32 bits.
            Container::Aiff => (most_data_of_32_bits() / self.frame_bytes().max(1)).min(u32::MAX.into()),
            // Sizes of 63 bits.
            Container::Wav | Container::Caf => i64::MAX as u64 / 2 / self.frame_bytes().max(1),
            Container::Flac => (1 << 36) - 1,
        }
    }
}

/// Bytes of samples that fit a file whose sizes have 32 bits and count the header too.
fn most_data_of_32_bits() -> u64 {
    const HEADERS: u64 = 1 << 16;
    u64::from(u32::MAX) - HEADERS
}

/// How many frames a file will have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Frames {
    /// Exactly so many frames.
    Exactly(u64),
    /// Not more than these.
    AtMost(u64),
    /// Any number of frames.
    #[default]
    Unknown,
}

/// What a file says besides its samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The title; control characters are left out, and what is beyond 1000 bytes.
    pub title: Option<String>,
    /// How many frames will be written. A WAV file that may become longer than 4 GiB is given room for longer sizes; a
    /// stream whose length is known says it at its start.
    pub frames: Frames,
}

impl Details {
    /// The title as files can hold it.
    fn tidy(&self) -> Details {
        const MOST_BYTES: usize = 1000;
        let tidy = |title: &String| {
            let mut title: String = title.chars().filter(|c| !c.is_control()).collect();
            title.truncate((0..=MOST_BYTES).rev().find(|&i| title.is_char_boundary(i)).unwrap_or(0));
            title
        };
        let title = self.title.as_ref().map(tidy).filter(|title| !title.is_empty());
        Details { title, ..*self }
    }
}

/// Why a file could not be written or read.
#[derive(Debug)]
pub enum FileError {
    /// The system said no.
    Io(io::Error),
    /// More sound than the container can hold.
    TooLong(Container),
    /// More sound than is wanted of a file: see [`Wanted::most`].
    Unwanted,
    /// The container cannot hold this; the words say what and what can.
    Unsupported(String),
    /// What is read is not what it should be; the words say how.
    Malformed(String),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::Io(e) => write!(f, "{e}"),
            FileError::TooLong(Container::Flac) => {
                f.write_str("a FLAC file ends at 68719476735 frames; a .wav or .caf file holds any length")
            }
            FileError::TooLong(c) => {
                write!(f, "the length of {c} files ends at 4 GiB; a .wav or .caf file holds any length")
            }
            FileError::Unwanted => f.write_str("the file is longer than it may be"),
            FileError::Unsupported(words) | FileError::Malformed(words) => f.write_str(words),
        }
    }
}

impl std::error::Error for FileError {}

impl From<io::Error> for FileError {
    fn from(e: io::Error) -> Self {
        FileError::Io(e)
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().name)
    }
}

/// Writes frames into a container. Each implementation corrects its header in [`Encoder::finish`].
trait Encoder {
    /// Appends whole frames of integers, interleaved, already within the range of their bits.
    fn integers(&mut self, samples: &[i32]) -> Result<(), FileError>;
    /// Appends whole frames of floats, interleaved.
    fn floats(&mut self, samples: &[f32]) -> Result<(), FileError>;
    /// Writes what is left, and the header where it can be written again.
    fn finish(self: Box<Self>) -> Result<(), FileError>;
}

/// A sound file in the making. Without [`Writer::finish`] its header is not valid.
pub struct Writer<'w> {
    encoder: Box<dyn Encoder + Send + 'w>,
    quantiser: Option<Quantiser>,
    integers: Vec<i32>,
    format: Format,
    frames: u64,
}

impl<'w> Writer<'w> {
    /// Starts a file of this format at the beginning of `out`.
    ///
    /// # Errors
    /// When the container cannot hold such samples, or `out` cannot be written.
    pub fn new(
        out: impl Write + Seek + Send + 'w,
        format: Format,
        details: &Details,
    ) -> Result<Writer<'w>, FileError> {
        Writer::into_sink(Sink::Seekable(Box::new(out)), format, details)
    }

    /// Starts a stream of this format. Its header is written at once and is not written again: where the length is not
    /// known exactly, it says so, as the format does that.
    ///
    /// # Errors
    /// When the container cannot hold such samples, or `out` cannot be written.
    pub fn streaming(
        out: impl Write + Send + 'w,
        format: Format,
        details: &Details,
    ) -> Result<Writer<'w>, FileError> {
        Writer::into_sink(Sink::Stream(Box::new(out)), format, details)
    }

    fn into_sink(out: Sink<'w>, format: Format, details: &Details) -> Result<Writer<'w>, FileError> {
        let details = &details.tidy();
        let encoder: Box<dyn Encoder + Send + 'w> = match format.container {
            Container::Wav => Box::new(Plain::new(out, format, details, wav::Wav::new(format, details)?)?),
            Container::Aiff => Box::new(Plain::new(out, format, details, aiff::Aiff::new(format, details)?)?),
            Container::Caf => Box::new(Plain::new(out, format, details, caf::Caf::new(format, details))?),
            #[cfg(feature = "flac")]
            Container::Flac => Box::new(flac::Flac::new(out, format, details)?),
            #[cfg(not(feature = "flac"))]
            Container::Flac => {
                return Err(FileError::Unsupported("this build of mam does not write FLAC".into()));
            }
        };
        let quantiser = match format.bits {
            Bits::Int16 => Some(Quantiser::new(16, format.dither, format.channels)),
            Bits::Int24 => Some(Quantiser::new(24, format.dither, format.channels)),
            Bits::Float32 => None,
        };
        Ok(Writer { encoder, quantiser, integers: Vec::new(), format, frames: 0 })
    }

    /// Appends whole frames, interleaved. Integers are rounded to the nearest step; 1 and more is the greatest
    /// integer, −1 and less the least, what is not a number is 0.
    ///
    /// # Errors
    /// When the file would be too long, or cannot be written.
    pub fn write(&mut self, frames: &[f32]) -> Result<(), FileError> {
        debug_assert_eq!(frames.len() % self.format.channels, 0);
        self.frames += (frames.len() / self.format.channels) as u64;
        if self.frames > self.format.most_frames() {
            return Err(FileError::TooLong(self.format.container));
        }
        match &mut self.quantiser {
            None => self.encoder.floats(frames),
            Some(quantiser) => {
                self.integers.clear();
                quantiser.convert(frames, &mut self.integers);
                self.encoder.integers(&self.integers)
            }
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<(), FileError> {
        self.encoder.finish()
    }
}

/// False: this build reads no compressed files.
#[cfg(not(feature = "decode"))]
pub fn is_decoding() -> bool {
    false
}

#[cfg(test)]
mod tests;
