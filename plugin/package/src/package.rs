//! The bytes of a package, at the end of a file.
//!
//! ```text
//! manifest and table of files (JSON) │ file │ file │ … │ bytes of the JSON │ bytes of all before │ SHA-256 of the JSON │ magic
//! ```
//! The last 56 bytes are of a known form, so what comes before the package does not matter: a shared library, or nothing.

use crate::manifest::Manifest;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

/// Marks the end of a package, with the version of its form.
const MAGIC: &[u8; 8] = b"MAMSONG1";
/// Bytes of the two lengths, the hash and the mark.
const TRAILER: u64 = 8 + 8 + 32 + 8;

/// The name of a package beside the code of a bundle: `Contents/Resources/` and this.
pub const RESOURCE: &str = "song.mampack";

/// A song with all that it takes to compile it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Package {
    /// What a host asks first.
    pub manifest: Manifest,
    /// Names and bytes: the song first, then the files that it names, by the paths that lead to them from the song's folder.
    pub files: Vec<(String, Vec<u8>)>,
}

/// What stands first: the manifest, and where the files are.
#[derive(Serialize, Deserialize)]
struct Head {
    manifest: Manifest,
    files: Vec<Entry>,
}

/// A file of the package.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    name: String,
    bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    sha256: String,
}

/// Why bytes are not a package.
#[derive(Debug)]
pub enum Damage {
    /// There is no package at the end.
    Absent,
    /// It cannot be read.
    Unreadable(io::Error),
    /// It is not what was written: which part differs.
    Changed(String),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Absent => f.write_str("it carries no song"),
            Damage::Unreadable(error) => write!(f, "its song cannot be read: {error}"),
            Damage::Changed(part) => write!(f, "its song is damaged: {part} is not what was written"),
        }
    }
}

impl From<io::Error> for Damage {
    fn from(error: io::Error) -> Damage {
        Damage::Unreadable(error)
    }
}

fn changed(part: &str) -> Damage {
    Damage::Changed(part.to_string())
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Package {
    /// The bytes to append to a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let entry = |(name, bytes): &(String, Vec<u8>)| Entry {
            name: name.clone(),
            bytes: bytes.len() as u64,
            sha256: hex(&hash(bytes)),
        };
        let head = Head { manifest: self.manifest.clone(), files: self.files.iter().map(entry).collect() };
        // Strings and finite numbers are always JSON.
        let head = serde_json::to_vec(&head).unwrap_or_default();
        let (mut all, checksum) = (head.clone(), hash(&head));
        self.files.iter().for_each(|(_, bytes)| all.extend_from_slice(bytes));
        let (head, before) = (head.len() as u64, all.len() as u64);
        all.extend_from_slice(&head.to_le_bytes());
        all.extend_from_slice(&before.to_le_bytes());
        all.extend_from_slice(&checksum);
        all.extend_from_slice(MAGIC);
        all
    }
}

/// A package of which the manifest has been read, and its files not yet.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What a host asks first.
    pub manifest: Manifest,
    entries: Vec<Entry>,
    /// Where the files begin.
    start: u64,
    /// A hash of the manifest and the table of files, so of all that the song is made of, in hexadecimal.
    pub hash: String,
}

impl Opened {
    /// Reads the manifest of the package at the end of `source`.
    ///
    /// # Errors
    /// When there is none, or it is damaged.
    pub fn read(source: &mut (impl Read + Seek)) -> Result<Opened, Damage> {
        let size = source.seek(SeekFrom::End(0))?;
        let Some(end) = size.checked_sub(TRAILER) else { return Err(Damage::Absent) };
        source.seek(SeekFrom::Start(end))?;
        let mut trailer = [0; TRAILER as usize];
        source.read_exact(&mut trailer)?;
        let (lengths, rest) = trailer.split_at(16);
        let (checksum, magic) = rest.split_at(32);
        if magic != MAGIC {
            return Err(Damage::Absent);
        }
        let length = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| lengths[at + i]));
        let (head, before) = (length(0), length(8));
        let start =
            end.checked_sub(before).filter(|_| head <= before).ok_or_else(|| changed("its length"))?;
        source.seek(SeekFrom::Start(start))?;
        let mut json = Vec::new();
        source.by_ref().take(head).read_to_end(&mut json)?;
        if json.len() as u64 != head || hash(&json)[..] != *checksum {
            return Err(changed("the manifest"));
        }
        let Head { manifest, files } = serde_json::from_slice(&json).map_err(|_| changed("the manifest"))?;
        let total = files.iter().try_fold(head, |sum, file| sum.checked_add(file.bytes));
        if total != Some(before) || !manifest.is_whole() || files.is_empty() {
            return Err(changed("the manifest"));
        }
        Ok(Opened { manifest, entries: files, start: start + head, hash: hex(checksum) })
    }

    /// Reads all files of the package from the same source.
    ///
    /// # Errors
    /// When one is not what was written.
    pub fn files(&self, source: &mut (impl Read + Seek)) -> Result<Vec<(String, Vec<u8>)>, Damage> {
        source.seek(SeekFrom::Start(self.start))?;
        let mut read = |entry: &Entry| {
            let mut bytes = Vec::new();
            source.by_ref().take(entry.bytes).read_to_end(&mut bytes)?;
            if bytes.len() as u64 != entry.bytes || hex(&hash(&bytes)) != entry.sha256 {
                return Err(Damage::Changed(format!("`{}`", entry.name)));
            }
            Ok((entry.name.clone(), bytes))
        };
        self.entries.iter().map(&mut read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn package() -> Package {
        let manifest = Manifest { id: "mam.x".into(), name: "X".into(), channels: 2, ..Manifest::default() };
        let files = vec![("x.mam".into(), b"out = 0\n".to_vec()), ("a.wav".into(), vec![7; 99])];
        Package { manifest, files }
    }

    fn read(bytes: &[u8]) -> Result<Package, Damage> {
        let mut source = Cursor::new(bytes);
        let opened = Opened::read(&mut source)?;
        let files = opened.files(&mut source)?;
        Ok(Package { manifest: opened.manifest, files })
    }

    #[test]
    fn what_is_packed_behind_anything_is_read_again() {
        for code in [&b""[..], b"\x7fELF and more"] {
            let bytes = [code, &package().to_bytes()].concat();
            assert_eq!(read(&bytes).unwrap(), package());
        }
    }

    #[test]
    fn every_change_of_a_bit_and_every_cut_is_seen() {
        let whole = package().to_bytes();
        assert!(matches!(read(b"not a package at all"), Err(Damage::Absent)));
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "cut at {length}");
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                assert!(read(&bytes).is_err(), "bit {bit} of byte {at}");
            }
        }
    }
}
