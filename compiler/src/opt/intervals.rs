//! Interval analysis. Drops `min`, `max`, `abs` and roundings that the operand's interval makes redundant: the limits of a
//! cutoff that lies within them, the rounding of a frequency that is not a whole cycle a frame. Every bit stays.
//!
//! Intervals come from bounds that are written, counters, phases, exponentials that fall. Of states only whole numbers are
//! followed (counters and phases, which mam itself makes): a real one may have come from the program before an edit, whose
//! formula was another.

use super::{Context, rebuild};
use crate::ir::{Body, Imm, Inst, Kernel, Op, Scalar, StateSlot, Value};
use mam_grammar::Handle;
use rustc_hash::FxHashMap;
use std::f64::consts::FRAC_PI_2;

/// The least and the greatest that a number can be, perhaps infinite. None where nothing is known; what has a range is
/// no NaN.
pub type Interval = Option<(f64, f64)>;

/// How often recurrences are followed until what still grows is given up.
const ROUNDS: usize = 3;
/// What is nearer to 0 is taken for it, as an operand and as a result of f32.
const MIN_NORMAL: f64 = f32::MIN_POSITIVE as f64;
/// How far the approximations of elementary functions may be beside the function, relatively: a sine that is turned on from frame to
/// frame furthest.
const ERROR: f64 = 2e-6;

/// The pass.
pub(super) fn run(old: &Body, cx: Context) -> Body {
    let intervals = cx.intervals.within(old);
    rebuild::body(old, |new, value, inst| {
        let of = |i: usize| intervals[old.insts[value].args.as_slice()[i].index()];
        match simpler(&inst, of) {
            Some(Simpler::Operand(i)) => inst.args.as_slice()[i],
            Some(Simpler::Whole(x)) => new.constant(float(inst.ty.scalar, x), inst.ty.lanes),
            None => new.insts.add(inst),
        }
    })
}

/// What an instruction does, given the intervals of its operands.
enum Simpler {
    Operand(usize),
    /// A float without a fraction.
    Whole(f64),
}

fn simpler(inst: &Inst, of: impl Fn(usize) -> Interval) -> Option<Simpler> {
    match inst.op {
        Op::Min | Op::Max => {
            let ((a, b), (c, d)) = (of(0)?, of(1)?);
            // Two zeros may differ in sign.
            let below = |x: f64, y: f64| x < y || x == y && x != 0.0;
            let (first, second) = match inst.op {
                Op::Min => (below(b, c), below(d, a)),
                _ => (below(d, a), below(b, c)),
            };
            first.then_some(Simpler::Operand(0)).or(second.then_some(Simpler::Operand(1)))
        }
        Op::Abs => (of(0)?.0 > 0.0).then_some(Simpler::Operand(0)),
        Op::Round | Op::Floor | Op::Ceil | Op::Trunc => {
            let (low, high) = of(0)?;
            let whole = rounding(inst.op);
            // What is rounded to 0 keeps its sign.
            let signed = low > 0.0 || high < 0.0 || whole(low) != 0.0;
            let same = whole(low) == whole(high) && low.abs() < 1e6;
            (signed && same).then(|| Simpler::Whole(whole(low)))
        }
        _ => None,
    }
}

fn float(scalar: Scalar, x: f64) -> Imm {
    if scalar == Scalar::F64 { Imm::F64(x) } else { Imm::F32(x as f32) }
}

fn rounding(op: Op) -> fn(f64) -> f64 {
    match op {
        Op::Round => f64::round_ties_even,
        Op::Floor => f64::floor,
        Op::Ceil => f64::ceil,
        _ => f64::trunc,
    }
}

/// The intervals of a kernel's states.
#[derive(Clone, Debug, Default)]
pub struct Intervals {
    states: Vec<Interval>,
}

/// What of a kernel cannot become infinite, nor a NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct Finite {
    /// Whether all outputs are so.
    pub outputs: bool,
    /// By state: whether whatever it is set to is so.
    pub states: Vec<bool>,
}

impl Intervals {
    /// Follows the states of a kernel through its bodies.
    pub fn analyse(kernel: &Kernel) -> Intervals {
        let start = |state: &StateSlot| match state.init {
            Imm::I32(x) => Some((f64::from(x), f64::from(x))),
            _ => None,
        };
        let mut intervals = Intervals { states: kernel.states.values().map(start).collect() };
        if intervals.states.iter().all(Option::is_none) {
            return intervals;
        }
        let bodies = || [&kernel.general, &kernel.steady].into_iter().chain(&kernel.tail);
        for round in 0.. {
            let mut grown = false;
            for body in bodies() {
                let within = intervals.within(body);
                for (state, value) in &body.sets {
                    grown |= join(&mut intervals.states[state.index()], within[value.index()], round);
                }
            }
            if !grown {
                break;
            }
        }
        intervals
    }

    /// What of a kernel is finite whatever it hears, if its states are at the start. Lanes compute what their tail does, but for
    /// roundings: of recurrences in lanes less is known.
    pub fn finite(kernel: &Kernel) -> Finite {
        let intervals = Intervals::analyse(kernel);
        let mut finite = Finite { outputs: true, states: vec![true; kernel.states.len()] };
        for body in [&kernel.general, kernel.tail.as_ref().unwrap_or(&kernel.steady)] {
            let within = intervals.within(body);
            let is_finite = |value: Value| {
                within[value.index()].is_some_and(|(low, high)| low.is_finite() && high.is_finite())
            };
            finite.outputs &= body.outs.iter().all(|value| is_finite(*value));
            for (state, value) in &body.sets {
                finite.states[state.index()] &= is_finite(*value);
            }
        }
        finite
    }

    /// Nothing is known of a kernel's states: what is found holds whatever they are.
    pub fn of_any_states(kernel: &Kernel) -> Intervals {
        Intervals { states: vec![None; kernel.states.len()] }
    }

    /// The intervals of a body's values.
    pub fn within(&self, body: &Body) -> Vec<Interval> {
        let mut carried: FxHashMap<Value, Interval> = FxHashMap::default();
        for round in 0.. {
            let mut intervals: Vec<Interval> = Vec::with_capacity(body.insts.len());
            for (value, inst) in body.insts.iter() {
                let interval = match inst.op {
                    Op::LoopCarried => {
                        carried.get(&value).copied().unwrap_or(intervals[inst.args.as_slice()[0].index()])
                    }
                    _ => self.interval(inst, &intervals),
                };
                intervals.push(interval);
            }
            let mut grown = false;
            for (carry, next) in &body.back_edges {
                let mut interval = intervals[carry.index()];
                if join(&mut interval, intervals[next.index()], round) {
                    grown = true;
                    carried.insert(*carry, interval);
                }
            }
            if !grown {
                return intervals;
            }
        }
        unreachable!("what grows is given up")
    }

    fn state(&self, state: Handle<StateSlot>) -> Interval {
        self.states[state.index()]
    }

    fn interval(&self, inst: &Inst, intervals: &[Interval]) -> Interval {
        let args = inst.args.as_slice();
        let of = |i: usize| intervals[args[i].index()];
        let scalar = inst.ty.scalar;
        let rounded = |low: f64, high: f64| fitting(scalar, low, high);
        // Of what may overflow nothing is known.
        let approximate = |low: f64, high: f64| {
            fitting(scalar, low - ERROR * low.abs(), high + ERROR * high.abs()).filter(is_finite)
        };
        let finite = |i: usize| of(i).filter(is_finite);
        match inst.op {
            Op::Const(imm) => constant(imm),
            Op::Get(state) | Op::LiveIn(state) => self.state(state),
            Op::Add => sum(of(0)?, of(1)?).and_then(|(low, high)| rounded(low, high)),
            Op::Sub => {
                let (low, high) = of(1)?;
                sum(of(0)?, (-high, -low)).and_then(|(low, high)| rounded(low, high))
            }
            Op::Mul if args[0] == args[1] => {
                let (low, high) = product(finite(0)?, finite(0)?);
                rounded(low.max(0.0), high)
            }
            Op::Mul => times(of(0)?, of(1)?).and_then(|(low, high)| rounded(low, high)),
            Op::Div => {
                let (low, high) = of(1).filter(|(low, high)| *low >= MIN_NORMAL || *high <= -MIN_NORMAL)?;
                let (low, high) = product(finite(0)?, (1.0 / high, 1.0 / low));
                approximate(low, high)
            }
            Op::Fma => {
                let (x, y, (low, high)) = (finite(0)?, finite(1)?, finite(2)?);
                // One rounding, as in the op: where the ends cancel, that of a product by itself would be too much.
                let (least, _) = corners(x, y, |x, y| x.mul_add(y, low));
                let (_, most) = corners(x, y, |x, y| x.mul_add(y, high));
                rounded(least, most)
            }
            // The least whole number has no opposite.
            Op::Neg if scalar == Scalar::I32 => of(0).and_then(|(low, high)| rounded(-high, -low)),
            Op::Neg => of(0).map(|(low, high)| (-high, -low)),
            // Least and greatest give their second operand where the first is a NaN.
            Op::Min => {
                let (low, high) = of(1)?;
                Some(of(0).map_or((f64::NEG_INFINITY, high), |(a, b)| (a.min(low), b.min(high))))
            }
            Op::Max => {
                let (low, high) = of(1)?;
                Some(of(0).map_or((low, f64::INFINITY), |(a, b)| (a.max(low), b.max(high))))
            }
            Op::Abs => of(0).map(|(low, high)| match (low >= 0.0, high <= 0.0) {
                (true, _) => (low, high),
                (_, true) => (-high, -low),
                _ => (0.0, high.max(-low)),
            }),
            Op::Floor | Op::Ceil | Op::Trunc | Op::Round => {
                let whole = rounding(inst.op);
                of(0).map(|(low, high)| (whole(low), whole(high)))
            }
            Op::Select => both(of(1), of(2)),
            Op::And => {
                let mask = |i: usize| of(i).filter(|(low, _)| scalar == Scalar::I32 && *low >= 0.0);
                mask(1).or(mask(0)).map(|(_, high)| (0.0, high))
            }
            Op::Ushr => match of(1)? {
                (low, high) if low == high && (1.0..32.0).contains(&low) => {
                    Some((0.0, f64::from(u32::MAX >> low as u32)))
                }
                _ => None,
            },
            Op::Demote | Op::Promote | Op::ToFloat => of(0).and_then(|(low, high)| rounded(low, high)),
            Op::ToInt => finite(0).and_then(|(low, high)| rounded(low.trunc(), high.trunc())),
            // Of what is infinite there is no sine.
            Op::SinTurn | Op::CosTurn => finite(0).and_then(|_| approximate(-1.0, 1.0)),
            Op::Tanh => of(0).and_then(|_| approximate(-1.0, 1.0)),
            Op::Atan => of(0).and_then(|_| approximate(-FRAC_PI_2, FRAC_PI_2)),
            Op::Exp2 => finite(0).and_then(|(low, high)| approximate(low.exp2(), high.exp2())),
            Op::Splat | Op::Extract(_) => of(0),
            Op::Pack => args.iter().map(|arg| intervals[arg.index()]).reduce(both)?,
            _ => None,
        }
    }
}

fn is_finite((low, high): &(f64, f64)) -> bool {
    low.is_finite() && high.is_finite()
}

/// The products of two numbers, where none of them can be a NaN.
fn times(x: (f64, f64), y: (f64, f64)) -> Interval {
    // 0 times what is infinite is a NaN; what is subnormal is taken for 0.
    let is_zero = |(low, high): (f64, f64)| low < MIN_NORMAL && high > -MIN_NORMAL;
    let may_be_nan = is_zero(x) && !is_finite(&y) || is_zero(y) && !is_finite(&x);
    (!may_be_nan).then(|| product(x, y))
}

fn constant(imm: Imm) -> Interval {
    let x = match imm {
        Imm::F32(x) => f64::from(x),
        Imm::F64(x) => x,
        Imm::I32(x) => f64::from(x),
        Imm::Bool(_) => return None,
    };
    (!x.is_nan()).then_some((x, x))
}

/// The interval of either.
fn both(one: Interval, other: Interval) -> Interval {
    let ((a, b), (c, d)) = (one?, other?);
    Some((a.min(c), b.max(d)))
}

/// Lets `range` contain `other`, or gives it up after some rounds. True where that changed it.
fn join(range: &mut Interval, other: Interval, round: usize) -> bool {
    let before = *range;
    *range = both(before, other);
    let grown = *range != before;
    if grown && round >= ROUNDS {
        *range = None;
    }
    grown
}

/// The interval of a sum; none where infinite numbers of both signs may meet.
fn sum((a, b): (f64, f64), (c, d): (f64, f64)) -> Interval {
    let (low, high) = (a + c, b + d);
    let meet = |x: f64, y: f64| x == f64::INFINITY && y == f64::NEG_INFINITY;
    (!meet(b, c) && !meet(d, a) && !low.is_nan() && !high.is_nan()).then_some((low, high))
}

fn product(x: (f64, f64), y: (f64, f64)) -> (f64, f64) {
    corners(x, y, |x, y| x * y)
}

/// The least and the greatest of a function of two intervals that is monotone in each.
fn corners((a, b): (f64, f64), (c, d): (f64, f64), f: impl Fn(f64, f64) -> f64) -> (f64, f64) {
    let ends = [f(a, c), f(a, d), f(b, c), f(b, d)];
    (
        ends.iter().copied().fold(f64::INFINITY, f64::min),
        ends.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    )
}

/// A little less than a number.
fn below(x: f64, by: f64) -> f64 {
    if x.is_finite() { x - by * x.abs() } else { x }
}

/// What an operation gives whose exact results lie between two numbers: a little more, for rounding and flushing; nothing
/// is known where an integer wraps, and a float may become infinite.
fn fitting(scalar: Scalar, low: f64, high: f64) -> Interval {
    match scalar {
        Scalar::I32 => {
            let fits = low >= f64::from(i32::MIN) && high <= f64::from(i32::MAX);
            fits.then_some((low, high))
        }
        Scalar::F32 | Scalar::F64 => {
            let by = if scalar == Scalar::F32 { 2f64.powi(-24) } else { 2f64.powi(-53) };
            let most = if scalar == Scalar::F32 { f64::from(f32::MAX) } else { f64::MAX };
            let low = if low > 0.0 && low < MIN_NORMAL { 0.0 } else { below(low, by) };
            let high = if high < 0.0 && -high < MIN_NORMAL { 0.0 } else { -below(-high, by) };
            let low = if low < -most { f64::NEG_INFINITY } else { low.min(most) };
            let high = if high > most { f64::INFINITY } else { high.max(-most) };
            Some((low, high))
        }
        Scalar::Bool => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Type;

    fn interval_of(body: &Body, value: Value) -> Interval {
        Intervals { states: vec![] }.within(body)[value.index()]
    }

    #[test]
    fn bounds_are_what_was_written() {
        let mut body = Body::default();
        let x = body.add(Op::Input(crate::ir::InputId::ZERO), Type::F32, &[]);
        let [least, most, half] = [0.125, 0.5, 0.5].map(|x| body.f32(x));
        assert_eq!(interval_of(&body, x), None);
        let below = body.op(Op::Min, &[x, most]);
        assert_eq!(interval_of(&body, below), Some((f64::NEG_INFINITY, 0.5)));
        let between = body.op(Op::Max, &[below, least]);
        assert_eq!(interval_of(&body, between), Some((0.125, 0.5)));
        let scaled = body.op(Op::Mul, &[between, half]);
        let (low, high) = interval_of(&body, scaled).expect("it is bounded");
        assert!((0.0624..=0.0625).contains(&low) && (0.25..0.2501).contains(&high), "{low} {high}");
        // What is bounded on one side stays so: infinity is a number.
        let above = body.op(Op::Max, &[x, least]);
        let eight = body.f32(8.0);
        let times = body.op(Op::Mul, &[above, eight]);
        let more = body.op(Op::Add, &[times, least]);
        let (low, high) = interval_of(&body, more).expect("it is no NaN");
        assert!((1.124..=1.125).contains(&low) && high == f64::INFINITY, "{low} {high}");
        // But it takes no part in what may be a NaN.
        let none = body.f32(0.0);
        let perhaps_none = body.op(Op::Min, &[between, none]);
        for (op, args) in [(Op::Sub, [more, times]), (Op::Mul, [more, perhaps_none])] {
            let perhaps = body.op(op, &args);
            assert_eq!(interval_of(&body, perhaps), None);
        }
        // A NaN stays one where it is the second operand, and in a sine.
        let perhaps = body.op(Op::Min, &[most, x]);
        assert_eq!(interval_of(&body, perhaps), None);
        let [sine, known] = [x, between].map(|x| body.op(Op::SinTurn, &[x]));
        assert_eq!(interval_of(&body, sine), None);
        assert!(interval_of(&body, known).is_some_and(|(low, high)| low <= -1.0 && high >= 1.0));
        // The opposite of the least whole number is that number.
        let (least, five) = (body.i32(i32::MIN), body.i32(5));
        let [least, five] = [least, five].map(|x| body.op(Op::Neg, &[x]));
        assert_eq!((interval_of(&body, least), interval_of(&body, five)), (None, Some((-5.0, -5.0))));
    }

    #[test]
    fn what_is_bounded_in_every_body_is_finite() {
        let mut kernel = Kernel::default();
        let [held, grows] =
            ["held", "grows"].map(|name| kernel.states.add(StateSlot::word(name.into(), Imm::F32(0.0))));
        let mut body = Body::default();
        let x = body.add(Op::Input(crate::ir::InputId::ZERO), Type::F32, &[]);
        let [least, most] = [-1.0, 1.0].map(|x| body.f32(x));
        let below = body.op(Op::Min, &[x, most]);
        let between = body.op(Op::Max, &[below, least]);
        let before = body.add(Op::Get(grows), Type::F32, &[]);
        let sum = body.op(Op::Add, &[before, between]);
        body.sets = vec![(held, between), (grows, sum)];
        body.outs = vec![between];
        (kernel.general, kernel.steady) = (body.clone(), body.clone());
        assert_eq!(Intervals::finite(&kernel), Finite { outputs: true, states: vec![true, false] });
        // What one body alone does not bound may fail.
        body.outs = vec![below];
        kernel.tail = Some(body);
        assert_eq!(Intervals::finite(&kernel), Finite { outputs: false, states: vec![true, false] });
    }

    #[test]
    fn a_counter_keeps_below_its_limit_and_a_sum_that_grows_is_given_up() {
        let mut kernel = Kernel::default();
        let [limited, free] =
            ["limited", "free"].map(|name| kernel.states.add(StateSlot::word(name.into(), Imm::I32(100))));
        let mut body = Body::default();
        let one = body.i32(1);
        let [a, b] = [limited, free].map(|state| body.add(Op::Get(state), Type::I32, &[]));
        let [a, b] = [a, b].map(|value| body.op(Op::Add, &[value, one]));
        let most = body.i32(100);
        let a = body.op(Op::Min, &[a, most]);
        let trig = body.add(Op::Port(crate::ir::PortId::ZERO, crate::ir::PortField::Trig), Type::BOOL, &[]);
        let zero = body.i32(0);
        let a = body.op(Op::Select, &[trig, zero, a]);
        body.sets = vec![(limited, a), (free, b)];
        (kernel.general, kernel.steady) = (body.clone(), body);
        let intervals = Intervals::analyse(&kernel);
        assert_eq!(intervals.state(limited), Some((0.0, 100.0)));
        assert_eq!(intervals.state(free), None);
    }
}
