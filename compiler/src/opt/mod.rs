//! The optimiser: from a lowered kernel to one that means the same (or, where a pass says so, the same within a stated error)
//! and costs less, in three phases.
//!
//! 1. **canonicalize** brings each body to one form: bounds that change nothing go, what is constant is folded, what is
//!    equal is computed once, what is slower than a sample is gathered, long sums are split.
//! 2. **vectorize** makes a candidate of each way to compute the steady body's frames, runs the third phase on it, and takes
//!    the one that costs least, as it is then.
//! 3. **finish** expands elementary functions, and cleans up what that and the vectoriser left.
//!
//! After these, calls of one kernel are packed into lanes where that pays ([`instances`]). In debug builds the kernel is
//! checked between passes.

mod affine;
mod analysis;
mod cost;
mod cse;
mod dce;
mod dot_products;
mod elementary;
mod fma;
mod fold;
mod hoist;
pub mod instances;
pub mod intervals;
mod lanes;
mod late;
mod reassociate;
mod rebuild;
pub mod vectorize;

pub use cost::Cost;
pub use elementary::{elementary, legalize};
pub use hoist::{hoist, hoisted};

use crate::ir::{Body, Kernel, Module, check};
use crate::target::Target;
use intervals::Intervals;

/// A pass of the optimiser: a function from kernel to kernel.
pub struct Pass {
    /// Its name, for dumps.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Whether every bit stays.
    pub exact: bool,
    run: Run,
}

/// What a pass is a function of.
enum Run {
    /// Each body by itself.
    Bodies(fn(&Body, Context) -> Body),
    /// The whole kernel.
    Kernel(fn(&Kernel, Context) -> Kernel),
}

/// What a pass knows beside the body.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    target: &'a Target,
    /// The intervals of the kernel's states.
    intervals: &'a Intervals,
    /// Whether the body is one of two (steady and tail) that have to set the same states.
    has_tail: bool,
}

impl<'a> Context<'a> {
    fn new(target: &'a Target, intervals: &'a Intervals) -> Context<'a> {
        Context { target, intervals, has_tail: false }
    }

    /// For a steady body that has a tail, and for the tail.
    fn tailed(self) -> Context<'a> {
        Context { has_tail: true, ..self }
    }
}

impl Pass {
    const fn bodies(name: &'static str, about: &'static str, run: fn(&Body, Context) -> Body) -> Pass {
        Pass { name, about, exact: true, run: Run::Bodies(run) }
    }

    const fn kernel(name: &'static str, about: &'static str, run: fn(&Kernel, Context) -> Kernel) -> Pass {
        Pass { name, about, exact: true, run: Run::Kernel(run) }
    }

    const fn rounding(self) -> Pass {
        Pass { exact: false, ..self }
    }

    /// The kernel after the pass alone.
    pub fn run(&self, kernel: &Kernel, target: &Target) -> Kernel {
        self.apply(kernel, Context::new(target, &Intervals::analyse(kernel)))
    }

    fn apply(&self, kernel: &Kernel, cx: Context) -> Kernel {
        match self.run {
            Run::Kernel(run) => run(kernel, cx),
            Run::Bodies(run) => {
                let tailed = Context { has_tail: kernel.tail.is_some(), ..cx };
                Kernel {
                    general: run(&kernel.general, cx),
                    steady: run(&kernel.steady, tailed),
                    tail: kernel.tail.as_ref().map(|tail| run(tail, tailed)),
                    ..kernel.without_bodies()
                }
            }
        }
    }
}

/// The first phase, in order.
static CANONICALIZE: &[Pass] = &[
    Pass::bodies("intervals", "drops bounds and roundings that change nothing", intervals::run),
    Pass::bodies("fold", "computes what is constant, drops what does nothing", fold::run),
    Pass::bodies("cse", "computes equal values once", cse::run),
    Pass::bodies("affine", "gathers loop-invariant factors and terms, in f64", affine::run).rounding(),
    Pass::bodies(
        "reassociate",
        "adds up long sums, and those of neighbours in tables, in four partial sums",
        reassociate::run,
    )
    .rounding(),
    Pass::bodies("late", "adds last what is there last", late::run).rounding(),
    Pass::kernel("dce", "drops what nothing needs", |kernel, _| dce::run(kernel)),
];

/// The second phase.
static VECTORIZE: &[Pass] =
    &[Pass::kernel("vectorize", "computes several frames or channels at once", vectorize::chosen).rounding()];

/// The third phase, in order.
static FINISH: &[Pass] = &[
    Pass::bodies("elementary", "expands elementary functions", elementary::run).rounding(),
    Pass::bodies("finish-fold", "folds again", fold::run),
    Pass::bodies("fma", "multiplies and adds with one rounding, where the target can", fma::run).rounding(),
    Pass::bodies("finish-cse", "computes equal values once, again", cse::run),
    Pass::kernel("finish-dce", "drops what nothing needs any more", |kernel, _| dce::run(kernel)),
];

/// A phase: passes that run one after the other.
pub struct Phase {
    /// The name by which `mamc dump` shows it.
    pub name: &'static str,
    /// Its passes, in order.
    pub passes: &'static [Pass],
}

/// The phases, in order.
pub static PHASES: &[Phase] = &[
    Phase { name: "canonicalize", passes: CANONICALIZE },
    Phase { name: "vectorize", passes: VECTORIZE },
    Phase { name: "finish", passes: FINISH },
];

/// All passes, in the order in which they run.
pub fn passes() -> impl Iterator<Item = &'static Pass> {
    PHASES.iter().flat_map(|phase| phase.passes)
}

/// Runs all passes on a kernel of a module with so many tables.
pub fn optimize(kernel: &mut Kernel, tables: usize, target: &Target) {
    let canonical = canonicalize(kernel, tables, target);
    *kernel = vectorize::choose(&canonical, Context::new(target, &Intervals::analyse(&canonical))).kernel;
    verify(kernel, tables, "finish");
}

/// Runs all passes on all kernels of a module.
pub fn optimize_module(module: &mut Module, target: &Target) {
    let tables = module.tables.len();
    for kernel in module.kernels.handles() {
        optimize(&mut module.kernels[kernel], tables, target);
    }
}

/// The kernel after the first and the third phase: one frame an iteration, whatever that costs.
pub fn optimize_scalar(kernel: &Kernel, tables: usize, target: &Target) -> Kernel {
    finish(&canonicalize(kernel, tables, target), target)
}

/// The kernel after each pass, in order; what it is after the last is what [`optimize`] makes of it.
pub fn trace(kernel: &Kernel, tables: usize, target: &Target) -> Vec<(&'static Pass, Kernel)> {
    let mut seen: Vec<(&'static Pass, Kernel)> = vec![];
    let mut now = kernel.clone();
    let mut intervals = Intervals::analyse(kernel);
    for phase in PHASES {
        for pass in phase.passes {
            now = pass.apply(&now, Context::new(target, &intervals));
            verify(&now, tables, pass.name);
            seen.push((pass, now.clone()));
        }
        if phase.name == PHASES[0].name {
            intervals = Intervals::analyse(&now);
        }
    }
    seen
}

/// How a lowered kernel's frames are computed, line by line: in lanes or one by one, what that costs, and the form of each
/// recurrence.
pub fn reasons(kernel: &Kernel, target: &Target) -> Vec<String> {
    let canonical = canonicalize(kernel, usize::MAX, target);
    vectorize::choose(&canonical, Context::new(target, &Intervals::analyse(&canonical))).reasons
}

/// The kernel without what nothing needs.
pub fn sweep(kernel: &Kernel) -> Kernel {
    dce::run(kernel)
}

/// The kernel after the first phase.
fn canonicalize(kernel: &Kernel, tables: usize, target: &Target) -> Kernel {
    verify(kernel, tables, "lowering");
    let intervals = Intervals::analyse(kernel);
    let cx = Context::new(target, &intervals);
    CANONICALIZE.iter().fold(kernel.clone(), |kernel, pass| {
        let kernel = pass.apply(&kernel, cx);
        verify(&kernel, tables, pass.name);
        kernel
    })
}

/// The kernel after the third phase.
fn finish(kernel: &Kernel, target: &Target) -> Kernel {
    let intervals = Intervals::analyse(kernel);
    let cx = Context::new(target, &intervals);
    FINISH.iter().fold(kernel.clone(), |kernel, pass| pass.apply(&kernel, cx))
}

/// A body after the passes of the third phase that look at bodies by themselves.
fn finish_body(body: &Body, cx: Context) -> Body {
    FINISH.iter().fold(body.clone(), |body, pass| match pass.run {
        Run::Bodies(run) => run(&body, cx),
        Run::Kernel(_) => body,
    })
}

fn verify(kernel: &Kernel, tables: usize, after: &str) {
    if cfg!(debug_assertions) {
        let violations = check::kernel(kernel, tables);
        assert!(violations.is_empty(), "after {after}:\n{}\n{kernel}", violations.join("\n"));
    }
}
