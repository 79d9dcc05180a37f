//! JSON output.

use serde::Serialize;

/// The value as indented JSON with a final newline.
pub fn pretty(value: &impl Serialize) -> String {
    // Values of our own types have string keys, so this does not fail.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
