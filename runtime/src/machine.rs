//! How machine code is entered, and what it may call where the processor has no instruction for it.
//!
//! Subnormals are flushed to zero in kernels and nowhere else: [`call_kernel`] sets the control word, calls and
//! restores it in one piece of assembly, so that no Rust code runs under a changed one (where the host's own word flushes
//! them it is left alone). What a kernel calls back
//! (see [`symbols`]) restores the usual control word in the same way.
//!
//! On wasm32 a kernel is a function of the same module and called as one; WebAssembly has no control word, so kernels
//! flush what they store themselves.
//!
//! [`fma32`] and [`fma64`] are those of the `libm` crate: pure Rust, the same bits on every machine. The constant folder and
//! the interpreter run the very same ones.

use crate::program::Call;
pub use crate::program::KernelFn;
#[cfg(not(target_arch = "wasm32"))]
use std::arch::asm;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "wasm32")))]
compile_error!("kernels run on x86-64, aarch64 and wasm32");

/// `x`, or 0 with its sign where `x` is subnormal.
pub fn flush32(x: f32) -> f32 {
    if x.is_subnormal() { 0f32.copysign(x) } else { x }
}

/// `x`, or 0 with its sign where `x` is subnormal.
pub fn flush64(x: f64) -> f64 {
    if x.is_subnormal() { 0f64.copysign(x) } else { x }
}

/// All exceptions masked, round to nearest, FTZ and DAZ set.
#[cfg(target_arch = "x86_64")]
const WORD: u32 = 0x1f80 | 0x8040;

/// Whether the host's control word is the one that kernels run under, so that they may be called as they are. To store it takes
/// longer than many a kernel does: a list of kernels asks once. \[audio\]
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn flushes_subnormals() -> bool {
    /// What of the word is not a flag that was raised.
    const MODES: u32 = 0xffc0;
    let mut word = 0u32;
    // SAFETY: writes the control word.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut word, options(nostack, preserves_flags)) };
    word & MODES == WORD
}

/// Whether the host's control word is the one that kernels run under; not known here.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(crate) fn flushes_subnormals() -> bool {
    false
}

/// Calls `f` with subnormals flushed to zero, as operands and as results. Audio thread.
///
/// # Safety
/// As [`crate::Code::call`]: the tables of `call` are what `f` expects.
#[cfg(target_arch = "x86_64")]
#[inline]
pub unsafe fn call_kernel(f: KernelFn, call: &Call) {
    // To load the word would take longer than many a kernel does.
    // SAFETY: the caller's promise.
    unsafe {
        match flushes_subnormals() {
            true => f(call),
            false => call_flushing(f, call),
        }
    }
}

/// The same where the host's control word is another.
///
/// # Safety
/// As [`call_kernel`].
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) unsafe fn call_flushing(f: KernelFn, call: &Call) {
    let mut words = [0u32, WORD];
    // SAFETY: writes the control word.
    unsafe { asm!("stmxcsr [{}]", in(reg) words.as_mut_ptr(), options(nostack, preserves_flags)) };
    // SAFETY: the control word is what it was when the block ends; the callee keeps to its convention, and the
    // pointer to the words is in a register that it preserves.
    unsafe {
        asm!(
            "ldmxcsr [r12 + 4]",
            "call {f}",
            "ldmxcsr [r12]",
            f = in(reg) f,
            inout("r12") words.as_mut_ptr() => _,
            inout("rdi") std::ptr::from_ref(call) => _,
            clobber_abi("sysv64"),
        );
    }
}

/// Calls `f` with subnormals flushed to zero, as operands and as results. Audio thread.
///
/// # Safety
/// As [`crate::Code::call`]: the tables of `call` are what `f` expects.
#[cfg(target_arch = "aarch64")]
pub unsafe fn call_kernel(f: KernelFn, call: &Call) {
    // SAFETY: the control word is what it was when the block ends; x20 and x21 are preserved by the callee.
    unsafe {
        asm!(
            "mrs x21, fpcr",
            "orr x20, x21, #0x1000000",
            "msr fpcr, x20",
            "blr {f}",
            "msr fpcr, x21",
            f = in(reg) f,
            inout("x0") std::ptr::from_ref(call) => _,
            out("x20") _,
            out("x21") _,
            clobber_abi("C"),
        );
    }
}

/// Calls `f`, which flushes subnormals itself. Audio thread.
///
/// # Safety
/// As [`crate::Code::call`]: the tables of `call` are what `f` expects.
#[cfg(target_arch = "wasm32")]
pub unsafe fn call_kernel(f: KernelFn, call: &Call) {
    // SAFETY: the caller's promise.
    unsafe { f(call) }
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use call_kernel as call_flushing;

/// A kernel's function and what it is given: a call that is written down.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// The function that is called.
    pub function: KernelFn,
    /// What it is given.
    pub call: Call,
}

/// x·y + z, rounded once.
pub fn fma32(x: f32, y: f32, z: f32) -> f32 {
    let r = libm::fmaf(x, y, z);
    // What rounds to the least normal number may have been below it: the hardware decides before it loses bits.
    if r.abs() == f32::MIN_POSITIVE {
        let scale = 2f32.powi(40);
        let (least, most) = if x.abs() < y.abs() { (x, y) } else { (y, x) };
        let scaled = libm::fmaf(least * scale, most, z * scale);
        return if scaled.abs() < f32::MIN_POSITIVE * scale { 0f32.copysign(r) } else { r };
    }
    flush32(r)
}

/// x·y + z, rounded once.
pub fn fma64(x: f64, y: f64, z: f64) -> f64 {
    let r = libm::fma(x, y, z);
    if r.abs() == f64::MIN_POSITIVE {
        let scale = 2f64.powi(80);
        let (least, most) = if x.abs() < y.abs() { (x, y) } else { (y, x) };
        let scaled = libm::fma(least * scale, most, z * scale);
        return if scaled.abs() < f64::MIN_POSITIVE * scale { 0f64.copysign(r) } else { r };
    }
    flush64(r)
}

/// A function that machine code calls by name.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Copy, Debug)]
pub struct Symbol {
    /// Its name in object code.
    pub name: &'static str,
    /// How many operands it has; they and the result are of one type.
    pub operands: usize,
    /// True where they are f64, false where they are f32.
    pub double: bool,
    /// The address of its machine code.
    pub address: *const u8,
}

/// A function that calls `$plain` with the usual control word, in the kernels' calling convention.
#[cfg(not(target_arch = "wasm32"))]
macro_rules! symbol {
    ($name:literal, $float:ty, $plain:path, $($x86:tt / $arm:tt $arg:ident),+) => {{
        #[cfg(target_arch = "x86_64")]
        extern "sysv64" fn guarded($($arg: $float),+) -> $float {
            extern "sysv64" fn plain($($arg: $float),+) -> $float {
                $plain($($arg),+)
            }
            let mut words = [0u32, 0x1f80];
            symbol!(@x86 $float, plain, words, $($x86 $arg),+)
        }
        #[cfg(target_arch = "aarch64")]
        extern "C" fn guarded($($arg: $float),+) -> $float {
            extern "C" fn plain($($arg: $float),+) -> $float {
                $plain($($arg),+)
            }
            symbol!(@arm $float, plain, $($arm $arg),+)
        }
        Symbol {
            name: $name,
            operands: [$($x86),+].len(),
            double: size_of::<$float>() == 8,
            address: guarded as *const u8,
        }
    }};
    (@x86 $float:ty, $plain:ident, $words:ident, $first:tt $x:ident $(, $reg:tt $arg:ident)*) => {{
        let result: $float;
        // SAFETY: the control word is what it was when the block ends; r12 is preserved by the callee.
        unsafe {
            asm!(
                "stmxcsr [r12]", "ldmxcsr [r12 + 4]", "call {f}", "ldmxcsr [r12]",
                f = in(reg) $plain as *const u8,
                inout("r12") $words.as_mut_ptr() => _,
                inout("xmm0") $x => result,
                $(inout($reg) $arg => _,)*
                clobber_abi("sysv64"),
            );
        }
        result
    }};
    (@arm $float:ty, $plain:ident, $first:tt $x:ident $(, $reg:tt $arg:ident)*) => {{
        let result: $float;
        // SAFETY: the control word is what it was when the block ends; x20 and x21 are preserved by the callee.
        unsafe {
            asm!(
                "mrs x21, fpcr", "and x20, x21, #~0x1000000", "msr fpcr, x20", "blr {f}", "msr fpcr, x21",
                f = in(reg) $plain as *const u8,
                inout("v0") $x => result,
                $(inout($reg) $arg => _,)*
                out("x20") _, out("x21") _,
                clobber_abi("C"),
            );
        }
        result
    }};
}

/// All functions that machine code may call: ours, and those that a machine without the instruction needs (they
/// have the names that the code generator asks for).
#[cfg(not(target_arch = "wasm32"))]
pub fn symbols() -> Vec<Symbol> {
    vec![
        symbol!("fmaf", f32, fma32, "xmm0" / "v0" x, "xmm1" / "v1" y, "xmm2" / "v2" z),
        symbol!("fma", f64, fma64, "xmm0" / "v0" x, "xmm1" / "v1" y, "xmm2" / "v2" z),
        symbol!("floorf", f32, f32::floor, "xmm0" / "v0" x),
        symbol!("floor", f64, f64::floor, "xmm0" / "v0" x),
        symbol!("ceilf", f32, f32::ceil, "xmm0" / "v0" x),
        symbol!("ceil", f64, f64::ceil, "xmm0" / "v0" x),
        symbol!("truncf", f32, f32::trunc, "xmm0" / "v0" x),
        symbol!("trunc", f64, f64::trunc, "xmm0" / "v0" x),
        symbol!("nearbyintf", f32, f32::round_ties_even, "xmm0" / "v0" x),
        symbol!("nearbyint", f64, f64::round_ties_even, "xmm0" / "v0" x),
    ]
}
