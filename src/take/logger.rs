//! A performance while it is logged.
//!
//! The file is written as the performance goes on, a line for each part, so that what was played is there also when `mamc` is killed.

use super::document::{Document, Entered, How, Part, Played, Text, VERSION, taken};
use crate::args::HowArgs;
use crate::failure::Failure;
use crate::output::Growing;
use mam_runtime::Program;
use mam_runtime::control::{Control, Entry, Log};
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of the texts of a log at most.
const MOST_BYTES: usize = 256 << 20;

/// What a performance was so far.
pub struct Logger {
    path: PathBuf,
    /// How it began, and all of its texts and programs.
    document: Document,
    /// What is not written yet, but for texts and programs.
    part: Part,
    /// How many texts and programs are written.
    written: (usize, usize),
    file: Option<Growing>,
    /// Programs that may be asked for again, with their places in the document's list.
    known: Vec<(Arc<Program>, usize)>,
    bytes: usize,
    /// Why it has ended before the performance.
    ended: Option<&'static str>,
    /// Why it could not be written any more.
    failed: Option<io::Error>,
}

/// How a performance begins.
pub struct Beginning {
    /// Sample rate, in frames a second.
    pub rate: u32,
    /// Channels of the device.
    pub channels: usize,
    /// False where it begins in silence.
    pub playing: bool,
    /// The frame of the song at which it begins, and from which on that was rendered.
    pub entry: Entry,
}

impl Logger {
    /// Begins a log in a file that is not there yet.
    ///
    /// # Errors
    /// When it is there.
    pub fn new(path: &Path, how: &HowArgs) -> Result<Logger, Failure> {
        if !super::is_take(path) {
            return Err(Failure::Usage(format!(
                "the log of a performance has the ending .mamlog, and `{}` has not",
                path.display()
            )));
        }
        if path.exists() {
            return Err(Failure::Usage(format!(
                "`{}` is there already, and a take cannot be played again: give the new one another name",
                path.display()
            )));
        }
        let document = Document {
            mamlog: VERSION,
            mam: env!("CARGO_PKG_VERSION").into(),
            rate: 0,
            channels: 0,
            fma: how.target().fma,
            how: How::new(how),
            playing: true,
            entry: [0, 0],
            songs: vec![],
            programs: vec![],
            first: 0,
            asked: vec![],
            taken: vec![],
            frames: 0,
        };
        Ok(Logger {
            path: path.into(),
            document,
            part: Part::default(),
            written: (0, 0),
            file: None,
            known: vec![],
            bytes: 0,
            ended: None,
            failed: None,
        })
    }

    /// The performance begins, with a program that is known, and the file with it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn begin(&mut self, program: &Arc<Program>, beginning: &Beginning) -> Result<(), Failure> {
        self.document.first = self.place(program).unwrap_or_default();
        let Beginning { rate, channels, playing, entry } = *beginning;
        (self.document.rate, self.document.channels, self.document.playing) = (rate, channels, playing);
        self.document.entry = [entry.at, entry.since];
        let failed = |error: io::Error| Failure::write(&self.path, &error);
        let mut file = Growing::create(&self.path)?;
        write_line(&mut file, &self.document).map_err(failed)?;
        self.file = Some(file);
        self.written = (self.document.songs.len(), self.document.programs.len());
        Ok(())
    }

    /// A version of the song may be heard from now on, as it is: `None` for silence.
    pub fn compiled(&mut self, program: &Arc<Program>, text: Option<Text>) {
        let songs = &mut self.document.songs;
        let song = text.map(|text| match songs.iter().position(|known| *known == text) {
            Some(place) => place,
            None => {
                self.bytes += text.bytes();
                songs.push(text);
                songs.len() - 1
            }
        });
        self.know(program, Played { song, tempo: None });
        if self.bytes > MOST_BYTES {
            self.end("its texts are longer than a log may be");
        }
    }

    /// The same version at another tempo.
    pub fn at_tempo(&mut self, program: &Arc<Program>, of: &Arc<Program>, tempo: Option<f64>) {
        let song = self.place(of).and_then(|place| self.document.programs[place].song);
        if !Arc::ptr_eq(program, of) {
            self.know(program, Played { song, tempo });
        }
    }

    /// Nothing more is logged, for this reason.
    pub fn end(&mut self, why: &'static str) {
        self.ended.get_or_insert(why);
    }

    /// Takes what has been logged since.
    pub fn take(&mut self, log: Log) {
        if log.is_cut {
            self.end("more was asked for than a log holds");
        }
        if self.ended.is_some() {
            return;
        }
        for asked in log.asked {
            let place = |program: &Arc<Program>| self.place(program).unwrap_or(usize::MAX);
            let entered = Entered::new(asked, place);
            self.part.asked.push(entered);
        }
        self.part.taken.extend(log.taken.iter().map(taken));
        self.part.frames = log.frames;
        let is_new = !self.part.asked.is_empty()
            || !self.part.taken.is_empty()
            || self.part.frames >= self.document.frames + u64::from(self.document.rate);
        if is_new {
            self.write();
        }
        // What nothing else holds cannot be asked for again.
        self.known.retain(|(program, _)| Arc::strong_count(program) > 1);
    }

    /// Writes what is new.
    fn write(&mut self) {
        let (songs, programs) = self.written;
        let mut part = std::mem::take(&mut self.part);
        part.songs = self.document.songs[songs..].to_vec();
        part.programs = self.document.programs[programs..].to_vec();
        self.written = (self.document.songs.len(), self.document.programs.len());
        self.document.frames = part.frames;
        if let Some(file) = &mut self.file
            && let Err(error) = write_line(file, &part)
        {
            self.end("it could not be written any more");
            self.failed = Some(error);
        }
        self.part.frames = part.frames;
    }

    /// Writes the end of the file, and says so.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn finish(mut self, control: &mut Control) -> Result<String, Failure> {
        if let Some(log) = control.take_log() {
            self.take(log);
        }
        if self.failed.is_none() {
            self.part.ended = true;
            self.write();
        }
        if let Some(error) = &self.failed {
            return Err(Failure::write(&self.path, error));
        }
        let until = self.ended.map_or(String::new(), |why| format!(", which ends early: {why}"));
        Ok(format!("logged {}{until}\n", self.path.display()))
    }

    fn know(&mut self, program: &Arc<Program>, played: Played) {
        let programs = &mut self.document.programs;
        let place = programs.iter().position(|known| *known == played).unwrap_or_else(|| {
            programs.push(played);
            programs.len() - 1
        });
        self.known.push((program.clone(), place));
    }

    fn place(&self, program: &Arc<Program>) -> Option<usize> {
        self.known.iter().rev().find(|(known, _)| Arc::ptr_eq(known, program)).map(|(_, place)| *place)
    }
}

impl Drop for Logger {
    /// A performance that was not heard leaves no log.
    fn drop(&mut self) {
        if let Some(file) = self.file.as_mut().filter(|_| self.document.frames == 0 && self.failed.is_none())
        {
            file.discard();
        }
    }
}

fn write_line(file: &mut Growing, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.add(&line)
}
