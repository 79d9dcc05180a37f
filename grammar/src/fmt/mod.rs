//! From a tree to the text of a `.mam` file, in the one way in which it is written.
//!
//! [`format()`] keeps what a tree does not say: comments, single blank lines, the bars of drum tabs as they were drawn,
//! and the writer's own line breaks after an opening bracket and before `|>`. [`print()`] writes a tree that was never
//! text, such as one made of JSON. Formatting twice changes nothing, and what is read back says the same.
//!
//! Rules: two columns of indentation; lines of at most 100 columns where they can be broken; the `=` of neighbouring
//! equations, the columns of neighbouring parameters and the patterns of neighbouring lines of a score stand below
//! one another; spaces round operators, apart from `*`, `/` and `^` where the writer left them out.

mod comments;
mod doc;
mod expr;
mod items;
mod score;

use crate::ast::Ast;
use comments::Comments;

/// Writes a tree that was read from `text`, with its comments.
pub fn format(ast: &Ast, text: &str) -> String {
    Printer { ast, text: Some(text), comments: Comments::new(ast), quiet: 0, trying: 0 }.file()
}

/// Writes a tree that has no text. Names stand as they are: see [`is_name`](crate::syntax::is_name).
pub fn print(ast: &Ast) -> String {
    Printer { ast, text: None, comments: Comments::default(), quiet: 0, trying: 0 }.file()
}

struct Printer<'a> {
    ast: &'a Ast,
    text: Option<&'a str>,
    /// Comments that have not been written yet.
    comments: Comments,
    /// Above 0 where no comment can be written.
    quiet: usize,
    /// Above 0 while a body is tried in one line.
    trying: usize,
}
