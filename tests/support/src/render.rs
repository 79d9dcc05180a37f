//! A text rendered, as `mamc render` does it but into memory.

use mam_compiler::files::NoFiles;
use mam_compiler::target::Target;
use mam_compiler::{OptLevel, Options, compile};
use mam_grammar::{Severity, Sources};
use mam_runtime::render::{EventSource, Length, Renderer};
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{Event, Program};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A rendered sound.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// Frames a second.
    pub rate: u32,
    /// The channels, all of one length.
    pub channels: Vec<Vec<f32>>,
}

/// The bits of each channel's samples, by which 0 and −0 differ.
pub fn bits(channels: &[Vec<f32>]) -> Vec<Vec<u32>> {
    channels.iter().map(|channel| channel.iter().map(|x| x.to_bits()).collect()).collect()
}

/// Name and text of every song that comes with mam: the examples, and those of the benchmarks.
///
/// # Panics
/// When one cannot be read.
pub fn songs() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders = ["examples", "benches/songs", "benches/plug/songs"].map(|folder| root.join(folder));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder of songs"));
    let song = |path: PathBuf| {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).expect("a song"))
    };
    files.map(|entry| song(entry.expect("a file").path())).collect()
}

/// Seconds of a song without an end that are rendered when no length is given.
const ENDLESS_SECONDS: u64 = 10;

/// The program of a text, for any machine. Its name says which front end reads it.
///
/// # Panics
/// When the text has errors: shows them.
pub fn program(name: &str, text: &str, rate: u32, interpreter: bool) -> Arc<Program> {
    compiled(name, text, &Options { rate, interpreter, target: Target::portable(), ..Options::default() })
}

/// The program of a text, for any machine, of code that is made quickly: for short sounds, which take longer to be compiled than
/// to be rendered. They are the same to the bit.
///
/// # Panics
/// When the text has errors: shows them.
pub fn quick_program(name: &str, text: &str, rate: u32) -> Arc<Program> {
    let opt_level = OptLevel::Quick;
    compiled(name, text, &Options { rate, opt_level, target: Target::portable(), ..Options::default() })
}

fn compiled(name: &str, text: &str, options: &Options) -> Arc<Program> {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let compilation = compile(&mut sources, id, &NoFiles, options);
    let errors = compilation.problems.iter().filter(|p| p.code.severity == Severity::Error);
    let errors: Vec<_> = errors.map(|p| format!("{}: {}", p.code.name, p.message)).collect();
    match compilation.program {
        Some(program) => Arc::new(program),
        None => panic!("{errors:#?}\n{text}"),
    }
}

/// Renders a text by machine code that is made quickly: so many frames, or the song once and its tail. A rate of 0 is the song's own.
///
/// # Panics
/// When the text has errors.
pub fn render(name: &str, text: &str, rate: u32, frames: Option<u64>) -> Rendered {
    render_program(quick_program(name, text, rate), frames)
}

/// Renders a program: so many frames, or the song once and its tail.
pub fn render_program(program: Arc<Program>, frames: Option<u64>) -> Rendered {
    render_shared(program, frames, 1).0
}

/// Renders so many frames of a program with everything called, also what sleeps.
pub fn render_awake(program: Arc<Program>, frames: u64) -> Rendered {
    let source = Source(Sequencer::for_program(&program, Extent::Forever));
    let (rate, count) = (program.rate, program.outputs.len());
    let mut renderer = Renderer::new(program, source, count, 0, Length::Frames(frames));
    renderer.never_skip();
    let mut channels = vec![Vec::new(); count];
    while let Some(block) = renderer.next_block() {
        channels.iter_mut().zip(block).for_each(|(all, new)| all.extend(new));
    }
    Rendered { rate, channels }
}

/// Renders a program: so many frames, or the song once and its tail; on several threads, and whether the program could be shared out among them.
pub fn render_shared(program: Arc<Program>, frames: Option<u64>, threads: usize) -> (Rendered, bool) {
    let end = Sequencer::for_program(&program, Extent::Once).song_end();
    let (extent, length) = match (frames, end) {
        (Some(frames), _) => (Extent::Forever, Length::Frames(frames)),
        (None, Some(end)) => (Extent::Once, Length::WithTail(end)),
        (None, None) => (Extent::Forever, Length::Frames(ENDLESS_SECONDS * u64::from(program.rate))),
    };
    let source = Source(Sequencer::for_program(&program, extent));
    let (rate, count) = (program.rate, program.outputs.len());
    let mut renderer = Renderer::new(program, source, count, 0, length);
    renderer.share(threads);
    let mut channels = vec![Vec::new(); count];
    while let Some(block) = renderer.next_block() {
        channels.iter_mut().zip(block).for_each(|(all, new)| all.extend(new));
    }
    (Rendered { rate, channels }, renderer.is_shared())
}

/// Renders as many frames of a program as its input has, on some threads. `input` is one slice, or two, for the song's `in`.
pub fn render_input(program: Arc<Program>, input: &[&[f32]], threads: usize) -> Rendered {
    let frames = input.first().map_or(0, |channel| channel.len() as u64);
    let source = Source(Sequencer::for_program(&program, Extent::Forever));
    let (rate, count) = (program.rate, program.outputs.len());
    let mut renderer = Renderer::new(program, source, count, 0, Length::Frames(frames));
    renderer.share(threads);
    renderer.feed(input);
    let mut channels = vec![Vec::new(); count];
    while let Some(block) = renderer.next_block() {
        channels.iter_mut().zip(block).for_each(|(all, new)| all.extend(new));
    }
    Rendered { rate, channels }
}

struct Source(Sequencer);

impl EventSource for Source {
    fn advance(&mut self, until: u64, out: &mut Vec<Event>) {
        self.0.advance(until, out);
    }
}
