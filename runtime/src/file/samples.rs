//! Reading plain samples: those of WAV, AIFF and CAF, once their header is read.

use super::FileError;
use super::intake::{Intake, PORTION};
use super::plain::Order;
use std::io::Read;

/// How a sample is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Unsigned8,
    /// Two's complement of so many bytes, 1 to 4.
    Signed(usize),
    Float32,
    Float64,
}

/// What a header says of the samples behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Samples {
    pub(super) coding: Coding,
    pub(super) order: Order,
    pub(super) rate: u32,
    pub(super) channels: usize,
}

impl Samples {
    /// Reads `size` bytes of samples; all that there are where it is not known.
    pub(super) fn read(
        self,
        source: &mut impl Read,
        size: Option<u64>,
        intake: &mut Intake,
    ) -> Result<(), FileError> {
        intake.begin(self.rate, self.channels)?;
        let frame = self.frame_bytes();
        let is_streamed = is_streamed(size);
        if let Some(size) = size.filter(|_| !is_streamed) {
            intake.promise(size / frame as u64)?;
        }
        let portion = (PORTION / self.channels).max(1) * frame;
        let mut left = size.unwrap_or(u64::MAX);
        let (mut bytes, mut samples) = (Vec::new(), Vec::new());
        while left > 0 {
            bytes.clear();
            let now = left.min(portion as u64);
            let read = source.by_ref().take(now).read_to_end(&mut bytes)? as u64;
            left -= read;
            samples.clear();
            bytes.truncate(bytes.len() / frame * frame);
            self.decode(&mut bytes, &mut samples);
            if !intake.take(&samples)? {
                return Ok(());
            }
            if read < now {
                intake.is_cut_off = !is_streamed;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Bytes of a frame.
    pub(super) fn frame_bytes(self) -> usize {
        self.coding.bytes() * self.channels
    }

    /// Appends whole samples as floats, full scale at ±1.
    pub(super) fn decode(self, bytes: &mut [u8], into: &mut Vec<f32>) {
        if self.order == Order::Big {
            bytes.chunks_exact_mut(self.coding.bytes()).for_each(<[u8]>::reverse);
        }
        match self.coding {
            Coding::Unsigned8 => into.extend(bytes.iter().map(|&b| (f32::from(b) - 128.0) / 128.0)),
            Coding::Signed(count) => into.extend(bytes.chunks_exact(count).map(|sample| {
                let mut whole = [0; 4];
                whole[4 - count..].copy_from_slice(sample);
                (f64::from(i32::from_le_bytes(whole)) / 2_147_483_648.0) as f32
            })),
            Coding::Float32 => {
                into.extend(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])))
            }
            Coding::Float64 => into.extend(
                bytes.chunks_exact(8).map(|b| f64::from_le_bytes(std::array::from_fn(|i| b[i])) as f32),
            ),
        }
    }
}

/// What a file's samples are, and how many bytes there are of them where that is known.
pub(super) type Header = (Samples, Option<u64>);

/// Whether a header does not know how many bytes of samples there are. Those who write streams of unknown length put in sizes near
/// the greatest.
pub(super) fn is_streamed(size: Option<u64>) -> bool {
    size.is_none_or(|size| (0x7fff_0000..=0xffff_ffff).contains(&size))
}

impl Coding {
    fn bytes(self) -> usize {
        match self {
            Coding::Unsigned8 => 1,
            Coding::Signed(bytes) => bytes,
            Coding::Float32 => 4,
            Coding::Float64 => 8,
        }
    }
}
