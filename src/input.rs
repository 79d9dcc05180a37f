//! Songs as the command line names them: a file, standard input, or a definition of the prelude; and the files that
//! they use.

use crate::batch::hash::{Hasher, hex};
use crate::failure::{Failure, words};
use crate::reach::Reach;
use crate::sounds::{has_length, relative, sound, sound_hash, sounds_below};
use mam_compiler::files::{FileId, Files, FoundSound, Loader, Located, Samples, Unusable};
use mam_grammar::ast::{Definition, DefinitionKind};
use mam_grammar::{Limits, SourceId, Sources};
use mam_runtime::file::is_sound;
use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Texts longer than this are not read: the compiler would refuse them, and a device file has no end.
const MOST_BYTES: u64 = 128 << 20;

/// The text of a song, with what it takes to compile it.
#[derive(Clone)]
pub struct Song {
    /// Its text, alone so far.
    pub sources: Sources,
    /// Which of them it is.
    pub id: SourceId,
    /// What is put before plain names of `--set`: the one instrument of a song that was made from its name.
    pub prefix: String,
    /// The file that it was read from, if it was.
    pub path: Option<PathBuf>,
}

impl Song {
    /// A song that is this text.
    pub fn of_text(name: &str, text: &str) -> Song {
        let mut sources = Sources::default();
        let id = sources.add(name, text);
        Song { sources, id, prefix: String::new(), path: None }
    }

    /// The same song with another text: its name and its place stay.
    pub fn with_text(&self, text: &str) -> Song {
        let mut sources = Sources::default();
        let id = sources.add(self.sources.get(self.id).name.clone(), text);
        Song { sources, id, prefix: self.prefix.clone(), path: self.path.clone() }
    }

    /// Reads the song that `input` names.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(input: &Path, stdin_name: Option<&str>) -> Result<Song, Failure> {
        if is_stdin(input) {
            let bytes = bytes(io::stdin().lock()).map_err(|e| Failure::read("standard input", &e))?;
            let name = stdin_name.unwrap_or("<stdin>");
            return Ok(Song::of_text(name, &decode(name, bytes)?));
        }
        let name = input.display().to_string();
        if let Some(text) = definition(input) {
            return Ok(Song { prefix: format!("{name}."), ..Song::of_text(&format!("<{name}>"), &text) });
        }
        if is_take(input) {
            let what = format!("`{name}` is the log of a performance, and no song");
            return Err(Failure::Usage(format!("{what}: `mamc render {name}` renders it")));
        }
        Ok(Song { path: Some(input.into()), ..Song::of_text(&name, &text(input)?) })
    }
}

/// Whether a path names a logged performance.
pub fn is_take(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("mamlog"))
}

/// Whether a path of the command line means standard input.
pub fn is_stdin(input: &Path) -> bool {
    input == Path::new("-")
}

/// The text of a file, or of standard input for `-`.
///
/// # Errors
/// When it cannot be read.
pub fn any_text(input: &Path) -> Result<String, Failure> {
    if !is_stdin(input) {
        return text(input);
    }
    let bytes = bytes(io::stdin().lock()).map_err(|e| Failure::read("standard input", &e))?;
    decode("<stdin>", bytes)
}

/// The text of a file.
///
/// # Errors
/// When it cannot be read.
pub fn text(path: &Path) -> Result<String, Failure> {
    let name = path.display().to_string();
    let bytes = File::open(path).and_then(bytes).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => Failure::Io(not_there(path)),
        _ => Failure::read(&name, &e),
    })?;
    decode(&name, bytes)
}

/// The bytes of a file, for what is not text: at most as many as a text may have.
pub fn file_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    File::open(path).and_then(bytes).map_err(|e| Failure::read(&path.display().to_string(), &e))
}

/// A sound file, from its beginning.
///
/// # Errors
/// When it cannot be opened, or is a folder.
pub fn sound_file(path: &Path) -> Result<File, Failure> {
    // From a pipe as well.
    #[cfg(unix)]
    if path == Path::new("-") {
        let copied = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned();
        return copied.map(File::from).map_err(|e| Failure::read("-", &e));
    }
    let opened = File::open(path).and_then(|file| {
        let kind = file.metadata()?.file_type();
        if kind.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(file) }
    });
    opened.map_err(|e| Failure::read(&path.display().to_string(), &e))
}

/// The songs of a folder and the folders in it, in the order of their names. What is hidden is left out, and links to
/// folders are not followed.
///
/// # Errors
/// When one of them cannot be listed, or there is no song.
pub fn songs_of(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (mut songs, mut folders) = (vec![], vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        let unread = |e: io::Error| Failure::read(&folder.display().to_string(), &e);
        for entry in fs::read_dir(&folder).map_err(unread)? {
            let entry = entry.map_err(unread)?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(unread)?);
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if kind.is_dir() {
                folders.push(path);
            } else if path.is_file() && is_song_file(&path) {
                songs.push(path);
            }
        }
    }
    songs.sort();
    match songs.is_empty() {
        true => Err(Failure::Io(format!(
            "cannot read `{}`: it is a folder without a .mam or .json song in it",
            folder.display()
        ))),
        false => Ok(songs),
    }
}

/// Whether a file is a song by its ending; JSON can be anything, and a song's has nodes.
fn is_song_file(path: &Path) -> bool {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("mam") => true,
        Some("json") => {
            fs::read(path).is_ok_and(|bytes| bytes.windows(NODES.len()).any(|window| window == NODES))
        }
        _ => false,
    }
}

/// What a song in JSON has.
const NODES: &[u8] = b"\"nodes\"";

fn bytes(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("it is larger than mamc reads: more than 128 MiB"));
    }
    Ok(bytes)
}

fn decode(name: &str, bytes: Vec<u8>) -> Result<String, Failure> {
    if let Some(help) = other_kind(name, &bytes) {
        return Err(Failure::WrongInput(help));
    }
    String::from_utf8(bytes).map_err(|e| {
        let valid = e.utf8_error().valid_up_to();
        let line = e.as_bytes()[..valid].iter().filter(|&&b| b == b'\n').count() + 1;
        Failure::WrongInput(format!(
            "`{name}` is not text in UTF-8: byte {valid}, in line {line}, is of no character"
        ))
    })
}

/// What to do with a file of another kind, by how it begins.
fn other_kind(name: &str, bytes: &[u8]) -> Option<String> {
    if bytes.starts_with(b"MThd\0") {
        let song = Path::new(name).with_extension("mam").display().to_string();
        return Some(format!("`{name}` is a MIDI file: `mamc import {name} -o {song}` makes a song of it"));
    }
    is_sound(bytes)
        .then(|| format!("`{name}` is a sound: a song plays it, `out = playback(sample(\"{name}\"))`"))
}

fn not_there(path: &Path) -> String {
    let name = path.display().to_string();
    let plain = path.extension().is_none() && !name.contains(['/', '\\']);
    if !plain {
        return format!("cannot read `{name}`: there is no such file");
    }
    let all = instruments();
    match all.iter().find(|(own, _)| *own == name).map(|(_, needed)| &needed[..]) {
        Some([]) => {
            return format!(
                "there is no file called `{name}`; the instrument of this name in the prelude is not a file"
            );
        }
        Some(needed) => {
            return format!(
                "there is no file called `{name}`; the prelude's instrument of this name needs arguments, so that it plays in a song: `{name}({})`",
                needed.join(", ")
            );
        }
        None => {}
    }
    let names: Vec<&String> =
        all.iter().filter(|(_, needed)| needed.is_empty()).map(|(name, _)| name).collect();
    let near = mam_grammar::problem::nearest(&name, &names);
    let near = near.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
    format!("there is no file and no prelude instrument called `{name}`{near}")
}

/// Whether this names a definition of the prelude, and no file.
pub fn is_definition(name: &Path) -> bool {
    definition(name).is_some()
}

/// A song that plays one definition of the prelude, when there is one of this name and no file.
fn definition(path: &Path) -> Option<String> {
    if path.exists() || path.extension().is_some() {
        return None;
    }
    let name = path.to_str()?;
    let plays = |(own, needed): &(String, Vec<String>)| own == name && needed.is_empty();
    instruments().iter().any(plays).then(|| format!("{name} = {name}()\nout = {name}\n"))
}

/// The prelude's instruments, each with the arguments that it needs.
fn instruments() -> Vec<(String, Vec<String>)> {
    let mut sources = Sources::default();
    let files = Files::prelude(&mut sources, Limits::default());
    let all = files.prelude_definitions().into_iter().map(|id| files.definition(id));
    let needed = |definition: &Definition| {
        let formals = definition.formals.iter().filter(|formal| formal.default.is_none());
        formals.map(|formal| formal.name.name.to_string()).collect()
    };
    all.filter(|definition| definition.kind == DefinitionKind::Instrument)
        .map(|definition| (definition.name.name.to_string(), needed(definition)))
        .collect()
}

/// Finds and reads the files that a song names, and remembers which they were.
pub struct Disk {
    song: Option<PathBuf>,
    reach: Reach,
    /// The files that were asked for, whether they are there or not, for whoever watches them.
    pub asked: RefCell<Vec<PathBuf>>,
    /// The sound files that were read, by what they are called in messages.
    pub sounds: RefCell<Vec<(String, PathBuf)>>,
    /// What was read of them, for whoever is to compile it again.
    pub read_files: Option<RefCell<ReadFiles>>,
}

/// What was read for a song beside its own text.
#[derive(Clone, Debug, Default)]
pub struct ReadFiles {
    /// Names and texts of the files that it uses.
    pub texts: Vec<(String, String)>,
    /// Names of sound files, and hashes of their samples.
    pub sounds: Vec<(String, String)>,
}

impl Disk {
    /// For the song at `song`; with `allow_outside` it may name files outside its folder.
    pub fn new(song: Option<&Path>, allow_outside: bool) -> Disk {
        let reach = Reach::new(song, allow_outside);
        Disk {
            song: song.map(PathBuf::from),
            reach,
            asked: RefCell::default(),
            sounds: RefCell::default(),
            read_files: None,
        }
    }

    /// The sound file in the folder of the song that has a hash, one of the same name first; and how many there are, in words.
    fn find_sound(&self, path: &str, hash: &str) -> (Option<PathBuf>, String) {
        let folder =
            self.song.as_deref().and_then(|song| fs::canonicalize(song).ok()?.parent().map(PathBuf::from));
        let Some(folder) = folder.or_else(|| fs::canonicalize(".").ok()) else {
            return (None, "no files".into());
        };
        let mut sounds = sounds_below(&folder);
        let name = Path::new(path).file_name();
        sounds.sort_by_key(|sound| (sound.file_name() != name, sound.clone()));
        let found = sounds
            .iter()
            .find(|sound| has_length(sound, hash) && sound_hash(sound).is_ok_and(|own| own == hash));
        (found.cloned(), mam_grammar::problem::count(sounds.len(), "sound file"))
    }

    /// The bytes of a file that was located, as they are.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bytes(&self, file: &Located) -> Result<Vec<u8>, Unusable> {
        self.reach.read(Path::new(file.id.as_os_str()), &file.name, usize::MAX >> 1)
    }
}

impl Loader for Disk {
    fn song(&self, name: &str) -> Located {
        // A text that came from standard input stands where its name says, or in the working folder.
        let path = self.song.as_deref().unwrap_or(Path::new(name));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).unwrap_or_default();
        let beside = || folder.join(path.file_name().unwrap_or_default());
        let id = fs::canonicalize(path).unwrap_or_else(|_| beside());
        Located { id: FileId::new(id), name: name.to_string() }
    }

    fn locate(&self, from: &Located, path: &str) -> Result<Located, Unusable> {
        let (path, name) = place(from, path);
        self.asked.borrow_mut().push(path.clone());
        Ok(Located { id: FileId::new(self.reach.locate(&path, &name)?), name })
    }

    fn locate_sound(&self, from: &Located, path: &str, hash: Option<&str>) -> Result<FoundSound, Unusable> {
        let located = self.locate(from, path);
        let found = |at| FoundSound { at, moved_to: None, changed_to: None };
        let Some(wanted) = hash else { return located.map(found) };
        let own = match &located {
            Ok(at) => Some(sound_hash(Path::new(at.id.as_os_str())).map_err(|e| unreadable(&at.name, &e))?),
            Err(_) => None,
        };
        if let (Ok(at), Some(own)) = (&located, &own)
            && own == wanted
        {
            return Ok(found(at.clone()));
        }
        let (elsewhere, looked_at) = self.find_sound(path, wanted);
        let moved = elsewhere.and_then(|place| {
            let near = relative(Path::new(from.id.as_os_str()).parent()?, &place)?;
            let at = self.locate(from, &near).ok()?;
            Some(FoundSound { moved_to: Some(near), ..found(at) })
        });
        match (moved, located) {
            (Some(moved), _) => Ok(moved),
            (None, Ok(at)) => Ok(FoundSound { changed_to: own, ..found(at) }),
            (None, Err(Unusable { why, .. })) => Err(Unusable {
                why: format!("{why}; none of {looked_at} in the folder of the song has its hash"),
                help: Some("name the file as it is called now, or leave out the hash".into()),
            }),
        }
    }

    fn read(&self, file: &Located, most: usize) -> Result<String, Unusable> {
        let bytes = self.reach.read(Path::new(file.id.as_os_str()), &file.name, most)?;
        let text = String::from_utf8(bytes).map_err(|_| Unusable {
            why: format!("`{}` is not text in UTF-8", file.name),
            help: Some("save it as UTF-8, or name another file".into()),
        })?;
        if let Some(read_files) = &self.read_files {
            read_files.borrow_mut().texts.push((file.name.clone(), text.clone()));
        }
        Ok(text)
    }

    fn folder(&self, from: &Located, path: &str, most: usize) -> Result<Vec<String>, Unusable> {
        let (path, name) = place(from, path);
        self.asked.borrow_mut().push(path.clone());
        let names = self.reach.sounds(&path, &name, most)?;
        if let Some(read_files) = &self.read_files {
            read_files.borrow_mut().texts.push((listing(&name), names.join("\n")));
        }
        Ok(names)
    }

    fn samples(&self, file: &Located, most: usize) -> Result<Samples, Unusable> {
        let opened = self.reach.open(Path::new(file.id.as_os_str()), &file.name)?;
        let samples = sound(opened, &file.name, most)?;
        self.sounds.borrow_mut().push((file.name.clone(), file.id.as_os_str().into()));
        if let Some(read_files) = &self.read_files {
            read_files
                .borrow_mut()
                .sounds
                .push((file.name.clone(), hash(&samples, Path::new(file.id.as_os_str()))));
        }
        Ok(samples)
    }
}

/// Whether a file of this name is a song.
pub(crate) fn is_song(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "mam" || ending == "json")
}

/// Where a path leads that stands in the file `from`, and what that is called in messages.
fn place(from: &Located, path: &str) -> (PathBuf, String) {
    let folder = |file: &Path| file.parent().unwrap_or(Path::new("")).to_path_buf();
    let name = folder(Path::new(&from.name)).join(path).display().to_string();
    (folder(Path::new(from.id.as_os_str())).join(path), name)
}

/// What the list of a folder's sound files is called among texts that are kept: no file has such a name.
pub use mam_package::listing;

fn unreadable(name: &str, error: &io::Error) -> Unusable {
    format!("`{name}` cannot be read: {}", words(error)).into()
}

/// SHA-256 of samples as they are played: of their rate, and of their bits channel by channel. Of a sound that is streamed, what its file
/// at `path` is known by.
pub fn hash(samples: &Samples, path: &Path) -> String {
    if samples.stream.is_some() {
        return sound_hash(path).unwrap_or_default();
    }
    let mut hasher = Hasher::default();
    hasher.add(&samples.rate.to_le_bytes());
    for channel in &samples.channels {
        channel.iter().for_each(|sample| hasher.add(&sample.to_le_bytes()));
    }
    hex(hasher)
}
