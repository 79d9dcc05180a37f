//! The files that the page has been given: other songs and sounds.

use mam_compiler::files::{Loader, Located, Samples, Unusable};
use mam_package::PackedFiles;
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

    fn read(&self, file: &Located, most: usize) -> Result<String, Unusable> {
        self.found.read(file, most)
    }

    fn samples(&self, file: &Located, most: usize) -> Result<Samples, Unusable> {
        self.found.samples(file, most)
    }
}
