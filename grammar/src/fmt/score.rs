//! Lines of a score: targets in one column, patterns as they were drawn.

use super::Printer;
use super::doc::Doc;
use crate::ast::{Line, PatternText};

/// A target as it is written.
pub(super) fn target(line: &Line) -> String {
    let words: Vec<_> = line.target.iter().map(|word| &*word.name).collect();
    words.join(".")
}

impl Printer<'_> {
    /// A line with its target filled up to `width` characters: `bd |x...x...| by 1/16 .fast(2) over 1 beat curve exp`
    pub(super) fn score_line(&mut self, line: &Line, width: usize) -> Doc {
        let mut out = format!("{:1$} ", target(line), width);
        let (mut spaced, mut made) = (false, None);
        match &line.pattern {
            PatternText::Tab { bars, by } => {
                let bars: Vec<_> = bars.iter().map(|bar| &*bar.text).collect();
                out += &format!("|{}|", bars.join("|"));
                if let Some(by) = by {
                    out += &format!(" by {}", self.ratio(*by));
                    spaced = true;
                }
            }
            PatternText::Notation(text) => out += &format!("\"{}\"", text.text),
            PatternText::Made(expr) => made = Some(self.expr(*expr)),
            PatternText::Nothing(_) => out.push('~'),
        }
        let mut modifiers = Vec::new();
        for &modifier in &line.modifiers {
            let start = self.ast.span(modifier).start as usize;
            let edge = if spaced { Doc::Line } else { Doc::Soft };
            modifiers.push(self.gap(start, edge));
            modifiers.push(Doc::text("."));
            modifiers.push(self.expr(modifier));
            spaced = false;
        }
        let mut tail = String::new();
        if let Some(over) = line.over {
            tail += &format!(" over {}", self.flat(over));
        }
        tail += if line.curve_exp { " curve exp" } else { "" };
        let start = Doc::All([Doc::text(out)].into_iter().chain(made).collect());
        Doc::All(vec![start, Doc::Group(vec![Doc::Nest(modifiers)]), Doc::text(tail)])
    }
}
