//! What can be said of a file's items without evaluating anything: whether they stand where they mean something, are
//! defined once, and whether every body says what it sounds like.

use crate::codes;
use crate::files::{File, Files};
use crate::graph::duplicate;
use mam_grammar::ast::{Body, Definition, DefinitionKind, Ident, Item, ItemKind};
use mam_grammar::{Problem, Problems, Span};
use std::collections::HashMap;
use std::sync::Arc;

/// Checks the items of the user's files; `song` is the song itself.
pub(crate) fn check(files: &Files, song: usize, problems: &mut Problems) {
    for index in files.user_files() {
        let file = files.file(index);
        definitions(file, problems);
        if index == song {
            song_items(file, problems);
        }
    }
}

fn definitions(file: &File, problems: &mut Problems) {
    let mut seen: HashMap<Arc<str>, Span> = HashMap::new();
    for item in &file.ast.items {
        let ItemKind::Definition(definition) = &item.kind else { continue };
        if let Some(&first) = seen.get(&definition.name.name) {
            problems.add(duplicate(&definition.name, first));
        }
        seen.entry(definition.name.name.clone()).or_insert(definition.name.span);
        body(definition, problems);
    }
}

fn body(definition: &Definition, problems: &mut Problems) {
    let Body::Items(items) = &definition.body else { return };
    let mut seen: HashMap<Arc<str>, Span> = HashMap::new();
    let formals = definition.formals.iter().map(|f| &f.name);
    for name in formals.chain(items.iter().filter_map(defined)) {
        if let Some(&first) = seen.get(&name.name) {
            problems.add(duplicate(name, first));
        }
        seen.entry(name.name.clone()).or_insert(name.span);
    }
    for item in items {
        if let Some((what, place)) = misplaced_in(definition.kind, &item.kind) {
            let message = format!("{what} means nothing in {}", kind_name(definition.kind));
            problems.add(Problem::new(&codes::MISPLACED_ITEM, item.span, message).help(place));
        }
    }
    if !has_out(items) {
        problems.add(no_out(&definition.name));
    }
}

/// True when one of the items defines `out`.
pub(crate) fn has_out(items: &[Item]) -> bool {
    items.iter().any(|i| matches!(&i.kind, ItemKind::Equation { name, .. } if &*name.name == "out"))
}

fn no_out(name: &Ident) -> Problem {
    Problem::new(&codes::NO_OUT, name.span, format!("`{name}` does not say what it sounds like"))
        .help("add an equation `out = …`")
}

fn defined(item: &Item) -> Option<&Ident> {
    match &item.kind {
        ItemKind::Equation { name, .. } | ItemKind::Input(name) => Some(name),
        ItemKind::Param(param) => Some(&param.name),
        _ => None,
    }
}

fn kind_name(kind: DefinitionKind) -> &'static str {
    match kind {
        DefinitionKind::Def => "a `def`",
        DefinitionKind::Instrument => "an instrument",
        DefinitionKind::Effect => "an effect",
    }
}

/// What an item is called, and where it belongs, if it does not belong into a definition of this kind.
fn misplaced_in(kind: DefinitionKind, item: &ItemKind) -> Option<(&'static str, &'static str)> {
    use DefinitionKind::{Effect, Instrument};
    match (item, kind) {
        (ItemKind::Equation { .. }, _) => None,
        (ItemKind::Param(p), Instrument | Effect) if !p.knob => None,
        (ItemKind::Input(_), Effect) | (ItemKind::Until(_) | ItemKind::DefaultNote(_), Instrument) => None,
        (ItemKind::Param(p), _) if p.knob => Some(("`knob`", "knobs belong to the song itself")),
        (ItemKind::Param(_), _) => Some((
            "`param`",
            "the arguments of a `def` stand in its parentheses: `def f(x, cutoff: Hz = 800Hz)`",
        )),
        (ItemKind::Input(_), _) => Some(("`input`", "only effects have inputs")),
        (ItemKind::Until(_), _) => Some(("`until`", "only instruments have voices that fall silent")),
        (ItemKind::DefaultNote(_), _) => Some(("`default note`", "only instruments play notes")),
        (ItemKind::Definition(_), _) => {
            Some(("a definition", "definitions stand in the file itself, not in one another"))
        }
        _ => Some(("this", "the score belongs to the song itself")),
    }
}

fn song_items(file: &File, problems: &mut Problems) {
    for item in &file.ast.items {
        let (what, help) = match &item.kind {
            ItemKind::Param(p) if !p.knob => ("`param`", "a control of the whole song is a `knob`"),
            ItemKind::Input(_) => ("`input`", "the song's own input is `in`; `input` belongs to effects"),
            ItemKind::Until(_) => ("`until`", "it says when an instrument's voice falls silent"),
            ItemKind::DefaultNote(_) => ("`default note`", "it belongs to an instrument"),
            ItemKind::Line(_) => ("a line of a score", "lines stand in `play { … }` or in a section"),
            _ => continue,
        };
        let message = format!("{what} means nothing in the song itself");
        problems.add(Problem::new(&codes::MISPLACED_ITEM, item.span, message).help(help));
    }
    if !has_out(&file.ast.items) {
        let end = file.ast.items.last().map_or_else(Span::default, |item| item.span);
        let problem = Problem::new(&codes::NO_OUT, end, "the song does not say what it sounds like");
        problems.add(problem.help("add an equation `out = …`"));
    }
}
