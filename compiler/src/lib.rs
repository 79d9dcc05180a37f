//! From text to a program.

pub mod ir;
pub mod score;
