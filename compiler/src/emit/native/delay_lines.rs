//! Delay lines.
//!
//! Addresses for linear addressing are found once, before a loop: where it reads, where it writes, and where that has to be
//! written again for the guard. Everywhere else each frame's address is found by itself.

use super::body::{Emitter, Home};
use super::inst::{immediate, pack};
use super::memory::{Memory, Region, entry, fixed, flags};
use crate::emit::loops::{Access, Address, Loop, Pointer, Uniform, has_neighbours};
use crate::ir::{self, DelayLine, Imm, Scalar};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, StackSlotData, StackSlotKind, Value, types};
use cranelift_frontend::FunctionBuilder;
use mam_grammar::Handle;
use mam_runtime::guard_copied;
use std::collections::BTreeMap;

/// What is known of delay lines at one place of the code.
#[derive(Default)]
struct Known {
    /// The call's first frame.
    first: Option<Value>,
    /// The table of lines, and lines.
    table: Option<Value>,
    lines: BTreeMap<Handle<DelayLine>, Value>,
    /// Where lines of a length hold the first frame, or the one so many frames back, in bytes.
    offsets: Vec<(u32, Option<Uniform>, Value)>,
}

impl Known {
    fn first(&mut self, b: &mut FunctionBuilder, memory: &Memory) -> Value {
        *self.first.get_or_insert_with(|| memory.frame(b))
    }
}

/// Where a line of so many frames holds an absolute frame, in bytes.
fn within(b: &mut FunctionBuilder, frame: Value, frames: u32) -> Value {
    let at = b.ins().band_imm_u(frame, i64::from(frames - 1));
    let at = b.ins().uextend(types::I64, at);
    b.ins().ishl_imm_u(at, 2)
}

impl Emitter<'_> {
    /// Finds the addresses that a loop goes on from; those that have no registers first, each of which is stored at once.
    pub(super) fn addresses(&mut self, b: &mut FunctionBuilder, of: &Loop) -> BTreeMap<Address, Home> {
        let mut known = Known::default();
        let (in_registers, on_stack) = of.addresses.split_at(of.addresses_in_registers);
        let mut homes = BTreeMap::new();
        for &address in on_stack {
            let data = StackSlotData::new(StackSlotKind::ExplicitSlot, size_of::<u64>() as u32, 3);
            let slot = b.create_sized_stack_slot(data);
            let first = self.first_address(b, &mut known, of, address);
            b.ins().stack_store(types::I64, first, slot, 0);
            homes.insert(address, Home::Stack(slot));
        }
        // What is computed may need more registers than what is loaded.
        let (signals, others): (Vec<Address>, Vec<Address>) =
            in_registers.iter().partition(|address| matches!(address, Address::Signal(_)));
        for address in others.into_iter().chain(signals) {
            homes.insert(address, Home::Register(self.first_address(b, &mut known, of, address)));
        }
        homes
    }

    /// An address for the call's first frame.
    fn first_address(
        &mut self,
        b: &mut FunctionBuilder,
        known: &mut Known,
        of: &Loop,
        address: Address,
    ) -> Value {
        match address {
            Address::Signal(pointer) => self.memory.load(b, pointer),
            Address::Read(value) => {
                let read = of.linear_read(value).expect("it is one of them");
                self.address(b, known, read.line, Some(read.ago))
            }
            Address::Write(line) => self.address(b, known, line, None),
            Address::Guard(line) => {
                let written = self.address(b, known, line, None);
                let first = known.first(b, &self.memory);
                self.guard_copy(b, line, first, written, true)
            }
        }
    }

    /// What was written so many frames ago.
    pub(super) fn read(
        &mut self,
        b: &mut FunctionBuilder,
        value: ir::Value,
        line: Handle<DelayLine>,
        access: Access,
    ) -> Value {
        let (flags, lanes) = (flags(b, Region::Delay), self.from.body.ty(value).lanes);
        match access {
            Access::Linear => {
                let other = self.from.plan.loops.iter().find_map(|of| of.linear_read(value)?.after);
                let (read, after) = match other {
                    Some(other) => (other, size_of::<f32>() as i32),
                    None => (value, 0),
                };
                let address = self.at(b, Address::Read(read));
                let ty = if lanes == 1 { types::F32 } else { types::F32X4 };
                b.ins().load(ty, flags, address, after)
            }
            Access::Contiguous(ago) => {
                let frame = self.frame(b, 0);
                // Neighbours, also round the line's end.
                let ago = self.uniform(b, ago);
                let at = b.ins().isub(frame, ago);
                let address = self.wrapped_address(b, line, at);
                b.ins().load(types::F32X4, flags, address, 0)
            }
            Access::Gather => {
                let given = self.from.body.insts[value].args.as_slice()[0];
                let ago = self.value(b, given);
                if lanes > 1 {
                    return self.gather(b, line, ago);
                }
                let frame = self.frame(b, 0);
                let at = b.ins().isub(frame, ago);
                let address = self.wrapped_address(b, line, at);
                b.ins().load(types::F32, flags, address, 0)
            }
        }
    }

    /// What was written into a line in four frames of their own: where these are is computed in lanes.
    fn gather(&mut self, b: &mut FunctionBuilder, line: Handle<DelayLine>, ago: Value) -> Value {
        let flags = flags(b, Region::Delay);
        let pointer = self.pointer(b, Pointer::Delay(line.index() as u32));
        let last = self.from.kernel.delays[line].frames - 1;
        let frames = self.frames(b, ir::Type::I32.with_lanes(4));
        let at = b.ins().isub(frames, ago);
        let last = immediate(b, Imm::I32(last as i32), 4);
        let at = b.ins().band(at, last);
        let offsets = b.ins().ishl_imm_u(at, 2);
        let loaded: Vec<Value> = (0..4)
            .map(|lane| {
                let offset = b.ins().extractlane(offsets, lane);
                let offset = b.ins().uextend(types::I64, offset);
                let address = b.ins().iadd(pointer, offset);
                b.ins().load(types::F32, flags, address, 0)
            })
            .collect();
        pack(b, &loaded, Scalar::F32)
    }

    /// Writes an iteration's frames.
    pub(super) fn write(&mut self, b: &mut FunctionBuilder, line: Handle<DelayLine>, value: ir::Value) {
        let (flags, ty) = (flags(b, Region::Delay), self.from.body.ty(value));
        let x = self.value(b, value);
        let linear = [Address::Write(line), Address::Guard(line)]
            .into_iter()
            .filter(|address| self.iteration.as_ref().is_some_and(|i| i.addresses.contains_key(address)));
        let linear: Vec<Address> = linear.collect();
        if !linear.is_empty() {
            for address in linear {
                let address = self.at(b, address);
                b.ins().store(flags, x, address, 0);
            }
            return;
        }
        let whole = self.from.plan.step == 4 && has_neighbours(self.from.kernel, line);
        for lane in 0..if whole { 1 } else { ty.lanes } {
            let frame = self.frame(b, lane);
            let address = self.wrapped_address(b, line, frame);
            let x = if whole { x } else { self.lane(b, x, ty, lane) };
            b.ins().store(flags, x, address, 0);
            let copy = self.guard_copy(b, line, frame, address, whole);
            b.ins().store(flags, x, copy, 0);
        }
    }

    /// Writes the guard copies of what the loops wrote between two byte offsets, where that has any. All lines of a length
    /// are at the same offset of theirs, and seldom at one that has a copy.
    pub(super) fn copy_guards(&mut self, b: &mut FunctionBuilder, start: Value, end: Value) {
        let flags = flags(b, Region::Delay);
        for lines in &self.from.plan.guard_copies {
            let (first, none) = (self.memory.frame(b), b.ins().iconst(types::I64, 0));
            let away = self.guard_copy(b, lines[0], first, none, true);
            let once = b.ins().icmp_imm_u(IntCC::Equal, away, 0);
            let end = b.ins().select(once, start, end);
            self.each(b, (start, end), 4, |emitter, b, offset| {
                let mut known = Known::default();
                for line in lines {
                    let from = emitter.address(b, &mut known, *line, None);
                    let from = b.ins().iadd(from, offset);
                    let to = b.ins().iadd(from, away);
                    let x = b.ins().load(types::F32X4, flags, from, 0);
                    b.ins().store(flags, x, to, 0);
                }
            });
        }
    }

    /// The address of the guard copy of what begins at an address: after the line for its first frames; before it for the
    /// last ones, if they reach `beyond` it; else the same address.
    fn guard_copy(
        &mut self,
        b: &mut FunctionBuilder,
        line: Handle<DelayLine>,
        frame: Value,
        address: Value,
        beyond: bool,
    ) -> Value {
        let frames = self.from.kernel.delays[line].frames;
        let (frames, guard_copied) = (i64::from(frames), guard_copied(frames as usize) as i64);
        let at = b.ins().band_imm_u(frame, frames - 1);
        let (after, before) =
            (b.ins().iadd_imm_s(address, 4 * frames), b.ins().iadd_imm_s(address, -4 * frames));
        let first = b.ins().icmp_imm_u(IntCC::UnsignedLessThan, at, guard_copied);
        let copy = b.ins().select(first, after, address);
        if !beyond {
            return copy;
        }
        let last = b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, at, frames - guard_copied);
        b.ins().select(last, before, copy)
    }

    /// Where a delay line holds an absolute frame.
    fn wrapped_address(&mut self, b: &mut FunctionBuilder, line: Handle<DelayLine>, frame: Value) -> Value {
        let pointer = self.pointer(b, Pointer::Delay(line.index() as u32));
        let at = within(b, frame, self.from.kernel.delays[line].frames);
        b.ins().iadd(pointer, at)
    }

    /// Where a line holds the call's first frame, or the one so many before it. It is found anew, with what is known just
    /// here: what is known from before may not have a register any more.
    fn address(
        &mut self,
        b: &mut FunctionBuilder,
        known: &mut Known,
        line: Handle<DelayLine>,
        ago: Option<Uniform>,
    ) -> Value {
        let memory = &self.memory;
        let first = known.first(b, memory);
        let table = *known.table.get_or_insert_with(|| memory.delays(b));
        let pointer = *known.lines.entry(line).or_insert_with(|| entry(b, table, line.index() as u32));
        let frames = self.from.kernel.delays[line].frames;
        let found = known.offsets.iter().find(|(length, back, _)| (*length, *back) == (frames, ago));
        let at = match (found, ago) {
            (Some((.., at)), _) => *at,
            (None, None) => within(b, first, frames),
            (None, Some(ago)) => {
                let ago = self.uniform(b, ago);
                let frame = b.ins().isub(first, ago);
                within(b, frame, frames)
            }
        };
        if found.is_none() {
            known.offsets.push((frames, ago, at));
        }
        b.ins().iadd(pointer, at)
    }

    /// The scalar that is in all lanes of a vector, where it is in a register.
    fn splatted(&self, vector: ir::Value) -> Option<Value> {
        let inst = &self.from.body.insts[vector];
        match (inst.op, inst.args.as_slice()) {
            (ir::Op::Splat, &[scalar]) => self.values[scalar.index()],
            _ => None,
        }
    }

    fn uniform(&mut self, b: &mut FunctionBuilder, uniform: Uniform) -> Value {
        match uniform {
            Uniform::Constant(imm) => immediate(b, imm, 1),
            Uniform::Scalar(value) => self.value(b, value),
            Uniform::FirstLane(vector) => match self.from.plan.hoisted.get(&vector) {
                // Not in a register: its first lane is where it is.
                Some(&at) if self.values[vector.index()].is_none() => {
                    let base = self.pointer(b, Pointer::State);
                    b.ins().load(types::I32, fixed(), base, at as i32)
                }
                _ => self.splatted(vector).unwrap_or_else(|| {
                    let x = self.value(b, vector);
                    b.ins().extractlane(x, 0)
                }),
            },
        }
    }
}
