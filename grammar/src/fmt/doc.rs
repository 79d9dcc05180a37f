//! Text that knows where it may be broken into lines.
//!
//! A [`Doc`] is laid out flat where it fits the width and broken where it does not, from the outside in. The idea is
//! Wadler's ("A prettier printer", 2003); a group that holds a hard line is always broken.

/// Columns that a line should not exceed.
pub(super) const WIDTH: usize = 100;
const INDENT: usize = 2;

/// A piece of text.
#[derive(Debug, Clone)]
pub(super) enum Doc {
    /// As it stands; may hold newlines, which are kept.
    Text(String),
    /// A space, or a new line where the group is broken.
    Line,
    /// Nothing, or a new line where the group is broken.
    Soft,
    /// A new line, always.
    Hard,
    /// An empty line, always: two newlines in a row make one.
    Blank,
    /// The parts one after the other.
    All(Vec<Doc>),
    /// Broken as a whole, or not at all.
    Group(Vec<Doc>),
    /// New lines inside stand two columns further right.
    Nest(Vec<Doc>),
}

impl Doc {
    pub(super) fn text(text: impl Into<String>) -> Doc {
        Doc::Text(text.into())
    }

    /// All of it in one line; `None` where it must be broken.
    pub(super) fn flat(&self) -> Option<String> {
        let (mut out, mut stack) = (String::new(), vec![self]);
        while let Some(doc) = stack.pop() {
            match doc {
                Doc::Text(text) => out.push_str(text),
                Doc::Line => out.push(' '),
                Doc::Soft => {}
                Doc::Hard | Doc::Blank => return None,
                Doc::All(parts) | Doc::Group(parts) | Doc::Nest(parts) => stack.extend(parts.iter().rev()),
            }
        }
        Some(out)
    }

    /// Lays the text out. Lines have no spaces at their ends, and the last ends with a newline.
    pub(super) fn render(&self) -> String {
        let mut page = Page { out: String::new(), column: 0 };
        let mut stack = vec![(0, false, self)];
        while let Some((indent, flat, doc)) = stack.pop() {
            match doc {
                Doc::Text(text) => page.text(text),
                Doc::Line if flat => page.text(" "),
                Doc::Soft if flat => {}
                Doc::Line | Doc::Soft | Doc::Hard => page.newline(indent),
                Doc::Blank => page.blank(),
                Doc::All(parts) => stack.extend(parts.iter().rev().map(|part| (indent, flat, part))),
                Doc::Nest(parts) => {
                    stack.extend(parts.iter().rev().map(|part| (indent + INDENT, flat, part)))
                }
                Doc::Group(parts) => {
                    let flat = flat || fits(WIDTH.saturating_sub(page.column), parts, &stack);
                    stack.extend(parts.iter().rev().map(|part| (indent, flat, part)));
                }
            }
        }
        page.finish()
    }
}

struct Page {
    out: String,
    column: usize,
}

impl Page {
    fn text(&mut self, text: &str) {
        self.out.push_str(text);
        match text.rfind('\n') {
            Some(at) => self.column = text[at + 1..].chars().count(),
            None => self.column += text.chars().count(),
        }
    }

    fn trim(&mut self) {
        let trimmed = self.out.trim_end_matches(' ').len();
        self.out.truncate(trimmed);
    }

    fn newline(&mut self, indent: usize) {
        self.trim();
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }

    /// Stands just before a new line.
    fn blank(&mut self) {
        self.trim();
        self.out.push('\n');
    }

    fn finish(mut self) -> String {
        self.trim();
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.out
    }
}

/// True when `parts` in one line, with what follows up to the next possible new line, take at most `room` columns.
fn fits(room: usize, parts: &[Doc], rest: &[(usize, bool, &Doc)]) -> bool {
    let mut used = 0;
    let mut stack: Vec<(bool, bool, &Doc)> = rest.iter().map(|&(_, flat, doc)| (flat, false, doc)).collect();
    // Only the end of what follows matters: the line is full long before.
    stack.drain(..stack.len().saturating_sub(room + 1));
    stack.extend(parts.iter().rev().map(|part| (true, true, part)));
    while let Some((flat, own, doc)) = stack.pop() {
        match doc {
            Doc::Text(text) => match text.find('\n') {
                Some(at) => return used + text[..at].chars().count() <= room,
                None => used += text.chars().count(),
            },
            Doc::Line if flat => used += 1,
            Doc::Soft if flat => {}
            Doc::Line | Doc::Soft | Doc::Hard | Doc::Blank => return !own,
            Doc::All(parts) | Doc::Nest(parts) | Doc::Group(parts) => {
                // What follows may still be broken at its groups.
                let flat = flat && (own || !matches!(doc, Doc::Group(_)));
                stack.extend(parts.iter().rev().map(|part| (flat, own, part)));
            }
        }
        if used > room {
            return false;
        }
    }
    true
}
