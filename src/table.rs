//! Tables for the terminal: columns as wide as their widest cell, the last one left as it is; and
//! glossaries.

use unicode_width::UnicodeWidthStr;

/// The rows as lines. The first row is the head.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let wide = |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|s| s.width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(wide).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(s, &w)| s.clone() + &" ".repeat(w.saturating_sub(s.width())))
            .collect();
        cells.join("  ").trim_end().to_string() + "\n"
    };
    rows.iter().map(line).collect()
}

/// A row of texts.
pub fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(ToString::to_string).collect()
}

/// Columns that lists keep to, wherever they go.
pub const WIDTH: usize = 80;

/// Names, each with its text beside it, folded to [`WIDTH`] columns and indented by two.
pub fn glossary<'t>(rows: impl IntoIterator<Item = (&'t str, &'t str)>) -> String {
    const WIDEST: usize = 18;
    let rows: Vec<(&str, &str)> = rows.into_iter().collect();
    let wide = rows.iter().map(|(name, _)| name.width()).filter(|&w| w <= WIDEST).max().unwrap_or(0);
    let indent = " ".repeat(wide + 4);
    let mut out = String::new();
    for (name, text) in rows {
        let gap = " ".repeat(wide.saturating_sub(name.width()) + 2);
        // A name that is too long has a line of its own.
        let (head, first) = match name.width() > wide {
            true => (format!("  {name}\n"), indent.clone()),
            false => (String::new(), format!("  {name}{gap}")),
        };
        let options = textwrap::Options::new(WIDTH).initial_indent(&first).subsequent_indent(&indent);
        let folded = textwrap::fill(text, options);
        out += &head;
        out += if text.is_empty() { first.trim_end() } else { folded.trim_end() };
        out.push('\n');
    }
    out
}

/// A paragraph folded to [`WIDTH`] columns, indented.
pub fn paragraph(text: &str, indent: &str) -> String {
    let options = textwrap::Options::new(WIDTH).initial_indent(indent).subsequent_indent(indent);
    textwrap::fill(text, options) + "\n"
}
