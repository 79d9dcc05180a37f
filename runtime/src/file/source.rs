//! A file of which there are several places at a time, and what is known of its sound when it has been opened.

use super::FileError;
use super::intake::{Intake, Wanted};
use crate::stream::FrameReader;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// Channels of a file that are read.
pub(super) const MOST_CHANNELS: usize = 2;

/// A sound file that can be read from any place.
pub struct Opened {
    /// Its rate, in frames a second.
    pub rate: u32,
    /// How many channels are read, one or two.
    pub channels: usize,
    /// How many frames each channel has.
    pub frames: u64,
    /// What reads them, from any place.
    pub reader: Box<dyn FrameReader>,
}

/// A place in a file, of which there may be several at a time.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) file: Arc<File>,
    pub(super) at: u64,
    pub(super) length: u64,
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = read_at(&self.file, into, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, at)
}

#[cfg(windows)]
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, at)
}

#[cfg(not(any(unix, windows)))]
fn read_at(mut file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    file.seek(SeekFrom::Start(at))?;
    file.read(into)
}

/// Refuses a rate or a number of channels that no sound has.
pub(super) fn check(rate: u32, channels: usize) -> Result<(), FileError> {
    Intake::new(Wanted { rate: None, channels: MOST_CHANNELS, frames: 0, most: None }).begin(rate, channels)
}

/// The file ends before its header says.
pub(super) fn cut_off() -> FileError {
    FileError::Malformed("it ends before its header says".into())
}
