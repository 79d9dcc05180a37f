//! The compilation cache: what one compilation of a song leaves for the next, so that a kernel whose meaning did not
//! change is not compiled again.
//!
//! Passes and code generation see a kernel, the tables and the machine, and nothing else. So the kernel itself, as it
//! was lowered, is the key to what became of it; when tables or machine change, the cache is emptied. Instances of
//! the prelude are not even lowered again ([`Templates`]).

use crate::executor::{Executor, ahead, map};
use crate::hir::types::Alike;
use crate::ir::{Kernel, Module};
use crate::lower::Templates;
use crate::opt::instances::{Choice, Packing, Rules, Shape, choose};
use crate::opt::optimize;
use crate::score;
use crate::target::Target;
use mam_grammar::mini::Notations;
use mam_grammar::syntax::Pieces;
use mam_runtime::sort::Sort;
use rustc_hash::FxHashMap;
use std::mem::take;

/// What became of the kernels of the last compilation that came so far.
#[derive(Default)]
pub struct CompilationCache {
    tables: Vec<Vec<f32>>,
    target: Target,
    /// What was read of the texts, where there is another version to come.
    pub(crate) pieces: Option<Pieces>,
    /// The patterns of their scores.
    pub(crate) notations: Notations,
    /// The lines of their scores, where there is another version to come.
    pub(crate) lines: Option<score::LineCache>,
    /// Groups of nodes as they were checked.
    pub(crate) alike: Alike,
    /// Instances of the prelude as they were lowered.
    pub(crate) templates: Templates,
    /// What the passes made of each lowered kernel.
    optimised: FxHashMap<Kernel, Kernel>,
    /// What they made of kernels while others were being lowered.
    ahead: Vec<(Kernel, Kernel)>,
    /// Whether calls of a lowered kernel were packed.
    choices: FxHashMap<(Kernel, Shape, Packing), Choice>,
    #[cfg(feature = "jit")]
    code: code::CodeCache,
}

/// A lowered kernel, and the same after all passes.
fn optimised(lowered: Kernel, tables: usize, target: &Target) -> (Kernel, Kernel) {
    let mut kernel = lowered.clone();
    optimize(&mut kernel, tables, target);
    (lowered, kernel)
}

impl CompilationCache {
    /// What `lower` makes with the templates. It tells of each kernel as soon as it has it, with its parameters; the
    /// passes are run on what `specialise` makes of it while the next is lowered, where they are wanted for a target.
    pub(crate) fn lowering<A>(
        &mut self,
        passes: Option<(Target, &dyn Executor)>,
        specialise: impl Fn(&Kernel, &[usize]) -> Kernel,
        lower: impl FnOnce(&mut Templates, &mut dyn FnMut(&Kernel, &[usize])) -> A,
    ) -> A {
        let Some((target, executor)) = passes else { return lower(&mut self.templates, &mut |_, _| {}) };
        let run = move |lowered| optimised(lowered, usize::MAX, &target);
        let (made, ahead) = ahead(executor, run, |order| {
            lower(&mut self.templates, &mut |kernel, params| {
                let kernel = specialise(kernel, params);
                if !self.optimised.contains_key(&kernel) {
                    order(kernel);
                }
            })
        });
        self.ahead = ahead;
        made
    }

    /// The module after all passes, which are run on kernels that they have not been run on.
    pub(crate) fn optimize(&mut self, module: &Module, target: Target, executor: &dyn Executor) -> Module {
        let ahead = take(&mut self.ahead);
        if self.tables != module.tables || self.target != target {
            let empty =
                CompilationCache { tables: module.tables.clone(), target, ..CompilationCache::default() };
            let CompilationCache { pieces, notations, lines, alike, templates, .. } =
                std::mem::replace(self, empty);
            (self.pieces, self.notations, self.lines) = (pieces, notations, lines);
            (self.alike, self.templates) = (alike, templates);
        }
        let mut before = take(&mut self.optimised);
        before.extend(ahead);
        let mut all: Vec<Option<(Kernel, Kernel)>> =
            module.kernels.values().map(|lowered| before.remove_entry(lowered)).collect();
        let missing = module.kernels.values().zip(&mut all).filter(|(_, known)| known.is_none());
        let mut missing: Vec<_> = missing.collect();
        // The longest first, so that no thread is left with a long one at the end.
        missing.put_in_order_by_key(|(lowered, _)| std::cmp::Reverse(lowered.steady.insts.len()));
        let (fresh, results): (Vec<Kernel>, Vec<_>) =
            missing.into_iter().map(|(lowered, result)| (lowered.clone(), result)).unzip();
        let tables = self.tables.len();
        let made = map(executor, fresh, usize::MAX, move |lowered| optimised(lowered, tables, &target));
        for (result, made) in results.into_iter().zip(made) {
            *result = Some(made);
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
            let cached = before.remove(&key);
            let choice = cached.unwrap_or_else(|| choose(lowered, optimised, shape, rules));
            self.choices.insert(key, choice.clone());
            choice
        }
    }
}

/// The machine code of a compilation cache.
#[cfg(feature = "jit")]
mod code {
    use super::CompilationCache;
    use crate::emit::native::{Compiled, Jit, compile_all};
    use crate::executor::Executor;
    use crate::ir::{Kernel, Module};
    use crate::target::OptLevel;
    use crate::tier_up::TierUp;
    use mam_grammar::Handle;
    use rustc_hash::{FxHashMap, FxHashSet};
    use std::mem::take;
    use std::sync::Arc;

    #[derive(Default)]
    pub(super) struct CodeCache {
        /// The machine code of each optimised kernel.
        kernels: FxHashMap<Kernel, CachedCode>,
        /// All of it in memory.
        linked: Option<Linked>,
        /// Better code on its way.
        tier_up: Option<TierUp>,
        fresh: usize,
    }

    /// A kernel's machine code.
    struct CachedCode {
        code: Compiled,
        level: OptLevel,
    }

    /// Machine code in memory.
    struct Linked {
        module: Arc<Module>,
        /// The lowest level of its functions, before tier-up.
        level: OptLevel,
        jit: Arc<Jit>,
    }

    impl CompilationCache {
        /// How many kernels the last compilation made machine code for.
        pub fn fresh(&self) -> usize {
            self.code.fresh
        }

        /// Waits until code that was made quickly has been replaced by better.
        pub fn finish_tier_up(&mut self) {
            self.code.tier_up.iter_mut().for_each(TierUp::wait);
        }

        /// Machine code for the kernels of an optimised module. What was compiled before is at most linked again; what
        /// is compiled quickly is at once compiled better in the background, and replaced.
        pub(crate) fn jit(
            &mut self,
            module: &Module,
            level: OptLevel,
            executor: &Arc<dyn Executor>,
        ) -> Result<Arc<Jit>, String> {
            self.code.jit(module, level, executor)
        }
    }

    impl CodeCache {
        fn jit(
            &mut self,
            module: &Module,
            level: OptLevel,
            executor: &Arc<dyn Executor>,
        ) -> Result<Arc<Jit>, String> {
            self.fresh = 0;
            let linked = self.linked.take().filter(|linked| *linked.module == *module);
            if let Some(linked) = linked.filter(|linked| linked.level.suffices(level)) {
                return Ok(self.linked.insert(linked).jit.clone());
            }
            let module = Arc::new(module.clone());
            self.compile(&module, level, executor)?;
            let all: Vec<&CachedCode> = module.kernels.values().map(|kernel| &self.kernels[kernel]).collect();
            let jit =
                Arc::new(Jit::link(&module, &all.iter().map(|cached| &cached.code).collect::<Vec<_>>())?);
            let quick = all.iter().enumerate().filter(|(_, cached)| cached.level == OptLevel::Quick);
            let quick: Vec<usize> = quick.map(|(index, _)| index).collect();
            let level = if quick.is_empty() { OptLevel::Best } else { OptLevel::Quick };
            if level == OptLevel::Quick {
                self.tier_up = TierUp::begin(module.clone(), quick, &jit, &**executor);
            }
            self.linked = Some(Linked { module, level, jit: jit.clone() });
            Ok(jit)
        }

        /// Compiles the kernels of a module that have no code that will do, and forgets those of others.
        fn compile(
            &mut self,
            module: &Arc<Module>,
            level: OptLevel,
            executor: &Arc<dyn Executor>,
        ) -> Result<(), String> {
            if let Some(tier_up) = self.tier_up.take() {
                let better = tier_up.stop().into_iter();
                let cached = |code| CachedCode { code, level: OptLevel::Best };
                self.kernels.extend(better.map(|(kernel, code)| (kernel, cached(code))));
            }
            let mut before = take(&mut self.kernels);
            let mut fresh: Vec<Handle<Kernel>> = vec![];
            let mut missing: FxHashSet<&Kernel> = FxHashSet::default();
            for (handle, kernel) in module.kernels.iter() {
                let cached = before.remove_entry(kernel);
                match cached.filter(|(_, cached)| cached.level.suffices(level)) {
                    Some((kernel, cached)) => _ = self.kernels.insert(kernel, cached),
                    None if self.kernels.contains_key(kernel) || !missing.insert(kernel) => {}
                    None => fresh.push(handle),
                }
            }
            self.fresh = fresh.len();
            let compiled = compile_all(module, &fresh, level, &**executor)?;
            let cached = compiled.into_iter().map(|code| CachedCode { code, level });
            self.kernels.extend(fresh.into_iter().map(|handle| module.kernels[handle].clone()).zip(cached));
            Ok(())
        }
    }
}
