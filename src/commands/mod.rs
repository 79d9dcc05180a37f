//! What each command does, one file a command.

pub mod batch;
pub mod bench;
pub mod build;
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
pub mod lsp;
pub mod man;
pub mod mcp;
pub mod migrate;
pub mod new;
pub mod pattern;
pub mod play;
pub mod plot;
pub mod render;
pub mod studio;
pub mod test;
