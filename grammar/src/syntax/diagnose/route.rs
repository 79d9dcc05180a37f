//! What is wrong with a line of a matrix that the grammar refused.

use super::Diagnosis;
use super::edits::Edit;
use crate::problem::Problem;
use crate::source::Span;
use crate::syntax::codes;

/// How a line of a matrix is written.
const FORM: &str =
    "a line of a matrix is `source -> name.parameter: depth`, such as `lfo1 -> bass.cutoff: 2 octaves`";
/// What may stand behind its depth.
const ATTRIBUTES: &str = "after the depth stand `curve exp` or `curve linear`, and a range: `in 100Hz..4kHz`";

impl Diagnosis<'_> {
    /// The problem of this line, whose grammar stopped at `here`.
    pub(super) fn route(&self, here: usize) -> Problem {
        let find = |symbol: &str| self.tokens.clone().find(|&index| self.is(index, symbol));
        let Some(arrow) = find("->") else { return self.without_arrow() };
        if arrow == self.tokens.start {
            let problem =
                self.about(&codes::MATRIX_LINE, arrow, "this line does not say what moves the parameter");
            return problem.help(FORM);
        }
        let path = self.path_after(arrow);
        if path == arrow + 1 {
            let message = "after `->` stands the name of a parameter";
            return self.about(&codes::MATRIX_LINE, (arrow + 1).min(self.tokens.end - 1), message).help(FORM);
        }
        if !self.is(path, ":") && here <= path {
            return self.without_depth(path);
        }
        let problem = match self.get(here) {
            None => {
                self.about(&codes::MATRIX_LINE, self.tokens.end - 1, "this line of a matrix is not complete")
            }
            Some(_) => {
                let message = format!("{} cannot stand in this line of a matrix", self.shown(here));
                self.about(&codes::MATRIX_LINE, here, message)
            }
        };
        let problem = problem.help(if here > path + 1 { ATTRIBUTES } else { FORM });
        self.attempt(problem, self.attribute_edits(here))
    }

    /// The token after the names and points that begin behind `arrow`.
    fn path_after(&self, arrow: usize) -> usize {
        let mut at = arrow + 1;
        while !self.word(at).is_empty() {
            at += 1;
            if !self.is(at, ".") || self.word(at + 1).is_empty() {
                break;
            }
            at += 1;
        }
        at
    }

    /// `lfo1 bass.cutoff: 2 octaves`, `bass.cutoff: lfo1`
    fn without_arrow(&self) -> Problem {
        let whole = self.span(self.tokens.start).to(self.span(self.tokens.end - 1));
        let problem =
            Problem::new(&codes::MATRIX_LINE, whole, "this line of a matrix has no `->`").help(FORM);
        let edits: Vec<Edit> = (self.tokens.start + 1..self.tokens.end)
            .map(|index| {
                (self.span(index - 1).end as usize, self.span(index).start as usize, " -> ".to_owned())
            })
            .collect();
        self.attempt(problem, edits)
    }

    /// `lfo1 -> bass.cutoff 2 octaves`
    fn without_depth(&self, path: usize) -> Problem {
        let (end, next) = (self.span(path - 1).end, self.span(path));
        let message = "this line does not say by how much its source moves the parameter";
        let place = Span { start: end, end, source: self.source };
        let problem = Problem::new(&codes::MATRIX_LINE, place, message).help(FORM);
        let to = if self.get(path).is_some() { next.start as usize } else { end as usize };
        let operator = (next.start as usize, next.end as usize, ":".to_owned());
        self.attempt(problem, [(end as usize, to, ": ".to_owned()), operator])
    }

    /// What may have been meant by what stands behind a depth.
    fn attribute_edits(&self, here: usize) -> Vec<Edit> {
        let span = self.span(here);
        let (start, end) = (span.start as usize, span.end as usize);
        let mut edits = vec![];
        match self.word(here) {
            "exp" | "exponential" => edits.push((start, end, "curve exp".to_owned())),
            "linear" | "lin" => edits.push((start, end, "curve linear".to_owned())),
            _ => {}
        }
        if self.word(here) == "curve" {
            let next = self.span(here + 1);
            for word in ["curve exp", "curve linear"] {
                if self.word(here + 1).starts_with(&word[6..9]) {
                    edits.push((start, next.end as usize, word.to_owned()));
                }
            }
        }
        if self.is(here, ",") {
            edits.push((start, end, String::new()));
        }
        edits
    }
}
