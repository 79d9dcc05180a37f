//! The words of the language: which are never names, and which begin a statement.

/// Words that can never be a name.
pub const RESERVED: [&str; 18] = [
    "if",
    "then",
    "else",
    "and",
    "or",
    "not",
    "mod",
    "in",
    "out",
    "sum",
    "chain",
    "prev",
    "tap",
    "def",
    "instrument",
    "effect",
    "play",
    "section",
];

/// Words that are keywords only at the start of an item, where no `=` follows.
pub const STATEMENTS: [&str; 20] = [
    "tempo", "swing", "meter", "length", "seed", "use", "knob", "param", "until", "latency", "input",
    "default", "title", "midi", "expect", "tuning", "kit", "choke", "preset", "channels",
];

/// Signals that may stand in the place of a quoted pattern.
pub(super) const SIGNALS: [&str; 5] = ["sine", "saw", "tri", "perlin", "rand"];

/// What joins patterns in the place of a quoted one.
pub(super) const JOINS: [&str; 3] = ["cat", "seq", "stack"];

/// Words after which an operand or a block must follow, so that the item goes on in the next line.
pub(super) const OPEN: [&str; 7] = ["if", "then", "else", "and", "or", "not", "mod"];

/// Words that, at the start of a line, carry on the item of the line before.
pub(super) const CONTINUES: [&str; 4] = ["then", "else", "and", "or"];

/// True when `text` can be the name of an equation, a definition or a parameter.
pub fn is_name(text: &str) -> bool {
    is_word(text) && !RESERVED.contains(&text)
}

/// True when `text` is letters, digits and `_`, and does not start with a digit.
pub fn is_word(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_') && bytes.all(is_letter)
}

/// True for what may stand in a word.
pub(super) fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How many bytes of a number are its digits, the rest being a unit: `-1.5e-3` of `-1.5e-3Hz`.
pub(super) fn digits_of(text: &str) -> usize {
    let part =
        |from: usize, of: fn(char) -> bool| text[from..].find(|c| !of(c)).map_or(text.len(), |at| from + at);
    let mantissa = part(0, |c| matches!(c, '0'..='9' | '.' | '-'));
    let power = text[mantissa..].strip_prefix('e').map(|power| power.trim_start_matches(['-', '+']));
    match power.is_some_and(|power| power.starts_with(|c: char| c.is_ascii_digit())) {
        true => part(mantissa + 1, |c| matches!(c, '0'..='9' | '-' | '+')),
        false => mantissa,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_that_are_not_reserved() {
        for name in ["bd", "_x", "a1", "tempo", "step", "Kick_2"] {
            assert!(is_name(name), "{name}");
        }
        for other in ["", "1a", "a-b", "if", "out", "tür", "a b"] {
            assert!(!is_name(other), "{other}");
        }
    }
}
