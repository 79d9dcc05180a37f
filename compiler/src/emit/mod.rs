//! The back ends: what an optimised [`Module`](crate::ir::Module) becomes outside the interpreter.
//!
//! [`loops`] decides how a kernel's bodies run over the frames of a call, as data that every back end reads. [`native`] makes
//! machine code with Cranelift, `object` puts it into object files; [`c`] writes C; [`wasm`] makes a WebAssembly module.

pub mod c;
pub mod loops;
#[cfg(feature = "jit")]
pub mod native;
#[cfg(feature = "objects")]
pub mod object;
#[cfg(feature = "wasm")]
pub mod wasm;
