//! Instance lanes: calls of one kernel that do not need each other's results (voices of an instrument, nodes of one
//! kind) are packed in fours into one call of a kernel in four lanes ([`pack()`]).
//!
//! Any recurrence works as it is, each lane by itself: this is for what time lanes leave as scalar regions. Voices of
//! which only the sum is used are added up by the kernel, (0+1)+(2+3), which is how
//! [`sum_kernel`](crate::lower::sum_kernel) adds them anyway. What is left over of a number that is not a multiple of four
//! stays as it is.
//!
//! Which calls are packed depends on their kernels and wires alone. Calls that are as many calls away from the song's
//! sources never need each other.
//!
//! Calls that wait for their own recurrences, packed or not, come to stand side by side in one loop ([`interleave`]), where they have the
//! same parameters and inputs and no voices.
//!
//! The lanes of one call begin a stretch together: where a note begins in one of them, all are computed by the general
//! body for a frame, which rounds parameters once more than the steady one. Exponential envelopes are series
//! ([`vectorize`](super::vectorize), anchored at each call's start). Apart from these two each lane has the bits that its call has by itself.

mod calls;
mod interleave;
mod pack;

pub use calls::{Packed, PackedCall, Part, run};
pub use pack::{Shape, merged, obstacle, pack, places};

pub use super::lanes::LANES;

use super::cost::Cost;
use super::vectorize::anchored;
use super::{canonicalize, finish, verify};
use crate::ir::Kernel;
use crate::target::Target;

/// Whether calls are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Packing {
    /// Where it pays.
    #[default]
    Paying,
    /// Where it is possible.
    Always,
    /// Never.
    Never,
}

/// What is decided by.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Which calls may be packed into lanes.
    pub packing: Packing,
    /// What the machine can do.
    pub target: &'a Target,
    /// How many tables the module has.
    pub tables: usize,
}

/// The kernel for four calls, if there is to be one, and why or why not.
pub type Choice = (Option<Kernel>, String);

/// Four calls of a kernel as one, if that is to be, and why or why not: the kernel as it was lowered, and after all
/// passes.
///
/// Of four voices that can sleep three are thought to be awake: what counts is the load when much is played.
pub fn choose(lowered: &Kernel, optimised: &Kernel, shape: &Shape, rules: Rules) -> Choice {
    if let Some(obstacle) = obstacle(lowered) {
        return (None, format!("one by one: {obstacle}"));
    }
    let canonical = canonicalize(lowered, rules.tables, rules.target);
    let packed = finish(&pack(&anchored(&canonical), shape), rules.target);
    verify(&packed, rules.tables, "packing");
    let (awake, calls) = if lowered.voices.is_empty() { (4.0, "four calls") } else { (3.0, "three voices") };
    let single = Cost::estimate(&optimised.steady).times(awake);
    let cost = Cost::estimate(&packed.steady);
    let choice = format!("a frame costs {cost} in lanes, {single} in {calls}");
    match rules.packing {
        Packing::Never => (None, "one by one: as was asked for".into()),
        Packing::Paying if cost > single => (None, format!("one by one: {choice}")),
        _ => (Some(packed), format!("four at a time: {choice}")),
    }
}
