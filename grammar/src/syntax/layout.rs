//! Where items end: brackets are paired, and newlines that end nothing are taken away.
//!
//! The result is a text of the same length as the source, so that every position stays what it was: what is not a token
//! (blanks, comments, newlines inside an item) has become spaces, and each newline that is left ends an item.

use super::codes;
use super::scan::{Kind, Scanned, Token};
use super::words::{CONTINUES, OPEN, RESERVED};
use crate::problem::Problem;
use crate::source::{SourceId, Span};
use rustc_hash::FxHashMap;

/// A text laid out as items.
pub(super) struct Layout {
    /// The text for the grammar.
    pub(super) text: Vec<u8>,
    /// Tokens; a [`Kind::Newline`] and a `;` among them end an item.
    pub(super) tokens: Vec<Token>,
    /// For each token that opens a bracket, the index of the token that closes it, or of the first token after its
    /// end where nothing closes it. For all others, the token's own index.
    pub(super) partner: Vec<usize>,
    /// What is wrong with the brackets.
    pub(super) problems: Vec<Problem>,
    /// Bytes at which a problem has been reported: the item around it need not be complained of again.
    pub(super) broken: Vec<usize>,
}

impl Layout {
    /// The items among `tokens`, as ranges of tokens.
    pub(super) fn items(&self, tokens: std::ops::Range<usize>) -> Vec<std::ops::Range<usize>> {
        let (mut items, mut start, mut at) = (Vec::new(), tokens.start, tokens.start);
        while at < tokens.end {
            if is_separator(&self.tokens[at]) {
                items.push(start..at);
                start = at + 1;
            }
            at = self.after(at).max(at + 1);
        }
        items.push(start.min(tokens.end)..tokens.end);
        items.retain(|item| !item.is_empty());
        items
    }

    /// The token after the one at `at`, or after all of the bracket that it opens.
    pub(super) fn after(&self, at: usize) -> usize {
        let partner = self.partner[at];
        let closes = self.tokens.get(partner).is_some_and(|t| closing(t).is_some());
        if partner == at || closes { partner + 1 } else { partner }
    }

    /// The indentation of the line in which a token stands.
    pub(super) fn column(&self, text: &str, token: usize) -> usize {
        let start = text[..self.tokens[token].start].rfind('\n').map_or(0, |i| i + 1);
        text[start..].bytes().take_while(|b| matches!(b, b' ' | b'\t')).count()
    }

    /// The byte range of a range of tokens.
    pub(super) fn bytes(&self, tokens: &std::ops::Range<usize>) -> std::ops::Range<usize> {
        self.tokens[tokens.start].start..self.tokens[tokens.end - 1].end
    }

    /// True when a problem has been reported inside `bytes`.
    pub(super) fn is_broken(&self, bytes: &std::ops::Range<usize>) -> bool {
        let first = self.broken.partition_point(|&at| at < bytes.start);
        self.broken.get(first).is_some_and(|&at| at < bytes.end)
    }
}

/// True for what stands between two items.
pub(super) fn is_separator(token: &Token) -> bool {
    token.kind == Kind::Newline || token.is(";")
}

/// Lays a scanned text out as items.
pub(super) fn lay_out(source: SourceId, text: &str, scanned: &Scanned) -> Layout {
    let mut forced = FxHashMap::default();
    loop {
        let mut walk = Walk::new(source, text, &scanned.tokens, &forced);
        walk.all();
        match walk.missing_brace() {
            Some((open, end)) if forced.len() < MOST_FORCED => forced.insert(open, end),
            _ => return walk.finish(),
        };
    }
}

/// How many missing `}` are searched for by indentation before the rest is taken to end with the file.
const MOST_FORCED: usize = 8;

/// Brackets that are never closed are reported up to this many; the rest follows from them.
const MOST_BRACKETS: usize = 200;

/// Tokens that are looked through for the end of a target.
const LONGEST_PATH: usize = 16;

struct Frame {
    symbol: &'static str,
    /// Index in the tokens that are kept.
    open: usize,
    /// Index in the tokens of the scanner.
    origin: usize,
    /// Newlines inside end nothing.
    soft: bool,
    /// The formal arguments of a `def`, where `=` may stand.
    formals: bool,
}

struct Walk<'a> {
    source: SourceId,
    text: &'a str,
    input: &'a [Token],
    /// A brace that is known to be unclosed, and the token before which its block ends.
    forced: &'a FxHashMap<usize, usize>,
    stack: Vec<Frame>,
    /// The outermost brace that is open at the end.
    left_open: Option<usize>,
    next_solid: usize,
    /// Where the item that is open here begins, in the tokens that are kept.
    start: usize,
    out: Layout,
}

impl<'a> Walk<'a> {
    fn new(
        source: SourceId,
        text: &'a str,
        input: &'a [Token],
        forced: &'a FxHashMap<usize, usize>,
    ) -> Walk<'a> {
        let out = Layout {
            text: Vec::new(),
            tokens: Vec::with_capacity(input.len()),
            partner: Vec::with_capacity(input.len()),
            problems: Vec::new(),
            broken: Vec::new(),
        };
        Walk { source, text, input, forced, stack: Vec::new(), left_open: None, next_solid: 0, start: 0, out }
    }

    fn all(&mut self) {
        for (index, token) in self.input.iter().enumerate() {
            self.close_forced(index);
            self.split(index);
            match token.kind {
                Kind::Newline => self.newline(index),
                Kind::Symbol(symbol @ ("(" | "[" | "{")) => self.open(index, symbol),
                Kind::Symbol(")" | "]" | "}") => self.close(index),
                _ => self.keep(index),
            }
        }
        self.left_open = self.stack.iter().find(|frame| frame.symbol == "{").map(|frame| frame.origin);
        for frame in std::mem::take(&mut self.stack) {
            self.unclosed(&frame);
        }
    }

    fn keep(&mut self, index: usize) {
        let token = self.input[index];
        self.out.partner.push(self.out.tokens.len());
        self.out.tokens.push(token);
        if is_separator(&token) || token.is("{") {
            self.start = self.out.tokens.len();
        }
    }

    fn word(&self, index: usize) -> &'a str {
        match self.input.get(index) {
            Some(token) if token.kind == Kind::Word => token.text(self.text),
            _ => "",
        }
    }

    fn open(&mut self, index: usize, symbol: &'static str) {
        let record = symbol == "{" && self.is_record(index + 1);
        let formals = index >= 2 && matches!(self.word(index - 2), "def" | "instrument" | "effect");
        let open = self.out.tokens.len();
        self.stack.push(Frame { symbol, open, origin: index, soft: symbol != "{" || record, formals });
        self.keep(index);
    }

    /// True when `name :` follows.
    fn is_record(&self, from: usize) -> bool {
        let mut next = (from..self.input.len()).filter(|&i| self.input[i].kind != Kind::Newline);
        next.next().is_some_and(|i| self.input[i].kind == Kind::Word)
            && next.next().is_some_and(|i| self.input[i].is(":"))
    }

    fn close(&mut self, index: usize) {
        let token = self.input[index];
        let Some(depth) = self.stack.iter().rposition(|frame| Some(frame.symbol) == closing(&token)) else {
            return self.stray_close(index);
        };
        while self.stack.len() > depth + 1 {
            self.pop_unclosed();
        }
        if let Some(frame) = self.stack.pop() {
            self.out.partner[frame.open] = self.out.tokens.len();
        }
        self.keep(index);
    }

    /// A closing bracket that nothing opened, or that closes a bracket of another kind.
    fn stray_close(&mut self, index: usize) {
        let token = self.input[index];
        let (here, text) = (Span::new(self.source, token.start, token.end), token.text(self.text));
        self.out.broken.push(token.start);
        match self.stack.last() {
            Some(frame) if frame.soft && frame.symbol != "{" && token.text(self.text) != "}" => {
                let opened = self.out.tokens[frame.open];
                let wanted = closing_of(frame.symbol);
                self.out.partner[frame.open] = self.out.tokens.len();
                let place = Span::new(self.source, opened.start, opened.end);
                let message = format!("`{}` is closed by `{text}`", frame.symbol);
                let problem = Problem::new(&codes::UNCLOSED_BRACKET, here, message)
                    .here(format!("a `{wanted}` belongs here"))
                    .label(place, "opened here")
                    .help(format!("write `{wanted}` in place of `{text}`"))
                    .guess(here, wanted);
                self.out.problems.push(problem);
                self.stack.pop();
                self.keep(index);
            }
            _ => {
                let problem = Problem::new(
                    &codes::UNOPENED_BRACKET,
                    here,
                    format!("nothing is open that `{text}` could close"),
                )
                .help(format!("take the `{text}` away, or write the bracket that it should close"))
                .guess(here, "");
                self.out.problems.push(problem);
            }
        }
    }

    fn pop_unclosed(&mut self) {
        if let Some(frame) = self.stack.pop() {
            self.unclosed(&frame);
        }
    }

    fn unclosed(&mut self, frame: &Frame) {
        // The newline before what follows ends the item around.
        let newline = self.out.tokens.last().is_some_and(|token| token.kind == Kind::Newline);
        self.out.partner[frame.open] = (self.out.tokens.len() - usize::from(newline)).max(frame.open + 1);
        let opened = self.out.tokens[frame.open];
        self.out.broken.push(opened.start);
        if self.out.problems.len() > MOST_BRACKETS {
            return;
        }
        let last =
            self.out.tokens.iter().rev().find(|t| t.kind != Kind::Newline).map_or(opened.end, |t| t.end);
        let close = closing_of(frame.symbol);
        let here = Span::new(self.source, opened.start, opened.end);
        let problem =
            Problem::new(&codes::UNCLOSED_BRACKET, here, format!("this `{}` is never closed", frame.symbol))
                .here("opened here")
                .label(Span::new(self.source, last, last), format!("`{close}` is missing, probably here"))
                .help(format!("write the `{close}` that belongs to it"))
                .guess(Span::new(self.source, last, last), if close == "}" { "\n}" } else { close });
        self.out.problems.push(problem);
    }

    /// The first token at or after `index` that is not a newline.
    fn solid(&mut self, index: usize) -> usize {
        if self.next_solid < index {
            let next = (index..self.input.len()).find(|&i| self.input[i].kind != Kind::Newline);
            self.next_solid = next.unwrap_or(self.input.len());
        }
        self.next_solid
    }

    fn newline(&mut self, index: usize) {
        let next = self.solid(index);
        let begins = self.begins_item(next);
        if begins {
            while self.stack.last().is_some_and(|frame| frame.soft) {
                self.pop_unclosed();
            }
        }
        let soft = self.stack.last().is_some_and(|frame| frame.soft);
        if begins || !(soft || self.goes_on() || self.carries_on(next)) {
            self.keep(index);
        }
    }

    /// True where the line that begins with token `next` must be a new item, although a bracket is open or an
    /// operator waits for its operand: no expression holds `name =` or a definition.
    fn begins_item(&self, next: usize) -> bool {
        let Some(last) = self.out.tokens.last() else { return false };
        let soft = self.stack.last().filter(|frame| frame.soft);
        let word = self.word(next);
        if last.kind == Kind::Newline || word.is_empty() || soft.is_none() && (last.is("{") || last.is(";")) {
            return false;
        }
        let equals = self.input.get(next + 1).is_some_and(|token| token.is("="));
        let named = self.input.get(next + 1).is_some_and(|token| token.kind == Kind::Word);
        let definition = matches!(word, "def" | "instrument" | "effect" | "section") && named;
        let formals = soft.is_some_and(|frame| frame.formals);
        let inside = soft.is_some() && (last.is(",") || last.is("("));
        let chain = last.kind == Kind::Word && last.text(self.text) == "chain";
        definition || equals && !formals && !inside && !chain
    }

    /// True when what stands before asks for more.
    fn goes_on(&self) -> bool {
        const OPERATORS: [&str; 27] = [
            "|>", "++", "<=", ">=", "==", "!=", "..", "&&", "||", "**", "<", ">", "=", "+", "-", "*", "/",
            "^", "(", "[", "{", ",", ".", ";", "->", "=>", "+=",
        ];
        match self.out.tokens.last() {
            None => true,
            Some(token) => match token.kind {
                Kind::Newline => true,
                Kind::Symbol(symbol) => OPERATORS.contains(&symbol) && !self.is_left_out(),
                Kind::Word => OPEN.contains(&token.text(self.text)),
                _ => false,
            },
        }
    }

    /// True where the item so far is a line of a variation that takes another out: `hh -`.
    fn is_left_out(&self) -> bool {
        let item = self.item();
        let path =
            |(i, token): (usize, &Token)| if i % 2 == 0 { token.kind == Kind::Word } else { token.is(".") };
        let Some((last, target)) = item.split_last().filter(|(last, _)| last.is("-")) else { return false };
        let Some(block) = self.stack.last().filter(|frame| frame.symbol == "{") else { return false };
        let before = &self.out.tokens[..block.open];
        let head =
            before.iter().rposition(|token| is_separator(token) || token.is("{")).map_or(0, |at| at + 1);
        let varies = before[head..].first().is_some_and(|token| token.text(self.text) == "section")
            && before[head..].iter().any(|token| token.is("="));
        varies && last.is("-") && target.len() % 2 == 1 && target.iter().enumerate().all(path)
    }

    /// True when the line that begins with token `next` belongs to the item before it.
    fn carries_on(&self, next: usize) -> bool {
        let Some(token) = self.input.get(next) else { return true };
        token.is("|>")
            || closing(token).is_some()
            || CONTINUES.contains(&self.word(next))
            || token.is("{") && self.is_head()
            || token.is(".") && !self.word(next + 1).is_empty()
    }

    /// The tokens of the item that is open here.
    fn item(&self) -> &[Token] {
        &self.out.tokens[self.start.min(self.out.tokens.len())..]
    }

    /// True when the item so far may be the head of a block, whose brace may stand in the next line.
    fn is_head(&self) -> bool {
        let item = self.item();
        let head = item.first().is_some_and(|token| {
            let word = token.text(self.text);
            matches!(word, "def" | "instrument" | "effect" | "play" | "section")
                || word == "matrix" && item.len() == 1
        });
        head && !item.iter().any(|token| token.is("=") || token.kind == Kind::Tab)
    }

    /// Ends an item before a token that can only begin another one, which should stand in a line of its own.
    fn split(&mut self, index: usize) {
        let token = self.input[index];
        let Some(what) = self.second(index) else { return };
        let here = Span::new(self.source, token.start, token.end);
        let message = format!("a second {what} begins in this line");
        let problem = Problem::new(&codes::TWO_IN_ONE, here, message)
            .help(format!("write each {what} in a line of its own, or `;` between the two"));
        // `bd |x...|, hh |..x.|`
        while self.out.tokens.last().is_some_and(|last| last.is(",")) {
            self.out.tokens.pop();
            self.out.partner.pop();
        }
        let end = self.out.tokens.last().map_or(token.start, |last| last.end);
        let gap = Span::new(self.source, end, token.start);
        self.out.problems.push(problem.fix(gap, " ; "));
        self.out.partner.push(self.out.tokens.len());
        self.out.tokens.push(Token { kind: Kind::Newline, start: token.start, end: token.start });
        self.start = self.out.tokens.len();
    }

    /// What begins at a token within an item, if it cannot belong to it: a line of the score or an equation.
    fn second(&self, index: usize) -> Option<&'static str> {
        const PARTS: [&str; 6] = ["by", "over", "curve", "step", "smooth", "cc"];
        let (word, last) = (self.word(index), *self.out.tokens.last()?);
        let soft = self.stack.last().is_some_and(|frame| frame.soft);
        if word.is_empty() || soft || last.kind == Kind::Newline {
            return None;
        }
        let joins = |word| RESERVED.contains(&word) && !matches!(word, "in" | "out") || PARTS.contains(&word);
        let ends = match last.kind {
            Kind::Word => !joins(last.text(self.text)),
            Kind::Number | Kind::Text | Kind::Tab => true,
            _ => last.is(")") || last.is("]") || last.is(",") && self.is_line(),
        };
        if !ends || joins(word) {
            return None;
        }
        let path = self.path(index);
        let next = self.input.get(path)?;
        if matches!(next.kind, Kind::Tab | Kind::Text) {
            return self.is_line().then_some("line of the score");
        }
        let equation = next.is("=") && path == index + 1 && last.kind != Kind::Tab;
        (equation && self.is_equation()).then_some("equation")
    }

    /// The token after the names and points that begin at one.
    fn path(&self, from: usize) -> usize {
        let mut at = from + 1;
        while self.input.get(at).is_some_and(|token| token.is(".")) && !self.word(at + 1).is_empty() {
            at += 2;
        }
        at
    }

    /// True when the item so far begins as a line of the score.
    fn is_line(&self) -> bool {
        let item = self.item();
        let word = |at: usize| item.get(at).is_some_and(|token| token.kind == Kind::Word);
        let mut at = 1;
        while at < LONGEST_PATH && item.get(at).is_some_and(|token| token.is(".")) && word(at + 1) {
            at += 2;
        }
        word(0) && item.get(at).is_some_and(|token| matches!(token.kind, Kind::Tab | Kind::Text))
    }

    /// True when the item so far is an equation.
    fn is_equation(&self) -> bool {
        let item = self.item();
        item.first().is_some_and(|token| token.kind == Kind::Word)
            && item.get(1).is_some_and(|token| token.is("="))
    }

    fn close_forced(&mut self, index: usize) {
        while self.stack.last().is_some_and(|frame| self.forced.get(&frame.origin) == Some(&index)) {
            self.pop_unclosed();
        }
    }

    /// The outermost brace that is still open at the end, and the token before which its block ends by its
    /// indentation: the first line that stands no deeper than the one that opened it.
    fn missing_brace(&self) -> Option<(usize, usize)> {
        let open = self.left_open?;
        if self.forced.contains_key(&open) {
            return None;
        }
        let limit = self.column(self.input[open].start);
        let starts = |i: &usize| {
            self.input[*i].kind != Kind::Newline
                && self.input[i - 1].kind == Kind::Newline
                && closing(&self.input[*i]).is_none()
                && self.column(self.input[*i].start) <= limit
        };
        (open + 1..self.input.len()).find(starts).map(|end| (open, end))
    }

    /// The indentation of the line of a byte.
    fn column(&self, byte: usize) -> usize {
        let start = self.text[..byte].rfind('\n').map_or(0, |i| i + 1);
        self.text[start..].bytes().take_while(|b| matches!(b, b' ' | b'\t')).count()
    }

    fn finish(mut self) -> Layout {
        self.out.text = vec![b' '; self.text.len()];
        for token in &self.out.tokens {
            let place = token.start..token.end;
            // Where an item was split, the blank before its second part separates the two.
            if place.is_empty() && place.start > 0 && self.text[..place.start].ends_with(' ') {
                self.out.text[place.start - 1] = b';';
            }
            self.out.text[place.clone()].copy_from_slice(&self.text.as_bytes()[place]);
        }
        self.out.broken.sort_unstable();
        self.out
    }
}

/// The opening bracket that a closing one belongs to.
pub(super) fn closing(token: &Token) -> Option<&'static str> {
    match token.kind {
        Kind::Symbol(")") => Some("("),
        Kind::Symbol("]") => Some("["),
        Kind::Symbol("}") => Some("{"),
        _ => None,
    }
}

fn closing_of(symbol: &str) -> &'static str {
    match symbol {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}
