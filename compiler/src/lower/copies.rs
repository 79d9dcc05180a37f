//! Inner frames: how a region at a higher rate is evaluated once for each of them, and what each remembers of the one before; and
//! the streams of bins for each of which a spectral region is evaluated.

use crate::ir::{StateSlot, Value};
use mam_grammar::Handle;
use rustc_hash::FxHashMap;

/// An inner frame of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct InnerFrame {
    /// Index of the region.
    pub(super) region: usize,
    /// Which of its inner frames, counted through one frame of the song.
    pub(super) index: usize,
}

/// A stream of bins in a spectral region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bins {
    /// The region, by number in the kernel.
    pub(super) region: usize,
    /// Which of its streams.
    pub(super) stream: usize,
    /// How many there are.
    pub(super) streams: usize,
    /// Frames of a hop.
    pub(super) hop: u32,
    /// The last bin: half the size.
    pub(super) last: u32,
}

/// What is remembered in regions. A state is known by its region, its name, and how many of that name were made before it
/// in the same inner frame: each of these is evaluated in the same order.
#[derive(Default)]
pub(super) struct Copies {
    occurrences: FxHashMap<(InnerFrame, String), usize>,
    states: FxHashMap<(usize, String, usize), Handle<StateSlot>>,
    /// The value of each state after the latest inner frame.
    values: FxHashMap<Handle<StateSlot>, Value>,
}

impl Copies {
    /// How often something of this name was made in the inner frame before.
    pub(super) fn occurrence(&mut self, copy: InnerFrame, name: &str) -> usize {
        let count = self.occurrences.entry((copy, name.to_owned())).or_insert(0);
        *count += 1;
        *count - 1
    }

    /// Whether the next state of this name is one of an inner frame before.
    pub(super) fn continues(&self, copy: InnerFrame, name: &str) -> bool {
        let occurrence = self.occurrences.get(&(copy, name.to_owned())).copied().unwrap_or(0);
        self.states.contains_key(&(copy.region, name.to_owned(), occurrence))
    }

    /// A state of the inner frames before, with its value after them.
    pub(super) fn known(
        &self,
        copy: InnerFrame,
        name: &str,
        occurrence: usize,
    ) -> Option<(Handle<StateSlot>, Value)> {
        let state = *self.states.get(&(copy.region, name.to_owned(), occurrence))?;
        Some((state, self.values[&state]))
    }

    /// Keeps a new state for the inner frames to come.
    pub(super) fn keep(
        &mut self,
        copy: InnerFrame,
        name: &str,
        occurrence: usize,
        (state, value): (Handle<StateSlot>, Value),
    ) {
        self.states.insert((copy.region, name.to_owned(), occurrence), state);
        self.values.insert(state, value);
    }

    pub(super) fn set(&mut self, state: Handle<StateSlot>, value: Value) {
        self.values.insert(state, value);
    }
}
