//! What was made of pieces of a text, for its next version.

use rustc_hash::FxHashMap;

/// Versions for which something that is gone is kept: what opens a quotation is soon followed by what closes it.
const HELD: u32 = 4;

/// Things by what is written, each kept until it has been missing for some versions.
#[derive(Clone, Debug)]
pub(crate) struct Memo<T> {
    /// With each thing the last version that had it.
    known: FxHashMap<Box<str>, (T, u32)>,
    version: u32,
}

impl<T> Default for Memo<T> {
    fn default() -> Memo<T> {
        Memo { known: FxHashMap::default(), version: 0 }
    }
}

impl<T> Memo<T> {
    /// Begins with the next version; forgets what has long been gone.
    pub(crate) fn next_version(&mut self) {
        self.known.retain(|_, (_, last)| self.version - *last < HELD);
        self.version += 1;
    }

    /// What was made of what is written so.
    pub(crate) fn find(&mut self, written: &str) -> Option<&T> {
        let (thing, last) = self.known.get_mut(written)?;
        *last = self.version;
        Some(thing)
    }

    /// Keeps what was made of what is written so.
    pub(crate) fn keep(&mut self, written: &str, thing: T) {
        self.known.insert(written.into(), (thing, self.version));
    }
}
