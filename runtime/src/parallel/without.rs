//! A build without the feature `threads` renders everything on the caller's thread: a program is never shared.

use crate::engine::NotFinite;
use crate::program::{Event, Program};

/// How many threads the machine runs at once; 1 where it cannot say.
pub fn all_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// A program that is rendered on several threads: there is none in this build.
pub(crate) enum Parallel {}

impl Parallel {
    /// None, whatever is asked for.
    pub(crate) fn new(_: &Program, _: usize, _: u64, _: impl FnOnce()) -> Option<Parallel> {
        None
    }

    /// The frame that is handed out next.
    pub(crate) fn position(&self) -> u64 {
        match *self {}
    }

    /// See [`crate::Engine::never_skip`].
    pub(crate) fn never_skip(&mut self) {
        match *self {}
    }

    /// See [`crate::Engine::not_finite`].
    pub(crate) fn not_finite(&self) -> Vec<NotFinite> {
        match *self {}
    }

    /// Appends to the song's input.
    pub(crate) fn feed(&mut self, _: &[&[f32]]) {
        match *self {}
    }

    /// Renders the next frames.
    pub(crate) fn process(
        &mut self,
        _: &mut [&mut [f32]],
        _: u64,
        _: u64,
        _: impl FnMut(u64, &mut Vec<Event>),
    ) {
        match *self {}
    }

    /// Whether all steps are at rest.
    pub(crate) fn is_at_rest(&self) -> bool {
        match *self {}
    }
}
