//! Runs the kernels of every definition of the prelude and of the songs that are named, in lanes as planned or one frame at
//! a time, so that callgrind can count their instructions: see `.ci/lanes`.
//!
//! `instructions lanes|scalar SONG…` prints the name of each kernel in the order in which it is measured.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a command")]

use mam_compiler::OptLevel;
use mam_compiler::emit::native::Jit;
use mam_compiler::files::{DefId, Files, NoFiles};
use mam_compiler::ir::Module;
use mam_compiler::opt::{optimize, optimize_scalar};
use mam_compiler::target::Target;
use mam_compiler::{Options, compile};
use mam_grammar::ast::DefinitionKind;
use mam_grammar::{Limits, Sources};
use mam_runtime::Form;
use mam_testing::rig::Rig;

/// Calls of each kernel.
const CALLS: usize = 50;
/// Frames of a call.
const FRAMES: u32 = 64;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (lanes, songs) = match args.split_first() {
        Some((mode, songs)) if mode == "lanes" || mode == "scalar" => (mode == "lanes", songs),
        _ => panic!("instructions lanes|scalar SONG…"),
    };
    let mut texts: Vec<(String, String)> = definitions();
    for path in songs {
        let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}"));
        texts.push((path.clone(), text));
    }
    for (name, text) in &texts {
        measure_song(name, text, lanes);
    }
}

/// A song for each definition of the prelude: its name and text.
fn definitions() -> Vec<(String, String)> {
    let mut sources = Sources::default();
    let files = Files::prelude(&mut sources, Limits::default());
    // What plays a file needs one.
    let plays_file = |id: &DefId| {
        files.definition(*id).formals.first().is_some_and(|f| ["buffer", "zones"].contains(&&*f.name.name))
    };
    let definitions = files.prelude_definitions().into_iter().filter(|id| !plays_file(id));
    definitions.map(|id| (name(&files, id), song(&files, id))).collect()
}

fn name(files: &Files, id: DefId) -> String {
    files.definition(id).name.to_string()
}

fn song(files: &Files, id: DefId) -> String {
    let (name, definition) = (name(files, id), files.definition(id));
    let args: Vec<&str> =
        definition.formals.iter().filter(|f| f.default.is_none()).map(|f| argument(&f.name.name)).collect();
    match definition.kind {
        DefinitionKind::Instrument => format!("x = {name}()\nplay {{ x \"c3\" }}\nout = x\n"),
        DefinitionKind::Effect => format!("out = in |> {name}()\n"),
        DefinitionKind::Def => {
            let field = match name.as_str() {
                "warp" => ".above",
                "svf" | "integrators" => ".low",
                _ => "",
            };
            format!("out = {name}({}){field}\n", args.join(", "))
        }
    }
}

/// Something to give for a parameter that has no default.
fn argument(name: &str) -> &'static str {
    match name {
        "freq" | "rate" => "220Hz",
        "cutoff" => "1kHz",
        "time" | "period" | "attack" | "decay" => "20ms",
        "trig" | "gate" => "0",
        "x" => "in",
        _ => "0.5",
    }
}

fn measure_song(name: &str, text: &str, lanes: bool) {
    let mut sources = Sources::default();
    let file = if name.ends_with(".json") { name.to_string() } else { format!("{name}.mam") };
    let id = sources.add(file, text.to_string());
    let compilation = compile(&mut sources, id, &NoFiles, &Options::default());
    if compilation.program.is_none() {
        let problems: Vec<_> =
            compilation.problems.into_sorted().into_iter().map(|problem| problem.message).collect();
        eprintln!("{name}: {problems:?}\n{text}");
        return;
    }
    let lowered = compilation.stages.lowered.module;
    let target = Target::host();
    let mut module = Module { tables: lowered.tables.clone(), ..Module::default() };
    for kernel in lowered.kernels.values() {
        let mut optimised = kernel.clone();
        match lanes {
            true => optimize(&mut optimised, lowered.tables.len(), &target),
            false => optimised = optimize_scalar(kernel, lowered.tables.len(), &target),
        }
        module.kernels.add(optimised);
    }
    let code = Jit::new(&module, OptLevel::Best).expect("checked modules compile");
    for (index, kernel) in module.kernels.values().enumerate() {
        let mut rig = Rig::new(kernel);
        rig.params.fill(1.0);
        rig.call(&code, index as u32, Form::Setup, 0);
        println!("{name}/{}", kernel.name);
        measured(&mut rig, &code, index as u32);
    }
}

/// What callgrind counts.
#[inline(never)]
fn measured(rig: &mut Rig, code: &Jit, kernel: u32) {
    for _ in 0..CALLS {
        rig.call(code, kernel, Form::Steady, FRAMES);
    }
}
