//! What people write out of habit from other languages, or by a slip of the fingers, and what they meant.
//!
//! Each slip is reported at its place, and what was meant takes its place in the text for the grammar, in the same
//! number of bytes: so the rest of the item is read as if it had been right, and its other mistakes are found too.
//! Where no such text exists the item is poisoned: the grammar will refuse it, and no more is said of it.

use super::codes;
use super::layout::{Layout, is_separator};
use super::scan::{Kind, Scanned, Token};
use super::words::{RESERVED, STATEMENTS};
use crate::ast::Unit;
use crate::problem::{Code, Problem, nearest};
use crate::source::{SourceId, Span};

/// Finds the slips of a text and mends them in the layout.
pub(super) fn find(source: SourceId, text: &str, scanned: &Scanned, layout: &mut Layout, most: usize) -> Vec<Problem> {
    let tokens = std::mem::take(&mut layout.tokens);
    let mut slips = Slips { source, text, tokens: &tokens, layout, starts: vec![0], done: 0, problems: Vec::new(), most };
    slips.marks(scanned);
    for index in 0..tokens.len() {
        slips.follow(index);
        if tokens[index].start >= slips.done {
            slips.token(index);
        }
        if slips.problems.len() >= most {
            break;
        }
    }
    let problems = slips.problems;
    layout.tokens = tokens;
    layout.poison.sort_unstable();
    problems
}

struct Slips<'a> {
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
}

impl<'a> Slips<'a> {
    fn report(&mut self, problem: Problem) {
        if self.problems.len() < self.most {
            self.problems.push(problem);
        }
    }

    fn problem(&self, code: &'static Code, start: usize, end: usize, message: impl Into<String>) -> Problem {
        Problem::new(code, Span::new(self.source, start, end), message)
    }

    /// Writes `meant` into `start..end`, filled up with spaces before it.
    fn mend(&mut self, start: usize, end: usize, meant: &str) {
        let room = &mut self.layout.text[start..end];
        match room.len().checked_sub(meant.len()) {
            Some(spaces) => {
                room.fill(b' ');
                room[spaces..].copy_from_slice(meant.as_bytes());
            }
            None => self.layout.poison.push(start),
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

    /// The first token of the item around.
    fn start(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// What the scanner noticed: comments of other languages, and what is not closed.
    fn marks(&mut self, scanned: &Scanned) {
        for &(start, end) in &scanned.foreign_comments {
            let mark = if self.text[start..].starts_with('#') { "#" } else { "/*" };
            let problem = self.problem(&codes::FOREIGN_COMMENT, start, end, format!("`{mark}` does not begin a comment"));
            self.report(problem.help("a comment begins with `//` and goes to the end of the line"));
        }
        for &start in &scanned.unclosed {
            self.unclosed(start);
        }
    }

    /// A quoted text or a tab that its line does not close: it ends there.
    fn unclosed(&mut self, start: usize) {
        let Some(token) = self.tokens.iter().find(|token| token.start == start) else { return };
        let (mark, what) = if token.kind == Kind::Tab { ("|", "tab") } else { ("\"", "quotation") };
        let code = if token.kind == Kind::Tab { &codes::UNCLOSED_TAB } else { &codes::UNCLOSED_QUOTE };
        let end = start + token.text(self.text).trim_end().len();
        let problem = self.problem(code, start, start + 1, format!("this {what} is never closed")).here("opened here");
        let place = Span::new(self.source, end, end);
        self.report(problem.label(place, format!("`{mark}` is missing")).help(format!("write `{mark}` where it ends")));
        if end > start + 1 && self.text.is_char_boundary(end - 1) {
            self.layout.text[end - 1] = mark.as_bytes()[0];
        } else {
            self.layout.poison.push(start);
        }
    }

    fn token(&mut self, index: usize) {
        match self.tokens[index].kind {
            Kind::Number => self.number(index),
            Kind::Symbol(symbol) => self.symbol(index, symbol),
            Kind::Stray => self.stray(index),
            Kind::Word if self.starts_item(index) => self.item(index),
            Kind::Word => self.name(index),
            Kind::Text => self.single_quotes(index),
            Kind::Tab if self.starts_item(index) => {
                let token = self.tokens[index];
                let problem = self.problem(&codes::NO_TARGET, token.start, token.end, "this tab has no target");
                self.report(problem.help("write what it plays before it, in the same line: `bd |x...|`"));
                self.layout.poison.push(token.start);
            }
            _ => {}
        }
    }

    // ---- Numbers -------------------------------------------------------------------------------------------------

    fn number(&mut self, index: usize) {
        let token = self.tokens[index];
        let text = token.text(self.text);
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        if unit.is_empty() {
            self.plain_number(index, number);
        } else if unit == "%" && self.touches(index) && self.begins_operand(index + 1) {
            self.remainder(token.end - 1, token.end);
        } else if Unit::from_text(unit).is_none() && !MUSICAL.contains(&unit) {
            self.unknown_unit(token.start + digits, token.end, number);
        }
    }

    /// A number without a unit: what stands after it may have been meant as a part of it.
    fn plain_number(&mut self, index: usize, number: &str) {
        let token = self.tokens[index];
        let Some(&next) = self.at(index + 1) else { return };
        let word = self.word(index + 1);
        if next.is(".") && self.touches(index) && !number.contains('.') {
            return self.open_point(index);
        }
        let unit = Unit::from_text(word).or_else(|| synonym(word).filter(|_| word.len() > 1));
        let percent = next.is("%") && !self.begins_operand(index + 2);
        if let Some(unit) = unit.or(percent.then_some(Unit::Percent)) {
            let unit = unit.text();
            let message = format!("the unit `{}` stands apart from its number", next.text(self.text));
            let problem = self.problem(&codes::UNIT_APART, token.start, next.end, message);
            self.report(problem.help(format!("write `{number}{unit}`")));
            self.mend(token.start, next.end, &format!("{number}{unit}"));
        }
    }

    /// `5.`
    fn open_point(&mut self, index: usize) {
        let (token, point) = (self.tokens[index], self.tokens[index + 1]);
        let field = self.touches(index + 1) && self.at(index + 2).is_some_and(|next| next.kind == Kind::Word);
        let unit = field && Unit::from_text(self.word(index + 2)).is_some();
        if field && !unit {
            return;
        }
        let number = token.text(self.text);
        let tail = if unit { self.word(index + 2) } else { "" };
        let problem = self.problem(&codes::OPEN_POINT, token.start, point.end, "a number has digits on both sides of its point");
        self.report(problem.help(format!("write `{number}{tail}` or `{number}.0{tail}`")));
        self.mend(point.start, point.end + tail.len(), &format!("{tail} "));
    }

    fn unknown_unit(&mut self, start: usize, end: usize, number: &str) {
        let unit = &self.text[start..end];
        let exponent = unit.strip_prefix(['e', 'E']).filter(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        if let Some(exponent) = exponent {
            let number_start = start - number.len();
            let problem = self.problem(&codes::NUMBER_FORM, number_start, end, "numbers have no exponent");
            self.report(problem.help(written_out(number, exponent)));
            return self.mend(start, end, "");
        }
        if unit.starts_with(['_', 'x', 'X']) && unit.len() > 1 && unit.bytes().skip(1).all(|b| b.is_ascii_hexdigit() || b == b'_') {
            let number_start = start - number.len();
            let problem = self.problem(&codes::NUMBER_FORM, number_start, end, "a number is written in decimal digits alone");
            self.report(problem.help("write it without `_`, `0x` and the like: `1000`, `16`"));
            return self.mend(start, end, "");
        }
        let problem = self.problem(&codes::UNKNOWN_UNIT, start, end, format!("there is no unit `{unit}`"));
        let known: Vec<_> = Unit::ALL.iter().map(|unit| unit.text()).chain(["beats", "bars"]).collect();
        let meant = synonym(unit).map(Unit::text).or_else(|| nearest(unit, &known).filter(|_| unit.len() > 1));
        let list = format!("units: {}", known.join(", "));
        let problem = match meant {
            Some(meant) => problem.here(format!("did you mean `{meant}`?")).help(list),
            None => problem.help(format!("{list}; a product is written `{number} * {unit}`")),
        };
        self.report(problem);
        let meant = meant.filter(|meant| meant.len() <= unit.len()).unwrap_or("");
        self.mend(start, end, &format!("{meant:width$}", width = unit.len()));
    }

    // ---- Marks ---------------------------------------------------------------------------------------------------

    fn symbol(&mut self, index: usize, symbol: &'static str) {
        let token = self.tokens[index];
        let touching = self.touches(index).then(|| self.tokens[index + 1]);
        let then = |mark: &str| touching.filter(|next| next.is(mark));
        match symbol {
            "." if touching.is_some_and(|next| next.kind == Kind::Number) && !self.follows_operand(index) => {
                self.bare_point(index);
            }
            "&&" => self.logic(token, "and"),
            "||" => self.logic(token, "or"),
            "!" => self.foreign(token.start, token.end, "not", "-"),
            "**" => self.foreign(token.start, token.end, "^", "^"),
            "%" if !self.is_unit_apart(index) => self.remainder(token.start, token.end),
            "<" if then(">").is_some() => self.foreign(token.start, token.end + 1, "!=", "!="),
            "==" if then("=").is_some() => self.foreign(token.start, token.end + 1, "==", "=="),
            "=" if then("<").is_some() => self.foreign(token.start, token.end + 1, "<=", "<="),
            "=>" => self.foreign(token.start, token.end, ">=", ">="),
            ":" if then("=").is_some() && self.starts_item(index.saturating_sub(1)) => {
                self.foreign(token.start, token.end + 1, "=", "=");
            }
            "?" => {
                let problem = self.problem(&codes::FOREIGN_OPERATOR, token.start, token.end, "`?` is not an operator");
                self.report(problem.help("write `if condition then a else b`"));
                self.layout.poison.push(token.start);
            }
            "+=" | "-=" | "*=" | "->" => {
                let message = format!("`{symbol}` is not an operator");
                let problem = self.problem(&codes::FOREIGN_OPERATOR, token.start, token.end, message);
                self.report(problem.help("an equation defines its name once, for all time: `name = expression`"));
                self.layout.poison.push(token.start);
            }
            "==" if self.defines(index) => {
                let problem = self.problem(&codes::EQUALS, token.start, token.end, "`==` compares, `=` defines");
                self.report(problem.help("write `=`"));
                self.mend(token.start, token.end, "=");
            }
            "=" => self.equals(index),
            _ => {}
        }
    }

    fn follows_operand(&self, index: usize) -> bool {
        self.before(index).is_some_and(|token| {
            token.end == self.tokens[index].start
                && (matches!(token.kind, Kind::Word | Kind::Number) || token.is(")") || token.is("]") || token.is("}"))
        })
    }

    /// `.5`
    fn bare_point(&mut self, index: usize) {
        let (point, number) = (self.tokens[index], self.tokens[index + 1]);
        let text = number.text(self.text);
        let message = "a number has digits on both sides of its point";
        let problem = self.problem(&codes::OPEN_POINT, point.start, number.end, message);
        self.report(problem.help(format!("write `0.{text}`")));
        self.mend(point.start, point.end, "");
    }

    fn is_unit_apart(&self, index: usize) -> bool {
        self.before(index).is_some_and(|token| token.kind == Kind::Number) && !self.begins_operand(index + 1)
    }

    fn remainder(&mut self, start: usize, end: usize) {
        let problem = self.problem(&codes::FOREIGN_OPERATOR, start, end, "`%` is the unit of hundredths, not the remainder");
        self.report(problem.help("write `a mod b`"));
        self.mend(start, end, "*");
    }

    fn foreign(&mut self, start: usize, end: usize, meant: &str, mended: &str) {
        self.done = end;
        let written = &self.text[start..end];
        let problem = self.problem(&codes::FOREIGN_OPERATOR, start, end, format!("`{written}` is not an operator"));
        self.report(problem.help(format!("write `{meant}`")));
        self.mend(start, end, mended);
    }

    fn logic(&mut self, token: Token, meant: &str) {
        let spaced = |byte: Option<&u8>| byte.is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_');
        let bytes = self.text.as_bytes();
        let apart = spaced(bytes.get(token.start.wrapping_sub(1))) && spaced(bytes.get(token.end));
        self.foreign(token.start, token.end, meant, if apart { "or" } else { "poison" });
    }

    /// True for the mark after the name at the start of an item.
    fn defines(&self, index: usize) -> bool {
        let named = index.checked_sub(1).filter(|&name| !self.word(name).is_empty());
        named.is_some_and(|name| {
            self.starts_item(name)
                || matches!(self.word(name.wrapping_sub(1)), "param" | "knob") && self.starts_item(name.wrapping_sub(1))
        })
    }

    /// An `=` that defines nothing.
    fn equals(&mut self, index: usize) {
        let token = self.tokens[index];
        let before = index.wrapping_sub(1);
        let named = !self.word(before).is_empty();
        if self.starts_item(index) || self.defines(index) || named && self.word(before.wrapping_sub(1)) == "chain" || self.is_in_head(index) {
            return;
        }
        if named && (self.is(before.wrapping_sub(1), "(") || self.is(before.wrapping_sub(1), ",")) {
            let name = self.word(before);
            let message = "a named argument has a `:` after its name";
            let problem = self.problem(&codes::ARGUMENT_EQUALS, token.start, token.end, message);
            self.report(problem.help(format!("write `{name}: …`")));
            return self.mend(token.start, token.end, ":");
        }
        let open = self.text.as_bytes().get(token.end) == Some(&b' ');
        let problem = self.problem(&codes::EQUALS, token.start, token.end, "`=` defines, `==` compares");
        self.report(problem.help("write `==`; an equation of its own stands in its own line"));
        let (end, meant) = if open { (token.end + 1, "==") } else { (token.end, "<") };
        self.mend(token.start, end, meant);
    }

    /// True in the head of a `def`, where `=` gives a default or the body, and after two words at the start.
    fn is_in_head(&self, index: usize) -> bool {
        let start = self.start();
        match self.word(start) {
            "def" => self.formals().is_none_or(|formals| index < formals.end || index == formals.end + 1),
            // The item is wrong from its start.
            _ => index == start + 2 && !self.word(start + 1).is_empty(),
        }
    }

    /// The brackets of the `def` around.
    fn formals(&self) -> Option<std::ops::Range<usize>> {
        let open = self.start() + 2;
        let def = self.word(self.start()) == "def" && self.is(open, "(");
        def.then(|| open..self.layout.partner[open])
    }

    // ---- Words ---------------------------------------------------------------------------------------------------

    /// The first word of an item.
    fn item(&mut self, index: usize) {
        let token = self.tokens[index];
        let word = token.text(self.text);
        let keyword = STATEMENTS.contains(&word) || RESERVED.contains(&word);
        if RESERVED.contains(&word) && word != "out" && self.is(index + 1, "=") {
            return self.reserved(index);
        }
        let goes_on = self.at(index + 1).is_some_and(|next| matches!(next.kind, Kind::Word | Kind::Number));
        if keyword || !goes_on {
            return;
        }
        if let Some((_, meant)) = FOREIGN_WORDS.iter().find(|(foreign, _)| foreign.contains(&word)) {
            let problem = self.problem(&codes::FOREIGN_WORD, token.start, token.end, format!("mam has no `{word}`"));
            self.report(problem.help(*meant));
            return match self.is(index + 2, "=") {
                true => self.mend(token.start, token.end, ""),
                false => self.layout.poison.push(token.start),
            };
        }
    }

    /// A word that names something, after the word that says what.
    fn name(&mut self, index: usize) {
        const NAMING: [&str; 8] = ["def", "instrument", "effect", "section", "param", "knob", "input", "chain"];
        let word = self.word(index);
        if !RESERVED.contains(&word) {
            return;
        }
        let before = self.word(index - 1);
        let names = NAMING.contains(&before) && (before == "chain" || self.starts_item(index - 1))
            || before == "sum" && self.word(index + 1) == "in";
        let formal = self.is_formal(index);
        if names || formal {
            self.reserved(index);
        }
    }

    /// True for the first word of a formal argument.
    fn is_formal(&self, index: usize) -> bool {
        if !(self.is(index - 1, "(") || self.is(index - 1, ",")) || !(self.is(index + 1, ")") || self.is(index + 1, ",") || self.is(index + 1, ":")) {
            return false;
        }
        self.formals().is_some_and(|formals| formals.contains(&index))
    }

    fn reserved(&mut self, index: usize) {
        let token = self.tokens[index];
        let word = token.text(self.text);
        let message = format!("`{word}` is a word of the language and cannot be a name");
        let problem = self.problem(&codes::RESERVED_NAME, token.start, token.end, message);
        self.report(problem.help(format!("choose another name, such as `{word}_`")));
        self.layout.poison.push(token.start);
    }

    // ---- Characters ----------------------------------------------------------------------------------------------

    fn single_quotes(&mut self, index: usize) {
        let token = self.tokens[index];
        if !self.text[token.start..].starts_with('\'') {
            return;
        }
        let problem = self.problem(&codes::FOREIGN_QUOTE, token.start, token.end, "a text stands between double quotes");
        let inside = &self.text[token.start + 1..token.end - 1];
        self.report(problem.help(format!("write `\"{inside}\"`")));
        self.layout.text[token.start] = b'"';
        self.layout.text[token.end - 1] = b'"';
    }

    fn stray(&mut self, index: usize) {
        let token = self.tokens[index];
        let text = token.text(self.text);
        // A note may be sharp: `default note c#2`.
        let note = (1..4).any(|back| self.word(index.wrapping_sub(back)) == "note");
        if text == "#" && note || self.before(index).is_some_and(|before| before.kind == Kind::Stray) {
            return;
        }
        if let Some((_, meant)) = LOOK_ALIKES.iter().find(|(c, _)| text.starts_with(*c)) {
            let message = format!("`{text}` is not the mark that the language knows");
            let problem = self.problem(&codes::STRAY_CHARACTER, token.start, token.end, message);
            self.report(problem.help(format!("write `{meant}`")));
            return self.mend(token.start, token.end, meant);
        }
        let shown: String = text.chars().flat_map(char::escape_debug).collect();
        let problem = self.problem(&codes::STRAY_CHARACTER, token.start, token.end, format!("`{shown}` means nothing here"));
        let help = if text.chars().all(char::is_alphabetic) {
            "names are made of the letters a to z and A to Z, digits and `_`"
        } else {
            "take it away; any character may stand in a comment or between quotes"
        };
        self.report(problem.help(help));
        self.layout.poison.push(token.start);
    }
}

const MUSICAL: [&str; 4] = ["beat", "beats", "bar", "bars"];

/// Words that join two operands, or stand after one: no operand begins with them.
const JOINS: [&str; 14] = [
    "then", "else", "and", "or", "mod", "in", "curve", "step", "smooth", "cc", "over", "at", "of", "by",
];

/// Units as other programs write them.
fn synonym(word: &str) -> Option<Unit> {
    const WORDS: [(Unit, &[&str]); 8] = [
        (Unit::Hz, &["hz", "HZ", "hertz", "Hertz"]),
        (Unit::KHz, &["khz", "KHz", "KHZ", "k", "kilohertz"]),
        (Unit::Ms, &["msec", "msecs", "MS", "Ms", "millis", "milliseconds"]),
        (Unit::S, &["sec", "secs", "second", "seconds", "S"]),
        (Unit::Db, &["db", "DB", "Db", "decibel", "decibels"]),
        (Unit::Percent, &["pct", "percent"]),
        (Unit::St, &["semi", "semis", "semitone", "semitones", "semitons"]),
        (Unit::Ct, &["c", "cent", "cents"]),
    ];
    WORDS.iter().find(|(_, words)| words.contains(&word)).map(|(unit, _)| *unit)
}

/// First words of other languages, and what is written here.
const FOREIGN_WORDS: [(&[&str], &str); 6] = [
    (&["let", "var", "const", "val", "local", "auto", "float", "double", "int", "signal"], "an equation is `name = expression`, with nothing before the name"),
    (&["fn", "func", "fun", "function", "define", "proc", "process"], "a function of signals is `def name(x) = expression`"),
    (&["class", "struct", "synth", "voice", "node"], "what reacts to notes is `instrument name { … }`, what reacts to `in` is `effect name { … }`"),
    (&["for", "while", "loop", "repeat"], "what is repeated a fixed number of times is `sum i in 1..8 { … }` or `chain x = in, i in 0..3 { … }`"),
    (&["return"], "the result of a body is its `out`: `out = expression`"),
    (&["import", "include", "require", "from"], "a file's definitions are brought in by `use \"lib/mine.mam\"`"),
];

/// Characters that look like marks of the language, from word processors and other alphabets.
const LOOK_ALIKES: [(char, &str); 16] = [
    ('−', "-"),
    ('–', "-"),
    ('—', "-"),
    ('×', "*"),
    ('·', "*"),
    ('÷', "/"),
    ('≤', "<="),
    ('≥', ">="),
    ('≠', "!="),
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('‘', "\""),
    ('’', "\""),
    ('，', ","),
    ('＝', "="),
];

/// A number with an exponent, without it.
fn written_out(number: &str, exponent: &str) -> String {
    match exponent.parse::<i32>() {
        Ok(exponent) if exponent <= 12 => {
            let value = number.parse::<f64>().unwrap_or(0.0) * 10f64.powi(exponent);
            format!("write `{value}`")
        }
        _ => "write all its digits".to_owned(),
    }
}
