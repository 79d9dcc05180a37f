//! The inside of JSON strings: escapes, and which characters of the text say a character of the value.

use crate::source::Span;
use std::ops::Range;

/// One character of a string, or what stands in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A character of the value.
    Char(char),
    /// Something that may not stand there, and why.
    Wrong(String),
}

/// The first character of what is between the quotes, and how many bytes of `raw` say it. `raw` is not empty and
/// goes on at least to the closing quote.
pub(super) fn piece(raw: &str) -> (Piece, usize) {
    let c = raw.chars().next().unwrap_or('"');
    match c {
        '\\' => escape(raw),
        '\t' => (Piece::Wrong("a tab inside a string is written `\\t`".into()), 1),
        c if c < ' ' => {
            (Piece::Wrong(format!("a control character inside a string is written `\\u{:04x}`", c as u32)), 1)
        }
        c => (Piece::Char(c), c.len_utf8()),
    }
}

/// What begins with a backslash.
fn escape(raw: &str) -> (Piece, usize) {
    let Some(c) = raw[1..].chars().next() else {
        return (Piece::Wrong("a backslash with nothing after it".into()), 1);
    };
    let plain = match c {
        '"' | '\\' | '/' => c,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode(raw),
        c => {
            let why = format!(
                "`\\{c}` is not an escape; JSON knows `\\\" \\\\ \\/ \\b \\f \\n \\r \\t` and `\\u0041`"
            );
            let length = if c < ' ' { 1 } else { 1 + c.len_utf8() };
            return (Piece::Wrong(why), length);
        }
    };
    (Piece::Char(plain), 2)
}

/// `\u` and four hexadecimal digits; twice for characters beyond U+FFFF.
fn unicode(raw: &str) -> (Piece, usize) {
    let Some(first) = hex4(raw) else {
        return (Piece::Wrong("`\\u` takes four hexadecimal digits, such as `\\u0041`".into()), 2);
    };
    if let Some(c) = char::from_u32(first) {
        return (Piece::Char(c), 6);
    }
    let pair = (first < 0xDC00).then(|| hex4(&raw[6..])).flatten().filter(|s| (0xDC00..0xE000).contains(s));
    match pair.and_then(|second| char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))) {
        Some(c) => (Piece::Char(c), 12),
        None => (Piece::Wrong("half of a surrogate pair: both halves must stand side by side".into()), 6),
    }
}

/// The number of a `\uXXXX` at the start of `raw`.
fn hex4(raw: &str) -> Option<u32> {
    let digits = raw.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

/// The place in the text of the `index`-th character of the string whose quotes `span` includes, whatever escapes
/// stand before it. Beyond the end: the closing quote.
pub fn char_span(source: &str, span: Span, index: usize) -> Span {
    let end = (span.end as usize).saturating_sub(1).max(span.start as usize + 1);
    let mut at = span.start as usize + 1;
    let mut left = index;
    while at < end {
        let Range { start, end: next } = at..at + piece(&source[at..end]).1;
        if left == 0 {
            return Span::new(span.source, start, next);
        }
        left -= usize::from(matches!(piece(&source[start..end]).0, Piece::Char(_)));
        at = next;
    }
    Span::new(span.source, end, span.end as usize)
}
