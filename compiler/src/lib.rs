//! From text to a program.
//!
//! [`compile()`] is the straight line; each module is one representation on it.
//!
//! The feature `jit` (default) is the code generator: without it, programs run in the interpreter.

#![deny(unsafe_code)]
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

mod arithmetic;
mod cache;
pub mod call;
pub mod channels;
mod checks;
pub mod codes;
mod compile;
pub mod dimension;
pub mod emit;
pub mod executor;
mod expand;
pub mod expect;
pub mod file;
pub mod files;
pub mod front;
pub mod graph;
mod hash;
mod heard;
pub mod hir;
pub mod host;
#[allow(unsafe_code, reason = "it is called as machine code is, with the engine's memory")]
pub mod interp;
mod interval;
pub mod ir;
pub mod json;
pub mod library;
pub mod listen;
pub mod lower;
pub mod opt;
mod options;
pub mod places;
pub mod plan;
pub mod prelude;
mod resample;
pub mod samples;
pub mod score;
pub mod seed;
pub mod sets;
pub mod size;
mod stage;
mod starts;
pub mod target;
pub mod text;
#[cfg(feature = "jit")]
mod tier_up;
pub mod units;
mod unused;
pub(crate) mod waves;

pub use cache::CompilationCache;
pub use compile::{Compilation, Rest, Stages, begin_again, compile, compile_again};
pub use options::Options;
pub use stage::Stage;
pub use target::OptLevel;
