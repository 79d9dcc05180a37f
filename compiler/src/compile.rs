//! The straight line from a text to a program.

use crate::emit::isa::Care;
use crate::files::{Files, Loader};
use crate::graph::{Graph, Group};
use crate::interp::Interpreter;
use crate::ir::{Kernel, Module};
use crate::kept::Kept;
use crate::library::Library;
use crate::listen::{Heard, Listen};
use crate::lower::{Lowered, lower};
use crate::opt::instances::{self, Packing, Rules};
use crate::opt::{hoist, hoisted};
use crate::places::Places;
use crate::plan::Plan;
use crate::target::Target;
use crate::tasks::Crew;
use crate::{checks, codes, front, heard, score, sets};
use mam_grammar::{Limits, Problem, Problems, SourceId, Sources, Span};
use mam_runtime::{Code, ParamSlot, Program};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How a song is compiled.
#[derive(Clone, Debug)]
pub struct Options {
    /// Frames a second; 0 for what the song says, else 48000.
    pub rate: u32,
    /// Output channels; 0 for what the song says, else 2.
    pub channels: usize,
    /// Run it by the reference interpreter instead of machine code.
    pub interpreter: bool,
    /// The song's seed; its own where `None`.
    pub seed: Option<u64>,
    /// Parameters and knobs to be set: name and value as it would be written in mam.
    pub sets: Vec<(String, String)>,
    /// What a song may ask for at most.
    pub limits: Limits,
    /// The machine that code is made for.
    pub target: Target,
    /// Threads that make machine code, at least 1. It is the same code for any number.
    pub threads: usize,
    /// With how much care machine code is made. What is made quickly is made better beside, and replaced while the program
    /// runs; a program that may take much of the time is never begun with such code.
    pub care: Care,
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
            threads: mam_runtime::all_threads(),
            care: Care::Best,
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
    /// How long each stage took.
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
    compile_again(sources, song, loader, options, &mut Kept::default())
}

/// Compiles a song that was compiled before, perhaps with other words: only kernels that have changed are made anew. The
/// program is the same as that of [`compile()`].
pub fn compile_again(
    sources: &mut Sources,
    song: SourceId,
    loader: &dyn Loader,
    options: &Options,
    kept: &mut Kept,
) -> Compilation {
    let crew = Crew::new(options.threads);
    let mut line = Line { out: Compilation::default(), last: Instant::now() };
    let read = front::read(sources, song, loader, &options.limits, &mut line.out.problems);
    line.done("parse");
    if let Some(read) = read {
        line.run(sources, read, options, (kept, &crew));
    }
    line.out
}

struct Line {
    out: Compilation,
    last: Instant,
}

impl Line {
    fn done(&mut self, stage: &'static str) {
        let now = Instant::now();
        self.out.timings.push((stage, now - self.last));
        self.last = now;
    }

    fn run(
        &mut self,
        sources: &mut Sources,
        read: front::Read,
        options: &Options,
        (kept, crew): (&mut Kept, &Crew),
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
        let held = |kernel: &Kernel, params: &[usize]| hoisted(kernel, params, &moves);
        let mut lowered = kept.lowering((&options.target, crew), held, |templates, made| {
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
            let kernels = kept.optimize(&lowered.module, &options.target, crew);
            self.done("passes");
            let rules =
                Rules { packing: options.packing, target: &options.target, tables: kernels.tables.len() };
            let packed = instances::run(&lowered, kernels, rules, &mut kept.choices(rules));
            self.done("instances");
            plan = Plan::new(&lowered, &packed, channels);
            optimised = packed.module;
            check_memory(&plan, &options.limits, &mut problems);
            self.done("plan");
        }
        if !problems.has_errors() {
            let code = code(&optimised, options, care(options, plan.work(), rate), (kept, crew));
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

/// What runs the optimised kernels: machine code, or the interpreter where that is asked for.
fn code(kernels: &Module, options: &Options, care: Care, (kept, crew): (&mut Kept, &Crew)) -> Arc<dyn Code> {
    match options.interpreter {
        true => Arc::new(Interpreter::new(kernels.clone())),
        false => kept.jit(kernels, care, crew).expect("checked modules compile"),
    }
}

/// The care with which code is made for a program that executes so many operations a frame.
fn care(options: &Options, work: usize, rate: u32) -> Care {
    if work as u64 * u64::from(rate) > QUICK_WORK { Care::Best } else { options.care }
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
