//! AIFF for integers, AIFF-C for floats: big-endian chunks, the rate as an 80-bit float.
//!
//! Layout after Apple's "Audio Interchange File Format AIFF-C", draft of 26 August 1991.

use super::{Bits, Encoder, FileError, Format};
use std::io::{BufWriter, Seek, SeekFrom, Write};

pub(super) struct Aiff<W: Write + Seek> {
    out: BufWriter<W>,
    format: Format,
    samples: u64,
}

impl<W: Write + Seek> Aiff<W> {
    pub(super) fn new(out: W, format: Format) -> Result<Aiff<W>, FileError> {
        if format.channels > i16::MAX as usize {
            return Err(FileError::Unsupported("an AIFF file has at most 32767 channels".into()));
        }
        let mut aiff = Aiff { out: BufWriter::new(out), format, samples: 0 };
        let header = aiff.header();
        aiff.out.write_all(&header)?;
        Ok(aiff)
    }

    /// The whole header for the samples so far. Its length does not depend on them.
    fn header(&self) -> Vec<u8> {
        let float = self.format.bits == Bits::Float32;
        let data = self.samples * self.format.bits.bytes() as u64;
        let mut chunks = Vec::new();
        if float {
            chunk(&mut chunks, b"FVER", &0xA280_5140_u32.to_be_bytes());
        }
        chunk(&mut chunks, b"COMM", &self.common(float));
        chunks.extend(b"SSND");
        chunks.extend((data as u32 + 8).to_be_bytes());
        chunks.extend([0; 8]);
        let mut header = b"FORM".to_vec();
        let padding = data % 2;
        header.extend((4 + chunks.len() as u32 + data as u32 + padding as u32).to_be_bytes());
        header.extend(if float { b"AIFC" } else { b"AIFF" });
        header.extend(chunks);
        header
    }

    fn common(&self, float: bool) -> Vec<u8> {
        let mut common = Vec::new();
        common.extend((self.format.channels as u16).to_be_bytes());
        common.extend(((self.samples / self.format.channels as u64) as u32).to_be_bytes());
        common.extend((self.format.bits.bytes() as u16 * 8).to_be_bytes());
        common.extend(extended(self.format.rate));
        if float {
            common.extend(b"fl32");
            // A counted string of even length in all.
            common.extend(b"\x0d32-bit floats");
        }
        common
    }
}

impl<W: Write + Seek> Encoder for Aiff<W> {
    fn integers(&mut self, samples: &[i32]) -> Result<(), FileError> {
        self.samples += samples.len() as u64;
        let bytes = self.format.bits.bytes();
        for s in samples {
            self.out.write_all(&s.to_be_bytes()[4 - bytes..])?;
        }
        Ok(())
    }

    fn floats(&mut self, samples: &[f32]) -> Result<(), FileError> {
        self.samples += samples.len() as u64;
        for s in samples {
            self.out.write_all(&s.to_be_bytes())?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), FileError> {
        if self.samples * self.format.bits.bytes() as u64 % 2 == 1 {
            self.out.write_all(&[0])?;
        }
        let header = self.header();
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header)?;
        Ok(self.out.flush()?)
    }
}

fn chunk(into: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    into.extend(name);
    into.extend((content.len() as u32).to_be_bytes());
    into.extend(content);
}

/// A whole number as an 80-bit IEEE float: sign and exponent, then 64 bits with the leading 1.
fn extended(rate: u32) -> [u8; 10] {
    let mut bytes = [0; 10];
    let shift = u64::from(rate).leading_zeros();
    bytes[..2].copy_from_slice(&(16383 + 63 - shift as u16).to_be_bytes());
    bytes[2..].copy_from_slice(&(u64::from(rate) << shift).to_be_bytes());
    bytes
}
