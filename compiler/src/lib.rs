//! From text to a program.
//!
//! [`compile()`] is the straight line; each module is one representation on it.

#![deny(unsafe_code)]

pub mod call;
mod checks;
pub mod codes;
mod compile;
pub mod dimension;
pub mod emit;
pub mod files;
pub mod front;
pub mod graph;
mod hash;
mod heard;
mod improve;
#[allow(unsafe_code, reason = "it is called as machine code is, with the engine's memory")]
pub mod interp;
pub mod ir;
pub mod json;
mod kept;
pub mod library;
pub mod listen;
pub mod lower;
pub mod passes;
pub mod places;
pub mod plan;
pub mod prelude;
pub mod score;
mod sets;
pub mod target;
mod tasks;
pub mod text;

pub use compile::{Compilation, Options, Stages, compile, compile_again};
pub use kept::Kept;
