//! How large a song may become: the limits that are counted while it is lowered.

use super::{At, Lower, Song};
use crate::codes;
use crate::ir::Body;
use mam_grammar::{Problem, Problems, Span};
use std::sync::Arc;

/// Expressions that are evaluated to check one definition by itself, and all of them: as many as a kernel may have.
const CHECK_EVALUATIONS: usize = 20_000;

impl Lower<'_, '_> {
    /// True when the kernel or the song has grown over a limit, which is said once. A definition by itself becomes no kernel,
    /// so it is only checked as far as that takes little time.
    pub(super) fn too_large(&mut self, span: Span) -> bool {
        let limits = self.files().limits;
        if self.is_generic() {
            return self.evaluations > CHECK_EVALUATIONS
                || self.song.check_evaluations + self.evaluations > limits.evaluations
                || self.b.instructions() > limits.kernel_instructions;
        }
        let evaluated =
            self.evaluations > limits.evaluations || self.song.evaluations > limits.all_evaluations;
        if self.b.instructions() <= limits.kernel_instructions && !evaluated {
            return false;
        }
        if !std::mem::replace(&mut self.song.size_reported, true) {
            let message = if self.b.instructions() > limits.kernel_instructions {
                let most = limits.kernel_instructions;
                format!("this becomes more than {most} instructions, the limit `kernel_instructions`")
            } else {
                let (most, name) = match self.evaluations > limits.evaluations {
                    true => (limits.evaluations, "evaluations"),
                    false => (limits.all_evaluations, "all_evaluations"),
                };
                format!(
                    "with all definitions in their places this has more than {most} expressions, the limit `{name}`"
                )
            };
            let help = "make it in smaller pieces, or fewer of them";
            self.problems.add(Problem::new(&codes::TOO_LARGE, span, message).help(help));
        }
        true
    }

    /// Says so where `sum`s and `chain`s stand too deep in one another: each level multiplies what is inside.
    pub(super) fn too_many_loops(&mut self, span: Span) -> bool {
        let most = self.files().limits.loop_depth;
        if self.loops < most {
            return false;
        }
        let message =
            format!("`sum` and `chain` stand more than {most} deep in one another, the limit `loop_depth`");
        let help = "give what is inside a name, in an equation of its own, or write it out";
        self.problem(Problem::new(&codes::TOO_LARGE, span, message).help(help));
        true
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
    /// Says so, once, when kernels have become too much for the code generator with the node at `span`.
    pub(super) fn check_size(&mut self, instructions: usize, span: Span, problems: &mut Problems) {
        let most = self.files.limits.instructions;
        if instructions <= most || std::mem::replace(&mut self.size_reported, true) {
            return;
        }
        let message =
            format!("up to here the song becomes more than {most} instructions, the limit `instructions`");
        let problem = Problem::new(&codes::TOO_LARGE, span, message);
        problems.add(problem.help("make it of fewer parts, or of more that are alike"));
    }
}

/// Machine instructions that a body becomes, roughly.
pub(super) fn instructions(body: &Body) -> usize {
    body.insts.values().map(|inst| inst.op.instructions()).sum()
}
