//! The JSON graph, versions 1 and 2: from text to a typed [`Graph`] with the place of everything in it.
//!
//! Reading has two steps. [`read()`] takes the text apart into [`Value`]s and is strict: what the JSON standard does
//! not allow is a problem. It goes on behind a comment, a trailing comma, a missing one, a wrong quote or a
//! malformed number, so that one run shows them all. [`parse`] then gives every field its type and checks what can
//! be checked without knowing the library: which fields there are, whole numbers, ranges of time, the characters
//! of patterns. Names stay names: whether there is a `kick`, and what its parameters are, the compiler knows.

pub mod codes;
mod fields;
mod graph;
mod migrate;
mod mods;
mod params;
mod read;
mod text;
mod transport;
mod value;

pub use graph::{Command, CommandKind, Connection, Graph, Input, Mixer, NEWEST, Node, parse};
pub use migrate::{Migrated, migrate};
pub use mods::{Mod, Quantity};
pub use params::{ParamName, Scalar};
pub use read::read;
pub use text::char_span;
pub use transport::{Lock, Pattern, PatternNote, TempoStep, Transport};
pub use value::{At, Decimal, Member, Text, Value};
