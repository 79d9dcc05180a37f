//! Which files a song may name. Whoever renders a song that came from elsewhere does not want it to read the rest of the
//! disk, so the files of a song lie in its folder, unless the command line allows others.

use crate::failure::words;
use mam_compiler::files::Unusable;
use mam_package::sound::is_sound;
use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// Entries of a folder that are looked at.
const MOST_ENTRIES: usize = 10_000;

/// The folder in which a song may name files.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Canonical; `None` where every file may be named.
    folder: Option<PathBuf>,
}

impl Reach {
    /// The folder of the song at `song`, or the working folder for one that is not a file.
    pub fn new(song: Option<&Path>, allow_outside: bool) -> Reach {
        let folder = song.and_then(|song| fs::canonicalize(song).ok()?.parent().map(PathBuf::from));
        let folder = folder.or_else(|| fs::canonicalize(".").ok());
        Reach { folder: folder.filter(|_| !allow_outside) }
    }

    /// The canonical path of the file `path`, which is called `name` in messages: links are followed before it is asked
    /// where it lies.
    ///
    /// # Errors
    /// When there is no such file, it is outside, or it is something else than a file: a folder, a pipe, a device.
    pub fn locate(&self, path: &Path, name: &str) -> Result<PathBuf, Unusable> {
        let path = self.place(path, name)?;
        check_kind(fs::metadata(&path).map_err(|e| unreadable(name, &e))?.file_type(), name)?;
        Ok(path)
    }

    /// The canonical path of what stands at `path`, if it is not outside.
    fn place(&self, path: &Path, name: &str) -> Result<PathBuf, Unusable> {
        let found = fs::canonicalize(path);
        // What is outside is not told of, not even whether it is there.
        let place = found.as_deref().map_or_else(|_| leads_to(path), Path::to_path_buf);
        if self.folder.as_ref().is_some_and(|folder| !place.starts_with(folder)) {
            return Err(Unusable {
                why: format!("`{name}` lies outside the song's folder"),
                help: Some("move it into the folder of the song; `--allow-outside` allows every file".into()),
            });
        }
        found.map_err(|e| unreadable(name, &e))
    }

    /// The names of the sound files in the folder `path`, which is called `name` in messages, sorted; at most so many.
    ///
    /// # Errors
    /// When there is no such folder, it is outside, it cannot be read, or it holds more.
    pub fn sounds(&self, path: &Path, name: &str, most: usize) -> Result<Vec<String>, Unusable> {
        let path = self.place(path, name)?;
        let kind = fs::metadata(&path).map_err(|e| unreadable(name, &e))?.file_type();
        if !kind.is_dir() {
            let why = format!("`{name}` cannot be used as a kit: it is not a folder");
            return Err(Unusable { why, help: Some("name the folder in which the sound files lie".into()) });
        }
        let too_many = |what: String| {
            let help = "put what is not of the kit into another folder, or pass `--limit kit_files=N`";
            Unusable { why: format!("`{name}` holds {what}"), help: Some(help.into()) }
        };
        let mut names = vec![];
        for (count, entry) in fs::read_dir(&path).map_err(|e| unreadable(name, &e))?.enumerate() {
            if count >= MOST_ENTRIES {
                return Err(too_many(format!("more than {MOST_ENTRIES} files")));
            }
            let entry = entry.map_err(|e| unreadable(name, &e))?;
            let Ok(file) = entry.file_name().into_string() else { continue };
            let is_file = fs::metadata(entry.path()).is_ok_and(|data| data.is_file());
            if is_sound(&file) && is_file {
                names.push(file);
            }
        }
        if names.len() > most {
            return Err(too_many(format!("more than {most} sound files, the limit `kit_files`")));
        }
        names.sort();
        Ok(names)
    }

    /// A file that was located, to be read from its beginning.
    ///
    /// # Errors
    /// When it cannot be opened, or has been replaced by something else than a file.
    pub fn open(&self, path: &Path, name: &str) -> Result<File, Unusable> {
        let file = open(path).map_err(|e| unreadable(name, &e))?;
        check_kind(file.metadata().map_err(|e| unreadable(name, &e))?.file_type(), name)?;
        Ok(file)
    }

    /// The bytes of a file that was located, if there are no more than `most`.
    ///
    /// # Errors
    /// When it cannot be read, is larger, or has been replaced by something else than a file.
    pub fn read(&self, path: &Path, name: &str, most: usize) -> Result<Vec<u8>, Unusable> {
        let file = self.open(path, name)?;
        let data = file.metadata().map_err(|e| unreadable(name, &e))?;
        let mut bytes = Vec::new();
        // A file may grow while it is read, and some systems' own files say that they are empty.
        if data.len() <= most as u64 {
            file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|e| unreadable(name, &e))?;
        }
        if data.len() > most as u64 || bytes.len() > most {
            return Err(Unusable {
                why: format!("`{name}` is larger than {most} bytes, the limit of a file"),
                help: Some("divide it into several files, or pass `--limit file_bytes=N`".into()),
            });
        }
        Ok(bytes)
    }
}

/// Where a path would lead to if there were a file: the part of it that is there is followed, the rest taken as it is written.
fn leads_to(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|part| Some((part, fs::canonicalize(part).ok()?)));
    let Some((part, mut place)) = there else { return path.into() };
    for component in path.strip_prefix(part).into_iter().flat_map(Path::components) {
        match component {
            Component::ParentDir => _ = place.pop(),
            Component::CurDir => {}
            other => place.push(other),
        }
    }
    place
}

/// Why a file cannot be read; where it is not there, the path is probably another.
fn unreadable(name: &str, error: &io::Error) -> Unusable {
    let why = format!("`{name}` cannot be read: {}", words(error));
    let help = (error.kind() != io::ErrorKind::NotFound).then(|| ANOTHER.into());
    Unusable { why, help }
}

/// What to do about a file that is there, and cannot be used.
const ANOTHER: &str = "name a file that can be read, in UTF-8 where it is text";

/// Opens a file for reading. A pipe that has taken its place is not waited for.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    options.open(path)
}

fn check_kind(kind: FileType, name: &str) -> Result<(), Unusable> {
    if kind.is_file() {
        return Ok(());
    }
    let what = if kind.is_dir() { "a folder" } else { special(kind) };
    let why = format!("`{name}` cannot be used: it is {what}, not a file");
    Err(Unusable { why, help: Some("name a file".into()) })
}

#[cfg(unix)]
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        _ if kind.is_fifo() => "a pipe",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn special(_: FileType) -> &'static str {
    "a device"
}
