//! One song, compiled, with its engine and its score.

use crate::CHANNELS;
use mam_compiler::files::{FileId, Loader, Located, Unusable};
use mam_compiler::{Options, compile};
use mam_grammar::{Problem, Sources};
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{Engine, Event};
use std::ffi::c_int;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A song in the middle of being played.
pub struct Song {
    engine: Engine,
    score: Sequencer,
    events: Vec<Event>,
    /// The frame up to which the engine has its events.
    known: u64,
    /// How many frames of events are asked for at a time.
    ahead: u64,
}

/// The folder of the songs.
fn folder() -> PathBuf {
    match std::env::var_os("MAM_PLUG_SONGS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("songs"),
    }
}

/// Finds the files that a song uses, from the file that names them.
struct Disk;

impl Loader for Disk {
    fn locate(&self, from: &Located, path: &str) -> Result<Located, Unusable> {
        let path = Path::new(&from.name).parent().unwrap_or(Path::new("")).join(path);
        let name = path.display().to_string();
        let found = std::fs::canonicalize(&path);
        let id = found.map_err(|e| format!("`{name}` cannot be read: {e}"))?;
        Ok(Located { id: FileId::new(id), name })
    }

    fn read(&self, file: &Located, most: usize) -> Result<String, Unusable> {
        let text = std::fs::read_to_string(file.id.as_os_str());
        let text = text.map_err(|e| format!("`{}` cannot be read: {e}", file.name))?;
        if text.len() > most { Err(format!("`{}` is too large", file.name).into()) } else { Ok(text) }
    }
}

impl Song {
    /// Compiles a song for a sample rate; tells its problems, and gives none when it has errors.
    pub(crate) fn load(number: u32, rate: c_int) -> Option<Song> {
        let path = folder().join(format!("w{number}.mam"));
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|e| tell(&format!("{}: {e}", path.display())));
        Song::compiled(&path.display().to_string(), text.ok()?, u32::try_from(rate).ok()?)
    }

    /// The song of a text.
    pub(crate) fn compiled(name: &str, text: String, rate: u32) -> Option<Song> {
        let mut sources = Sources::default();
        let id = sources.add(name, text);
        let options = Options { rate, channels: CHANNELS, ..Options::default() };
        let compilation = compile(&mut sources, id, &Disk, &options);
        for problem in compilation.problems.into_sorted() {
            tell(&line(&sources, &problem));
        }
        let program = Arc::new(compilation.program?);
        let score = Sequencer::for_program(&program, Extent::Forever);
        let ahead = u64::from(program.rate);
        Some(Song { engine: Engine::new(program), score, events: vec![], known: 0, ahead })
    }

    /// Renders the next frames; silence is heard where there is no input.
    ///
    /// # Safety
    /// `output` holds [`CHANNELS`] addresses of `frames` samples; so does `input`, or it is null or holds null.
    pub(crate) unsafe fn run(&mut self, frames: usize, input: *const *const f32, output: *const *mut f32) {
        let end = self.engine.position() + frames as u64;
        if self.known < end {
            self.schedule(end);
        }
        // SAFETY: as above; the two channels are memory of their own.
        let mut out =
            [0, 1].map(|channel| unsafe { std::slice::from_raw_parts_mut(*output.add(channel), frames) });
        // SAFETY: as above.
        let heard = [0, 1].map(|channel| unsafe { slice(input, channel, frames) });
        // Events are known ahead: only input has to be waited for.
        if self.engine.program().inputs.is_empty() {
            self.engine.process(&mut out);
        } else {
            self.engine.process_block(&heard, &mut out);
        }
    }

    /// Asks the score for the events up to a frame, and for as many as are asked for at a time.
    #[inline(never)]
    fn schedule(&mut self, end: u64) {
        while self.known < end {
            self.known += self.ahead;
            self.score.advance(self.known, &mut self.events);
            self.events.drain(..).for_each(|event| self.engine.schedule(event));
        }
    }
}

/// The samples at an address in a table; none at null, or where the table is null.
#[inline(always)]
unsafe fn slice<'a>(table: *const *const f32, channel: usize, len: usize) -> &'a [f32] {
    // SAFETY: the caller vouches for the table and its addresses.
    unsafe {
        if table.is_null() || (*table.add(channel)).is_null() {
            return &[];
        }
        std::slice::from_raw_parts(*table.add(channel), len)
    }
}

/// A problem in one line: where, how grave, what.
fn line(sources: &Sources, problem: &Problem) -> String {
    let span = problem.span();
    let source = sources.get(span.source);
    let before = &source.text[..span.range().start.min(source.text.len())];
    let row = before.matches('\n').count() + 1;
    let severity = format!("{:?}", problem.code.severity).to_lowercase();
    let help = problem.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
    format!("{}:{row}: {severity}[{}]: {}{help}", source.name, problem.code.name, problem.message)
}

#[expect(clippy::print_stderr, reason = "there is no other way to say it to whoever loaded us")]
fn tell(words: &str) {
    eprintln!("{words}");
}
