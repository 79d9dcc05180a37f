//! Random kernels of what triggers make (values that are held, counters that begin anew, trains of pulses, toggles) and of
//! taps: short ones, ones that move, and both in a feedback.

use crate::gen_ir::Choices;
use mam_compiler::ir::{Body, DelayLine, Imm, InputId, Kernel, Module, Op, StateSlot, Type, Value};
use mam_grammar::Handle;

/// A module with one kernel of two inputs and up to two outputs.
pub fn module(choices: &mut Choices) -> Module {
    let mut made = Triggers { choices, kernel: Kernel::default(), body: Body::default(), pool: vec![] };
    made.kernel.name = "triggers".into();
    made.kernel.inputs = vec!["a".into(), "b".into()];
    made.run();
    let Triggers { mut kernel, body, .. } = made;
    kernel.outputs = (0..body.outs.len()).map(|i| format!("out{i}")).collect();
    (kernel.general, kernel.steady) = (body.clone(), body);
    let mut module = Module::default();
    module.kernels.add(kernel);
    module
}

struct Triggers<'a, 'b> {
    choices: &'a mut Choices<'b>,
    kernel: Kernel,
    body: Body,
    /// The signals so far.
    pool: Vec<Value>,
}

impl Triggers<'_, '_> {
    fn run(&mut self) {
        self.pool = [0, 1].map(|i| self.body.add(Op::Input(InputId::new(i)), Type::F32, &[])).to_vec();
        for _ in 0..1 + self.choices.below(8) {
            let signal = match self.choices.below(10) {
                0 => self.held(),
                1 => self.since(),
                2 | 3 => self.pulses(),
                4 => self.short_tap(),
                5 => self.moving_tap(),
                6 => self.feedback(),
                7 => self.toggle(),
                8 => self.neighbours(),
                _ => self.product(),
            };
            self.pool.push(signal);
        }
        let last = self.pool[self.pool.len() - 1];
        self.body.outs = vec![last];
        if self.choices.below(2) == 1 {
            let other = self.signal();
            self.body.outs.push(other);
        }
    }

    fn signal(&mut self) -> Value {
        self.pool[self.choices.below(self.pool.len())]
    }

    fn state(&mut self, init: Imm) -> (Handle<StateSlot>, Value) {
        let name = format!("s{}", self.kernel.states.len());
        let state = self.kernel.states.add(StateSlot::word(name, init));
        let get = self.body.add(Op::Get(state), Type { scalar: init.scalar(), lanes: 1 }, &[]);
        (state, get)
    }

    /// A condition on a signal, now and then on whether it rises.
    fn condition(&mut self) -> Value {
        let level = self.choices.below(8) as f32 / 8.0 - 0.5;
        let (signal, level) = (self.signal(), self.body.f32(level));
        let above = self.body.op(Op::Lt, &[level, signal]);
        if self.choices.below(3) > 0 {
            return above;
        }
        let (state, before) = self.state(Imm::F32(0.0));
        self.body.sets.push((state, signal));
        let rises = self.body.op(Op::Lt, &[before, signal]);
        self.body.op(Op::And, &[above, rises])
    }

    /// Chooses `x` where a condition holds, with the arms in either order.
    fn choice(&mut self, x: Value, otherwise: Value) -> Value {
        let condition = self.condition();
        match self.choices.below(3) {
            0 => self.body.op(Op::Select, &[condition, otherwise, x]),
            _ => self.body.op(Op::Select, &[condition, x, otherwise]),
        }
    }

    fn held(&mut self) -> Value {
        let (state, mut value) = self.state(Imm::F32(0.25));
        for _ in 0..1 + self.choices.below(3) {
            let x = self.signal();
            value = self.choice(x, value);
        }
        self.body.sets.push((state, value));
        value
    }

    fn since(&mut self) -> Value {
        let (from, step) = (self.choices.one(&[0, 0, 5, -3]), self.choices.one(&[1, 1, 3]));
        let most = self.choices.one(&[from + 3, from + 40, 1_000_000_000]);
        let (state, before) = self.state(Imm::I32(most));
        let [from, step, most] = [from, step, most].map(|x| self.body.i32(x));
        let next = self.body.op(Op::Add, &[before, step]);
        let mut next = self.body.op(Op::Min, &[next, most]);
        for _ in 0..1 + self.choices.below(2) {
            next = self.choice(from, next);
        }
        self.body.sets.push((state, next));
        self.body.add(Op::ToFloat, Type::F32, &[next])
    }

    /// As `pulses` of the language becomes: with a fraction or without, with a start or without.
    fn pulses(&mut self) -> Value {
        const NEVER: i32 = i32::MAX - 1;
        let starts = self.choices.below(3) > 0;
        let (state, left) = self.state(Imm::I32(if starts { i32::MIN } else { 2 }));
        let [zero, minus, never] = [0, -1, NEVER].map(|x| self.body.i32(x));
        let counts = match self.choices.below(2) {
            0 => minus,
            _ => {
                let counts = self.body.op(Op::Lt, &[left, never]);
                self.body.op(Op::Select, &[counts, minus, zero])
            }
        };
        let mut here = self.body.op(Op::Add, &[left, counts]);
        let first = self.choices.one(&[0, 1, 3, 30, NEVER]);
        let (first, before) = (self.body.i32(first), self.body.i32(i32::MIN));
        let sides = if self.choices.below(2) == 0 { [left, before] } else { [before, left] };
        let begun = self.body.op(Op::Ne, &sides);
        if starts {
            here = self.body.op(Op::Select, &[begun, here, first]);
        }
        let hit = self.body.op(Op::Le, &[here, zero]);
        let period = self.choices.one(&[1, 3, 4, 5, 7, 40, 100, NEVER]);
        // What is never set is known to the call only.
        let period =
            if self.choices.below(2) == 0 { self.body.i32(period) } else { self.state(Imm::I32(period)).1 };
        let gap = if self.choices.below(2) == 0 { period } else { self.late(begun, hit, period, starts) };
        let next = self.body.op(Op::Select, &[hit, gap, here]);
        self.body.sets.push((state, next));
        let [one, none] = [1.0, 0.0].map(|x| self.body.f32(x));
        self.body.op(Op::Select, &[hit, one, none])
    }

    fn late(&mut self, begun: Value, hit: Value, period: Value, starts: bool) -> Value {
        let (state, mut late) = self.state(Imm::I32(0));
        let [part, first] = [self.choices.one(&[1 << 30, -5, i32::MIN]), 12345].map(|x| self.body.i32(x));
        if starts {
            late = self.body.op(Op::Select, &[begun, late, first]);
        }
        let later = self.body.op(Op::Add, &[late, part]);
        let wraps = self.body.op(Op::Lt, &[later, late]);
        let [minus, zero] = [-1, 0].map(|x| self.body.i32(x));
        let carry = self.body.op(Op::Select, &[wraps, minus, zero]);
        let next = self.body.op(Op::Select, &[hit, later, late]);
        self.body.sets.push((state, next));
        self.body.op(Op::Sub, &[period, carry])
    }

    fn line(&mut self, least: usize) -> Handle<DelayLine> {
        let frames =
            [8, 16, 64, 256, 512].into_iter().filter(|frames| *frames >= least).collect::<Vec<usize>>();
        let frames = self.choices.one(&frames) as u32;
        self.kernel.delays.add(DelayLine::unshared(format!("line {}", self.kernel.delays.len()), frames))
    }

    fn read(&mut self, line: Handle<DelayLine>, ago: i32) -> Value {
        let ago = self.body.i32(ago);
        self.body.op(Op::Read(line), &[ago])
    }

    fn short_tap(&mut self) -> Value {
        let line = self.line(8);
        let x = self.signal();
        self.body.writes.push((line, x));
        let (one, other) = (1 + self.choices.below(3) as i32, 1 + self.choices.below(6) as i32);
        let [one, other] = [one, other].map(|ago| self.read(line, ago));
        self.body.op(Op::Sub, &[one, other])
    }

    /// Neighbours of a long line, close to where it ends and far from there; they may be fed back.
    fn neighbours(&mut self) -> Value {
        let line = self.line(256);
        let ago = self.choices.one(&[4, 5, 62, 63, 64, 65, 200, 252]);
        let taps: Vec<Value> =
            (0..2 + self.choices.below(2) as i32).map(|i| self.read(line, ago + i)).collect();
        let sum = taps[1..].iter().fold(taps[0], |sum, tap| self.body.op(Op::Sub, &[sum, *tap]));
        let (x, half) = (self.signal(), self.body.f32(0.5));
        let fed = self.body.op(Op::Mul, &[sum, half]);
        let written = match self.choices.below(2) {
            0 => x,
            _ => self.body.op(Op::Add, &[x, fed]),
        };
        self.body.writes.push((line, written));
        sum
    }

    /// A delay that follows a signal, between two bounds.
    fn ago(&mut self, least: i32, most: i32) -> Value {
        let (signal, scale) = (self.signal(), self.body.f32(100.0));
        let scaled = self.body.op(Op::Mul, &[signal, scale]);
        let ago = self.body.add(Op::ToInt, Type::I32, &[scaled]);
        let [least, most] = [least, most].map(|x| self.body.i32(x));
        let ago = self.body.op(Op::Min, &[ago, most]);
        self.body.op(Op::Max, &[ago, least])
    }

    fn moving_tap(&mut self) -> Value {
        let (line, least) = (self.line(16), self.choices.one(&[4, 5, 1]));
        let most = self.kernel.delays[line].frames as i32 - self.choices.one(&[0, 1, 3]);
        let ago = self.ago(least, most);
        let x = self.signal();
        self.body.writes.push((line, x));
        self.body.op(Op::Read(line), &[ago])
    }

    /// A tap that hears itself; its delay may follow what it gives.
    fn feedback(&mut self) -> Value {
        let line = self.line(16);
        let x = self.signal();
        let (state, before) = self.state(Imm::F32(0.0));
        self.pool.push(before);
        let late = match self.choices.below(2) {
            0 => {
                let ago = 1 + self.choices.below(5) as i32;
                self.read(line, ago)
            }
            _ => {
                let ago = self.ago(4, 15);
                self.body.op(Op::Read(line), &[ago])
            }
        };
        let half = self.body.f32(0.5);
        let fed = self.body.op(Op::Mul, &[late, half]);
        let sum = self.body.op(Op::Add, &[fed, x]);
        self.body.writes.push((line, sum));
        self.body.sets.push((state, sum));
        sum
    }

    fn toggle(&mut self) -> Value {
        let (state, before) = self.state(Imm::F32(0.0));
        let one = self.body.f32(1.0);
        let other = self.body.op(Op::Sub, &[one, before]);
        let now = self.choice(other, before);
        self.body.sets.push((state, now));
        now
    }

    fn product(&mut self) -> Value {
        let (x, y) = (self.signal(), self.signal());
        let op = self.choices.one(&[Op::Mul, Op::Add]);
        self.body.op(op, &[x, y])
    }
}
