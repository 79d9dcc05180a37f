//! Which signals of their notes the instruments of a song read: `note.bend` in a definition, `voice.pressure` in what the song
//! gives to one of its parameters.

use super::parts::{body_exprs, operands};
use super::{Given, Graph, Instance, NodeId, NodeKind};
use crate::files::Files;
use crate::hir::resolve::resolved;
use crate::hir::{Hir, VoiceSignal};
use mam_grammar::ast::{Ast, Expr, ExprId, Ident};
use mam_runtime::NoteSignal;
use mam_runtime::sort::Sort;

impl Graph {
    /// Every instrument is given those signals of its notes that it reads. Machines outside read none.
    pub fn deliver_read(&mut self, files: &Files, song: usize) {
        let nodes: Vec<NodeId> = self.nodes.handles().collect();
        for node in nodes {
            let Some(instance) = self.instance(node).filter(|instance| instance.plays_outside.is_none())
            else {
                continue;
            };
            let read = self.signals_read(files, song, instance);
            self.deliver_to(node, &read);
        }
    }

    /// A node's notes are given signals, if it is an instrument.
    pub(super) fn deliver_to(&mut self, node: NodeId, signals: &[NoteSignal]) {
        let NodeKind::Instance(instance) = &mut self.nodes[node].kind else { return };
        instance.signals.extend(signals);
        instance.signals.put_in_order();
        instance.signals.dedup();
    }

    /// The signals of its notes that an instrument reads, beside their bend, which moves every frequency.
    pub(crate) fn signals_read(&self, files: &Files, song: usize, instance: &Instance) -> Vec<NoteSignal> {
        let (ast, hir) = (&files.file(instance.def.file).ast, resolved(files, instance.def.file));
        let own = named(ast, body_exprs(&files.definition(instance.def).body), |of, field| {
            hir.note_signal(of, &field.name)
        });
        let voiced = |given: &Option<Given>| match given {
            Some(Given::Voice(voiced)) => Some(self.voiced[*voiced].expr),
            _ => None,
        };
        let given: Vec<ExprId> = instance.args.iter().filter_map(voiced).collect();
        let (ast, hir) = (&files.file(song).ast, resolved(files, song));
        let given = named(ast, given, |of, field| of_voice(hir, of, field));
        [own, given].concat()
    }
}

/// The signal of notes that a field of the word `voice` is.
fn of_voice(hir: &Hir, of: ExprId, field: &Ident) -> Option<NoteSignal> {
    match hir.voice_signal(of, &field.name)? {
        VoiceSignal::Note(signal) => Some(signal),
        VoiceSignal::Event(_) | VoiceSignal::Random => None,
    }
}

/// The signals that the fields in some expressions are, by what `signal` says of each.
fn named(
    ast: &Ast,
    mut open: Vec<ExprId>,
    signal: impl Fn(ExprId, &Ident) -> Option<NoteSignal>,
) -> Vec<NoteSignal> {
    let mut found = vec![];
    while let Some(expr) = open.pop() {
        let expr = &ast.exprs[expr];
        if let Expr::Field { of, field } = expr {
            found.extend(signal(*of, field));
        }
        open.extend(operands(expr));
    }
    found
}
