//! What two programs have in common: names, nodes that were only given another name, steps that an edit leaves alone.

use crate::ids::{IdMap, SignalId};
use crate::program::{Program, Step};
use rustc_hash::{FxHashMap, FxHashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// The nodes of a program that have another name in the program before.
#[derive(Debug, Default)]
pub(super) struct Renames(FxHashMap<Arc<str>, Arc<str>>);

/// What a node is, without its name: of each of its parts what follows the name, the step's content and the lane.
type Signature = Vec<(String, u64, usize)>;

impl Renames {
    /// Nodes of `old` that `new` has not, each with the first node of `new` that computes the same and is not in `old`.
    pub(super) fn between(old: &Program, new: &Program) -> Renames {
        let (before, after) = (signatures(old), signatures(new));
        let missing = |from: &[(Arc<str>, Signature)], other: &[(Arc<str>, Signature)]| {
            let others: FxHashSet<&Arc<str>> = other.iter().map(|(name, _)| name).collect();
            let own = from.iter().filter(|(name, _)| !others.contains(name)).cloned();
            own.collect::<Vec<_>>()
        };
        let (gone, mut fresh) = (missing(&before, &after), missing(&after, &before));
        let mut renames = FxHashMap::default();
        for (name, signature) in gone {
            if let Some(place) = fresh.iter().position(|(_, other)| *other == signature) {
                renames.insert(fresh.remove(place).0, name);
            }
        }
        Renames(renames)
    }

    /// What the program before calls something: `q#2:q.line` may have been `p#2:p.line`.
    pub(super) fn before(&self, name: &Arc<str>) -> Arc<str> {
        if self.0.is_empty() {
            return name.clone();
        }
        let piece = |piece: &str| {
            let (node, rest) = piece.split_at(node_end(piece));
            format!("{}{rest}", self.0.get(node).map_or(node, |before| before))
        };
        name.split(':').map(piece).collect::<Vec<_>>().join(":").into()
    }

    /// What a node of the program before is called now.
    pub(super) fn now(&self, name: &str) -> Option<Arc<str>> {
        self.0.iter().find(|(_, before)| &***before == name).map(|(now, _)| now.clone())
    }
}

/// Where the node's name ends in a path.
fn node_end(path: &str) -> usize {
    path.find(['#', '.']).unwrap_or(path.len())
}

/// The nodes of a program in their order.
fn signatures(program: &Program) -> Vec<(Arc<str>, Signature)> {
    let mut all: Vec<(Arc<str>, Signature)> = vec![];
    let mut places: FxHashMap<Arc<str>, usize> = FxHashMap::default();
    for step in &program.steps {
        for (lane, part) in step.parts.iter().enumerate() {
            let (node, rest) = part.name.split_at(node_end(&part.name));
            let place = *places.entry(node.into()).or_insert_with(|| {
                all.push((node.into(), vec![]));
                all.len() - 1
            });
            all[place].1.push((rest.into(), step.content, lane));
        }
    }
    all
}

/// Pairs of steps that compute the same of the same: equal kernels, initial states and parameters, and so on for all that
/// they hear.
pub(super) fn unchanged(old: &Program, new: &Program) -> Vec<(usize, usize)> {
    let known: FxHashMap<u64, usize> =
        lineages(old).into_iter().enumerate().map(|(step, lineage)| (lineage, step)).collect();
    let pair = |(to, lineage): (usize, u64)| Some((*known.get(&lineage)?, to));
    lineages(new).into_iter().enumerate().filter_map(pair).collect()
}

/// A hash for each step of itself and of everything that it hears.
fn lineages(program: &Program) -> Vec<u64> {
    let mut heard: IdMap<SignalId, u64> = IdMap::filled(0, program.buffers.len());
    for (channel, &signal) in program.inputs.iter().enumerate() {
        heard[signal] = hash(|hasher| ("in", channel).hash(hasher));
    }
    let mut lineages = vec![];
    for step in &program.steps {
        let lineage = hash(|hasher| hash_step(program, step, &heard, hasher));
        for (place, &signal) in step.outputs.iter().enumerate() {
            heard[signal] = hash(|hasher| (lineage, place).hash(hasher));
        }
        lineages.push(lineage);
    }
    lineages
}

fn hash_step(program: &Program, step: &Step, heard: &IdMap<SignalId, u64>, hasher: &mut DefaultHasher) {
    (&step.name, step.content, step.ports.len()).hash(hasher);
    program.state[step.state..step.state + step.state_bytes].hash(hasher);
    for &param in &step.params {
        let slot = &program.params[param];
        let numbers = [slot.default, slot.min, slot.max].map(f64::to_bits);
        (&slot.name, numbers, slot.smooth).hash(hasher);
    }
    step.inputs.iter().for_each(|&signal| heard[signal].hash(hasher));
}

fn hash(put: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut hasher = DefaultHasher::new();
    put(&mut hasher);
    hasher.finish()
}
