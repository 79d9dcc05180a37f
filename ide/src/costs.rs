//! What equations cost: operations a frame, and how often their values change.

use mam_compiler::Stages;
use mam_compiler::ir::{Kernel, Rate};
use mam_compiler::lower::{KernelCall, SignalId};
use mam_compiler::opt::optimize;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an equation costs, with everything that stands in it and has no name of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Operations a frame after all passes, while nothing begins and every voice sounds.
    pub operations: usize,
    /// How often its value changes at most; `None` where it is computed within others alone.
    pub rate: Option<Rate>,
    /// The equations that are computed together with it, whose operations are among these.
    pub with: Vec<Arc<str>>,
}

/// What one call of a kernel takes for a frame, and the rate of each of its outputs.
#[derive(Clone)]
pub(crate) struct KernelCost {
    operations: usize,
    rates: Vec<Rate>,
}

/// The costs of kernels that are known, from one version of a text to the next: passes run on those alone that an edit made.
pub(crate) type KernelCosts = FxHashMap<Kernel, KernelCost>;

/// The costs of the equations of a song that are computed by themselves or together with others, by name.
pub(crate) fn equation_costs(stages: &Stages, known: &mut KernelCosts) -> BTreeMap<Arc<str>, Cost> {
    let module = &stages.lowered.module;
    let tables = module.tables.len();
    let mut before = std::mem::take(known);
    for kernel in module.kernels.values() {
        let cost = before.remove(kernel).unwrap_or_else(|| cost(kernel, tables, stages));
        known.insert(kernel.clone(), cost);
    }
    let mut all: BTreeMap<Arc<str>, Cost> = BTreeMap::new();
    let mut signals: FxHashMap<SignalId, Rate> = FxHashMap::default();
    for call in &stages.lowered.calls {
        let cost = &known[&module.kernels[call.kernel]];
        signals.extend(call.outputs.iter().copied().zip(cost.rates.iter().copied()));
        for name in equations(call) {
            let with = call.fused.iter().filter(|other| **other != name).cloned();
            let none = Cost { operations: 0, rate: None, with: vec![] };
            let all = all.entry(name.clone()).or_insert(none);
            all.operations += cost.operations;
            all.with.extend(with);
        }
    }
    for (name, cost) in &mut all {
        let node = stages.graph.names.get(name);
        let results = node.and_then(|node| stages.lowered.results.get(node));
        cost.rate = results.into_iter().flatten().filter_map(|signal| signals.get(signal).copied()).max();
    }
    all
}

fn cost(kernel: &Kernel, tables: usize, stages: &Stages) -> KernelCost {
    if let Some(block) = &kernel.block {
        let rates = vec![Rate::Sample; kernel.outputs.len()];
        return KernelCost { operations: block.cost(), rates };
    }
    let mut kernel = kernel.clone();
    optimize(&mut kernel, tables, &stages.target);
    let body = kernel.tail.as_ref().unwrap_or(&kernel.steady);
    let rates = body.rates();
    let every_frame = kernel.steady.rates().iter().filter(|&&rate| rate == Rate::Sample).count();
    let rates = body.outs.iter().map(|out| rates[out.index()]).collect();
    KernelCost { operations: every_frame.div_ceil(kernel.steady.step as usize), rates }
}

/// The equations that a call is a part of: those that it computes, or the first name of its path (`keys` of `keys#2`,
/// `room` of `room.echo`).
fn equations(call: &KernelCall) -> Vec<Arc<str>> {
    if !call.fused.is_empty() {
        return call.fused.iter().filter(|path| !path.contains('.')).cloned().collect();
    }
    let name = call.path.split(['.', '#']).next().unwrap_or_default();
    vec![name.into()]
}
