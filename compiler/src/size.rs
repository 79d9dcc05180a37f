//! The limits of how large a song may become, which are counted while it is checked and while it is lowered.

use mam_grammar::Span;

/// Why a song has no kernels: it is larger than a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// What was lowered when the limit was reached.
    pub span: Span,
    /// Which limit is exceeded.
    pub limit: SizeLimit,
    /// The greatest size that it allows.
    pub most: usize,
}

/// A limit of how large a song may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeLimit {
    /// Instructions of one kernel.
    KernelInstructions,
    /// Instructions of all kernels.
    Instructions,
    /// Expressions of one kernel, with all definitions in their places.
    Evaluations,
    /// Expressions of all kernels, likewise.
    AllEvaluations,
    /// Iterations of all `sum`s and `chain`s.
    AllIterations,
    /// Numbers that all voices and nodes remember.
    States,
    /// Frames of latency.
    Latency,
    /// Frames of the sound files that are played, those counted again that are chosen from with others.
    Rows,
}
