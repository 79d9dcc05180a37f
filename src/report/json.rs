//! Problems as one JSON document:
//!
//! ```json
//! { "problems": [ { "code": "unknown-parameter", "severity": "error", "message": "…", "help": "…",
//!                   "file": "song.json", "start": 120, "end": 126, "line": 5, "column": 9, "endLine": 5, "endColumn": 15,
//!                   "labels": [ { "file": …, "start": …, …, "text": "did you mean `f0`?" } ],
//!                   "fix": { "file": …, "start": …, …, "replacement": "f0", "applicability": "guess" } } ],
//!   "errors": 1, "warnings": 0,
//!   "songs": [ { "file": "song.json", "nodes": 3, … } ] }
//! ```
//!
//! `start` and `end` are bytes from the beginning of the file, `end` one past the last. The first label is the
//! problem's own place. `fix` is a change of the text that removes the problem, or null: `exact` where it is what was
//! meant, `guess` where something else may have been. `songs` says of each song without errors what it is, as the terminal's last line does.

use super::lines::{Lines, Place};
use super::{Found, number_of, word};
use mam_grammar::{Applicability, Problem, Severity};
use serde::Serialize;

#[derive(Serialize)]
struct Document<S> {
    problems: Vec<Entry>,
    errors: usize,
    warnings: usize,
    songs: Vec<S>,
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
    fix: Option<Fix>,
}

#[derive(Serialize)]
struct Fix {
    #[serde(flatten)]
    place: Place,
    replacement: String,
    applicability: &'static str,
}

#[derive(Serialize)]
struct Label {
    #[serde(flatten)]
    place: Place,
    text: String,
}

/// The document, with a final newline.
pub fn document(found: &[Found], songs: Vec<impl Serialize>) -> String {
    let total = |severity| found.iter().map(|f| number_of(f.problems, severity)).sum();
    let entries = |f: &Found| {
        let lines = Lines::new(f.sources);
        f.problems.iter().map(|p| entry(p, &lines)).collect::<Vec<_>>()
    };
    crate::json::pretty(&Document {
        problems: found.iter().flat_map(entries).collect(),
        errors: total(Severity::Error),
        warnings: total(Severity::Warning),
        songs,
    })
}

fn entry(problem: &Problem, lines: &Lines) -> Entry {
    let label = |l: &mam_grammar::Label| Label { place: lines.place(l.span), text: l.text.clone() };
    let fix = |fix: &mam_grammar::Fix| Fix {
        place: lines.place(fix.span),
        replacement: fix.replacement.clone(),
        applicability: match fix.applicability {
            Applicability::Exact => "exact",
            Applicability::Guess => "guess",
        },
    };
    Entry {
        code: problem.code.name,
        severity: word(problem.code.severity),
        message: problem.message.clone(),
        help: problem.help.clone(),
        place: lines.place(problem.span()),
        labels: problem.labels.iter().map(label).collect(),
        fix: problem.fix.as_ref().map(fix),
    }
}
