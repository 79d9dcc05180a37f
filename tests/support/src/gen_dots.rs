//! Random sums of products that read neighbouring entries of tables and delay lines, forwards or backwards, at an index that may lie
//! outside of them: with constant weights, with weights out of a row of a table or between two of them, and with odd terms among them now and then.

use crate::gen_ir::Choices;
use mam_compiler::ir::{Body, DelayLine, Imm, InputId, Kernel, Module, Op, StateSlot, TableId, Type, Value};
use mam_grammar::Handle;

/// Entries of each row of weights.
const ROW: usize = 8;

/// A module with one kernel of an input and two outputs, and two tables: of samples, and of rows of weights. No entry is beyond ±1.
pub fn module(choices: &mut Choices) -> Module {
    let entries = |count: usize, choices: &mut Choices| -> Vec<f32> {
        (0..count).map(|_| choices.below(2048) as f32 / 1024.0 - 1.0).collect()
    };
    let length = choices.one(&[3, 4, 9, 40]);
    let tables = vec![entries(length, choices), entries(5 * ROW, choices)];
    let mut made = Dots { choices, kernel: Kernel::default(), body: Body::default(), length };
    made.kernel.name = "dots".into();
    made.kernel.inputs = vec!["x".into()];
    let frames = made.choices.one(&[8, 16, 64, 256, 512]);
    made.kernel.delays.add(DelayLine::unshared("line".into(), frames));
    made.run();
    let Dots { mut kernel, body, .. } = made;
    kernel.outputs = vec!["left".into(), "right".into()];
    (kernel.general, kernel.steady) = (body.clone(), body);
    Module { kernels: [kernel].into_iter().collect(), tables }
}

struct Dots<'a, 'b> {
    choices: &'a mut Choices<'b>,
    kernel: Kernel,
    body: Body,
    /// Entries of the table of samples.
    length: usize,
}

/// How the terms of a sum are weighted.
#[derive(Clone, Copy)]
enum Weights {
    None,
    Constant,
    Row,
    BetweenRows,
    Input,
    Shaped,
}

impl Dots<'_, '_> {
    fn run(&mut self) {
        let x = self.body.add(Op::Input(InputId::new(0)), Type::F32, &[]);
        let before = self.kernel.states.add(StateSlot::word("before".into(), Imm::F32(0.25)));
        let fed_back = self.choices.below(4) == 0;
        let place = match fed_back {
            true => self.body.add(Op::Get(before), Type::F32, &[]),
            false => x,
        };
        let index = self.index(place, self.length);
        let row = self.index(x, 4);
        let ahead = self.body.i32(ROW as i32);
        let row = self.body.op(Op::Mul, &[row, ahead]);
        let ago = self.ago(place);
        let left = self.sum((index, ago), row, x);
        let right = self.sum((index, ago), row, x);
        if fed_back {
            self.body.sets.push((before, left));
        }
        let written = if self.choices.below(2) == 0 { x } else { right };
        let half = self.body.f32(0.5);
        let written = self.body.op(Op::Mul, &[written, half]);
        self.body.writes.push((Handle::new(0), written));
        self.body.outs = vec![left, right];
    }

    /// A place as an index, perhaps bounded so that it is one of the first so many.
    fn index(&mut self, place: Value, count: usize) -> Value {
        let scale = self.body.f32(count as f32);
        let scaled = self.body.op(Op::Mul, &[place, scale]);
        let mut index = self.body.add(Op::ToInt, Type::I32, &[scaled]);
        if self.choices.below(4) > 0 {
            let (none, most) = (self.body.i32(0), self.body.i32(count as i32 - 1));
            index = self.body.op(Op::Min, &[index, most]);
            index = self.body.op(Op::Max, &[index, none]);
        }
        index
    }

    /// A place as a distance in the line, from some least one on.
    fn ago(&mut self, place: Value) -> Value {
        let frames = self.kernel.delays[Handle::new(0)].frames as i32;
        let scale = self.body.f32(frames as f32);
        let scaled = self.body.op(Op::Mul, &[place, scale]);
        let ago = self.body.add(Op::ToInt, Type::I32, &[scaled]);
        let least = self.choices.one(&[1, 3, 4, 7, 12]);
        let (least, most) = (self.body.i32(least), self.body.i32(frames - 1));
        let ago = self.body.op(Op::Min, &[ago, most]);
        self.body.op(Op::Max, &[ago, least])
    }

    fn sum(&mut self, (index, ago): (Value, Value), row: Value, x: Value) -> Value {
        let terms = self.choices.one(&[4, 5, 8, 8, 16, 19]);
        let backwards = self.choices.below(4) == 0;
        let all = [
            Weights::None,
            Weights::Constant,
            Weights::Row,
            Weights::BetweenRows,
            Weights::Input,
            Weights::Shaped,
        ];
        let weights = self.choices.one(&all);
        let of_line = self.choices.below(3) == 0;
        let mut sum: Option<Value> = None;
        for k in 0..terms {
            let by = if backwards { -k } else { k };
            let read = match of_line {
                true => {
                    let ago = self.ahead(ago, by);
                    self.body.op(Op::Read(Handle::new(0)), &[ago])
                }
                false => {
                    let index = self.ahead(index, by);
                    self.body.op(Op::Table(TableId::new(0)), &[index])
                }
            };
            // One in sixteen is of another kind.
            let weights = if self.choices.below(16) == 15 { self.choices.one(&all) } else { weights };
            let term = self.term(read, weights, (row, k % ROW as i32), x);
            sum = Some(sum.map_or(term, |sum| self.body.op(Op::Add, &[sum, term])));
        }
        sum.expect("it has terms")
    }

    fn term(&mut self, read: Value, weights: Weights, (row, k): (Value, i32), x: Value) -> Value {
        let weight = match weights {
            Weights::None => return read,
            Weights::Shaped => {
                let half = self.body.f32(0.5);
                let scaled = self.body.op(Op::Mul, &[read, half]);
                return self.body.op(Op::Abs, &[scaled]);
            }
            Weights::Constant => {
                let weight = self.choices.below(128) as f32 / 64.0 - 1.0;
                self.body.f32(weight)
            }
            Weights::Row => self.weight(row, k),
            Weights::BetweenRows => {
                let (low, high) = (self.weight(row, k), self.weight(row, k + ROW as i32));
                let difference = self.body.op(Op::Sub, &[high, low]);
                let part = self.body.f32(0.375);
                let part = self.body.op(Op::Mul, &[part, difference]);
                self.body.op(Op::Add, &[low, part])
            }
            Weights::Input => x,
        };
        match self.choices.below(8) {
            0 => self.body.op(Op::Mul, &[weight, read]),
            _ => self.body.op(Op::Mul, &[read, weight]),
        }
    }

    fn weight(&mut self, row: Value, k: i32) -> Value {
        let index = self.ahead(row, k);
        self.body.op(Op::Table(TableId::new(1)), &[index])
    }

    fn ahead(&mut self, index: Value, by: i32) -> Value {
        if by == 0 {
            return index;
        }
        let by = self.body.i32(by);
        self.body.op(Op::Add, &[index, by])
    }
}
