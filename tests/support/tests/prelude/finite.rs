//! Every definition of the prelude is finite and bounded, whatever its parameters are and however they move.

use crate::registry::{Prelude, unit};
use mam_compiler::files::DefId;
use mam_grammar::ast::DefinitionKind;
use mam_runtime::{NotFinite, Renderer};
use mam_testing::{measure::peak, render};

/// Frames that each walk takes.
const FRAMES: u64 = 3_000;

/// Louder than this is not bounded: an equaliser of 100 dB, followed by the ringing of a filter, stays below.
const BOUND: f64 = 1e9;

/// Values that a parameter is held at: none, below 0, tiny, usual and far beyond.
const EXTREMES: [&str; 6] = ["0", "-1", "0.000001", "-1000000", "7", "1000000000"];

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
const MORE_PARTS: [&str; 2] = ["diffuser", "reverb_side"];

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
        let unit = formal.unit.map_or("", |unit| match mam_compiler::dimension::Dimension::of(unit).0 {
            1 => "s",
            -1 => "Hz",
            _ => "",
        });
        (formal.name.to_string(), unit)
    });
    let params = info.params.iter().filter(|param| param.span.is_some());
    formals.chain(params.map(|param| (param.name.to_string(), unit(param.dimension.0)))).collect()
}

/// The song that gives a definition these arguments.
fn song(prelude: &Prelude, id: DefId, given: impl Fn(usize) -> Given) -> String {
    let (name, kind) = (prelude.name(id), prelude.files.definition(id).kind);
    let argument = |(index, (name, unit)): (usize, (String, &str))| match &*name {
        "x" => "x: noise() + 0.5 * saw(300Hz)".to_string(),
        _ => format!("{name}: {}", given(index).text(unit)),
    };
    let args: Vec<String> = arguments(prelude, id).into_iter().enumerate().map(argument).collect();
    let call = format!("{name}({})", args.join(", "));
    let field = match &*name {
        "svf" => ".low",
        "warp" => ".above",
        "reset_phase" => ".phase",
        _ => "",
    };
    let out = match kind {
        DefinitionKind::Def => format!("out = y{field} * 0.5\ny = {call}\n"),
        DefinitionKind::Effect => format!("out = (noise(), saw(300Hz)) |> {call}\n"),
        DefinitionKind::Instrument => {
            format!("tempo 1200\nout = y\ny = {call}\nplay {{ y \"c4 c0 . g9 c4*8\" }}\n")
        }
    };
    format!("{JUMPS}{WALKS}{out}")
}

/// Renders, and says what was not finite.
fn rendered(text: &str) -> (Vec<NotFinite>, f64) {
    let program = render::program("song.mam", text, 48_000, false);
    let source = mam_runtime::score::Sequencer::of(&program, mam_runtime::score::Extent::Forever);
    let length = mam_runtime::Length::Frames(FRAMES);
    let mut renderer = Renderer::new(program, source, 2, 0, length);
    let mut loudest = 0.0_f64;
    while let Some(block) = renderer.next_block() {
        loudest = block.iter().map(|channel| peak(channel)).fold(loudest, f64::max);
    }
    (renderer.not_finite(), loudest)
}

/// What is wrong with a song, if anything.
fn fault(text: &str) -> Option<String> {
    let (failures, loudest) = rendered(text);
    let fine = failures.is_empty() && loudest < BOUND;
    (!fine).then(|| format!("{failures:?}, peak {loudest}: {}", text.lines().last().unwrap_or_default()))
}

fn all(prelude: &Prelude) -> Vec<DefId> {
    let whole = |id: &DefId| {
        let name = prelude.name(*id);
        !PARTS.contains(&&*name) && !MORE_PARTS.contains(&&*name)
    };
    prelude.files.prelude_definitions().into_iter().filter(whole).collect()
}

#[test]
fn every_parameter_may_jump_and_walk_anywhere() {
    let prelude = Prelude::new();
    let turns = |index: usize| if index.is_multiple_of(2) { Given::Jumps } else { Given::Walks };
    let songs = all(&prelude).into_iter().flat_map(|id| {
        [
            song(&prelude, id, |_| Given::Jumps),
            song(&prelude, id, |_| Given::Walks),
            song(&prelude, id, turns),
        ]
    });
    let faults: Vec<String> = songs.filter_map(|text| fault(&text)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Where a parameter is held, it is computed in another way, once for many samples.
#[test]
fn every_parameter_may_be_held_anywhere() {
    let prelude = Prelude::new();
    let songs = all(&prelude).into_iter().flat_map(|id| {
        let prelude = &prelude;
        // Each value once for all, and each beside others.
        (0..EXTREMES.len()).map(move |turn| {
            let step = if turn.is_multiple_of(2) { 3 } else { 0 };
            song(prelude, id, |index| Given::Held(EXTREMES[(turn + step * index) % EXTREMES.len()]))
        })
    });
    let faults: Vec<String> = songs.filter_map(|text| fault(&text)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
