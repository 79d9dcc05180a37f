//! The texts that are open, the songs that they belong to, and what is known of each.
//!
//! A song is every open text that no other song uses, and every song in the workspace's folders that uses an open one:
//! its problems then are those of the songs, as `mamc check FOLDER` has it.

use super::uri;
use crate::input::{self, Disk};
use mam_compiler::Options;
use mam_compiler::files::{FoundSound, Loader, Located, Unusable};
use mam_grammar::ast::ItemKind;
use mam_grammar::{Limits, SourceId, Sources, syntax};
use mam_ide::{Analyser, Analysis};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Songs of the workspace's folders that are looked at for what they use. Those of larger folders are found once they are
/// open.
const MOST_SONGS: usize = 1000;

/// A text that the editor has open.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// Its address, as the editor writes it.
    pub(super) uri: String,
    /// Which version of it this is, as the editor counts.
    pub(super) version: i64,
    /// All of it.
    pub(super) text: Arc<str>,
}

/// A song: a text that is compiled with all that it uses.
pub(super) struct Song {
    analyser: Analyser,
    /// What is known of its newest text; `None` where that has not been compiled yet.
    pub(super) analysis: Option<Analysis>,
    /// The files that it asked for, as canonical paths.
    uses: BTreeSet<PathBuf>,
    /// The texts of the user's files, by their paths.
    pub(super) paths: Vec<(SourceId, PathBuf)>,
}

/// Everything that is open, and what is known of it.
#[derive(Default)]
pub(super) struct Workspace {
    /// The open texts by their paths; one that was never saved has its address in place of a path.
    pub(super) texts: BTreeMap<PathBuf, Text>,
    /// The songs by the paths of their own texts.
    pub(super) songs: BTreeMap<PathBuf, Song>,
    folders: Vec<PathBuf>,
    /// What the songs of the folders use, by their paths.
    used: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
}

/// An open text, in the analysis that answers for it.
#[derive(Clone, Copy)]
pub(super) struct OpenText<'w> {
    /// What is known of the song that the text belongs to.
    pub(super) song: &'w Song,
    /// The same, compiled.
    pub(super) analysis: &'w Analysis,
    /// The text.
    pub(super) source: SourceId,
}

/// The path by which a text is known.
pub(super) fn key(address: &str) -> PathBuf {
    let path = uri::path(address).map(|path| fs::canonicalize(&path).unwrap_or(path));
    path.unwrap_or_else(|| PathBuf::from(address))
}

impl Workspace {
    /// Takes the folders that the editor has open, and finds out what their songs use.
    pub(super) fn set_folders(&mut self, folders: Vec<PathBuf>) {
        self.folders = folders;
        self.look_at_folders();
    }

    /// Finds out anew what the songs of the folders use: a file was saved, or changed by another program.
    pub(super) fn look_at_folders(&mut self) {
        let songs = self.folders.iter().flat_map(|folder| input::songs_of(folder).unwrap_or_default());
        let songs = songs.filter_map(|song| fs::canonicalize(song).ok()).take(MOST_SONGS);
        self.used = songs.filter_map(|song| Some((song.clone(), direct_uses(&song)?))).collect();
        self.songs.values_mut().for_each(|song| song.analysis = None);
    }

    /// A text was opened or has changed.
    pub(super) fn set_text(&mut self, uri: &str, version: i64, text: &str) {
        let path = key(uri);
        self.texts.insert(path.clone(), Text { uri: uri.into(), version, text: text.into() });
        self.forget(&path);
    }

    /// A text was closed: from now on it is what is on the disk.
    pub(super) fn close(&mut self, uri: &str) {
        let path = key(uri);
        self.texts.remove(&path);
        self.forget(&path);
    }

    /// What is known of songs that have this text is not known any more.
    fn forget(&mut self, path: &Path) {
        for (own, song) in &mut self.songs {
            if own == path || song.uses.contains(path) {
                song.analysis = None;
            }
        }
    }

    /// Compiles what has changed, as far as nearly all problems are known. Returns the songs that are new or were compiled again, and those that are songs no longer.
    pub(super) fn update(&mut self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let (mut compiled, mut seen) = (vec![], BTreeSet::new());
        // What a song uses is known when it has been compiled, and changes what is a song.
        loop {
            let wanted = self.wanted();
            let next = wanted.iter().find(|path| {
                !seen.contains(*path) && self.songs.get(*path).is_none_or(|song| song.analysis.is_none())
            });
            let Some(path) = next.cloned() else {
                let gone = self.songs.keys().filter(|path| !wanted.contains(*path)).cloned().collect();
                self.songs.retain(|path, _| wanted.contains(path));
                return (compiled, gone);
            };
            seen.insert(path.clone());
            self.compile(&path);
            compiled.push(path);
        }
    }

    /// Finishes what was begun with the songs that were compiled. Returns those.
    pub(super) fn finish(&mut self) -> Vec<PathBuf> {
        let mut finished = vec![];
        for (path, song) in &mut self.songs {
            if let Some(analysis) = song.analysis.as_mut().filter(|analysis| analysis.goes_on()) {
                song.analyser.finish(analysis);
                finished.push(path.clone());
            }
        }
        finished
    }

    /// The texts that are songs.
    fn wanted(&self) -> BTreeSet<PathBuf> {
        let mut wanted: BTreeSet<PathBuf> = BTreeSet::new();
        for path in self.texts.keys() {
            let users = self.users(path);
            if users.is_empty() {
                wanted.insert(path.clone())
            } else {
                wanted.extend(users);
                false
            };
        }
        wanted
    }

    /// The songs that use a file, themselves used by none: open ones, and those of the folders.
    fn users(&self, file: &Path) -> BTreeSet<PathBuf> {
        let (mut roots, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![file.to_path_buf()]);
        while let Some(file) = open.pop() {
            if !seen.insert(file.clone()) {
                continue;
            }
            let users: Vec<PathBuf> = self.direct_users(&file).filter(|user| !seen.contains(user)).collect();
            if users.is_empty() && self.direct_users(&file).next().is_none() {
                roots.insert(file);
            }
            open.extend(users);
        }
        roots.remove(file);
        roots
    }

    fn direct_users<'w>(&'w self, file: &'w Path) -> impl Iterator<Item = PathBuf> + 'w {
        let compiled = self.songs.iter().filter(|(own, song)| **own != *file && song.uses.contains(file));
        let known = self.songs.keys().collect::<BTreeSet<_>>();
        let read = self
            .used
            .iter()
            .filter(move |(song, uses)| !known.contains(song) && **song != *file && uses.contains(file));
        compiled.map(|(song, _)| song.clone()).chain(read.map(|(song, _)| song.clone()))
    }

    fn compile(&mut self, path: &Path) {
        let host = crate::host::host();
        let new = || Song {
            analyser: Analyser::new(Options { host, ..Options::default() }),
            analysis: None,
            uses: BTreeSet::new(),
            paths: vec![],
        };
        let mut song = self.songs.remove(path).unwrap_or_else(new);
        let text = match self.texts.get(path) {
            Some(open) => Some(open.text.clone()),
            None => input::text(path).ok().map(Arc::from),
        };
        let is_file = self.texts.get(path).is_none_or(|text| uri::path(&text.uri).is_some());
        let disk = Disk::new(is_file.then_some(path), false);
        let loader = OpenFiles { disk, texts: &self.texts };
        let name = path.display().to_string();
        let analysis = song.analyser.begin(&name, text.as_deref().unwrap_or(""), &loader);
        let asked = loader.disk.asked.into_inner();
        song.uses = asked.into_iter().map(|path| fs::canonicalize(&path).unwrap_or(path)).collect();
        let own = |id: &SourceId| !analysis.is_prelude(*id);
        let ids: Vec<SourceId> = analysis.sources.iter().map(|(id, _)| id).filter(own).collect();
        let path_of = |id: SourceId| {
            let name = Path::new(&*analysis.sources.get(id).name);
            (id, fs::canonicalize(name).unwrap_or_else(|_| name.into()))
        };
        song.paths = ids.into_iter().map(path_of).collect();
        song.analysis = Some(analysis);
        self.songs.insert(path.into(), song);
    }

    /// The place of an open text in the song that answers for it. All that has changed is compiled first.
    pub(super) fn place(&self, uri: &str) -> Option<OpenText<'_>> {
        self.places(uri).into_iter().next()
    }

    /// The same in every song that the text belongs to.
    pub(super) fn places(&self, uri: &str) -> Vec<OpenText<'_>> {
        let path = key(uri);
        let place = |song| Some((song, Song::source(song, &path)?));
        let found = self.songs.values().filter_map(place);
        let places = found
            .filter_map(|(song, source)| Some(OpenText { song, analysis: song.analysis.as_ref()?, source }));
        places.collect()
    }

    /// The address of a file, as the editor writes it where it is open.
    pub(super) fn uri_of(&self, path: &Path) -> String {
        self.texts.get(path).map_or_else(|| uri::uri(path), |text| text.uri.clone())
    }
}

impl Song {
    /// The text of this path.
    fn source(song: &Song, path: &Path) -> Option<SourceId> {
        song.paths.iter().find(|(_, own)| own == path).map(|(id, _)| *id)
    }

    /// The path of a text, if it is a file of the user's.
    pub(super) fn path(&self, source: SourceId) -> Option<&Path> {
        self.paths.iter().find(|(id, _)| *id == source).map(|(_, path)| &**path)
    }
}

/// What a song names in its `use`s, as canonical paths; `None` where it names nothing.
fn direct_uses(song: &Path) -> Option<BTreeSet<PathBuf>> {
    let text = input::text(song).ok().filter(|text| text.contains("use"))?;
    let mut sources = Sources::default();
    let id = sources.add("", text);
    let (ast, _) = syntax::parse(&sources, id, &Limits::default());
    let folder = song.parent()?;
    let paths = ast.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Use(path) => fs::canonicalize(folder.join(&*path.text)).ok(),
        _ => None,
    });
    let paths: BTreeSet<PathBuf> = paths.collect();
    (!paths.is_empty()).then_some(paths)
}

/// Files of the disk, but for those that are open: of these, what the editor has.
struct OpenFiles<'w> {
    disk: Disk,
    texts: &'w BTreeMap<PathBuf, Text>,
}

impl Loader for OpenFiles<'_> {
    fn song(&self, name: &str) -> Located {
        self.disk.song(name)
    }

    fn locate(&self, from: &Located, path: &str) -> Result<Located, Unusable> {
        self.disk.locate(from, path)
    }

    fn locate_sound(&self, from: &Located, path: &str, hash: Option<&str>) -> Result<FoundSound, Unusable> {
        self.disk.locate_sound(from, path, hash)
    }

    fn folder(&self, from: &Located, path: &str, most: usize) -> Result<Vec<String>, Unusable> {
        self.disk.folder(from, path, most)
    }

    fn read(&self, file: &Located, most: usize) -> Result<String, Unusable> {
        match self.texts.get(Path::new(file.id.as_os_str())) {
            Some(open) if open.text.len() <= most => Ok(open.text.to_string()),
            Some(_) => {
                Err(format!("`{}` is larger than {most} bytes, the limit of a file", file.name).into())
            }
            None => self.disk.read(file, most),
        }
    }
}
