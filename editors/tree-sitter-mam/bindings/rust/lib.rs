//! The mam language for tree-sitter, for editors that colour and fold by it.
//!
//! What the compiler reads is `grammar/mam.pest`; the tests hold the two together. After a change of `grammar.js`,
//! `tree-sitter generate --abi 14` writes `src/parser.c` anew.

use tree_sitter_language::LanguageFn;

unsafe extern "C" {
    fn tree_sitter_mam() -> *const ();
}

/// The language, for `tree_sitter::Parser::set_language`.
// SAFETY: the function is the generated parser's, which returns a constant table.
pub const LANGUAGE: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_mam) };

/// The colours, as a query.
pub const HIGHLIGHTS: &str = include_str!("../../queries/highlights.scm");

/// What can be folded, as a query.
pub const FOLDS: &str = include_str!("../../queries/folds.scm");

/// Where lines are indented, as a query.
pub const INDENTS: &str = include_str!("../../queries/indents.scm");
