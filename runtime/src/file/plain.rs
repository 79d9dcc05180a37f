//! Containers of plain samples: a header, then the samples as they are. WAV, AIFF and CAF differ in the header alone.

use super::sink::Sink;
use super::{Details, Encoder, FileError, Format, Frames};
use std::io::Write;

/// Bytes that are worth a call of the system.
const ENOUGH: usize = 1 << 20;
/// The same in a stream, which is read while it is written.
const ENOUGH_OF_STREAM: usize = 1 << 15;

/// Which byte of a sample comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The least significant byte first.
    Little,
    /// The most significant byte first.
    Big,
}

/// How many bytes of samples there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// So many bytes of samples.
    Bytes(u64),
    /// As many as the stream will have.
    Unknown,
}

/// What tells the containers apart.
pub(super) trait Layout {
    /// The order of a sample's bytes.
    const ORDER: Order;
    /// Whether the samples are filled up to an even number of bytes.
    const EVEN: bool;

    /// Everything before the samples. Its length does not depend on how many there are.
    fn header(&self, data: Data) -> Vec<u8>;
}

/// A file of plain samples in the making.
pub(super) struct Plain<'w, L> {
    out: Sink<'w>,
    format: Format,
    layout: L,
    /// Bytes of samples so far.
    data: u64,
    /// Those that are not yet written.
    block: Vec<u8>,
    enough: usize,
}

impl<'w, L: Layout> Plain<'w, L> {
    pub(super) fn new(
        mut out: Sink<'w>,
        format: Format,
        details: &Details,
        layout: L,
    ) -> Result<Plain<'w, L>, FileError> {
        let data = match details.frames {
            _ if out.is_seekable() => Data::Bytes(0),
            Frames::Exactly(frames) => Data::Bytes(frames.saturating_mul(format.frame_bytes())),
            _ => Data::Unknown,
        };
        out.write_all(&layout.header(data))?;
        out.flush()?;
        let enough = if out.is_seekable() { ENOUGH } else { ENOUGH_OF_STREAM };
        Ok(Plain { out, format, layout, data: 0, block: vec![], enough })
    }

    fn append<S: Copy, const N: usize>(
        &mut self,
        samples: &[S],
        bytes: impl Fn(S) -> [u8; N],
    ) -> Result<(), FileError> {
        let start = self.block.len();
        self.block.resize(start + samples.len() * N, 0);
        for (to, &sample) in self.block[start..].chunks_exact_mut(N).zip(samples) {
            to.copy_from_slice(&bytes(sample));
        }
        self.data += (samples.len() * N) as u64;
        if self.block.len() < self.enough { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), FileError> {
        self.out.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }
}

impl<L: Layout> Encoder for Plain<'_, L> {
    fn integers(&mut self, samples: &[i32]) -> Result<(), FileError> {
        match (self.format.bits.bytes(), L::ORDER) {
            (2, Order::Little) => self.append(samples, |s| (s as i16).to_le_bytes()),
            (2, Order::Big) => self.append(samples, |s| (s as i16).to_be_bytes()),
            (_, Order::Little) => self.append(samples, |s| [s as u8, (s >> 8) as u8, (s >> 16) as u8]),
            (_, Order::Big) => self.append(samples, |s| [(s >> 16) as u8, (s >> 8) as u8, s as u8]),
        }
    }

    fn floats(&mut self, samples: &[f32]) -> Result<(), FileError> {
        match L::ORDER {
            Order::Little => self.append(samples, f32::to_le_bytes),
            Order::Big => self.append(samples, f32::to_be_bytes),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<(), FileError> {
        let waiting = self.block.len() as u64;
        if L::EVEN && self.data % 2 == 1 {
            self.block.push(0);
        }
        // Where there is no room for the rest, what fits is a whole file.
        let rest = self.flush();
        let fits = if rest.is_ok() { self.data } else { self.data - waiting };
        if self.out.rewind()? {
            let header = self.layout.header(Data::Bytes(fits));
            self.out.write_all(&header)?;
        }
        self.out.flush()?;
        rest
    }
}
