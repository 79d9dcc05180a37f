//! Vectorisation: how a steady body's frames are computed.
//!
//! * **Time lanes**: an iteration is four frames, which the lanes of its values are. What depends on nothing before it
//!   widens; what depends on itself through states is recognised by its form ([`recurrence`] asks the recognisers), and
//!   [`build`] makes the body from their descriptions.
//! * **Channel lanes**: left and right at once, a frame an iteration ([`slp`]).
//! * **Scalar**: one frame after the other.
//!
//! A candidate is made of each that is possible, the later passes are run on it, and the one that costs least is taken as
//! it is then.
//!
//! A delay line is not an edge of a recurrence where each delay is at least four frames. Where a delay is loop-invariant but not
//! a constant, or moves between bounds that the call knows, the body has a condition ([`Body::only_if`]). A constant of one to
//! three frames is an edge; a delay that moves and may be as short as that keeps the kernel from time lanes.
//!
//! All forms but block filters, linear recurrences, those within a bound, series and rotations keep every bit.

mod anchored;
mod block_filter;
mod bounds;
mod build;
mod clamp;
pub(super) mod component;
mod induction;
mod pulses;
mod recurrence;
mod rotation;
mod scalarize;
mod scan;
mod schedule;
mod segmented;
mod slp;

pub(super) use anchored::anchored;
pub use slp::channel_lanes;

use super::analysis::Analysis;
use super::cost::Cost;
use super::{Context, dce, finish_body, fold};
use crate::ir::{Body, Kernel};
use crate::target::Target;

/// Ways to compute the frames of a steady body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lanes {
    /// One frame an iteration.
    Scalar,
    /// Four frames an iteration.
    Time,
    /// One frame an iteration, left and right at once.
    Channel,
}

impl Lanes {
    fn name(self) -> &'static str {
        match self {
            Lanes::Scalar => "scalar",
            Lanes::Time => "time lanes",
            Lanes::Channel => "channel lanes",
        }
    }
}

/// What was chosen for a kernel.
pub(super) struct Choice {
    /// The kernel after all passes.
    pub(super) kernel: Kernel,
    /// How its frames are computed.
    pub(super) lanes: Lanes,
    /// Why, line by line: the choice with what each way costs, and the form of each recurrence.
    pub(super) reasons: Vec<String>,
}

/// A way to compute a kernel, after all passes.
struct Candidate {
    lanes: Lanes,
    cost: Cost,
    kernel: Kernel,
}

/// Decides how the frames of a canonical kernel are computed, and finishes it.
pub(super) fn choose(kernel: &Kernel, cx: Context) -> Choice {
    let general = finish_body(&kernel.general, cx);
    let finished = |lanes: Lanes, steady: Body, tail: Option<Body>| {
        let whole = Kernel { general: general.clone(), steady, tail, ..kernel.without_bodies() };
        let kernel = dce::run(&whole);
        Candidate { lanes, cost: Cost::estimate(&kernel.steady), kernel }
    };
    let mut candidates = vec![];
    // One frame an iteration: as a tail it sets all states that lanes set.
    let tail = finish_body(&kernel.steady, cx.tailed());
    let reasons = match recognised(kernel, cx.target, true) {
        Ok((steady, reasons)) => {
            let steady = finish_body(&steady, cx.tailed());
            candidates.push(finished(Lanes::Time, steady, Some(tail.clone())));
            reasons
        }
        Err(reason) => vec![format!("no time lanes: {reason}")],
    };
    // Only two outputs can be left and right.
    let stereo = kernel.steady.outs.len() == 2;
    if let Some(channels) = stereo.then(|| channel_lanes(&anchored(kernel))).flatten() {
        candidates.push(finished(Lanes::Channel, finish_body(&channels.steady, cx), None));
    }
    let scalar = match &kernel.tail {
        // It is in lanes already.
        Some(rest) => finished(Lanes::Scalar, tail, Some(finish_body(rest, cx.tailed()))),
        None if fold::sets_to_itself(&tail) => finished(Lanes::Scalar, finish_body(&kernel.steady, cx), None),
        None => finished(Lanes::Scalar, tail, None),
    };
    take_cheapest(candidates, scalar, reasons)
}

fn take_cheapest(candidates: Vec<Candidate>, scalar: Candidate, mut reasons: Vec<String>) -> Choice {
    let costs: String =
        candidates.iter().map(|way| format!("{} in {}, ", way.cost, way.lanes.name())).collect();
    let scalar_cost = scalar.cost;
    let cheapest = candidates.into_iter().min_by(|a, b| a.cost.compare(&b.cost));
    let best = cheapest.filter(|best| best.cost < scalar_cost).unwrap_or(scalar);
    reasons.insert(0, format!("{}: a frame costs {costs}{scalar_cost} scalar", best.lanes.name()));
    Choice { kernel: best.kernel, lanes: best.lanes, reasons }
}

/// A canonical kernel as it is chosen, before the later passes.
pub(super) fn chosen(kernel: &Kernel, cx: Context) -> Kernel {
    match choose(kernel, cx).lanes {
        Lanes::Scalar => kernel.clone(),
        Lanes::Time => time_lanes(kernel, cx.target, true).expect("it was chosen").0,
        Lanes::Channel => channel_lanes(&anchored(kernel)).expect("it was chosen"),
    }
}

/// The kernel in time lanes, whether that pays or not, and the form of each recurrence. `rounding` allows forms that may
/// change last bits.
///
/// # Errors
/// Why it can't be computed in time lanes.
pub fn time_lanes(kernel: &Kernel, target: &Target, rounding: bool) -> Result<(Kernel, Vec<String>), String> {
    let (steady, reasons) = recognised(kernel, target, rounding)?;
    let tail = Some(kernel.steady.clone());
    Ok((Kernel { steady, tail, ..kernel.clone() }, reasons))
}

/// The steady body in time lanes.
fn recognised(kernel: &Kernel, target: &Target, rounding: bool) -> Result<(Body, Vec<String>), String> {
    let a = Analysis::steady(kernel);
    let forms = recurrence::recognise(&a, rounding)?;
    Ok((build::build(&a, &forms.all, target.fma), forms.reasons))
}
