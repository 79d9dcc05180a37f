//! From a score to events.

/// How often the score is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// One pass; what is held then ends.
    Once,
    /// Again and again.
    Forever,
}

/// Yields the events of a score in order.
#[derive(Debug)]
pub struct Sequencer {}
