//! Filters of second order in blocks of four frames: a linear circle through two states whose one input is x.
//!
//! With s the states before the turn, `s' = A·s + B·x` in each frame, and an output `y = C·s + D·x`, the turn's k-th frame
//! gives `C·Aᵏ·s + D·xₖ + Σⱼ C·Aᵏ⁻¹⁻ʲ·B·xⱼ` (j < k): two products with the states, and the filter's response to a pulse,
//! convolved with the four frames of x. The states after the turn are `A⁴·s + Σⱼ A³⁻ʲ·B·xⱼ`, and those of two filters that
//! do not hear each other, such as left and right, are the four lanes of one value. What is made of the states, of x and
//! of slow numbers alone is an output too, so a filter's mix costs nothing. (All powers are computed in f64, once a segment.
//! As in [`super::scan`] it is `s + (A⁴ − 1)·s`, so that a slow filter keeps its gain.)
//!
//! It takes about half as many instructions as the scan of [`super::scan`] would for a filter and its mix.

use super::build::Widen;
use super::recurrence::Circle;
use super::scan::{exact, linear, product};
use crate::ir::{Body, Op, Rate, StateSlot, Type, Value};
use mam_grammar::Handle;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;

/// A filter in blocks.
pub(super) struct Block {
    pub(super) states: [Handle<StateSlot>; 2],
    gets: [Value; 2],
    back_edges: [Value; 2],
    /// What it hears.
    input: Value,
    /// The circle, and what is made of it and the input, in the order of the body.
    pub(super) members: Vec<Value>,
    /// Those that others hear.
    outputs: Vec<Value>,
}

/// Most outputs: each is a convolution.
const OUTPUTS: usize = 2;
/// How much a circle may take in.
const MEMBERS: usize = 40;

/// Who uses each value of a body every frame: instructions, and whether it leaves the turn in another way.
pub(super) struct Users {
    insts: Vec<Vec<Value>>,
    leaves: FxHashSet<Value>,
    sets: FxHashMap<Value, Vec<Handle<StateSlot>>>,
}

impl Users {
    pub(super) fn of(body: &Body) -> Users {
        let back_edges: FxHashMap<Handle<StateSlot>, Value> = body.sets.iter().copied().collect();
        let mut insts: Vec<Vec<Value>> = vec![vec![]; body.insts.len()];
        for (user, inst) in body.insts.iter() {
            let next = if let Op::Get(state) = inst.op { back_edges.get(&state).copied() } else { None };
            let before = inst.args.as_slice().iter().copied().chain(next);
            before.for_each(|value| insts[value.index()].push(user));
        }
        let mut sets: FxHashMap<Value, Vec<Handle<StateSlot>>> = FxHashMap::default();
        body.sets.iter().for_each(|(state, value)| sets.entry(*value).or_default().push(*state));
        let leaves = body.outs.iter().copied().chain(body.writes.iter().map(|(_, value)| *value)).collect();
        Users { insts, leaves, sets }
    }
}

/// A linear circle as a block, if it is one.
pub(super) fn block(body: &Body, rates: &[Rate], users: &Users, circle: &Circle) -> Option<Block> {
    let linear = linear(body, rates, circle)?;
    let (&[one, other], &[first, second]) = (linear.states.as_slice(), linear.gets.as_slice()) else {
        return None;
    };
    let &[next, after] = linear.back_edges.as_slice() else { return None };
    let sample = |value: &&Value| rates[value.index()] == Rate::Sample;
    let operands = circle.iter().flat_map(|value| body.insts[*value].args.as_slice());
    let mut heard = operands.filter(sample).filter(|value| !circle.contains(value));
    let input = *heard.next()?;
    if heard.any(|value| *value != input) || body.ty(input) != Type::F32 {
        return None;
    }
    let mut inside: FxHashSet<Value> = circle.iter().copied().collect();
    let known = |inside: &FxHashSet<Value>, value: Value| value == input || inside.contains(&value);
    let own = |value: &Value| {
        matches!(body.insts[*value].op, Op::Get(_)) || adds(body, rates, *value, &|v| known(&inside, v))
    };
    if !circle.iter().all(own) {
        return None;
    }
    // Whether one that is inside is heard elsewhere.
    let states = [one, other];
    let is_heard = |inside: &FxHashSet<Value>, value: Value, but: Option<Value>| {
        let user = |user: &Value| !inside.contains(user) && Some(*user) != but;
        let set = |state: &Handle<StateSlot>| !states.contains(state);
        users.leaves.contains(&value)
            || users.insts[value.index()].iter().any(user)
            || users.sets.get(&value).is_some_and(|all| all.iter().any(set))
    };
    let mut open: BTreeSet<Value> =
        circle.iter().flat_map(|value| &users.insts[value.index()]).copied().collect();
    while let Some(value) = open.pop_first() {
        // It takes the place of what only it hears.
        let instead = |arg: &Value| inside.contains(arg) && !is_heard(&inside, *arg, Some(value));
        if !inside.contains(&value)
            && inside.len() < MEMBERS
            && body.ty(value) == Type::F32
            && adds(body, rates, value, &|v| known(&inside, v))
            && body.insts[value].args.as_slice().iter().any(instead)
        {
            inside.insert(value);
            open.extend(&users.insts[value.index()]);
        }
    }
    let mut members: Vec<Value> = inside.iter().copied().collect();
    members.sort();
    let outputs: Vec<Value> =
        members.iter().copied().filter(|value| is_heard(&inside, *value, None)).collect();
    let (gets, back_edges) = ([first, second], [next, after]);
    (outputs.len() <= OUTPUTS).then_some(Block { states, gets, back_edges, input, members, outputs })
}

/// Whether a value is a sum of slow multiples of known ones.
fn adds(body: &Body, rates: &[Rate], value: Value, known: &dyn Fn(Value) -> bool) -> bool {
    let slow = |value: Value| rates[value.index()] != Rate::Sample;
    let inst = &body.insts[value];
    let shape = match (inst.op, inst.args.as_slice()) {
        (Op::Neg, _) => true,
        (Op::Add | Op::Sub, &[a, b]) => !slow(a) && !slow(b),
        (Op::Mul, &[a, b]) => slow(a) != slow(b),
        (Op::Div, &[a, b]) => !slow(a) && slow(b),
        (Op::Fma, &[a, b, c]) => slow(a) != slow(b) && !slow(c),
        _ => false,
    };
    shape && inst.args.as_slice().iter().all(|arg| slow(*arg) || known(*arg))
}

/// How much of each state, and of the input, is in a value.
type Parts = [Option<Value>; 3];

impl Widen<'_> {
    /// One filter, or two that do not hear each other.
    pub(super) fn blocks(&mut self, blocks: &[&Block]) {
        let both = [blocks[0], blocks[blocks.len() - 1]];
        let parts: Vec<FxHashMap<Value, Parts>> = blocks.iter().map(|block| self.parts(block)).collect();
        let parts = [&parts[0], &parts[blocks.len() - 1]];
        // A and B, and what a pulse leaves in the states after 0 to 3 further frames.
        let a = [0, 1].map(|i| both[i].back_edges.map(|next| [0, 1].map(|j| self.part(parts[i][&next][j]))));
        let b = [0, 1].map(|i| both[i].back_edges.map(|next| self.part(parts[i][&next][2])));
        let a = a.map(|rows| rows.map(|row| row.to_vec()).to_vec());
        let pulses = [0, 1].map(|i| {
            let mut pulse = b[i];
            [0; 4].map(|_| {
                let later = self.times(&a[i], pulse);
                std::mem::replace(&mut pulse, later)
            })
        });
        let inputs = both.map(|block| self.lanes(block.input));
        let lane = |own: &mut Self, i: usize, k: u8| own.new.op(Op::Extract(k), &[inputs[i]]);
        let entries: Vec<Value> =
            [0, 1, 2, 3].map(|k| self.state_at_start(both[k / 2].states[k % 2])).to_vec();
        let start = self.new.op(Op::Pack, &entries);
        let before = self.carry(start);
        let mut change: Option<Value> = None;
        for k in 0..4_u8 {
            let heard = [(0, k), (0, k), (1, k), (1, k)].map(|(i, k)| lane(self, i, k));
            let heard = self.new.op(Op::Pack, &heard);
            let factors = [0, 1, 2, 3].map(|j| pulses[j / 2][3 - usize::from(k)][j % 2]);
            change = Some(self.more(factors, heard, change));
        }
        let four = [0, 1].map(|i| {
            let two = product(&mut self.new, &a[i], &a[i]);
            product(&mut self.new, &two, &two)
        });
        let one = self.new.f64(1.0);
        let missing = [0, 1, 2, 3].map(|k| self.new.op(Op::Sub, &[four[k / 2][k % 2][k % 2], one]));
        let change = self.more(missing, before, change);
        let turned = [1, 0, 3, 2].map(|k| self.new.op(Op::Extract(k), &[before]));
        let turned = self.new.op(Op::Pack, &turned);
        let change = self.more([0, 1, 2, 3].map(|k| four[k / 2][k % 2][1 - k % 2]), turned, Some(change));
        let after = self.new.op(Op::Add, &[before, change]);
        self.new.back_edges.push((before, after));
        for (i, block) in blocks.iter().enumerate() {
            for (j, state) in block.states.iter().enumerate() {
                let last = self.new.op(Op::Extract((2 * i + j) as u8), &[after]);
                self.last.insert(*state, last);
            }
            let states = [0, 1].map(|j| {
                let state = self.new.op(Op::Extract((2 * i + j) as u8), &[before]);
                self.new.op(Op::Splat, &[state])
            });
            let input = inputs[i];
            let first = self.new.op(Op::Extract(0), &[input]);
            let slid = [input, self.slid(input, 1), self.slid(input, 2), self.new.op(Op::Splat, &[first])];
            for output in &block.outputs {
                let own = parts[i][output];
                let lanes = self.output(own, &a[i], &pulses[i], states, slid);
                self.wide[output.index()].lanes = Some(lanes);
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
                let terms = [0, 1].map(|i| self.new.op(Op::Mul, &[c[i], a[i][j]]));
                self.new.op(Op::Add, &terms)
            });
        }
        let mut sum = None;
        for j in 0..2 {
            let factors = std::array::from_fn(|k| of[j][k]);
            sum = Some(self.more(factors, states[j], sum));
        }
        let c = [self.part(own[0]), self.part(own[1])];
        let direct = self.part(own[2]);
        let near = self.more([direct; 4], slid[0], sum);
        // What a pulse gives so many frames later.
        let pulse = |own: &mut Self, ago: usize| {
            let terms = [0, 1].map(|j| own.new.op(Op::Mul, &[c[j], pulses[ago - 1][j]]));
            own.new.op(Op::Add, &terms)
        };
        let [one, two, three] = [1, 2, 3].map(|ago| pulse(self, ago));
        let near = self.delayed(one, 1, slid[1], Some(near));
        let far = self.delayed(two, 2, slid[2], None);
        let far = self.delayed(three, 3, slid[3], Some(far));
        // Two sums, of which neither waits for the other: filters in a row wait for each other long enough.
        self.new.op(Op::Add, &[near, far])
    }

    /// A factor of what was heard so many frames ago in the turn, added to what there is.
    fn delayed(&mut self, factor: Value, ago: usize, slid: Value, sum: Option<Value>) -> Value {
        let factor = self.lanes_since(factor, ago);
        match sum {
            Some(sum) => self.mad(factor, slid, sum),
            None => self.new.op(Op::Mul, &[factor, slid]),
        }
    }

    /// The factors, rounded, of a value, added to what there is.
    fn more(&mut self, factors: [Value; 4], value: Value, sum: Option<Value>) -> Value {
        let factors = factors.map(|factor| self.new.op(Op::Demote, &[factor]));
        let factors = self.new.op(Op::Pack, &factors);
        match sum {
            Some(sum) => self.mad(factors, value, sum),
            None => self.new.op(Op::Mul, &[factors, value]),
        }
    }

    fn part(&mut self, part: Option<Value>) -> Value {
        part.unwrap_or_else(|| self.new.f64(0.0))
    }

    fn times(&mut self, a: &[Vec<Value>], x: [Value; 2]) -> [Value; 2] {
        [0, 1].map(|i| {
            let terms = [0, 1].map(|j| self.new.op(Op::Mul, &[a[i][j], x[j]]));
            self.new.op(Op::Add, &terms)
        })
    }

    /// What each member is made of.
    fn parts(&mut self, block: &Block) -> FxHashMap<Value, Parts> {
        let one = Some(self.new.f64(1.0));
        let mut parts: FxHashMap<Value, Parts> = FxHashMap::default();
        parts.insert(block.gets[0], [one, None, None]);
        parts.insert(block.gets[1], [None, one, None]);
        parts.insert(block.input, [None, None, one]);
        for value in block.members.iter().filter(|value| !block.gets.contains(value)) {
            let inst = &self.old.insts[*value];
            let of = |own: &mut Self, arg: Value| match parts.get(&arg) {
                Some(parts) => Ok(*parts),
                None => Err(exact(&mut own.new, own.wide[arg.index()].slow.expect("a slow factor"))),
            };
            let args: Vec<Result<Parts, Value>> =
                inst.args.as_slice().iter().map(|arg| of(self, *arg)).collect();
            let made = match (inst.op, args.as_slice()) {
                (Op::Neg, &[Ok(a)]) => a.map(|a| a.map(|a| self.new.op(Op::Neg, &[a]))),
                (Op::Add, &[Ok(a), Ok(b)]) => self.sum(a, b),
                (Op::Sub, &[Ok(a), Ok(b)]) => {
                    let b = b.map(|b| b.map(|b| self.new.op(Op::Neg, &[b])));
                    self.sum(a, b)
                }
                (Op::Mul, &[Ok(a), Err(by)] | &[Err(by), Ok(a)]) => self.multiplied(a, by),
                (Op::Div, &[Ok(a), Err(by)]) => a.map(|a| a.map(|a| self.new.op(Op::Div, &[a, by]))),
                (Op::Fma, &[Ok(a), Err(by), Ok(b)] | &[Err(by), Ok(a), Ok(b)]) => {
                    let a = self.multiplied(a, by);
                    self.sum(a, b)
                }
                _ => unreachable!("a sum of slow multiples"),
            };
            parts.insert(*value, made);
        }
        parts
    }

    fn multiplied(&mut self, a: Parts, by: Value) -> Parts {
        a.map(|a| a.map(|a| self.new.op(Op::Mul, &[a, by])))
    }

    fn sum(&mut self, a: Parts, b: Parts) -> Parts {
        std::array::from_fn(|i| match (a[i], b[i]) {
            (Some(a), Some(b)) => Some(self.new.op(Op::Add, &[a, b])),
            (one, None) | (None, one) => one,
        })
    }
}
