//! Parameters and knobs that nothing reads: whatever they are set to, the song sounds the same.

use crate::codes;
use crate::files::Files;
use crate::graph::{Graph, Protocol, is_machine, sends};
use crate::hir::resolve::resolved;
use crate::hir::{DefId, FILE, LocalId, Target};
use crate::score::set::signals_of_lines;
use mam_grammar::ast::{Body, ItemKind, Param};
use mam_grammar::{Problem, Problems};
use mam_runtime::NoteSignal;
use rustc_hash::FxHashSet;

/// Warns of the knobs of a song, of the parameters of its own instruments and effects, and of what its lines say of notes.
pub(crate) fn check(files: &Files, song: usize, graph: &Graph, problems: &mut Problems) {
    signals(files, song, graph, problems);
    let hir = resolved(files, song);
    let read: FxHashSet<LocalId> = hir
        .uses
        .iter()
        .filter_map(|one| match one.target {
            Target::Local(local) => Some(local),
            _ => None,
        })
        .collect();
    let is_read = |scope, param: &Param| {
        hir.in_scope(scope, &param.name.name).is_none_or(|local| read.contains(&local))
    };
    for (item, written) in files.file(song).ast.items.iter().enumerate() {
        match &written.kind {
            ItemKind::Param(knob) if !is_read(FILE, knob) => {
                let help =
                    format!("read it in an equation, as `x |> lowpass({})` does, or take it out", knob.name);
                problems.add(problem("knob", knob).help(help));
            }
            ItemKind::Definition(definition) => {
                let Body::Items(items) = &definition.body else { continue };
                let def = DefId { file: song, item };
                let outside = is_machine(files, def).then(|| sends(files, def)).flatten();
                for item in items {
                    let ItemKind::Param(param) = &item.kind else { continue };
                    if is_read(hir.definition_scope(def.item), param) || is_sent(param, outside) {
                        continue;
                    }
                    let help = match outside {
                        Some(_) => "`cc 74` behind it sends it as a controller".to_owned(),
                        None => format!("read it in an equation of `{}`, or take it out", definition.name),
                    };
                    problems.add(problem("parameter", param).help(help));
                }
            }
            _ => {}
        }
    }
}

/// Warns of signals of notes that lines set, and that the instrument does not read.
fn signals(files: &Files, song: usize, graph: &Graph, problems: &mut Problems) {
    for (name, signal) in signals_of_lines(&files.file(song).ast) {
        let Some(&node) = graph.targets.get(&name) else { continue };
        let Some(instance) = graph.instance(node).filter(|instance| instance.plays_outside.is_none()) else {
            continue;
        };
        if signal == NoteSignal::Bend || graph.signals_read(files, song, instance).contains(&signal) {
            continue;
        }
        let (signal, definition) = (signal.name(), &files.definition(instance.def).name);
        let message = format!("a line sets `note.{signal}` of `{name}`, and `{definition}` does not read it");
        let help = format!(
            "let a parameter follow it, as `voice.{signal}` in the call of `{definition}`, or take it out of the line"
        );
        problems.add(Problem::new(&codes::UNUSED_PARAMETER, graph.nodes[node].span, message).help(help));
    }
}

/// Whether a machine outside is sent a parameter: by MIDI as its controller, and every one by OSC.
fn is_sent(param: &Param, outside: Option<Protocol>) -> bool {
    match outside {
        Some(Protocol::Osc) => true,
        Some(Protocol::Midi) => param.cc.is_some(),
        None => false,
    }
}

fn problem(what: &str, param: &Param) -> Problem {
    let message = format!("nothing reads the {what} `{}`: whatever it is, the sound is the same", param.name);
    Problem::new(&codes::UNUSED_PARAMETER, param.name.span, message)
}
