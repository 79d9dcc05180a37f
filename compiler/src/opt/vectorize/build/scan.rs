//! Scans in lanes: linear recurrences, and those within a bound.

use super::Builder;
use crate::ir::{Imm, Op, Value};
use crate::opt::vectorize::clamp::Clamp;
use crate::opt::vectorize::scan::{Linear, Matrix, Slope, product};
use rustc_hash::FxHashMap;

/// A bound that is none.
const FAR: f32 = 1e30;

impl Builder<'_> {
    /// A linear recurrence in lanes.
    pub(super) fn linear(&mut self, linear: &Linear) {
        let count = linear.gets.len();
        let mut factor = |slope: &Option<Slope>| match slope {
            Some(slope) => self.factor(slope),
            None => self.b.new.f64(0.0),
        };
        let one: Matrix = linear.slopes.iter().map(|row| row.iter().map(&mut factor).collect()).collect();
        let two = product(&mut self.b.new, &one, &one);
        let three = product(&mut self.b.new, &two, &one);
        let four = product(&mut self.b.new, &two, &two);
        // What each frame adds is what comes of states of 0.
        let added = self.with_zero_states(&linear.gets, &linear.members);
        let zero = self.b.new.constant(Imm::F32(0.0), 4);
        let added: Vec<Value> = linear.nexts.iter().map(|next| added[next].unwrap_or(zero)).collect();
        let pairs = self.scan(&one, &added, 1);
        let sums = self.scan(&two, &pairs, 2);
        let entries: Vec<Value> = linear.states.iter().map(|state| self.live_in(*state)).collect();
        let before: Vec<Value> = entries.into_iter().map(|entry| self.loop_carried(entry)).collect();
        let mut after = vec![];
        for i in 0..count {
            let mut change = sums[i];
            for (j, before) in before.iter().enumerate() {
                let powers = [&one, &two, &three, &four].map(|power| power[i][j]);
                let lanes = self.powers_less_one(powers, i == j);
                change = self.mad(lanes, *before, change);
            }
            after.push(self.b.op(Op::Add, &[before[i], change]));
        }
        // And the members with the states as they are.
        for (i, get) in linear.gets.iter().enumerate() {
            let lanes = self.later(after[i], before[i]);
            self.b.define_lanes(*get, lanes);
        }
        self.members(&linear.gets, &linear.members);
        for i in 0..count {
            self.define_next(linear.gets[i], linear.nexts[i], before[i], after[i]);
        }
    }

    /// x + A·slide(x), the slide over so many frames.
    fn scan(&mut self, a: &Matrix, x: &[Value], frames: usize) -> Vec<Value> {
        let slid: Vec<Value> = x.iter().map(|x| self.slid(*x, frames)).collect();
        let mut sums = x.to_vec();
        for (sum, row) in sums.iter_mut().zip(a) {
            for (factor, slid) in row.iter().zip(&slid) {
                let factor = self.lanes_since(*factor, frames);
                *sum = self.mad(factor, *slid, *sum);
            }
        }
        sums
    }

    /// Lanes so many frames later. What the first ones are is for a factor that is 0 there: they repeat the first lane,
    /// which takes one instruction, where zeros would take two.
    pub(super) fn slid(&mut self, x: Value, frames: usize) -> Value {
        let first = self.b.op(Op::Extract(0), &[x]);
        (0..frames).fold(x, |x, _| self.b.op(Op::Slide, &[x, first]))
    }

    /// A factor as lanes, 0 before a frame.
    pub(super) fn lanes_since(&mut self, factor: Value, frame: usize) -> Value {
        let (factor, zero) = (self.b.op(Op::Demote, &[factor]), self.b.new.f32(0.0));
        let lanes: [Value; 4] = std::array::from_fn(|lane| if lane < frame { zero } else { factor });
        self.b.op(Op::Pack, &lanes)
    }

    /// An entry of the first four powers as lanes; less 1 on the diagonal.
    pub(super) fn powers_less_one(&mut self, powers: [Value; 4], diagonal: bool) -> Value {
        let one = self.b.new.f64(1.0);
        let lanes = powers.map(|power| {
            let power = if diagonal { self.b.op(Op::Sub, &[power, one]) } else { power };
            self.b.op(Op::Demote, &[power])
        });
        self.b.op(Op::Pack, &lanes)
    }

    /// Widens the members of a recurrence whose states are known.
    fn members(&mut self, gets: &[Value], members: &[Value]) {
        for member in members.iter().filter(|member| !gets.contains(member)) {
            let lanes = self.b.widened(*member);
            self.b.define_lanes(*member, lanes);
        }
    }

    /// What the members are where all states are 0; none where that is 0. The signs of zeros do not matter here.
    fn with_zero_states(&mut self, gets: &[Value], members: &[Value]) -> FxHashMap<Value, Option<Value>> {
        let mut known: FxHashMap<Value, Option<Value>> = gets.iter().map(|get| (*get, None)).collect();
        for member in members.iter().filter(|member| !gets.contains(member)) {
            let (op, args) = (self.b.old.insts[*member].op, self.b.old.insts[*member].args);
            let mut lanes = |arg: &Value| known.get(arg).copied().unwrap_or_else(|| Some(self.b.lanes(*arg)));
            let args: Vec<Option<Value>> = args.as_slice().iter().map(&mut lanes).collect();
            let now = match (op, args.as_slice()) {
                (Op::Add, &[one, None] | &[None, one]) | (Op::Sub, &[one, None]) => one,
                (Op::Sub, &[None, Some(one)]) => Some(self.b.op(Op::Neg, &[one])),
                (Op::Fma, &[None, _, sum] | &[_, None, sum]) => sum,
                (Op::Fma, &[Some(x), Some(y), None]) => Some(self.b.op(Op::Mul, &[x, y])),
                (_, args) => {
                    let args: Option<Vec<Value>> = args.iter().copied().collect();
                    args.map(|args| self.b.op(op, &args))
                }
            };
            known.insert(*member, now);
        }
        known
    }

    /// A recurrence within a bound in lanes.
    pub(super) fn clamp(&mut self, clamp: &Clamp) {
        let op = self.b.old.insts[clamp.next].op;
        let one = self.factor(&clamp.slope);
        let two = self.b.op(Op::Mul, &[one, one]);
        let three = self.b.op(Op::Mul, &[two, one]);
        let four = self.b.op(Op::Mul, &[two, two]);
        let none = self.b.new.f64(0.0);
        let falls = self.b.op(Op::Le, &[none, one]);
        self.only_if(falls);
        let zero = self.b.new.constant(Imm::F32(0.0), 4);
        let mut sums =
            self.with_zero_states(&[clamp.get], &clamp.inner_members)[&clamp.inner].unwrap_or(zero);
        let mut bounds = self.b.lanes(clamp.bound);
        let far = self.b.new.f32(if op == Op::Max { -FAR } else { FAR });
        for (factor, frames) in [(one, 1), (two, 2)] {
            let from = self.lanes_since(factor, frames);
            let factor = self.b.op(Op::Demote, &[factor]);
            let factor = self.b.op(Op::Splat, &[factor]);
            let earlier = (0..frames).fold(bounds, |x, _| self.b.op(Op::Slide, &[x, far]));
            let bound = self.mad(factor, earlier, sums);
            bounds = self.b.op(op, &[bounds, bound]);
            let sum = self.slid(sums, frames);
            sums = self.mad(from, sum, sums);
        }
        let entry = self.live_in(clamp.state);
        let before = self.loop_carried(entry);
        let lanes = self.powers_less_one([one, two, three, four], true);
        let change = self.mad(lanes, before, sums);
        let sum = self.b.op(Op::Add, &[before, change]);
        let after = self.b.op(op, &[bounds, sum]);
        // And the members with the states as they are.
        let lanes = self.later(after, before);
        self.b.define_lanes(clamp.get, lanes);
        self.members(&[clamp.get], &clamp.inner_members);
        self.define_next(clamp.get, clamp.next, before, after);
    }
}
