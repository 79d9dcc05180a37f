//! FLAC, through flacenc, a frame at a time; the header is put right at the end.

use super::{Bits, Encoder, FileError, Format};
use flacenc::bitsink::ByteSink;
use flacenc::component::{BitRepr, Stream};
use flacenc::error::{Verified, Verify};
use flacenc::source::{Context, Fill, FrameBuf};
use std::io::{BufWriter, Seek, SeekFrom, Write};

/// Frames (moments in time) in each FLAC frame: the usual size of the reference encoder.
const BLOCK: usize = 4096;

pub(super) struct Flac<W: Write + Seek> {
    out: BufWriter<W>,
    config: Verified<flacenc::config::Encoder>,
    stream: Stream,
    block: FrameBuf,
    context: Context,
    waiting: Vec<i32>,
    channels: usize,
    blocks: usize,
}

impl<W: Write + Seek> Flac<W> {
    pub(super) fn new(out: W, format: Format) -> Result<Flac<W>, FileError> {
        let bits = match format.bits {
            Bits::Int16 => 16,
            Bits::Int24 => 24,
            Bits::Float32 => {
                return Err(FileError::Unsupported("FLAC holds no floats; it takes 16 or 24 bits".into()));
            }
        };
        let channels = format.channels;
        if channels > 8 || format.rate >= 1 << 20 {
            let words = "FLAC holds at most 8 channels, below 1048576 Hz";
            return Err(FileError::Unsupported(words.into()));
        }
        let config = flacenc::config::Encoder::default();
        let mut flac = Flac {
            out: BufWriter::new(out),
            config: config.into_verified().map_err(|(_, e)| internal(e))?,
            stream: Stream::new(format.rate as usize, channels, bits).map_err(internal)?,
            block: FrameBuf::with_size(channels, BLOCK).map_err(internal)?,
            context: Context::new(bits, channels),
            waiting: Vec::with_capacity(BLOCK * channels),
            channels,
            blocks: 0,
        };
        flac.stream.stream_info_mut().set_block_sizes(BLOCK, BLOCK).map_err(internal)?;
        put(&mut flac.out, &flac.stream)?;
        Ok(flac)
    }

    /// Encodes the samples that wait, at most one block of them.
    fn encode(&mut self) -> Result<(), FileError> {
        self.block.resize(self.waiting.len() / self.channels);
        self.block.fill_interleaved(&self.waiting).map_err(internal)?;
        self.context.fill_interleaved(&self.waiting).map_err(internal)?;
        let info = self.stream.stream_info();
        let frame = flacenc::encode_fixed_size_frame(&self.config, &self.block, self.blocks, info);
        let frame = frame.map_err(internal)?;
        self.stream.stream_info_mut().update_frame_info(&frame);
        self.blocks += 1;
        self.waiting.clear();
        put(&mut self.out, &frame)
    }
}

impl<W: Write + Seek> Encoder for Flac<W> {
    fn integers(&mut self, mut samples: &[i32]) -> Result<(), FileError> {
        while !samples.is_empty() {
            let room = BLOCK * self.channels - self.waiting.len();
            let (now, later) = samples.split_at(room.min(samples.len()));
            self.waiting.extend(now);
            samples = later;
            if self.waiting.len() == BLOCK * self.channels {
                self.encode()?;
            }
        }
        Ok(())
    }

    fn floats(&mut self, _: &[f32]) -> Result<(), FileError> {
        unreachable!("a FLAC file of floats is refused when it is made")
    }

    fn finish(mut self: Box<Self>) -> Result<(), FileError> {
        if !self.waiting.is_empty() {
            self.encode()?;
        }
        let info = self.stream.stream_info_mut();
        // The last block may be shorter; the header names the size of all others.
        info.set_block_sizes(BLOCK, BLOCK).map_err(internal)?;
        info.set_md5_digest(&self.context.md5_digest());
        info.set_total_samples(self.context.total_samples());
        self.out.seek(SeekFrom::Start(0))?;
        put(&mut self.out, &self.stream)?;
        Ok(self.out.flush()?)
    }
}

fn put(out: &mut impl Write, what: &impl BitRepr) -> Result<(), FileError> {
    let mut sink = ByteSink::new();
    what.write(&mut sink).map_err(internal)?;
    Ok(out.write_all(sink.as_slice())?)
}

fn internal(e: impl std::fmt::Display) -> FileError {
    FileError::Unsupported(format!("the FLAC encoder refused: {e}"))
}
