//! What some quanta in a row change, kept until it is known that they were rendered as if one by one.
//!
//! Quanta in which nothing happens are rendered one step after the other, each over all of them. Where a step turns out not to be
//! finite in one of them, or a voice may sleep after it, the steps before it have rendered too much; then their states become
//! again what they were. Delay lines are not kept (that took an eighth of the time of eight combs): so few quanta are rendered in a row that
//! what they write into a line covers nothing that the first of them reads, and they can be rendered again.

use super::memory::Block;
use super::step::Runner;

/// States as they were.
#[derive(Debug)]
pub(crate) struct Rollback {
    state: Block<u8>,
}

impl Rollback {
    /// Room for a state memory of so many bytes; none where quanta are never rendered in a row.
    pub(crate) fn new(state_bytes: usize, quanta: usize) -> Rollback {
        Rollback { state: Block::zeros(if quanta > 1 { state_bytes } else { 0 }) }
    }

    /// Keeps the states of a runner.
    ///
    /// # Safety
    /// `state` is the state memory that this was made for, it has the runner's block, and no kernel runs.
    pub(crate) unsafe fn save(&mut self, runner: &Runner, state: *const u8) {
        let block = runner.state_block();
        // SAFETY: the block lies within the state memory, and this has as many bytes.
        unsafe {
            let saved = self.state.as_ptr().add(block.start);
            saved.copy_from_nonoverlapping(state.add(block.start), block.len());
        }
    }

    /// The states of a runner become again what they were when they were saved.
    ///
    /// # Safety
    /// As for [`Rollback::save`].
    pub(crate) unsafe fn restore(&self, runner: &Runner, state: *mut u8) {
        let block = runner.state_block();
        // SAFETY: as in `save`.
        unsafe {
            let saved = self.state.as_ptr().add(block.start);
            state.add(block.start).copy_from_nonoverlapping(saved, block.len());
        }
    }
}
