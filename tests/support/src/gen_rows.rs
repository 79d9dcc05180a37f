//! Random rows of filters, left and right: what chains are made of, in every order.

use crate::gen_ir::Choices;
use mam_compiler::ir::{Body, Imm, InputId, Kernel, Module, Op, StateSlot, Type, Value};
use mam_grammar::Handle;

/// A module with one kernel: two inputs, each through up to seven filters to an output.
pub fn module(choices: &mut Choices) -> Module {
    let mut rows = Rows { choices, kernel: Kernel::default(), body: Body::default(), heard: vec![] };
    rows.kernel.name = "rows".into();
    rows.kernel.inputs = vec!["left".into(), "right".into()];
    rows.kernel.outputs = vec!["l".into(), "r".into()];
    rows.run();
    let Rows { mut kernel, body, .. } = rows;
    (kernel.general, kernel.steady) = (body.clone(), body);
    let mut module = Module::default();
    module.kernels.add(kernel);
    module
}

struct Rows<'a, 'b> {
    choices: &'a mut Choices<'b>,
    kernel: Kernel,
    body: Body,
    /// What left and right were before each filter.
    heard: Vec<[Value; 2]>,
}

/// A filter, by its number; the numbers that it has.
type Stage = (usize, [f32; 3]);

impl Rows<'_, '_> {
    fn run(&mut self) {
        let mut both = [0, 1].map(|side| self.body.add(Op::Input(InputId::new(side)), Type::F32, &[]));
        for _ in 0..1 + self.choices.below(7) {
            self.heard.push(both);
            let stage = self.stage();
            // Now and then the other side goes another way.
            let other = if self.choices.below(6) == 5 { self.stage() } else { stage };
            both = [self.filter(stage, both[0], 0), self.filter(other, both[1], 1)];
        }
        if self.choices.below(4) == 3 {
            both[1] = both[0];
        }
        if self.choices.below(4) == 3 {
            let (seen, value) = (self.state(), both[self.choices.below(2)]);
            self.body.sets.push((seen, value));
        }
        self.body.outs = both.to_vec();
    }

    fn stage(&mut self) -> Stage {
        (self.choices.below(12), std::array::from_fn(|_| self.choices.below(128) as f32 / 64.0 - 1.0))
    }

    fn state(&mut self) -> Handle<StateSlot> {
        let init = Imm::F32(self.choices.below(4) as f32 / 4.0);
        let name = format!("s{}", self.kernel.states.len());
        self.kernel.states.add(StateSlot::word(name, init))
    }

    fn get(&mut self, state: Handle<StateSlot>) -> Value {
        self.body.add(Op::Get(state), Type::F32, &[])
    }

    /// a·b + c
    fn mad(&mut self, a: Value, b: Value, c: Value) -> Value {
        if self.choices.below(2) == 0 {
            return self.body.op(Op::Fma, &[a, b, c]);
        }
        let product = self.body.op(Op::Mul, &[a, b]);
        self.body.op(Op::Add, &[product, c])
    }

    fn filter(&mut self, (which, numbers): Stage, x: Value, side: usize) -> Value {
        let [a, b, c] = numbers.map(|number| self.body.f32(number));
        let earlier = self.heard[self.choices.below(self.heard.len())];
        match which {
            // One pole.
            0 | 1 => {
                let state = self.state();
                let old = self.get(state);
                let less = self.body.op(Op::Sub, &[x, old]);
                let new = self.mad(a, less, old);
                self.body.sets.push((state, new));
                if which == 0 { new } else { self.mad(old, b, x) }
            }
            // Two integrators, as in the prelude.
            2..=5 => {
                let (one, two) = (self.state(), self.state());
                let (s1, s2) = (self.get(one), self.get(two));
                let (less, part) = (self.body.op(Op::Sub, &[x, s2]), self.body.op(Op::Mul, &[s1, b]));
                let u = self.body.op(Op::Fma, &[less, a, part]);
                let (back, more) = (self.body.op(Op::Neg, &[s1]), self.body.op(Op::Add, &[b, b]));
                let first = self.body.op(Op::Fma, &[u, more, back]);
                let second = self.body.op(Op::Fma, &[u, c, s2]);
                self.body.sets.extend([(one, first), (two, second)]);
                match which {
                    2 => self.mad(u, a, s2),
                    3 => self.mad(u, c, x),
                    4 => {
                        let part = self.mad(s2, b, x);
                        self.mad(u, c, part)
                    }
                    _ => self.mad(u, a, less),
                }
            }
            // A bound in a circle.
            6 => {
                let state = self.state();
                let old = self.get(state);
                let (sum, most) = (self.mad(old, a, x), self.body.f32(1.0));
                let new = self.body.op(Op::Min, &[sum, most]);
                self.body.sets.push((state, new));
                new
            }
            // What went in a frame before.
            7 => {
                let state = self.state();
                let old = self.get(state);
                self.body.sets.push((state, x));
                self.mad(old, a, x)
            }
            // A gain that moves.
            8 => {
                let phase = StateSlot::word(format!("s{}", self.kernel.states.len()), Imm::I32(7));
                let phase = self.kernel.states.add(phase);
                let (old, step) = (self.body.add(Op::Get(phase), Type::I32, &[]), self.body.i32(1 << 27));
                let new = self.body.op(Op::Add, &[old, step]);
                self.body.sets.push((phase, new));
                let float = self.body.add(Op::ToFloat, Type::F32, &[old]);
                let scale = self.body.f32(1.0 / 2_147_483_648.0);
                let gain = self.body.op(Op::Mul, &[float, scale]);
                self.body.op(Op::Mul, &[x, gain])
            }
            // The frame's number.
            9 => {
                let (frame, bits) = (self.body.add(Op::Frame, Type::I32, &[]), self.body.i32(15));
                let low = self.body.op(Op::And, &[frame, bits]);
                let float = self.body.add(Op::ToFloat, Type::F32, &[low]);
                self.mad(float, a, x)
            }
            // What was heard before, of this side or the other.
            10 => self.mad(earlier[side], a, x),
            _ => self.mad(earlier[1 - side], b, x),
        }
    }
}
