//! Instance lanes: calls of one kernel that do not need each other's results (voices of an instrument, nodes of one
//! kind) are packed in fours into one call of a kernel in four lanes ([`pack`]).
//!
//! Any recurrence works as it is, each lane by itself: this is for what time lanes leave as islands. Voices whose sum
//! is all that anybody hears are added up by the kernel, (0+1)+(2+3), which is how
//! [`sum_kernel`](crate::lower::sum_kernel) adds them anyway. What is left over of a number that is no multiple of four
//! stays as it is.
//!
//! Which calls are packed depends on their kernels and wires alone. Calls that are as many calls away from the song's
//! sources never need each other.
//!
//! The lanes of one call begin a stretch together: where a note begins in one of them, all are computed by the general
//! body for a frame, which rounds parameters once more than the steady one. Apart from that each lane has the bits that
//! its call has by itself.

mod calls;
mod pack;

pub use calls::{Packed, PackedCall, Part, run};
pub use pack::{LANES, Shape, merged, obstacle, pack, places};

use super::{common, dead, fold, lanes};
use crate::ir::{Kernel, check};
use crate::target::Target;

/// A call in lanes has to cost less than this much of what it replaces.
const WORTH: f64 = 0.8;

/// The kernel in lanes if that pays, and why or why not.
///
/// Of four voices that can sleep three are thought to be awake: what counts is the load when much is played.
pub fn choose(kernel: &Kernel, shape: &Shape, tables: usize, target: &Target) -> (Option<Kernel>, String) {
    if let Some(obstacle) = obstacle(kernel) {
        return (None, format!("one by one: {obstacle}"));
    }
    let passes = [fold::run, common::run, dead::run];
    let packed = passes.iter().fold(pack(kernel, shape), |packed, pass| pass(&packed, target));
    if cfg!(debug_assertions) {
        let violations = check::kernel(&packed, tables);
        assert!(violations.is_empty(), "packed:\n{}\n{packed}", violations.join("\n"));
    }
    let (awake, calls) = if kernel.voices.is_empty() { (4.0, "four calls") } else { (3.0, "three voices") };
    let single = awake * lanes::cost(&kernel.steady) / f64::from(kernel.steady.step);
    let cost = lanes::cost(&packed.steady);
    let choice = format!("a frame costs {cost:.0} in lanes, {single:.0} in {calls}");
    if cost > WORTH * single {
        return (None, format!("one by one: {choice}"));
    }
    (Some(packed), format!("four at a time: {choice}"))
}
