//! The names of what can be set.

use super::Slots;
use crate::graph::{Graph, NodeId};
use crate::hir::DefId;
use crate::library::ParamInfo;
use mam_runtime::ids::{IdMap, ParamId};
use mam_runtime::names::{Offered, Owner, Param, Pipe};
use mam_runtime::sort::Sort;
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
    names.pipes.reserve(graph.pipes.len());
    let mut known = Known::default();
    let mut better: Vec<(NodeId, Owner, Arc<str>)> = vec![];
    for (name, pipe) in &graph.pipes {
        let mut effects: Vec<Owner> = vec![];
        let mut of = |node: NodeId, others: &[Owner]| {
            let (owner, is_plain) = known.owner(graph, node, all, first[&node], others)?;
            // The parameters of the instrument at the left end of a pipe come before all else, by its equation's name.
            let leads = is_plain && pipe.instrument == Some(node) && graph.nodes[node].path == *name;
            if !leads {
                better.push((node, owner.clone(), name.clone()));
            }
            Some(owner)
        };
        for &node in &pipe.effects {
            let next = of(node, &effects);
            effects.extend(next);
        }
        let instrument = pipe.instrument.and_then(|node| of(node, &[]));
        names
            .pipes
            .insert(name.clone(), Pipe { from: pipe.from.clone(), instrument, effects, ..Pipe::default() });
    }
    names.link();
    better.put_in_order_by_key(|(node, _, name)| (*node, name.clone()));
    let mut renamed: Vec<(ParamId, String)> = vec![];
    for (_, owner, name) in &better {
        let misleading =
            owner.params().filter(|(_, slot)| names.find(&all[slot.index()].0, Spelling::Exact) != Ok(*slot));
        renamed.extend(misleading.map(|param| (param.1, names.name_of(name, owner, param))));
    }
    for (slot, name) in renamed {
        all[slot.index()].0 = name.into();
    }
    names.paths =
        all.iter().enumerate().map(|(slot, (path, _))| (path.clone(), ParamId::new(slot))).collect();
    names
}

/// What instances of each definition offer, with so many parameters, and whether its names are plain.
#[derive(Default)]
struct Known(FxHashMap<(DefId, usize), (Arc<Offered>, bool)>);

impl Known {
    /// A node with its parameters, and whether their names are plain; its name differs from those of `others`.
    fn owner(
        &mut self,
        graph: &Graph,
        node: NodeId,
        all: &[(Arc<str>, ParamInfo)],
        first: usize,
        others: &[Owner],
    ) -> Option<(Owner, bool)> {
        let instance = graph.instance(node)?;
        let mut name = instance.callee.name.clone();
        for n in 2.. {
            if others.iter().all(|other| other.name != name) {
                break;
            }
            name = format!("{}{n}", instance.callee).into();
        }
        let read = || {
            let params = all[first..].iter().take(instance.slots());
            let param = |(_, info): &(Arc<str>, ParamInfo)| Param {
                name: info.name.clone(),
                json: info.json_name().into(),
            };
            let offered = Offered::new(params.map(param).collect());
            let is_plain = offered.is_plain();
            (Arc::new(offered), is_plain)
        };
        // What stands behind its arguments is an instance's own.
        let (offered, is_plain) = match instance.slots() == instance.args.len() {
            true => self.0.entry((instance.def, instance.args.len())).or_insert_with(read).clone(),
            false => read(),
        };
        Some((Owner::new(name, offered, ParamId::new(first)), is_plain))
    }
}
