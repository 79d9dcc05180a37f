//! One body: what stands before its loops, and where its values are.

use super::function::{Function, Local};
use super::memory::{Memory, load, local_type, store};
use super::{Data, Subnormals, lanes, memory};
use crate::emit::loops::{LoopPlan, Pointer};
use crate::ir::layout::Layout;
use crate::ir::{Body, DelayLine, Imm, Kernel, Module, Scalar, StateSlot, Type, Value};
use crate::opt::intervals::Interval;
use mam_grammar::Handle;
use rustc_hash::FxHashMap;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use wasm_encoder::{Instruction, ValType};

/// What a body is emitted from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) module: &'a Module,
    pub(super) kernel: &'a Kernel,
    pub(super) layout: &'a Layout,
    pub(super) body: &'a Body,
    pub(super) plan: &'a LoopPlan,
    pub(super) data: &'a Data,
    pub(super) subnormals: Subnormals,
}

/// Emits one body into a function, as its plan says. Every value that has been computed is in a local: the engine that
/// compiles the module allocates registers.
pub(super) struct Emitter<'a> {
    pub(super) from: Source<'a>,
    pub(super) memory: Memory,
    /// The values so far.
    pub(super) values: Vec<Option<Local>>,
    /// Which values stay: see [`Subnormals::FlushStored`].
    pub(super) stays: Vec<bool>,
    /// The intervals of the body's values, whatever its states are, once a table has been read.
    pub(super) intervals: OnceCell<Vec<Interval>>,
    /// The hoisted values that are loaded once: the plan's, or those of the latest loop.
    pub(super) cached: &'a BTreeSet<Value>,
    /// The byte offsets at which the loops begin and end, once they are known.
    pub(super) span: Option<(Local, Local)>,
    /// The iteration of the latest loop; none before the first.
    pub(super) iteration: Option<Iteration>,
}

/// Where an iteration finds what it works on.
pub(super) struct Iteration {
    /// Bytes from the first frame of a signal.
    pub(super) offset: Local,
    /// Absolute index of its first frame, where the loop counts it.
    pub(super) frame: Option<Local>,
    /// Its first slot of scratch memory, once it is known.
    pub(super) scratch: Option<Local>,
    /// The states that are in locals.
    pub(super) states: FxHashMap<Handle<StateSlot>, Local>,
    /// What loop-carried values are in the next iteration.
    pub(super) carried: BTreeMap<Value, Local>,
    /// The addresses of reads with linear addressing.
    pub(super) reads: BTreeMap<Value, ReadAddress>,
    /// Those of writes: of the line, and of its guard copy where an iteration writes that.
    pub(super) writes: BTreeMap<Handle<DelayLine>, Vec<Local>>,
}

/// An address for the call's first frame, and how many bytes after it something begins.
pub(super) type ReadAddress = (Local, usize);

impl<'a> Emitter<'a> {
    pub(super) fn new(from: Source<'a>) -> Emitter<'a> {
        Emitter {
            from,
            memory: Memory::default(),
            values: vec![None; from.body.insts.len()],
            stays: from.staying(),
            intervals: OnceCell::new(),
            cached: &from.plan.cached,
            span: None,
            iteration: None,
        }
    }

    /// The iteration that is being emitted, or was last.
    pub(super) fn iteration(&mut self) -> &mut Iteration {
        self.iteration.as_mut().expect("in or after a loop")
    }

    pub(super) fn ty(&self, value: Value) -> Type {
        self.from.body.ty(value)
    }

    /// Computes what the steady form hoists and puts it into the block.
    pub(super) fn setup(mut self, f: &mut Function) {
        self.prologue(f);
        let state = self.memory.pointer(f, Pointer::State);
        for &(value, at) in &self.from.plan.stores {
            f.get(state);
            self.push(f, value);
            store(f, self.ty(value), at);
        }
    }

    /// The steady form, from the iteration at the byte offset in `start` on, as many whole iterations as there are. Then `start` is
    /// the offset where it ended.
    pub(super) fn steady(mut self, f: &mut Function, start: Local) {
        memory::frames(f);
        let step = self.from.plan.step as i32;
        if step > 1 {
            f.ops([Instruction::I32Const(-step), Instruction::I32And]);
        }
        f.ops([Instruction::I32Const(2), Instruction::I32Shl]);
        let end = f.pop(ValType::I32);
        self.memory.pointer(f, Pointer::State);
        if let Some(condition) = self.from.body.only_if {
            f.get(end);
            f.i32(0);
            self.push(f, condition);
            f.op(Instruction::Select);
            f.set(end);
        }
        f.block(|f| {
            f.get(start);
            f.get(end);
            f.ops([Instruction::I32GeU, Instruction::BrIf(0)]);
            self.loops(f, start, end);
        });
        f.get(end);
        f.set(start);
    }

    /// The general form. `start` is 0.
    pub(super) fn general(mut self, f: &mut Function, start: Local) {
        self.prologue(f);
        memory::frames(f);
        f.ops([Instruction::I32Const(2), Instruction::I32Shl]);
        let end = f.pop(ValType::I32);
        self.loops(f, start, end);
    }

    fn prologue(&mut self, f: &mut Function) {
        self.from.plan.prologue.iter().for_each(|value| self.inst(f, *value));
    }

    /// Pushes a value that has been computed, or a constant.
    pub(super) fn push(&mut self, f: &mut Function, value: Value) {
        if let Some(local) = self.values[value.index()] {
            return f.get(local);
        }
        let lanes = self.ty(value).lanes;
        let is_made_here = lanes == 1 && self.imm(value).is_some();
        if !is_made_here && (self.push_hoisted(f, value) || self.push_spilled(f, value)) {
            return;
        }
        let imm = self.imm(value).expect("operands stand before their users");
        lanes::immediate(f, imm, lanes);
    }

    /// Pops a value's own.
    pub(super) fn pop(&mut self, f: &mut Function, value: Value) {
        self.values[value.index()] = Some(f.pop(local_type(self.ty(value))));
    }

    /// A value that is known, the same in all lanes.
    pub(super) fn imm(&self, value: Value) -> Option<Imm> {
        self.from.plan.known[value.index()]
    }

    /// Pushes a hoisted value, loaded here unless it stays. False if the value is not hoisted.
    fn push_hoisted(&mut self, f: &mut Function, value: Value) -> bool {
        let Some(&at) = self.from.plan.hoisted.get(&value) else { return false };
        let base = self.memory.pointer(f, Pointer::State);
        f.get(base);
        load(f, self.ty(value), at);
        if self.cached.contains(&value) {
            self.pop(f, value);
            f.get(self.values[value.index()].expect("it has just been popped"));
        }
        true
    }

    /// Loads a hoisted value into a local.
    pub(super) fn keep_hoisted(&mut self, f: &mut Function, value: Value) {
        self.values[value.index()] = None;
        self.push_hoisted(f, value);
        self.pop(f, value);
    }

    pub(super) fn state_type(&self, state: Handle<StateSlot>) -> Type {
        self.from.kernel.states[state].ty()
    }

    /// Pushes a state's value, from memory.
    pub(super) fn load_state(&mut self, f: &mut Function, state: Handle<StateSlot>) {
        let (ty, at) = (self.state_type(state), self.from.layout.states[state.index()]);
        let block = self.memory.pointer(f, Pointer::State);
        f.get(block);
        load(f, ty, at);
        // A state's bools are 0 or 1, whatever its lanes.
        if ty == Type::BOOL.with_lanes(4) {
            f.op(Instruction::I32x4Neg);
        }
    }

    pub(super) fn store_state(&mut self, f: &mut Function, state: Handle<StateSlot>, value: Value) {
        let (ty, at) = (self.state_type(state), self.from.layout.states[state.index()]);
        let block = self.memory.pointer(f, Pointer::State);
        f.get(block);
        self.push(f, value);
        if ty == Type::BOOL.with_lanes(4) {
            f.op(Instruction::I32x4Neg);
        }
        store(f, ty, at);
    }

    /// Pushes the absolute index of the iteration's `lane`-th frame.
    pub(super) fn frame(&mut self, f: &mut Function, lane: u8) {
        f.get(self.iteration().frame.expect("counted where it is needed"));
        f.add(i32::from(lane));
    }

    /// Pushes the address of a signal's frames of this iteration.
    pub(super) fn signal(&mut self, f: &mut Function, which: Pointer) {
        let pointer = self.memory.pointer(f, which);
        f.get(pointer);
        f.get(self.iteration().offset);
        f.op(Instruction::I32Add);
    }

    /// Pushes one lane of a value; of a scalar itself.
    pub(super) fn push_lane(&mut self, f: &mut Function, value: Value, lane: u8) {
        self.push(f, value);
        let ty = self.ty(value);
        if ty.lanes > 1 {
            lanes::extract(f, ty.scalar, lane);
        }
    }

    /// Pushes a value in lanes: those of a scalar are alike.
    pub(super) fn push_lanes(&mut self, f: &mut Function, value: Value) {
        if let Some(imm) = self.imm(value) {
            return lanes::immediate(f, imm, 4);
        }
        self.push(f, value);
        let ty = self.ty(value);
        if ty.lanes == 1 && ty.scalar != Scalar::F64 {
            lanes::splat(f, ty.scalar);
        }
    }
}
