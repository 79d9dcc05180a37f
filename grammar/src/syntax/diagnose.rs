//! What is wrong where the grammar stopped, in the user's words.
//!
//! The grammar says where it could not go on. What was expected there follows from what stands before: after an
//! operator a value, after a value an operator or the end. Statements and heads have a form, which is shown.

mod beginnings;
mod beside;
mod edits;
mod route;

use super::codes;
use super::grammar::Rule;
use super::layout::Layout;
use super::scan::{Kind, Token};
use super::words::RESERVED;
use crate::problem::{Code, Problem};
use crate::source::{SourceId, Span};
use std::ops::Range;

/// An item that the grammar refused.
pub(super) struct Diagnosis<'a> {
    pub(super) source: SourceId,
    pub(super) text: &'a str,
    pub(super) layout: &'a Layout,
    /// The tokens of the item.
    pub(super) tokens: Range<usize>,
    /// What the grammar should have read: a whole item, or the head of one.
    pub(super) rule: Rule,
}

/// How each statement and head is written.
const FORMS: [(&str, &str); 26] = [
    ("tempo", "`tempo 130`, `tempo 138 at bar 3`, `tempo 130..150 over bars 5..9`"),
    ("meter", "`meter 7/8`"),
    ("swing", "`swing 12%`, `swing 12% of 1/8`"),
    ("length", "`length 16 bars`"),
    ("seed", "`seed 7`"),
    ("channels", "`channels 4`, `channels 4 ambisonic`"),
    ("expect", "`expect peak(out) < 0dB`, also `> -60dB`, `in -16..-9`, `within 5% of 2s`"),
    ("tuning", "`tuning \"scale.scl\"`, `tuning \"scale.scl\" \"keys.kbm\"`, or `tuning edo 19`"),
    ("use", "`use \"lib/mine.mam\"`"),
    ("title", "`title \"My song\"`"),
    ("param", "`param cutoff = 800Hz in 100Hz..8kHz curve exp`, then `step`, `smooth 5ms`"),
    ("knob", "`knob bright = 800Hz in 100Hz..8kHz curve exp cc 74`"),
    ("input", "`input key`"),
    ("until", "`until amp < 0.0001`"),
    (
        "kit",
        "`kit name { bd = kick() ; hh = closed_hat() }`, or `kit name \"sounds/kit\"` for a folder of sound files",
    ),
    ("matrix", "`matrix { lfo1 -> bass.cutoff: 2 octaves }`"),
    ("choke", "`choke ch oh`, `choke crash ride over 40ms`: the parts of a kit that end each other's notes"),
    ("preset", "`preset \"deep\" { cutoff: 300Hz, q: 2 }`"),
    ("latency", "`latency 5ms`"),
    ("default", "`default note c2`"),
    ("midi", "`midi drum 36` (a key of General MIDI's drums), or `midi program 32..39`"),
    ("def", "`def f(x, cutoff: Hz = 800Hz) = expression`, or `{ … }` in place of `= expression`"),
    ("instrument", "`instrument name { … }`"),
    ("effect", "`effect name { … }`"),
    ("section", "`section verse 8 bars { … }` or, as long as another, `section verse2 = verse { … }`"),
    (
        "play",
        "`play { bd |x...| }`, or `play verse*2 chorus` for an arrangement, without parentheses or commas",
    ),
];

/// How a statement is written: examples in backquotes.
pub(super) fn form(word: &str) -> Option<&'static str> {
    FORMS.iter().find(|(keyword, _)| *keyword == word).map(|(_, form)| *form)
}

impl<'a> Diagnosis<'a> {
    /// The problem of this item.
    pub(super) fn problem(&self, error: Option<&pest::error::Error<Rule>>) -> Problem {
        let bytes = self.layout.bytes(&self.tokens);
        let at = match error.map(|error| &error.location) {
            Some(pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _))) => {
                bytes.start + at
            }
            None => bytes.start,
        };
        let here =
            self.tokens.clone().find(|&index| self.layout.tokens[index].end > at).unwrap_or(self.tokens.end);
        if self.rule == Rule::one_route {
            return self.comment(here).unwrap_or_else(|| self.route(here));
        }
        self.comment(here)
            .or_else(|| self.definition(here))
            .or_else(|| self.at_start(here))
            .or_else(|| self.at_pattern(here))
            .or_else(|| self.branch(here))
            .or_else(|| self.form(here))
            .or_else(|| self.value(here))
            .unwrap_or_else(|| self.unexpected(here))
    }

    fn get(&self, index: usize) -> Option<&'a Token> {
        if self.tokens.contains(&index) { self.layout.tokens.get(index) } else { None }
    }

    fn before(&self, index: usize) -> Option<&'a Token> {
        index.checked_sub(1).and_then(|before| self.get(before))
    }

    fn word(&self, index: usize) -> &'a str {
        match self.get(index) {
            Some(token) if token.kind == Kind::Word => token.text(self.text),
            _ => "",
        }
    }

    fn is(&self, index: usize, symbol: &str) -> bool {
        self.get(index).is_some_and(|token| token.is(symbol))
    }

    /// The place of a token; after the last, the point where the item ends.
    fn span(&self, index: usize) -> Span {
        match self.get(index) {
            Some(token) => Span::new(self.source, token.start, token.end),
            None => {
                let end = self.layout.bytes(&self.tokens).end;
                Span::new(self.source, end, end)
            }
        }
    }

    fn shown(&self, index: usize) -> String {
        match self.get(index) {
            Some(token) if token.kind == Kind::Newline => "the end of the line".to_owned(),
            Some(token) => format!("`{}`", shortened(token.text(self.text))),
            None => "the end of the item".to_owned(),
        }
    }

    fn about(&self, code: &'static Code, index: usize, message: impl Into<String>) -> Problem {
        Problem::new(code, self.span(index), message)
    }

    /// Something other than a name before `=`.
    fn definition(&self, here: usize) -> Option<Problem> {
        let start = self.tokens.start;
        let mut equals = start;
        while equals < self.tokens.end && !self.is(equals, "=") {
            equals = self.layout.after(equals).max(equals + 1);
        }
        let keyword =
            FORMS.iter().any(|(keyword, _)| *keyword == self.word(start)) || self.word(start) == "chain";
        if !self.is(equals, "=") || equals < start + 2 || here > equals || keyword {
            return None;
        }
        let span = self.span(start).to(self.span(equals - 1));
        let name = self.word(start);
        let call = !name.is_empty() && self.is(start + 1, "(") && self.layout.after(start + 1) == equals;
        let problem = Problem::new(&codes::EQUATION_FORM, span, "before `=` stands one name");
        if call {
            let problem = problem.help(format!("a function is defined by `def {name}(…) = expression`"));
            return Some(self.attempt(problem, [self.before_item("def ")]));
        }
        let field = self.word(start + 2);
        if name == "out" && matches!(field, "left" | "right") {
            return Some(problem.help("both sides are one value: `out = (l, r)`"));
        }
        if !name.is_empty() && self.is(start + 1, ".") && equals == start + 3 {
            return Some(problem.help(format!(
                "a value that stays is given in the call, `{name} = …({field}: …)`; while the song plays, a line of the score sets it: \
                 `play {{ {name}.{field} \"…\" }}`"
            )));
        }
        Some(problem.help(
            "an equation is `name = expression`; the channels of a stereo signal are `x.left` and `x.right`",
        ))
    }

    /// `{ -hh }`: a line that a variation is to leave out.
    fn left_out(&self, start: usize) -> Option<Problem> {
        let name = self.word(start + 1);
        let before = start.checked_sub(1).map(|before| self.layout.tokens[before]);
        let opens = before.is_some_and(|before| before.is("{") || before.is(";"));
        if !self.is(start, "-") || name.is_empty() || start + 2 != self.tokens.end || !opens {
            return None;
        }
        let problem = self.about(&codes::LEADING_MARK, start, "an item cannot begin with `-`");
        let meant = format!("{name} ~");
        let problem = problem.help(format!("a variation leaves a line out by `{meant}`"));
        let bytes = self.layout.bytes(&self.tokens);
        Some(self.attempt(problem, [(bytes.start, bytes.end, meant)]))
    }

    /// The beginning of an item: a name, `=`, or a mark that belongs to the line before.
    fn at_start(&self, here: usize) -> Option<Problem> {
        let start = self.tokens.start;
        let first = self.get(start)?;
        if let Some(problem) = self.left_out(start) {
            return Some(problem);
        }
        if let (Kind::Symbol(symbol), true) = (first.kind, here == start) {
            return Some(self.leading_mark(symbol));
        }
        let word = self.word(start);
        if here == start && matches!(word, "if" | "not" | "mod" | "in" | "sum" | "chain" | "prev" | "tap") {
            let message = format!("an item cannot begin with `{word}`");
            return Some(
                self.about(&codes::LEADING_MARK, start, message).help("give the value a name: `name = …`"),
            );
        }
        let keyword =
            FORMS.iter().any(|(keyword, _)| *keyword == word) || RESERVED.contains(&word) && word != "out";
        if here > start + 1 || keyword || word.is_empty() && here > start {
            return None;
        }
        if word.is_empty() {
            let message = format!("an item cannot begin with {}", self.shown(start));
            return Some(self.about(&codes::LEADING_MARK, start, message).help("give it a name: `name = …`"));
        }
        let problem = match self.get(start + 1) {
            None => self.about(&codes::MISSING_EQUALS, start, format!("`{word}` alone is not an item")),
            Some(_) => {
                let after = self.span(start).end;
                let place = Span { start: after, end: after, source: self.source };
                let message = format!("`=` is missing after `{word}`");
                Problem::new(&codes::MISSING_EQUALS, place, message)
                    .label(self.span(start), "this name begins an item")
            }
        };
        if self.is(start + 1, "|>") {
            let value = shortened(&self.text[self.layout.bytes(&self.tokens)]);
            let help = format!("what flows through it gets a name: `out = {value}`");
            let (edits, problem) = (vec![self.before_item("out = ")], problem.help(help));
            return Some(if self.defines_out() { problem } else { self.attempt(problem, edits) });
        }
        if self.is(start + 1, "(") || self.is(start + 1, ".") {
            let value = self.layout.bytes(&self.tokens);
            let help = format!(
                "a value gets a name, and what is heard is `out`: `out = {}`",
                shortened(&self.text[value])
            );
            let (edits, problem) = (vec![self.before_item("out = ")], problem.help(help));
            return Some(if self.defines_out() { problem } else { self.attempt(problem, edits) });
        }
        if let Some(problem) = self.statement_of_values(&problem, start) {
            return Some(problem);
        }
        let problem = problem.help(format!(
            "write `{word} = expression`; in a `play` block, `{word} |x...|` or `{word} \"c2 e2\"`{}",
            if self.get(start + 1).is_none() {
                format!("; a section is played by `play {word}`")
            } else {
                String::new()
            }
        ));
        let after = self.span(start).end as usize;
        let mut edits = vec![(after, after, " =".to_owned())];
        if self.is(start + 1, "(") && !self.defines_out() {
            // A call alone was probably meant to be heard.
            edits.insert(0, self.before_item("out = "));
        }
        Some(if self.get(start + 1).is_some() { self.attempt(problem, edits) } else { problem })
    }

    /// Whether a token touches the end of a tab.
    fn is_after_tab(&self, here: usize) -> bool {
        let before = here.checked_sub(1).and_then(|before| self.get(before));
        before.zip(self.get(here)).is_some_and(|(tab, here)| tab.kind == Kind::Tab && tab.end == here.start)
    }

    /// After the pattern of a line.
    fn at_pattern(&self, here: usize) -> Option<Problem> {
        let mut at = self.tokens.start;
        while !self.word(at).is_empty() && self.is(at + 1, ".") {
            at += 2;
        }
        let pattern = self.get(at + 1)?;
        let statement = FORMS.iter().any(|(keyword, _)| *keyword == self.word(at));
        let pattern = matches!(pattern.kind, Kind::Tab | Kind::Text);
        if self.word(at).is_empty() || !pattern || statement || self.nested(here) {
            return None;
        }
        let message = format!("{} cannot stand after a pattern", self.shown(here));
        let message = if here <= at + 1 { "this is not a line of a score".to_owned() } else { message };
        let help = match () {
            () if self.is(here, "*") => "`.fast(2)` plays it twice as fast, and `.mul(2)` doubles its values",
            () if self.is_after_tab(here) => {
                "each bar of a tab ends with `|`, the last one as well: `|x...|x.x.|`"
            }
            () if self.is(here, "+") => "`.add(2)` adds to its values; two patterns at once are two lines",
            () => {
                "after a pattern stand `by 1/16` (of a tab), modifiers such as `.fast(2)`, then `over 40ms` and `curve exp`"
            }
        };
        Some(match self.get(here) {
            Some(_) => self
                .attempt(self.about(&codes::LINE_FORM, here, message).help(help), self.after_pattern(here)),
            None => {
                self.about(&codes::LINE_FORM, here.saturating_sub(1), "this line is not complete").help(help)
            }
        })
    }

    /// True when token `index` stands inside brackets of the item.
    fn nested(&self, index: usize) -> bool {
        let mut at = self.tokens.start;
        while at < index {
            let after = self.layout.after(at).max(at + 1);
            if after > index && self.layout.partner[at] != at {
                return index < after - 1 || after > self.tokens.end;
            }
            at = after;
        }
        false
    }

    /// An `if` before `here` that still waits for its `then` or `else`.
    fn branch(&self, here: usize) -> Option<Problem> {
        let mut waiting = Vec::new();
        let mut at = self.tokens.start;
        while at < here {
            match self.word(at) {
                "if" => waiting.push((at, false)),
                "then" => waiting.last_mut().into_iter().for_each(|branch| branch.1 = true),
                "else" => drop(waiting.pop()),
                _ if self.is(at, "(") || self.is(at, "[") || self.is(at, "{") => {
                    // What is closed before `here` says nothing about it; what is not closed begins anew.
                    match self.layout.after(at) {
                        after if after <= here => at = after - 1,
                        _ => waiting.clear(),
                    }
                }
                _ if self.is(at, ",") => waiting.clear(),
                _ => {}
            }
            at += 1;
        }
        let (open, then) = *waiting.last()?;
        let missing = if then { "else" } else { "then" };
        let ends_value = self.before(here).is_some_and(|token| ends_operand(token, self.text));
        let follows = (here..self.tokens.end).any(|at| self.word(at) == missing);
        if !ends_value || follows || then && self.begins_operand(here) && !self.is(here, "{") {
            return None;
        }
        let message = format!("this `if` has no `{missing}`");
        let problem = Problem::new(&codes::MISSING_BRANCH, self.span(open), message)
            .label(self.span(here), format!("`{missing}` is expected here"));
        let problem = problem.help("an `if` chooses between two values: `if condition then a else b`");
        let (place, end) = (self.span(here).start as usize, self.layout.bytes(&self.tokens).end);
        let mut edits = vec![(place, place, if then { " else 0 " } else { " then " }.to_owned())];
        if let Some((opened, rest)) = (!then).then(|| (here, self.rest(here))).filter(|_| self.is(here, "{"))
        {
            // `if a { b } else { c }`
            let close = self.layout.partner[opened];
            if let Some((inner, other)) = self.get(close).map(|close| {
                let start = self.span(opened).end as usize;
                (&self.text[start..close.start], &self.text[close.end..end])
            }) {
                let other = other.trim().strip_prefix("else").unwrap_or(" 0").trim();
                let other = other.strip_prefix('{').and_then(|o| o.strip_suffix('}')).unwrap_or(other).trim();
                edits.push((end - rest.len(), end, format!("then {} else {other}", inner.trim())));
            }
        }
        Some(self.attempt(problem, edits))
    }

    /// A statement or a head that is not written as it should be.
    fn form(&self, here: usize) -> Option<Problem> {
        let word = self.word(self.tokens.start);
        let (_, form) = FORMS.iter().find(|(keyword, _)| *keyword == word)?;
        let equation = self.is(self.tokens.start + 1, "=");
        if equation || self.nested(here) && word != "def" || self.in_body(here) {
            return None;
        }
        let found = self.shown(here);
        let message = match self.get(here) {
            None => format!("this `{word}` is not complete"),
            Some(_) => format!("{found} does not belong into this `{word}`"),
        };
        let place = if self.get(here).is_some() { here } else { self.tokens.start };
        let problem = self.about(&codes::STATEMENT_FORM, place, message).help(format!("write {form}"));
        if let Some(problem) = self.played(word, here, &problem) {
            return Some(problem);
        }
        Some(self.attempt(problem, self.form_edits(word, here)))
    }

    /// True right of the `=` of a `def` or a parameter.
    fn in_body(&self, here: usize) -> bool {
        let operator = |token: &Token| !ends_operand(token, self.text) && token.kind != Kind::Tab;
        (self.tokens.start..here).any(|index| self.is(index, "="))
            && (self.nested(here) || self.before(here).is_some_and(operator))
    }

    /// A value, or an operator, that is missing.
    fn value(&self, here: usize) -> Option<Problem> {
        let before = here.checked_sub(1).filter(|&before| self.get(before).is_some())?;
        let last = self.get(before)?;
        if let Some(head) =
            [before, before.wrapping_sub(1)].into_iter().find(|&at| matches!(self.word(at), "sum" | "chain"))
        {
            return Some(self.unrolled(head, here));
        }
        if matches!(self.word(before), "prev" | "tap") {
            let word = self.word(before);
            let problem =
                self.about(&codes::RESERVED_NAME, before, format!("`{word}` has no value of its own"));
            return Some(problem.help(format!("call it: `{word}(x, …)`")));
        }
        if ends_operand(last, self.text) {
            return self.operator(before, here);
        }
        let word = self.word(here);
        if word == "not" {
            let problem =
                self.about(&codes::NOT_PARENTHESES, here, "`not` holds looser than the operator before it");
            return Some(problem.help("put it in parentheses: `a + (not b)`"));
        }
        if RESERVED.contains(&word)
            && !matches!(word, "in" | "out" | "if" | "sum" | "chain")
            && !JOINING.contains(&word)
        {
            let (message, help) = match word {
                "prev" | "tap" => {
                    (format!("`{word}` has no value of its own"), format!("call it: `{word}(x, …)`"))
                }
                _ => (
                    format!("`{word}` is a word of the language and cannot be a name"),
                    "give the thing another name".to_owned(),
                ),
            };
            return Some(self.about(&codes::RESERVED_NAME, here, message).help(help));
        }
        if self.begins_operand(here) {
            return None;
        }
        if self.is(here, "+") && self.get(here + 1).is_some_and(|next| next.kind == Kind::Number) {
            let problem = self.about(&codes::NUMBER_FORM, here, "a number has no `+` before it");
            let span = self.span(here);
            let edit = (span.start as usize, span.end as usize, String::new());
            return Some(self.attempt(problem.help("take the `+` away"), [edit]));
        }
        let after = self.shown(before);
        let place = self.span(before);
        let problem =
            Problem::new(&codes::MISSING_VALUE, self.span(here), format!("a value is missing after {after}"));
        Some(
            problem
                .here("a value is expected here")
                .label(place, "after this")
                .help(format!("write a number, a name, a call or parentheses after {after}")),
        )
    }

    /// A `sum` or `chain` that is not written as it should be.
    fn unrolled(&self, head: usize, here: usize) -> Problem {
        let word = self.word(head);
        let form =
            if word == "sum" { "`sum i in 1..8 { … }`" } else { "`chain x = in, i in 0..3 { … }`" };
        let problem = self.about(&codes::STATEMENT_FORM, here, format!("this `{word}` is not complete"));
        let problem = problem.label(self.span(head), "it begins here");
        let close = self.layout.partner.get(head + 1).copied().filter(|&close| self.get(close).is_some());
        if let Some(close) = close
            && word == "sum"
            && self.is(head + 1, "(")
            && self.is(head + 2, "[")
        {
            // A function of a list, as other languages have it.
            let (start, end) = (self.span(head).start as usize, self.span(close).end as usize);
            let list = &self.text[self.span(head + 2).start as usize..self.span(close).start as usize];
            let meant = format!("sum x in {} {{ x }}", list.trim());
            return self.attempt(problem.help(format!("write `{meant}`")), [(start, end, meant.clone())]);
        }
        problem.help(format!("write {form}"))
    }

    /// After a value: two values side by side, or a mark that has no place there.
    fn operator(&self, before: usize, here: usize) -> Option<Problem> {
        if !self.begins_operand(here) {
            return None;
        }
        if self.is(here, "{")
            && let Some(head) =
                (self.tokens.start..here).rev().find(|&at| matches!(self.word(at), "sum" | "chain"))
        {
            return Some(self.unrolled(head, here));
        }
        if let Some(problem) = self.unquoted(here).or_else(|| self.postfix_if(here)) {
            return Some(problem);
        }
        let (left, right) = (self.shown(before), self.shown(here));
        let bracket = self.bracket(here);
        let message = format!("an operator is missing between {left} and {right}");
        let help = match bracket {
            _ if self.is(here, "[") => {
                "nothing is indexed: a part of a result has a name, such as `x.left`".to_owned()
            }
            Some("(" | "[") => "two values are joined by an operator, or separated by `,`".to_owned(),
            _ => {
                "two values are joined by an operator; an item of its own stands in its own line or after `;`"
                    .to_owned()
            }
        };
        let problem = self
            .about(&codes::MISSING_OPERATOR, here, message)
            .label(self.span(before), "a value ends here")
            .help(help);
        let (gap, place) = (self.span(before).end as usize, self.span(here).start as usize);
        let mistaken = self.musical_unit(before, here).or_else(|| self.misplaced(before, here));
        let mistaken = mistaken.or_else(|| self.foreign_word(before, here));
        if let Some(problem) = mistaken.or_else(|| self.argument(before, here)) {
            return Some(problem);
        }
        let edits = match bracket {
            _ if self.is(here, "[") => Vec::new(),
            Some("(" | "[") => vec![(gap, place, ", ".to_owned())],
            _ => vec![(gap, place, " * ".to_owned())],
        };
        Some(self.attempt(problem, edits))
    }

    /// The innermost bracket around a token.
    fn bracket(&self, index: usize) -> Option<&'static str> {
        Some(self.around(index)?.1)
    }

    /// The bracket with the arguments around a token, and what is called with them.
    fn called(&self, index: usize) -> Option<(usize, &'a str)> {
        let (open, _) = self.around(index).filter(|(_, bracket)| *bracket == "(")?;
        let callee = open.checked_sub(1).map(|callee| self.word(callee));
        callee.filter(|callee| !callee.is_empty()).map(|callee| (open, callee))
    }

    /// Where the innermost bracket around a token opens, and which one it is.
    fn around(&self, index: usize) -> Option<(usize, &'static str)> {
        let opens = |at: usize| match self.layout.tokens[at].kind {
            Kind::Symbol(symbol @ ("(" | "[" | "{")) if self.layout.partner[at] > index => Some((at, symbol)),
            _ => None,
        };
        (self.tokens.start..index.min(self.tokens.end)).rev().find_map(opens)
    }

    fn begins_operand(&self, index: usize) -> bool {
        let word = self.word(index);
        match self.get(index) {
            Some(token) => match token.kind {
                Kind::Word => !JOINING.contains(&word),
                Kind::Number | Kind::Text => true,
                Kind::Symbol(symbol) => matches!(symbol, "(" | "[" | "{"),
                _ => false,
            },
            None => false,
        }
    }

    fn unexpected(&self, here: usize) -> Problem {
        let problem =
            self.about(&codes::UNEXPECTED, here, format!("{} is not expected here", self.shown(here)));
        if let (Some(before), Some(comma)) = (here.checked_sub(1).and_then(|at| self.get(at)), self.get(here))
            && comma.is(",")
        {
            let (digits, rest) =
                (before.text(self.text), self.get(here + 1).map_or("", |after| after.text(self.text)));
            let touches = self
                .get(here + 1)
                .is_some_and(|after| after.kind == Kind::Number && after.start == comma.end);
            if before.kind == Kind::Number && before.end == comma.start && touches {
                return problem
                    .help(format!("the decimal sign is a point: `{digits}.{rest}`"))
                    .fix(self.span(here), ".");
            }
            if here + 1 == self.tokens.end {
                return problem.help("a line ends without `,`").fix(self.span(here), "");
            }
        }
        match self.bracket(here) {
            Some("(") => problem.help("inside parentheses stand values, separated by `,`; a name before a value has a `:` after it"),
            Some("[") => problem.help("inside `[ ]` stand values, separated by `,`"),
            Some(_) => problem.help("inside braces stand one expression, or equations of which one defines `out`; the parts of a record, each `name: value`, have braces of their own, `{ low: x }`, also as the one expression, `{ { low: x } }`"),
            None => problem.help("after a value stands an operator, or the end of the line"),
        }
    }
}

/// Words that stand between two values.
const JOINING: [&str; 7] = ["then", "else", "and", "or", "mod", "in", "not"];

fn ends_operand(token: &Token, text: &str) -> bool {
    match token.kind {
        Kind::Word => !matches!(token.text(text), "if" | "then" | "else" | "and" | "or" | "not" | "mod"),
        Kind::Number | Kind::Text => true,
        Kind::Symbol(symbol) => matches!(symbol, ")" | "]" | "}"),
        _ => false,
    }
}

/// As much of a text as a message can hold.
fn shortened(text: &str) -> String {
    const MOST: usize = 24;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}
