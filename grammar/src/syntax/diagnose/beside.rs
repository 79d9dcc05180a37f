//! Two values side by side, where it can be said what was meant by more than an operator that is missing.

use super::Diagnosis;
use super::edits::Edit;
use crate::foreign::{self, Role};
use crate::problem::Problem;
use crate::syntax::codes;
use crate::syntax::scan::{Kind, Token};

impl Diagnosis<'_> {
    /// A length in units that are not mam's: `1/8 note`, `2 measures`.
    pub(super) fn musical_unit(&self, before: usize, here: usize) -> Option<Problem> {
        let number = self.get(before).is_some_and(|token| token.kind == Kind::Number);
        let foreign =
            matches!(self.word(here), "note" | "notes" | "measure" | "measures" | "cycle" | "cycles");
        if !number || !foreign {
            return None;
        }
        let message = format!("{} is not a unit of time", self.shown(here));
        let problem = self.about(&codes::MISSING_OPERATOR, here, message);
        let problem = problem.help("lengths count in bars and beats: `1/8 bar`, `1 beat`");
        let place = self.span(here).range();
        Some(self.attempt(problem, [(place.start, place.end, "bar".to_owned())]))
    }

    /// `curve linear`, `curve log`: a curve of another tool, or the one that needs no word.
    pub(in super::super) fn curve(&self, here: usize) -> Option<Problem> {
        let name = self.word(here + 1);
        if self.word(here) != "curve" || name.is_empty() || name == "exp" {
            return None;
        }
        let straight = matches!(&*name.to_ascii_lowercase(), "lin" | "linear" | "straight" | "none" | "line");
        let line = self.is_line();
        let code = if line { &codes::LINE_FORM } else { &codes::STATEMENT_FORM };
        let problem = self.about(code, here, format!("there is no curve `{name}`"));
        let (before, word) = (self.span(here.checked_sub(1)?).end as usize, self.span(here + 1).range());
        Some(match (straight, line) {
            (true, true) => {
                let help = format!("a ramp is straight where nothing is said: take `curve {name}` away");
                self.attempt(problem.help(help), [(before, word.end, String::new())])
            }
            (true, false) => {
                let help = format!("equal steps are there where nothing is said: take `curve {name}` away");
                self.attempt(problem.help(help), [(before, word.end, String::new())])
            }
            _ => {
                let help = "the curve that goes in equal ratios is `curve exp`; without one it is straight";
                self.attempt(problem.help(help), [(word.start, word.end, "exp".to_owned())])
            }
        })
    }

    /// Whether the item is a line of a score: a target and its pattern.
    fn is_line(&self) -> bool {
        let pattern = |token: &Token| matches!(token.kind, Kind::Text | Kind::Tab);
        let statement = super::form(self.word(self.tokens.start)).is_some();
        !statement && self.tokens.clone().filter_map(|at| self.get(at)).any(pattern)
    }

    /// A keyword of another language beside a value: `new kick()`, `x with { … }`.
    pub(super) fn foreign_word(&self, before: usize, here: usize) -> Option<Problem> {
        let row = |at: usize| {
            let word = Some(self.word(at)).filter(|word| !word.is_empty() && !self.is_defined(word))?;
            Some((at, foreign::find(Role::Statement, word)?))
        };
        if matches!(self.called(here), Some((_, "set"))) {
            // The names there are those of parameters.
            return None;
        }
        let (at, row) = row(here).or_else(|| row(before))?;
        let message = format!("mam has no `{}`", self.word(at));
        Some(self.about(&codes::FOREIGN_WORD, at, message).help(row.help()))
    }

    /// Whether something in the text has this name: an equation, a parameter, an input.
    fn is_defined(&self, name: &str) -> bool {
        let named = |pair: &[Token]| {
            let [first, second] = [&pair[0], &pair[1]].map(|token| token.text(self.text));
            first == name && pair[1].is("=") || second == name && matches!(first, "input" | "param" | "knob")
        };
        self.layout.tokens.windows(2).any(named)
    }

    /// A pattern behind what plays it, `bd = kick() "x*4"`, and a unit behind a name, `freq Hz`.
    pub(super) fn misplaced(&self, before: usize, here: usize) -> Option<Problem> {
        let (start, token) = (self.tokens.start, self.get(here)?);
        if token.kind == Kind::Text && self.is(start + 1, "=") && self.bracket(here).is_none() {
            let message = "a pattern is not a part of an equation";
            let problem = self.about(&codes::MISSING_OPERATOR, here, message);
            let help = format!(
                "it is a line of the score: `play {{ {} {} }}`",
                self.word(start),
                token.text(self.text)
            );
            let gap = self.span(before).end as usize;
            return Some(self.attempt(problem.help(help), [(gap, token.end, String::new())]));
        }
        let unit = token.kind == Kind::Word && crate::ast::Unit::from_text(token.text(self.text)).is_some();
        if unit && !self.word(before).is_empty() && !self.is_defined(token.text(self.text)) {
            let (name, unit) = (self.word(before), token.text(self.text));
            let message = format!("the unit `{unit}` belongs to a number, not to a name");
            let problem = self.about(&codes::UNIT_APART, here, message);
            let problem = problem.help(format!("where `{name}` is a plain number, write `{name} * 1{unit}`"));
            let gap = self.span(before).end as usize;
            return Some(self.attempt(problem, [(gap, token.end, format!(" * 1{unit}"))]));
        }
        None
    }

    /// A call in brackets whose own are missing, as in the languages that write none: `every(2, fast 2)`.
    pub(super) fn argument(&self, before: usize, here: usize) -> Option<Problem> {
        let token = self.get(here)?;
        // What is called itself, `abs noise()`, where the name before is not a signal of the text.
        let call = token.kind == Kind::Word && self.is(here + 1, "(") && !self.is_defined(self.word(before));
        let value = matches!(token.kind, Kind::Number | Kind::Text) || call;
        // Outside of brackets a value follows `=` or `|>`, or the item is a line of a score.
        let begins = self.before(before).is_some_and(|mark| mark.is("=") || mark.is("|>"));
        if self.word(before).is_empty() || !value || self.bracket(here).is_none() && !begins {
            return None;
        }
        let last = if call { self.layout.partner[here + 1] } else { here };
        let end = self.get(last)?.end;
        let (name, value) = (self.word(before), &self.text[token.start..end]);
        if let Some((open, "set")) = self.called(here) {
            let message = format!("a colon is missing behind `{name}`");
            let problem = self.about(&codes::MISSING_OPERATOR, here, message);
            let problem = problem.help(format!("write `{name}: {value}`"));
            return Some(self.attempt(problem, [self.with_colons(open)]));
        }
        let message = format!("the argument of `{name}` has no parentheses");
        let problem = self.about(&codes::MISSING_OPERATOR, here, message);
        let start = self.span(before).end as usize;
        let problem =
            problem.help(format!("what is called has its arguments in parentheses: `{name}({value})`"));
        Some(self.attempt(problem, [(start, end, format!("({value})"))]))
    }

    /// The arguments for which a bracket opens, with a colon between each name and its value.
    fn with_colons(&self, open: usize) -> Edit {
        let tokens = &self.layout.tokens[open + 1..self.layout.partner[open]];
        let (start, mut at) = (self.layout.tokens[open].end, self.layout.tokens[open].end);
        let mut text = String::new();
        for pair in tokens.windows(2) {
            let value = matches!(pair[1].kind, Kind::Number | Kind::Text) || pair[1].is("-");
            if pair[0].kind == Kind::Word && value {
                text += &self.text[at..pair[0].end];
                text += ":";
                at = pair[0].end;
            }
        }
        (start, at, text)
    }

    /// A line of a parameter, `bd.gain 0.5`, whose value does not stand in quotes.
    pub(super) fn unquoted(&self, here: usize) -> Option<Problem> {
        let start = self.tokens.start;
        let field = |at: usize| self.is(at, ".") && !self.word(at + 1).is_empty();
        let fields = (start + 1..here).step_by(2).all(field);
        if self.word(start).is_empty() || here < start + 3 || !(here - start - 1).is_multiple_of(2) || !fields
        {
            return None;
        }
        let target = &self.text[self.span(start).range().start..self.span(here - 1).range().end];
        let item = self.layout.bytes(&self.tokens);
        let value = self.text.get(self.span(here).range().start..item.end)?.trim();
        let span = self.span(here);
        let message = format!("the values of a line stand in quotes, and `{target}` is set to none");
        let problem = Problem::new(&codes::MISSING_OPERATOR, span, message);
        let number = self.get(here).is_some_and(|token| token.kind == Kind::Number);
        if self.is(here, "(") {
            let text =
                self.layout.tokens[here..self.tokens.end].iter().find(|token| token.kind == Kind::Text);
            let message = format!("`{target}` is a field, and fields are not called");
            let problem = Problem::new(&codes::MISSING_OPERATOR, span, message);
            return Some(match text {
                Some(text) => problem.help(format!(
                    "a line of the score is a name and its pattern: `play {{ {} {} }}`",
                    self.word(start),
                    text.text(self.text)
                )),
                None => problem.help(
                    "an item is an equation, `out = …`, a statement such as `tempo 120`, or a `play { … }`",
                ),
            });
        }
        Some(match number {
            true => problem.help(format!("write `{target} \"{value}\"`")),
            false => {
                let name = target.rsplit('.').next().unwrap_or(target);
                problem.help(format!(
                    "a line sets numbers, such as `{target} \"0.5 1\"`; a signal is given in the equation of \
                     `{}`: `{name}: {value}`",
                    self.word(start)
                ))
            }
        })
    }
}
