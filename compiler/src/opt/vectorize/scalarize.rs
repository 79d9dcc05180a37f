//! Recurrences of no other form: their instructions four times, one frame after the other, between vectors.

use super::recurrence::Component;
use crate::ir::{Op, Value};
use crate::opt::analysis::Analysis;

/// A recurrence that is computed frame after frame.
pub(super) struct ScalarRegion {
    /// Its instructions, in the order of the body.
    pub(super) members: Vec<Value>,
    /// Whether it is linear, but adds up the roundings of so many frames that those of lanes would show.
    creeps: bool,
}

impl ScalarRegion {
    /// A recurrence that no recogniser knows.
    pub(super) fn of(component: &Component) -> ScalarRegion {
        ScalarRegion { members: component.clone(), creeps: false }
    }

    /// A linear one that forgets so slowly that it stays scalar.
    pub(super) fn creeping(component: &Component) -> ScalarRegion {
        ScalarRegion { members: component.clone(), creeps: true }
    }

    /// Its states, and what it is made of.
    pub(super) fn describe(&self, a: &Analysis) -> String {
        let ops = || self.members.iter().map(|value| a.body.insts[*value].op);
        let states =
            ops().filter_map(|op| if let Op::Get(state) = op { Some(a.name_of(state)) } else { None });
        let states = states.collect::<Vec<&str>>().join(", ");
        if self.creeps {
            return format!("{states}: a scalar region, as it adds up the roundings of many frames");
        }
        let plain = ops().filter(|op| !matches!(op, Op::Get(_) | Op::Const(_)));
        let mut names: Vec<&str> = plain.map(|op| op.row().name).collect();
        names.dedup();
        format!("{states}: a scalar region of {} instructions ({})", self.members.len(), names.join(" "))
    }
}
