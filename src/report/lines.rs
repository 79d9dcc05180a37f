//! Lines and columns of many places in one text: an index of line starts, made once.

use crate::visible::visible_name;
use mam_grammar::{SourceId, Sources, Span};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::HashMap;

/// The line starts of the texts that were asked about.
pub(super) struct Lines<'s> {
    sources: &'s Sources,
    starts: RefCell<HashMap<SourceId, Vec<usize>>>,
}

/// A span as tools like it. Lines and columns count from 1, columns in characters; `end` and `endColumn` are one
/// past the last.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    pub(super) file: String,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) end_line: usize,
    pub(super) end_column: usize,
}

impl<'s> Lines<'s> {
    pub(super) fn new(sources: &'s Sources) -> Lines<'s> {
        Lines { sources, starts: RefCell::default() }
    }

    pub(super) fn location(&self, span: Span) -> Location {
        let (line, column) = self.line_column(span.source, span.range().start);
        let (end_line, end_column) = self.line_column(span.source, span.range().end);
        let file = visible_name(&self.sources.get(span.source).name).into_owned();
        let (start, end) = (span.range().start, span.range().end);
        Location { file, start, end, line, column, end_line, end_column }
    }

    fn line_column(&self, id: SourceId, byte: usize) -> (usize, usize) {
        let text = &self.sources.get(id).text;
        let mut starts = self.starts.borrow_mut();
        let starts = starts.entry(id).or_insert_with(|| {
            std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect()
        });
        let line = starts.partition_point(|&s| s <= byte);
        (line, text[starts[line - 1]..byte].chars().count() + 1)
    }
}
