//! From text to a program.

pub mod emit;
pub mod interp;
pub mod ir;
pub mod passes;
pub mod target;
