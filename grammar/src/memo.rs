//! What was made of pieces of a text, for its next version.

use rustc_hash::FxHashMap;
use std::hash::Hash;

/// Versions for which something that is gone is kept: what opens a quotation is soon followed by what closes it.
const HELD: u32 = 4;

/// Things by what is written, each kept until it has been missing for some versions.
#[derive(Clone, Debug)]
pub struct Memo<K: ?Sized, T> {
    /// With each thing the last version that had it.
    known: FxHashMap<Box<K>, (T, u32)>,
    version: u32,
}

impl<K: ?Sized, T> Default for Memo<K, T> {
    fn default() -> Memo<K, T> {
        Memo { known: FxHashMap::default(), version: 0 }
    }
}

impl<K: ?Sized + Hash + Eq, T> Memo<K, T> {
    /// Begins with the next version; forgets what has long been gone.
    pub fn next_version(&mut self) {
        self.known.retain(|_, (_, last)| self.version - *last < HELD);
        self.version += 1;
    }

    /// What was made of what is written so, and whether this version had it already.
    pub fn find(&mut self, written: &K) -> Option<(&mut T, bool)> {
        let (thing, last) = self.known.get_mut(written)?;
        let again = std::mem::replace(last, self.version) == self.version;
        Some((thing, again))
    }

    /// Keeps what was made of what is written so.
    pub fn keep(&mut self, written: &K, thing: T)
    where
        Box<K>: for<'k> From<&'k K>,
    {
        self.known.insert(written.into(), (thing, self.version));
    }
}
