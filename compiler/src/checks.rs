//! What can be said of a file's items without evaluating anything: whether they are defined once, whether their parameters make
//! sense, and whether every body says what it sounds like.

use crate::codes;
use crate::dimension::{Dimension, base_value};
use crate::expand::song_presets;
use crate::expect;
use crate::file::File;
use crate::files::Files;
use crate::graph::{Graph, NodeKind, has_out};
use crate::hir::DefId;
use crate::hir::resolve::resolved;
use crate::library::Library;
use crate::lower::{Misplaced, Obstacle, Refused, Slots, What};
use crate::plan::Plan;
use crate::size::{SizeLimit, TooLarge};
use crate::text::number;
use crate::units::unit_of;
use mam_grammar::ast::{
    Ast, BinaryOp, Body, Expr, ExprId, Ident, Item, ItemKind, MidiNumbers, Number, UnaryOp, Unit, equations,
};
use mam_grammar::foreign::{self, Role};
use mam_grammar::{Limits, Problem, Problems, Span};
use mam_runtime::sort::Sort;
use mam_runtime::{Miss, Spelling};
use rustc_hash::FxHashMap;

/// Words that begin a statement: an equation of such a name that nothing uses was probably meant to be one.
const SETTINGS: [&str; 8] = ["tempo", "swing", "meter", "length", "seed", "channels", "title", "use"];

/// The statement that an equation of this name was meant to be.
fn setting(name: &str) -> Option<&'static str> {
    let foreign = || foreign::find(Role::Statement, name).map(|row| row.word);
    let own = SETTINGS.iter().copied().find(|setting| *setting == name);
    own.or_else(|| foreign().filter(|word| SETTINGS.contains(word)))
}

/// Warns of `tempo = 174`, which defines a signal and sets nothing.
pub(crate) fn settings(files: &Files, song: usize, graph: &Graph, problems: &mut Problems) {
    let ast = &files.file(song).ast;
    for (name, value) in equations(&ast.items) {
        let Some(word) = setting(&name.name) else { continue };
        let Some(&node) = graph.names.get(&name.name) else { continue };
        if graph.wires.neighbors(petgraph::graph::NodeIndex::new(node.index())).next().is_none() {
            let message = format!("this defines a signal called `{name}`, which nothing uses");
            let problem = Problem::new(&codes::UNUSED_SETTING, name.span, message)
                .help(format!("without `=` it is a setting: `{word} …`"));
            let simple = matches!(ast.exprs[value], Expr::Number(_) | Expr::Length { .. } | Expr::Text(_));
            let gap = Span { end: ast.span(value).start, ..name.span };
            problems.add(if simple { problem.fix(gap, format!("{word} ")) } else { problem });
        }
    }
}

/// Warns of what a song calls and of which two of the files that it uses have a definition.
pub(crate) fn defined_twice(files: &Files, song: usize, problems: &mut Problems) {
    let file = files.file(song);
    for name in file.ast.callees().into_iter().filter(|name| !file.definitions.contains_key(*name)) {
        let definition =
            |used: &usize| Some(DefId { file: *used, item: *files.file(*used).definitions.get(name)? });
        let mut all = file.uses.iter().filter_map(definition).map(|def| files.definition(def).name.span);
        let (Some(first), Some(second)) = (all.next(), all.next()) else { continue };
        let message = format!("`{name}` is defined here, and in another file that is used before this one");
        let problem = Problem::new(&codes::DEFINED_TWICE, second, message).label(first, "this one is meant");
        problems.add(problem.help("give one of them another name"));
    }
}

/// What is wrong with the parameters and values of the song's own presets, whether they are played or not.
pub(crate) fn presets(files: &Files, library: &Library, song: usize, slots: &Slots, problems: &mut Problems) {
    let ast = &files.file(song).ast;
    for (name, value) in song_presets::settings(&ast.items) {
        let slot = match slots.names().find(&name.name, Spelling::Exact) {
            Ok(slot) => slot,
            Err(Miss::Several(names)) => {
                let message = format!("`{name}` could be {} parameters", names.len());
                let problem = Problem::new(&codes::PRESET_SETTING, name.span, message);
                problems.add(problem.help(format!("write which: `{}`", names.join("`, `"))));
                continue;
            }
            Err(Miss::Unknown) => {
                let known: Vec<String> = slots.iter().map(|(name, _)| name.to_string()).collect();
                let message = format!("there is no parameter `{name}`");
                let problem = Problem::new(&codes::PRESET_SETTING, name.span, message);
                problems.add(problem.nearest(&name.name, "parameters", &known));
                continue;
            }
        };
        let info = slots.info(slot.index());
        let span = ast.span(*value);
        let Ok((x, dimension)) = library.consts.number(files, song, *value, &[]) else { continue };
        let x = match dimension {
            Dimension::PLAIN => x * info.scale(),
            dimension if dimension == info.dimension => x,
            other => {
                let message = format!("`{name}` is {}, but this is {other}", info.dimension);
                let problem = Problem::new(&codes::DIMENSION, span, message);
                problems.add(problem.help(format!("its default is {}", info.show(info.default))));
                continue;
            }
        };
        if x < info.min || x > info.max {
            let range = info.range().unwrap_or_default();
            let message = format!("{} is outside the range of `{name}`, {range}", info.show(x));
            let used = info.show(x.clamp(info.min, info.max));
            let problem = Problem::new(&codes::OUT_OF_RANGE, span, message);
            problems.add(problem.help(format!("it is clamped to {used}")).guess(span, used));
        }
    }
}

/// True when more can be set in a song than the limit, which is said.
pub(crate) fn too_many_params(limits: &Limits, graph: &Graph, problems: &mut Problems) -> bool {
    let most = limits.params;
    let mut all = 0;
    let of = |kind: &NodeKind| match kind {
        NodeKind::Instance(instance) => instance.slots(),
        NodeKind::Knob(_) => 1,
        NodeKind::Glue { .. } | NodeKind::Modulation(_) => 0,
    };
    let over = graph.nodes.values().find(|node| {
        all += of(&node.kind);
        all > most
    });
    if let Some(node) = over {
        let message = format!("the song has more than {most} parameters, the limit `params`");
        let help = "make it of fewer instruments and effects, or of simpler ones";
        problems.add(Problem::new(&codes::TOO_LARGE, node.span, message).help(help));
    }
    over.is_some()
}

/// Whether the parameters of which notes have values, one a voice, make more than the limit with the `slots` that there are.
pub(crate) fn too_many_shares(slots: usize, shares: usize, limits: &Limits, problems: &mut Problems) -> bool {
    let over = shares > 0 && slots + shares > limits.params;
    if over {
        let most = limits.params;
        let message = format!(
            "with those that its notes set for their voices the song has more than {most} parameters"
        );
        let help = "use fewer voices, or set fewer parameters with `.set`: the limit is `params`";
        problems.add(Problem::new(&codes::TOO_LARGE, Span::default(), message).help(help));
    }
    over
}

/// Says so where a song takes more bytes of memory than the limit.
pub(crate) fn memory(bytes: usize, limits: &Limits, problems: &mut Problems) {
    if bytes > limits.memory_bytes {
        let (has, most) = (bytes >> 20, limits.memory_bytes >> 20);
        let message = format!(
            "the song needs {has} MiB for its state and delay lines; {most} are the limit, `memory_bytes`"
        );
        let help = "shorten the `max:` of its taps, or use fewer voices";
        problems.add(Problem::new(&codes::TOO_LARGE, Span::default(), message).help(help));
    }
}

/// Warns of a song that takes longer to compute than it sounds.
pub(crate) fn pace(plan: &Plan, rate: u32, graph: &Graph, problems: &mut Problems) {
    /// Operations that a core executes in a second, about: recursive filters reach 3.4e9, what goes in lanes 6.7e9.
    const CORE: f64 = 4e9;
    let work = plan.least_work();
    let needed = work.values().sum::<usize>() as f64 * f64::from(rate) / CORE;
    if needed <= 1.0 {
        return;
    }
    let message = format!(
        "this song needs the whole time of {needed:.1} processor cores, and is played by one: it is rendered to a file, but \
         falls behind where it is played"
    );
    let dearest = work.into_iter().max_by_key(|(_, cost)| *cost).filter(|_| graph.names.len() > 1);
    let dearest = dearest.map_or(String::new(), |(name, cost)| {
        let cores = cost as f64 * f64::from(rate) / CORE;
        format!("; the most goes to `{name}`, {cores:.1} cores")
    });
    let span = graph.out.map_or(Span::default(), |out| graph.nodes[out].span);
    let help = format!("take fewer of what costs most{dearest}; `mamc bench` measures each part");
    problems.add(Problem::new(&codes::SLOW, span, message).help(help));
}

/// Why a song cannot be lowered.
pub(crate) fn refused(found: Refused) -> Problem {
    match found {
        Refused::TooLarge(found) => too_large(found),
        Refused::Misplaced(found) => misplaced(found),
    }
}

/// A block node stands where none can.
fn misplaced(Misplaced { span, why, what }: Misplaced) -> Problem {
    let (message, help) = match (what, why) {
        (What::Convolution, Obstacle::Region) => (
            "a region that is oversampled cannot be convolved: the response has the rate of the song",
            "convolve what flows into the region, or what comes out of it",
        ),
        (What::Convolution, Obstacle::Feedback) => (
            "what flows into this convolution depends on what comes out of it",
            "take the convolution out of the loop: echoes that come again and again can be part of the response",
        ),
        (What::Stretch, Obstacle::Region) => (
            "a sound is stretched at the rate of the song, and this is oversampled",
            "take it out of the region, under a name, and use that in it",
        ),
        (What::Stretch, Obstacle::Feedback) => {
            ("where this sound is played from depends on what it sounds like", "take it out of the loop")
        }
        (What::Streamed, Obstacle::Region) => (
            "a sound that is streamed is played at the rate of the song, and this is oversampled",
            "take it out of the region, under a name, and use that in it",
        ),
        (What::Streamed, Obstacle::Feedback) => {
            ("where this sound is played from depends on what it sounds like", "take it out of the loop")
        }
        (What::Spectrum, Obstacle::Region) => (
            "a spectral region takes spectra at the rate of the song, and this is oversampled",
            "take it out of the region, under a name, and use that in it",
        ),
        (What::Spectrum, Obstacle::Feedback) => (
            "what flows into this spectral region depends on what comes out of it",
            "take the region out of the loop; in its braces `prev` and `tap` remember what was a hop ago",
        ),
        (What::Recording, Obstacle::Region) => (
            "a recording has the rate of the song, and this is oversampled",
            "take it out of the region, under a name, and use what is played in it",
        ),
        (_, Obstacle::Latency) => (
            "what plays this recording is more than 65536 samples later than what is recorded",
            "record what is as late, or take what is late out of what plays it",
        ),
        (_, Obstacle::Voice) | (What::Recording, Obstacle::Feedback) => (
            "a voice plays what another one has recorded, which may be asleep",
            "record it outside of the instrument, as an equation of the song",
        ),
    };
    let code = if what == What::Recording { &codes::MISPLACED_RECORDING } else { &codes::MISPLACED_BLOCK };
    Problem::new(code, span, message).help(help)
}

/// The song is larger than a limit.
pub(crate) fn too_large(found: TooLarge) -> Problem {
    let TooLarge { span, limit, most } = found;
    let pieces = "make it in smaller pieces, or fewer of them";
    let evaluations = |name| {
        let message = format!(
            "with all definitions in their places this has more than {most} expressions, the limit `{name}`"
        );
        (message, pieces)
    };
    let (message, help) = match limit {
        SizeLimit::KernelInstructions => {
            (format!("this becomes more than {most} instructions, the limit `kernel_instructions`"), pieces)
        }
        SizeLimit::Instructions => (
            format!("up to here the song becomes more than {most} instructions, the limit `instructions`"),
            "make it of fewer parts, or of more that are alike",
        ),
        SizeLimit::Evaluations => evaluations("evaluations"),
        SizeLimit::AllEvaluations => evaluations("all_evaluations"),
        SizeLimit::AllIterations => (
            format!("this unrolls into more than {most} iterations, the limit `all_turns`"),
            "`sum`, `list` and `chain` are unrolled before the song starts, a definition's for each of its calls: take fewer \
             turns, or pass `--limit all_turns=N`",
        ),
        SizeLimit::States => (
            format!("up to here all voices remember more than {most} numbers, the limit `states`"),
            "give the instruments fewer voices, or make them of less",
        ),
        SizeLimit::Rows => (
            format!(
                "up to here the sound files of all lists come to more than {most} samples, twice the limit `samples`"
            ),
            "let the lists from which `playback` chooses have fewer files, or shorter ones",
        ),
        SizeLimit::Latency => (
            format!("this is more than {most} frames late, which is what the limit `tap_seconds` allows"),
            "declare shorter latencies, or fewer of them one after the other",
        ),
    };
    Problem::new(&codes::TOO_LARGE, span, message).help(help)
}

/// Warns of latencies that are part of a feedback cycle.
pub(crate) fn cyclic_latencies(cyclic: &[Span]) -> Vec<Problem> {
    let mut spans: Vec<Span> = cyclic.to_vec();
    spans.put_in_order_by_key(|span| (span.source, span.start));
    spans.dedup();
    let warning = |span: &Span| {
        let message = "this latency is part of a feedback cycle, where it can't be made up for";
        let help = "what goes round comes so much later; take what is late out of the cycle, or leave the latency undeclared";
        Problem::new(&codes::LATENCY_IN_CYCLE, *span, message).help(help)
    };
    spans.iter().map(warning).collect()
}

/// Checks the items of the user's files; `song` is the song itself.
pub(crate) fn check(files: &Files, library: &Library, song: usize, problems: &mut Problems) {
    for index in files.user_files() {
        let file = files.file(index);
        problems.extend(resolved(files, index).problems.clone());
        definitions(file, problems);
        levels_added(files, &file.ast, problems);
        expect::read(files, &library.consts, index, problems);
        for &item in file.definitions.values() {
            problems.extend(library.info(files, DefId { file: index, item }).problems.clone());
        }
        if index == song {
            song_items(files, library, song, problems);
        }
    }
}

/// Warns of `bd + 3dB` and `440Hz + 7st`: a ratio is added where it was meant to multiply.
fn levels_added(files: &Files, ast: &Ast, problems: &mut Problems) {
    let ratio = |expr: ExprId| {
        unit_of(ast, expr).filter(|unit| matches!(unit, Unit::Db | Unit::St | Unit::Ct | Unit::Octaves))
    };
    for expr in ast.exprs.values() {
        let &Expr::Binary { op: op @ (BinaryOp::Add | BinaryOp::Sub), a, b } = expr else { continue };
        // A plain number that is taken from it makes a number of the ratio: `7st - 1`.
        let plain = |expr: ExprId| {
            matches!(ast.exprs[expr], Expr::Number(Number { unit: None | Some(Unit::Percent), .. }))
        };
        let Some((unit, level, other)) = [(a, b), (b, a)]
            .into_iter()
            .find_map(|(level, other)| Some((ratio(level)?, level, other)))
            .filter(|&(_, _, other)| op == BinaryOp::Add || !plain(other))
        else {
            continue;
        };
        let text = files.slice(ast.span(level));
        let is_divided = op == BinaryOp::Sub && level == b;
        let what = match (unit == Unit::Db, (unit_value(ast, level) < 1.0) != is_divided) {
            (true, false) => "louder",
            (true, true) => "quieter",
            (false, false) => "higher",
            (false, true) => "lower",
        };
        let added = if op == BinaryOp::Add { "added" } else { "subtracted" };
        let message =
            format!("`{text}` is a ratio, {}, and is {added} as a number", number(unit_value(ast, level)));
        let factor = match is_divided {
            true => format!("{} * {}", grouped(files, ast, a), negated(text)),
            false => format!("{} * {text}", grouped(files, ast, other)),
        };
        let problem = Problem::new(&codes::LEVEL_ADDED, ast.span(level), message);
        let help = format!("to make it {what} by that much, multiply: `{factor}`");
        problems.add(problem.help(help).guess(ast.span(a).to(ast.span(b)), factor));
    }
}

/// The value of a written number in base units.
fn unit_value(ast: &Ast, expr: ExprId) -> f64 {
    match &ast.exprs[expr] {
        Expr::Number(number) => base_value(number.value(), number.unit),
        Expr::Unary { op: UnaryOp::Neg, x } => -unit_value(ast, *x),
        Expr::Paren(x) | Expr::Unary { x, .. } => unit_value(ast, *x),
        _ => 0.0,
    }
}

/// The text of an expression, in parentheses where a product would tear it apart.
fn grouped(files: &Files, ast: &Ast, expr: ExprId) -> String {
    let text = files.slice(ast.span(expr)).to_owned();
    match &ast.exprs[expr] {
        Expr::Binary { op: BinaryOp::Mul | BinaryOp::Div | BinaryOp::Pow, .. } => text,
        Expr::Binary { .. }
        | Expr::If { .. }
        | Expr::Pipe { .. }
        | Expr::Reduce { .. }
        | Expr::Chain { .. } => {
            format!("({text})")
        }
        _ => text,
    }
}

/// The text of a number with the other sign.
fn negated(text: &str) -> String {
    text.strip_prefix('-').map_or_else(|| format!("-{text}"), String::from)
}

fn definitions(file: &File, problems: &mut Problems) {
    for item in &file.ast.items {
        let ItemKind::Definition(definition) = &item.kind else { continue };
        let Body::Items(items) = &definition.body else { continue };
        once(items, problems);
        if !has_out(items) {
            problems.add(no_out(&definition.name, items));
        }
    }
}

fn no_out(name: &Ident, items: &[Item]) -> Problem {
    let message = format!("`{name}` does not say what it sounds like");
    let heard = equations(items).last().map(|(name, _)| name.to_string());
    heard_as(Problem::new(&codes::NO_OUT, name.span, message), items, heard)
}

/// The help and the fix of items without `out`, of which `heard` is what was probably meant to be heard.
fn heard_as(problem: Problem, items: &[Item], heard: Option<String>) -> Problem {
    match (heard, items.last()) {
        (Some(heard), Some(last)) => {
            let end = Span { start: last.span.end, ..last.span };
            problem
                .help(format!("add an equation, such as `out = {heard}`"))
                .guess(end, format!("\nout = {heard}"))
        }
        _ => problem.help("add an equation `out = …`, such as `out = sine(220Hz)`"),
    }
}

/// What of a song without `out` was probably meant to be heard: what has the name that other tools give it, else the sum of
/// its instruments, else what is defined last.
fn heard(files: &Files, song: usize) -> Option<String> {
    const NAMES: [&str; 7] = ["process", "output", "master", "main", "mix", "result", "song"];
    let file = files.file(song);
    let all: Vec<_> = equations(&file.ast.items).collect();
    if let Some((name, _)) = all.iter().find(|(name, _)| NAMES.contains(&&*name.name)) {
        return Some(name.to_string());
    }
    let played: Vec<&str> = all
        .iter()
        .filter(|(_, value)| files.is_instrument_sound(song, *value))
        .map(|(name, _)| &*name.name)
        .collect();
    match played.is_empty() {
        true => all.last().map(|(name, _)| name.to_string()),
        false => Some(played.join(" + ")),
    }
}

/// `until`, `default note` and each kind of `midi` stand once in an instrument.
fn once(items: &[Item], problems: &mut Problems) {
    let what = |item: &Item| match item.kind {
        ItemKind::Until(_) => Some("`until`"),
        ItemKind::Latency(_) => Some("`latency`"),
        ItemKind::DefaultNote(_) => Some("`default note`"),
        ItemKind::Midi(MidiNumbers { drum: true, .. }) => Some("`midi drum`"),
        ItemKind::Midi(_) => Some("`midi program`"),
        _ => None,
    };
    let mut seen: FxHashMap<&str, Span> = FxHashMap::default();
    for item in items {
        let Some(what) = what(item) else { continue };
        if let Some(&first) = seen.get(what) {
            let message = format!("{what} is said twice");
            let problem = Problem::new(&codes::DUPLICATE_NAME, item.span, message).here("here again");
            problems.add(problem.label(first, "first said here").help("one of the two must go"));
        }
        seen.entry(what).or_insert(item.span);
    }
}

fn song_items(files: &Files, library: &Library, song: usize, problems: &mut Problems) {
    let file = files.file(song);
    for (item, _) in
        file.ast.items.iter().enumerate().filter(|(_, item)| matches!(item.kind, ItemKind::Param(_)))
    {
        problems.extend(library.knob(files, DefId { file: song, item }).problems.clone());
    }
    // Where nothing has been read, what has gone wrong there is the reason.
    if file.ast.items.is_empty() && problems.has_errors() || has_out(&file.ast.items) {
        return;
    }
    let end = file.ast.items.last().map_or_else(Span::default, |item| item.span);
    let problem = Problem::new(&codes::NO_OUT, end, "the song does not say what it sounds like");
    problems.add(heard_as(problem, &file.ast.items, heard(files, song)));
}
