//! The files of a package, as the compiler asks for them.

use crate::sound;
use mam_compiler::files::{FileId, Loader, Located, Samples, Unusable};
use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

/// The files of a package by their names. There are no others: it reads no disk.
#[derive(Clone, Debug, Default)]
pub struct PackedFiles {
    by_name: HashMap<String, Arc<[u8]>>,
}

impl PackedFiles {
    /// Those that were read of a package.
    pub fn new(files: Vec<(String, Vec<u8>)>) -> PackedFiles {
        PackedFiles { by_name: files.into_iter().map(|(name, bytes)| (name, bytes.into())).collect() }
    }

    /// The name of the file that `path` means where it stands in the file `from`: the same when a song is packed and when it is
    /// compiled again.
    pub fn name(from: &str, path: &str) -> String {
        let folder = Path::new(from).parent().unwrap_or(Path::new(""));
        folder.join(path).display().to_string()
    }

    fn bytes(&self, name: &str) -> Result<Arc<[u8]>, Unusable> {
        self.by_name.get(name).cloned().ok_or_else(|| format!("`{name}` is not in the package").into())
    }
}

/// What the list of a folder's sound files, one a line, is called among a package's files: no file has such a name.
pub fn listing(folder: &str) -> String {
    format!("{}/", folder.trim_end_matches('/'))
}

impl Loader for PackedFiles {
    fn locate(&self, from: &Located, path: &str) -> Result<Located, Unusable> {
        let name = PackedFiles::name(&from.name, path);
        self.bytes(&name)?;
        Ok(Located { id: FileId::new(&name), name })
    }

    fn read(&self, file: &Located, most: usize) -> Result<String, Unusable> {
        let bytes = self.bytes(&file.name)?;
        if bytes.len() > most {
            return Err(format!("`{}` is larger than {most} bytes, the limit of a file", file.name).into());
        }
        String::from_utf8(bytes.to_vec()).map_err(|_| format!("`{}` is not text in UTF-8", file.name).into())
    }

    fn folder(&self, from: &Located, path: &str, most: usize) -> Result<Vec<String>, Unusable> {
        let bytes = self.bytes(&listing(&PackedFiles::name(&from.name, path)))?;
        let names = String::from_utf8_lossy(&bytes);
        Ok(names.lines().take(most).map(str::to_owned).collect())
    }

    fn samples(&self, file: &Located, most: usize) -> Result<Samples, Unusable> {
        sound::read(Cursor::new(self.bytes(&file.name)?), &file.name, most)
    }
}
