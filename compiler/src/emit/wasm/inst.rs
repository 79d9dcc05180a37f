//! One instruction: a short arm an op.

use super::body::Emitter;
use super::encoding::plain;
use super::function::{Function, at};
use super::lanes::{self, extract, shuffle, splat};
use super::memory::load;
use super::subnormals::flush;
use super::{DATA, FMA_F32, FMA_F64, Subnormals};
use crate::emit::loops::Pointer;
use crate::ir::lanes::{Half, halves, is_mask, lane_of};
use crate::ir::{Imm, Inst, Op, PortField, Scalar, Type, Value};
use crate::opt::intervals::Intervals;
use mam_runtime::Port;
use wasm_encoder::{Instruction, ValType};

impl Emitter<'_> {
    /// Emits an instruction: its value is in a local.
    pub(super) fn inst(&mut self, f: &mut Function, value: Value) {
        // A loop-carried value has been copied where the iteration begins.
        if self.from.body.insts[value].op == Op::LoopCarried {
            return;
        }
        self.compute(f, value);
        self.flush(f, value);
        self.pop(f, value);
    }

    fn compute(&mut self, f: &mut Function, value: Value) {
        let inst = self.from.body.insts[value].clone();
        let args = inst.args.as_slice();
        let operand = args.first().map_or(inst.ty, |arg| self.ty(*arg));
        if let Some(instruction) = plain(inst.op, operand) {
            args.iter().for_each(|arg| self.push(f, *arg));
            return f.op(instruction);
        }
        match inst.op {
            Op::Const(imm) => lanes::immediate(f, imm, inst.ty.lanes),
            Op::Param(i) if inst.ty.scalar == Scalar::F64 => self.memory.param(f, i.index()),
            Op::Param(i) => self.load_signal(f, Pointer::Moving(i.index() as u32), inst.ty),
            Op::Port(i, field) => self.port(f, i.index(), field, inst.ty),
            Op::Input(i) => self.load_signal(f, Pointer::Input(i.index() as u32), inst.ty),
            Op::Frame => self.frames(f, inst.ty),
            Op::CallFrame => super::memory::frame(f),
            Op::CallFrames => {
                let (start, end) = self.span.expect("loops have a span");
                f.get(end);
                f.get(start);
                f.ops([Instruction::I32Sub, Instruction::I32Const(2), Instruction::I32ShrU]);
            }
            Op::Get(state) => {
                let local =
                    self.iteration.as_ref().and_then(|iteration| iteration.states.get(&state)).copied();
                match local {
                    Some(local) => f.get(local),
                    None => self.load_state(f, state),
                }
            }
            Op::LiveIn(state) => self.load_state(f, state),
            Op::LoopCarried => unreachable!("it has been copied"),
            Op::Read(_) => unreachable!("the plan has an action for it"),
            Op::Table(i) => self.table(f, i.index(), args[0], inst.ty),
            Op::Neighbours(i) => self.neighbours(f, i.index(), args[0]),

            Op::Neg => self.negate(f, args[0], operand),
            Op::Min | Op::Max => self.extremum(f, inst.op, args, operand),
            Op::Select => self.select(f, value, &inst),
            Op::Not => self.not(f, args[0], operand),
            Op::Shl | Op::Ushr | Op::Sshr => self.shift(f, inst.op, args, inst.ty),

            Op::ToFloat => {
                self.push(f, args[0]);
                f.op(match (inst.ty.scalar, inst.ty.lanes) {
                    (Scalar::F64, _) => Instruction::F64ConvertI32S,
                    (_, 1) => Instruction::F32ConvertI32S,
                    _ => Instruction::F32x4ConvertI32x4S,
                });
            }
            Op::Bits => {
                self.push(f, args[0]);
                match (inst.ty.scalar, inst.ty.lanes) {
                    (Scalar::F32, 1) => f.op(Instruction::F32ReinterpretI32),
                    (_, 1) => f.op(Instruction::I32ReinterpretF32),
                    _ => {}
                }
            }
            Op::HighBits => {
                self.push(f, args[0]);
                f.ops([Instruction::I64ReinterpretF64, Instruction::I64Const(32)]);
                f.ops([Instruction::I64ShrU, Instruction::I32WrapI64]);
            }
            Op::FromHighBits => {
                self.push(f, args[0]);
                f.ops([Instruction::I64ExtendI32U, Instruction::I64Const(32)]);
                f.ops([Instruction::I64Shl, Instruction::F64ReinterpretI64]);
            }

            Op::Splat => self.splat(f, args[0], inst.ty.scalar),
            Op::Extract(lane) => {
                self.push(f, args[0]);
                extract(f, inst.ty.scalar, lane);
            }
            Op::Pack => self.packed(f, args, inst.ty.scalar),
            Op::Total => self.total(f, args[0]),
            Op::Totals => self.totals(f, args),
            Op::Slide => self.slide(f, args),
            Op::Fma => self.fma(f, args, inst.ty),
            op => unreachable!("{}: it has no encoding, or is a plain one", op.row().name),
        }
    }

    /// The function that the module imports, for each lane.
    fn fma(&mut self, f: &mut Function, args: &[Value], ty: Type) {
        let function = if ty.scalar == Scalar::F64 { FMA_F64 } else { FMA_F32 };
        let call = |f: &mut Function, lane: u8| {
            args.iter().for_each(|arg| self.push_lane(f, *arg, lane));
            f.op(Instruction::Call(function));
        };
        each_lane(f, ty, call);
    }

    /// The vector and the lane that a scalar was taken from: what puts it into lanes takes it from there, and it may not be
    /// computed at all.
    fn extracted(&self, value: Value) -> Option<(Value, u8)> {
        lane_of(self.from.body, &self.from.plan.rates, value)
    }

    /// Pushes four of the eight lanes of two vectors.
    fn push_shuffled(&mut self, f: &mut Function, x: Value, y: Value, lanes: [u8; 4]) {
        self.push(f, x);
        self.push(f, y);
        shuffle(f, lanes);
    }

    fn splat(&mut self, f: &mut Function, arg: Value, scalar: Scalar) {
        match self.extracted(arg) {
            Some((vector, lane)) => self.push_shuffled(f, vector, vector, [lane; 4]),
            None => {
                self.push(f, arg);
                splat(f, scalar);
            }
        }
    }

    /// Four scalars as lanes: of two vectors that two of them each are, one shuffle.
    fn packed(&mut self, f: &mut Function, args: &[Value], scalar: Scalar) {
        let [first, second] = halves(self.from.body, &self.from.plan.rates, args);
        if let (Half::Separate(_), Half::Separate(_), true) = (first, second, first != second) {
            return lanes::pack(f, scalar, |f, lane| self.push(f, args[usize::from(lane)]));
        }
        let [i, j] = self.push_half(f, first, scalar);
        if let (true, Half::Separate(_)) = (first == second, first) {
            return;
        }
        let [k, l] = self.push_half(f, second, scalar);
        shuffle(f, [i, j, 4 + k, 4 + l]);
    }

    /// Pushes a vector; the result is where in it the two are. Of two scalars it has both twice.
    fn push_half(&mut self, f: &mut Function, half: Half, scalar: Scalar) -> [u8; 2] {
        match half {
            Half::Of(vector, lanes) => {
                self.push(f, vector);
                lanes
            }
            Half::Separate(both) => {
                for x in both {
                    self.push(f, x);
                    splat(f, scalar);
                }
                shuffle(f, [0, 4, 1, 5]);
                [0, 1]
            }
        }
    }

    /// The lanes one further, after a scalar: the last lane of a vector before them.
    fn slide(&mut self, f: &mut Function, args: &[Value]) {
        let (x, first) = (args[0], args[1]);
        match self.extracted(first) {
            _ if self.imm(first).is_some() => {
                self.push_lanes(f, first);
                self.push(f, x);
                shuffle(f, [3, 4, 5, 6]);
            }
            Some((vector, lane @ (0 | 3)))
                if lane == 3 || vector == x || self.slid(x) == Some((vector, first)) =>
            {
                self.push_shuffled(f, vector, x, [lane, 4, 5, 6]);
            }
            _ => {
                self.push_lanes(f, first);
                self.push(f, x);
                shuffle(f, [3, 4, 5, 6]);
            }
        }
    }

    /// The lanes that a slide moves, and the scalar that it puts before them.
    fn slid(&self, value: Value) -> Option<(Value, Value)> {
        let inst = &self.from.body.insts[value];
        match (inst.op, inst.args.as_slice()) {
            (Op::Slide, &[inner, before]) => Some((inner, before)),
            _ => None,
        }
    }

    fn negate(&mut self, f: &mut Function, arg: Value, operand: Type) {
        if operand == Type::I32 {
            f.i32(0);
            self.push(f, arg);
            return f.op(Instruction::I32Sub);
        }
        self.push(f, arg);
        f.op(match (operand.scalar, operand.lanes) {
            (Scalar::F32, 1) => Instruction::F32Neg,
            (Scalar::F32, _) => Instruction::F32x4Neg,
            (Scalar::F64, _) => Instruction::F64Neg,
            _ => Instruction::I32x4Neg,
        });
    }

    fn not(&mut self, f: &mut Function, arg: Value, operand: Type) {
        self.push(f, arg);
        match (operand.scalar, operand.lanes) {
            (Scalar::Bool, 1) => f.op(Instruction::I32Eqz),
            (_, 1) => f.ops([Instruction::I32Const(-1), Instruction::I32Xor]),
            _ => f.op(Instruction::V128Not),
        }
    }

    /// min is a where a < b, else b; max is a where b < a, else b. The `pmin` of WebAssembly is its second operand where
    /// that is less, else its first. (Its `min` returns a NaN where either is one.)
    fn extremum(&mut self, f: &mut Function, op: Op, args: &[Value], operand: Type) {
        let (a, b, is_min) = (args[0], args[1], op == Op::Min);
        match (operand.scalar, operand.lanes) {
            (Scalar::F32, 4) => {
                self.push(f, b);
                self.push(f, a);
                f.op(if is_min { Instruction::F32x4PMin } else { Instruction::F32x4PMax });
            }
            (_, 4) => {
                self.push(f, a);
                self.push(f, b);
                f.op(if is_min { Instruction::I32x4MinS } else { Instruction::I32x4MaxS });
            }
            _ => {
                self.push(f, a);
                self.push(f, b);
                let (less, more) = if is_min { (a, b) } else { (b, a) };
                self.push(f, less);
                self.push(f, more);
                f.op(match operand.scalar {
                    Scalar::F32 => Instruction::F32Lt,
                    Scalar::F64 => Instruction::F64Lt,
                    _ => Instruction::I32LtS,
                });
                f.op(Instruction::Select);
            }
        }
    }

    fn select(&mut self, f: &mut Function, value: Value, inst: &Inst) {
        let &[condition, x, y] = inst.args.as_slice() else { unreachable!("a select has three operands") };
        let ty = inst.ty;
        if is_mask(self.from.body, value) {
            // Its bits are those of the condition.
            self.push(f, condition);
            if ty.lanes == 1 {
                lanes::mask(f);
            }
            return;
        }
        self.push(f, x);
        self.push(f, y);
        match (ty.lanes, self.ty(condition).lanes) {
            (1, _) => {
                self.push(f, condition);
                f.op(Instruction::Select);
            }
            _ => {
                self.push_lanes(f, condition);
                f.op(Instruction::V128Bitselect);
            }
        }
    }

    fn shift(&mut self, f: &mut Function, op: Op, args: &[Value], ty: Type) {
        let scalar = || match op {
            Op::Shl => Instruction::I32Shl,
            Op::Ushr => Instruction::I32ShrU,
            _ => Instruction::I32ShrS,
        };
        let vector = match op {
            Op::Shl => Instruction::I32x4Shl,
            Op::Ushr => Instruction::I32x4ShrU,
            _ => Instruction::I32x4ShrS,
        };
        match (ty.lanes, self.imm(args[1])) {
            (1, _) => {
                self.push(f, args[0]);
                self.push(f, args[1]);
                f.op(scalar());
            }
            // All lanes are shifted by one amount.
            (_, Some(amount)) => {
                self.push(f, args[0]);
                lanes::immediate(f, amount, 1);
                f.op(vector);
            }
            (_, None) => lanes::pack(f, Scalar::I32, |f, lane| {
                self.push_lane(f, args[0], lane);
                self.push_lane(f, args[1], lane);
                f.op(scalar());
            }),
        }
    }

    /// (0+1)+(2+3): beside each lane its neighbour, beside each pair the other.
    fn total(&mut self, f: &mut Function, arg: Value) {
        self.push(f, arg);
        for order in [[1, 0, 3, 2], [2, 3, 0, 1]] {
            let x = f.pop(ValType::V128);
            f.get(x);
            f.get(x);
            f.get(x);
            shuffle(f, order);
            f.op(Instruction::F32x4Add);
            if self.from.subnormals == Subnormals::FlushAll {
                flush(f, Type::F32.with_lanes(4));
            }
        }
        f.op(Instruction::F32x4ExtractLane(0));
    }

    /// (0+1)+(2+3) of each of four: the neighbours of two are added at once.
    fn totals(&mut self, f: &mut Function, args: &[Value]) {
        let add_pairs = |emitter: &Self, f: &mut Function| {
            let y = f.pop(ValType::V128);
            let x = f.pop(ValType::V128);
            for lanes in [[0, 2, 4, 6], [1, 3, 5, 7]] {
                f.get(x);
                f.get(y);
                shuffle(f, lanes);
            }
            f.op(Instruction::F32x4Add);
            if emitter.from.subnormals == Subnormals::FlushAll {
                flush(f, Type::F32.with_lanes(4));
            }
        };
        for pair in args.chunks(2) {
            pair.iter().for_each(|arg| self.push(f, *arg));
            add_pairs(self, f);
        }
        add_pairs(self, f);
    }

    fn load_signal(&mut self, f: &mut Function, which: Pointer, ty: Type) {
        self.signal(f, which);
        load(f, ty, 0);
    }

    fn port(&mut self, f: &mut Function, index: usize, field: PortField, ty: Type) {
        use std::mem::offset_of;
        let from = match field {
            PortField::Trig | PortField::Slur | PortField::Fresh => offset_of!(Port, trig),
            PortField::Gate => offset_of!(Port, gate),
            PortField::Active => offset_of!(Port, active),
            PortField::Freq => offset_of!(Port, freq),
            PortField::Note => offset_of!(Port, note),
            PortField::Vel => offset_of!(Port, vel),
        };
        let is_set = |emitter: &mut Self, f: &mut Function| {
            let from = emitter.memory.port(f, index, from);
            f.op(Instruction::I32Load(at(from, 2)));
            if let Some(bits) = field.onset_mask() {
                f.ops([Instruction::I32Const(bits as i32), Instruction::I32And]);
            }
            f.ops([Instruction::I32Const(0), Instruction::I32Ne]);
        };
        match field {
            PortField::Freq | PortField::Note | PortField::Vel => {
                let from = self.memory.port(f, index, from);
                f.op(Instruction::F64Load(at(from, 3)));
            }
            PortField::Gate | PortField::Active => is_set(self, f),
            PortField::Trig | PortField::Slur | PortField::Fresh => {
                let offset = self.iteration().offset;
                f.get(offset);
                f.op(Instruction::I32Eqz);
                is_set(self, f);
                f.op(Instruction::I32And);
                if ty.lanes > 1 {
                    // In the first lane alone.
                    let mut first = [Imm::Bool(false); 4];
                    first[0] = Imm::Bool(true);
                    splat(f, Scalar::Bool);
                    f.ops([Instruction::V128Const(lanes::vector(first)), Instruction::V128And]);
                }
            }
        }
    }

    fn frames(&mut self, f: &mut Function, ty: Type) {
        self.frame(f, 0);
        if ty.lanes > 1 {
            splat(f, Scalar::I32);
            f.op(Instruction::V128Const(lanes::vector([0, 1, 2, 3].map(Imm::I32))));
            f.op(Instruction::I32x4Add);
        }
    }

    /// An entry of a constant table, the nearest one where the index is beyond its ends.
    fn table(&mut self, f: &mut Function, table: usize, index: Value, ty: Type) {
        let last = self.last_entry(table);
        let is_within = self.is_within(index, last);
        each_lane(f, ty, |f, lane| {
            self.push_lane(f, index, lane);
            if !is_within {
                bound(f, last);
            }
            self.entry_address(f);
            f.op(Instruction::F32Load(at(self.table_offset(table), 2)));
        });
    }

    /// Four neighbouring entries of a table: one vector where they cannot lie outside.
    fn neighbours(&mut self, f: &mut Function, table: usize, index: Value) {
        let last = self.last_entry(table);
        if self.is_within(index, last - 3) {
            self.push(f, index);
            self.entry_address(f);
            return f.op(Instruction::V128Load(at(self.table_offset(table), 2)));
        }
        lanes::pack(f, Scalar::F32, |f, lane| {
            self.push(f, index);
            f.add(i32::from(lane));
            bound(f, last);
            self.entry_address(f);
            f.op(Instruction::F32Load(at(self.table_offset(table), 2)));
        });
    }

    /// Replaces the index on the stack by its address in a table that begins where the data does.
    fn entry_address(&self, f: &mut Function) {
        f.ops([Instruction::I32Const(2), Instruction::I32Shl]);
        f.ops([Instruction::GlobalGet(DATA), Instruction::I32Add]);
    }

    fn table_offset(&self, table: usize) -> usize {
        self.from.data.tables[table] as usize
    }

    /// The index of a table's last entry.
    fn last_entry(&self, table: usize) -> i32 {
        self.from.module.tables[table].len() as i32 - 1
    }

    /// Whether an index is at least 0 and at most `last`, whatever the states are.
    fn is_within(&self, index: Value, last: i32) -> bool {
        let analyse = || Intervals::of_any_states(self.from.kernel).within(self.from.body);
        let interval = self.intervals.get_or_init(analyse)[index.index()];
        interval.is_some_and(|(low, high)| low >= 0.0 && high <= f64::from(last))
    }
}

/// Bounds the index on the stack: at least 0, and at most `last`.
fn bound(f: &mut Function, last: i32) {
    for (limit, is_beyond) in [(0, Instruction::I32GtS), (last, Instruction::I32LtS)] {
        let i = f.pop(ValType::I32);
        f.get(i);
        f.i32(limit);
        f.get(i);
        f.i32(limit);
        f.ops([is_beyond, Instruction::Select]);
    }
}

/// Pushes a value of which `lane` pushes each lane.
fn each_lane(f: &mut Function, ty: Type, mut lane: impl FnMut(&mut Function, u8)) {
    match ty.lanes {
        1 => lane(f, 0),
        _ => lanes::pack(f, ty.scalar, lane),
    }
}
