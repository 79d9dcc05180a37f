//! Instruments that are machines outside: which send their notes, and what lines move of them.

use super::parts::{body_exprs, is_event, operands};
use super::{Graph, NodeKind, Protocol};
use crate::files::Files;
use crate::hir::builtins::Function;
use crate::hir::resolve::resolved;
use crate::hir::{Callee, DefId, Hir};
use crate::library::Library;
use mam_grammar::ast::{Body, ExprId, equations};
use mam_runtime::Sent;
use std::sync::Arc;

/// Notes that a machine outside plays at once, where its song says nothing.
pub(super) const OUTSIDE_VOICES: u32 = 16;

/// How a call sends the notes of the instrument in whose body it stands, if it does.
fn sent_by(hir: &Hir, call: ExprId) -> Option<Protocol> {
    let Callee::Builtin(builtin) = hir.call(call)?.callee else { return None };
    match builtin.row().function {
        Function::MidiSend => Some(Protocol::Midi),
        Function::OscSend => Some(Protocol::Osc),
        _ => None,
    }
}

/// Whether an instrument is nothing but a machine outside: its `out` is what sends its notes.
pub fn is_machine(files: &Files, def: DefId) -> bool {
    let hir = resolved(files, def.file);
    let Body::Items(items) = &files.definition(def).body else { return false };
    equations(items).any(|(name, value)| &*name.name == "out" && sent_by(hir, value).is_some())
}

/// How the body of an instrument sends its notes outside, if it does.
pub(crate) fn sends(files: &Files, def: DefId) -> Option<Protocol> {
    let ast = &files.file(def.file).ast;
    let hir = resolved(files, def.file);
    let mut open = body_exprs(&files.definition(def).body);
    while let Some(expr) = open.pop() {
        let protocol = sent_by(hir, expr);
        if protocol.is_some() {
            return protocol;
        }
        open.extend(operands(&ast.exprs[expr]));
    }
    None
}

/// Whether a word names an argument of a message: one that means a property of the note, or several parameters, does not.
fn is_argument(word: &str) -> bool {
    !is_event(word) && !matches!(word, "note" | "preset")
}

impl Graph {
    /// A line moves something of a machine outside, or a note sets it, if it has no parameter of that name: a controller or the
    /// program by MIDI, any argument of its messages by OSC.
    pub(super) fn send(&mut self, files: &Files, library: &Library, name: &str, word: &Arc<str>) {
        let Some(&node) = self.targets.get(name) else { return };
        let NodeKind::Instance(instance) = &mut self.nodes[node].kind else { return };
        let sent = match instance.plays_outside {
            Some(Protocol::Midi) => Sent::of_line(word),
            Some(Protocol::Osc) => Some(Sent::Argument(word.clone())).filter(|_| is_argument(word)),
            None => None,
        };
        let info = library.info(files, instance.def);
        let has_own = info.params.iter().any(|param| param.name == *word);
        if let Some(sent) = sent.filter(|sent| !has_own && !instance.sent.contains(sent)) {
            instance.sent.push(sent);
        }
    }
}
