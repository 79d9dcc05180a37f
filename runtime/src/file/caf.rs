//! Apple's Core Audio Format: a description and one data chunk with a 64-bit size, little-endian samples.
//!
//! Layout after Apple's "Core Audio Format Specification 1.0".

use super::{Bits, Encoder, FileError, Format};
use std::io::{BufWriter, Seek, SeekFrom, Write};

pub(super) struct Caf<W: Write + Seek> {
    out: BufWriter<W>,
    format: Format,
    data: u64,
}

impl<W: Write + Seek> Caf<W> {
    pub(super) fn new(out: W, format: Format) -> Result<Caf<W>, FileError> {
        let mut caf = Caf { out: BufWriter::new(out), format, data: 0 };
        let header = caf.header();
        caf.out.write_all(&header)?;
        Ok(caf)
    }

    fn header(&self) -> Vec<u8> {
        const FLOAT: u32 = 1;
        const LITTLE_ENDIAN: u32 = 2;
        let bytes = self.format.bits.bytes() as u32;
        let channels = self.format.channels as u32;
        let float = if self.format.bits == Bits::Float32 { FLOAT } else { 0 };
        let mut header = b"caff\0\x01\0\0desc".to_vec();
        header.extend(32_u64.to_be_bytes());
        header.extend(f64::from(self.format.rate).to_be_bytes());
        header.extend(b"lpcm");
        for field in [float | LITTLE_ENDIAN, bytes * channels, 1, channels, bytes * 8] {
            header.extend(field.to_be_bytes());
        }
        header.extend(b"data");
        // The chunk begins with an edit count of four bytes.
        header.extend((self.data + 4).to_be_bytes());
        header.extend([0; 4]);
        header
    }
}

impl<W: Write + Seek> Encoder for Caf<W> {
    fn integers(&mut self, samples: &[i32]) -> Result<(), FileError> {
        let bytes = self.format.bits.bytes();
        self.data += (samples.len() * bytes) as u64;
        for s in samples {
            self.out.write_all(&s.to_le_bytes()[..bytes])?;
        }
        Ok(())
    }

    fn floats(&mut self, samples: &[f32]) -> Result<(), FileError> {
        self.data += (samples.len() * 4) as u64;
        for s in samples {
            self.out.write_all(&s.to_le_bytes())?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), FileError> {
        let header = self.header();
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header)?;
        Ok(self.out.flush()?)
    }
}
