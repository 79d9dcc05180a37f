//! The stages of a compilation as text: what `mamc dump` prints and what the cases compare.

use crate::compiling::Compiled;
use crate::drawing::{Arrow, Picture, Shape};
use crate::failure::Failure;
use crate::report::human::{Look, draw};
use crate::report::tally;
use crate::visible::visible;
use mam_compiler::emit;
use mam_compiler::emit::native::{self, Listing, Settings};
use mam_compiler::graph::NodeKind;
use mam_compiler::ir::Module;
use mam_compiler::opt;
use mam_compiler::target::{Machine, Target};
use mam_compiler::{Compilation, OptLevel};
use mam_runtime::score::{self, Extent, Sequencer, Unplayed};
use mam_runtime::{Event, Form, Program};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::ControlFlow;

/// A stage of the compilation that `mamc dump` shows.
pub struct Stage {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it shows, in a few words for the help.
    pub about: &'static str,
    /// Writes the stage as text.
    pub text: fn(&Compiled) -> String,
}

/// All stages of a song, in the order of the line. The passes by name come after these.
pub static STAGES: &[Stage] = &[
    Stage { name: "ast", about: "what was written", text: ast },
    Stage { name: "hir", about: "what the names mean, and where they are used", text: hir },
    Stage { name: "graph", about: "what the equations need of each other", text: graph },
    Stage { name: "ir", about: "the kernels as they are lowered", text: ir },
    Stage { name: "opt", about: "the kernels after all passes", text: opt },
    Stage { name: "plan", about: "which kernel runs when, on which memory", text: plan },
    Stage { name: "forms", about: "how each kernel's frames are computed, and why", text: forms_of_song },
    Stage { name: "events", about: "what is played when, for one pass", text: listed },
    Stage { name: "loops", about: "how each kernel runs over the frames of a call", text: loops },
    Stage { name: "clif", about: "the code generator's input", text: clif },
    Stage { name: "asm", about: "the machine's instructions", text: asm },
    Stage { name: "problems", about: "what is wrong", text: problems },
];

/// The text of a stage or a pass; none when there is none of this name.
pub fn stage(name: &str, compiled: &Compiled, target: Target) -> Option<String> {
    if let Some(stage) = STAGES.iter().find(|s| s.name == name) {
        return Some((stage.text)(compiled));
    }
    after_pass(name, &compiled.compilation.stages.lowered.module, target)
}

/// The names of all stages and passes.
pub fn names() -> Vec<&'static str> {
    STAGES.iter().map(|s| s.name).chain(opt::passes().map(|p| p.name)).collect()
}

/// The module after a pass and those before it; none when there is none of this name.
pub fn after_pass(name: &str, module: &Module, target: Target) -> Option<String> {
    opt::passes().find(|pass| pass.name == name)?;
    let mut after = module.clone();
    for kernel in module.kernels.handles() {
        let trace = opt::trace(&module.kernels[kernel], module.tables.len(), &target);
        after.kernels[kernel] = trace.into_iter().find(|(pass, _)| pass.name == name)?.1;
    }
    Some(after.to_string())
}

fn ast(compiled: &Compiled) -> String {
    let stages = &compiled.compilation.stages;
    stages.files.as_ref().map_or(String::new(), |files| files.file(stages.song).ast.to_string())
}

fn hir(compiled: &Compiled) -> String {
    let stages = &compiled.compilation.stages;
    let text = |files| mam_compiler::hir::text::text(files, stages.song, &stages.checked.types);
    stages.files.as_ref().map_or(String::new(), text)
}

fn graph(compiled: &Compiled) -> String {
    compiled.compilation.stages.graph.to_string()
}

fn ir(compiled: &Compiled) -> String {
    compiled.compilation.stages.lowered.module.to_string()
}

fn opt(compiled: &Compiled) -> String {
    compiled.compilation.stages.optimised.to_string()
}

/// The plan, and how each kernel's frames are computed: in lanes or one by one, and why.
fn plan(compiled: &Compiled) -> String {
    compiled.compilation.stages.plan.to_string() + &forms_of_song(compiled)
}

fn forms_of_song(compiled: &Compiled) -> String {
    let stages = &compiled.compilation.stages;
    forms(&stages.lowered.module, &stages.target)
}

/// How the frames of each kernel of a lowered module are computed: in lanes or one by one, at what cost, and the form of
/// each recurrence.
pub fn forms(lowered: &Module, target: &Target) -> String {
    let mut text = String::new();
    for kernel in lowered.kernels.values() {
        let mut reasons = opt::reasons(kernel, target).into_iter();
        text += &format!("{}: {}\n", kernel.name, reasons.next().unwrap_or_default());
        text.extend(reasons.map(|reason| format!("  {reason}\n")));
    }
    text
}

fn problems(compiled: &Compiled) -> String {
    let look = Look { colour: false, width: 100 };
    let tally = tally(&compiled.problems).map_or(String::new(), |t| t + "\n");
    draw(&compiled.problems, &compiled.sources, look) + &tally
}

fn listed(compiled: &Compiled) -> String {
    let Some(program) = &compiled.compilation.program else { return String::new() };
    match events(program, Extent::Once, once(program)) {
        Ok((events, _)) => score::listing::list(program, &events),
        Err(failure) => format!("{failure}\n"),
    }
}

/// The frame at which one pass of a program ends, or as many as are rendered of one that has no end.
pub fn once(program: &Program) -> u64 {
    let end = Sequencer::for_program(program, Extent::Once).song_end();
    end.unwrap_or(crate::offline::ENDLESS_SECONDS * u64::from(program.rate))
}

/// Events that are shown at once, at most.
const MOST_EVENTS: usize = 250_000;

/// What a program plays before frame `end`, in order, and the cycles of its score that cannot be played.
///
/// # Errors
/// When these are more events than can be shown at once.
pub fn events(program: &Program, extent: Extent, end: u64) -> Result<(Vec<Event>, Vec<Unplayed>), Failure> {
    let mut all = Vec::new();
    let mut sequencer = Sequencer::for_program(program, extent);
    let played = sequencer.play(end, |events| {
        all.extend_from_slice(events);
        if all.len() > MOST_EVENTS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    if played.is_break() {
        return Err(Failure::Usage(format!(
            "the score plays more than {MOST_EVENTS} events, which is as many as are shown at once: give a shorter \
             length, such as `-d 8bars`"
        )));
    }
    Ok((all, sequencer.unplayed().to_vec()))
}

fn loops(compiled: &Compiled) -> String {
    loop_plans(&compiled.compilation.stages.optimised, &Machine::host())
}

/// The loop plans of optimised kernels.
pub fn loop_plans(module: &Module, machine: &Machine) -> String {
    emit::loops::text(module, OptLevel::Best, machine)
}

fn clif(compiled: &Compiled) -> String {
    listing(&compiled.compilation.stages.optimised, |l| &l.clif)
}

fn asm(compiled: &Compiled) -> String {
    listing(&compiled.compilation.stages.optimised, |l| &l.asm)
}

/// The functions of all kernels as the code generator shows them.
fn listing(module: &Module, part: impl Fn(&Listing) -> &String) -> String {
    let settings = Settings { listing: true, ..Settings::host(OptLevel::Best) };
    let mut out = String::new();
    for kernel in module.kernels.values() {
        let compiled = match native::compile(module, kernel, &settings) {
            Ok(compiled) => compiled,
            Err(why) => return format!("`{}` cannot be compiled: {why}\n", kernel.name),
        };
        for (function, form) in compiled.functions.iter().zip([Form::Setup, Form::Steady, Form::General]) {
            let text = function.listing.as_ref().map_or("", |l| part(l).trim_end());
            _ = writeln!(out, "; {}, {form:?}\n{text}\n", kernel.name);
        }
    }
    out
}

/// The part of all work of a program that each node takes, by its path; voices and the sum of them count for their node.
fn shares(program: &Program) -> BTreeMap<&str, f64> {
    let mut costs: BTreeMap<&str, f64> = BTreeMap::new();
    for step in &program.steps {
        for part in &step.parts {
            let path = part.name.split('#').next().unwrap_or_default();
            let path = path.strip_suffix(".sum").unwrap_or(path);
            *costs.entry(path).or_default() += step.cost as f64 / step.parts.len() as f64;
        }
    }
    let total = costs.values().sum::<f64>().max(1.0);
    costs.values_mut().for_each(|cost| *cost /= total);
    costs
}

/// A song's graph as a picture, with the part of the work that each node takes. `levels` are peaks in dBFS by names.
pub fn picture(compilation: &Compilation, levels: &BTreeMap<String, f64>) -> Picture {
    let graph = &compilation.stages.graph;
    let shares = compilation.program.as_ref().map(shares).unwrap_or_default();
    let kind = |kind: &NodeKind| match kind {
        NodeKind::Glue { .. } => String::new(),
        NodeKind::Modulation(_) => "matrix".into(),
        NodeKind::Knob(_) => "knob".into(),
        NodeKind::Instance(i) if i.voices > 1 => format!("{} × {}", i.callee, i.voices),
        NodeKind::Instance(i) => i.callee.to_string(),
    };
    // The formats of pictures have no way to write most control characters.
    let shape = |node: &mam_compiler::graph::Node| Shape {
        name: visible(&node.path).into_owned(),
        kind: kind(&node.kind),
        share: shares.get(&*node.path).copied(),
        level: levels.get(&*node.path).copied(),
    };
    let mut arrows: Vec<Arrow> = graph
        .wires
        .raw_edges()
        .iter()
        .map(|e| Arrow { from: graph.wires[e.source()].index(), to: graph.wires[e.target()].index() })
        .collect();
    arrows.sort();
    arrows.dedup();
    Picture { boxes: graph.nodes.values().map(shape).collect(), arrows }
}
