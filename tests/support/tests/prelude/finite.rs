//! Every definition of the prelude is finite and bounded, whatever its parameters are and however they move.

use crate::registry::{Prelude, unit};
use mam_compiler::files::{DefId, NoFiles};
use mam_compiler::{Options, Stage};
use mam_grammar::ast::{Body, DefinitionKind, Expr, ItemKind};
use mam_grammar::{Severity, Sources};
use mam_runtime::{NotFinite, Renderer};
use mam_testing::{measure::peak, parallel, render};
use std::sync::LazyLock;

/// Frames that each walk takes.
const FRAMES: u64 = 6_000;

/// Louder than this is not bounded. What multiplies by what it is given (a width of 10⁹, a `makeup`, a line beyond its
/// ends) stays below.
const BOUND: f64 = 1e17;

/// Values that a parameter is held at: none, below 0, tiny, usual and far beyond.
const EXTREMES: [&str; 7] = ["0", "-1", "0.000001", "-1000000", "7", "1000000000", "0.3"];

/// A signal that jumps between all kinds of values several hundred times a second: smaller and larger ones, negative
/// ones, and exactly 0.
const JUMPS: &str = "def jumps() {
  t   = if noise() > 0.98 then 1 else 0
  a   = sah(noise(), t)
  b   = sah(noise(), t)
  out = if b > 0.8 then 0 else (if a < 0 then -1 else 1) * exp2(20 * b)
}
";

/// A signal that goes up and down through 0, over many powers of ten.
const WALKS: &str = "def walks() {
  a   = prev(a) + 0.3 * noise()
  out = sin(a) * exp2(16 * sin(0.37 * a))
}
";

/// How many definitions are rendered as one song.
const TOGETHER: usize = 24;

/// How one argument is given.
#[derive(Clone, Copy)]
enum Given {
    Held(&'static str),
    Jumps,
    Walks,
}

impl Given {
    fn text(self, unit: &str) -> String {
        let one = if unit.is_empty() { "1".to_string() } else { format!("1{unit}") };
        match self {
            Given::Held(x) => format!("({x} * {one})"),
            Given::Jumps => format!("(jumps() * {one})"),
            Given::Walks => format!("(walks() * {one})"),
        }
    }
}

/// The names and units of what a definition can be given; of a `def` but for the sound itself.
fn arguments(prelude: &Prelude, id: DefId) -> Vec<(String, &'static str)> {
    let definition = prelude.files.definition(id);
    let info = prelude.library.info(&prelude.files, id);
    let formals = definition.formals.iter().map(|formal| {
        let unit =
            formal.unit.map_or("", |unit| match mam_compiler::dimension::Dimension::from_unit(unit).0 {
                1 => "s",
                -1 => "Hz",
                _ => "",
            });
        (formal.name.to_string(), unit)
    });
    let params = info.params.iter().filter(|param| param.span.is_some());
    formals.chain(params.map(|param| (param.name.to_string(), unit(param.dimension.0)))).collect()
}

/// What kind of value an argument wants.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// A signal, or a number.
    Signal,
    /// A whole number that is known before the song starts.
    Constant,
    /// A list of signals: so many.
    List(usize),
    /// A list of constants.
    Constants,
    /// A list of lists of constants.
    Lists,
    /// A text, such as an address.
    Text,
    /// Its default.
    Default,
}

/// The kinds beside signals, in the order in which they are tried.
const KINDS: [Kind; 6] =
    [Kind::Constant, Kind::List(2), Kind::Constants, Kind::Lists, Kind::Text, Kind::Default];

/// Arguments of one definition that are found to be something else than signals, at most.
const MOST_KINDS: usize = 4;

impl Kind {
    /// An argument of this kind, made of the text of a signal; none where it is left out.
    fn text(self, signal: &str) -> Option<String> {
        Some(match self {
            Kind::Signal => signal.to_string(),
            Kind::Constant => "5".to_string(),
            Kind::List(count) => {
                let elements: Vec<String> = (1..=count).map(|i| format!("{signal} / {i}")).collect();
                format!("[{}]", elements.join(", "))
            }
            Kind::Constants => "[0, 3, 7]".to_string(),
            Kind::Lists => "[[0.02, 1, 0.25], [0.1, 0.3, -4], [-1, 0, 3]]".to_string(),
            Kind::Text => "\"127.0.0.1:57120\"".to_string(),
            Kind::Default => return None,
        })
    }
}

/// A definition, and how it is called.
struct Called {
    id: DefId,
    /// The kind of each argument, in their order.
    kinds: Vec<Kind>,
    /// Where the result is a record, its first part: `.low`.
    part: String,
}

/// How a definition can be called, as its signature and the compiler say: with signals where it takes them, else with the fewest
/// arguments of other kinds. None where it cannot, as what plays a file.
fn called(prelude: &Prelude, id: DefId) -> Option<Called> {
    let definition = prelude.files.definition(id);
    let ast = &prelude.files.file(id.file).ast;
    let mut kinds = vec![Kind::Signal; arguments(prelude, id).len()];
    let mut open = vec![];
    for (place, formal) in definition.formals.iter().enumerate() {
        match formal.default.map(|default| &ast.exprs[default]) {
            Some(Expr::List(elements)) => kinds[place] = Kind::List(elements.len()),
            _ if &*formal.name.name == "x" => {}
            _ => open.push(place),
        }
    }
    let part = part(prelude, id).map_or(String::new(), |part| format!(".{part}"));
    let mut tried = vec![(0, kinds)];
    for _ in 0..=MOST_KINDS {
        for (_, kinds) in &tried {
            let call = Called { id, kinds: kinds.clone(), part: part.clone() };
            let equation = equation(prelude, &call, |_| Given::Jumps);
            if compiles(&format!("{JUMPS}{equation}out = y_{}\n", prelude.name(id))) {
                return Some(call);
            }
        }
        // One more argument of another kind, behind those that are.
        let mut more = vec![];
        for (first, kinds) in &tried {
            for (next, place) in open.iter().enumerate().skip(*first) {
                for kind in KINDS {
                    let mut kinds = kinds.clone();
                    kinds[*place] = kind;
                    more.push((next + 1, kinds));
                }
            }
        }
        tried = more;
    }
    None
}

/// Whether a song has no errors.
fn compiles(text: &str) -> bool {
    let mut sources = Sources::default();
    let song = sources.add("song.mam", text);
    let options = Options { until: Stage::Lower, ..Options::default() };
    let found = mam_compiler::compile(&mut sources, song, &NoFiles, &options);
    found.problems.iter().all(|problem| problem.code.severity != Severity::Error)
}

/// The first part of a definition's result, where that is a record: of its `out`, or of the definition that this calls.
fn part(prelude: &Prelude, id: DefId) -> Option<String> {
    let ast = &prelude.files.file(id.file).ast;
    let out = match &prelude.files.definition(id).body {
        Body::Expr(out) => *out,
        Body::Items(items) => items.iter().find_map(|item| match &item.kind {
            ItemKind::Equation { name, value } if &*name.name == "out" => Some(*value),
            _ => None,
        })?,
    };
    match &ast.exprs[out] {
        Expr::Record(entries) => entries.first().map(|(name, _)| name.name.to_string()),
        Expr::Call { callee, .. } => {
            let all = prelude.files.prelude_definitions();
            let other = all.into_iter().find(|other| *prelude.name(*other) == *callee.name)?;
            part(prelude, other)
        }
        _ => None,
    }
}

/// The equation of a definition with these arguments, by its own name with a `y_` before it.
fn equation(prelude: &Prelude, call: &Called, given: impl Fn(usize) -> Given) -> String {
    let (name, kind) = (prelude.name(call.id), prelude.files.definition(call.id).kind);
    let argument = |(index, (name, unit)): (usize, (String, &str))| match &*name {
        "x" => Some("x: noise() + 0.5 * saw(300Hz)".to_string()),
        _ => call.kinds[index].text(&given(index).text(unit)).map(|text| format!("{name}: {text}")),
    };
    let args: Vec<String> =
        arguments(prelude, call.id).into_iter().enumerate().filter_map(argument).collect();
    let input = if kind == DefinitionKind::Effect { "(noise(), saw(300Hz)) |> " } else { "" };
    format!("y_{name} = {input}{name}({}){}\n", args.join(", "), call.part)
}

/// A song of all definitions, each an equation that two others need, so that it has a step of its own.
fn song<G: Fn(usize) -> Given>(prelude: &Prelude, calls: &[Called], given: impl Fn(usize) -> G) -> String {
    let equations = calls.iter().enumerate().map(|(place, call)| equation(prelude, call, given(place)));
    let names: Vec<String> = calls.iter().map(|call| format!("y_{}", prelude.name(call.id))).collect();
    let is_played = |id| prelude.files.definition(id).kind == DefinitionKind::Instrument;
    let plays = calls.iter().filter(|call| is_played(call.id));
    let lines = plays.map(|call| format!("y_{} \"c4 c0 . g9 c4*8\"\n", prelude.name(call.id)));
    format!(
        "{JUMPS}{WALKS}tempo 1200\n{}one = {sum}\ntwo = {sum}\nout = 0.001 * (one + two)\nplay {{\n{}}}\n",
        equations.collect::<String>(),
        lines.collect::<String>(),
        sum = names.join(" + "),
    )
}

/// Renders, and says what was not finite.
fn rendered(text: &str) -> (Vec<NotFinite>, f64) {
    let program = render::quick_program("song.mam", text, 48_000);
    let source = mam_runtime::score::Sequencer::for_program(&program, mam_runtime::score::Extent::Forever);
    let length = mam_runtime::Length::Frames(FRAMES);
    let mut renderer = Renderer::new(program, source, 2, 0, length);
    let mut loudest = 0.0_f64;
    while let Some(block) = renderer.next_block() {
        loudest = block.iter().map(|channel| peak(channel)).fold(loudest, f64::max);
    }
    (renderer.not_finite(), loudest)
}

/// Asserts that all of a song is finite and bounded.
fn check(what: &str, text: &str) {
    let (failures, loudest) = rendered(text);
    let mut faults: Vec<String> = failures.iter().map(|failure| format!("{:?}", failure.computes)).collect();
    faults.dedup();
    assert!(faults.is_empty() && loudest < BOUND, "{what}: {}, peak {loudest}\n{text}", faults.join(" "));
}

/// All that a song can call without a file; the same for each [`Prelude`], and found but once.
static ALL: LazyLock<Vec<Called>> = LazyLock::new(|| all(&Prelude::new()));

/// All that a song can call without a file: what is of use to the prelude alone says so.
fn all(prelude: &Prelude) -> Vec<Called> {
    let is_for_songs = |id: &DefId| {
        let definition = prelude.files.definition(*id);
        let doc = prelude.files.item(*id).doc.as_deref().unwrap_or_default();
        !definition.name.name.starts_with('_') && !doc.trim_start().starts_with("Internal:")
    };
    let takes_file = |id: DefId| {
        let first = prelude.files.definition(id).formals.first();
        first.is_some_and(|formal| ["buffer", "zones"].contains(&&*formal.name.name))
    };
    let ids = prelude.files.prelude_definitions().into_iter().filter(is_for_songs);
    let (with_file, without): (Vec<_>, Vec<_>) = ids.partition(|id| takes_file(*id));
    assert!(!with_file.is_empty());
    let halves: Vec<_> = without.chunks(without.len().div_ceil(2)).collect();
    // What is known of the prelude is made anew for each: it is filled by need, by one thread.
    let called = |ids: &&[DefId]| -> Vec<Called> {
        let prelude = Prelude::new();
        let called =
            |id| called(&prelude, id).unwrap_or_else(|| panic!("`{}` cannot be called", prelude.name(id)));
        ids.iter().map(|id| called(*id)).collect()
    };
    parallel::map(&halves, called).into_iter().flatten().collect()
}

#[test]
fn every_definition_can_be_called() {
    let prelude = Prelude::new();
    let of = |name: &str| ALL.iter().find(|call| prelude.name(call.id) == name).expect("a definition");
    assert_eq!(of("svf").part, ".low");
    assert_eq!(of("modal").kinds[1..], [Kind::List(2); 3]);
    assert_eq!(of("butterworth_low").kinds, [Kind::Signal, Kind::Signal, Kind::Constant]);
    assert_eq!(of("wavetable").kinds[0], Kind::Constants);
}

#[test]
fn every_parameter_may_jump_and_walk_anywhere() {
    let prelude = Prelude::new();
    for calls in ALL.chunks(TOGETHER) {
        check("jumps", &song(&prelude, calls, |_| |_| Given::Jumps));
        check("walks", &song(&prelude, calls, |_| |_| Given::Walks));
        let mixed = |place: usize| {
            move |index: usize| if (place + index).is_multiple_of(2) { Given::Jumps } else { Given::Walks }
        };
        check("both", &song(&prelude, calls, mixed));
    }
}

/// Where a parameter is held, it is computed in another way, once for many samples.
#[test]
fn every_parameter_may_be_held_anywhere() {
    let prelude = Prelude::new();
    for calls in ALL.chunks(TOGETHER) {
        check("all 0", &song(&prelude, calls, |_| |_| Given::Held(EXTREMES[0])));
        for turn in 0..EXTREMES.len() {
            // Each value beside others.
            let other = |index: usize| Given::Held(EXTREMES[(turn + 5 * index) % EXTREMES.len()]);
            check("mixed", &song(&prelude, calls, |_| other));
        }
    }
}
