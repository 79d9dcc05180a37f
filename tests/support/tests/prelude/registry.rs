//! What holds for every definition of the prelude.

use crate::{RATE, through};
use mam_compiler::files::{DefId, Files, NoFiles};
use mam_compiler::library::Library;
use mam_compiler::prelude::PRELUDE;
use mam_compiler::{Options, Stage};
use mam_grammar::ast::{DefinitionKind, ItemKind};
use mam_grammar::{Limits, Severity, Sources};
use mam_testing::measure::peak;
use mam_testing::render;
use mam_testing::texts;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The table of the prelude, as the language fixes it: names, orders, defaults.
const TABLE: &str = "
sine(freq, reset: 0); saw(freq, reset: 0); square(freq, reset: 0); pulse(freq, width: 50%, reset: 0); tri(freq, reset: 0)
lfo(freq, reset: 0); lfo_tri(freq, reset: 0); lfo_square(freq, reset: 0)
pink(); sah(x, trig); dust(rate)
decay(trig, time); ad(trig, attack, decay); adsr(gate, attack: 5ms, decay: 100ms, sustain: 70%, release: 200ms)
slew(x, time); follow(x, attack: 5ms, release: 100ms); every(period, offset: 0s)
onepole(x, cutoff); dcblock(x); svf(x, cutoff, q: 0.707)
lowpass(x, cutoff, q: 0.707); highpass(x, cutoff, q: 0.707); bandpass(x, cutoff, q: 0.707); notch(x, cutoff, q: 0.707)
peak(x, freq, gain: 0dB, q: 0.707); lowshelf(x, freq, gain: 0dB, q: 0.707); highshelf(x, freq, gain: 0dB, q: 0.707)
comb(x, time, feedback: 50%); allpass(x, time, gain: 0.5)
echo(time: 375ms, feedback: 35%, mix: 30%); freeverb(room: 50%, damp: 50%, width: 100%, mix: 30%)
compressor(threshold: -18dB, ratio: 4, attack: 10ms, release: 120ms, makeup: 0dB, key)
drive(amount: 2); chorus(rate: 0.8Hz, depth: 2ms, mix: 50%)
softclip(x); hardclip(x); fold(x); crush(x, bits: 8); pan(x, position); width(x, amount)
kick(f0: 100Hz, fend: 40Hz, pitch_decay: 60ms, amp_decay: 200ms, gain: 0.9, click: 0); clap(amp_decay: 180ms, gain: 0.8)
open_hat(mute: 0 …); acid(cutoff: 600Hz, resonance: 70%, env: 50%, decay: 200ms, accent: 50%, slide: 0ms …)
pluck(decay: 1s, bright: 50% …); supersaw(detune: 15ct, attack: 10ms, release: 300ms …); bell(ratio: 3.5, index: 4, decay: 1.2s …)
snare( …); closed_hat( …); tom( …); sub( …)
";

pub(crate) struct Prelude {
    sources: Sources,
    pub(crate) files: Files,
    pub(crate) library: Library,
}

impl Prelude {
    pub(crate) fn new() -> Prelude {
        let mut sources = Sources::default();
        let files = Files::prelude(&mut sources, Limits::default());
        Prelude { sources, files, library: Library::default() }
    }

    /// `name(a, b: default)`, as it is written.
    fn signature(&self, id: DefId) -> String {
        let definition = self.files.definition(id);
        let ast = &self.files.file(id.file).ast;
        let text = |expr| self.sources.slice(ast.span(expr)).to_string();
        let mut args: Vec<String> = vec![];
        for formal in &definition.formals {
            let default = formal.default.map_or(String::new(), |d| format!(": {}", text(d)));
            args.push(format!("{}{default}", formal.name));
        }
        if let mam_grammar::ast::Body::Items(items) = &definition.body {
            args.extend(items.iter().filter_map(|item| match &item.kind {
                ItemKind::Param(p) => Some(format!("{}: {}", p.name, text(p.default))),
                ItemKind::Input(name) => Some(name.to_string()),
                _ => None,
            }));
        }
        format!("{}({})", definition.name, args.join(", "))
    }

    fn of_kind(&self, kind: DefinitionKind) -> Vec<DefId> {
        let all = self.files.prelude_definitions();
        let called = |id: &DefId| {
            let definition = self.files.definition(*id);
            definition.kind == kind && (kind == DefinitionKind::Def || !definition.needs_arguments())
        };
        all.into_iter().filter(called).collect()
    }

    pub(crate) fn name(&self, id: DefId) -> String {
        self.files.definition(id).name.to_string()
    }
}

#[test]
fn every_name_of_the_table_has_its_order_and_defaults() {
    let prelude = Prelude::new();
    let all: Vec<String> =
        prelude.files.prelude_definitions().into_iter().map(|id| prelude.signature(id)).collect();
    for row in TABLE.split(['\n', ';']).map(str::trim).filter(|row| !row.is_empty()) {
        let found = match row.strip_suffix(" …)") {
            Some(start) => all.iter().any(|s| s.starts_with(start) && s.contains("gain: ")),
            None => all.iter().any(|s| s == row),
        };
        let name = row.split('(').next().unwrap();
        let similar: Vec<&String> = all.iter().filter(|s| s.starts_with(&format!("{name}("))).collect();
        assert!(found, "{row}\nis {similar:?}");
    }
}

/// The files of a folder and of those in it, relative to `root`, without their extension.
fn files_below(root: &Path, folder: &Path) -> Vec<String> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = all.flat_map(|path| match path.is_dir() {
        true => files_below(root, &path),
        false => vec![path.strip_prefix(root).unwrap().with_extension("").display().to_string()],
    });
    files.collect()
}

#[test]
fn every_file_is_in_the_list_and_has_a_heading_of_its_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../compiler/prelude");
    let listed = PRELUDE.iter().map(|(name, _)| name.trim_start_matches("prelude/").trim_end_matches(".mam"));
    assert_eq!(
        files_below(&root, &root).into_iter().collect::<BTreeSet<_>>(),
        listed.map(String::from).collect()
    );
    let headings: BTreeSet<&str> = PRELUDE.iter().filter_map(|(_, text)| text.lines().next()).collect();
    assert_eq!(headings.len(), PRELUDE.len(), "{headings:?}");
    assert!(headings.iter().all(|line| line.starts_with("// ") && line.contains('.')), "{headings:?}");
}

/// What begins with `_` is a detail of the prelude: it is not there for songs, which may have such names of their own.
#[test]
fn details_cannot_be_called_from_songs() {
    let prelude = Prelude::new();
    let names = prelude.files.prelude_definitions().into_iter().map(|id| prelude.name(id));
    let details: Vec<String> = names.filter(|name| name.starts_with('_')).collect();
    assert!(!details.is_empty());
    for name in details {
        let mut sources = Sources::default();
        let song = sources.add("song.mam", format!("out = {name}(noise())\n"));
        let found = mam_compiler::compile(&mut sources, song, &NoFiles, &Options::default());
        let codes: Vec<&str> = found.problems.iter().map(|problem| problem.code.name).collect();
        assert_eq!(codes, ["unknown-definition"], "{name}");
    }
    let own = "def _raise1(x) = 0.5 * x\nout = _raise1(noise())\n";
    assert!(peak(&render::render("song.mam", own, RATE, Some(1_000)).channels[0]) <= 0.5);
}

#[test]
fn everything_is_documented() {
    let prelude = Prelude::new();
    for id in prelude.files.prelude_definitions() {
        let name = prelude.name(id);
        let doc = prelude.files.item(id).doc.clone().unwrap_or_default();
        assert!(doc.len() > 20 && doc.trim_end().ends_with(['.', ')', '`']), "{name}: {doc:?}");
        for param in &prelude.library.info(&prelude.files, id).params {
            let doc = param.doc.clone().unwrap_or_default();
            assert!(doc.len() > 4 && doc.trim_end().ends_with('.'), "{name}.{}: {doc:?}", param.name);
            assert!(param.min.is_finite() && param.max.is_finite(), "{name}.{} has no range", param.name);
        }
        assert!(prelude.library.info(&prelude.files, id).problems.is_empty(), "{name}");
    }
}

/// The example of each definition is a song without a word against it, and is heard: finite, neither silent nor beyond what a
/// listener would forgive.
#[test]
fn every_example_of_a_documentation_is_heard() {
    let prelude = Prelude::new();
    let mut wrong = String::new();
    for id in prelude.files.prelude_definitions() {
        let doc = prelude.files.item(id).doc.clone().unwrap_or_default();
        let Some(example) = texts::example(&doc) else { continue };
        let mut sources = Sources::default();
        let song = sources.add("song.mam", format!("out = {example}\n"));
        let options = Options { until: Stage::Lower, ..Options::default() };
        let found = mam_compiler::compile(&mut sources, song, &NoFiles, &options);
        for problem in found.problems.iter().filter(|problem| problem.code.severity > Severity::Note) {
            wrong += &format!("{}: {example}: {}\n", prelude.name(id), problem.message);
        }
        let sound = render::render("song.mam", &format!("out = {example}\n"), RATE, Some(36_000));
        let loudest = sound.channels.iter().map(|channel| peak(channel)).fold(0.0, f64::max);
        if !(0.01..=4.0).contains(&loudest) {
            wrong += &format!("{}: {example}: peak {loudest}\n", prelude.name(id));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Calls of a definition with its parameters at their ends: all lowest, all highest, and neighbours at opposite ends, in both
/// ways. (`finite` walks and jumps through all between.)
fn extremes(prelude: &Prelude, id: DefId) -> Vec<String> {
    let info = prelude.library.info(&prelude.files, id);
    let own: Vec<_> = info.params.iter().filter(|p| p.span.is_some()).collect();
    let write = |i: usize, x: f64| format!("{}: {x:?}{}", own[i].name, unit(own[i].dimension.0));
    let call = |is_high: fn(usize) -> bool| {
        let args = (0..own.len()).map(|i| write(i, if is_high(i) { own[i].max } else { own[i].min }));
        format!("{}({})", prelude.name(id), args.collect::<Vec<_>>().join(", "))
    };
    vec![call(|_| false), call(|_| true), call(|i| i % 2 == 0), call(|i| i % 2 == 1)]
}

/// The unit of a power of time.
pub(crate) fn unit(power: i8) -> &'static str {
    match power {
        1 => "s",
        -1 => "Hz",
        _ => "",
    }
}

#[test]
fn instruments_are_finite_and_bounded_at_the_ends_of_every_range() {
    let prelude = Prelude::new();
    for id in prelude.of_kind(DefinitionKind::Instrument) {
        for call in extremes(&prelude, id) {
            // A quarter of a second each, one after the other.
            let text = format!("tempo 960\nx = {call}\nplay {{ x \"<c-1 c4 g9>\" }}\nout = x\n");
            let sound = render::render("song.mam", &text, RATE, Some(36_000));
            for channel in &sound.channels {
                let peak = peak(channel);
                assert!(channel.iter().all(|v| v.is_finite()) && peak < 6.0, "{call}: {peak}");
            }
        }
    }
}

#[test]
fn machine_code_and_interpreter_agree_on_every_definition() {
    let prelude = Prelude::new();
    let play = |text: &str, interpreter| {
        let program = render::program("song.mam", text, RATE, interpreter);
        render::render_program(program, Some(1_500))
    };
    for id in
        prelude.of_kind(DefinitionKind::Instrument).into_iter().chain(prelude.of_kind(DefinitionKind::Effect))
    {
        let name = prelude.name(id);
        let effect = prelude.files.definition(id).kind == DefinitionKind::Effect;
        let text = if effect {
            format!("out = (noise(), saw(300Hz)) |> {name}()\n")
        } else {
            format!(
                "x = {name}(gain: 0.5 + 0.3 * sine(50Hz))\nplay {{ x |x...x...x...x...| }}\ntempo 600\nout = x\n"
            )
        };
        assert!(play(&text, false) == play(&text, true), "{name}");
    }
}

/// Something of everything: an impulse, noise, a loud square, silence.
fn stress() -> Vec<f32> {
    let mut x = vec![0.0; 9_600];
    x[0] = 1.0;
    let mut seed = 1_u32;
    x[1_000..5_000].fill_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((seed >> 16) as u16) / 32_768.0 - 1.0
    });
    x[5_000..8_000].iter_mut().enumerate().for_each(|(n, v)| *v = if n / 50 % 2 == 0 { 1.0 } else { -1.0 });
    x
}

#[test]
fn effects_are_finite_and_bounded_and_keep_silence() {
    let prelude = Prelude::new();
    for id in prelude.of_kind(DefinitionKind::Effect) {
        for call in extremes(&prelude, id).into_iter().chain([format!("{}()", prelude.name(id))]) {
            let text = format!("out = in |> {call}\n");
            let (left, right) = through(&text, &[&stress()]);
            assert!(left.iter().chain(&right).all(|v| v.is_finite()), "{call}");
            assert!(peak(&left) < 60.0, "{call}: {}", peak(&left));
            let (left, right) = through(&text, &[&vec![0.0; 4_800]]);
            assert!(left.iter().chain(&right).all(|&v| v == 0.0), "{call} makes sound of silence");
        }
    }
}

#[test]
fn filters_and_shapes_are_finite_and_keep_silence_and_fall_to_zero() {
    for call in [
        "onepole(in, 100Hz)",
        "dcblock(in)",
        "svf(in, 500Hz, 10).low",
        "svf(in, 500Hz).notch",
        "lowpass(in, 50Hz)",
        "highpass(in, 5kHz)",
        "bandpass(in, 1kHz, 20)",
        "notch(in, 1kHz)",
        "peak(in, 1kHz, 20dB)",
        "lowshelf(in, 1kHz, -20dB)",
        "highshelf(in, 1kHz, 20dB)",
        "comb(in, 3ms, 90%)",
        "allpass(in, 3ms)",
        "softclip(in)",
        "hardclip(in)",
        "fold(in)",
        "crush(in)",
        "pan(in, 0.3)",
        "width(in, 2)",
        "slew(in, 1ms)",
        "follow(in)",
    ] {
        let text = format!("out = {call}\n");
        let (left, right) = through(&text, &[&vec![0.0; 4_800]]);
        assert!(left.iter().chain(&right).all(|&v| v == 0.0), "{call} makes sound of silence");
        let mut input = stress();
        input.resize(48_000 * 12, 0.0);
        let (left, _) = through(&text, &[&input]);
        assert!(left.iter().all(|v| v.is_finite()), "{call}");
        assert!(peak(&left[48_000 * 11..]) < 1e-30, "{call} rings on");
    }
}
