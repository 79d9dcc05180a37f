//! What is played, into a file.

use crate::failure::Failure;
use crate::output::{Inputs, Output};
use crate::rendered::endings;
use mam_runtime::file::{self, Container, Details, Dither, FileError, Writer};
use mam_runtime::output::Format;
use mam_runtime::{ChannelLayout, Program};
use rtrb::Consumer;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// A file that sound is recorded into.
pub(crate) struct Take {
    path: PathBuf,
    writer: Writer<'static>,
    output: Shared,
}

impl Take {
    /// Begins a file; its ending says of which kind it is. One that is there is never written over.
    ///
    /// # Errors
    /// When the ending is not known, there is such a file, or it cannot be written.
    pub(crate) fn new(
        path: &Path,
        title: Option<String>,
        format: &Format,
        layout: ChannelLayout,
    ) -> Result<Take, Failure> {
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        let container = Container::from_extension(ending).ok_or_else(|| {
            Failure::Usage(format!(
                "cannot tell from `{}` what kind of file to record: let it end with {}",
                path.display(),
                endings(&[])
            ))
        })?;
        // Not as in a render, which can be made again.
        if path.is_file() {
            return Err(Failure::Usage(format!(
                "`{}` is there already, and a take cannot be played again: give the new one another name",
                path.display()
            )));
        }
        let output = Output::create(path, &Inputs::default())?;
        let seekable = output.is_seekable();
        let output = Shared::new(output);
        let (rate, channels) = (format.rate, format.channels);
        let bits = container.default_bits();
        let format = file::Format { container, bits, dither: Dither::Tpdf, rate, channels, layout };
        let details = Details { title, ..Details::default() };
        let writer = match seekable {
            true => Writer::new(output.clone(), format, &details),
            false => Writer::streaming(output.clone(), format, &details),
        };
        let writer = writer.map_err(|e| failure(path, e))?;
        Ok(Take { path: path.into(), writer, output })
    }

    /// Writes whole frames of interleaved samples.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn write(&mut self, samples: &[f32]) -> Result<(), Failure> {
        self.writer.write(samples).map_err(|e| failure(&self.path, e))
    }

    /// Ends the file and gives it its name: what is written stays also where the rest cannot be. Says so.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub(crate) fn finish(self) -> Result<String, Failure> {
        let ended = self.writer.finish().map_err(|e| failure(&self.path, e));
        self.output.into_inner()?.finish()?;
        ended?;
        Ok(format!("recorded {}\n", self.path.display()))
    }
}

/// A recording of all that is played.
pub(super) struct Recorder {
    take: Take,
    ring: Consumer<f32>,
    channels: usize,
    /// Samples that are still to come before the music does.
    early: usize,
}

impl Recorder {
    /// Begins a recording of a program with its music, which is later than the ring by the program's latency; see
    /// [`Take::new`].
    pub(super) fn new(
        path: &Path,
        title: Option<String>,
        format: &Format,
        ring: Consumer<f32>,
        program: &Program,
    ) -> Result<Recorder, Failure> {
        let early = program.latency as usize * format.channels;
        let take = Take::new(path, title, format, program.layout)?;
        Ok(Recorder { take, ring, channels: format.channels, early })
    }

    /// Writes what has been played since.
    pub(super) fn take(&mut self) -> Result<(), Failure> {
        let whole = self.ring.slots() / self.channels * self.channels;
        if let Ok(chunk) = self.ring.read_chunk(whole) {
            let (first, second) = chunk.as_slices();
            let samples = [first, second].concat();
            chunk.commit_all();
            let early = self.early.min(samples.len());
            self.early -= early;
            self.take.write(&samples[early..])?;
        }
        Ok(())
    }

    /// Ends the file, and says so. What is written stays also where the rest cannot be.
    pub(super) fn finish(mut self) -> Result<String, Failure> {
        let taken = self.take();
        let said = self.take.finish()?;
        taken.map(|()| said)
    }
}

fn failure(path: &Path, error: FileError) -> Failure {
    match error {
        FileError::Io(e) => Failure::write(path, &e),
        other => Failure::Io(format!("cannot write `{}`: {other}", path.display())),
    }
}

/// An output that the writer fills and that is given its name when the writer is done.
#[derive(Clone)]
struct Shared(Arc<Mutex<Option<Output>>>);

impl Shared {
    fn new(output: Output) -> Shared {
        Shared(Arc::new(Mutex::new(Some(output))))
    }

    fn into_inner(self) -> Result<Output, Failure> {
        self.0.lock().ok().and_then(|mut output| output.take()).ok_or(Failure::Unread)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Output) -> std::io::Result<T>) -> std::io::Result<T> {
        match self.0.lock().as_deref_mut() {
            Ok(Some(output)) => act(output),
            _ => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.with(|o| o.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.with(std::io::Write::flush)
    }
}

impl std::io::Seek for Shared {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.with(|o| o.seek(to))
    }
}
