//! The names of what can be set.

use super::Slots;
use crate::graph::{Graph, NodeId};
use crate::hir::DefId;
use crate::library::ParamInfo;
use mam_runtime::ids::{IdMap, ParamId};
use mam_runtime::names::{Owner, Param, Pipe};
use mam_runtime::{ParamNames, ParamSlot, Spelling};
use rustc_hash::FxHashMap;
use std::sync::Arc;

impl Slots {
    /// How parameters are found by name.
    pub fn names(&self) -> &Arc<ParamNames> {
        &self.names
    }

    /// The parameters of a program at a rate, in Hz.
    pub fn params(&self, rate: u32) -> IdMap<ParamId, ParamSlot> {
        let slot = |(index, (name, info)): (usize, (&Arc<str>, &ParamInfo))| ParamSlot {
            name: name.clone(),
            default: info.default,
            min: info.min,
            max: info.max,
            curve: info.curve,
            smooth: (info.smooth * f64::from(rate) + 0.5).floor() as u32,
            follows: self.follows(index),
        };
        self.iter().enumerate().map(slot).collect()
    }
}

/// How the slots `all` are found by name, where `first` says which is the first of each node. Slots whose path leads to
/// another one are renamed.
pub(super) fn names(
    graph: &Graph,
    all: &mut [(Arc<str>, ParamInfo)],
    first: &FxHashMap<NodeId, usize>,
) -> ParamNames {
    let mut names = ParamNames::default();
    let mut known = FxHashMap::default();
    let mut owner =
        |node: NodeId, others: &[Owner]| owner((graph, node), all, first[&node], &mut known, others);
    for (name, pipe) in &graph.pipes {
        let mut effects: Vec<Owner> = vec![];
        for &node in &pipe.effects {
            let next = owner(node, &effects);
            effects.extend(next);
        }
        let instrument = pipe.instrument.and_then(|node| owner(node, &[]));
        names
            .pipes
            .insert(name.clone(), Pipe { from: pipe.from.clone(), instrument, effects, ..Pipe::default() });
    }
    names.link();
    let mut better: Vec<(ParamId, String)> = vec![];
    for (name, pipe) in &names.pipes {
        for (place, owner) in pipe
            .instrument
            .iter()
            .map(|owner| (true, owner))
            .chain(pipe.effects.iter().map(|owner| (false, owner)))
        {
            let leads = |param: &&Param| {
                let path = &all[param.slot.index()].0;
                // What the instrument of a pipe has comes before all else.
                let is_short = place
                    && !param.name.contains('.')
                    && path.strip_prefix(&**name).and_then(|rest| rest.strip_prefix('.'))
                        == Some(&*param.name);
                match is_short {
                    true => owner.find(&param.name, Spelling::Exact) == Some(param.slot),
                    false => names.find(path, Spelling::Exact) == Ok(param.slot),
                }
            };
            let misleading = owner.params.iter().filter(|param| !leads(param));
            better.extend(misleading.map(|param| (param.slot, names.name_of(name, owner, param))));
        }
    }
    for (slot, name) in better {
        all[slot.index()].0 = name.into();
    }
    names.paths =
        all.iter().enumerate().map(|(slot, (path, _))| (path.clone(), ParamId::new(slot))).collect();
    names
}

/// A node with its parameters; its name differs from those of `others`. Those of one definition and so many parameters that
/// are `known` have the same.
fn owner(
    (graph, node): (&Graph, NodeId),
    all: &[(Arc<str>, ParamInfo)],
    first: usize,
    known: &mut FxHashMap<(DefId, usize), Owner>,
    others: &[Owner],
) -> Option<Owner> {
    let instance = graph.instance(node)?;
    let mut name = instance.callee.name.clone();
    for n in 2.. {
        if others.iter().all(|other| other.name != name) {
            break;
        }
        name = format!("{}{n}", instance.callee).into();
    }
    // Those behind its arguments are an instance's own.
    let like = (instance.slots() == instance.args.len()).then_some((instance.def, instance.args.len()));
    if let Some(like) = like.and_then(|like| known.get(&like)) {
        return Some(like.another(name, first));
    }
    let params = all[first..].iter().take(instance.slots()).enumerate();
    let params = params.map(|(i, (_, info))| Param {
        name: info.name.clone(),
        json: info.json_name().into(),
        slot: ParamId::new(first + i),
    });
    let owner = Owner::new(name, params.collect());
    if let Some(like) = like {
        known.insert(like, owner.clone());
    }
    Some(owner)
}
