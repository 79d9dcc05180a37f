//! Sound files: writing what was rendered, and reading sounds to play or process.
//!
//! A [`Writer`] takes interleaved f32 frames and puts them into a container ([`Container`]) as a kind of sample
//! ([`Bits`]). FLAC goes through flacenc (feature `flac`); WAV, AIFF and CAF are small enough to be written here. [`read()`] gives a whole file as channels of f32; [`resample()`] brings it to another rate.
//!
//! Nothing here runs on the audio thread.

mod aiff;
mod caf;
#[cfg(feature = "flac")]
mod flac;
mod plain;
mod quantise;
mod read;
mod resample;
mod wav;

pub use quantise::Dither;
pub use read::{Sound, read};
pub use resample::resample;

use quantise::Quantiser;
use std::fmt;
use std::io::{self, Seek, Write};

/// The kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// RIFF WAVE: up to 4 GiB.
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
        match self {
            Container::Wav => &["wav", "wave"],
            Container::Aiff => &["aiff", "aif", "aifc"],
            Container::Caf => &["caf"],
            Container::Flac => &["flac"],
        }
    }

    /// The samples it holds when nobody says otherwise: floats, or 24 bits where there are none.
    pub fn default_bits(self) -> Bits {
        if self == Container::Flac { Bits::Int24 } else { Bits::Float32 }
    }
}

/// The kind of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bits {
    /// Signed 16-bit integers.
    Int16,
    /// Signed 24-bit integers.
    Int24,
    /// 32-bit floats, written as they are.
    Float32,
}

impl Bits {
    /// Bytes a sample.
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
}

/// Why a file could not be written or read.
#[derive(Debug)]
pub enum FileError {
    /// The system said no.
    Io(io::Error),
    /// More sound than the container can hold.
    TooLong(Container),
    /// The container cannot hold this; the words say what and what can.
    Unsupported(String),
    /// What is read is not what it should be; the words say how.
    Malformed(String),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::Io(e) => write!(f, "{e}"),
            FileError::TooLong(c) => {
                write!(f, "a {c} file ends at 4 GiB; a .caf file holds any length")
            }
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
        f.write_str(match self {
            Container::Wav => "WAV",
            Container::Aiff => "AIFF",
            Container::Caf => "CAF",
            Container::Flac => "FLAC",
        })
    }
}

/// Writes frames into a container. Each implementation puts its header right in [`Encoder::finish`].
trait Encoder {
    /// Appends whole frames of integers, interleaved, already within the range of their bits.
    fn integers(&mut self, samples: &[i32]) -> Result<(), FileError>;
    /// Appends whole frames of floats, interleaved.
    fn floats(&mut self, samples: &[f32]) -> Result<(), FileError>;
    /// Writes what is still held, and the header.
    fn finish(self: Box<Self>) -> Result<(), FileError>;
}

/// A sound file in the making. Without [`Writer::finish`] its header is not valid.
pub struct Writer<'w> {
    encoder: Box<dyn Encoder + Send + 'w>,
    quantiser: Option<Quantiser>,
    integers: Vec<i32>,
    format: Format,
    bytes: u64,
}

impl<'w> Writer<'w> {
    /// Starts a file of this format at the beginning of `out`.
    ///
    /// # Errors
    /// When the container cannot hold such samples, or `out` cannot be written.
    pub fn new(out: impl Write + Seek + Send + 'w, format: Format) -> Result<Writer<'w>, FileError> {
        let encoder: Box<dyn Encoder + Send + 'w> = match format.container {
            Container::Wav => Box::new(wav::wav(out, format)?),
            Container::Aiff => Box::new(aiff::aiff(out, format)?),
            Container::Caf => Box::new(plain::Plain::<_, caf::Caf>::new(out, format)?),
            #[cfg(feature = "flac")]
            Container::Flac => Box::new(flac::Flac::new(out, format)?),
            #[cfg(not(feature = "flac"))]
            Container::Flac => {
                return Err(FileError::Unsupported("this build of mam writes no FLAC".into()));
            }
        };
        let quantiser = match format.bits {
            Bits::Int16 => Some(Quantiser::new(16, format.dither, format.channels)),
            Bits::Int24 => Some(Quantiser::new(24, format.dither, format.channels)),
            Bits::Float32 => None,
        };
        Ok(Writer { encoder, quantiser, integers: Vec::new(), format, bytes: 0 })
    }

    /// Appends whole frames, interleaved. Integers are rounded to the nearest step; 1 and more is the greatest
    /// integer, −1 and less the least, what is not a number is 0.
    ///
    /// # Errors
    /// When the file would be too long, or cannot be written.
    pub fn write(&mut self, frames: &[f32]) -> Result<(), FileError> {
        debug_assert_eq!(frames.len() % self.format.channels, 0);
        self.bytes += (frames.len() * self.format.bits.bytes()) as u64;
        if self.bytes > self.format.container.most_bytes() {
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

impl Container {
    /// How many bytes of samples it can hold: sizes are 32-bit in WAV and AIFF, and count the header too.
    fn most_bytes(self) -> u64 {
        const HEADERS: u64 = 256;
        match self {
            Container::Wav | Container::Aiff => u32::MAX as u64 - HEADERS,
            Container::Caf | Container::Flac => u64::MAX,
        }
    }
}

#[cfg(test)]
mod tests;
