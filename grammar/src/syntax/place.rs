//! Which items may stand where: the grammar reads every item everywhere, so that the message can say where it
//! belongs.

use super::codes;
use crate::ast::{Ast, Body, DefinitionKind, Expr, Item, ItemKind, Line, PatternText};
use crate::problem::{Problem, Problems, nearest};

/// Where items stand.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    File,
    Instrument,
    Effect,
    Equations,
    Play,
    Section,
}

impl Place {
    fn text(self) -> &'static str {
        match self {
            Place::File => "at the top of a file",
            Place::Instrument => "in an instrument",
            Place::Effect => "in an effect",
            Place::Equations => "in a body of equations",
            Place::Play => "in a `play` block",
            Place::Section => "in a section",
        }
    }
}

/// What an item is called, and where it may stand.
fn row(kind: &ItemKind) -> (&'static str, &'static [Place]) {
    use Place::{Effect, Equations, File, Instrument, Play, Section};
    match kind {
        ItemKind::Equation { .. } => ("an equation", &[File, Instrument, Effect, Equations]),
        ItemKind::Param(param) if param.knob => ("a `knob`", &[File]),
        ItemKind::Param(_) => ("a `param`", &[Instrument, Effect]),
        ItemKind::Input(_) => ("an `input`", &[Effect, Instrument]),
        ItemKind::Until(_) => ("`until`", &[Instrument]),
        ItemKind::DefaultNote(_) => ("`default note`", &[Instrument]),
        ItemKind::Midi(_) => ("`midi`", &[Instrument]),
        ItemKind::Definition(_) => ("a definition", &[File]),
        ItemKind::Use(_) => ("`use`", &[File]),
        ItemKind::Title(_) => ("`title`", &[File]),
        ItemKind::Tempo { .. } => ("`tempo`", &[File]),
        ItemKind::Meter { .. } => ("`meter`", &[File]),
        ItemKind::Swing { .. } => ("`swing`", &[File]),
        ItemKind::Length(_) => ("`length`", &[File]),
        ItemKind::Seed(_) => ("`seed`", &[File]),
        ItemKind::Play(_) => ("a `play` block", &[File, Section]),
        ItemKind::Line(_) => ("a line of a score", &[Play, Section]),
        ItemKind::Arrangement(_) => ("an arrangement", &[File, Section]),
        ItemKind::Section { .. } => ("a section", &[File, Section]),
        ItemKind::Broken(_) => ("", &[File, Instrument, Effect, Equations, Play, Section]),
    }
}

/// Reports every item that stands where it means nothing.
pub(super) fn check(ast: &Ast, problems: &mut Problems) {
    check_items(&ast.items, Place::File, problems);
    for expr in ast.exprs.values() {
        if let Expr::Sum { body: Body::Items(items), .. } | Expr::Chain { body: Body::Items(items), .. } =
            expr
        {
            check_items(items, Place::Equations, problems);
        }
    }
}

fn check_items(items: &[Item], place: Place, problems: &mut Problems) {
    for item in items {
        let (name, places) = row(&item.kind);
        if !places.contains(&place) {
            let belongs: Vec<_> = places.iter().map(|place| place.text()).collect();
            let message = format!("{name} cannot stand {}", place.text());
            let problem = Problem::new(&codes::MISPLACED, item.span, message);
            let problem = match meant(&item.kind) {
                Some(word) => problem.here(format!("did you mean `{word}`?")),
                None => problem,
            };
            let problem = problem.help(format!("it belongs {}", belongs.join(" or ")));
            problems.add(problem);
        }
        inside(&item.kind, problems);
    }
}

/// `titel "…"` reads as a line of a score.
fn meant(kind: &ItemKind) -> Option<&'static str> {
    match kind {
        ItemKind::Line(Line { target, pattern: PatternText::Notation(_), .. }) => match &target[..] {
            [word] => nearest(&word.name, &["title", "use"]),
            _ => None,
        },
        _ => None,
    }
}

fn inside(kind: &ItemKind, problems: &mut Problems) {
    match kind {
        ItemKind::Definition(definition) => {
            let place = match definition.kind {
                DefinitionKind::Def => Place::Equations,
                DefinitionKind::Instrument => Place::Instrument,
                DefinitionKind::Effect => Place::Effect,
            };
            if let Body::Items(items) = &definition.body {
                check_items(items, place, problems);
            }
        }
        ItemKind::Play(items) => check_items(items, Place::Play, problems),
        ItemKind::Section { items, .. } => check_items(items, Place::Section, problems),
        _ => {}
    }
}
