//! Problems as people and tools read them. What is wrong is data ([`mam_grammar::Problem`]); here it gets its form.
//!
//! * [`human`]: the place with its text underlined, for the terminal;
//! * [`short`]: one line a problem, for editors;
//! * [`json`]: one document, with exact byte ranges;
//! * [`sarif`]: the exchange format of code scanners.

pub mod human;
mod json;
mod lines;
mod sarif;

use clap::ValueEnum;
use mam_grammar::problem::count;
use mam_grammar::{Problem, Severity, Sources};

pub use json::document as json;
pub use sarif::document as sarif;

use lines::Lines;

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// The place with its text underlined
    #[default]
    Human,
    /// One line a problem: file:line:column: severity[code]: message
    Short,
    /// One JSON document
    Json,
    /// SARIF 2.1.0
    Sarif,
}

/// One line a problem.
pub fn short(problems: &[Problem], sources: &Sources) -> String {
    let lines = Lines::new(sources);
    let line = |p: &Problem| {
        let place = lines.place(p.span());
        let (code, severity) = (p.code.name, severity(p));
        let words = one_line(&p.message);
        format!("{}:{}:{}: {severity}[{code}]: {words}\n", place.file, place.line, place.column)
    };
    problems.iter().map(line).collect()
}

/// "2 errors, 1 warning", or nothing when there is nothing.
pub fn tally(problems: &[Problem]) -> Option<String> {
    let errors = problems.iter().filter(|p| p.code.severity == Severity::Error).count();
    let warnings = problems.len() - errors;
    let parts = [(errors, "error"), (warnings, "warning")];
    let parts: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|&(n, what)| count(n, what)).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn severity(problem: &Problem) -> &'static str {
    match problem.code.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
