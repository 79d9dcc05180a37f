//! Every definition of the prelude is finite and bounded, whatever its parameters are and however they move.

use crate::registry::{Prelude, unit};
use mam_compiler::files::DefId;
use mam_grammar::ast::DefinitionKind;
use mam_runtime::{NotFinite, Renderer};
use mam_testing::{measure::peak, render};

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

/// Definitions that say what they must be given, and are not called otherwise: parts of filters and oscillators whose
/// arguments are made by other definitions, for which they are tested.
const PARTS: [&str; 10] = [
    "integrators",
    "blep",
    "blamp",
    "saw_at",
    "square_at",
    "pulse_at",
    "tri_at",
    "pole_of",
    "damping_at",
    "damped_comb",
];
/// Parts of reverbs; and what names machines outside by texts, and gives silence.
const MORE_PARTS: [&str; 4] = ["diffuser", "reverb_side", "midi_out", "osc_out"];

/// Arguments that are lists, by name, with how many elements they are given: in the prelude one name means one thing.
const LISTS: [(&str, usize); 8] = [
    ("amps", 2),
    ("freqs", 2),
    ("times", 2),
    ("gains", 2),
    ("pans", 2),
    ("values", 2),
    ("ratios", 6),
    ("levels", 6),
];

/// Arguments that are constants of the compiler, or of another form than a signal, each with what is given.
const CONSTANTS: [(&str, &str); 8] = [
    ("algorithm", "5"),
    ("order", "5"),
    ("n", "5"),
    ("bands", "4"),
    ("steps", "5"),
    ("scale", "[0, 3, 7]"),
    ("waves", "[[1, 0.5, 0.25], [1, 0, 0.3]]"),
    ("stages", "[[20ms, 1, 0], [0s, 0.3, -40], [-1s, 0, 3]]"),
];

/// Definitions whose result is a record, with one of its fields; of the others what they give is a signal.
const FIELDS: [(&str, &str); 10] = [
    ("svf", "low"),
    ("warp", "above"),
    ("reset_phase", "phase"),
    ("quadrature", "sin"),
    ("crossover", "high"),
    ("crossover3", "mid"),
    ("crossover4", "low_mid"),
    ("hilbert", "im"),
    ("lorenz", "y"),
    ("mid_side", "side"),
];

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

/// The equation of a definition with these arguments, by its own name with a `y_` before it.
fn equation(prelude: &Prelude, id: DefId, given: impl Fn(usize) -> Given) -> String {
    let (name, kind) = (prelude.name(id), prelude.files.definition(id).kind);
    let formals: Vec<&str> = prelude.files.definition(id).formals.iter().map(|f| &*f.name.name).collect();
    let argument = |(index, (name, unit)): (usize, (String, &str))| {
        let text = given(index).text(unit);
        // Parameters of instruments and effects always move.
        let is_formal = formals.contains(&&*name);
        let constant = CONSTANTS.iter().find(|(other, _)| is_formal && *other == name);
        match constant {
            Some((_, constant)) => format!("{name}: {constant}"),
            None if name == "x" => "x: noise() + 0.5 * saw(300Hz)".to_string(),
            None if let Some((_, count)) = LISTS.iter().find(|(list, _)| *list == name) => {
                let elements: Vec<String> = (1..=*count).map(|i| format!("{text} / {i}")).collect();
                format!("{name}: [{}]", elements.join(", "))
            }
            None => format!("{name}: {text}"),
        }
    };
    let args: Vec<String> = arguments(prelude, id).into_iter().enumerate().map(argument).collect();
    let field = FIELDS.iter().find(|(other, _)| *other == name);
    let field = field.map_or(String::new(), |(_, field)| format!(".{field}"));
    let input = if kind == DefinitionKind::Effect { "(noise(), saw(300Hz)) |> " } else { "" };
    format!("y_{name} = {input}{name}({}){field}\n", args.join(", "))
}

/// A song of all definitions, each an equation that two others need, so that it has a step of its own.
fn song<G: Fn(usize) -> Given>(prelude: &Prelude, ids: &[DefId], given: impl Fn(usize) -> G) -> String {
    let equations = ids.iter().enumerate().map(|(place, &id)| equation(prelude, id, given(place)));
    let names: Vec<String> = ids.iter().map(|&id| format!("y_{}", prelude.name(id))).collect();
    let plays = ids.iter().filter(|&&id| prelude.files.definition(id).kind == DefinitionKind::Instrument);
    let lines = plays.map(|&id| format!("y_{} \"c4 c0 . g9 c4*8\"\n", prelude.name(id)));
    format!(
        "{JUMPS}{WALKS}tempo 1200\n{}one = {sum}\ntwo = {sum}\nout = 0.001 * (one + two)\nplay {{\n{}}}\n",
        equations.collect::<String>(),
        lines.collect::<String>(),
        sum = names.join(" + "),
    )
}

/// Renders, and says what was not finite.
fn rendered(text: &str) -> (Vec<NotFinite>, f64) {
    let program = render::program("song.mam", text, 48_000, false);
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

fn all(prelude: &Prelude) -> Vec<DefId> {
    let whole = |id: &DefId| {
        let name = prelude.name(*id);
        // What plays a file needs one.
        let formals = &prelude.files.definition(*id).formals;
        let plays_file =
            formals.first().is_some_and(|formal| ["buffer", "zones"].contains(&&*formal.name.name));
        !name.starts_with('_') && !PARTS.contains(&&*name) && !MORE_PARTS.contains(&&*name) && !plays_file
    };
    prelude.files.prelude_definitions().into_iter().filter(whole).collect()
}

#[test]
fn every_parameter_may_jump_and_walk_anywhere() {
    let prelude = Prelude::new();
    for ids in all(&prelude).chunks(TOGETHER) {
        check("jumps", &song(&prelude, ids, |_| |_| Given::Jumps));
        check("walks", &song(&prelude, ids, |_| |_| Given::Walks));
        let mixed = |place: usize| {
            move |index: usize| if (place + index).is_multiple_of(2) { Given::Jumps } else { Given::Walks }
        };
        check("both", &song(&prelude, ids, mixed));
    }
}

/// Where a parameter is held, it is computed in another way, once for many samples.
#[test]
fn every_parameter_may_be_held_anywhere() {
    let prelude = Prelude::new();
    for ids in all(&prelude).chunks(TOGETHER) {
        check("all 0", &song(&prelude, ids, |_| |_| Given::Held(EXTREMES[0])));
        for turn in 0..EXTREMES.len() {
            // Each value beside others.
            let other = |index: usize| Given::Held(EXTREMES[(turn + 5 * index) % EXTREMES.len()]);
            check("mixed", &song(&prelude, ids, |_| other));
        }
    }
}
