//! The linear form: a circle through one or two f32 states that is `A·s + x` as a whole, with a slow A: one-poles, and
//! what is no [`super::block_filter`].
//!
//! With s the states before the turn and xₖ what the k-th frame adds, the states after the frames are
//! `Aᵏ⁺¹·s + Qₖ`, where `Qₖ = Σⱼ Aᵏ⁻ʲ·xⱼ`: two steps of a scan, `P = x + A·slide(x)`, `Q = P + A²·slide²(P)`. So only
//! one multiplication by a matrix and two additions a turn wait for the turn before.
//!
//! It is computed as `s + ((Aᵏ⁺¹ − 1)·s + Qₖ)`: for a slow filter A is nearly 1, and what is missing to 1 would lose
//! most of its digits in an f32, and the filter its gain. Where one state is known to creep like that ([`Linear::creeps`])
//! the circle stays an island: it adds up the roundings of hundreds of frames, and those of lanes are others.

use super::build::Widen;
use super::recurrence::{Circle, next_of};
use crate::ir::{Body, Imm, Op, Rate, StateSlot, Type, Value};
use mam_grammar::Handle;
use rustc_hash::FxHashMap;

/// A linear circle.
pub(super) struct Linear {
    pub(super) states: Vec<Handle<StateSlot>>,
    pub(super) gets: Vec<Value>,
    pub(super) back_edges: Vec<Value>,
    /// The matrix: how much of each state is in what each is set to, row by row. None is 0.
    slopes: Vec<Vec<Option<Slope>>>,
}

/// How much of the state is in a value, as a formula of slow values of the old body.
#[derive(Clone, Debug)]
pub(super) enum Slope {
    One,
    Neg(Box<Slope>),
    Add(Box<Slope>, Box<Slope>),
    Mul(Box<Slope>, Value),
    Div(Box<Slope>, Value),
}

impl Slope {
    /// Its value, where the compiler knows it.
    fn known(&self, body: &Body) -> Option<f64> {
        let by = |value: Value| match body.as_const(value)? {
            Imm::F32(x) => Some(f64::from(x)),
            Imm::F64(x) => Some(x),
            _ => None,
        };
        Some(match self {
            Slope::One => 1.0,
            Slope::Neg(a) => -a.known(body)?,
            Slope::Add(a, b) => a.known(body)? + b.known(body)?,
            Slope::Mul(a, b) => a.known(body)? * by(*b)?,
            Slope::Div(a, b) => a.known(body)? / by(*b)?,
        })
    }
}

impl Linear {
    /// Whether it has one state, of which less than a 256th is gone in each frame.
    pub(super) fn creeps(&self, body: &Body) -> bool {
        let [row] = &self.slopes[..] else { return false };
        let factor = row[0].as_ref().and_then(|slope| slope.known(body));
        factor.is_some_and(|a| 1.0 - 1.0 / 256.0 < a && a < 1.0)
    }
}

/// How large a circle may be: a slope follows each member once for each of its users.
const MEMBERS: usize = 24;
/// Through how many states.
const STATES: usize = 2;

/// The circle as a linear one.
pub(super) fn linear(body: &Body, rates: &[Rate], circle: &Circle) -> Option<Linear> {
    let gets: Vec<(Value, Handle<StateSlot>)> = circle
        .iter()
        .filter_map(|v| match body.insts[*v].op {
            Op::Get(state) => Some((*v, state)),
            _ => None,
        })
        .collect();
    let f32s = circle.iter().all(|v| body.ty(*v) == Type::F32);
    if gets.len() > STATES || circle.len() > MEMBERS || !f32s {
        return None;
    }
    // Linear in all states together, and so in each: a product of two members is none.
    slopes(body, rates, circle, |_| true, true)?;
    let each = gets.iter().map(|(get, _)| slopes(body, rates, circle, |other| other == *get, false));
    let each: Vec<FxHashMap<Value, Slope>> = each.collect::<Option<_>>()?;
    let back_edges = gets.iter().map(|(_, state)| next_of(body, Op::Get(*state)));
    let back_edges: Vec<Value> = back_edges.collect::<Option<_>>()?;
    let row = |next: &Value| each.iter().map(|slopes| slopes.get(next).cloned()).collect();
    Some(Linear {
        states: gets.iter().map(|(_, state)| *state).collect(),
        gets: gets.iter().map(|(get, _)| *get).collect(),
        slopes: back_edges.iter().map(row).collect(),
        back_edges,
    })
}

/// How each member depends on the states of some `get`s. `all` of them have to: else none.
pub(super) fn slopes(
    body: &Body,
    rates: &[Rate],
    circle: &Circle,
    of: impl Fn(Value) -> bool,
    all: bool,
) -> Option<FxHashMap<Value, Slope>> {
    let mut slopes: FxHashMap<Value, Slope> = FxHashMap::default();
    for value in circle {
        let slope = match body.insts[*value].op {
            Op::Get(_) => of(*value).then_some(Slope::One),
            _ => slope(body, rates, &slopes, *value),
        };
        match slope {
            Some(slope) => _ = slopes.insert(*value, slope),
            None if all => return None,
            None => {}
        }
    }
    Some(slopes)
}

/// The slope of a member whose operands are known; none where it is not linear.
pub(super) fn slope(
    body: &Body,
    rates: &[Rate],
    known: &FxHashMap<Value, Slope>,
    value: Value,
) -> Option<Slope> {
    use Slope::{Add, Div, Mul, Neg};
    let of = |v: Value| known.get(&v).cloned();
    let slow = |v: Value| rates[v.index()] != Rate::Sample;
    let sum = |a: Option<Slope>, b: Option<Slope>| match (a, b) {
        (Some(a), Some(b)) => Some(Add(a.into(), b.into())),
        (one, None) | (None, one) => one,
    };
    let times = |a: Value, b: Value| match (of(a), of(b)) {
        (Some(slope), None) if slow(b) => Some(Mul(slope.into(), b)),
        (None, Some(slope)) if slow(a) => Some(Mul(slope.into(), a)),
        _ => None,
    };
    let inst = &body.insts[value];
    match (inst.op, inst.args.as_slice()) {
        (Op::Neg, &[a]) => Some(Neg(of(a)?.into())),
        (Op::Add, &[a, b]) => sum(of(a), of(b)),
        (Op::Sub, &[a, b]) => sum(of(a), of(b).map(|b| Neg(b.into()))),
        (Op::Mul, &[a, b]) => times(a, b),
        (Op::Div, &[a, b]) if slow(b) => Some(Div(of(a)?.into(), b)),
        // A product outside the circle is what is added.
        (Op::Fma, &[a, b, c]) => match (of(a).or(of(b)), times(a, b)) {
            (None, _) => of(c),
            (Some(_), product) => sum(Some(product?), of(c)),
        },
        _ => None,
    }
}

/// A slow f32 as an f64, before it was rounded if it was.
pub(super) fn exact(new: &mut Body, value: Value) -> Value {
    match (new.insts[value].op, new.insts[value].args.as_slice()) {
        (Op::Demote, &[x]) => x,
        (Op::Const(Imm::F32(x)), _) => new.f64(f64::from(x)),
        _ => new.op(Op::Promote, &[value]),
    }
}

/// A slope as an f64. `slow` gives the new value of an old slow one.
pub(super) fn formula(slope: &Slope, new: &mut Body, slow: &mut impl FnMut(Value) -> Value) -> Value {
    let wide = |new: &mut Body, slow: &mut dyn FnMut(Value) -> Value, value: Value| {
        let value = slow(value);
        exact(new, value)
    };
    match slope {
        Slope::One => new.f64(1.0),
        Slope::Neg(a) => {
            let a = formula(a, new, slow);
            new.op(Op::Neg, &[a])
        }
        Slope::Add(a, b) => {
            let (a, b) = (formula(a, new, slow), formula(b, new, slow));
            new.op(Op::Add, &[a, b])
        }
        Slope::Mul(a, by) => {
            let (a, by) = (formula(a, new, slow), wide(new, slow, *by));
            new.op(Op::Mul, &[a, by])
        }
        Slope::Div(a, by) => {
            let (a, by) = (formula(a, new, slow), wide(new, slow, *by));
            new.op(Op::Div, &[a, by])
        }
    }
}

/// A matrix of f64 values.
pub(super) type Matrix = Vec<Vec<Value>>;

pub(super) fn product(new: &mut Body, a: &Matrix, b: &Matrix) -> Matrix {
    let mut entry = |i: usize, j: usize| {
        let mut terms =
            (0..a.len()).map(|k| new.op(Op::Mul, &[a[i][k], b[k][j]])).collect::<Vec<_>>().into_iter();
        let first = terms.next().expect("a matrix has entries");
        terms.fold(first, |sum, term| new.op(Op::Add, &[sum, term]))
    };
    (0..a.len()).map(|i| (0..a.len()).map(|j| entry(i, j)).collect()).collect()
}

impl Widen<'_> {
    /// A linear circle in lanes.
    pub(super) fn linear(&mut self, linear: &Linear, circle: &Circle) {
        let count = linear.gets.len();
        let mut factor = |slope: &Option<Slope>| match slope {
            Some(slope) => self.factor(slope),
            None => self.new.f64(0.0),
        };
        let one: Matrix = linear.slopes.iter().map(|row| row.iter().map(&mut factor).collect()).collect();
        let two = product(&mut self.new, &one, &one);
        let three = product(&mut self.new, &two, &one);
        let four = product(&mut self.new, &two, &two);
        // What each frame adds is what comes of states of 0.
        let alone = self.alone(&linear.gets, circle);
        let zero = self.new.constant(Imm::F32(0.0), 4);
        let added: Vec<Value> = linear.back_edges.iter().map(|next| alone[next].unwrap_or(zero)).collect();
        let pairs = self.scan(&one, &added, 1);
        let sums = self.scan(&two, &pairs, 2);
        let entries: Vec<Value> = linear.states.iter().map(|state| self.entry(*state)).collect();
        let before: Vec<Value> = entries.into_iter().map(|entry| self.carry(entry)).collect();
        let mut after = vec![];
        for i in 0..count {
            let mut change = sums[i];
            for (j, before) in before.iter().enumerate() {
                let powers = [&one, &two, &three, &four].map(|power| power[i][j]);
                let lanes = self.missing(powers, i == j);
                change = self.mad(lanes, *before, change);
            }
            after.push(self.new.op(Op::Add, &[before[i], change]));
        }
        // And the members with the states as they are.
        for (i, get) in linear.gets.iter().enumerate() {
            self.wide[get.index()].lanes = Some(self.later(after[i], before[i]));
        }
        self.members(&linear.gets, circle);
        for i in 0..count {
            self.settle(linear.gets[i], linear.back_edges[i], before[i], after[i]);
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
        let first = self.new.op(Op::Extract(0), &[x]);
        (0..frames).fold(x, |x, _| self.new.op(Op::Slide, &[x, first]))
    }

    /// A factor as lanes, 0 before a frame.
    pub(super) fn lanes_since(&mut self, factor: Value, frame: usize) -> Value {
        let (factor, zero) = (self.new.op(Op::Demote, &[factor]), self.new.f32(0.0));
        let lanes: [Value; 4] = std::array::from_fn(|lane| if lane < frame { zero } else { factor });
        self.new.op(Op::Pack, &lanes)
    }

    /// An entry of the first four powers as lanes; less 1 on the diagonal.
    pub(super) fn missing(&mut self, powers: [Value; 4], diagonal: bool) -> Value {
        let one = self.new.f64(1.0);
        let lanes = powers.map(|power| {
            let power = if diagonal { self.new.op(Op::Sub, &[power, one]) } else { power };
            self.new.op(Op::Demote, &[power])
        });
        self.new.op(Op::Pack, &lanes)
    }

    /// Widens the members of a circle whose states are known.
    pub(super) fn members(&mut self, gets: &[Value], circle: &Circle) {
        for member in circle.iter().filter(|member| !gets.contains(member)) {
            self.wide[member.index()].lanes = Some(self.widened(*member));
        }
    }

    /// What the members are where all states are 0; none where that is 0. Signs of zeros are nobody's business here.
    pub(super) fn alone(&mut self, gets: &[Value], circle: &Circle) -> FxHashMap<Value, Option<Value>> {
        let mut alone: FxHashMap<Value, Option<Value>> = gets.iter().map(|get| (*get, None)).collect();
        for member in circle.iter().filter(|member| !gets.contains(member)) {
            let (op, args) = (self.old.insts[*member].op, self.old.insts[*member].args);
            let mut lanes = |arg: &Value| alone.get(arg).copied().unwrap_or_else(|| Some(self.lanes(*arg)));
            let args: Vec<Option<Value>> = args.as_slice().iter().map(&mut lanes).collect();
            let now = match (op, args.as_slice()) {
                (Op::Add, &[one, None] | &[None, one]) | (Op::Sub, &[one, None]) => one,
                (Op::Sub, &[None, Some(one)]) => Some(self.new.op(Op::Neg, &[one])),
                (Op::Fma, &[None, _, sum] | &[_, None, sum]) => sum,
                (Op::Fma, &[Some(a), Some(b), None]) => Some(self.new.op(Op::Mul, &[a, b])),
                (_, args) => {
                    let args: Option<Vec<Value>> = args.iter().copied().collect();
                    args.map(|args| self.new.op(op, &args))
                }
            };
            alone.insert(*member, now);
        }
        alone
    }
}
