//! The loops of a plan.

use super::body::{Emitter, Iteration};
use super::function::{Function, Local};
use super::memory::{self, load, local_type, store};
use super::{DATA, lanes};
use crate::emit::loops::{Action, Loop, Pointer};
use crate::ir::Value;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use wasm_encoder::{Instruction, ValType};

impl<'a> Emitter<'a> {
    /// The loops and what comes after them, from the byte offset in `start` to that in `end`; at least one iteration.
    pub(super) fn loops(&mut self, f: &mut Function, start: Local, end: Local) {
        let plan = self.from.plan;
        self.span = Some((start, end));
        for pointer in &plan.pointers {
            self.memory.pointer(f, *pointer);
        }
        for (index, of) in plan.loops.iter().enumerate() {
            of.preheader.iter().for_each(|value| self.inst(f, *value));
            self.run(f, index, of, (start, end));
            of.exit.iter().for_each(|action| self.act(f, action));
        }
        self.transpose(f, start, end);
        self.copy_guards(f, start, end);
    }

    fn run(&mut self, f: &mut Function, index: usize, of: &'a Loop, (start, end): (Local, Local)) {
        let (reads, writes) = self.linear_addresses(f, of);
        of.resident.iter().for_each(|value| self.keep_hoisted(f, *value));
        f.get(start);
        let next = f.pop(ValType::I32);
        // What comes after the loop still finds the last iteration's.
        let offset = f.local(ValType::I32);
        let frame = of.counts_frames.then(|| {
            memory::frame(f);
            f.get(start);
            f.ops([Instruction::I32Const(2), Instruction::I32ShrU, Instruction::I32Add]);
            f.pop(ValType::I32)
        });
        let mut states = FxHashMap::default();
        for update in &of.states {
            self.load_state(f, update.state);
            states.insert(update.state, f.pop(local_type(self.state_type(update.state))));
        }
        let mut carried = BTreeMap::new();
        for of in &of.carried {
            self.push(f, self.from.body.insts[of.value].args.as_slice()[0]);
            carried.insert(of.value, f.pop(local_type(self.ty(of.value))));
        }
        self.forget(index, of);
        self.iteration = Some(Iteration { offset, frame, scratch: None, states, carried, reads, writes });
        f.repeat(|f| {
            f.get(next);
            f.set(offset);
            for of in &of.carried {
                f.get(self.iteration().carried[&of.value]);
                self.pop(f, of.value);
            }
            of.body.iter().for_each(|action| self.act(f, action));
            self.carry_on(f, of);
            f.get(offset);
            f.add(4 * self.from.plan.step as i32);
            f.set(next);
            f.get(next);
            f.get(end);
            f.ops([Instruction::I32LtU, Instruction::BrIf(0)]);
        });
    }

    /// What the next iteration begins with: all at once.
    fn carry_on(&mut self, f: &mut Function, of: &Loop) {
        of.states.iter().for_each(|update| self.push(f, update.value));
        of.carried.iter().for_each(|carried| self.push(f, carried.next));
        for carried in of.carried.iter().rev() {
            f.set(self.iteration().carried[&carried.value]);
        }
        for update in of.states.iter().rev() {
            f.set(self.iteration().states[&update.state]);
        }
        if let Some(frame) = self.iteration().frame {
            f.get(frame);
            f.add(self.from.plan.step as i32);
            f.set(frame);
        }
    }

    /// A loop over offsets, so many frames an iteration, for what comes after the plan's loops.
    pub(super) fn each(
        &mut self,
        f: &mut Function,
        (start, end): (Local, Local),
        frames: usize,
        iteration: impl FnOnce(&mut Self, &mut Function, Local),
    ) {
        f.get(start);
        let offset = f.pop(ValType::I32);
        f.block(|f| {
            f.get(offset);
            f.get(end);
            f.ops([Instruction::I32GeU, Instruction::BrIf(0)]);
            f.repeat(|f| {
                iteration(self, f, offset);
                f.get(offset);
                f.add(4 * frames as i32);
                f.set(offset);
                f.get(offset);
                f.get(end);
                f.ops([Instruction::I32LtU, Instruction::BrIf(0)]);
            });
        });
    }

    fn act(&mut self, f: &mut Function, action: &Action) {
        match *action {
            Action::Compute(value) => self.inst(f, value),
            Action::Read { value, line, access } => {
                self.read(f, value, line, access);
                self.pop(f, value);
            }
            Action::FirstLane { value, vector } => {
                self.push(f, vector);
                lanes::extract(f, self.ty(value).scalar, 0);
                self.pop(f, value);
            }
            Action::Spill(value) => {
                let at = self.from.plan.scratch.offsets[&value] as usize;
                self.scratch_slot(f);
                self.push(f, value);
                store(f, self.ty(value), at);
            }
            Action::Output { index, value } => {
                self.signal(f, Pointer::Output(index as u32));
                self.push(f, value);
                store(f, self.ty(value), 0);
            }
            Action::Write { line, value } => self.write(f, line, value),
            Action::Store(update) => self.store_state(f, update.state, update.value),
        }
    }

    /// Forgets what was loaded before, of hoisted values or what earlier loops left: an iteration loads it anew.
    fn forget(&mut self, index: usize, of: &'a Loop) {
        self.from.plan.loaded_anew(index).for_each(|value| self.values[value.index()] = None);
        self.cached = &of.cached;
    }

    /// Pushes a value that an earlier loop has left in scratch memory. False if none has.
    pub(super) fn push_spilled(&mut self, f: &mut Function, value: Value) -> bool {
        let Some(&at) = self.from.plan.scratch.offsets.get(&value) else { return false };
        self.scratch_slot(f);
        load(f, self.ty(value), at as usize);
        self.pop(f, value);
        f.get(self.values[value.index()].expect("it has just been popped"));
        true
    }

    /// Pushes the address of the present iteration's first slot of scratch memory.
    fn scratch_slot(&mut self, f: &mut Function) {
        if let Some(known) = self.iteration().scratch {
            return f.get(known);
        }
        let offset = self.iteration().offset;
        self.scratch(f, offset);
        let slot = f.pop(ValType::I32);
        self.iteration().scratch = Some(slot);
        f.get(slot);
    }

    /// Pushes the address of the first slot of scratch memory of the iteration at a byte offset.
    pub(super) fn scratch(&self, f: &mut Function, offset: Local) {
        f.get(offset);
        // Scratch::SLOT bytes an iteration, whose frames have four bytes each.
        if self.from.plan.step == 1 {
            f.ops([Instruction::I32Const(2), Instruction::I32Shl]);
        }
        f.op(Instruction::GlobalGet(DATA));
        f.op(Instruction::I32Add);
        f.add(self.from.data.scratch as i32);
    }
}
