//! How large a song may become: the limits that are counted while it is lowered.

use super::{At, Lower, Misplaced, Song};
use crate::ir::Body;
use mam_grammar::Span;
use std::sync::Arc;

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

/// Why a song cannot be lowered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is larger than a limit.
    TooLarge(TooLarge),
    /// A block node stands where none can.
    Misplaced(Misplaced),
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

impl Lower<'_, '_> {
    /// True when the kernel or the song has grown over a limit.
    pub(super) fn too_large(&mut self, span: Span) -> bool {
        let limits = &self.song.files.limits;
        let over = [
            (self.b.instructions(), limits.kernel_instructions, SizeLimit::KernelInstructions),
            (self.evaluations, limits.evaluations, SizeLimit::Evaluations),
            (self.song.evaluations, limits.all_evaluations, SizeLimit::AllEvaluations),
        ];
        self.song.grow(span, &over)
    }

    /// True when all loops and lists, with so many more iterations or elements, have too many.
    pub(super) fn too_many_iterations(&mut self, count: usize, span: Span) -> bool {
        self.song.terms += count;
        let over = (self.song.terms, self.song.files.limits.all_turns, SizeLimit::AllIterations);
        self.song.grow(span, &[over])
    }

    /// The path of what is evaluated inside something. It is kept to the end of the kernel, so a long one counts as several
    /// expressions.
    pub(super) fn path(&mut self, at: &At, inside: impl std::fmt::Display) -> Arc<str> {
        const USUAL: usize = 64;
        let path: Arc<str> = format!("{}.{inside}", at.path).into();
        self.evaluations += path.len() / USUAL;
        self.song.evaluations += path.len() / USUAL;
        path
    }
}

impl Song<'_> {
    /// Remembers the first limit that is exceeded; true once one is.
    fn grow(&mut self, span: Span, sizes: &[(usize, usize, SizeLimit)]) -> bool {
        if self.too_large.is_none() {
            let over = sizes.iter().find(|(size, most, _)| size > most);
            self.too_large = over.map(|&(_, most, limit)| TooLarge { span, limit, most });
        }
        self.too_large.is_some()
    }

    /// True when an output of the node at `span` is too late.
    pub(super) fn too_late(&mut self, late: &[u32], span: Span) -> bool {
        let most = (self.files.limits.tap_seconds * self.rate) as usize;
        let latest = late.iter().copied().max().unwrap_or(0) as usize;
        self.grow(span, &[(latest, most, SizeLimit::Latency)])
    }

    /// True when all voices and nodes remember too much with the node at `span`.
    pub(super) fn too_many_states(&mut self, states: usize, span: Span) -> bool {
        self.grow(span, &[(states, self.files.limits.states, SizeLimit::States)])
    }

    /// True when sound files that are played, alone and in several lists, are copied into more frames than twice the limit of all
    /// files.
    pub(super) fn too_many_row_frames(&mut self, span: Span) -> bool {
        self.grow(span, &[(self.rows.frames, 2 * self.files.limits.samples, SizeLimit::Rows)])
    }

    /// True when kernels have become too much for the code generator with the node at `span`.
    pub(super) fn too_many_instructions(&mut self, instructions: usize, span: Span) -> bool {
        self.grow(span, &[(instructions, self.files.limits.instructions, SizeLimit::Instructions)])
    }
}

/// Machine instructions that a body becomes, roughly.
pub(super) fn instructions(body: &Body) -> usize {
    body.insts.values().map(|inst| inst.op.instructions()).sum()
}
