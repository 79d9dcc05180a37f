//! Random kernels, made from bytes: proptest shrinks the bytes, a fuzzer mutates them.
//!
//! Every kernel passes the checker. They mean nothing, but use all ops on all types, states that are set, not set or
//! set and not read, delay lines, tables, ports and both widths of a turn. The bits of a NaN are never looked at.

use mam_compiler::ir::{
    Body, DelayLine, Imm, InputId, Kernel, Module, Op, ParamId, PortField, PortId, ROWS, Rate, Scalar,
    Signature, StateSlot, TableId, Type, Value, Voice,
};
use mam_grammar::Handle;
use mam_runtime::Port;

/// Choices, read from bytes; 0 when they have come to an end.
pub struct Choices<'a>(pub &'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `limit`, which is at most 65536.
    pub fn below(&mut self, limit: usize) -> usize {
        let high = if limit > 256 { self.byte() } else { 0 };
        (usize::from(high) << 8 | usize::from(self.byte())) % limit.max(1)
    }

    pub(crate) fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn word(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// Whether there is nothing left to choose from.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An f32, often one at an edge; never subnormal.
    pub fn f32(&mut self) -> f32 {
        match self.below(4) {
            0 => f32::from_bits(self.word()),
            1 => self.one(&EDGES),
            _ => (self.word() as i32 as f32) / (1u32 << 30) as f32,
        }
        .flushed()
    }

    /// An f64, often one at an edge; never subnormal.
    pub fn f64(&mut self) -> f64 {
        let x = match self.below(3) {
            0 => f64::from_bits(u64::from(self.word()) << 32 | u64::from(self.word())),
            _ => f64::from(self.f32()) * self.one(&[1.0, 440.0, 1.0 / 48000.0, 1e300]),
        };
        if x.is_subnormal() { 0.0 } else { x }
    }

    fn imm(&mut self, scalar: Scalar) -> Imm {
        match scalar {
            Scalar::F32 => Imm::F32(self.f32()),
            Scalar::F64 => Imm::F64(self.f64()),
            Scalar::I32 => {
                let word = self.word() as i32;
                Imm::I32(self.one(&[0, 1, -1, 23, 64, 190, i32::MIN, i32::MAX, word]))
            }
            Scalar::Bool => Imm::Bool(self.below(2) == 1),
        }
    }
}

trait Flushed {
    fn flushed(self) -> Self;
}

impl Flushed for f32 {
    fn flushed(self) -> f32 {
        if self.is_subnormal() { 0.0 } else { self }
    }
}

/// Values of f32 at which something may go wrong.
pub const EDGES: [f32; 26] = [
    0.0,
    -0.0,
    0.25,
    0.5,
    -0.5,
    1.0,
    -1.0,
    1.5,
    2.5,
    -2.5,
    127.0,
    -126.5,
    8_388_607.5,
    16_777_216.0,
    2_147_483_520.0,
    2_147_483_648.0,
    -2_147_483_648.0,
    -2_147_483_904.0,
    f32::MIN_POSITIVE,
    -f32::MIN_POSITIVE,
    f32::MAX,
    f32::MIN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    1.000_000_1,
];

const SCALARS: [Scalar; 4] = [Scalar::F32, Scalar::F64, Scalar::I32, Scalar::Bool];

/// A module with one kernel.
pub fn module(choices: &mut Choices) -> Module {
    let mut module = Module::default();
    for _ in 0..choices.below(3) {
        let length = 1 + choices.below(9);
        module.tables.push((0..length).map(|_| choices.f32()).collect());
    }
    let kernel = kernel(choices, module.tables.len(), true);
    module.kernels.add(kernel);
    module
}

/// A kernel without tables that takes a frame a turn and has no state in lanes.
pub fn plain(choices: &mut Choices) -> Kernel {
    let kernel = kernel(choices, 0, false);
    Kernel { steady: kernel.tail.unwrap_or(kernel.steady), tail: None, ..kernel }
}

fn kernel(choices: &mut Choices, tables: usize, wide: bool) -> Kernel {
    let mut kernel = Kernel { name: "random".into(), ..Kernel::default() };
    let states = choices.one(&[0, 1, 2, 5, 30]);
    for i in 0..states {
        let scalar = choices.one(&SCALARS);
        let lanes = if scalar == Scalar::F64 || !wide { 1 } else { choices.one(&[1, 1, 4]) };
        kernel.states.add(StateSlot { name: format!("s.{i}"), init: choices.imm(scalar), lanes });
    }
    for i in 0..choices.below(3) {
        // From 256 on they are long.
        let frames = choices.one(&[1, 2, 4, 8, 16, 64, 128, 256, 256, 512]);
        kernel.delays.add(DelayLine::unshared(format!("line {i}"), frames));
    }
    let names = |what: &str, count: usize| (0..count).map(|i| format!("{what}{i}")).collect::<Vec<_>>();
    kernel.params = names("p", choices.below(3));
    kernel.inputs = names("in", choices.below(3));
    kernel.outputs = names("out", 1 + choices.below(2));
    kernel.ports = names("port", choices.below(3));
    let until = kernel.states.iter().find(|(_, state)| state.ty() == Type::BOOL);
    if let (Some((until, _)), false) = (until, kernel.ports.is_empty()) {
        let states = kernel.states.values().map(|state| u32::from(state.lanes)).sum();
        let delays = kernel.delays.len() as u32;
        kernel.voices.push(Voice {
            port: PortId::ZERO,
            until,
            states: 0..states,
            every: 1,
            delays: 0..delays,
        });
    }
    let step = choices.one(&[1, 4]);
    kernel.general = Random { choices, kernel: &kernel, tables, general: true }.body(1);
    kernel.steady = Random { choices, kernel: &kernel, tables, general: false }.body(step);
    if step == 4 {
        kernel.tail = Some(Random { choices, kernel: &kernel, tables, general: false }.body(1));
    }
    if let Some(tail) = &mut kernel.tail {
        // Both set the same states.
        let set = |body: &Body, state| body.sets.iter().any(|(other, _)| *other == state);
        kernel.steady.sets.retain(|(state, _)| set(tail, *state));
        tail.sets.retain(|(state, _)| set(&kernel.steady, *state));
    }
    kernel
}

struct Random<'a, 'c> {
    choices: &'a mut Choices<'c>,
    kernel: &'a Kernel,
    tables: usize,
    general: bool,
}

impl Random<'_, '_> {
    fn body(mut self, step: u32) -> Body {
        let mut body = Body { step, ..Body::default() };
        let count = self.choices.one(&[3, 10, 40, 160]);
        while body.insts.len() < count {
            self.inst(&mut body);
        }
        for (state, slot) in self.kernel.states.iter() {
            if self.choices.below(4) > 0 {
                let value = self.value(&mut body, slot.ty());
                body.sets.push((state, value));
            }
        }
        let carries = body.insts.iter().filter(|(_, inst)| inst.op == Op::LoopCarried);
        for (carry, ty) in carries.map(|(carry, inst)| (carry, inst.ty)).collect::<Vec<_>>() {
            let next = self.value(&mut body, ty);
            body.back_edges.push((carry, next));
        }
        let signal = Type::F32.with_lanes(step as u8);
        for line in self.kernel.delays.handles() {
            if self.choices.below(4) > 0 {
                let value = self.value(&mut body, signal);
                body.writes.push((line, value));
            }
        }
        body.outs = self.kernel.outputs.iter().map(|_| self.value(&mut body, signal)).collect();
        if step == 4 && self.choices.below(3) == 0 {
            let rates = body.rates();
            let slow = |v: &Value| body.ty(*v) == Type::BOOL && rates[v.index()] <= Rate::Segment;
            body.only_if = body.insts.handles().find(slow);
        }
        body
    }

    /// A value of a type: the latest, another, or a constant.
    fn value(&mut self, body: &mut Body, ty: Type) -> Value {
        let all: Vec<Value> =
            body.insts.iter().filter(|(_, inst)| inst.ty == ty).map(|(value, _)| value).collect();
        match (all.last(), self.choices.below(4)) {
            (Some(last), 1) => *last,
            (Some(_), 2 | 3) => self.choices.one(&all),
            _ => {
                let imm = self.choices.imm(ty.scalar);
                body.constant(imm, ty.lanes)
            }
        }
    }

    fn inst(&mut self, body: &mut Body) {
        let op = self.choices.one(ROWS).op;
        let lanes = self.choices.one(&[1, 4]);
        match op.row().signature {
            Signature::Source => self.source(body, op),
            Signature::Any => self.carry(body),
            Signature::Lookup => self.lookup(body, op, lanes),
            Signature::Neighbours => self.lookup(body, op, 1),
            Signature::Same(count, of) => {
                let ty = self.ty(of, lanes);
                let args: Vec<Value> = (0..count).map(|_| self.value(body, ty)).collect();
                body.op(op, &args);
            }
            Signature::Compare => {
                let ty = self.ty(&[Scalar::F32, Scalar::F64, Scalar::I32], lanes);
                let args = [self.value(body, ty), self.value(body, ty)];
                body.op(op, &args);
            }
            Signature::Select => {
                let ty = self.ty(&SCALARS, lanes);
                let condition = self.value(body, Type::BOOL.with_lanes(ty.lanes));
                let args = [condition, self.value(body, ty), self.value(body, ty)];
                body.op(op, &args);
            }
            Signature::Convert(pairs) => {
                let (from, to) = self.choices.one(pairs);
                let lanes = if from == Scalar::F64 || to == Scalar::F64 { 1 } else { lanes };
                let mut x = self.value(body, Type { scalar: from, lanes });
                // Of the bits of a NaN nothing is said; it is not less than anything.
                let infinite = match (op, from) {
                    (Op::Bits, Scalar::F32) => Some(Imm::F32(f32::INFINITY)),
                    (Op::HighBits, _) => Some(Imm::F64(f64::INFINITY)),
                    _ => None,
                };
                if let Some(infinite) = infinite {
                    let most = body.constant(infinite, lanes);
                    x = body.op(Op::Min, &[x, most]);
                }
                body.add(op, Type { scalar: to, lanes }, &[x]);
            }
            Signature::Splat => {
                let ty = self.lane();
                let x = self.value(body, ty);
                body.op(op, &[x]);
            }
            Signature::Extract => {
                let ty = self.lane().with_lanes(4);
                let (x, lane) = (self.value(body, ty), self.choices.below(4) as u8);
                body.op(Op::Extract(lane), &[x]);
            }
            Signature::Total => {
                let x = self.value(body, Type::F32.with_lanes(4));
                body.op(op, &[x]);
            }
            Signature::Totals => {
                let all: Vec<Value> = (0..4).map(|_| self.value(body, Type::F32.with_lanes(4))).collect();
                body.op(op, &all);
            }
            Signature::Slide => {
                let ty = self.lane();
                let args = [self.value(body, ty.with_lanes(4)), self.value(body, ty)];
                body.op(op, &args);
            }
            Signature::Pack => {
                let ty = self.lane();
                let lanes: Vec<Value> = (0..4).map(|_| self.value(body, ty)).collect();
                body.op(op, &lanes);
            }
        }
    }

    /// What is carried begins with something that the call's start knows.
    fn carry(&mut self, body: &mut Body) {
        // As if all states were set: which are is not known yet.
        let sets = self.kernel.states.handles().map(|state| (state, Handle::ZERO)).collect();
        let rates = Body { sets, ..body.clone() }.rates();
        let known: Vec<Value> = body.insts.handles().filter(|v| rates[v.index()] <= Rate::Call).collect();
        if !known.is_empty() {
            let start = self.choices.one(&known);
            body.op(Op::LoopCarried, &[start]);
        }
    }

    fn ty(&mut self, of: &[Scalar], lanes: u8) -> Type {
        let scalar = self.choices.one(of);
        Type { scalar, lanes: if scalar == Scalar::F64 { 1 } else { lanes } }
    }

    /// One lane of a type that has lanes.
    fn lane(&mut self) -> Type {
        let scalar = self.choices.one(&[Scalar::F32, Scalar::I32, Scalar::Bool]);
        Type { scalar, lanes: 1 }
    }

    fn source(&mut self, body: &mut Body, op: Op) {
        let turn = body.step as u8;
        let signal = Type::F32.with_lanes(turn);
        let mut index = |count: usize| (count > 0).then(|| self.choices.below(count));
        let (op, ty) = match op {
            Op::Param(_) => match index(self.kernel.params.len()) {
                Some(i) => (Op::Param(ParamId::new(i)), if self.general { Type::F32 } else { Type::F64 }),
                None => return,
            },
            Op::Input(_) => match index(self.kernel.inputs.len()) {
                Some(i) => (Op::Input(InputId::new(i)), signal),
                None => return,
            },
            Op::Port(..) => match index(self.kernel.ports.len()) {
                Some(i) => {
                    let (field, _) = self.choices.one(&PortField::ALL);
                    if field.is_onset() && !self.general {
                        return;
                    }
                    (Op::Port(PortId::new(i), field), if field.is_bool() { Type::BOOL } else { Type::F64 })
                }
                None => return,
            },
            Op::Get(_) | Op::LiveIn(_) => match index(self.kernel.states.len()) {
                Some(i) => {
                    let state = Handle::new(i);
                    let op = if op == Op::Get(Handle::ZERO) { Op::Get(state) } else { Op::LiveIn(state) };
                    (op, self.kernel.states[state].ty())
                }
                None => return,
            },
            Op::Frame => (Op::Frame, Type::I32.with_lanes(turn)),
            Op::CallFrame | Op::CallFrames => (op, Type::I32),
            _ => {
                let scalar = self.choices.one(&SCALARS);
                (Op::Const(self.choices.imm(scalar)), Type { scalar, lanes: 1 })
            }
        };
        body.add(op, ty, &[]);
    }

    fn lookup(&mut self, body: &mut Body, op: Op, lanes: u8) {
        let count = if op.table().is_some() { self.tables } else { self.kernel.delays.len() };
        if count == 0 {
            return;
        }
        let i = self.choices.below(count);
        let op = match op {
            Op::Table(_) => Op::Table(TableId::new(i)),
            Op::Neighbours(_) => Op::Neighbours(TableId::new(i)),
            _ => Op::Read(Handle::new(i)),
        };
        let mut index = self.value(body, Type::I32.with_lanes(lanes));
        if op.table().is_some() && self.choices.below(2) == 0 {
            // Within a table, perhaps.
            let (none, most) = (body.constant(Imm::I32(0), lanes), self.choices.below(3) as i32);
            let most = body.constant(Imm::I32(most), lanes);
            index = body.op(Op::Min, &[index, most]);
            index = body.op(Op::Max, &[index, none]);
        }
        body.op(op, &[index]);
    }
}

/// Any fields of a port.
pub fn port(choices: &mut Choices) -> Port {
    Port {
        trig: choices.one(&[0, Port::TRIG, Port::TRIG | Port::SLUR, Port::TRIG | Port::FRESH]),
        gate: choices.below(2) as u32,
        active: choices.below(2) as u32,
        reserved: 0,
        freq: choices.f64(),
        note: choices.f64(),
        vel: choices.f64(),
    }
}
