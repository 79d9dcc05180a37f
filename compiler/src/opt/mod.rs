//! Passes: from kernels to kernels that mean the same (or, where a pass says so, within a stated error) and cost less.
//!
//! A pass is a row of [`PASSES`]. In debug builds the kernel is checked before the first and after each.

mod affine;
mod cse;
mod dce;
mod elementary;
mod fma;
mod fold;
mod hoist;
pub mod instances;
pub mod intervals;
mod reassociate;
mod rebuild;
pub mod vectorize;

pub use hoist::{hoist, hoisted};

use crate::ir::{Kernel, Module, check};
use crate::target::Target;

/// A pass.
pub struct Pass {
    /// Its name, for dumps.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    run: fn(&Kernel, &Target) -> Kernel,
}

impl Pass {
    /// The kernel after the pass.
    pub fn run(&self, kernel: &Kernel, target: &Target) -> Kernel {
        (self.run)(kernel, target)
    }
}

/// All passes, in the order in which they run.
pub static PASSES: &[Pass] = &[
    Pass { name: "intervals", about: "drops bounds and roundings that change nothing", run: intervals::run },
    Pass { name: "fold", about: "computes what is constant, drops what does nothing", run: fold::run },
    Pass { name: "cse", about: "computes equal values once", run: cse::run },
    Pass { name: "affine", about: "gathers slow factors and terms, in f64", run: affine::run },
    Pass { name: "reassociate", about: "adds up long sums in four strands", run: reassociate::run },
    Pass { name: "dce", about: "drops what nothing needs", run: dce::run },
    Pass { name: "vectorize", about: "computes four frames at a time", run: vectorize::run },
    Pass { name: "elementary", about: "expands elementary functions of f32", run: elementary::run },
    Pass { name: "finish-fold", about: "folds again", run: fold::run },
    Pass { name: "fma", about: "multiplies and adds with one rounding, where the target can", run: fma::run },
    Pass { name: "finish-cse", about: "computes equal values once, again", run: cse::run },
    Pass { name: "finish-dce", about: "drops what nothing needs any more", run: dce::run },
];

/// The kernel without what nothing needs.
pub fn sweep(kernel: &Kernel) -> Kernel {
    dce::run(kernel, &Target::portable())
}

/// The kernel as it is when all later passes have run: what a choice is to be measured by.
fn settled(kernel: &Kernel, target: &Target) -> Kernel {
    let after = PASSES.iter().skip_while(|pass| pass.name != "vectorize").skip(1);
    after.fold(kernel.clone(), |kernel, pass| pass.run(&kernel, target))
}

/// The kernel as it is before lanes are chosen.
fn prepared(kernel: &Kernel, target: &Target) -> Kernel {
    let before = PASSES.iter().take_while(|pass| pass.name != "vectorize");
    before.fold(kernel.clone(), |kernel, pass| pass.run(&kernel, target))
}

/// How a lowered kernel's frames are computed, line by line: in time lanes or one by one, what that costs, and the form
/// of each circle.
pub fn reasons(kernel: &Kernel, target: &Target) -> Vec<String> {
    vectorize::plan(&prepared(kernel, target), target).reasons
}

/// Runs all passes on a kernel. `seen` is shown the kernel after each.
pub fn optimize(kernel: &mut Kernel, tables: usize, target: &Target, mut seen: impl FnMut(&Pass, &Kernel)) {
    verify(kernel, tables, "lowering");
    for pass in PASSES {
        *kernel = pass.run(kernel, target);
        verify(kernel, tables, pass.name);
        seen(pass, kernel);
    }
}

/// Runs all passes on all kernels of a module.
pub fn optimize_module(module: &mut Module, target: &Target) {
    let tables = module.tables.len();
    for kernel in module.kernels.handles() {
        optimize(&mut module.kernels[kernel], tables, target, |_, _| {});
    }
}

fn verify(kernel: &Kernel, tables: usize, after: &str) {
    if cfg!(debug_assertions) {
        let violations = check::kernel(kernel, tables);
        assert!(violations.is_empty(), "after {after}:\n{}\n{kernel}", violations.join("\n"));
    }
}
