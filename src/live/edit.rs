//! An edit on its way from the file to the ear: compiled beside the music, which goes on, with the time of each stage.

use super::figures::Infos;
use super::watch::files_of;
use crate::args::{HowArgs, SongArgs};
use crate::compiling::{Compiled, channels_of_text, compile_song_again, compile_song_keeping};
use crate::console::Console;
use crate::failure::Failure;
use crate::input::{Song, is_definition, is_stdin};
use crate::report::human::{Look, draw};
use crate::report::tally;
use crate::take::Text;
use crate::values::Rate;
use crate::visible::visible;
use mam_compiler::CompilationCache;
use mam_compiler::channels::DEFAULT_CHANNELS;
use mam_grammar::Severity;
use mam_runtime::Program;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How a song that may change is read and compiled.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) song: SongArgs,
    /// What came from standard input, which can be read only once.
    stdin: Option<Song>,
    /// How problems are drawn.
    console: Console,
    /// Kernels that need not be compiled again.
    cache: Arc<Mutex<CompilationCache>>,
    /// Whether it keeps the files that it reads, for a log.
    pub(super) keeps: bool,
}

/// When an edit was saved and noticed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noticed {
    pub(super) saved: SystemTime,
    pub(super) at: Instant,
}

/// What came of compiling.
pub(super) struct Outcome {
    /// The program, if there are no errors.
    pub(super) program: Option<Arc<Program>>,
    /// What it is made of, for a log.
    pub(super) text: Option<Text>,
    /// The MIDI controllers of its knobs: number, and the knob's name.
    pub(super) controllers: Vec<(u8, String)>,
    /// Its parameters, by their names.
    pub(super) infos: Infos,
    /// The files that it is made of, or would be.
    pub(super) files: Vec<PathBuf>,
    /// The file, as it is named.
    pub(super) name: String,
    /// The song's own title.
    pub(super) title: Option<String>,
    /// Its problems as they are shown, or why it could not be read.
    pub(super) report: String,
    /// Why there is no program.
    pub(super) failure: Option<Failure>,
    /// Milliseconds that each stage took.
    stages: Vec<(&'static str, f64)>,
    /// When it was done.
    done: Instant,
}

impl Source {
    /// Reads standard input, where that is the song.
    pub(super) fn new(song: SongArgs, console: Console) -> Result<Source, Failure> {
        let stdin = is_stdin(&song.input).then(|| Song::read(&song.input, song.how.stdin_name.as_deref()));
        let stdin = stdin.transpose()?;
        let source = Source { song, stdin, console, cache: Arc::default(), keeps: false };
        // Where there is nothing to wait for, that is reported at once.
        match source.read() {
            Err(failure @ Failure::Io(_)) => Err(failure),
            // A sound, a MIDI file or a performance does not become a song.
            Err(failure @ Failure::Usage(_)) => Err(failure),
            _ => Ok(source),
        }
    }

    /// Whether it can be another one later: a file can.
    pub(super) fn can_change(&self) -> bool {
        self.stdin.is_none() && !is_definition(&self.song.input)
    }

    /// Reads it as it is now.
    fn read(&self) -> Result<Song, Failure> {
        let input = &self.song.input;
        match &self.stdin {
            Some(song) => Ok(song.clone()),
            // It would be waited for until another process writes into it.
            None if input.exists() && !input.is_file() => {
                let what = if input.is_dir() { "a folder" } else { "not a file" };
                let why = format!("it is {what}, and no changes of it can be followed");
                Err(Failure::Io(format!("cannot play `{}`: {why}", input.display())))
            }
            None => Song::read(input, self.song.how.stdin_name.as_deref()),
        }
    }

    /// How many channels it has as it is now.
    pub(super) fn channels(&self) -> usize {
        self.read().map_or(DEFAULT_CHANNELS, |song| {
            let source = song.sources.get(song.id);
            channels_of_text(&source.name, &source.text)
        })
    }

    /// Compiles it as it is now, for a device of this rate.
    pub(super) fn compile(&self, rate: u32) -> Outcome {
        let mut how = self.song.how.clone();
        how.rate = Some(Rate(rate));
        match self.read() {
            Ok(song) => {
                // The cache is whole even after a compilation that panicked: it is changed kernel by kernel.
                let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
                if !self.keeps {
                    return self.outcome(compile_song_again(song, &how, &mut cache), None);
                }
                let (compiled, read_files) = compile_song_keeping(song.clone(), &how, &mut cache);
                self.outcome(compiled, Some(Text::new(&song, read_files)))
            }
            Err(failure) => Outcome {
                program: None,
                text: None,
                controllers: vec![],
                infos: Infos::default(),
                files: vec![self.song.input.clone()],
                name: self.song.input.display().to_string(),
                title: None,
                report: visible(&format!("error: {failure}\n")).into_owned(),
                failure: Some(failure),
                stages: vec![],
                done: Instant::now(),
            },
        }
    }

    fn outcome(&self, mut compiled: Compiled, text: Option<Text>) -> Outcome {
        let least = if self.console.quiet { Severity::Error } else { Severity::Warning };
        compiled.problems.retain(|problem| problem.code.severity >= least);
        let look = Look { colour: self.console.colour, width: self.console.width() };
        let tally = tally(&compiled.problems).map_or(String::new(), |tally| tally + "\n");
        let program = compiled.compilation.program.take().map(Arc::new);
        program.iter().for_each(|program| program.go_live());
        let lowered = &compiled.compilation.stages.lowered;
        let slots = lowered.slots.iter();
        let millis = |&(stage, time): &(&'static str, Duration)| (stage, time.as_secs_f64() * 1e3);
        Outcome {
            infos: lowered.slots.iter().map(|(name, info)| (name.to_string(), info.clone())).collect(),
            controllers: slots.filter_map(|(name, info)| Some((info.cc?, name.to_string()))).collect(),
            files: files_of(&compiled.used),
            name: compiled.name().to_string(),
            title: compiled.title().map(String::from),
            report: draw(&compiled.problems, &compiled.sources, look) + &tally,
            failure: program.is_none().then_some(Failure::Input),
            program,
            text,
            stages: compiled.compilation.timings.iter().map(millis).collect(),
            done: Instant::now(),
        }
    }
}

/// What is played while there is nothing to play, at so many frames a second.
pub(super) fn silence(rate: u32) -> Option<Arc<Program>> {
    let song = Song::of_text("<silence>", "out = 0\n");
    let how = HowArgs { rate: Some(Rate(rate)), ..HowArgs::default() };
    compile_song_again(song, &how, &mut CompilationCache::default()).compilation.program.map(Arc::new)
}

/// An edit that was sent to the audio thread.
pub(super) struct Report {
    noticed: Noticed,
    /// From the save to the notice; nothing where the file says another time, such as that of a copy.
    before: Duration,
    name: String,
    stages: Vec<(&'static str, f64)>,
    compiled: Instant,
    sent: Instant,
}

impl Report {
    /// Of an edit that is being sent now.
    pub(super) fn new(noticed: Noticed, outcome: &Outcome) -> Report {
        const LONGEST: Duration = Duration::from_secs(2);
        let before = (SystemTime::now() - noticed.at.elapsed()).duration_since(noticed.saved);
        Report {
            before: before.ok().filter(|before| *before < LONGEST).unwrap_or_default(),
            noticed,
            name: outcome.name.clone(),
            stages: outcome.stages.clone(),
            compiled: outcome.done,
            sent: Instant::now(),
        }
    }

    /// The line that says how long everything took, when the first changed sample was rendered at `heard`.
    pub(super) fn line(&self, heard: Instant) -> String {
        let between = |a: Instant, b: Instant| b.saturating_duration_since(a).as_secs_f64() * 1e3;
        let before = self.before.as_secs_f64() * 1e3;
        let whole = before + between(self.noticed.at, heard);
        let stages: Vec<String> =
            self.stages.iter().map(|(stage, millis)| format!("{stage} {millis:.1}")).collect();
        format!(
            "{}: heard {whole:.1} ms after the save: noticed in {before:.1}, compiled in {:.1} ({}), sent in {:.1}, \
             rendered in {:.1}\n",
            self.name,
            between(self.noticed.at, self.compiled),
            stages.join(", "),
            between(self.compiled, self.sent),
            between(self.sent, heard),
        )
    }
}
