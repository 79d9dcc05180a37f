//! What each word of a text is, for its colour.

use crate::analysis::Analysis;
use mam_compiler::hir::LocalKind;
use mam_compiler::hir::query::Symbol;
use mam_compiler::hir::resolve::resolved;
use mam_grammar::ast::DefinitionKind;
use mam_grammar::syntax::{RESERVED, STATEMENTS, Token, TokenKind as Lexeme, tokens};
use mam_grammar::{SourceId, Span};
use std::collections::BTreeMap;

/// What a word is. The names are those of the Language Server Protocol, where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenKind {
    /// A word of the language.
    Keyword,
    /// A number with its unit.
    Number,
    /// A pattern, a tab, a quoted text.
    String,
    /// A comment.
    Comment,
    /// A `def`, or a function of the language.
    Function,
    /// An instrument.
    Instrument,
    /// An effect.
    Effect,
    /// An argument or a parameter.
    Parameter,
    /// An equation, a knob, a name of the language.
    Variable,
    /// An event of an instrument.
    Event,
    /// A section of the score.
    Section,
    /// A part of a value, a parameter after a point.
    Property,
    /// A modifier of a pattern.
    Method,
    /// An operator.
    Operator,
}

impl TokenKind {
    /// All of them, in the order in which a server numbers them, with the protocol's names.
    pub const ALL: [(TokenKind, &'static str); 14] = [
        (TokenKind::Keyword, "keyword"),
        (TokenKind::Number, "number"),
        (TokenKind::String, "string"),
        (TokenKind::Comment, "comment"),
        (TokenKind::Function, "function"),
        (TokenKind::Instrument, "class"),
        (TokenKind::Effect, "interface"),
        (TokenKind::Parameter, "parameter"),
        (TokenKind::Variable, "variable"),
        (TokenKind::Event, "event"),
        (TokenKind::Section, "namespace"),
        (TokenKind::Property, "property"),
        (TokenKind::Method, "method"),
        (TokenKind::Operator, "operator"),
    ];
}

/// A word with its colour. It stands in one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SemanticToken {
    /// Its bytes in the text.
    pub span: Span,
    /// What kind of word it is.
    pub kind: TokenKind,
    /// True where it is the definition of its name.
    pub defines: bool,
    /// True for what the language or the prelude brings.
    pub library: bool,
}

impl Analysis {
    /// What each word of a text of the user's is, in order, none within another; a token of several lines is one a line.
    pub fn tokens(&self, source: SourceId) -> Vec<SemanticToken> {
        if self.is_json() {
            return vec![];
        }
        let text = self.text(source);
        let found = tokens(text);
        let names = self.named(source);
        let mut all = vec![];
        for (index, token) in found.tokens.iter().enumerate() {
            let span = Span::new(source, token.start, token.end);
            let named = names.get(&span.start).filter(|named| named.span == span);
            match named.copied().or_else(|| lexeme(text, &found.tokens, index, span)) {
                Some(token) => all.push(token),
                None => continue,
            }
        }
        let docs = found.docs.iter().map(|&(start, end, _)| (start, end));
        let comments = found.comments.iter().copied().chain(docs);
        all.extend(comments.map(|(start, end)| plain(Span::new(source, start, end), TokenKind::Comment)));
        all.sort_by_key(|token| token.span);
        all.into_iter().flat_map(|token| by_line(text, token)).collect()
    }

    /// The names of a text that resolve, by the byte at which they begin.
    fn named(&self, source: SourceId) -> BTreeMap<u32, SemanticToken> {
        let Some(query) = self.query() else { return BTreeMap::new() };
        let token = |(span, symbol): (Span, Symbol)| (span.start, self.token_of(symbol, span));
        query.names(source).into_iter().map(token).collect()
    }

    fn token_of(&self, symbol: Symbol, span: Span) -> SemanticToken {
        let definition = self.query().and_then(|query| query.definition(symbol));
        let library = definition.is_none_or(|span| self.is_prelude(span.source));
        let kind = match symbol {
            Symbol::Builtin(_) | Symbol::Measure(_) => TokenKind::Function,
            Symbol::Known(_) | Symbol::Kit(_) => TokenKind::Variable,
            Symbol::Definition(def) => match self.files().map(|files| files.definition(def).kind) {
                Some(DefinitionKind::Instrument) => TokenKind::Instrument,
                Some(DefinitionKind::Effect) => TokenKind::Effect,
                _ => TokenKind::Function,
            },
            Symbol::Local(file, id) => {
                let kind = self.files().map(|files| resolved(files, file).local(id).kind);
                match kind {
                    Some(LocalKind::Formal(_) | LocalKind::Param(_) | LocalKind::Input(_)) => {
                        TokenKind::Parameter
                    }
                    Some(LocalKind::Event) => TokenKind::Event,
                    Some(LocalKind::Section(_)) => TokenKind::Section,
                    _ => TokenKind::Variable,
                }
            }
        };
        SemanticToken { span, kind, defines: definition == Some(span), library }
    }
}

fn plain(span: Span, kind: TokenKind) -> SemanticToken {
    SemanticToken { span, kind, defines: false, library: false }
}

/// What a token is that does not resolve to anything.
fn lexeme(text: &str, all: &[Token], index: usize, span: Span) -> Option<SemanticToken> {
    let token = all[index];
    let before = index.checked_sub(1).map(|before| all[before]);
    let after_point = before.is_some_and(|before| before.is(".") && before.end == token.start);
    let kind = match token.kind {
        Lexeme::Number => TokenKind::Number,
        Lexeme::Text | Lexeme::Tab => TokenKind::String,
        Lexeme::Symbol(
            "|>" | "<=" | ">=" | "==" | "!=" | "<" | ">" | "+" | "++" | "-" | "*" | "/" | "^" | "..",
        ) => TokenKind::Operator,
        Lexeme::Word if after_point => {
            let pattern = index >= 2
                && (matches!(all[index - 2].kind, Lexeme::Text | Lexeme::Tab) || all[index - 2].is(")"));
            if pattern { TokenKind::Method } else { TokenKind::Property }
        }
        Lexeme::Word => {
            let word = token.text(text);
            let begins = before
                .is_none_or(|before| before.kind == Lexeme::Newline || before.is(";") || before.is("{"));
            let statement = begins && STATEMENTS.contains(&word);
            const IN_ITEMS: [&str; 10] =
                ["over", "curve", "exp", "step", "smooth", "cc", "by", "of", "at", "within"];
            let within = !begins && IN_ITEMS.contains(&word);
            if !(statement || within || RESERVED.contains(&word)) {
                return None;
            }
            TokenKind::Keyword
        }
        _ => return None,
    };
    Some(plain(span, kind))
}

/// The parts of a token that lie in one line each.
fn by_line(text: &str, token: SemanticToken) -> Vec<SemanticToken> {
    let piece = &text[token.span.range()];
    if !piece.contains(['\n', '\r']) {
        return vec![token];
    }
    let (mut parts, mut at) = (vec![], token.span.start);
    for line in piece.split_inclusive(['\n', '\r']) {
        let end = at + line.trim_end_matches(['\n', '\r']).len() as u32;
        if end > at {
            parts.push(SemanticToken { span: Span { start: at, end, ..token.span }, ..token });
        }
        at += line.len() as u32;
    }
    parts
}
