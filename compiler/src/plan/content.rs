//! What a kernel computes, as a hash: whether an edit changes a step.

use crate::ir::{Kernel, Module};
use crate::lower::anonymous;
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

/// A hash of each kernel of a module and of the tables that it reads, without names.
pub(super) fn contents(module: &Module) -> Vec<u64> {
    let tables: Vec<u64> = module
        .tables
        .iter()
        .map(|table| hash(&table.iter().map(|x| x.to_bits()).collect::<Vec<_>>()))
        .collect();
    let content = |kernel: &Kernel| {
        let mut hasher = FxHasher::default();
        anonymous(kernel).hash(&mut hasher);
        for inst in kernel.general.insts.values() {
            if let Some(table) = inst.op.table() {
                tables[table.index()].hash(&mut hasher);
            }
        }
        hasher.finish()
    };
    module.kernels.values().map(content).collect()
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}
