//! The files of a render: the mix, stems and taps, each a sound that is rendered into it.

use crate::console::Console;
use crate::failure::Failure;
use crate::output::{Inputs, Output, behind_links};
use crate::progress::Progress;
use crate::rendered::Rendered;
use crate::{beside, offline};
use mam_measure::levels::Meter;
use mam_runtime::file::{Bits, Container, Details, FileError, Format, Frames, Writer};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A sound that can be rendered, as often as wanted.
pub trait Rendering {
    /// Frames a second, of all that it renders.
    fn rate(&self) -> u32;

    /// Its channels.
    fn channels(&self) -> usize;

    /// How many frames it has at least.
    fn expected(&self) -> u64;

    /// How many frames there will be after `before` others.
    fn total(&self, before: u64) -> Frames;

    /// Renders it, and hands over interleaved frames.
    ///
    /// # Errors
    /// What `take` returns, and what keeps it from being rendered.
    fn run(&self, take: &mut dyn FnMut(&[f32]) -> Result<(), Failure>) -> Result<(), Failure>;
}

impl Rendering for offline::Job {
    fn rate(&self) -> u32 {
        self.program.rate
    }

    fn channels(&self) -> usize {
        offline::Job::channels(self)
    }

    fn expected(&self) -> u64 {
        offline::Job::expected(self)
    }

    fn total(&self, before: u64) -> Frames {
        offline::Job::total(self, before)
    }

    fn run(&self, take: &mut dyn FnMut(&[f32]) -> Result<(), Failure>) -> Result<(), Failure> {
        offline::Job::run(self, take)
    }
}

/// A kind of file, and the kind of the samples in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Of which kind the file is.
    pub container: Container,
    /// Of which kind its samples are.
    pub bits: Bits,
}

/// A further file of a render: what is heard in it, and where it goes.
pub struct Extra {
    /// The stem, or the equation or node.
    pub name: String,
    /// The file that is written for it.
    pub file: PathBuf,
    /// What kind of file it is.
    pub kind: Kind,
    /// Whether it is a stem.
    pub is_stem: bool,
}

/// What all files of a render have in common.
pub struct Files {
    /// The form of the song's; the others have its rate, dither and layout, and all have channels of their own.
    pub format: Format,
    /// The title of the song, which goes into files whose kind has a place for it.
    pub title: Option<String>,
    /// What is read, which is not written over.
    pub inputs: Inputs,
    /// Frames of silence before the beginning.
    pub preroll: u64,
    /// Where it is told how it goes.
    pub console: Console,
}

impl Files {
    /// Refuses before anything is rendered what could not be written after it.
    ///
    /// # Errors
    /// When it would be too long for its file, or a file would be written twice or over what is read.
    pub fn check(&self, target: &Path, sound: &dyn Rendering, extras: &[Extra]) -> Result<(), Failure> {
        let frames = sound.expected().saturating_add(self.preroll);
        let mut places: Vec<PathBuf> = Vec::new();
        let extras = extras.iter().map(|extra| (extra.file.as_path(), extra.kind));
        for (path, kind) in std::iter::once((target, self.kind())).chain(extras) {
            self.fits(frames, self.format(kind, sound.channels()))?;
            self.inputs.protect(path)?;
            let (place, is_stdout) = (behind_links(path), path == Path::new("-"));
            let is_file = is_stdout || std::fs::metadata(&place).map_or(true, |m| m.is_file());
            if is_file && places.contains(&place) {
                let name = if is_stdout { "standard output".into() } else { format!("`{}`", path.display()) };
                return Err(Failure::Usage(format!("{name} would be written twice")));
            }
            places.push(place);
        }
        Ok(())
    }

    /// The kind of the song's file.
    pub fn kind(&self) -> Kind {
        Kind { container: self.format.container, bits: self.format.bits }
    }

    /// The form of one of the files.
    fn format(&self, kind: Kind, channels: usize) -> Format {
        Format { container: kind.container, bits: kind.bits, channels, ..self.format }
    }

    /// Refuses what is longer than its file can be, and says so of a WAV file that will be an RF64 one.
    fn fits(&self, frames: u64, format: Format) -> Result<(), Failure> {
        if frames > format.most_frames() {
            let hours = frames as f64 / f64::from(format.rate) / 3600.0;
            let what = FileError::TooLong(format.container);
            return Err(Failure::Usage(format!("{hours:.1} hours do not fit: {what}")));
        }
        if format.container == Container::Wav && frames.saturating_mul(format.frame_bytes()) > u32::MAX.into()
        {
            self.console
                .say("note: above 4 GiB a WAV file is an RF64 file, which some programs do not read\n");
        }
        Ok(())
    }

    /// Renders a sound into a file of the song, multiplied by so many dB.
    ///
    /// # Errors
    /// When it cannot be rendered or written.
    pub fn write_song(
        &self,
        path: &Path,
        sound: &dyn Rendering,
        gain: Option<f64>,
    ) -> Result<Rendered, Failure> {
        self.write(path, None, sound, gain, self.kind())
    }

    /// Renders the sound of a further file into it.
    ///
    /// # Errors
    /// When it cannot be rendered or written.
    pub fn write_extra(&self, extra: &Extra, sound: &dyn Rendering) -> Result<Rendered, Failure> {
        self.write(&extra.file, Some(&extra.name), sound, None, extra.kind)
    }

    /// Renders a sound into a file, multiplied by so many dB; `node` is what is heard in it, if not the song.
    ///
    /// # Errors
    /// When it cannot be rendered or written.
    fn write(
        &self,
        path: &Path,
        node: Option<&str>,
        sound: &dyn Rendering,
        gain: Option<f64>,
        kind: Kind,
    ) -> Result<Rendered, Failure> {
        let format = self.format(kind, sound.channels());
        let failed = |e: FileError| file_failure(path, e);
        let mut output = Output::create(path, &self.inputs)?;
        let began = Instant::now();
        let total = sound.expected().saturating_add(self.preroll);
        let mut progress = Progress::new(self.console, Some(total), format.rate);
        let mut frames = self.preroll;
        let mut writer = self.writer(&mut output, format, sound.total(self.preroll)).map_err(failed)?;
        silence(&mut writer, self.preroll, format.channels).map_err(failed)?;
        let meter = Meter::new(format.channels, format.rate);
        let factor = 10_f64.powf(gain.unwrap_or(0.0) / 20.0) as f32;
        let levels = beside::written(writer, meter, failed, |blocks| {
            sound.run(&mut |block| {
                frames += (block.len() / format.channels) as u64;
                progress.show(frames);
                blocks.write(block.iter().map(|x| x * factor))
            })
        })?;
        progress.clear();
        output.finish()?;
        let file = match std::fs::canonicalize(path) {
            Ok(place) if path != Path::new("-") => place.display().to_string(),
            _ => path.display().to_string(),
        };
        let seconds = began.elapsed().as_secs_f64().max(1e-9);
        let speed = frames as f64 / f64::from(format.rate) / seconds;
        let rendered = Rendered {
            gain: gain.unwrap_or(0.0),
            is_normalized: gain.is_some(),
            speed,
            ..Rendered::new(file, node, format, frames, levels)
        };
        self.console.say(&rendered.to_string());
        if let Some(warning) = rendered.warning() {
            self.console.say(&format!("warning: {warning}\n"));
        }
        Ok(rendered)
    }

    fn writer<'o>(
        &self,
        output: &'o mut Output,
        format: Format,
        frames: Frames,
    ) -> Result<Writer<'o>, FileError> {
        let details = Details { title: self.title.clone(), frames };
        match output.is_seekable() {
            true => Writer::new(output, format, &details),
            false => Writer::streaming(output, format, &details),
        }
    }
}

fn file_failure(path: &Path, error: FileError) -> Failure {
    match error {
        FileError::Io(e) => Failure::write(path, &e),
        FileError::Unsupported(words) => Failure::Usage(words),
        other => Failure::Io(format!("cannot write `{}`: {other}", path.display())),
    }
}

fn silence(writer: &mut Writer, frames: u64, channels: usize) -> Result<(), FileError> {
    const BLOCK: u64 = 1 << 16;
    let zeros = vec![0.0; BLOCK.min(frames) as usize * channels];
    let mut left = frames;
    while left > 0 {
        let now = left.min(BLOCK);
        writer.write(&zeros[..now as usize * channels])?;
        left -= now;
    }
    Ok(())
}
