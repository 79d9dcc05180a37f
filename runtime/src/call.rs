//! A call of a kernel or a block node: what it is given, and by which convention.

use std::ffi::c_void;

/// Frames that are rendered at a time, always at absolute positions 0, 64, 128 …, whatever the host asks for.
pub const QUANTUM: usize = 64;

/// What a kernel is given. All pointers are to tables in the kernel's own local order.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The step's block of state memory, 16-byte aligned.
    pub state: *mut u8,
    /// Its delay lines, from their first frames; there is room for [`GUARD`](crate::GUARD) frames before and after each.
    pub delays: *const *mut f32,
    /// Its parameters' values (setup and steady).
    pub params: *const f64,
    /// Its parameters frame by frame, from the first frame of the call (general).
    pub moving: *const *const f32,
    /// Its inputs, from the first frame of the call.
    pub inputs: *const *const f32,
    /// Its outputs, from the first frame of the call.
    pub outputs: *const *mut f32,
    /// The ports whose events it takes.
    pub ports: *const Port,
    /// Absolute index of the first frame, modulo 2³².
    pub frame: u32,
    /// How many frames, 1 to 64.
    pub frames: u32,
    /// The [`Block`](crate::block::Block) of a block node, else null; kernels do not look at it.
    pub block: *const c_void,
}

/// What a kernel sees of an event port.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Port {
    /// What begins in the first frame of the call: [`Port::TRIG`] with a note, and what there is to say of it; else 0.
    pub trig: u32,
    /// 1 while a note is held.
    pub gate: u32,
    /// 1 while the voice sounds.
    pub active: u32,
    /// Fills up to eight bytes.
    pub reserved: u32,
    /// Frequency of the note in Hz.
    pub freq: f64,
    /// MIDI note number; 69 is 440 Hz.
    pub note: f64,
    /// Velocity of the note; 1 is nominal.
    pub vel: f64,
}

impl Port {
    /// A note begins in the first frame.
    pub const TRIG: u32 = 1;
    /// The note before it was still held.
    pub const SLUR: u32 = 2;
    /// The voice was asleep, or has never been used.
    pub const FRESH: u32 = 4;
}

/// A kernel's function. The System V convention on every x86-64 system, so that there is one trampoline.
#[cfg(target_arch = "x86_64")]
pub type KernelFn = unsafe extern "sysv64" fn(*const Call);
/// A kernel's function, in the C convention.
#[cfg(not(target_arch = "x86_64"))]
pub type KernelFn = unsafe extern "C" fn(*const Call);
