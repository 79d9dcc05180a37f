//! Texts of all kinds, and what must hold for each: the checks end, nothing panics, every problem has a place.

use mam_compiler::files::NoFiles;
use mam_compiler::target::Target;
use mam_compiler::{Options, compile};
use mam_grammar::Sources;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Compiles a text as a song, and holds it to what must be true of every text.
///
/// # Panics
/// When it is not.
pub fn survive(name: &str, text: &str) {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let options = Options { interpreter: true, target: Target::portable(), ..Options::default() };
    let compilation = compile(&mut sources, id, &NoFiles, &options);
    assert_eq!(compilation.program.is_none(), compilation.problems.has_errors());
    for problem in compilation.problems.iter() {
        assert!(!problem.message.trim().is_empty(), "{}", problem.code.name);
        for label in &problem.labels {
            let text = &sources.get(label.span.source).text;
            assert!(text.get(label.span.range()).is_some(), "{}: {:?}", problem.code.name, label.span);
        }
    }
}

/// The words and marks of the language, and some that are none.
const TOKENS: &[&str] = &[
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
    "tempo",
    "swing",
    "meter",
    "length",
    "seed",
    "use",
    "knob",
    "param",
    "until",
    "input",
    "default",
    "note",
    "title",
    "kick",
    "clap",
    "sine",
    "svf",
    "echo",
    "x",
    "a",
    "b",
    "trig",
    "gate",
    "sr",
    "dt",
    "beat",
    "bar",
    "0",
    "1",
    "0.5",
    "440Hz",
    "50ms",
    "2s",
    "-6dB",
    "80%",
    "7st",
    "3/16 bar",
    "..",
    ".",
    ",",
    ":",
    ";",
    "=",
    "==",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "^",
    "|>",
    "|",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"c2 [e2 g2]\"",
    "|x..x|",
    "//",
    "///",
    "\n",
    "\n",
    "\n",
    " ",
    "over",
    "curve",
    "exp",
    "step",
    "smooth",
    "by",
    "at",
    "é",
    "\u{0}",
    "99999999999999999999",
];

/// Tokens in any order.
pub fn soup() -> impl Strategy<Value = String> {
    vec(select(TOKENS), 0..60).prop_map(|tokens| tokens.join(" "))
}

/// Any characters.
pub fn noise() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..200).prop_map(String::from_iter)
}

/// One of `examples` with a few pieces removed, doubled, swapped for tokens, or cut off.
pub fn mutated(examples: Vec<String>) -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0_usize..12, 0_u8..4, select(TOKENS));
    (select(examples), vec(change, 1..6)).prop_map(|(mut text, changes)| {
        for (at, length, kind, token) in changes {
            let (from, to) = piece(&text, at, length);
            match kind {
                0 => text.replace_range(from..to, ""),
                1 => text.replace_range(from..to, token),
                2 => {
                    let piece = text[from..to].to_string();
                    text.insert_str(to, &piece);
                }
                _ => text.truncate(from),
            }
        }
        text
    })
}

/// A piece of a text, at the boundaries of characters.
fn piece(text: &str, at: prop::sample::Index, length: usize) -> (usize, usize) {
    let boundary = |mut i: usize| {
        while !text.is_char_boundary(i) {
            i -= 1;
        }
        i
    };
    let from = boundary(at.index(text.len() + 1));
    (from, boundary((from + length).min(text.len())))
}

/// The example of a documentation: its last line, where that is nothing but code.
pub fn example(doc: &str) -> Option<&str> {
    let last = doc.trim_end().lines().next_back()?.trim();
    last.strip_prefix('`')?.strip_suffix('`').filter(|code| !code.contains('`'))
}
