//! The back ends: what an optimised [`Module`](crate::ir::Module) becomes outside the interpreter.
//!
//! [`native`] makes machine code for this machine with Cranelift.

#[cfg(feature = "jit")]
pub mod native;
