//! Filters of second order in lanes, in blocks of four frames.

use super::Builder;
use crate::ir::{Op, Value};
use crate::opt::vectorize::block_filter::BlockFilter;
use crate::opt::vectorize::scan::{exact, product};
use rustc_hash::FxHashMap;

/// How much of each state, and of the input, is in a value.
type Parts = [Option<Value>; 3];

impl Builder<'_> {
    /// One filter, or two that do not hear each other.
    pub(super) fn block_filters(&mut self, blocks: &[BlockFilter]) {
        let both = [&blocks[0], &blocks[blocks.len() - 1]];
        let parts: Vec<FxHashMap<Value, Parts>> = blocks.iter().map(|block| self.parts(block)).collect();
        let parts = [&parts[0], &parts[blocks.len() - 1]];
        // A and B, and what a pulse leaves in the states after 0 to 3 further frames.
        let a = [0, 1].map(|i| both[i].nexts.map(|next| [0, 1].map(|j| self.part(parts[i][&next][j]))));
        let b = [0, 1].map(|i| both[i].nexts.map(|next| self.part(parts[i][&next][2])));
        let a = a.map(|rows| rows.map(|row| row.to_vec()).to_vec());
        let pulses = [0, 1].map(|i| {
            let mut pulse = b[i];
            [0; 4].map(|_| {
                let later = self.times(&a[i], pulse);
                std::mem::replace(&mut pulse, later)
            })
        });
        let inputs = both.map(|block| self.b.lanes(block.input));
        let lane = |own: &mut Self, i: usize, k: u8| own.b.op(Op::Extract(k), &[inputs[i]]);
        let entries: Vec<Value> =
            [0, 1, 2, 3].map(|k| self.state_at_start(both[k / 2].states[k % 2])).to_vec();
        let start = self.b.op(Op::Pack, &entries);
        let before = self.loop_carried(start);
        let mut change: Option<Value> = None;
        for k in 0..4_u8 {
            let heard = [(0, k), (0, k), (1, k), (1, k)].map(|(i, k)| lane(self, i, k));
            let heard = self.b.op(Op::Pack, &heard);
            let factors = [0, 1, 2, 3].map(|j| pulses[j / 2][3 - usize::from(k)][j % 2]);
            change = Some(self.add_scaled(factors, heard, change));
        }
        let four = [0, 1].map(|i| {
            let two = product(&mut self.b.new, &a[i], &a[i]);
            product(&mut self.b.new, &two, &two)
        });
        let one = self.b.new.f64(1.0);
        let less_one = [0, 1, 2, 3].map(|k| self.b.op(Op::Sub, &[four[k / 2][k % 2][k % 2], one]));
        let change = self.add_scaled(less_one, before, change);
        let turned = [1, 0, 3, 2].map(|k| self.b.op(Op::Extract(k), &[before]));
        let turned = self.b.op(Op::Pack, &turned);
        let change =
            self.add_scaled([0, 1, 2, 3].map(|k| four[k / 2][k % 2][1 - k % 2]), turned, Some(change));
        let after = self.b.op(Op::Add, &[before, change]);
        self.b.new.back_edges.push((before, after));
        for (i, block) in blocks.iter().enumerate() {
            for (j, state) in block.states.iter().enumerate() {
                let last = self.b.op(Op::Extract((2 * i + j) as u8), &[after]);
                self.last.insert(*state, last);
            }
            let states = [0, 1].map(|j| {
                let state = self.b.op(Op::Extract((2 * i + j) as u8), &[before]);
                self.b.op(Op::Splat, &[state])
            });
            let input = inputs[i];
            let first = self.b.op(Op::Extract(0), &[input]);
            let slid = [input, self.slid(input, 1), self.slid(input, 2), self.b.op(Op::Splat, &[first])];
            for output in &block.outputs {
                let own = parts[i][output];
                let lanes = self.output(own, &a[i], &pulses[i], states, slid);
                self.b.define_lanes(*output, lanes);
            }
        }
    }

    /// An output in the four frames.
    fn output(
        &mut self,
        own: Parts,
        a: &[Vec<Value>],
        pulses: &[[Value; 2]; 4],
        states: [Value; 2],
        slid: [Value; 4],
    ) -> Value {
        let mut c = [self.part(own[0]), self.part(own[1])];
        // Of both states, frame by frame.
        let mut of: [Vec<Value>; 2] = [vec![], vec![]];
        for _ in 0..4 {
            (0..2).for_each(|j| of[j].push(c[j]));
            c = [0, 1].map(|j| {
                let terms = [0, 1].map(|i| self.b.op(Op::Mul, &[c[i], a[i][j]]));
                self.b.op(Op::Add, &terms)
            });
        }
        let mut sum = None;
        for j in 0..2 {
            let factors = std::array::from_fn(|k| of[j][k]);
            sum = Some(self.add_scaled(factors, states[j], sum));
        }
        let c = [self.part(own[0]), self.part(own[1])];
        let direct = self.part(own[2]);
        let recent = self.add_scaled([direct; 4], slid[0], sum);
        // What a pulse gives so many frames later.
        let pulse = |own: &mut Self, ago: usize| {
            let terms = [0, 1].map(|j| own.b.op(Op::Mul, &[c[j], pulses[ago - 1][j]]));
            own.b.op(Op::Add, &terms)
        };
        let [one, two, three] = [1, 2, 3].map(|ago| pulse(self, ago));
        let recent = self.delayed(one, 1, slid[1], Some(recent));
        let earlier = self.delayed(two, 2, slid[2], None);
        let earlier = self.delayed(three, 3, slid[3], Some(earlier));
        // Two sums, of which neither waits for the other: filters in a row wait for each other long enough.
        self.b.op(Op::Add, &[recent, earlier])
    }

    /// A factor of what was heard so many frames ago in the iteration, added to what there is.
    fn delayed(&mut self, factor: Value, ago: usize, slid: Value, sum: Option<Value>) -> Value {
        let factor = self.lanes_since(factor, ago);
        match sum {
            Some(sum) => self.mad(factor, slid, sum),
            None => self.b.op(Op::Mul, &[factor, slid]),
        }
    }

    /// The factors, rounded, of a value, added to what there is.
    fn add_scaled(&mut self, factors: [Value; 4], value: Value, sum: Option<Value>) -> Value {
        let factors = factors.map(|factor| self.b.op(Op::Demote, &[factor]));
        let factors = self.b.op(Op::Pack, &factors);
        match sum {
            Some(sum) => self.mad(factors, value, sum),
            None => self.b.op(Op::Mul, &[factors, value]),
        }
    }

    fn part(&mut self, part: Option<Value>) -> Value {
        part.unwrap_or_else(|| self.b.new.f64(0.0))
    }

    fn times(&mut self, a: &[Vec<Value>], x: [Value; 2]) -> [Value; 2] {
        [0, 1].map(|i| {
            let terms = [0, 1].map(|j| self.b.op(Op::Mul, &[a[i][j], x[j]]));
            self.b.op(Op::Add, &terms)
        })
    }

    /// What each member is made of.
    fn parts(&mut self, block: &BlockFilter) -> FxHashMap<Value, Parts> {
        let one = Some(self.b.new.f64(1.0));
        let mut parts: FxHashMap<Value, Parts> = FxHashMap::default();
        parts.insert(block.gets[0], [one, None, None]);
        parts.insert(block.gets[1], [None, one, None]);
        parts.insert(block.input, [None, None, one]);
        for value in block.members.iter().filter(|value| !block.gets.contains(value)) {
            let inst = &self.b.old.insts[*value];
            let of = |own: &mut Self, arg: Value| match parts.get(&arg) {
                Some(parts) => Ok(*parts),
                None => {
                    let factor = own.b.uniform(arg).expect("a loop-invariant factor");
                    Err(exact(&mut own.b.new, factor))
                }
            };
            let args: Vec<Result<Parts, Value>> =
                inst.args.as_slice().iter().map(|arg| of(self, *arg)).collect();
            let made = match (inst.op, args.as_slice()) {
                (Op::Neg, &[Ok(a)]) => a.map(|a| a.map(|a| self.b.op(Op::Neg, &[a]))),
                (Op::Add, &[Ok(a), Ok(b)]) => self.sum(a, b),
                (Op::Sub, &[Ok(a), Ok(b)]) => {
                    let b = b.map(|b| b.map(|b| self.b.op(Op::Neg, &[b])));
                    self.sum(a, b)
                }
                (Op::Mul, &[Ok(a), Err(by)] | &[Err(by), Ok(a)]) => self.multiplied(a, by),
                (Op::Div, &[Ok(a), Err(by)]) => a.map(|a| a.map(|a| self.b.op(Op::Div, &[a, by]))),
                (Op::Fma, &[Ok(a), Err(by), Ok(b)] | &[Err(by), Ok(a), Ok(b)]) => {
                    let a = self.multiplied(a, by);
                    self.sum(a, b)
                }
                _ => unreachable!("a sum of loop-invariant multiples"),
            };
            parts.insert(*value, made);
        }
        parts
    }

    fn multiplied(&mut self, a: Parts, by: Value) -> Parts {
        a.map(|a| a.map(|a| self.b.op(Op::Mul, &[a, by])))
    }

    fn sum(&mut self, a: Parts, b: Parts) -> Parts {
        std::array::from_fn(|i| match (a[i], b[i]) {
            (Some(a), Some(b)) => Some(self.b.op(Op::Add, &[a, b])),
            (one, None) | (None, one) => one,
        })
    }
}
