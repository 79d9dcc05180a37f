//! Problems as people and tools read them. What is wrong is data ([`mam_grammar::Problem`]); here it gets its form.
//!
//! * [`human`]: the place with its text underlined, for the terminal;
//! * [`short`]: one line a problem, for editors;
//! * [`mod@json`]: one document, with exact byte ranges;
//! * [`mod@sarif`]: the exchange format of code scanners.

pub mod finite;
pub mod human;
pub mod json;
mod lines;
mod sarif;
pub mod unplayed;

use clap::ValueEnum;
use mam_grammar::problem::{MOST_PROBLEMS, count};
use mam_grammar::{Applicability, Problem, Role, Severity, Sources};

pub use json::{document as json, entries as json_entries, failure as json_failure};
pub use sarif::document as sarif;

use crate::visible::visible;
use lines::Lines;

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// The text, with the problem underlined
    #[default]
    Human,
    /// One line for each problem: file:line:column: `severity[code]`: message
    Short,
    /// One JSON document
    Json,
    /// SARIF 2.1.0
    Sarif,
}

/// The problems of one song, and the texts that they are in.
pub struct Found<'f> {
    /// In the order of their places.
    pub problems: &'f [Problem],
    /// The song and what it uses.
    pub sources: &'f Sources,
}

/// One line a problem.
pub fn short(problems: &[Problem], sources: &Sources) -> String {
    let lines = Lines::new(sources);
    let line = |p: &Problem| {
        let at = lines.location(p.span());
        let (code, severity) = (p.code.name, word(p.code.severity));
        let words = one_line(&p.message);
        let file = visible(&at.file);
        format!("{file}:{}:{}: {severity}[{code}]: {words}\n", at.line, at.column)
    };
    problems.iter().map(line).collect()
}

/// "2 errors, 1 warning", or nothing when there is nothing. Notes are not counted.
pub fn tally(problems: &[Problem]) -> Option<String> {
    let parts = [Severity::Error, Severity::Warning].map(|s| (number_of(problems, s), word(s)));
    let parts: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|&(n, what)| count(n, what)).collect();
    let more = if problems.len() >= MOST_PROBLEMS { ", and more" } else { "" };
    (!parts.is_empty()).then(|| parts.join(", ") + more)
}

/// How many problems are of this severity.
pub fn number_of(problems: &[Problem], severity: Severity) -> usize {
    problems.iter().filter(|p| p.code.severity == severity).count()
}

/// The word for a severity in reports, as the word before a message's code.
pub fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// How likely a fix is what was meant, in a word of the documents for tools.
fn applicability(applicability: Applicability) -> &'static str {
    match applicability {
        Applicability::Exact => "exact",
        Applicability::Guess => "guess",
    }
}

/// What a label's span is to its problem, in a word of the documents for tools.
fn role(role: Role) -> &'static str {
    match role {
        Role::Primary => "primary",
        Role::Repeated => "repeated",
        Role::Reason => "reason",
    }
}

/// As one line, without what a terminal would act on; a very long name in it is cut.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 2000;
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
        return one_line(&text[..end]) + "…";
    }
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}
