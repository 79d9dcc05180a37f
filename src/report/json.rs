//! Problems as one JSON document:
//!
//! ```json
//! { "problems": [ { "code": "unknown-parameter", "severity": "error", "message": "…", "help": "…",
//!                   "file": "song.json", "start": 120, "end": 126, "line": 5, "column": 9, "endLine": 5, "endColumn": 15,
//!                   "labels": [ { "file": …, "start": …, …, "text": "did you mean `f0`?" } ] } ],
//!   "errors": 1, "warnings": 0 }
//! ```
//!
//! `start` and `end` are bytes from the beginning of the file, `end` one past the last. The first label is the
//! problem's own place.

use super::lines::{Lines, Place};
use super::severity;
use mam_grammar::{Problem, Severity, Sources};
use serde::Serialize;

#[derive(Serialize)]
struct Document {
    problems: Vec<Entry>,
    errors: usize,
    warnings: usize,
}

#[derive(Serialize)]
struct Entry {
    code: &'static str,
    severity: &'static str,
    message: String,
    help: Option<String>,
    #[serde(flatten)]
    place: Place,
    labels: Vec<Label>,
}

#[derive(Serialize)]
struct Label {
    #[serde(flatten)]
    place: Place,
    text: String,
}

/// The document, with a final newline.
pub fn document(problems: &[Problem], sources: &Sources) -> String {
    let lines = Lines::new(sources);
    let errors = problems.iter().filter(|p| p.code.severity == Severity::Error).count();
    let document = Document {
        problems: problems.iter().map(|p| entry(p, &lines)).collect(),
        errors,
        warnings: problems.len() - errors,
    };
    crate::json::pretty(&document)
}

fn entry(problem: &Problem, lines: &Lines) -> Entry {
    let label = |l: &mam_grammar::Label| Label { place: lines.place(l.span), text: l.text.clone() };
    Entry {
        code: problem.code.name,
        severity: severity(problem),
        message: problem.message.clone(),
        help: problem.help.clone(),
        place: lines.place(problem.span()),
        labels: problem.labels.iter().map(label).collect(),
    }
}
