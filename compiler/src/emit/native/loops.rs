//! The loops of a plan.

use super::body::{Emitter, Iteration, TableAddresses, clif, stored};
use super::inst::extract;
use super::memory::{Region, flags};
use crate::emit::loops::{Action, Address, Carried, Loop, Pointer, Scratch};
use crate::ir;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    Block, BlockArg, InstBuilder, StackSlot, StackSlotData, StackSlotKind, Value, types,
};
use cranelift_frontend::FunctionBuilder;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

impl<'a> Emitter<'a> {
    /// The loops and what comes after them, from the byte offset `start` to `end`; at least one iteration.
    pub(super) fn loops(&mut self, b: &mut FunctionBuilder, start: Value, end: Value) {
        let plan = self.from.plan;
        self.span = Some((start, end));
        // Signals have their addresses where a loop needs them: until then they would take registers.
        for pointer in plan.pointers.iter().filter(|pointer| !pointer.is_signal()) {
            self.pointer(b, *pointer);
        }
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, plan.scratch.bytes, 4);
        self.scratch = (plan.scratch.bytes > 0).then(|| b.create_sized_stack_slot(data));
        for (index, of) in plan.loops.iter().enumerate() {
            of.preheader.iter().for_each(|value| self.inst(b, *value));
            self.run(b, index, of, (start, end));
            of.exit.iter().for_each(|action| self.act(b, action));
        }
        self.transpose(b, start, end);
        self.copy_guards(b, start, end);
    }

    fn run(&mut self, b: &mut FunctionBuilder, index: usize, of: &'a Loop, (start, end): (Value, Value)) {
        let (block, exit) = (b.create_block(), b.create_block());
        let addresses = self.addresses(b, of);
        for &value in &of.resident {
            self.values[value.index()] = self.hoisted(b, value);
        }
        let mut entry: Vec<BlockArg> = vec![start.into()];
        let offset = b.append_block_param(block, types::I64);
        let frame = of.counts_frames.then(|| {
            let first = self.memory.frame(b);
            let skipped = b.ins().ireduce(types::I32, start);
            let skipped = b.ins().ushr_imm_u(skipped, 2);
            entry.push(b.ins().iadd(first, skipped).into());
            b.append_block_param(block, types::I32)
        });
        let mut states = FxHashMap::default();
        for update in &of.states {
            entry.push(self.load_state(b, update.state).into());
            states.insert(update.state, b.append_block_param(block, clif(self.state_type(update.state))));
        }
        let slots = self.carry(b, block, &mut entry, &of.carried);
        b.ins().jump(block, &entry);

        b.switch_to_block(block);
        self.forget(index, of);
        self.iteration = Some(Iteration { offset, frame, scratch: None, states, slots, addresses });
        of.body.iter().for_each(|action| self.act(b, action));
        let step = i64::from(self.from.plan.step);
        let next = b.ins().iadd_imm_s(offset, 4 * step);
        let mut again: Vec<BlockArg> = vec![next.into()];
        again.extend(frame.map(|frame| BlockArg::from(b.ins().iadd_imm_s(frame, step))));
        again.extend(of.states.iter().map(|update| BlockArg::from(self.value(b, update.value))));
        let in_registers = of.carried.iter().filter(|carried| carried.in_register);
        again.extend(in_registers.map(|carried| BlockArg::from(self.value(b, carried.next))));
        self.store_carried(b, &of.carried);
        let more = b.ins().icmp(IntCC::UnsignedLessThan, next, end);
        b.ins().brif(more, block, &again, exit, &[]);
        b.switch_to_block(exit);
    }

    /// A loop over offsets, so many frames an iteration, for what comes after the plan's loops.
    pub(super) fn each(
        &mut self,
        b: &mut FunctionBuilder,
        (start, end): (Value, Value),
        frames: usize,
        iteration: impl Fn(&mut Self, &mut FunctionBuilder, Value),
    ) {
        let (block, exit) = (b.create_block(), b.create_block());
        let offset = b.append_block_param(block, types::I64);
        let any = b.ins().icmp(IntCC::UnsignedLessThan, start, end);
        b.ins().brif(any, block, &[start.into()], exit, &[]);
        b.switch_to_block(block);
        iteration(self, b, offset);
        let next = b.ins().iadd_imm_s(offset, 4 * frames as i64);
        let more = b.ins().icmp(IntCC::UnsignedLessThan, next, end);
        b.ins().brif(more, block, &[next.into()], exit, &[]);
        b.switch_to_block(exit);
    }

    fn act(&mut self, b: &mut FunctionBuilder, action: &Action) {
        match *action {
            Action::Compute(value) => self.inst(b, value),
            Action::Read { value, line, access } => {
                self.values[value.index()] = Some(self.read(b, value, line, access));
            }
            Action::FirstLane { value, vector } => {
                let x = self.value(b, vector);
                let scalar = self.from.body.ty(value).scalar;
                self.values[value.index()] = Some(extract(b, x, scalar, 0));
            }
            Action::Spill(value) => self.spill(b, value),
            Action::Output { index, value } => {
                let (x, signal) = (self.value(b, value), flags(b, Region::Signal));
                let address = self.at(b, Address::Signal(Pointer::Output(index as u32)));
                b.ins().store(signal, x, address, 0);
            }
            Action::Write { line, value } => self.write(b, line, value),
            Action::Store(update) => self.store_state(b, update.state, update.value),
        }
    }

    /// Forgets what was loaded before, of hoisted values or what earlier loops left: an iteration loads it anew.
    fn forget(&mut self, index: usize, of: &'a Loop) {
        self.from.plan.loaded_anew(index).for_each(|value| self.values[value.index()] = None);
        self.cached = &of.cached;
        self.table_addresses = TableAddresses::default();
    }

    /// A value that an earlier loop has spilled.
    pub(super) fn spilled(&mut self, b: &mut FunctionBuilder, value: ir::Value) -> Option<Value> {
        let at = *self.from.plan.scratch.offsets.get(&value)?;
        let ty = self.from.body.ty(value);
        let (address, flags) = (self.scratch_slot(b), flags(b, Region::Scratch));
        let x = b.ins().load(stored(ty), flags, address, at as i32);
        let x = self.narrow(b, x, ty);
        self.values[value.index()] = Some(x);
        Some(x)
    }

    fn spill(&mut self, b: &mut FunctionBuilder, value: ir::Value) {
        let at = self.from.plan.scratch.offsets[&value];
        let x = self.value(b, value);
        let x = self.widen(b, x, self.from.body.ty(value));
        let (address, flags) = (self.scratch_slot(b), flags(b, Region::Scratch));
        b.ins().store(flags, x, address, at as i32);
    }

    /// The present iteration's first slot of scratch memory.
    fn scratch_slot(&mut self, b: &mut FunctionBuilder) -> Value {
        if let Some(known) = self.iteration().scratch {
            return known;
        }
        let first = b.ins().stack_addr(types::I64, self.scratch.expect("made where values are spilled"), 0);
        let offset = self.iteration().offset;
        // Scratch::SLOT bytes an iteration, whose frames have four bytes each.
        let offset = match self.from.plan.step {
            1 => b.ins().ishl_imm_u(offset, 2),
            _ => offset,
        };
        *self.iteration().scratch.insert(b.ins().iadd(first, offset))
    }

    /// Begins the loop-carried values: in registers, which are parameters of the loop's block, or in stack slots, which are
    /// the result.
    fn carry(
        &mut self,
        b: &mut FunctionBuilder,
        block: Block,
        entry: &mut Vec<BlockArg>,
        carried: &[Carried],
    ) -> BTreeMap<ir::Value, StackSlot> {
        let body = self.from.body;
        let mut slots = BTreeMap::new();
        for Carried { value, in_register, .. } in carried {
            let start = self.value(b, body.insts[*value].args.as_slice()[0]);
            if *in_register {
                entry.push(start.into());
                self.values[value.index()] = Some(b.append_block_param(block, clif(body.ty(*value))));
            } else {
                let data = StackSlotData::new(StackSlotKind::ExplicitSlot, Scratch::SLOT, 4);
                let slot = b.create_sized_stack_slot(data);
                b.ins().stack_store(types::I64, start, slot, 0);
                slots.insert(*value, slot);
            }
        }
        slots
    }

    /// A loop-carried value, in this iteration.
    pub(super) fn carried(&mut self, b: &mut FunctionBuilder, value: ir::Value) -> Value {
        match self.iteration().slots.get(&value).copied() {
            Some(slot) => b.ins().stack_load(types::I64, clif(self.from.body.ty(value)), slot, 0),
            None => self.values[value.index()].expect("a parameter of the loop's block"),
        }
    }

    /// Stores the loop-carried values that are on the stack, for the next iteration.
    fn store_carried(&mut self, b: &mut FunctionBuilder, carried: &[Carried]) {
        let on_stack: Vec<&Carried> = carried.iter().filter(|carried| !carried.in_register).collect();
        let nexts: Vec<Value> = on_stack.iter().map(|carried| self.value(b, carried.next)).collect();
        for (carried, next) in on_stack.into_iter().zip(nexts) {
            let slot = self.iteration().slots[&carried.value];
            b.ins().stack_store(types::I64, next, slot, 0);
        }
    }
}
