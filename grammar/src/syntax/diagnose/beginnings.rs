//! The beginning of an item that is none of mam's: a mark, what is called with its arguments behind it, a block that plays.

use super::{Diagnosis, shortened};
use crate::problem::Problem;
use crate::syntax::codes;
use crate::syntax::scan::Kind;
use crate::syntax::words::RESERVED;

impl Diagnosis<'_> {
    /// A mark at the beginning of an item.
    pub(super) fn leading_mark(&self, symbol: &str) -> Problem {
        let start = self.tokens.start;
        let problem =
            self.about(&codes::LEADING_MARK, start, format!("an item cannot begin with `{symbol}`"));
        let help = match symbol {
            "{" | "(" if let Some(inside) = self.wrapped() => {
                let bytes = self.layout.bytes(&self.tokens);
                let help =
                    format!("what is heard is the equation `out = …`: `out = {}`", shortened(&inside));
                let problem = problem.help(help);
                let whole = [(bytes.start, bytes.end, format!("out = {inside}"))];
                return if self.defines_out() { problem } else { self.attempt(problem, whole) };
            }
            "(" | "-" | "[" => "a line that begins so is an item of its own: end the line before with an operator, or put it in parentheses".to_owned(),
            "+" | "++" | "*" | "/" | "^" | "<" | "<=" | ">" | ">=" | "==" | "!=" | "," | "=" | ".." | ":" => {
                format!("to go on with the line before, end it with `{symbol}`")
            }
            _ => "an item begins with a name or a keyword".to_owned(),
        };
        self.join_lines(problem.help(help), symbol)
    }

    /// `aout oscili 0.5, 440`: a name, what is called, and what it is given, as Csound has it.
    pub(super) fn statement_of_values(&self, problem: &Problem, start: usize) -> Option<Problem> {
        let (name, callee) = (self.word(start), self.word(start + 1));
        let value = self.get(start + 2).is_some_and(|token| matches!(token.kind, Kind::Number | Kind::Word));
        let listed = self.tokens.clone().any(|at| self.is(at, ","));
        if callee.is_empty() || !value || !listed || RESERVED.contains(&callee) {
            return None;
        }
        let bytes = self.layout.bytes(&self.tokens);
        let given = self.text.get(self.span(start + 2).start as usize..bytes.end)?.trim();
        let meant = format!("{name} = {callee}({given})");
        let problem =
            problem.clone().help(format!("what is called has its arguments in parentheses: `{meant}`"));
        Some(self.attempt(problem, [(bytes.start, bytes.end, meant)]))
    }

    /// What stands in the brackets with which an item begins, where nothing but a method follows: `{ … }.play`.
    fn wrapped(&self) -> Option<String> {
        let start = self.tokens.start;
        let close = self.layout.partner[start];
        if close <= start {
            return None;
        }
        let rest = close + 1 == self.tokens.end || self.is(close + 1, ".") && close + 3 >= self.tokens.end;
        let inside = &self.text[self.span(start).end as usize..self.get(close)?.start];
        let value = !inside.contains(['=', '|', '\n', ';']) && !inside.trim().is_empty();
        (rest && value).then(|| inside.trim().to_owned())
    }

    /// A `play` of a note, as Sonic Pi has it, or of sections with marks between them.
    pub(super) fn played(&self, word: &str, here: usize, problem: &Problem) -> Option<Problem> {
        let (start, second) = (self.tokens.start, self.tokens.start + 1);
        let note = self.get(second).is_some_and(|token| token.kind == Kind::Number)
            || self.is(second, ":") && here == second;
        if word == "play" && note {
            // Sonic Pi's way to play a note.
            let note = self.rest(if self.is(second, ":") { start + 2 } else { second });
            let note: String = note.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '#').collect();
            return Some(problem.clone().help(format!(
                "a note is played by an instrument, which an equation names: `lead = pluck()`, then `play {{ lead \"{note}\" }}`"
            )));
        }
        if word == "play" && [",", "+", "|>"].iter().any(|mark| self.is(here, mark)) {
            let (start, end) = self.comma(here);
            let problem =
                problem.clone().help("sections follow one another without a mark: `play verse*2 chorus`");
            return Some(self.attempt(problem, [(start, end, String::new())]));
        }
        None
    }

    /// The bytes of a mark.
    fn comma(&self, index: usize) -> (usize, usize) {
        let span = self.span(index);
        (span.start as usize, span.end as usize)
    }
}
