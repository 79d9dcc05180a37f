//! What some quanta in a row change, kept until it is known that they were rendered as if one by one.
//!
//! Quanta in which nothing happens are rendered one step after the other, each over all of them. Where a step turns out not to be
//! finite in one of them, or a voice may sleep after it, the steps before it have rendered too much; then states and delay
//! lines become again what they were.

use super::memory::{Block, MOST_QUANTA, copy_guard};
use super::step::Runner;
use crate::program::QUANTUM;
use std::ops::Range;

/// Most frames that are rendered in a row.
const MOST: usize = MOST_QUANTA * QUANTUM;

/// States and stretches of delay lines as they were.
#[derive(Debug)]
pub(crate) struct Rollback {
    state: Block<u8>,
    /// The stretches of delay lines, one after the other.
    lines: Block<f32>,
    saved: usize,
    frame: u64,
    frames: usize,
}

impl Rollback {
    /// Room for runners and their state memory of so many bytes; none where quanta are never rendered in a row.
    pub(crate) fn new(runners: &[Runner], state_bytes: usize, quanta: usize) -> Rollback {
        let lines: usize = runners.iter().flat_map(Runner::lines).map(|(_, len)| len.min(MOST)).sum();
        let (state, lines) = if quanta > 1 { (state_bytes, lines) } else { (0, 0) };
        Rollback { state: Block::zeros(state), lines: Block::zeros(lines), saved: 0, frame: 0, frames: 0 }
    }

    /// The next stretch of frames is about to be rendered, at most [`MOST_QUANTA`] quanta.
    pub(crate) fn begin(&mut self, frame: u64, frames: usize) {
        (self.saved, self.frame, self.frames) = (0, frame, frames);
    }

    /// Keeps what a runner changes in the stretch.
    ///
    /// # Safety
    /// `state` is the state memory of the runners that this was made for, and no kernel runs.
    pub(crate) unsafe fn save(&mut self, runner: &Runner, state: *const u8) {
        let block = runner.state_block();
        // SAFETY: the block lies within the state memory, and this has as many bytes.
        unsafe {
            self.state.as_ptr().add(block.start).copy_from_nonoverlapping(state.add(block.start), block.len())
        };
        for (line, len) in runner.lines() {
            for span in spans(self.frame, self.frames, len) {
                // SAFETY: the span lies within the line; there is room for all lines, and each is kept once.
                unsafe {
                    let kept = self.lines.as_ptr().add(self.saved);
                    kept.copy_from_nonoverlapping(line.add(span.start), span.len());
                }
                self.saved += span.len();
            }
        }
    }

    /// Undoes what the stretch has changed. The runners are those that were saved, in their order.
    ///
    /// # Safety
    /// As for [`Rollback::save`].
    pub(crate) unsafe fn restore<'a>(&mut self, runners: impl Iterator<Item = &'a Runner>, state: *mut u8) {
        let mut at = 0;
        for runner in runners {
            let block = runner.state_block();
            // SAFETY: as in `save`.
            unsafe {
                state
                    .add(block.start)
                    .copy_from_nonoverlapping(self.state.as_ptr().add(block.start), block.len());
            }
            for (line, len) in runner.lines() {
                for span in spans(self.frame, self.frames, len) {
                    // SAFETY: as in `save`.
                    unsafe {
                        line.add(span.start)
                            .copy_from_nonoverlapping(self.lines.as_ptr().add(at), span.len());
                    }
                    at += span.len();
                }
                // SAFETY: the line has so many frames.
                unsafe { copy_guard(line, len) };
            }
        }
    }
}

/// Where some frames from `frame` on stand in a line of a power of two of them.
fn spans(frame: u64, frames: usize, len: usize) -> [Range<usize>; 2] {
    if frames >= len {
        return [0..len, 0..0];
    }
    let start = frame as usize & (len - 1);
    let end = start + frames;
    [start..end.min(len), 0..end.saturating_sub(len)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_one_span_or_two() {
        assert_eq!(spans(64, 128, 1024), [64..192, 0..0]);
        assert_eq!(spans(2048 + 960, 128, 1024), [960..1024, 0..64]);
        assert_eq!(spans(64, 64, 64), [0..64, 0..0]);
        assert_eq!(spans(128, 64, 16), [0..16, 0..0]);
    }
}
