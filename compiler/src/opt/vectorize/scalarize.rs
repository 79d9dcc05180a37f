//! Recurrences of no other form: their instructions four times, one frame after the other, between vectors.

use super::component::Component;
use super::scan::{self, Slope};
use crate::ir::{Op, Scalar, Value};
use crate::opt::analysis::Analysis;
use rustc_hash::FxHashMap;

/// A recurrence that is computed frame after frame.
pub(super) struct ScalarRegion {
    /// Its instructions, in the order of the body.
    pub(super) members: Vec<Value>,
    /// Whether it is linear, but adds up the roundings of so many frames that those of lanes would show.
    creeps: bool,
}

impl ScalarRegion {
    /// A recurrence that no recogniser knows.
    pub(super) fn unknown(component: &Component) -> ScalarRegion {
        ScalarRegion { members: component.to_vec(), creeps: false }
    }

    /// A linear one that forgets so slowly that it stays scalar.
    pub(super) fn creeping(component: &Component) -> ScalarRegion {
        ScalarRegion { members: component.to_vec(), creeps: true }
    }

    /// Its states, what it is made of, and what keeps it from lanes.
    pub(super) fn describe(&self, a: &Analysis) -> String {
        let ops = || self.members.iter().map(|value| a.body.insts[*value].op);
        let name = |op| match op {
            Op::Get(state) => Some(a.name_of(state)),
            Op::Read(line) => Some(a.kernel.delays[line].name.as_str()),
            _ => None,
        };
        let states = ops().filter_map(name).collect::<Vec<&str>>().join(", ");
        if self.creeps {
            return format!(
                "{states}: a scalar region, as it adds up the roundings of many frames: with {} it goes in lanes",
                match self.states(a) {
                    1 => "a factor of its state below 255/256",
                    _ => "two states of which one is not `prev` of the other, as in `lowpass` and `peak`,",
                }
            );
        }
        let plain = ops().filter(|op| !matches!(op, Op::Get(_) | Op::Const(_)));
        let mut names: Vec<&str> = plain.map(|op| op.row().name).collect();
        names.dedup();
        let why = self.obstacle(a).map_or(String::new(), |why| format!(", as {why}"));
        format!("{states}: a scalar region of {} instructions ({}){why}", self.members.len(), names.join(" "))
    }

    /// How many states it goes through.
    fn states(&self, a: &Analysis) -> usize {
        self.members.iter().filter(|value| matches!(a.body.insts[**value].op, Op::Get(_))).count()
    }

    /// Why it is not linear with loop-invariant factors, which would have a form in lanes. None where it is.
    fn obstacle(&self, a: &Analysis) -> Option<String> {
        let body = a.body;
        let op = |value: &&Value| matches!(body.insts[**value].op, Op::Select);
        if self.members.iter().any(|value| op(&value)) {
            return Some(
                "it chooses by a condition from what depends on its state: a choice whose condition and value do not is held in \
                 lanes"
                    .into(),
            );
        }
        if self.members.iter().any(|value| body.ty(*value).scalar == Scalar::F64) {
            return Some("it is computed in 64 bits".into());
        }
        let mut known: FxHashMap<Value, Slope> = FxHashMap::default();
        for &value in &self.members {
            let slope = match body.insts[value].op {
                Op::Get(_) => Some(Slope::One),
                _ => scan::slope(a, &known, value),
            };
            match slope {
                Some(slope) => _ = known.insert(value, slope),
                None => return Some(not_linear(a, &known, value)),
            }
        }
        let states = self.states(a);
        (states > scan::STATES).then(|| {
            format!("it is linear through {states} states at once: of {} each, one after the other, it goes in lanes", scan::STATES)
        })
    }
}

/// Why a member has no slope, where those of its operands are known.
fn not_linear(a: &Analysis, known: &FxHashMap<Value, Slope>, value: Value) -> String {
    let inst = &a.body.insts[value];
    let args = inst.args.as_slice();
    let depends = |arg: &&Value| known.contains_key(arg);
    match inst.op {
        Op::Mul | Op::Fma if args.iter().take(2).filter(depends).count() == 2 => {
            "what depends on its state is multiplied by itself".into()
        }
        Op::Mul | Op::Fma | Op::Div if depends(&&args[0]) || inst.op != Op::Div => {
            "a factor of its state moves every frame: where it is held between events it goes in lanes".into()
        }
        Op::Div => "something is divided by its state".into(),
        op => format!("`{}` of its state is not linear", op.row().name),
    }
}
