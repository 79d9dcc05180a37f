//! One body: what stands before the loop, the loop, what stands after it.

use super::CARRIED;
use super::memory::{Memory, Pointer, Region, flags};
use crate::ir::layout::Layout;
use crate::ir::{self, Body, Imm, Kernel, Module, Op, PortField, Rate, Scalar, StateSlot};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    Block, BlockArg, FuncRef, InstBuilder, StackSlot, StackSlotData, StackSlotKind, Type, Value, types,
};
use cranelift_frontend::FunctionBuilder;
use mam_grammar::Handle;
use std::collections::{BTreeMap, HashMap};

/// Emits one body into a function.
pub(super) struct Emitter<'a> {
    pub(super) module: &'a Module,
    pub(super) kernel: &'a Kernel,
    pub(super) layout: &'a Layout,
    pub(super) body: &'a Body,
    /// Whether the code is for x86-64.
    pub(super) x64: bool,
    rates: Vec<Rate>,
    /// The values so far.
    pub(super) values: Vec<Option<Value>>,
    /// Those that are known, the same in all lanes.
    pub(super) known: Vec<Option<Imm>>,
    pub(super) functions: HashMap<&'static str, FuncRef>,
    pub(super) memory: Option<Memory>,
    pub(super) turn: Turn,
    /// Where the states that are carried in registers are.
    pub(super) carried: HashMap<Handle<StateSlot>, Value>,
    /// Where each `carry` is that has no register.
    slots: BTreeMap<ir::Value, StackSlot>,
}

/// What changes from turn to turn.
#[derive(Clone, Copy, Default)]
pub(super) struct Turn {
    /// Bytes from the first frame of a signal.
    pub(super) offset: Option<Value>,
    /// Absolute index of the turn's first frame.
    pub(super) frame: Option<Value>,
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
fn stored(ty: ir::Type) -> Type {
    if ty == ir::Type::BOOL { types::I32 } else { clif(ty) }
}

impl<'a> Emitter<'a> {
    pub(super) fn new(
        module: &'a Module,
        kernel: &'a Kernel,
        layout: &'a Layout,
        body: &'a Body,
        x64: bool,
    ) -> Emitter<'a> {
        Emitter {
            module,
            kernel,
            layout,
            body,
            x64,
            rates: body.rates(),
            values: vec![None; body.insts.len()],
            known: vec![None; body.insts.len()],
            functions: HashMap::new(),
            memory: None,
            turn: Turn::default(),
            carried: HashMap::new(),
            slots: BTreeMap::new(),
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
        if let Some(condition) = self.body.only_if {
            self.held(b, held);
            let (condition, none) = (self.value(b, condition), b.ins().iconst(types::I64, 0));
            end = b.ins().select(condition, end, none);
        }
        let start = from.unwrap_or_else(|| b.ins().iconst(types::I64, 0));
        // One frame a turn from the start on: there is at least one.
        if from.is_none() && step == 1 {
            self.held(b, held);
            self.turns(b, start, end);
            return end;
        }
        let (run, done) = (b.create_block(), b.create_block());
        let any = b.ins().icmp(IntCC::UnsignedLessThan, start, end);
        b.ins().brif(any, run, &[], done, &[]);
        b.switch_to_block(run);
        self.held(b, held);
        self.turns(b, start, end);
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
        self.turns(b, start, end);
    }

    /// What is computed at some rates.
    fn at(&mut self, b: &mut FunctionBuilder, of: impl Fn(Rate) -> bool) {
        for value in self.body.insts.handles() {
            if of(self.rates[value.index()]) {
                self.inst(b, value);
            }
        }
    }

    /// Loads what setup has computed.
    fn held(&mut self, b: &mut FunctionBuilder, held: &[(ir::Value, usize)]) {
        let state = self.pointer(b, Pointer::State);
        let flags = flags(b, Region::Held);
        for (value, at) in held {
            let ty = self.body.ty(*value);
            let x = b.ins().load(stored(ty), flags, state, *at as i32);
            let x = self.narrow(b, x, ty);
            self.values[value.index()] = Some(x);
        }
    }

    /// The loop, from the byte offset `start` to `end`; at least once.
    fn turns(&mut self, b: &mut FunctionBuilder, start: Value, end: Value) {
        self.pointers(b);
        self.at(b, |rate| rate == Rate::Call);
        let (block, exit) = (b.create_block(), b.create_block());
        let mut entry: Vec<BlockArg> = vec![start.into()];
        let offset = b.append_block_param(block, types::I64);
        self.turn.offset = Some(offset);
        if self.needs_frame() {
            let first = self.memory().frame(b);
            let skipped = b.ins().ireduce(types::I32, start);
            let skipped = b.ins().ushr_imm_u(skipped, 2);
            entry.push(b.ins().iadd(first, skipped).into());
            self.turn.frame = Some(b.append_block_param(block, types::I32));
        }
        let (carried, in_memory) = self.sort_states();
        for state in &carried {
            entry.push(self.load_state(b, *state).into());
            let value = b.append_block_param(block, clif(self.state_type(*state)));
            self.carried.insert(*state, value);
        }
        let carries = self.carries(b, block, &mut entry);
        b.ins().jump(block, &entry);

        b.switch_to_block(block);
        self.at(b, |rate| rate == Rate::Sample);
        self.outputs(b);
        for state in &in_memory {
            self.store_state(b, *state);
        }
        let step = i64::from(self.body.step);
        let next = b.ins().iadd_imm_s(offset, 4 * step);
        let mut again: Vec<BlockArg> = vec![next.into()];
        if let Some(frame) = self.turn.frame {
            again.push(b.ins().iadd_imm_s(frame, step).into());
        }
        for state in &carried {
            again.push(self.new_state(b, *state).into());
        }
        for carry in &carries {
            again.push(self.next(b, *carry).into());
        }
        self.keep(b);
        let more = b.ins().icmp(IntCC::UnsignedLessThan, next, end);
        b.ins().brif(more, block, &again, exit, &[]);

        b.switch_to_block(exit);
        let stored: Vec<_> = self.body.sets.iter().map(|(state, _)| *state).collect();
        for state in stored.into_iter().filter(|state| !in_memory.contains(state)) {
            self.store_state(b, state);
        }
    }

    /// Begins what is carried from turn to turn: in registers, which are parameters of the loop's block, as many as
    /// there may be, and else on the stack. The result is those in registers.
    fn carries(
        &mut self,
        b: &mut FunctionBuilder,
        block: Block,
        entry: &mut Vec<BlockArg>,
    ) -> Vec<ir::Value> {
        let body = self.body;
        let mut registers = vec![];
        for (value, inst) in body.insts.iter().filter(|(_, inst)| inst.op == Op::Carry) {
            let start = self.value(b, inst.args.as_slice()[0]);
            if registers.len() < CARRIED {
                entry.push(start.into());
                self.values[value.index()] = Some(b.append_block_param(block, clif(inst.ty)));
                registers.push(value);
            } else {
                let data = StackSlotData::new(StackSlotKind::ExplicitSlot, 16, 4);
                let slot = b.create_sized_stack_slot(data);
                b.ins().stack_store(types::I64, start, slot, 0);
                self.slots.insert(value, slot);
            }
        }
        registers
    }

    /// What is carried, in this turn.
    pub(super) fn carried(&mut self, b: &mut FunctionBuilder, value: ir::Value) -> Value {
        match self.slots.get(&value) {
            Some(slot) => b.ins().stack_load(types::I64, clif(self.body.ty(value)), *slot, 0),
            None => self.values[value.index()].expect("a parameter of the loop's block"),
        }
    }

    /// What a `carry` is in the next turn.
    fn next(&mut self, b: &mut FunctionBuilder, carry: ir::Value) -> Value {
        let next = self.body.nexts.iter().find(|(other, _)| *other == carry);
        let (_, next) = next.expect("the checker wants one");
        self.value(b, *next)
    }

    /// Stores what is carried on the stack.
    fn keep(&mut self, b: &mut FunctionBuilder) {
        let slots: Vec<(ir::Value, StackSlot)> =
            self.slots.iter().map(|(value, slot)| (*value, *slot)).collect();
        for (value, slot) in slots {
            let next = self.next(b, value);
            b.ins().stack_store(types::I64, next, slot, 0);
        }
    }

    /// Loads all pointers that the loop needs.
    fn pointers(&mut self, b: &mut FunctionBuilder) {
        self.pointer(b, Pointer::State);
        for inst in self.body.insts.values() {
            match inst.op {
                Op::Param(i) if inst.ty.scalar == Scalar::F32 => self.pointer(b, Pointer::Moving(i)),
                Op::Input(i) => self.pointer(b, Pointer::Input(i)),
                Op::Read(line) => self.pointer(b, Pointer::Delay(line.index() as u32)),
                Op::Port(_, PortField::Trig) => self.pointer(b, Pointer::Ports),
                _ => continue,
            };
        }
        for (line, _) in &self.body.writes {
            self.pointer(b, Pointer::Delay(line.index() as u32));
        }
        for output in 0..self.body.outs.len() {
            self.pointer(b, Pointer::Output(output as u32));
        }
    }

    fn needs_frame(&self) -> bool {
        let reads = |op: Op| matches!(op, Op::Frame | Op::Read(_));
        !self.body.writes.is_empty() || self.body.insts.values().any(|inst| reads(inst.op))
    }

    /// The states that are read and set: those that are carried in registers, and those that stay in memory.
    fn sort_states(&self) -> (Vec<Handle<StateSlot>>, Vec<Handle<StateSlot>>) {
        let read = self.states_read();
        let both = self.body.sets.iter().map(|(state, _)| *state).filter(|state| read.contains(state));
        let mut carried: Vec<_> = both.collect();
        let in_memory = carried.split_off(carried.len().min(CARRIED));
        (carried, in_memory)
    }

    fn states_read(&self) -> Vec<Handle<StateSlot>> {
        let mut read: Vec<_> = self.body.insts.values().filter_map(|inst| state_of(inst.op)).collect();
        read.sort();
        read.dedup();
        read
    }

    fn state_type(&self, state: Handle<StateSlot>) -> ir::Type {
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
    fn new_state(&mut self, b: &mut FunctionBuilder, state: Handle<StateSlot>) -> Value {
        let (_, value) =
            self.body.sets.iter().find(|(other, _)| *other == state).expect("a state that is set");
        self.value(b, *value)
    }

    fn store_state(&mut self, b: &mut FunctionBuilder, state: Handle<StateSlot>) {
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

    /// Outputs and delay lines, at the end of a turn.
    fn outputs(&mut self, b: &mut FunctionBuilder) {
        let delay = flags(b, Region::Delay);
        for (line, value) in &self.body.writes {
            let x = self.value(b, *value);
            for lane in 0..self.body.ty(*value).lanes {
                let frame = self.frame(b, lane);
                let address = self.delay_address(b, *line, frame);
                let x = self.lane(b, x, self.body.ty(*value), lane);
                b.ins().store(delay, x, address, 0);
            }
        }
        let signal = flags(b, Region::Signal);
        for (index, value) in self.body.outs.iter().enumerate() {
            let x = self.value(b, *value);
            let address = self.signal(b, Pointer::Output(index as u32));
            b.ins().store(signal, x, address, 0);
        }
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

    /// Where a delay line holds an absolute frame.
    pub(super) fn delay_address(
        &mut self,
        b: &mut FunctionBuilder,
        line: Handle<ir::DelayLine>,
        frame: Value,
    ) -> Value {
        let pointer = self.pointer(b, Pointer::Delay(line.index() as u32));
        let mask = self.kernel.delays[line].frames - 1;
        let at = b.ins().band_imm_u(frame, i64::from(mask));
        let at = b.ins().uextend(types::I64, at);
        let at = b.ins().ishl_imm_u(at, 2);
        b.ins().iadd(pointer, at)
    }

    /// A scalar bool as the four bytes that it takes in memory.
    fn widen(&self, b: &mut FunctionBuilder, x: Value, ty: ir::Type) -> Value {
        if ty == ir::Type::BOOL { b.ins().uextend(types::I32, x) } else { x }
    }

    fn narrow(&self, b: &mut FunctionBuilder, x: Value, ty: ir::Type) -> Value {
        if ty == ir::Type::BOOL { b.ins().ireduce(types::I8, x) } else { x }
    }
}

/// The state that an op reads.
fn state_of(op: Op) -> Option<Handle<StateSlot>> {
    match op {
        Op::Get(state) => Some(state),
        _ => None,
    }
}
