//! A function while it is written: its locals and its instructions.

use wasm_encoder as wasm;
use wasm_encoder::{BlockType, Instruction, MemArg, MemArgTarget, ValType};

/// The index of a local; the call is local 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Local(u32);

/// The function's only parameter: the address of its call.
pub(super) const CALL: Local = Local(0);

/// A function of the type `(call: i32)`.
#[derive(Default)]
pub(super) struct Function {
    locals: Vec<ValType>,
    body: Vec<Instruction<'static>>,
}

impl Function {
    /// A new local, 0 at first.
    pub(super) fn local(&mut self, ty: ValType) -> Local {
        self.locals.push(ty);
        Local(self.locals.len() as u32)
    }

    pub(super) fn op(&mut self, instruction: Instruction<'static>) {
        self.body.push(instruction);
    }

    pub(super) fn ops<const N: usize>(&mut self, instructions: [Instruction<'static>; N]) {
        self.body.extend(instructions);
    }

    /// Pushes a local. What has just been popped into it is left there as well, in one instruction.
    pub(super) fn get(&mut self, Local(local): Local) {
        match self.body.last() {
            Some(Instruction::LocalSet(set)) if *set == local => {
                self.body.pop();
                self.body.push(Instruction::LocalTee(local));
            }
            _ => self.body.push(Instruction::LocalGet(local)),
        }
    }

    pub(super) fn set(&mut self, Local(local): Local) {
        self.body.push(Instruction::LocalSet(local));
    }

    /// Pops into a new local.
    pub(super) fn pop(&mut self, ty: ValType) -> Local {
        let local = self.local(ty);
        self.set(local);
        local
    }

    pub(super) fn i32(&mut self, x: i32) {
        self.body.push(Instruction::I32Const(x));
    }

    /// Adds a constant to what is on top of the stack.
    pub(super) fn add(&mut self, x: i32) {
        if x != 0 {
            self.ops([Instruction::I32Const(x), Instruction::I32Add]);
        }
    }

    /// What `body` writes, from which a branch to depth 0 leaves.
    pub(super) fn block(&mut self, body: impl FnOnce(&mut Function)) {
        self.op(Instruction::Block(BlockType::Empty));
        body(self);
        self.op(Instruction::End);
    }

    /// What `body` writes, to whose beginning a branch to depth 0 goes back.
    pub(super) fn repeat(&mut self, body: impl FnOnce(&mut Function)) {
        self.op(Instruction::Loop(BlockType::Empty));
        body(self);
        self.op(Instruction::End);
    }

    pub(super) fn finish(self) -> wasm::Function {
        let mut function = wasm::Function::new_with_locals_types(self.locals);
        self.body.iter().for_each(|instruction| _ = function.instruction(instruction));
        function.instruction(&Instruction::End);
        function
    }
}

/// An operand in memory, so many bytes after the address on the stack; aligned to 2 to the power of `align` bytes.
pub(super) fn at(offset: usize, align: u32) -> MemArg {
    MemArg { offset: offset as u64, align, target: MemArgTarget::Memory(0), ordering: None }
}
