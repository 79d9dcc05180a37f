//! Random sums of terms that are alike: banks of resonators, of one-pole filters and of oscillators, added up to up to three outputs with
//! gains of their own, with an odd term among them now and then.

use crate::gen_ir::Choices;
use mam_compiler::ir::{Body, Imm, InputId, Kernel, Module, Op, StateSlot, Type, Value};
use mam_grammar::Handle;

/// A module with one kernel of an input, and up to three outputs.
pub fn module(choices: &mut Choices) -> Module {
    let mut made = Sums { choices, kernel: Kernel::default(), body: Body::default() };
    made.kernel.name = "sums".into();
    made.kernel.inputs = vec!["x".into()];
    made.run();
    let Sums { mut kernel, body, .. } = made;
    kernel.outputs = (0..body.outs.len()).map(|i| format!("out{i}")).collect();
    (kernel.general, kernel.steady) = (body.clone(), body);
    let mut module = Module::default();
    module.kernels.add(kernel);
    module
}

struct Sums<'a, 'b> {
    choices: &'a mut Choices<'b>,
    kernel: Kernel,
    body: Body,
}

impl Sums<'_, '_> {
    fn run(&mut self) {
        let x = self.body.add(Op::Input(InputId::new(0)), Type::F32, &[]);
        let (terms, which) = (2 + self.choices.below(12), self.choices.below(3));
        let mut sums: Vec<Option<Value>> = vec![None; 1 + self.choices.below(3)];
        for _ in 0..terms {
            // One in eight is of another kind.
            let which = if self.choices.below(8) == 7 { self.choices.below(3) } else { which };
            let term = match which {
                0 => self.resonator(x),
                1 => self.one_pole(x),
                _ => self.oscillator(),
            };
            for sum in &mut sums {
                let gain = self.number();
                *sum = Some(match *sum {
                    None => self.body.op(Op::Mul, &[term, gain]),
                    Some(before) => self.add(term, gain, before),
                });
            }
        }
        self.body.outs = sums.into_iter().flatten().collect();
    }

    /// A number between −1 and 1.
    fn number(&mut self) -> Value {
        let number = self.choices.below(128) as f32 / 64.0 - 1.0;
        self.body.f32(number)
    }

    fn state(&mut self, init: Imm) -> (Handle<StateSlot>, Value) {
        let ty = Type { scalar: init.scalar(), lanes: 1 };
        let state = self.kernel.states.add(StateSlot::word(format!("s{}", self.kernel.states.len()), init));
        (state, self.body.add(Op::Get(state), ty, &[]))
    }

    /// a·b + c, with one rounding or two.
    fn add(&mut self, a: Value, b: Value, c: Value) -> Value {
        if self.choices.below(4) == 0 {
            return self.body.op(Op::Fma, &[a, b, c]);
        }
        let product = self.body.op(Op::Mul, &[a, b]);
        self.body.op(Op::Add, &[c, product])
    }

    /// Of second order: each frame needs the last two.
    fn resonator(&mut self, x: Value) -> Value {
        let (one, two) = (self.state(Imm::F32(0.5)), self.state(Imm::F32(0.0)));
        let (near, far) = (self.number(), self.body.f32(-0.9));
        let part = self.body.op(Op::Fma, &[two.1, far, x]);
        let new = self.body.op(Op::Fma, &[one.1, near, part]);
        self.body.sets.extend([(one.0, new), (two.0, one.1)]);
        new
    }

    fn one_pole(&mut self, x: Value) -> Value {
        let (state, old) = self.state(Imm::F32(0.25));
        let (share, less) = (self.number(), self.body.op(Op::Sub, &[x, old]));
        let new = self.body.op(Op::Fma, &[share, less, old]);
        self.body.sets.push((state, new));
        new
    }

    /// A sawtooth: a phase that wraps.
    fn oscillator(&mut self) -> Value {
        let (state, old) = self.state(Imm::I32(0));
        let step = self.body.i32((1 + self.choices.below(1000)) as i32 * 100_003);
        let new = self.body.op(Op::Add, &[old, step]);
        self.body.sets.push((state, new));
        let (float, scale) =
            (self.body.add(Op::ToFloat, Type::F32, &[old]), self.body.f32(1.0 / 2_147_483_648.0));
        self.body.op(Op::Mul, &[float, scale])
    }
}
