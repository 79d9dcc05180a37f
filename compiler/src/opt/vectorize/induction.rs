//! Induction variables: what follows the frames of a call in a known way.
//!
//! * A **phase**: `s + step` of whole numbers, which wrap. A phase of two words is recognised by its upper word's step,
//!   `whole − carry`, where the carry is −1 in the frames in which the lower word's sum wraps.
//! * A **counter**: `min(s + step, most)`.
//! * A **ramp** rises by the same in each frame: the index of the frame itself, and what is made of it by adding and
//!   multiplying whole numbers.
//! * A geometric **series**: a power of two whose exponent is a line over a counter, `2^(a·count + b)` with loop-invariant
//!   a and b. That is what an exponential envelope is between two triggers.

use super::component::Component;
use super::scan::{self, Slope};
use crate::ir::lanes::is_mask;
use crate::ir::{Body, Imm, Kernel, Op, StateSlot, Type, Value};
use crate::opt::analysis::Analysis;
use mam_grammar::Handle;
use rustc_hash::{FxHashMap, FxHashSet};

/// `s + step` in i32, where the step does not depend on s.
pub(super) struct Phase {
    pub(super) state: Handle<StateSlot>,
    pub(super) get: Value,
    pub(super) sum: Value,
    pub(super) step: Value,
    pub(super) kind: PhaseKind,
}

/// How the step of a phase moves.
#[derive(Clone, Copy)]
pub(super) enum PhaseKind {
    /// It is loop-invariant.
    Held,
    /// It is that of an upper word: `whole`, and one more in the frames in which the lower word, a held phase, wraps.
    UpperWord {
        /// The loop-invariant part of the step.
        whole: Value,
        /// What the state of the lower word is set to.
        lower: Value,
    },
    /// It changes from frame to frame in any other way.
    Moving,
}

/// `min(s + step, most)` in i32, where s never gets near an overflow.
#[derive(Clone, Copy)]
pub(super) struct Counter {
    pub(super) state: Handle<StateSlot>,
    pub(super) get: Value,
    pub(super) sum: Value,
    /// What the state is set to.
    pub(super) least: Value,
    pub(super) step: i32,
    pub(super) most: i32,
}

/// A whole number that rises by the same in each frame, and wraps.
pub(super) struct Ramp {
    pub(super) value: Value,
    pub(super) start: RampStart,
}

/// What a ramp is made of.
pub(super) enum RampStart {
    /// It is the index of the frame.
    Frame,
    /// Another ramp, and something loop-invariant that is added, subtracted or multiplied.
    Of { ramp: Value, by: Value },
}

/// A power of two whose exponent is a line over a counter.
pub(super) struct Series {
    pub(super) value: Value,
    pub(super) line: Line,
}

/// A series times something loop-invariant.
pub(super) struct ScaledSeries {
    pub(super) value: Value,
    pub(super) series: Value,
    pub(super) by: Value,
}

/// A line over the frames of a call: the counter that it follows (what its state is set to), and what it gains with each
/// count.
pub(super) struct Line {
    pub(super) counter: Value,
    pub(super) slope: Slope,
}

/// What has been found of a body so far, component by component.
#[derive(Default)]
pub(super) struct Inductions {
    /// What the states of counters are set to.
    counters: FxHashSet<Value>,
    /// The steps of held phases, by what their states are set to.
    increments: FxHashMap<Value, Value>,
    /// What the states of phases are set to that gain the same in each frame, whether in one word or two.
    held_phases: FxHashSet<Value>,
    ramps: FxHashSet<Value>,
    series: FxHashSet<Value>,
}

impl Inductions {
    /// A component as a phase.
    pub(super) fn phase(&mut self, a: &Analysis, component: &Component) -> Option<Phase> {
        let (state, get, others) = single_state(a.body, component)?;
        let &[sum] = others.as_slice() else { return None };
        let plain = a.body.insts[sum].op == Op::Add && a.body.ty(sum) == Type::I32;
        let step = other_operand(a.body, sum, get)?;
        if !plain || a.next_of(Op::Get(state)) != Some(sum) {
            return None;
        }
        let kind = match a.is_invariant(step) {
            true => PhaseKind::Held,
            false => self.upper_word(a, step).unwrap_or(PhaseKind::Moving),
        };
        if a.is_invariant(step) {
            self.increments.insert(sum, step);
        }
        if !matches!(kind, PhaseKind::Moving) {
            self.held_phases.insert(sum);
        }
        Some(Phase { state, get, sum, step, kind })
    }

    /// Whether a value is what the state of a phase is set to that gains the same in each frame.
    pub(super) fn is_held_phase(&self, value: Value) -> bool {
        self.held_phases.contains(&value)
    }

    /// The step as that of an upper word: `whole − carry`.
    fn upper_word(&self, a: &Analysis, step: Value) -> Option<PhaseKind> {
        let of = |value: Value, op: Op| {
            let inst = &a.body.insts[value];
            if inst.op == op { Some(inst.args.as_slice()) } else { None }
        };
        let &[whole, carry] = of(step, Op::Sub)? else { return None };
        let &[carries, ..] = of(carry, Op::Select)? else { return None };
        let &[lower, bound] = of(carries, Op::Lt)? else { return None };
        let step = *self.increments.get(&lower)?;
        if !a.is_invariant(whole) || !is_mask(a.body, carry) {
            return None;
        }
        let flipped = match (a.body.as_const(bound), a.body.as_const(step), of(bound, Op::Xor)) {
            (Some(Imm::I32(bound)), Some(Imm::I32(step)), _) => bound == step ^ i32::MIN,
            (_, _, Some(&[x, y])) => {
                let least = |value: Value| a.body.as_const(value) == Some(Imm::I32(i32::MIN));
                x == step && least(y) || y == step && least(x)
            }
            _ => false,
        };
        flipped.then_some(PhaseKind::UpperWord { whole, lower })
    }

    /// Remembers a counter, for the lines over it.
    pub(super) fn add_counter(&mut self, counter: &Counter) {
        self.counters.insert(counter.least);
    }

    /// An instruction as a ramp.
    pub(super) fn ramp(&mut self, a: &Analysis, value: Value) -> Option<Ramp> {
        let inst = &a.body.insts[value];
        let start = match (inst.op, inst.args.as_slice()) {
            (Op::Frame, _) => RampStart::Frame,
            (op @ (Op::Add | Op::Sub | Op::Mul), &[x, y]) => {
                match (self.ramps.contains(&x), self.ramps.contains(&y)) {
                    (true, false) if a.is_invariant(y) => RampStart::Of { ramp: x, by: y },
                    (false, true) if a.is_invariant(x) && op != Op::Sub => RampStart::Of { ramp: y, by: x },
                    _ => return None,
                }
            }
            _ => return None,
        };
        self.ramps.insert(value);
        Some(Ramp { value, start })
    }

    /// A power of two as a series.
    pub(super) fn series(&mut self, a: &Analysis, value: Value) -> Option<Series> {
        let line = exponent(a, &|value| self.counters.contains(&value), value)?;
        self.series.insert(value);
        Some(Series { value, line })
    }

    /// A product as a series times something loop-invariant.
    pub(super) fn scaled_series(&mut self, a: &Analysis, value: Value) -> Option<ScaledSeries> {
        let inst = &a.body.insts[value];
        let (Op::Mul, &[x, y]) = (inst.op, inst.args.as_slice()) else { return None };
        let (series, by) = match (self.series.contains(&x), self.series.contains(&y)) {
            (true, false) if a.is_invariant(y) => (x, y),
            (false, true) if a.is_invariant(x) => (y, x),
            _ => return None,
        };
        self.series.insert(value);
        Some(ScaledSeries { value, series, by })
    }
}

/// The exponent of a power of two of f32, where it is a line over a counter. `is_counter` says what the states of counters
/// are set to.
pub(super) fn exponent(a: &Analysis, is_counter: &dyn Fn(Value) -> bool, value: Value) -> Option<Line> {
    /// How deep a line is followed.
    const DEPTH: usize = 8;
    let inst = &a.body.insts[value];
    let is_power = inst.op == Op::Exp2 && inst.ty == Type::F32;
    if is_power { line(a, is_counter, inst.args.as_slice()[0], DEPTH) } else { None }
}

fn line(a: &Analysis, is_counter: &dyn Fn(Value) -> bool, value: Value, depth: usize) -> Option<Line> {
    let inst = &a.body.insts[value];
    let args = inst.args.as_slice();
    if inst.op == Op::ToFloat && is_counter(args[0]) {
        return Some(Line { counter: args[0], slope: Slope::One });
    }
    if depth == 0 || inst.ty != Type::F32 {
        return None;
    }
    let moving = args.iter().filter(|arg| !a.is_invariant(**arg));
    let lines: Vec<(Value, Line)> =
        moving.map(|arg| Some((*arg, line(a, is_counter, *arg, depth - 1)?))).collect::<Option<_>>()?;
    let counter = lines.first()?.1.counter;
    if lines.iter().any(|(_, line)| line.counter != counter) {
        return None;
    }
    let known = lines.into_iter().map(|(arg, line)| (arg, line.slope)).collect();
    let slope = scan::slope(a, &known, value)?;
    Some(Line { counter, slope })
}

/// A component as a counter.
pub(super) fn counter(a: &Analysis, component: &Component) -> Option<Counter> {
    let (state, get, others) = single_state(a.body, component)?;
    let &[sum, least] = others.as_slice() else { return None };
    let int = |value: Option<Value>| match a.body.as_const(value?)? {
        Imm::I32(x) => Some(x),
        _ => None,
    };
    let ops = (a.body.insts[sum].op, a.body.insts[least].op) == (Op::Add, Op::Min);
    let (step, most) = (int(other_operand(a.body, sum, get))?, int(other_operand(a.body, least, sum))?);
    let Imm::I32(init) = a.kernel.states[state].init else { return None };
    // What else sets it (the general body begins a count anew) stays within its bounds: 0 or a count.
    let bounded = (0..=most).contains(&init) && (1..1 << 20).contains(&step) && most < i32::MAX - (1 << 23);
    let fits = ops && bounded && a.next_of(Op::Get(state)) == Some(least) && resets(a.kernel, state, most);
    fits.then_some(Counter { state, get, sum, least, step, most })
}

/// Whether the general body sets a state to a count or a constant within its bounds only.
fn resets(kernel: &Kernel, state: Handle<StateSlot>, most: i32) -> bool {
    let body = &kernel.general;
    let within = |value: Value| matches!(body.as_const(value), Some(Imm::I32(x)) if (0..=most).contains(&x));
    let set = body.sets.iter().find(|(other, _)| *other == state);
    let Some(&(_, mut value)) = set else { return true };
    loop {
        let inst = &body.insts[value];
        match (inst.op, inst.args.as_slice()) {
            (Op::Select, &[_, a, b]) if within(a) => value = b,
            (Op::Select, &[_, a, b]) if within(b) => value = a,
            (Op::Min, &[a, b]) => return within(a) || within(b),
            (Op::Get(other), _) => return other == state,
            _ => return within(value),
        }
    }
}

/// The one state of a component, its `get`, and the other members.
fn single_state(body: &Body, component: &Component) -> Option<(Handle<StateSlot>, Value, Vec<Value>)> {
    let is_get = |value: &Value| matches!(body.insts[*value].op, Op::Get(_));
    let (gets, others): (Vec<Value>, Vec<Value>) = component.iter().partition(|value| is_get(value));
    match (gets.as_slice(), body.insts[*gets.first()?].op) {
        ([get], Op::Get(state)) => Some((state, *get, others)),
        _ => None,
    }
}

/// The operand of a binary instruction that is not `of`.
fn other_operand(body: &Body, value: Value, of: Value) -> Option<Value> {
    match *body.insts[value].args.as_slice() {
        [a, b] if a == of && b != of => Some(b),
        [a, b] if b == of && a != of => Some(a),
        _ => None,
    }
}
