//! WAV, through hound.

use super::{Bits, Encoder, FileError, Format};
use hound::{SampleFormat, WavSpec, WavWriter};
use std::io::{BufWriter, Seek, Write};

/// A long song is written in few calls of the system.
const BUFFER_BYTES: usize = 1 << 20;

pub(super) struct Wav<W: Write + Seek> {
    writer: WavWriter<BufWriter<W>>,
}

impl<W: Write + Seek> Wav<W> {
    pub(super) fn new(out: W, format: Format) -> Result<Wav<W>, FileError> {
        let (bits_per_sample, sample_format) = match format.bits {
            Bits::Int16 => (16, SampleFormat::Int),
            Bits::Int24 => (24, SampleFormat::Int),
            Bits::Float32 => (32, SampleFormat::Float),
        };
        let channels = u16::try_from(format.channels)
            .map_err(|_| FileError::Unsupported("a WAV file has at most 65535 channels".into()))?;
        let spec = WavSpec { channels, sample_rate: format.rate, bits_per_sample, sample_format };
        Ok(Wav {
            writer: WavWriter::new(BufWriter::with_capacity(BUFFER_BYTES, out), spec).map_err(from_hound)?,
        })
    }
}

impl<W: Write + Seek> Encoder for Wav<W> {
    fn integers(&mut self, samples: &[i32]) -> Result<(), FileError> {
        samples.iter().try_for_each(|&s| self.writer.write_sample(s)).map_err(from_hound)
    }

    fn floats(&mut self, samples: &[f32]) -> Result<(), FileError> {
        samples.iter().try_for_each(|&s| self.writer.write_sample(s)).map_err(from_hound)
    }

    fn finish(self: Box<Self>) -> Result<(), FileError> {
        self.writer.finalize().map_err(from_hound)
    }
}

/// hound's errors in ours.
pub(super) fn from_hound(e: hound::Error) -> FileError {
    match e {
        hound::Error::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            FileError::Malformed("the file ends before its sound does".into())
        }
        hound::Error::IoError(e) => FileError::Io(e),
        hound::Error::Unsupported => {
            FileError::Unsupported("a WAV file of a kind that mam does not read".into())
        }
        other => FileError::Malformed(format!("not a whole WAV file: {other}")),
    }
}
