//! Text to [`Value`]s: standard JSON and nothing else.
//!
//! A small recursive reader of our own, because a musician deserves better than "expected value at line 3": it
//! knows the usual mistakes (comments, trailing commas, single quotes, `NaN`, `.5`), says what each is, and reads on.
//! Its verdict is the same as that of serde_json, by which it is tested; a byte order mark is let pass with a
//! warning. It stops at what leaves the structure in doubt: a bracket that does not fit, an end that comes too soon.

use super::codes;
use super::text::{Piece, piece};
use super::value::{At, Decimal, Member, Text, Value};
use crate::limits::Limits;
use crate::problem::{Code, Problem, Problems};
use crate::source::{SourceId, Sources, Span};

/// Reads a text. None when its structure is in doubt; then there is at least one error.
pub fn read(sources: &Sources, id: SourceId, limits: &Limits, problems: &mut Problems) -> Option<At<Value>> {
    let text = &*sources.get(id).text;
    let mut reader =
        Reader { text, at: 0, depth: 0, values: 0, unclosed: false, source: id, limits, problems };
    reader.document().ok()
}

/// The structure is in doubt, and this has been reported.
struct Stop;
type Read<T> = Result<T, Stop>;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// Number of values that were read so far.
    values: usize,
    /// The last string was not closed: what seems to be missing behind it may be inside.
    unclosed: bool,
    source: SourceId,
    limits: &'a Limits,
    problems: &'a mut Problems,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Read<At<Value>> {
        if self.text.len() > self.limits.json.file_bytes {
            let message = format!("the file is larger than {} bytes", self.limits.json.file_bytes);
            return Err(self.stop(&codes::LIMIT, 0..0, message));
        }
        if self.text.starts_with('\u{feff}') {
            let message = "the file begins with a byte order mark, which JSON does not have";
            self.report(&codes::BYTE_ORDER_MARK, 0..3, message);
            self.at = 3;
        }
        self.space();
        if self.rest().is_empty() {
            let message = "expected a song, `{ \"version\": 1, \"nodes\": [ … ] }`, but the file is empty";
            return Err(self.stop(&codes::SYNTAX, self.at..self.at, message));
        }
        let value = self.value("the song, an object `{ … }`")?;
        self.space();
        if let Some(c) = self.rest().chars().next() {
            let message = format!("expected the end of the file after the song, found {}", show(c));
            return Err(self.stop(&codes::SYNTAX, self.at..self.at + c.len_utf8(), message));
        }
        Ok(value)
    }

    /// The value that begins here; `what` says what is expected.
    fn value(&mut self, what: &str) -> Read<At<Value>> {
        let start = self.at;
        self.values += 1;
        if self.values > self.limits.json.values {
            let message =
                format!("the file has more than {} values, the limit `json.values`", self.limits.json.values);
            return Err(self.stop(&codes::LIMIT, start..start + 1, message));
        }
        let value = match self.rest().chars().next() {
            Some('{') => self.nested(Self::object)?,
            Some('[') => self.nested(Self::array)?,
            Some(quote @ ('"' | '\'')) => Value::Text(self.string(quote)?.value),
            Some('-' | '+' | '.' | '0'..='9') => self.number(),
            Some(c) if c.is_alphabetic() || c == '_' || c == '$' => self.word(what),
            found => return Err(self.unexpected(found, what)),
        };
        Ok(At::new(value, self.span(start..self.at)))
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Read<Value>) -> Read<Value> {
        if self.depth == self.limits.nesting {
            let message = format!("lists and objects are nested deeper than {}", self.limits.nesting);
            return Err(self.stop(&codes::LIMIT, self.at..self.at + 1, message));
        }
        self.depth += 1;
        let value = inner(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array(&mut self) -> Read<Value> {
        let open = self.at;
        self.at += 1;
        let mut all = Vec::new();
        while self.another(open, ']', all.is_empty())? {
            all.push(self.value("a value, or `]`")?);
        }
        Ok(Value::Array(all))
    }

    fn object(&mut self) -> Read<Value> {
        let open = self.at;
        self.at += 1;
        let mut all = Vec::new();
        while self.another(open, '}', all.is_empty())? {
            let key = self.key()?;
            self.space();
            if !self.eat(':') {
                self.expected_colon()?;
            }
            self.space();
            let value = self.value("a value after `:`")?;
            all.push(Member { key, value });
        }
        Ok(Value::Object(all))
    }

    /// Steps over white space and the comma before the next element; false at the closing bracket.
    fn another(&mut self, open: usize, close: char, first: bool) -> Read<bool> {
        if self.problems.len() >= self.limits.problems {
            return Err(Stop); // This is hardly JSON at all.
        }
        self.space();
        let before = self.at;
        let comma = !first && self.eat(',');
        self.space();
        if self.rest().is_empty() {
            let message = format!("the file ends before `{close}`");
            let problem = Problem::new(&codes::SYNTAX, self.span(self.at..self.at), message);
            self.add(problem.label(self.span(open..open + 1), "what begins here is never closed"));
            return Err(Stop);
        }
        if self.eat(close) {
            if comma {
                let message = format!("a comma before `{close}`");
                let span = self.span(before..before + 1);
                self.add(Problem::new(&codes::TRAILING_COMMA, span, message).fix(span, ""));
            }
            return Ok(false);
        }
        let unclosed = std::mem::take(&mut self.unclosed);
        if !first && !comma && !unclosed {
            self.missing_comma(open, close)?;
        }
        Ok(true)
    }

    /// Between two elements stands something other than a comma: reads on if it can begin an element.
    fn missing_comma(&mut self, open: usize, close: char) -> Read<()> {
        let c = self.rest().chars().next().unwrap_or(' ');
        let message = format!("expected `,` or `{close}`, found {}", show(c));
        let begins = matches!(c, '"' | '\'' | '{' | '[' | '-' | '0'..='9') || c.is_alphabetic();
        let span = self.span(self.at..self.at + c.len_utf8());
        let problem = Problem::new(&codes::SYNTAX, span, message);
        match begins {
            true => self.add(problem.help("put a comma between the two")),
            false => self.add(problem.label(self.span(open..open + 1), "in what begins here")),
        }
        if begins { Ok(()) } else { Err(Stop) }
    }

    /// The key of a member, in quotes; without them it is read and reported.
    fn key(&mut self) -> Read<Text> {
        let start = self.at;
        match self.rest().chars().next() {
            Some(quote @ ('"' | '\'')) => self.string(quote),
            Some(c) if c.is_alphabetic() || c == '_' || c == '$' => {
                let name = self.take(|c| c.is_alphanumeric() || c == '_' || c == '$');
                let span = self.span(start..self.at);
                let problem = Problem::new(&codes::SYNTAX, span, "a key without quotes");
                self.add(problem.help(format!("write `\"{name}\"`")));
                Ok(At::new(name.into(), span))
            }
            found => Err(self.unexpected(found, "a key in double quotes, or `}`")),
        }
    }

    fn expected_colon(&mut self) -> Read<()> {
        let found = self.rest().chars().next();
        let begins = matches!(found, Some('"' | '{' | '[' | '-' | '0'..='9' | '='));
        let stop = self.unexpected(found, "`:` between a key and its value");
        if !begins {
            return Err(stop);
        }
        self.eat('=');
        Ok(())
    }

    /// A string, from its opening quote to its closing one. One that is not closed ends with its line.
    fn string(&mut self, quote: char) -> Read<Text> {
        let start = self.at;
        self.at += 1;
        self.unclosed = false;
        let mut value = String::new();
        loop {
            match self.rest().chars().next() {
                None | Some('\n' | '\r') => {
                    let message = "a string that is not closed in its line";
                    let problem = Problem::new(&codes::STRING, self.span(start..self.at), message);
                    self.problems
                        .add(problem.help("put `\"` at its end; a line break inside is written `\\n`"));
                    self.unclosed = true;
                    return if self.rest().is_empty() { Err(Stop) } else { Ok(self.text(start, &value)) };
                }
                Some(c) if c == quote => break,
                Some(_) => self.character(&mut value),
            }
        }
        self.at += 1;
        if quote == '\'' {
            let span = self.span(start..self.at);
            let problem = Problem::new(&codes::STRING, span, "a string in single quotes");
            let problem = problem.help("JSON's strings stand in double quotes: `\"…\"`");
            let plain = !value.contains(['"', '\\']) && !value.chars().any(char::is_control);
            self.add(if plain { problem.fix(span, format!("\"{value}\"")) } else { problem });
        }
        Ok(self.text(start, &value))
    }

    fn character(&mut self, value: &mut String) {
        let (found, bytes) = piece(self.rest());
        match found {
            Piece::Char(c) => value.push(c),
            Piece::Wrong(why) => self.report(&codes::STRING, self.at..self.at + bytes, why),
        }
        self.at += bytes;
    }

    fn text(&self, start: usize, value: &str) -> Text {
        At::new(value.into(), self.span(start..self.at))
    }

    /// Whatever looks like a number: strict in verdict, generous in how much it takes for one.
    fn number(&mut self) -> Value {
        let start = self.at;
        let mut previous = ' ';
        let text = self.take(|c| {
            let sign = matches!(c, '+' | '-') && matches!(previous, ' ' | 'e' | 'E' | '+' | '-');
            previous = c;
            sign || c.is_alphanumeric() || c == '.' || c == '_'
        });
        let range = start..self.at;
        if let Some(why) = malformed_number(text) {
            self.report(&codes::NUMBER, range, format!("`{}` is not a JSON number: {why}", shorten(text)));
            return Value::Broken;
        }
        match Decimal::new(text) {
            Some(decimal) => Value::Number(decimal),
            None => {
                let message = format!("`{}` is too large, or has too many digits", shorten(text));
                self.report(&codes::NUMBER, range, message);
                Value::Broken
            }
        }
    }

    /// `true`, `false`, `null`, or a bare word, which JSON does not have.
    fn word(&mut self, what: &str) -> Value {
        let start = self.at;
        let word = self.take(|c| c.is_alphanumeric() || c == '_' || c == '$');
        let help = match word {
            "true" => return Value::Bool(true),
            "false" => return Value::Bool(false),
            "null" => return Value::Null,
            "True" | "TRUE" | "yes" | "on" => "write `true`".to_owned(),
            "False" | "FALSE" | "no" | "off" => "write `false`".to_owned(),
            "None" | "nil" | "undefined" | "NULL" => "write `null`, or leave the field out".to_owned(),
            "NaN" | "Infinity" | "inf" | "nan" => "JSON knows finite numbers only".to_owned(),
            _ => format!("if it is a string, write `\"{word}\"`"),
        };
        let message = format!("expected {what}, found the word `{}`", shorten(word));
        let problem = Problem::new(&codes::SYNTAX, self.span(start..self.at), message);
        self.add(problem.help(help));
        Value::Broken
    }

    /// Steps over white space; comments and other blank characters are reported and stepped over.
    fn space(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            let rest = self.rest();
            let start = self.at;
            let Some(c) = rest.chars().next() else { return };
            if let Some(length) = comment(rest) {
                self.at += length;
                let problem = Problem::new(&codes::COMMENT, self.span(start..self.at), "a comment");
                let help = "JSON has no comments: write a field whose name begins with `_`, or a .mam song";
                self.add(problem.help(help));
            } else if c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}') {
                self.at += c.len_utf8();
                let message = format!("U+{:04X}, which looks like a space but is not one in JSON", c as u32);
                self.report(&codes::SYNTAX, start..self.at, message);
            } else {
                return;
            }
        }
    }

    fn take(&mut self, mut part: impl FnMut(char) -> bool) -> &'a str {
        let start = self.at;
        self.at += self.rest().find(|c| !part(c)).unwrap_or(self.rest().len());
        &self.text[start..self.at]
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        self.at += if found { c.len_utf8() } else { 0 };
        found
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span::new(self.source, range.start, range.end)
    }

    fn report(&mut self, code: &'static Code, range: std::ops::Range<usize>, message: impl Into<String>) {
        self.add(Problem::new(code, self.span(range), message));
    }

    /// Adds a problem, unless there are too many already.
    fn add(&mut self, problem: Problem) {
        if self.problems.len() < self.limits.problems {
            self.problems.add(problem);
        }
    }

    fn stop(
        &mut self,
        code: &'static Code,
        range: std::ops::Range<usize>,
        message: impl Into<String>,
    ) -> Stop {
        self.report(code, range, message);
        Stop
    }

    fn unexpected(&mut self, found: Option<char>, what: &str) -> Stop {
        let (shown, length) = match found {
            Some(c) => (show(c), c.len_utf8()),
            None => ("the end of the file".to_owned(), 0),
        };
        self.stop(&codes::SYNTAX, self.at..self.at + length, format!("expected {what}, found {shown}"))
    }
}

/// Bytes of the comment that `rest` begins with.
fn comment(rest: &str) -> Option<usize> {
    let line = || rest.find(['\n', '\r']).unwrap_or(rest.len());
    if rest.starts_with("/*") {
        return Some(rest.find("*/").map_or(rest.len(), |i| i + 2));
    }
    (rest.starts_with("//") || rest.starts_with('#')).then(line)
}

/// Why this is not `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`.
fn malformed_number(text: &str) -> Option<&'static str> {
    let rest = text.strip_prefix('-').unwrap_or(text);
    if rest.starts_with('+') {
        return Some("it has no plus sign in front");
    }
    if rest.starts_with(|c: char| c.is_alphabetic()) {
        return Some("there are finite numbers only");
    }
    if rest.starts_with("0x") || rest.starts_with("0X") || rest.contains('_') {
        return Some("there are plain decimal numbers only");
    }
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((m, e)) => (m, Some(e.strip_prefix(['+', '-']).unwrap_or(e))),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((w, f)) => (w, Some(f)),
        None => (mantissa, None),
    };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && fraction.is_some_and(digits) {
        return Some("a digit stands before the point, as in `0.5`");
    }
    if digits(whole) && fraction == Some("") {
        return Some("a digit stands behind the point, as in `1.0`");
    }
    if !digits(whole) || !fraction.is_none_or(digits) || !exponent.is_none_or(digits) {
        return Some("write it like `120`, `-0.5` or `1e-3`, without a unit");
    }
    (whole.len() > 1 && whole.starts_with('0')).then_some("it does not begin with a zero")
}

/// A character as it stands in a message.
fn show(c: char) -> String {
    if c.is_control() { format!("U+{:04X}", c as u32) } else { format!("`{c}`") }
}

/// The beginning of a text that may be long.
fn shorten(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
