//! The straight line from a text to a program.

use crate::cache::CompilationCache;
use crate::channels::{Channels, DEFAULT_CHANNELS};
use crate::executor::Session;
use crate::files::{Files, Loader};
use crate::graph::{Graph, Group};
use crate::hir::builtins::PAN;
use crate::hir::types::{self, Checked};
use crate::host::Clock;
use crate::interp::Interpreter;
use crate::ir::{Kernel, Module};
use crate::library::Library;
use crate::listen::{Chosen, Heard};
use crate::lower::{self, Lowered, Slots};
use crate::opt::instances::{self, Packed, Rules};
use crate::opt::{hoist, hoisted};
use crate::options::Options;
use crate::places::Bindings;
use crate::plan::Plan;
use crate::stage::Stage;
use crate::target::{OptLevel, Target};
use crate::{checks, front, heard, score, sets, starts, unused};
use mam_grammar::{Problems, Severity, SourceId, Sources, Span};
use mam_runtime::ids::ParamId;
use mam_runtime::score::{Mark, PlayedParam, Score};
use mam_runtime::{ChannelLayout, Code, NoteParam, NoteSignal, Program, Target as Playable};
use std::sync::Arc;
use std::time::Duration;

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
    let mut cache = CompilationCache::default();
    let mut line = Line::new(options, &mut cache);
    line.begin(sources, song, loader);
    line.go_on(sources, Stage::LAST);
    line.out
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
    let (begun, rest) = begin_again(sources, song, loader, options, cache);
    match rest {
        Some(rest) => rest.finish(begun, sources, options, cache),
        None => begun,
    }
}

/// Begins what [`compile_again`] does: up to [`Stage::Start`], after which nearly all problems are known. With it comes what is
/// left to do, if anything is.
pub fn begin_again(
    sources: &mut Sources,
    song: SourceId,
    loader: &dyn Loader,
    options: &Options,
    cache: &mut CompilationCache,
) -> (Compilation, Option<Rest>) {
    cache.pieces.get_or_insert_default().next_version();
    cache.notations.next_version();
    cache.lines.get_or_insert_default().next_version();
    cache.alike.next_version();
    let mut line = Line::new(options, cache);
    line.begin(sources, song, loader);
    line.go_on(sources, Stage::Start);
    let goes_on = line.state.next.is_some_and(|next| next <= line.state.until);
    (line.out, goes_on.then_some(Rest(line.state)))
}

/// The stages of a compilation that was begun and not finished.
pub struct Rest(State);

impl Rest {
    /// Runs them on what was begun, with the same texts, options and cache.
    pub fn finish(
        self,
        begun: Compilation,
        sources: &mut Sources,
        options: &Options,
        cache: &mut CompilationCache,
    ) -> Compilation {
        let last = options.host.clock.as_deref().map_or(Duration::ZERO, Clock::now);
        let mut line = Line { options, cache, out: begun, state: State { last, ..self.0 } };
        line.go_on(sources, Stage::LAST);
        line.out
    }
}

/// A compilation while it runs. Each stage reads what those before it made, and says whether there can be a next one.
struct Line<'a> {
    options: &'a Options,
    cache: &'a mut CompilationCache,
    out: Compilation,
    state: State,
}

/// What stages leave for those after them.
struct State {
    /// The stage that comes next; `None` where there can be none.
    next: Option<Stage>,
    /// The last stage that is run.
    until: Stage,
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
        let stages = Stages { target: options.target, ..Stages::default() };
        let state = State {
            next: Some(Stage::Parse),
            until: options.until,
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
        };
        Line { options, cache, out: Compilation { stages, ..Compilation::default() }, state }
    }

    /// Runs the first stage.
    fn begin(&mut self, sources: &mut Sources, song: SourceId, loader: &dyn Loader) {
        let goes_on = self.parse(sources, song, loader);
        self.ended(Stage::Parse, goes_on);
    }

    /// Runs the stages that come next, up to one.
    fn go_on(&mut self, sources: &mut Sources, last: Stage) {
        // Where there is something for threads to do.
        let (options, optimises) = (self.options, last.min(self.state.until) >= Stage::Optimise);
        let _session = optimises.then(|| Session::begin(&*options.host.executor));
        while let Some(stage) = self.state.next.filter(|&stage| stage <= last.min(self.state.until)) {
            let goes_on = match stage {
                Stage::Parse => true,
                Stage::Resolve => self.resolve(),
                Stage::Graph => self.graph(),
                Stage::Check => self.check(),
                Stage::Score => self.score(),
                Stage::Start => self.start(sources),
                Stage::Lower => self.lower(),
                Stage::Optimise => self.optimise(),
                Stage::Plan => self.plan(),
                Stage::Emit => self.emit(),
            };
            self.ended(stage, goes_on);
        }
    }

    fn ended(&mut self, stage: Stage, goes_on: bool) {
        self.timed(stage.name());
        let next = Stage::ALL.into_iter().find(|&next| next > stage);
        self.state.next = next.filter(|_| goes_on);
    }

    fn timed(&mut self, stage: &'static str) {
        let Some(now) = self.options.host.clock.as_deref().map(Clock::now) else { return };
        self.out.timings.push((stage, now - self.state.last));
        self.state.last = now;
    }

    fn parse(&mut self, sources: &mut Sources, song: SourceId, loader: &dyn Loader) -> bool {
        let (limits, measured) = (&self.options.limits, self.options.measured);
        let problems = &mut self.out.problems;
        let pieces = self.cache.pieces.as_mut();
        let Some(read) = front::read(sources, song, loader, limits, measured, pieces, problems) else {
            return false;
        };
        let rates = [self.options.rate, read.rate, DEFAULT_RATE];
        let channels = [self.options.channels, read.channels, DEFAULT_CHANNELS];
        self.state.settings = Settings {
            seed: self.options.seed.unwrap_or(read.seed),
            rate: rates.into_iter().find(|&rate| rate > 0).unwrap_or_default(),
            channels: channels.into_iter().find(|&count| count > 0).unwrap_or_default(),
            layout: read.wanted.map_or(ChannelLayout::Speakers, |wanted| wanted.layout),
            // What is measured has the channels that it has.
            wanted: match self.options.channels {
                0 => read.wanted,
                asked => Some(Channels::asked(asked, read.wanted)),
            }
            .filter(|_| measured.is_none()),
        };
        let stages = &mut self.out.stages;
        (stages.files, stages.song, stages.json) = (Some(read.files), read.song, read.json);
        (stages.seed, stages.channels) = (self.state.settings.seed, self.state.settings.channels);
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
        let placed =
            self.options.sets.iter().filter_map(|(name, _)| name.strip_suffix(PAN)?.strip_suffix('.'));
        placed.for_each(|name| stages.graph.place(files, &stages.library, name));
        let outside = &self.options.played_outside;
        outside.iter().for_each(|name| stages.graph.deliver(name, &NoteSignal::ALL));
        if self.options.played_by_host {
            stages.graph.deliver_read(files, stages.song);
        }
        self.state.listened = self.options.listen.choose(files, stages.song, &mut stages.graph);
        if stages.graph.nodes.len() > self.options.limits.nodes
            || checks::too_many_params(&self.options.limits, &stages.graph, problems)
        {
            return false; // What stands beyond the limit has no node, so nothing more can be said of it.
        }
        checks::settings(files, stages.song, &stages.graph, problems);
        checks::defined_twice(files, stages.song, problems);
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
            rate: f64::from(self.state.settings.rate),
            is_measured: self.options.measured.is_some(),
            is_json: stages.json.is_some(),
            channels: self.state.settings.wanted,
        };
        stages.checked = types::check(input, &mut self.cache.alike, problems);
        stages.lowered.slots.drive_all(&stages.checked.driven);
        stages.lowered.slots.bound_bends(&stages.graph, &stages.checked.outside);
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
        let (json, seed) = (stages.json.as_ref(), self.state.settings.seed);
        let before = errors(problems);
        let known = (&self.cache.notations, self.cache.lines.as_mut());
        (self.state.score, self.state.leftovers) =
            front::score(json, (files, stages.song), seed, &places, known, problems);
        let mut shared: Vec<Shared> = self
            .state
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
        self.state.note_params = note_params(&shared, &places.targets, &mut stages.lowered.slots);
        self.state.score_errors = errors(problems) - before;
        stages.marks =
            self.state.score.transports.iter().flat_map(|transport| transport.marks.clone()).collect();
        true
    }

    /// What is set at the start, by the song and from outside, and what is odd in a song without errors.
    fn start(&mut self, sources: &mut Sources) -> bool {
        let Compilation { stages, problems, .. } = &mut self.out;
        let Some(files) = &stages.files else { return false };
        let has_other_errors = errors(problems) > self.state.score_errors;
        if !has_other_errors {
            stages.lowered.slots.start_all(&stages.checked.starts);
        }
        self.state.set = sets::apply(&self.options.sets, sources, &mut stages.lowered.slots, problems);
        if has_other_errors {
            return false;
        }
        let tempo = self.state.score.transports.first().map(|transport| &transport.tempo);
        if let Some((tempo, bpm)) = tempo.and_then(|tempo| Some((tempo, tempo.first()?))) {
            stages.lowered.slots.begin_at(bpm.to_f64(), tempo.beats_per_bar);
        }
        // What is odd in a song without errors is odd whatever is wrong with its score.
        if errors(problems) == self.state.score_errors {
            let (song, graph) = (stages.song, &stages.graph);
            let places = Bindings::new((files, &stages.library, song), graph, &stages.lowered);
            left_over(&self.state.leftovers, &places, problems);
            if stages.json.is_none() {
                heard::check((files, song), graph, &places, &self.state.score, problems);
                unused::check(files, song, graph, problems);
            }
        }
        true
    }

    fn lower(&mut self) -> bool {
        let Compilation { stages, problems, heard, .. } = &mut self.out;
        let Some(files) = &stages.files else { return false };
        let Settings { seed, rate, .. } = self.state.settings;
        let (song, graph) = (stages.song, &stages.graph);
        let begun = std::mem::take(&mut stages.lowered);
        let moves = self.state.score.moves(&begun.slots.params(rate));
        let hoisted = |kernel: &Kernel, params: &[usize]| hoisted(kernel, params, moves.as_slice());
        let input = lower::Input {
            files,
            library: &stages.library,
            song,
            graph,
            groups: &stages.groups,
            layouts: &stages.checked.layouts,
            rate: f64::from(rate),
            seed,
            target: self.options.target,
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
            // One channel is on both sides, where the song has them.
            let sides = self.state.settings.channels.min(DEFAULT_CHANNELS);
            self.state.settings.channels = lowered.out.len().max(sides);
        }
        *heard = self.state.listened.heard(&mut lowered, self.state.settings.channels);
        lowered.align();
        checks::cyclic_latencies(&lowered.cyclic).into_iter().for_each(|problem| problems.add(problem));
        let mut places = Bindings::new((files, &stages.library, song), graph, &lowered);
        let measured = self.options.measured.is_some();
        front::complete(&mut self.state.score, stages.json.as_ref(), files, song, measured, &places);
        for (&node, outside) in &stages.checked.outside {
            if let Some(target) = places.target_at(node) {
                let sent = places.sent(node, outside);
                let target = &mut places.targets[target];
                (target.outside, target.sent) = (Some(outside.clone()), sent);
            }
        }
        self.state.targets = places.targets;
        for (target, param) in std::mem::take(&mut self.state.note_params) {
            self.state.targets[target].note_params.push(param);
        }
        stages.lowered = lowered;
        if stages.json.is_none() && !measured {
            let Stages { library, graph, .. } = &*stages;
            let (slots, targets) = (&stages.lowered.slots, &self.state.targets[..]);
            let (score, set) = (&self.state.score, &self.state.set[..]);
            starts::Song { files, library, file: song, graph, slots, score, targets, set }.check(problems);
        }
        if stages.lowered.most_memory() > self.options.limits.memory_bytes {
            // Only the layout says whether it really takes so much.
            self.state.until = self.state.until.max(Stage::Plan);
        }
        !problems.has_errors()
    }

    fn optimise(&mut self) -> bool {
        let (options, lowered) = (self.options, &self.out.stages.lowered);
        let kernels = self.cache.optimize(&lowered.module, options.target, &*options.host.executor);
        let (packing, target) = (options.packing, &options.target);
        let rules = Rules { packing, target, tables: kernels.tables.len() };
        self.state.packed = instances::run(lowered, kernels, rules, &mut self.cache.choices(rules));
        true
    }

    fn plan(&mut self) -> bool {
        let Compilation { stages, problems, .. } = &mut self.out;
        // What is far too much is not planned: that would take the memory.
        checks::memory(stages.lowered.least_memory(), &self.options.limits, problems);
        if problems.has_errors() {
            return false;
        }
        stages.plan = Plan::new(&stages.lowered, &self.state.packed, self.state.settings.channels);
        stages.optimised = std::mem::take(&mut self.state.packed.module);
        checks::memory(stages.plan.memory(), &self.options.limits, problems);
        if problems.has_errors() {
            return false;
        }
        checks::pace(&stages.plan, self.state.settings.rate, &stages.graph, problems);
        if self.options.until == Stage::Plan {
            let code = Arc::new(Interpreter::new(stages.optimised.clone()));
            let program = self.program(code);
            sets::overridden(&self.state.set, &program, &mut self.out.problems);
            self.out.program = Some(program);
        }
        true
    }

    fn emit(&mut self) -> bool {
        let Stages { optimised, plan, .. } = &self.out.stages;
        let level = opt_level(self.options, plan.work(), self.state.settings.rate);
        let code = code(optimised, self.options, level, self.cache);
        let program = self.program(code);
        sets::overridden(&self.state.set, &program, &mut self.out.problems);
        self.out.program = Some(program);
        true
    }

    /// The program that `code` computes.
    fn program(&mut self, code: Arc<dyn Code>) -> Program {
        let Stages { plan, lowered, .. } = &self.out.stages;
        Program {
            rate: self.state.settings.rate,
            latency: lowered.latency,
            layout: self.state.settings.layout,
            code,
            steps: plan.steps.clone(),
            state: plan.state.clone(),
            delays: plan.delays.clone(),
            buffers: plan.buffers.clone(),
            inputs: plan.inputs.clone(),
            outputs: plan.outputs.clone(),
            params: lowered.slots.params(self.state.settings.rate),
            names: lowered.slots.names().clone(),
            ports: lowered.ports.count(),
            targets: std::mem::take(&mut self.state.targets),
            score: std::mem::take(&mut self.state.score),
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
