//! The songs of a logged performance, compiled again from their texts.

use super::document::{Document, Text};
use crate::args::HowArgs;
use crate::compiling::tell;
use crate::console::Console;
use crate::failure::Failure;
use crate::host;
use crate::input::{self, hash};
use crate::sounds::sound;
use mam_compiler::files::{FileId, Loader, Located, Samples, Unusable};
use mam_compiler::listen::{Heard, Listen};
use mam_compiler::target::Target;
use mam_compiler::{Options, compile};
use mam_grammar::Sources;
use mam_runtime::Program;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// What was played: a version of the song at a tempo, with what can be heard of it beside its result.
#[derive(Clone)]
pub(super) struct Version {
    pub(super) program: Arc<Program>,
    pub(super) heard: Heard,
}

/// All that was played in a performance, at a rate, in the order of the document's list.
///
/// # Errors
/// When a song does not compile any more, or the document names one that is not there.
pub(super) fn versions(
    document: &Document,
    rate: u32,
    folder: &Path,
    listen: &Listen,
    console: Console,
) -> Result<Vec<Version>, Failure> {
    let how = document.how.flags(rate);
    let song = |text| compiled(text, &how, document.fma, folder, listen, console);
    let songs: Vec<Version> = document.songs.iter().map(song).collect::<Result<_, _>>()?;
    let silence = song(&Text {
        name: "<silence>".into(),
        prefix: String::new(),
        text: "out = 0\n".into(),
        files: vec![],
        sounds: vec![],
    })?;
    let played = |played: &super::document::Played| {
        let version = match played.song {
            Some(song) => {
                songs.get(song).cloned().ok_or(Failure::WrongInput("the log names no song".into()))?
            }
            None => silence.clone(),
        };
        let other = played.tempo.and_then(|bpm| version.program.at_tempo(bpm));
        let program = other.map_or_else(|| version.program.clone(), Arc::new);
        Ok(Version { program, ..version })
    };
    document.programs.iter().map(played).collect()
}

/// Where the sound files of a performance lie: beside its log as they lay beside the song.
pub(super) fn sounds(document: &Document, folder: &Path) -> Vec<PathBuf> {
    let of = |text| Logged { text, folder };
    document
        .songs
        .iter()
        .flat_map(|text| text.sounds.iter().map(move |[name, _]| of(text).path(name)))
        .collect()
}

fn compiled(
    text: &Text,
    how: &HowArgs,
    fma: bool,
    folder: &Path,
    listen: &Listen,
    console: Console,
) -> Result<Version, Failure> {
    let mut sources = Sources::default();
    let id = sources.add(text.name.as_str(), text.text.as_str());
    let target = Target { fma: fma && Target::host().fma };
    let listen = listen.clone();
    let options = Options { target, listen, host: host::host(), ..how.options(&text.prefix) };
    let mut compilation = compile(&mut sources, id, &Logged { text, folder }, &options);
    let problems = std::mem::take(&mut compilation.problems).into_sorted();
    match compilation.program {
        Some(program) => Ok(Version { program: Arc::new(program), heard: compilation.heard }),
        None => {
            tell(&problems, &sources, console);
            Err(Failure::Input)
        }
    }
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
        let samples = sound(opened, &file.name, most)?;
        match hash(&samples, &path) == *wanted {
            true => Ok(samples),
            false => Err(format!("`{}` is not the sound that was played", path.display()).into()),
        }
    }
}
