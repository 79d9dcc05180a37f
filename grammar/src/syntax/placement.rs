//! Which items may stand where: the grammar reads every item everywhere, so that the message can say where it
//! belongs.

use super::codes;
use super::diagnose::form;
use super::words::STATEMENTS;
use crate::ast::{Ast, Body, DefinitionKind, Expr, Ident, Item, ItemKind, Line, PatternText};
use crate::problem::{Problem, Problems, nearest};
use crate::source::Span;
use std::ops::Range;

/// The block around an item, which says what may stand there.
#[derive(Clone, Copy, PartialEq)]
enum Context {
    File,
    Instrument,
    Effect,
    Equations,
    Kit,
    Play,
    Section,
    Matrix,
}

impl Context {
    fn text(self) -> &'static str {
        match self {
            Context::File => "at the top of a file",
            Context::Instrument => "in an instrument",
            Context::Effect => "in an effect",
            Context::Equations => "in a body of equations",
            Context::Kit => "in a kit",
            Context::Play => "in a `play` block",
            Context::Section => "in a section",
            Context::Matrix => "in a `matrix` block",
        }
    }
}

/// What an item is called, and where it may stand.
fn row(kind: &ItemKind) -> (&'static str, &'static [Context]) {
    use Context::{Effect, Equations, File, Instrument, Kit, Play, Section};
    match kind {
        ItemKind::Equation { .. } => ("an equation", &[File, Instrument, Effect, Equations, Kit]),
        ItemKind::Param(param) if param.knob => ("a `knob`", &[File]),
        ItemKind::Param(_) => ("a `param`", &[Instrument, Effect]),
        ItemKind::Input(_) => ("an `input`", &[Effect, Instrument]),
        ItemKind::Until(_) => ("`until`", &[Instrument]),
        ItemKind::Kit { .. } => ("a `kit`", &[File]),
        ItemKind::Choke { .. } => ("`choke`", &[Kit]),
        ItemKind::Matrix(_) => ("a `matrix`", &[File]),
        ItemKind::Route(_) => ("a line of a matrix", &[Context::Matrix]),
        ItemKind::Preset { .. } => ("a `preset`", &[File, Instrument, Effect]),
        ItemKind::Latency(_) => ("`latency`", &[Instrument, Effect, Equations]),
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
        ItemKind::Channels { .. } => ("`channels`", &[File]),
        ItemKind::Expect(_) => ("`expect`", &[File]),
        ItemKind::Tuning(_) => ("`tuning`", &[File]),
        ItemKind::Play(_) => ("a `play` block", &[File, Section]),
        ItemKind::Line(_) => ("a line of a score", &[Play, Section]),
        ItemKind::Arrangement(_) => ("an arrangement", &[File, Section]),
        ItemKind::Section { .. } | ItemKind::Variation { .. } => ("a section", &[File, Section]),
        ItemKind::Broken(_) => {
            ("", &[File, Instrument, Effect, Equations, Kit, Play, Section, Context::Matrix])
        }
    }
}

/// Reports every item of a file with this text that stands where it means nothing. Nothing more is said of it.
pub(super) fn check(ast: &mut Ast, text: &str, problems: &mut Problems) {
    check_items(&mut ast.items, Context::File, text, problems);
    for expr in ast.exprs.values() {
        if let Expr::Reduce { body: Body::Items(items), .. }
        | Expr::Chain { body: Body::Items(items), .. }
        | Expr::Oversample { body: Body::Items(items), .. }
        | Expr::Spectral { body: Body::Items(items), .. } = expr
        {
            check_items(&mut items.clone(), Context::Equations, text, problems);
        }
    }
}

fn check_items(items: &mut [Item], context: Context, text: &str, problems: &mut Problems) {
    let mut at = 0;
    while at < items.len() {
        inside(&mut items[at].kind, text, problems);
        at += 1;
        let item = &items[at - 1];
        let (name, contexts) = row(&item.kind);
        if contexts.contains(&context) {
            continue;
        }
        // Lines after one another have left the same block.
        let line = |item: &&Item| matches!(item.kind, ItemKind::Line(_)) && meant(item).is_none();
        let more = if line(&item) { items[at..].iter().take_while(line).count() } else { 0 };
        at += more;
        let belongs: Vec<_> = contexts.iter().map(|context| context.text()).collect();
        let message = format!("{name} cannot stand {}", context.text());
        let problem = Problem::new(&codes::MISPLACED, item.span, message)
            .help(format!("it belongs {}", belongs.join(" or ")));
        let all = at - 1 - more..at;
        problems.add(match meant(item) {
            Some(meant) => meant,
            None => moved(problem, items, all.clone(), context, text),
        });
        items[all].iter_mut().for_each(|item| item.kind = ItemKind::Broken(defined(&item.kind).cloned()));
    }
}

/// The name that an item defines.
fn defined(kind: &ItemKind) -> Option<&Ident> {
    match kind {
        ItemKind::Equation { name, .. }
        | ItemKind::Section { name, .. }
        | ItemKind::Variation { name, .. }
        | ItemKind::Input(name) => Some(name),
        ItemKind::Param(param) => Some(&param.name),
        ItemKind::Definition(definition) => Some(&definition.name),
        _ => None,
    }
}

/// The fix of items that have another keyword here, or need a block around them.
fn moved(problem: Problem, items: &[Item], all: Range<usize>, context: Context, text: &str) -> Problem {
    let item = &items[all.start];
    let keyword = |word: &str| Span { end: item.span.start + word.len() as u32, ..item.span };
    let played = items.iter().any(|item| matches!(item.kind, ItemKind::Play(_)));
    match (&item.kind, context) {
        (ItemKind::Param(param), Context::Instrument | Context::Effect) if param.knob => {
            problem.fix(keyword("knob"), "param")
        }
        (ItemKind::Param(param), Context::File) if !param.knob => {
            let help =
                "a control of the song is a `knob`; a `param` belongs in an instrument or in an effect";
            problem.help(help).fix(keyword("param"), "knob")
        }
        (ItemKind::Line(_), Context::File) if !played => {
            let span = item.span.to(items[all.end - 1].span);
            let lines = text.get(span.range()).unwrap_or_default();
            problem
                .help(format!("put it between braces: `play {{ {} }}`", first_line(lines)))
                .guess(span, format!("play {{ {lines} }}"))
        }
        _ => problem,
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// A statement that reads as a line of a score: `titel "…"`, `tempo "120"`.
fn meant(item: &Item) -> Option<Problem> {
    let ItemKind::Line(Line { target, pattern: PatternText::Notation(quoted), .. }) = &item.kind else {
        return None;
    };
    let [word] = &target[..] else { return None };
    if STATEMENTS.contains(&&*word.name) {
        let span = Span { start: quoted.span.start - 1, end: quoted.span.end + 1, ..quoted.span };
        let end = quoted
            .text
            .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '/' | '%'))
            .unwrap_or(quoted.text.len());
        let value = &quoted.text[..end];
        let message = format!("`{word}` takes a value, not a text");
        let problem = Problem::new(&codes::STATEMENT_FORM, span, message);
        return Some(match value {
            "" => {
                problem.help(form(&word.name).map_or("write a value".into(), |form| format!("write {form}")))
            }
            _ => problem.help(format!("write `{word} {value}`")).fix(span, value),
        });
    }
    let meant = nearest(&word.name, &["title", "use"])?;
    let message = format!("a line of a score cannot stand {}", Context::File.text());
    let problem =
        Problem::new(&codes::MISPLACED, item.span, message).here(format!("did you mean `{meant}`?"));
    Some(problem.help(format!("write `{meant}`")).guess(word.span, meant))
}

fn inside(kind: &mut ItemKind, text: &str, problems: &mut Problems) {
    match kind {
        ItemKind::Definition(definition) => {
            let context = match definition.kind {
                DefinitionKind::Def => Context::Equations,
                DefinitionKind::Instrument => Context::Instrument,
                DefinitionKind::Effect => Context::Effect,
            };
            if let Body::Items(items) = &mut definition.body {
                check_items(items, context, text, problems);
            }
        }
        ItemKind::Kit { items, .. } => check_items(items, Context::Kit, text, problems),
        ItemKind::Play(items) => check_items(items, Context::Play, text, problems),
        ItemKind::Matrix(items) => check_items(items, Context::Matrix, text, problems),
        ItemKind::Section { items, .. } | ItemKind::Variation { items, .. } => {
            check_items(items, Context::Section, text, problems)
        }
        _ => {}
    }
}
