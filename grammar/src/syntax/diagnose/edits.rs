//! What may have been meant by an item that cannot be read: changes of its text, tried with the grammar.
//!
//! Each is a guess from what stands around the place where the grammar stopped. Only one that the grammar accepts becomes the
//! fix of the problem.

use super::{Diagnosis, ends_operand};
use crate::foreign::is_modifier;
use crate::problem::Problem;
use crate::source::Span;
use crate::syntax::codes;
use crate::syntax::grammar::MamParser;
use crate::syntax::scan::{Kind, Token};
use pest::Parser;
use std::ops::Range;

/// A change of the item's text: from, to, and what is written in between.
pub(super) type Edit = (usize, usize, String);

/// Items longer than this are not read again to try a fix.
const LONGEST_ATTEMPT: usize = 4_096;

impl<'a> Diagnosis<'a> {
    /// True when the text has an equation for what is heard.
    pub(super) fn defines_out(&self) -> bool {
        let tokens = &self.layout.tokens;
        let out = |pair: &[Token]| {
            pair[0].kind == Kind::Word && pair[0].text(self.text) == "out" && pair[1].is("=")
        };
        tokens.windows(2).any(out)
    }

    /// The fix for a line that begins with an operator: the operator ends the line before.
    pub(super) fn join_lines(&self, problem: Problem, symbol: &str) -> Problem {
        const JOINS: [&str; 13] = ["+", "++", "-", "*", "/", "^", "<", "<=", ">", ">=", "==", "!=", ","];
        let start = self.tokens.start;
        let tokens = &self.layout.tokens;
        let (Some(last), Some(first)) = (start.checked_sub(2).map(|at| tokens[at]), tokens.get(start)) else {
            return problem;
        };
        let between = &self.text[last.end..first.start];
        if !JOINS.contains(&symbol) || !between.trim().is_empty() || !ends_operand(&last, self.text) {
            return problem;
        }
        let span = Span::new(self.source, last.end, first.end);
        problem.guess(span, format!(" {symbol}{between}"))
    }

    /// ` -- ` before words: a comment of other languages.
    pub(super) fn comment(&self, here: usize) -> Option<Problem> {
        let tokens = &self.layout.tokens;
        let dashes = |&at: &usize| {
            self.is(at, "-")
                && self.is(at + 1, "-")
                && tokens[at].end == tokens[at + 1].start
                && self.text[tokens[at + 1].end..].starts_with(' ')
        };
        let at = (self.tokens.start..here.min(self.tokens.end)).find(dashes)?;
        let (start, end) = (tokens[at].start, tokens[at + 1].end);
        let item_end = self.layout.bytes(&self.tokens).end;
        self.accepted(start, item_end, "").then(|| {
            Problem::new(
                &codes::FOREIGN_COMMENT,
                Span::new(self.source, start, item_end),
                "`--` does not begin a comment",
            )
            .help("a comment begins with `//` and goes to the end of the line")
            .fix(Span::new(self.source, start, end), "//")
        })
    }

    /// True when the grammar reads the item with `replacement` in place of `start..end`.
    pub(super) fn accepted(&self, start: usize, end: usize, replacement: &str) -> bool {
        let bytes = self.layout.bytes(&self.tokens);
        if bytes.len() > LONGEST_ATTEMPT || start < bytes.start || end > bytes.end {
            return false;
        }
        let piece = |range: Range<usize>| String::from_utf8_lossy(&self.layout.text[range]).into_owned();
        let text = [&*piece(bytes.start..start), replacement, &*piece(end..bytes.end)].concat();
        MamParser::parse(self.rule, &text).is_ok()
    }

    /// The problem with the first of some edits that the grammar accepts as its fix.
    pub(super) fn attempt(&self, problem: Problem, edits: impl IntoIterator<Item = Edit>) -> Problem {
        match edits.into_iter().find(|(start, end, meant)| self.accepted(*start, *end, meant)) {
            Some((start, end, meant)) => problem.guess(Span::new(self.source, start, end), meant),
            None => problem,
        }
    }

    /// `a if condition else b`
    pub(super) fn postfix_if(&self, here: usize) -> Option<Problem> {
        let other = (here..self.tokens.end).find(|&at| self.word(at) == "else")?;
        let apart = |token: &Token| token.is("=") || token.is(",") || token.is("(");
        let mut first = self.tokens.start;
        for at in self.tokens.clone().take_while(|&at| at < here) {
            let inner = self.layout.partner[at] > at && self.layout.partner[at] < here;
            let inside = self.layout.partner[at] < at && self.layout.partner[at] >= first;
            if self.get(at).is_some_and(apart) && !inner && !inside && !self.within(first, at, here) {
                first = at + 1;
            }
        }
        if self.word(here) != "if" || first >= here || here + 1 >= other || other + 1 >= self.tokens.end {
            return None;
        }
        let text =
            |from: usize, to: usize| &self.text[self.span(from).range().start..self.span(to - 1).range().end];
        let (value, condition, rest) = (text(first, here), text(here + 1, other), self.rest(other + 1));
        let message = "a choice begins with its `if`";
        let problem = Problem::new(&codes::MISSING_OPERATOR, self.span(here), message)
            .help(format!("write `if {condition} then {value} else …`"));
        let (start, end) = (self.span(first).start as usize, self.layout.bytes(&self.tokens).end);
        Some(self.attempt(problem, [(start, end, format!("if {condition} then {value} else {rest}"))]))
    }

    /// True where a bracket between `first` and `at` is open at `at` and closed before `here`.
    fn within(&self, first: usize, at: usize, here: usize) -> bool {
        (first..at).any(|open| {
            let partner = self.layout.partner[open];
            partner > at && partner < here
        })
    }

    pub(super) fn before_item(&self, text: &str) -> Edit {
        let start = self.layout.bytes(&self.tokens).start;
        (start, start, text.to_owned())
    }

    /// The text of the item from a token on.
    pub(super) fn rest(&self, from: usize) -> &'a str {
        let bytes = self.layout.bytes(&self.tokens);
        self.get(from).map_or("", |token| &self.text[token.start..bytes.end])
    }

    /// What may have been meant by what stands after a pattern: a modifier without its point, or nothing.
    pub(super) fn after_pattern(&self, here: usize) -> Vec<Edit> {
        let Some(token) = self.get(here) else { return Vec::new() };
        let end = self.layout.bytes(&self.tokens).end;
        let before = here.checked_sub(1).and_then(|at| self.get(at)).map_or(token.start, |before| before.end);
        let mut edits = Vec::new();
        let number = self.get(here + 1).filter(|next| next.kind == Kind::Number);
        if let Some(number) = number {
            let value = number.text(self.text);
            let meant = match self.word(here) {
                _ if self.is(here, "@") => Some(format!(".vel({value})")),
                _ if self.is(here, "+") => Some(format!(".add({value})")),
                _ if self.is(here, "-") => Some(format!(".sub({value})")),
                _ if self.is(here, "*") => Some(format!(".fast({value})")),
                _ if self.is(here, "/") => Some(format!(".slow({value})")),
                word if is_modifier(word) || word == "vel" => Some(format!(".{word}({value})")),
                _ => None,
            };
            edits.extend(meant.map(|meant| (before, number.end, meant)));
        }
        if here >= 2 && self.is(here - 2, ".") && !self.word(here - 1).is_empty() {
            // `.inside 2 rev`: the arguments of a modifier, without their brackets.
            let written = |at: usize| self.get(at).map_or("", |token| &self.text[token.start..token.end]);
            let all: Vec<&str> = (here..self.tokens.end).map(written).collect();
            edits.push((before, token.end, format!("({})", written(here))));
            edits.push((before, end, format!("({})", all.join(", "))));
        }
        edits.extend([
            (token.start, token.start, ".".to_owned()),
            (token.start, token.end, ".".to_owned()),
            (before, end, String::new()),
        ]);
        edits
    }

    /// What may have been meant by a statement that is not in its form, the most likely first.
    pub(super) fn form_edits(&self, word: &str, here: usize) -> Vec<Edit> {
        let start = self.tokens.start;
        let end = self.layout.bytes(&self.tokens).end;
        let rest = self.rest(start + 1);
        let from = end - rest.len();
        let whole = |text: String| (from, end, text);
        let (place, before) = match (self.get(here), here.checked_sub(1).and_then(|at| self.get(at))) {
            (Some(token), before) => (token.start, before.map_or(token.start, |before| before.end)),
            (None, _) => (end, end),
        };
        let insert = |text: &str| (place, place, text.to_owned());
        let bare =
            rest.trim_start_matches(['=', ':', ' ']).trim_matches(['"', '\'', '(', ')', '[', ']', ' ']);
        let numbers: Vec<&str> =
            bare.split(|c: char| !c.is_ascii_digit() && c != '.').filter(|n| !n.is_empty()).collect();
        let first = numbers.first().copied().unwrap_or_default();
        let mut edits = Vec::new();
        match word {
            "tempo" | "seed" | "channels" | "length" | "swing" | "until" | "latency" | "input"
            | "default" => {
                edits.extend([whole(bare.to_owned()), (before, end, String::new()), whole(first.to_owned())]);
            }
            "meter" => {
                let unit = numbers.get(1).copied().unwrap_or("4");
                edits.push(whole(format!("{first}/{unit}")));
            }
            "use" | "title" => edits.push(whole(format!("\"{bare}\""))),
            "param" | "knob" => {
                let low =
                    rest.split(" in ").nth(1).and_then(|range| range.split("..").next()).unwrap_or("0.5");
                edits.extend([insert("= "), insert(" exp"), insert("in ")]);
                edits.push(insert(&format!("= {} ", low.trim())));
                edits.push((end, end, " = 0.5 in 0..1".to_owned()));
                let values: Vec<&str> = (here..self.tokens.end)
                    .filter_map(|at| self.get(at).filter(|token| token.kind == Kind::Number))
                    .map(|token| token.text(self.text))
                    .collect();
                if let [a, b] = values[values.len().saturating_sub(2)..] {
                    edits.push((before, end, format!(" in {a}..{b}")));
                }
                edits.push((before, end, String::new()));
            }
            "play" => {
                edits.extend(arranged(rest).map(whole));
                edits.push(whole(format!("{{ {rest} }}")));
            }
            "section" => {
                // A variation has no length of its own: the block follows the name.
                let block = (here..self.tokens.end).find(|&at| self.is(at, "{")).and_then(|at| self.get(at));
                edits.push((place, block.map_or(end, |block| block.start), String::new()));
                // `section b 2 bars = a`
                if let Some((name, of)) = rest.split_once('=') {
                    let name = name.split_whitespace().next().unwrap_or_default();
                    edits.push(whole(format!("{name} = {}", of.trim())));
                }
                edits.extend([whole(rest.replacen('"', "", 2)), whole(rest.replacen(" = ", " ", 1))]);
                edits.extend([insert(" 4 bars "), insert(" { }"), (end, end, " 4 bars".to_owned())]);
            }
            _ => edits.extend(self.head_edits(here, end, before)),
        }
        edits
    }

    /// The same for the head of a definition.
    pub(super) fn head_edits(&self, here: usize, end: usize, before: usize) -> Vec<Edit> {
        let Some(token) = self.get(here) else {
            return vec![(end, end, " = 0".to_owned()), (end, end, " { out = 0 }".to_owned())];
        };
        let mut edits: Vec<Edit> =
            ["= ", "() ", ", ", "name "].map(|text| (token.start, token.start, text.to_owned())).into();
        edits.push((token.start, token.end, "=".to_owned()));
        edits.push((before, token.end, String::new()));
        if let Some(close) = self.get(self.layout.partner[here]).filter(|_| self.layout.partner[here] > here)
        {
            edits.push((before, close.end, String::new()));
        }
        if let Some(equals) = (here..self.tokens.end).find(|&at| self.is(at, "=")) {
            // `def f x y = …`
            let formals: Vec<&str> =
                (here..equals).map(|at| self.word(at)).filter(|word| !word.is_empty()).collect();
            edits.push((before, self.span(equals).start as usize, format!("({}) ", formals.join(", "))));
        }
        edits
    }
}

/// Sections in turn, with groups of them and commas between: `(a b)*2, c`, as an arrangement has them, `a b a b c`.
fn arranged(text: &str) -> Option<String> {
    /// Sections that are still written out.
    const MOST: usize = 64;
    let marks = ['(', ')', '[', ']', '*', '!', ','];
    let spaced: String =
        text.chars().flat_map(|c| if marks.contains(&c) { vec![' ', c, ' '] } else { vec![c] }).collect();
    let words: Vec<&str> = spaced.split_whitespace().filter(|word| *word != ",").collect();
    // What is open: the parts so far, and those of the last one.
    let mut open: Vec<Vec<String>> = vec![vec![]];
    let mut last: Vec<String> = vec![];
    let mut at = 0;
    while let Some(&word) = words.get(at) {
        match word {
            "(" | "[" => open.push(vec![]),
            ")" | "]" => {
                last = open.pop()?;
                open.last_mut()?.extend(last.iter().cloned());
            }
            "*" | "!" => {
                at += 1;
                let times: usize = words.get(at)?.parse().ok().filter(|times| (1..=MOST).contains(times))?;
                let parts = open.last_mut()?;
                (1..times).for_each(|_| parts.extend(last.iter().cloned()));
            }
            name if crate::syntax::is_name(name) => {
                last = vec![name.to_owned()];
                open.last_mut()?.extend(last.iter().cloned());
            }
            _ => return None,
        }
        if open.iter().map(Vec::len).sum::<usize>() > MOST {
            return None;
        }
        at += 1;
    }
    match &open[..] {
        [all] if !all.is_empty() => Some(all.join(" ")),
        _ => None,
    }
}
