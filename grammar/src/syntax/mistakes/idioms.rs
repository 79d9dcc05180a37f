//! Common mistakes of several tokens: functions without a name, marks that other languages put between signals, objects of
//! Max and Pure Data, samples by index, numbers in quotes.

use super::Mistakes;
use crate::ast::Unit;
use crate::float;
use crate::foreign::{self, Role};
use crate::source::Span;
use crate::syntax::codes;
use crate::syntax::scan::Kind;
use crate::syntax::words::{OPEN, RESERVED, digits_of, is_word};
use std::collections::BTreeSet;
use std::ops::Range;

impl<'a> Mistakes<'a> {
    /// True where the text has an equation, or a definition, of this name.
    pub(super) fn is_defined(&self, name: &str) -> bool {
        self.defined.get_or_init(|| self.names()).contains(name)
    }

    /// The names that equations and definitions have in the text.
    fn names(&self) -> BTreeSet<&'a str> {
        const NAMING: [&str; 6] = ["def", "instrument", "effect", "section", "knob", "param"];
        let named = |&index: &usize| {
            self.is(index + 1, "=") && self.starts_item(index)
                || NAMING.contains(&self.word(index.wrapping_sub(1)))
        };
        (0..self.tokens.len()).filter(named).map(|index| self.word(index)).collect()
    }

    /// The text of some tokens.
    fn slice(&self, tokens: Range<usize>) -> &'a str {
        &self.text[self.tokens[tokens.start].start..self.tokens[tokens.end - 1].end]
    }

    /// What flows to what is called, with a mark of another language between them: `x -> lowpass(800Hz)`.
    pub(super) fn flow(&mut self, start: usize, end: usize) {
        let mark = &self.text[start..end];
        let problem =
            self.problem(&codes::FOREIGN_OPERATOR, start, end, format!("`{mark}` is not an operator"));
        let span = Span::new(self.source, start, end);
        let help = "what flows from left to right is written with `|>`";
        self.report(problem.help(help).fix(span, "|>"));
        let blank = |at: usize| self.text.as_bytes().get(at) == Some(&b' ');
        let (before, after) = (blank(start.wrapping_sub(1)), blank(end));
        let narrow = end - start < 2;
        self.repair(
            start - usize::from(narrow && before),
            end + usize::from(narrow && !before && after),
            "|>",
        );
        self.done = end;
    }

    /// True for a name that is called after this token.
    pub(super) fn calls(&self, index: usize) -> bool {
        !self.word(index + 1).is_empty() && self.is(index + 2, "(")
    }

    /// True for a token behind an operand, with or without a space between.
    pub(super) fn stands_behind(&self, index: usize) -> bool {
        self.before(index).is_some_and(|before| match before.kind {
            Kind::Number | Kind::Text => true,
            Kind::Word => {
                let word = before.text(self.text);
                !super::JOINS.contains(&word) && !OPEN.contains(&word)
            }
            _ => before.is(")") || before.is("]") || before.is("}"),
        })
    }

    /// `saw(110Hz) ! 2`: so many copies in SuperCollider.
    pub(super) fn copies(&mut self, index: usize) {
        let token = self.tokens[index];
        if self.word(self.start()) == "play" {
            // `play verse!2`: as in quotes.
            let (section, times) = (self.word(index - 1), self.tokens[index + 1].text(self.text));
            let problem = self
                .problem(&codes::STATEMENT_FORM, token.start, token.end, "a section is repeated by `*`")
                .help(format!("write `{section}*{times}`"))
                .fix(Span::new(self.source, token.start, token.end), "*");
            self.report(problem);
            return self.repair(token.start, token.end, "*");
        }
        let help =
            "a signal of one channel is heard on both sides without it; in quotes, `\"x!2\"` repeats a step";
        let problem = self
            .problem(&codes::FOREIGN_OPERATOR, token.start, token.end, "`!` is not an operator")
            .help(help);
        let number = self.at(index + 1).filter(|next| next.kind == Kind::Number);
        self.report(match (number, self.before(index)) {
            (Some(number), Some(before)) => problem.fix(Span::new(self.source, before.end, number.end), ""),
            _ => problem,
        });
        match number {
            Some(number) => self.repair(token.start, number.end, ""),
            None => self.layout.broken.push(token.start),
        }
        self.done = number.map_or(token.end, |number| number.end);
    }

    /// `f = (x, y) => body`, `f = x => body`, with or without `const` before: a function as the value of an equation.
    pub(super) fn function_value(&mut self, arrow: usize) -> bool {
        let start = self.start();
        let Some(equals) = (start..arrow).find(|&at| self.is(at, "=")) else { return false };
        let name = equals.wrapping_sub(1);
        let bracket = self.is(equals + 1, "(") && self.layout.partner[equals + 1] + 1 == arrow;
        let formals = match bracket {
            true => self.slice(equals + 1..arrow).to_owned(),
            false => format!("({})", self.word(equals + 1)),
        };
        let inside = formals.trim_matches(['(', ')']);
        let names = inside.trim().is_empty() || inside.split(',').all(|name| is_word(name.trim()));
        let end = self.item_end(arrow);
        let used = (arrow + 1..end).any(|at| inside.split(',').any(|name| name.trim() == self.word(at)));
        let names = names && (used || inside.trim().is_empty());
        if self.word(name).is_empty() || !names || !bracket && equals + 2 != arrow || end <= arrow + 1 {
            return false;
        }
        let body = self.slice(arrow + 1..end);
        let meant = format!("def {}{formals} = {body}", self.word(name));
        let (from, to) = (self.tokens[start].start, self.tokens[end - 1].end);
        let token = self.tokens[arrow];
        let problem = self
            .problem(&codes::FOREIGN_OPERATOR, token.start, token.end, "a function is not a value")
            .help(format!("it has a definition of its own: `{}`", meant.lines().next().unwrap_or_default()));
        self.report(problem.fix(Span::new(self.source, from, to), meant));
        self.layout.broken.push(from);
        self.done = to;
        true
    }

    /// `def f(x) -> body`
    pub(super) fn arrow_of_def(&mut self, index: usize) -> bool {
        if self.word(self.start()) != "def" || self.formals().is_none_or(|formals| index != formals.end + 1) {
            return false;
        }
        let token = self.tokens[index];
        let written = token.text(self.text);
        let message = format!("`{written}` does not begin the body of a `def`");
        let problem = self.problem(&codes::FOREIGN_OPERATOR, token.start, token.end, message);
        let span = Span::new(self.source, token.start, token.end);
        self.report(problem.help("write `=`").fix(span, "="));
        self.repair(token.start, token.end, "=");
        self.done = token.end;
        true
    }

    /// `SinOsc s => dac`: signals that are connected by statements.
    pub(super) fn connected(&mut self, index: usize) -> bool {
        let start = self.start();
        let equation = (start..index).any(|at| self.is(at, "="));
        let nested = self.starts.len() != 1;
        if equation || nested || self.word(index + 1).is_empty() || RESERVED.contains(&self.word(start)) {
            return false;
        }
        let end = self.tokens[self.item_end(index) - 1].end;
        let from = self.tokens[start].start;
        let problem = self
            .problem(&codes::FOREIGN_OPERATOR, from, end, "an item does not connect signals")
            .help("an equation names a value, and `|>` leads it on: `out = sine(440Hz) |> lowpass(800Hz)`");
        self.report(problem);
        self.layout.broken.push(from);
        self.done = end;
        true
    }

    /// `function(x) { return x.rev() }` as a change of a pattern.
    pub(super) fn function_block(&mut self, index: usize) -> bool {
        let open = index + 4;
        let argument = self.word(index + 2);
        let begins = matches!(self.word(index), "function" | "func" | "fn" | "fun")
            && self.is(index + 1, "(")
            && self.is(index + 3, ")")
            && self.is(open, "{");
        if !begins || argument.is_empty() {
            return false;
        }
        let close = self.layout.partner[open];
        if !self.in_score() {
            // `double = fn(x) { x * 2 }`
            let start = self.start();
            if !self.is(start + 1, "=") || index != start + 2 || !self.is(close, "}") {
                return false;
            }
            let (from, to) = (self.tokens[start].start, self.tokens[index].end);
            let meant = format!("def {}", self.word(start));
            let problem = self
                .problem(&codes::FOREIGN_OPERATOR, from, to, "a function is not a value")
                .help(format!("it has a definition of its own: `{meant}({argument}) {{ … }}`"));
            self.report(problem.fix(Span::new(self.source, from, to), meant));
            self.layout.broken.push(from);
            self.done = self.tokens[close].end;
            return true;
        }
        let first = if self.word(open + 1) == "return" { open + 2 } else { open + 1 };
        let applied = self.word(first) == argument && self.is(first + 1, ".");
        let first = if applied { first + 2 } else { first };
        if close <= first || !self.is(close, "}") {
            return false;
        }
        let last = if self.is(close - 1, ";") { close - 1 } else { close };
        let body = self.slice(first..last).to_owned();
        let (from, to) = (self.tokens[index].start, self.tokens[close].end);
        let problem = self
            .problem(&codes::FOREIGN_OPERATOR, from, to, "a change is written by itself, without a function")
            .help(format!("write the modifier alone: `{}`", body.lines().next().unwrap_or_default()));
        self.report(problem.fix(Span::new(self.source, from, to), body.clone()));
        self.layout.text[from..self.tokens[first].start].fill(b' ');
        self.layout.text[self.tokens[last - 1].end..to].fill(b' ');
        self.done = to;
        true
    }

    /// `saw~(110)`, `cycle~ 440`: objects of Max and Pure Data.
    pub(super) fn object(&mut self, index: usize) -> bool {
        let Some(&before) = self.before(index).filter(|before| before.kind == Kind::Word) else {
            return false;
        };
        let token = self.tokens[index];
        if before.end != token.start || self.in_score() {
            return false;
        }
        let word = before.text(self.text);
        let row = foreign::find(Role::Value, word);
        let meant = row.map_or(word, |row| row.word);
        let problem =
            self.problem(&codes::FOREIGN_WORD, before.start, token.end, format!("mam has no `{word}~`"));
        let end = self.item_end(index);
        let called = self.is(index + 1, "(");
        let to = if called || end <= index + 1 { token.end } else { self.tokens[end - 1].end };
        let arguments: Vec<_> = self.text[token.end..to].split_whitespace().collect();
        let shown =
            if called { format!("{meant}(…)") } else { format!("{meant}({})", arguments.join(", ")) };
        let problem = match row {
            Some(row) if meant.is_empty() => problem.help(row.help()),
            _ => {
                let heard = self.starts_item(index - 1);
                let lead = if heard { "out = " } else { "" };
                let written = if called { meant.to_owned() } else { shown.clone() };
                let note = if heard { "; what is heard is the equation `out = …`" } else { "" };
                problem
                    .help(format!("write `{shown}`{note}"))
                    .guess(Span::new(self.source, before.start, to), format!("{lead}{written}"))
            }
        };
        self.report(problem);
        self.layout.broken.push(before.start);
        self.done = to;
        true
    }

    /// `√2`, `√(x)`
    pub(super) fn root(&mut self, index: usize) -> bool {
        let token = self.tokens[index];
        let Some(next) = self.at(index + 1).filter(|_| self.begins_operand(index + 1)) else { return false };
        let end = match self.is(index + 2, "(") && next.kind == Kind::Word {
            true => self.tokens[self.layout.partner[index + 2].min(self.tokens.len() - 1)].end,
            false => next.end,
        };
        let bracket = self.is(index + 1, "(");
        let (to, meant) = match bracket {
            true => (token.end, "sqrt".to_owned()),
            false => (end, format!("sqrt({})", &self.text[next.start..end])),
        };
        let shown = if bracket { "sqrt(…)" } else { &meant };
        let problem = self
            .problem(&codes::STRAY_CHARACTER, token.start, token.end, "`√` is not a mark of the language")
            .help(format!("write `{shown}`"));
        self.report(problem.fix(Span::new(self.source, token.start, to), meant));
        self.layout.broken.push(token.start);
        self.done = to;
        true
    }

    /// `y[n-1]`: the samples before, as formulas have them.
    pub(super) fn sample_before(&mut self, index: usize) -> bool {
        let name = self.word(index.wrapping_sub(1));
        let counter = self.word(index + 1);
        // Nothing but indices has the name.
        let known = (1..self.tokens.len()).any(|at| self.word(at) == counter && !self.is(at - 1, "["));
        let close = self.layout.partner[index];
        let by = self.at(index + 3).filter(|by| self.is(index + 2, "-") && by.kind == Kind::Number);
        if name.is_empty() || !matches!(counter, "n" | "t" | "i" | "k") || known || !self.is(close, "]") {
            return false;
        }
        let frames = match by.map(|by| by.text(self.text)) {
            Some(frames) if close == index + 4 && frames.bytes().all(|b| b.is_ascii_digit()) => frames,
            None if close == index + 2 => "0",
            _ => return false,
        };
        let meant = match frames {
            "0" => name.to_owned(),
            "1" => format!("prev({name})"),
            _ => format!("tap({name}, {frames} * dt, max: {frames} * dt)"),
        };
        let (from, to) = (self.tokens[index - 1].start, self.tokens[close].end);
        let message = "a signal is not indexed by its samples";
        let problem = self
            .problem(&codes::FOREIGN_OPERATOR, from, to, message)
            .help(format!("write `{meant}`"))
            .fix(Span::new(self.source, from, to), meant);
        self.report(problem);
        self.layout.broken.push(from);
        // The grammar must not read it as an element of a list.
        self.layout.text[self.tokens[index].start] = b'?';
        self.done = to;
        true
    }

    /// `f0: "120Hz"`: a number with a unit between quotes, where a value is wanted.
    pub(super) fn quoted_number(&mut self, index: usize) -> bool {
        let token = self.tokens[index];
        let inside = token.text(self.text).trim_matches('"');
        let (number, unit) = inside.split_at(digits_of(inside));
        let value = float::parse(number).is_some() && Unit::from_text(unit).is_some();
        let operand = self.before(index).is_some_and(|before| {
            [":", ",", "(", "=", "*", "+", "-", "/"].iter().any(|mark| before.is(mark))
        });
        if !value || !operand || self.in_score() {
            return false;
        }
        let problem = self
            .problem(&codes::FOREIGN_QUOTE, token.start, token.end, "a number stands without quotes")
            .help(format!("write `{inside}`"))
            .fix(Span::new(self.source, token.start, token.end), inside);
        self.report(problem);
        self.repair(token.start, token.end, inside);
        true
    }

    /// A pattern at the start of a line of a score, which says nothing of what it plays.
    pub(super) fn untargeted(&mut self, index: usize) {
        let token = self.tokens[index];
        let inside = token.text(self.text).trim_matches('"');
        let mut words: Vec<&str> =
            inside.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| is_word(w)).collect();
        words.dedup();
        let problem = self.problem(&codes::NO_TARGET, token.start, token.end, "this pattern has no target");
        self.report(match &words[..] {
            [word] if *word != "x" && self.is_defined(word) => {
                let meant = format!("{word} \"{}\"", inside.replace(word, "x"));
                let span = Span::new(self.source, token.start, token.end);
                problem.help(format!("a line begins with what it plays: `{meant}`")).guess(span, meant)
            }
            _ => problem.help("write what it plays before it, in a line for each: `bd \"x ~ x x\"`"),
        });
        self.layout.broken.push(token.start);
    }

    /// `"c3" # gain 0.5`: Tidal's way to give a line's notes a parameter.
    pub(super) fn joined(&mut self, start: usize, end: usize) -> bool {
        let comment = self.text[start..end].trim_start_matches('#').trim();
        let Some((param, value)) = comment.split_once([' ', '(', '$']) else { return false };
        let index = self.tokens.partition_point(|token| token.start < start);
        let Some(before) = self.before(index).filter(|before| before.kind == Kind::Text) else {
            return false;
        };
        let first = (0..index).rev().find(|&at| self.starts_item(at)).unwrap_or(0);
        let (target, value) = (self.word(first), value.trim().trim_matches(['"', '(', ')']));
        if foreign::find(Role::Statement, target).is_some() && !self.is_defined(target) {
            // A part of a line that is not mam's from its start.
            return true;
        }
        if target.is_empty() || !is_word(param) {
            return false;
        }
        let problem = self.problem(&codes::FOREIGN_OPERATOR, start, start + 1, "`#` does not join patterns");
        let place = Span::new(self.source, before.end, end);
        if foreign::is_modifier(param) {
            let number = float::parse(value).is_some();
            let meant = if number { format!(".{param}({value})") } else { format!(".{param}(\"{value}\")") };
            self.report(problem.help(format!("a change is a modifier: `{meant}`")).fix(place, meant));
            return true;
        }
        if let Some(row) = foreign::find(Role::Modifier, param).filter(|_| param != "gain") {
            self.report(problem.help(row.help()));
            return true;
        }
        if float::parse(value).is_none() {
            return false;
        }
        let meant = format!("{target}.{param} \"{value}\"");
        let help = format!("a parameter has a line of its own: `{meant}`");
        self.report(problem.help(help).fix(place, format!("; {meant} ")));
        true
    }

    /// `#include "lib.mam"`, `#define N 3`: instructions to the preprocessor of C and of Csound.
    pub(super) fn directive(&mut self, start: usize, end: usize) -> bool {
        let mut words = self.text[start..end].splitn(2, char::is_whitespace);
        let (word, rest) = (words.next().unwrap_or_default(), words.next().unwrap_or_default().trim());
        let path = rest.trim_matches(['"', '<', '>', '\'']);
        let (help, meant) = match word {
            "#include" | "#import" | "#use" if path.ends_with(".mam") => {
                let meant = format!("use \"{path}\"");
                (format!("a file is read by `{meant}`"), meant)
            }
            "#include" | "#import" | "#use" => {
                ("what mam has is there without it, so take the line away; a file of your own is read by `use \"name.mam\"`".into(), String::new())
            }
            "#define" => {
                let (name, value) = rest.split_once([' ', '\t', '#']).unwrap_or((rest, "1"));
                let meant = format!("{name} = {}", value.trim().trim_matches('#'));
                (format!("a name for a number is an equation: `{meant}`"), meant)
            }
            _ => return false,
        };
        let problem = self.problem(&codes::FOREIGN_WORD, start, end, format!("mam has no `{word}`"));
        self.report(problem.help(help).guess(Span::new(self.source, start, end), meant));
        true
    }

    /// `instrument lead() { … }`: brackets in the head of what takes its values from `param`s.
    pub(super) fn head_brackets(&mut self, index: usize) -> bool {
        let start = self.start();
        let head = matches!(self.word(start), "instrument" | "effect") && index == start + 2;
        let close = self.layout.partner[index];
        if !head || close != index + 1 || !self.is(close, ")") {
            return false;
        }
        let (from, to) = (self.tokens[index].start, self.tokens[close].end);
        let message = format!("no parentheses stand in the head of an `{}`", self.word(start));
        let problem = self
            .problem(&codes::STATEMENT_FORM, from, to, message)
            .help("take them away; what a call may give is a `param` in the block")
            .fix(Span::new(self.source, from, to), "");
        self.report(problem);
        self.repair(from, to, "");
        true
    }
}
