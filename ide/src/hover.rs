//! What is shown of the thing under the pointer.

use crate::analysis::Analysis;
use crate::cursor::{Context, Cursor};
use crate::hints::rate_word;
use mam_compiler::dimension::Dimension;
use mam_compiler::hir::Type;
use mam_compiler::hir::query::{Hover, Symbol};
use mam_compiler::score::{modifiers, note_number};
use mam_grammar::reference::{WORDS, Word, WordKind};
use mam_grammar::syntax::{TokenKind, tokens};
use mam_grammar::{SourceId, Span};

/// What is shown of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoverText {
    /// What it is said of.
    pub span: Span,
    /// Markdown: how it is written, what it measures, its range, what it costs, its documentation.
    pub markdown: String,
}

impl Analysis {
    /// What is shown of the thing at a byte: of a name its form, unit, range, cost and documentation; of a word of the
    /// language, a unit, a modifier or a note what it means.
    pub fn hover(&self, source: SourceId, byte: usize) -> Option<HoverText> {
        if let Some((symbol, span)) = self.symbol_at(source, byte) {
            return Some(HoverText { span, markdown: self.describe(symbol)? });
        }
        if self.is_json() {
            return None;
        }
        self.hover_word(source, byte)
    }

    /// What is shown of a symbol, as Markdown.
    pub(crate) fn describe(&self, symbol: Symbol) -> Option<String> {
        let hover = self.query()?.hover(symbol);
        let mut parts = vec![format!("```mam\n{}\n```", hover.form)];
        parts.extend(facts(&hover));
        parts.extend(self.cost_of(symbol));
        parts.extend(hover.doc.as_deref().map(str::to_owned));
        Some(parts.join("\n\n"))
    }

    /// What an equation of the song costs, in words.
    fn cost_of(&self, symbol: Symbol) -> Option<String> {
        let Symbol::Local(file, _) = symbol else { return None };
        if file != self.compilation.stages.song {
            return None;
        }
        let span = self.query()?.definition(symbol)?;
        let cost = self.costs().get(self.sources.slice(span))?;
        let together = match &cost.with[..] {
            [] => String::new(),
            others => format!(", together with {}", names(others)),
        };
        let rate = cost.rate.map_or(String::new(), |rate| format!("{}; ", rate_word(rate)));
        Some(format!("{rate}{} operations a frame{together}", cost.operations))
    }

    fn hover_word(&self, source: SourceId, byte: usize) -> Option<HoverText> {
        let text = self.text(source);
        let all = tokens(text);
        let token = all.tokens.iter().find(|token| token.start <= byte && byte < token.end)?;
        let span = Span::new(source, token.start, token.end);
        let word = token.text(text);
        let show = |form: &str, doc: &str| format!("```mam\n{form}\n```\n\n{doc}");
        let found = match token.kind {
            TokenKind::Word => {
                let after = Cursor::new(text, token.end).context();
                let modifier = modifiers().find(|entry| entry.name == word);
                match modifier
                    .filter(|_| after == Context::Modifier || matches!(after, Context::ModifierArgument(_)))
                {
                    Some(entry) => Some(show(&format!(".{}", entry.name), &entry.usage())),
                    None => {
                        let of_note = text[..token.start].ends_with("note.").then(|| format!("note.{word}"));
                        let found = of_note.and_then(|name| reserved(&name)).or_else(|| reserved(word));
                        found.map(|word| show(word.form, word.doc))
                    }
                }
            }
            TokenKind::Number => {
                let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
                let unit = WORDS.iter().find(|row| row.kind == WordKind::Unit && row.name == unit)?;
                Some(show(word, unit.doc))
            }
            TokenKind::Text => return note(source, text, byte),
            _ => None,
        };
        Some(HoverText { span, markdown: found? })
    }
}

/// The row of a word that is not a unit.
fn reserved(word: &str) -> Option<&'static Word> {
    let stands_alone = |kind| !matches!(kind, WordKind::Unit | WordKind::Behind | WordKind::Mark);
    WORDS.iter().find(|row| row.name == word && stands_alone(row.kind))
}

/// A note in a pattern: its number and frequency.
fn note(source: SourceId, text: &str, byte: usize) -> Option<HoverText> {
    let letter = |c: u8| c.is_ascii_alphanumeric() || c == b'#';
    let bytes = text.as_bytes();
    let start = byte - bytes[..byte].iter().rev().take_while(|&&c| letter(c)).count();
    let end = byte + bytes[byte..].iter().take_while(|&&c| letter(c)).count();
    let name = &text[start..end];
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let number = note_number(name)?;
    let hertz = 440.0 * ((number - 69.0) / 12.0).exp2();
    let markdown = format!("```mam\n{name}\n```\n\nMIDI note {number}, {hertz:.2} Hz");
    Some(HoverText { span: Span::new(source, start, end), markdown })
}

/// What it measures, in which unit, and its range.
fn facts(hover: &Hover) -> Option<String> {
    let ty = hover.ty.as_ref().map(|ty| match unit(ty) {
        Some(unit) => format!("{ty} (in {unit})"),
        None => ty.to_string(),
    });
    let range = hover.range.as_ref().map(|range| format!("from {}", range.replacen("..", " to ", 1)));
    let facts: Vec<String> = ty.into_iter().chain(range).collect();
    (!facts.is_empty()).then(|| facts.join(", "))
}

/// The unit of a type's values, where it has one.
fn unit(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Signal { dimension: Some(Dimension::TIME), .. } => Some("s"),
        Type::Signal { dimension: Some(Dimension::FREQUENCY), .. } => Some("Hz"),
        _ => None,
    }
}

/// `a`, `b` and `c`.
fn names(all: &[std::sync::Arc<str>]) -> String {
    let quoted: Vec<String> = all.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
