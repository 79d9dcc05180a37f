//! The texts that mam reads, and the problems that it finds in them.
//!
//! This crate turns text into trees and knows nothing of instruments: a name is a name. It holds
//! * [`source`]: texts and places in them;
//! * [`problem`]: what is wrong with an input, as data;
//! * [`foreign`]: the words of other tools, each with what mam has instead;
//! * [`ast`]: the syntax tree of the `.mam` language;
//! * [`syntax`]: from text to that tree;
//! * [`mini`]: the notation between the quotes of a score line;
//! * [`json`]: the JSON graph, versions 1 and 2;
//! * [`fmt`]: from that tree back to text;
//! * [`mod@reference`]: what its words mean, for those who look one up;
//! * [`memo`]: what was made of one version of a text, for the next;
//! * [`limits`]: what an input may ask for at most.

#![forbid(unsafe_code)]
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod arena;
pub mod ast;
pub mod chords;
pub mod float;
pub mod fmt;
pub mod foreign;
pub mod json;
pub mod limits;
pub mod memo;
pub mod mini;
pub mod problem;
pub mod reference;
pub mod source;
pub mod syntax;

pub use arena::{Arena, Handle};
pub use limits::Limits;
pub use problem::{Applicability, Code, Fix, Label, Problem, Problems, Role, Severity};
pub use source::{SourceId, Sources, Span};
