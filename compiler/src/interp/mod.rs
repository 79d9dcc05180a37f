//! The reference interpreter: the same modules and blocks as machine code, in plain Rust.
//!
//! It exists to be right, not fast: one instruction at a time, each by its meaning. Machine code gives the same bits.

mod memory;

use crate::ir::layout::Layout;
use crate::ir::{Body, Imm, Kernel, Module, Op, Rate, Scalar, TableId, Type, Value};
use mam_grammar::Handle;
use mam_runtime::{Call, Code, Form};
use memory::Memory;

/// A module, ready to be interpreted.
pub struct Interpreter {
    module: Module,
    layouts: Vec<Layout>,
}

impl Interpreter {
    /// Interprets `module`, with each kernel's [`Layout`].
    pub fn new(module: Module) -> Interpreter {
        let layouts = module.kernels.values().map(Layout::new).collect();
        Interpreter { module, layouts }
    }
}

impl Code for Interpreter {
    unsafe fn call(&self, kernel: u32, form: Form, call: &Call) {
        let handle: Handle<Kernel> = Handle::new(kernel as usize);
        let (kernel, layout) = (&self.module.kernels[handle], &self.layouts[handle.index()]);
        // SAFETY: the caller vouches for the tables.
        let memory = unsafe { Memory::new(call) };
        let tail = kernel.tail.as_ref();
        let run = |body| Run::new(&self.module, kernel, layout, body, &memory);
        match form {
            Form::Setup => {
                run(&kernel.steady).setup(&layout.steady);
                if let Some(tail) = tail {
                    run(tail).setup(&layout.tail);
                }
            }
            Form::Steady => {
                let iterations = call.frames / kernel.steady.step;
                let mut main = run(&kernel.steady);
                main.load(&layout.steady);
                let done = if main.allowed() { iterations * kernel.steady.step } else { 0 };
                main.iterate(0..done);
                if let Some(tail) = tail {
                    let mut rest = run(tail);
                    rest.load(&layout.tail);
                    rest.iterate(done..call.frames);
                }
            }
            Form::General => run(&kernel.general).general(call.frames),
        }
    }
}

/// The values of one body during one call.
struct Run<'a> {
    module: &'a Module,
    kernel: &'a Kernel,
    layout: &'a Layout,
    body: &'a Body,
    memory: &'a Memory<'a>,
    rates: Vec<Rate>,
    values: Vec<[Imm; 4]>,
    /// How many frames the body computes.
    frames: u32,
    /// Whether the call's first iteration is yet to come.
    first: bool,
}

impl<'a> Run<'a> {
    fn new(
        module: &'a Module,
        kernel: &'a Kernel,
        layout: &'a Layout,
        body: &'a Body,
        memory: &'a Memory<'a>,
    ) -> Run<'a> {
        let values = vec![[Imm::I32(0); 4]; body.insts.len()];
        Run { module, kernel, layout, body, memory, rates: body.rates(), values, frames: 0, first: true }
    }

    fn setup(&mut self, hoisted: &[(Value, usize)]) {
        self.compute(|rate| rate <= Rate::Segment, 0);
        for (value, at) in hoisted {
            let ty = self.body.ty(*value);
            for lane in 0..ty.lanes as usize {
                let word = at + lane * scalar_bytes(ty);
                self.memory.store(word, self.values[value.index()][lane]);
            }
        }
    }

    /// What setup has computed, and constants.
    fn load(&mut self, hoisted: &[(Value, usize)]) {
        for (value, at) in hoisted {
            let ty = self.body.ty(*value);
            for lane in 0..ty.lanes as usize {
                self.values[value.index()][lane] = self.memory.load(at + lane * scalar_bytes(ty), ty.scalar);
            }
        }
        self.compute(|rate| rate == Rate::Const, 0);
    }

    /// Whether the body may run: its condition.
    fn allowed(&self) -> bool {
        self.body.only_if.is_none_or(|value| self.values[value.index()][0] == Imm::Bool(true))
    }

    fn general(&mut self, frames: u32) {
        self.compute(|rate| rate <= Rate::Segment, 0);
        self.iterate(0..frames);
    }

    fn iterate(&mut self, frames: std::ops::Range<u32>) {
        self.frames = frames.end - frames.start;
        self.compute(|rate| rate == Rate::Call, frames.start);
        for frame in frames.step_by(self.body.step as usize) {
            self.compute(|rate| rate == Rate::Sample, frame);
            self.finish(frame);
            self.follow_back_edges();
        }
    }

    /// What is carried into the next iteration: all at once.
    fn follow_back_edges(&mut self) {
        let back_edges =
            self.body.back_edges.iter().map(|(carry, next)| (carry.index(), self.values[next.index()]));
        for (carry, next) in back_edges.collect::<Vec<_>>() {
            self.values[carry] = next;
        }
        self.first = false;
    }

    /// Computes the instructions of some rates, for the iteration that starts at `frame` of the call. In the steady form
    /// hoisted values are constants of the call and have been loaded.
    fn compute(&mut self, of: impl Fn(Rate) -> bool, frame: u32) {
        for value in self.body.insts.handles() {
            if of(self.rates[value.index()]) {
                self.values[value.index()] = self.evaluate(value, frame);
            }
        }
    }

    /// The end of an iteration: states, delay lines, outputs.
    fn finish(&self, frame: u32) {
        for (state, value) in &self.body.sets {
            let (at, ty) = (self.layout.states[state.index()], self.kernel.states[*state].ty());
            for lane in 0..ty.lanes as usize {
                self.memory.store(at + lane * scalar_bytes(ty), self.values[value.index()][lane]);
            }
        }
        for lane in 0..self.body.step {
            let x = |value: &Value| as_f32(self.values[value.index()][lane as usize]);
            let absolute = self.memory.call().frame.wrapping_add(frame + lane);
            for (line, value) in &self.body.writes {
                self.memory.write(line.index(), self.kernel.delays[*line].frames, absolute, x(value));
            }
            for (index, value) in self.body.outs.iter().enumerate() {
                self.memory.output(index, frame + lane, x(value));
            }
        }
    }

    fn evaluate(&self, value: Value, frame: u32) -> [Imm; 4] {
        let inst = &self.body.insts[value];
        let arg = |i: usize| self.values[inst.args.as_slice()[i].index()];
        match inst.op {
            Op::LoopCarried if self.first => arg(0),
            Op::LoopCarried => self.values[value.index()],
            Op::Extract(lane) => [arg(0)[lane as usize]; 4],
            Op::Splat => [arg(0)[0]; 4],
            Op::Pack => [arg(0)[0], arg(1)[0], arg(2)[0], arg(3)[0]],
            Op::Total => [total(arg(0)); 4],
            Op::Totals => std::array::from_fn(|k| total(arg(k))),
            Op::Neighbours(table) => {
                let first = as_i32(arg(0)[0]);
                std::array::from_fn(|k| self.element(table, first.wrapping_add(k as i32)))
            }
            Op::Slide => [arg(1)[0], arg(0)[0], arg(0)[1], arg(0)[2]],
            op => {
                let lane = |k: usize| match op.row().meaning {
                    Some(meaning) => {
                        let count = inst.args.as_slice().len();
                        let args: [Imm; 4] =
                            std::array::from_fn(|i| if i < count { arg(i)[k] } else { ZERO });
                        meaning(&args[..count], inst.ty.scalar)
                    }
                    None => self.source(op, inst.ty, frame + k as u32, k, || arg(0)[k]),
                };
                match inst.ty.lanes {
                    1 => [lane(0); 4],
                    _ => std::array::from_fn(lane),
                }
            }
        }
    }

    /// What depends on more than the operands.
    fn source(&self, op: Op, ty: Type, frame: u32, lane: usize, index: impl Fn() -> Imm) -> Imm {
        let absolute = self.memory.call().frame.wrapping_add(frame);
        match op {
            Op::Const(imm) => imm,
            Op::Param(i) if ty.scalar == Scalar::F64 => Imm::F64(self.memory.param(i)),
            Op::Param(i) => Imm::F32(self.memory.moving(i, frame)),
            Op::Port(i, field) if field.is_onset() => match self.memory.port(i, field) {
                Imm::Bool(begins) => Imm::Bool(begins && frame == 0 && lane == 0),
                other => other,
            },
            Op::Port(i, field) => self.memory.port(i, field),
            Op::Input(i) => Imm::F32(self.memory.input(i, frame)),
            Op::Frame => Imm::I32(absolute as i32),
            Op::CallFrame => Imm::I32(self.memory.call().frame as i32),
            Op::CallFrames => Imm::I32(self.frames as i32),
            Op::Get(state) | Op::LiveIn(state) => {
                self.memory.load(self.layout.states[state.index()] + lane * scalar_bytes(ty), ty.scalar)
            }
            Op::Read(line) => {
                let at = absolute.wrapping_sub(as_i32(index()) as u32);
                Imm::F32(self.memory.read(line.index(), self.kernel.delays[line].frames, at))
            }
            Op::Table(i) => self.element(i, as_i32(index())),
            _ => unreachable!("an op with a meaning"),
        }
    }

    /// An element of a constant table.
    fn element(&self, table: TableId, index: i32) -> Imm {
        let table = &self.module.tables[table.index()];
        Imm::F32(table[index.clamp(0, table.len() as i32 - 1) as usize])
    }
}

const ZERO: Imm = Imm::I32(0);

/// The sum of four lanes.
fn total([a, b, c, d]: [Imm; 4]) -> Imm {
    let add = |a: Imm, b: Imm| Op::Add.row().meaning.expect("an addition")(&[a, b], Scalar::F32);
    add(add(a, b), add(c, d))
}

fn scalar_bytes(ty: Type) -> usize {
    crate::ir::layout::bytes(ty.with_lanes(1))
}

fn as_f32(imm: Imm) -> f32 {
    match imm {
        Imm::F32(x) => x,
        other => unreachable!("the checker wants an f32 here: {other:?}"),
    }
}

fn as_i32(imm: Imm) -> i32 {
    match imm {
        Imm::I32(x) => x,
        other => unreachable!("the checker wants an i32 here: {other:?}"),
    }
}
