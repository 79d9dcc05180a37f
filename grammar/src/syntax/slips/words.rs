//! Slips in words: those of other languages, and words of the language where a name is expected.

use super::Slips;
use crate::syntax::codes;
use crate::syntax::scan::Kind;
use crate::syntax::words::{RESERVED, STATEMENTS};

impl Slips<'_> {
    /// The first word of an item.
    pub(super) fn item(&mut self, index: usize) {
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
            let problem =
                self.problem(&codes::FOREIGN_WORD, token.start, token.end, format!("mam has no `{word}`"));
            self.report(problem.help(*meant));
            if self.is(index + 2, "=") {
                self.mend(token.start, token.end, "");
            } else {
                self.layout.poison.push(token.start);
            }
        }
    }

    /// A word that names something, after the word that says what.
    pub(super) fn name(&mut self, index: usize) {
        const NAMING: [&str; 8] =
            ["def", "instrument", "effect", "section", "param", "knob", "input", "chain"];
        let word = self.word(index);
        if matches!(word, "elif" | "elsif" | "elseif") && self.begins_operand(index + 1) {
            let token = self.tokens[index];
            let problem =
                self.problem(&codes::FOREIGN_WORD, token.start, token.end, format!("mam has no `{word}`"));
            self.report(problem.help("write `else if`"));
            return self.layout.poison.push(token.start);
        }
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
        if !(self.is(index - 1, "(") || self.is(index - 1, ","))
            || !(self.is(index + 1, ")") || self.is(index + 1, ",") || self.is(index + 1, ":"))
        {
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
}

/// First words of other languages, and what is written here.
const FOREIGN_WORDS: [(&[&str], &str); 6] = [
    (
        &["let", "var", "const", "val", "local", "auto", "float", "double", "int", "signal"],
        "an equation is `name = expression`, with nothing before the name",
    ),
    (
        &["fn", "func", "fun", "function", "define", "proc", "process"],
        "a function of signals is `def name(x) = expression`",
    ),
    (
        &["class", "struct", "synth", "voice", "node"],
        "what reacts to notes is `instrument name { … }`, what reacts to `in` is `effect name { … }`",
    ),
    (
        &["for", "while", "loop", "repeat"],
        "what is repeated a fixed number of times is `sum i in 1..8 { … }` or `chain x = in, i in 0..3 { … }`",
    ),
    (&["return"], "the result of a body is its `out`: `out = expression`"),
    (
        &["import", "include", "require", "from"],
        "a file's definitions are brought in by `use \"lib/mine.mam\"`",
    ),
];
