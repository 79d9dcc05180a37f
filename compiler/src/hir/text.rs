//! What the names of a file mean, as text: each definition and equation with its scope and its type, and each use.

use super::{FILE, Local, LocalKind, ScopeId, Target, Types};
use crate::files::Files;
use mam_grammar::Span;
use mam_runtime::sort::Sort;
use std::fmt::Write;

/// The names of file `file` with their types, as far as these are known, in the order of the scopes; then their uses in the
/// order of the text.
pub fn text(files: &Files, file: usize, types: &Types) -> String {
    let hir = super::resolve::resolved(files, file);
    let ast = &files.file(file).ast;
    let mut out = String::new();
    let mut named: Vec<(ScopeId, String)> = vec![(FILE, "file".into())];
    for (item, scope) in hir.definition_scopes() {
        let definition = files.definition(super::DefId { file, item });
        named.push((scope, format!("{} {}", word(definition.kind), definition.name)));
    }
    for index in 0..hir.scopes.len() {
        let scope = ScopeId(index as u32);
        let name = named.iter().find(|(id, _)| *id == scope).map_or("loop", |(_, name)| name);
        let around =
            hir.scope(scope).parent.map_or(String::new(), |parent| format!(" in scope {}", parent.0));
        _ = writeln!(out, "scope {index}: {name}{around}");
        for &id in &hir.scope(scope).locals {
            let local = hir.local(id);
            let ty = types.get(&(file, id)).map_or(String::new(), |ty| format!(": {ty}"));
            _ = writeln!(out, "  {}{ty} = {}{}", label(local, id.0), kind(local), place(local.span));
        }
    }
    let mut uses: Vec<_> = hir.uses.iter().collect();
    uses.put_in_order_by_key(|one| one.span);
    for one in uses {
        let target = match &one.target {
            Target::Local(id) => label(hir.local(*id), id.0),
            Target::Definition(def) => format!("definition {}", files.definition(*def).name),
            Target::Argument(def, name) => format!("{}.{name}", files.definition(*def).name),
            Target::Builtin(builtin) => format!("function {}", builtin.row().name),
            Target::Known(known) => format!("known {known:?}"),
            Target::Measure(measure) => format!("measure {}", measure.row().name),
        };
        _ = writeln!(out, "use {}{} -> {target}", files.slice(one.span), place(Some(one.span)));
    }
    debug_assert!(ast.exprs.len() >= hir.names.len());
    out
}

fn label(local: &Local, id: u32) -> String {
    format!("{}#{id}", local.name)
}

fn word(kind: mam_grammar::ast::DefinitionKind) -> &'static str {
    use mam_grammar::ast::DefinitionKind::{Def, Effect, Instrument};
    match kind {
        Def => "def",
        Instrument => "instrument",
        Effect => "effect",
    }
}

fn kind(local: &Local) -> String {
    match local.kind {
        LocalKind::Equation(_) => "equation".into(),
        LocalKind::Knob(_) => "knob".into(),
        LocalKind::Formal(place) => format!("argument {place}"),
        LocalKind::Param(place) => format!("param {place}"),
        LocalKind::Input(place) => format!("input {place}"),
        LocalKind::In => "in".into(),
        LocalKind::Event => "event".into(),
        LocalKind::Counter => "counter".into(),
        LocalKind::Value => "value".into(),
        LocalKind::Bin => "bin".into(),
        LocalKind::Broken => "broken".into(),
        LocalKind::Section(_) => "section".into(),
    }
}

fn place(span: Option<Span>) -> String {
    span.map_or(String::new(), |span| format!(" @{}..{}", span.start, span.end))
}
