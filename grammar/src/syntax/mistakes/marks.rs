//! Common mistakes in marks: quotes, operators and characters of other languages and of word processors.

use super::Mistakes;
use crate::foreign::{self, Role};
use crate::source::Span;
use crate::syntax::codes;
use crate::syntax::scan::{Kind, SMART};
use crate::syntax::words::is_letter;

impl Mistakes<'_> {
    fn place(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    /// A text between quotes of another kind: what is between them keeps its place.
    pub(super) fn foreign_quotes(&mut self, index: usize) {
        if self.quoted_number(index) {
            return;
        }
        let token = self.tokens[index];
        let text = token.text(self.text);
        let (Some(open), Some(close)) = (text.chars().next(), text.chars().next_back()) else { return };
        if open == '"' && !SMART.contains(close) {
            return;
        }
        let inside = &text[open.len_utf8()..text.len() - close.len_utf8()];
        let (start, end) = (token.start + open.len_utf8(), token.end - close.len_utf8());
        let message = "a text stands between double quotes";
        let problem = self.problem(&codes::FOREIGN_QUOTE, token.start, token.end, message);
        let meant = format!("\"{inside}\"");
        let span = self.place(token.start, token.end);
        self.report(problem.help(format!("write `{meant}`")).fix(span, meant));
        self.layout.text[token.start..start].fill(b' ');
        self.layout.text[start - 1] = b'"';
        self.layout.text[end..token.end].fill(b' ');
        self.layout.text[end] = b'"';
    }

    /// A character that the language does not know.
    pub(super) fn stray(&mut self, index: usize) {
        let token = self.tokens[index];
        let text = token.text(self.text);
        // A note may be sharp: `default note c#2`.
        let note = (1..4).any(|back| self.word(index.wrapping_sub(back)) == "note");
        if text == "#" && note || self.before(index).is_some_and(|before| before.kind == Kind::Stray) {
            return;
        }
        if text == "√" && self.root(index) || text == "~" && (self.object(index) || self.variable(index)) {
            return;
        }
        if text == "$" && self.orbit(index) {
            return;
        }
        if let Some((_, meant)) = LOOK_ALIKES.iter().find(|(c, _)| text.starts_with(*c)) {
            if *meant == "|>" {
                return self.flow(token.start, token.end);
            }
            let message = format!("`{text}` is not a mark of the language");
            let problem = self.problem(&codes::STRAY_CHARACTER, token.start, token.end, message);
            let span = self.place(token.start, token.end);
            let help = if meant.is_empty() { "take it away".to_owned() } else { format!("write `{meant}`") };
            let name = crate::syntax::is_name(meant);
            if name && self.touches(index.wrapping_sub(1)) && self.stands_behind(index) {
                // `2π`
                let before = self.before(index).map_or("", |before| before.text(self.text));
                let problem = problem.help(format!("write `{before} * {meant}`"));
                self.report(problem.fix(span, format!(" * {meant}")));
                return self.layout.broken.push(token.start);
            }
            self.report(problem.help(help).fix(span, self.spaced(token.start, token.end, meant)));
            return self.repair(token.start, token.end, meant);
        }
        match text {
            "\'" if self.prime(index) => {}
            "@" if self.delay(index) => {}
            "#" if self.sharp(index) => {}
            "\\" if self.in_score() && self.lambda(index) => {}
            "\\" if self.escaped_quotes(index) => {}
            _ => self.unknown_character(index),
        }
    }

    /// `"a \"b\" c"`: a text in which quotes stand as other languages write them.
    fn escaped_quotes(&mut self, index: usize) -> bool {
        let start = self.start();
        let ends_so = |&at: &usize| {
            self.tokens[at].kind == Kind::Text && self.tokens[at].text(self.text).ends_with("\\\"")
        };
        let Some(first) = (start..index).find(ends_so) else { return false };
        let end = self.tokens[self.item_end(index) - 1].end;
        let (open, close) = (self.tokens[first].start, self.text[..end].rfind('"').map_or(end, |at| at + 1));
        let meant = self.text[open..close].replace("\\\"", "'");
        let token = self.tokens[index];
        let problem =
            self.problem(&codes::STRAY_CHARACTER, token.start, token.end, "a text has no `\"` within it");
        self.report(problem.help(format!("write `{meant}`")).guess(self.place(open, close), meant));
        self.layout.broken.push(token.start);
        self.done = end;
        true
    }

    fn unknown_character(&mut self, index: usize) {
        let token = self.tokens[index];
        let text = token.text(self.text);
        if text.chars().all(char::is_alphanumeric) {
            return self.letters(index);
        }
        let shown: String = text.chars().flat_map(char::escape_debug).collect();
        let message = format!("`{shown}` means nothing here");
        let problem = self.problem(&codes::STRAY_CHARACTER, token.start, token.end, message);
        let problem = match MARKS.iter().find(|(mark, _)| *mark == text) {
            Some((_, help)) => problem.help(*help),
            None if self.stands_behind(index) && self.begins_operand(index + 1) => problem
                .help("between two values stands an operator, such as `*`, or `|>` before what a signal flows to")
                .guess(self.place(token.start, token.end), self.spaced(token.start, token.end, "*")),
            None => problem
                .help("take it away; any character may stand in a comment or between quotes")
                .guess(self.place(token.start, token.end), ""),
        };
        self.report(problem);
        self.layout.broken.push(token.start);
    }

    /// Letters beyond a to z in a name: all of the name is one mistake.
    fn letters(&mut self, index: usize) {
        let token = self.tokens[index];
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let before = self.text[..token.start].trim_end_matches(part).len();
        let rest = &self.text[token.start..];
        let end = token.start + rest.find(|c| !part(c)).unwrap_or(rest.len());
        let name = &self.text[before..end];
        let message = format!("`{}` cannot be in a name", token.text(self.text));
        let problem = self
            .problem(&codes::STRAY_CHARACTER, token.start, token.end, message)
            .help("names are made of the letters a to z and A to Z, digits and `_`");
        self.report(problem.guess(self.place(before, end), plain_letters(name)));
        self.layout.broken.push(token.start);
        self.done = end;
    }

    /// `~lead`: a variable of SuperCollider.
    fn variable(&mut self, index: usize) -> bool {
        let name = self.word(index + 1);
        if name.is_empty() || !self.touches(index) || self.stands_behind(index) {
            return false;
        }
        let (start, end) = (self.tokens[index].start, self.tokens[index].end);
        let problem = self.problem(&codes::STRAY_CHARACTER, start, end, "a name has no `~` before it");
        self.report(problem.help(format!("write `{name}`")).fix(self.place(start, end), ""));
        self.repair(start, end, "");
        true
    }

    /// `$: s("bd*4")`: a line of Strudel.
    fn orbit(&mut self, index: usize) -> bool {
        if !self.starts_item(index) || !self.is(index + 1, ":") {
            return false;
        }
        let (start, end) = (self.tokens[index].start, self.tokens[self.item_end(index) - 1].end);
        let problem =
            self.problem(&codes::FOREIGN_WORD, start, self.tokens[index + 1].end, "mam has no `$:`");
        self.report(problem.help("a line of the score is a name and its pattern: `play { bd \"x*4\" }`"));
        self.layout.broken.push(start);
        self.done = end;
        true
    }

    /// `4:1`: a ratio of two numbers.
    fn ratio(&mut self, index: usize) -> bool {
        let number = |at: usize| self.at(at).filter(|token| token.kind == Kind::Number);
        let (Some(a), Some(b)) = (index.checked_sub(1).and_then(number), number(index + 1)) else {
            return false;
        };
        let [above, below] = [a, b].map(|token| token.text(self.text));
        let meant = if below == "1" { above.to_owned() } else { format!("{above} / {below}") };
        let (start, end) = (a.start, b.end);
        let problem = self.problem(&codes::FOREIGN_OPERATOR, start, end, "a ratio is one number");
        self.report(problem.help(format!("write `{meant}`")).fix(self.place(start, end), meant.as_str()));
        self.repair(start, end, &meant);
        self.done = end;
        true
    }

    /// `60.midicps`, `4.times do`: methods of numbers.
    pub(super) fn method_of_number(&mut self, index: usize) -> bool {
        let number = self
            .before(index)
            .filter(|before| before.kind == Kind::Number && before.end == self.tokens[index].start);
        let Some(&number) = number.filter(|_| self.touches(index)) else { return false };
        let word = self.word(index + 1);
        // In a line the modifiers follow: `|x...| by 1/16.fast(2)`.
        let of_line = self.in_score() && !self.starts_item(index - 1);
        if of_line || word.is_empty() || crate::ast::Unit::from_text(word).is_some() {
            return false;
        }
        let (start, mut end) = (number.start, self.tokens[index + 1].end);
        let digits = number.text(self.text);
        let message = format!("a number has no `.{word}`");
        let problem = self.problem(&codes::CALL_OF_FIELD, start, end, message);
        let statement = self.starts_item(index - 1);
        let role = if statement { Role::Statement } else { Role::Value };
        let row = foreign::find(role, word);
        self.report(match row {
            Some(row) if row.word.is_empty() || statement => problem.help(row.help_without_events()),
            _ => {
                let meant = format!("{}({digits})", row.map_or(word, |row| row.word));
                problem.help(format!("write `{meant}`")).guess(self.place(start, end), meant)
            }
        });
        if statement {
            end = self.tokens[self.item_end(index) - 1].end;
        }
        self.layout.broken.push(start);
        self.done = end;
        true
    }

    /// `x'`, Faust's value of the sample before.
    fn prime(&mut self, index: usize) -> bool {
        let Some(before) = index.checked_sub(1).map(|at| self.tokens[at]) else { return false };
        let start = self.tokens[index].start;
        if before.end != start || before.kind != Kind::Word {
            return false;
        }
        let marks = self.text[start..].bytes().take_while(|&b| b == b'\'').count();
        let (end, name) = (start + marks, before.text(self.text));
        if self.in_score() && self.is(index.wrapping_sub(2), ".") {
            return self.primed_modifier(before.start, end);
        }
        let meant = format!("{}{name}{}", "prev(".repeat(marks), ")".repeat(marks));
        let message = format!("`{name}{}` is not a name", "'".repeat(marks));
        let problem = self.problem(&codes::FOREIGN_OPERATOR, before.start, end, message);
        let help = format!("the value of the sample before is `{meant}`");
        self.report(problem.help(help).fix(self.place(before.start, end), meant));
        self.layout.text[start..end].fill(b' ');
        self.done = end;
        true
    }

    /// `.iter'(4)`: Tidal's names of functions that differ a little from those without the mark.
    fn primed_modifier(&mut self, start: usize, end: usize) -> bool {
        let written = &self.text[start..end];
        let problem =
            self.problem(&codes::FOREIGN_WORD, start, end, format!("there is no modifier `{written}`"));
        self.report(match foreign::find(Role::Modifier, written) {
            Some(row) => row.explain(problem, self.place(start, end), true, true),
            None => problem.help("names of modifiers are of letters alone; the page on patterns lists them"),
        });
        self.layout.broken.push(start);
        self.done = end;
        true
    }

    /// `x @ 100`, Faust's delay by so many samples.
    fn delay(&mut self, index: usize) -> bool {
        let (Some(before), Some(after)) = (self.before(index), self.at(index + 1)) else { return false };
        let token = self.tokens[index];
        let problem = self
            .problem(&codes::FOREIGN_OPERATOR, token.start, token.end, "`@` is not an operator")
            .help("`tap(x, 100 * dt, max: 100 * dt)` is `x` as it was 100 samples ago; outside of quotes nothing has a weight");
        let plain = matches!(before.kind, Kind::Word) && after.kind == Kind::Number;
        let problem = match plain && self.text[after.start..after.end].bytes().all(|b| b.is_ascii_digit()) {
            true => {
                let (of, frames) = (before.text(self.text), after.text(self.text));
                let meant = format!("tap({of}, {frames} * dt, max: {frames} * dt)");
                problem.fix(self.place(before.start, after.end), meant)
            }
            false => problem,
        };
        self.report(problem);
        self.layout.broken.push(token.start);
        true
    }

    /// `C#4` in an expression: a note's name as it is not written.
    fn sharp(&mut self, index: usize) -> bool {
        let (Some(before), Some(after)) = (self.before(index), self.at(index + 1)) else { return false };
        let token = self.tokens[index];
        if before.end != token.start || after.start != token.end {
            return false;
        }
        let name = &self.text[before.start..after.end];
        if name.len() == 3 && matches!(name.as_bytes()[0], b'a'..=b'g') && name.as_bytes()[2].is_ascii_digit()
        {
            self.done = after.end;
            return true;
        }
        let Some(hertz) = foreign::note_frequency(name) else { return false };
        let problem = self
            .problem(
                &codes::FOREIGN_OPERATOR,
                before.start,
                after.end,
                format!("`{name}` is not a frequency"),
            )
            .help(format!(
                "write `{hertz}`; in an instrument, `freq` is the frequency of the note that it plays"
            ));
        self.report(problem.fix(self.place(before.start, after.end), hertz));
        self.layout.broken.push(token.start);
        self.done = after.end;
        true
    }

    /// `a ? b : c`
    pub(super) fn ternary(&mut self, index: usize) {
        let token = self.tokens[index];
        let problem = self
            .problem(&codes::FOREIGN_OPERATOR, token.start, token.end, "`?` is not an operator")
            .help("write `if condition then a else b`");
        let (open, end) = self.around(index);
        let colon = (index..end).find(|&at| self.is(at, ":"));
        let problem = match colon.filter(|&colon| colon > index + 1 && colon + 1 < end && open < index) {
            Some(colon) => {
                let slice =
                    |from: usize, to: usize| &self.text[self.tokens[from].start..self.tokens[to - 1].end];
                let (condition, then, other) =
                    (slice(open, index), slice(index + 1, colon), slice(colon + 1, end));
                let span = self.place(self.tokens[open].start, self.tokens[end - 1].end);
                problem.fix(span, format!("if {condition} then {then} else {other}"))
            }
            None => problem,
        };
        self.report(problem);
        self.layout.broken.push(token.start);
        self.done = self.tokens[end.max(1) - 1].end;
    }

    /// The tokens of the operand around a token: from after `=`, `,` or an opening bracket to the next end.
    fn around(&self, index: usize) -> (usize, usize) {
        let first = |token: &super::Token| {
            token.is("=")
                || token.is(",")
                || token.is("(")
                || token.is("[")
                || token.is("{")
                || super::is_separator(token)
        };
        let open = (self.start()..index).rev().find(|&at| {
            let inner = self.layout.partner.get(at).is_some_and(|&partner| partner != at && partner < index);
            first(&self.tokens[at]) && !inner
        });
        let mut end = index + 1;
        while end < self.tokens.len() {
            let token = &self.tokens[end];
            if token.is(",") || super::is_separator(token) || crate::syntax::layout::closing(token).is_some()
            {
                break;
            }
            end = self.layout.partner[end].max(end) + 1;
        }
        (open.map_or(self.start(), |open| open + 1), end.min(self.tokens.len()))
    }

    /// `:` where it is not the mark after an argument's name.
    pub(super) fn colon(&mut self, index: usize) {
        let token = self.tokens[index];
        let span = self.place(token.start, token.end);
        let start = self.start();
        let word = self.word(start);
        let argument = index.wrapping_sub(1);
        if self.word(argument.wrapping_sub(1)) == "lambda"
            && !self.word(argument).is_empty()
            && self.begins_operand(index + 1)
        {
            return self.function(argument - 1, index + 1, self.word(argument));
        }
        let played = word == "play" && index == start + 1 && self.touches(start);
        if index == start + 1
            && (crate::syntax::STATEMENTS.contains(&word) || played)
            && self.begins_operand(index + 1)
        {
            let message = format!("no `:` stands after `{word}`");
            let problem = self.problem(&codes::STATEMENT_FORM, token.start, token.end, message);
            self.report(problem.help("take the `:` away").fix(span, ""));
            return self.repair(token.start, token.end, "");
        }
        if self.ratio(index) {
            return;
        }
        let inside = self.starts.len() == 1 || self.in_block();
        let name = !word.is_empty() && !crate::syntax::RESERVED.contains(&word);
        if index == start + 1 && name && inside && !self.in_score() && self.begins_operand(index + 1) {
            let message = "an equation has a `=` after its name";
            let problem = self.problem(&codes::EQUALS, token.start, token.end, message);
            let room = self.text.as_bytes().get(token.start.wrapping_sub(1)) == Some(&b' ');
            let meant = if room { "=" } else { " =" };
            self.report(problem.help(format!("write `{word} = …`")).fix(span, meant));
            return self.repair(token.start, token.end, "=");
        }
        // A name, or a path such as `bd.gain`.
        let mut first = index.wrapping_sub(1);
        while self.is(first.wrapping_sub(1), ".") && !self.word(first.wrapping_sub(2)).is_empty() {
            first -= 2;
        }
        let named = !self.word(first).is_empty()
            && self
                .before(first)
                .is_none_or(|b| b.is("(") || b.is(",") || b.is("{") || super::is_separator(b));
        let flows = self.before(index).is_some_and(|before| {
            matches!(before.kind, Kind::Word | Kind::Number) || before.is(")") || before.is("]")
        });
        if named || !flows || self.word(index + 1).is_empty() {
            return;
        }
        let before = start..index.min(start + FAR);
        let ternary = before.clone().any(|at| self.is(at, "?"));
        let def = word == "def" && !before.clone().any(|at| self.is(at, "="));
        if ternary || def {
            return;
        }
        let problem = self
            .problem(&codes::FOREIGN_OPERATOR, token.start, token.end, "`:` is not an operator")
            .help("what flows from left to right is written with `|>`");
        let room = self.text[..token.start].ends_with(' ');
        self.report(problem.fix(span, if room { "|>" } else { " |>" }));
        if room {
            self.repair(token.start - 1, token.end, "|>");
        } else {
            self.layout.broken.push(token.start);
        }
    }
}

/// Tokens of an item that are looked through.
const FAR: usize = 256;

/// A name without letters beyond a to z.
fn plain_letters(name: &str) -> String {
    const PLAIN: [(&str, &str); 13] = [
        ("äàáâãåā", "a"),
        ("ÄÀÁÂÃÅ", "A"),
        ("öòóôõøō", "o"),
        ("ÖÒÓÔÕØ", "O"),
        ("üùúûū", "u"),
        ("ÜÙÚÛ", "U"),
        ("éèêëē", "e"),
        ("íìîïī", "i"),
        ("ñń", "n"),
        ("çćč", "c"),
        ("ß", "ss"),
        ("æ", "ae"),
        ("μµ", "u"),
    ];
    let plain = |c: char| match PLAIN.iter().find(|(all, _)| all.contains(c)) {
        Some((_, plain)) => (*plain).to_owned(),
        None if c.is_ascii() && is_letter(c as u8) => c.to_string(),
        None => format!("u{:x}", u32::from(c)),
    };
    let name: String = name.chars().map(plain).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// Marks of other languages for which there is no other mark, and what is written instead.
const MARKS: [(&str, &str); 7] = [
    ("@", "outside of quotes nothing has a weight; a delay is `tap(x, 10ms, max: 1s)`"),
    (
        "~",
        "a rest stands in quotes, `bd \"x ~ x\"`; feedback reads its own value of the sample before, `y = x + 0.5 * prev(y)`",
    ),
    ("$", "a name is written without `$`, and a call has parentheses: `f(x)`"),
    ("\'", "a text stands between double quotes; the value of the sample before is `prev(x)`"),
    (
        "\\",
        "a name has no mark before it; a function is `def name(x) = …`; in `.every(4, fast(2))` a change is written by itself",
    ),
    ("#", "a comment begins with `//`; what follows a signal is written with `|>`"),
    ("`", "a text stands between double quotes"),
];

/// Characters that stand for marks of the language: from other languages, word processors and alphabets. Those that
/// cannot be seen stand for nothing.
const LOOK_ALIKES: [(char, &str); 44] = [
    ('&', "and"),
    ('−', "-"),
    ('–', "-"),
    ('—', "-"),
    ('×', "*"),
    ('·', "*"),
    ('∗', "*"),
    ('÷', "/"),
    ('⁄', "/"),
    ('∕', "/"),
    ('≤', "<="),
    ('≥', ">="),
    ('≠', "!="),
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('‘', "\""),
    ('’', "\""),
    ('，', ","),
    ('、', ","),
    ('；', ";"),
    ('：', ":"),
    ('（', "("),
    ('）', ")"),
    ('［', "["),
    ('］', "]"),
    ('｛', "{"),
    ('｝', "}"),
    ('＝', "="),
    ('＋', "+"),
    ('π', "pi"),
    ('τ', "tau"),
    ('²', "^2"),
    ('³', "^3"),
    ('→', "|>"),
    ('⇒', "|>"),
    ('∧', "and"),
    ('∨', "or"),
    ('¬', "not"),
    ('½', "0.5"),
    ('¼', "0.25"),
    ('\u{200b}', ""),
    ('\u{feff}', ""),
    ('\u{2060}', ""),
];
