//! The report of a step that was silenced.

use std::sync::Arc;

/// A step that has become silent because an output or a state of it was not finite.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotFinite {
    /// The first frame of the quantum in which it was: all of it is silent.
    pub frame: u64,
    /// The equations and voices that the step computes.
    pub computes: Arc<[Arc<str>]>,
}
