//! The addresses of a call's tables, and the flags that say which memory can be which.

use crate::emit::loops::Pointer;
use cranelift_codegen::ir::{AliasRegionData, InstBuilder, MemFlagsData, Type, Value, types};
use cranelift_frontend::FunctionBuilder;
use mam_runtime::{Call, Port};
use rustc_hash::FxHashMap;

/// Kinds of memory that never overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Region {
    /// What setup computed.
    Hoisted = 1,
    /// States.
    State,
    /// Delay lines.
    Delay,
    /// Inputs and outputs: an output may be an input's buffer.
    Signal,
    /// What one loop leaves for another.
    Scratch,
}

/// A call's memory, as seen by one function. Pointers are loaded once, in the block where they are first asked for;
/// so they are to be asked for before the loop.
pub(super) struct Memory {
    call: Value,
    pointers: FxHashMap<Pointer, Value>,
}

/// Never written while a kernel runs.
pub(super) fn fixed() -> MemFlagsData {
    MemFlagsData::trusted().with_readonly().with_can_move()
}

impl Memory {
    pub(super) fn new(call: Value) -> Memory {
        Memory { call, pointers: FxHashMap::default() }
    }

    /// A pointer of the call's.
    pub(super) fn pointer(&mut self, b: &mut FunctionBuilder, which: Pointer) -> Value {
        if let Some(known) = self.pointers.get(&which) {
            return *known;
        }
        let pointer = self.load(b, which);
        self.pointers.insert(which, pointer);
        pointer
    }

    /// The same, loaded here.
    pub(super) fn load(&self, b: &mut FunctionBuilder, which: Pointer) -> Value {
        let (field, index) = match which {
            Pointer::State => (std::mem::offset_of!(Call, state), None),
            Pointer::Params => (std::mem::offset_of!(Call, params), None),
            Pointer::Ports => (std::mem::offset_of!(Call, ports), None),
            Pointer::Delay(i) => (std::mem::offset_of!(Call, delays), Some(i)),
            Pointer::Moving(i) => (std::mem::offset_of!(Call, moving), Some(i)),
            Pointer::Input(i) => (std::mem::offset_of!(Call, inputs), Some(i)),
            Pointer::Output(i) => (std::mem::offset_of!(Call, outputs), Some(i)),
        };
        let pointer = self.table(b, field);
        index.map_or(pointer, |index| entry(b, pointer, index))
    }

    /// The table of delay lines, loaded here: an [`entry`] is a line.
    pub(super) fn delays(&self, b: &mut FunctionBuilder) -> Value {
        self.table(b, std::mem::offset_of!(Call, delays))
    }

    fn table(&self, b: &mut FunctionBuilder, field: usize) -> Value {
        b.ins().load(types::I64, fixed(), self.call, field as i32)
    }

    /// The first frame's absolute index.
    pub(super) fn frame(&self, b: &mut FunctionBuilder) -> Value {
        b.ins().load(types::I32, fixed(), self.call, std::mem::offset_of!(Call, frame) as i32)
    }

    /// How many frames there are.
    pub(super) fn frames(&self, b: &mut FunctionBuilder) -> Value {
        b.ins().uload32(fixed(), self.call, std::mem::offset_of!(Call, frames) as i32)
    }

    /// A parameter's value.
    pub(super) fn param(&mut self, b: &mut FunctionBuilder, index: u32) -> Value {
        let params = self.pointer(b, Pointer::Params);
        b.ins().load(types::F64, fixed(), params, 8 * index as i32)
    }

    /// A field of a port.
    pub(super) fn port(&mut self, b: &mut FunctionBuilder, index: u32, field: usize, ty: Type) -> Value {
        let ports = self.pointer(b, Pointer::Ports);
        b.ins().load(ty, fixed(), ports, (index as usize * size_of::<Port>() + field) as i32)
    }
}

/// A pointer of a table of pointers, loaded here.
pub(super) fn entry(b: &mut FunctionBuilder, table: Value, index: u32) -> Value {
    b.ins().load(types::I64, fixed(), table, 8 * index as i32)
}

/// The flags for memory of a region.
pub(super) fn flags(b: &mut FunctionBuilder, region: Region) -> MemFlagsData {
    let data = AliasRegionData { user_id: region as u32, description: format!("{region:?}").into() };
    let flags = match region {
        // A vector may begin at any frame. (Processors without AVX want operands in memory aligned.)
        Region::Delay | Region::Signal => MemFlagsData::new().with_notrap(),
        Region::Hoisted | Region::State | Region::Scratch => MemFlagsData::trusted(),
    };
    let region = b.func.dfg.alias_regions.insert(data);
    flags.with_alias_region(Some(region))
}
