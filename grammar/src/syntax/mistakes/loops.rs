//! Common mistakes in the heads of `sum`, `product` and `list`, which other languages write otherwise.

use super::Mistakes;
use crate::source::Span;
use crate::syntax::codes;
use crate::syntax::words::is_name;

/// A head as it is meant: `i in 1..8`.
struct Head {
    name: String,
    over: String,
}

impl Mistakes<'_> {
    /// `sum(i in 1..4) { … }`, `sum i = 1..4 { … }`, `sum i from 1 to 4 { … }`, `sum i in range(4) { … }`, `sum i in 1..4: …`,
    /// `sum(i, 4, …)`.
    pub(super) fn loop_head(&mut self, index: usize) -> bool {
        let word = self.word(index);
        if !matches!(word, "sum" | "product" | "list") {
            return false;
        }
        let end = self.item_end(index);
        let bracket = self.is(index + 1, "(");
        let close = if bracket { self.layout.partner[index + 1] } else { index };
        let open =
            (close + 1..end).find(|&at| self.is(at, "{")).filter(|open| !bracket || *open == close + 1);
        let colon = (index + 1..open.unwrap_or(end)).find(|&at| self.is(at, ":"));
        let text = |from: usize, to: usize| match from < to {
            true => &self.text[self.tokens[from].start..self.tokens[to - 1].end],
            false => "",
        };
        // The head, what is repeated where no braces are around it, and the token behind all of it.
        let (head, body, stop) = match (bracket, open, colon) {
            (true, Some(open), _) => (text(index + 2, close), None, open),
            (true, None, _) => {
                let inside = text(index + 2, close);
                let Some((head, body)) = last_argument(inside) else { return false };
                (head, Some(body), close + 1)
            }
            (false, None, Some(colon)) => (text(index + 1, colon), Some(text(colon + 1, end)), end),
            (false, Some(open), _) => (text(index + 1, open), None, open),
            (false, None, None) => return false,
        };
        let Some(Head { name, over }) = read(head) else { return false };
        let written = format!("{name} in {over}");
        let tight = |text: &str| text.split_whitespace().collect::<String>();
        if !bracket && body.is_none() && tight(head) == tight(&written) || body.is_some_and(str::is_empty) {
            return false;
        }
        let (start, behind) = (self.tokens[index].start, self.tokens[stop.min(self.tokens.len()) - 1].end);
        let from_brace = body.is_none();
        let behind = if from_brace { self.tokens[stop].start } else { behind };
        let head = format!("{word} {written}");
        let meant = body.map_or(format!("{head} "), |body| format!("{head} {{ {} }}", body.trim()));
        let problem = self
            .problem(&codes::STATEMENT_FORM, start, behind, format!("a `{word}` is not written so"))
            .help(format!("write `{head} {{ … }}`"))
            .guess(Span::new(self.source, start, behind), meant.as_str());
        self.report(problem);
        match from_brace {
            true => self.repair(start, behind, &meant),
            false => self.layout.broken.push(start),
        }
        self.done = behind;
        true
    }
}

/// What a head says: a name, and over what it goes.
fn read(head: &str) -> Option<Head> {
    let head = head.trim();
    let head = head.strip_prefix("for ").unwrap_or(head).trim();
    let length = head.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(head.len());
    let (name, rest) = head.split_at(length);
    let rest = rest.trim_start();
    if !is_name(name) {
        return None;
    }
    // Faust's number of turns, counted from 0.
    let over = match rest.strip_prefix(',') {
        Some(count) if split_at(count, ",").is_none() && split_at(count, "..").is_none() => {
            bounds("0", count, true)?
        }
        Some(bounds) => over(bounds.trim())?,
        None => {
            let words = ["in ", "from ", "=", ":", "over ", "of "];
            let rest = words.iter().find_map(|word| rest.strip_prefix(word))?;
            over(rest.trim())?
        }
    };
    Some(Head { name: name.into(), over })
}

/// What a loop goes over, as mam writes it.
fn over(text: &str) -> Option<String> {
    if let Some(inside) = text.strip_prefix("range(").and_then(|rest| rest.strip_suffix(')')) {
        return match inside.split_once(',') {
            Some((from, to)) if !to.contains(',') => bounds(from, to, true),
            Some(_) => None,
            None => bounds("0", inside, true),
        };
    }
    const MARKS: [(&str, bool); 8] = [
        ("..<", true),
        ("..=", false),
        ("...", false),
        ("..", false),
        (" to ", false),
        (" until ", true),
        ("->", false),
        (",", false),
    ];
    if text.starts_with(['[', '(']) {
        return text.starts_with('[').then(|| text.to_owned());
    }
    let found = MARKS.iter().find_map(|&(mark, excludes)| Some((split_at(text, mark)?, excludes)));
    match found {
        Some(((from, to), excludes)) => bounds(from, to, excludes),
        None => is_name(text).then(|| text.to_owned()),
    }
}

/// A range with its last number, of which `to` is the one behind where it `excludes` that.
fn bounds(from: &str, to: &str, excludes: bool) -> Option<String> {
    let (from, to) = (from.trim(), to.trim());
    let simple = |text: &str| !text.is_empty() && !text.contains(['{', '}', '"', ':', '=']);
    if !simple(from) || !simple(to) {
        return None;
    }
    Some(match (excludes, to.parse::<i64>()) {
        (false, _) => format!("{from}..{to}"),
        (true, Ok(number)) => format!("{from}..{}", number.saturating_sub(1)),
        (true, Err(_)) => format!("{from}..{to} - 1"),
    })
}

/// The two sides of a mark that stands within no brackets.
fn split_at<'t>(text: &'t str, mark: &str) -> Option<(&'t str, &'t str)> {
    let at = outside(text).find(|&at| text[at..].starts_with(mark))?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// The last of some arguments, and those before it.
fn last_argument(text: &str) -> Option<(&str, &str)> {
    let at = outside(text).filter(|&at| text[at..].starts_with(',')).last()?;
    Some((&text[..at], &text[at + 1..]))
}

/// Where the characters of a text begin that stand within no brackets.
fn outside(text: &str) -> impl Iterator<Item = usize> {
    let mut depth = 0;
    text.char_indices().filter_map(move |(at, c)| {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at)
    })
}
