//! Outputs that are the four lanes of one value: the value is left on the stack in each turn, and after the loops four
//! frames at a time are turned round, so that each output gets them in one store. That is less than a store for each
//! lane and frame.

use super::body::Emitter;
use super::inst::shuffled;
use super::memory::{Pointer, Region, flags};
use crate::ir::{self, Body, Op, Rate, Scalar, Type};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use cranelift_frontend::FunctionBuilder;
use std::collections::BTreeSet;

/// How many lanes are outputs, and frames turned round.
const LANES: usize = 4;

/// A value whose lanes are outputs: which.
#[derive(Clone, Copy, Debug)]
pub(super) struct Apart {
    pub(super) value: ir::Value,
    pub(super) outputs: [usize; LANES],
}

/// The values of a body whose lanes are outputs, all four.
pub(super) fn apart(body: &Body, rates: &[Rate]) -> Vec<Apart> {
    let lane_of = |out: &ir::Value| match (body.insts[*out].op, body.insts[*out].args.as_slice()) {
        (Op::Extract(lane), &[value]) => Some((value, lane)),
        _ => None,
    };
    let lanes: Vec<Option<(ir::Value, u8)>> = body.outs.iter().map(lane_of).collect();
    let values: BTreeSet<ir::Value> = lanes.iter().flatten().map(|(value, _)| *value).collect();
    let all = values.into_iter().filter_map(|value| {
        let output = |lane: usize| lanes.iter().position(|of| *of == Some((value, lane as u8)));
        let [Some(a), Some(b), Some(c), Some(d)] = std::array::from_fn(output) else { return None };
        Some(Apart { value, outputs: [a, b, c, d] })
    });
    let fits = |of: &Apart| {
        body.step == 1
            && body.ty(of.value) == Type::F32.with_lanes(4)
            && rates[of.value.index()] == Rate::Sample
    };
    all.filter(fits).collect()
}

/// Instructions that nothing needs but the outputs that are stored so.
pub(super) fn left_out(body: &Body, all: &[Apart]) -> BTreeSet<ir::Value> {
    let stored: BTreeSet<usize> = all.iter().flat_map(|of| of.outputs).collect();
    let mut left: BTreeSet<ir::Value> = stored.iter().map(|output| body.outs[*output]).collect();
    let others =
        body.outs.iter().enumerate().filter(|(output, _)| !stored.contains(output)).map(|(_, out)| *out);
    let operands = body.insts.values().flat_map(|inst| inst.args.as_slice().iter().copied());
    let ends = body.sets.iter().map(|set| set.1).chain(body.writes.iter().map(|write| write.1));
    let back_edges = body.back_edges.iter().map(|next| next.1);
    others.chain(operands).chain(ends).chain(back_edges).for_each(|used| _ = left.remove(&used));
    left
}

impl Emitter<'_> {
    /// Stores the outputs of the frames from the byte offset `start` to `end`.
    pub(super) fn store_apart(&mut self, b: &mut FunctionBuilder, all: &[Apart], start: Value, end: Value) {
        if all.is_empty() {
            return;
        }
        let bytes = b.ins().isub(end, start);
        let whole = b.ins().band_imm_s(bytes, -(4 * LANES as i64));
        let middle = b.ins().iadd(start, whole);
        self.each(b, (start, middle), LANES, |emitter, b, offset| {
            all.iter().for_each(|of| emitter.turn_round(b, of, offset));
        });
        self.each(b, (middle, end), 1, |emitter, b, offset| {
            all.iter().for_each(|of| emitter.one_frame(b, of, offset));
        });
    }

    /// A loop over offsets, so many frames a turn.
    pub(super) fn each(
        &mut self,
        b: &mut FunctionBuilder,
        (start, end): (Value, Value),
        frames: usize,
        turn: impl Fn(&mut Self, &mut FunctionBuilder, Value),
    ) {
        let (block, exit) = (b.create_block(), b.create_block());
        let offset = b.append_block_param(block, types::I64);
        let any = b.ins().icmp(IntCC::UnsignedLessThan, start, end);
        b.ins().brif(any, block, &[start.into()], exit, &[]);
        b.switch_to_block(block);
        turn(self, b, offset);
        let next = b.ins().iadd_imm_s(offset, 4 * frames as i64);
        let more = b.ins().icmp(IntCC::UnsignedLessThan, next, end);
        b.ins().brif(more, block, &[next.into()], exit, &[]);
        b.switch_to_block(exit);
    }

    /// The value in the frame that is so many after the one at the offset.
    fn left(&mut self, b: &mut FunctionBuilder, of: &Apart, offset: Value, frame: usize) -> Value {
        let place = self.passed[&of.value] as i32;
        let first = b.ins().stack_addr(types::I64, self.room.expect("made for it"), place);
        let at = b.ins().ishl_imm_u(offset, 2);
        let address = b.ins().iadd(first, at);
        let flags = flags(b, Region::Passed);
        b.ins().load(types::F32X4, flags, address, (16 * frame) as i32)
    }

    fn turn_round(&mut self, b: &mut FunctionBuilder, of: &Apart, offset: Value) {
        let rows: [Value; LANES] = std::array::from_fn(|frame| self.left(b, of, offset, frame));
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

    fn one_frame(&mut self, b: &mut FunctionBuilder, of: &Apart, offset: Value) {
        let lanes = self.left(b, of, offset, 0);
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
