//! What people write out of habit from other languages, or by a typing error, and what they meant.
//!
//! Each mistake is reported at its place, and what was meant takes its place in the text for the grammar, in the same
//! number of bytes: so the rest of the item is read as if it had been right, and its other mistakes are found too.
//! Where no such text exists the item becomes an error node: the grammar will refuse it, and no more is said of it.

mod idioms;
mod lines;
mod loops;
mod marks;
mod numbers;
mod unquoted;
mod words;

use super::codes;
use super::layout::{Layout, is_separator};
use super::scan::{Kind, Scanned, Token};
use super::words::is_letter;
use crate::problem::{Code, Problem};
use crate::source::{SourceId, Span};
use std::cell::OnceCell;
use std::collections::BTreeSet;

/// Finds the mistakes of a text and repairs them in the layout.
pub(super) fn find(
    source: SourceId,
    text: &str,
    scanned: &Scanned,
    layout: &mut Layout,
    most: usize,
) -> Vec<Problem> {
    let tokens = std::mem::take(&mut layout.tokens);
    let mut mistakes = Mistakes {
        source,
        text,
        tokens: &tokens,
        layout,
        starts: vec![0],
        done: 0,
        problems: Vec::new(),
        most,
        defined: OnceCell::new(),
    };
    mistakes.marks(scanned);
    for (index, token) in tokens.iter().enumerate() {
        mistakes.follow(index);
        if token.start >= mistakes.done {
            mistakes.token(index);
        }
        if mistakes.problems.len() >= most {
            break;
        }
    }
    let problems = mistakes.problems;
    layout.tokens = tokens;
    layout.broken.sort_unstable();
    problems
}

struct Mistakes<'a> {
    source: SourceId,
    text: &'a str,
    tokens: &'a [Token],
    layout: &'a mut Layout,
    /// The first token of each item that is open here, the innermost last.
    starts: Vec<usize>,
    /// Tokens that begin before this byte have been dealt with.
    done: usize,
    problems: Vec<Problem>,
    most: usize,
    /// The names that the text defines, once they have been asked for.
    defined: OnceCell<BTreeSet<&'a str>>,
}

impl<'a> Mistakes<'a> {
    fn report(&mut self, problem: Problem) {
        if self.problems.len() < self.most {
            self.problems.push(problem);
        }
    }

    fn problem(&self, code: &'static Code, start: usize, end: usize, message: impl Into<String>) -> Problem {
        Problem::new(code, Span::new(self.source, start, end), message)
    }

    /// Writes `meant` into `start..end`, filled up with spaces before it.
    fn repair(&mut self, start: usize, end: usize, meant: &str) {
        let room = &mut self.layout.text[start..end];
        match room.len().checked_sub(meant.len()) {
            Some(spaces) => {
                room.fill(b' ');
                room[spaces..].copy_from_slice(meant.as_bytes());
            }
            None => self.layout.broken.push(start),
        }
    }

    fn at(&self, index: usize) -> Option<&'a Token> {
        self.tokens.get(index)
    }

    fn before(&self, index: usize) -> Option<&'a Token> {
        index.checked_sub(1).and_then(|before| self.tokens.get(before))
    }

    fn word(&self, index: usize) -> &'a str {
        match self.at(index) {
            Some(token) if token.kind == Kind::Word => token.text(self.text),
            _ => "",
        }
    }

    fn is(&self, index: usize, symbol: &str) -> bool {
        self.at(index).is_some_and(|token| token.is(symbol))
    }

    /// True when nothing stands between a token and the next.
    fn touches(&self, index: usize) -> bool {
        match (self.at(index), self.at(index + 1)) {
            (Some(token), Some(next)) => token.end == next.start,
            _ => false,
        }
    }

    /// True when an item begins with this token.
    fn starts_item(&self, index: usize) -> bool {
        self.before(index).is_none_or(|token| is_separator(token) || token.is("{"))
    }

    fn begins_operand(&self, index: usize) -> bool {
        match self.at(index) {
            Some(token) => match token.kind {
                Kind::Number | Kind::Text => true,
                Kind::Word => !JOINS.contains(&token.text(self.text)),
                Kind::Symbol(symbol) => matches!(symbol, "(" | "[" | "{"),
                _ => false,
            },
            None => false,
        }
    }

    /// Keeps track of the items around the token at `index`.
    fn follow(&mut self, index: usize) {
        let token = self.tokens[index];
        if is_separator(&token) {
            self.starts.pop();
            self.starts.push(index + 1);
        } else if token.is("{") {
            self.starts.push(index + 1);
        } else if token.is("}") && self.starts.len() > 1 {
            self.starts.pop();
        }
    }

    /// True where the item around is a line of a matrix.
    fn in_matrix(&self) -> bool {
        let around = self.starts.len().checked_sub(2).map(|around| self.starts[around]);
        around.is_some_and(|start| self.word(start) == "matrix" && self.is(start + 1, "{"))
    }

    /// The first token of the item around.
    fn start(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// What the scanner noticed: comments of other languages, and what is not closed.
    fn marks(&mut self, scanned: &Scanned) {
        for &(start, end) in scanned.foreign_comments.iter().take(self.most) {
            if self.joined(start, end) || self.directive(start, end) {
                continue;
            }
            let comment = &self.text[start..end];
            let mark = ["/*", "--", ";;", "%", "#"]
                .into_iter()
                .find(|mark| comment.starts_with(mark))
                .unwrap_or("#");
            let mut problem = self.foreign_comment(start, end, mark);
            // What follows in the last line would become a part of the comment.
            let rest = self.text[end..].lines().next().unwrap_or_default();
            if rest.trim().is_empty() {
                problem = problem.fix(Span::new(self.source, start, end), line_comments(comment, mark));
            }
            self.report(problem);
        }
        for &start in scanned.unclosed.iter().take(self.most) {
            self.unclosed(start);
        }
    }

    /// A comment of another language, which begins with `mark`.
    fn foreign_comment(&self, start: usize, end: usize, mark: &str) -> Problem {
        let message = format!("`{mark}` does not begin a comment");
        let problem = self.problem(&codes::FOREIGN_COMMENT, start, end, message);
        problem.help("a comment begins with `//` and goes to the end of the line")
    }

    /// A quoted text or a tab that its line does not close: it ends there.
    fn unclosed(&mut self, start: usize) {
        let Ok(index) = self.tokens.binary_search_by_key(&start, |token| token.start) else { return };
        let token = self.tokens[index];
        let (mark, what) = if token.kind == Kind::Tab { ("|", "tab") } else { ("\"", "quotation") };
        let code = if token.kind == Kind::Tab { &codes::UNCLOSED_TAB } else { &codes::UNCLOSED_QUOTE };
        let end = start + token.text(self.text).trim_end().len();
        let problem =
            self.problem(code, start, start + 1, format!("this {what} is never closed")).here("opened here");
        let place = Span::new(self.source, end, end);
        self.report(
            problem
                .label(place, format!("`{mark}` is missing"))
                .help(format!("write `{mark}` where it ends"))
                .guess(place, mark),
        );
        if end > start + 1 && self.text.is_char_boundary(end - 1) {
            self.layout.text[end - 1] = mark.as_bytes()[0];
        } else {
            self.layout.broken.push(start);
        }
    }

    fn token(&mut self, index: usize) {
        match self.tokens[index].kind {
            Kind::Number => self.number(index),
            Kind::Symbol(symbol) => self.symbol(index, symbol),
            Kind::Stray => self.stray(index),
            Kind::Word if self.starts_item(index) && !self.in_matrix() => self.item(index),
            Kind::Word => self.name(index),
            Kind::Text if self.in_score() && self.starts_item(index) => self.untargeted(index),
            Kind::Text => self.foreign_quotes(index),
            Kind::Tab if self.starts_item(index) => {
                let token = self.tokens[index];
                // `{ |freq| … }`
                let arguments = !self.in_score() && self.before(index).is_some_and(|before| before.is("{"));
                self.report(match arguments {
                    true => self
                        .problem(&codes::FOREIGN_OPERATOR, token.start, token.end, "no arguments stand in braces")
                        .help("a function of signals is `def f(freq) = sine(freq)`; what plays notes is an `instrument`"),
                    false => self
                        .problem(&codes::NO_TARGET, token.start, token.end, "this tab has no target")
                        .help("write what it plays before it, in the same line: `bd |x...|`"),
                });
                self.layout.broken.push(token.start);
            }
            _ => {}
        }
    }

    fn symbol(&mut self, index: usize, symbol: &'static str) {
        let token = self.tokens[index];
        let touching = self.touches(index).then(|| self.tokens[index + 1]);
        let then = |mark: &str| touching.filter(|next| next.is(mark));
        match symbol {
            // Most are what they are.
            "," | ")" | "]" | "{" | "}" | "+" | "-" | "*" | "/" | "|>" | ".." => {}
            "." if touching.is_some_and(|next| next.kind == Kind::Number) && !self.follows_operand(index) => {
                self.bare_point(index);
            }
            "." if self.method_of_number(index) || self.called_clause(index) => {}
            "&&" => self.logic(token, "and"),
            "||" => self.logic(token, "or"),
            "!" if self.stands_behind(index) && self.begins_operand(index + 1) => self.copies(index),
            "!" => self.foreign(token.start, token.end, "not", "-"),
            "**" => self.foreign(token.start, token.end, "^", "^"),
            "%" if !self.is_unit_apart(index) => self.remainder(token.start, token.end),
            "<" if then(">").is_some() => self.foreign(token.start, token.end + 1, "!=", "!="),
            "==" if then("=").is_some() => self.foreign(token.start, token.end + 1, "==", "=="),
            "=" if then("<").is_some() => self.foreign(token.start, token.end + 1, "<=", "<="),
            "->" | ":" if self.in_matrix() => {}
            "=>" if self.in_matrix() => self.foreign(token.start, token.end, "->", "->"),
            ":" if then("=").is_some() && self.starts_item(index.saturating_sub(1)) => {
                self.foreign(token.start, token.end + 1, "=", "=");
            }
            ":" if then(">").is_some() => self.faust(token.start, ":>"),
            ":" => self.colon(index),
            "?" => self.ternary(index),
            "->" | "=>" if self.lambda(index) => {}
            "->" | "=>" if self.function_value(index) || self.arrow_of_def(index) => {}
            "->" | "=>" if self.flows(index) => self.flow(token.start, token.end),
            "->" | "=>" if self.connected(index) => {}
            ">" if then(">").is_some() && self.calls(index + 1) => self.flow(token.start, token.end + 1),
            "=>" => self.foreign(token.start, token.end, ">=", ">="),
            "<" if then(":").is_some() => self.faust(token.start, "<:"),
            "|" if self.closure(index) => {}
            "|" if self.stands_behind(index) && self.calls(index) => self.flow(token.start, token.end),
            "[" if self.follows_operand(index) && self.sample_before(index) => {}
            "(" if self.head_brackets(index) || self.patterns_in(index) => {}
            "+=" | "-=" | "*=" | "->" => {
                let message = format!("`{symbol}` is not an operator");
                let problem = self.problem(&codes::FOREIGN_OPERATOR, token.start, token.end, message);
                self.report(
                    problem.help("an equation defines its name once, for all time: `name = expression`"),
                );
                self.layout.broken.push(token.start);
            }
            // After a brace it may be the value of a `sum`.
            "==" if self.defines(index) && !self.is(index.wrapping_sub(2), "{") => {
                let problem =
                    self.problem(&codes::EQUALS, token.start, token.end, "`==` compares, `=` defines");
                let span = Span::new(self.source, token.start, token.end);
                self.report(problem.help("write `=`").fix(span, "="));
                self.repair(token.start, token.end, "=");
            }
            "=" => self.equals(index),
            _ => {}
        }
    }

    fn follows_operand(&self, index: usize) -> bool {
        self.before(index).is_some_and(|token| {
            token.end == self.tokens[index].start
                && (matches!(token.kind, Kind::Word | Kind::Number)
                    || token.is(")")
                    || token.is("]")
                    || token.is("}"))
        })
    }

    /// `.5`
    fn bare_point(&mut self, index: usize) {
        let (point, number) = (self.tokens[index], self.tokens[index + 1]);
        let text = number.text(self.text);
        let message = "a number has digits on both sides of its point";
        let problem = self.problem(&codes::OPEN_POINT, point.start, number.end, message);
        let span = Span::new(self.source, point.start, point.end);
        self.report(problem.help(format!("write `0.{text}`")).fix(span, "0."));
        let room = self.text[..point.start].ends_with(' ');
        self.repair(point.start - usize::from(room), number.end, &format!("0.{text}"));
    }

    fn is_unit_apart(&self, index: usize) -> bool {
        self.before(index).is_some_and(|token| token.kind == Kind::Number) && !self.begins_operand(index + 1)
    }

    fn remainder(&mut self, start: usize, end: usize) {
        let problem = self.problem(
            &codes::FOREIGN_OPERATOR,
            start,
            end,
            "`%` is the unit of hundredths, not the remainder",
        );
        let span = Span::new(self.source, start, end);
        self.report(problem.help("write `a mod b`").fix(span, self.spaced(start, end, "mod")));
        self.repair(start, end, "*");
    }

    fn foreign(&mut self, start: usize, end: usize, meant: &str, repaired: &str) {
        self.done = end;
        let written = &self.text[start..end];
        let problem =
            self.problem(&codes::FOREIGN_OPERATOR, start, end, format!("`{written}` is not an operator"));
        let span = Span::new(self.source, start, end);
        self.report(problem.help(format!("write `{meant}`")).fix(span, self.spaced(start, end, meant)));
        self.repair(start, end, repaired);
    }

    /// True where a signal was meant to go on to what is called: `x -> lowpass(800Hz)` in an equation.
    fn flows(&self, index: usize) -> bool {
        let called = self.calls(index);
        let equation = (self.start()..index).any(|at| self.is(at, "="));
        let condition = (self.start()..index).any(|at| self.word(at) == "if");
        called && equation && !condition
    }

    /// Faust's marks for splitting and merging signals.
    fn faust(&mut self, start: usize, mark: &str) {
        let problem =
            self.problem(&codes::FOREIGN_OPERATOR, start, start + 2, format!("`{mark}` is not an operator"));
        self.report(problem.help(
            "a signal that goes to several places has a name, which is used in each; signals are merged with `+`, and two sides are `(l, r)`",
        ));
        self.layout.broken.push(start);
        self.done = start + 2;
    }

    /// What is to stand in `start..end`, with blanks where a word would touch another.
    fn spaced(&self, start: usize, end: usize, meant: &str) -> String {
        let letter = |byte: Option<&u8>| byte.is_some_and(|&b| is_letter(b));
        let (bytes, word) = (self.text.as_bytes(), meant.bytes().all(is_letter));
        let before = word && letter(bytes.get(start.wrapping_sub(1)));
        let after = word && bytes.get(end).is_some_and(|b| !b.is_ascii_whitespace());
        let blank = |is| if is { " " } else { "" };
        format!("{}{meant}{}", blank(before), blank(after))
    }

    fn logic(&mut self, token: Token, meant: &str) {
        let spaced = |byte: Option<&u8>| byte.is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_');
        let bytes = self.text.as_bytes();
        let apart = spaced(bytes.get(token.start.wrapping_sub(1))) && spaced(bytes.get(token.end));
        self.foreign(token.start, token.end, meant, if apart { "or" } else { "broken" });
    }

    /// True for the mark after the name at the start of an item.
    fn defines(&self, index: usize) -> bool {
        let named = index.checked_sub(1).filter(|&name| !self.word(name).is_empty());
        named.is_some_and(|name| {
            self.starts_item(name)
                || matches!(self.word(name.wrapping_sub(1)), "param" | "knob")
                    && self.starts_item(name.wrapping_sub(1))
        })
    }

    /// An `=` that defines nothing.
    fn equals(&mut self, index: usize) {
        let token = self.tokens[index];
        let before = index.wrapping_sub(1);
        let named = !self.word(before).is_empty();
        if self.starts_item(index)
            || self.defines(index)
            || named && self.word(before.wrapping_sub(1)) == "chain"
            || self.is_in_head(index)
        {
            return;
        }
        let called = self.is(before.wrapping_sub(1), "(") || self.is(before.wrapping_sub(1), ",");
        if named && called && self.is_in_call(index) {
            let name = self.word(before);
            let message = "a named argument has a `:` after its name";
            let problem = self.problem(&codes::ARGUMENT_EQUALS, token.start, token.end, message);
            let gap = Span::new(self.source, self.tokens[before].end, token.end);
            self.report(problem.help(format!("write `{name}: …`")).fix(gap, ":"));
            return self.repair(token.start, token.end, ":");
        }
        // Without another `=` before it, it was meant to define something: the grammar says what is wrong.
        let defined = (self.start()..index).any(|at| self.is(at, "="));
        if !defined && self.word(self.start()) != "until" {
            return;
        }
        let open = self.text.as_bytes().get(token.end) == Some(&b' ');
        let problem = self.problem(&codes::EQUALS, token.start, token.end, "`=` defines, `==` compares");
        let help = "write `==`; an equation of its own stands in its own line";
        self.report(problem.help(help).guess(Span::new(self.source, token.start, token.end), "=="));
        let (end, meant) = if open { (token.end + 1, "==") } else { (token.end, "<") };
        self.repair(token.start, end, meant);
    }

    /// True in the head of a `def`, where `=` gives a default or the body, and after two words at the start.
    fn is_in_head(&self, index: usize) -> bool {
        let start = self.start();
        match self.word(start) {
            "def" => self.formals().is_none_or(|formals| index < formals.end || index == formals.end + 1),
            "instrument" | "effect" if self.formals().is_some_and(|formals| formals.contains(&index)) => true,
            // The item is wrong from its start.
            _ => index == start + 2 && !self.word(start + 1).is_empty(),
        }
    }

    /// True when the innermost bracket around is that of a call.
    fn is_in_call(&self, index: usize) -> bool {
        let around = (self.start()..index).rev().find(|&at| {
            let partner = self.layout.partner[at];
            partner != at && partner > index
        });
        around.is_some_and(|open| self.is(open, "(") && !self.word(open.wrapping_sub(1)).is_empty())
    }

    /// The brackets behind the name of the definition around.
    fn formals(&self) -> Option<std::ops::Range<usize>> {
        let open = self.start() + 2;
        let defines = matches!(self.word(self.start()), "def" | "instrument" | "effect");
        (defines && self.is(open, "(")).then(|| open..self.layout.partner[open])
    }
}

/// A comment of another language as comments of this one, a line each.
fn line_comments(comment: &str, mark: &str) -> String {
    if mark != "/*" {
        return format!("//{}", comment.trim_start_matches(['#', '-', ';', '%']));
    }
    let inside = comment.trim_start_matches("/*").trim_end_matches("*/").trim();
    let lines = inside.lines().map(|line| format!("// {}", line.trim().trim_start_matches('*').trim()));
    lines.collect::<Vec<_>>().join("\n")
}

/// Words that join two operands, or stand after one: no operand begins with them.
const JOINS: [&str; 14] =
    ["then", "else", "and", "or", "mod", "in", "curve", "step", "smooth", "cc", "over", "at", "of", "by"];
