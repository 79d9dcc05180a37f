//! Reading a sound file from any place, for what is too long to be in memory: plain samples here, what is compressed in
//! [`super::anywhere_compressed`]. How long the sound is, is known when it has been opened, in bounded time and memory; what the
//! header promises is there, at least its end.

use super::FileError;
use super::read::READERS;
use super::samples::{Samples, is_streamed};
use super::source::{MOST_CHANNELS, Opened, Source, check, cut_off};
use super::wav_read::MARK;
use crate::stream::FrameReader;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

/// Opens a file whose sound is read from any place.
///
/// # Errors
/// When it is of no kind that this build reads, broken, or shorter than its header says.
pub fn open(file: File) -> Result<Opened, FileError> {
    let length = file.metadata()?.len();
    let source = Source { file: Arc::new(file), at: 0, length };
    let mut head = Vec::new();
    source.clone().take(MARK as u64).read_to_end(&mut head)?;
    match READERS.iter().find(|reader| (reader.is)(&head)) {
        Some(reader) => {
            let mut source = source;
            let (samples, size) = (reader.header)(&mut source)?;
            plain(source, samples, size)
        }
        None => compressed(source),
    }
}

#[cfg(feature = "decode")]
use super::anywhere_compressed::compressed;

#[cfg(not(feature = "decode"))]
fn compressed(_: Source) -> Result<Opened, FileError> {
    let words = "it is compressed, or no sound file: this build of mam reads plain samples only";
    Err(FileError::Unsupported(words.into()))
}

/// Plain samples, which begin where the source is.
fn plain(source: Source, samples: Samples, size: Option<u64>) -> Result<Opened, FileError> {
    check(samples.rate, samples.channels)?;
    let there = source.length.saturating_sub(source.at);
    let bytes = match size.filter(|size| !is_streamed(Some(*size))) {
        Some(size) if size > there => return Err(cut_off()),
        Some(size) => size,
        None => size.unwrap_or(u64::MAX).min(there),
    };
    let frames = bytes / samples.frame_bytes() as u64;
    let channels = samples.channels.min(MOST_CHANNELS);
    let reader = Plain { source, samples, bytes: vec![], decoded: vec![] };
    Ok(Opened { rate: samples.rate, channels, frames, reader: Box::new(reader) })
}

/// Plain samples in a file, from a place on.
struct Plain {
    source: Source,
    samples: Samples,
    bytes: Vec<u8>,
    decoded: Vec<f32>,
}

impl FrameReader for Plain {
    fn read(&mut self, first: u64, channels: &mut [&mut [f32]]) -> Result<(), String> {
        let frame = self.samples.frame_bytes();
        let wanted = channels.first().map_or(0, |channel| channel.len()) * frame;
        let mut source = self.source.clone();
        source.at += first * frame as u64;
        self.bytes.clear();
        let read = source.take(wanted as u64).read_to_end(&mut self.bytes);
        self.bytes.truncate(self.bytes.len() / frame * frame);
        let is_short = self.bytes.len() < wanted;
        self.decoded.clear();
        self.samples.decode(&mut self.bytes, &mut self.decoded);
        for (c, channel) in channels.iter_mut().enumerate() {
            let samples = self.decoded.iter().skip(c).step_by(self.samples.channels);
            channel.iter_mut().zip(samples).for_each(|(x, sample)| *x = *sample);
        }
        match read {
            Err(e) => Err(format!("it cannot be read any more: {e}")),
            Ok(_) if is_short => Err("it has become shorter while it is played".into()),
            Ok(_) => Ok(()),
        }
    }
}
