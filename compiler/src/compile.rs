//! The straight line from a text to a program.

use crate::cache::CompilationCache;
use crate::executor::Session;
use crate::files::{Files, Loader};
use crate::graph::{Graph, Group};
use crate::host::{Clock, Host};
use crate::interp::Interpreter;
use crate::ir::{Kernel, Module};
use crate::library::Library;
use crate::listen::{Heard, Listen};
use crate::lower::{Lowered, lower};
use crate::opt::instances::{self, Packing, Rules};
use crate::opt::{hoist, hoisted};
use crate::places::Places;
use crate::plan::Plan;
use crate::target::{OptLevel, Target};
use crate::{checks, codes, front, heard, score, sets};
use mam_grammar::{Limits, Problem, Problems, SourceId, Sources, Span};
use mam_runtime::{Code, ParamSlot, Program};
use std::sync::Arc;
use std::time::Duration;

/// How a song is compiled.
#[derive(Clone, Debug)]
pub struct Options {
    /// Frames a second; 0 for what the song says, else 48000.
    pub rate: u32,
    /// Output channels; 0 for what the song says, else 2.
    pub channels: usize,
    /// Run it by the reference interpreter instead of machine code. Without the feature `jit` it always is.
    pub interpreter: bool,
    /// The song's seed; its own where `None`.
    pub seed: Option<u64>,
    /// Parameters and knobs to be set: name and value as it would be written in mam.
    pub sets: Vec<(String, String)>,
    /// What a song may ask for at most.
    pub limits: Limits,
    /// The machine that code is made for.
    pub target: Target,
    /// The clock and the threads that the compiler may use. They change nothing of the program.
    pub host: Host,
    /// How much time the code generator takes. What is made quickly is made better in the background, and replaced while the
    /// program runs; a program that may take much of a core never begins with such code.
    pub opt_level: OptLevel,
    /// Whether calls of one kernel are packed into lanes, for measurements and comparisons.
    pub packing: Packing,
    /// What is heard beside the song: further outputs of the program, which may change last bits of the song's own.
    pub listen: Listen,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            rate: 0,
            channels: 0,
            interpreter: false,
            seed: None,
            sets: vec![],
            limits: Limits::default(),
            target: Target::host(),
            host: Host::default(),
            opt_level: OptLevel::Best,
            packing: Packing::default(),
            listen: Listen::default(),
        }
    }
}

/// Sample rate of a song that does not say one.
const DEFAULT_RATE: u32 = 48_000;
/// Channels of a song that does not say how many.
const DEFAULT_CHANNELS: usize = 2;

/// How many operations a second may be made quickly: with such code they take about a tenth of what a core can do.
const QUICK_WORK: u64 = 200_000_000;

/// What became of a song: the program, if it has no errors, and every stage on the way.
#[derive(Default)]
pub struct Compilation {
    /// The program; none when there are errors.
    pub program: Option<Program>,
    /// Everything that is wrong or odd.
    pub problems: Problems,
    /// What is heard beside the song.
    pub heard: Heard,
    /// How long each stage took; empty without a clock.
    pub timings: Vec<(&'static str, Duration)>,
    /// The stages, as far as it came.
    pub stages: Stages,
}

/// The stages of a compilation.
#[derive(Default)]
pub struct Stages {
    /// All files.
    pub files: Option<Files>,
    /// Index of the song among them.
    pub song: usize,
    /// The song as it was read, where it is JSON.
    pub json: Option<crate::json::Song>,
    /// What was read of definitions.
    pub library: Library,
    /// The graph.
    pub graph: Graph,
    /// Which nodes become one kernel.
    pub groups: Vec<Group>,
    /// Kernels as they were lowered, their calls, and what can be set.
    pub lowered: Lowered,
    /// The kernels that are called, after all passes.
    pub optimised: Module,
    /// Where everything is.
    pub plan: Plan,
    /// The machine that all of this is for.
    pub target: Target,
}

/// Compiles a song.
pub fn compile(sources: &mut Sources, song: SourceId, loader: &dyn Loader, options: &Options) -> Compilation {
    compile_again(sources, song, loader, options, &mut CompilationCache::default())
}

/// Compiles a song that was compiled before, perhaps with other words: only kernels that have changed are made anew. The
/// program is the same as that of [`compile()`].
pub fn compile_again(
    sources: &mut Sources,
    song: SourceId,
    loader: &dyn Loader,
    options: &Options,
    cache: &mut CompilationCache,
) -> Compilation {
    let _session = Session::begin(&*options.host.executor);
    let clock = options.host.clock.as_deref();
    let mut line =
        Line { out: Compilation::default(), clock, last: clock.map_or(Duration::ZERO, Clock::now) };
    let read = front::read(sources, song, loader, &options.limits, &mut line.out.problems);
    line.done("parse");
    if let Some(read) = read {
        line.run(sources, read, options, cache);
    }
    line.out
}

struct Line<'o> {
    out: Compilation,
    clock: Option<&'o dyn Clock>,
    last: Duration,
}

impl Line<'_> {
    fn done(&mut self, stage: &'static str) {
        let Some(now) = self.clock.map(Clock::now) else { return };
        self.out.timings.push((stage, now - self.last));
        self.last = now;
    }

    fn run(
        &mut self,
        sources: &mut Sources,
        read: front::Read,
        options: &Options,
        cache: &mut CompilationCache,
    ) {
        let front::Read { files, song, json, seed, rate, channels } = read;
        let rate = [options.rate, rate].into_iter().find(|&r| r > 0).unwrap_or(DEFAULT_RATE);
        let channels = [options.channels, channels].into_iter().find(|&c| c > 0).unwrap_or(DEFAULT_CHANNELS);
        let seed = options.seed.unwrap_or(seed);
        let mut problems = std::mem::take(&mut self.out.problems);

        let library = Library::default();
        checks::check(&files, &library, song, &mut problems);
        let mut graph = Graph::from_ast(&files, &library, song, &mut problems);
        let listened = options.listen.choose(&files, song, &mut graph);
        if graph.nodes.len() > options.limits.nodes
            || checks::too_many_params(&files, &library, &graph, &mut problems)
        {
            // What stands beyond the limit has no node, so nothing more can be said of it.
            self.out.problems = problems;
            return;
        }
        checks::settings(&files, song, &graph, &mut problems);
        let groups = graph.order(&files, song);
        self.done("graph");

        let begun = Lowered::begin(&files, &library, &graph, song, &mut problems);
        let places = Places::new((&files, &library, song), &graph, &begun);
        let mut told = problems.clone();
        let (mut score, leftovers) = front::score(json.as_ref(), &files, song, seed, &places, &mut told);
        let moves = score.moves(&params(&begun, rate));
        self.done("score");

        let rates = (f64::from(rate), seed);
        let hoisted = |kernel: &Kernel, params: &[usize]| hoisted(kernel, params, &moves);
        let mut lowered =
            cache.lowering((options.target, &*options.host.executor), hoisted, |templates, made| {
                let order = (&graph, &groups[..]);
                lower((&files, &library, song), order, rates, templates, begun, made, &mut problems)
            });
        hoist(&mut lowered, &moves);
        self.out.heard = listened.heard(&graph, &mut lowered, channels);
        sets::apply(&options.sets, sources, &mut lowered.slots, &mut problems);
        let places = Places::new((&files, &library, song), &graph, &lowered);
        match problems.has_errors() {
            // What is no instrument may be a broken one: with that known the score is told of once more.
            true => _ = front::score(json.as_ref(), &files, song, seed, &places, &mut problems),
            false => {
                problems.extend(told);
                left_over(&leftovers, &places, &mut problems);
                if json.is_none() {
                    heard::check((&files, song), &graph, &places, &score, &mut problems);
                }
            }
        }
        front::complete(&mut score, json.as_ref(), &files, song, &places);
        let (targets, params) = (places.targets, params(&lowered, rate));
        self.done("lower");

        let mut optimised = Module::default();
        let mut plan = Plan::default();
        let mut program = None;
        if !problems.has_errors() {
            let kernels = cache.optimize(&lowered.module, options.target, &*options.host.executor);
            self.done("passes");
            let rules =
                Rules { packing: options.packing, target: &options.target, tables: kernels.tables.len() };
            let packed = instances::run(&lowered, kernels, rules, &mut cache.choices(rules));
            self.done("instances");
            plan = Plan::new(&lowered, &packed, channels);
            optimised = packed.module;
            check_memory(&plan, &options.limits, &mut problems);
            self.done("plan");
        }
        if !problems.has_errors() {
            let code = code(&optimised, options, opt_level(options, plan.work(), rate), cache);
            self.done("emit");
            program = Some(Program {
                rate,
                code,
                steps: plan.steps.clone(),
                state: plan.state.clone(),
                delays: plan.delays.clone(),
                buffers: plan.buffers.clone(),
                inputs: plan.inputs.clone(),
                outputs: plan.outputs.clone(),
                params,
                names: lowered.slots.names().clone(),
                ports: lowered.ports.count(),
                targets,
                score,
            });
        }
        let stages = Stages {
            files: Some(files),
            song,
            json,
            library,
            graph,
            groups,
            lowered,
            optimised,
            plan,
            target: options.target,
        };
        self.out.stages = stages;
        self.out.problems = problems;
        self.out.program = program;
    }
}

/// Warns of parameters that later passes begin with another value of, now that the first one's is known.
fn left_over(leftovers: &[score::Leftover], places: &Places, problems: &mut Problems) {
    for leftover in leftovers {
        let (info, owner) = (places.info(leftover.param), places.target_of(leftover.param));
        let problem = leftover.problem(info.default, owner, |x| info.show(x));
        problem.into_iter().for_each(|problem| problems.add(problem));
    }
}

fn params(lowered: &Lowered, rate: u32) -> Vec<ParamSlot> {
    lowered.slots.iter().map(|(name, info)| slot(name, info, rate)).collect()
}

fn slot(name: &Arc<str>, info: &crate::library::ParamInfo, rate: u32) -> ParamSlot {
    ParamSlot {
        name: name.clone(),
        default: info.default,
        min: info.min,
        max: info.max,
        curve: info.curve,
        smooth: (info.smooth * f64::from(rate) + 0.5).floor() as u32,
    }
}

/// What runs the optimised kernels: machine code, or the interpreter where that is asked for or there is nothing else.
#[cfg_attr(not(feature = "jit"), expect(unused_variables, reason = "there is the interpreter only"))]
fn code(kernels: &Module, options: &Options, level: OptLevel, cache: &mut CompilationCache) -> Arc<dyn Code> {
    #[cfg(feature = "jit")]
    if !options.interpreter {
        return cache.jit(kernels, level, &options.host.executor).expect("checked modules compile");
    }
    Arc::new(Interpreter::new(kernels.clone()))
}

/// The level for a program that executes so many operations a frame.
fn opt_level(options: &Options, work: usize, rate: u32) -> OptLevel {
    if work as u64 * u64::from(rate) > QUICK_WORK { OptLevel::Best } else { options.opt_level }
}

fn check_memory(plan: &Plan, limits: &Limits, problems: &mut Problems) {
    if plan.memory() > limits.memory_bytes {
        let (has, most) = (plan.memory() >> 20, limits.memory_bytes >> 20);
        let message = format!(
            "the song needs {has} MiB for its state and delay lines; {most} are the limit, `memory_bytes`"
        );
        let help = "shorten the `max:` of its taps, or use fewer voices";
        problems.add(Problem::new(&codes::TOO_LARGE, Span::default(), message).help(help));
    }
}
