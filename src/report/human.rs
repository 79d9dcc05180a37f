//! Problems for the terminal, drawn by miette: the message, the lines with the places underlined, the way out.

use super::{number_of, one_line};
use crate::visible::{Shown, visible, visible_name};
use mam_grammar::problem::count;
use mam_grammar::{Label, Problem, Severity, SourceId, Sources, Span};
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// How many problems are drawn; a file of noise would fill the terminal otherwise.
const MOST: usize = 100;
/// Lines longer than this are shown in part: JSON often is one line.
const LONGEST_LINE: usize = 240;
/// Bytes of a long line that are shown before and after a place.
const AROUND: usize = 80;
/// A place of more lines than this is underlined in its first line only.
const TALLEST: usize = 8;

/// Colour and width of a report.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// True where escape sequences may set colours.
    pub colour: bool,
    /// Columns that text may take.
    pub width: usize,
}

/// All problems (at most a hundred, and then how many more there are), each followed by an empty line. Where there are
/// errors, only these: what else is to be said of the song may follow from them, and is said once they are mended.
pub fn draw(problems: &[Problem], sources: &Sources, look: Look) -> String {
    let errors: Vec<&Problem> = problems.iter().filter(|p| p.code.severity == Severity::Error).collect();
    let warnings = if errors.is_empty() { 0 } else { number_of(problems, Severity::Warning) };
    let problems = if errors.is_empty() { problems.iter().collect() } else { errors };
    let theme = if look.colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(look.width).with_links(false);
    let handler = handler.without_syntax_highlighting();
    let mut text = String::new();
    let texts = Texts { sources, shown: RefCell::default() };
    for problem in problems.iter().copied().take(MOST) {
        // Writing to a string does not fail, and a place outside the text is drawn as far as it goes.
        let _ = handler.render_report(&mut text, &Drawing::new(problem, &texts));
        text.push('\n');
    }
    if problems.len() > MOST {
        let more = problems.len() - MOST;
        text += &format!("… and {more} more; `mamc check --format short` lists them all\n\n");
    }
    if warnings > 0 {
        let warnings = count(warnings, "warning");
        text += &format!("… and {warnings}, shown where there are no errors; `--format short` lists all\n\n");
    }
    trim_lines(&text)
}

/// Lines without blanks at their ends.
fn trim_lines(text: &str) -> String {
    text.lines().map(|l| l.trim_end().to_string() + "\n").collect()
}

/// The texts as they are shown, each made when it is asked for.
struct Texts<'s> {
    sources: &'s Sources,
    shown: RefCell<HashMap<SourceId, Arc<Shown>>>,
}

impl Texts<'_> {
    fn get(&self, id: SourceId) -> Arc<Shown> {
        let text = &self.sources.get(id).text;
        self.shown.borrow_mut().entry(id).or_insert_with(|| Arc::new(Shown::new(text))).clone()
    }

    /// A place in the text as it is shown. One outside is moved to the end, one inside a character to its beginning.
    fn range(&self, span: Span) -> Range<usize> {
        let text = &self.sources.get(span.source).text;
        let at = |byte: usize| boundary(text, byte.min(text.len()));
        let (start, end) = (at(span.range().start), at(span.range().end));
        let shown = self.get(span.source);
        shown.place(start)..shown.place(end.max(start))
    }
}

/// A problem in miette's form. Places in other texts than the first one's are drawn below it.
#[derive(Debug)]
struct Drawing {
    code: Option<&'static str>,
    severity: miette::Severity,
    message: String,
    help: Option<String>,
    text: Excerpts,
    labels: Vec<LabeledSpan>,
    elsewhere: Vec<Drawing>,
}

impl Drawing {
    fn new(problem: &Problem, texts: &Texts) -> Drawing {
        let home = problem.span().source;
        let text = texts.get(home);
        let (mut here, mut there): (Vec<&Label>, Vec<&Label>) = (vec![], vec![]);
        for label in &problem.labels {
            let place = |l: &Label| shown(&text.text, texts.range(l.span));
            let fits = |other: &&Label| fit_together(&text.text, &place(label), &place(other));
            let near = label.span.source == home && here.iter().all(fits);
            if near { here.push(label) } else { there.push(label) }
        }
        let severity = match problem.code.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        };
        Drawing {
            code: Some(problem.code.name),
            severity,
            message: one_line(&problem.message),
            help: help_of(problem),
            text: Excerpts::new(home, texts),
            labels: here.iter().map(|l| labelled(l, texts, true)).collect(),
            elsewhere: there.iter().map(|l| Drawing::elsewhere(l, texts)).collect(),
        }
    }

    fn elsewhere(label: &Label, texts: &Texts) -> Drawing {
        Drawing {
            code: None,
            severity: miette::Severity::Advice,
            message: if label.text.is_empty() { "here".into() } else { one_line(&label.text) },
            help: None,
            text: Excerpts::new(label.span.source, texts),
            labels: vec![labelled(label, texts, false)],
            elsewhere: vec![],
        }
    }
}

/// What to do: the help, or the fix in words.
fn help_of(problem: &Problem) -> Option<String> {
    let words = |fix: &mam_grammar::Fix| match fix.replacement.trim() {
        "" => "take it away".to_owned(),
        text => format!("write `{text}`"),
    };
    let help = problem.help.clone().or_else(|| problem.fix.as_ref().map(words));
    help.as_deref().map(cut)
}

/// A help, which may have several lines, without what a terminal would act on and of bounded length.
fn cut(help: &str) -> String {
    const MOST: usize = 4000;
    let end = help.char_indices().nth(MOST).map_or(help.len(), |(i, _)| i);
    let more = if end < help.len() { "…" } else { "" };
    visible(&help[..end]).into_owned() + more
}

fn labelled(label: &Label, texts: &Texts, with_text: bool) -> LabeledSpan {
    let span = shown(&texts.get(label.span.source).text, texts.range(label.span));
    let words = (with_text && !label.text.is_empty()).then(|| one_line(&label.text));
    LabeledSpan::new(words, span.start, span.len())
}

/// As much of a place as is underlined: its beginning, where all of it would be too tall or too wide.
fn shown(text: &str, span: Range<usize>) -> Range<usize> {
    let first = text[span.clone()].find('\n').map_or(span.end, |i| span.start + i);
    let tall = text[span.clone()].bytes().filter(|&b| b == b'\n').count() > TALLEST;
    let end = if first < span.end && (tall || is_wide(text, &span)) { first } else { span.end };
    let end = if first - span.start > LONGEST_LINE { span.start + AROUND } else { end };
    span.start..boundary(text, end)
}

/// The lines that a place touches, whole.
fn lines_of(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text[..span.start].rfind('\n').map_or(0, |i| i + 1);
    start..text[span.end..].find('\n').map_or(text.len(), |i| span.end + i)
}

/// Whether one of the lines that a place touches is shown in part.
fn is_wide(text: &str, span: &Range<usize>) -> bool {
    text[lines_of(text, span)].split('\n').any(|line| line.len() > LONGEST_LINE)
}

/// Whether two places can be drawn in one picture: lines that are shown in part are shown around one place.
fn fit_together(text: &str, a: &Range<usize>, b: &Range<usize>) -> bool {
    const FAR: usize = 1 << 16;
    let both = a.start.min(b.start)..a.end.max(b.end);
    if both.len() > FAR {
        // They are in pictures of their own, if their lines are not wide.
        return !is_wide(text, a) && !is_wide(text, b);
    }
    both.len() <= AROUND && !text[both.clone()].contains('\n') || !is_wide(text, &both)
}

fn boundary(text: &str, mut byte: usize) -> usize {
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Drawing {}

impl Diagnostic for Drawing {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.map(|c| Box::new(c) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|h| Box::new(h) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        let each = self.elsewhere.iter().map(|d| d as &dyn Diagnostic);
        (!self.elsewhere.is_empty()).then(|| Box::new(each) as Box<dyn Iterator<Item = _>>)
    }
}

/// A text that shows only a part of a very long line.
#[derive(Debug)]
struct Excerpts {
    name: String,
    text: Arc<str>,
}

impl Excerpts {
    fn new(id: SourceId, texts: &Texts) -> Excerpts {
        let name = visible_name(&texts.sources.get(id).name).into_owned();
        Excerpts { name, text: texts.get(id).text.clone() }
    }

    /// The part of a long line that holds the place, when its line is one. Without context it is the place alone,
    /// which is how its line and column are asked for.
    fn part(&self, span: &SourceSpan, around: usize) -> Option<MietteSpanContents<'_>> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        let line_start = self.text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = self.text[end..].find('\n').map_or(self.text.len(), |i| end + i);
        if line_end - line_start <= LONGEST_LINE || self.text[start..end].contains('\n') {
            return None;
        }
        let from = boundary(&self.text, start.saturating_sub(around).max(line_start));
        let to = boundary(&self.text, (end + around).min(line_end));
        let line = self.text[..start].bytes().filter(|&b| b == b'\n').count();
        let column = self.text[line_start..from].chars().count();
        let range = SourceSpan::from(from..to);
        let data = self.text[from..to].as_bytes();
        Some(MietteSpanContents::new_named(self.name.clone(), data, range, line, column, 1))
    }
}

impl SourceCode for Excerpts {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let around = if before + after == 0 { 0 } else { AROUND };
        if let Some(part) = self.part(span, around) {
            return Ok(Box::new(part));
        }
        let mut whole = self.text.read_span(span, before, after)?;
        if whole.data().len() > span.len() + (before + after) * LONGEST_LINE {
            whole = self.text.read_span(span, 0, 0)?;
        }
        let (data, range) = (whole.data(), *whole.span());
        let (line, lines) = (whole.line(), whole.line_count());
        // Columns count characters, as editors do; bytes are what miette counts.
        let at = whole.span().offset();
        let line_start = self.text[..at].rfind('\n').map_or(0, |i| i + 1);
        let column = self.text[line_start..at].chars().count();
        Ok(Box::new(MietteSpanContents::new_named(self.name.clone(), data, range, line, column, lines)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mam_grammar::Code;

    static CODE: Code = Code { name: "odd", severity: Severity::Error, explanation: "" };

    fn drawn(text: &str, range: Range<usize>) -> String {
        let mut sources = Sources::default();
        let id = sources.add("a.mam", text);
        let span = Span::new(id, range.start, range.end);
        let problem = Problem::new(&CODE, span, "this is odd").here("look here").help("make it even");
        draw(&[problem], &sources, Look { colour: false, width: 100 })
    }

    #[test]
    fn a_problem_shows_its_place_and_the_way_out() {
        let expected = "odd

  × this is odd
   ╭─[a.mam:2:5]
 1 │ a = 1
 2 │ b = three
   ·     ──┬──
   ·       ╰── look here
 3 │ out = a
   ╰────
  help: make it even

";
        assert_eq!(drawn("a = 1\nb = three\nout = a\n", 10..15), expected);
    }

    #[test]
    fn places_far_apart_in_long_lines_are_drawn_apart() {
        let wide = format!("x = {}nosuch\n", "1 + ".repeat(50_000));
        let text = format!("{wide}{wide}");
        let mut sources = Sources::default();
        let id = sources.add("a.mam", text.as_str());
        let at = |start, end| Span::new(id, start, end);
        let (line, last) = (wide.len(), text.len() - 3);
        let places = [
            (0, 4),
            (4, 150_000),
            (line - 5, line + 9),
            (2, last),
            (line + 90_000, line + 90_001),
            (last, last),
        ];
        for (start, end) in places {
            let problem = Problem::new(&CODE, at(start, end), "this is odd").here("here");
            let problem = places.iter().fold(problem, |p, &(a, b)| p.label(at(a, b), "there"));
            let drawn = draw(&[problem], &sources, Look { colour: false, width: 100 });
            assert!(drawn.len() < 10_000 && drawn.contains("there"), "{}", drawn.len());
        }
    }

    #[test]
    fn control_characters_are_shown() {
        let text = drawn("a = \"\x1b[31m\u{9b}2J\" + 3 $\n", 5..12);
        assert!(!text.contains(['\x1b', '\u{9b}']) && text.contains("␛[31m"), "{text}");
    }

    #[test]
    fn places_at_the_ends_of_a_text_are_drawn() {
        assert!(drawn("", 0..0).contains("[a.mam:1:1]"));
        assert!(drawn("a = (", 5..5).contains("[a.mam:1:6]"));
        assert!(drawn("a\n", 2..2).contains("this is odd"));
    }

    #[test]
    fn a_long_line_and_a_tall_place_are_shown_in_part() {
        let long = format!("{{\"a\": [{}] }}", "1, ".repeat(10_000));
        let text = drawn(&long, 3_000..3_001);
        assert!(text.len() < 1_500 && text.contains("look here"), "{text}");
        assert!(text.contains("[a.mam:1:3001]"), "{text}");
        let tall = "x\n".repeat(1_000);
        assert!(drawn(&tall, 0..1_999).lines().count() < 12);
        assert!(drawn(&long, 8..29_000).len() < 1_500);
    }
}
