//! The linear form: a recurrence through one or two f32 states that is `A·s + x` as a whole, with a loop-invariant A: one-poles, and
//! what is no [`super::block_filter`].
//!
//! With s the states before the iteration and xₖ what the k-th frame adds, the states after the frames are
//! `Aᵏ⁺¹·s + Qₖ`, where `Qₖ = Σⱼ Aᵏ⁻ʲ·xⱼ`: two steps of a scan, `P = x + A·slide(x)`, `Q = P + A²·slide²(P)`. So only
//! one multiplication by a matrix and two additions an iteration wait for the iteration before.
//!
//! It is computed as `s + ((Aᵏ⁺¹ − 1)·s + Qₖ)`: for a slow filter A is nearly 1, and what is missing to 1 would lose
//! most of its digits in an f32, and the filter its gain. Where one state is known to creep like that ([`Linear::creeps`])
//! the recurrence stays scalar: it adds up the roundings of hundreds of frames, and those of lanes are others.

use super::component::Component;
use crate::ir::{Body, Imm, Op, StateSlot, Type, Value};
use crate::opt::analysis::Analysis;
use mam_grammar::Handle;
use rustc_hash::FxHashMap;

/// A linear recurrence.
pub(super) struct Linear {
    pub(super) states: Vec<Handle<StateSlot>>,
    pub(super) gets: Vec<Value>,
    pub(super) nexts: Vec<Value>,
    /// Its instructions, in the order of the body.
    pub(super) members: Vec<Value>,
    /// The matrix: how much of each state is in what each is set to, row by row. None is 0.
    pub(super) slopes: Vec<Vec<Option<Slope>>>,
}

/// How much of the state is in a value, as a formula of loop-invariant values of the old body.
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
    /// Whether its roundings stay so long that those of lanes would show: where less than a 256th of its one state is known
    /// to be gone in each frame; and of a difference equation, one of whose two states is what the other was a frame ago, where
    /// its poles are not known to be well inside the circle. A scalar frame rounds such a history once and takes it over as it
    /// is; lanes round each of its states by itself, and their difference is what a slow filter goes on with.
    pub(super) fn creeps(&self, body: &Body) -> bool {
        let known = |slope: &Option<Slope>| slope.as_ref().map_or(Some(0.0), |slope| slope.known(body));
        let [of_last, of_older] = match &self.slopes[..] {
            [row] => return known(&row[0]).is_some_and(|factor| SLOW < factor && factor < 1.0),
            [row, shift] if is_shift(shift) => [&row[0], &row[1]],
            [shift, row] if is_shift(shift) => [&row[1], &row[0]],
            _ => return false,
        };
        match (known(of_last), known(of_older)) {
            // A pole near 1 or −1, or a pair of them near the circle.
            (Some(last), Some(older)) => last.abs() + older > SLOW || -older > SLOW,
            _ => true,
        }
    }
}

/// How much of a recurrence is left after a frame where it is slow.
const SLOW: f64 = 1.0 - 1.0 / 256.0;

/// Whether a row only takes one state over.
fn is_shift(row: &[Option<Slope>]) -> bool {
    let taken: Vec<&Slope> = row.iter().flatten().collect();
    matches!(taken[..], [Slope::One])
}

/// How large a recurrence may be: a slope follows each member once for each of its users.
const MEMBERS: usize = 24;
/// Through how many states.
pub(super) const STATES: usize = 2;

/// A recurrence as a linear one.
pub(super) fn recognise(a: &Analysis, component: &Component) -> Option<Linear> {
    let body = a.body;
    let state_of = |value: &Value| match body.insts[*value].op {
        Op::Get(state) => Some((*value, state)),
        _ => None,
    };
    let gets: Vec<(Value, Handle<StateSlot>)> = component.iter().filter_map(state_of).collect();
    let f32s = component.iter().all(|value| body.ty(*value) == Type::F32);
    if gets.len() > STATES || component.len() > MEMBERS || !f32s {
        return None;
    }
    // Linear in all states together, and so in each: a product of two members is none.
    slopes(a, component, |_| true, true)?;
    let each = gets.iter().map(|(get, _)| slopes(a, component, |other| other == *get, false));
    let each: Vec<FxHashMap<Value, Slope>> = each.collect::<Option<_>>()?;
    let nexts = gets.iter().map(|(_, state)| a.next_of(Op::Get(*state)));
    let nexts: Vec<Value> = nexts.collect::<Option<_>>()?;
    let row = |next: &Value| each.iter().map(|slopes| slopes.get(next).cloned()).collect();
    Some(Linear {
        states: gets.iter().map(|(_, state)| *state).collect(),
        gets: gets.iter().map(|(get, _)| *get).collect(),
        slopes: nexts.iter().map(row).collect(),
        nexts,
        members: component.to_vec(),
    })
}

/// How each member depends on the states of some `get`s. `all` of them have to: else none.
pub(super) fn slopes(
    a: &Analysis,
    component: &[Value],
    of: impl Fn(Value) -> bool,
    all: bool,
) -> Option<FxHashMap<Value, Slope>> {
    let mut slopes: FxHashMap<Value, Slope> = FxHashMap::default();
    for value in component {
        let slope = match a.body.insts[*value].op {
            Op::Get(_) => of(*value).then_some(Slope::One),
            _ => slope(a, &slopes, *value),
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
pub(super) fn slope(a: &Analysis, known: &FxHashMap<Value, Slope>, value: Value) -> Option<Slope> {
    use Slope::{Add, Div, Mul, Neg};
    let of = |v: Value| known.get(&v).cloned();
    let sum = |x: Option<Slope>, y: Option<Slope>| match (x, y) {
        (Some(x), Some(y)) => Some(Add(x.into(), y.into())),
        (one, None) | (None, one) => one,
    };
    let times = |x: Value, y: Value| match (of(x), of(y)) {
        (Some(slope), None) if a.is_invariant(y) => Some(Mul(slope.into(), y)),
        (None, Some(slope)) if a.is_invariant(x) => Some(Mul(slope.into(), x)),
        _ => None,
    };
    let inst = &a.body.insts[value];
    match (inst.op, inst.args.as_slice()) {
        (Op::Neg, &[x]) => Some(Neg(of(x)?.into())),
        (Op::Add, &[x, y]) => sum(of(x), of(y)),
        (Op::Sub, &[x, y]) => sum(of(x), of(y).map(|y| Neg(y.into()))),
        (Op::Mul, &[x, y]) => times(x, y),
        (Op::Div, &[x, y]) if a.is_invariant(y) => Some(Div(of(x)?.into(), y)),
        // A product outside the recurrence is what is added.
        (Op::Fma, &[x, y, z]) => match (of(x).or(of(y)), times(x, y)) {
            (None, _) => of(z),
            (Some(_), product) => sum(Some(product?), of(z)),
        },
        _ => None,
    }
}

/// A loop-invariant f32 as an f64, before it was rounded if it was.
pub(super) fn exact(new: &mut Body, value: Value) -> Value {
    match (new.insts[value].op, new.insts[value].args.as_slice()) {
        (Op::Demote, &[x]) => x,
        (Op::Const(Imm::F32(x)), _) => new.f64(f64::from(x)),
        _ => new.op(Op::Promote, &[value]),
    }
}

/// A slope as an f64. `invariant` gives the new value of an old loop-invariant one.
pub(super) fn formula(slope: &Slope, new: &mut Body, invariant: &mut impl FnMut(Value) -> Value) -> Value {
    let wide = |new: &mut Body, invariant: &mut dyn FnMut(Value) -> Value, value: Value| {
        let value = invariant(value);
        exact(new, value)
    };
    match slope {
        Slope::One => new.f64(1.0),
        Slope::Neg(a) => {
            let a = formula(a, new, invariant);
            new.op(Op::Neg, &[a])
        }
        Slope::Add(a, b) => {
            let (a, b) = (formula(a, new, invariant), formula(b, new, invariant));
            new.op(Op::Add, &[a, b])
        }
        Slope::Mul(a, by) => {
            let (a, by) = (formula(a, new, invariant), wide(new, invariant, *by));
            new.op(Op::Mul, &[a, by])
        }
        Slope::Div(a, by) => {
            let (a, by) = (formula(a, new, invariant), wide(new, invariant, *by));
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
