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
pub const STATEMENTS: [&str; 14] = [
    "tempo", "swing", "meter", "length", "seed", "use", "knob", "param", "until", "input", "default",
    "title", "midi", "expect",
];

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
