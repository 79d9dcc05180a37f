//! What a `prev` or `tap` remembers: a signal, or a list or record of signals, one state or delay line a channel.

use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// The form of what is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// So many channels, 1 or 2.
    Signal(usize),
    /// A list, by its elements.
    List(Vec<Layout>),
    /// A record, by its fields.
    Record(Vec<(Arc<str>, Layout)>),
    /// A list or record of an argument of which nothing is known; nothing that is lowered is one.
    Unknown,
}

const MONO: Layout = Layout::Signal(1);

/// Records and lists in one another that are remembered. What remembers itself goes one deeper each time, without an end.
pub(super) const DEEPEST: usize = 8;

impl Layout {
    /// How many lists and records stand in one another: 0 of a signal.
    pub(super) fn depth(&self) -> usize {
        let deepest =
            |inner: &mut dyn Iterator<Item = &Layout>| 1 + inner.map(Layout::depth).max().unwrap_or(0);
        match self {
            Layout::Signal(_) | Layout::Unknown => 0,
            Layout::List(elements) => deepest(&mut elements.iter()),
            Layout::Record(fields) => deepest(&mut fields.iter().map(|(_, layout)| layout)),
        }
    }

    /// What it has to be where something of the layout `next` flows in: nothing is taken back.
    pub(super) fn joined(&self, next: &Layout) -> Layout {
        match (next, self) {
            (Layout::Signal(channels), Layout::Signal(before)) => Layout::Signal(*channels.max(before)),
            (Layout::List(elements), _) => {
                let before = |i: usize| match self {
                    Layout::List(all) => all.get(i).unwrap_or(&MONO),
                    _ => &MONO,
                };
                Layout::List(elements.iter().enumerate().map(|(i, next)| before(i).joined(next)).collect())
            }
            (Layout::Record(fields), _) => {
                let before = |name: &Arc<str>| match self {
                    Layout::Record(all) => {
                        all.iter().find(|(other, _)| other == name).map_or(&MONO, |(_, layout)| layout)
                    }
                    _ => &MONO,
                };
                let part = |(name, next): &(Arc<str>, Layout)| (name.clone(), before(name).joined(next));
                Layout::Record(fields.iter().map(part).collect())
            }
            (Layout::Unknown, Layout::Signal(_)) => Layout::Unknown,
            _ => self.clone(),
        }
    }
}

/// The layouts of `prev`s and `tap`s, by the path that names what they remember.
#[derive(Clone, Debug, Default)]
pub struct Layouts {
    /// Those that are more than a mono signal.
    known: FxHashMap<Arc<str>, Layout>,
    /// Paths of what would remember itself.
    endless: FxHashSet<Arc<str>>,
    /// How often one of them has grown.
    pub(super) grown: usize,
    /// The paths of those that are more than a mono signal since the group that is evaluated.
    pub(super) added: Vec<Arc<str>>,
}

impl Layouts {
    /// The layout of what has this path.
    pub fn get(&self, path: &str) -> &Layout {
        self.known.get(path).unwrap_or(&MONO)
    }

    /// Notes that something of this layout flows into what has this path.
    pub(super) fn add(&mut self, path: &str, next: &Layout) {
        let before = self.get(path);
        let now = before.joined(next);
        if now != *before {
            self.grown += 1;
            let path: Arc<str> = path.into();
            self.added.push(path.clone());
            self.known.insert(path, now);
        }
    }

    /// Notes that what has this path would hold itself.
    pub(super) fn give_up(&mut self, path: &str) {
        self.grown += 1;
        self.known.remove(path);
        self.endless.insert(path.into());
    }

    /// Whether what has this path would hold itself.
    pub(super) fn is_endless(&self, path: &str) -> bool {
        self.endless.contains(path)
    }
}
