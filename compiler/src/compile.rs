//! The straight line from a text to a program.

use crate::cache::CompilationCache;
use crate::channels::{Channels, DEFAULT_CHANNELS};
use crate::executor::Session;
use crate::expect::song::Subject;
use crate::files::{Files, Loader};
use crate::graph::{Graph, Group};
use crate::hir::types::{self, Checked};
use crate::host::{Clock, Host};
use crate::interp::Interpreter;
use crate::ir::{Kernel, Module};
use crate::library::{Library, ParamInfo};
use crate::listen::{Chosen, Heard, Listen};
use crate::lower::{self, Lowered, Slots};
use crate::opt::instances::{self, Packed, Packing, Rules};
use crate::opt::{hoist, hoisted};
use crate::places::Bindings;
use crate::plan::Plan;
use crate::target::{OptLevel, Target};
use crate::{checks, front, heard, score, sets};
use mam_grammar::{Limits, Problems, Severity, SourceId, Sources, Span};
use mam_runtime::ids::{IdMap, ParamId};
use mam_runtime::score::{Mark, PlayedParam, Score};
use mam_runtime::{ChannelLayout, Code, NoteParam, NoteSignal, ParamSlot, Program, Target as Playable};
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
    /// The last stage that is run: an editor needs no machine code. There is a program from [`Stage::Plan`] on.
    pub until: Stage,
    /// What is heard beside the song: further outputs of the program, which may change last bits of the song's own.
    pub listen: Listen,
    /// The names of instruments whose notes come from outside with bends and pressure, one voice another than the next: each of
    /// their voices has its own [`NoteSignal`]s. Names that lead to no instrument change nothing.
    pub played_outside: Vec<String>,
    /// Whether a host plays all instruments: each of their voices has its own of the [`NoteSignal`]s that the instrument reads.
    pub played_by_host: bool,
    /// The expression of an `expect` that is heard in place of `out`.
    pub measured: Option<Subject>,
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
            until: Stage::Emit,
            listen: Listen::default(),
            played_outside: vec![],
            played_by_host: false,
            measured: None,
        }
    }
}

/// Sample rate of a song that does not say one.
const DEFAULT_RATE: u32 = 48_000;

/// How many operations a second may be made quickly: with such code they take about a tenth of what a core can do.
const QUICK_WORK: u64 = 200_000_000;

/// What became of a song: the program, if it has no errors and was wanted, and every stage on the way.
#[derive(Default)]
pub struct Compilation {
    /// The program; none when there are errors, or [`Options::until`] is an earlier stage.
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
    /// The song's file, those it uses and the prelude.
    pub files: Option<Files>,
    /// Index of the song among them.
    pub song: usize,
    /// The song as it was read, where it is JSON.
    pub json: Option<crate::json::Song>,
    /// What was read of definitions.
    pub library: Library,
    /// Where each section of the score is heard.
    pub marks: Vec<Mark>,
    /// The nodes of the song and their connections.
    pub graph: Graph,
    /// Which nodes become one kernel.
    pub groups: Vec<Group>,
    /// The types of names, and what else is known of values before anything is lowered.
    pub checked: Checked,
    /// Kernels as they were lowered, their calls, and what can be set.
    pub lowered: Lowered,
    /// The kernels that are called, after all passes.
    pub optimised: Module,
    /// The steps of the program and the layout of its memory.
    pub plan: Plan,
    /// The machine that all of this is for.
    pub target: Target,
    /// The song's seed, from which all chance is drawn.
    pub seed: u64,
    /// How many channels the song's result has.
    pub channels: usize,
}

/// Compiles a song with nothing cached from a compilation before.
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
    let mut line = Line::new(options, cache);
    for stage in Stage::ALL {
        if stage > line.until {
            break;
        }
        let goes_on = match stage {
            Stage::Parse => line.parse(sources, song, loader),
            Stage::Resolve => line.resolve(),
            Stage::Graph => line.graph(),
            Stage::Check => line.check(),
            Stage::Score => line.score(),
            Stage::Lower => line.lower(sources),
            Stage::Optimise => line.optimise(),
            Stage::Plan => line.plan(),
            Stage::Emit => line.emit(),
        };
        line.timed(stage.name());
        if !goes_on {
            break;
        }
    }
    line.out
}

/// A stage of a compilation, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Texts become syntax trees.
    Parse,
    /// What names mean.
    Resolve,
    /// What the equations need of each other.
    Graph,
    /// What is wrong with values, and the types of all that have one. Every problem but that of too much code or memory is
    /// known after it and [`Stage::Score`].
    Check,
    /// What is played.
    Score,
    /// Kernels. Every problem is known after it: a song that may take too much memory is planned as well.
    Lower,
    /// All passes.
    Optimise,
    /// Where everything is in memory; a program that the reference interpreter runs.
    Plan,
    /// Machine code.
    Emit,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Stage; 9] = [
        Stage::Parse,
        Stage::Resolve,
        Stage::Graph,
        Stage::Check,
        Stage::Score,
        Stage::Lower,
        Stage::Optimise,
        Stage::Plan,
        Stage::Emit,
    ];

    /// What it is called where times are shown.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Parse => "parse",
            Stage::Resolve => "resolve",
            Stage::Graph => "graph",
            Stage::Check => "check",
            Stage::Score => "score",
            Stage::Lower => "lower",
            Stage::Optimise => "passes",
            Stage::Plan => "plan",
            Stage::Emit => "emit",
        }
    }
}

/// A compilation while it runs. Each stage reads what those before it made, and says whether there can be a next one.
struct Line<'a> {
    options: &'a Options,
    /// The last stage that is run.
    until: Stage,
    cache: &'a mut CompilationCache,
    /// Where there is something for threads to do.
    _session: Option<Session<'a>>,
    out: Compilation,
    last: Duration,
    settings: Settings,
    listened: Chosen,
    score: Score,
    leftovers: Vec<score::Leftover>,
    /// What was set from outside, and where that is written.
    set: Vec<(ParamId, Span)>,
    score_errors: usize,
    targets: Vec<Playable>,
    /// The shares of voices, by instrument.
    note_params: Vec<(usize, NoteParam)>,
    packed: Packed,
}

/// What a song says for all of it, or the options instead.
#[derive(Default)]
struct Settings {
    seed: u64,
    rate: u32,
    channels: usize,
    layout: ChannelLayout,
    /// The channels that `out` has to have; `None` where any will do.
    wanted: Option<Channels>,
}

impl<'a> Line<'a> {
    fn new(options: &'a Options, cache: &'a mut CompilationCache) -> Line<'a> {
        let optimises = options.until >= Stage::Optimise;
        Line {
            options,
            until: options.until,
            cache,
            _session: optimises.then(|| Session::begin(&*options.host.executor)),
            out: Compilation {
                stages: Stages { target: options.target, ..Stages::default() },
                ..Compilation::default()
            },
            last: options.host.clock.as_deref().map_or(Duration::ZERO, Clock::now),
            settings: Settings::default(),
            listened: Chosen::default(),
            score: Score::default(),
            leftovers: vec![],
            set: vec![],
            score_errors: 0,
            targets: vec![],
            note_params: vec![],
            packed: Packed::default(),
        }
    }

    fn timed(&mut self, stage: &'static str) {
        let Some(now) = self.options.host.clock.as_deref().map(Clock::now) else { return };
        self.out.timings.push((stage, now - self.last));
        self.last = now;
    }

    fn parse(&mut self, sources: &mut Sources, song: SourceId, loader: &dyn Loader) -> bool {
        let (limits, measured) = (&self.options.limits, self.options.measured);
        let problems = &mut self.out.problems;
        let Some(read) = front::read(sources, song, loader, limits, measured, problems) else {
            return false;
        };
        let rates = [self.options.rate, read.rate, DEFAULT_RATE];
        let channels = [self.options.channels, read.channels, DEFAULT_CHANNELS];
        self.settings = Settings {
            seed: self.options.seed.unwrap_or(read.seed),
            rate: rates.into_iter().find(|&rate| rate > 0).unwrap_or_default(),
            channels: channels.into_iter().find(|&count| count > 0).unwrap_or_default(),
            layout: read.wanted.map_or(ChannelLayout::Speakers, |wanted| wanted.layout),
            // What is measured has the channels that it has.
            wanted: read.wanted.filter(|_| measured.is_none()),
        };
        let stages = &mut self.out.stages;
        (stages.files, stages.song, stages.json) = (Some(read.files), read.song, read.json);
        (stages.seed, stages.channels) = (self.settings.seed, self.settings.channels);
        true
    }

    fn resolve(&mut self) -> bool {
        let Compilation { stages, problems, .. } = &mut self.out;
        let Some(files) = &stages.files else { return false };
        checks::check(files, &stages.library, stages.song, problems);
        true
    }

    fn graph(&mut self) -> bool {
        let Compilation { stages, problems, .. } = &mut self.out;
        let Some(files) = &stages.files else { return false };
        stages.graph = Graph::from_ast(files, &stages.library, stages.song, problems);
        let outside = &self.options.played_outside;
        outside.iter().for_each(|name| stages.graph.deliver(name, &NoteSignal::ALL));
        if self.options.played_by_host {
            stages.graph.deliver_read(files, stages.song);
        }
        self.listened = self.options.listen.choose(files, stages.song, &mut stages.graph);
        if stages.graph.nodes.len() > self.options.limits.nodes
            || checks::too_many_params(&self.options.limits, &stages.graph, problems)
        {
            return false; // What stands beyond the limit has no node, so nothing more can be said of it.
        }
        checks::settings(files, stages.song, &stages.graph, problems);
        stages.groups = stages.graph.order(files, stages.song);
        stages.lowered = Lowered::begin(files, &stages.library, &stages.graph, stages.song);
        checks::presets(files, &stages.library, stages.song, &stages.lowered.slots, problems);
        true
    }

    fn check(&mut self) -> bool {
        let Compilation { stages, problems, .. } = &mut self.out;
        let Some(files) = &stages.files else { return false };
        let input = types::Input {
            files,
            library: &stages.library,
            song: stages.song,
            graph: &stages.graph,
            groups: &stages.groups,
            rate: f64::from(self.settings.rate),
            is_measured: self.options.measured.is_some(),
            is_json: stages.json.is_some(),
            channels: self.settings.wanted,
        };
        stages.checked = types::check(input, problems);
        stages.lowered.slots.drive_all(&stages.checked.driven);
        if let Some(found) = stages.checked.too_large {
            problems.add(checks::too_large(found));
        }
        true
    }

    /// What the score moves decides how kernels are made, so it comes before lowering, of the graph's names alone.
    fn score(&mut self) -> bool {
        let Compilation { stages, problems, .. } = &mut self.out;
        let Some(files) = &stages.files else { return false };
        let places = Bindings::new((files, &stages.library, stages.song), &stages.graph, &stages.lowered);
        let (json, seed) = (stages.json.as_ref(), self.settings.seed);
        let before = errors(problems);
        (self.score, self.leftovers) = front::score(json, files, stages.song, seed, &places, problems);
        let mut shared: Vec<Shared> = self
            .score
            .note_params
            .iter()
            .map(|&PlayedParam { target, param }| Shared { target, param, signal: None })
            .collect();
        let named = self.options.played_outside.iter().filter_map(|name| places.instrument(name));
        let by_host = places.instruments().into_iter().filter(|_| self.options.played_by_host);
        for (target, signal, param) in
            named.chain(by_host).flat_map(|(target, node)| places.signals(target, node))
        {
            shared.retain(|shared| shared.param != param);
            shared.push(Shared { target, param, signal: Some(signal) });
        }
        let shares = shared.iter().map(|shared| places.targets[shared.target].voices.len());
        let (slots, shares) = (stages.lowered.slots.iter().count(), shares.sum());
        if checks::too_many_shares(slots, shares, &self.options.limits, problems) {
            return false;
        }
        self.note_params = note_params(&shared, &places.targets, &mut stages.lowered.slots);
        self.score_errors = errors(problems) - before;
        stages.marks = self.score.transports.iter().flat_map(|transport| transport.marks.clone()).collect();
        true
    }

    fn lower(&mut self, sources: &mut Sources) -> bool {
        let Compilation { stages, problems, heard, .. } = &mut self.out;
        let Some(files) = &stages.files else { return false };
        if errors(problems) > self.score_errors {
            let _ = sets::apply(&self.options.sets, sources, &mut stages.lowered.slots, problems);
            return false;
        }
        let Settings { seed, rate, .. } = self.settings;
        let (song, graph) = (stages.song, &stages.graph);
        let mut begun = std::mem::take(&mut stages.lowered);
        let moves = self.score.moves(&params(&begun, rate));
        let hoisted = |kernel: &Kernel, params: &[usize]| hoisted(kernel, params, moves.as_slice());
        begun.slots.start_all(&stages.checked.starts);
        let input = lower::Input {
            files,
            library: &stages.library,
            song,
            graph,
            groups: &stages.groups,
            layouts: &stages.checked.layouts,
            rate: f64::from(rate),
            seed,
        };
        let executor = &*self.options.host.executor;
        let ahead = (self.options.until >= Stage::Optimise).then_some((self.options.target, executor));
        let lowered = self
            .cache
            .lowering(ahead, hoisted, |templates, made| lower::lower(input, templates, begun, made));
        let mut lowered = match lowered {
            Ok(lowered) => lowered,
            Err(found) => {
                problems.add(checks::refused(found));
                return false;
            }
        };
        hoist(&mut lowered, moves.as_slice());
        if self.options.measured.is_some() {
            self.settings.channels = lowered.out.len().max(DEFAULT_CHANNELS);
        }
        *heard = self.listened.heard(&mut lowered, self.settings.channels);
        lowered.align();
        checks::cyclic_latencies(&lowered.cyclic).into_iter().for_each(|problem| problems.add(problem));
        self.set = sets::apply(&self.options.sets, sources, &mut lowered.slots, problems);
        let tempo = self.score.transports.first().map(|transport| &transport.tempo);
        if let Some((tempo, bpm)) = tempo.and_then(|tempo| Some((tempo, tempo.first()?))) {
            lowered.slots.begin_at(bpm.to_f64(), tempo.beats_per_bar);
        }
        let mut places = Bindings::new((files, &stages.library, song), graph, &lowered);
        // What is odd in a song without errors is odd whatever is wrong with its score.
        if errors(problems) == self.score_errors {
            left_over(&self.leftovers, &places, problems);
            if stages.json.is_none() {
                heard::check((files, song), graph, &places, &self.score, problems);
            }
        }
        let measured = self.options.measured.is_some();
        front::complete(&mut self.score, stages.json.as_ref(), files, song, measured, &places);
        for (&node, outside) in &stages.checked.outside {
            if let Some(target) = places.target_at(node) {
                let sent = places.sent(node, outside);
                let target = &mut places.targets[target];
                (target.outside, target.sent) = (Some(outside.clone()), sent);
            }
        }
        self.targets = places.targets;
        for (target, param) in std::mem::take(&mut self.note_params) {
            self.targets[target].note_params.push(param);
        }
        stages.lowered = lowered;
        if stages.lowered.most_memory() > self.options.limits.memory_bytes {
            // Only the layout says whether it really takes so much.
            self.until = self.until.max(Stage::Plan);
        }
        !problems.has_errors()
    }

    fn optimise(&mut self) -> bool {
        let (options, lowered) = (self.options, &self.out.stages.lowered);
        let kernels = self.cache.optimize(&lowered.module, options.target, &*options.host.executor);
        let (packing, target) = (options.packing, &options.target);
        let rules = Rules { packing, target, tables: kernels.tables.len() };
        self.packed = instances::run(lowered, kernels, rules, &mut self.cache.choices(rules));
        true
    }

    fn plan(&mut self) -> bool {
        let Compilation { stages, problems, .. } = &mut self.out;
        // What is far too much is not planned: that would take the memory.
        checks::memory(stages.lowered.least_memory(), &self.options.limits, problems);
        if problems.has_errors() {
            return false;
        }
        stages.plan = Plan::new(&stages.lowered, &self.packed, self.settings.channels);
        stages.optimised = std::mem::take(&mut self.packed.module);
        checks::memory(stages.plan.memory(), &self.options.limits, problems);
        if problems.has_errors() {
            return false;
        }
        if self.options.until == Stage::Plan {
            let code = Arc::new(Interpreter::new(stages.optimised.clone()));
            let program = self.program(code);
            sets::overridden(&self.set, &program, &mut self.out.problems);
            self.out.program = Some(program);
        }
        true
    }

    fn emit(&mut self) -> bool {
        let Stages { optimised, plan, .. } = &self.out.stages;
        let level = opt_level(self.options, plan.work(), self.settings.rate);
        let code = code(optimised, self.options, level, self.cache);
        let program = self.program(code);
        sets::overridden(&self.set, &program, &mut self.out.problems);
        self.out.program = Some(program);
        true
    }

    /// The program that `code` computes.
    fn program(&mut self, code: Arc<dyn Code>) -> Program {
        let Stages { plan, lowered, .. } = &self.out.stages;
        Program {
            rate: self.settings.rate,
            latency: lowered.latency,
            layout: self.settings.layout,
            code,
            steps: plan.steps.clone(),
            state: plan.state.clone(),
            delays: plan.delays.clone(),
            buffers: plan.buffers.clone(),
            inputs: plan.inputs.clone(),
            outputs: plan.outputs.clone(),
            params: params(lowered, self.settings.rate),
            names: lowered.slots.names().clone(),
            ports: lowered.ports.count(),
            targets: std::mem::take(&mut self.targets),
            score: std::mem::take(&mut self.score),
        }
    }
}

/// A parameter of an instrument of which each voice has a share.
struct Shared {
    /// The instrument, an index into the targets.
    target: usize,
    param: ParamId,
    signal: Option<NoteSignal>,
}

/// Gives each voice a share of the parameters of which notes have values, and says whose they are.
fn note_params(shared: &[Shared], targets: &[Playable], slots: &mut Slots) -> Vec<(usize, NoteParam)> {
    let shares = |&Shared { target, param, signal }: &Shared| {
        let voices = slots.add_shares(param.index(), targets[target].voices.len());
        (target, NoteParam { param, signal, voices })
    };
    shared.iter().map(shares).collect()
}

fn errors(problems: &Problems) -> usize {
    problems.iter().filter(|problem| problem.code.severity == Severity::Error).count()
}

/// Warns of parameters that later passes begin with another value of, now that the first one's is known.
fn left_over(leftovers: &[score::Leftover], places: &Bindings, problems: &mut Problems) {
    for leftover in leftovers {
        let (info, owner) = (places.info(leftover.param), places.target_of(leftover.param));
        let problem = leftover.problem(info.default, owner, |x| info.show(x));
        problem.into_iter().for_each(|problem| problems.add(problem));
    }
}

fn params(lowered: &Lowered, rate: u32) -> IdMap<ParamId, ParamSlot> {
    let slots = lowered.slots.iter().enumerate();
    slots.map(|(index, (name, info))| slot(name, info, rate, lowered.slots.follows(index))).collect()
}

fn slot(name: &Arc<str>, info: &ParamInfo, rate: u32, follows: Option<ParamId>) -> ParamSlot {
    ParamSlot {
        name: name.clone(),
        default: info.default,
        min: info.min,
        max: info.max,
        curve: info.curve,
        smooth: (info.smooth * f64::from(rate) + 0.5).floor() as u32,
        follows,
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
