//! Instruments that are machines outside: which send their notes, and what lines move of them.

use super::parts::{body_exprs, operands};
use super::{Graph, NodeKind};
use crate::files::Files;
use crate::hir::builtins::Function;
use crate::hir::resolve::resolved;
use crate::hir::{Callee, DefId};
use crate::library::Library;
use mam_grammar::ast::ExprId;
use mam_runtime::Sent;

/// Notes that a machine outside plays at once, where its song says nothing.
pub(super) const OUTSIDE_VOICES: u32 = 16;

/// Whether the body of an instrument sends its notes outside.
pub(super) fn sends(files: &Files, def: DefId) -> bool {
    let ast = &files.file(def.file).ast;
    let hir = resolved(files, def.file);
    let sends = |expr: ExprId| match hir.call(expr).map(|call| call.callee) {
        Some(Callee::Builtin(builtin)) => {
            matches!(builtin.row().function, Function::MidiSend | Function::OscSend)
        }
        _ => false,
    };
    let mut open = body_exprs(&files.definition(def).body);
    while let Some(expr) = open.pop() {
        if sends(expr) {
            return true;
        }
        open.extend(operands(&ast.exprs[expr]));
    }
    false
}

impl Graph {
    /// A line moves a controller or the program of a machine outside, if it has no parameter of the name.
    pub(super) fn send(&mut self, files: &Files, library: &Library, name: &str, sent: Sent) {
        let Some(&node) = self.targets.get(name) else { return };
        let NodeKind::Instance(instance) = &mut self.nodes[node].kind else { return };
        let info = library.info(files, instance.def);
        let has_own = info.params.iter().any(|param| *param.name == *sent.name());
        if instance.plays_outside && !has_own && !instance.sent.contains(&sent) {
            instance.sent.push(sent);
        }
    }
}
