//! Where the bytes of a file go: to a place whose beginning can be written again, or into a stream.

use std::io::{self, Seek, SeekFrom, Write};

/// Where an encoder writes.
pub(super) enum Sink<'w> {
    /// The header is written again at the end, when everything is known.
    Seekable(Box<dyn WriteSeekSend + 'w>),
    /// The header says what is known at the start.
    Stream(Box<dyn Write + Send + 'w>),
}

/// What can be written and rewound, by any thread.
pub(super) trait WriteSeekSend: Write + Seek + Send {}

impl<T: Write + Seek + Send> WriteSeekSend for T {}

impl Sink<'_> {
    pub(super) fn is_seekable(&self) -> bool {
        matches!(self, Sink::Seekable(_))
    }

    /// Goes to the beginning; false where that is not possible.
    pub(super) fn rewind(&mut self) -> io::Result<bool> {
        match self {
            Sink::Seekable(out) => out.seek(SeekFrom::Start(0)).map(|_| true),
            Sink::Stream(_) => Ok(false),
        }
    }
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::Seekable(out) => out.write(bytes),
            Sink::Stream(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::Seekable(out) => out.flush(),
            Sink::Stream(out) => out.flush(),
        }
    }
}
