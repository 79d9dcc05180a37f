//! One instruction: a short arm an op.

use super::body::{Emitter, clif};
use super::memory::{Region, flags};
use crate::emit::loops::{Address, Pointer};
use crate::ir::lanes::{Half, halves, is_mask, lane_of};
use crate::ir::{self, Imm, Op, PortField, Rate, Scalar};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, Type, Value, types};
use cranelift_frontend::FunctionBuilder;
use mam_runtime::Port;

/// How many bits of an f32 are its fraction.
const FRACTION: Option<Imm> = Some(Imm::I32(23));

impl Emitter<'_> {
    /// Emits an instruction.
    pub(super) fn inst(&mut self, b: &mut FunctionBuilder, value: ir::Value) {
        self.values[value.index()] = Some(self.compute(b, value));
    }

    /// A value that is known, the same in all lanes.
    pub(super) fn imm(&self, value: ir::Value) -> Option<Imm> {
        self.from.plan.known[value.index()]
    }

    /// A value that has been computed, or a constant.
    pub(super) fn value(&mut self, b: &mut FunctionBuilder, value: ir::Value) -> Value {
        if let Some(x) = self.values[value.index()] {
            return x;
        }
        // A constant of one lane that is not resident is made where it is used.
        let lanes = self.from.body.ty(value).lanes;
        if let Some(imm) = self.imm(value).filter(|_| lanes == 1) {
            return immediate(b, imm, lanes);
        }
        if let Some(x) = self.hoisted(b, value).or_else(|| self.spilled(b, value)) {
            return x;
        }
        let imm = self.imm(value).expect("operands stand before their users");
        immediate(b, imm, lanes)
    }

    /// The operands of an instruction. Some instructions find their operands themselves, and not all of them: those have none
    /// here.
    fn operands(&mut self, b: &mut FunctionBuilder, value: ir::Value, inst: &ir::Inst) -> Vec<Value> {
        let given = match inst.op {
            Op::Shl | Op::Ushr | Op::Sshr | Op::Slide | Op::Splat | Op::Pack | Op::Read(_) => &[],
            Op::Table(_) | Op::Neighbours(_) => &[],
            Op::Select if is_mask(self.from.body, value) => &inst.args.as_slice()[..1],
            _ => inst.args.as_slice(),
        };
        let mut args: Vec<Value> = given.iter().map(|v| self.value(b, *v)).collect();
        if self.from.plan.commuted.contains(&value) {
            args.swap(0, 1);
        }
        let compares = matches!(inst.op, Op::Lt | Op::Le | Op::Eq | Op::Ne | Op::Min | Op::Max);
        if compares
            && !self.from.encoding.unaligned_operands
            && inst
                .args
                .as_slice()
                .first()
                .is_some_and(|v| self.from.body.ty(*v) == ir::Type::F32.with_lanes(4))
        {
            args.iter_mut().for_each(|x| *x = in_register(b, *x));
        }
        args
    }

    fn compute(&mut self, b: &mut FunctionBuilder, value: ir::Value) -> Value {
        let inst = self.from.body.insts[value].clone();
        let ty = inst.ty;
        let args = self.operands(b, value, &inst);
        let from = inst.args.as_slice().first().map(|v| self.from.body.ty(*v));
        let float = from.is_some_and(|ty| matches!(ty.scalar, Scalar::F32 | Scalar::F64));
        let arg = |i: usize| args[i];
        match inst.op {
            Op::Const(imm) => immediate(b, imm, ty.lanes),
            Op::Param(i) if ty.scalar == Scalar::F64 => self.memory.param(b, i.index() as u32),
            Op::Param(i) => self.load_signal(b, Pointer::Moving(i.index() as u32), ty),
            Op::Port(i, field) => self.port(b, i.index() as u32, field, ty),
            Op::Input(i) => self.load_signal(b, Pointer::Input(i.index() as u32), ty),
            Op::Frame => self.frames(b, ty),
            Op::CallFrame => self.memory.frame(b),
            Op::CallFrames => self.call_frames(b),
            Op::Get(state) => {
                let in_register = self.iteration.as_ref().and_then(|iteration| iteration.states.get(&state));
                in_register.copied().unwrap_or_else(|| self.load_state(b, state))
            }
            Op::LiveIn(state) => self.load_state(b, state),
            Op::LoopCarried => self.carried(b, value),
            Op::Read(_) => unreachable!("the plan has an action for it"),
            Op::Table(i) => self.table(b, i.index() as u32, inst.args.as_slice()[0], ty),
            Op::Neighbours(i) => self.neighbours(b, i.index() as u32, inst.args.as_slice()[0]),

            Op::Add if float => b.ins().fadd(arg(0), arg(1)),
            Op::Add => b.ins().iadd(arg(0), arg(1)),
            Op::Sub if float => b.ins().fsub(arg(0), arg(1)),
            Op::Sub => b.ins().isub(arg(0), arg(1)),
            Op::Mul if float => b.ins().fmul(arg(0), arg(1)),
            Op::Mul => b.ins().imul(arg(0), arg(1)),
            Op::Div => b.ins().fdiv(arg(0), arg(1)),
            Op::Neg if float => b.ins().fneg(arg(0)),
            Op::Neg => b.ins().ineg(arg(0)),
            Op::Min if float => self.less(b, ty, arg(0), arg(1), arg(0), arg(1)),
            Op::Min => b.ins().smin(arg(0), arg(1)),
            Op::Max if float => self.less(b, ty, arg(1), arg(0), arg(0), arg(1)),
            Op::Max => b.ins().smax(arg(0), arg(1)),
            Op::Fma => b.ins().fma(arg(0), arg(1), arg(2)),
            Op::Abs => b.ins().fabs(arg(0)),
            Op::Sqrt => b.ins().sqrt(arg(0)),
            Op::Floor => b.ins().floor(arg(0)),
            Op::Ceil => b.ins().ceil(arg(0)),
            Op::Trunc => b.ins().trunc(arg(0)),
            Op::Round => b.ins().nearest(arg(0)),

            Op::Lt if float => b.ins().fcmp(FloatCC::LessThan, arg(0), arg(1)),
            Op::Lt => b.ins().icmp(IntCC::SignedLessThan, arg(0), arg(1)),
            Op::Le if float => b.ins().fcmp(FloatCC::LessThanOrEqual, arg(0), arg(1)),
            Op::Le => b.ins().icmp(IntCC::SignedLessThanOrEqual, arg(0), arg(1)),
            Op::Eq if float => b.ins().fcmp(FloatCC::Equal, arg(0), arg(1)),
            Op::Eq => b.ins().icmp(IntCC::Equal, arg(0), arg(1)),
            Op::Ne if float => b.ins().fcmp(FloatCC::NotEqual, arg(0), arg(1)),
            Op::Ne => b.ins().icmp(IntCC::NotEqual, arg(0), arg(1)),
            Op::Select if is_mask(self.from.body, value) => match ty.lanes {
                1 => as_lane(b, arg(0), Scalar::Bool),
                _ => arg(0),
            },
            Op::Select => choose(b, ty, arg(0), arg(1), arg(2)),

            Op::And => b.ins().band(arg(0), arg(1)),
            Op::Or => b.ins().bor(arg(0), arg(1)),
            Op::Xor => b.ins().bxor(arg(0), arg(1)),
            Op::Not if ty == ir::Type::BOOL => b.ins().bxor_imm_u(arg(0), 1),
            Op::Not => b.ins().bnot(arg(0)),
            Op::Shl | Op::Ushr | Op::Sshr => self.shift(b, inst.op, &inst.args, ty),

            Op::Demote => b.ins().fdemote(types::F32, arg(0)),
            Op::Promote => b.ins().fpromote(types::F64, arg(0)),
            Op::ToFloat => b.ins().fcvt_from_sint(clif(ty), arg(0)),
            Op::ToInt if self.from.encoding.x64 && ty.lanes > 1 && self.fits_i32(inst.args.as_slice()[0]) => {
                b.ins().x86_cvtt2dq(clif(ty), arg(0))
            }
            Op::ToInt => b.ins().fcvt_to_sint_sat(clif(ty), arg(0)),
            Op::Bits => self.bits(b, &inst, arg(0)),

            Op::HighBits => {
                let bits = bitcast(b, types::I64, arg(0));
                let high = b.ins().ushr_imm_u(bits, 32);
                b.ins().ireduce(types::I32, high)
            }
            Op::FromHighBits => from_high_bits(b, arg(0)),

            Op::SinTurn | Op::CosTurn | Op::TanTurn | Op::Exp2 | Op::Log2 | Op::Pow | Op::Tanh | Op::Atan => {
                unreachable!("elementary functions are expanded before")
            }

            Op::Splat => match self.extracted(inst.args.as_slice()[0]) {
                Some((vector, lane)) => {
                    let vector = self.value(b, vector);
                    shuffled(b, vector, vector, [lane; 4], ty.scalar)
                }
                None => {
                    let x = self.value(b, inst.args.as_slice()[0]);
                    splat(b, x, ty.scalar)
                }
            },
            Op::Extract(lane) => extract(b, arg(0), ty.scalar, lane),
            Op::Pack => self.packed(b, inst.args.as_slice(), ty.scalar),
            Op::Total => total(b, arg(0)),
            Op::Totals => totals(b, [arg(0), arg(1), arg(2), arg(3)]),
            Op::Slide => self.slide(b, &inst.args, ty.scalar),
        }
    }

    /// How many frames the call computes.
    fn call_frames(&self, b: &mut FunctionBuilder) -> Value {
        let (start, end) = self.span.expect("loops have a span");
        let bytes = b.ins().isub(end, start);
        let bytes = b.ins().ireduce(types::I32, bytes);
        b.ins().ushr_imm_u(bytes, 2)
    }

    /// Four scalars as lanes: of two vectors that two of them each are, one shuffle.
    fn packed(&mut self, b: &mut FunctionBuilder, lanes: &[ir::Value], scalar: Scalar) -> Value {
        let [first, second] = halves(self.from.body, &self.from.plan.rates, lanes);
        let are_lanes = lanes.iter().all(|lane| self.extracted(*lane).is_some());
        if let (Half::Separate(_), Half::Separate(_), true) = (first, second, first != second && !are_lanes) {
            let lanes: Vec<Value> = lanes.iter().map(|x| self.value(b, *x)).collect();
            return pack(b, &lanes, scalar);
        }
        let (x, [i, j]) = self.half(b, first, scalar);
        if let (true, Half::Separate(_)) = (first == second, first) {
            return x;
        }
        let (y, [k, l]) = self.half(b, second, scalar);
        shuffled(b, x, y, [i, j, 4 + k, 4 + l], scalar)
    }

    /// A vector, and where in it the two are. Of two scalars it has both twice.
    fn half(&mut self, b: &mut FunctionBuilder, half: Half, scalar: Scalar) -> (Value, [u8; 2]) {
        match half {
            Half::Of(vector, lanes) => (self.value(b, vector), lanes),
            Half::Separate(both) => {
                if let [Some((x, i)), Some((y, j))] = both.map(|lane| self.extracted(lane)) {
                    let (x, y) = (self.value(b, x), self.value(b, y));
                    return (shuffled(b, x, y, [i, i, 4 + j, 4 + j], scalar), [0, 2]);
                }
                let [x, y] = both.map(|x| {
                    let x = self.value(b, x);
                    splat(b, x, scalar)
                });
                (shuffled(b, x, y, [0, 4, 1, 5], scalar), [0, 1])
            }
        }
    }

    fn load_signal(&mut self, b: &mut FunctionBuilder, which: Pointer, ty: ir::Type) -> Value {
        let address = self.at(b, Address::Signal(which));
        let flags = flags(b, Region::Signal);
        b.ins().load(clif(ty), flags, address, 0)
    }

    fn port(&mut self, b: &mut FunctionBuilder, index: u32, field: PortField, ty: ir::Type) -> Value {
        let (at, word) = match field {
            PortField::Trig | PortField::Slur | PortField::Fresh => {
                (std::mem::offset_of!(Port, trig), types::I32)
            }
            PortField::Gate => (std::mem::offset_of!(Port, gate), types::I32),
            PortField::Active => (std::mem::offset_of!(Port, active), types::I32),
            PortField::Freq => (std::mem::offset_of!(Port, freq), types::F64),
            PortField::Note => (std::mem::offset_of!(Port, note), types::F64),
            PortField::Vel => (std::mem::offset_of!(Port, vel), types::F64),
        };
        let word = self.memory.port(b, index, at, word);
        match field {
            PortField::Trig | PortField::Slur | PortField::Fresh => {
                let offset = self.iteration().offset;
                let first = b.ins().icmp_imm_u(IntCC::Equal, offset, 0);
                let word = field.onset_mask().map_or(word, |bits| b.ins().band_imm_u(word, i64::from(bits)));
                let set = b.ins().icmp_imm_u(IntCC::NotEqual, word, 0);
                let trig = b.ins().band(first, set);
                if ty.lanes == 1 {
                    return trig;
                }
                let none = b.ins().iconst(types::I8, 0);
                pack(b, &[trig, none, none, none], Scalar::Bool)
            }
            PortField::Gate | PortField::Active => b.ins().icmp_imm_u(IntCC::NotEqual, word, 0),
            PortField::Freq | PortField::Note | PortField::Vel => word,
        }
    }

    pub(super) fn frames(&mut self, b: &mut FunctionBuilder, ty: ir::Type) -> Value {
        let frame = self.frame(b, 0);
        if ty.lanes == 1 {
            return frame;
        }
        let lanes: Vec<u8> = (0..4).flat_map(u32::to_le_bytes).collect();
        let lanes = b.func.dfg.constants.insert(lanes.into());
        let lanes = b.ins().vconst(types::I32X4, lanes);
        let first = splat(b, frame, Scalar::I32);
        b.ins().iadd(first, lanes)
    }

    /// `a` where x < y, else `b`: the form that becomes one instruction where the operands allow.
    fn less(
        &self,
        b: &mut FunctionBuilder,
        ty: ir::Type,
        x: Value,
        y: Value,
        a: Value,
        other: Value,
    ) -> Value {
        let less = b.ins().fcmp(FloatCC::LessThan, x, y);
        choose(b, ty, less, a, other)
    }

    fn shift(&mut self, b: &mut FunctionBuilder, op: Op, args: &ir::Args, ty: ir::Type) -> Value {
        let &[x, by] = args.as_slice() else { unreachable!("a shift has two operands") };
        let one = |b: &mut FunctionBuilder, x, by| match op {
            Op::Shl => b.ins().ishl(x, by),
            Op::Ushr => b.ins().ushr(x, by),
            _ => b.ins().sshr(x, by),
        };
        let shifted = self.value(b, x);
        // In lanes the code generator shifts all by one amount.
        match (ty.lanes, self.imm(by)) {
            (_, Some(amount)) => {
                let amount = immediate(b, amount, 1);
                one(b, shifted, amount)
            }
            (1, None) => {
                let by = self.value(b, by);
                one(b, shifted, by)
            }
            (_, None) => {
                let by = self.value(b, by);
                let lanes: Vec<Value> = (0..4)
                    .map(|lane| {
                        let (x, by) =
                            (extract(b, shifted, Scalar::I32, lane), extract(b, by, Scalar::I32, lane));
                        one(b, x, by)
                    })
                    .collect();
                pack(b, &lanes, Scalar::I32)
            }
        }
    }

    /// The lanes one further, after a scalar: it is made the last lane of a vector before them.
    fn slide(&mut self, b: &mut FunctionBuilder, args: &ir::Args, scalar: Scalar) -> Value {
        let &[lanes, first] = args.as_slice() else { unreachable!("two operands") };
        let inner = &self.from.body.insts[lanes];
        if let (Op::Slide, &[inner, before]) = (inner.op, inner.args.as_slice())
            && self.from.plan.rates[lanes.index()] == Rate::Sample
        {
            // Two frames later, with the same before both: a constant, or the first lane.
            if let (Some(first), true) = (self.imm(first), self.imm(first) == self.imm(before)) {
                let (x, before) = (self.value(b, inner), immediate(b, first, 4));
                return shuffled(b, before, x, [2, 3, 4, 5], scalar);
            }
            if first == before && self.extracted(first) == Some((inner, 0)) {
                let x = self.value(b, inner);
                return shuffled(b, x, x, [0, 0, 0, 1], scalar);
            }
        }
        let x = self.value(b, lanes);
        if self.extracted(first) == Some((lanes, 0)) {
            return shuffled(b, x, x, [0, 0, 1, 2], scalar);
        }
        let before = match (self.imm(first), self.extracted(first)) {
            (Some(imm), _) => immediate(b, imm, 4),
            (None, Some((vector, 3))) => self.value(b, vector),
            (None, _) => {
                let first = self.value(b, first);
                splat(b, first, scalar)
            }
        };
        // The last four bytes of one vector, and the first twelve of another: one instruction.
        shuffled(b, before, x, [3, 4, 5, 6], scalar)
    }

    /// The vector and the lane that a scalar was taken from.
    fn extracted(&self, value: ir::Value) -> Option<(ir::Value, u8)> {
        lane_of(self.from.body, &self.from.plan.rates, value)
    }

    /// Whether a float is known to be no NaN and less than 2³¹; what is below −2³¹ becomes that anyway.
    fn fits_i32(&self, value: ir::Value) -> bool {
        match (self.from.body.insts[value].op, self.from.body.insts[value].args.as_slice()) {
            (Op::Min, &[_, most]) => matches!(self.imm(most), Some(Imm::F32(most)) if most < 2_147_483_648.0),
            _ => false,
        }
    }

    fn bits(&self, b: &mut FunctionBuilder, inst: &ir::Inst, x: Value) -> Value {
        let cast = bitcast(b, clif(inst.ty), x);
        if inst.ty.scalar == Scalar::I32 || self.never_subnormal(inst.args.as_slice()[0]) {
            return cast;
        }
        // An operand is flushed by any arithmetic.
        let one = immediate(b, Imm::F32(1.0), inst.ty.lanes);
        b.ins().fmul(cast, one)
    }

    /// Whether an i32 is known not to be the bits of a subnormal: it has no fraction, or an exponent.
    fn never_subnormal(&self, value: ir::Value) -> bool {
        let inst = &self.from.body.insts[value];
        let int = |i: usize| match self.imm(inst.args.as_slice()[i]) {
            Some(Imm::I32(bits)) => Some(bits),
            _ => None,
        };
        let operand = |i: usize| &self.from.body.insts[inst.args.as_slice()[i]];
        let shifted =
            |i: usize| operand(i).op == Op::Shl && self.imm(operand(i).args.as_slice()[1]) == FRACTION;
        match inst.op {
            Op::Shl => self.imm(inst.args.as_slice()[1]) == FRACTION,
            Op::Or => (0..2).any(|i| int(i).is_some_and(|bits| bits & 0x7f80_0000 != 0)),
            // A sum of two that have no fraction; or a fraction and a number whose exponent it can't carry away.
            Op::Add => [(0, 1), (1, 0)].into_iter().any(|(i, k)| {
                let Some(base) = int(k) else { return false };
                let masked = operand(i).op == Op::And
                    && (0..2).any(|j| {
                        matches!(self.imm(operand(i).args.as_slice()[j]), Some(Imm::I32(mask)) if (0..1 << 23).contains(&mask))
                    });
                shifted(i) && base & 0x7f_ffff == 0 || masked && (0x80_0000..0x7f00_0000).contains(&base)
            }),
            _ => false,
        }
    }

    /// One lane of a value of type `ty`.
    pub(super) fn lane(&self, b: &mut FunctionBuilder, x: Value, ty: ir::Type, lane: u8) -> Value {
        if ty.lanes == 1 { x } else { extract(b, x, ty.scalar, lane) }
    }
}

pub(super) fn immediate(b: &mut FunctionBuilder, imm: Imm, lanes: u8) -> Value {
    if lanes > 1 {
        let lane = match imm {
            Imm::Bool(set) => {
                if set {
                    u32::MAX
                } else {
                    0
                }
            }
            imm => imm.bits() as u32,
        };
        let data = std::iter::repeat_n(lane.to_le_bytes(), 4).flatten().collect::<Vec<u8>>();
        let constant = b.func.dfg.constants.insert(data.into());
        return b.ins().vconst(clif(ir::Type { scalar: imm.scalar(), lanes }), constant);
    }
    match imm {
        Imm::F32(x) => b.ins().f32const(x),
        Imm::F64(x) => b.ins().f64const(x),
        Imm::I32(x) => b.ins().iconst(types::I32, i64::from(x as u32)),
        Imm::Bool(x) => b.ins().iconst(types::I8, i64::from(x)),
    }
}

/// The f64 of which the upper half of the bits is given, and the lower is 0.
fn from_high_bits(b: &mut FunctionBuilder, high: Value) -> Value {
    let bits = b.ins().uextend(types::I64, high);
    let bits = b.ins().ishl_imm_u(bits, 32);
    let cast = bitcast(b, types::F64, bits);
    // An operand is flushed by any arithmetic.
    let one = immediate(b, Imm::F64(1.0), 1);
    b.ins().fmul(cast, one)
}

fn bitcast(b: &mut FunctionBuilder, ty: Type, x: Value) -> Value {
    let mut flags = MemFlagsData::new();
    if ty.is_vector() {
        flags = flags.with_endianness(Endianness::Little);
    }
    b.ins().bitcast(ty, flags, x)
}

/// Four lanes of the eight that two vectors have.
pub(super) fn shuffled(b: &mut FunctionBuilder, x: Value, y: Value, lanes: [u8; 4], scalar: Scalar) -> Value {
    let order: Vec<u8> = lanes.iter().flat_map(|lane| 4 * lane..4 * lane + 4).collect();
    let order = b.func.dfg.immediates.push(order.into());
    let (x, y) = (bitcast(b, types::I8X16, x), bitcast(b, types::I8X16, y));
    let moved = b.ins().shuffle(x, y, order);
    bitcast(b, clif(ir::Type { scalar, lanes: 4 }), moved)
}

/// A vector that is not an operand in memory: it is used twice.
fn in_register(b: &mut FunctionBuilder, x: Value) -> Value {
    let bits = bitcast(b, types::I32X4, x);
    let same = b.ins().band(bits, bits);
    bitcast(b, types::F32X4, same)
}

fn choose(b: &mut FunctionBuilder, ty: ir::Type, c: Value, x: Value, y: Value) -> Value {
    if ty.lanes == 1 {
        return b.ins().select(c, x, y);
    }
    let c = if ty.scalar == Scalar::F32 { bitcast(b, types::F32X4, c) } else { c };
    b.ins().bitselect(c, x, y)
}

/// A scalar as the lane that it would be: a bool has all bits.
fn as_lane(b: &mut FunctionBuilder, x: Value, scalar: Scalar) -> Value {
    if scalar != Scalar::Bool {
        return x;
    }
    let x = b.ins().uextend(types::I32, x);
    b.ins().ineg(x)
}

fn splat(b: &mut FunctionBuilder, x: Value, scalar: Scalar) -> Value {
    let x = as_lane(b, x, scalar);
    let ty = clif(ir::Type { scalar, lanes: 4 });
    b.ins().splat(ty, x)
}

pub(super) fn extract(b: &mut FunctionBuilder, x: Value, scalar: Scalar, lane: u8) -> Value {
    let x = b.ins().extractlane(x, lane);
    if scalar != Scalar::Bool {
        return x;
    }
    let x = b.ins().band_imm_u(x, 1);
    b.ins().ireduce(types::I8, x)
}

/// (0+1)+(2+3): beside each lane its neighbour, beside each pair the other.
fn total(b: &mut FunctionBuilder, x: Value) -> Value {
    let neighbours = shuffled(b, x, x, [1, 0, 3, 2], Scalar::F32);
    let pairs = b.ins().fadd(x, neighbours);
    let others = shuffled(b, pairs, pairs, [2, 3, 0, 1], Scalar::F32);
    let sum = b.ins().fadd(pairs, others);
    b.ins().extractlane(sum, 0)
}

/// (0+1)+(2+3) of each of four: the neighbours of two are added at once.
fn totals(b: &mut FunctionBuilder, of: [Value; 4]) -> Value {
    let pairs = |b: &mut FunctionBuilder, x: Value, y: Value| {
        let [even, odd] = [[0, 2, 4, 6], [1, 3, 5, 7]].map(|lanes| shuffled(b, x, y, lanes, Scalar::F32));
        b.ins().fadd(even, odd)
    };
    let [x, y] = [[of[0], of[1]], [of[2], of[3]]].map(|[x, y]| pairs(b, x, y));
    pairs(b, x, y)
}

pub(super) fn pack(b: &mut FunctionBuilder, lanes: &[Value], scalar: Scalar) -> Value {
    let first = splat(b, lanes[0], scalar);
    lanes.iter().enumerate().skip(1).fold(first, |all, (lane, x)| {
        let x = as_lane(b, *x, scalar);
        b.ins().insertlane(all, x, lane as u8)
    })
}
