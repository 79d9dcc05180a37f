//! Delay lines.
//!
//! Addresses for linear addressing are found once, before a loop: where it reads, where it writes, and where that has to be
//! written again for the guard. Everywhere else each frame's address is found by itself.

use super::body::Emitter;
use super::function::{Function, Local, at};
use super::{lanes, memory};
use crate::emit::loops::{Access, Loop, Pointer, Uniform, has_neighbours};
use crate::ir::{DelayLine, Scalar, Value};
use mam_grammar::Handle;
use mam_runtime::guard_copied;
use std::collections::BTreeMap;
use wasm_encoder::{Instruction, ValType};

/// The addresses of a loop's reads, and of its writes and their guard copies, for the call's first frame.
type Addresses = (BTreeMap<Value, ReadAddress>, BTreeMap<Handle<DelayLine>, Vec<Local>>);

/// An address for the call's first frame, and how many bytes after it something begins.
pub(super) type ReadAddress = (Local, usize);

/// Replaces an absolute frame by where a line of so many frames holds it, in bytes.
fn within(f: &mut Function, frames: u32) {
    f.ops([Instruction::I32Const(frames as i32 - 1), Instruction::I32And]);
    f.ops([Instruction::I32Const(2), Instruction::I32Shl]);
}

impl Emitter<'_> {
    /// Finds the addresses that a loop goes on from.
    pub(super) fn linear_addresses(&mut self, f: &mut Function, of: &Loop) -> Addresses {
        let (mut reads, mut writes) = (BTreeMap::new(), BTreeMap::new());
        for read in of.linear_reads.iter().filter(|read| read.after.is_none()) {
            let address = self.first_address(f, read.line, Some(read.ago));
            reads.insert(read.value, (address, 0));
        }
        for read in &of.linear_reads {
            if let Some((address, _)) = read.after.map(|other| reads[&other]) {
                reads.insert(read.value, (address, size_of::<f32>()));
            }
        }
        for write in &of.linear_writes {
            let mut addresses = vec![self.first_address(f, write.line, None)];
            if write.with_guard {
                memory::frame(f);
                let first = f.pop(ValType::I32);
                addresses.push(self.guard_copy(f, write.line, first, addresses[0], true));
            }
            writes.insert(write.line, addresses);
        }
        (reads, writes)
    }

    /// Pushes what was written so many frames ago.
    pub(super) fn read(&mut self, f: &mut Function, value: Value, line: Handle<DelayLine>, access: Access) {
        let lanes = self.ty(value).lanes;
        match access {
            Access::Linear => {
                let iteration = self.iteration();
                let ((first, after), offset) = (iteration.reads[&value], iteration.offset);
                f.get(first);
                f.get(offset);
                f.op(Instruction::I32Add);
                f.op(match lanes {
                    1 => Instruction::F32Load(at(after, 2)),
                    _ => Instruction::V128Load(at(after, 2)),
                });
            }
            Access::Contiguous(ago) => {
                // Neighbours, also round the line's end.
                self.frame(f, 0);
                self.push_uniform(f, ago);
                f.op(Instruction::I32Sub);
                self.wrapped_address(f, line);
                f.op(Instruction::V128Load(at(0, 2)));
            }
            Access::Gather => {
                let ago = self.from.body.insts[value].args.as_slice()[0];
                match lanes {
                    1 => self.read_lane(f, line, ago, 0),
                    _ => lanes::pack(f, Scalar::F32, |f, lane| self.read_lane(f, line, ago, lane)),
                }
            }
        }
    }

    fn read_lane(&mut self, f: &mut Function, line: Handle<DelayLine>, ago: Value, lane: u8) {
        self.frame(f, lane);
        self.push_lane(f, ago, lane);
        f.op(Instruction::I32Sub);
        self.wrapped_address(f, line);
        f.op(Instruction::F32Load(at(0, 2)));
    }

    /// Writes an iteration's frames.
    pub(super) fn write(&mut self, f: &mut Function, line: Handle<DelayLine>, value: Value) {
        let lanes = self.ty(value).lanes;
        let store = |lanes| match lanes {
            1 => Instruction::F32Store(at(0, 2)),
            _ => Instruction::V128Store(at(0, 2)),
        };
        if let Some(addresses) = self.iteration().writes.get(&line).cloned() {
            for first in addresses {
                f.get(first);
                f.get(self.iteration().offset);
                f.op(Instruction::I32Add);
                self.push(f, value);
                f.op(store(lanes));
            }
            return;
        }
        let whole = self.from.plan.step == 4 && has_neighbours(self.from.kernel, line);
        for lane in 0..if whole { 1 } else { lanes } {
            self.frame(f, lane);
            let frame = f.pop(ValType::I32);
            f.get(frame);
            self.wrapped_address(f, line);
            let address = f.pop(ValType::I32);
            let copy = self.guard_copy(f, line, frame, address, whole);
            for address in [address, copy] {
                f.get(address);
                match whole {
                    true => self.push_lanes(f, value),
                    false => self.push_lane(f, value, lane),
                }
                f.op(store(if whole { 4 } else { 1 }));
            }
        }
    }

    /// Writes the guard copies of what the loops wrote between two byte offsets, where that has any. All lines of a length
    /// are at the same offset of theirs, and seldom at one that has a copy.
    pub(super) fn copy_guards(&mut self, f: &mut Function, start: Local, end: Local) {
        for lines in &self.from.plan.guard_copies {
            memory::frame(f);
            let first = f.pop(ValType::I32);
            f.i32(0);
            let none = f.pop(ValType::I32);
            let away = self.guard_copy(f, lines[0], first, none, true);
            f.get(start);
            f.get(end);
            f.get(away);
            f.ops([Instruction::I32Eqz, Instruction::Select]);
            let end = f.pop(ValType::I32);
            self.each(f, (start, end), 4, |emitter, f, offset| {
                for line in lines {
                    let from = emitter.first_address(f, *line, None);
                    f.get(from);
                    f.get(offset);
                    f.op(Instruction::I32Add);
                    f.set(from);
                    f.get(from);
                    f.get(away);
                    f.op(Instruction::I32Add);
                    f.get(from);
                    f.op(Instruction::V128Load(at(0, 2)));
                    f.op(Instruction::V128Store(at(0, 2)));
                }
            });
        }
    }

    /// The address of the guard copy of what begins at an address: after the line for its first frames; before it for the
    /// last ones, if they reach `beyond` it; else the same address.
    fn guard_copy(
        &mut self,
        f: &mut Function,
        line: Handle<DelayLine>,
        frame: Local,
        address: Local,
        beyond: bool,
    ) -> Local {
        let frames = self.from.kernel.delays[line].frames as i32;
        let guard_copied = guard_copied(frames as usize) as i32;
        f.get(frame);
        f.ops([Instruction::I32Const(frames - 1), Instruction::I32And]);
        let place = f.pop(ValType::I32);
        f.get(address);
        f.add(4 * frames);
        f.get(address);
        f.get(place);
        f.ops([Instruction::I32Const(guard_copied), Instruction::I32LtU, Instruction::Select]);
        let copy = f.pop(ValType::I32);
        if beyond {
            f.get(address);
            f.add(-4 * frames);
            f.get(copy);
            f.get(place);
            f.ops([Instruction::I32Const(frames - guard_copied), Instruction::I32GtU, Instruction::Select]);
            f.set(copy);
        }
        copy
    }

    /// Replaces an absolute frame by the address at which a line holds it.
    fn wrapped_address(&mut self, f: &mut Function, line: Handle<DelayLine>) {
        within(f, self.from.kernel.delays[line].frames);
        let pointer = self.memory.pointer(f, Pointer::Delay(line.index() as u32));
        f.get(pointer);
        f.op(Instruction::I32Add);
    }

    /// Where a line holds the call's first frame, or the one so many before it: in a local.
    fn first_address(&mut self, f: &mut Function, line: Handle<DelayLine>, ago: Option<Uniform>) -> Local {
        memory::frame(f);
        if let Some(ago) = ago {
            self.push_uniform(f, ago);
            f.op(Instruction::I32Sub);
        }
        within(f, self.from.kernel.delays[line].frames);
        memory::delay(f, line.index());
        f.op(Instruction::I32Add);
        f.pop(ValType::I32)
    }

    fn push_uniform(&mut self, f: &mut Function, uniform: Uniform) {
        match uniform {
            Uniform::Constant(imm) => lanes::immediate(f, imm, 1),
            Uniform::Scalar(value) => self.push(f, value),
            Uniform::FirstLane(vector) => {
                self.push(f, vector);
                f.op(Instruction::I32x4ExtractLane(0));
            }
        }
    }
}
