//! What must hold when a program is formatted: it says the same, keeps its comments, and stays as it is.

use crate::gen_mam::{Choices, program};
use mam_grammar::ast::Ast;
use mam_grammar::{Limits, Sources, fmt, syntax};

/// The tree of a text, and its problems as lines.
pub fn read(text: &str) -> (Ast, Vec<String>) {
    let mut sources = Sources::default();
    let id = sources.add("random.mam", text);
    let (ast, problems) = syntax::parse(&sources, id, &Limits::default());
    let problems = problems.into_sorted().into_iter();
    let line = |at: u32| sources.line_column(id, at as usize);
    let problems = problems.map(|p| format!("{}: {}", line(p.span().start), p.message)).collect();
    (ast, problems)
}

/// Writes the program that `bytes` make, and formats it.
///
/// # Panics
/// When the program has problems, or formatting changes more than its layout.
pub fn keeps(bytes: &[u8]) {
    let text = program(&mut Choices::new(bytes));
    let (ast, problems) = read(&text);
    assert_eq!(problems, Vec::<String>::new(), "{text}");
    let once = fmt::format(&ast, &text);
    let (again, problems) = read(&once);
    assert_eq!(problems, Vec::<String>::new(), "{text}\n-----\n{once}");
    assert_eq!(ast.to_string(), again.to_string(), "{text}\n-----\n{once}");
    assert!(ast == again, "{text}");
    assert_eq!(ast.comments.len(), again.comments.len(), "{text}\n-----\n{once}");
    assert_eq!(once, fmt::format(&again, &once), "{text}");
}
