//! The addresses of a call's tables, and values in memory.

use super::function::{CALL, Function, Local, at};
use crate::emit::loops::Pointer;
use crate::ir::{Scalar, Type};
use mam_runtime::Port;
use rustc_hash::FxHashMap;
use wasm_encoder::{Instruction, ValType};

/// Where a [`mam_runtime::Call`] has what, as wasm32 lays it out.
mod call {
    pub(super) const STATE: usize = 0;
    pub(super) const DELAYS: usize = 4;
    pub(super) const PARAMS: usize = 8;
    pub(super) const MOVING: usize = 12;
    pub(super) const INPUTS: usize = 16;
    pub(super) const OUTPUTS: usize = 20;
    pub(super) const PORTS: usize = 24;
    pub(super) const FRAME: usize = 28;
    pub(super) const FRAMES: usize = 32;

    #[cfg(target_pointer_width = "32")]
    const _: () = {
        use mam_runtime::Call;
        use std::mem::offset_of;
        assert!(offset_of!(Call, state) == STATE && offset_of!(Call, delays) == DELAYS);
        assert!(offset_of!(Call, params) == PARAMS && offset_of!(Call, moving) == MOVING);
        assert!(offset_of!(Call, inputs) == INPUTS && offset_of!(Call, outputs) == OUTPUTS);
        assert!(offset_of!(Call, ports) == PORTS && offset_of!(Call, frame) == FRAME);
        assert!(offset_of!(Call, frames) == FRAMES);
    };
}

/// Bytes of a pointer.
const POINTER: usize = 4;

/// The pointers of a call that are in locals. Each is loaded where it is first asked for.
#[derive(Default)]
pub(super) struct Memory {
    pointers: FxHashMap<Pointer, Local>,
}

impl Memory {
    /// A pointer of the call's, in a local.
    pub(super) fn pointer(&mut self, f: &mut Function, which: Pointer) -> Local {
        *self.pointers.entry(which).or_insert_with(|| {
            let (field, index) = match which {
                Pointer::State => (call::STATE, None),
                Pointer::Params => (call::PARAMS, None),
                Pointer::Ports => (call::PORTS, None),
                Pointer::Delay(i) => (call::DELAYS, Some(i)),
                Pointer::Moving(i) => (call::MOVING, Some(i)),
                Pointer::Input(i) => (call::INPUTS, Some(i)),
                Pointer::Output(i) => (call::OUTPUTS, Some(i)),
            };
            word(f, field);
            if let Some(index) = index {
                f.op(Instruction::I32Load(at(POINTER * index as usize, 2)));
            }
            f.pop(ValType::I32)
        })
    }

    /// Pushes a parameter's value.
    pub(super) fn param(&mut self, f: &mut Function, index: usize) {
        let params = self.pointer(f, Pointer::Params);
        f.get(params);
        f.op(Instruction::F64Load(at(8 * index, 3)));
    }

    /// Pushes the address of the ports; the result is where a field of one is from there.
    pub(super) fn port(&mut self, f: &mut Function, index: usize, field: usize) -> usize {
        let ports = self.pointer(f, Pointer::Ports);
        f.get(ports);
        index * size_of::<Port>() + field
    }
}

/// Pushes the address of a delay line, from the call's table.
pub(super) fn delay(f: &mut Function, index: usize) {
    word(f, call::DELAYS);
    f.op(Instruction::I32Load(at(POINTER * index, 2)));
}

/// Pushes the first frame's absolute index.
pub(super) fn frame(f: &mut Function) {
    word(f, call::FRAME);
}

/// Pushes how many frames there are.
pub(super) fn frames(f: &mut Function) {
    word(f, call::FRAMES);
}

fn word(f: &mut Function, field: usize) {
    f.get(CALL);
    f.op(Instruction::I32Load(at(field, 2)));
}

/// The type of a value in a local. A bool is 0 or 1, or all bits of a lane.
pub(super) fn local_type(ty: Type) -> ValType {
    match (ty.scalar, ty.lanes) {
        (_, 4) => ValType::V128,
        (Scalar::F32, _) => ValType::F32,
        (Scalar::F64, _) => ValType::F64,
        (Scalar::I32 | Scalar::Bool, _) => ValType::I32,
    }
}

/// Replaces the address on the stack by the value there, `offset` bytes further.
pub(super) fn load(f: &mut Function, ty: Type, offset: usize) {
    f.op(match local_type(ty) {
        ValType::V128 => Instruction::V128Load(at(offset, 2)),
        ValType::F32 => Instruction::F32Load(at(offset, 2)),
        ValType::F64 => Instruction::F64Load(at(offset, 3)),
        _ => Instruction::I32Load(at(offset, 2)),
    });
}

/// Stores the value on the stack at the address under it, `offset` bytes further.
pub(super) fn store(f: &mut Function, ty: Type, offset: usize) {
    f.op(match local_type(ty) {
        ValType::V128 => Instruction::V128Store(at(offset, 2)),
        ValType::F32 => Instruction::F32Store(at(offset, 2)),
        ValType::F64 => Instruction::F64Store(at(offset, 3)),
        _ => Instruction::I32Store(at(offset, 2)),
    });
}
