//! One body: what stands before its loops, and where its values are.

use super::isa::Machine;
use super::lines::Straight;
use super::memory::{Memory, Pointer, Region, fixed, flags};
use crate::ir::layout::Layout;
use crate::ir::{self, Body, Imm, Kernel, Module, Rate, Scalar, StateSlot};
use crate::target::OptLevel;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{FuncRef, InstBuilder, StackSlot, Type, Value, types};
use cranelift_frontend::FunctionBuilder;
use mam_grammar::Handle;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// Emits one body into a function.
pub(super) struct Emitter<'a> {
    pub(super) module: &'a Module,
    pub(super) kernel: &'a Kernel,
    pub(super) layout: &'a Layout,
    pub(super) body: &'a Body,
    /// What it is for.
    pub(super) machine: Machine,
    /// How much time it may take to be made.
    pub(super) level: OptLevel,
    pub(super) rates: Vec<Rate>,
    /// The values so far.
    pub(super) values: Vec<Option<Value>>,
    /// Those that are known, the same in all lanes.
    pub(super) known: Vec<Option<Imm>>,
    pub(super) functions: FxHashMap<&'static str, FuncRef>,
    pub(super) memory: Option<Memory>,
    pub(super) turn: Turn,
    /// Where the states that are carried in registers are.
    pub(super) carried: FxHashMap<Handle<StateSlot>, Value>,
    /// Where the block keeps what setup has computed, in bytes.
    pub(super) held: FxHashMap<ir::Value, usize>,
    /// What the present loop uses often.
    pub(super) often: BTreeSet<ir::Value>,
    /// From where held values are read: the block's address.
    pub(super) base: Option<Value>,
    /// Where long delay lines are.
    pub(super) straight: Straight,
    /// Where each `carry` is that has no register.
    pub(super) slots: BTreeMap<ir::Value, StackSlot>,
    /// Where a loop leaves values for later ones: in the room for them, from so many bytes on.
    pub(super) passed: BTreeMap<ir::Value, u32>,
    pub(super) room: Option<StackSlot>,
    /// Which instruction of the present loop is the last to use a value.
    pub(super) last_use: FxHashMap<ir::Value, ir::Value>,
    /// Instructions that the loops leave out, as what they compute is stored elsewhere.
    pub(super) left_out: BTreeSet<ir::Value>,
}

/// What changes from turn to turn.
#[derive(Clone, Copy, Default)]
pub(super) struct Turn {
    /// Bytes from the first frame of a signal.
    pub(super) offset: Option<Value>,
    /// Absolute index of the turn's first frame.
    pub(super) frame: Option<Value>,
    /// The turn's place in the room for what loops leave.
    pub(super) room: Option<Value>,
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
    pub(super) fn new(
        module: &'a Module,
        kernel: &'a Kernel,
        layout: &'a Layout,
        body: &'a Body,
        (machine, level): (Machine, OptLevel),
    ) -> Emitter<'a> {
        Emitter {
            module,
            kernel,
            layout,
            body,
            machine,
            level,
            rates: body.rates(),
            values: vec![None; body.insts.len()],
            known: vec![None; body.insts.len()],
            functions: FxHashMap::default(),
            memory: None,
            turn: Turn::default(),
            carried: FxHashMap::default(),
            held: FxHashMap::default(),
            often: BTreeSet::new(),
            base: None,
            straight: Straight::default(),
            slots: BTreeMap::new(),
            passed: BTreeMap::new(),
            room: None,
            last_use: FxHashMap::default(),
            left_out: BTreeSet::new(),
        }
    }

    pub(super) fn memory(&mut self) -> &mut Memory {
        self.memory.as_mut().expect("set where a body begins")
    }

    pub(super) fn pointer(&mut self, b: &mut FunctionBuilder, which: Pointer) -> Value {
        self.memory().pointer(b, which)
    }

    /// Computes what the steady loop holds and puts it into the block.
    pub(super) fn setup(mut self, b: &mut FunctionBuilder, call: Value, held: &[(ir::Value, usize)]) {
        self.memory = Some(Memory::new(call));
        self.at(b, |rate| rate <= Rate::Segment);
        let state = self.pointer(b, Pointer::State);
        let flags = flags(b, Region::Held);
        for (value, at) in held {
            let x = self.value(b, *value);
            let x = self.widen(b, x, self.body.ty(*value));
            b.ins().store(flags, x, state, *at as i32);
        }
    }

    /// The steady form, from the turn at the byte offset `from` (0 without one) on, as many whole turns as there
    /// are. The result is the offset where it ended.
    pub(super) fn steady(
        mut self,
        b: &mut FunctionBuilder,
        call: Value,
        held: &[(ir::Value, usize)],
        from: Option<Value>,
    ) -> Value {
        self.memory = Some(Memory::new(call));
        let frames = self.memory().frames(b);
        let step = i64::from(self.body.step);
        let end = match step {
            1 => frames,
            _ => b.ins().band_imm_s(frames, -step),
        };
        let mut end = b.ins().ishl_imm_u(end, 2);
        self.held = held.iter().copied().collect();
        self.base = Some(self.pointer(b, Pointer::State));
        if let Some(condition) = self.body.only_if {
            let (condition, none) = (self.value(b, condition), b.ins().iconst(types::I64, 0));
            end = b.ins().select(condition, end, none);
        }
        let start = from.unwrap_or_else(|| b.ins().iconst(types::I64, 0));
        // A tail is short.
        let split = from.is_none() && self.level == OptLevel::Best;
        // One frame a turn from the start on: there is at least one.
        if from.is_none() && step == 1 {
            self.turns(b, start, end, split);
            return end;
        }
        let (run, done) = (b.create_block(), b.create_block());
        let any = b.ins().icmp(IntCC::UnsignedLessThan, start, end);
        b.ins().brif(any, run, &[], done, &[]);
        b.switch_to_block(run);
        self.turns(b, start, end, split);
        b.ins().jump(done, &[]);
        b.switch_to_block(done);
        end
    }

    /// The general form.
    pub(super) fn general(mut self, b: &mut FunctionBuilder, call: Value) {
        self.memory = Some(Memory::new(call));
        self.at(b, |rate| rate <= Rate::Segment);
        let frames = self.memory().frames(b);
        let end = b.ins().ishl_imm_u(frames, 2);
        let start = b.ins().iconst(types::I64, 0);
        self.turns(b, start, end, false);
    }

    /// What is computed at some rates.
    pub(super) fn at(&mut self, b: &mut FunctionBuilder, of: impl Fn(Rate) -> bool) {
        for value in self.body.insts.handles() {
            if of(self.rates[value.index()]) {
                self.inst(b, value);
            }
        }
    }

    /// What setup has computed. It is read where it is used, as an operand in memory, for all of it would take all
    /// registers; but what a loop uses often it reads once a turn, and quick code everything.
    pub(super) fn held(&mut self, b: &mut FunctionBuilder, value: ir::Value) -> Option<Value> {
        let (at, base) = (*self.held.get(&value)?, self.base?);
        let ty = self.body.ty(value);
        let x = b.ins().load(stored(ty), fixed(), base, at as i32);
        let x = self.narrow(b, x, ty);
        if self.level == OptLevel::Quick || self.often.contains(&value) {
            self.values[value.index()] = Some(x);
        }
        Some(x)
    }

    pub(super) fn state_type(&self, state: Handle<StateSlot>) -> ir::Type {
        self.kernel.states[state].ty()
    }

    /// A state's value, from memory.
    pub(super) fn load_state(&mut self, b: &mut FunctionBuilder, state: Handle<StateSlot>) -> Value {
        let (ty, at) = (self.state_type(state), self.layout.states[state.index()]);
        let block = self.pointer(b, Pointer::State);
        let flags = flags(b, Region::State);
        let x = b.ins().load(stored(ty), flags, block, at as i32);
        // A state's bools are 0 or 1, whatever its lanes.
        if ty == ir::Type::BOOL.with_lanes(4) { b.ins().ineg(x) } else { self.narrow(b, x, ty) }
    }

    /// What a state is set to.
    pub(super) fn new_state(&mut self, b: &mut FunctionBuilder, state: Handle<StateSlot>) -> Value {
        let (_, value) =
            self.body.sets.iter().find(|(other, _)| *other == state).expect("a state that is set");
        self.value(b, *value)
    }

    pub(super) fn store_state(&mut self, b: &mut FunctionBuilder, state: Handle<StateSlot>) {
        let (ty, at) = (self.state_type(state), self.layout.states[state.index()]);
        let mut x = self.new_state(b, state);
        x = self.widen(b, x, ty);
        if ty == ir::Type::BOOL.with_lanes(4) {
            x = b.ins().ineg(x);
        }
        let block = self.pointer(b, Pointer::State);
        let flags = flags(b, Region::State);
        b.ins().store(flags, x, block, at as i32);
    }

    /// The absolute index of the turn's `lane`-th frame.
    pub(super) fn frame(&mut self, b: &mut FunctionBuilder, lane: u8) -> Value {
        let frame = self.turn.frame.expect("counted where it is needed");
        if lane == 0 { frame } else { b.ins().iadd_imm_s(frame, i64::from(lane)) }
    }

    /// Where a signal's frames of this turn are.
    pub(super) fn signal(&mut self, b: &mut FunctionBuilder, which: Pointer) -> Value {
        let pointer = self.pointer(b, which);
        let offset = self.turn.offset.expect("in a loop");
        b.ins().iadd(pointer, offset)
    }

    /// A scalar bool as the four bytes that it takes in memory.
    pub(super) fn widen(&self, b: &mut FunctionBuilder, x: Value, ty: ir::Type) -> Value {
        if ty == ir::Type::BOOL { b.ins().uextend(types::I32, x) } else { x }
    }

    pub(super) fn narrow(&self, b: &mut FunctionBuilder, x: Value, ty: ir::Type) -> Value {
        if ty == ir::Type::BOOL { b.ins().ireduce(types::I8, x) } else { x }
    }
}
