//! The text form. What is printed can be read back, exactly.
//!
//! ```text
//! table 0.0 0.5 1.0
//!
//! kernel tick
//!   state phase: i32 = 0
//!   delay line: 64
//!   param gain
//!   input in
//!   output out
//!   port note
//!   voice note until done states 0..1 delays 0..1
//! general
//!   v0: f32 = param gain
//!   v1: i32 = get phase
//!   v2: bool = port note trig
//!   set phase v1
//!   write line v0
//!   out v0
//! steady x4
//!   v0: f64 = param gain ; segment
//!   …
//! ```
//!
//! States, delay lines, parameters, inputs, outputs and ports are called by name; a name with spaces or other marks
//! stands in quotes. `x4` is the number of frames an iteration, where it is not one. What follows a `;` is a remark.

mod parse;
mod print;

pub(crate) use print::{InstText, Name, Number, ValueName};
