//! What each command does, one file a command.

pub mod batch;
pub mod bench;
pub mod check;
pub mod completions;
pub mod devices;
pub mod doc;
pub mod dump;
pub mod explain;
pub mod fmt;
pub mod graph;
pub mod import;
pub mod list;
pub mod man;
pub mod new;
pub mod pattern;
pub mod play;
pub mod render;
pub mod test;
