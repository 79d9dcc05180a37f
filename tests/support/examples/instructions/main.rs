//! Counts the instructions of every kernel of the prelude and of the songs that are named, in lanes as planned and one frame at a
//! time: the processor stops after each of them. Fails where a plan in lanes executes more. For x86-64 on Linux.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a command")]

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod stepping;

use mam_compiler::emit::native::Jit;
use mam_compiler::files::{Files, NoFiles};
use mam_compiler::ir::{Kernel, Module};
use mam_compiler::lower::Lowered;
use mam_compiler::opt::{optimize, optimize_scalar};
use mam_compiler::target::Target;
use mam_compiler::{OptLevel, Options, Stage, compile};
use mam_grammar::{Handle, Limits, Problem, Severity, Sources};
use mam_runtime::{Form, Port};
use mam_testing::rig::Rig;
use mam_testing::texts;
use std::process::ExitCode;

/// Frames of a call.
const FRAMES: u32 = 64;

fn main() -> ExitCode {
    let mut songs = definitions();
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        songs.push((path, text));
    }
    let (mut kernels, mut more, mut all_in_lanes, mut all_scalar) = (0, 0, 0, 0);
    for (name, text) in &songs {
        for (kernel, in_lanes, scalar) in counts(name, text) {
            (kernels, all_in_lanes, all_scalar) = (kernels + 1, all_in_lanes + in_lanes, all_scalar + scalar);
            if in_lanes > scalar {
                more += 1;
                eprintln!("{name}/{kernel}: {in_lanes} instructions in lanes, {scalar} one by one");
            }
        }
    }
    println!(
        "{kernels} kernels, {:.2} times the instructions one by one",
        all_scalar as f64 / all_in_lanes as f64
    );
    ExitCode::from(u8::from(more > 0))
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

/// The name of each kernel of a song, its instructions in lanes as planned, and one frame at a time.
fn counts(name: &str, text: &str) -> Vec<(String, u64, u64)> {
    let mut sources = Sources::default();
    let file = if name.ends_with(".json") { name.to_string() } else { format!("{name}.mam") };
    let id = sources.add(file, text.to_string());
    let options = Options { until: Stage::Lower, ..Options::default() };
    let compilation = compile(&mut sources, id, &NoFiles, &options);
    let problems = compilation.problems.into_sorted();
    if problems.iter().any(|problem| problem.code.severity == Severity::Error) {
        // What plays a file needs one.
        let is_missing = |problem: &Problem| problem.code.name == "cannot-use";
        assert!(problems.iter().any(is_missing), "{name}: {problems:?}\n{text}");
        return vec![];
    }
    let lowered = compilation.stages.lowered;
    let target = Target::host();
    let tables = lowered.module.tables.len();
    let [in_lanes, scalar] = [true, false].map(|lanes| {
        let mut module = Module { tables: lowered.module.tables.clone(), ..Module::default() };
        for kernel in lowered.module.kernels.values() {
            let mut optimised = kernel.clone();
            match lanes {
                true => optimize(&mut optimised, tables, &target),
                false => optimised = optimize_scalar(kernel, tables, &target),
            }
            module.kernels.add(optimised);
        }
        executed(&module, &lowered)
    });
    let names = lowered.module.kernels.values().map(|kernel| kernel.name.to_string());
    names.zip(in_lanes).zip(scalar).map(|((name, in_lanes), scalar)| (name, in_lanes, scalar)).collect()
}

/// The instructions that each kernel of a module executes in a call, with the parameters of the song's first call of it and a note on
/// its ports.
fn executed(module: &Module, lowered: &Lowered) -> Vec<u64> {
    let code = Jit::new(module, OptLevel::Best).expect("checked modules compile");
    let count = |(index, (handle, kernel)): (u32, (Handle<Kernel>, &Kernel))| {
        let mut rig = Rig::new(kernel);
        let call = lowered.calls.iter().find(|call| call.kernel == handle).expect("every kernel is called");
        for (value, slot) in rig.params.iter_mut().zip(&call.params) {
            *value = lowered.slots.info(*slot).default;
        }
        rig.ports.fill(Port { active: 1, gate: 1, note: 57.0, freq: 220.0, vel: 1.0, ..Port::default() });
        rig.call(&code, index, Form::Setup, 0);
        // The first steady call may still settle.
        rig.call(&code, index, Form::Steady, FRAMES);
        instructions(|| rig.call(&code, index, Form::Steady, FRAMES))
    };
    (0..).zip(module.kernels.iter()).map(count).collect()
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use stepping::instructions;

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn instructions(_: impl FnOnce()) -> u64 {
    panic!("instructions are counted on x86-64 under Linux")
}
