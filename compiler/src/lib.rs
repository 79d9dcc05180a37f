//! From text to a program.

pub mod call;
pub mod codes;
pub mod dimension;
pub mod emit;
pub mod files;
pub mod graph;
pub mod interp;
pub mod ir;
pub mod json;
pub mod library;
pub mod lower;
pub mod prelude;
pub mod target;
pub mod text;
