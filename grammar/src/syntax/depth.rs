//! How deep things stand in one another, found before anything recurses over them.
//!
//! Brackets nest, and so do `if`s, prefix operators, powers, fields and pipes. Rows of operators (`a + b + …`) do
//! not: whoever walks a tree goes along them (`Ast::row`).

use super::layout::is_separator;
use super::scan::{Kind, Token};

/// What is open inside one bracket.
#[derive(Default)]
struct Level {
    /// The token at which the bracket ends, by its partner or because it is never closed.
    end: usize,
    /// `if`s, `sum`s, `chain`s and pipes since the last `,` or item.
    branches: usize,
    /// Prefix operators, powers and points since the last operator between two operands.
    run: usize,
}

/// The tokens at which the depth goes over `limit`, at most one an outermost bracket or item. `partner` says where each bracket
/// ends, as it is read: one that is never closed ends where an item begins.
pub(super) fn too_deep(text: &str, tokens: &[Token], partner: &[usize], limit: usize) -> Vec<usize> {
    let mut levels = vec![Level::default()];
    let (mut depth, mut after_operand, mut reported, mut found) = (0, false, false, Vec::new());
    for (index, token) in tokens.iter().enumerate() {
        let word = if token.kind == Kind::Word { token.text(text) } else { "" };
        while levels.len() > 1 && levels.last().is_some_and(|level| level.end <= index) {
            let ended = levels.pop().unwrap_or_default();
            depth -= 1 + ended.branches + ended.run;
        }
        let Some(level) = levels.last_mut() else { break };
        match token.kind {
            Kind::Symbol("(" | "[" | "{") => {
                depth += 1;
                levels.push(Level { end: partner[index], ..Level::default() });
            }
            Kind::Symbol(")" | "]" | "}") => {}
            Kind::Symbol(",") | Kind::Newline | Kind::Symbol(";") => {
                depth -= level.branches + level.run;
                *level = Level { end: level.end, ..Level::default() };
            }
            Kind::Symbol("|>") => {
                (level.branches, depth) = (level.branches + 1, depth + 1 - level.run);
                level.run = 0;
            }
            Kind::Symbol("^" | "." | "!") => (level.run, depth) = (level.run + 1, depth + 1),
            Kind::Symbol("-") if !after_operand => (level.run, depth) = (level.run + 1, depth + 1),
            Kind::Symbol(_) => (level.run, depth) = (0, depth - level.run),
            Kind::Word if word == "not" => (level.run, depth) = (level.run + 1, depth + 1),
            Kind::Word if matches!(word, "if" | "sum" | "chain") => {
                (level.branches, depth) = (level.branches + 1, depth + 1);
            }
            Kind::Word if matches!(word, "and" | "or" | "mod" | "then" | "else") => {
                (level.run, depth) = (0, depth - level.run);
            }
            _ => {}
        }
        after_operand = ends_operand(token, word);
        if levels.len() == 1 && is_separator(token) {
            reported = false;
        }
        if depth > limit && !reported {
            found.push(index);
            reported = true;
        }
    }
    found
}

fn ends_operand(token: &Token, word: &str) -> bool {
    match token.kind {
        Kind::Word => !matches!(word, "if" | "then" | "else" | "and" | "or" | "not" | "mod"),
        Kind::Number | Kind::Text => true,
        Kind::Symbol(symbol) => matches!(symbol, ")" | "]" | "}"),
        _ => false,
    }
}
