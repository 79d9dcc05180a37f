//! What is kept from one compilation of a song to the next: a kernel whose meaning did not change is not compiled again.
//!
//! Passes and code generation see a kernel, the tables and the machine, and nothing else. So the kernel itself, as it
//! was lowered, is the key to what became of it; where tables or machine are others, nothing is kept.

use crate::emit::jit::{Jit, compile_all};
use crate::emit::{Compiled, isa};
use crate::ir::{Kernel, Module};
use crate::passes::optimize;
use crate::target::Target;
use crate::tasks::shared;
use rustc_hash::FxHashMap;
use std::mem::take;

/// The kernels of the last compilation that came so far.
#[derive(Default)]
pub struct Kept {
    tables: Vec<Vec<f32>>,
    target: Target,
    /// What the passes made of each lowered kernel.
    optimised: FxHashMap<Kernel, Kernel>,
    /// The machine code of each optimised kernel.
    code: FxHashMap<Kernel, Compiled>,
    fresh: usize,
}

impl Kept {
    /// How many kernels the last compilation had to compile.
    pub fn fresh(&self) -> usize {
        self.fresh
    }

    /// Runs all passes on all kernels of a module, on several threads, as far as they have not been run on the same.
    pub(crate) fn optimize(&mut self, module: &mut Module, target: &Target, threads: usize) {
        if self.tables != module.tables || self.target != *target {
            *self = Kept { tables: module.tables.clone(), target: *target, ..Kept::default() };
        }
        let before = take(&mut self.optimised);
        let lowered: Vec<&Kernel> = module.kernels.values().collect();
        let optimised = shared(&lowered, threads, |lowered| match before.get(*lowered) {
            Some(kept) => kept.clone(),
            None => {
                let mut kernel = (*lowered).clone();
                optimize(&mut kernel, self.tables.len(), target, |_, _| {});
                kernel
            }
        });
        self.optimised = lowered.into_iter().cloned().zip(optimised.iter().cloned()).collect();
        module.kernels = optimised.into_iter().collect();
    }

    /// Machine code for the kernels of an optimised module, compiled on several threads; what was compiled before is only
    /// put into memory again.
    pub(crate) fn jit(&mut self, module: &Module, threads: usize) -> Result<Jit, String> {
        let isa = isa::host()?;
        let mut before = take(&mut self.code);
        let mut fresh: Vec<&Kernel> = vec![];
        for kernel in module.kernels.values() {
            match before.remove(kernel) {
                Some(kept) => _ = self.code.insert(kernel.clone(), kept),
                None if self.code.contains_key(kernel) || fresh.contains(&kernel) => {}
                None => fresh.push(kernel),
            }
        }
        self.fresh = fresh.len();
        let compiled = compile_all(module, &fresh, &*isa, threads)?;
        self.code.extend(fresh.into_iter().cloned().zip(compiled));
        let kernels: Vec<&Compiled> = module.kernels.values().map(|kernel| &self.code[kernel]).collect();
        Jit::link(module, &kernels, isa)
    }
}
