//! From the text of a `.mam` file to its tree, and to everything that is wrong with how it is written.
//!
//! The grammar stands in `mam.pest`. Around it:
//! * `scan` finds tokens and comments, `layout` pairs the brackets and finds where items end;
//! * `mistakes` finds what people write out of habit from other languages, and puts what they meant in its place;
//! * `recover` gives each item to the grammar by itself, so that one mistake hides no other;
//! * `diagnose` says in the user's words what is wrong where the grammar stopped;
//! * `build` makes the tree.
//!
//! Nothing is resolved here, and no text is too broken: there is always a tree, with [`ItemKind::Broken`] where an
//! item could not be read.
//!
//! [`ItemKind::Broken`]: crate::ast::ItemKind::Broken

mod build;
mod build_expr;
pub mod codes;
mod depth;
mod diagnose;
mod layout;
mod mistakes;
mod pairs;
mod pieces;
mod placement;
mod recover;
mod scan;
mod tabs;
mod words;

pub use pieces::Pieces;
pub use scan::{Kind as TokenKind, Scanned as Tokens, Token, scan as tokens};
pub use tabs::TAB_CHARACTERS;
pub use words::{RESERVED, STATEMENTS, is_name, is_word};

use crate::ast::Ast;
use crate::limits::Limits;
use crate::problem::{Problem, Problems};
use crate::source::{SourceId, Sources, Span};
use std::ops::Range;

/// The parser that pest makes of `mam.pest`.
#[allow(missing_docs)]
mod grammar {
    /// Reads a piece of a laid out text.
    #[derive(pest_derive::Parser)]
    #[grammar = "../mam.pest"]
    pub(super) struct MamParser;
}

/// Reads a whole file. The tree holds everything that could be read; when the problems have no error, all of it.
pub fn parse(sources: &Sources, id: SourceId, limits: &Limits) -> (Ast, Problems) {
    parse_again(sources, id, limits, None)
}

/// What [`parse`] gives, where items that stand in `pieces` are not read again; those that are read are kept there.
pub fn parse_again(
    sources: &Sources,
    id: SourceId,
    limits: &Limits,
    pieces: Option<&mut Pieces>,
) -> (Ast, Problems) {
    let text = &*sources.get(id).text;
    let mut problems = Problems::default();
    if text.len() > limits.file_bytes {
        problems.add(too_large(id, text.len(), limits));
        return (Ast::default(), problems);
    }
    let (mut ast, found) = recover::read(id, text, limits, pieces);
    problems.extend(found);
    placement::check(&mut ast, text, &mut problems);
    (ast, problems)
}

/// Reads some whole items of a text, without the comments between them; none where there is a mistake.
pub fn parse_part(sources: &Sources, id: SourceId, part: Range<usize>) -> Option<Ast> {
    recover::read_part(id, &sources.get(id).text, part)
}

fn too_large(id: SourceId, bytes: usize, limits: &Limits) -> Problem {
    let message = format!("the file is too large: {bytes} bytes, where {} are the limit", limits.file_bytes);
    Problem::new(&codes::FILE_TOO_LARGE, Span::new(id, 0, 0), message)
        .help("split it into files and `use` them")
}
