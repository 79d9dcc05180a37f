//! The texts that mam reads, and the problems that it finds in them.
//!
//! This crate turns text into trees and knows nothing of instruments: a name is a name. It holds
//! * [`source`]: texts and places in them;
//! * [`problem`]: what is wrong with an input, as data;
//! * [`ast`]: the syntax tree of the `.mam` language;
//! * [`json`]: the JSON graph, version 1;
//! * [`limits`]: how large an input may be.

pub mod arena;
pub mod ast;
pub mod json;
pub mod limits;
pub mod problem;
pub mod source;

pub use arena::{Arena, Handle};
pub use limits::Limits;
pub use problem::{Code, Label, Problem, Problems, Severity};
pub use source::{SourceId, Sources, Span};
