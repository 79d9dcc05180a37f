//! Problems as one JSON document:
//!
//! ```json
//! { "problems": [ { "code": "unknown-parameter", "severity": "error", "message": "…", "help": "…",
//!                   "file": "song.json", "start": 120, "end": 126, "line": 5, "column": 9, "endLine": 5, "endColumn": 15,
//!                   "labels": [ { "file": …, "start": …, …, "role": "primary", "text": "did you mean `f0`?" } ],
//!                   "fix": { "file": …, "start": …, …, "replacement": "f0", "applicability": "guess" } } ],
//!   "errors": 1, "warnings": 0,
//!   "songs": [ { "file": "song.json", "nodes": 3, … } ] }
//! ```
//!
//! `start` and `end` are bytes from the beginning of the file, `end` one past the last. The first label has the role
//! `primary` and is where the problem is; `repeated` is another span that the same fix is for, `reason` says why.
//! A command that stops for another reason has no problems, and `"failure": { "message": "…", "exit": 3 }`.
//! `fix` is a change of the text that removes the problem, or null: `exact` where it is what was
//! meant, `guess` where something else may have been. `songs` says of each song without errors what it is, as the terminal's last line does.

use super::lines::{Lines, Location};
use super::{Found, number_of, word};
use crate::failure::Failure;
use mam_grammar::{Problem, Severity, Sources};
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
    location: Location,
    labels: Vec<Label>,
    fix: Option<Fix>,
}

#[derive(Serialize)]
struct Fix {
    #[serde(flatten)]
    location: Location,
    replacement: String,
    applicability: &'static str,
}

#[derive(Serialize)]
struct Label {
    #[serde(flatten)]
    location: Location,
    role: &'static str,
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

/// The same of a command that stops without a problem in a text: `failure` says why, with the exit code.
pub fn failure(failure: &Failure) -> String {
    let failure = serde_json::json!({ "message": failure.to_string(), "exit": failure.code() });
    crate::json::pretty(&serde_json::json!({
        "problems": [], "errors": 1, "warnings": 0, "songs": [], "failure": failure,
    }))
}

/// Problems as the entries of a document.
pub fn entries(problems: &[Problem], sources: &Sources) -> Vec<impl Serialize + use<>> {
    let lines = Lines::new(sources);
    problems.iter().map(|p| entry(p, &lines)).collect()
}

fn entry(problem: &Problem, lines: &Lines) -> Entry {
    let label = |l: &mam_grammar::Label| Label {
        location: lines.location(l.span),
        role: super::role(l.role),
        text: l.text.clone(),
    };
    let fix = |fix: &mam_grammar::Fix| Fix {
        location: lines.location(fix.span),
        replacement: fix.replacement.clone(),
        applicability: super::applicability(fix.applicability),
    };
    Entry {
        code: problem.code.name,
        severity: word(problem.code.severity),
        message: problem.message.clone(),
        help: problem.help.clone(),
        location: lines.location(problem.span()),
        labels: problem.labels.iter().map(label).collect(),
        fix: problem.fix.as_ref().map(fix),
    }
}
