//! A logged performance as sound.

use super::document::{Document, Played, Text, VERSION};
use crate::args::HowArgs;
use crate::compiling::tell;
use crate::console::Console;
use crate::failure::Failure;
use crate::host;
use crate::input::{self, hash};
use crate::output::{Inputs, Output, asked_to_stop};
use crate::progress::Progress;
use mam_compiler::files::{FileId, Loader, Located, Samples, Unusable};
use mam_compiler::target::Target;
use mam_compiler::{Options, compile};
use mam_grammar::Sources;
use mam_runtime::control::{Entry, Log, Replay, Scored, Taken};
use mam_runtime::file::{Bits, Container, Details, Dither, Format, Writer};
use mam_runtime::{ChannelLayout, Program, control};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// The flags of `mamc render` that have a meaning for a performance.
pub struct Flags<'a> {
    /// The file in which the performance is logged.
    pub input: &'a Path,
    /// Where the sound goes.
    pub target: &'a Path,
    /// The kind of file.
    pub container: Container,
    /// The kind of its samples.
    pub bits: Bits,
    /// How they are rounded.
    pub dither: Dither,
}

/// Whether a path names a logged performance.
pub fn is_take(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("mamlog"))
}

/// Renders a logged performance: the samples that the device was given, but for the protective clamp.
///
/// # Errors
/// When the log cannot be read or is of another version, a song of it does not compile any more, or the sound cannot be
/// written.
pub fn render(flags: &Flags<'_>, console: Console) -> Result<(), Failure> {
    let document = read(flags.input)?;
    tell_of_the_machine(&document, console);
    let folder = flags.input.parent().unwrap_or(Path::new(""));
    let programs = programs(&document, folder, console)?;
    let (rate, channels) = (document.rate, document.channels);
    // As the recording does, it begins with the music.
    let first = programs.get(document.first);
    let latency = first.map_or(0, |program| program.latency as usize);
    let layout = first.map_or(ChannelLayout::Speakers, |program| program.layout);
    let (frames, mut replay) = replay(document, &programs, flags.input)?;
    let mut output = Output::create(flags.target, &Inputs::new([flags.input]))?;
    let (container, bits, dither) = (flags.container, flags.bits, flags.dither);
    let format = Format { container, bits, dither, rate, channels, layout };
    let failed = |error| Failure::Io(format!("cannot write `{}`: {error}", flags.target.display()));
    let mut writer = match output.is_seekable() {
        true => Writer::new(&mut output, format, &Details::default()),
        false => Writer::streaming(&mut output, format, &Details::default()),
    }
    .map_err(failed)?;
    let mut progress = Progress::new(console, Some(frames), rate);
    let (mut samples, mut early) = (vec![], latency);
    loop {
        let piece = replay
            .next_quantum()
            .map_err(|_| broken(flags.input, "what was played does not follow from it"))?;
        let Some(piece) = piece else { break };
        samples.clear();
        let skipped = early.min(piece[0].len());
        early -= skipped;
        for frame in skipped..piece[0].len() {
            samples.extend(piece.iter().map(|channel| channel[frame]));
        }
        writer.write(&samples).map_err(failed)?;
        progress.show(frames - replay.left());
        if asked_to_stop() {
            return Err(Failure::Unread);
        }
    }
    progress.clear();
    writer.finish().map_err(failed)?;
    output.finish()?;
    let seconds = frames.saturating_sub(latency as u64) as f64 / f64::from(rate);
    console.say(&format!("{}: {seconds:.1} s, {rate} Hz, {channels} channels\n", flags.target.display()));
    Ok(())
}

fn broken(path: &Path, why: &str) -> Failure {
    Failure::WrongInput(format!("`{}` is not the log of a performance: {why}", path.display()))
}

fn read(path: &Path) -> Result<Document, Failure> {
    #[derive(serde::Deserialize)]
    struct Version {
        mamlog: u32,
    }
    let text = input::text(path)?;
    let wrong = |error: serde_json::Error| broken(path, &error.to_string());
    let Version { mamlog } = serde_json::from_str(&text).map_err(wrong)?;
    if !(1..=VERSION).contains(&mamlog) {
        return Err(Failure::WrongInput(format!(
            "`{}` has version {mamlog} of the form of a log, and this mamc reads versions 1 to {VERSION}",
            path.display()
        )));
    }
    let document: Document = serde_json::from_str(&text).map_err(wrong)?;
    let fits = (8000..=384_000).contains(&document.rate)
        && (1..=control::MOST_CHANNELS).contains(&document.channels)
        && document.entry[1] <= document.entry[0];
    if fits { Ok(document) } else { Err(broken(path, "its rate, channels or beginning cannot be")) }
}

fn tell_of_the_machine(document: &Document, console: Console) {
    if document.fma != Target::host().fma && document.fma {
        console.say("warning: it was played on a machine that rounds otherwise: last bits differ\n");
    }
    if document.mam != env!("CARGO_PKG_VERSION") {
        console.say(&format!("note: it was played by mam {}: sounds may have changed since\n", document.mam));
    }
}

/// The programs of a log, compiled again.
fn programs(document: &Document, folder: &Path, console: Console) -> Result<Vec<Arc<Program>>, Failure> {
    let how = document.how.flags(document.rate);
    let song = |text| compiled(text, &how, document.fma, folder, console);
    let songs: Vec<Arc<Program>> = document.songs.iter().map(song).collect::<Result<_, _>>()?;
    let silence = Text {
        name: "<silence>".into(),
        prefix: String::new(),
        text: "out = 0\n".into(),
        files: vec![],
        sounds: vec![],
    };
    let played = |played: &Played| {
        let program = match played.song {
            Some(song) => {
                songs.get(song).cloned().ok_or(Failure::WrongInput("the log names no song".into()))?
            }
            None => compiled(&silence, &how, document.fma, folder, console)?,
        };
        let other = played.tempo.and_then(|bpm| program.at_tempo(bpm));
        Ok(other.map_or(program, Arc::new))
    };
    document.programs.iter().map(played).collect()
}

fn compiled(
    text: &Text,
    how: &HowArgs,
    fma: bool,
    folder: &Path,
    console: Console,
) -> Result<Arc<Program>, Failure> {
    let mut sources = Sources::default();
    let id = sources.add(text.name.as_str(), text.text.as_str());
    let target = Target { fma: fma && Target::host().fma };
    let options = Options { target, host: host::host(), ..how.options(&text.prefix) };
    let mut compilation = compile(&mut sources, id, &Logged { text, folder }, &options);
    let problems = std::mem::take(&mut compilation.problems).into_sorted();
    match compilation.program {
        Some(program) => Ok(Arc::new(program)),
        None => {
            tell(&problems, &sources, console);
            Err(Failure::Input)
        }
    }
}

fn replay(document: Document, programs: &[Arc<Program>], path: &Path) -> Result<(u64, Replay), Failure> {
    let first = programs.get(document.first).ok_or_else(|| broken(path, "nothing is played"))?.clone();
    let asked = document.asked.into_iter().map(|entered| entered.asked(programs));
    let asked = asked.collect::<Option<Vec<_>>>();
    let taken = document.taken.iter().map(|&[quanta, commands]| Taken { quanta, commands: commands as u32 });
    let log = Log {
        asked: asked.ok_or_else(|| broken(path, "a program is not there"))?,
        taken: taken.collect(),
        frames: document.frames,
        is_cut: false,
    };
    let options = control::Options { channels: document.channels, playing: document.playing, limit: false };
    let [at, since] = document.entry;
    let replay = Replay::new(first, Box::new(Scored), options, Entry { at, since }, log);
    Ok((document.frames, replay))
}

/// The files of a song of a log: texts from the log, sounds from the disk, as they lay beside the song.
struct Logged<'a> {
    text: &'a Text,
    /// Where the log is.
    folder: &'a Path,
}

impl Logged<'_> {
    /// Where a sound file is: beside the log as it was beside the song.
    fn path(&self, name: &str) -> PathBuf {
        let folder = Path::new(&self.text.name).parent().unwrap_or(Path::new(""));
        self.folder.join(Path::new(name).strip_prefix(folder).unwrap_or(Path::new(name)))
    }
}

/// Whether a path leads nowhere but further down.
fn is_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

impl Loader for Logged<'_> {
    fn locate(&self, from: &Located, path: &str) -> Result<Located, Unusable> {
        let name = Path::new(&from.name).parent().unwrap_or(Path::new("")).join(path).display().to_string();
        Ok(Located { id: FileId::new(&name), name })
    }

    fn read(&self, file: &Located, _: usize) -> Result<String, Unusable> {
        let found = self.text.files.iter().find(|[name, _]| *name == file.name);
        found.map(|[_, text]| text.clone()).ok_or_else(|| format!("`{}` is not in the log", file.name).into())
    }

    fn folder(&self, from: &Located, path: &str, _: usize) -> Result<Vec<String>, Unusable> {
        let Located { name, .. } = self.locate(from, path)?;
        let listing = Located { id: FileId::new(&name), name: input::listing(&name) };
        Ok(self.read(&listing, usize::MAX)?.lines().map(str::to_owned).collect())
    }

    fn samples(&self, file: &Located, most: usize) -> Result<Samples, Unusable> {
        let known = self.text.sounds.iter().find(|[name, _]| *name == file.name);
        let [_, wanted] = known.ok_or_else(|| format!("`{}` is not in the log", file.name))?;
        let path = self.path(&file.name);
        if !Path::new(&path).strip_prefix(self.folder).is_ok_and(is_inside) {
            return Err(format!("`{}` does not lie in the folder of the log", file.name).into());
        }
        let opened = input::sound_file(&path).map_err(|failure| failure.to_string())?;
        let samples = mam_package::sound::read(opened, &file.name, most)?;
        match hash(&samples) == *wanted {
            true => Ok(samples),
            false => Err(format!("`{}` is not the sound that was played", path.display()).into()),
        }
    }
}
