//! What an editor asks of a song, answered over the compiler's resolved tree.
//!
//! Values in, values out: a text and a byte come in, spans and words go out. This crate knows neither a protocol nor an
//! editor, reads no file (files come through a [`Loader`](mam_compiler::files::Loader)) and starts no thread, so the language
//! server of `mamc lsp` and a page in a browser (it builds for `wasm32-unknown-unknown`) give the same answers.
//!
//! An [`Analyser`] keeps what one text leaves for its next version; [`Analyser::analyse`] gives an [`Analysis`] of one
//! version, which answers:
//!
//! | question | answer |
//! |---|---|
//! | what is wrong | [`Analysis::problems`]: those of `mamc check` |
//! | what is this | [`Analysis::hover`] |
//! | what can stand here | [`Analysis::completions`], [`Analysis::signature`] |
//! | where is it | [`Analysis::definition`], [`Analysis::references`], [`Analysis::rename`] |
//! | what is in the file | [`Analysis::symbols`], [`Analysis::folds`], [`Analysis::tokens`] |
//! | how is it mended | [`Analysis::actions`], [`Analysis::format`] |
//! | what does it cost | [`Analysis::hints`], [`Analysis::lenses`] |
//!
//! Places are bytes; [`lines`] converts them to the lines and UTF-16 columns of editors. Every question has an answer for texts
//! with mistakes, as far as they resolve.

#![forbid(unsafe_code)]

mod actions;
mod analysis;
mod completion;
mod costs;
mod cursor;
mod format;
mod hints;
mod hover;
pub mod lines;
mod signature;
mod symbols;
mod tokens;

pub use actions::Action;
pub use analysis::{Analyser, Analysis};
pub use completion::{Completion, CompletionKind};
pub use costs::Cost;
pub use format::Edits;
pub use hints::{Hint, Lens};
pub use hover::HoverText;
pub use lines::{LineTable, Position};
pub use mam_compiler::hir::query::Edit;
pub use signature::{Parameter, Signature};
pub use symbols::{DocumentSymbol, Fold, SymbolKind};
pub use tokens::{SemanticToken, TokenKind};
