//! The files that the page has been given: other songs and sounds.

use mam_compiler::files::{Loader, Located, Samples, Unusable};
use mam_package::sound::is_sound;
use mam_package::{PackedFiles, listing};
use std::collections::BTreeMap;
use std::path::Path;

/// Files by their names. A song finds one by its path, or, where no path is that, by its name alone: a page is given files, and
/// not the folders that they lie in.
#[derive(Default)]
pub(crate) struct PageFiles {
    bytes: BTreeMap<String, Vec<u8>>,
    found: PackedFiles,
}

impl PageFiles {
    /// Adds a file, or replaces the one of that name.
    pub(crate) fn put(&mut self, name: String, bytes: Vec<u8>) {
        self.bytes.insert(name, bytes);
        self.index();
    }

    /// Forgets a file.
    pub(crate) fn forget(&mut self, name: &str) {
        self.bytes.remove(name);
        self.index();
    }

    fn index(&mut self) {
        self.found = PackedFiles::new(self.bytes.clone().into_iter().collect());
    }
}

impl Loader for PageFiles {
    fn locate(&self, from: &Located, path: &str) -> Result<Located, Unusable> {
        let alone = Path::new(path).file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let root = Located { id: from.id.clone(), name: String::new() };
        let found = self.found.locate(from, path).or_else(|_| self.found.locate(&root, &alone));
        found.map_err(|_| Unusable {
            why: format!("the page has no file `{path}`"),
            help: Some(format!("add `{alone}` under Files, or drop it on the page")),
        })
    }

    /// The page's sound files whose names begin with the folder's.
    fn folder(&self, from: &Located, path: &str, most: usize) -> Result<Vec<String>, Unusable> {
        let folder = listing(&PackedFiles::name(&from.name, path));
        let names = self.bytes.keys().filter(|name| is_sound(name));
        let inside = names.filter_map(|name| name.strip_prefix(&folder)).filter(|name| !name.contains('/'));
        let inside: Vec<String> = inside.take(most + 1).map(str::to_owned).collect();
        match inside.len() {
            0 => Err(Unusable {
                why: format!("the page has no sound file in `{path}`"),
                help: Some(format!("add files that are called `{folder}kick.wav` and so on")),
            }),
            count if count > most => Err(format!("`{path}` holds more than {most} sound files").into()),
            _ => Ok(inside),
        }
    }

    fn read(&self, file: &Located, most: usize) -> Result<String, Unusable> {
        self.found.read(file, most)
    }

    fn samples(&self, file: &Located, most: usize) -> Result<Samples, Unusable> {
        self.found.samples(file, most)
    }
}
