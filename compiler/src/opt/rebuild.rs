//! Rebuilding a body with replaced operands, instruction by instruction.

use crate::ir::{Body, Inst, Value};

/// What is needed of a body: the rest is left out when it is rebuilt.
pub(super) struct Needed<'n> {
    /// By instruction: whether it stays.
    pub(super) insts: &'n [bool],
    /// By state: whether its set stays.
    pub(super) states: &'n [bool],
    /// By delay line: whether its write stays.
    pub(super) delays: &'n [bool],
}

/// A copy of `old` in which each instruction is what `rewrite` makes of it: it is given the new body so far, the old value,
/// and the instruction with its operands already those of the new body.
pub(super) fn body(old: &Body, rewrite: impl FnMut(&mut Body, Value, Inst) -> Value) -> Body {
    rebuilt(old, None, rewrite)
}

/// A copy of what is needed of `old`, which has to need all of its own operands.
pub(super) fn needed(old: &Body, needed: &Needed) -> Body {
    rebuilt(old, Some(needed), |new, _, inst| new.insts.add(inst))
}

fn rebuilt(
    old: &Body,
    needed: Option<&Needed>,
    mut rewrite: impl FnMut(&mut Body, Value, Inst) -> Value,
) -> Body {
    let inst_stays = |value: Value| needed.is_none_or(|needed| needed.insts[value.index()]);
    let mut new = Body { step: old.step, ..Body::default() };
    new.insts.reserve(old.insts.len());
    let mut map: Vec<Option<Value>> = vec![None; old.insts.len()];
    let at = |map: &[Option<Value>], value: Value| map[value.index()].expect("what is needed stays");
    for (value, inst) in old.insts.iter().filter(|(value, _)| inst_stays(*value)) {
        let args = inst.args.map(|arg| at(&map, *arg));
        map[value.index()] = Some(rewrite(&mut new, value, Inst { args, ..inst.clone() }));
    }
    let set_stays = |state: usize| needed.is_none_or(|needed| needed.states[state]);
    let write_stays = |line: usize| needed.is_none_or(|needed| needed.delays[line]);
    let sets = old.sets.iter().filter(|(state, _)| set_stays(state.index()));
    new.sets = sets.map(|(state, value)| (*state, at(&map, *value))).collect();
    let edges = old.back_edges.iter().filter(|(carried, _)| inst_stays(*carried));
    new.back_edges = edges.map(|(carried, value)| (at(&map, *carried), at(&map, *value))).collect();
    let writes = old.writes.iter().filter(|(line, _)| write_stays(line.index()));
    new.writes = writes.map(|(line, value)| (*line, at(&map, *value))).collect();
    new.outs = old.outs.iter().map(|value| at(&map, *value)).collect();
    new.only_if = old.only_if.map(|value| at(&map, value));
    new
}
