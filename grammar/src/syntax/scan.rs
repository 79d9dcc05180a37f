//! Text to tokens: only as much as is needed to see where items end and what stood where a mistake is.
//!
//! The grammar itself reads text, not these tokens. Scanning never fails: what is not a token is a [`Kind::Stray`],
//! and what is not closed ends at its line.

use super::words::{OPEN, is_letter};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Letters, digits and `_`.
    Word,
    /// Digits with all the letters that touch them: `50ms`, `0.5`, `3abc`.
    Number,
    /// `"…"` with its quotes, or the same between quotes of another kind.
    Text,
    /// `|x...|x.x.|` with its bar lines.
    Tab,
    /// The end of a line.
    Newline,
    /// An operator or a mark.
    Symbol(&'static str),
    /// A character that the language does not know.
    Stray,
}

/// A piece of the text.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// Word, number, symbol or what else it is.
    pub kind: Kind,
    /// First byte of the token.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Token {
    /// True for the operator or mark `symbol`.
    pub fn is(&self, symbol: &str) -> bool {
        matches!(self.kind, Kind::Symbol(s) if s == symbol)
    }

    /// The characters of the token, out of the whole `text`.
    pub fn text<'a>(&self, text: &'a str) -> &'a str {
        &text[self.start..self.end]
    }
}

/// What was found in a text.
#[derive(Default)]
pub struct Scanned {
    /// Tokens in order, newlines included.
    pub tokens: Vec<Token>,
    /// Places of `//` comments.
    pub comments: Vec<(usize, usize)>,
    /// Places of `///` lines, each with the start of the token that follows it.
    pub docs: Vec<(usize, usize, usize)>,
    /// Places of comments as other languages write them.
    pub foreign_comments: Vec<(usize, usize)>,
    /// Start of each quoted text that has no closing quote, and of each tab without a closing bar line.
    pub unclosed: Vec<usize>,
}

/// The symbols of two characters.
const PAIRS: [&str; 15] =
    ["|>", "++", "<=", ">=", "==", "!=", "..", "&&", "||", "**", "->", "=>", "+=", "-=", "*="];

/// Those of one.
const SINGLES: &str = "<>=+-*/^()[]{},:.;%!|?";

/// The symbol that two bytes, or the first of them, are.
fn symbol_of(first: u8, second: u8) -> Option<&'static str> {
    let pair = || PAIRS.iter().find(|pair| pair.as_bytes() == [first, second]).copied();
    let single = || SINGLES.bytes().position(|byte| byte == first).map(|at| &SINGLES[at..=at]);
    match second {
        b'>' | b'+' | b'=' | b'.' | b'&' | b'|' | b'*' => pair().or_else(single),
        _ => single(),
    }
}

/// Finds the tokens and comments of a text.
pub fn scan(text: &str) -> Scanned {
    let first = Scanner::run(text, None);
    match first.suspicious_quote(text) {
        Some(cut) => Scanner::run(text, Some(cut)),
        None => first,
    }
}

impl Scanned {
    /// Where a quote is left open, all later quotes change sides. This finds the quote that was probably meant to
    /// close in its own line: the first text over several lines that holds `=` or ends just where a word begins.
    fn suspicious_quote(&self, text: &str) -> Option<usize> {
        let last = *self.unclosed.iter().find(|&&at| text.as_bytes()[at] == b'"')?;
        let odd = |token: &&Token| {
            let inside = token.text(text);
            let next = text.as_bytes().get(token.end).copied().unwrap_or(b' ');
            token.kind == Kind::Text
                && inside.contains('\n')
                && (inside.contains('=') || is_letter(next) || b"~[<".contains(&next))
        };
        let first = self.tokens.iter().find(odd).map(|token| token.start);
        first.filter(|&start| start < last)
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    cut: Option<usize>,
    pending_docs: usize,
    /// Parentheses and square brackets that are open.
    depth: usize,
    out: Scanned,
}

impl<'a> Scanner<'a> {
    fn run(text: &'a str, cut: Option<usize>) -> Scanned {
        // Three bytes a token are few.
        let out = Scanned { tokens: Vec::with_capacity(text.len() / 3 + 1), ..Scanned::default() };
        let mut scanner = Scanner { text, at: 0, cut, pending_docs: 0, depth: 0, out };
        if text.starts_with('\u{feff}') {
            scanner.at = '\u{feff}'.len_utf8();
        }
        while scanner.at < text.len() {
            scanner.step();
        }
        scanner.settle_docs(text.len());
        scanner.out
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    fn end_while(&self, from: usize, keep: impl Fn(u8) -> bool) -> usize {
        self.text.as_bytes()[from..].iter().position(|&b| !keep(b)).map_or(self.text.len(), |n| from + n)
    }

    fn line_end(&self, from: usize) -> usize {
        self.end_while(from, |b| b != b'\n')
    }

    fn step(&mut self) {
        let byte = self.byte(self.at);
        match byte {
            b' ' | b'\t' | b'\r' => self.at += 1,
            b'\n' => self.token(Kind::Newline, self.at + 1),
            b'"' => self.quoted(),
            b'0'..=b'9' => self.number(),
            b'|' if self.byte(self.at + 1) != b'>' && self.after_target() => self.tab(),
            _ if is_letter(byte) => self.token(Kind::Word, self.end_while(self.at, is_letter)),
            b'/' if self.byte(self.at + 1) == b'/' => self.comment(),
            b'#' if self.stands_apart() => {
                let end = self.before_brace(self.line_end(self.at));
                self.foreign_comment(end);
            }
            b'/' if self.byte(self.at + 1) == b'*' => {
                let end = self.rest().find("*/").map_or(self.text.len(), |length| self.at + length + 2);
                self.foreign_comment(end);
            }
            b'-' if self.byte(self.at + 1) == b'-' && self.begins_comment() => {
                self.foreign_comment(self.line_end(self.at));
            }
            b'%' if self.begins_comment() => self.foreign_comment(self.line_end(self.at)),
            b';' if self.byte(self.at + 1) == b';' && self.begins_line() => {
                self.foreign_comment(self.line_end(self.at));
            }
            0x80.. if self.rest().starts_with('\u{a0}') => self.at += 2,
            b'\'' | b'`' | 0x80.. => match self.foreign_quoted() {
                Some(end) => self.token(Kind::Text, end),
                None => self.symbol(),
            },
            _ => self.symbol(),
        }
    }

    fn token(&mut self, kind: Kind, end: usize) {
        if kind != Kind::Newline {
            self.settle_docs(self.at);
        }
        self.out.tokens.push(Token { kind, start: self.at, end });
        self.at = end;
    }

    fn settle_docs(&mut self, start: usize) {
        self.out.docs[self.pending_docs..].iter_mut().for_each(|doc| doc.2 = start);
        self.pending_docs = self.out.docs.len();
    }

    fn symbol(&mut self) {
        let first = self.byte(self.at);
        match first {
            b'(' | b'[' => self.depth += 1,
            b')' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        match symbol_of(first, self.byte(self.at + 1)) {
            Some(symbol) => self.token(Kind::Symbol(symbol), self.at + symbol.len()),
            None => {
                let length = self.rest().chars().next().map_or(1, char::len_utf8);
                self.token(Kind::Stray, self.at + length);
            }
        }
    }

    /// Digits, a point with digits after it, and every letter and `%` that touches.
    fn number(&mut self) {
        let mut end = self.end_while(self.at, |b| b.is_ascii_digit());
        if self.byte(end) == b'.' && self.byte(end + 1).is_ascii_digit() {
            end = self.end_while(end + 1, |b| b.is_ascii_digit());
        }
        let sign = usize::from(matches!(self.byte(end + 1), b'-' | b'+'));
        if self.byte(end) == b'e' && self.byte(end + 1 + sign).is_ascii_digit() {
            end = self.end_while(end + 1 + sign, |b| b.is_ascii_digit());
        }
        let end = if self.byte(end) == b'%' { end + 1 } else { self.end_while(end, is_letter) };
        self.token(Kind::Number, end);
    }

    fn comment(&mut self) {
        let end = self.line_end(self.at);
        let end = end - usize::from(self.text[self.at..end].ends_with('\r'));
        let own_line = self.out.tokens.last().is_none_or(|token| token.kind == Kind::Newline);
        if own_line && self.rest().starts_with("///") && !self.rest().starts_with("////") {
            self.out.docs.push((self.at, end, end));
        } else {
            self.out.comments.push((self.at, end));
        }
        self.at = end;
    }

    /// True where a line begins or a space stands before.
    fn stands_apart(&self) -> bool {
        self.at == 0 || self.byte(self.at - 1).is_ascii_whitespace()
    }

    /// True where no token stands before in the line.
    fn begins_line(&self) -> bool {
        self.out.tokens.last().is_none_or(|token| token.kind == Kind::Newline)
    }

    /// True for a `--` or `%` that begins a line where an item begins: no item begins with a sign, but an operand may.
    fn begins_comment(&self) -> bool {
        const BLOCKS: [&str; 5] = ["def", "instrument", "effect", "play", "section"];
        let mut before = self.out.tokens.iter().rev().skip_while(|token| token.kind == Kind::Newline);
        let item = match before.next() {
            None => true,
            Some(last) if last.is("{") => {
                let line: Vec<_> =
                    before.take_while(|token| token.kind != Kind::Newline && !token.is(";")).collect();
                let block = line.last().is_some_and(|first| BLOCKS.contains(&first.text(self.text)));
                // What follows `=` outside of parentheses is an expression, and so is what its braces hold.
                let mut depth = 0usize;
                let equation = line.iter().any(|token| {
                    depth += usize::from(token.is(")"));
                    depth -= usize::from(token.is("(") && depth > 0);
                    token.is("=") && depth == 0
                });
                block && !equation
            }
            Some(last) => match last.kind {
                Kind::Word => !OPEN.contains(&last.text(self.text)),
                Kind::Number | Kind::Text | Kind::Tab => true,
                _ => last.is("}") || last.is(")") || last.is("]") || last.is(";"),
            },
        };
        item && self.depth == 0 && self.begins_line()
    }

    /// The end of what begins here and goes to `end`, without a brace that closes the block around it.
    fn before_brace(&self, end: usize) -> usize {
        let line = self.text[self.at..end].trim_end();
        let own = line.matches('{').count() >= line.matches('}').count();
        let inside = if own { None } else { line.strip_suffix('}') };
        inside.map_or(end, |inside| self.at + inside.trim_end().len())
    }

    fn foreign_comment(&mut self, end: usize) {
        self.out.foreign_comments.push((self.at, end));
        self.at = end;
    }

    /// The end of a text between quotes of another kind, in one line.
    fn foreign_quoted(&self) -> Option<usize> {
        let open = self.rest().chars().next()?;
        let closing = QUOTES.iter().find(|(opening, _)| *opening == open)?.1;
        // A `'` that touches a value is not a quote: Faust's `x'` is the value of the sample before.
        let before = self.byte(self.at.wrapping_sub(1));
        if open == '\'' && (is_letter(before) || matches!(before, b')' | b']' | b'\'')) {
            return None;
        }
        let inside = self.at + open.len_utf8();
        let near = self.text[inside..].char_indices().take(LONGEST_QUOTE).take_while(|(_, c)| *c != '\n');
        let (close, mark) = near.into_iter().find(|(_, c)| closing.contains(*c))?;
        Some(inside + close + mark.len_utf8())
    }

    fn quoted(&mut self) {
        let inside = self.at + 1;
        let close = self.end_while(inside, |b| b != b'"');
        if close < self.text.len() && self.cut != Some(self.at) {
            return self.token(Kind::Text, close + 1);
        }
        let line = &self.text[inside..self.line_end(inside)];
        if let Some((at, mark)) = line.char_indices().find(|(_, c)| SMART.contains(*c)) {
            return self.token(Kind::Text, inside + at + mark.len_utf8());
        }
        self.out.unclosed.push(self.at);
        let line = self.text[inside..self.line_end(inside)].trim_end();
        // A brace that is not of the text closes the block around it.
        let own = line.matches('{').count() >= line.matches('}').count();
        let line = if own { line } else { line.strip_suffix('}').unwrap_or(line).trim_end() };
        self.token(Kind::Text, inside + line.len());
    }

    /// True where a drum tab may begin: after `name` or `name.name` at the start of an item, or there itself. What is
    /// nearly right is a tab too: `bd: |x...|`, `play bd |x...|`, a second line after the first in one.
    fn after_target(&self) -> bool {
        let mut before = self.out.tokens.iter().rev().peekable();
        let marked = before.next_if(|token| token.is(":") || token.is("=")).is_some();
        let mut named = false;
        while before.next_if(|token| token.kind == Kind::Word).is_some() {
            named = true;
            if before.next_if(|token| token.is(".")).is_none() {
                break;
            }
        }
        if named {
            before.next_if(|token| token.kind == Kind::Word && token.text(self.text) == "play");
        }
        let ends = |token: &Token| {
            matches!(token.kind, Kind::Tab | Kind::Text | Kind::Number) || token.is(")") || token.is(",")
        };
        (named || !marked)
            && before.next().is_none_or(|token| {
                token.kind == Kind::Newline || token.is(";") || token.is("{") || named && ends(token)
            })
    }

    /// Bars as long as each is closed by a bar line: the grammar's rule `tab`.
    fn tab(&mut self) {
        let stop = |from| self.end_while(from, |b| !b"|\n;\"{}(".contains(&b));
        let (mut end, start) = (self.at + 1, self.at);
        loop {
            let close = stop(end);
            let comment = self.text[end..close].find("//");
            // `bd |x...| hh |x...|`: the target of another line.
            let line = end > start + 1 && is_target(&self.text[end..close]);
            if self.byte(close) != b'|' || comment.is_some() || line {
                let close = comment.map_or(close, |n| end + n);
                if end == start + 1 {
                    self.out.unclosed.push(start);
                    end = start + self.text[start..close].trim_end().len();
                }
                return self.token(Kind::Tab, end);
            }
            end = close + 1;
        }
    }
}

/// Quotes of other languages and of word processors, with what closes each.
const QUOTES: [(char, &str); 9] = [
    ('\'', "'"),
    ('`', "`´"),
    ('´', "`´"),
    ('“', "”“\""),
    ('”', "”“\""),
    ('„', "“”\""),
    ('‘', "’‘'"),
    ('«', "»"),
    ('‹', "›"),
];

/// Characters in which the other quote is looked for.
const LONGEST_QUOTE: usize = 1_000;

/// Quotes that may close a text that `"` has opened.
pub(super) const SMART: &str = "“”„";

/// True for what stands between two tabs and is the target of the second: a name apart from the bar line before it, with
/// a character that no bar has.
fn is_target(between: &str) -> bool {
    let between = between.strip_prefix(',').unwrap_or(between);
    let name = between.trim();
    let step = |c| super::tabs::TAB_CHARACTERS.contains(c);
    between.starts_with([' ', '\t']) && name.split('.').all(super::words::is_word) && !name.chars().all(step)
}
