//! One body: what stands before its loops, and where its values are.

use super::isa::Encoding;
use super::memory::{Memory, Region, fixed, flags};
use crate::emit::loops::{Address, LoopPlan, Pointer};
use crate::ir::layout::Layout;
use crate::ir::{self, Body, Kernel, Module, Scalar, StateSlot};
use crate::opt::intervals::Interval;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, StackSlot, Type, Value, types};
use cranelift_frontend::FunctionBuilder;
use mam_grammar::Handle;
use rustc_hash::FxHashMap;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

/// What a body is emitted from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) module: &'a Module,
    pub(super) kernel: &'a Kernel,
    pub(super) layout: &'a Layout,
    pub(super) body: &'a Body,
    pub(super) plan: &'a LoopPlan,
    pub(super) encoding: Encoding,
}

/// Emits one body into a function, as its plan says.
pub(super) struct Emitter<'a> {
    pub(super) from: Source<'a>,
    pub(super) memory: Memory,
    /// The values so far.
    pub(super) values: Vec<Option<Value>>,
    /// The plan's scratch memory, where there is any.
    pub(super) scratch: Option<StackSlot>,
    /// The hoisted values that are loaded once: the plan's, or those of the latest loop.
    pub(super) cached: &'a BTreeSet<ir::Value>,
    /// The intervals of the body's values, whatever its states are, once a table has been read.
    pub(super) intervals: OnceCell<Vec<Interval>>,
    /// Addresses in tables that have been found since the latest loop began.
    pub(super) table_addresses: TableAddresses,
    /// The byte offsets at which the loops begin and end, once they are known.
    pub(super) span: Option<(Value, Value)>,
    /// The iteration of the latest loop; none before the first.
    pub(super) iteration: Option<Iteration>,
}

/// Where tables begin, and where entries lie from which others are so many further on.
#[derive(Default)]
pub(super) struct TableAddresses {
    pub(super) tables: FxHashMap<u32, Value>,
    pub(super) entries: FxHashMap<(u32, ir::Value), Value>,
}

/// Where an iteration finds what it works on.
pub(super) struct Iteration {
    /// Bytes from the first frame of a signal.
    pub(super) offset: Value,
    /// Absolute index of its first frame, where the loop counts it.
    pub(super) frame: Option<Value>,
    /// Its first slot of scratch memory, once it is known.
    pub(super) scratch: Option<Value>,
    /// The states that have registers.
    pub(super) states: FxHashMap<Handle<StateSlot>, Value>,
    /// Where loop-carried values are that have none.
    pub(super) slots: BTreeMap<ir::Value, StackSlot>,
    /// Where the loop's addresses are.
    pub(super) addresses: BTreeMap<Address, Home>,
}

/// Where an address is throughout a loop.
#[derive(Clone, Copy)]
pub(super) enum Home {
    /// In a register, if the code generator finds one.
    Register(Value),
    /// On the stack. (What the code generator spills itself it stores again in each iteration.)
    Stack(StackSlot),
}

/// The type of a value in the code generator. A bool is 0 or 1 in a byte, or all bits of a lane.
pub(super) fn clif(ty: ir::Type) -> Type {
    match (ty.scalar, ty.lanes) {
        (Scalar::F32, 1) => types::F32,
        (Scalar::F32, _) => types::F32X4,
        (Scalar::F64, _) => types::F64,
        (Scalar::I32, 1) => types::I32,
        (Scalar::Bool, 1) => types::I8,
        (Scalar::I32 | Scalar::Bool, _) => types::I32X4,
    }
}

/// Its type in memory.
pub(super) fn stored(ty: ir::Type) -> Type {
    if ty == ir::Type::BOOL { types::I32 } else { clif(ty) }
}

impl<'a> Emitter<'a> {
    pub(super) fn new(from: Source<'a>, call: Value) -> Emitter<'a> {
        Emitter {
            from,
            memory: Memory::new(call),
            values: vec![None; from.body.insts.len()],
            scratch: None,
            cached: &from.plan.cached,
            intervals: OnceCell::new(),
            table_addresses: TableAddresses::default(),
            span: None,
            iteration: None,
        }
    }

    /// The iteration that is being emitted, or was last.
    pub(super) fn iteration(&mut self) -> &mut Iteration {
        self.iteration.as_mut().expect("in or after a loop")
    }

    pub(super) fn pointer(&mut self, b: &mut FunctionBuilder, which: Pointer) -> Value {
        self.memory.pointer(b, which)
    }

    /// Computes what the steady form hoists and puts it into the block.
    pub(super) fn setup(mut self, b: &mut FunctionBuilder) {
        self.prologue(b);
        let state = self.pointer(b, Pointer::State);
        let flags = flags(b, Region::Hoisted);
        for (value, at) in &self.from.plan.stores {
            let x = self.value(b, *value);
            let x = self.widen(b, x, self.from.body.ty(*value));
            b.ins().store(flags, x, state, *at as i32);
        }
    }

    /// The steady form, from the iteration at the byte offset `from` (0 without one) on, as many whole iterations as there
    /// are. The result is the offset where it ended.
    pub(super) fn steady(mut self, b: &mut FunctionBuilder, from: Option<Value>) -> Value {
        let frames = self.memory.frames(b);
        let step = i64::from(self.from.plan.step);
        let end = match step {
            1 => frames,
            _ => b.ins().band_imm_s(frames, -step),
        };
        let mut end = b.ins().ishl_imm_u(end, 2);
        self.pointer(b, Pointer::State);
        if let Some(condition) = self.from.body.only_if {
            let (condition, none) = (self.value(b, condition), b.ins().iconst(types::I64, 0));
            end = b.ins().select(condition, end, none);
        }
        let start = from.unwrap_or_else(|| b.ins().iconst(types::I64, 0));
        // One frame an iteration from the start on: there is at least one.
        if from.is_none() && step == 1 {
            self.loops(b, start, end);
            return end;
        }
        let (run, done) = (b.create_block(), b.create_block());
        let any = b.ins().icmp(IntCC::UnsignedLessThan, start, end);
        b.ins().brif(any, run, &[], done, &[]);
        b.switch_to_block(run);
        self.loops(b, start, end);
        b.ins().jump(done, &[]);
        b.switch_to_block(done);
        end
    }

    /// The general form.
    pub(super) fn general(mut self, b: &mut FunctionBuilder) {
        self.prologue(b);
        let frames = self.memory.frames(b);
        let end = b.ins().ishl_imm_u(frames, 2);
        let start = b.ins().iconst(types::I64, 0);
        self.loops(b, start, end);
    }

    fn prologue(&mut self, b: &mut FunctionBuilder) {
        self.from.plan.prologue.iter().for_each(|value| self.inst(b, *value));
    }

    /// A hoisted value, loaded here unless it stays.
    pub(super) fn hoisted(&mut self, b: &mut FunctionBuilder, value: ir::Value) -> Option<Value> {
        let at = *self.from.plan.hoisted.get(&value)?;
        let base = self.pointer(b, Pointer::State);
        let ty = self.from.body.ty(value);
        let x = b.ins().load(stored(ty), fixed(), base, at as i32);
        let x = self.narrow(b, x, ty);
        if self.cached.contains(&value) {
            self.values[value.index()] = Some(x);
        }
        Some(x)
    }

    pub(super) fn state_type(&self, state: Handle<StateSlot>) -> ir::Type {
        self.from.kernel.states[state].ty()
    }

    /// A state's value, from memory.
    pub(super) fn load_state(&mut self, b: &mut FunctionBuilder, state: Handle<StateSlot>) -> Value {
        let (ty, at) = (self.state_type(state), self.from.layout.states[state.index()]);
        let block = self.pointer(b, Pointer::State);
        let flags = flags(b, Region::State);
        let x = b.ins().load(stored(ty), flags, block, at as i32);
        // A state's bools are 0 or 1, whatever its lanes.
        if ty == ir::Type::BOOL.with_lanes(4) { b.ins().ineg(x) } else { self.narrow(b, x, ty) }
    }

    pub(super) fn store_state(
        &mut self,
        b: &mut FunctionBuilder,
        state: Handle<StateSlot>,
        value: ir::Value,
    ) {
        let (ty, at) = (self.state_type(state), self.from.layout.states[state.index()]);
        let mut x = self.value(b, value);
        x = self.widen(b, x, ty);
        if ty == ir::Type::BOOL.with_lanes(4) {
            x = b.ins().ineg(x);
        }
        let block = self.pointer(b, Pointer::State);
        let flags = flags(b, Region::State);
        b.ins().store(flags, x, block, at as i32);
    }

    /// The absolute index of the iteration's `lane`-th frame.
    pub(super) fn frame(&mut self, b: &mut FunctionBuilder, lane: u8) -> Value {
        let frame = self.iteration().frame.expect("counted where it is needed");
        if lane == 0 { frame } else { b.ins().iadd_imm_s(frame, i64::from(lane)) }
    }

    /// Where this iteration's frames are of something that the loop has an address of.
    pub(super) fn at(&mut self, b: &mut FunctionBuilder, address: Address) -> Value {
        let iteration = self.iteration();
        let (home, offset) = (iteration.addresses[&address], iteration.offset);
        let first = match home {
            Home::Register(first) => first,
            Home::Stack(slot) => b.ins().stack_load(types::I64, types::I64, slot, 0),
        };
        b.ins().iadd(first, offset)
    }

    /// A scalar bool as the four bytes that it takes in memory.
    pub(super) fn widen(&self, b: &mut FunctionBuilder, x: Value, ty: ir::Type) -> Value {
        if ty == ir::Type::BOOL { b.ins().uextend(types::I32, x) } else { x }
    }

    pub(super) fn narrow(&self, b: &mut FunctionBuilder, x: Value, ty: ir::Type) -> Value {
        if ty == ir::Type::BOOL { b.ins().ireduce(types::I8, x) } else { x }
    }
}
