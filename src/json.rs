//! JSON output.

use crate::visible::visible;
use serde::Serialize;
use std::borrow::Cow;

/// The value as indented JSON with a final newline.
pub fn pretty(value: &impl Serialize) -> String {
    // Values of our own types have string keys, so this does not fail.
    let text = serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
    // What a terminal would act on stands in strings alone, where it can be written as an escape.
    let escaped = |c: char| match visible(c.encode_utf8(&mut [0; 4])) {
        Cow::Owned(_) => format!("\\u{:04x}", u32::from(c)),
        Cow::Borrowed(_) => c.into(),
    };
    match visible(&text) {
        Cow::Owned(_) => text.chars().map(escaped).collect(),
        Cow::Borrowed(_) => text,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_control_character_stands_in_json_as_it_is() {
        let text = super::pretty(&"\u{1b}\u{7f}\u{9b}\u{202e}ü");
        assert_eq!(text, "\"\\u001b\\u007f\\u009b\\u202eü\"\n");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), "\u{1b}\u{7f}\u{9b}\u{202e}ü");
    }
}
