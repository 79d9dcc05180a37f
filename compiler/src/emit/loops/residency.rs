//! Which hoisted values have registers, and in which order operands stand.

use super::{Loop, LoopPlan};
use crate::ir::{Body, Op, Rate, Value};
use crate::target::Machine;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// How often a loop uses a hoisted value that is loaded once an iteration.
const OFTEN: usize = 3;

/// The hoisted values that a loop loads before it: all that it uses, where they and its states in registers are few enough;
/// constants that could be made where they are used only where there is room for them too. A read with linear addressing has used
/// its operand before.
pub(super) fn resident(
    body: &Body,
    plan: &LoopPlan,
    machine: &Machine,
    order: &[Value],
    is_linear: impl Fn(Value) -> bool,
    states: usize,
) -> Vec<Value> {
    let users = order.iter().filter(|value| !is_linear(**value));
    let operands = users.flat_map(|value| body.insts[*value].args.as_slice());
    let hoisted: BTreeSet<Value> =
        operands.copied().filter(|value| plan.hoisted.contains_key(value)).collect();
    let fits = |values: &BTreeSet<Value>| values.len() + states <= machine.most_resident();
    let loaded: BTreeSet<Value> =
        hoisted.iter().copied().filter(|value| !is_scalar_constant(body, *value)).collect();
    [hoisted, loaded].into_iter().find(fits).unwrap_or_default().into_iter().collect()
}

/// Whether a value is a constant of one lane, which takes no memory where it is made.
fn is_scalar_constant(body: &Body, value: Value) -> bool {
    body.as_const(value).is_some() && body.ty(value).lanes == 1
}

/// The hoisted values that some instructions use [`OFTEN`].
pub(super) fn cached(body: &Body, plan: &LoopPlan, order: &[Value]) -> BTreeSet<Value> {
    let mut uses: BTreeMap<Value, usize> = BTreeMap::new();
    let operands = order.iter().flat_map(|value| body.insts[*value].args.as_slice());
    let loaded = |arg: &&Value| plan.hoisted.contains_key(arg) && !is_scalar_constant(body, **arg);
    operands.filter(loaded).for_each(|arg| *uses.entry(*arg).or_default() += 1);
    uses.into_iter().filter(|(_, uses)| *uses >= OFTEN).map(|(value, _)| value).collect()
}

/// The instructions whose first two operands are better swapped on a machine.
pub(super) fn commuted(
    body: &Body,
    rates: &[Rate],
    machine: &Machine,
    loops: &[Loop],
    last_uses: impl Fn(&Loop) -> FxHashMap<Value, Value>,
) -> BTreeSet<Value> {
    let mut commuted = BTreeSet::new();
    let slow = |arg: Value| rates[arg.index()] <= Rate::Segment;
    if machine.last_operand_in_memory {
        for (value, inst) in body.insts.iter().filter(|(_, inst)| matches!(inst.op, Op::Add | Op::Mul)) {
            let args = inst.args.as_slice();
            if slow(args[0]) && !slow(args[1]) {
                commuted.insert(value);
            }
        }
    }
    if machine.fma_overwrites_factor {
        for of in loops {
            let last_uses = last_uses(of);
            for value in of.computed().filter(|value| body.insts[*value].op == Op::Fma) {
                let args = body.insts[value].args.as_slice();
                let dies = |i: usize| last_uses.get(&args[i]) == Some(&value);
                if !dies(0) && dies(1) {
                    commuted.insert(value);
                }
            }
        }
    }
    commuted
}
