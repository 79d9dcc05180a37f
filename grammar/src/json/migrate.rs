//! Files of older versions, brought to the newest: what they say stays, byte for byte, but for the fields that changed.

use super::codes::ASSUMED;
use super::graph::{NEWEST, parse};
use crate::limits::Limits;
use crate::problem::{Fix, Problems, apply, without_overlaps};
use crate::source::{SourceId, Sources, Span};

/// A song in the newest version of the format.
#[derive(Clone, Debug)]
pub struct Migrated {
    /// The version that it was written in.
    pub from: u32,
    /// The text of the song in the newest version.
    pub text: String,
    /// What was changed, and where in the old text.
    pub changes: Vec<(Span, String)>,
}

/// Brings a JSON song to the newest version. What older versions assumed where a field was missing is written out. None where the
/// song cannot be read; then there are errors among the problems.
pub fn migrate(
    sources: &Sources,
    id: SourceId,
    limits: &Limits,
    problems: &mut Problems,
) -> Option<Migrated> {
    let mut found = Problems::default();
    let graph = parse(sources, id, limits, &mut found);
    let wrong = found.has_errors();
    let assumed: Vec<_> = found.iter().filter(|problem| problem.code.name == ASSUMED.name).cloned().collect();
    problems.extend(found);
    let graph = graph.filter(|_| !wrong)?;
    let mut fixes: Vec<Fix> = assumed.iter().filter_map(|problem| problem.fix.clone()).collect();
    let mut changes: Vec<(Span, String)> =
        assumed.iter().map(|problem| (problem.span(), problem.message.clone())).collect();
    if graph.version < NEWEST {
        let (span, replacement) = match graph.version_at {
            Some(span) => (span, NEWEST.to_string()),
            None => {
                let at = graph.head.end;
                (Span { start: at, end: at, ..graph.head }, format!(" \"version\": {NEWEST},"))
            }
        };
        changes.insert(0, (span, format!("version {} becomes version {NEWEST}", graph.version)));
        fixes.push(Fix { span, replacement, applicability: crate::problem::Applicability::Exact });
    }
    let text = apply(&sources.get(id).text, &without_overlaps(fixes.iter().collect()));
    Some(Migrated { from: graph.version, text, changes })
}
