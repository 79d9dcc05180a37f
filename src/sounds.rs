//! Sound files by what is in them: hashes, and the files of a folder that have one.

use crate::batch::hash::{Hasher, hex};
use mam_package::sound::is_sound;
use std::collections::VecDeque;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What a sound file is known by, wherever it lies: its bytes, and sixteen digits of their SHA-256. So only files of the same
/// length have to be read to find it.
///
/// # Errors
/// When it cannot be read.
pub fn sound_hash(path: &Path) -> std::io::Result<String> {
    let (mut file, mut hasher, mut bytes) = (fs::File::open(path)?, Hasher::default(), 0);
    let mut piece = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut piece)?;
        if count == 0 {
            let digits = hex(hasher);
            let digits = digits.trim_start_matches("sha256:");
            return Ok(format!("{bytes}-{}", &digits[..16]));
        }
        hasher.add(&piece[..count]);
        bytes += count as u64;
    }
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
