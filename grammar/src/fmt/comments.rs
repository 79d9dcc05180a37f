//! Comments and empty lines: what stands between two items, and what stands inside one.

use super::Printer;
use super::doc::Doc;
use crate::ast::Ast;
use crate::source::Span;
use std::collections::VecDeque;

/// Comments in order, taken from the front.
#[derive(Default)]
pub(super) struct Comments {
    left: VecDeque<Span>,
}

impl Comments {
    pub(super) fn new(ast: &Ast) -> Comments {
        Comments { left: ast.comments.iter().copied().collect() }
    }

    /// The next comment, if it begins before `byte`.
    pub(super) fn take(&mut self, byte: usize) -> Option<Span> {
        self.left.pop_front_if(|span| (span.start as usize) < byte)
    }

    /// True when a comment begins before `byte`.
    pub(super) fn any_before(&self, byte: usize) -> bool {
        self.left.front().is_some_and(|span| (span.start as usize) < byte)
    }

    /// How many comments begin in `span`.
    pub(super) fn count_in(&self, span: Span) -> usize {
        let before = |byte: u32| self.left.partition_point(|comment| comment.start < byte);
        before(span.end).saturating_sub(before(span.start))
    }
}

/// One line of what stands between two items.
#[derive(Debug, PartialEq)]
pub(super) enum Between {
    Blank,
    Comment(String),
    Doc(String),
}

/// What stands between two items.
#[derive(Debug, Default)]
pub(super) struct Region {
    /// A comment in the line in which the item before ends.
    pub(super) trailing: Option<String>,
    pub(super) lines: Vec<Between>,
}

impl Region {
    /// Reads the text between two items. `fresh` is true where no item stands before in the same line.
    pub(super) fn read(text: &str, fresh: bool) -> Region {
        let mut region = Region::default();
        let mut lines = text.split('\n').peekable();
        if !fresh {
            region.trailing = lines.next().and_then(comment);
        }
        while let Some(line) = lines.next() {
            match comment(line) {
                Some(text) if is_doc(&text) => region.lines.push(Between::Doc(spaced(&text))),
                Some(text) => region.lines.push(Between::Comment(text)),
                None if line.trim().is_empty() && lines.peek().is_some() => region.blank(),
                None => {}
            }
        }
        region
    }

    fn blank(&mut self) {
        if self.lines.last() != Some(&Between::Blank) {
            self.lines.push(Between::Blank);
        }
    }

    /// True when neighbouring items belong together: nothing but documentation stands between them.
    pub(super) fn joins(&self) -> bool {
        self.lines.iter().all(|line| matches!(line, Between::Doc(_)))
    }
}

fn comment(line: &str) -> Option<String> {
    line.find("//").map(|at| line[at..].trim_end().to_owned())
}

fn is_doc(comment: &str) -> bool {
    comment.starts_with("///") && !comment.starts_with("////")
}

/// Documentation with a space after its slashes.
fn spaced(doc: &str) -> String {
    let text = &doc[3..];
    if text.is_empty() || text.starts_with(' ') { doc.to_owned() } else { format!("/// {text}") }
}

impl Printer<'_> {
    /// The comments that stand before `byte` inside an item: here a line may be broken. Where there are none, `or`.
    pub(super) fn gap(&mut self, byte: usize, or: Doc) -> Doc {
        if self.quiet > 0 || !self.comments.any_before(byte) {
            return or;
        }
        let mut parts = Vec::new();
        while let Some(span) = self.comments.take(byte) {
            if parts.is_empty() {
                let own_line = self.begins_line(span.start as usize);
                parts.push(if own_line { Doc::Hard } else { Doc::text("  ") });
            }
            parts.push(Doc::text(self.source(span.range()).trim_end()));
            parts.push(Doc::Hard);
        }
        Doc::All(parts)
    }

    /// True when nothing but white space stands before `byte` in its line.
    fn begins_line(&self, byte: usize) -> bool {
        let before = self.source(0..byte);
        before[before.rfind('\n').map_or(0, |at| at + 1)..].trim().is_empty()
    }

    /// A piece of the source; empty where there is none.
    pub(super) fn source(&self, range: std::ops::Range<usize>) -> &str {
        self.text.and_then(|text| text.get(range)).unwrap_or_default()
    }
}
