//! The score: what is played when, as exact data.

/// What a program plays.
#[derive(Clone, Debug, Default)]
pub struct Score {}
