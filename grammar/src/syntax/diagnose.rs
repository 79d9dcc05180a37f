//! What is wrong where the grammar stopped, in the user's words.

use super::codes;
use super::grammar::Rule;
use super::layout::Layout;
use crate::problem::Problem;
use crate::source::{SourceId, Span};
use std::ops::Range;

/// An item that the grammar refused.
pub(super) struct Diagnosis<'a> {
    pub(super) source: SourceId,
    pub(super) text: &'a str,
    pub(super) layout: &'a Layout,
    /// The tokens of the item.
    pub(super) tokens: Range<usize>,
}

impl Diagnosis<'_> {
    /// The problem of this item.
    pub(super) fn problem(&self, error: Option<&pest::error::Error<Rule>>) -> Problem {
        let bytes = self.layout.bytes(&self.tokens);
        let at = match error.map(|error| &error.location) {
            Some(pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _))) => {
                bytes.start + at
            }
            None => bytes.start,
        };
        let tokens = &self.layout.tokens[self.tokens.clone()];
        let here = tokens.iter().find(|token| token.end > at);
        let span = here
            .map_or(Span::new(self.source, bytes.end, bytes.end), |t| Span::new(self.source, t.start, t.end));
        let found = here.map_or("the end of the line".to_owned(), |t| format!("`{}`", t.text(self.text)));
        Problem::new(&codes::UNEXPECTED, span, format!("{found} is not expected here"))
    }
}
