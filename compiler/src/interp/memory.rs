//! The tables of a [`Call`], read and written one word at a time.

use crate::ir::{Imm, InputId, ParamId, PortField, PortId, Scalar};
use mam_runtime::{Call, Port};

/// Access to what a kernel is given. Made from a call whose tables are valid for the kernel; every index must be one
/// of the kernel's, every frame one of the call's.
pub(super) struct Memory<'a>(&'a Call);

impl<'a> Memory<'a> {
    /// # Safety
    /// As [`mam_runtime::Code::call`], for as long as the result lives.
    pub(super) unsafe fn new(call: &'a Call) -> Memory<'a> {
        Memory(call)
    }

    pub(super) fn call(&self) -> &Call {
        self.0
    }

    /// A word of the block.
    pub(super) fn load(&self, at: usize, scalar: Scalar) -> Imm {
        // SAFETY: the layout put a word of this type at `at`, aligned, in a block that is valid for the call.
        let bits = unsafe {
            let word = self.0.state.add(at);
            if scalar == Scalar::F64 {
                word.cast::<u64>().read()
            } else {
                u64::from(word.cast::<u32>().read())
            }
        };
        Imm::from_bits(scalar, bits)
    }

    /// Puts a word into the block.
    pub(super) fn store(&self, at: usize, imm: Imm) {
        // SAFETY: as for `load`.
        unsafe {
            let word = self.0.state.add(at);
            if imm.scalar() == Scalar::F64 {
                word.cast::<u64>().write(imm.bits());
            } else {
                word.cast::<u32>().write(imm.bits() as u32);
            }
        }
    }

    /// A parameter's value.
    pub(super) fn param(&self, param: ParamId) -> f64 {
        // SAFETY: the table has all of the kernel's parameters.
        unsafe { self.0.params.add(param.index()).read() }
    }

    /// A parameter's value in a frame.
    pub(super) fn moving(&self, param: ParamId, frame: u32) -> f32 {
        // SAFETY: the table has all of the kernel's parameters, each with the call's frames.
        unsafe { (*self.0.moving.add(param.index())).add(frame as usize).read() }
    }

    /// An input in a frame.
    pub(super) fn input(&self, input: InputId, frame: u32) -> f32 {
        // SAFETY: the table has all of the kernel's inputs, each with the call's frames.
        unsafe { (*self.0.inputs.add(input.index())).add(frame as usize).read() }
    }

    /// Puts a frame of an output.
    pub(super) fn output(&self, index: usize, frame: u32, x: f32) {
        // SAFETY: the table has all of the kernel's outputs, each with room for the call's frames.
        unsafe { (*self.0.outputs.add(index)).add(frame as usize).write(x) }
    }

    /// A frame of a delay line of a power of two frames.
    pub(super) fn read(&self, line: usize, frames: u32, at: u32) -> f32 {
        // SAFETY: the line has `frames` frames.
        unsafe { (*self.0.delays.add(line)).add((at & (frames - 1)) as usize).read() }
    }

    /// Puts a frame of a delay line.
    pub(super) fn write(&self, line: usize, frames: u32, at: u32, x: f32) {
        // SAFETY: the line has `frames` frames.
        unsafe { (*self.0.delays.add(line)).add((at & (frames - 1)) as usize).write(x) }
    }

    /// A port's field; what holds for a frame alone, as in the first.
    pub(super) fn port(&self, port: PortId, field: PortField) -> Imm {
        // SAFETY: the table has all of the kernel's ports.
        let port: Port = unsafe { self.0.ports.add(port.index()).read() };
        match field {
            PortField::Trig => Imm::Bool(port.trig & Port::TRIG != 0),
            PortField::Slur => Imm::Bool(port.trig & Port::SLUR != 0),
            PortField::Fresh => Imm::Bool(port.trig & Port::FRESH != 0),
            PortField::Gate => Imm::Bool(port.gate != 0),
            PortField::Active => Imm::Bool(port.active != 0),
            PortField::Freq => Imm::F64(port.freq),
            PortField::Note => Imm::F64(port.note),
            PortField::Vel => Imm::F64(port.vel),
        }
    }
}
