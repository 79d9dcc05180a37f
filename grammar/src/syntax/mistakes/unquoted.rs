//! Patterns among the arguments of modifiers that stand without their quotes: `.vel(1 0.5)`, `.every(<3 4>, rev)`.

use super::Mistakes;
use crate::foreign::{self, Role};
use crate::source::Span;
use crate::syntax::codes;
use crate::syntax::scan::Kind;
use std::ops::Range;

impl Mistakes<'_> {
    /// Reports the patterns without quotes among the arguments for which a bracket opens in a line of a score.
    pub(super) fn patterns_in(&mut self, open: usize) -> bool {
        let (callee, close) = (open.wrapping_sub(1), self.layout.partner[open]);
        let called = self.in_score() && !self.word(callee).is_empty() && !self.starts_item(callee);
        if !called || !self.is(close, ")") {
            return false;
        }
        let named = self.word(callee) == "set";
        let mut found = false;
        for argument in self.arguments(open + 1..close) {
            let name = named && !self.word(argument.start).is_empty() && self.is(argument.start + 1, ":");
            let value = if name { argument.start + 2..argument.end } else { argument };
            // `.scale(c:minor)`: only `.set` has names for its arguments.
            let note = !named && is_note(self.word(value.start)) && self.is(value.start + 1, ":");
            if value.is_empty() || !note && !self.is_pattern(&value) {
                continue;
            }
            let (start, end) = (self.tokens[value.start].start, self.tokens[value.end - 1].end);
            // The words of a scale are one step, the numbers of its degrees are steps.
            let scale = self.word(callee) == "scale" && is_note(self.word(value.start));
            let words: Vec<&str> = self.text[start..end].split_whitespace().collect();
            let meant = format!("\"{}\"", words.join(if scale { ":" } else { " " }));
            let problem = self
                .problem(&codes::LINE_FORM, start, end, "a pattern in an argument stands in quotes")
                .help(format!("write `{meant}`"))
                .fix(Span::new(self.source, start, end), meant);
            self.report(problem);
            self.layout.broken.push(start);
            // The grammar must not read it as something else.
            self.layout.text[start] = b'?';
            self.done = end;
            found = true;
        }
        found
    }

    /// The arguments among some tokens. `<` and `>` are brackets, as nothing is compared in a score.
    fn arguments(&self, tokens: Range<usize>) -> Vec<Range<usize>> {
        let (mut all, mut depth) = (vec![], 0_usize);
        let (mut start, mut at) = (tokens.start, tokens.start);
        while at < tokens.end {
            if self.is(at, "<") {
                depth += 1;
            } else if self.is(at, ">") {
                depth = depth.saturating_sub(1);
            } else if self.is(at, ",") && depth == 0 {
                all.push(start..at);
                start = at + 1;
            }
            at = self.layout.after(at).max(at + 1);
        }
        all.push(start..tokens.end);
        all.retain(|argument| !argument.is_empty());
        all
    }

    /// Whether some tokens are steps of a pattern, and neither a value nor a change.
    fn is_pattern(&self, tokens: &Range<usize>) -> bool {
        let modifier = |word: &str| {
            !word.is_empty() && (foreign::find(Role::Modifier, word).is_some() || foreign::is_modifier(word))
        };
        let change = tokens.clone().any(|at| {
            let token = &self.tokens[at];
            matches!(token.kind, Kind::Text | Kind::Tab)
                || ["=>", "->", "|", "=", ":"].iter().any(|mark| token.is(mark))
                || self.word(at) == "if"
                || modifier(self.word(at))
        });
        if change {
            return false;
        }
        let rest = |at: usize| self.tokens[at].kind == Kind::Stray && self.tokens[at].text(self.text) == "~";
        let marked = self.is(tokens.start, "<")
            || self.is(tokens.start, "[")
            || tokens.clone().any(|at| self.is(at, "..") || rest(at));
        marked || tokens.clone().skip(1).any(|at| self.follows_step(tokens, at))
    }

    /// Whether a token is a step behind another one, without anything between them.
    fn follows_step(&self, tokens: &Range<usize>, at: usize) -> bool {
        const UNITS: [&str; 10] =
            ["beat", "beats", "bar", "bars", "note", "notes", "measure", "measures", "cycle", "cycles"];
        let before = at - 1;
        let is_number = |at: usize| self.tokens[at].kind == Kind::Number;
        let step = is_number(at)
            || self.is(at, "<")
            || self.is(at, "[")
            || !self.word(at).is_empty() && !UNITS.contains(&self.word(at));
        // A longer word before a number is a call without its brackets: `fast 2`.
        let note = |word: &str| word.len() == 1 || word.bytes().any(|byte| byte.is_ascii_digit());
        let first = is_number(before)
            || !self.word(before).is_empty()
                && (before > tokens.start || note(self.word(before)) || !is_number(at));
        let ends = first || self.is(before, ">") || self.is(before, "]");
        step && ends && !self.touches(before)
    }
}

/// Whether a word is the name of a note, with an octave or without.
fn is_note(word: &str) -> bool {
    let mut letters = word.chars();
    let first = letters.next().is_some_and(|c| matches!(c.to_ascii_lowercase(), 'a'..='g'));
    first && letters.all(|c| c.is_ascii_digit() || matches!(c, '#' | 'b'))
}
