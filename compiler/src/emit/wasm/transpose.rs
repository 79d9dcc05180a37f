//! Outputs that are the lanes of one vector, which the loops have left in scratch memory.

use super::body::Emitter;
use super::function::{Function, Local, at};
use super::lanes::shuffle;
use crate::emit::loops::{Pointer, Transpose};
use wasm_encoder::{Instruction, ValType};

/// How many lanes are outputs, and frames transposed at a time.
const LANES: usize = 4;

impl Emitter<'_> {
    /// Stores the outputs of the frames from the byte offset in `start` to that in `end`.
    pub(super) fn transpose(&mut self, f: &mut Function, start: Local, end: Local) {
        let all = &self.from.plan.transposes;
        if all.is_empty() {
            return;
        }
        f.get(end);
        f.get(start);
        f.ops([Instruction::I32Sub, Instruction::I32Const(-(4 * LANES as i32)), Instruction::I32And]);
        f.get(start);
        f.op(Instruction::I32Add);
        let middle = f.pop(ValType::I32);
        self.each(f, (start, middle), LANES, |emitter, f, offset| {
            all.iter().for_each(|transpose| emitter.four_frames(f, transpose, offset));
        });
        self.each(f, (middle, end), 1, |emitter, f, offset| {
            all.iter().for_each(|transpose| emitter.one_frame(f, transpose, offset));
        });
    }

    /// The vector in the frame that is so many after the one at the offset, in a local.
    fn vector(&mut self, f: &mut Function, of: &Transpose, offset: Local, frame: usize) -> Local {
        self.scratch(f, offset);
        let first = self.from.plan.scratch.offsets[&of.value] as usize;
        f.op(Instruction::V128Load(at(first + 16 * frame, 4)));
        f.pop(ValType::V128)
    }

    fn four_frames(&mut self, f: &mut Function, of: &Transpose, offset: Local) {
        let rows: [Local; LANES] = std::array::from_fn(|frame| self.vector(f, of, offset, frame));
        let mut mix = |x, y, order| {
            f.get(x);
            f.get(y);
            shuffle(f, order);
            f.pop(ValType::V128)
        };
        let halves = [[0, 1, 4, 5], [2, 3, 6, 7]]
            .map(|order| [mix(rows[0], rows[1], order), mix(rows[2], rows[3], order)]);
        for (lane, output) in of.outputs.iter().enumerate() {
            let [low, high] = halves[lane / 2];
            self.output_address(f, *output, offset);
            f.get(low);
            f.get(high);
            shuffle(f, if lane % 2 == 0 { [0, 2, 4, 6] } else { [1, 3, 5, 7] });
            f.op(Instruction::V128Store(at(0, 2)));
        }
    }

    fn one_frame(&mut self, f: &mut Function, of: &Transpose, offset: Local) {
        let lanes = self.vector(f, of, offset, 0);
        for (lane, output) in of.outputs.iter().enumerate() {
            self.output_address(f, *output, offset);
            f.get(lanes);
            f.op(Instruction::F32x4ExtractLane(lane as u8));
            f.op(Instruction::F32Store(at(0, 2)));
        }
    }

    fn output_address(&mut self, f: &mut Function, output: usize, offset: Local) {
        let pointer = self.memory.pointer(f, Pointer::Output(output as u32));
        f.get(pointer);
        f.get(offset);
        f.op(Instruction::I32Add);
    }
}
