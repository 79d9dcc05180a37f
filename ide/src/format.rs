//! Formatting, as changes of whole lines.

use crate::analysis::Analysis;
use mam_compiler::hir::query::Edit;
use mam_grammar::{SourceId, Sources, Span, fmt, syntax};
use similar::{ChangeTag, TextDiff};

/// The changes that format a text, each of whole lines, in order.
pub type Edits = Vec<Edit>;

impl Analysis {
    /// The changes that format a text; `None` where it has mistakes of syntax: it is left as it is until they are mended.
    pub fn format(&self, source: SourceId) -> Option<Edits> {
        if self.is_json() {
            return None;
        }
        let text = self.text(source);
        let mut sources = Sources::default();
        let id = sources.add("", text);
        let limits = self.files().map(|files| files.limits).unwrap_or_default();
        let (ast, problems) = syntax::parse(&sources, id, &limits);
        (!problems.has_errors()).then(|| differences(source, text, &fmt::format(&ast, text)))
    }

    /// Of the changes that format a text, those that touch the lines of a span.
    pub fn format_range(&self, source: SourceId, span: Span) -> Option<Edits> {
        let touches = |edit: &Edit| edit.span.start <= span.end && span.start <= edit.span.end;
        Some(self.format(source)?.into_iter().filter(touches).collect())
    }
}

/// The changes of lines that make `now` of `text`.
fn differences(source: SourceId, text: &str, now: &str) -> Edits {
    let mut edits: Edits = vec![];
    let mut at = 0;
    // Whether the last change touches what comes next.
    let mut open = false;
    for change in TextDiff::from_lines(text, now).iter_all_changes() {
        let line = change.value();
        let end = if change.tag() == ChangeTag::Insert { at } else { at + line.len() };
        if change.tag() == ChangeTag::Equal {
            open = false;
        } else {
            if !open {
                edits.push(Edit { span: Span::new(source, at, at), text: String::new() });
                open = true;
            }
            let edit = edits.last_mut().expect("one has just been begun");
            edit.span.end = end as u32;
            if change.tag() == ChangeTag::Insert {
                edit.text += line;
            }
        }
        at = end;
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changes_make_the_formatted_text() {
        for (text, now) in [("a\nb\nc\n", "a\nx\ny\nc\n"), ("", "a\n"), ("a\nb", "b\n"), ("a\n", "a\n")] {
            let source = SourceId::default();
            let mut made = text.to_owned();
            for edit in differences(source, text, now).iter().rev() {
                made.replace_range(edit.span.range(), &edit.text);
            }
            assert_eq!(made, now);
        }
    }
}
