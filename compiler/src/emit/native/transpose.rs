//! Outputs that are the lanes of one vector, which the loops have left in scratch memory.

use super::body::Emitter;
use super::inst::shuffled;
use super::memory::{Region, flags};
use crate::emit::loops::{Pointer, Transpose};
use crate::ir::Scalar;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use cranelift_frontend::FunctionBuilder;

/// How many lanes are outputs, and frames transposed at a time.
const LANES: usize = 4;

impl Emitter<'_> {
    /// Stores the outputs of the frames from the byte offset `start` to `end`.
    pub(super) fn transpose(&mut self, b: &mut FunctionBuilder, start: Value, end: Value) {
        let all = &self.from.plan.transposes;
        if all.is_empty() {
            return;
        }
        // Loaded here for both loops.
        for output in all.iter().flat_map(|transpose| transpose.outputs) {
            self.pointer(b, Pointer::Output(output as u32));
        }
        let bytes = b.ins().isub(end, start);
        let whole = b.ins().band_imm_s(bytes, -(4 * LANES as i64));
        let middle = b.ins().iadd(start, whole);
        self.each(b, (start, middle), LANES, |emitter, b, offset| {
            all.iter().for_each(|transpose| emitter.four_frames(b, transpose, offset));
        });
        self.each(b, (middle, end), 1, |emitter, b, offset| {
            all.iter().for_each(|transpose| emitter.one_frame(b, transpose, offset));
        });
    }

    /// The vector in the frame that is so many after the one at the offset.
    fn vector(&mut self, b: &mut FunctionBuilder, of: &Transpose, offset: Value, frame: usize) -> Value {
        let at = self.from.plan.scratch.offsets[&of.value] as i32;
        let first = b.ins().stack_addr(types::I64, self.scratch.expect("made where values are spilled"), at);
        let at = b.ins().ishl_imm_u(offset, 2);
        let address = b.ins().iadd(first, at);
        let flags = flags(b, Region::Scratch);
        b.ins().load(types::F32X4, flags, address, (16 * frame) as i32)
    }

    fn four_frames(&mut self, b: &mut FunctionBuilder, of: &Transpose, offset: Value) {
        let rows: [Value; LANES] = std::array::from_fn(|frame| self.vector(b, of, offset, frame));
        let mix = |b: &mut FunctionBuilder, x, y, order| shuffled(b, x, y, order, Scalar::F32);
        let [first, last] = [[0, 1, 4, 5], [2, 3, 6, 7]];
        let halves =
            [first, last].map(|order| [mix(b, rows[0], rows[1], order), mix(b, rows[2], rows[3], order)]);
        for (lane, output) in of.outputs.iter().enumerate() {
            let [low, high] = halves[lane / 2];
            let order = if lane % 2 == 0 { [0, 2, 4, 6] } else { [1, 3, 5, 7] };
            let frames = mix(b, low, high, order);
            self.store_output(b, *output, offset, frames);
        }
    }

    fn one_frame(&mut self, b: &mut FunctionBuilder, of: &Transpose, offset: Value) {
        let lanes = self.vector(b, of, offset, 0);
        for (lane, output) in of.outputs.iter().enumerate() {
            let x = b.ins().extractlane(lanes, lane as u8);
            self.store_output(b, *output, offset, x);
        }
    }

    fn store_output(&mut self, b: &mut FunctionBuilder, output: usize, offset: Value, x: Value) {
        let pointer = self.pointer(b, Pointer::Output(output as u32));
        let address = b.ins().iadd(pointer, offset);
        let flags = flags(b, Region::Signal);
        b.ins().store(flags, x, address, 0);
    }
}
