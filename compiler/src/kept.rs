//! What is kept from one compilation of a song to the next: a kernel whose meaning did not change is not compiled again.
//!
//! Passes and code generation see a kernel, the tables and the machine, and nothing else. So the kernel itself, as it
//! was lowered, is the key to what became of it; where tables or machine are others, nothing of it is kept. Instances of
//! the prelude are not even lowered again ([`Templates`]).

use crate::emit::Compiled;
use crate::emit::isa::Care;
use crate::emit::jit::{Jit, compile_all};
use crate::improve::Improvement;
use crate::ir::{Kernel, Module};
use crate::lower::Templates;
use crate::opt::instances::{Choice, Packing, Rules, Shape, choose};
use crate::opt::optimize;
use crate::target::Target;
use crate::tasks::Crew;
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
    /// What they made of kernels while others were being lowered.
    ahead: Vec<(Kernel, Kernel)>,
    /// Whether calls of a lowered kernel were packed.
    choices: FxHashMap<(Kernel, Shape, Packing), Choice>,
    /// The machine code of each optimised kernel.
    code: FxHashMap<Kernel, Made>,
    /// All of it in memory.
    linked: Option<Linked>,
    /// What is being made better in the meantime.
    improvement: Option<Improvement>,
    fresh: usize,
}

/// A lowered kernel after all passes.
fn optimised(lowered: &Kernel, tables: usize, target: &Target) -> Kernel {
    let mut kernel = lowered.clone();
    optimize(&mut kernel, tables, target, |_, _| {});
    kernel
}

/// A kernel's machine code.
struct Made {
    code: Compiled,
    care: Care,
}

/// Machine code in memory.
struct Linked {
    module: Arc<Module>,
    /// That with which the least careful of it was made, at first.
    care: Care,
    jit: Arc<Jit>,
}

impl Kept {
    /// How many kernels the last compilation had to compile.
    pub fn fresh(&self) -> usize {
        self.fresh
    }

    /// What `lower` makes with the templates. It tells of each kernel as soon as it has it, with its parameters; the
    /// passes are run on what `held` makes of it while the next is lowered.
    pub(crate) fn lowering<A>(
        &mut self,
        (target, crew): (&Target, &Crew),
        held: impl Fn(&Kernel, &[usize]) -> Kernel,
        lower: impl FnOnce(&mut Templates, &mut dyn FnMut(&Kernel, &[usize])) -> A,
    ) -> A {
        let run = |lowered: Kernel| {
            let optimised = optimised(&lowered, usize::MAX, target);
            (lowered, optimised)
        };
        let (made, ahead) = crew.ahead(run, |order| {
            lower(&mut self.templates, &mut |kernel, params| {
                let kernel = held(kernel, params);
                if !self.optimised.contains_key(&kernel) {
                    order(kernel);
                }
            })
        });
        self.ahead = ahead;
        made
    }

    /// The module after all passes, which are run on kernels that they have not been run on.
    pub(crate) fn optimize(&mut self, module: &Module, target: &Target, crew: &Crew) -> Module {
        let ahead = take(&mut self.ahead);
        if self.tables != module.tables || self.target != *target {
            let (tables, templates) = (module.tables.clone(), take(&mut self.templates));
            *self = Kept { tables, target: *target, templates, ..Kept::default() };
        }
        let mut before = take(&mut self.optimised);
        before.extend(ahead);
        let mut all: Vec<Option<(Kernel, Kernel)>> =
            module.kernels.values().map(|lowered| before.remove_entry(lowered)).collect();
        let missing = module.kernels.values().zip(&mut all).filter(|(_, known)| known.is_none());
        let mut missing: Vec<_> = missing.collect();
        // The longest first, so that nobody waits for one that was begun last.
        missing.sort_by_key(|(lowered, _)| std::cmp::Reverse(lowered.steady.insts.len()));
        let (fresh, places): (Vec<&Kernel>, Vec<_>) = missing.into_iter().unzip();
        let tables = self.tables.len();
        let made = crew.shared(&fresh, usize::MAX, |lowered| optimised(lowered, tables, target));
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

    /// Machine code for the kernels of an optimised module, by a crew; what was compiled before is at
    /// most put into memory again. What is compiled quickly is at once compiled with more care, beside everything else,
    /// and replaced.
    pub(crate) fn jit(&mut self, module: &Module, care: Care, crew: &Crew) -> Result<Arc<Jit>, String> {
        self.fresh = 0;
        let linked = self.linked.take().filter(|linked| *linked.module == *module);
        if let Some(linked) = linked.filter(|linked| linked.care.suffices(care)) {
            return Ok(self.linked.insert(linked).jit.clone());
        }
        if let Some(improvement) = self.improvement.take() {
            let better = improvement.stop().into_iter();
            self.code.extend(better.map(|(kernel, code)| (kernel, Made { code, care: Care::Best })));
        }
        let mut before = take(&mut self.code);
        let mut fresh: Vec<&Kernel> = vec![];
        for kernel in module.kernels.values() {
            let kept = before.remove_entry(kernel);
            match kept.filter(|(_, made)| made.care.suffices(care)) {
                Some((kernel, made)) => _ = self.code.insert(kernel, made),
                None if self.code.contains_key(kernel) || fresh.contains(&kernel) => {}
                None => fresh.push(kernel),
            }
        }
        self.fresh = fresh.len();
        let compiled = compile_all(module, &fresh, care, crew)?;
        let made = compiled.into_iter().map(|code| Made { code, care });
        self.code.extend(fresh.into_iter().cloned().zip(made));
        let all: Vec<&Made> = module.kernels.values().map(|kernel| &self.code[kernel]).collect();
        let jit = Arc::new(Jit::link(module, &all.iter().map(|made| &made.code).collect::<Vec<_>>())?);
        let module = Arc::new(module.clone());
        let quick = all.iter().enumerate().filter(|(_, made)| made.care == Care::Quick);
        let quick: Vec<usize> = quick.map(|(place, _)| place).collect();
        let care = if quick.is_empty() { Care::Best } else { Care::Quick };
        if care == Care::Quick {
            self.improvement = Some(Improvement::begin(module.clone(), quick, &jit));
        }
        self.linked = Some(Linked { module, care, jit: jit.clone() });
        Ok(jit)
    }

    /// Waits until code that was made quickly has been replaced by better.
    pub fn settle(&mut self) {
        self.improvement.iter_mut().for_each(Improvement::wait);
    }
}
