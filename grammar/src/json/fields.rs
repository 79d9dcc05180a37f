//! From untyped values to typed fields: every mismatch is a problem at its place, and reading goes on.

use super::codes;
use super::value::{At, Decimal, Member, Text, Value};
use crate::float;
use crate::limits::Limits;
use crate::problem::{Code, Problem, Problems};
use crate::source::Span;
use rustc_hash::FxHashMap;
use std::ops::RangeInclusive;

/// What typed reading needs at hand.
pub(super) struct Fields<'a> {
    /// The whole text, to find characters in strings.
    pub(super) text: &'a str,
    pub(super) limits: &'a Limits,
    pub(super) problems: &'a mut Problems,
    /// The version of the format in which the song is written.
    pub(super) version: u32,
}

/// An object whose keys have been checked: each once, in order.
pub(super) struct Object<'v> {
    /// What it is, for messages: "a node".
    pub(super) what: &'static str,
    pub(super) span: Span,
    pub(super) members: Vec<&'v Member>,
}

impl<'v> Object<'v> {
    /// The value of a field, if it is there.
    pub(super) fn get(&self, key: &str) -> Option<&'v At<Value>> {
        self.members.iter().find(|m| &*m.key.value == key).map(|m| &m.value)
    }

    /// The place of a field's key.
    pub(super) fn key_span(&self, key: &str) -> Option<Span> {
        self.members.iter().find(|m| &*m.key.value == key).map(|m| m.key.span)
    }

    /// The point behind its opening brace.
    pub(super) fn first(&self) -> Span {
        let at = (self.span.start + 1).min(self.span.end);
        Span { start: at, end: at, ..self.span }
    }

    /// The span of its opening brace.
    pub(super) fn head(&self) -> Span {
        head(self.span)
    }
}

/// The first character of something long.
pub(super) fn head(span: Span) -> Span {
    Span { end: (span.start + 1).min(span.end), ..span }
}

/// How a field's value is read.
pub(super) type Read<'a, T> = fn(&mut Fields<'a>, &At<Value>) -> Option<T>;

impl<'a> Fields<'a> {
    /// Reports what the song's version of the format does not have; `what` are fields.
    pub(super) fn needs_second(&mut self, span: Span, what: &str) {
        if self.version < 2 {
            let message = format!("{what} are of version 2 of the format");
            let help = "write `\"version\": 2`; `mamc migrate` brings a file to the newest version";
            self.problems.add(Problem::new(&codes::VERSION, span, message).help(help));
        }
    }

    pub(super) fn report(&mut self, code: &'static Code, span: Span, message: impl Into<String>) {
        self.problems.add(Problem::new(code, span, message));
    }

    /// An object with any keys but each once; remarks (`_…`, `$…`) are left out.
    pub(super) fn free_object<'v>(&mut self, value: &'v At<Value>, what: &'static str) -> Option<Object<'v>> {
        let Value::Object(all) = &value.value else {
            self.mismatch::<()>(value, &format!("{what}, an object `{{ … }}`"));
            return None;
        };
        let mut first: FxHashMap<&str, Span> = FxHashMap::default();
        let mut members = Vec::new();
        for member in all.iter().filter(|m| !m.key.value.starts_with(['_', '$'])) {
            let key = &*member.key.value;
            match first.get(key).copied() {
                None => {
                    first.insert(key, member.key.span);
                    members.push(member);
                }
                Some(before) => self.problems.add(
                    Problem::new(
                        &codes::DUPLICATE_KEY,
                        member.key.span,
                        format!("`{key}` stands twice in {what}"),
                    )
                    .label(before, "first here"),
                ),
            }
        }
        Some(Object { what, span: value.span, members })
    }

    /// An object with the fields `known` and no others.
    pub(super) fn object<'v>(
        &mut self,
        value: &'v At<Value>,
        what: &'static str,
        known: &[&str],
    ) -> Option<Object<'v>> {
        let object = self.free_object(value, what)?;
        for member in object.members.iter().filter(|m| !known.contains(&&*m.key.value)) {
            let key = &*member.key.value;
            let message = format!("{what} has no field `{key}`");
            let problem = Problem::new(&codes::UNKNOWN_FIELD, member.key.span, message);
            self.problems.suggest(problem, key, &format!("fields of {what}"), || known.to_vec());
        }
        Some(object)
    }

    /// A field that must be there.
    pub(super) fn required<T>(&mut self, object: &Object<'_>, key: &str, read: Read<'a, T>) -> Option<T> {
        let Some(value) = object.get(key) else {
            let message = format!("{} needs a field `{key}`", object.what);
            self.report(&codes::MISSING_FIELD, object.head(), message);
            return None;
        };
        read(self, value)
    }

    /// Warns of what the first mam could do without, and what is assumed in its place: `written` for what is at `place`.
    pub(super) fn assumed(&mut self, span: Span, message: impl Into<String>, place: Span, written: &str) {
        let problem = Problem::new(&codes::ASSUMED, span, message);
        self.problems.add(problem.fix(place, written));
    }

    /// The place of a field with the comma that separates it from others.
    pub(super) fn member_span(&self, object: &Object<'_>, key: &str) -> Option<Span> {
        let (key, value) = (object.key_span(key)?, object.get(key)?.span);
        let (before, after) = (&self.text[..key.start as usize], &self.text[value.end as usize..]);
        let blank = |text: &str| text.len() - text.trim_start().len();
        let span = key.to(value);
        Some(match after.trim_start().strip_prefix(',') {
            Some(rest) => Span { end: value.end + (blank(after) + 1 + blank(rest)) as u32, ..span },
            None => {
                let rest = before.trim_end().strip_suffix(',').unwrap_or(before);
                Span { start: rest.len() as u32, ..span }
            }
        })
    }

    /// A field that may be there.
    pub(super) fn optional<T>(&mut self, object: &Object<'_>, key: &str, read: Read<'a, T>) -> Option<T> {
        object.get(key).and_then(|value| read(self, value))
    }

    /// A list that may be there, of elements of which the malformed ones are left out.
    pub(super) fn list<T>(
        &mut self,
        object: &Object<'_>,
        key: &str,
        most: usize,
        read: Read<'a, T>,
    ) -> Vec<T> {
        let Some(value) = object.get(key) else { return Vec::new() };
        let Value::Array(all) = &value.value else {
            self.mismatch::<()>(value, "a list `[ … ]`");
            return Vec::new();
        };
        if let Some(over) = all.get(most) {
            let message = format!("`{key}` has {} entries; the limit is {most}", all.len());
            self.report(&codes::LIMIT, head(over.span), message);
        }
        all.iter().take(most).filter_map(|v| read(self, v)).collect()
    }

    /// Reads a string; reports anything else.
    pub(super) fn text(&mut self, value: &At<Value>) -> Option<Text> {
        match &value.value {
            Value::Text(text) => Some(At::new(text.clone(), value.span)),
            _ => self.mismatch(value, "a string `\"…\"`"),
        }
    }

    /// The name of a node: a string that is not empty.
    pub(super) fn name(&mut self, value: &At<Value>) -> Option<Text> {
        let text = self.text(value)?;
        if text.value.is_empty() {
            self.report(&codes::VALUE, text.span, "an empty name");
            return None;
        }
        Some(text)
    }

    /// Reads `true` or `false`; reports anything else.
    pub(super) fn boolean(&mut self, value: &At<Value>) -> Option<At<bool>> {
        match &value.value {
            Value::Bool(b) => Some(At::new(*b, value.span)),
            _ => self.mismatch(value, "true or false"),
        }
    }

    /// Reads a number; reports anything else.
    pub(super) fn number(&mut self, value: &At<Value>) -> Option<At<Decimal>> {
        match &value.value {
            Value::Number(n) => Some(At::new(n.clone(), value.span)),
            Value::Text(text) if float::parse(text.trim()).is_some() => {
                let problem = Problem::new(&codes::TYPE, value.span, "expected a number, found a string");
                self.problems.add(problem.help(format!("write `{}` without the quotes", text.trim())));
                None
            }
            _ => self.mismatch(value, "a number"),
        }
    }

    /// A whole number in a range. Below it, the value makes no sense; above it, it is over a limit.
    pub(super) fn whole(
        &mut self,
        value: &At<Value>,
        what: &str,
        range: RangeInclusive<i64>,
    ) -> Option<At<i64>> {
        let number = self.number(value)?;
        let (low, high) = (*range.start(), *range.end());
        let shown = number.value.text();
        let (code, message) = match number.value.whole() {
            Some(n) if range.contains(&n) => return Some(At::new(n, value.span)),
            _ if number.value.value() < low as f64 => {
                (&codes::VALUE, format!("{what} is at least {low}, not {shown}"))
            }
            _ if number.value.value() > high as f64 => {
                (&codes::LIMIT, format!("{what} is at most {high}, not {shown}"))
            }
            _ => (&codes::VALUE, format!("{what} is a whole number, not {shown}")),
        };
        self.report(code, value.span, message);
        None
    }

    /// A number from which times are computed exactly: at most `most`, and 0 only if `zero`.
    pub(super) fn exact(
        &mut self,
        value: &At<Value>,
        what: &str,
        zero: bool,
        most: usize,
    ) -> Option<At<Decimal>> {
        let number = self.number(value)?;
        let (n, shown) = (number.value.value(), number.value.text());
        let small = |x: i128| x.unsigned_abs() < 1 << 53;
        let (code, message) = match number.value.ratio() {
            _ if n < 0.0 => (&codes::VALUE, format!("{what} is not negative, as {shown} is")),
            _ if n == 0.0 && !zero => (&codes::VALUE, format!("{what} is greater than 0")),
            _ if n > most as f64 => (&codes::LIMIT, format!("{what} is at most {most}, not {shown}")),
            Some((p, q)) if small(p) && small(q) => return Some(number),
            _ => (&codes::VALUE, format!("{what} is read exactly, and {shown} has too many digits for that")),
        };
        self.report(code, value.span, message);
        None
    }

    /// A level in percent: used as it stands, but an unusual one is pointed out.
    pub(super) fn percent(&mut self, value: &At<Value>) -> Option<At<Decimal>> {
        let number = self.number(value)?;
        if !(0.0..=200.0).contains(&number.value.value()) {
            let message = format!("{} percent is outside the usual 0 to 200", number.value.text());
            self.report(&codes::GAIN, value.span, message);
        }
        Some(number)
    }

    /// Reports a value of the wrong type, unless it has been reported as malformed.
    pub(super) fn mismatch<T>(&mut self, value: &At<Value>, expected: &str) -> Option<T> {
        if value.value != Value::Broken {
            let message = format!("expected {expected}, found {}", value.value.kind());
            let long = matches!(value.value, Value::Array(_) | Value::Object(_));
            let span = if long { head(value.span) } else { value.span };
            self.report(&codes::TYPE, span, message);
        }
        None
    }
}
