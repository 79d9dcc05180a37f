//! Runs the kernels of every definition of the prelude and of the songs that are named, in lanes as planned or one frame at
//! a time, so that callgrind can count their instructions: see `.ci/lanes`.
//!
//! `instructions lanes|scalar SONG…` prints the name of each kernel in the order in which it is measured.

#![expect(clippy::print_stdout, reason = "it is a command")]

use mam_compiler::OptLevel;
use mam_compiler::emit::native::Jit;
use mam_compiler::files::{Files, NoFiles};
use mam_compiler::ir::Module;
use mam_compiler::opt::{optimize, optimize_scalar};
use mam_compiler::target::Target;
use mam_compiler::{Options, compile};
use mam_grammar::{Limits, Problem, Sources};
use mam_runtime::Form;
use mam_testing::rig::Rig;
use mam_testing::texts;

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

/// A song for each definition of the prelude that shows an example: its name and text.
fn definitions() -> Vec<(String, String)> {
    let mut sources = Sources::default();
    let files = Files::prelude(&mut sources, Limits::default());
    let song = |id| {
        let example = texts::example(files.item(id).doc.as_deref()?)?;
        Some((files.definition(id).name.to_string(), format!("out = {example}\n")))
    };
    files.prelude_definitions().into_iter().filter_map(song).collect()
}

fn measure_song(name: &str, text: &str, lanes: bool) {
    let mut sources = Sources::default();
    let file = if name.ends_with(".json") { name.to_string() } else { format!("{name}.mam") };
    let id = sources.add(file, text.to_string());
    let compilation = compile(&mut sources, id, &NoFiles, &Options::default());
    if compilation.program.is_none() {
        let problems = compilation.problems.into_sorted();
        // What plays a file needs one.
        let is_missing = |problem: &Problem| problem.code.name == "sample-not-found";
        assert!(problems.iter().any(is_missing), "{name}: {problems:?}\n{text}");
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
