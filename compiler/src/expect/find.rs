//! The checks of a text, which needs no `out` to be measured.

use super::Check;
use crate::files::Loader;
use crate::front;
use crate::hir::consts::Consts;
use crate::hir::resolve::resolved;
use mam_grammar::{Limits, Problem, Problems, Severity, SourceId, Sources, Span};

/// What there is to be measured of a file, and what is wrong with it.
pub struct Found {
    /// Its checks, in the order of the text.
    pub checks: Vec<Check>,
    /// What is wrong with the file, and with what it uses.
    pub problems: Problems,
}

/// The checks of a file, with the numbers that they have at a sample rate in Hz: their bounds may name `sr`. A file needs no `out`
/// to be measured.
pub fn find(sources: &mut Sources, id: SourceId, loader: &dyn Loader, limits: &Limits, rate: f64) -> Found {
    let mut problems = Problems::default();
    let consts = Consts::at_rate(rate);
    let read = front::read(sources, id, loader, limits, None, None, &mut problems);
    let Some(read) = read else { return Found { checks: vec![], problems } };
    for file in read.files.user_files() {
        problems.extend(resolved(&read.files, file).problems.clone());
    }
    let mut checks = super::read(&read.files, &consts, read.song, &mut problems);
    // What has an error in it cannot be measured, which has been said.
    let within = |outer: Span, inner: Span| {
        inner.source == outer.source && outer.range().contains(&inner.range().start)
    };
    let errors: Vec<Span> =
        problems.iter().filter(|p| p.code.severity == Severity::Error).map(Problem::span).collect();
    checks.retain(|check| !errors.iter().any(|error| within(check.span, *error)));
    Found { checks, problems }
}
