//! The C sources that exported songs are made with: the tables' types, the ops, and an engine with the bits of [`crate::Engine`].
//! They are under 0BSD, as what is emitted is.

/// The type of a parameter, as headers declare it.
pub const PARAM: &str = include_str!("../c/param.h");
/// Types of a song's tables, and what its kernels are given.
pub const PROGRAM: &str = include_str!("../c/program.h");
/// The ops of kernels, in vectors or scalars.
pub const OPS: &str = include_str!("../c/ops.h");
/// Block nodes, for songs that have any.
pub const BLOCK: &str = include_str!("../c/block.h");
/// The engine, which reads the tables.
pub const ENGINE: &str = include_str!("../c/engine.c");
