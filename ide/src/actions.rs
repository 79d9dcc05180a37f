//! What can be done about problems: their fixes, as changes.

use crate::analysis::Analysis;
use mam_compiler::hir::query::Edit;
use mam_grammar::{Applicability, Fix, Problem, SourceId, Span};

/// Something that can be done at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// What it does, for a menu.
    pub title: String,
    /// What is changed in the texts.
    pub edits: Vec<Edit>,
    /// True where it says what was meant: an editor may do it at a key.
    pub preferred: bool,
    /// The problem that it removes, as an index into [`Analysis::problems`]; `None` for one that removes several.
    pub problem: Option<usize>,
}

impl Analysis {
    /// What can be done about the problems that touch a span of a text; where several problems of the text have a fix that
    /// says what was meant, also all of these at once.
    pub fn actions(&self, source: SourceId, span: Span) -> Vec<Action> {
        let touches = |problem: &Problem| {
            let places = problem.labels.iter().map(|label| label.span);
            let mut places = places.chain(problem.fix.as_ref().map(|fix| fix.span));
            places.any(|place| place.source == source && place.start <= span.end && span.start <= place.end)
        };
        let here = self.problems().iter().enumerate().filter(|(_, problem)| touches(problem));
        let mut actions: Vec<Action> = here
            .filter_map(|(index, problem)| {
                let fix = problem.fix.as_ref()?;
                Some(Action {
                    title: self.title(fix),
                    edits: vec![edit(fix)],
                    preferred: fix.applicability == Applicability::Exact,
                    problem: Some(index),
                })
            })
            .collect();
        let all = mam_grammar::problem::applicable(self.problems(), source);
        if !actions.is_empty() && all.len() > 1 {
            let edits = all.into_iter().map(edit).collect();
            actions.push(Action { title: "Mend all".into(), edits, preferred: false, problem: None });
        }
        actions
    }

    /// What a fix does, in words.
    fn title(&self, fix: &Fix) -> String {
        let old = shown(self.sources.slice(fix.span));
        let new = shown(&fix.replacement);
        match (fix.span.start == fix.span.end, fix.replacement.is_empty()) {
            (true, _) => format!("Insert {new}"),
            (_, true) => format!("Remove {old}"),
            _ => format!("Replace {old} by {new}"),
        }
    }
}

fn edit(fix: &Fix) -> Edit {
    Edit { span: fix.span, text: fix.replacement.clone() }
}

/// A piece of text in one line of a menu.
fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(LONGEST).collect();
    let more = if cut.len() < line.len() { "…" } else { "" };
    if line.is_empty() { "white space".into() } else { format!("`{cut}{more}`") }
}
