//! The names of what can be set.

use super::Slots;
use crate::graph::{Graph, NodeId};
use crate::library::ParamInfo;
use mam_runtime::ids::ParamId;
use mam_runtime::names::{Owner, Param, Pipe};
use mam_runtime::{ParamNames, Spelling};
use rustc_hash::FxHashMap;
use std::sync::Arc;

impl Slots {
    /// How parameters are found by name.
    pub fn names(&self) -> &Arc<ParamNames> {
        &self.names
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
    let owner = |node: NodeId, others: &[Owner]| owner(graph, node, all, first[&node], others);
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
        for owner in pipe.instrument.iter().chain(&pipe.effects) {
            let misleading = owner
                .params
                .iter()
                .filter(|param| names.find(&all[param.slot.index()].0, Spelling::Exact) != Ok(param.slot));
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

/// A node with its parameters; its name differs from those of `others`.
fn owner(
    graph: &Graph,
    node: NodeId,
    all: &[(Arc<str>, ParamInfo)],
    first: usize,
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
    let params = all[first..].iter().take(instance.slots()).enumerate();
    let params = params.map(|(i, (_, info))| Param {
        name: info.name.clone(),
        json: info.json_name().into(),
        slot: ParamId::new(first + i),
    });
    Some(Owner::new(name, params.collect()))
}
