//! Time lanes: the steady body rewritten so that a turn is four frames, which the lanes of its values are.
//!
//! What depends on nothing before it just widens. What goes in a circle through a state (a strongly connected
//! component of instructions, with an edge from what a state is set to to its `get`) is recognised by its form:
//!
//! * **phase**: `s + i` in i32: prefix sums, or four steps at a time where the step is slow, also through two words;
//!   exact;
//! * **counter**: `min(s + c, most)` in i32: closed form, exact;
//! * **block**: `A·s + B·x` in f32, through two states, where A and B are slow and x is one value: filters of second
//!   order, with what is made of them. A convolution;
//! * **linear**: `A·s + x` in f32, through one or two states, where A is slow: the scan with powers of A, which are
//!   computed once a segment in f64;
//! * **bounded**: `max(c, a·s + x)` in f32, where a is slow: a scan too;
//! * anything else is an **island**: its instructions four times, one frame after the other, between vectors.
//!
//! A power of two whose exponent follows a counter in a line, an exponential envelope, is a geometric **series**.
//!
//! A state that is no part of a circle is `prev`: its lanes are those of what it is set to, one frame later.
//!
//! A delay line is no edge of a circle where each delay is at least four frames. Where a delay is slow but not known,
//! the body has a condition ([`Body::only_if`]); where it may change every frame, the kernel stays scalar.
//!
//! Where it costs less, left and right are computed at once instead, a frame a turn ([`paired`]).
//!
//! All forms but blocks, the linear one, the bounded one and the series keep every bit. The kernel stays scalar, too,
//! where the lanes would not pay.

mod anchored;
mod block_filter;
mod build;
mod clamp;
mod phase;
mod recurrence;
mod scan;
mod schedule;
mod series;
mod slp;

pub(super) use anchored::anchored;
pub use slp::paired;

use super::settled;
use crate::ir::lanes::{Half, halves, is_mask, taken};
use crate::ir::{Body, Kernel, Op, Rate, Scalar, Type, Value};
use crate::target::Target;
use build::Widen;

/// What was decided for a kernel.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The kernel in lanes; none where it stays scalar.
    pub kernel: Option<Kernel>,
    /// Why, line by line: the choice, and each circle with its form.
    pub reasons: Vec<String>,
}

pub(super) fn run(kernel: &Kernel, target: &Target) -> Kernel {
    plan(kernel, target).kernel.unwrap_or_else(|| kernel.clone())
}

/// Lanes have to cost less than this much of four scalar turns.
const WORTH: f64 = 0.8;

/// A way to compute a steady body: what it is called, and how that is said of a cost.
type Way = (&'static str, &'static str);
const LANES: Way = ("lanes", "in lanes");
const PAIRS: Way = ("left and right at once", "with left and right at once");

/// Decides how a kernel's steady body is computed: four frames at a time, left and right at once, or one by one.
pub fn plan(kernel: &Kernel, target: &Target) -> Plan {
    // What happens at notes and in ramps does not count.
    let settled = |kernel: &Kernel| settled(&Kernel { general: Body::default(), ..kernel.clone() }, target);
    // Each with what four frames cost.
    let mut ways: Vec<(Way, f64, Kernel)> = vec![];
    let (mut reasons, mut tail) = (vec![], None);
    match widen(kernel, target, true) {
        Ok((widened, forms)) => {
            let settled = settled(&widened);
            ways.push((LANES, cost(&settled.steady), widened));
            (reasons, tail) = (forms, settled.tail);
        }
        Err(reason) => reasons.push(reason),
    }
    // Only two outputs can be left and right.
    let stereo = kernel.steady.outs.len() == 2;
    if let Some(paired) = stereo.then(|| paired(&anchored(kernel))).flatten() {
        ways.push((PAIRS, 4.0 * cost(&settled(&paired).steady), paired));
    }
    if ways.is_empty() {
        let reasons = reasons.into_iter().map(|reason| format!("scalar: {reason}")).collect();
        return Plan { kernel: None, reasons };
    }
    let scalar = 4.0 * cost(&tail.unwrap_or_else(|| settled(kernel).steady));
    let costs: String = ways.iter().map(|((_, said), cost, _)| format!("{cost:.0} {said}, ")).collect();
    let best = ways.into_iter().min_by(|a, b| a.1.total_cmp(&b.1)).filter(|best| best.1 <= WORTH * scalar);
    let how = best.as_ref().map_or("scalar", |best| best.0.0);
    reasons.insert(0, format!("{how}: costs {costs}{scalar:.0} in four scalar turns"));
    Plan { kernel: best.map(|best| best.2), reasons }
}

/// The kernel in lanes, whether that pays or not, and what was made of its circles. `linear` allows the form that
/// may change last bits.
///
/// # Errors
/// Why it can't be computed in lanes.
pub fn widen(kernel: &Kernel, target: &Target, linear: bool) -> Result<(Kernel, Vec<String>), String> {
    if kernel.steady.step != 1 {
        return Err("in lanes already".into());
    }
    let (body, reasons) = Widen::new(kernel, linear, target.fma)?.run();
    let tail = Some(kernel.steady.clone());
    Ok((Kernel { steady: body, tail, ..kernel.clone() }, reasons))
}

/// How much dearer an instruction is in a circle, where each turn waits for the one before.
const WAITING: f64 = 1.6;

/// About what a turn takes, counted in machine instructions that wait for nothing.
pub(super) fn cost(body: &Body) -> f64 {
    let rates = body.rates();
    // What states are set to is taken once a call.
    let taken = taken(body, &rates);
    let mut insts = 0.0;
    for circle in recurrence::circles_with_carried(body, &rates) {
        let weight = if recurrence::is_circle(body, &circle) { WAITING } else { 1.0 };
        insts += weight
            * circle
                .iter()
                .filter(|value| !taken[value.index()])
                .map(|value| inst_cost(body, &rates, *value))
                .sum::<f64>();
    }
    let writes = if body.step == 4 { 8.0 } else { 6.0 };
    insts + body.outs.len() as f64 + writes * body.writes.len() as f64
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
        Op::Read(_) | Op::Table(_) if wide => 18.0,
        Op::Read(_) | Op::Table(_) => 4.0,
        Op::ToInt if wide => 8.0,
        Op::ToInt => 3.0,
        Op::Mul if inst.ty == Type::I32.with_lanes(4) => 2.0,
        Op::Div | Op::Sqrt => 4.0,
        Op::Pack => match halves(body, rates, inst.args.as_slice()) {
            [Half::Of(..), Half::Of(..)] => 1.0,
            [Half::Both(one), Half::Both(other)] if one != other => 4.0,
            [Half::Both(_), Half::Both(_)] => 2.0,
            _ => 3.0,
        },
        Op::Total => 4.0,
        Op::Extract(_) | Op::Splat if inst.ty.scalar == Scalar::Bool => 3.0,
        _ => 1.0,
    }
}
