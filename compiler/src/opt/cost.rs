//! What a frame costs: the estimate by which the form of a body and the packing of calls are chosen.

use super::vectorize::component;
use crate::ir::lanes::{Half, halves, is_mask, taken};
use crate::ir::{Body, Op, Rate, Scalar, Type, Value};
use rustc_hash::FxHashMap;
use std::cmp::Ordering;
use std::fmt::{self, Display, Formatter};

/// About what a frame takes, counted in machine instructions that wait for nothing.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Cost(f64);

/// How much dearer an instruction is in a recurrence, where each iteration waits for the one before.
const WAITING: f64 = 1.6;

impl Cost {
    /// The cost of a body after all passes.
    pub fn estimate(body: &Body) -> Cost {
        Cost::weighted(body, WAITING)
    }

    /// The same, where nothing waits.
    pub(super) fn unweighted(body: &Body) -> Cost {
        Cost::weighted(body, 1.0)
    }

    /// The cycles of an iteration of its body, on a processor that begins so many instructions in each.
    pub(super) fn cycles(self, body: &Body, issued: f64) -> f64 {
        self.0 * f64::from(body.step) / issued
    }

    /// `waiting`: how much dearer an instruction is in a recurrence.
    fn weighted(body: &Body, waiting: f64) -> Cost {
        let rates = body.rates();
        // What states are set to is taken once a call.
        let taken = taken(body, &rates);
        let mut insts = 0.0;
        for component in component::components_with_back_edges(body, &rates) {
            let weight = if component.is_recurrence { waiting } else { 1.0 };
            let paid = component.iter().filter(|value| !taken[value.index()]);
            insts += weight * paid.map(|value| inst_cost(body, &rates, *value)).sum::<f64>();
        }
        let writes = if body.step == 4 { 8.0 } else { 6.0 };
        let iteration = insts + body.outs.len() as f64 + writes * body.writes.len() as f64;
        Cost(iteration / f64::from(body.step))
    }

    /// So many times it.
    pub fn times(self, by: f64) -> Cost {
        Cost(by * self.0)
    }

    /// By the number; there is no NaN.
    pub fn compare(&self, other: &Cost) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Display for Cost {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "{:.1}", self.0)
    }
}

/// The cycles for which an iteration waits for earlier ones: the longest chain of instructions in a recurrence of which each needs
/// the last, divided by how many iterations ago it begins.
pub(super) fn waiting(body: &Body) -> f64 {
    let rates = body.rates();
    let next: FxHashMap<Value, Value> = body.back_edges.iter().copied().collect();
    let mut longest: f64 = 0.0;
    for component in component::components_with_back_edges(body, &rates) {
        if !component.is_recurrence {
            continue;
        }
        // A member stands behind its operands.
        let mut ready: FxHashMap<Value, f64> = FxHashMap::default();
        let mut chain: f64 = 0.0;
        for &value in component.iter() {
            let operands = body.insts[value].args.as_slice().iter().filter_map(|arg| ready.get(arg));
            let ready_at = operands.copied().fold(0.0, f64::max) + latency(body, value);
            chain = chain.max(ready_at);
            ready.insert(value, ready_at);
        }
        let ago = component.iter().map(|value| iterations_ago(body, &next, *value)).max();
        longest = longest.max(chain / ago.unwrap_or(1) as f64);
    }
    longest
}

/// In how many iterations a loop-carried value is what another has computed: it may be carried several times.
fn iterations_ago(body: &Body, next: &FxHashMap<Value, Value>, carried: Value) -> usize {
    let is_carried = |value: &Value| body.insts[*value].op == Op::LoopCarried;
    let later = std::iter::successors(Some(carried).filter(is_carried), |value| {
        next.get(value).copied().filter(is_carried)
    });
    // What only goes round is never computed.
    later.take(next.len()).count().max(1)
}

/// About how many cycles pass before an instruction's result can be used (AMD Zen 3, Intel Golden Cove).
pub(super) fn latency(body: &Body, value: Value) -> f64 {
    let inst = &body.insts[value];
    let is_float = matches!(inst.ty.scalar, Scalar::F32 | Scalar::F64);
    match inst.op {
        Op::Const(_) | Op::Get(_) | Op::LoopCarried => 0.0,
        Op::Add | Op::Sub | Op::Mul | Op::Fma if is_float => 4.0,
        Op::Mul | Op::ToInt | Op::ToFloat | Op::Promote | Op::Demote => 4.0,
        Op::Div => 12.0,
        Op::Sqrt => 16.0,
        Op::Read(_) | Op::Table(_) | Op::Neighbours(_) => 6.0,
        Op::Total | Op::Totals => 8.0,
        _ => 1.0,
    }
}

fn inst_cost(body: &Body, rates: &[Rate], value: Value) -> f64 {
    let inst = &body.insts[value];
    let wide = inst.ty.lanes == 4;
    match inst.op {
        Op::Const(_) | Op::Get(_) | Op::LoopCarried => 0.0,
        // A comparison's lanes are the mask.
        Op::Select if wide && is_mask(body, value) => 0.0,
        // The first lane is where a scalar is.
        Op::Extract(0) if inst.ty.scalar != Scalar::Bool => 0.0,
        Op::Read(_) if wide && rates[inst.args.as_slice()[0].index()] <= Rate::Segment => 5.0,
        Op::Neighbours(_) => 3.0,
        Op::Read(_) if wide && body.insts[inst.args.as_slice()[0]].op == Op::Splat => 5.0,
        Op::Read(_) | Op::Table(_) if wide => 18.0,
        Op::Read(_) | Op::Table(_) => 4.0,
        Op::ToInt if wide => 8.0,
        Op::ToInt => 3.0,
        Op::Mul if inst.ty == Type::I32.with_lanes(4) => 2.0,
        Op::Div | Op::Sqrt => 4.0,
        Op::Pack => match halves(body, rates, inst.args.as_slice()) {
            [Half::Of(..), Half::Of(..)] => 1.0,
            [Half::Separate(one), Half::Separate(other)] if one != other => 4.0,
            [Half::Separate(_), Half::Separate(_)] => 2.0,
            _ => 3.0,
        },
        Op::Total => 4.0,
        Op::Totals => 9.0,
        Op::Extract(_) | Op::Splat if inst.ty.scalar == Scalar::Bool => 3.0,
        _ => 1.0,
    }
}
