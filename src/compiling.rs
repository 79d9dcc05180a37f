//! Compiling a song for a command: the flags in the compiler's form, and its problems reported.

use crate::args::{HowArgs, SongArgs};
use crate::console::Console;
use crate::failure::Failure;
use crate::input::{Disk, ReadFiles, Song};
use crate::report::human::{Look, draw};
use crate::report::{self, Found, number_of, tally};
use mam_compiler::files::NoFiles;
use mam_compiler::listen::Listen;
use mam_compiler::target::Target;
use mam_compiler::{Compilation, CompilationCache, OptLevel, Options, Stage, compile, compile_again};
use mam_grammar::ast::ItemKind;
use mam_grammar::{Limits, Problem, Problems, Severity, Sources};
use mam_runtime::Program;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A song that went through the compiler.
pub struct Compiled {
    /// The song's text, those it uses and the prelude.
    pub sources: Sources,
    /// What the compiler made.
    pub compilation: Compilation,
    /// Its problems, in the order of their places.
    pub problems: Vec<Problem>,
    /// The file that it is, and those that it names, whether they are there or not.
    pub used: Vec<PathBuf>,
    /// The sound files that were read: what they are called in messages, and where they are.
    pub sounds: Vec<(String, PathBuf)>,
}

impl Compiled {
    /// Its problems with the texts that they are in.
    pub fn found(&self) -> Found<'_> {
        Found { problems: &self.problems, sources: &self.sources }
    }

    /// The song's title, where its text has one.
    pub fn title(&self) -> Option<&str> {
        let stages = &self.compilation.stages;
        let items = &stages.files.as_ref()?.file(stages.song).ast.items;
        items.iter().find_map(|item| match &item.kind {
            ItemKind::Title(title) => Some(&*title.text),
            _ => None,
        })
    }

    /// The files that were read for it, `input` first.
    pub fn read_from<'c>(&'c self, input: &'c Path) -> impl Iterator<Item = &'c Path> {
        std::iter::once(input).chain(self.used.iter().map(PathBuf::as_path))
    }

    /// What the song is called in messages.
    pub fn name(&self) -> &str {
        self.sources.iter().next().map_or("", |(_, s)| &s.name)
    }
}

impl HowArgs {
    /// The machine that code is made for.
    pub fn target(&self) -> Target {
        if self.portable { Target::portable() } else { Target::host() }
    }

    fn changed_limits(&self) -> Limits {
        let mut limits = Limits::default();
        for change in &self.limits {
            // A name that there is not has been refused with the arguments.
            let _ = limits.set(&change.name, change.value);
        }
        limits
    }

    /// The compiler's options that these flags ask for.
    pub fn options(&self, prefix: &str) -> Options {
        let set = |a: &crate::values::Assignment| {
            let prefix = if a.name.contains('.') { "" } else { prefix };
            (format!("{prefix}{}", a.name), a.value.clone())
        };
        Options {
            rate: self.rate.map_or(0, |r| r.0),
            channels: self.channels,
            played_outside: self.played_outside.clone(),
            interpreter: self.interp,
            seed: self.seed,
            sets: self.sets.iter().map(set).collect(),
            target: self.target(),
            limits: self.changed_limits(),
            host: crate::host::host(),
            ..Options::default()
        }
    }
}

/// Compiles a song; what is wrong with it is in the result.
pub fn compile_song(song: Song, how: &HowArgs) -> Compiled {
    compile_song_with(song, how, OptLevel::Best, &mut CompilationCache::default())
}

/// Compiles a song as far as everything is known of it: its program is run by the reference interpreter.
pub fn compile_without_code(song: Song, how: &HowArgs) -> Compiled {
    let options = Options { until: Stage::Plan, ..how.options(&song.prefix) };
    compile_by(song, how, &options, &mut CompilationCache::default())
}

/// Compiles a song as far as its score is known; what is wrong with it was told before.
pub fn compile_score(song: Song, how: &HowArgs) -> Compiled {
    let options = Options { until: Stage::Lower, ..how.options(&song.prefix) };
    compile_by(song, how, &options, &mut CompilationCache::default())
}

/// Compiles a song with the cache of the last time, to be heard as soon as can be.
pub fn compile_song_again(song: Song, how: &HowArgs, cache: &mut CompilationCache) -> Compiled {
    compile_song_with(song, how, OptLevel::Quick, cache)
}

/// The same; with what was read for it, to be compiled again.
pub fn compile_song_keeping(
    song: Song,
    how: &HowArgs,
    cache: &mut CompilationCache,
) -> (Compiled, ReadFiles) {
    let options = Options { opt_level: OptLevel::Quick, ..how.options(&song.prefix) };
    let mut disk = Disk::new(song.path.as_deref(), how.allow_outside);
    disk.read_files = Some(RefCell::default());
    compile_from(song, &options, cache, disk)
}

/// Compiles a song so that parts of it are heard by themselves.
pub fn compile_listening(song: Song, how: &HowArgs, listen: Listen) -> Compiled {
    let options = Options { opt_level: OptLevel::Best, listen, ..how.options(&song.prefix) };
    compile_by(song, how, &options, &mut CompilationCache::default())
}

fn compile_song_with(
    song: Song,
    how: &HowArgs,
    opt_level: OptLevel,
    cache: &mut CompilationCache,
) -> Compiled {
    let options = Options { opt_level, ..how.options(&song.prefix) };
    compile_by(song, how, &options, cache)
}

fn compile_by(song: Song, how: &HowArgs, options: &Options, cache: &mut CompilationCache) -> Compiled {
    let disk = Disk::new(song.path.as_deref(), how.allow_outside);
    compile_from(song, options, cache, disk).0
}

/// The same with a disk of the caller's; with the files that it has read.
fn compile_from(
    song: Song,
    options: &Options,
    cache: &mut CompilationCache,
    disk: Disk,
) -> (Compiled, ReadFiles) {
    let Song { mut sources, id, path, .. } = song;
    let mut compilation = compile_again(&mut sources, id, &disk, options, cache);
    let problems = std::mem::take(&mut compilation.problems).into_sorted();
    let used = path.into_iter().chain(disk.asked.into_inner()).collect();
    let read_files = disk.read_files.map(RefCell::into_inner).unwrap_or_default();
    let sounds = disk.sounds.into_inner();
    (Compiled { sources, compilation, problems, used, sounds }, read_files)
}

/// Reads and compiles a song and tells its problems.
///
/// # Errors
/// When it cannot be read or has errors.
pub fn compiled(args: &SongArgs, console: Console) -> Result<Compiled, Failure> {
    compiled_by(args, console, |song| compile_song(song, &args.how))
}

/// Reads a song, compiles it in some way and tells its problems.
///
/// # Errors
/// When it cannot be read or has errors.
pub fn compiled_by(
    args: &SongArgs,
    console: Console,
    compile: impl FnOnce(Song) -> Compiled,
) -> Result<Compiled, Failure> {
    let compiled = compile(Song::read(&args.input, args.how.stdin_name.as_deref())?);
    tell(&compiled.problems, &compiled.sources, console);
    if console.verbose {
        let line = |(stage, time): &(&str, std::time::Duration)| {
            format!("{stage}: {:.3} ms\n", time.as_secs_f64() * 1e3)
        };
        console.say(&compiled.compilation.timings.iter().map(line).collect::<String>());
    }
    if compiled.compilation.program.is_none() { Err(Failure::Input) } else { Ok(compiled) }
}

impl Compiled {
    /// Takes the program out.
    ///
    /// # Errors
    /// When there is none.
    pub fn take_program(&mut self) -> Result<Arc<Program>, Failure> {
        self.compilation.program.take().ok_or(Failure::Input).map(Arc::new)
    }

    /// Tells of commands that a render of so many frames will never reach.
    pub fn tell_late_commands(&self, frames: u64, console: Console) {
        let mut problems = Problems::default();
        if let Some(song) = &self.compilation.stages.json {
            song.check_length(frames, &mut problems);
        }
        tell(&problems.into_sorted(), &self.sources, console);
    }
}

/// Draws problems on standard error, and counts them. Warnings are not shown when the console is quiet, notes only when
/// it is to be verbose: `check` has them. With `--json`, errors are a document on standard output, too.
pub fn tell(problems: &[Problem], sources: &Sources, console: Console) {
    let shown = asked_for(problems, console, Severity::Warning);
    if console.json && number_of(problems, Severity::Error) > 0 {
        let document = report::json(&[Found { problems, sources }], Vec::<()>::new());
        // A closed standard output ends the command where it writes its result.
        let _ = console.result(&document);
    }
    let look = Look { colour: console.colour, width: console.width() };
    let tally = tally(&shown).map_or(String::new(), |t| t + "\n");
    console.styled(&format!("{}{tally}", draw(&shown, sources, look)));
}

/// The problems that are shown: errors alone where the console is quiet, all where it is verbose, else from `least` on.
pub(crate) fn asked_for(problems: &[Problem], console: Console, least: Severity) -> Vec<Problem> {
    let least = match (console.quiet, console.verbose) {
        (true, _) => Severity::Error,
        (_, true) => Severity::Note,
        _ => least,
    };
    problems.iter().filter(|problem| problem.code.severity >= least).cloned().collect()
}

/// How many channels a song has of which nothing but its text is known: a device is opened before the song is compiled for it.
pub(crate) fn channels_of_text(name: &str, text: &str) -> usize {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let options = Options { until: Stage::Parse, ..Options::default() };
    compile(&mut sources, id, &NoFiles, &options).stages.channels.max(1)
}
