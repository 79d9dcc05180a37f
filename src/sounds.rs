//! Sound files by what is in them: hashes, and the files of a folder that have one.

use crate::batch::hash::{Hasher, hex, sha256};
use crate::failure::words;
use mam_compiler::files::{Samples, Unusable};
use mam_package::sound::{is_sound, unusable};
use mam_runtime::file::{Opened, open};
use mam_runtime::stream::{About, Stream};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::UNIX_EPOCH;

/// A file of more bytes is known by pieces of it.
const WHOLE: u64 = 64 << 20;
/// Bytes of such a piece, of which as many are taken as make [`WHOLE`].
const PIECE: u64 = 1 << 16;
/// A file of fewer bytes is read whole before it is asked whether it is too long.
const SMALL: u64 = 4 << 20;
/// The most frames of a sound: places in it are counted in 31 bits.
const MOST_FRAMES: u64 = (1 << 31) - (1 << 20);

/// The sounds that are streamed: a song that is compiled again goes on with those that it has.
static STREAMS: Mutex<Vec<Weak<Stream>>> = Mutex::new(Vec::new());

/// The sound of a file that is called `name` in messages: in memory, if it has no more than `most` samples, those of each channel
/// counted, else streamed. Of more than two channels the first two.
///
/// # Errors
/// When it cannot be read or is cut off, has no frames or too many, or what of it is read has a sample that is not finite.
pub fn sound(file: File, name: &str, most: usize) -> Result<Samples, Unusable> {
    let again = file.try_clone().and_then(|mut again| {
        again.seek(SeekFrom::Start(0))?;
        Ok((again.metadata()?, again))
    });
    let (data, again) = again.map_err(|e| unusable(name, &words(&e)))?;
    let content = content(name, &data);
    let most = most as u64;
    let is_long = |about: &About| about.frames.saturating_mul(about.channels as u64) > most;
    let known = STREAMS.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).find(
        |stream| {
            (stream.about().content, &*stream.about().name) == (content, name) && is_long(stream.about())
        },
    );
    if let Some(known) = known {
        return Ok(Samples::streamed(known));
    }
    let about = |opened: &Opened| About {
        name: name.into(),
        rate: opened.rate,
        channels: opened.channels,
        frames: opened.frames,
        content,
    };
    if data.len() >= SMALL
        && let Ok(opened) = again.try_clone().map_err(Into::into).and_then(open)
        && is_long(&about(&opened))
    {
        return streamed(about(&opened), opened);
    }
    match mam_package::sound::read_short(file, name, most as usize)? {
        Some(samples) => Ok(samples),
        None => {
            let opened = open(again).map_err(|e| unusable(name, &e.to_string()))?;
            streamed(about(&opened), opened)
        }
    }
}

/// A sound that is read while it plays.
fn streamed(about: About, opened: Opened) -> Result<Samples, Unusable> {
    if about.frames > MOST_FRAMES {
        let why = format!("it has {} frames, and at most {MOST_FRAMES} can be streamed", about.frames);
        return Err(unusable(&about.name, &why));
    }
    let stream = Arc::new(Stream::new(about, opened.reader));
    let mut known = STREAMS.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|stream| stream.strong_count() > 0);
    known.push(Arc::downgrade(&stream));
    Ok(Samples::streamed(stream))
}

/// A hash by which it is known whether a file is the one that it was.
fn content(name: &str, data: &fs::Metadata) -> u64 {
    let changed = data.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let changed = changed.map_or(0, |at| at.as_nanos());
    #[cfg(unix)]
    let file = std::os::unix::fs::MetadataExt::ino(data);
    #[cfg(not(unix))]
    let file = 0;
    let hash = sha256(format!("{name}\n{file}\n{}\n{changed}", data.len()).as_bytes());
    u64::from_str_radix(digits(&hash), 16).unwrap_or(0)
}

/// The first sixteen digits of a hash.
fn digits(hash: &str) -> &str {
    &hash.trim_start_matches("sha256:")[..16]
}

/// What a sound file is known by, wherever it lies: how many bytes it has, and sixteen digits of their SHA-256. So only files of the same
/// length have to be read to find it. Of more than 64 MiB the digits are of pieces that lie evenly in it, the first and the last
/// among them.
///
/// # Errors
/// When it cannot be read.
pub fn sound_hash(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let (mut hasher, length) = (Hasher::default(), file.metadata()?.len());
    let mut piece = vec![0; PIECE as usize];
    let mut bytes = 0;
    if length > WHOLE {
        let count = WHOLE / PIECE;
        for index in 0..count {
            let at = u128::from(length - PIECE) * u128::from(index) / u128::from(count - 1);
            file.seek(SeekFrom::Start(at as u64))?;
            file.read_exact(&mut piece)?;
            hasher.add(&piece);
        }
        bytes = length;
    } else {
        loop {
            let count = file.read(&mut piece)?;
            if count == 0 {
                break;
            }
            hasher.add(&piece[..count]);
            bytes += count as u64;
        }
    }
    Ok(format!("{bytes}-{}", digits(&hex(hasher))))
}

/// Whether a file is as long as the hash of a sound says.
pub fn has_length(path: &Path, hash: &str) -> bool {
    let wanted = hash.split_once('-').and_then(|(bytes, _)| bytes.parse::<u64>().ok());
    wanted.is_some() && fs::metadata(path).ok().map(|data| data.len()) == wanted
}

/// The sound files in a folder and the folders in it, as far as these have no more than 10 000 entries. What is hidden is left
/// out, and links to folders are not followed.
pub fn sounds_below(folder: &Path) -> Vec<PathBuf> {
    const MOST_ENTRIES: usize = 10_000;
    let (mut sounds, mut folders, mut left) = (vec![], VecDeque::from([folder.to_path_buf()]), MOST_ENTRIES);
    while let Some(folder) = folders.pop_front() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.take(left).filter_map(Result::ok) {
            left -= 1;
            let (path, name) = (entry.path(), entry.file_name());
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push_back(path);
            } else if name.to_str().is_some_and(is_sound) && path.is_file() {
                sounds.push(path);
            }
        }
    }
    sounds
}

/// The path that leads to `file` from a folder, both canonical, with `/` between its parts.
pub fn relative(folder: &Path, file: &Path) -> Option<String> {
    let up = folder.ancestors().position(|around| file.starts_with(around))?;
    let below = file.strip_prefix(folder.ancestors().nth(up)?).ok()?;
    let parts =
        std::iter::repeat_n("..", up).map(Some).chain(below.components().map(|c| c.as_os_str().to_str()));
    Some(parts.collect::<Option<Vec<&str>>>()?.join("/"))
}

#[cfg(test)]
mod tests {
    use super::relative;
    use std::path::Path;

    #[test]
    fn paths_lead_from_a_folder_to_a_file() {
        let of = |folder: &str, file: &str| relative(Path::new(folder), Path::new(file)).unwrap();
        assert_eq!(of("/a/b", "/a/b/c.wav"), "c.wav");
        assert_eq!(of("/a/b", "/a/b/c/d.wav"), "c/d.wav");
        assert_eq!(of("/a/b", "/a/c/d.wav"), "../c/d.wav");
    }
}
