//! What is kept from one compilation of a song to the next: a kernel whose meaning did not change is not compiled again.
//!
//! Passes and code generation see a kernel, the tables and the machine, and nothing else. So the kernel itself, as it
//! was lowered, is the key to what became of it; where tables or machine are others, nothing of it is kept. Instances of
//! the prelude are not even lowered again ([`Templates`]).

use crate::emit::jit::{Jit, compile_all};
use crate::emit::{Compiled, isa};
use crate::ir::{Kernel, Module};
use crate::lower::Templates;
use crate::passes::instances::{Choice, Packing, Rules, Shape, choose};
use crate::passes::optimize;
use crate::target::Target;
use crate::tasks::shared;
use rustc_hash::FxHashMap;
use std::mem::take;
use std::sync::Arc;

/// What became of the kernels of the last compilation that came so far.
#[derive(Default)]
pub struct Kept {
    tables: Vec<Vec<f32>>,
    target: Target,
    /// Instances of the prelude as they were lowered.
    pub(crate) templates: Templates,
    /// What the passes made of each lowered kernel.
    optimised: FxHashMap<Kernel, Kernel>,
    /// Whether calls of a lowered kernel were packed.
    choices: FxHashMap<(Kernel, Shape, Packing), Choice>,
    /// The machine code of each optimised kernel.
    code: FxHashMap<Kernel, Compiled>,
    /// All of it in memory.
    linked: Option<(Module, Arc<Jit>)>,
    fresh: usize,
}

impl Kept {
    /// How many kernels the last compilation had to compile.
    pub fn fresh(&self) -> usize {
        self.fresh
    }

    /// The module after all passes, which run on several threads where they have not been run on the same kernel.
    pub(crate) fn optimize(&mut self, module: &Module, target: &Target, threads: usize) -> Module {
        if self.tables != module.tables || self.target != *target {
            let (tables, templates) = (module.tables.clone(), take(&mut self.templates));
            *self = Kept { tables, target: *target, templates, ..Kept::default() };
        }
        let mut before = take(&mut self.optimised);
        let mut all: Vec<Option<(Kernel, Kernel)>> =
            module.kernels.values().map(|lowered| before.remove_entry(lowered)).collect();
        let missing = module.kernels.values().zip(&mut all).filter(|(_, known)| known.is_none());
        let mut missing: Vec<_> = missing.collect();
        // The longest first, so that nobody waits for one that was begun last.
        missing.sort_by_key(|(lowered, _)| std::cmp::Reverse(lowered.steady.insts.len()));
        let (fresh, places): (Vec<&Kernel>, Vec<_>) = missing.into_iter().unzip();
        let made = shared(&fresh, threads, |lowered| {
            let mut kernel = (*lowered).clone();
            optimize(&mut kernel, self.tables.len(), target, |_, _| {});
            kernel
        });
        for ((place, lowered), made) in places.into_iter().zip(fresh).zip(made) {
            *place = Some((lowered.clone(), made));
        }
        let kernels = all.iter().flatten().map(|(_, optimised)| optimised.clone()).collect();
        self.optimised = all.into_iter().flatten().collect();
        Module { kernels, tables: module.tables.clone() }
    }

    /// What was decided for four calls of a kernel, as [`choose`].
    pub(crate) fn choices<'a>(
        &'a mut self,
        rules: Rules<'a>,
    ) -> impl FnMut(&Kernel, &Kernel, &Shape) -> Choice + 'a {
        let mut before = take(&mut self.choices);
        move |lowered, optimised, shape| {
            let key = (lowered.clone(), shape.clone(), rules.packing);
            let kept = before.remove(&key);
            let choice = kept.unwrap_or_else(|| choose(lowered, optimised, shape, rules));
            self.choices.insert(key, choice.clone());
            choice
        }
    }

    /// Machine code for the kernels of an optimised module, compiled on several threads; what was compiled before is at
    /// most put into memory again.
    pub(crate) fn jit(&mut self, module: &Module, threads: usize) -> Result<Arc<Jit>, String> {
        if let Some((_, jit)) = self.linked.as_ref().filter(|(linked, _)| linked == module) {
            self.fresh = 0;
            return Ok(jit.clone());
        }
        let isa = isa::host()?;
        let mut before = take(&mut self.code);
        let mut fresh: Vec<&Kernel> = vec![];
        for kernel in module.kernels.values() {
            match before.remove_entry(kernel) {
                Some((kernel, kept)) => _ = self.code.insert(kernel, kept),
                None if self.code.contains_key(kernel) || fresh.contains(&kernel) => {}
                None => fresh.push(kernel),
            }
        }
        self.fresh = fresh.len();
        let compiled = compile_all(module, &fresh, &*isa, threads)?;
        self.code.extend(fresh.into_iter().cloned().zip(compiled));
        let kernels: Vec<&Compiled> = module.kernels.values().map(|kernel| &self.code[kernel]).collect();
        let jit = Arc::new(Jit::link(module, &kernels, isa)?);
        self.linked = Some((module.clone(), jit.clone()));
        Ok(jit)
    }
}
